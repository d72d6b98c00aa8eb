/* ht: hand tracking. 26 angles and shifts theta pose a hand of bones; each vertex moves with all
 * bones by its weights; the error of a point is its distance from its vertex, or where there are
 * us[points,2] from the place u, v on its triangle. The Jacobian with respect to theta, and before
 * these columns two for every point's own u and v: all of u, and all of v, moved at once. */
#include "gradbench.h"
#include "plain.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARAMETERS = 26, MAX_BONES = 64 };

/* ---- the request ----------------------------------------------------------------------------- */

static const char *const corner[] = {"corner_0", "corner_1", "corner_2"};

/* The next argument: of every list of three (or one) numbers the first, second or third, which are
 * vertices. */
static void add_corner(struct job *job, int which, const double *list, int64_t width,
                       int64_t points, int64_t vertices) {
    int64_t *to = add_argument(job, corner[which], WG_I64, SHAPE(points));
    for (int64_t i = 0; to && list && i < points; i++) {
        double v = list[width * i + which];
        if (!(v >= 0 && v < (double)vertices && v == floor(v)))
            job_fail(job, WG_EINDEX, "ht: point %lld has no vertex", (long long)i);
        else
            to[i] = (int64_t)v;
    }
}

/* The vertices of every point: one, or with triangles three. */
static void read_vertices(struct job *job, const cJSON *data, const cJSON *model, int64_t points,
                          int64_t vertices, bool triangles) {
    double *list = NULL, *at = get_array(job, data, "correspondences", SHAPE(points));
    int64_t count = get_length(job, model, "triangles");
    double *triangle = get_array(job, model, "triangles", SHAPE(count, 3));
    if (triangles && at && triangle) list = calloc((size_t)(3 * points) + 1, sizeof *list);
    for (int64_t i = 0; list && i < 3 * points; i++) {
        double t = at[i / 3];
        list[i] = t >= 0 && t < (double)count ? triangle[3 * (int64_t)t + i % 3] : -1;
    }
    for (int k = 0; k < (triangles ? 3 : 1); k++)
        add_corner(job, k, triangles ? list : at, triangles ? 3 : 1, points, vertices);
    free(list);
    free(at);
    free(triangle);
}

/* The vertices and their weights, and for the program the products weighted[vertices, bones, 4] of
 * these constant data. */
static void read_vertex_data(struct job *job, const cJSON *model, int64_t vertices, int64_t bones) {
    const double *base = add_array(job, model, "base_positions", SHAPE(vertices, 4));
    const double *weights = add_array(job, model, "weights", SHAPE(vertices, bones));
    double *weighted = add_argument(job, "weighted", WG_F64, SHAPE(vertices, bones, 4));
    for (int64_t i = 0; weighted && i < vertices * bones; i++)
        for (int64_t h = 0; h < 4; h++)
            weighted[4 * i + h] = weights[i] * base[4 * (i / bones) + h];
}

/* Which angle of theta turns each bone about x, and about z; PARAMETERS: none. */
static void add_angles(struct job *job, int64_t bones) {
    int64_t *x = add_argument(job, "x_angle", WG_I64, SHAPE(bones));
    int64_t *z = add_argument(job, "z_angle", WG_I64, SHAPE(bones));
    for (int64_t b = 0; z && b < bones; b++) {
        int64_t finger = (b - 2) / 4, joint = (b - 2) % 4;
        bool turns = b >= 2 && finger < 5 && joint < 3;
        x[b] = turns ? 6 + 4 * finger + (joint ? joint + 1 : 0) : PARAMETERS;
        z[b] = turns && joint == 0 ? 7 + 4 * finger : PARAMETERS;
    }
}

static void read_parents(struct job *job, const cJSON *model, int64_t bones) {
    double *from = get_array(job, model, "parents", SHAPE(bones));
    int64_t *parent = add_argument(job, "parent", WG_I64, SHAPE(bones));
    for (int64_t b = 0; parent && from && b < bones; b++) {
        if (!(from[b] >= -1 && from[b] < (double)b))
            job_fail(job, WG_EINDEX, "ht: the parent of bone %lld is not before it", (long long)b);
        else
            parent[b] = (int64_t)from[b];
    }
    free(from);
}

static void read_model(struct job *job, const cJSON *data, int64_t points, bool triangles) {
    const cJSON *model = get(job, data, "model");
    int64_t bones = get_count(job, model, "bone_count", 1);
    int64_t vertices = get_length(job, model, "base_positions");
    if (bones > MAX_BONES || vertices == 0)
        job_fail(job, WG_EARGUMENT, "ht: no vertices, or more than %d bones", MAX_BONES);
    add_array(job, model, "base_relatives", SHAPE(bones, 4, 4));
    add_array(job, model, "inverse_base_absolutes", SHAPE(bones, 4, 4));
    add_number(job, "mirror", cJSON_IsTrue(get(job, model, "is_mirrored")) ? -1 : 1);
    read_parents(job, model, bones);
    add_angles(job, bones);
    read_vertex_data(job, model, vertices, bones);
    read_vertices(job, data, model, points, vertices, triangles);
    job->own = malloc((size_t)(16 * bones + 3 * vertices) * sizeof(double)); /* of plain_ht */
}

