/* The public functions of wengert/linalg.h: they note the caller's line and leave the rest to the
 * builders. */
#include "op/build.h"
#include "op/face.h"

static wg_var of_one(const char *file, int line, const char *name, wg_var a,
                     value (*build)(wg_graph *, value)) {
    wg_graph *g = face_enter(file, line, name, 1, &a);
    return face_result(a, g, g ? build(g, a.id) : 0);
}

static wg_var of_two(const char *file, int line, const char *name, wg_var a, wg_var b,
                     value (*build)(wg_graph *, value, value)) {
    wg_graph *g = face_enter(file, line, name, 2, (const wg_var[]){a, b});
    return face_result(a.graph ? a : b, g, g ? build(g, a.id, b.id) : 0);
}

static wg_var part_of(const char *file, int line, const char *name, wg_var a,
                      enum matrix_part part) {
    wg_graph *g = face_enter(file, line, name, 1, &a);
    return face_result(a, g, g ? build_matrix_part(g, a.id, part) : 0);
}

wg_var wg_cholesky_at(const char *file, int line, wg_var a) {
    return of_one(file, line, "cholesky", a, build_cholesky);
}

wg_var wg_cholesky_solve_at(const char *file, int line, wg_var l, wg_var b) {
    return of_two(file, line, "cholesky_solve", l, b, build_cholesky_solve);
}

wg_var wg_solve_at(const char *file, int line, wg_var a, wg_var b) {
    return of_two(file, line, "solve", a, b, build_solve);
}

wg_var wg_triangular_solve_at(const char *file, int line, wg_var a, wg_var b, int how) {
    wg_graph *g = face_enter(file, line, "triangular_solve", 2, (const wg_var[]){a, b});
    return face_result(a.graph ? a : b, g, g ? build_triangular_solve(g, a.id, b.id, how) : 0);
}

wg_var wg_inverse_at(const char *file, int line, wg_var a) {
    return of_one(file, line, "inverse", a, build_inverse);
}

wg_var wg_det_at(const char *file, int line, wg_var a) {
    return of_one(file, line, "det", a, build_det);
}

wg_var wg_log_det_at(const char *file, int line, wg_var a) {
    return of_one(file, line, "log_det", a, build_log_det);
}

wg_var wg_sign_det_at(const char *file, int line, wg_var a) {
    return of_one(file, line, "sign_det", a, build_sign_det);
}

wg_lu_factors wg_lu_at(const char *file, int line, wg_var a) {
    return (wg_lu_factors){part_of(file, line, "lu", a, LU_L), part_of(file, line, "lu", a, LU_U),
                           part_of(file, line, "lu", a, LU_ORDER)};
}

wg_qr_factors wg_qr_at(const char *file, int line, wg_var a) {
    return (wg_qr_factors){part_of(file, line, "qr", a, QR_Q), part_of(file, line, "qr", a, QR_R)};
}

wg_eigen wg_eigh_at(const char *file, int line, wg_var a) {
    return (wg_eigen){part_of(file, line, "eigh", a, EIGH_VALUES),
                      part_of(file, line, "eigh", a, EIGH_VECTORS)};
}

wg_singular wg_svd_at(const char *file, int line, wg_var a) {
    return (wg_singular){part_of(file, line, "svd", a, SVD_U), part_of(file, line, "svd", a, SVD_S),
                         part_of(file, line, "svd", a, SVD_V)};
}

wg_var wg_expm_at(const char *file, int line, wg_var a) {
    return of_one(file, line, "expm", a, build_expm);
}

wg_var wg_diagonal_at(const char *file, int line, wg_var a) {
    return of_one(file, line, "diagonal", a, build_diagonal);
}

wg_var wg_trace_at(const char *file, int line, wg_var a) {
    return of_one(file, line, "trace", a, build_trace);
}
