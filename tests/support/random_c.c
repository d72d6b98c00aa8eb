/* Everything is drawn in one walk. What is promised of numbers: a floating variable is about 4 at
 * most, what is added in a loop is small; a whole variable that is assigned to is below 100, one that
 * is counted on below a million, and every expression knows a bound. */
#include "support/random_c_gen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct c_node *block(struct gen *g, int length);

const char *new_name(struct gen *g, const char *letter) {
    return c_say(g->t, "%s%d", letter, ++g->names);
}

const char *named(struct gen *g, const char *form, const char *name, const char *other,
                  const char *length) {
    char text[900], *at = text;
    for (; *form; form++) {
        const char *put = *form == '#' ? name : *form == '~' ? other : *form == '^' ? length : NULL;
        if (put)
            at += sprintf(at, "%s", put);
        else
            *at++ = *form;
    }
    *at = 0;
    return c_say(g->t, "%s", text);
}

struct variable *declare(struct gen *g, enum variable_kind kind, const char *name,
                         const char *length, int count) {
    static struct variable none;
    if (g->count == VARIABLES) return &none;
    g->v[g->count] = (struct variable){
        .kind = kind, .name = name, .length = length, .count = count};
    return &g->v[g->count++];
}

static void declare_pair(struct gen *g, const char *name, const char *dot) {
    declare(g, PAIR, name, NULL, *dot == '.');
    declare(g, REAL, c_say(g->t, "%s%su", name, dot), NULL, 0);
    declare(g, REAL, c_say(g->t, "%s%sv", name, dot), NULL, 0);
    declare(g, WHOLE, c_say(g->t, "%s%sj", name, dot), NULL, 0);
    declare(g, REALS, c_say(g->t, "%s%sw", name, dot), NULL, 2);
}

/* ---- statements that do not nest ------------------------------------------------------------- */

static struct c_node *line(struct gen *g, const char *form, struct c_node *a, struct c_node *b) {
    return c_node(g->t, C_LINE, 0, form, (size_t)(a != NULL) + (b != NULL), a, b);
}

static struct c_node *declare_real(struct gen *g) {
    const char *name = new_name(g, "t");
    struct c_node *n;
    if (chance(g, 15)) {
        const char *form = "double %s;\nif ($) %s = $;\nelse %s = $;\n";
        n = c_node(g->t, C_LINE, 0, c_say(g->t, form, name, name, name), 3, a_truth(g, 1, true),
                   bounded(g, a_real(g, 2), 4), bounded(g, a_real(g, 1), 4));
    } else if (chance(g, 2)) { /* an f32, of which differences tell little */
        n = line(g, c_say(g->t, "float %s = (float)$;\n%s = %s * 1.5f + 0.1;\n", name, name, name),
                 bounded(g, a_real(g, 2), 2), NULL);
        declare(g, REAL, name, NULL, 0)->is_const = true;
        return n;
    } else {
        n = line(g, c_say(g->t, chance(g, 85) ? "double %s = $;\n" : "double %s = ($);\n", name),
                 bounded(g, a_real(g, 3), 4), NULL);
    }
    declare(g, REAL, name, NULL, 0);
    return n;
}

static struct c_node *declare_whole(struct gen *g) {
    static const char *const form[] = {"int %s = $;\n", "long %s = $;\n", "short %s = (short)$;\n",
                                       "int %s = 1, *p%s = &%s;\n*p%s += $;\n"};
    int k = chance(g, 70) ? 0 : below(g, 4);
    const char *name = new_name(g, "k");
    struct c_node *n = line(g,
                            c_say(g->t,
                                  k == 0   ? form[0]
                                  : k == 1 ? form[1]
                                  : k == 2 ? form[2]
                                           : form[3],
                                  name, name, name, name),
                            reduced(g, a_whole(g, 2), 99), NULL);
    struct variable *v = declare(g, WHOLE, name, NULL, 0);
    v->is_const = k == 1 || k == 2; /* a short would not hold a million, and a long is no int */
    return n;
}

