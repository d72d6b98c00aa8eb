/* Symbolic derivatives: the adjoints of every output asked for, written out as formulas that the
 * formula language reads again. What the language has no word for is first rewritten with what it
 * has one for (general contractions, what slices transpose to); what is left without one is an
 * error. Every text is read back before it is given out, so that none goes out that does not say
 * what was meant. */
#include "op/build.h"
#include "show/show.h"
#include "transform/derive.h"

/* A person reads no more than this; it keeps the text of an expanded derivative below some MB. */
#define MOST_OPERATIONS 100000.0

/* ---- the derivatives ------------------------------------------------------------------------- */

/* "dx", or "dy_dx" where there are several outputs; like no name of an input or output. */
static const char *derivative_name(struct derivation *d, const char *y, const char *x) {
    const char *name = y ? derive_name(d, true, "d%a_d%b", y, x)
                         : derive_name(d, true, "d%b", "", x);
    while (name && graph_has_port(d->g, false, name)) name = derive_name(d, true, "%a_", name, "");
    return name;
}

/* Whether every element of v is made of the element of x beside it and of what x is not in, as
 * derivatives see it. */
static bool is_beside(struct derivation *d, value v, value x) {
    enum { FREE_OF_X, BESIDE, ELSEWHERE };
    const struct trace *t = d->from;
    unsigned char *made = derive_array(d, t->instr.count, sizeof *made);
    for (value i = x; made && i <= v; i++) {
        const struct instr *instr = instr_at(t, i);
        made[i] = i == x ? BESIDE : FREE_OF_X;
        for (size_t k = 0; k < instr->narg && op_def(instr->op)->class != NODIFF; k++) {
            unsigned char of = made[args_of(t, instr)[k]];
            if (of != FREE_OF_X && !op_is_elementwise(instr->op)) of = ELSEWHERE;
            if (of > made[i]) made[i] = of;
        }
    }
    return made && made[v] != ELSEWHERE && type_same_shape(type_of(t, v), type_of(t, x));
}

/* Of an output with axes: by a scalar its tangent, which is all of the Jacobian; by an input that
 * it is made of element by element the tangent for ones, which is the Jacobian's diagonal, and the
 * rest is 0. 0 and an error for any other. */
static value tensor_derivative(struct derivation *d, uint32_t output, uint32_t input) {
    wg_graph *g = d->g;
    value y = d->from->output.at[output].v, x = d->from->input.at[input].v;
    if (type_of(d->from, x)->rank > 0 && !is_beside(d, y, x)) {
        if (g->error.status || !graph_take_site(g, d->from, instr_at(d->from, y)->site)) return 0;
        graph_fail(g, WG_ESHAPE,
                   "symbolic: output \"%s\" is not made of \"%s\" element by element, so its "
                   "derivative has an element for every pair of theirs",
                   from_output_name(d, output), from_input_name(d, input));
        graph_hint(g, "sum it, weigh and sum it, as in sum(w*y), or have the numbers of the "
                      "{wg_jacobian|jacobian}");
        return 0;
    }
    d->extra[input] = build_like(g, d->input[input], 1);
    bool ok = jvp_program(g, d->from, d->input, d->extra, d->size_map, &output, 1, NULL, d->map,
                          d->map_t);
    d->extra[input] = 0;
    return ok ? derive_or_zero(d, d->map_t[y], d->map[y]) : 0;
}

/* By all of these inputs: for a scalar one reverse pass. */
static bool derivatives_of(struct derivation *d, uint32_t output, const struct selection *x,
                           const value *input, value *derivative) {
    value v = d->map[d->from->output.at[output].v];
    if (type_of(&d->g->t, v)->rank == 0) {
        value seed = build_like(d->g, v, 1);
        if (!vjp_graph(d->g, &v, &seed, 1, input, x->count, NULL, derivative, NULL)) return false;
        for (size_t k = 0; k < x->count; k++)
            derivative[k] = derive_or_zero(d, derivative[k], input[k]);
    } else {
        for (size_t k = 0; k < x->count; k++)
            derivative[k] = tensor_derivative(d, output, x->index[k]);
    }
    return d->g->error.status == WG_OK;
}

