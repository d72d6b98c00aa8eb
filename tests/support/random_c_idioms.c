/* What people write again and again: searches, sums, sorts, walks. # is a new name, ~ an array and ^
 * how many elements it has. */
#include "support/random_c_gen.h"

static const char *const reading[] =
    {/* and # is a number afterwards */
     "int b# = 0;\nfor (int i = 1; i < ^; i++)\nif (@|way_@(~[i] > ~[b#])) b# = i;\n"
     "double # = ^ > 0 ? ~[b#] : 0.2;\n",
     "double # = 0;\nfor (int i = 0; i < ^; i++)\nfor (int j = 0; j <= i; j++) # += 0.1 * ~[i] * "
     "~[j] / "
     "(1 + i + j);\n",
     "double # = $, c# = 0.3;\nfor (int i = ^ - 1; i >= 0; i--) # = # * c# + ~[i];\n",
     "int lo# = 0, hi# = ^;\nwhile (lo# < hi#) {\nint mid = (lo# + hi#) / 2;\n"
     "if (@|way_@(~[mid] < $)) lo# = mid + 1;\nelse hi# = mid;\n}\ndouble # = 0.1 * lo#;\n",
     "double # = 0, c# = 0;\nfor (int i = 0; i < ^; i++) {\ndouble add = ~[i] - c#, sum = # + add;\n"
     "c# = (sum - #) - add;\n# = sum;\n}\n",
     "double # = 0;\nint i# = 0;\nwhile (i# < ^ && @|way_@(# < 1.5)) # += sq(~[i#++]) * $;\n",
     "double # = -9;\nfor (int i = 0; i < ^; i++) {\nif (@|way_@(~[i] < #)) continue;\n# = ~[i];\n"
     "if (@|way_@(# > 0.7)) break;\n}\n# = # < -8 ? 0.2 : #;\n",
     "double #;\nfor (int i = (# = $, 0); i < ^; i++) # = 0.5 * # + ~[i];\n",
     "double # = 1;\nfor (int i = 0; i < 20; i++) {\ndouble d = (# * # - 2 - sin($)) / (2 * #);\n"
     "# -= d;\nif (@|way_@(fabs(d) < 1e-12)) break;\n}\n",
     "double # = 0.1;\nfor (const double *p = ~, *e = ~ + ^; p < e; p += 2) {\nif (@|way_@(*p < "
     "0)) # "
     "-= *p;\nelse if (p + 1 < e) # += p[1] * $;\n}\n",
     "double # = 1;\ndo {\n# *= 0.5;\nif (^ == 0) break;\n} while (@|way_@(# * ~[0] > 0.1) && # > "
     "0.01);\n",
     "double # = 0;\nfor (int i = 0; i < ^; i++) {\nswitch (i % 3) {\ncase 0: # += ~[i];\nbreak;\n"
     "case 1: # *= 0.5;\ndefault: # -= 0.25 * ~[i] * $;\n}\n}\n",
     "double # = 0;\nfor (int i = 0; i < ^; i++) {\n_Bool found = 0;\nfor (int j = 0; j < i && "
     "!found; j++)\nif (@|way_@(~[j] > ~[i])) found = 1;\nif (!found) # += ~[i];\n}\n",
     "double # = 0.3;\nfor (unsigned long i = (unsigned long)^; i-- > 0;) # = 0.7 * # - ~[i] * "
     "$;\n",
     "double # = 0;\nint k# = ^;\nwhile (k#) {\nk# /= 2;\n# += 0.3 * ~[k#] + $;\n}\n"};

