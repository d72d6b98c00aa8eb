#include "support/sparse_check.h"

#include "support/random_program.h"
#include "support/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PORTS = 64 };

static bool is_float(wg_type type) { return type.dtype == WG_F32 || type.dtype == WG_F64; }

static double element(const wg_tensor *x, int64_t i) {
    return x->dtype == WG_F32 ? (double)((const float *)x->data)[i] : ((const double *)x->data)[i];
}

/* The matrix, f64[height, width], column by column: by products of `product`, a jvp or hvp whose
 * last inputs are tangents of the inputs that are of a floating type, in turn with each unit. Its
 * results are the last `rows` outputs. */
static double *dense_matrix(const wg_program *product, size_t inputs, int64_t n,
                            const wg_tensor *input, size_t rows, const int64_t *column,
                            size_t columns, int64_t *height, int64_t *width) {
    wg_tensor all[2 * PORTS] = {{0}};
    wg_error error = {0};
    double *matrix = NULL;
    memcpy(all, input, inputs * sizeof *input);
    *height = *width = 0;
    for (size_t i = 0, k = inputs; i < inputs; i++) {
        if (input[i].dtype != WG_F32 && input[i].dtype != WG_F64) continue;
        all[k] = input[i];
        all[k++].data = calloc((size_t)wg_tensor_count(&input[i]) + 1, 8);
        *width += wg_tensor_count(&input[i]);
    }
    wg_function *fn = wg_compile(product, NULL, &error);
    int64_t size[16], at = 0;
    for (size_t i = 0; i < 16; i++) size[i] = n;
    for (size_t x = 0; x <= columns; x++)
        for (int64_t k = 0; k < (x < columns ? column[x] : 1); k++, at++) { /* once without */
            size_t outputs = wg_output_count(product);
            wg_tensor out[2 * PORTS] = {{0}}, *seed = x < columns ? &all[inputs + x] : NULL;
            if (seed && seed->dtype == WG_F32) ((float *)seed->data)[k] = 1;
            if (seed && seed->dtype == WG_F64) ((double *)seed->data)[k] = 1;
            wg_run(fn, size, all, out, &error);
            assert_ok(error);
            if (seed)
                memset((char *)seed->data + (size_t)k * wg_dtype_size(seed->dtype), 0,
                       wg_dtype_size(seed->dtype));
            *height = 0;
            for (size_t y = outputs - rows; y < outputs; y++) *height += wg_tensor_count(&out[y]);
            if (!matrix) matrix = calloc((size_t)(*height * *width) + 1, sizeof *matrix);
            assert_non_null(matrix);
            int64_t row = 0;
            for (size_t y = outputs - rows; seed && y < outputs; y++)
                for (int64_t i = 0; i < wg_tensor_count(&out[y]); i++, row++)
                    matrix[row * *width + at] = element(&out[y], i);
            for (size_t y = 0; y < outputs; y++) wg_tensor_free(&out[y], NULL);
        }
    for (size_t k = inputs; k < inputs + columns; k++) free(all[k].data);
    wg_function_free(fn);
    return matrix;
}

static void compare(const wg_pattern *p, const double *value, const double *dense,
                    struct sparse_counts *counts) {
    char *inside = calloc((size_t)(p->rows * p->columns) + 1, 1);
    assert_non_null(inside);
    assert_int_equal(p->row[0], 0);
    assert_int_equal(p->row[p->rows], p->entries);
    for (int64_t i = 0; i < p->rows; i++)
        for (int64_t e = p->row[i]; e < p->row[i + 1]; e++) {
            assert_true(p->column[e] >= 0 && p->column[e] < p->columns);
            if (e > p->row[i]) assert_true(p->column[e] > p->column[e - 1]);
            int64_t at = i * p->columns + p->column[e];
            inside[at] = 1;
            double off = fabs(value[e] - dense[at]) / (1 + fabs(dense[at]));
            if (!(off <= 1e-11) && !(isnan(dense[at]) && isnan(value[e])))
                fail_msg("entry (%lld, %lld) is %.17g, not %.17g", (long long)i,
                         (long long)p->column[e], value[e], dense[at]);
        }
    counts->entries = p->entries;
    counts->nonzeros = 0;
    for (int64_t at = 0; at < p->rows * p->columns; at++) {
        if (dense[at] == 0) continue;
        counts->nonzeros++;
        if (!inside[at])
            fail_msg("(%lld, %lld) is %.17g, and no entry", (long long)(at / p->columns),
                     (long long)(at % p->columns), dense[at]);
    }
    free(inside);
}

