/* Einstein's summation: "bij,bjk->bik". An operand's repeated letter is its diagonal; operands are
 * contracted from the left to the right, by dot, letters that nothing later names being summed as
 * soon as they can be. The text is only read here; all else are operations of other files. */
#include "op/build.h"
#include "op/describe.h"

struct term {
    value x;
    uint8_t rank;
    char letter[WG_MAX_RANK];
};

struct sum {
    wg_graph *g;
    const char *text;
    size_t size;
    struct term *term; /* the operands, then the result */
    size_t count;
};

static bool fail(const struct sum *s, const char *what) {
    graph_fail(s->g, WG_EARGUMENT, "einsum \"%.*s\": %s", (int)(s->size < 100 ? s->size : 100),
               s->text, what);
    graph_hint(s->g, "letters name axes, commas part operands: \"bij,bjk->bik\"");
    return false;
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool has(const struct term *t, char letter) {
    return t->rank && memchr(t->letter, letter, t->rank);
}

/* Without "->", the result has the letters that occur once, in the order of their codes. */
static bool infer_result(struct sum *s) {
    struct term *result = &s->term[s->count];
    for (char c = 'A'; c <= 'z'; c++) {
        size_t seen = 0;
        for (size_t k = 0; k < s->count; k++)
            for (size_t i = 0; i < s->term[k].rank; i++) seen += s->term[k].letter[i] == c;
        if (seen != 1) continue;
        if (result->rank == WG_MAX_RANK) return fail(s, "the result has too many axes");
        result->letter[result->rank++] = c;
    }
    return true;
}

static bool read_text(struct sum *s) {
    size_t k = 0;
    bool arrow = false;
    for (size_t i = 0; i < s->size; i++) {
        char c = s->text[i];
        if (c == ' ') continue;
        if (c == ',' && !arrow) {
            if (++k == s->count) return fail(s, "more operands are named than given");
        } else if (c == '-' && i + 1 < s->size && s->text[i + 1] == '>' && !arrow) {
            arrow = true;
            i++;
        } else if (is_letter(c)) {
            struct term *t = &s->term[arrow ? s->count : k];
            if (t->rank == WG_MAX_RANK) return fail(s, "more axes than a value can have");
            if (arrow && has(t, c)) return fail(s, "a letter stands twice in the result");
            t->letter[t->rank++] = c;
        } else {
            return fail(s, "only letters, commas and one -> are known");
        }
    }
    if (k + 1 != s->count) return fail(s, "fewer operands are named than given");
    return arrow || infer_result(s);
}

/* ---- operands -------------------------------------------------------------------------------- */

static bool check_operand(const struct sum *s, const struct term *t) {
    wg_graph *g = s->g;
    if (type_of(&g->t, t->x)->rank == t->rank) return true;
    graph_fail(g, WG_ESHAPE, "einsum \"%.*s\": \"%.*s\" for an operand %s",
               (int)(s->size < 100 ? s->size : 100), s->text, t->rank, t->letter,
               type_name(g, t->x).text);
    graph_fail_operands(g, &t->x, 1);
    return false;
}

/* A letter has one extent wherever it stands. */
static bool check_extents(const struct sum *s) {
    wg_graph *g = s->g;
    size_t owner[128] = {0}; /* of a letter: the operand that showed it first, + 1 */
    wg_extent extent[128];
    for (size_t k = 0; k < s->count; k++)
        for (size_t i = 0; i < s->term[k].rank; i++) {
            size_t c = (size_t)s->term[k].letter[i];
            wg_extent given = type_of(&g->t, s->term[k].x)->extent[i];
            if (!owner[c]) {
                owner[c] = k + 1;
                extent[c] = given;
            }
            if (extent[c] == given) continue;
            graph_fail(g, WG_ESHAPE, "einsum: %c is %s in operand %zu and %s in operand %zu",
                       (int)c, extent_name(g, extent[c]).text, owner[c], extent_name(g, given).text,
                       k + 1);
            graph_fail_operands(g, (const value[]){s->term[owner[c] - 1].x, s->term[k].x}, 2);
            return false;
        }
    for (size_t i = 0; i < s->term[s->count].rank; i++)
        if (!owner[(size_t)s->term[s->count].letter[i]])
            return fail(s, "a letter of the result is in no operand");
    return true;
}

/* Axes i < k are one: y[n, rest] = x[n, n, rest]. */
static void take_diagonal(wg_graph *g, struct term *t, uint8_t i, uint8_t k) {
    uint8_t perm[WG_MAX_RANK] = {i, k}, n = 2;
    char letter[WG_MAX_RANK] = {t->letter[i]};
    for (uint8_t axis = 0; axis < t->rank; axis++) {
        if (axis == i || axis == k) continue;
        letter[n - 1] = t->letter[axis];
        perm[n++] = axis;
    }
    value index = build_iota(g, type_of(&g->t, t->x)->extent[i]);
    t->x = build_take(g, build_transpose(g, t->x, perm), index, 1, 1);
    memcpy(t->letter, letter, sizeof letter);
    t->rank--;
}

static void take_diagonals(wg_graph *g, struct term *t) {
    for (uint8_t i = 0; i < t->rank; i++)
        for (uint8_t k = (uint8_t)(i + 1); k < t->rank && t->x; k++)
            if (t->letter[i] == t->letter[k]) {
                take_diagonal(g, t, i, k);
                i = k = 0; /* the axes have moved */
            }
}

/* Sums the axes whose letter is neither in `other` nor in a term from `next` on. */
static void sum_rest(const struct sum *s, struct term *t, const struct term *other, size_t next) {
    uint32_t axes = 0;
    uint8_t rank = 0;
    for (size_t i = 0; i < t->rank; i++) {
        bool needed = other && has(other, t->letter[i]);
        for (size_t k = next; k <= s->count && !needed; k++)
            needed = has(&s->term[k], t->letter[i]);
        if (needed) t->letter[rank++] = t->letter[i];
        else axes |= (uint32_t)1 << i;
    }
    t->rank = rank;
    if (axes) t->x = build_sum(s->g, t->x, axes);
}

/* ---- contraction ----------------------------------------------------------------------------- */

/* a times b; the terms from `next` on are still to come. */
static void contract(const struct sum *s, struct term *a, struct term *b, size_t next) {
    sum_rest(s, a, b, next);
    sum_rest(s, b, a, next);
    struct term y = {.rank = 0};
    uint8_t pair[2][WG_MAX_RANK], n = 0, batch = 0;
    for (int pass = 0; pass < 2; pass++) /* shared axes that stay, then those that are summed */
        for (uint8_t i = 0; i < a->rank; i++) {
            bool needed = false;
            if (!has(b, a->letter[i])) continue;
            for (size_t k = next; k <= s->count; k++) needed |= has(&s->term[k], a->letter[i]);
            if (needed == (pass == 1)) continue;
            pair[0][n] = i;
            pair[1][n++] = (uint8_t)((const char *)memchr(b->letter, a->letter[i], b->rank) -
                                     b->letter);
            if (needed) y.letter[y.rank++] = a->letter[i];
            batch = (uint8_t)(batch + needed);
        }
    size_t rank = (size_t)a->rank + b->rank - n - (size_t)(n - batch);
    if (rank > WG_MAX_RANK) {
        fail(s, "a product on the way has too many axes; give the operands in another order");
        return;
    }
    const struct term *side[2] = {a, b}, *opposite[2] = {b, a};
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < side[k]->rank; i++)
            if (!has(opposite[k], side[k]->letter[i])) y.letter[y.rank++] = side[k]->letter[i];
    y.x = build_dot_axes(s->g, a->x, b->x, batch, (unsigned)(n - batch),
                         (const uint8_t *const[]){pair[0], pair[1]});
    *a = y;
}

