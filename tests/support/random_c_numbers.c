/* Expressions. A bound is known of every one, and indices are brought into their arrays. */
#include "support/random_c_gen.h"

int below(struct gen *g, int n) { return (int)wg_random_below(&g->random, (uint64_t)n); }
bool chance(struct gen *g, int percent) { return below(g, 100) < percent; }

struct variable *pick(struct gen *g, enum variable_kind kind, bool writes) {
    struct variable *found[VARIABLES];
    int n = 0;
    for (int i = g->first; i < g->count; i++) {
        struct variable *v = &g->v[i];
        bool reads_none = v->length && (kind == REALS || kind == WHOLES) && !g->nonempty;
        if (v->kind == kind && !v->is_hidden && !(writes && v->is_const) && !reads_none)
            found[n++] = v;
    }
    if (!n) return NULL;
    int i = below(g, n), k = below(g, n);
    return found[i > k ? i : k];
}

static struct c_node *leaf(struct gen *g, enum c_kind kind, double most, const char *form) {
    return c_node(g->t, kind, most, form, 0);
}

/* ---- whole numbers --------------------------------------------------------------------------- */

struct c_node *reduced(struct gen *g, struct c_node *n, int most) {
    if (n->most <= most) return n;
    bool masks = most >= 63 && chance(g, 40);
    return c_node(g->t, C_WHOLE, masks ? 63 : most,
                  c_say(g->t, masks ? "($ & 63)" : "($ %% %d)", most + 1), 1, n);
}

struct c_node *an_index(struct gen *g, const struct variable *array, int depth) {
    const struct variable *counter = pick(g, COUNTER, false);
    for (int k = 0; k < 3 && counter && chance(g, 80); k++, counter = pick(g, COUNTER, false)) {
        bool fits = array->length ? counter->length != NULL
                                  : !counter->length && counter->count <= array->count;
        if (!fits) continue;
        if (counter->has_before && chance(g, 40))
            return leaf(g, C_FIXED, 0, c_say(g->t, "%s - 1", counter->name));
        return leaf(g, C_FIXED, 0, counter->name);
    }
    struct c_node *n = a_whole(g, depth);
    if (array->length)
        return c_node(g->t, C_FIXED, 0,
                      c_say(g->t, chance(g, 50) ? "wrap($, %s)" : "clamp($, %s)", array->length), 1,
                      n);
    if (n->most < 1 && !n->count) return n;
    if ((array->count & (array->count - 1)) == 0)
        return c_node(g->t, C_FIXED, 0, c_say(g->t, "$ & %d", array->count - 1), 1, n);
    return c_node(g->t, C_FIXED, 0, c_say(g->t, "(unsigned)$ %% %du", array->count), 1, n);
}

static struct c_node *whole_leaf(struct gen *g) {
    struct variable *v = NULL;
    if (chance(g, 40)) v = pick(g, WHOLE, false);
    if (!v && chance(g, 60)) v = pick(g, COUNTER, false);
    if (v) return leaf(g, C_WHOLE, v->kind == COUNTER ? 8 : 1e6, v->name);
    if (g->length && chance(g, 30)) return leaf(g, C_WHOLE, 5, g->length);
    int number = below(g, 8);
    return leaf(g, C_WHOLE, number, c_say(g->t, "%d", number));
}

static struct c_node *whole_of_two(struct gen *g, int depth) {
    struct c_node *a = a_whole(g, depth), *b = a_whole(g, depth);
    switch (below(g, 8)) {
    case 0:
    case 1: return c_node(g->t, C_WHOLE, a->most + b->most, "($ + $)", 2, a, b);
    case 2: return c_node(g->t, C_WHOLE, a->most + b->most, "($ - $)", 2, a, b);
    case 3:
        a = reduced(g, a, 999);
        b = reduced(g, b, 999);
        return c_node(g->t, C_WHOLE, a->most * b->most, "($ * $)", 2, a, b);
    case 4: return c_node(g->t, C_WHOLE, a->most, "($ / (1 + ($ & 3)))", 2, a, b);
    case 5: return c_node(g->t, C_WHOLE, 5, "($ % (-3 - ($ & 3)))", 2, a, b);
    case 6: return c_node(g->t, C_WHOLE, 2 * (a->most + b->most), "($ ^ $)", 2, a, b);
    default: return c_node(g->t, C_WHOLE, 2 * (a->most + b->most), "($ | $)", 2, a, b);
    }
}

