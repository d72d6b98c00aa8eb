/* Where a NaN or an infinity comes from: the program is appended to an eager graph, one instruction
 * after the other, and each value is looked at as it comes. Bodies of loops and branches are such
 * programs, iteration by iteration; they nest at most MAX_RULE_DEPTH deep. */
#include "op/describe.h"
#include "op/region.h"
#include "run/run.h"
#include "wengert/eager.h"

#include <math.h>

/* What loops and branches gave: the values in g of their items. */
struct given {
    value region, *item, count;
};

struct hunt {
    const struct trace *t;
    wg_graph *g;
    value *map, *input; /* of each instruction, of each input: its value in g */
    int64_t *size;
    const void **data;
    wg_extent *size_map;
    VEC(struct given) given;
    struct arena arena;
    value found;     /* the first that is not finite; 0 if there is none */
    wg_text *report; /* of it; may be NULL */
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

static void hunt_region(struct hunt *h, value v);

/* The item that a region gave. */
static value given_item(const struct hunt *h, value v) {
    value region = args_of(h->t, instr_at(h->t, v))[0];
    size_t k = (size_t)attr_words(h->t, instr_at(h->t, v)->attr)[0];
    for (size_t i = h->given.count; i-- > 0;)
        if (h->given.at[i].region == region)
            return k == REGION_COUNT ? h->given.at[i].count : h->given.at[i].item[k];
    return 0;
}

static bool report_found(struct hunt *h, value v, int64_t index) {
    size_t before = h->report ? h->report->size : 0;
    h->found = v;
    if (!h->report || add_report(h, h->report, v, index)) return true;
    text_cut(h->report, before);
    return graph_fail_memory(h->g);
}

/* Up to the first value with an element that is not finite. */
static void walk(struct hunt *h) {
    for (value v = 1; v < h->t->instr.count && !h->found; v++) {
        const struct instr *i = instr_at(h->t, v);
        if (i->op == OP_input)
            h->map[v] = h->input[attr_words(h->t, i->attr)[0]];
        else if (i->op == OP_item)
            h->map[v] = given_item(h, v);
        else if (op_def(i->op)->class == REGION)
            hunt_region(h, v);
        else
            h->map[v] = graph_import(h->g, h->t, v, h->size_map, h->map);
        if (h->g->error.status) return;
        int64_t bits, index;
        if (h->found || op_def(i->op)->class == REGION || i->op == OP_data ||
            value_is_splat(h->t, v, &bits))
            continue;
        wg_tensor x = value_of(h, v);
        index = first_nonfinite(&x);
        if (index >= 0 && !report_found(h, v, index)) return;
    }
}

/* ---- one program at one point ---------------------------------------------------------------- */

static void fail_memory_of(struct hunt *h) { graph_fail_memory(h->g); }

static void *hunt_array(struct hunt *h, size_t count, size_t size) {
    void *array = arena_alloc(&h->arena, (count + 1) * size, sizeof(int64_t));
    if (array) memset(array, 0, (count + 1) * size);
    return array;
}

/* A hunt in a trace; hunt_close in any case. */
static bool hunt_open(struct hunt *h, const struct trace *t, wg_text *report) {
    *h = (struct hunt){.t = t, .arena.allocator = t->allocator, .report = report};
    h->g = wg_eager_new_with(&h->arena.allocator);
    h->map = hunt_array(h, t->instr.count, sizeof *h->map);
    h->input = hunt_array(h, t->input.count, sizeof *h->input);
    h->data = hunt_array(h, t->input.count, sizeof *h->data);
    h->size = hunt_array(h, t->size.count, sizeof *h->size);
    h->size_map = hunt_array(h, t->size.count, sizeof *h->size_map);
    return h->g && h->map && h->input && h->data && h->size && h->size_map;
}

static void hunt_close(struct hunt *h) {
    VEC_FREE(&h->t->allocator, &h->given);
    wg_graph_free(h->g);
    arena_free(&h->arena);
}

/* With sizes and data in place. */
static wg_status hunt_run(struct hunt *h, wg_error *error) {
    for (size_t i = 0; i < h->t->size.count; i++) {
        if (h->size[i] < 0)
            return fail_with(error, WG_EARGUMENT,
                             "nonfinite: size \"%s\" is %lld; sizes are at least 0",
                             name_at(h->t, h->t->size.at[i]), (long long)h->size[i]);
        h->size_map[i] = h->size[i];
    }
    if (graph_import_checks(h->g, h->t, h->size_map) && append_inputs(h)) walk(h);
    if (h->g->error.status) return fail_with(error, h->g->error.status, "%s", h->g->error.message);
    return WG_OK;
}

/* ---- loops and branches ---------------------------------------------------------------------- */

/* Room for a value of a type of the trace. */
static void *room_for(struct hunt *h, const struct trace *t, const wg_type *type,
                      const int64_t *size, size_t *bytes) {
    int64_t shape[WG_MAX_RANK], count;
    if (!type_eval(t, type, size, shape, &count)) {
        graph_fail(h->g, WG_EOVERFLOW, "nonfinite: a value with a negative or too large extent");
        return NULL;
    }
    *bytes = (size_t)count * wg_dtype_size((wg_dtype)type->dtype);
    void *room = hunt_array(h, *bytes, 1);
    if (!room) graph_fail_memory(h->g);
    return room;
}

/* A body in the making of its region: its sizes, and room for what it gives. */
struct body {
    const struct trace *t;
    int64_t *size;
    void **out;
    size_t *bytes;
};

static bool body_open(struct hunt *h, const struct region *r, size_t k, struct body *b) {
    b->t = &region_body(h->t, r, k)->body->t;
    b->size = hunt_array(h, b->t->size.count, sizeof *b->size);
    b->out = hunt_array(h, b->t->output.count, sizeof *b->out);
    b->bytes = hunt_array(h, b->t->output.count, sizeof *b->bytes);
    if (!b->size || !b->out || !b->bytes) return graph_fail_memory(h->g);
    for (size_t i = 0; i < b->t->size.count; i++)
        if (!extent_eval(h->t, region_sizes(h->t, r, k)[i], h->size, &b->size[i]))
            return graph_fail(h->g, WG_EOVERFLOW, "nonfinite: a size is negative"), false;
    for (size_t i = 0; i < b->t->output.count; i++) {
        b->out[i] = room_for(h, b->t, type_of(b->t, b->t->output.at[i].v), b->size, &b->bytes[i]);
        if (!b->out[i]) return false;
    }
    return true;
}

/* Once, on these inputs; false if it found something, or on an error. where: what the report says
 * of the run. */
static bool body_run(struct hunt *h, const struct body *b, const void *const *data, value region,
                     const char *where, int64_t number) {
    struct hunt inner;
    wg_error error = {0};
    if (hunt_open(&inner, b->t, h->report)) {
        memcpy(inner.size, b->size, b->t->size.count * sizeof *b->size);
        memcpy(inner.data, data, b->t->input.count * sizeof *data);
        hunt_run(&inner, &error);
        for (size_t i = 0; !error.status && !inner.found && i < b->t->output.count; i++)
            memcpy(b->out[i], value_of(&inner, b->t->output.at[i].v).data, b->bytes[i]);
    } else {
        fail_memory(&error);
    }
    if (inner.found) {
        h->found = region;
        if (h->report && !(text_format(h->report, "\n  %s %lld of ", where, (long long)number) &&
                           add_instruction(h, h->report, region) && add_site(h, h->report, region)))
            graph_fail_memory(h->g);
    }
    fail_as(&h->g->error, &error);
    hunt_close(&inner);
    return !h->found && !h->g->error.status;
}

static const void *operand(const struct hunt *h, value v) { return value_of(h, v).data; }

/* An item, or the count, as a value of the graph. */
static value put_value(struct hunt *h, const wg_type *type, const int64_t *size,
                       const struct trace *t, const void *data) {
    wg_type constant = {.dtype = type->dtype, .rank = type->rank};
    for (size_t k = 0; k < type->rank; k++)
        if (!extent_eval(t, type->extent[k], size, &constant.extent[k])) return 0;
    return wg_value_at(NULL, 0, h->g, constant, data).id;
}

static void hunt_branch(struct hunt *h, value v, const struct region *r, struct given *given) {
    const value *x = args_of(h->t, instr_at(h->t, v));
    int64_t choice = *(const int64_t *)operand(h, x[0]), last = (int64_t)r->bodies - 1;
    choice = choice < 0 ? 0 : choice > last ? last : choice;
    struct body b;
    const void *data[REGION_OPERANDS];
    if (!body_open(h, r, (size_t)choice, &b)) return;
    for (size_t k = 0; k < r->captures; k++) data[k] = operand(h, x[1 + k]);
    if (!body_run(h, &b, data, v, "in case", choice)) return;
    for (size_t k = 0; k < r->results; k++)
        given->item[k] = put_value(h, type_of(b.t, b.t->output.at[k].v), b.size, b.t, b.out[k]);
    given->count = put_value(h, &(wg_type){.dtype = WG_I64}, NULL, h->t, &choice);
}

static void hunt_loop(struct hunt *h, value v, const struct region *r, struct given *given) {
    const value *x = args_of(h->t, instr_at(h->t, v)),
                *stack = x + r->lead + r->captures + r->carries;
    const wg_type integer = {.dtype = WG_I64};
    struct body b, condition = {.t = NULL};
    const void *data[REGION_OPERANDS + 1];
    size_t n = 1 + r->captures, carries = r->carries, bytes[REGION_OPERANDS] = {0};
    char *carry[REGION_OPERANDS], *result[REGION_OPERANDS];
    int64_t length, count, i = 0, ran = 0;
    bool back = r->flags & LOOP_BACKWARDS, goes_on = true;
    if (!extent_eval(h->t, r->length, h->size, &length)) {
        graph_fail(h->g, WG_EOVERFLOW, "nonfinite: the length of a loop is negative");
        return;
    }
    count = r->lead ? *(const int64_t *)operand(h, x[0]) : length;
    count = count < 0 ? 0 : count > length ? length : count;
    if (!body_open(h, r, 0, &b) || (r->bodies > 1 && !body_open(h, r, 1, &condition))) return;
    data[0] = &i;
    for (size_t k = 0; k < r->captures; k++) data[1 + k] = operand(h, x[r->lead + k]);
    for (size_t k = 0; k < carries; k++) {
        carry[k] = hunt_array(h, b.bytes[k], 1);
        if (!carry[k]) {
            fail_memory_of(h);
            return;
        }
        memcpy(carry[k], operand(h, x[r->lead + r->captures + k]), b.bytes[k]);
        data[n + k] = carry[k];
    }
    for (size_t k = 0; k < r->stacks; k++) {
        wg_tensor whole = value_of(h, stack[k]);
        bytes[k] = length ? (size_t)(wg_tensor_count(&whole) / length) * wg_dtype_size(whole.dtype)
                          : 0;
    }
    for (size_t k = 0; k < r->results; k++) {
        result[k] = hunt_array(h, b.bytes[carries + k] * (size_t)length, 1);
        if (!result[k]) {
            fail_memory_of(h);
            return;
        }
    }
    for (; ran < count && goes_on; ran++) {
        i = back ? count - 1 - ran : ran;
        if (condition.t) {
            if (!body_run(h, &condition, data, v, "in the condition of iteration", i)) return;
            if (!*(const bool *)condition.out[0]) break;
        }
        for (size_t k = 0; k < r->stacks; k++)
            data[n + carries + k] = (const char *)operand(h, stack[k]) + bytes[k] * (size_t)i;
        if (!body_run(h, &b, data, v, "in iteration", i)) return;
        for (size_t k = 0; k < carries; k++) memcpy(carry[k], b.out[k], b.bytes[k]);
        for (size_t k = 0; k < r->results; k++)
            memcpy(result[k] + b.bytes[carries + k] * (size_t)i, b.out[carries + k],
                   b.bytes[carries + k]);
    }
    for (size_t k = 0; k < r->items; k++) {
        wg_type type = *type_of(b.t, b.t->output.at[k].v), whole = type;
        for (size_t e = 0; e < type.rank; e++)
            if (!extent_eval(b.t, type.extent[e], b.size, &whole.extent[e])) return;
        if (k >= carries) whole = type_prepend(&whole, length);
        given->item[k] = put_value(h, &whole, NULL, h->t,
                                   k < carries ? carry[k] : result[k - carries]);
    }
    given->count = put_value(h, &integer, NULL, h->t, &ran);
}

static void hunt_region(struct hunt *h, value v) {
    const struct instr *i = instr_at(h->t, v);
    struct region r = region_open(h->t, i->op, i->attr);
    struct given given = {.region = v, .item = hunt_array(h, r.items, sizeof *given.item)};
    struct given *new = given.item ? VEC_PUSH(&h->t->allocator, &h->given) : NULL;
    if (!new) {
        fail_memory_of(h);
        return;
    }
    if (i->op == OP_branch)
        hunt_branch(h, v, &r, &given);
    else
        hunt_loop(h, v, &r, &given);
    *new = given;
    h->map[v] = given.count;
}

/* ---- the public function --------------------------------------------------------------------- */

wg_status wg_find_nonfinite(const wg_program *program, const int64_t *size, const wg_tensor *input,
                            uint32_t *instruction, wg_text *report, wg_error *error) {
    if (failed(error)) return error->status;
    const char *missing = !program                            ? "the program"
                          : !instruction                      ? "instruction"
                          : !input && wg_input_count(program) ? "the list of inputs"
                                                              : NULL;
    if (missing) return fail_with(error, WG_EARGUMENT, "nonfinite: %s is NULL", missing);
    *instruction = 0;
    struct hunt h;
    size_t before = report ? report->size : 0;
    wg_status status = WG_ENOMEM;
    if (!hunt_open(&h, &program->t, report))
        fail_memory(error);
    else
        status = bind_inputs(h.t, size, input, h.size, h.data, error);
    if (!status) status = hunt_run(&h, error);
    if (!status)
        *instruction = h.found;
    else if (report)
        text_cut(report, before);
    hunt_close(&h);
    return status;
}