static struct c_node *declare_array(struct gen *g) {
    const char *name = new_name(g, "w");
    struct c_node *n;
    switch (below(g, 8)) {
    case 0:
        n = line(g, c_say(g->t, "double %s[4] = {$, $};\n", name), bounded(g, a_real(g, 1), 4),
                 bounded(g, a_real(g, 1), 4));
        declare(g, REALS, name, NULL, 4);
        return n;
    case 1:
        n = line(g, c_say(g->t, "double %s[] = {$, $, 0.3};\n", name), bounded(g, a_real(g, 1), 4),
                 bounded(g, a_real(g, 1), 4));
        declare(g, REALS, name, NULL, 3);
        return n;
    case 2:
        n = line(g,
                 c_say(g->t, "double %s[5];\nfor (int i = 0; i < 5; i++) %s[i] = $ - 0.1 * i;\n",
                       name, name),
                 bounded(g, a_real(g, 1), 4), NULL);
        declare(g, REALS, name, NULL, 5);
        return n;
    case 3:
        n = line(g, c_say(g->t, "int %s[3] = {[1] = $, [2] = $};\n", name),
                 reduced(g, a_whole(g, 1), 99), reduced(g, a_whole(g, 1), 99));
        declare(g, WHOLES, name, NULL, 3);
        return n;
    case 4:
        n = line(g, c_say(g->t, "double %s[2][3] = {{$, 0.2}, {0.1, 0.4, $}};\n", name),
                 bounded(g, a_real(g, 1), 4), bounded(g, a_real(g, 1), 4));
        declare(g, MATRIX, name, NULL, 0);
        return n;
    case 5:
    case 6:
        if (g->length) {
            static const char *const form[] = {
                "double #[~ + 1];\nfor (int i = 0; i <= ~; i++) #[i] = $;\n",
                "double #[~ + 1];\nmemset(#, 0, (~ + 1) * sizeof *#);\n"
                "for (double *p = #; p < # + ~; p++) *p += $;\n"};
            n = line(g, named(g, form[below(g, 2)], name, g->length, NULL),
                     bounded(g, a_real(g, 1), 4), NULL);
            declare(g, REALS, name, g->length, 0);
            return n;
        } /* fall through */
    default:
        n = line(g, c_say(g->t, "struct pair %s = {.v = $, .u = $, .j = 3};\n", name),
                 bounded(g, a_real(g, 1), 4), bounded(g, a_real(g, 1), 4));
        declare_pair(g, name, ".");
        return n;
    }
}

static struct c_node *assign_real(struct gen *g) {
    static const struct {
        const char *form;
        double most;
    } row[] = {{"$ = $;\n", 4},    {"$ = $;\n", 4},    {"$ = $;\n", 4},  {"$ += $;\n", 0.3},
               {"$ += $;\n", 0.3}, {"$ -= $;\n", 0.3}, {"$ *= $;\n", 1}, {"$ /= 2.5 + $;\n", 1}};
    size_t k = (size_t)below(g, sizeof row / sizeof *row);
    struct c_node *p = real_place(g);
    if (!p) return declare_real(g);
    struct c_node *x = bounded(g, a_real(g, chance(g, 30) ? 3 : 2), row[k].most);
    const struct variable *u = pick(g, REAL, true), *v = pick(g, REAL, true);
    if (chance(g, 8) && u && v && u != v)
        return line(g, c_say(g->t, "%s = %s = $;\n", u->name, v->name), x, NULL);
    return line(g, row[k].form, p, x);
}

static struct c_node *assign_whole(struct gen *g) {
    struct variable *v = pick(g, WHOLE, true), *a = pick(g, WHOLES, true), *h = pick(g, HASH, true);
    if (a && chance(g, 30))
        return line(g, c_say(g->t, chance(g, 50) ? "%s[$] = $;\n" : "%s[$] += $;\n", a->name),
                    an_index(g, a, 1), reduced(g, a_whole(g, 2), 9));
    if (h && chance(g, 40))
        return line(g,
                    c_say(g->t,
                          chance(g, 50) ? "%s = %s * 1664525u + (unsigned)$;\n"
                                        : "%s ^= %s >> 7 | (unsigned)$ << 3;\n",
                          h->name, h->name),
                    a_whole(g, 1), NULL);
    if (chance(g, 12)) {
        const char *name = new_name(g, "g");
        struct c_node *n = line(g, c_say(g->t, "unsigned %s = 7u + (unsigned)$;\n", name),
                                a_whole(g, 1), NULL);
        declare(g, HASH, name, NULL, 0);
        return n;
    }
    if (!v) return declare_whole(g);
    switch (below(g, 8)) {
    case 0: return line(g, c_say(g->t, "%s++;\n", v->name), NULL, NULL);
    case 1: return line(g, c_say(g->t, "--%s;\n", v->name), NULL, NULL);
    case 2: return line(g, c_say(g->t, "%s += $;\n", v->name), reduced(g, a_whole(g, 2), 9), NULL);
    case 3: return line(g, c_say(g->t, "%s %%= 13;\n", v->name), NULL, NULL);
    case 4: return line(g, c_say(g->t, "%s >>= 1;\n", v->name), NULL, NULL);
    case 5: return line(g, c_say(g->t, "%s -= $;\n", v->name), reduced(g, a_whole(g, 2), 9), NULL);
    default: return line(g, c_say(g->t, "%s = $;\n", v->name), reduced(g, a_whole(g, 3), 99), NULL);
    }
}