static struct c_node *whole_of_one(struct gen *g, int depth) {
    static const struct {
        const char *form;
        double most; /* 0: that of the operand, and one */
    } row[] = {{"($ / 3)", 0},
               {"($ / -2)", 0},
               {"($ % 7)", 6},
               {"($ % -5)", 4},
               {"($ & 5)", 5},
               {"(($ & 15) << 2)", 60},
               {"($ >> 1)", 0},
               {"(-$)", 0},
               {"(~$)", 0},
               {"!$", 1},
               {"(signed char)$", 128},
               {"(unsigned char)$", 255},
               {"(short)$", 32768},
               {"(_Bool)$", 1},
               {"(int)((long)$ * 3000000000L % 1000)", 999},
               {"(int)((unsigned)$ * 2654435769u >> 28)", 15},
               {"(int)((unsigned)$ / 3u % 11u)", 10},
               {"($ * 0)", 0.5},
               {"(int)((unsigned long)$ % 9)", 8},
               {"abs($)", 0},
               {"(int)((unsigned)$ < 3u)", 1},
               {"(int)(sizeof(double) * (unsigned)$ & 31)", 31},
               {"(int)(unsigned short)$", 65535},
               {"(int)((~0u - (unsigned)$) % 7u)", 6},
               {"(int)((unsigned long)$ << 40 >> 50)", 16383},
               {"(int)((unsigned char)$ - 200)", 200},
               {"($ > -1u)", 1},
               {"(int)(0.5 * $)", 0}};
    size_t k = (size_t)below(g, sizeof row / sizeof *row);
    struct c_node *a = a_whole(g, depth);
    return c_node(g->t, C_WHOLE, row[k].most > 0 ? row[k].most : a->most + 1, row[k].form, 1, a);
}

static int helper_of(struct gen *g, enum helper_kind kind) {
    int from = g->helpers ? below(g, g->helpers) : 0;
    for (int i = 0; i < g->helpers; i++)
        if (g->helper[(from + i) % g->helpers] == kind) return (from + i) % g->helpers;
    return -1;
}

const char *helper_name(struct gen *g, int number) {
    return c_say(g->t, "h%llu_%d", (unsigned long long)g->r->seed, number);
}

struct c_node *a_whole(struct gen *g, int depth) {
    if (depth <= 0) return whole_leaf(g);
    struct variable *v;
    struct c_node *n;
    int helper;
    switch (below(g, 14)) {
    case 0:
    case 1:
    case 2: n = whole_of_two(g, depth - 1); break;
    case 3:
    case 4:
    case 5: n = whole_of_one(g, depth - 1); break;
    case 6: return c_node(g->t, C_WHOLE, 4, "@(int)|whole_@(4 * sin($))", 1, a_real(g, depth - 1));
    case 7: {
        struct c_node *c = a_truth(g, depth - 1, false), *a = a_whole(g, depth - 1);
        struct c_node *b = a_whole(g, depth - 1);
        n = c_node(g->t, C_WHOLE, a->most > b->most ? a->most : b->most, "($ ? $ : $)", 3, c, a, b);
        break;
    }
    case 8: return c_node(g->t, C_WHOLE, 1, "($)", 1, a_truth(g, depth - 1, false));
    case 9:
        v = pick(g, WHOLES, false);
        if (!v) return whole_leaf(g);
        return c_node(g->t, C_WHOLE, 1e6, c_say(g->t, "%s[$]", v->name), 1,
                      an_index(g, v, depth - 1));
    case 10:
        v = pick(g, HASH, false);
        if (v) return leaf(g, C_WHOLE, 10, c_say(g->t, "(int)(%s %% 11u)", v->name));
        return whole_leaf(g);
    case 11:
        helper = helper_of(g, OF_WHOLES);
        if (helper < 0) return whole_leaf(g);
        n = c_node(g->t, C_WHOLE, 100, c_say(g->t, "%s($, $)", helper_name(g, helper)), 2,
                   reduced(g, a_whole(g, depth - 1), 99), a_real(g, depth - 1));
        break;
    default: return whole_leaf(g);
    }
    return n->most > 1e8 ? reduced(g, n, 97) : n;
}