static wg_program *derivatives(const wg_program *p, const char *of, const char *wrt,
                               wg_error *error) {
    struct derivation d;
    struct selection x, y;
    if (!derive_begin(&d, p, error) || !derive_select(&d, false, wrt, &x) ||
        !derive_select(&d, true, of, &y) || !derive_inputs(&d) ||
        !graph_inline(d.g, d.from, d.input, d.size_map, d.map))
        return derive_finish(&d);
    value *input = derive_array(&d, x.count, sizeof *input);
    value *derivative = derive_array(&d, x.count, sizeof *derivative);
    for (size_t k = 0; input && k < x.count; k++) input[k] = d.input[x.index[k]];
    for (size_t i = 0; derivative && i < y.count && !d.g->error.status; i++) {
        if (!derivatives_of(&d, y.index[i], &x, input, derivative)) break;
        for (size_t k = 0; k < x.count; k++) {
            const char *of_name = y.count > 1 ? from_output_name(&d, y.index[i]) : NULL;
            const char *name = derivative_name(&d, of_name, from_input_name(&d, x.index[k]));
            if (name) graph_output(d.g, name, derivative[k]);
        }
    }
    return derive_finish(&d);
}

/* ---- in the words of the language ------------------------------------------------------------ */

static wg_extent product_of(wg_graph *g, const wg_extent *extent, size_t count) {
    wg_extent product = 1;
    for (size_t k = 0; k < count; k++) product = extent_mul(g, product, extent[k]);
    return product;
}

/* A contraction of blocks of axes: each block becomes one axis, and what is left is a product of
 * matrices; without contracted axes, of elements. */
static value say_dot(wg_graph *g, attr_id attr, const value *x) {
    const int64_t *word = attr_words(&g->t, attr); /* batch, contract, a and b transposed */
    unsigned batch = (unsigned)word[0], contract = (unsigned)word[1];
    bool flip[2] = {word[2] != 0, word[3] != 0};
    wg_type whole = {.dtype = type_of(&g->t, x[0])->dtype};
    value matrix[2];
    for (size_t k = 0; k < 2; k++) {
        wg_type type = *type_of(&g->t, x[k]), flat = type;
        unsigned own = type.rank - batch - contract;
        unsigned first = (k == 0) != flip[k] ? own : contract; /* axes of the first block */
        const wg_extent *mine = type.extent + batch + ((k == 0) != flip[k] ? 0 : contract);
        size_t keep = k == 0 ? batch + own : own;
        if (k == 0) memcpy(whole.extent, type.extent, batch * sizeof *whole.extent);
        memcpy(whole.extent + (k == 0 ? batch : whole.rank), mine, own * sizeof *mine);
        whole.rank = (uint8_t)(whole.rank + keep);
        flat.rank = (uint8_t)(batch + 2);
        flat.extent[batch] = product_of(g, type.extent + batch, first);
        flat.extent[batch + 1] = product_of(g, type.extent + batch + first, own + contract - first);
        matrix[k] = batch + 2 <= WG_MAX_RANK ? build_reshape(g, x[k], &flat) : 0;
    }
    value y = build_dot(g, matrix[0], matrix[1], batch, 1, flip[0], flip[1]);
    return build_reshape(g, y, &whole);
}

/* All products of the elements of two tensors. */
static value say_outer(wg_graph *g, const value *x) {
    wg_type type = *type_of(&g->t, x[0]);
    for (unsigned k = type_of(&g->t, x[1])->rank; k-- > 0;) type.extent[type.rank++] = 1;
    return build_mul(g, build_reshape(g, x[0], &type), x[1]);
}

