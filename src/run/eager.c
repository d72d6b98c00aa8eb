/* Eager graphs: the evaluator that graph_append tells of every instruction, and the public face.
 *
 * A value has a cell of eight bytes: a scalar's element, a tensor's address. Cells lie in chunks
 * that never move, tensors in blocks that are filled one after the other; both are kept when the
 * graph is rewound, and filled again. No value is written twice, so a reshape is a second address.
 * What an instruction means is the operation table's matter; going back in the graph is
 * ir/graph.c's. */
#include "wengert/eager.h"
#include "op/build.h"
#include "op/describe.h"
#include "transform/transform.h"

#include <math.h>

enum {
    CHUNK_BITS = 10,
    CHUNK = 1 << CHUNK_BITS, /* cells */
    ALIGNMENT = 64,          /* of tensors */
    FIRST_BLOCK = 1 << 14,   /* bytes; the next are twice as large, up to the largest */
    LARGEST_BLOCK = 1 << 26
};

struct block {
    char *at;
    size_t size;
};

struct mark {
    struct graph_mark graph;
    size_t block, used;
};

struct eager {
    struct evaluator evaluator;
    VEC(int64_t *) chunk;
    VEC(struct block) block;
    size_t current, used;      /* the block that is being filled, and how far it is             */
    VEC(struct shape) shape;   /* of each type; a count of -1: no memory holds it               */
    VEC(int64_t) extent_value; /* of the interned extents, which are constants                  */
    VEC(struct mark) mark;
};

/* ---- storage --------------------------------------------------------------------------------- */

static inline int64_t *cell_of(const struct eager *e, value v) {
    return &e->chunk.at[v >> CHUNK_BITS][v & (CHUNK - 1)];
}

static inline bool is_scalar(type_id type) { return type <= type_scalar(WG_F64); }

static void *address(const struct eager *e, const struct trace *t, value v) {
    int64_t *cell = cell_of(e, v);
    void *tensor;
    if (is_scalar(instr_at(t, v)->type)) return cell;
    memcpy(&tensor, cell, sizeof tensor);
    return tensor;
}

static int64_t *new_cell(struct eager *e, wg_graph *g, value v) {
    const wg_allocator *a = &g->t.allocator;
    if (v >> CHUNK_BITS >= e->chunk.count) {
        int64_t *chunk = mem_alloc(a, CHUNK * sizeof *chunk);
        int64_t **new = chunk ? VEC_PUSH(a, &e->chunk) : NULL;
        if (!new) {
            mem_free(a, chunk, CHUNK * sizeof *chunk);
            fail_memory(&g->error);
            return NULL;
        }
        *new = chunk;
    }
    return cell_of(e, v);
}

/* Goes on to the next block, and replaces it if it is too small. */
static bool next_block(struct eager *e, wg_graph *g, size_t size) {
    const wg_allocator *a = &g->t.allocator;
    if (e->current < e->block.count && e->used) e->current++;
    e->used = 0;
    if (e->current == e->block.count) {
        struct block *new = VEC_PUSH(a, &e->block);
        if (!new) return false;
        *new = (struct block){0};
    }
    struct block *block = &e->block.at[e->current];
    if (block->size >= size) return true;
    mem_free(a, block->at, block->size);
    *block = (struct block){0};
    size_t least = e->current ? 2 * block[-1].size : FIRST_BLOCK;
    if (least > LARGEST_BLOCK) least = LARGEST_BLOCK;
    size = size > least ? size : least;
    block->at = mem_alloc(a, size);
    block->size = block->at ? size : 0;
    return block->at;
}

static void *take(struct eager *e, wg_graph *g, size_t size) {
    size_t room = (size ? size : 1) + ALIGNMENT; /* a block begins anywhere */
    bool fits = e->current < e->block.count && e->block.at[e->current].size - e->used >= room;
    if (!fits && !next_block(e, g, room)) {
        fail_memory(&g->error);
        return NULL;
    }
    char *from = e->block.at[e->current].at + e->used;
    size_t skip = (size_t)(-(uintptr_t)from & (ALIGNMENT - 1));
    e->used += skip + room - ALIGNMENT;
    return from + skip;
}

/* ---- shapes ---------------------------------------------------------------------------------- */