/* ---- conditions ------------------------------------------------------------------------------ */

static const char *const comparison[] = {"<", ">", "<=", ">=", "!=", "=="};

static struct c_node *effect(struct gen *g) {
    struct variable *v = pick(g, WHOLE, true);
    if (v && chance(g, 70))
        return leaf(
            g, C_TRUTH, 1,
            c_say(g->t, chance(g, 50) ? "%s++ < %d" : "(%s += 2) > %d", v->name, below(g, 6)));
    struct variable *t = chance(g, 30) ? pick(g, REAL, true) : NULL;
    if (t && v) return leaf(g, C_TRUTH, 1, c_say(g->t, "(%s *= 0.9, --%s > 1)", t->name, v->name));
    struct c_node *p = chance(g, 70) ? real_place(g) : NULL;
    if (!p) return leaf(g, C_TRUTH, 1, "1");
    return c_node(g->t, C_TRUTH, 1, "@|way_@(($ = sin($)) > 0.2)", 2, p, a_real(g, 1));
}

struct c_node *a_truth(struct gen *g, int depth, bool effects) {
    if (effects && chance(g, 12)) return effect(g);
    if (depth > 0 && chance(g, 35)) {
        static const char *const form[] = {"($ && $)", "($ || $)", "(!$ || $)"};
        return c_node(g->t, C_TRUTH, 1, form[below(g, 3)], 2, a_truth(g, depth - 1, effects),
                      a_truth(g, depth - 1, effects));
    }
    if (chance(g, 60))
        return c_node(g->t, C_TRUTH, 1, c_say(g->t, "@|way_@($ %s $)", comparison[below(g, 4)]), 2,
                      a_real(g, depth - 1), a_real(g, depth - 1));
    struct c_node *a = a_whole(g, depth), *b = whole_leaf(g);
    if (chance(g, 15)) return c_node(g->t, C_TRUTH, 1, "$", 1, a);
    return c_node(g->t, C_TRUTH, 1, c_say(g->t, "($ %s $)", comparison[below(g, 6)]), 2, a, b);
}

/* ---- floating numbers ------------------------------------------------------------------------ */

/* A number that can be assigned to, or any that is stored. NULL: there is none. */
static struct c_node *stored(struct gen *g, bool writes) {
    struct variable *v = NULL;
    if (chance(g, 35)) v = pick(g, REALS, writes);
    if (!v && chance(g, 10)) v = pick(g, MATRIX, writes);
    if (!v) v = pick(g, REAL, writes);
    if (!v) v = pick(g, REALS, writes);
    if (!v) return NULL;
    enum c_kind kind = writes ? C_FIXED : C_REAL;
    if (v->kind == REAL) return leaf(g, kind, 4, v->name);
    if (v->kind == MATRIX) {
        struct variable rows = {.count = 2}, columns = {.count = 3};
        return c_node(g->t, kind, 4, c_say(g->t, "%s[$][$]", v->name), 2, an_index(g, &rows, 1),
                      an_index(g, &columns, 1));
    }
    const char *form = chance(g, 90) ? "%s[$]" : "*(%s + ($))";
    return c_node(g->t, kind, 4, c_say(g->t, form, v->name), 1, an_index(g, v, 1));
}

struct c_node *real_place(struct gen *g) {
    return stored(g, true);
}

struct c_node *real_leaf(struct gen *g) {
    struct c_node *n = chance(g, 75) ? stored(g, false) : NULL;
    if (n) return n;
    int k = below(g, 20);
    return leaf(g, C_REAL, 2, c_say(g->t, "%d.%d", k / 10, k % 10));
}

