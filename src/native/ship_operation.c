/* Operations that no nest does, in shipped C and in the bodies of loops and branches: each is a
 * block that calls a function of runtime_whole.h or runtime_ship.h with extents and addresses; in
 * code that is loaded, the library's own operation. Scalars are passed by the address
 * of a variable of the block. */
#include "native/writer.h"
#include "op/conv.h"

struct operation {
    struct writer *w;
    value v;
    const struct instr *i;
    const wg_type *y;
    const char *suffix; /* of the result's element type */
};

/* ---- extents --------------------------------------------------------------------------------- */

/* The product of the extents first .. end-1 of a type, in w->l->extents. */
static wg_extent product(struct writer *w, const wg_type *type, size_t first, size_t end) {
    wg_extent result = 1;
    for (size_t k = first; k < end; k++)
        result = extent_mul(w->l->extents, result, lowered_extent(w->l, type->extent[k]));
    return result;
}

static void add_number(struct writer *w, wg_extent e) {
    add_extent(w, &w->l->extents->t, e, false);
}

/* Each with a comma behind it. */
static void add_numbers(struct writer *w, const wg_extent *e, size_t count) {
    for (size_t k = 0; k < count; k++) {
        add_number(w, e[k]);
        add(w, ", ");
    }
}

/* const int64_t NAME[2] = {n, 3}; extents of the program */
static void add_list(struct writer *w, const char *name, const wg_extent *e, size_t count) {
    indent(w, 2);
    ADD(w, "const int64_t %s[%zu] = {", name, count ? count : 1);
    for (size_t k = 0; k < count; k++) {
        if (k) add(w, ", ");
        add_number(w, lowered_extent(w->l, e[k]));
    }
    add(w, count ? "};\n" : "0};\n");
}

/* ---- operands -------------------------------------------------------------------------------- */

static value argument(const struct operation *o, size_t k) {
    return args_of(o->w->t, o->i)[k];
}

static const wg_type *argument_type(const struct operation *o, size_t k) {
    return type_of(o->w->t, argument(o, k));
}

static bool is_scalar(const struct writer *w, value root) {
    return type_of(w->t, root)->rank == 0;
}

/* The variables that stand for scalars, and for the index of an update, wherever that is. */
static void open_block(const struct operation *o) {
    struct writer *w = o->w;
    struct site_of_use at = {0, NULL};
    if (o->y->rank == 0) {
        indent(w, 1);
        ADD(w, "%s v%u;\n", type_text_of[o->y->dtype], o->v);
    }
    add(w, "    {");
    add_comment(w, o->v);
    for (size_t k = 0; k < o->i->narg && w->ok; k++) {
        struct access a = {.root = storage_root(w->l, argument(o, k))};
        bool index = k == 2 && is_update_at_integer(w->t, o->v);
        if (!is_scalar(w, a.root) && !index) continue;
        indent(w, 2);
        ADD(w, "const %s arg%zu = ", type_text_of[dtype_of(w, a.root)], k);
        add_operand(w, &a, &at);
        add(w, ";\n");
    }
}

static void close_block(const struct operation *o) {
    struct writer *w = o->w;
    if (o->y->rank == 0 && has_cells(w->l)) {
        indent(w, 2);
        add_cell(w, o->v);
        ADD(w, " = v%u;\n", o->v);
    }
    add(w, "    }\n");
}

static void add_argument(const struct operation *o, size_t k) {
    value root = storage_root(o->w->l, argument(o, k));
    if (is_scalar(o->w, root)) ADD(o->w, "&arg%zu", k);
    else add_memory(o->w, root);
}

static void add_result(const struct operation *o) {
    if (o->y->rank == 0) ADD(o->w, "&v%u", o->v);
    else add_memory(o->w, o->v);
}

/* "x, y);" behind the other arguments of a call */
static void end_call(const struct operation *o) {
    for (size_t k = 0; k < o->i->narg; k++) {
        add_argument(o, k);
        add(o->w, ", ");
    }
    add_result(o);
    add(o->w, ");\n");
}