/* w[k++ & 3] = .., t = w[--k & 3] * ..: the number that moves stands nowhere else. */
static struct c_node *assign_moving(struct gen *g) {
    struct variable *k = pick(g, WHOLE, true), *a = pick(g, REALS, true);
    struct c_node *p = real_place(g);
    if (!k || !a || !p) return assign_real(g);
    const char *const move[] = {"%s++", "++%s", "%s--", "--%s", "(%s += 3)"};
    const char *moved = c_say(g->t, move[below(g, 5)], k->name);
    const char *in = a->length ? c_say(g->t, "%s[wrap(%s, %s)]", a->name, moved, a->length)
                     : (a->count & (a->count - 1)) == 0
                         ? c_say(g->t, "%s[%s & %d]", a->name, moved, a->count - 1)
                         : c_say(g->t, "%s[(unsigned)%s %% %du]", a->name, moved, a->count);
    k->is_hidden = true;
    struct c_node *n, *x = a_real(g, 2);
    switch (below(g, 3)) {
    case 0: n = line(g, c_say(g->t, "%s = $;\n", in), bounded(g, x, 4), NULL); break;
    case 1: n = line(g, c_say(g->t, "%s += $;\n", in), bounded(g, x, 0.3), NULL); break;
    default:
        p = real_place(g);
        n = p ? line(g, c_say(g->t, "$ = 0.5 * %s + $;\n", in), p, bounded(g, x, 2))
              : line(g, c_say(g->t, "%s -= $;\n", in), bounded(g, x, 0.3), NULL);
    }
    k->is_hidden = false;
    return n;
}

/* A pair as a value, and its address. */
static const char *pair_value(struct gen *g, const struct variable *v) {
    return v->count ? v->name : c_say(g->t, "*%s", v->name);
}

static const char *pair_address(struct gen *g, const struct variable *v) {
    return v->count ? c_say(g->t, "&%s", v->name) : v->name;
}

static struct c_node *use_pointer(struct gen *g) {
    struct variable *a = pick(g, REALS, true), *v = pick(g, REAL, true);
    const char *p = new_name(g, "p");
    switch (below(g, 6)) {
    case 0:
        if (!a) break;
        return line(g, c_say(g->t, "double *%s = &%s[$];\n*%s = $;\n", p, a->name, p),
                    an_index(g, a, 1), bounded(g, a_real(g, 2), 4));
    case 1:
        if (!v) break;
        return line(g, c_say(g->t, "double *%s = &%s;\n*%s += $;\n", p, v->name, p),
                    bounded(g, a_real(g, 2), 0.3), NULL);
    case 2:
        if (!a || a->length || a->count < 3) break;
        return line(
            g,
            c_say(g->t, "double *%s = %s;\n*%s++ = $;\n*++%s = $ - %s[-1];\n", p, a->name, p, p, p),
            bounded(g, a_real(g, 1), 1), bounded(g, a_real(g, 1), 1));
    case 3: {
        if (!a) break;
        struct c_node *i = an_index(g, a, 1), *j = an_index(g, a, 1);
        return c_node(g->t, C_LINE, 0,
                      c_say(g->t,
                            "{\nint i = $, j = $;\ndouble %s = %s[i];\n%s[i] = %s[j];\n"
                            "%s[j] = %s;\n}\n",
                            p, a->name, a->name, a->name, a->name, p),
                      2, i, j);
    }
    case 4: { /* a pointer that is chosen */
        if (!a || a->length || a->count < 2) break;
        return line(
            g, c_say(g->t, "double *%s = $ ? %s + 1 : %s;\n%s[0] = $;\n", p, a->name, a->name, p),
            a_truth(g, 1, false), bounded(g, a_real(g, 2), 4));
    }
    default: {
        struct variable *s = pick(g, PAIR, false), *u = pick(g, PAIR, true);
        if (!s || !u || s == u) break;
        return line(g, c_say(g->t, "%s = %s;\n", pair_value(g, u), pair_value(g, s)), NULL, NULL);
    }
    }
    return assign_real(g);
}

static struct c_node *call_helper(struct gen *g) {
    if (!g->helpers) return assign_real(g);
    int helper = below(g, g->helpers);
    const char *name = helper_name(g, helper);
    struct variable *v = pick(g, REAL, true), *s = pick(g, PAIR, true), *u = pick(g, PAIR, false);
    struct variable *a = pick(g, REALS, true), *b = pick(g, REALS, false);
    struct c_node *x = bounded(g, a_real(g, 2), 4);
    switch (g->helper[helper]) {
    case INTO_REAL:
        if (!v) break;
        return line(g,
                    c_say(g->t, "%s = %s(&%s, $, $);\n", pick(g, REAL, true)->name, name, v->name),
                    x, reduced(g, a_whole(g, 2), 99));
    case OF_ARRAYS:
        if (!a || !b) break;
        if (a->length && b->length)
            return line(g, c_say(g->t, "%s(%s, %s, %s);\n", name, a->length, a->name, b->name),
                        NULL, NULL);
        if (a->length || b->length) break;
        return line(g,
                    c_say(g->t, chance(g, 70) ? "%s(2, %s, %s);\n" : "%s(1, %s, %s + 1);\n", name,
                          a->name, b->name),
                    NULL, NULL);
    case OF_PAIR:
        if (!s || !u) break;
        return line(g, c_say(g->t, "%s = %s(%s, $);\n", pair_value(g, s), name, pair_value(g, u)),
                    x, NULL);
    case INTO_PAIR:
        if (!s) break;
        return line(g, c_say(g->t, "%s(%s, $);\n", name, pair_address(g, s)), x, NULL);
    default: break;
    }
    return assign_real(g);
}