/* Shapes of types and values of extents, as far as the graph has come. */
static bool follow_types(struct eager *e, wg_graph *g) {
    const struct trace *t = &g->t;
    if (!VEC_RESERVE(&t->allocator, &e->shape, t->type.count) ||
        !VEC_RESERVE(&t->allocator, &e->extent_value, t->extent.count)) {
        fail_memory(&g->error);
        return false;
    }
    for (; e->shape.count < t->type.count; e->shape.count++) {
        struct shape *s = &e->shape.at[e->shape.count];
        if (!type_eval(t, type_at(t, (type_id)e->shape.count), NULL, s->extent, &s->count))
            s->count = -1;
    }
    for (; e->extent_value.count < t->extent.count; e->extent_value.count++) {
        int64_t *extent = &e->extent_value.at[e->extent_value.count];
        if (e->extent_value.count == 0 ||
            !extent_eval(t, -(wg_extent)e->extent_value.count, NULL, extent))
            *extent = 0; /* a negative number, which no value's type holds */
    }
    return true;
}

/* The bytes of a value of this type. */
static bool size_of(const struct eager *e, wg_graph *g, type_id type, size_t *size) {
    int64_t count = e->shape.at[type].count;
    size_t width = wg_dtype_size((wg_dtype)type_at(&g->t, type)->dtype);
    if (count >= 0 && !__builtin_mul_overflow((size_t)count, width, size) &&
        *size <= PTRDIFF_MAX / 2)
        return true;
    graph_fail(g, WG_EOVERFLOW, "no memory holds a value of type %s",
               type_name_of(g, type_at(&g->t, type)).text);
    return false;
}

/* ---- computing ------------------------------------------------------------------------------- */

static void compute_elements(struct eager *e, const struct trace *t, const struct instr *i,
                             void *out) {
    const value *x = args_of(t, i);
    const void *arg[3] = {0};
    for (size_t k = 0; k < i->narg; k++) arg[k] = address(e, t, x[k]);
    size_t count = is_scalar(i->type) ? 1 : (size_t)e->shape.at[i->type].count;
    unsigned dtype = type_of(t, x[i->narg - 1])->dtype;
    op_kernel(i->op, dtype, type_at(t, i->type)->dtype)(count, arg, out);
}

static void compute_operation(struct eager *e, wg_graph *g, const struct instr *i, void *out) {
    const struct trace *t = &g->t;
    const value *x = args_of(t, i);
    struct view arg[UINT8_MAX];
    for (size_t k = 0; k < i->narg; k++) {
        const wg_type *type = type_of(t, x[k]);
        arg[k] = (struct view){address(e, t, x[k]), &e->shape.at[instr_at(t, x[k])->type],
                               type->rank, type->dtype};
    }
    const wg_type *type = type_at(t, i->type);
    wg_error error;
    error.status = WG_OK;
    struct exec exec = {.arg = arg,
                        .narg = i->narg,
                        .out = {out, &e->shape.at[i->type], type->rank, type->dtype},
                        .attr = attr_words(t, i->attr),
                        .attr_count = attr_count(t, i->attr),
                        .extent_value = e->extent_value.at,
                        .trace = t,
                        .error = &error};
    wg_status status = op_def(i->op)->run(&exec);
    if (status) graph_fail(g, status, "%s", error.status ? error.message : wg_status_name(status));
}

static inline void compute(struct eager *e, wg_graph *g, const struct instr *i, void *out) {
    if (i->op == OP_input) return; /* its data come from the caller */
    if (op_is_elementwise(i->op))
        compute_elements(e, &g->t, i, out);
    else
        compute_operation(e, g, i, out);
}

/* The address of a tensor that stands somewhere already, NULL for one that must be made. */
static const void *standing(const struct eager *e, const struct trace *t, const struct instr *i) {
    if (i->op == OP_data) return t->blob.at[attr_words(t, i->attr)[0]].data;
    if (op_def(i->op)->flags & OP_ALIAS) return address(e, t, args_of(t, i)[0]);
    return NULL;
}

static void appended(struct evaluator *evaluator, wg_graph *g, value v) {
    struct eager *e = (struct eager *)evaluator;
    const struct trace *t = &g->t;
    const struct instr *i = instr_at(t, v);
    int64_t *cell = new_cell(e, g, v);
    if (!cell || ((e->shape.count < t->type.count || e->extent_value.count < t->extent.count) &&
                  !follow_types(e, g)))
        return;
    const void *there = i->op == OP_constant ? attr_words(t, i->attr) : standing(e, t, i);
    if (is_scalar(i->type)) {
        if (there)
            memcpy(cell, there, wg_dtype_size((wg_dtype)type_at(t, i->type)->dtype));
        else
            compute(e, g, i, cell);
        return;
    }
    size_t size;
    if (!size_of(e, g, i->type, &size)) return;
    void *tensor = there ? (void *)(uintptr_t)there : take(e, g, size); /* never written again */
    if (!tensor) return;
    memcpy(cell, &tensor, sizeof tensor);
    if (!there) compute(e, g, i, tensor);
}

