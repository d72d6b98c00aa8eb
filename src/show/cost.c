/* What a program costs, as counts of operations. Arithmetic and functions of elements are counted;
 * what only moves elements costs nothing here. A loop costs what its body does, as often as it may
 * run, once where nothing bounds it; a branch what the dearest of its cases does. */
#include "op/conv.h"
#include "op/region.h"
#include "show/show.h"
#include "wengert/loop.h"

#include <math.h>

/* The elements of values, and what is computed for each. */
struct counting {
    const struct trace *t;
    const int64_t *size;
    wg_error *error;
};

static wg_status count_elements(const struct counting *c, value v, double *count) {
    int64_t shape[WG_MAX_RANK], exact;
    if (!type_eval(c->t, type_of(c->t, v), c->size, shape, &exact))
        return fail_with(c->error, WG_EOVERFLOW,
                         "cost: a value has a negative extent or more elements than a 64-bit "
                         "number counts; give other sizes");
    *count = (double)exact;
    return WG_OK;
}

/* Of each element of the result of an elementwise operation. */
static void count_elementwise(unsigned op, double elements, wg_cost *cost) {
    switch (op) {
    case OP_add:
    case OP_sub:
    case OP_neg: cost->additions = elements; break;
    case OP_mul:
    case OP_mulz:
    case OP_divz:
    case OP_div:
    case OP_square:
    case OP_reciprocal: cost->multiplications = elements; break;
    case OP_cast: break;
    default: cost->functions = elements;
    }
}

/* y[m,n] = sum over k of a[m,k] b[k,n]. */
static wg_status count_dot(const struct counting *c, value v, double elements, wg_cost *cost) {
    const struct instr *i = instr_at(c->t, v);
    const int64_t *attr = attr_words(c->t, i->attr); /* batch, contract, a and b transposed */
    const wg_type *a = type_of(c->t, args_of(c->t, i)[0]);
    int64_t first = attr[2] ? attr[0] : a->rank - attr[1], extent;
    double terms = 1;
    for (int64_t k = first; k < first + attr[1]; k++) {
        if (!extent_eval(c->t, a->extent[k], c->size, &extent))
            return fail_with(c->error, WG_EOVERFLOW,
                             "cost: an extent is negative; give other sizes");
        terms *= (double)extent;
    }
    cost->multiplications = elements * terms;
    cost->additions = terms > 1 ? elements * (terms - 1) : 0;
    return WG_OK;
}

/* Whichever tensor is the result: every element of the output meets one kernel, its channels and
 * places, zeros beside the image counted. */
static wg_status count_conv(const struct counting *c, value v, wg_cost *cost) {
    const struct instr *i = instr_at(c->t, v);
    const value *x = args_of(c->t, i);
    int64_t result = attr_words(c->t, i->attr)[CONV_RESULT];
    value kernel = result == KERNEL ? v : x[result == OUTPUT], output = result == OUTPUT ? v : x[1];
    double terms, elements;
    int64_t own;
    if (count_elements(c, kernel, &terms) || count_elements(c, output, &elements))
        return c->error->status;
    const wg_type *type = type_of(c->t, kernel); /* [g, o, ...] */
    for (size_t k = 0; k < 2; k++) {
        if (!extent_eval(c->t, type->extent[k], c->size, &own))
            return fail_with(c->error, WG_EOVERFLOW,
                             "cost: an extent is negative; give other sizes");
        terms = own ? terms / (double)own : 0;
    }
    cost->multiplications = cost->additions = elements * terms;
    return WG_OK;
}

/* Of operations on matrices (Golub and Van Loan, Matrix Computations, 4th ed.); those that iterate
 * by how often they usually do, and the exponential without its squarings. */
static wg_status count_matrix(const struct counting *c, value v, double result, double argument,
                              wg_cost *cost) {
    const struct instr *i = instr_at(c->t, v);
    const wg_type *x = type_of(c->t, args_of(c->t, i)[0]);
    int64_t extent[2];
    for (size_t k = 0; k < 2; k++)
        if (!extent_eval(c->t, x->extent[x->rank - 2u + k], c->size, &extent[k]))
            return fail_with(c->error, WG_EOVERFLOW,
                             "cost: an extent is negative; give other sizes");
    double m = (double)extent[0], n = (double)extent[1], each = 0;
    double matrices = m * n > 0 ? argument / (m * n) : 0;
    switch (i->op) {
    case OP_cholesky: each = n * n * n / 6; break;
    case OP_lu: each = n * n * n / 3; break;
    case OP_triangular_solve: matrices = 1, each = n * result / 2; break;
    case OP_solve: matrices = 1, each = n * result; break;
    case OP_det: each = n; break;
    case OP_cofactor: each = n * n * n * 4 / 3; break;
    case OP_qr: each = 2 * n * n * (m - n / 3); break;
    case OP_eigh: each = n * n * n * 9 / 2; break;
    case OP_svd: each = 3 * m * n * n + 10 * n * n * n; break;
    default: /* expm: six products and a quotient, each of 3^order products */
        each = n * n * n * 7;
        for (int64_t order = attr_words(c->t, i->attr)[0]; order > 0; order--) each *= 3;
    }
    cost->multiplications = cost->additions = floor(matrices * each);
    return WG_OK;
}

static void add_cost(wg_cost *sum, const wg_cost *term, double times) {
    sum->additions += times * term->additions;
    sum->multiplications += times * term->multiplications;
    sum->functions += times * term->functions;
    sum->instructions += term->instructions;
}

