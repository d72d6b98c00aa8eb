/* Programs in f32: every f64 of a program becomes one, inputs and constants too. What is left is
 * the same program, for machines on which double is slow or missing. */
#include "op/build.h"
#include "op/region.h"
#include "transform/derive.h"
#include "transform/transform.h"

static value narrow_constant(wg_graph *g, int64_t bits) {
    return graph_literal(g, WG_F32, literal_from_f64(WG_F32, literal_to_f64(WG_F64, bits)));
}

static value narrow_data(wg_graph *g, const struct trace *from, const struct instr *i) {
    const struct blob *blob = &from->blob.at[attr_words(from, i->attr)[0]];
    wg_type type = *type_at(from, i->type);
    size_t count = blob->size / sizeof(double);
    float *narrow = mem_alloc(&from->allocator, (count + 1) * sizeof *narrow);
    if (!narrow) return graph_fail_memory(g), 0;
    for (size_t k = 0; k < count; k++) {
        double number;
        memcpy(&number, (const char *)blob->data + k * sizeof number, sizeof number);
        narrow[k] = (float)number;
    }
    type.dtype = WG_F32;
    value result = graph_blob(g, &type, narrow);
    mem_free(&from->allocator, narrow, (count + 1) * sizeof *narrow);
    return result;
}

/* A loop or branch of narrow bodies. What runs it backwards is left out: derivatives were taken
 * before. Bodies nest at most MAX_RULE_DEPTH deep. */
static value narrow_region(struct derivation *d, value v) {
    wg_graph *g = d->g;
    const struct instr *i = instr_at(d->from, v);
    struct region r = region_open(d->from, i->op, i->attr);
    value operand[REGION_OPERANDS], result = 0;
    size_t sizes = 0, at = 0;
    for (size_t k = 0; k < r.bodies; k++) sizes += region_body(d->from, &r, k)->body->t.size.count;
    wg_extent *size = derive_array(d, sizes, sizeof *size);
    wg_program **body = derive_array(d, r.bodies, sizeof *body);
    if (!size || !body || !graph_take_site(g, d->from, i->site)) return 0;
    for (size_t k = 0; k < r.bodies && !g->error.status; k++) {
        wg_error error = {0};
        const wg_program *wide = region_body(d->from, &r, k)->body;
        const wg_extent *of_body = region_sizes(d->from, &r, k);
        for (size_t j = 0; j < wide->t.size.count; j++)
            size[at++] = extent_import(g, d->from, of_body[j], d->size_map);
        body[k] = program_narrow(wide, &error);
        if (!body[k]) fail_with(&g->error, error.status, "%s", error.message);
    }
    for (size_t k = 0; k < i->narg; k++) operand[k] = d->map[args_of(d->from, i)[k]];
    struct region_parts parts = {.body = body[0],
                                 .condition = r.op == OP_loop && r.bodies > 1 ? body[1] : NULL,
                                 .sizes = size,
                                 .length = extent_import(g, d->from, r.length, d->size_map),
                                 .flags = r.flags,
                                 .lead = r.lead ? operand[0] : 0,
                                 .capture = operand + r.lead,
                                 .captures = r.captures,
                                 .carries = r.carries,
                                 .stacks = r.stacks,
                                 .results = r.results};
    parts.carry = parts.capture + r.captures;
    parts.stack = parts.carry + r.carries;
    if (r.op == OP_branch) {
        parts.body = NULL;
        parts.branch = (const wg_program *const *)body;
        parts.branches = r.bodies;
    }
    if (!g->error.status) result = build_region(g, i->op, &parts);
    for (size_t k = 0; k < r.bodies; k++) wg_program_free(body[k]);
    return result;
}

static value narrow_instruction(struct derivation *d, value v) {
    wg_graph *g = d->g;
    const struct instr *i = instr_at(d->from, v);
    const int64_t *word = attr_words(d->from, i->attr);
    if (i->op == OP_loop || i->op == OP_branch) return narrow_region(d, v);
    if (i->op == OP_item)
        return build_item(g, d->map[args_of(d->from, i)[0]], (size_t)word[0]);
    bool wide = type_at(d->from, i->type)->dtype == WG_F64;
    if (i->op == OP_input) return d->input[word[0]];
    bool replaced = wide && (i->op == OP_constant || i->op == OP_data || i->op == OP_cast);
    if (!replaced) return graph_import(g, d->from, v, d->size_map, d->map);
    if (!graph_take_site(g, d->from, i->site)) return 0;
    g->flags = i->flags;
    value result = i->op == OP_constant ? narrow_constant(g, word[0])
                   : i->op == OP_data   ? narrow_data(g, d->from, i)
                                        : build_cast(g, WG_F32, d->map[args_of(d->from, i)[0]]);
    g->flags = 0;
    return result;
}

static void narrow_inputs(struct derivation *d) {
    for (size_t i = 0; i < d->from->input.count && !d->g->error.status; i++) {
        value v = d->from->input.at[i].v;
        wg_type type = graph_import_type(d->g, d->from, type_of(d->from, v), d->size_map);
        if (type.dtype == WG_F64) type.dtype = WG_F32;
        graph_take_site(d->g, d->from, instr_at(d->from, v)->site);
        d->input[i] = graph_input(d->g, from_input_name(d, i), &type);
    }
}

wg_program *program_narrow(const wg_program *program, wg_error *error) {
    struct derivation d;
    if (derive_begin(&d, program, error)) {
        narrow_inputs(&d);
        for (value v = 1; v < d.from->instr.count && !d.g->error.status; v++)
            d.map[v] = narrow_instruction(&d, v);
        if (!d.g->error.status) derive_primals(&d);
    }
    return derive_finish(&d);
}