/* The elements along an axis with step - 1 zeros between them. */
static value spread(wg_graph *g, value v, unsigned axis, int64_t step) {
    wg_type type = *type_of(&g->t, v), zeros = type;
    wg_extent start[WG_MAX_RANK] = {0}, count = type.extent[axis];
    int64_t steps[WG_MAX_RANK];
    if (type.rank == WG_MAX_RANK)
        return graph_fail(g, WG_ENORULE, "symbolic: no axis is left to spread a slice of rank %d",
                          WG_MAX_RANK);
    memmove(type.extent + axis + 2, type.extent + axis + 1,
            (type.rank - axis - 1) * sizeof *type.extent);
    type.extent[axis + 1] = 1;
    type.rank++;
    zeros = type;
    zeros.extent[axis + 1] = step - 1;
    value part[2] = {build_reshape(g, v, &type), build_full(g, &zeros, 0)};
    wg_type joined = *type_of(&g->t, v);
    joined.extent[axis] = extent_mul(g, count, step);
    value all = build_reshape(g, build_concat(g, part, 2, axis + 1), &joined);
    joined.extent[axis] = extent_sub(g, joined.extent[axis], step - 1);
    for (size_t k = 0; k < WG_MAX_RANK; k++) steps[k] = 1;
    return build_slice(g, all, start, joined.extent, steps);
}

/* Zeros around a tensor, axis by axis. */
static value say_pad(wg_graph *g, attr_id attr, value v) {
    unsigned rank = type_of(&g->t, v)->rank;
    for (unsigned k = 0; v && k < rank; k++) {
        const int64_t *word = attr_words(&g->t, attr); /* starts, totals, steps; it moves */
        wg_extent start = word[k], total = word[rank + k];
        if (word[2 * rank + k] > 1) v = spread(g, v, k, word[2 * rank + k]);
        if (!v) return 0;
        wg_type type = *type_of(&g->t, v);
        wg_extent end = extent_sub(g, extent_sub(g, total, start), type.extent[k]);
        value part[3];
        size_t count = 0;
        type.extent[k] = start;
        if (start != 0) part[count++] = build_full(g, &type, 0);
        part[count++] = v;
        type.extent[k] = end;
        if (end != 0) part[count++] = build_full(g, &type, 0);
        v = count > 1 ? build_concat(g, part, count, k) : v;
    }
    return v;
}

/* One index for every row, the adjoint of `pick`: rows of one element each. */
static value say_scatter(wg_graph *g, const value *x, wg_extent extent) {
    wg_type update = *type_of(&g->t, x[0]), index = *type_of(&g->t, x[1]);
    unsigned last = update.rank++;
    update.extent[last] = index.extent[last] = 1;
    index.rank++;
    return build_scatter_add(g, build_reshape(g, x[0], &update), build_reshape(g, x[1], &index),
                             last, last, extent);
}

/* That adjoint, or its sum with others: shared axes and the last one, for which the index, the last
 * argument, has none; of scatter_along it has one. */
static bool updates_last(const struct trace *t, value v, int own) {
    const struct instr *i = instr_at(t, v);
    const int64_t *word = attr_words(t, i->attr); /* axis, batch, extent */
    return word[1] > 0 && word[0] == word[1] && word[0] == type_at(t, i->type)->rank - 1 &&
           type_of(t, args_of(t, i)[i->narg - 1])->rank == word[1] + own;
}

/* base, update, index, where axes are shared: a sum of what formulas have words for. */
static value say_index_add(wg_graph *g, const value *x, bool picked) {
    unsigned last = type_of(&g->t, x[0])->rank - 1u;
    wg_extent extent = type_of(&g->t, x[0])->extent[last];
    return build_add(g, x[0], picked ? say_scatter(g, x + 1, extent)
                                     : build_scatter_add(g, x[1], x[2], last, last, extent));
}

static bool has_word(const struct trace *t, value v) {
    switch (instr_at(t, v)->op) {
    case OP_input:
    case OP_constant:
    case OP_data:
    case OP_iota:
    case OP_size:
    case OP_copy:
    case OP_cast:
    case OP_reshape:
    case OP_transpose:
    case OP_broadcast:
    case OP_slice:
    case OP_concat:
    case OP_sum:
    case OP_reduce_max:
    case OP_peak:
    case OP_argmax:
    case OP_logsumexp:
    case OP_norm:
    case OP_dot: return true;
    case OP_take: return take_has_word(t, v);
    case OP_index_add:
    case OP_index_set: return attr_words(t, instr_at(t, v)->attr)[1] == 0;
    case OP_scatter_add:
        return attr_words(t, instr_at(t, v)->attr)[1] == 0 || scatter_is_along(t, v);
    default: return op_is_elementwise(instr_at(t, v)->op);
    }
}