static void read(struct job *job, const cJSON *input) {
    const cJSON *data = get(job, input, "data");
    int64_t points = get_length(job, data, "points"), places = get_length(job, input, "us");
    add_array(job, input, "theta", SHAPE(PARAMETERS));
    if (points == 0 || (places && places != points))
        job_fail(job, WG_ESHAPE, "ht: no points, or not as many 'us'");
    if (places) {
        add_array(job, input, "us", SHAPE(points, 2));
        add_argument(job, "shift", WG_F64, SHAPE(2)); /* 0: what is added to all of us */
    }
    add_array(job, data, "points", SHAPE(points, 3));
    read_model(job, data, points, places > 0);
}

static bool has_triangles(const struct job *job) {
    return strcmp(job->argument[1].name, "us") == 0;
}

/* ---- the hand -------------------------------------------------------------------------------- */

/* relatives, inverses: where a bone lies, seen from its parent and in the end */
static const char relative_text[] =
    "relative(theta[26], base[b,4,4], x_angle[b]: i64, z_angle[b]: i64) = {\n"
    "  let angle = concat(theta, zeros(1), axis=0)\n"
    "  let s = sin(angle[x_angle]); let c = cos(angle[x_angle])\n"
    "  let sz = sin(angle[z_angle]); let cz = cos(angle[z_angle])\n"
    "  let o = zeros(b)\n"
    "  let turn = stack(stack(cz, -sz*c, sz*s, o, axis=1), stack(sz, cz*c, -cz*s, o, axis=1),\n"
    "                   stack(o, s, c, o, axis=1), stack(o, o, o, ones(b), axis=1), axis=1)\n"
    "  base @ turn\n"
    "}";

/* The rotation of an axis times an angle; the derivative at a vanishing one is that of the
 * identity. */
static const char rotation_text[] =
    "rotation(r[3]) = {\n"
    "  let square = sum(r^2)\n"
    "  let turns = square >= 1e-8\n"
    "  let n = sqrt(where(turns, square, 1))\n"
    "  let u = r/n\n"
    "  let x = u[0]; let y = u[1]; let z = u[2]; let s = sin(n); let c = cos(n)\n"
    "  let k = 1 - c\n"
    "  let R = [[x*x + (1 - x*x)*c, x*y*k - z*s, x*z*k + y*s],\n"
    "           [x*y*k + z*s, y*y + (1 - y*y)*c, y*z*k - x*s],\n"
    "           [x*z*k - y*s, z*y*k + x*s, z*z + (1 - z*z)*c]]\n"
    "  where(turns, R, eye(3))\n"
    "}";

static wg_var apply_formula(wg_graph *g, const char *text, const char *sizes, const wg_var *input,
                            wg_error *error) {
    wg_var y = {0};
    wg_program *program = formula(text, sizes, error);
    wg_apply(g, program, input, &y);
    wg_program_free(program);
    return y;
}

static wg_var indices(wg_graph *g, size_t count, const int64_t *index) {
    return wg_constant(g, wg_i64((wg_extent)count), index);
}

/* Where each bone lies, [bones,4,4], from where it lies seen from its parent: all bones of one
 * distance from the root at once. */
static wg_var absolute(wg_graph *g, const struct job *job, wg_var relative) {
    const int64_t *parent = data_of(job, "parent"), bones = shape_of(job, "parent")[0];
    int64_t depth[MAX_BONES], place[MAX_BONES], position[MAX_BONES], placed = 0;
    wg_var level[MAX_BONES], before = relative;
    size_t levels = 0;
    for (int64_t b = 0; b < bones; b++) depth[b] = parent[b] < 0 ? 0 : depth[parent[b]] + 1;
    for (; placed < bones; levels++) {
        int64_t member[MAX_BONES], of[MAX_BONES];
        size_t count = 0;
        for (int64_t b = 0; b < bones; b++)
            if (depth[b] == (int64_t)levels) {
                of[count] = levels ? position[parent[b]] : 0;
                member[count++] = b;
            }
        for (size_t i = 0; i < count; i++) {
            position[member[i]] = (int64_t)i;
            place[member[i]] = placed++;
        }
        wg_var own = wg_take(relative, indices(g, count, member), 0);
        before = levels ? wg_matmul(wg_take(before, indices(g, count, of), 0), own) : own;
        level[levels] = before;
    }
    return wg_take(wg_concat_at(WG_HERE, 0, levels, level), indices(g, (size_t)bones, place), 0);
}

/* What a bone does to a vertex in its base position, [bones,3,4]: the rotation and the mirror of
 * the whole hand included, its shift not. */