static void begin_call(const struct operation *o, const char *function, const char *suffix) {
    indent(o->w, 2);
    ADD(o->w, "wg_%s_%s(", function, suffix);
}

/* A call that may fail. */
static void begin_test(const struct operation *o, const char *function, const char *suffix) {
    indent(o->w, 2);
    ADD(o->w, "if (wg_%s_%s(", function, suffix);
}

static void end_test(const struct operation *o) {
    add_argument(o, 0);
    add(o->w, ", ");
    add_result(o);
    add(o->w, ") != 0) return 1;\n");
}

static const int64_t *words(const struct operation *o) {
    return attr_words(o->w->t, o->i->attr);
}

/* ---- reductions ------------------------------------------------------------------------------ */

static void write_reduction(const struct operation *o, const char *function) {
    const wg_type *x = argument_type(o, 0);
    bool fails = o->i->op == OP_reduce_max && !dtype_is_float(o->y->dtype);
    add_list(o->w, "extent", x->extent, x->rank);
    if (fails) begin_test(o, function, o->suffix);
    else begin_call(o, function, o->suffix);
    ADD(o->w, "%d, extent, %lld, ", x->rank, (long long)words(o)[0]);
    if (fails) end_test(o);
    else end_call(o);
}

/* outer, n, inner: around the axis of the first word. */
static void add_lines(const struct operation *o) {
    const wg_type *x = argument_type(o, 0);
    size_t axis = (size_t)words(o)[0];
    wg_extent lines[] = {product(o->w, x, 0, axis), product(o->w, x, axis, axis + 1),
                         product(o->w, x, axis + 1, x->rank)};
    add_numbers(o->w, lines, 3);
}

static void write_argmax(const struct operation *o) {
    begin_test(o, "argmax", short_name[argument_type(o, 0)->dtype]);
    add_lines(o);
    end_test(o);
}

static void write_scan(const struct operation *o, const char *function) {
    begin_call(o, function, short_name[argument_type(o, 0)->dtype]);
    add_lines(o);
    if (o->i->op != OP_argsort) ADD(o->w, "%d, ", words(o)[1] != 0);
    if (o->i->op == OP_recur) ADD(o->w, "%d, ", attr_count(o->w->t, o->i->attr) == 3);
    end_call(o);
}

/* ---- indices --------------------------------------------------------------------------------- */

/* The last argument as both types of index, one of them absent. */
static void add_index_argument(const struct operation *o) {
    size_t last = o->i->narg - 1u;
    bool wide = argument_type(o, last)->dtype == WG_I64;
    if (!wide) add(o->w, "NULL, ");
    add_argument(o, last);
    if (wide) add(o->w, ", NULL");
}

/* take, scatter_add, index_add and index_set: `large` has the axis that is indexed. */
static void write_indexed(const struct operation *o, const char *function, const wg_type *large) {
    struct writer *w = o->w;
    const wg_type *index = argument_type(o, o->i->narg - 1u);
    size_t axis = (size_t)words(o)[0], batch = (size_t)words(o)[1];
    wg_extent extent[] = {product(w, large, 0, batch), product(w, large, batch, axis),
                          product(w, large, axis, axis + 1),
                          product(w, large, axis + 1, large->rank),
                          product(w, index, batch, index->rank)};
    indent(w, 2);
    add(w, "if (wg_is_outside(");
    add_number(w, extent[2]);
    add(w, ", ");
    add_number(w, product(w, index, 0, index->rank));
    add(w, ", ");
    add_index_argument(o);
    add(w, ")) return 1;\n");
    begin_call(o, function, o->suffix);
    add_numbers(w, extent, 5);
    add_index_argument(o);
    add(w, ", ");
    for (size_t k = 0; k + 1 < o->i->narg; k++) {
        add_argument(o, k);
        add(w, ", ");
    }
    add_result(o);
    add(w, ");\n");
}

/* ---- moving elements ------------------------------------------------------------------------- */