static value say(struct derivation *d, value v) {
    wg_graph *g = d->g;
    const struct trace *t = d->from;
    const struct instr *i = instr_at(t, v);
    value x[3] = {0};
    for (size_t k = 0; k < i->narg && k < 3; k++) x[k] = d->map[args_of(t, i)[k]];
    bool whole = i->op == OP_dot && attr_words(t, i->attr)[0] == 0 &&
                 type_at(t, i->type)->rank == 0;
    if (i->op == OP_input) return d->input[attr_words(t, i->attr)[0]];
    if (i->op == OP_pad) return say_pad(g, graph_import_attr(g, t, v, d->size_map), x[0]);
    if (i->op == OP_dot && !whole && !dot_is_matmul(t, v) && !dot_is_scaling(t, v))
        return attr_words(t, i->attr)[0] + attr_words(t, i->attr)[1] == 0
                   ? say_outer(g, x)
                   : say_dot(g, graph_import_attr(g, t, v, d->size_map), x);
    if (i->op == OP_scatter_add && updates_last(t, v, 0)) {
        attr_id attr = graph_import_attr(g, t, v, d->size_map);
        return say_scatter(g, x, attr_words(&g->t, attr)[2]);
    }
    if (i->op == OP_index_add && (updates_last(t, v, 0) || updates_last(t, v, 1)))
        return say_index_add(g, x, updates_last(t, v, 0));
    if (has_word(t, v)) return graph_import(g, t, v, d->size_map, d->map);
    graph_take_site(g, t, i->site);
    if (op_def(i->op)->class == REGION)
        graph_fail(g, WG_ENORULE, "symbolic: a derivative with a %s in it is no formula",
                   i->op == OP_branch ? "branch" : "loop");
    else
        graph_fail(g, WG_ENORULE,
                   "symbolic: formulas have no word for %s, which is in the derivative",
                   op_def(i->op)->name);
    graph_hint(g, "{wg_grad and wg_program_print show|gradient computes, show --after grad prints} "
                  "it as instructions");
    return 0;
}

static wg_program *in_words(const wg_program *p, wg_error *error) {
    struct derivation d;
    if (!derive_begin(&d, p, error) || !derive_inputs(&d)) return derive_finish(&d);
    for (value v = 1; v < d.from->instr.count && !d.g->error.status; v++) d.map[v] = say(&d, v);
    for (size_t i = 0; i < d.from->output.count && !d.g->error.status; i++)
        graph_output(d.g, from_output_name(&d, i), d.map[d.from->output.at[i].v]);
    return derive_finish(&d);
}

/* ---- text ------------------------------------------------------------------------------------ */

/* What is written out again wherever it is used, in a person's formulas too. */
static bool is_plain(const struct trace *t, value v) {
    unsigned op = instr_at(t, v)->op;
    int64_t bits;
    return op_def(op)->class == LEAF || op == OP_neg || op == OP_broadcast || op == OP_copy ||
           value_is_splat(t, v, &bits);
}

/* How often the text of each value would be written. */
static uint32_t *count_uses(struct lines *s) {
    const struct trace *t = s->t;
    size_t n = t->instr.count;
    uint32_t *use = arena_alloc(&s->arena, n * sizeof *use, sizeof *use);
    if (!use) return NULL;
    memset(use, 0, n * sizeof *use);
    for (size_t i = 0; i < t->output.count; i++) use[t->output.at[i].v]++;
    for (value v = (value)n; v-- > 1;) {
        const struct instr *i = instr_at(t, v);
        uint32_t times = is_plain(t, v) ? use[v] : use[v] > 0; /* 2 stands for more */
        for (size_t k = 0; k < i->narg; k++) {
            uint32_t *of = &use[args_of(t, i)[k]];
            *of = *of + times > 2 ? 2 : *of + times;
        }
    }
    return use;
}