static struct c_node *real_of_two(struct gen *g, int depth) {
    struct c_node *a = a_real(g, depth), *b = a_real(g, depth);
    double sum = a->most + b->most, larger = a->most > b->most ? a->most : b->most;
    switch (below(g, 11)) {
    case 0:
    case 1: return c_node(g->t, C_REAL, sum, "($ + $)", 2, a, b);
    case 2: return c_node(g->t, C_REAL, sum, "($ - $)", 2, a, b);
    case 3:
    case 4:
    case 5: return c_node(g->t, C_REAL, a->most * b->most, "$ * $", 2, a, b);
    case 6: return c_node(g->t, C_REAL, a->most, "$ / (2.5 + sin($))", 2, a, b);
    case 7: return c_node(g->t, C_REAL, larger, "@fmax|way_fmax@($, $)", 2, a, b);
    case 8: return c_node(g->t, C_REAL, larger, "@fmin|way_fmin@($, $)", 2, a, b);
    case 9: return c_node(g->t, C_REAL, 1.5, "atan2($, 1.5 + sq($))", 2, a, b);
    default: return c_node(g->t, C_REAL, sum + 1, "sqrt(1 + sq($) + sq($))", 2, a, b);
    }
}

static struct c_node *real_of_one(struct gen *g, int depth) {
    static const struct {
        const char *form;
        double most; /* 0: that of the operand */
    } row[] = {{"sin($)", 1},
               {"cos($)", 1},
               {"tanh($)", 1},
               {"atan($)", 1.6},
               {"exp(-sq($))", 1},
               {"log(1.5 + sq($))", 4},
               {"(-$)", 0},
               {"0.5 * $", 0},
               {"@fabs|way_fabs@($)", 0},
               {"exp(sin($))", 2.8},
               {"pow(2 + sin($), 1.5)", 5.2},
               {"asinh($)", 0},
               {"log1p(sq($))", 4},
               {"hypot($, 1.5)", 6},
               {"expm1(sin($))", 2},
               {"sq(sin($))", 1},
               {"erf($)", 1},
               {"@floor|way_floor@(2 * sin($))", 2},
               {"pow(sin($), 2)", 1}};
    size_t k = (size_t)below(g, sizeof row / sizeof *row);
    struct c_node *a = a_real(g, depth);
    return c_node(g->t, C_REAL, row[k].most > 0 ? row[k].most : a->most, row[k].form, 1, a);
}

struct c_node *bounded(struct gen *g, struct c_node *n, double most) {
    if (n->most <= most) return n;
    static const char *const form[] = {"sin($)", "tanh($)", "cos($)", "atan($) * 0.6"};
    n = c_node(g->t, C_REAL, 1, form[below(g, 4)], 1, n);
    if (most < 1) n = c_node(g->t, C_REAL, most, c_say(g->t, "%.2g * $", most), 1, n);
    return n;
}

struct c_node *a_real(struct gen *g, int depth) {
    if (depth <= 0) return real_leaf(g);
    struct c_node *n;
    int helper;
    switch (below(g, 12)) {
    case 0:
    case 1:
    case 2:
    case 3: n = real_of_two(g, depth - 1); break;
    case 4:
    case 5:
    case 6: n = real_of_one(g, depth - 1); break;
    case 7: {
        struct c_node *c = a_truth(g, depth - 1, false), *a = a_real(g, depth - 1);
        struct c_node *b = a_real(g, depth - 1);
        n = c_node(g->t, C_REAL, a->most > b->most ? a->most : b->most, "($ ? $ : $)", 3, c, a, b);
        break;
    }
    case 8: n = c_node(g->t, C_REAL, 2, "0.1 * $", 1, reduced(g, a_whole(g, depth - 1), 19)); break;
    case 9:
        helper = helper_of(g, OF_NUMBERS);
        if (helper < 0) return real_leaf(g);
        n = c_node(g->t, C_REAL, 4, c_say(g->t, "%s($, $)", helper_name(g, helper)), 2,
                   bounded(g, a_real(g, depth - 1), 4), bounded(g, a_real(g, depth - 1), 4));
        break;
    default: return real_leaf(g);
    }
    return bounded(g, n, 60);
}
