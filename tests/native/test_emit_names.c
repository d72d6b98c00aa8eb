/* Inputs may have any name: every word that emitted C uses for itself is tried as one. A name that
 * a declaration of the code hides, or that means something else in it, does not compile here. */
#include "support/test.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 4000, LENGTH = 40 };

/* Two inputs to each are called so; rows, short rows, columns, products, indices, sums of many
 * statements, calls. */
static const char *const formula[] = {
    "f(%s[n,7], a[7,5], %s2[n], k[n]: i64) = sum(logsumexp(%s, axis=1)) + "
    "sum(tanh(%s @ a)^2)*sum(%s2[k]) + sum(max(%s, axis=0)) + norm(exp(%s2)/(1 + %s2^2))",
    "f(%s[20,30], b[30,20], %s2) = sum((%s @ b)^2)*%s2 + sum(cumsum(%s, axis=1)^2)",
    "f(%s[n], c: i64, %s2, a[2]) = sum(i in 0:n: if %s[i] > a[0] then %s2*%s[i] + sum(a*%s2) else "
    "(if c > 3 then %s2 else trace(expm(%s2*[[0, a[1]], [0.1*f64(c), 1]])))) + sum(%s)",
    "f(%s[50], c, %s2) = sum(sin(c*%s)*exp(%s2*%s) + cos(%s)^3 + %s/(2 + sin(%s + 1)) + "
    "tanh(%s)*%s2 + log(3 + %s^2)*sqrt(1 + %s^2))",
};
enum { FORMULAS = sizeof formula / sizeof *formula };

struct words {
    char at[MOST][LENGTH];
    size_t count;
};

/* The formula's value with its gradient. */
static wg_program *named(const char *text, const char *name) {
    char whole[2048];
    size_t size = 0;
    for (const char *s = text; *s; s++) {
        bool here = s[0] == '%' && s[1] == 's';
        size += (size_t)snprintf(whole + size, sizeof whole - size, "%.*s", here ? 99 : 1,
                                 here ? name : s);
        s += here;
        assert_true(size < sizeof whole);
    }
    wg_error error = {0};
    wg_program *p = wg_parse(whole, size, NULL, &error);
    wg_program *gradient = error.status ? NULL : wg_value_and_grad(p, NULL, &error);
    if (error.status) print_message("%s: %s\n", name, error.message);
    wg_program_free(p);
    return gradient;
}

/* Steps written out, until the code has several functions: a loop in the middle. */
static wg_program *steps(const char *name) {
    wg_error error = {0};
    wg_graph *g = wg_graph_new();
    wg_random random = wg_random_seed(3);
    wg_var x = wg_input(g, name, wg_f64()), y = wg_input(g, "a", wg_f64());
    for (int i = 0; i < 900; i++) {
        bool odd = i > 300 && wg_random_below(&random, 2);
        x = wg_add(odd ? wg_sin(x) : wg_cos(x), wg_mul(y, x));
    }
    wg_output(g, "result", x);
    wg_program *p = wg_build(g, &error), *gradient = wg_value_and_grad(p, NULL, &error);
    assert_ok(error);
    wg_program_free(p);
    return gradient;
}

static wg_program *subject(size_t which, const char *name) {
    return which < FORMULAS ? named(formula[which], name) : steps(name);
}

static void emit(wg_program *const *p, size_t count, wg_text *code) {
    static char label[MOST][40];
    const char *name[MOST];
    wg_error error = {0};
    wg_text header = {0};
    for (size_t i = 0; i < count; i++) {
        snprintf(label[i], sizeof label[i], "function_%zu", i);
        name[i] = label[i];
    }
    wg_emit((const wg_program *const *)p, name, count, &(wg_emit_options){.header = "names.h"},
            code, &header, &error);
    assert_ok(error);
    FILE *file = fopen(WG_BUILD_DIR "/names.h", "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(header.data, 1, header.size, file), header.size);
    assert_int_equal(fclose(file), 0);
    wg_text_free(&header);
}

/* Every identifier of the text that is not there yet. */
static void add_words(const char *text, struct words *words) {
    for (const char *s = text; *s;) {
        size_t length = 0;
        while (isalnum((unsigned char)s[length]) || s[length] == '_') length++;
        bool good = length && length < LENGTH && isalpha((unsigned char)*s);
        for (size_t i = 0; good && i < words->count; i++)
            good = strlen(words->at[i]) != length || memcmp(words->at[i], s, length) != 0;
        if (good) {
            assert_true(words->count < MOST);
            snprintf(words->at[words->count++], LENGTH, "%.*s", (int)length, s);
        }
        s += length ? length : 1;
    }
}

/* The code of its own function, behind the runtime; of long code the beginning and the end. */
static void list_words(size_t which, struct words *words) {
    enum { ENOUGH = 60000 };
    wg_program *p = subject(which, "given");
    wg_text code = {0};
    assert_non_null(p);
    emit(&p, 1, &code);
    char *own = strstr(code.data, "function_0");
    assert_non_null(own);
    size_t size = strlen(own);
    add_words(size > ENOUGH ? own + size - ENOUGH / 2 : own, words);
    if (size > ENOUGH) own[ENOUGH / 2] = 0;
    add_words(own, words);
    wg_text_free(&code);
    wg_program_free(p);
}

static void inputs_may_have_any_name(void **state) {
    (void)state;
    bool slow = getenv("WG_INSTRUMENTED"); /* sanitizers: some of the words, no long program */
    size_t subjects = slow ? FORMULAS : FORMULAS + 1;
    for (size_t which = 0; which < subjects; which++) {
        struct words *words = calloc(1, sizeof *words);
        wg_program **p = calloc(MOST, sizeof(wg_program *));
        size_t count = 0, most = slow || which == FORMULAS ? 40 : MOST;
        assert_true(words && p);
        list_words(which, words);
        size_t stride = words->count / most + 1; /* long programs: some of them */
        for (size_t i = 0; i < words->count; i += stride) {
            p[count] = subject(which, words->at[i]);
            count += p[count] != NULL; /* some are words of formulas */
        }
        assert_true(count > 30);
        wg_text code = {0};
        emit(p, count, &code);
        FILE *file = fopen(WG_BUILD_DIR "/names.c", "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(code.data, 1, code.size, file), code.size);
        assert_int_equal(fclose(file), 0);
        print_message("%zu names\n", count);
        assert_int_equal(system("cd '" WG_BUILD_DIR "' && gcc -std=c99 -Wall -Wextra -Wshadow "
                                "-Werror -fsyntax-only names.c 2>&1 | head -20 >&2; test -z \"$("
                                "gcc -std=c99 -Wall -Wextra -Wshadow -Werror -fsyntax-only "
                                "names.c 2>&1)\""),
                         0);
        for (size_t i = 0; i < count; i++) wg_program_free(p[i]);
        wg_text_free(&code);
        free(p);
        free(words);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(inputs_may_have_any_name)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