static void write_pad(const struct operation *o) {
    struct writer *w = o->w;
    size_t rank = o->y->rank;
    add_list(w, "from", argument_type(o, 0)->extent, rank);
    add_list(w, "to", o->y->extent, rank);
    add_list(w, "start", words(o), rank);
    indent(w, 2);
    ADD(w, "const int64_t step[%zu] = {", rank ? rank : 1);
    for (size_t k = 0; k < rank; k++)
        ADD(w, "%s%lld", k ? ", " : "", (long long)words(o)[2 * rank + k]);
    add(w, rank ? "};\n" : "0};\n");
    begin_call(o, "pad", o->suffix);
    ADD(w, "%zu, from, to, start, step, ", rank);
    end_call(o);
}

/* Each part's rows to their places in the rows of the result. */
static void write_concat(const struct operation *o) {
    struct writer *w = o->w;
    wg_graph *g = w->l->extents;
    size_t axis = (size_t)words(o)[0], rank = o->y->rank;
    int64_t width = (int64_t)wg_dtype_size((wg_dtype)o->y->dtype);
    wg_extent at = 0;
    for (size_t k = 0; k < o->i->narg && w->ok; k++) {
        wg_extent piece = extent_mul(g, product(w, argument_type(o, k), axis, rank), width);
        wg_extent row = extent_mul(g, product(w, o->y, axis, rank), width);
        if (place_of_part(w->l, o->v, k)) {
            at = extent_add(g, at, piece);
            continue;
        }
        wg_extent numbers[] = {product(w, o->y, 0, axis), piece, row};
        indent(w, 2);
        add(w, "wg_pieces(");
        add_numbers(w, numbers, 3);
        add_argument(o, k);
        add(w, ", (char *)");
        add_result(o);
        add(w, " + ");
        add_extent(w, &g->t, at, true);
        add(w, ");\n");
        at = extent_add(g, at, piece);
    }
}

static void write_iota(const struct operation *o) {
    struct writer *w = o->w;
    indent(w, 2);
    add(w, "for (int64_t i0 = 0; i0 < ");
    add_number(w, product(w, o->y, 0, 1));
    add(w, "; i0++) ");
    add_result(o);
    add(w, "[i0] = i0;\n");
}

static void write_size(const struct operation *o) {
    indent(o->w, 2);
    ADD(o->w, "v%u = ", o->v);
    add_number(o->w, lowered_extent(o->w->l, words(o)[0]));
    add(o->w, ";\n");
    indent(o->w, 2);
    ADD(o->w, "(void)v%u;\n", o->v); /* operands are written as the size itself */
}

/* ---- random bits ----------------------------------------------------------------------------- */

static void write_draw(const struct operation *o) {
    struct writer *w = o->w;
    const wg_type *key = argument_type(o, 0);
    wg_extent draws = product(w, key, 0, key->rank);
    wg_extent count = product(w, o->y, key->rank, o->y->rank);
    indent(w, 2);
    add(w, "for (int64_t i0 = 0; i0 < ");
    add_number(w, draws);
    add(w, "; i0++)\n");
    indent(w, 3);
    ADD(w, "wg_draw_%s(", o->suffix);
    for (size_t k = 0; k < 2; k++) {
        add(w, "(uint64_t)(");
        add_argument(o, k);
        add(w, ")[i0], ");
    }
    add_number(w, count);
    add(w, ", ");
    add_result(o);
    add(w, " + i0 * ");
    add_extent(w, &w->l->extents->t, count, true);
    add(w, ");\n");
}

/* ---- products -------------------------------------------------------------------------------- */

struct dot_shape {
    wg_extent batch, m, n, depth;
    bool flip[2];
};

