/* The functions of tests/csource/suite, each beside itself compiled by the system's compilers: the
 * program's values have the same bits, and its derivatives are those of the compiled function by
 * differences, the same in both modes, and symmetric at second order, forward over reverse and
 * reverse over reverse.
 *
 * A function is tested if the comment before it begins with "at". That comment holds, between
 * semicolons or commas:
 *     x in 0.5..2        numbers of the input x are drawn from there, else from -1..1
 *     k = 3 -1 7         a whole number takes these one after the other; of an array: its elements
 *     n = 0 1 5          sizes, likewise; else 0 1 2 17
 *     size x=n*m         what wg_csource_options.size holds
 *     within 1e-14       values may be off that much
 *     differences 1e-5   how far differences may be off, else 1e-7; 0: they are not taken
 *     values             has no derivatives there
 *     native             is compiled to native code too
 *     vectors            its adjoints are too, as users have them compiled
 * Anything behind a "--" is for people. Run with the names of files and functions it tests these
 * alone; with the path of a file, that one. */
#include "support/test.h"

#include "base/base.h"
#include "ir/ir.h"
#include "support/c_original.h"
#include "support/scratch.h"

#include <ctype.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_FILES = 128, MOST_FUNCTIONS = 64, MOST_WORDS = 32, MOST_PORTS = 32, MOST_SIZES = 8 };

static const char *const compilers[] = {"gcc", "clang"};
enum { COMPILERS = 2 };

struct words { /* of a comment: one of its parts */
    char text[160];
};

struct subject {
    char name[64];
    struct words part[MOST_WORDS];
    size_t parts;
    double within, differences;
    bool is_native, has_vectors, values_only;
    const char *size[MOST_SIZES];
    size_t sizes;
    wg_csource *source;
};

static const char *const *only;
static int only_count;
static size_t failures, functions, points;

static void complain(const struct subject *s, const char *format, ...) {
    va_list args;
    va_start(args, format);
    printf("%s: ", s->name);
    vprintf(format, args);
    printf("\n");
    va_end(args);
    failures++;
}

/* ---- what the comments say ------------------------------------------------------------------- */

static void read_part(struct subject *s, const char *text, size_t size) {
    while (size && isspace((unsigned char)*text)) text++, size--;
    while (size && isspace((unsigned char)text[size - 1])) size--;
    if (!size || s->parts == MOST_WORDS) return;
    struct words *w = &s->part[s->parts++];
    snprintf(w->text, sizeof w->text, "%.*s", (int)size, text);
    if (sscanf(w->text, "within %lf", &s->within) == 1) return;
    if (sscanf(w->text, "differences %lf", &s->differences) == 1) return;
    if (strcmp(w->text, "native") == 0) s->is_native = true;
    if (strcmp(w->text, "vectors") == 0) s->has_vectors = true;
    if (strcmp(w->text, "values") == 0) s->values_only = true;
    if (strncmp(w->text, "size ", 5) == 0 && s->sizes < MOST_SIZES)
        s->size[s->sizes++] = w->text + 5;
}

static size_t read_comments(const char *text, struct subject *list) {
    size_t count = 0;
    for (const char *c = text; (c = strstr(c, "/* at")) && count < MOST_FUNCTIONS;) {
        const char *end = strstr(c, "*/");
        struct subject *s = &list[count];
        if (!end) break;
        *s = (struct subject){.differences = 1e-7};
        const char *last = end, *people = strstr(c, "--");
        if (people && people < end) last = people;
        c += 5;
        while (c < last) {
            size_t n = strcspn(c, ",;*");
            if (c + n > last) n = (size_t)(last - c);
            bool stars = c[n] == '*' && c + n < last; /* of a product in a length */
            while (stars) {
                n += 1 + strcspn(c + n + 1, ",;*");
                if (c + n > last) n = (size_t)(last - c);
                stars = c[n] == '*' && c + n < last;
            }
            read_part(s, c, n);
            c += n + 1;
        }
        const char *bracket = strchr(end, '('), *name = bracket;
        if (!bracket) break;
        while (name > end && (isalnum((unsigned char)name[-1]) || name[-1] == '_')) name--;
        snprintf(s->name, sizeof s->name, "%.*s", (int)(bracket - name), name);
        count++;
        c = end;
    }
    return count;
}

