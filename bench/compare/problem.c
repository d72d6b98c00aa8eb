/* A case at one of its sizes: its program, and inputs with data from a fixed seed. The types of the
 * inputs are read off the program, so that a case says them once, in its formula. */
#include "compare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

wg_program *problem_program(const struct problem *p, wg_error *error) {
    wg_program *named = p->of->build
                            ? p->of->build(p, error)
                            : wg_parse(p->of->formula, strlen(p->of->formula), NULL, error);
    if (error->status || wg_size_count(named) == 0) return named;
    wg_program *fixed = wg_specialize(named, p->sizes, error);
    wg_program_free(named);
    return fixed;
}

/* Memory for an array, aligned to 64 bytes and touched, so that no clock sees its pages come. */
static void *touched(size_t bytes) {
    void *block = aligned_alloc(64, (bytes + 64) / 64 * 64);
    return block ? memset(block, 0, bytes) : NULL;
}

static void *room(size_t bytes, wg_error *error) {
    void *block = touched(bytes);
    if (!block) *error = (wg_error){WG_ENOMEM, "not enough memory for a problem's data"};
    return block;
}

static void make_input(struct problem *p, const wg_program *program, wg_error *error) {
    wg_type type = wg_input_type(program, p->inputs);
    wg_tensor *t = &p->input[p->inputs];
    *t = (wg_tensor){.dtype = (wg_dtype)type.dtype, .rank = type.rank};
    for (int k = 0; k < type.rank; k++) t->shape[k] = type.extent[k];
    snprintf(p->input_name[p->inputs], sizeof *p->input_name, "%s",
             wg_input_name(program, p->inputs));
    t->data = room((size_t)wg_tensor_count(t) * wg_dtype_size(t->dtype), error);
    if (t->data) p->inputs++;
}

/* Which inputs the gradient has slopes of: its outputs are named "d" and the input's name. */
static void find_slopes(struct problem *p, const wg_program *program, wg_error *error) {
    wg_program *gradient = wg_grad(program, p->of->wrt, error);
    for (size_t i = 0; !error->status && i < wg_output_count(gradient); i++) {
        int input = wg_input_index(program, wg_output_name(gradient, i) + 1);
        p->wrt[p->slopes++] = (size_t)input;
        p->dtype = p->input[input].dtype;
    }
    wg_program_free(gradient);
}

static void fill_normal(struct problem *p, wg_random *random) {
    for (size_t i = 0; i < p->inputs; i++) {
        double *x = p->input[i].data;
        for (int64_t k = 0, n = wg_tensor_count(&p->input[i]); k < n; k++)
            x[k] = wg_random_normal(random);
    }
}

wg_status problem_make(struct problem *p, const struct bench_case *of, const char *sizes,
                       wg_error *error) {
    *p = (struct problem){.of = of, .sizes = sizes};
    wg_program *program = problem_program(p, error);
    if (!error->status && wg_input_count(program) > MAX_INPUTS)
        *error = (wg_error){WG_EARGUMENT, "a case has more inputs than MAX_INPUTS"};
    while (!error->status && p->inputs < wg_input_count(program)) make_input(p, program, error);
    if (!error->status) find_slopes(p, program, error);
    wg_program_free(program);
    if (error->status) return error->status;
    if (of->scratch) p->scratch = room(of->scratch(p), error);
    wg_random random = wg_random_seed(31337);
    if (!error->status) (of->fill ? of->fill : fill_normal)(p, &random);
    return error->status;
}

void problem_free(struct problem *p) {
    for (size_t i = 0; i < p->inputs; i++) free(p->input[i].data);
    free(p->scratch);
    p->inputs = p->slopes = 0;
    p->scratch = NULL;
}

size_t problem_slope_count(const struct problem *p, size_t i) {
    return (size_t)wg_tensor_count(&p->input[p->wrt[i]]);
}

size_t problem_unknowns(const struct problem *p) {
    size_t count = 0;
    for (size_t i = 0; i < p->slopes; i++) count += problem_slope_count(p, i);
    return count;
}

/* ---- slopes --------------------------------------------------------------------------------- */

static size_t slope_bytes(const struct problem *p, size_t i) {
    return problem_slope_count(p, i) * wg_dtype_size(p->dtype);
}

bool slopes_make(const struct problem *p, void *slope[MAX_INPUTS]) {
    bool good = true;
    for (size_t i = 0; i < MAX_INPUTS; i++) slope[i] = NULL;
    for (size_t i = 0; good && i < p->slopes; i++) {
        slope[i] = touched(slope_bytes(p, i));
        good = slope[i];
    }
    return good;
}

void slopes_free(void *slope[MAX_INPUTS]) {
    for (size_t i = 0; i < MAX_INPUTS; i++) free(slope[i]);
}

void slopes_copy(const struct problem *p, void *const *to, const void *const *from) {
    for (size_t i = 0; i < p->slopes; i++) memcpy(to[i], from[i], slope_bytes(p, i));
}

double slope_get(const struct problem *p, const void *slope, size_t k) {
    return p->dtype == WG_F32 ? (double)((const float *)slope)[k] : ((const double *)slope)[k];
}

void slope_set(const struct problem *p, void *slope, size_t k, double x) {
    if (p->dtype == WG_F32)
        ((float *)slope)[k] = (float)x;
    else
        ((double *)slope)[k] = x;
}
