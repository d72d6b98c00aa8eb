/* taylor: the series of the outputs along a straight line through the point, x + t x' with the
 * tangents x' that are given. Of a formula of one number that is x + t. */
#include "cli/cli.h"

struct series_run {
    int order;
    wg_tensor *tangent; /* of each input, data NULL where there is none */
    wg_text names;      /* of those that have one */
    struct ports row;
    wg_program *program;
};

/* Whether the program has one input, and that a floating number. */
static bool one_number(const struct cli *c) {
    wg_type type = port_type(c, false, 0);
    return port_count(c, false) == 1 && type.rank == 0 &&
           (type.dtype == WG_F32 || type.dtype == WG_F64);
}

static bool unit_tangent(struct cli *c, struct series_run *s) {
    s->tangent = new_tensors(c, 1);
    if (!s->tangent) return false;
    wg_tensor made = {.dtype = c->input[0].dtype};
    if (tensor_alloc(&made, &c->allocator, &c->error)) return false;
    if (made.dtype == WG_F32)
        *(float *)made.data = 1;
    else
        *(double *)made.data = 1;
    s->tangent[0] = made;
    return true;
}

static bool tangents(struct cli *c, struct series_run *s) {
    bool given = has_option(c, OPT_TANGENT);
    if (!given && !one_number(c))
        return usage_error(c, "'taylor' needs --tangent, for example --tangent x1=1,x2=0");
    s->names.allocator = c->allocator;
    bool ok = given ? read_seeds(c, OPT_TANGENT, c->input, &s->tangent) : unit_tangent(c, s);
    for (size_t i = 0; ok && i < port_count(c, false); i++)
        if (s->tangent[i].data &&
            !text_format(&s->names, "%s%s", s->names.size ? "," : "", port_name(c, false, i)))
            ok = !fail_memory(&c->error);
    if (!ok || s->names.size) return ok;
    return input_error(c, WG_ENAME, "--tangent names nothing");
}

/* A tensor with a leading axis of `count` rows like this one, zeros. */
static bool rows_like(struct cli *c, const wg_tensor *like, int count, wg_tensor *rows,
                      size_t *bytes) {
    wg_tensor made = *like;
    *bytes = (size_t)wg_tensor_count(like) * wg_dtype_size(like->dtype);
    memmove(made.shape + 1, made.shape, (size_t)made.rank * sizeof *made.shape);
    made.shape[0] = count;
    made.rank++;
    if (tensor_alloc(&made, &c->allocator, &c->error)) return false;
    if (*bytes) memset(made.data, 0, (size_t)count * *bytes);
    *rows = made;
    return true;
}

/* Runs the program on the series x, x', 0, 0, ...; a row has coefficients 0 .. order of an
 * output. */
static bool run_series(struct cli *c, const struct series_run *s, struct results *r) {
    size_t inputs = wg_input_count(s->program), outputs = wg_output_count(s->program), bytes;
    wg_tensor *input = new_tensors(c, inputs), *output = new_tensors(c, outputs);
    bool ok = input && output;
    size_t at = c->input_count;
    if (ok) memcpy(input, c->input, c->input_count * sizeof *input);
    for (size_t i = 0; ok && i < port_count(c, false); i++) {
        if (!s->tangent[i].data) continue;
        ok = rows_like(c, &s->tangent[i], s->order, &input[at], &bytes);
        if (ok && bytes) memcpy(input[at].data, s->tangent[i].data, bytes);
        at++;
    }
    ok = ok && run_on(c, s->program, input, output);
    for (size_t i = 0; ok && i < r->rows; i++) {
        size_t of = s->row.index[i];
        const wg_tensor *first = &output[of], *rest = &output[outputs - r->rows + i];
        ok = rows_like(c, first, s->order + 1, &r->block[i], &bytes);
        if (ok && bytes) {
            memcpy(r->block[i].data, first->data, bytes);
            memcpy((char *)r->block[i].data + bytes, rest->data, (size_t)s->order * bytes);
        }
        if (ok) set_axis(&r->row[i], port_name(c, true, of), &r->block[i]);
    }
    if (input) memset(input, 0, c->input_count * sizeof *input); /* these are borrowed */
    if (input) free_tensors(c, input, inputs);
    if (output) free_tensors(c, output, outputs);
    return ok;
}

bool command_taylor(struct cli *c) {
    struct series_run s = {.order = (int)option_number(c, OPT_ORDER, 4)};
    struct results r = {0};
    bool ok = load(c, true) && select_ports(c, OPT_OF, &s.row) && tangents(c, &s);
    if (ok)
        s.program = wg_taylor(c->program, option_text(c, OPT_OF), s.names.data, s.order, &c->error);
    ok = s.program && results_make(c, &r, s.row.count, 0) && run_series(c, &s, &r);
    if (ok) {
        r.after = "_taylor";
        r.key = "taylor";
        ok = results_write(c, &r);
    }
    results_free(c, &r);
    wg_program_free(s.program);
    wg_text_free(&s.names);
    if (s.tangent) free_tensors(c, s.tangent, port_count(c, false));
    return ok;
}