/* The part that says something of an input or size, "x in ..." or "x = ..."; it may name the
 * struct that the input is in. */
static const char *said_of(const struct subject *s, const char *name, const char *how) {
    for (size_t i = 0; i < s->parts; i++) {
        const char *t = s->part[i].text;
        size_t n = strcspn(t, " ");
        if (strncmp(t + n, how, strlen(how)) != 0 || strncmp(t, name, n) != 0) continue;
        if (name[n] == 0 || name[n] == '.') return t + n + strlen(how);
    }
    return NULL;
}

static size_t read_numbers(const char *text, double *list, size_t room) {
    size_t count = 0;
    for (char *end; text && count < room; text = end) {
        double x = strtod(text, &end);
        if (end == text) break;
        list[count++] = x;
    }
    return count;
}

/* ---- points ---------------------------------------------------------------------------------- */

struct point {
    int64_t size[MOST_SIZES];
    wg_tensor in[MOST_PORTS];
    int64_t count[MOST_PORTS];
    size_t inputs;
};

static wg_tensor make_tensor(const wg_program *p, wg_type type, const int64_t *size) {
    wg_tensor t = {.dtype = (wg_dtype)type.dtype, .rank = type.rank};
    for (int k = 0; k < type.rank; k++)
        assert_true(extent_eval(&p->t, type.extent[k], size, &t.shape[k]));
    int64_t count = wg_tensor_count(&t);
    assert_true(count >= 0);
    t.data = calloc((size_t)count + 1, 8);
    assert_non_null(t.data);
    return t;
}

static void put_number(wg_tensor *t, int64_t k, double x) {
    switch (t->dtype) {
    case WG_F64: ((double *)t->data)[k] = x; break;
    case WG_F32: ((float *)t->data)[k] = (float)x; break;
    case WG_I64: ((int64_t *)t->data)[k] = (int64_t)x; break;
    case WG_I32: ((int32_t *)t->data)[k] = (int32_t)x; break;
    default: ((unsigned char *)t->data)[k] = x != 0;
    }
}

static double get_number(const wg_tensor *t, int64_t k) {
    switch (t->dtype) {
    case WG_F64: return ((const double *)t->data)[k];
    case WG_F32: return (double)((const float *)t->data)[k];
    case WG_I64: return (double)((const int64_t *)t->data)[k];
    case WG_I32: return (double)((const int32_t *)t->data)[k];
    default: return ((const unsigned char *)t->data)[k];
    }
}

static bool is_float(const wg_tensor *t) { return t->dtype == WG_F64 || t->dtype == WG_F32; }

static size_t point_count(const struct subject *s, const wg_program *p) {
    size_t most = 2;
    double list[64];
    for (size_t i = 0; i < wg_size_count(p); i++) {
        const char *said = said_of(s, wg_size_name(p, i), " =");
        size_t n = said ? read_numbers(said, list, 64) : 4;
        if (n > most) most = n;
    }
    for (size_t i = 0; i < wg_input_count(p); i++) {
        if (wg_input_type(p, i).rank) continue;
        size_t n = read_numbers(said_of(s, wg_input_name(p, i), " ="), list, 64);
        if (n > most) most = n;
    }
    return wg_size_count(p) > 1 ? 2 * most : most;
}

static void fill_input(const struct subject *s, const char *name, wg_tensor *t, size_t number,
                       wg_random *random) {
    double list[64], low = -1, high = 1;
    size_t count = read_numbers(said_of(s, name, " ="), list, 64);
    const char *range = said_of(s, name, " in");
    const char *dots = range ? strstr(range, "..") : NULL;
    bool ranged = dots != NULL;
    if (ranged) {
        low = strtod(range, NULL); /* "0." of "0..2" is a number too */
        high = strtod(dots + 2, NULL);
    }
    for (int64_t k = 0; k < wg_tensor_count(t); k++) {
        double x = low + (high - low) * wg_random_uniform(random);
        if (!is_float(t) && !ranged) x = (double)wg_random_below(random, 7) - 3;
        else if (!is_float(t)) x = low + (double)wg_random_below(random, (uint64_t)(high - low) + 1);
        if (count && t->rank) x = list[(size_t)k % count];
        else if (count) x = list[number % count];
        put_number(t, k, x);
    }
}

