/* ba: bundle adjustment. p observations of m points by n cameras: the error of each reprojection,
 * and of each weight; the sparse Jacobian as compressed rows, (3p) x (11n + 3m + p). A camera is
 * r[3] C[3] f u0 v0 k1 k2: rotation as axis times angle, centre, focal length, principal point,
 * radial distortion. Observation i is of point i mod m by camera i mod n.
 *
 * The function of one observation is written once, differentiated, and mapped over all. Which
 * entries there are is known beforehand, and their values come in their order. */
#include "gradbench.h"
#include "plain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CAMERA = 11, POINT = 3, OWN = CAMERA + POINT + 1, SHOWN = 30 };

/* The structure of the Jacobian: 31p entries. */
struct rows {
    int *start, *column; /* [3p+1], [31p], behind this */
};

static void fill_structure(struct rows *to, int64_t n, int64_t m, int64_t p) {
    int *column = to->column;
    for (int64_t row = 0; row < 2 * p; row++) {
        int64_t i = row / 2;
        to->start[row] = (int)(OWN * row);
        for (int64_t j = 0; j < CAMERA; j++) *column++ = (int)(CAMERA * (i % n) + j);
        for (int64_t j = 0; j < POINT; j++) *column++ = (int)(CAMERA * n + POINT * (i % m) + j);
        *column++ = (int)(CAMERA * n + POINT * m + i);
    }
    for (int64_t i = 0; i <= p; i++) to->start[2 * p + i] = (int)(2 * OWN * p + i);
    for (int64_t i = 0; i < p; i++) *column++ = (int)(CAMERA * n + POINT * m + i);
}

static void keep_structure(struct job *job, int64_t n, int64_t m, int64_t p) {
    struct rows *rows = malloc(sizeof *rows + (size_t)(34 * p + 1) * sizeof(int));
    job->own = rows;
    if (!rows) {
        job_fail(job, WG_ENOMEM, "ba: not enough memory");
        return;
    }
    rows->start = (int *)(rows + 1);
    rows->column = rows->start + 3 * p + 1;
    fill_structure(rows, n, m, p);
}

/* An argument of `count` copies of the field's numbers. */
static void repeat(struct job *job, const cJSON *input, const char *field, const char *name,
                   int64_t count, int64_t length) {
    double *one = get_array(job, input, field, SHAPE(length));
    double *to = add_argument(job, name, WG_F64, SHAPE(count, length));
    for (int64_t i = 0; to && i < count * length; i++) to[i] = one[i % length];
    free(one);
}

static void read(struct job *job, const cJSON *input) {
    int64_t n = get_count(job, input, "n", 1), m = get_count(job, input, "m", 1);
    int64_t p = get_count(job, input, "p", 1);
    double weight = get_number(job, input, "w");
    if (p > 1 << 25) job_fail(job, WG_EOVERFLOW, "ba: too many observations");
    repeat(job, input, "cam", "cameras", n, CAMERA);
    repeat(job, input, "x", "points", m, POINT);
    repeat(job, input, "feat", "features", p, 2);
    double *w = add_argument(job, "weights", WG_F64, SHAPE(p));
    int64_t *camera = add_argument(job, "camera_of", WG_I64, SHAPE(p));
    int64_t *point = add_argument(job, "point_of", WG_I64, SHAPE(p));
    for (int64_t i = 0; point && i < p; i++) {
        w[i] = weight;
        camera[i] = i % n;
        point[i] = i % m;
    }
    if (!job->error.status) keep_structure(job, n, m, p);
}

/* One observation: the element of its camera, its point, its weight and its feature. */
static wg_program *observation(wg_error *error) {
    static const char text[] =
        "observation(r0, r1, r2, C0, C1, C2, f, u0, v0, k1, k2, x0, x1, x2, w, u, v) = {\n"
        "  let x = x0 - C0; let y = x1 - C1; let z = x2 - C2\n"
        "  let square = r0^2 + r1^2 + r2^2\n"
        "  let turns = square != 0\n"
        "  let angle = sqrt(where(turns, square, 1))\n"
        "  let a = r0/angle; let b = r1/angle; let c = r2/angle\n"
        "  let cosine = where(turns, cos(angle), 1); let sine = where(turns, sin(angle), 1)\n"
        "  let along = (a*x + b*y + c*z)*(1 - cosine)\n"
        "  let X = x*cosine + (b*z - c*y)*sine + a*along\n"
        "  let Y = y*cosine + (c*x - a*z)*sine + b*along\n"
        "  let Z = z*cosine + (a*y - b*x)*sine + c*along\n"
        "  let px = X/Z; let py = Y/Z\n"
        "  let s = px^2 + py^2\n"
        "  let stretch = (1 + k1*s + k2*s^2)*f\n"
        "  error_u = w*(px*stretch + u0 - u)\n"
        "  error_v = w*(py*stretch + v0 - v)\n"
        "  error_w = 1 - w^2\n"
        "}";
    return formula(text, NULL, error);
}

/* Column j of x, and of that the elements at index (of no graph: all). */
static wg_var column(wg_var x, int64_t j, wg_var index) {
    wg_var y = wg_squeeze(wg_slice(x, 1, j, j + 1, 1), 1);
    return index.graph ? wg_take(y, index, 0) : y;
}

