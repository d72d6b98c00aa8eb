/* Where a NaN or an infinity comes from: the program is appended to an eager graph, one instruction
 * after the other, and each value is looked at as it comes. */
#include "op/op.h"
#include "run/run.h"
#include "wengert/eager.h"

#include <math.h>

struct hunt {
    const struct trace *t;
    wg_graph *g;
    value *map, *input; /* of each instruction, of each input: its value in g */
    int64_t *size;
    const void **data;
    wg_extent *size_map;
};

static wg_tensor value_of(const struct hunt *h, value v) {
    return wg_data((wg_var){h->g, h->map[v]});
}

static double element(const wg_tensor *x, int64_t index) {
    size_t width = wg_dtype_size(x->dtype);
    int64_t bits = 0;
    memcpy(&bits, (const char *)x->data + (size_t)index * width, width);
    return literal_to_f64(x->dtype, bits);
}

/* The first element that is not finite, or -1. */
static int64_t first_nonfinite(const wg_tensor *x) {
    int64_t count = dtype_is_float(x->dtype) ? wg_tensor_count(x) : 0;
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(element(x, i))) return i;
    return -1;
}

/* ---- the report ------------------------------------------------------------------------------ */

static bool add_index(wg_text *out, const wg_tensor *x, int64_t index) {
    int64_t at[WG_MAX_RANK];
    for (int k = x->rank; k-- > 0; index /= x->shape[k]) at[k] = index % x->shape[k];
    for (int k = 0; k < x->rank; k++)
        if (!text_format(out, "%s%lld", k ? "," : "[", (long long)at[k])) return false;
    return x->rank == 0 || text_add(out, "]");
}

static bool add_number(wg_text *out, const wg_tensor *x, int64_t index) {
    double number = element(x, index);
    return x->dtype == WG_F32 ? text_f32(out, (float)number) : text_f64(out, number);
}

/* "%4 = div", inputs by name */
static bool add_instruction(const struct hunt *h, wg_text *out, value v) {
    const struct instr *i = instr_at(h->t, v);
    if (!text_format(out, "%%%u = %s", (unsigned)v, op_def(i->op)->name)) return false;
    if (i->op != OP_input) return true;
    const struct port *port = &h->t->input.at[attr_words(h->t, i->attr)[0]];
    return text_format(out, " \"%s\"", name_at(h->t, port->name));
}

static bool add_site(const struct hunt *h, wg_text *out, value v) {
    uint32_t site = instr_at(h->t, v)->site;
    return !h->t->site.at[site].line || (text_add(out, " at ") && site_text(h->t, site, out));
}

/* An operand: the element beside the one in question, or its first that is not finite, or what its
 * elements lie between. */
static bool add_operand(const struct hunt *h, wg_text *out, value v, const wg_tensor *result,
                        int64_t index) {
    wg_tensor x = value_of(h, v);
    int64_t count = wg_tensor_count(&x), bad = first_nonfinite(&x);
    bool beside = count == wg_tensor_count(result) && x.rank == result->rank;
    for (int k = 0; beside && k < x.rank; k++) beside = x.shape[k] == result->shape[k];
    if (!text_add(out, "\n  ") || !add_instruction(h, out, v) || !add_site(h, out, v)) return false;
    if (count == 0) return text_add(out, " has no elements");
    if (count == 1 || beside || bad >= 0) {
        int64_t which = count == 1 ? 0 : beside ? index : bad;
        return text_add(out, " is ") && add_number(out, &x, which) &&
               (count == 1 || (text_add(out, " at ") && add_index(out, &x, which)));
    }
    int64_t low = 0, high = 0;
    for (int64_t i = 1; i < count; i++) {
        if (element(&x, i) < element(&x, low)) low = i;
        if (element(&x, i) > element(&x, high)) high = i;
    }
    return text_add(out, " lies in ") && add_number(out, &x, low) && text_add(out, " .. ") &&
           add_number(out, &x, high);
}

static bool add_report(const struct hunt *h, wg_text *out, value v, int64_t index) {
    const struct instr *i = instr_at(h->t, v);
    wg_tensor y = value_of(h, v);
    if (!add_instruction(h, out, v) || !add_site(h, out, v) || !text_add(out, " is ") ||
        !add_number(out, &y, index) ||
        (y.rank && !(text_add(out, " at ") && add_index(out, &y, index))))
        return false;
    for (size_t k = 0; k < i->narg; k++)
        if (!add_operand(h, out, args_of(h->t, i)[k], &y, index)) return false;
    if (i->flags & (INSTR_TANGENT | INSTR_ADJOINT)) {
        const char *kind = i->flags & INSTR_ADJOINT ? "adjoint" : "tangent";
        if (!text_format(out, "\n  it belongs to the %s of ", kind)) return false;
        if (!i->origin) return text_add(out, "an instruction that is no more there");
        return add_instruction(h, out, i->origin) && add_site(h, out, i->origin);
    }
    return true;
}

