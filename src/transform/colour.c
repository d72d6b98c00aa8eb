/* Colours: which columns of a sparse matrix may be computed in one product. Columns that meet in no
 * row may share a colour, a colouring at distance two of the graph of rows and columns
 * (Gebremedhin, Manne and Pothen, What color is your Jacobian?, SIAM Review 47, 2005). Of a
 * symmetric matrix it is enough that no path of four vertices has two colours, a star colouring:
 * then an entry or its mirror image stands alone. That one goes edge by edge through the stars so
 * far (Gebremedhin, Tarafdar, Manne and Pothen, SIAM Journal on Scientific Computing 29, 2007).
 *
 * Both are greedy, in the order given and by falling degree, and the better result is kept. */
#include "transform/sparsity.h"

/* ---- dense rows ------------------------------------------------------------------------------ */

static int64_t degree(const wg_pattern *p, int64_t row) { return p->row[row + 1] - p->row[row]; }

bool densest_rows(const wg_pattern *p, bool *dense, int64_t *together) {
    const wg_allocator *a = &p->allocator;
    size_t bytes = ((size_t)p->columns + 2) * sizeof(int64_t);
    int64_t *with = mem_alloc_zero(a, bytes); /* rows of each degree */
    if (!with) return false;
    for (int64_t i = 0; i < p->rows; i++) with[degree(p, i)]++;
    int64_t most = p->columns, taken = 0;
    while (most > 0 && !with[most]) most--;
    int64_t limit = most; /* rows of a higher degree are taken */
    *together = most;
    for (int64_t d = most, rows = 0; d >= 0; rows += with[d--]) {
        if (d + rows >= *together || with[d] == 0) continue;
        *together = d + rows;
        limit = d;
        taken = rows;
    }
    /* another kind of product has to be worth its while */
    if (2 * *together > most) {
        *together = most;
        limit = most;
        taken = 0;
    }
    mem_free(a, with, bytes);
    for (int64_t i = 0; i < p->rows; i++) dense[i] = taken && degree(p, i) > limit;
    return true;
}

/* ---- orders ---------------------------------------------------------------------------------- */

/* How many places behind the heaviest a vertex belongs; what is beyond `most` counts as much. */
static int64_t behind(int64_t most, int64_t weight) {
    return weight < 0 ? most : weight < most ? most - weight : 0;
}

/* Vertices by falling weight, equal ones in their order. False without memory. */
static bool falling(const wg_allocator *a, const int64_t *weight, int64_t count, int64_t *order) {
    int64_t most = 0;
    for (int64_t i = 0; i < count; i++)
        if (weight[i] > most) most = weight[i];
    if (most > 4 * count + 64) most = 4 * count + 64;
    size_t bytes = ((size_t)most + 2) * sizeof(int64_t);
    int64_t *end = mem_alloc_zero(a, bytes);
    if (!end) return false;
    for (int64_t i = 0; i < count; i++) end[behind(most, weight[i]) + 1]++;
    for (int64_t k = 0; k <= most; k++) end[k + 1] += end[k];
    for (int64_t i = 0; i < count; i++) order[end[behind(most, weight[i])]++] = i;
    mem_free(a, end, bytes);
    return true;
}

/* What a colouring works with; arrays by vertex. */
struct colouring {
    const wg_pattern *p, *t; /* the pattern and its columns as rows; symmetric ones are both */
    const bool *skip;
    int64_t vertices;
    int64_t *order, *weight;
    int64_t *stamp; /* of each colour: the last vertex that it was forbidden to */
    int32_t *colour, count;
    /* of star colourings */
    int64_t *first_vertex,
        *first_neighbour; /* of each colour: who looked last, and what it found */
    int64_t *treated;
    int64_t *mate;       /* the mirror image of each entry */
    int64_t *star, *hub; /* of each entry its star; of each star its hub, -1: a single edge */
    int64_t stars;
};

/* The first colour that was not forbidden to vertex v. */
static void paint(struct colouring *c, int64_t v) {
    int32_t free = 0;
    while (free < c->count && c->stamp[free] == v) free++;
    if (free == c->count) c->stamp[c->count++] = -1;
    c->colour[v] = free;
}

static void begin(struct colouring *c) {
    c->count = 0;
    for (int64_t v = 0; v < c->vertices; v++) c->colour[v] = NO_COLOUR;
}

/* Runs one kind of colouring by both orders, and leaves the better one. bound: as few as there can
 * be. */