static value evaluate(struct sum *s) {
    struct term *a = &s->term[0], *result = &s->term[s->count];
    if (!read_text(s)) return 0;
    for (size_t k = 0; k < s->count; k++)
        if (!check_operand(s, &s->term[k])) return 0;
    if (!check_extents(s)) return 0;
    for (size_t k = 0; k < s->count; k++) take_diagonals(s->g, &s->term[k]);
    for (size_t k = 1; k < s->count && !s->g->error.status; k++) contract(s, a, &s->term[k], k + 1);
    sum_rest(s, a, NULL, s->count);
    uint8_t perm[WG_MAX_RANK];
    for (size_t i = 0; i < result->rank && !s->g->error.status; i++)
        perm[i] = (uint8_t)((const char *)memchr(a->letter, result->letter[i], a->rank) -
                            a->letter);
    return build_transpose(s->g, a->x, perm);
}

value build_einsum(wg_graph *g, const char *text, size_t size, const value *x, size_t count) {
    if (g->error.status) return 0;
    struct sum s = {.g = g, .text = text, .size = size, .count = count};
    if (count == 0) return fail(&s, "no operands"), 0;
    s.term = mem_alloc_zero(&g->t.allocator, (count + 1) * sizeof *s.term);
    if (!s.term) return fail_memory(&g->error), 0;
    bool present = true;
    for (size_t k = 0; k < count; k++) present = (s.term[k].x = x[k]) != 0 && present;
    value y = present ? evaluate(&s) : 0;
    mem_free(&g->t.allocator, s.term, (count + 1) * sizeof *s.term);
    return y;
}