static wg_var transforms(wg_graph *g, const struct job *job, wg_var theta, wg_error *error) {
    char sizes[32];
    snprintf(sizes, sizeof sizes, "b=%lld", (long long)shape_of(job, "parent")[0]);
    wg_var input[] = {theta, input_of(g, job, "base_relatives"), input_of(g, job, "x_angle"),
                      input_of(g, job, "z_angle")};
    wg_var all = absolute(g, job, apply_formula(g, relative_text, sizes, input, error));
    wg_var axis = wg_slice(theta, 0, 0, 3, 1);
    wg_var rotation = apply_formula(g, rotation_text, NULL, &axis, error);
    all = wg_slice(wg_matmul(all, input_of(g, job, "inverse_base_absolutes")), 1, 0, 3, 1);
    return wg_formula(g, "(rotation*[mirror, 1, 1]) @ all", "rotation", rotation, "mirror",
                      input_of(g, job, "mirror"), "all", all, NULL);
}

/* Where the points should be, [3, points], from where the vertices are, [3, vertices]. */
static wg_var place_points(wg_graph *g, const struct job *job, wg_var x) {
    if (!has_triangles(job)) return wg_take(x, input_of(g, job, corner[0]), 1);
    return wg_formula(g,
                      "let u = us[:, 0] + shift[0]; let v = us[:, 1] + shift[1]\n"
                      "u*take(x, a, axis=1) + v*take(x, b, axis=1) + "
                      "(1 - u - v)*take(x, c, axis=1)",
                      "x", x, "us", input_of(g, job, "us"), "shift", input_of(g, job, "shift"), "a",
                      input_of(g, job, corner[0]), "b", input_of(g, job, corner[1]), "c",
                      input_of(g, job, corner[2]), NULL);
}

static wg_program *value(const struct job *job, wg_error *error) {
    wg_graph *g = wg_graph_new();
    wg_var theta = input_of(g, job, "theta"), weighted = input_of(g, job, "weighted");
    wg_var shift = wg_expand(wg_slice(theta, 0, 3, 6, 1), 1);
    /* x, y and z one behind the other: long loops over vertices, and over points */
    wg_var x = wg_einsum("bih,vbh->iv", transforms(g, job, theta, error), weighted);
    x = place_points(g, job, wg_add(x, shift));
    wg_output(g, "error",
              wg_reshape(wg_sub(input_of(g, job, "points"), wg_transpose(x)), WG_INFER));
    if (!error->status) return wg_build(g, error);
    wg_graph_free(g);
    return NULL;
}

/* The columns of shift before those of theta. */
static wg_program *derivative(const struct job *job, const wg_program *value, wg_error *error) {
    if (!has_triangles(job)) return wg_jacobian(value, NULL, "theta", WG_FORWARD, error);
    wg_program *jacobian = wg_jacobian(value, NULL, "shift, theta", WG_FORWARD, error);
    if (!jacobian) return NULL;
    wg_graph *g = wg_graph_new();
    wg_var input[MAX_ARGUMENTS], d[2] = {{0}};
    for (size_t i = 0; i < wg_input_count(jacobian); i++)
        input[i] = input_of(g, job, wg_input_name(jacobian, i));
    wg_apply(g, jacobian, input, d);
    wg_output(g, "jacobian", wg_concat(1, d[0], d[1]));
    wg_program_free(jacobian);
    return wg_build(g, error);
}

/* ---- plain C, and its directions ------------------------------------------------------------- */

static void plain(const struct job *job, double *y) {
    plain_ht(
        &(struct plain_ht){
            .bones = shape_of(job, "parent")[0],
            .vertices = shape_of(job, "base_positions")[0],
            .points = shape_of(job, "points")[0],
            .parent = data_of(job, "parent"),
            .corner = {data_of(job, corner[0]), data_of(job, corner[1]), data_of(job, corner[2])},
            .theta = data_of(job, "theta"),
            .relatives = data_of(job, "base_relatives"),
            .inverses = data_of(job, "inverse_base_absolutes"),
            .base = data_of(job, "base_positions"),
            .weights = data_of(job, "weights"),
            .point = data_of(job, "points"),
            .us = has_triangles(job) ? data_of(job, "us") : NULL,
            .mirror = *(double *)data_of(job, "mirror"),
            .scratch = job->own,
        },
        y);
}

static size_t directions(const struct job *job) {
    return PARAMETERS + (has_triangles(job) ? 2 : 0);
}

static void move(struct job *job, size_t k, double h) {
    size_t places = has_triangles(job) ? 2 : 0;
    if (k >= places) {
        ((double *)data_of(job, "theta"))[k - places] += h;
        return;
    }
    double *us = data_of(job, "us");
    for (int64_t i = 0; i < shape_of(job, "us")[0]; i++) us[2 * (size_t)i + k] += h;
}

static cJSON *answer(const struct job *job) {
    int64_t columns = (int64_t)directions(job), rows = 3 * shape_of(job, "points")[0];
    return json_array(job->result, job->derivative ? 2 : 1, (int64_t[]){rows, columns});
}

const struct evaluation evaluation_ht = {
    .name = "ht",
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