/* ---- life ------------------------------------------------------------------------------------ */

static void end(struct evaluator *evaluator, wg_graph *g) {
    struct eager *e = (struct eager *)evaluator;
    const wg_allocator *a = &g->t.allocator;
    for (size_t i = 0; i < e->chunk.count; i++)
        mem_free(a, e->chunk.at[i], CHUNK * sizeof(int64_t));
    for (size_t i = 0; i < e->block.count; i++) mem_free(a, e->block.at[i].at, e->block.at[i].size);
    VEC_FREE(a, &e->chunk);
    VEC_FREE(a, &e->block);
    VEC_FREE(a, &e->shape);
    VEC_FREE(a, &e->extent_value);
    VEC_FREE(a, &e->mark);
    mem_free(a, e, sizeof *e);
}

wg_graph *wg_eager_new_with(const wg_allocator *allocator) {
    wg_graph *g = graph_new(allocator);
    struct eager *e = g ? mem_alloc_zero(&g->t.allocator, sizeof *e) : NULL;
    if (!e) {
        wg_graph_free(g);
        return NULL;
    }
    e->evaluator = (struct evaluator){appended, end};
    g->eager = &e->evaluator;
    return g;
}

wg_graph *wg_eager_new(void) { return wg_eager_new_with(NULL); }

/* Whether g computes and a call on it is to do something. */
static bool is_ready(wg_graph *g, const char *name) {
    if (!g || g->error.status) return false;
    if (g->eager) return true;
    graph_fail(g, WG_EARGUMENT, "%s: the graph is not eager; wg_eager_new makes one that is", name);
    return false;
}

static bool enter(wg_graph *g, const char *name, const char *file, int line) {
    if (g) graph_site(g, file, line > 0 ? (uint32_t)line : 0, 0);
    return is_ready(g, name);
}

/* Whether x is a value of g, whose name calls on it; else an error. */
static bool check_value(wg_graph *g, const char *name, wg_var x) {
    if (x.graph == g && x.id && x.id < g->t.instr.count) return true;
    graph_fail(g, WG_EARGUMENT, "%s: not a value of this graph, or one that a wg_rewind took away",
               name);
    return false;
}

uint32_t wg_mark(wg_graph *g) {
    if (!is_ready(g, "mark")) return 0;
    struct eager *e = (struct eager *)g->eager;
    struct mark *mark = VEC_PUSH(&g->t.allocator, &e->mark);
    if (!mark) {
        fail_memory(&g->error);
        return 0;
    }
    *mark = (struct mark){graph_mark(g), e->current, e->used};
    return (uint32_t)e->mark.count;
}

void wg_rewind(wg_graph *g, uint32_t mark) {
    if (!is_ready(g, "rewind")) return;
    struct eager *e = (struct eager *)g->eager;
    if (mark == 0 || mark > e->mark.count) {
        graph_fail(g, WG_EARGUMENT,
                   "rewind: there is no mark %u; a rewind ends the marks set after its own",
                   (unsigned)mark);
        return;
    }
    struct mark to = e->mark.at[mark - 1];
    e->mark.count = mark;
    e->current = to.block;
    e->used = to.used;
    graph_rewind(g, &to.graph);
    if (e->shape.count > g->t.type.count) e->shape.count = g->t.type.count;
    if (e->extent_value.count > g->t.extent.count) e->extent_value.count = g->t.extent.count;
}

/* ---- values ---------------------------------------------------------------------------------- */

static bool check_type(wg_graph *g, const wg_type *type) {
    bool sound = type->rank <= WG_MAX_RANK && type->dtype < WG_DTYPE_COUNT;
    for (size_t i = 0; sound && i < type->rank; i++) sound = type->extent[i] >= 0;
    if (!sound)
        graph_fail(g, WG_ESHAPE, "value: a type of rank above %d or of extents below 0",
                   WG_MAX_RANK);
    return sound;
}

