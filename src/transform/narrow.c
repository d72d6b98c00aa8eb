/* Programs in f32: every f64 of a program becomes one, inputs and constants too. What is left is
 * the same program, for machines on which double is slow or missing. */
#include "op/build.h"
#include "transform/derive.h"

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

static value narrow_instruction(struct derivation *d, value v) {
    wg_graph *g = d->g;
    const struct instr *i = instr_at(d->from, v);
    const int64_t *word = attr_words(d->from, i->attr);
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