/* ---- statements that nest -------------------------------------------------------------------- */

static struct c_node *nested(struct gen *g, int length) {
    g->depth++;
    struct c_node *n = block(g, length);
    g->depth--;
    return n;
}

static struct c_node *choose(struct gen *g) {
    int first = 1 + below(g, 2);
    if (g->length && !g->nonempty && chance(g, 40)) {
        g->nonempty = true;
        struct c_node *a = nested(g, first + 1);
        g->nonempty = false;
        a = c_node(g->t, C_LINE, 0, c_say(g->t, "if (%s > 0) {\n$}\n", g->length), 1, a);
        return a;
    }
    struct c_node *c = a_truth(g, 2, true), *a = nested(g, first);
    switch (below(g, 4)) {
    case 0: return c_node(g->t, C_LINE, 0, "if ($) {\n$}\n", 2, c, a);
    case 1:
        return c_node(g->t, C_LINE, 0, "if ($) {\n$} else if ($) {\n$} else {\n$}\n", 5, c, a,
                      a_truth(g, 1, true), nested(g, 1), nested(g, 1));
    case 2: {
        struct c_node *p = real_place(g), *q = real_place(g);
        if (p && q)
            return c_node(g->t, C_LINE, 0, "if ($) $ = $;\nelse $ = $;\n", 5, c, p,
                          bounded(g, a_real(g, 1), 4), q, bounded(g, a_real(g, 1), 4));
    } /* fall through */
    default: return c_node(g->t, C_LINE, 0, "if ($) {\n$} else {\n$}\n", 3, c, a, nested(g, first));
    }
}

static struct c_node *choose_many(struct gen *g) {
    static const char *const form[] = {
        "switch ($) {\ncase 0: {\n$break;\n}\ncase 1:\ncase 3: {\n$break;\n}\ndefault: {\n$}\n}\n",
        "switch ($) {\ncase 2: {\n$}\ncase 1: {\n$break;\n}\ncase -1: {\n$}\n}\n",
        "switch ($) {\ndefault: {\n$}\ncase 0: {\n$}\ncase 1: {\n$break;\n}\ncase 3:\nbreak;\n}\n",
        "switch ($) {\ncase 4: {\n$}\ncase 1: {\n$}\ncase 0: {\n$}\n}\n"};
    bool breaks = g->breaks;
    struct c_node *x = chance(g, 60) ? c_node(g->t, C_WHOLE, 3, "($ & 3)", 1, a_whole(g, 2))
                                     : reduced(g, a_whole(g, 2), 4);
    g->breaks = true;
    struct c_node *a = nested(g, 1), *b = nested(g, 1), *c = nested(g, 1);
    g->breaks = breaks;
    return c_node(g->t, C_LINE, 0, form[below(g, 4)], 4, x, a, b, c);
}

struct loop_form {
    const char *form; /* # is the counter, ~ the length */
    int count;        /* 0: below the length */
    int gaps;         /* before the body: whole numbers below 4 (1, 2), a condition (4) */
    bool has_before, hidden, plain;
};