static bool better(struct colouring *c, void (*run)(struct colouring *c), int64_t bound,
                   const wg_allocator *a) {
    size_t bytes = ((size_t)c->vertices + 1) * sizeof *c->colour;
    for (int64_t v = 0; v < c->vertices; v++) c->order[v] = v;
    run(c);
    if (c->count <= bound) return true;
    int32_t *kept = mem_alloc(a, bytes), count = c->count;
    if (!kept) return false;
    memcpy(kept, c->colour, bytes - sizeof *kept);
    bool ok = falling(a, c->weight, c->vertices, c->order);
    if (ok) run(c);
    if (c->count >= count) {
        memcpy(c->colour, kept, bytes - sizeof *kept);
        c->count = count;
    }
    mem_free(a, kept, bytes);
    return ok;
}

/* ---- columns --------------------------------------------------------------------------------- */

enum { DEAR = 1 << 28 }; /* pairs of entries in a row, all rows together */

static void colour_by_rows(struct colouring *c) {
    begin(c);
    memset(c->stamp, -1, ((size_t)c->vertices + 1) * sizeof *c->stamp);
    for (int64_t i = 0; i < c->vertices; i++) {
        int64_t v = c->order[i];
        if (c->weight[v] < 0) continue;
        for (int64_t e = c->t->row[v]; e < c->t->row[v + 1]; e++) {
            int64_t row = c->t->column[e];
            if (c->skip && c->skip[row]) continue;
            for (int64_t k = c->p->row[row]; k < c->p->row[row + 1]; k++) {
                int32_t colour = c->colour[c->p->column[k]];
                if (colour >= 0) c->stamp[colour] = v;
            }
        }
        paint(c, v);
    }
}

static void one_each(struct colouring *c) {
    begin(c);
    for (int64_t v = 0; v < c->vertices; v++)
        if (c->weight[v] >= 0) c->colour[v] = c->count++;
}

bool colour_columns(const wg_pattern *p, const bool *skip, int32_t *colour, int32_t *count) {
    const wg_allocator *a = &p->allocator;
    wg_pattern t;
    wg_error error = {0};
    size_t n = ((size_t)p->columns + 1) * sizeof(int64_t);
    struct colouring c = {.p = p, .t = &t, .skip = skip, .vertices = p->columns, .colour = colour};
    int64_t bound = 0;
    double pairs = 0;
    if (wg_pattern_transpose(p, &t, NULL, &error)) return false;
    c.order = mem_alloc(a, n);
    c.weight = mem_alloc(a, n);
    c.stamp = mem_alloc(a, n);
    bool ok = c.order && c.weight && c.stamp;
    for (int64_t v = 0; ok && v < p->columns; v++) c.weight[v] = -1;
    for (int64_t i = 0; ok && i < p->rows; i++) {
        if (skip && skip[i]) continue;
        int64_t d = degree(p, i);
        if (d > bound) bound = d;
        pairs += (double)d * (double)d;
        for (int64_t e = p->row[i]; e < p->row[i + 1]; e++)
            c.weight[p->column[e]] += d - 1 + (c.weight[p->column[e]] < 0);
    }
    /* where a row holds most columns, colours could save less than half */
    if (ok && pairs > DEAR && 2 * bound > p->columns)
        one_each(&c);
    else
        ok = ok && better(&c, colour_by_rows, bound, a);
    *count = c.count;
    mem_free(a, c.order, n);
    mem_free(a, c.weight, n);
    mem_free(a, c.stamp, n);
    wg_pattern_free(&t);
    return ok;
}

/* ---- symmetric ------------------------------------------------------------------------------- */

/* Neighbours of v with colours, in the graph without its dense vertices. */
static bool is_neighbour(const struct colouring *c, int64_t v, int64_t w) {
    return w != v && c->colour[w] >= 0 && !c->skip[w];
}

static void forbid_around(struct colouring *c, int64_t v, int64_t w) {
    for (int64_t e = c->p->row[w]; e < c->p->row[w + 1]; e++) {
        int64_t x = c->p->column[e];
        if (x != v && is_neighbour(c, w, x)) c->stamp[c->colour[x]] = v;
    }
    c->treated[w] = v;
}

/* Forbids what would make a path of four vertices with v at its end, or in its middle, have two
 * colours. */
static void forbid(struct colouring *c, int64_t v) {
    for (int64_t e = c->p->row[v]; e < c->p->row[v + 1]; e++) {
        int64_t w = c->p->column[e];
        if (!is_neighbour(c, v, w)) continue;
        int32_t colour = c->colour[w];
        c->stamp[colour] = v;
        if (c->first_vertex[colour] == v) { /* two neighbours of one colour: v will be a hub */
            if (c->treated[c->first_neighbour[colour]] != v)
                forbid_around(c, v, c->first_neighbour[colour]);
            forbid_around(c, v, w);
            continue;
        }
        c->first_vertex[colour] = v;
        c->first_neighbour[colour] = w;
        for (int64_t k = c->p->row[w]; k < c->p->row[w + 1]; k++) {
            int64_t x = c->p->column[k];
            if (x != v && is_neighbour(c, w, x) && c->hub[c->star[k]] == x)
                c->stamp[c->colour[x]] = v;
        }
    }
}