static bool is_numbered(const char *name, const char *stem) {
    size_t length = strlen(stem);
    return strncmp(name, stem, length) == 0 &&
           name[length + strspn(name + length, "0123456789")] == 0;
}

/* "t", or "t_" and so on where another name is such a one and a number. */
static bool free_stem(const struct trace *t, char *stem, size_t size) {
    for (size_t length = 1; length + 1 < size; length++) {
        bool taken = false;
        stem[length - 1] = length == 1 ? 't' : '_';
        stem[length] = '\0';
        for (size_t i = 0; i < t->input.count; i++)
            taken |= is_numbered(name_at(t, t->input.at[i].name), stem);
        for (size_t i = 0; i < t->output.count; i++)
            taken |= is_numbered(name_at(t, t->output.at[i].name), stem);
        for (size_t i = 0; i < t->size.count; i++)
            taken |= is_numbered(name_at(t, t->size.at[i]), stem);
        if (!taken) return true;
    }
    return false;
}

static bool write_line(const struct lines *s, const char *before, const char *name, value v,
                       wg_text *out) {
    enum formula formula = s->writing.name[v] == name ? FORMULA_DEFINING : FORMULA_VALUE;
    return text_format(out, "%s%s = ", before, name) &&
           formula_write(&s->writing, v, formula, out) && text_add(out, "\n");
}

/* The values that are used more than once, each behind those that it is made of. */
static bool write_shared(struct lines *s, const char *indent, wg_text *out) {
    const struct trace *t = s->t;
    uint32_t *use = count_uses(s);
    char stem[32];
    size_t number = 0;
    if (!use || !free_stem(t, stem, sizeof stem)) return false;
    for (value v = 1; v < t->instr.count; v++) {
        if (use[v] < 2 || is_plain(t, v)) continue;
        number++;
        const char *name = lines_keep(s, text_format(&s->scratch, "%s%zu", stem, number));
        if (!name) return false;
        writing_call(&s->writing, v, name, t->input.count + number, false);
    }
    writing_complete(&s->writing);
    for (value v = 1; v < t->instr.count; v++) {
        const char *name = s->writing.name[v];
        if (!name || instr_at(t, v)->op == OP_input) continue;
        if (!text_format(out, "%slet ", indent) || !write_line(s, "", name, v, out)) return false;
    }
    return true;
}

static bool all_plain_scalars(const struct trace *t) {
    for (size_t i = 0; i < t->input.count; i++) {
        const wg_type *type = type_of(t, t->input.at[i].v);
        if (type->rank != 0 || type->dtype != WG_F64) return false;
    }
    return true;
}

/* "derivative(x[n], i: i32) = {" */
static bool write_head(const struct trace *t, wg_text *out) {
    bool ok = text_add(out, "derivative(");
    for (size_t i = 0; ok && i < t->input.count; i++) {
        const wg_type *type = type_of(t, t->input.at[i].v);
        ok = text_format(out, "%s%s", i ? ", " : "", name_at(t, t->input.at[i].name));
        for (size_t k = 0; ok && k < type->rank; k++)
            ok = text_add(out, k ? "," : "[") && extent_text(t, type->extent[k], out);
        ok = ok && text_add(out, type->rank ? "]" : "");
        if (type->dtype != WG_F64)
            ok = ok && text_format(out, ": %s", wg_dtype_name((wg_dtype)type->dtype));
    }
    return ok && text_add(out, ") = {\n");
}