static void make_point(const struct subject *s, const wg_program *p, size_t number,
                       struct point *at, wg_random *random) {
    memset(at, 0, sizeof *at);
    assert_true(wg_size_count(p) <= MOST_SIZES && wg_input_count(p) <= MOST_PORTS);
    for (size_t i = 0; i < wg_size_count(p); i++) {
        double list[64] = {0, 1, 2, 17};
        const char *said = said_of(s, wg_size_name(p, i), " =");
        size_t count = said ? read_numbers(said, list, 64) : 4;
        assert_true(count > 0);
        at->size[i] = (int64_t)list[(number + (i ? number / count : 0)) % count];
    }
    at->inputs = wg_input_count(p);
    for (size_t i = 0; i < at->inputs; i++) {
        at->in[i] = make_tensor(p, wg_input_type(p, i), at->size);
        at->count[i] = wg_tensor_count(&at->in[i]);
        fill_input(s, wg_input_name(p, i), &at->in[i], number, random);
    }
}

static void free_all(wg_tensor *t, size_t count) {
    for (size_t i = 0; i < count; i++) free(t[i].data);
}

/* ---- values ---------------------------------------------------------------------------------- */

static bool same_element(const wg_tensor *a, const wg_tensor *b, int64_t k, double within) {
    size_t width = wg_dtype_size(a->dtype);
    if (memcmp((const char *)a->data + (size_t)k * width, (const char *)b->data + (size_t)k * width,
               width) == 0)
        return true;
    if (!is_float(a)) return false;
    double x = get_number(a, k), y = get_number(b, k);
    if (isnan(x) && isnan(y)) return true;
    return within > 0 && fabs(x - y) <= within * (1 + fabs(y));
}

static void same_values(const struct subject *s, const wg_program *p, const char *whose,
                        double within, const struct point *at, const wg_tensor *is,
                        const wg_tensor *want) {
    for (size_t i = 0; i < wg_output_count(p); i++)
        for (int64_t k = 0; k < wg_tensor_count(&want[i]); k++) {
            if (same_element(&is[i], &want[i], k, within)) continue;
            complain(s, "%s: %s[%lld] is %.17g, not %.17g (first size %lld)", whose,
                     wg_output_name(p, i), (long long)k, get_number(&is[i], k),
                     get_number(&want[i], k), (long long)at->size[0]);
            return;
        }
}

static bool call_original(const struct subject *s, const wg_program *p, original_call *f,
                          const struct point *at, wg_tensor *out) {
    const void *in[MOST_PORTS];
    void *to[MOST_PORTS];
    for (size_t i = 0; i < at->inputs; i++) in[i] = at->in[i].data;
    for (size_t i = 0; i < wg_output_count(p); i++) to[i] = out[i].data;
    if (!f(at->size, at->count, in, to)) return true;
    complain(s, "it writes what the program has no output for");
    return false;
}

static const char *const exactly = "-O0 -ffp-contract=off";

/* The program's outputs; false where it fails. */
static bool run(const struct subject *s, const wg_program *p, wg_backend backend,
                const char *flags, const struct point *at, wg_tensor *out) {
    wg_error error = {0};
    wg_options options = {.backend = backend, .flags = flags};
    wg_function *fn = wg_compile(p, &options, &error);
    for (size_t i = 0; i < wg_output_count(p); i++)
        out[i] = make_tensor(p, wg_output_type(p, i), at->size);
    wg_run(fn, at->size, at->in, out, &error);
    wg_function_free(fn);
    if (error.status) complain(s, "%s", error.message);
    return !error.status;
}

/* ---- derivatives ----------------------------------------------------------------------------- */

struct derivatives {
    const wg_program *p;
    wg_program *jvp, *vjp, *second; /* second: the vjp's adjoints in the direction of a tangent */
    wg_program *again;              /* their adjoints */
    bool single;                    /* of precision */
};