static double larger(double a, double b) { return a > b ? a : b; }

static wg_status count_region(const struct counting *c, value v, wg_cost *cost);

static wg_status count_instruction(const struct counting *c, value v, wg_cost *cost) {
    const struct instr *i = instr_at(c->t, v);
    const struct op_def *def = op_def(i->op);
    double result, argument = 0;
    *cost = (wg_cost){.instructions = def->class == LEAF ? 0 : 1};
    if (i->op == OP_loop || i->op == OP_branch) return count_region(c, v, cost);
    if (i->op == OP_item) return WG_OK;
    if (count_elements(c, v, &result)) return c->error->status;
    if (i->narg && count_elements(c, args_of(c->t, i)[0], &argument)) return c->error->status;
    if (op_is_elementwise(i->op))
        count_elementwise(i->op, result, cost);
    else if (i->op == OP_dot)
        return count_dot(c, v, result, cost);
    else if (i->op == OP_conv)
        return count_conv(c, v, cost);
    else if (i->op >= OP_cholesky && i->op <= OP_expm)
        return count_matrix(c, v, result, argument, cost);
    else if (i->op == OP_sum)
        cost->additions = argument > result ? argument - result : 0;
    else if (i->op == OP_scatter_add)
        cost->additions = argument;
    else if (i->op == OP_index_add)
        return count_elements(c, args_of(c->t, i)[1], &cost->additions);
    else if (def->class != LEAF && def->class != LINEAR && !(def->flags & OP_ALIAS))
        cost->functions = argument > result ? argument : result;
    return WG_OK;
}

/* All instructions once; or the outputs as trees, each value anew where it is used. */
static wg_status count_all(const struct counting *c, bool expanded, wg_cost *tree, wg_cost *sum) {
    const struct trace *t = c->t;
    for (value v = 1; v < t->instr.count; v++) {
        const struct instr *i = instr_at(t, v);
        if (count_instruction(c, v, &tree[v])) return c->error->status;
        if (!expanded) add_cost(sum, &tree[v], 1);
        for (size_t k = 0; expanded && k < i->narg; k++)
            add_cost(&tree[v], &tree[args_of(t, i)[k]], 1);
    }
    for (size_t i = 0; expanded && i < t->output.count; i++)
        add_cost(sum, &tree[t->output.at[i].v], 1);
    return WG_OK;
}

/* One run of body k; bodies nest at most MAX_RULE_DEPTH deep. */
static wg_status count_body(const struct counting *c, const struct region *r, size_t k,
                            wg_cost *cost) {
    const struct trace *t = &region_body(c->t, r, k)->body->t;
    const wg_allocator *a = &t->allocator;
    size_t sizes = (t->size.count + 1) * sizeof(int64_t), trees = t->instr.count * sizeof(wg_cost);
    int64_t *size = mem_alloc_zero(a, sizes);
    wg_cost *tree = mem_alloc_zero(a, trees);
    struct counting inner = {.t = t, .size = size, .error = c->error};
    if (!size || !tree) fail_memory(c->error);
    for (size_t i = 0; size && i < t->size.count; i++)
        if (!extent_eval(c->t, region_sizes(c->t, r, k)[i], c->size, &size[i]))
            fail_with(c->error, WG_EOVERFLOW, "cost: an extent is negative; give other sizes");
    *cost = (wg_cost){0};
    if (!c->error->status) count_all(&inner, false, tree, cost);
    mem_free(a, size, size ? sizes : 0);
    mem_free(a, tree, tree ? trees : 0);
    return c->error->status;
}

static wg_status count_region(const struct counting *c, value v, wg_cost *cost) {
    const struct instr *i = instr_at(c->t, v);
    struct region r = region_open(c->t, i->op, i->attr);
    int64_t length = 1;
    wg_cost body;
    if (i->op == OP_loop && r.length != WG_UNBOUNDED &&
        !extent_eval(c->t, r.length, c->size, &length))
        return fail_with(c->error, WG_EOVERFLOW, "cost: an extent is negative; give other sizes");
    for (size_t k = 0; k < r.bodies; k++) {
        if (count_body(c, &r, k, &body)) return c->error->status;
        if (i->op == OP_loop) {
            add_cost(cost, &body, (double)length);
            continue;
        }
        cost->additions = larger(cost->additions, body.additions);
        cost->multiplications = larger(cost->multiplications, body.multiplications);
        cost->functions = larger(cost->functions, body.functions);
        cost->instructions += body.instructions;
    }
    return WG_OK;
}

wg_status wg_count_operations(const wg_program *program, const int64_t *size, bool expanded,
                              wg_cost *cost, wg_error *error) {
    wg_error local = {.status = WG_OK};
    if (!error) error = &local;
    if (failed(error)) return error->status;
    if (!program || !cost)
        return fail_with(error, WG_EARGUMENT, "cost: the %s is NULL",
                         program ? "result" : "program");
    const struct trace *t = &program->t;
    if (!size && t->size.count)
        return fail_with(error, WG_EARGUMENT,
                         "cost: the program has named sizes; give their values (%s=...)",
                         name_at(t, t->size.at[0]));
    *cost = (wg_cost){0};
    struct counting c = {.t = t, .size = size, .error = error};
    wg_cost *tree = mem_alloc_zero(&t->allocator, t->instr.count * sizeof *tree);
    if (!tree) return fail_memory(error);
    count_all(&c, expanded, tree, cost);
    mem_free(&t->allocator, tree, t->instr.count * sizeof *tree);
    return error->status;
}
