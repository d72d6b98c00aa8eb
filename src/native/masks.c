/* Products of which a condition that the program itself tells takes only some entries: where Q is
 * lower triangular by `where(i >= j, a, 0)`, its adjoint is a product of which the upper half is
 * thrown away. Such a product is made of smaller ones, of a few rows each and the columns that
 * these need. Whatever the entries that are not made would be, nobody sees them. */
#include "native/products.h"
#include "op/build.h"

enum {
    DEEPEST = 12,          /* operations on the way to an element of a condition */
    MOST_SIDE = 64,        /* rows and columns of a product */
    TILE = 5,              /* rows of a smaller product */
    MOST_SCANNED = 1 << 16 /* instructions among which readers are looked for */
};

/* ---- elements that the program tells --------------------------------------------------------- */

struct element {
    int64_t bits;
};

static bool element_of(const struct trace *t, value v, const int64_t *index, int depth,
                       struct element *e);

static bool element_of_elementwise(const struct trace *t, value v, const int64_t *index, int depth,
                                   struct element *e) {
    const struct instr *i = instr_at(t, v);
    struct element operand[3];
    const void *data[3];
    if (i->narg == 0 || i->narg > 3) return false;
    for (size_t k = 0; k < i->narg; k++) {
        if (!element_of(t, args_of(t, i)[k], index, depth, &operand[k])) return false;
        data[k] = &operand[k].bits;
    }
    unsigned last = type_of(t, args_of(t, i)[i->narg - 1])->dtype;
    elementwise_kernel *kernel = op_kernel(i->op, last, type_of(t, v)->dtype);
    e->bits = 0;
    if (kernel) kernel(1, data, &e->bits);
    return kernel != NULL;
}

/* The index of v's operand, of a view. */
static bool index_below(const struct trace *t, value v, const int64_t *index, int64_t *below) {
    const struct instr *i = instr_at(t, v);
    const int64_t *word = attr_words(t, i->attr);
    const wg_type *from = type_of(t, args_of(t, i)[0]), *to = type_of(t, v);
    int64_t place = 0, n = 0;
    switch (i->op) {
    case OP_copy: memcpy(below, index, to->rank * sizeof *below); return true;
    case OP_broadcast:
        for (int j = 0; j < to->rank; j++)
            if (word[1 + word[0]] >> j & 1) below[n++] = index[j];
        return true;
    case OP_transpose:
        for (int j = 0; j < to->rank; j++) below[word[j]] = index[j];
        return true;
    case OP_reshape:
        for (int j = 0; j < to->rank; j++) place = place * to->extent[j] + index[j];
        for (int j = from->rank; j-- > 0;) {
            below[j] = place % from->extent[j];
            place /= from->extent[j];
        }
        return true;
    default: return false;
    }
}

static bool element_of(const struct trace *t, value v, const int64_t *index, int depth,
                       struct element *e) {
    const struct instr *i = instr_at(t, v);
    int64_t below[WG_MAX_RANK] = {0};
    if (depth == 0) return false;
    for (int j = 0; j < type_of(t, v)->rank; j++)
        if (type_of(t, v)->extent[j] < 1) return false;
    if (i->op == OP_constant) {
        e->bits = attr_words(t, i->attr)[0];
        return true;
    }
    if (i->op == OP_iota) {
        e->bits = index[0];
        return true;
    }
    if (op_is_elementwise(i->op)) return element_of_elementwise(t, v, index, depth - 1, e);
    return i->narg == 1 && index_below(t, v, index, below) &&
           element_of(t, args_of(t, i)[0], below, depth - 1, e);
}

/* ---- what is taken of a product -------------------------------------------------------------- */

struct taken { /* of each row the columns from first on, below end */
    int64_t rows, columns, first[MOST_SIDE], end[MOST_SIDE];
};

/* Adds what where(condition, v, 0) takes of v, whatever the element of the batch. */
static bool add_taken(const struct trace *t, value condition, unsigned batch, struct taken *k) {
    int64_t index[WG_MAX_RANK] = {0};
    const struct instr *i = instr_at(t, condition);
    if (i->op != OP_broadcast || !type_of(t, condition)->rank) return false;
    const int64_t *word = attr_words(t, i->attr);
    if (word[1 + word[0]] & (((int64_t)1 << batch) - 1)) return false;
    for (int64_t row = 0; row < k->rows; row++)
        for (int64_t column = 0; column < k->columns; column++) {
            struct element e;
            index[batch] = row;
            index[batch + 1] = column;
            if (!element_of(t, condition, index, DEEPEST, &e)) return false;
            if (!(e.bits & 255)) continue;
            if (column < k->first[row]) k->first[row] = column;
            if (column >= k->end[row]) k->end[row] = column + 1;
        }
    return true;
}