/* What goes behind the inputs of a point: directions or weights. */
static void extend_point(const struct point *at, const wg_program *p, struct point *more,
                         wg_random *random) {
    *more = *at;
    for (size_t i = at->inputs; i < wg_input_count(p); i++) {
        more->in[i] = make_tensor(p, wg_input_type(p, i), at->size);
        for (int64_t k = 0; k < wg_tensor_count(&more->in[i]); k++)
            put_number(&more->in[i], k, 2 * wg_random_uniform(random) - 1);
    }
    more->inputs = wg_input_count(p);
}

static double inner(const wg_tensor *a, const wg_tensor *b, double *scale) {
    double sum = 0;
    for (int64_t k = 0; k < wg_tensor_count(a); k++) {
        double term = get_number(a, k) * get_number(b, k);
        sum += term;
        *scale += fabs(term);
    }
    return sum;
}

/* The weighted sum of the original's outputs at x + t d. weight[i] is that of the i-th floating
 * output. */
static double shifted(const struct subject *s, const wg_program *p, original_call *f,
                      const struct point *at, const wg_tensor *direction, const wg_tensor *weight,
                      double t, wg_tensor *out, double *scale) {
    struct point moved = *at;
    size_t d = 0, w = 0;
    double sum = 0;
    for (size_t i = 0; i < at->inputs; i++) {
        if (!is_float(&at->in[i])) continue;
        moved.in[i].data = calloc((size_t)at->count[i] + 1, 8);
        assert_non_null(moved.in[i].data);
        for (int64_t k = 0; k < at->count[i]; k++)
            put_number(&moved.in[i], k, get_number(&at->in[i], k) + t * get_number(&direction[d], k));
        d++;
    }
    call_original(s, p, f, &moved, out);
    for (size_t i = 0; i < wg_output_count(p); i++)
        if (is_float(&out[i])) sum += inner(&weight[w++], &out[i], scale);
    for (size_t i = 0; i < at->inputs; i++)
        if (is_float(&at->in[i])) free(moved.in[i].data);
    return sum;
}

/* Differences at three steps, extrapolated twice: off by O(h^6). */
static double difference(const struct subject *s, const wg_program *p, original_call *f,
                         const struct point *at, const wg_tensor *direction,
                         const wg_tensor *weight, double h, wg_tensor *out, double *scale) {
    double d[3];
    for (int i = 0; i < 3; i++, h /= 2)
        d[i] = (shifted(s, p, f, at, direction, weight, h, out, scale) -
                shifted(s, p, f, at, direction, weight, -h, out, scale)) / (2 * h);
    double a = (4 * d[1] - d[0]) / 3, b = (4 * d[2] - d[1]) / 3;
    return (16 * b - a) / 15;
}

/* A point's adjoints along each element in turn, or a dozen of them. */
static void check_differences(const struct subject *s, const struct derivatives *d,
                              original_call *f, const struct point *at, const wg_tensor *weight,
                              const wg_tensor *adjoint, wg_tensor *want) {
    double largest = 0;
    size_t count = 0, elements = 0;
    wg_tensor direction[MOST_PORTS];
    for (size_t i = 0; i < at->inputs; i++) {
        if (!is_float(&at->in[i])) continue;
        direction[count] = at->in[i];
        direction[count].data = calloc((size_t)at->count[i] + 1, 8);
        assert_non_null(direction[count].data);
        for (int64_t k = 0; k < at->count[i]; k++)
            largest = fmax(largest, fabs(get_number(&adjoint[count], k)));
        elements += (size_t)at->count[i];
        count++;
    }
    size_t step = elements > 24 ? elements / 12 : 1, number = 0;
    for (size_t j = 0; j < count; j++)
        for (int64_t k = 0; k < wg_tensor_count(&direction[j]); k++, number++) {
            if (number % step) continue;
            double best = INFINITY, seen = 0, exact = get_number(&adjoint[j], k), scale = 0;
            put_number(&direction[j], k, 1);
            for (double h = 2e-3; h > 1e-6 && best > s->differences * largest; h /= 8) {
                double here = 0;
                double x = difference(s, d->p, f, at, direction, weight, h, want, &here);
                if (!(fabs(x - exact) < best)) continue;
                best = fabs(x - exact);
                seen = x;
                scale = here;
            }
            put_number(&direction[j], k, 0);
            if (best <= s->differences * largest + 1e-12 * scale) continue;
            complain(s, "d/dx%zu[%lld] is %.17g, by differences %.17g (first size %lld)", j,
                     (long long)k, exact, seen, (long long)at->size[0]);
            j = count - 1;
            break;
        }
    free_all(direction, count);
}