static const char *const writing[] = {
    "for (int i = 1; i < ^; i++) {\ndouble it = ~[i];\nint j = i;\nwhile (j > 0 && @|way_@(~[j - 1] "
    "> "
    "it)) {\n~[j] = ~[j - 1];\nj--;\n}\n~[j] = it;\n}\n",
    "for (int i = 0, j = ^ - 1; i < j; i++, j--) {\ndouble h = ~[i];\n~[i] = ~[j];\n~[j] = h;\n}\n",
    "for (int i = 1; i < ^; i++) ~[i] += 0.5 * ~[i - 1];\n",
    "for (int i = 0; i < ^; i++) {\nif (i + 1 < ^ && @|way_@(~[i + 1] > $)) ~[i] = 0.5 * (~[i] + "
    "~[i + 1]);\n}\n",
    "int c# = 0;\nfor (int i = 0; i < ^; i++)\nif (@|way_@(~[i] > $)) ~[c#++] = ~[i];\n"
    "while (c# < ^) ~[c#++] = 0.3;\n",
    "double *p# = ~, *q# = ~ + ^;\nwhile (p# < q#) {\n--q#;\nif (@|way_@(*p# > *q#)) {\ndouble h = "
    "*p#;\n*p# = *q#;\n*q# = h;\n}\np#++;\n}\n",
    "for (int i = 0; i < ^; i++) ~[(i * 2 + 1) % ^] += 0.2 * sin($ + i);\n",
    "double #[8];\nmemcpy(#, ~, (unsigned long)^ * sizeof *#);\nfor (int i = 0; i < ^; i++) ~[i] = "
    "#[^ - 1 - i] * 0.9;\n",
    "for (int i = 0; i < ^; i++) {\nfor (int j = i + 1; j < ^; j++) {\nif (@|way_@(~[j] < ~[i])) "
    "{\n"
    "double h = ~[i];\n~[i] = ~[j];\n~[j] = h;\n}\n}\n}\n",
    "for (int i = 0; i < ^; i++) {\nif (@|way_@(~[i] < 0)) continue;\n~[i] = -0.5 * ~[i];\nif (i "
    "== "
    "2) break;\n}\n",
    "int i# = 0;\nfor (; i# < ^; ++i#) {\n~[i#] *= $;\nif (@|way_@(~[i#] > 0.3)) break;\n}\nif (i# "
    "< ^) "
    "~[i#] = 0.1;\n",
    "for (int i = 0; i < ^; i++) ~[i] = i ? ~[i - 1] * 0.5 + ~[i] : $;\n",
    "for (double *p = ~; p != ~ + ^; p++) {\ndouble *last = p == ~ ? p : p - 1;\n*p = 0.5 * *last + "
    "cos(*p);\n}\n"};

static const char *const declaring[] = {/* an array # of four */
                                        "static const double #[4] = {0.3, -0.7, 1.1, 0.2};\n",
                                        "const double #[] = {0.3, -0.7, 1.1 / 3, 2e-1};\n"};

static struct c_node *array_of_pairs(struct gen *g) {
    const char *name = new_name(g, "s");
    struct c_node *n = c_node(
        g->t, C_LINE, 0,
        named(g,
              "struct pair #[2] = {{.u = $}, {.v = $, .w = {0.1, 0.2}}};\n"
              "for (int i = 0; i < 2; i++) {\nstruct pair *p = &#[i];\np->u += 0.2 * #[1 - "
              "i].v;\n#[i].w[1 - i] = p->u;\np->j = i + #[0].j;\n}\n",
              name, NULL, NULL),
        2, bounded(g, a_real(g, 1), 3), bounded(g, a_real(g, 1), 3));
    for (int i = 0; i < 2; i++) {
        declare(g, PAIR, c_say(g->t, "%s[%d]", name, i), NULL, 1);
        declare(g, REAL, c_say(g->t, "%s[%d].u", name, i), NULL, 0);
        declare(g, REAL, c_say(g->t, "%s[%d].v", name, i), NULL, 0);
    }
    declare(g, REALS, c_say(g->t, "%s[1].w", name), NULL, 2);
    declare(g, WHOLE, c_say(g->t, "%s[1].j", name), NULL, 0);
    return n;
}

static struct c_node *table(struct gen *g) {
    const char *name = new_name(g, "w");
    bool whole = chance(g, 30);
    const char *form = whole ? "static const int #[4] = {2, 0, -3, 1};\n" : declaring[below(g, 2)];
    struct c_node *n = c_node(g->t, C_LINE, 0, named(g, form, name, NULL, NULL), 0);
    declare(g, whole ? WHOLES : REALS, name, NULL, 4)->is_const = true;
    return n;
}

struct c_node *idiom(struct gen *g) {
    if (chance(g, 12)) return table(g);
    if (chance(g, 10)) return array_of_pairs(g);
    bool writes = chance(g, 45);
    struct variable *a = NULL;
    for (int i = g->first; i < g->count; i++)
        if (g->v[i].kind == REALS && !(writes && g->v[i].is_const) && (!a || chance(g, 40)))
            a = &g->v[i];
    if (!a || g->loops >= 3) return table(g);
    const char *length = a->length ? a->length : c_say(g->t, "%d", a->count);
    const char *name = new_name(g, "t"), *array = a->name;
    const char *form = writes ? writing[below(g, sizeof writing / sizeof *writing)]
                              : reading[below(g, sizeof reading / sizeof *reading)];
    struct c_node *n = c_node(g->t, C_LINE, 0, named(g, form, name, array, length), 1,
                              bounded(g, a_real(g, 1), 0.9));
    if (!writes) declare(g, REAL, name, NULL, 0);
    return n;
}