static struct dot_shape dot_shape_of(const struct operation *o) {
    const wg_type *a = argument_type(o, 0), *b = argument_type(o, 1);
    size_t batch = (size_t)words(o)[0], contract = (size_t)words(o)[1];
    struct dot_shape d = {.flip = {words(o)[2] != 0, words(o)[3] != 0}};
    size_t own = a->rank - batch - contract;
    size_t contracted = batch + (d.flip[0] ? 0 : own), mine = batch + (d.flip[0] ? contract : 0);
    size_t other = batch + (d.flip[1] ? 0 : contract);
    d.batch = product(o->w, a, 0, batch);
    d.m = product(o->w, a, mine, mine + own);
    d.depth = product(o->w, a, contracted, contracted + contract);
    d.n = product(o->w, b, other, other + b->rank - batch - contract);
    return d;
}

static void add_strided(const struct operation *o, size_t k, wg_extent row, wg_extent column) {
    wg_extent strides[] = {row, column};
    add_argument(o, k);
    add(o->w, ", ");
    add_numbers(o->w, strides, 2);
}

static void write_dot(const struct operation *o, bool cblas) {
    struct writer *w = o->w;
    struct dot_shape d = dot_shape_of(o);
    bool absolute = attr_count(w->t, o->i->attr) == 5 && words(o)[4];
    wg_extent extent[] = {d.batch, d.m, d.n, d.depth};
    if (cblas && !absolute && dtype_is_float(o->y->dtype)) {
        begin_call(o, "blas", o->suffix);
        add_numbers(w, extent, 4);
        for (size_t k = 0; k < 2; k++) {
            add_argument(o, k);
            ADD(w, ", %d, ", d.flip[k]);
        }
    } else {
        begin_call(o, absolute ? "dot_absolute" : "dot", o->suffix);
        add_numbers(w, extent, 4);
        add_strided(o, 0, d.flip[0] ? 1 : d.depth, d.flip[0] ? d.m : 1);
        add_strided(o, 1, d.flip[1] ? 1 : d.n, d.flip[1] ? d.depth : 1);
    }
    add_result(o);
    add(w, ");\n");
}

static void add_pair(struct writer *w, const wg_extent *e) {
    add(w, "{");
    add_number(w, lowered_extent(w->l, e[0]));
    add(w, ", ");
    add_number(w, lowered_extent(w->l, e[1]));
    add(w, "}");
}

static void write_conv(const struct operation *o) {
    struct writer *w = o->w;
    const int64_t *word = words(o);
    size_t result = (size_t)word[CONV_RESULT];
    const wg_type *tensor[3];
    for (size_t t = 0, k = 0; t < 3; t++) tensor[t] = t == result ? o->y : argument_type(o, k++);
    const wg_type *image = tensor[IMAGE], *kernel = tensor[KERNEL], *output = tensor[OUTPUT];
    wg_extent extent[] = {product(w, image, 0, 1), product(w, image, 1, 2),
                          product(w, image, 2, 3), product(w, output, 2, 3)};
    indent(w, 2);
    add(w, "const wg_conv_shape shape = {");
    add_numbers(w, extent, 4);
    for (size_t t = 0; t < 3; t++) {
        add_pair(w, (t == 0 ? image : t == 1 ? kernel : output)->extent + 3);
        add(w, ", ");
    }
    ADD(w, "{%lld, %lld}, {%lld, %lld}, {%lld, %lld}};\n", (long long)word[CONV_STRIDE],
        (long long)word[CONV_STRIDE + 1], (long long)word[CONV_DILATION],
        (long long)word[CONV_DILATION + 1], (long long)word[CONV_LOW],
        (long long)word[CONV_LOW + 1]);
    indent(w, 2);
    add(w, "memset(");
    add_result(o);
    add(w, ", 0, (size_t)(");
    add_count(w, o->y);
    ADD(w, ") * sizeof(%s));\n", type_text_of[o->y->dtype]);
    begin_call(o, "conv", o->suffix);
    ADD(w, "&shape, %zu, %d", result, word[CONV_ABSOLUTE] != 0);
    for (size_t t = 0, k = 0; t < 3; t++) {
        ADD(w, ", (%s *)", type_text_of[o->y->dtype]);
        if (t == result) add_result(o);
        else add_argument(o, k++);
    }
    add(w, ");\n");
}

/* ---- matrices -------------------------------------------------------------------------------- */