static const struct loop_form loop_forms[] = {
    {"for (int # = 0; # < ~; #++) {\n$}\n", 0, 0, false, false, false},
    {"for (int # = 0; # < ~; ++#) {\n$}\n", 0, 0, false, false, false},
    {"for (int # = ~ - 1; # >= 0; #--) {\n$}\n", 0, 0, false, false, false},
    {"for (int # = 1; # < ~; #++) {\n$}\n", 0, 0, true, false, false},
    {"for (int # = 0; # < ~; # += 2) {\n$}\n", 0, 0, false, false, false},
    {"for (int # = 0; # < ~ && $; #++) {\n$}\n", 0, 4, false, false, false},
    {"for (int # = ~; #-- > 0;) {\n$}\n", 0, 0, false, false, false},
    {"for (int # = 0; # < 4; #++) {\n$}\n", 4, 0, false, false, false},
    {"for (int # = 0; # < 4; #++) {\n$}\n", 4, 0, false, false, false},
    {"for (int # = 3; # >= 1; # -= 2) {\n$}\n", 4, 0, true, false, false},
    {"for (int # = $; # < 4; #++) {\n$}\n", 4, 1, false, false, false},
    {"for (int # = $; # <= $; #++) {\n$}\n", 4, 2, false, false, false},
    {"for (int # = $; # != 4; #++) {\n$}\n", 4, 1, false, false, false},
    {"for (int # = $; # > 0; #--) {\n$}\n", 4, 1, true, false, false},
    {"for (int # = $; # >= $ && $; # -= 1) {\n$}\n", 4, 6, false, false, false},
    {"for (unsigned # = 0; # < 3; #++) {\n$}\n", 3, 0, false, false, true},
    {"for (long # = 3; # > $; #--) {\n$}\n", 4, 1, false, false, true},
    {"int #;\nfor (# = 0; # < 4; #++) {\n$}\n", 4, 0, false, false, false},
    {"int # = 0;\nwhile (# < 5 && $) {\n#++;\n$}\n", 6, 4, false, false, false},
    {"int # = 5;\nwhile (#-- > $) {\n$}\n", 5, 1, false, false, false},
    {"int # = 0;\ndo {\n$} while (++# < 4);\n", 4, 0, false, false, false},
    {"int # = 0;\ndo {\n$} while ($ && ++# < 4);\n", 4, 8, false, false, false},
    {"int # = 0;\nwhile (1) {\nif (++# > 4 || $) break;\n$}\n", 5, 4, false, false, false},
    {"for (int # = 0;; #++) {\nif (# >= $) break;\n$}\n", 4, 1, false, false, false},
    {"for (int # = 0; # < 7; #++) {\n$# += $;\n}\n", 7, 16, false, false, false},
    {"for (int # = 0, o# = 4; # < o#; #++, o#--) {\n$}\n", 4, 0, false, false, false},
};

static struct c_node *small(struct gen *g) {
    return c_node(g->t, C_FIXED, 3, "($ & 3)", 1, a_whole(g, 2));
}

static struct c_node *loop(struct gen *g) {
    enum { FORMS = sizeof loop_forms / sizeof *loop_forms };
    if (g->loops >= 3) return choose(g);
    const struct loop_form *f = &loop_forms[below(g, FORMS)];
    while (!f->count && !g->length) f = &loop_forms[below(g, FORMS)];
    const char *name = new_name(g, "i");
    struct c_node *gap[4] = {NULL};
    int gaps = 0, mark = g->count;
    bool breaks = g->breaks, continues = g->continues, nonempty = g->nonempty;
    bool behind = f->gaps & 24; /* gaps that stand behind the body */
    for (int k = 0; k < (f->gaps & 3); k++) gap[gaps++] = small(g);
    if (f->gaps & 4) gap[gaps++] = a_truth(g, 1, true);
    struct variable *v = declare(g, COUNTER, name, f->count ? NULL : g->length, f->count);
    v->has_before = f->has_before;
    v->is_hidden = f->plain;
    g->breaks = g->continues = true;
    if (!f->count) g->nonempty = true;
    g->loops++;
    struct c_node *body = nested(g, 1 + below(g, 3));
    g->loops--;
    g->breaks = breaks;
    g->continues = continues;
    g->nonempty = nonempty;
    g->count = mark;
    struct c_node *n = c_node(g->t, C_LINE, 0, NULL, 0);
    for (int k = 0; k < gaps; k++) c_append(g->t, n, gap[k]);
    c_append(g->t, n, body);
    if (behind) c_append(g->t, n, f->gaps & 8 ? a_truth(g, 1, true) : small(g));
    n->form = named(g, f->form, name, g->length, NULL);
    return n;
}

static struct c_node *walk(struct gen *g) {
    struct variable *a = NULL, *t = pick(g, REAL, true);
    for (int i = g->first; i < g->count; i++)
        if (g->v[i].kind == REALS && (!a || chance(g, 40))) a = &g->v[i];
    if (!a || g->loops >= 3) return loop(g);
    const char *p = new_name(g, "p"), *name = a->name;
    const char *end = a->length ? a->length : c_say(g->t, "%d", a->count);
    if (a->is_const || chance(g, 40)) {
        if (!t) return loop(g);
        const char *form =
            chance(g, 50)
                ? c_say(g->t,
                        "for (const double *%s = %s; %s < %s + %s; %s++) %s += 0.1 * *%s * "
                        "cos($);\n",
                        p, name, p, name, end, p, t->name, p)
            : chance(g, 50)
                ? c_say(g->t,
                        "const double *%s = %s;\nint c%s = %s;\nwhile (c%s--) %s += 0.1 * "
                        "sin(*%s++ + $);\n",
                        p, name, p, end, p, t->name, p)
                : c_say(g->t,
                        "const double *%s = %s + %s;\nwhile (%s > %s) %s = 0.5 * %s + 0.5 * "
                        "sin(*--%s - $);\n",
                        p, name, end, p, name, t->name, t->name, p);
        return line(g, form, bounded(g, a_real(g, 1), 4), NULL);
    }
    const char *form = chance(g, 50)
                           ? c_say(g->t,
                                   "for (double *%s = %s, *e%s = %s + %s; %s != e%s; ++%s) *%s = "
                                   "sin(*%s + $);\n",
                                   p, name, p, name, end, p, p, p, p, p)
                           : c_say(g->t,
                                   "double *%s = %s;\nfor (int i = 0; i < %s; i++) *%s++ *= "
                                   "cos($);\n",
                                   p, name, end, p);
    return line(g, form, bounded(g, a_real(g, 1), 4), NULL);
}