static void check_derivatives(const struct subject *s, const struct derivatives *d,
                              original_call *f, const struct point *at, wg_tensor *want,
                              wg_random *random) {
    struct point forward, reverse, twice;
    wg_tensor tangent[2 * MOST_PORTS], adjoint[2 * MOST_PORTS], second[2][4 * MOST_PORTS];
    size_t outputs = wg_output_count(d->p), floats = 0;
    double tolerance = d->single ? 2e-4 : 1e-12, scale = 1e-300;
    extend_point(at, d->jvp, &forward, random);
    extend_point(at, d->vjp, &reverse, random);
    for (size_t i = 0; i < at->inputs; i++) floats += is_float(&at->in[i]);
    if (run(s, d->jvp, WG_INTERPRET, exactly, &forward, tangent) &&
        run(s, d->vjp, WG_INTERPRET, exactly, &reverse, adjoint)) {
        double left = 0, right = 0;
        for (size_t i = 0; i + outputs < wg_output_count(d->jvp); i++)
            left += inner(&tangent[outputs + i], &reverse.in[at->inputs + i], &scale);
        for (size_t i = 0; i < floats; i++)
            right += inner(&adjoint[outputs + i], &forward.in[at->inputs + i], &scale);
        if (!(fabs(left - right) <= tolerance * scale))
            complain(s, "forward mode gives %.17g, reverse %.17g (first size %lld)", left, right,
                     (long long)at->size[0]);
        if (s->differences > 0 && !d->single)
            check_differences(s, d, f, at, &reverse.in[at->inputs], &adjoint[outputs], want);
    }
    free_all(tangent, wg_output_count(d->jvp));
    free_all(adjoint, wg_output_count(d->vjp));
    /* u H v = v H u */
    size_t first = wg_input_count(d->vjp), base = wg_output_count(d->vjp);
    if (d->second) {
        extend_point(&reverse, d->second, &twice, random);
        wg_tensor u[MOST_PORTS];
        double product[3] = {0};
        scale = 1e-300;
        bool good = true;
        for (size_t i = 0; i < floats; i++) u[i] = forward.in[at->inputs + i];
        wg_tensor third[4 * MOST_PORTS]; /* H' v, which is H v */
        if (d->again) {
            good = run(s, d->again, WG_INTERPRET, exactly, &twice, third);
            for (size_t i = 0; good && i < floats; i++)
                product[2] += inner(&third[base + i], &u[i], &scale);
            free_all(third, wg_output_count(d->again));
        }
        for (int way = 0; way < 2; way++) {
            good = run(s, d->second, WG_INTERPRET, exactly, &twice, second[way]) && good;
            for (size_t i = 0; good && i < floats; i++)
                product[way] += inner(&second[way][base + i], &u[i], &scale);
            for (size_t i = 0; i < floats; i++) { /* change them */
                wg_tensor t = twice.in[first + i];
                twice.in[first + i] = u[i];
                u[i] = t;
            }
            free_all(second[way], wg_output_count(d->second));
        }
        if (good && !(fabs(product[0] - product[1]) <= 100 * tolerance * scale))
            complain(s, "the Hessian is not symmetric: %.17g, %.17g (first size %lld)", product[0],
                     product[1], (long long)at->size[0]);
        if (good && d->again && !(fabs(product[0] - product[2]) <= 100 * tolerance * scale))
            complain(s, "the Hessian in reverse twice: %.17g, %.17g (first size %lld)", product[0],
                     product[2], (long long)at->size[0]);
        for (size_t i = first; i < twice.inputs; i++) free(twice.in[i].data);
    }
    free_all(forward.in + at->inputs, forward.inputs - at->inputs);
    free_all(reverse.in + at->inputs, reverse.inputs - at->inputs);
}

