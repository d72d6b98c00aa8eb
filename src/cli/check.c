/* check: forward and reverse mode against central differences and against each other, with what is
 * tolerated; and how far differences themselves are off, step by step. The limits are those of
 * the element type: differences in f32 are as coarse as f32. */
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

/* ---- step sizes ---------------------------------------------------------------------------- */

enum { STEPS = 17 };

static bool write_steps(struct cli *c, const double *const column[3]) {
    static const char *const name[] = {"epsilon", "central", "one_sided"};
    struct results r;
    bool ok = results_make(c, &r, COUNT_OF(name), 0);
    for (size_t i = 0; ok && i < COUNT_OF(name); i++) {
        r.block[i] = (wg_tensor){.dtype = WG_F64, .rank = 1, .shape = {STEPS}};
        ok = !tensor_alloc(&r.block[i], &c->allocator, &c->error);
        if (!ok) break;
        memcpy(r.block[i].data, column[i], STEPS * sizeof *column[i]);
        set_axis(&r.row[i], name[i], &r.block[i]);
    }
    ok = ok && results_write(c, &r);
    results_free(c, &r);
    return ok;
}

static bool sweep(struct cli *c) {
    static const double epsilon[STEPS] = {1,    1e-1, 1e-2,  1e-3,  1e-4,  1e-5,  1e-6,  1e-7, 1e-8,
                                          1e-9, 1e-10, 1e-11, 1e-12, 1e-13, 1e-14, 1e-15, 1e-16};
    double central[STEPS], one_sided[STEPS];
    if (wg_check_steps(c->program, NULL, c->input, option_number(c, OPT_SEED, 1), epsilon, STEPS,
                       central, one_sided, &c->error))
        return false;
    if (!option_is(c, OPT_FORMAT, "text"))
        return write_steps(c, (const double *const[]){epsilon, central, one_sided});
    bool ok = text_add(&c->out, "epsilon   central   one-sided\n");
    for (int i = 0; ok && i < STEPS; i++)
        ok = text_format(&c->out, "%-9.0e %-9.1e %.1e\n", epsilon[i], central[i], one_sided[i]);
    return ok || !fail_memory(&c->error);
}

bool command_check(struct cli *c) {
    wg_check_report report;
    if (has_option(c, OPT_SWEEP)) return load(c, true) && sweep(c);
    uint64_t seed = option_number(c, OPT_SEED, 1);
    if (!load(c, true) || wg_check_gradient(c->program, NULL, c->input, seed, &report, &c->error))
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