/* Those wanted of batch, rows and columns of argument k, each with a comma behind it. */
static void add_matrices(const struct operation *o, size_t k, bool batch, bool rows, bool columns) {
    const wg_type *x = argument_type(o, k);
    wg_extent extent[] = {product(o->w, x, 0, x->rank - 2u),
                          product(o->w, x, x->rank - 2u, x->rank - 1u),
                          product(o->w, x, x->rank - 1u, x->rank)};
    const bool wanted[] = {batch, rows, columns};
    for (size_t i = 0; i < 3; i++)
        if (wanted[i]) add_numbers(o->w, &extent[i], 1);
}

/* Arguments from the first one on, and the result. */
static void end_matrices(const struct operation *o, size_t first) {
    for (size_t k = first; k < o->i->narg; k++) {
        add_argument(o, k);
        add(o->w, ", ");
    }
    add_result(o);
    add(o->w, ");\n");
}

static void write_words(const struct operation *o) {
    indent(o->w, 2);
    add(o->w, "memset(");
    add_result(o);
    add(o->w, ", 0, (size_t)(");
    add_count(o->w, o->y);
    add(o->w, ") * sizeof(int64_t));\n");
}

/* batch, n, the matrix; or batch, m, n of those that need not be square. */
static void write_factors(const struct operation *o, const char *function, bool square) {
    begin_call(o, function, o->suffix);
    add_matrices(o, 0, true, !square, true);
    end_matrices(o, 0);
}

/* Right-hand sides are the last argument, and the flags stand between. */
static void write_solve(const struct operation *o, const char *function, size_t flags) {
    bool absolute = attr_count(o->w->t, o->i->attr) == flags + 1;
    begin_call(o, function, o->suffix);
    add_matrices(o, o->i->narg - 1u, true, true, true);
    for (size_t k = 0; k < flags; k++) ADD(o->w, "%d, ", words(o)[k] != 0);
    ADD(o->w, "%d, ", absolute);
    end_matrices(o, o->i->narg - 2u);
}

static void write_det(const struct operation *o) {
    begin_call(o, "det", o->suffix);
    add_matrices(o, 0, true, false, true);
    ADD(o->w, "%d, ", (int)words(o)[0]);
    end_matrices(o, 1);
}

static void write_expm(const struct operation *o) {
    struct writer *w = o->w;
    size_t directions = o->i->narg - 2u;
    indent(w, 2);
    ADD(w, "const %s *const along[%zu] = {", type_text_of[o->y->dtype], directions + 1);
    for (size_t k = 0; k <= directions; k++) {
        if (k) add(w, ", ");
        add_argument(o, k);
    }
    add(w, "};\n");
    begin_call(o, "expm", o->suffix);
    add_matrices(o, 0, true, false, true);
    ADD(w, "%zu, %d, wg_plain_product_%s, along, (%s *)", directions,
        attr_count(w->t, o->i->attr) == 2, o->suffix, type_text_of[o->y->dtype]);
    end_matrices(o, o->i->narg - 1u);
}

/* ---- which ----------------------------------------------------------------------------------- */

static void refuse(const struct operation *o) {
    wg_text where = {.allocator = o->w->out->allocator};
    if (o->i->site) site_text(o->w->t, o->i->site, &where);
    fail_with(o->w->error, WG_EARGUMENT, "emit: the operation %s%s%s has no form as C of its own",
              op_def(o->i->op)->name, where.data ? " at " : "", where.data ? where.data : "");
    wg_text_free(&where);
    o->w->ok = false;
}