/* Interpreted, and compiled with all that compilers can do. */
static void check_vectors(const struct subject *s, const wg_program *vjp, const struct point *at,
                          wg_random *random) {
    struct point more;
    wg_tensor want[MOST_PORTS], out[MOST_PORTS];
    extend_point(at, vjp, &more, random);
    bool good = run(s, vjp, WG_INTERPRET, NULL, &more, want);
    if (good && run(s, vjp, WG_NATIVE, NULL, &more, out))
        same_values(s, vjp, "in vectors", 1e-11, &more, out, want);
    free_all(more.in + at->inputs, more.inputs - at->inputs);
    free_all(want, wg_output_count(vjp));
    if (good) free_all(out, wg_output_count(vjp));
}

/* ---- a function ------------------------------------------------------------------------------ */

static struct derivatives differentiate(const struct subject *s, const wg_program *p) {
    struct derivatives d = {.p = p};
    wg_error error = {0};
    size_t in = 0, out = 0;
    for (size_t i = 0; i < wg_input_count(p); i++) {
        d.single = d.single || wg_input_type(p, i).dtype == WG_F32;
        in += wg_input_type(p, i).dtype >= WG_F32;
    }
    for (size_t i = 0; i < wg_output_count(p); i++) {
        d.single = d.single || wg_output_type(p, i).dtype == WG_F32;
        out += wg_output_type(p, i).dtype >= WG_F32;
    }
    if (!in || !out || s->values_only) return d;
    wg_text print = {0};
    wg_program_print(p, &print, NULL);
    d.single = d.single || strstr(print.data, "f32");
    wg_text_free(&print);
    d.jvp = wg_jvp(p, NULL, NULL, &error);
    d.vjp = wg_vjp(p, NULL, NULL, &error);
    if (d.vjp) {
        wg_text of = {0}, wrt = {0};
        for (size_t i = wg_output_count(p); i < wg_output_count(d.vjp); i++)
            text_format(&of, "%s%s", of.size ? ", " : "", wg_output_name(d.vjp, i));
        for (size_t i = 0; i < wg_input_count(p); i++)
            if (wg_input_type(p, i).dtype >= WG_F32)
                text_format(&wrt, "%s%s", wrt.size ? ", " : "", wg_input_name(p, i));
        d.second = wg_jvp(d.vjp, of.data, wrt.data, &error);
        wg_error deep = {0};
        if (!error.status) d.again = wg_vjp(d.vjp, of.data, wrt.data, &deep);
        if (!strstr(deep.message, "nested too deep") && deep.status)
            complain(s, "%s", deep.message);
        wg_text_free(&of);
        wg_text_free(&wrt);
    }
    if (error.status) complain(s, "%s", error.message);
    return d;
}

static void check_function(struct subject *s, struct original *const *o) {
    const wg_program *p = wg_csource_program(s->source);
    struct derivatives d = differentiate(s, p);
    size_t before = failures, count = point_count(s, p);
    uint64_t seed = 1;
    for (const char *c = s->name; *c; c++) seed = 31 * seed + (unsigned char)*c;
    wg_random random = wg_random_seed(seed);
    functions++;
    for (size_t n = 0; n < count && failures == before; n++) {
        struct point at;
        wg_tensor out[MOST_PORTS], want[MOST_PORTS];
        make_point(s, p, n, &at, &random);
        points++;
        for (size_t i = 0; i < wg_output_count(p); i++)
            want[i] = make_tensor(p, wg_output_type(p, i), at.size);
        bool ran = run(s, p, WG_INTERPRET, exactly, &at, out);
        for (size_t k = 0; ran && k < COMPILERS; k++)
            if (o[k] && call_original(s, p, original_of(o[k], s->name), &at, want))
                same_values(s, p, k ? "beside clang's" : "beside gcc's", s->within, &at, out, want);
        free_all(out, wg_output_count(p));
        if (s->is_native && ran) {
            ran = run(s, p, WG_NATIVE, exactly, &at, out);
            if (ran) same_values(s, p, "native", s->within, &at, out, want);
            free_all(out, wg_output_count(p));
        }
        if (s->has_vectors && ran && d.vjp) check_vectors(s, d.vjp, &at, &random);
        if (ran && d.vjp && d.jvp && o[0])
            check_derivatives(s, &d, original_of(o[0], s->name), &at, want, &random);
        free_all(want, wg_output_count(p));
        free_all(at.in, at.inputs);
    }
    wg_program_free(d.jvp);
    wg_program_free(d.vjp);
    wg_program_free(d.second);
    wg_program_free(d.again);
}