static void values_of(const wg_sparse *s, const void *const *data, const double *dense,
                      struct sparse_counts *counts) {
    wg_error error = {0};
    const wg_pattern *p = wg_sparse_pattern(s);
    double *value = malloc(((size_t)p->entries + 1) * sizeof *value);
    assert_non_null(value);
    for (int64_t e = 0; e < p->entries; e++) value[e] = NAN;
    void *workspace = wg_sparse_workspace_new(s, &error);
    wg_sparse_values(s, data, value, workspace, &error);
    assert_ok(error);
    compare(p, value, dense, counts);
    wg_sparse_sweeps(s, &counts->forward, &counts->reverse);
    free(value);
    wg_sparse_workspace_free(workspace);
}

struct ports {
    const void *data[PORTS], *known[PORTS];
    int64_t size[16], column[PORTS];
    size_t rows, columns;
    wg_sparse_options options;
};

static void find_ports(const wg_program *p, int64_t n, const wg_tensor *input, bool known,
                       struct ports *ports) {
    memset(ports, 0, sizeof *ports);
    for (size_t i = 0; i < 16; i++) ports->size[i] = n;
    assert_true(wg_input_count(p) <= PORTS && wg_output_count(p) <= PORTS);
    for (size_t i = 0; i < wg_input_count(p); i++) {
        ports->data[i] = input[i].data;
        if (is_float(wg_input_type(p, i)))
            ports->column[ports->columns++] = wg_tensor_count(&input[i]);
        else
            ports->known[i] = input[i].data;
    }
    for (size_t i = 0; i < wg_output_count(p); i++) ports->rows += is_float(wg_output_type(p, i));
    ports->options = (wg_sparse_options){.size = ports->size};
    if (known) ports->options.known = ports->known;
}

struct sparse_counts check_sparse_jacobian(const wg_program *p, int64_t n, const wg_tensor *input,
                                           bool known) {
    static const wg_mode mode[] = {WG_FORWARD, WG_REVERSE, WG_AUTO_MODE};
    struct sparse_counts counts = {0};
    struct ports ports;
    wg_error error = {0};
    int64_t height, width;
    find_ports(p, n, input, known, &ports);
    wg_program *product = wg_jvp(p, NULL, NULL, &error);
    assert_ok(error);
    double *dense = dense_matrix(product, wg_input_count(p), n, input, ports.rows, ports.column,
                                 ports.columns, &height, &width);
    for (size_t k = 0; k < 3; k++) {
        ports.options.mode = mode[k];
        wg_sparse *s = wg_sparse_jacobian(p, &ports.options, &error);
        assert_ok(error);
        assert_int_equal(wg_sparse_pattern(s)->rows, height);
        assert_int_equal(wg_sparse_pattern(s)->columns, width);
        values_of(s, ports.data, dense, &counts);
        wg_sparse_free(s);
    }
    free(dense);
    wg_program_free(product);
    return counts;
}

struct sparse_counts check_sparse_hessian(const wg_program *p, int64_t n, const wg_tensor *input,
                                          bool known) {
    struct sparse_counts counts = {0};
    struct ports ports;
    wg_error error = {0};
    int64_t height, width;
    find_ports(p, n, input, known, &ports);
    wg_program *product = wg_hvp(p, NULL, &error);
    assert_ok(error);
    double *dense = dense_matrix(product, wg_input_count(p), n, input, ports.columns, ports.column,
                                 ports.columns, &height, &width);
    wg_sparse *s = wg_sparse_hessian(p, &ports.options, &error);
    assert_ok(error);
    values_of(s, ports.data, dense, &counts);
    wg_sparse_free(s);
    free(dense);
    wg_program_free(product);
    return counts;
}
