/* check: forward and reverse mode against central differences and against each other, with what is
 * tolerated. The limits are those of the element type: differences in f32 are as coarse as f32. */
#include "cli/cli.h"

struct limits {
    double difference, product;
};

static struct limits limits_of(const wg_program *program) {
    struct limits fine = {1e-7, 1e-12}, coarse = {1e-2, 1e-4};
    bool single = false;
    for (size_t i = 0; i < wg_input_count(program); i++)
        single |= wg_input_type(program, i).dtype == WG_F32;
    for (size_t i = 0; i < wg_output_count(program); i++)
        single |= wg_output_type(program, i).dtype == WG_F32;
    return single ? coarse : fine;
}

/* As rows of numbers, and one that tells whether both are small enough. */
static bool write_report(struct cli *c, const wg_check_report *report, bool pass) {
    static const char *const name[] = {"difference", "product", "directions", "pass"};
    struct results r;
    int64_t directions = (int64_t)report->directions;
    const void *data[] = {&report->difference, &report->product, &directions, &pass};
    wg_dtype dtype[] = {WG_F64, WG_F64, WG_I64, WG_BOOL};
    bool ok = results_make(c, &r, COUNT_OF(name), 0);
    for (size_t i = 0; ok && i < COUNT_OF(name); i++) {
        r.row[i] = (struct axis){.name = name[i]};
        r.block[i] = (wg_tensor){.dtype = dtype[i]};
        ok = !tensor_alloc(&r.block[i], &c->allocator, &c->error);
        if (ok) memcpy(r.block[i].data, data[i], wg_dtype_size(dtype[i]));
    }
    ok = ok && results_write(c, &r);
    results_free(c, &r);
    return ok;
}

static bool write_line(wg_text *out, const char *what, double found, double limit) {
    return text_format(out, "%-42s %-9.2g at most %-7.0e %s\n", what, found, limit,
                       found <= limit ? "PASS" : "FAIL");
}

static bool write_lines(wg_text *out, const wg_check_report *report, const struct limits *limit) {
    return write_line(out, "derivatives against central differences:", report->difference,
                      limit->difference) &&
           write_line(out, "forward against reverse mode:", report->product, limit->product);
}

bool command_check(struct cli *c) {
    wg_check_report report;
    uint64_t seed = option_number(c, OPT_SEED, 1);
    if (!load(c, true) || wg_check_gradient(c->program, c->input, seed, &report, &c->error))
        return false;
    struct limits limit = limits_of(c->program);
    /* NaN fails */
    bool pass = report.difference <= limit.difference && report.product <= limit.product;
    if (option_is(c, OPT_FORMAT, "text")) {
        if (!write_lines(&c->out, &report, &limit)) return !fail_memory(&c->error);
    } else if (!write_report(c, &report, pass)) {
        return false;
    }
    if (pass) return true;
    return write_out(c) && input_error(c, WG_EARGUMENT, "the derivatives disagree at this point");
}