static void set_star(struct colouring *c, int64_t entry, int64_t star, int64_t hub) {
    c->star[entry] = c->star[c->mate[entry]] = star;
    c->hub[star] = hub;
}

/* Puts the edges from v, which has just got its colour, into stars. */
static void join_stars(struct colouring *c, int64_t v) {
    for (int64_t e = c->p->row[v]; e < c->p->row[v + 1]; e++) {
        int64_t w = c->p->column[e], found = -1;
        if (!is_neighbour(c, v, w)) continue;
        for (int64_t k = c->p->row[w]; k < c->p->row[w + 1] && found < 0; k++) {
            int64_t x = c->p->column[k];
            if (x != v && is_neighbour(c, w, x) && c->colour[x] == c->colour[v]) found = k;
        }
        int64_t q = c->first_vertex[c->colour[w]] == v ? c->first_neighbour[c->colour[w]] : w;
        if (found >= 0) {
            set_star(c, e, c->star[found], w);
        } else if (q != w) {
            int64_t k = c->p->row[v];
            while (c->p->column[k] != q) k++;
            set_star(c, e, c->star[k], v);
        } else {
            set_star(c, e, c->stars++, -1);
        }
    }
}

static void colour_stars(struct colouring *c) {
    size_t n = ((size_t)c->vertices + 1) * sizeof(int64_t);
    begin(c);
    memset(c->stamp, -1, n);
    memset(c->first_vertex, -1, n);
    memset(c->treated, -1, n);
    c->stars = 0;
    for (int64_t i = 0; i < c->vertices; i++) {
        int64_t v = c->order[i];
        if (c->weight[v] == 0 || c->skip[v]) continue;
        forbid(c, v);
        paint(c, v);
        join_stars(c, v);
    }
    for (int64_t v = 0; v < c->vertices; v++) /* colours of their own: no path with them has two */
        if (c->skip[v]) c->colour[v] = c->count++;
}

/* Entries of a symmetric pattern come in the order of their mirror images' columns. */
static void find_mates(struct colouring *c, int64_t *next) {
    for (int64_t v = 0; v < c->vertices; v++) next[v] = c->p->row[v];
    for (int64_t v = 0; v < c->vertices; v++)
        for (int64_t e = c->p->row[v]; e < c->p->row[v + 1]; e++)
            c->mate[e] = next[c->p->column[e]]++;
}

bool colour_symmetric(const wg_pattern *p, int32_t *colour, int32_t *count) {
    const wg_allocator *a = &p->allocator;
    size_t n = ((size_t)p->columns + 1) * sizeof(int64_t);
    size_t m = ((size_t)p->entries + 1) * sizeof(int64_t), flags = (size_t)p->rows + 1;
    bool *skip = mem_alloc(a, flags);
    struct colouring c = {.p = p, .t = p, .skip = skip, .vertices = p->columns, .colour = colour};
    int64_t **by_vertex[] = {&c.order,        &c.weight,          &c.stamp,
                             &c.first_vertex, &c.first_neighbour, &c.treated};
    int64_t **by_entry[] = {&c.mate, &c.star, &c.hub}, together;
    bool ok = skip;
    for (size_t k = 0; k < COUNT_OF(by_vertex); k++) ok = (*by_vertex[k] = mem_alloc(a, n)) && ok;
    for (size_t k = 0; k < COUNT_OF(by_entry); k++) ok = (*by_entry[k] = mem_alloc(a, m)) && ok;
    ok = ok && densest_rows(p, skip, &together);
    if (ok) {
        double pairs = 0;
        int64_t most = 0;
        for (int64_t v = 0; v < p->columns; v++) {
            int64_t d = c.weight[v] = degree(p, v);
            if (!skip[v]) pairs += (double)d * (double)d;
            if (!skip[v] && d > most) most = d;
        }
        find_mates(&c, c.order);
        if (pairs > DEAR && 2 * most > p->columns) {
            for (int64_t v = 0; v < p->columns; v++) c.weight[v] -= c.weight[v] == 0;
            one_each(&c);
        } else {
            ok = better(&c, colour_stars, 1, a);
        }
    }
    *count = c.count;
    for (size_t k = 0; k < COUNT_OF(by_vertex); k++) mem_free(a, *by_vertex[k], n);
    for (size_t k = 0; k < COUNT_OF(by_entry); k++) mem_free(a, *by_entry[k], m);
    mem_free(a, skip, flags);
    return ok;
}