static bool write_formulas(struct lines *s, bool shared, wg_text *out) {
    const struct trace *t = s->t;
    bool head = !all_plain_scalars(t);
    const char *indent = head ? "  " : "";
    if (!writing_open(s, t, NOTATION_ASCII, &s->writing)) return false;
    s->writing.axes = arena_alloc(&s->arena, t->instr.count, 1);
    if (!s->writing.axes) return false;
    memset(s->writing.axes, 0, t->instr.count);
    for (size_t i = 0; i < t->input.count; i++)
        writing_call(&s->writing, t->input.at[i].v, name_at(t, t->input.at[i].name), i, false);
    writing_complete(&s->writing);
    bool ok = (!head || write_head(t, out)) && (!shared || write_shared(s, indent, out));
    for (size_t i = 0; ok && i < t->output.count; i++)
        ok = write_line(s, indent, name_at(t, t->output.at[i].name), t->output.at[i].v, out);
    return ok && (!head || text_add(out, "}\n"));
}

/* ---- reading back ---------------------------------------------------------------------------- */

/* Sizes are compared by name. Without memory an error is recorded. */
static bool same_type(const struct trace *a, value x, const struct trace *b, value y,
                      wg_error *error) {
    wg_text left = {.allocator = a->allocator}, right = {.allocator = a->allocator};
    bool written = type_text(a, type_of(a, x), &left) && type_text(b, type_of(b, y), &right);
    bool same = written && strcmp(left.data, right.data) == 0;
    if (!written) fail_memory(error);
    wg_text_free(&left);
    wg_text_free(&right);
    return same;
}

/* The text is a formula with the outputs of the program, of the same types. */
static wg_status read_back(const wg_program *p, const char *text, size_t size, wg_error *error) {
    wg_error own = {0};
    wg_parse_options options = {.allocator = &p->t.allocator, .origin = "derivative"};
    wg_program *read = wg_parse(text, size, &options, &own);
    bool same = read && read->t.output.count == p->t.output.count;
    for (size_t i = 0; same && i < p->t.output.count; i++)
        same = same_type(&p->t, p->t.output.at[i].v, &read->t, read->t.output.at[i].v, &own);
    wg_program_free(read);
    if (same) return WG_OK;
    if (own.status == WG_ENOMEM) return fail_memory(error);
    own.message[strcspn(own.message, "\n")] = '\0';
    return fail_with(
        error, WG_ENORULE, "symbolic: the formula language cannot say this derivative%s%s",
        own.status ? "; it answers: " : ": a shape or element type has no word", own.message);
}

static wg_status check_length(const wg_program *p, wg_error *error) {
    wg_cost cost;
    int64_t *size = mem_alloc(&p->t.allocator, (p->t.size.count + 1) * sizeof *size);
    if (!size) return fail_memory(error);
    for (size_t i = 0; i < p->t.size.count; i++) size[i] = 1; /* instructions, not elements */
    wg_status status = wg_count_operations(p, size, true, &cost, error);
    mem_free(&p->t.allocator, size, (p->t.size.count + 1) * sizeof *size);
    if (status || cost.instructions <= MOST_OPERATIONS) return status;
    return fail_with(error, WG_EOVERFLOW,
                     "symbolic: written out, the derivative has %.3g operations, and at most %.0f "
                     "are written; ask for shared subexpressions",
                     cost.instructions, MOST_OPERATIONS);
}

wg_status wg_symbolic(const wg_program *program, const char *of, const char *wrt, bool shared,
                      wg_text *out, wg_error *error) {
    wg_error local = {.status = WG_OK};
    if (!error) error = &local;
    if (failed(error)) return error->status;
    if (!program || !out)
        return fail_with(error, WG_EARGUMENT, "symbolic: a program and a text are needed");
    size_t start = out->size;
    wg_program *derived = derivatives(program, of, wrt, error);
    wg_program *spoken = derived ? in_words(derived, error) : NULL;
    wg_program_free(derived);
    if (spoken && (shared || check_length(spoken, error) == WG_OK)) {
        struct lines lines = {.t = &spoken->t,
                              .arena.allocator = spoken->t.allocator,
                              .scratch.allocator = spoken->t.allocator};
        if (!write_formulas(&lines, shared, out))
            fail_memory(error);
        else
            read_back(spoken, out->data + start, out->size - start, error);
        lines_free(&lines);
    }
    wg_program_free(spoken);
    if (error->status) text_cut(out, start);
    return error->status;
}