static void write_call(const struct operation *o, bool cblas) {
    switch (o->i->op) {
    case OP_sum: write_reduction(o, "sum_axes"); return;
    case OP_reduce_max: write_reduction(o, "max_axes"); return;
    case OP_peak: write_reduction(o, "peak_axes"); return;
    case OP_norm: write_reduction(o, "norm_axes"); return;
    case OP_argmax: write_argmax(o); return;
    case OP_cumsum: write_scan(o, "cumsum"); return;
    case OP_recur: write_scan(o, "recur"); return;
    case OP_argsort: write_scan(o, "argsort"); return;
    case OP_take: write_indexed(o, "take", argument_type(o, 0)); return;
    case OP_scatter_add: write_indexed(o, "scatter_add", o->y); return;
    case OP_index_add: write_indexed(o, "index_add", o->y); return;
    case OP_index_set: write_indexed(o, "index_set", o->y); return;
    case OP_pad: write_pad(o); return;
    case OP_concat: write_concat(o); return;
    case OP_iota: write_iota(o); return;
    case OP_size: write_size(o); return;
    case OP_draw_bits: write_draw(o); return;
    case OP_dot: write_dot(o, cblas); return;
    case OP_conv: write_conv(o); return;
    case OP_words: write_words(o); return;
    case OP_cholesky: write_factors(o, "cholesky", true); return;
    case OP_triangular_solve: write_solve(o, "triangular_solve", 3); return;
    case OP_lu: write_factors(o, "lu", true); return;
    case OP_solve: write_solve(o, "solve", 1); return;
    case OP_det: write_det(o); return;
    case OP_cofactor: write_factors(o, "cofactor", true); return;
    case OP_qr: write_factors(o, "qr", false); return;
    case OP_eigh: write_factors(o, "eigh", true); return;
    case OP_svd: write_factors(o, "svd", false); return;
    case OP_expm: write_expm(o); return;
    default: refuse(o); return;
    }
}

/* ---- by the library -------------------------------------------------------------------------- */

static void add_sizes(struct writer *w) {
    if (w->t->size.count == 0) {
        add(w, "NULL");
        return;
    }
    add(w, "(const int64_t[]){");
    add_shipped_sizes(w);
    add(w, "}");
}

static void write_called(const struct operation *o) {
    struct writer *w = o->w;
    indent(w, 2);
    add(w, "void *const at[] = {(void *)");
    add_result(o);
    for (size_t k = 0; k < o->i->narg; k++) {
        bool placed = o->i->op == OP_concat && place_of_part(w->l, o->v, k);
        add(w, ", (void *)");
        if (placed) add_result(o);
        else add_argument(o, k);
    }
    add(w, "};\n");
    indent(w, 2);
    ADD(w, "if ((status = f->inside(f->call, %u, %u, 0, at, ", number_of_body(w), o->v);
    add_sizes(w);
    add(w, ")) != 0) return status;\n");
}

/* "return ...": that an index, at this address, lies outside. */
static void fail_index(struct writer *w, value by, size_t operand, const char *address) {
    if (!is_called_body(w)) {
        add(w, "return 1;");
        return;
    }
    const struct instr *i = instr_at(w->t, by);
    ADD(w, "return f->inside(f->call, %u, %u, 1, (void *const[]){NULL", number_of_body(w), by);
    for (size_t k = 0; k < i->narg; k++) {
        if (k != operand) add(w, ", NULL");
        else if (address) ADD(w, ", (void *)%s", address);
        else add(w, ", (void *)"), add_index_address(w, storage_root(w->l, args_of(w->t, i)[k]));
    }
    add(w, "}, ");
    add_sizes(w);
    add(w, ");");
}

void shipped_failure(struct writer *w, value by) {
    fail_index(w, by, instr_at(w->t, by)->narg - 1u, NULL);
}

/* An integer is copied before its address is taken, so that it need not be in memory. */
static void fail_integer(struct writer *w, value by, size_t operand, const char *name) {
    if (is_called_body(w)) {
        value index = args_of(w->t, instr_at(w->t, by))[operand];
        ADD(w, "{ const %s outside = ", type_text_of[dtype_of(w, index)]);
        if (name) add(w, name);
        else add_operand(w, &(struct access){.root = storage_root(w->l, index)},
                         &(struct site_of_use){0, NULL});
        add(w, "; ");
    }
    fail_index(w, by, operand, "&outside");
    if (is_called_body(w)) add(w, " }");
}

