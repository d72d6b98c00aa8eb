/* A program as an operation of another: its instructions are appended to a graph, its named sizes
 * bound to what the arguments bring. */
#include "op/apply.h"

/* The index of the size that an extent is, bare; -1 for anything else. */
static int bare_size(const struct trace *t, wg_extent e) {
    if (e >= 0 || t->extent.at[-e].count != 3) return -1;
    const int64_t *word = t->word.at + t->extent.at[-e].at;
    return word[0] == 1 && word[1] == 1 ? (int)word[2] : -1;
}

void apply_read_sizes(const wg_graph *g, const struct trace *t, const value *given, size_t count,
                      wg_extent *size_map) {
    for (size_t i = 0; i < t->size.count; i++) size_map[i] = extent_bad;
    for (size_t i = 0; i < count && i < t->input.count; i++) {
        const wg_type *type = type_of(t, t->input.at[i].v), *has = type_of(&g->t, given[i]);
        for (size_t k = 0; k < type->rank && k < has->rank; k++) {
            int size = bare_size(t, type->extent[k]);
            if (size >= 0 && size_map[size] == extent_bad) size_map[size] = has->extent[k];
        }
    }
}

bool apply_name_sizes(wg_graph *g, const struct trace *t, wg_extent *size_map) {
    for (size_t i = 0; i < t->size.count; i++)
        if (size_map[i] == extent_bad)
            size_map[i] = extent_size(g, graph_size(g, name_at(t, t->size.at[i])));
    return g->error.status == WG_OK;
}

static bool check_argument(wg_graph *g, const char *name, const struct trace *t, size_t i,
                           value given, const wg_extent *size_map) {
    wg_type expected = graph_import_type(g, t, type_of(t, t->input.at[i].v), size_map);
    const wg_type *type = type_of(&g->t, given);
    if (g->error.status || type_equal(&expected, type)) return !g->error.status;
    wg_text want = {.allocator = g->t.allocator}, have = {.allocator = g->t.allocator};
    if (type_text(&g->t, &expected, &want) && type_text(&g->t, type, &have))
        graph_fail(g, expected.dtype == type->dtype ? WG_ESHAPE : WG_EDTYPE,
                   "%s: input \"%s\" is %s, given %s", name, name_at(t, t->input.at[i].name),
                   want.data, have.data);
    else
        fail_memory(&g->error);
    graph_fail_operands(g, &given, 1);
    wg_text_free(&want);
    wg_text_free(&have);
    return false;
}

bool apply_arguments(wg_graph *g, const char *name, const wg_program *p, const wg_var *input,
                     value *argument) {
    size_t count = p->t.input.count;
    if (!input && count) {
        graph_fail(g, WG_EARGUMENT, "%s: the list of inputs is NULL", name);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        argument[i] = input[i].id;
        if (input[i].graph == g && input[i].id && input[i].id < g->t.instr.count) continue;
        graph_fail(g, WG_EARGUMENT, "%s: argument %zu (\"%s\") is not a variable of this graph",
                   name, i + 1, wg_input_name(p, i));
        return false;
    }
    return true;
}

bool apply_program(wg_graph *g, const char *name, const wg_program *p, const value *argument,
                   wg_extent *size_map, value *result) {
    const struct trace *t = &p->t;
    size_t bytes = t->instr.count * sizeof(value);
    value *map = mem_alloc_zero(&g->t.allocator, bytes);
    if (!map) return fail_memory(&g->error), false;
    apply_read_sizes(g, t, argument, t->input.count, size_map);
    bool ok = apply_name_sizes(g, t, size_map);
    for (size_t i = 0; i < t->input.count && ok; i++)
        ok = check_argument(g, name, t, i, argument[i], size_map);
    g->imported = NULL; /* another program may have lived at this address */
    ok = ok && graph_import_checks(g, t, size_map) && graph_inline(g, t, argument, size_map, map);
    for (size_t i = 0; i < t->output.count && ok; i++) result[i] = map[t->output.at[i].v];
    g->imported = NULL;
    mem_free(&g->t.allocator, map, bytes);
    return ok;
}

void wg_apply_at(const char *file, int line, wg_graph *g, const wg_program *program,
                 const wg_var *input, wg_var *output) {
    size_t inputs = wg_input_count(program), outputs = wg_output_count(program);
    for (size_t i = 0; output && i < outputs; i++) output[i] = (wg_var){g, 0};
    if (!g || g->error.status) return;
    graph_site(g, file, line > 0 ? (uint32_t)line : 0, 0);
    if (!program || !output) {
        graph_fail(g, WG_EARGUMENT, "apply: the %s NULL",
                   program ? "list of outputs is" : "program is");
        return;
    }
    size_t bytes = (inputs + outputs + 1) * sizeof(value);
    size_t size_bytes = (program->t.size.count + 1) * sizeof(wg_extent);
    value *argument = mem_alloc_zero(&g->t.allocator, bytes), *result = argument + inputs;
    wg_extent *size_map = mem_alloc(&g->t.allocator, size_bytes);
    if (!argument || !size_map)
        fail_memory(&g->error);
    else if (apply_arguments(g, "apply", program, input, argument) &&
             apply_program(g, "apply", program, argument, size_map, result))
        for (size_t i = 0; i < outputs; i++) output[i].id = result[i];
    mem_free(&g->t.allocator, argument, bytes);
    mem_free(&g->t.allocator, size_map, size_bytes);
}
