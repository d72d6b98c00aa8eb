/* Finding the first value that is not finite: in values, tensors, tangents and adjoints. */
#include "support/failing_allocator.h"
#include "support/test.h"

#include <math.h>
#include <string.h>

static wg_program *parse(const char *text, const wg_allocator *allocator, wg_error *error) {
    wg_parse_options options = {.origin = "model.wg", .allocator = allocator};
    return wg_parse(text, strlen(text), &options, error);
}

/* Frees the program. */
static void assert_report(wg_program *p, const wg_tensor *in, const char *expected) {
    wg_error error = {0};
    wg_text report = {0};
    uint32_t instruction = 77;
    assert_non_null(p);
    wg_find_nonfinite(p, NULL, in, &instruction, &report, &error);
    assert_ok(error);
    assert_string_equal(report.data ? report.data : "", expected);
    assert_true((instruction == 0) == (expected[0] == 0));
    uint32_t again;
    assert_int_equal(wg_find_nonfinite(p, NULL, in, &again, NULL, NULL), WG_OK);
    assert_int_equal(again, instruction);
    wg_text_free(&report);
    wg_program_free(p);
}

static wg_tensor scalar(double *x) { return (wg_tensor){x, WG_F64, 0, {0}}; }

static void scalars(void **state) {
    (void)state;
    double x[3] = {1, 1, 0};
    wg_tensor in[] = {scalar(&x[0]), scalar(&x[1])};
    const char *text = "f(a, b) =\n  exp(a/(a - b))*0 + inf";
    assert_report(parse(text, NULL, NULL), in,
                  "%4 = div at model.wg:2:8 is inf\n"
                  "  %1 = input \"a\" at model.wg:1:3 is 1\n"
                  "  %3 = sub at model.wg:2:12 is 0");
    x[1] = NAN;
    assert_report(parse(text, NULL, NULL), in, "%2 = input \"b\" at model.wg:1:6 is nan");
    x[1] = 3;
    x[0] = 2;
    assert_report(parse("f(a, b) = a*b", NULL, NULL), in, "");
}

/* An element far inside, operands of other shapes, named sizes, single precision. */
static void tensors(void **state) {
    (void)state;
    double x[2][3] = {{1, 2, 3}, {4, 1e308, 5}};
    wg_tensor in[] = {{x, WG_F64, 2, {2, 3}}};
    assert_report(parse("f(x[m,n]) = sum(10*x, axis=0)/n", NULL, NULL), in,
                  "%4 = mul at model.wg:1:19 is inf at [1,1]\n"
                  "  %1 = input \"x\" at model.wg:1:3 is 1e+308 at [1,1]\n"
                  "  %3 = broadcast at model.wg:1:19 is 10 at [1,1]");
    float s[2] = {0, 0.5f};
    wg_tensor single[] = {{s, WG_F32, 1, {2}}};
    assert_report(parse("f(x[n]: f32) = log(x)", NULL, NULL), single,
                  "%2 = log at model.wg:1:16 is -inf at [0]\n"
                  "  %1 = input \"x\" at model.wg:1:3 is 0 at [0]");
}

/* The value of sqrt is fine at 0, its derivative is not. */
static void derived_code(void **state) {
    (void)state;
    wg_error error = {0};
    double x = 0, one = 1;
    wg_tensor in[] = {scalar(&x), scalar(&one)};
    wg_program *p = parse("f(x) =\n  3*sqrt(x)", NULL, &error);
    wg_text report = {0};
    uint32_t instruction;
    wg_program *vjp = wg_vjp(p, NULL, NULL, &error), *jvp = wg_jvp(p, NULL, NULL, &error);
    assert_report(p, in, "");
    wg_find_nonfinite(vjp, NULL, in, &instruction, &report, &error);
    assert_ok(error);
    assert_non_null(strstr(report.data, "model.wg:2:5 is inf"));
    assert_non_null(strstr(report.data, "it belongs to the adjoint of %"));
    assert_non_null(strstr(report.data, "= sqrt at model.wg:2:5"));
    report.size = 0;
    wg_find_nonfinite(jvp, NULL, in, &instruction, &report, &error);
    assert_ok(error);
    assert_non_null(strstr(report.data, "it belongs to the tangent of %"));
    wg_text_free(&report);
    wg_program_free(vjp);
    wg_program_free(jvp);
}

static void errors(void **state) {
    (void)state;
    wg_error error = {0};
    wg_program *p = parse("f(x[n], k: i64) = take(x, k, axis=0)", NULL, &error);
    double x[2] = {1, 2};
    int64_t k = 2;
    wg_tensor in[] = {{x, WG_F64, 1, {2}}, {&k, WG_I64, 0, {0}}};
    uint32_t instruction;
    assert_int_equal(wg_find_nonfinite(p, NULL, in, &instruction, NULL, &error), WG_EINDEX);
    assert_non_null(strstr(error.message, "model.wg:1:"));
    in[0].rank = 0;
    error.status = WG_OK;
    assert_int_equal(wg_find_nonfinite(p, NULL, in, &instruction, NULL, &error), WG_ESHAPE);
    error.status = WG_OK;
    assert_int_equal(wg_find_nonfinite(p, NULL, NULL, &instruction, NULL, &error), WG_EARGUMENT);
    assert_int_equal(wg_find_nonfinite(NULL, NULL, in, &instruction, NULL, NULL), WG_EARGUMENT);
    wg_program_free(p);
}

static wg_status work(const wg_allocator *allocator, void *ctx) {
    (void)ctx;
    wg_error error = {0};
    double x[2] = {0, 0};
    wg_tensor in[] = {{x, WG_F64, 1, {2}}};
    wg_text report = {.allocator = *allocator};
    uint32_t instruction = 0;
    wg_program *p = parse("f(x[n]) = sum(x/x)", allocator, &error);
    wg_status status = wg_find_nonfinite(p, NULL, in, &instruction, &report, &error);
    if (status == WG_OK)
        assert_int_equal(instruction, 2);
    else
        assert_int_equal(report.size, 0);
    wg_program_free(p);
    wg_text_free(&report);
    return status;
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    assert_true(fail_every_request(work, NULL) > 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars),
        cmocka_unit_test(tensors),
        cmocka_unit_test(derived_code),
        cmocka_unit_test(errors),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