wg_var wg_value_at(const char *file, int line, wg_graph *g, wg_type type, const void *data) {
    wg_var none = {g, 0};
    if (!enter(g, "value", file, line) || !check_type(g, &type)) return none;
    value v = graph_append(g, OP_input, type_intern(g, &type), 0, NULL, 0);
    if (!v) return none;
    struct eager *e = (struct eager *)g->eager;
    size_t size;
    if (!size_of(e, g, instr_at(&g->t, v)->type, &size)) return none;
    if (size && !data) {
        graph_fail(g, WG_EARGUMENT, "value: the data are NULL");
        return none;
    }
    if (size) memcpy(address(e, &g->t, v), data, size);
    return (wg_var){g, v};
}

wg_var wg_scalar_at(const char *file, int line, wg_graph *g, double number) {
    return wg_value_at(file, line, g, (wg_type){.dtype = WG_F64}, &number);
}

wg_tensor wg_data(wg_var x) {
    wg_tensor tensor = {0};
    wg_graph *g = x.graph;
    if (!is_ready(g, "data") || !check_value(g, "data", x)) return tensor;
    const struct eager *e = (const struct eager *)g->eager;
    const wg_type *type = type_of(&g->t, x.id);
    tensor.data = address(e, &g->t, x.id);
    tensor.dtype = (wg_dtype)type->dtype;
    tensor.rank = type->rank;
    memcpy(tensor.shape, type->extent, type->rank * sizeof *tensor.shape);
    return tensor;
}

double wg_item(wg_var x) {
    wg_graph *g = x.graph;
    if (!is_ready(g, "item") || !check_value(g, "item", x)) return NAN;
    const struct eager *e = (const struct eager *)g->eager;
    type_id type = instr_at(&g->t, x.id)->type;
    if (!is_scalar(type) && e->shape.at[type].count != 1) {
        graph_fail(g, WG_ESHAPE, "item: %s has not one element; wg_data gives them all",
                   type_name(g, x.id).text);
        return NAN;
    }
    wg_dtype dtype = (wg_dtype)type_at(&g->t, type)->dtype;
    int64_t bits = 0;
    memcpy(&bits, address(e, &g->t, x.id), wg_dtype_size(dtype));
    return literal_to_f64(dtype, bits);
}

/* ---- gradients ------------------------------------------------------------------------------- */

/* Appends the adjoints of id[0 .. count-1], into id[count ...]. */
static bool append_adjoints(wg_graph *g, value y, size_t count, value *id) {
    value seed = build_like(g, y, 1), *adjoint = id + count;
    if (!vjp_graph(g, &y, &seed, 1, id, count, NULL, adjoint, NULL)) return false;
    for (size_t i = 0; i < count; i++)
        if (!adjoint[i]) adjoint[i] = build_like(g, id[i], 0);
    return g->error.status == WG_OK;
}

static bool check_backward(wg_graph *g, wg_var y, size_t count, const wg_var *wrt) {
    const struct trace *t = &g->t;
    if (!check_value(g, "backward", y)) return false;
    if (type_of(t, y.id)->rank || !value_is_float(t, y.id)) {
        graph_fail(g, type_of(t, y.id)->rank ? WG_ESHAPE : WG_EDTYPE,
                   "backward: from %s, not from a floating scalar", type_name(g, y.id).text);
        graph_fail_operands(g, &y.id, 1);
        graph_hint(g, "sum it, each element times its adjoint");
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!check_value(g, "backward", wrt[i])) return false;
        if (value_is_float(t, wrt[i].id)) continue;
        graph_fail(g, WG_EDTYPE, "backward: with respect to %s, which is not of a floating type",
                   type_name(g, wrt[i].id).text);
        graph_fail_operands(g, &wrt[i].id, 1);
        return false;
    }
    return true;
}

void wg_backward_at(const char *file, int line, wg_var y, size_t count, const wg_var *wrt,
                    wg_var *adjoint) {
    wg_graph *g = y.graph;
    for (size_t i = 0; i < count; i++) adjoint[i] = (wg_var){g, 0};
    if (!enter(g, "backward", file, line) || !check_backward(g, y, count, wrt) || count == 0)
        return;
    size_t bytes = 2 * count * sizeof(value);
    value *id = count <= SIZE_MAX / (2 * sizeof *id) ? mem_alloc(&g->t.allocator, bytes) : NULL;
    if (!id) {
        fail_memory(&g->error);
        return;
    }
    for (size_t i = 0; i < count; i++) id[i] = wrt[i].id;
    if (append_adjoints(g, y.id, count, id))
        for (size_t i = 0; i < count; i++) adjoint[i].id = id[count + i];
    mem_free(&g->t.allocator, id, bytes);
}
