/* A program as an operation of another: its instructions are appended to a graph, its named sizes
 * bound to what the arguments bring. */
#include "op/op.h"
#include "wengert/graph.h"

/* The index of the size that an extent is, bare; -1 for anything else. */
static int bare_size(const struct trace *t, wg_extent e) {
    if (e >= 0 || t->extent.at[-e].count != 3) return -1;
    const int64_t *word = t->word.at + t->extent.at[-e].at;
    return word[0] == 1 && word[1] == 1 ? (int)word[2] : -1;
}

static bool bind_sizes(wg_graph *g, const struct trace *t, const wg_var *input,
                       wg_extent *size_map) {
    for (size_t i = 0; i < t->size.count; i++) size_map[i] = extent_bad;
    for (size_t i = 0; i < t->input.count; i++) {
        const wg_type *type = type_of(t, t->input.at[i].v), *given = type_of(&g->t, input[i].id);
        for (size_t k = 0; k < type->rank && k < given->rank; k++) {
            int size = bare_size(t, type->extent[k]);
            if (size >= 0 && size_map[size] == extent_bad) size_map[size] = given->extent[k];
        }
    }
    for (size_t i = 0; i < t->size.count; i++)
        if (size_map[i] == extent_bad)
            size_map[i] = extent_size(g, graph_size(g, name_at(t, t->size.at[i])));
    return g->error.status == WG_OK;
}

static bool check_argument(wg_graph *g, const struct trace *t, size_t i, value given,
                           const wg_extent *size_map) {
    wg_type expected = graph_import_type(g, t, type_of(t, t->input.at[i].v), size_map);
    const wg_type *type = type_of(&g->t, given);
    if (g->error.status || type_equal(&expected, type)) return !g->error.status;
    wg_text want = {.allocator = g->t.allocator}, have = {.allocator = g->t.allocator};
    if (type_text(&g->t, &expected, &want) && type_text(&g->t, type, &have))
        graph_fail(g, expected.dtype == type->dtype ? WG_ESHAPE : WG_EDTYPE,
                   "apply: input \"%s\" is %s, given %s", name_at(t, t->input.at[i].name),
                   want.data, have.data);
    else fail_memory(&g->error);
    graph_fail_operands(g, &given, 1);
    wg_text_free(&want);
    wg_text_free(&have);
    return false;
}

void wg_apply_at(const char *file, int line, wg_graph *g, const wg_program *program,
                 const wg_var *input, wg_var *output) {
    size_t outputs = wg_output_count(program);
    for (size_t i = 0; output && i < outputs; i++) output[i] = (wg_var){g, 0};
    if (!g || g->error.status) return;
    graph_site(g, file, line > 0 ? (uint32_t)line : 0, 0);
    if (!program) {
        graph_fail(g, WG_EARGUMENT, "apply: the program is NULL");
        return;
    }
    const struct trace *t = &program->t;
    if (!output || (!input && t->input.count)) {
        graph_fail(g, WG_EARGUMENT, "apply: the list of %s is NULL", output ? "inputs" : "outputs");
        return;
    }
    for (size_t i = 0; i < t->input.count; i++) {
        if (input[i].graph == g && input[i].id && input[i].id < g->t.instr.count) continue;
        graph_fail(g, WG_EARGUMENT, "apply: argument %zu (\"%s\") is not a variable of this graph",
                   i + 1, wg_input_name(program, i));
        return;
    }
    size_t bytes = (t->instr.count + t->input.count) * sizeof(value);
    size_t size_bytes = (t->size.count + 1) * sizeof(wg_extent);
    value *map = mem_alloc_zero(&g->t.allocator, bytes), *argument = map + t->instr.count;
    wg_extent *size_map = mem_alloc(&g->t.allocator, size_bytes);
    bool ok = map && size_map;
    if (!ok) fail_memory(&g->error);
    ok = ok && bind_sizes(g, t, input, size_map);
    for (size_t i = 0; i < t->input.count && ok; i++) {
        argument[i] = input[i].id;
        ok = check_argument(g, t, i, argument[i], size_map);
    }
    g->imported = NULL; /* another program may have lived at this address */
    if (ok && graph_import_checks(g, t, size_map) && graph_inline(g, t, argument, size_map, map))
        for (size_t i = 0; i < outputs; i++) output[i].id = map[t->output.at[i].v];
    g->imported = NULL;
    mem_free(&g->t.allocator, map, bytes);
    mem_free(&g->t.allocator, size_map, size_bytes);
}