static bool is_wanted(const char *name) {
    bool any = false;
    for (int i = 0; i < only_count; i++) any = any || strstr(name, only[i]) != NULL;
    return !only_count || any;
}

static char *read_text(const char *path) {
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *text = calloc(1 << 18, 1);
    assert_non_null(text);
    assert_true(fread(text, 1, (1 << 18) - 1, file) > 0);
    fclose(file);
    return text;
}

static void check_file(const char *path) {
    struct subject *list = calloc(MOST_FUNCTIONS, sizeof *list);
    struct original *o[COMPILERS] = {0};
    assert_non_null(list);
    char *text = read_text(path);
    size_t count = read_comments(text, list), opened = 0;
    wg_text callers = {0};
    for (size_t i = 0; i < count; i++) {
        struct subject *s = &list[i];
        wg_error error = {0};
        if (!is_wanted(path) && !is_wanted(s->name)) continue;
        wg_csource_options options = {.function = s->name, .size = s->size,
                                      .size_count = s->sizes};
        s->source = wg_csource_open(path, &options, &error);
        if (s->source && original_write(path, &options, s->source, &callers, &error)) opened++;
        if (error.status) complain(s, "%s", error.message);
    }
    for (size_t k = 0; opened && k < COMPILERS; k++) {
        wg_error error = {0};
        o[k] = original_open(compilers[k], path, &callers, &error);
        if (error.status) {
            printf("%s\n", error.message);
            failures++;
        }
    }
    for (size_t i = 0; i < count; i++)
        if (list[i].source && (o[0] || o[1])) check_function(&list[i], o);
    for (size_t i = 0; i < count; i++) wg_csource_free(list[i].source);
    for (size_t k = 0; k < COMPILERS; k++) original_close(o[k]);
    wg_text_free(&callers);
    free(text);
    free(list);
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Without libclang there is nothing to test. */
static bool reads_c(void) {
    wg_error error = {0};
    const char *text = "int f(int x) { return x; }";
    wg_program *p = wg_csource_read(
        "f.c", &(wg_csource_options){.text = text, .text_size = strlen(text)}, &error);
    wg_program_free(p);
    if (!p) print_message("%s\n", error.message);
    return p != NULL;
}

static void suite_agrees_with_compiled_c(void **state) {
    (void)state;
    if (only_count && strchr(only[0], '/')) { /* a file that is not of the suite */
        check_file(only[0]);
        assert_int_equal(failures, 0);
        return;
    }
    static const char folder[] = WG_SOURCE_DIR "/tests/csource/suite";
    char *name[MOST_FILES];
    size_t count = 0;
    if (!reads_c()) skip();
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) && count < MOST_FILES;) {
        size_t n = strlen(e->d_name);
        if (n < 3 || strcmp(e->d_name + n - 2, ".c") != 0) continue;
        name[count] = calloc(1, sizeof folder + n + 2);
        assert_non_null(name[count]);
        sprintf(name[count++], "%s/%s", folder, e->d_name);
    }
    closedir(d);
    qsort(name, count, sizeof *name, by_name);
    for (size_t i = 0; i < count; i++) {
        check_file(name[i]);
        free(name[i]);
    }
    printf("%zu functions at %zu points\n", functions, points);
    if (failures) fail_msg("%zu failures", failures);
}

int main(int count, char **argument) {
    only = (const char *const *)(argument + 1);
    only_count = count - 1;
    const struct CMUnitTest tests[] = {cmocka_unit_test(suite_agrees_with_compiled_c)};
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