/* A program of one observation, on all of them: output[i] is [p]. */
static void map_observations(wg_graph *g, const struct job *job, const wg_program *one,
                             wg_var *output, wg_error *error) {
    wg_program *all = wg_vmap(one, NULL, "p", error);
    wg_var cameras = input_of(g, job, "cameras"), camera = input_of(g, job, "camera_of");
    wg_var points = input_of(g, job, "points"), point = input_of(g, job, "point_of");
    wg_var features = input_of(g, job, "features"), every = {0}, input[OWN + 2];
    for (int j = 0; j < CAMERA; j++) input[j] = column(cameras, j, camera);
    for (int j = 0; j < POINT; j++) input[CAMERA + j] = column(points, j, point);
    input[OWN - 1] = input_of(g, job, "weights");
    for (int j = 0; j < 2; j++) input[OWN + j] = column(features, j, every);
    wg_apply(g, all, input, output);
    wg_program_free(all);
}

/* build takes the graph also where there was an error before */
static wg_program *finish(wg_graph *g, wg_error *error) {
    if (!error->status) return wg_build(g, error);
    wg_graph_free(g);
    return NULL;
}

static wg_program *value(const struct job *job, wg_error *error) {
    wg_graph *g = wg_graph_new();
    wg_program *one = observation(error);
    wg_var e[3] = {{0}};
    map_observations(g, job, one, e, error);
    wg_output(g, "reprojection", wg_stack(1, e[0], e[1]));
    wg_output(g, "weight", e[2]);
    wg_program_free(one);
    return finish(g, error);
}

/* The values of the compressed rows: two of 15 for each observation, then one for each. */
static wg_program *derivative(const struct job *job, const wg_program *whole, wg_error *error) {
    static const char wrt[] = "r0, r1, r2, C0, C1, C2, f, u0, v0, k1, k2, x0, x1, x2, w";
    (void)whole;
    wg_graph *g = wg_graph_new();
    wg_program *one = observation(error);
    wg_program *jacobian = wg_jacobian(one, NULL, wrt, WG_REVERSE, error);
    wg_var d[3 * OWN] = {{0}};
    map_observations(g, job, jacobian, d, error);
    wg_output(g, "reprojection", wg_stack_at(WG_HERE, 1, 2 * OWN, d));
    wg_output(g, "weight", d[3 * OWN - 1]);
    wg_program_free(jacobian);
    wg_program_free(one);
    return finish(g, error);
}

/* ---- plain C, and its directions: an element of all cameras, all points, or all weights ------ */

static void plain(const struct job *job, double *y) {
    const double *cameras = data_of(job, "cameras"), *points = data_of(job, "points");
    const double *weights = data_of(job, "weights"), *features = data_of(job, "features");
    const int64_t *camera = data_of(job, "camera_of"), *point = data_of(job, "point_of");
    int64_t p = shape_of(job, "weights")[0];
    for (int64_t i = 0; i < p; i++)
        plain_ba(cameras + CAMERA * camera[i], points + POINT * point[i], weights[i],
                 features + 2 * i, y + 2 * i);
    for (int64_t i = 0; i < p; i++) y[2 * p + i] = 1 - weights[i] * weights[i];
}

static size_t directions(const struct job *job) {
    (void)job;
    return OWN;
}

static void move(struct job *job, size_t k, double h) {
    const char *name = k < CAMERA ? "cameras" : k < CAMERA + POINT ? "points" : "weights";
    size_t of = k < CAMERA ? CAMERA : k < CAMERA + POINT ? POINT : 1;
    size_t at = k < CAMERA ? k : k < CAMERA + POINT ? k - CAMERA : 0;
    double *x = data_of(job, name);
    for (int64_t i = 0; i < shape_of(job, name)[0]; i++) x[(size_t)i * of + at] += h;
}

/* ---- answers: the first entries, and the last ------------------------------------------------ */

static cJSON *shown_integers(const int *x, int64_t count) {
    double shown[SHOWN + 1];
    for (int64_t i = 0; i < SHOWN; i++) shown[i] = x[i < count ? i : count - 1];
    shown[SHOWN] = x[count - 1];
    return json_array(shown, SHAPE(SHOWN + 1));
}

static cJSON *jacobian_answer(const struct job *job) {
    const struct rows *rows = job->own;
    int64_t p = shape_of(job, "weights")[0];
    double values[SHOWN + 1];
    memcpy(values, job->result, SHOWN * sizeof *values);
    values[SHOWN] = job->result[job->results - 1];
    cJSON *all = cJSON_CreateObject();
    cJSON_AddItemToObject(all, "rows", shown_integers(rows->start, 3 * p + 1));
    cJSON_AddItemToObject(all, "cols", shown_integers(rows->column, 31 * p));
    cJSON_AddItemToObject(all, "vals", json_array(values, SHAPE(SHOWN + 1)));
    return all;
}

static cJSON *answer(const struct job *job) {
    int64_t p = shape_of(job, "weights")[0];
    if (job->derivative) return jacobian_answer(job);
    cJSON *all = cJSON_CreateObject(), *reprojection = cJSON_CreateObject();
    cJSON *weight = cJSON_CreateObject();
    cJSON_AddItemToObject(reprojection, "elements", json_array(job->result, SHAPE(2)));
    cJSON_AddNumberToObject(reprojection, "repeated", (double)p);
    cJSON_AddItemToObject(weight, "element", json_array(job->result + 2 * p, 0, NULL));
    cJSON_AddNumberToObject(weight, "repeated", (double)p);
    cJSON_AddItemToObject(all, "reproj_error", reprojection);
    cJSON_AddItemToObject(all, "w_err", weight);
    return all;
}

const struct evaluation evaluation_ba = {
    .name = "ba",
    .value_name = "objective",
    .derivative_name = "jacobian",
    .read = read,
    .value = value,
    .derivative = derivative,
    .answer = answer,
    .plain = plain,
    .directions = directions,
    .move = move,
};