void shipped_check(struct writer *w, const struct index_check *check, value index) {
    struct access a = {.root = index};
    add(w, "    if ((uint64_t)");
    add_operand(w, &a, &(struct site_of_use){0, NULL});
    add(w, " >= (uint64_t)(");
    add_program_extent(w, check->extent, false);
    add(w, ")) ");
    fail_integer(w, check->by, instr_at(w->t, check->by)->narg - 1u, NULL);
    add_comment(w, check->by);
}

/* ---- updates at one index -------------------------------------------------------------------- */

struct updated { /* rows of elements around the axis */
    wg_extent before, n, after;
};

/* The element of the result that the loops i0 and i1 are at. */
static void add_updated(const struct operation *o, const struct updated *u) {
    struct writer *w = o->w;
    wg_graph *g = w->l->extents;
    add_result(o);
    add(w, "[");
    if (u->before != 1) {
        add(w, "i0 * ");
        add_extent(w, &g->t, extent_mul(g, u->n, u->after), true);
        add(w, " + ");
    }
    add(w, "arg2");
    if (u->after != 1) add(w, " * "), add_extent(w, &g->t, u->after, true), add(w, " + i1");
    add(w, "]");
}

static void add_update(const struct operation *o, const struct updated *u) {
    struct writer *w = o->w;
    if (is_scalar(w, storage_root(w->l, argument(o, 1)))) {
        add(w, "arg1");
        return;
    }
    add_argument(o, 1);
    add(w, "[");
    if (u->before != 1) add(w, "i0");
    if (u->before != 1 && u->after != 1)
        add(w, " * "), add_extent(w, &w->l->extents->t, u->after, true), add(w, " + ");
    if (u->after != 1) add(w, "i1");
    if (u->before == 1 && u->after == 1) add(w, "0");
    add(w, "]");
}

static void write_update(const struct operation *o) {
    struct writer *w = o->w;
    size_t axis = (size_t)words(o)[0];
    struct updated u = {product(w, o->y, 0, axis), product(w, o->y, axis, axis + 1),
                        product(w, o->y, axis + 1, o->y->rank)};
    const char *type = type_text_of[o->y->dtype];
    if (!is_checked(w, storage_root(w->l, argument(o, 2)), o->y->extent[axis])) {
        indent(w, 2);
        add(w, "if ((uint64_t)arg2 >= (uint64_t)(");
        add_number(w, u.n);
        add(w, ")) ");
        fail_integer(w, o->v, 2, "arg2");
        add(w, "\n");
    }
    indent(w, 2);
    add(w, "wg_copy(");
    add_result(o);
    add(w, ", ");
    add_argument(o, 0);
    add(w, ", (size_t)(");
    add_count(w, o->y);
    ADD(w, ") * sizeof(%s));\n", type);
    int depth = 2;
    for (int k = 0; k < 2; k++) {
        wg_extent trips = k ? u.after : u.before;
        if (trips == 1) continue;
        indent(w, depth++);
        ADD(w, "for (int64_t i%d = 0; i%d < ", k, k);
        add_number(w, trips);
        ADD(w, "; i%d++)\n", k);
    }
    indent(w, depth);
    add_updated(o, &u);
    if (o->i->op == OP_index_set || dtype_is_float(o->y->dtype)) {
        add(w, o->i->op == OP_index_set ? " = " : " += ");
        add_update(o, &u);
    } else { /* integers wrap around */
        ADD(w, " = (%s)((u%s)", type, type);
        add_updated(o, &u);
        ADD(w, " + (u%s)", type);
        add_update(o, &u);
        add(w, ")");
    }
    add(w, ";\n");
}

void shipped_operation(struct writer *w, value v) {
    const struct instr *i = instr_at(w->t, v);
    const wg_type *y = type_of(w->t, v);
    struct operation o = {w, v, i, y, short_name[y->dtype]};
    open_block(&o);
    if (is_update_at_integer(w->t, v)) write_update(&o);
    else if (is_called_body(w)) write_called(&o);
    else write_call(&o, ships_with_cblas(w));
    close_block(&o);
}