/* The columns that the rows of a tile need: two at least. */
static void columns_of(const struct taken *k, int64_t from, int64_t to, int64_t *first,
                       int64_t *end) {
    *first = k->columns;
    *end = 0;
    for (int64_t row = from; row < to; row++) {
        if (k->first[row] < *first) *first = k->first[row];
        if (k->end[row] > *end) *end = k->end[row];
    }
    if (*end > *first && *end - *first < 2) {
        if (*end < k->columns)
            ++*end;
        else
            --*first;
    }
}

static int64_t tile_end(const struct taken *k, int64_t from) {
    int64_t tiles = (k->rows + TILE - 1) / TILE, side = (k->rows + tiles - 1) / tiles;
    int64_t end = from + side, rest = k->rows - end;
    return rest < 2 ? k->rows : end; /* no tile of one row */
}

static bool saves_enough(const struct taken *k) {
    int64_t cost = 0, first, end;
    for (int64_t from = 0, to; from < k->rows; from = to) {
        to = tile_end(k, from);
        columns_of(k, from, to, &first, &end);
        if (end > first) cost += (to - from) * (end - first);
    }
    return 5 * cost <= 4 * k->rows * k->columns;
}

/* Whether all readers of a product are where(condition, product, 0), and take little enough. */
static bool find_taken(const struct trace *t, value v, struct taken *k) {
    if (!is_along_dot(t, v) || t->instr.count > MOST_SCANNED) return false;
    unsigned batch = dot_of(t, v).batch;
    const wg_type *type = type_of(t, v);
    *k = (struct taken){.rows = type->extent[batch], .columns = type->extent[batch + 1]};
    for (int64_t row = 0; row < k->rows; row++) k->first[row] = k->columns;
    for (size_t i = 0; i < t->output.count; i++)
        if (t->output.at[i].v == v) return false;
    bool any = false;
    for (value reader = v + 1; reader < t->instr.count; reader++) {
        const struct instr *i = instr_at(t, reader);
        const value *x = args_of(t, i);
        for (size_t n = 0; n < i->narg; n++) {
            if (x[n] != v) continue;
            if (i->op != OP_where || n != 1 || !value_is_splat_of(t, x[2], 0) ||
                !add_taken(t, x[0], batch, k))
                return false;
            any = true;
        }
    }
    return any && saves_enough(k);
}

bool takes_part(const struct trace *t, value v) {
    struct taken k;
    return find_taken(t, v, &k);
}

/* ---- the smaller products -------------------------------------------------------------------- */

static value rows_of(wg_graph *g, value x, unsigned axis, int64_t from, int64_t to) {
    return x ? build_slice_axis(g, x, axis, from, to, 1) : 0;
}

static value zeros(wg_graph *g, const wg_type *like, int64_t rows, int64_t columns) {
    wg_type type = *like;
    type.extent[type.rank - 2] = rows;
    type.extent[type.rank - 1] = columns;
    return build_full(g, &type, 0);
}

static value make_tile(wg_graph *g, const struct taken *k, unsigned batch, const value x[2],
                       const wg_type *type, int64_t from, int64_t to) {
    int64_t first, end;
    value part[3];
    size_t parts = 0;
    columns_of(k, from, to, &first, &end);
    if (end <= first) return zeros(g, type, to - from, k->columns);
    value left = rows_of(g, x[0], batch, from, to), right = rows_of(g, x[1], batch, first, end);
    if (first > 0) part[parts++] = zeros(g, type, to - from, first);
    part[parts++] = build_dot(g, left, right, batch, 1, false, true);
    if (end < k->columns) part[parts++] = zeros(g, type, to - from, k->columns - end);
    return build_concat(g, part, parts, batch + 1);
}

value make_part(wg_graph *g, const struct trace *from, value v, const value *map) {
    struct taken k;
    value tile[MOST_SIDE];
    size_t tiles = 0;
    if (!find_taken(from, v, &k)) return 0;
    unsigned batch = dot_of(from, v).batch;
    const value *arg = args_of(from, instr_at(from, v));
    const value x[2] = {map[arg[0]], map[arg[1]]};
    wg_type type = *type_of(from, v);
    for (int64_t at = 0, end; at < k.rows && !g->error.status; at = end) {
        end = tile_end(&k, at);
        tile[tiles++] = make_tile(g, &k, batch, x, &type, at, end);
    }
    return g->error.status ? 0 : build_concat(g, tile, tiles, batch);
}