static struct c_node *leave(struct gen *g) {
    struct c_node *c = a_truth(g, 2, true);
    if (g->continues && chance(g, 40)) return c_node(g->t, C_LINE, 0, "if ($) continue;\n", 1, c);
    if (g->breaks && chance(g, 70)) {
        if (chance(g, 30))
            return c_node(g->t, C_LINE, 0, "if ($) {\n$break;\n}\n", 2, c, nested(g, 1));
        return c_node(g->t, C_LINE, 0, "if ($) break;\n", 1, c);
    }
    if (g->length && !g->nonempty && g->depth == 0) {
        struct c_node *n = c_node(g->t, C_LINE, 0,
                                  c_say(g->t, "if (%s < 1) %s", g->length, g->returned), 1,
                                  bounded(g, a_real(g, 0), 4));
        g->nonempty = true;
        n->stays = true;
        return n;
    }
    if (chance(g, 50))
        return c_node(g->t, C_LINE, 0, c_say(g->t, "if ($) %s", g->returned), 2, c,
                      bounded(g, a_real(g, 2), 4));
    return c_node(g->t, C_LINE, 0, c_say(g->t, "if ($) {\n$%s}\n", g->returned), 3, c, nested(g, 1),
                  bounded(g, a_real(g, 2), 4));
}

static struct c_node *statement(struct gen *g) {
    g->room--;
    int k = below(g, 100);
    bool nests = g->depth < 3 && g->room > 0;
    if (k < 5) return idiom(g);
    if (k < 18) return declare_real(g);
    if (k < 24) return declare_whole(g);
    if (k < 31) return declare_array(g);
    if (k < 46) return assign_real(g);
    if (k < 54) return assign_whole(g);
    if (k < 59) return assign_moving(g);
    if (k < 64) return use_pointer(g);
    if (k < 69) return call_helper(g);
    if (!nests) return assign_real(g);
    if (k < 78) return choose(g);
    if (k < 83) return choose_many(g);
    if (k < 92) return loop(g);
    if (k < 94) return walk(g);
    return leave(g);
}

static struct c_node *block(struct gen *g, int length) {
    struct c_node *list = c_node(g->t, C_LIST, 0, NULL, 0);
    int mark = g->count;
    for (int i = 0; i < length; i++) c_append(g->t, list, statement(g));
    if (g->depth) g->count = mark;
    return list;
}

/* ---- functions ------------------------------------------------------------------------------- */

/* Much of what the function has computed, in one number. */
static struct c_node *outcome(struct gen *g) {
    struct c_node *n = real_leaf(g);
    for (int k = 0; k < 3; k++)
        n = c_node(g->t, C_REAL, 9, k % 2 ? "$ + 0.5 * $" : "sin($) + $", 2, n, a_real(g, 1));
    return bounded(g, n, 4);
}

static void helper(struct gen *g, struct c_node *root) {
    int number = g->helpers;
    enum helper_kind kind = (enum helper_kind)below(g, HELPER_KINDS);
    const char *name = helper_name(g, number), *head = NULL, *last = NULL;
    g->count = g->first = 0;
    g->length = NULL;
    g->nonempty = g->breaks = g->continues = false;
    g->loops = 1; /* a call may stand in two */
    g->depth = 0;
    g->room = 4;
    g->returned = "return $;\n";
    switch (kind) {
    case OF_NUMBERS:
        head = "static double %s(double u, double v)";
        declare(g, REAL, "u", NULL, 0);
        declare(g, REAL, "v", NULL, 0);
        break;
    case INTO_REAL:
        head = "static double %s(double *o, double u, int j)";
        declare(g, REAL, "*o", NULL, 0);
        declare(g, REAL, "u", NULL, 0);
        declare(g, WHOLE, "j", NULL, 0);
        break;
    case OF_ARRAYS:
        head = "static void %s(int m, double *o, const double *l)";
        g->length = "m";
        g->returned = "return;\n";
        declare(g, REALS, "l", "m", 0)->is_const = true;
        declare(g, REALS, "o", "m", 0);
        break;
    case OF_PAIR:
        head = "static struct pair %s(struct pair s, double u)";
        g->returned = "return s;\n";
        declare(g, REAL, "u", NULL, 0);
        declare_pair(g, "s", ".");
        break;
    case INTO_PAIR:
        head = "static void %s(struct pair *s, double u)";
        g->returned = "return;\n";
        declare(g, REAL, "u", NULL, 0);
        declare_pair(g, "s", "->");
        break;
    default:
        head = "static int %s(int j, double u)";
        g->returned = "return @(int)|whole_@(4 * sin($));\n";
        declare(g, WHOLE, "j", NULL, 0);
        declare(g, REAL, "u", NULL, 0);
    }
    struct c_node *body = block(g, 1 + below(g, 3));
    bool returns_number = strchr(g->returned, '$') != NULL;
    last = returns_number || kind == OF_PAIR ? g->returned : "";
    char text[200];
    snprintf(text, sizeof text, head, name);
    struct c_node *n = returns_number
                           ? c_node(g->t, C_LINE, 0, c_say(g->t, "%s {\n$%s}\n\n", text, last), 2,
                                    body, outcome(g))
                           : c_node(g->t, C_LINE, 0, c_say(g->t, "%s {\n$%s}\n\n", text, last), 1,
                                    body);
    c_append(g->t, root, n);
    g->helper[g->helpers++] = kind;
}

