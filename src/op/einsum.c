/* Einstein's summation: "bij,bjk->bik", "...ij,jk->...ik". An operand's repeated letter is its
 * diagonal; operands are contracted from the left to the right, by dot, letters that nothing later
 * names being summed as soon as they can be. The axes of an ellipsis get letters of their own, the
 * codes 1 to WG_MAX_RANK counted so that the last one is the same for every operand; of these an
 * extent 1 stretches, by being left out of its operand. The text is only read here; all else are
 * operations of other files. */
#include "op/build.h"
#include "op/describe.h"

struct term {
    value x;
    uint8_t rank;
    char letter[WG_MAX_RANK];
    bool open;    /* has an ellipsis, */
    uint8_t at;   /* before this letter */
    size_t begin; /* its piece of the text */
    size_t end;
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
    graph_hint(s->g, "letters name axes, ... the axes not named, commas part operands: "
                     "\"bij,bjk->bik\", \"...ij,jk->...ik\"");
    return false;
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool has(const struct term *t, char letter) {
    return t->rank && memchr(t->letter, letter, t->rank);
}

/* Without "->", the result has the axes of ellipses, then the letters that occur once, in the order
 * of their codes. */
static bool infer_result(struct sum *s) {
    struct term *result = &s->term[s->count];
    for (size_t k = 0; k < s->count; k++) result->open |= s->term[k].open;
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

static bool starts(const struct sum *s, size_t i, const char *sign) {
    size_t length = strlen(sign);
    return s->size - i >= length && memcmp(s->text + i, sign, length) == 0;
}

static bool read_text(struct sum *s) {
    size_t k = 0;
    bool arrow = false;
    for (size_t i = 0; i < s->size; i++) {
        char c = s->text[i];
        struct term *t = &s->term[arrow ? s->count : k];
        if (c == ' ') continue;
        t->end = i;
        if (c == ',' && !arrow) {
            if (++k == s->count) return fail(s, "more operands are named than given");
            s->term[k].begin = i + 1;
        } else if (starts(s, i, "->") && !arrow) {
            arrow = true;
            i++;
        } else if (starts(s, i, "...")) {
            if (t->open) return fail(s, "an ellipsis stands twice in one place");
            t->open = true;
            t->at = t->rank;
            i += 2;
        } else if (is_letter(c)) {
            if (t->rank == WG_MAX_RANK) return fail(s, "more axes than a value can have");
            if (arrow && has(t, c)) return fail(s, "a letter stands twice in the result");
            t->letter[t->rank++] = c;
        } else {
            return fail(s, "only letters, commas, ... and one -> are known");
        }
    }
    if (!arrow) s->term[k].end = s->size;
    if (k + 1 != s->count) return fail(s, "fewer operands are named than given");
    return arrow || infer_result(s);
}

/* ---- operands -------------------------------------------------------------------------------- */

static bool check_operand(const struct sum *s, const struct term *t) {
    wg_graph *g = s->g;
    unsigned rank = type_of(&g->t, t->x)->rank;
    if (t->open ? rank >= t->rank : rank == t->rank) return true;
    graph_fail(g, WG_ESHAPE, "einsum \"%.*s\": \"%.*s\" for an operand %s",
               (int)(s->size < 100 ? s->size : 100), s->text, (int)(t->end - t->begin),
               s->text + t->begin, type_name(g, t->x).text);
    graph_fail_operands(g, &t->x, 1);
    return false;
}

/* The ellipsis becomes `count` letters. */
static bool open_up(const struct sum *s, struct term *t, uint8_t count) {
    if (t->rank + count > WG_MAX_RANK) return fail(s, "the result has too many axes");
    memmove(t->letter + t->at + count, t->letter + t->at, (size_t)(t->rank - t->at));
    for (uint8_t i = 0; i < count; i++)
        t->letter[t->at + i] = (char)(WG_MAX_RANK - count + i + 1);
    t->rank = (uint8_t)(t->rank + count);
    return true;
}

/* Every operand gives its ellipsis the axes that it has no letters for, the result those of all. */
static bool open_ellipses(struct sum *s) {
    struct term *result = &s->term[s->count];
    uint8_t most = 0;
    for (size_t k = 0; k < s->count; k++) {
        struct term *t = &s->term[k];
        if (!t->open) continue;
        uint8_t count = (uint8_t)(type_of(&s->g->t, t->x)->rank - t->rank);
        if (!open_up(s, t, count)) return false;
        if (count > most) most = count;
    }
    if (result->open) return open_up(s, result, most);
    return most == 0 || fail(s, "operands have axes under ... and the result does not");
}

static bool is_under_ellipsis(char letter) {
    return letter <= WG_MAX_RANK;
}

static void fail_extents(const struct sum *s, char letter, size_t first, wg_extent a,
                         size_t second, wg_extent b) {
    wg_graph *g = s->g;
    char name[32] = {letter};
    if (is_under_ellipsis(letter)) { /* as the axes of the ellipsis are counted: from the end */
        memcpy(name, "axis -0 of ...", sizeof "axis -0 of ...");
        name[6] = (char)('0' + WG_MAX_RANK + 1 - letter);
    }
    graph_fail(g, WG_ESHAPE, "einsum: %s is %s in operand %zu and %s in operand %zu", name,
               extent_name(g, a).text, first, extent_name(g, b).text, second);
    graph_fail_operands(g, (const value[]){s->term[first - 1].x, s->term[second - 1].x}, 2);
}

/* A letter has one extent wherever it stands; under an ellipsis, or 1. */
static bool check_extents(const struct sum *s) {
    wg_graph *g = s->g;
    size_t owner[128] = {0}; /* of a letter: the operand that showed it first, + 1 */
    wg_extent extent[128];
    for (size_t k = 0; k < s->count; k++)
        for (size_t i = 0; i < s->term[k].rank; i++) {
            size_t c = (size_t)s->term[k].letter[i];
            wg_extent given = type_of(&g->t, s->term[k].x)->extent[i];
            bool stretches = is_under_ellipsis((char)c);
            if (!owner[c] || (stretches && extent[c] == 1)) {
                owner[c] = k + 1;
                extent[c] = given;
            }
            if (extent[c] == given || (stretches && given == 1)) continue;
            fail_extents(s, (char)c, owner[c], extent[c], k + 1, given);
            return false;
        }
    for (size_t i = 0; i < s->term[s->count].rank; i++)
        if (!owner[(size_t)s->term[s->count].letter[i]])
            return fail(s, "a letter of the result is in no operand");
    return true;
}

/* Whether another operand has more than 1 there. */
static bool is_stretched(const struct sum *s, char letter) {
    for (size_t k = 0; k < s->count; k++)
        for (size_t i = 0; i < s->term[k].rank; i++)
            if (s->term[k].letter[i] == letter &&
                type_of(&s->g->t, s->term[k].x)->extent[i] != 1)
                return true;
    return false;
}

/* Extents 1 under an ellipsis that stretch are left out: a product with what lacks the axis is the
 * same. All are found before the first is gone. */
static void leave_out_ones(struct sum *s) {
    bool stretched[WG_MAX_RANK + 1];
    for (char c = 1; c <= WG_MAX_RANK; c++) stretched[(size_t)c] = is_stretched(s, c);
    for (size_t k = 0; k < s->count && !s->g->error.status; k++) {
        struct term *t = &s->term[k];
        wg_type type = *type_of(&s->g->t, t->x);
        uint32_t axes = 0;
        uint8_t rank = 0;
        for (size_t i = 0; i < type.rank; i++) {
            char c = t->letter[i];
            if (is_under_ellipsis(c) && type.extent[i] == 1 && stretched[(size_t)c])
                axes |= (uint32_t)1 << i;
            else
                t->letter[rank++] = c;
        }
        t->rank = rank;
        if (axes) t->x = build_squeeze(s->g, t->x, axes);
    }
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

/* Whether the result has b's own axes before a's: with b on the left its product is in order. */
static bool goes_first(const struct term *b, const struct term *a, const struct term *result) {
    for (size_t i = 0; i < result->rank; i++) {
        bool in_a = has(a, result->letter[i]), in_b = has(b, result->letter[i]);
        if (in_a != in_b) return in_b;
    }
    return false;
}

/* a times b; the terms from `next` on are still to come. */
static void contract(const struct sum *s, struct term *a, struct term *b, size_t next) {
    sum_rest(s, a, b, next);
    sum_rest(s, b, a, next);
    struct term *into = a, y = {.rank = 0};
    if (next == s->count && goes_first(b, a, &s->term[next])) {
        a = b;
        b = into;
    }
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
    *into = y;
}

static value evaluate(struct sum *s) {
    struct term *a = &s->term[0], *result = &s->term[s->count];
    if (!read_text(s)) return 0;
    for (size_t k = 0; k < s->count; k++)
        if (!check_operand(s, &s->term[k])) return 0;
    if (!open_ellipses(s) || !check_extents(s)) return 0;
    leave_out_ones(s);
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