/* ---- the walk -------------------------------------------------------------------------------- */

static bool append_inputs(struct hunt *h) {
    for (size_t i = 0; i < h->t->input.count; i++) {
        const wg_type *type = type_of(h->t, h->t->input.at[i].v);
        wg_type given = graph_import_type(h->g, h->t, type, h->size_map);
        h->input[i] = wg_value_at(NULL, 0, h->g, given, h->data[i]).id;
    }
    return h->g->error.status == WG_OK;
}

/* The first value with an element that is not finite, and which; 0 if there is none. */
static value walk(struct hunt *h, int64_t *index) {
    for (value v = 1; v < h->t->instr.count; v++) {
        const struct instr *i = instr_at(h->t, v);
        if (i->op == OP_input)
            h->map[v] = h->input[attr_words(h->t, i->attr)[0]];
        else
            h->map[v] = graph_import(h->g, h->t, v, h->size_map, h->map);
        if (h->g->error.status) return 0;
        int64_t bits;
        if (i->op == OP_data || value_is_splat(h->t, v, &bits)) continue;
        wg_tensor x = value_of(h, v);
        *index = first_nonfinite(&x);
        if (*index >= 0) return v;
    }
    return 0;
}

static wg_status run(struct hunt *h, const int64_t *size, const wg_tensor *input,
                     uint32_t *instruction, wg_text *report, wg_error *error) {
    wg_status status = bind_inputs(h->t, size, input, h->size, h->data, error);
    if (status) return status;
    for (size_t i = 0; i < h->t->size.count; i++) {
        if (h->size[i] < 0)
            return fail_with(error, WG_EARGUMENT,
                             "nonfinite: size \"%s\" is %lld; sizes are at least 0",
                             name_at(h->t, h->t->size.at[i]), (long long)h->size[i]);
        h->size_map[i] = h->size[i];
    }
    int64_t index = -1;
    if (graph_import_checks(h->g, h->t, h->size_map) && append_inputs(h))
        *instruction = walk(h, &index);
    if (h->g->error.status) return fail_with(error, h->g->error.status, "%s", h->g->error.message);
    size_t before = report ? report->size : 0;
    if (*instruction && report && !add_report(h, report, *instruction, index)) {
        text_cut(report, before);
        return fail_memory(error);
    }
    return WG_OK;
}

wg_status wg_find_nonfinite(const wg_program *program, const int64_t *size, const wg_tensor *input,
                            uint32_t *instruction, wg_text *report, wg_error *error) {
    if (failed(error)) return error->status;
    const char *missing = !program                            ? "the program"
                          : !instruction                      ? "instruction"
                          : !input && wg_input_count(program) ? "the list of inputs"
                                                              : NULL;
    if (missing) return fail_with(error, WG_EARGUMENT, "nonfinite: %s is NULL", missing);
    *instruction = 0;
    struct arena arena = {.allocator = program->t.allocator};
    const struct trace *t = &program->t;
    size_t inputs = t->input.count + 1, sizes = t->size.count + 1; /* so that none is empty */
    struct hunt h = {.t = t, .g = wg_eager_new_with(&arena.allocator)};
    h.map = arena_alloc(&arena, t->instr.count * sizeof *h.map, sizeof(int64_t));
    h.input = arena_alloc(&arena, inputs * sizeof *h.input, sizeof(int64_t));
    h.data = arena_alloc(&arena, inputs * sizeof *h.data, sizeof(int64_t));
    h.size = arena_alloc(&arena, sizes * sizeof *h.size, sizeof(int64_t));
    h.size_map = arena_alloc(&arena, sizes * sizeof *h.size_map, sizeof(int64_t));
    bool ok = h.g && h.map && h.input && h.data && h.size && h.size_map;
    if (ok) h.map[0] = 0;
    wg_status status = ok ? run(&h, size, input, instruction, report, error) : fail_memory(error);
    wg_graph_free(h.g);
    arena_free(&arena);
    return status;
}