static void parameter(struct gen *g, char *list, char *call, const char *declared,
                      const char *given) {
    (void)g;
    size_t n = strlen(list), k = strlen(call);
    snprintf(list + n, 400 - n, "%s%s", n ? ", " : "", declared);
    snprintf(call + k, 400 - k, "%s%s", k ? ", " : "", given);
}

static void main_function(struct gen *g, struct c_node *root, int length) {
    char list[400] = "", call[400] = "", head[900];
    struct random_c *r = g->r;
    g->count = g->first = 0;
    g->length = NULL;
    g->nonempty = g->breaks = g->continues = false;
    g->loops = g->depth = 0;
    g->room = 2 * length;
    r->returns = chance(g, 75);
    g->returned = r->returns ? "return $;\n" : "{\n*r = $;\nreturn;\n}\n";
    if (chance(g, 80)) {
        parameter(g, list, call, "double a", "io->a");
        declare(g, REAL, "a", NULL, 0);
    }
    if (chance(g, 50)) {
        parameter(g, list, call, "int k", "io->k");
        declare(g, WHOLE, "k", NULL, 0);
    }
    if (chance(g, 30)) {
        parameter(g, list, call, "struct pair s", "io->s");
        declare_pair(g, "s", ".");
    }
    if (chance(g, 70)) {
        bool sized = chance(g, 70);
        g->length = "n";
        parameter(g, list, call, "int n", "io->n");
        parameter(g, list, call, sized ? "const double x[n]" : "const double *x", "io->x");
        declare(g, REALS, "x", "n", 0)->is_const = true;
        if (!sized) r->size[r->size_count++] = "x=n";
        if (chance(g, 60)) {
            sized = chance(g, 70);
            parameter(g, list, call, sized ? "double y[n]" : "double *y", "io->y");
            declare(g, REALS, "y", "n", 0);
            if (!sized) r->size[r->size_count++] = "y=n";
        }
    }
    if (chance(g, 25)) {
        parameter(g, list, call, "double z[4]", "io->z");
        declare(g, REALS, "z", NULL, 4);
    }
    if (chance(g, 20)) {
        parameter(g, list, call, "struct pair *q", "&io->q");
        declare_pair(g, "q", "->");
    }
    if (chance(g, 20)) {
        bool writes = chance(g, 50);
        parameter(g, list, call, writes ? "int c[3]" : "const int c[3]", "io->c");
        declare(g, WHOLES, "c", NULL, 3)->is_const = !writes;
    }
    if (chance(g, 15)) {
        bool writes = chance(g, 50);
        parameter(g, list, call, writes ? "double g[2][3]" : "double (*g)[3]", "io->g");
        if (!writes) r->size[r->size_count++] = "g=2";
        declare(g, MATRIX, "g", NULL, 0);
        declare(g, REALS, "g[1]", NULL, 3);
    }
    if (chance(g, 70) || !pick(g, REAL, false)) {
        parameter(g, list, call, "double b", "io->b");
        declare(g, REAL, "b", NULL, 0);
    }
    if (!r->returns) {
        parameter(g, list, call, "double *r", "&io->r");
        declare(g, REAL, "*r", NULL, 0);
    }
    struct c_node *body = block(g, length);
    unsigned long long seed = (unsigned long long)r->seed;
    snprintf(head, sizeof head, "%s f%llu(%s)", r->returns ? "double" : "void", seed, list);
    struct c_node *n = c_node(
        g->t, C_LINE, 0,
        c_say(g->t, "%s {\n$%s}\n", head, r->returns ? "return $;\n" : "*r = $;\n"), 2, body,
        outcome(g));
    n->stays = true;
    c_append(g->t, root, n);
    struct c_node *wrapper = c_node(
        g->t, C_LINE, 0,
        c_say(g->t,
              "@|\nvoid call_%llu(struct point *io, unsigned long long *way) {\n"
              "way_at = way;\n%sf%llu(%s);\n}\n@",
              seed, r->returns ? "io->r = " : "", seed, call),
        0);
    wrapper->stays = true;
    c_append(g->t, root, wrapper);
}

