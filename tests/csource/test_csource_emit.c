/* C of derivatives of C functions, by the library: what is written, every error, and every
 * allocation failing once. That the C computes the derivatives is test_cc.sh's matter. */
#include "support/failing_allocator.h"
#include "support/test.h"

#include <wengert.h>

#include <stdio.h>
#include <string.h>

static const char text[] = "struct spring { double k, rest; int kind; };\n"
                           "struct mass { double at[2], m; };\n"
                           "double energy(int n, const struct mass p[n], const struct spring *s,\n"
                           "              double *work) {\n"
                           "    double sum = 0;\n"
                           "    for (int i = 0; i < n; i++) {\n"
                           "        double stretch = p[i].at[0] - p[i].at[1] - s->rest;\n"
                           "        sum += s->k * stretch * stretch * p[i].m;\n"
                           "    }\n"
                           "    *work = 3 * sum;\n"
                           "    return sum;\n"
                           "}\n";

static wg_csource *open_text(const wg_allocator *allocator, wg_error *error) {
    wg_csource_options options = {.text = text, .text_size = sizeof text - 1,
                                  .allocator = allocator};
    return wg_csource_open("energy.c", &options, error);
}

/* Without libclang there is nothing to test. */
static bool reads_c(void) {
    wg_error error = {0};
    wg_csource *s = open_text(NULL, &error);
    wg_csource_free(s);
    if (!s && error.status != WG_EIO) fail_msg("%s", error.message);
    return s != NULL;
}

static void test_text(void **state) {
    (void)state;
    wg_error error = {0};
    if (!reads_c()) skip();
    wg_csource *s = open_text(NULL, &error);
    wg_text code = {0}, header = {0}, again = {0}, again_header = {0}, report = {0};
    wg_csource_emit_options options = {.with = "grad, hvp, grad", .header = "energy_d.h"};
    assert_int_equal(wg_csource_emit(s, &options, &code, &header, &error), WG_OK);
    assert_int_equal(wg_csource_emit(s, &options, &again, &again_header, &error), WG_OK);
    assert_string_equal(code.data, again.data);
    assert_string_equal(header.data, again_header.data);
    /* the struct that the source declares; the parameters; a name of the user's is left to him */
    assert_non_null(strstr(header.data, "struct mass {\n    double at[2];\n    double m;\n};"));
    assert_non_null(strstr(header.data, "int energy_grad(int n, const struct mass *p, "
                                        "const struct spring *s, const double *work"));
    assert_non_null(strstr(header.data, "struct mass *p_bar, struct spring *s_bar, void *work_)"));
    assert_non_null(strstr(code.data, "#include \"energy_d.h\""));
    assert_non_null(strstr(code.data, "/* energy.c:7 | double stretch = p[i].at[0]"));
    assert_non_null(strstr(code.data, "stretch_bar_v"));
    assert_int_equal(wg_csource_report(s, &options, "n=10", &report, &error), WG_OK);
    assert_non_null(strstr(report.data, "constant    s.kind"));
    assert_non_null(strstr(report.data, "times those of the function, at n=10"));
    wg_text_free(&code);
    wg_text_free(&header);
    wg_text_free(&again);
    wg_text_free(&again_header);
    wg_text_free(&report);
    wg_csource_free(s);
}

static void test_errors(void **state) {
    (void)state;
    static const struct {
        wg_csource_emit_options options;
        wg_status status;
        const char *message;
    } cases[] = {
        {{.with = "slope"}, WG_EARGUMENT, "there is no derivative 'slope'"},
        {{.wrt = "q"}, WG_ENAME, "it has no input 'q' of a floating type"},
        {{.wrt = "s.kind"}, WG_ENAME, "it has no input 's.kind' of a floating type"},
        {{.of = "x"}, WG_ENAME, "it has no output 'x' of a floating type"},
        {{.name = "3"}, WG_ENAME, "cannot be the name of a function"},
    };
    if (!reads_c()) skip();
    wg_error none = {0};
    wg_csource *s = open_text(NULL, &none);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        wg_error error = {0};
        wg_text code = {0}, header = {0};
        assert_int_equal(wg_csource_emit(s, &cases[i].options, &code, &header, &error),
                         cases[i].status);
        if (!strstr(error.message, cases[i].message)) fail_msg("%s", error.message);
        assert_int_equal(code.size, 0);
        assert_int_equal(header.size, 0);
        wg_text_free(&code);
        wg_text_free(&header);
    }
    wg_error error = {0};
    wg_text code = {0};
    assert_int_equal(wg_csource_emit(NULL, NULL, &code, &code, &error), WG_EARGUMENT);
    error = (wg_error){0};
    assert_int_equal(wg_csource_emit(s, NULL, &code, NULL, &error), WG_EARGUMENT);
    error = (wg_error){0};
    assert_int_equal(wg_csource_report(s, NULL, NULL, NULL, &error), WG_EARGUMENT);
    assert_int_equal(wg_csource_emit(s, NULL, NULL, NULL, &error), WG_EARGUMENT); /* sticky */
    wg_csource_free(s);
}

static wg_status open_only(const wg_allocator *allocator, void *ctx) {
    (void)ctx;
    wg_error error = {0};
    wg_csource_free(open_text(allocator, &error));
    return error.status;
}

static wg_status emit_all(const wg_allocator *allocator, void *ctx) {
    (void)ctx;
    wg_error error = {0};
    wg_csource *s = open_text(allocator, &error);
    wg_text code = {.allocator = *allocator}, header = {.allocator = *allocator};
    wg_csource_emit(s, &(wg_csource_emit_options){.with = "grad", .wrt = "p"}, &code, &header,
                    &error);
    wg_text_free(&code);
    wg_text_free(&header);
    wg_csource_free(s);
    return error.status;
}

static void test_allocations(void **state) {
    (void)state;
    if (!reads_c()) skip();
    assert_true(fail_every_request(open_only, NULL) > 50);
    /* What only makes the code faster may do without, so that not every failure is an error. */
    for (size_t n = 1, requests = 1; n <= requests; n++) {
        struct failing_allocator f = {.fail_at = n};
        wg_allocator hook = failing_hook(&f);
        wg_status status = emit_all(&hook, NULL);
        assert_true(status == WG_OK || status == WG_ENOMEM);
        assert_int_equal(f.live_blocks, 0);
        assert_int_equal(f.wrong_sizes, 0);
        requests = f.requests < n ? 0 : n + 1;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