void random_c_draw(struct random_c *r, uint64_t seed, int length) {
    *r = (struct random_c){.seed = seed};
    struct gen g = {.r = r, .t = &r->text, .random = wg_random_seed(seed)};
    r->root = c_node(g.t, C_LIST, 0, NULL, 0);
    int helpers = below(&g, 3);
    for (int i = 0; i < helpers; i++) helper(&g, r->root);
    main_function(&g, r->root, length);
}

void random_c_free(struct random_c *r) { c_text_free(&r->text); }

/* ---- texts ----------------------------------------------------------------------------------- */

#define PAIR_TEXT "struct pair {\n    double u, v;\n    int j;\n    double w[2];\n};\n"
#define SQ_TEXT "static double sq(double x) { return x * x; }\n"
#define WRAP_TEXT(begin)                                                                           \
    "static int wrap(int k, int n) {\n" begin "    k %= n;\n    return k < 0 ? k + n : k;\n}\n"
#define CLAMP_TEXT(begin)                                                                          \
    "static int clamp(int k, int n) {\n" begin                                                     \
    "    if (k < 0) return 0;\n    return k < n ? k : n - 1;\n}\n"
#define BROKEN_TEXT "    if (n < 1) broken = n = 1;\n"

const char random_c_prelude[] =
    "#include <math.h>\n#include <stdlib.h>\n#include <string.h>\n" PAIR_TEXT
    "struct point {\n    double a, b, r;\n    double x[8], y[8], z[4], g[2][3];\n    struct pair "
    "s, q;\n"
    "    int k, n, c[3];\n};\n" SQ_TEXT "int broken;\n" WRAP_TEXT(BROKEN_TEXT) CLAMP_TEXT(
        BROKEN_TEXT) "static unsigned long long *way_at;\n"
                     "static int way_(int c) {\n    *way_at = (*way_at ^ (unsigned)c) * "
                     "0x9E3779B97F4A7C15u + 1;\n"
                     "    return c;\n}\n"
                     "static int whole_(double x) { return way_((int)x); }\n"
                     "static double way_fabs(double x) { return way_((x > 0) - (x < 0)), fabs(x); "
                     "}\n"
                     "static double way_floor(double x) { return way_((int)floor(x)), floor(x); }\n"
                     "static double way_fmax(double a, double b) { return way_((a > b) - (a < b)), "
                     "fmax(a, b); }\n"
                     "static double way_fmin(double a, double b) { return way_((a > b) - (a < b)), "
                     "fmin(a, b); }\n";

static bool calls(const char *text, const char *name) {
    size_t n = strlen(name);
    for (const char *at = text; (at = strstr(at, name)); at += n) {
        bool begins = at == text || !strchr("abcdefghijklmnopqrstuvwxyz_0123456789", at[-1]);
        if (begins && at[n] == '(') return true;
    }
    return false;
}

char *random_c_plain(const struct random_c *r) {
    static const char *const of_one[] = {"sin",   "cos",   "tanh",  "atan", "exp",   "log", "fabs",
                                         "asinh", "log1p", "expm1", "erf",  "floor", "sqrt"};
    static const char *const of_two[] = {"fmax", "fmin", "atan2", "pow", "hypot"};
    char *body = c_print(r->root, false), *text = malloc(strlen(body) + 4000);
    assert_non_null(text);
    *text = 0;
    for (size_t i = 0; i < sizeof of_one / sizeof *of_one; i++)
        if (calls(body, of_one[i])) sprintf(text + strlen(text), "double %s(double);\n", of_one[i]);
    for (size_t i = 0; i < sizeof of_two / sizeof *of_two; i++)
        if (calls(body, of_two[i]))
            sprintf(text + strlen(text), "double %s(double, double);\n", of_two[i]);
    if (calls(body, "memset")) strcat(text, "void *memset(void *, int, unsigned long);\n");
    if (calls(body, "memcpy")) strcat(text, "void *memcpy(void *, const void *, unsigned long);\n");
    if (calls(body, "abs")) strcat(text, "int abs(int);\n");
    if (strstr(body, "struct pair")) strcat(text, PAIR_TEXT);
    if (calls(body, "sq")) strcat(text, SQ_TEXT);
    if (calls(body, "wrap")) strcat(text, WRAP_TEXT(""));
    if (calls(body, "clamp")) strcat(text, CLAMP_TEXT(""));
    strcat(text, body);
    free(body);
    return text;
}

char *random_c_marked(const struct random_c *r) { return c_print(r->root, true); }
