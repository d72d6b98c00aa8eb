/* The C of a lowered program. Statements are single assignments, named as the trace numbers them,
 * with the instruction in a comment behind. What a loop writes to memory stands at the end of its
 * body, behind everything that it reads: a result may so take the place of an operand. */
#include "native/pieces.h"
#include "native/writer.h"

#include <ctype.h>
#include <stdio.h>

const char *const type_text_of[WG_DTYPE_COUNT] = {
    [WG_BOOL] = "uint8_t", [WG_I32] = "int32_t", [WG_I64] = "int64_t",
    [WG_F32] = "float",    [WG_F64] = "double"};
const char *const short_name[WG_DTYPE_COUNT] = {"b8", "i32", "i64", "f32", "f64"};

/* ---- names ----------------------------------------------------------------------------------- */

/* The name of an input, output or size as an identifier: with a tail that nothing else has. */
static void add_name(struct writer *w, const char *name) {
    for (const char *s = name; *s && w->ok; s++) {
        bool good = isalnum((unsigned char)*s) && (unsigned char)*s < 128;
        ADD(w, "%c", good ? *s : '_');
    }
    add(w, "_");
}

/* A size by number and name: two names may have the same letters. */
void add_size(struct writer *w, const struct trace *t, size_t index) {
    if (w->shipped) {
        shipped_size(w, index);
        return;
    }
    ADD(w, "n%zu_", index);
    add_name(w, name_at(t, t->size.at[index]));
}

/* Memory: inputs by name, everything else by number. */
void add_memory(struct writer *w, value root) {
    const struct instr *i = instr_at(w->t, root);
    if (w->shipped) {
        shipped_memory(w, root);
        return;
    }
    if (i->op == OP_input) {
        int64_t index = attr_words(w->t, i->attr)[0];
        ADD(w, "in%lld_", (long long)index);
        add_name(w, name_at(w->t, w->t->input.at[index].name));
    } else {
        ADD(w, "m%u", root);
    }
}

/* ---- extents --------------------------------------------------------------------------------- */

/* A polynomial as C; in parentheses if it is more than one term and `tight`. */
void add_extent(struct writer *w, const struct trace *t, wg_extent e, bool tight) {
    if (e >= 0) {
        ADD(w, "%lld", (long long)e);
        return;
    }
    struct span span = t->extent.at[-e];
    const int64_t *word = t->word.at + span.at, *end = word + span.count;
    const int64_t *first = word;
    bool many = span.count != 2 + (size_t)word[1];
    tight = tight && (many || word[0] < 0);
    if (tight) add(w, "(");
    for (; word < end; word += 2 + word[1]) {
        long long factor = (long long)word[0];
        if (word != first) add(w, factor < 0 ? " - " : " + ");
        else if (factor < 0) add(w, "-");
        if (factor < 0) factor = -factor;
        if (factor != 1 || word[1] == 0) ADD(w, "%lld", factor);
        for (int64_t k = 0; k < word[1]; k++) {
            if (k || factor != 1) add(w, "*");
            add_size(w, t, (size_t)word[2 + k]);
        }
    }
    if (tight) add(w, ")");
}

void add_program_extent(struct writer *w, wg_extent e, bool tight) {
    add_extent(w, w->t, e, tight);
}

/* The number of elements. */
void add_count(struct writer *w, const wg_type *type) {
    wg_extent count = 1;
    for (size_t k = 0; k < type->rank; k++)
        count = extent_mul(w->l->extents, count, lowered_extent(w->l, type->extent[k]));
    add_extent(w, &w->l->extents->t, count, false);
}

/* ---- loops ----------------------------------------------------------------------------------- */

wg_extent domain_extent(const struct writer *w, uint32_t pass, size_t axis) {
    const struct pass *p = &w->l->passes.at[pass];
    const struct stage *nest = &w->l->stages.at[w->l->stage[p->first]];
    return axis < nest->rows.rank ? nest->rows.extent[axis]
                                  : p->loops.extent[axis - nest->rows.rank];
}

struct plan plan_loops(struct writer *w, uint32_t pass, size_t from, size_t to) {
    struct plan plan = {.rows = from};
    for (size_t k = from; k < to; k++) {
        if (k > from && joins_next(w->l, pass, k - 1)) plan.loop[plan.count - 1].last = k;
        else plan.loop[plan.count].first = k, plan.loop[plan.count++].last = k;
    }
    return plan;
}

/* Of loops first .. last together. A product of constants is one number, for an int may not hold
 * it. */
static void add_all_trips(struct writer *w, uint32_t pass, const struct plan *plan, size_t first,
                          size_t last) {
    wg_extent trips = 1;
    for (size_t axis = plan->loop[first].first; axis <= plan->loop[last].last; axis++)
        trips = extent_mul(w->l->extents, trips,
                           lowered_extent(w->l, domain_extent(w, pass, axis)));
    add_extent(w, &w->l->extents->t, trips, false);
}

void add_trips(struct writer *w, uint32_t pass, const struct plan *plan, size_t k) {
    add_all_trips(w, pass, plan, k, k);
}

void open_loop(struct writer *w, uint32_t pass, const struct plan *plan, size_t k, int depth,
               bool independent) {
    size_t axis = plan->loop[k].last;
    if (independent) {
        indent(w, depth);
        add(w, "WG_INDEPENDENT\n");
    }
    indent(w, depth);
    bool piece = plan->pieces && k == 0;
    ADD(w, "for (int64_t i%zu = %s; i%zu < ", axis, piece ? "piece" : "0", axis);
    if (piece) add(w, "end");
    else add_trips(w, pass, plan, k);
    ADD(w, "; i%zu++) {\n", axis);
}

void close_loops(struct writer *w, int from, int depth) {
    while (from-- > depth) {
        indent(w, from);
        add(w, "}\n");
    }
}

/* ---- operands -------------------------------------------------------------------------------- */

/* A scalar that outlives the function that makes it. */
void add_cell(struct writer *w, value root) {
    if (w->shipped) shipped_cells(w);
    ADD(w, "c[%u].%s", w->w->homes->cell[root], short_name[dtype_of(w, root)]);
}

/* In shipped C that is one function no scalar outlives it. */
static void add_cell_store(struct writer *w, value v, int depth) {
    if (w->shipped && !has_cells(w->l)) return;
    indent(w, depth);
    add_cell(w, v);
    ADD(w, " = v%u;\n", v);
}

/* A scalar that shipped C is given by value. */
static bool is_parameter(const struct writer *w, value root) {
    return w->shipped && instr_at(w->t, root)->op == OP_input && type_of(w->t, root)->rank == 0;
}

/* The index of an access under the loops at hand; at least one character. */
void add_index(struct writer *w, const struct access *a, const struct site_of_use *at) {
    const struct trace *t = &w->l->extents->t;
    bool any = a->base != 0;
    if (any) add_extent(w, t, a->base, false);
    size_t rows = at->plan ? at->plan->rows : 0;
    for (size_t k = 0; k < rows && !is_row_buffer(w, a->root); k++) {
        if (a->stride[k] == 0) continue;
        if (any) add(w, " + ");
        if (a->stride[k] != 1) add_extent(w, t, a->stride[k], true), add(w, " * ");
        ADD(w, "i%zu", k);
        any = true;
    }
    for (size_t k = 0; at->plan && k < at->plan->count; k++) {
        size_t axis = at->plan->loop[k].last;
        if (a->stride[axis] == 0) continue;
        if (any) add(w, " + ");
        if (a->stride[axis] != 1) add_extent(w, t, a->stride[axis], true), add(w, " * ");
        ADD(w, "i%zu", axis);
        any = true;
    }
    if (!any) add(w, "0");
}

/* Atomic: it may stand beside any operator. */
void add_literal(struct writer *w, unsigned dtype, int64_t bits) {
    double number = literal_to_f64((wg_dtype)dtype, bits);
    if (dtype == WG_I64 || dtype == WG_I32 || dtype == WG_BOOL) {
        int64_t whole = dtype == WG_I32 ? (int32_t)bits : bits;
        if (whole == INT64_MIN) add(w, "INT64_MIN");
        else if (whole < 0) ADD(w, "(%lld)", (long long)whole);
        else ADD(w, "%lld", (long long)whole);
        return;
    }
    if (number != number) {
        add(w, dtype == WG_F32 ? "(float)NAN" : "(double)NAN");
        return;
    }
    if (number - number != 0) {
        ADD(w, "(%s(%s)INFINITY)", number < 0 ? "-" : "", type_text_of[dtype]);
        return;
    }
    bool minus = bits < 0 || (dtype == WG_F32 && (uint32_t)bits >> 31);
    if (minus) add(w, "(");
    size_t before = w->out->size;
    w->ok = w->ok && (dtype == WG_F32 ? text_f32(w->out, (float)number)
                                      : text_f64(w->out, number));
    if (w->ok && !strpbrk(w->out->data + before, ".e")) add(w, ".0");
    if (dtype == WG_F32) add(w, "f");
    if (minus) add(w, ")");
}

/* Whether the value is a variable in scope wherever the use stands (pass 0: behind everything). */
static bool is_variable(const struct writer *w, value root, const struct site_of_use *at) {
    const struct lowered *l = w->l;
    if (w->step[root]) return w->step[root] == w->now;
    if (w->item && w->loaded[root] == w->item) return true;
    if (repeat_of(l, root)) return false;
    if (w->shipped && !has_cells(l) && type_of(w->t, root)->rank == 0 && l->stage[root])
        return true;
    if (!l->pass[root] || part_of(l, root) != w->part) return false;
    if (l->pass[root] == at->pass) return true;
    bool of_row = l->role[root] == ROLE_REDUCE || l->passes.at[l->pass[root]].loops.rank == 0;
    bool same_nest = at->pass && l->stage[root] == l->stage[l->passes.at[at->pass].first];
    if (same_nest) return of_row;
    return type_of(w->t, root)->rank == 0 && (at->pass || l->part_count == 1);
}

/* A size or an iota also where a later operation has it in memory: what stands before must not read
 * that. */
static bool is_computed_here(const struct writer *w, value root) {
    unsigned op = instr_at(w->t, root)->op;
    return w->l->role[root] == ROLE_INDEX || op == OP_size || op == OP_iota;
}

static bool has_no_home(const struct writer *w, value root, const struct site_of_use *at) {
    return instr_at(w->t, root)->op == OP_constant || is_computed_here(w, root) ||
           is_variable(w, root, at) || w->kept[root] || is_parameter(w, root);
}

bool is_in_cell(const struct writer *w, value root) {
    return !has_no_home(w, root, &(struct site_of_use){0, NULL}) &&
           w->w->homes->table[root] == NO_HOME;
}

bool is_read_in_memory(const struct writer *w, const struct access *a,
                       const struct site_of_use *at) {
    return !has_no_home(w, a->root, at) && w->w->homes->table[a->root] != NO_HOME;
}

void add_operand(struct writer *w, const struct access *a, const struct site_of_use *at) {
    value root = a->root;
    const struct instr *i = instr_at(w->t, root);
    if (w->of_repeat && add_moved(w, a)) return;
    if (add_turned_operand(w, a, at)) return;
    if (i->op == OP_constant) {
        add_literal(w, dtype_of(w, root), attr_words(w->t, i->attr)[0]);
    } else if (is_computed_here(w, root)) {
        add(w, "(int64_t)(");
        if (i->op == OP_size) add_program_extent(w, attr_words(w->t, i->attr)[0], false);
        else add_index(w, a, at);
        add(w, ")");
    } else if (is_variable(w, root, at)) {
        ADD(w, "v%u", root);
    } else if (w->kept[root]) {
        add_kept(w, a, at);
    } else if (w->w->homes->table[root] == NO_HOME) {
        add_cell(w, root);
    } else {
        add_memory(w, root);
        if (is_parameter(w, root)) return;
        add(w, "[");
        add_index(w, a, at);
        add(w, "]");
    }
}

/* ---- statements ------------------------------------------------------------------------------ */

/* Functions of op/kernel/vector_math.h, which loops over them make vector code of. */
const char *const row_functions[] = {"exp",  "exp2", "expm1", "log",  "log2",
                                               "log10", "log1p", "sinh", "cosh", "tanh",
                                               "sin",  "cos",  "tan", NULL};

/* Those of the C library whose name ends in f for float. */
static const char *const library_functions[] = {
    "sqrt", "cbrt",  "fabs",  "floor", "ceil", "rint", "asin",  "acos",  "atan",  "asinh",
    "acosh", "atanh", "erf",  "erfc",  "pow",  "fmod", "hypot", "atan2", "fma"};

static bool is_among(const char *word, size_t length, const char *const *list, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (is_word(word, length, list[i])) return true;
    return false;
}

bool is_library_function(const char *word) {
    return is_among(word, strlen(word), library_functions, COUNT_OF(library_functions)) ||
           is_among(word, strlen(word), row_functions, COUNT_OF(row_functions) - 1);
}

/* Whether the argument of a call has a literal with a point, which makes it a double. */
static bool is_double(const char *open) {
    int depth = 0;
    for (const char *s = open; *s; s++) {
        depth += (*s == '(') - (*s == ')');
        if (*s == '.') return true;
        if (depth == 0) return false;
    }
    return false;
}

bool calls_function(unsigned op, unsigned dtype) {
    static const char *const cheap[] = {"sqrt", "fabs", "floor", "ceil", "rint", "fma"};
    const char *s = formula_of(op, dtype);
    while (s && *s) {
        size_t length = begins_word(*s) ? word_length(s) : 1;
        bool known = is_among(s, length, row_functions, COUNT_OF(row_functions) - 1) ||
                     is_among(s, length, library_functions, COUNT_OF(library_functions)) ||
                     strncmp(s, "special_", strlen("special_")) == 0;
        if (known && !is_among(s, length, cheap, COUNT_OF(cheap))) return true;
        s += length;
    }
    return false;
}

/* A word of a row: a function by the name that it has for this type. In a loop a function is to be
 * made vector code of, elsewhere it is called. */
static void add_word(struct writer *w, const char *word, size_t length, unsigned dtype,
                     const struct site_of_use *at) {
    bool vector = is_among(word, length, row_functions, COUNT_OF(row_functions) - 1);
    bool library = is_among(word, length, library_functions, COUNT_OF(library_functions));
    if (vector) add(w, at->plan ? "vm_" : "wg_");
    w->ok = w->ok && text_bytes(w->out, word, length);
    if ((vector || library) && dtype == WG_F32 && !is_double(word + length)) add(w, "f");
}

/* The row's text with the operands in the place of a, b, c, and of u and v, which are a and b
 * without a sign. */
static void add_formula(struct writer *w, const char *formula, const struct access *operand,
                        unsigned dtype, const struct site_of_use *at) {
    for (const char *s = formula; *s && w->ok;) {
        bool word = begins_word(*s), number = isdigit((unsigned char)*s);
        size_t length = word ? word_length(s) : 1;
        while (number && (isalnum((unsigned char)s[length]) || s[length] == '.')) length++;
        if (length == 1 && *s >= 'a' && *s <= 'c') {
            add_operand(w, &operand[*s - 'a'], at);
        } else if (length == 1 && (*s == 'u' || *s == 'v')) {
            ADD(w, "((u%s)", type_text_of[dtype]);
            add_operand(w, &operand[*s - 'u'], at);
            add(w, ")");
        } else if (word) {
            add_word(w, s, length, dtype, at);
        } else {
            w->ok = text_bytes(w->out, s, length);
        }
        s += length;
    }
}

static void add_cast(struct writer *w, value v, const struct access *a,
                     const struct site_of_use *at) {
    unsigned to = dtype_of(w, v);
    unsigned from = dtype_of(w, a->root);
    if (to == WG_BOOL) {
        add_operand(w, a, at);
        add(w, " != 0");
    } else if (from == WG_BOOL && dtype_is_float(to)) { /* a conversion keeps loops from vectors */
        add_operand(w, a, at);
        add(w, to == WG_F32 ? " ? 1.0f : 0.0f" : " ? 1.0 : 0.0");
    } else if (dtype_is_float(from) && !dtype_is_float(to)) {
        ADD(w, "wg_%s_to_%s(", short_name[from], short_name[to]);
        add_operand(w, a, at);
        add(w, ")");
    } else {
        ADD(w, "(%s)", type_text_of[to]);
        if (from == WG_I64 && to == WG_I32) add(w, "(uint32_t)");
        add_operand(w, a, at);
    }
}

/* The element that an index tells. */
static void add_taken(struct writer *w, const struct access operand[2],
                      const struct site_of_use *at) {
    if (type_of(w->t, operand[0].root)->rank == 0) { /* the only one */
        add_operand(w, &operand[0], at);
        return;
    }
    add_memory(w, operand[0].root);
    add(w, "[");
    add_index(w, &operand[0], at);
    add(w, " + ");
    if (operand[0].by_index != 1)
        add_extent(w, &w->l->extents->t, operand[0].by_index, true), add(w, " * ");
    add_operand(w, &operand[1], at);
    add(w, "]");
}

/* 0 + a, since the sum of 0 and -0 is 0. */
static void add_scattered(struct writer *w, value v, const struct access operand[2],
                          const struct site_of_use *at) {
    const struct instr *i = instr_at(w->t, v);
    add_operand(w, &operand[1], at);
    ADD(w, " == i%lld ? 0 + ", (long long)attr_words(w->t, i->attr)[0]);
    add_operand(w, &operand[0], at);
    add(w, " : 0");
}

static void add_value(struct writer *w, value v, const struct site_of_use *at) {
    const struct instr *i = instr_at(w->t, v);
    const struct access *operand = &w->l->access.at[w->l->access_at[v]];
    unsigned last = i->narg ? dtype_of(w, args_of(w->t, i)[i->narg - 1]) : WG_F64;
    switch (i->op) {
    case OP_reshape:
    case OP_copy:
    case OP_stop_gradient:
    case OP_broadcast:
    case OP_transpose:
    case OP_slice: add_operand(w, operand, at); return;
    case OP_cast: add_cast(w, v, operand, at); return;
    case OP_where: add_formula(w, "a ? b : c", operand, last, at); return;
    case OP_dot: add_products(w, v, at); return;
    case OP_take: add_taken(w, operand, at); return;
    case OP_scatter_add: add_scattered(w, v, operand, at); return;
    default: add_formula(w, formula_of(i->op, last), operand, last, at); return;
    }
}

void add_comment(struct writer *w, value v) {
    const struct instr *i = instr_at(w->t, v);
    ADD(w, " /* %s", op_def(i->op)->name);
    if (i->flags & INSTR_TANGENT) add(w, ", tangent");
    if (i->flags & INSTR_ADJOINT) add(w, ", adjoint");
    wg_text text = {.allocator = w->out->allocator};
    w->ok = w->ok && site_text(w->t, i->site, &text);
    if (text.data && !strstr(text.data, "*/") && !strstr(text.data, "/*"))
        ADD(w, ": %s", text.data);
    wg_text_free(&text);
    add(w, " */\n");
}

/* Where a value in memory has the element of the loops at hand. */
static struct access own_access(struct writer *w, value v) {
    struct access a = {.root = v};
    uint32_t pass = w->l->pass[v];
    size_t rows = w->l->stages.at[w->l->stage[v]].rows.rank, rank = rows;
    size_t summed = w->l->role[v] == ROLE_COLUMNS ? w->l->passes.at[pass].summed : 0;
    wg_extent stride = 1;
    if (w->l->role[v] != ROLE_REDUCE) rank += w->l->passes.at[pass].loops.rank;
    for (size_t k = rank; k-- > 0;) {
        if (k >= rows && k < rows + summed) continue;
        a.stride[k] = stride;
        stride = extent_mul(w->l->extents, stride,
                            lowered_extent(w->l, domain_extent(w, pass, k)));
    }
    return a;
}

void add_place(struct writer *w, value v, const struct site_of_use *at) {
    struct access a = own_access(w, v);
    add_memory(w, v);
    add(w, "[");
    add_index(w, &a, at);
    add(w, "]");
}

void add_statement(struct writer *w, value v, const struct site_of_use *at, int depth) {
    indent(w, depth);
    ADD(w, "const %s v%u = ", type_text_of[dtype_of(w, v)], v);
    add_value(w, v, at);
    add(w, ";");
    add_comment(w, v);
}

/* To v's places in concatenations. */
static void add_places(struct writer *w, value v, const struct site_of_use *at, int depth) {
    for (uint32_t id = w->l->place[v]; id; id = w->l->places.at[id - 1].next) {
        struct access a = place_access(w->l, v, &w->l->places.at[id - 1]);
        indent(w, depth);
        add_memory(w, a.root);
        add(w, "[");
        add_index(w, &a, at);
        ADD(w, "] = v%u;\n", v);
    }
}

void add_store(struct writer *w, value v, const struct site_of_use *at, int depth) {
    add_places(w, v, at, depth);
    if (w->l->storage[v] == STORE_NONE) return;
    if (w->w->homes->table[v] == NO_HOME) {
        add_cell_store(w, v, depth);
        return;
    }
    indent(w, depth);
    add_place(w, v, at);
    ADD(w, " = v%u;\n", v);
}

/* The statements of a pass, then what they write, at the loops' body. */
void add_body(struct writer *w, const struct site_of_use *at, int depth) {
    const struct pass *p = &w->l->passes.at[at->pass];
    for (value v = p->first; v && w->ok; v = w->l->next[v])
        if (w->l->role[v] == ROLE_POINT) add_statement(w, v, at, depth);
    for (value v = p->first; v && w->ok; v = w->l->next[v])
        if (w->l->role[v] == ROLE_POINT) add_store(w, v, at, depth);
}

/* ---- reductions ------------------------------------------------------------------------------ */

const char *reducer(const struct writer *w, value v) {
    unsigned op = instr_at(w->t, v)->op;
    return op == OP_sum ? "sum" : op == OP_peak ? "peak" : "max";
}

bool has_statements(const struct writer *w, uint32_t pass) {
    for (value v = w->l->passes.at[pass].first; v; v = w->l->next[v])
        if (w->l->role[v] == ROLE_POINT) return true;
    return false;
}

/* The number of a row is there: its variable, and its place in memory. */
void end_reduction(struct writer *w, value v, int depth) {
    struct plan rows = {.rows = w->l->stages.at[w->l->stage[v]].rows.rank};
    add_store(w, v, &(struct site_of_use){w->l->pass[v], &rows}, depth);
}

void declare_number(struct writer *w, value v, int depth) {
    indent(w, depth);
    ADD(w, "%s v%u;", type_text_of[dtype_of(w, v)], v);
    add_comment(w, v);
}

/* Whether a reduction's terms lie in memory, one behind the other, so that no buffer is needed. */
bool terms_in_memory(const struct writer *w, value v, const struct plan *plan) {
    const struct access *a = &w->l->access.at[w->l->access_at[v]];
    return w->w->homes->table[a->root] != NO_HOME && w->l->pass[a->root] != w->l->pass[v] &&
           (plan->count == 0 || a->stride[plan->loop[plan->count - 1].last] == 1);
}

/* Reductions over loops that stay several: of terms in memory, behind the loops. */
static void add_runs(struct writer *w, uint32_t pass, const struct plan *plan, int depth) {
    const struct lowered *l = w->l;
    for (value v = l->passes.at[pass].first; v; v = l->next[v]) {
        if (l->role[v] != ROLE_REDUCE) continue;
        struct access a = l->access.at[l->access_at[v]];
        struct plan rows = {.rows = plan->rows};
        struct site_of_use at = {pass, &rows};
        indent(w, depth);
        ADD(w, "const %s v%u = wg_%s_run_%s(", type_text_of[dtype_of(w, v)], v, reducer(w, v),
            short_name[dtype_of(w, v)]);
        add_memory(w, a.root);
        add(w, " + ");
        add_index(w, &a, &at);
        add(w, ", ");
        add_all_trips(w, pass, plan, 0, plan->count - 1);
        add(w, ");");
        add_comment(w, v);
        end_reduction(w, v, depth);
    }
}

/* ---- nests ----------------------------------------------------------------------------------- */

static bool has_reductions(const struct writer *w, uint32_t pass) {
    for (value v = w->l->passes.at[pass].first; v; v = w->l->next[v])
        if (w->l->role[v] == ROLE_REDUCE) return true;
    return false;
}

/* All loops as they are, and what stands in them. */
static void add_plain(struct writer *w, const struct site_of_use *at, int *depth) {
    for (size_t k = 0; k < at->plan->count; k++) {
        if (k + 1 == at->plan->count) load_factors(w, at, *depth);
        open_loop(w, at->pass, at->plan, k, (*depth)++, k + 1 == at->plan->count);
    }
    add_body(w, at, *depth);
}

static void add_loops(struct writer *w, uint32_t pass, struct plan *plan, int depth) {
    struct site_of_use at = {pass, plan};
    const struct turned turned = find_turned(w, &at);
    int inside = depth;
    plan->along_rows = turned.count > 0 && turned.along == 0;
    if (w->w->threads && plan->rows == 0 && plan->count > 0)
        inside = open_pieces(w, pass, plan, depth);
    if (turned.count) add_turned(w, &turned, &at, inside);
    else if (plan->count != 1 || !add_cut_loop(w, pass, plan, inside)) add_plain(w, &at, &inside);
    close_loops(w, inside, depth);
}

static void add_pass(struct writer *w, uint32_t pass, size_t rows, int depth) {
    size_t rank = w->l->passes.at[pass].loops.rank;
    if (w->l->passes.at[pass].summed) {
        add_columns(w, pass, rows, depth);
        return;
    }
    if (w->l->passes.at[pass].call) {
        add_call(w, pass, rows, depth);
        return;
    }
    struct plan plan = plan_loops(w, pass, rows, rows + rank);
    bool reduces = has_reductions(w, pass);
    if (reduces && plan.count == 1) {
        add_blocks(w, pass, &plan, depth);
        return;
    }
    if (has_statements(w, pass)) add_loops(w, pass, &plan, depth);
    if (reduces) add_runs(w, pass, &plan, depth);
}

static void add_nest(struct writer *w, uint32_t stage, int depth) {
    struct lowered *l = w->l;
    const struct stage *nest = &l->stages.at[stage];
    size_t rows = nest->rows.rank;
    if (nest->first == nest->last && l->passes.at[nest->first].loops.rank == 0) {
        struct plan plan = plan_loops(w, nest->first, 0, rows);
        add_loops(w, nest->first, &plan, depth);
        return;
    }
    struct plan plan = {0};
    size_t outside = nest->short_rows ? rows - 1 : rows;
    for (size_t k = 0; k < rows; k++) plan.loop[k].first = plan.loop[k].last = k;
    int inside = depth;
    if (w->w->threads && rows) inside = open_row_pieces(w, nest, &plan, depth);
    for (size_t k = 0; k < outside; k++) open_loop(w, nest->first, &plan, k, inside++, false);
    if (nest->short_rows) add_short_rows(w, stage, &plan, inside);
    for (uint32_t p = nest->first; p && w->ok && !nest->short_rows; p = l->passes.at[p].next)
        add_pass(w, p, rows, inside);
    close_loops(w, inside, depth);
}

/* ---- items ----------------------------------------------------------------------------------- */

/* Calls visit for each statement of the item. */
void visit_statements(struct writer *w, const struct item *item,
                           void (*visit)(struct writer *w, value v)) {
    const struct lowered *l = w->l;
    const struct stage *s = &l->stages.at[item->stage];
    uint32_t count = 0;
    if (s->operation) return;
    for (uint32_t id = item->pass ? item->pass : s->first; id && w->ok;
         id = item->pass ? 0 : l->passes.at[id].next)
        for (value v = item->first ? item->first : l->passes.at[id].first;
             v && (!item->count || count < item->count); v = l->next[v], count++)
            visit(w, v);
}

/* Scalars that a loop reads from memory become variables in front of it. */
static void load_scalars(struct writer *w, value v) {
    const struct lowered *l = w->l;
    struct site_of_use at = {l->pass[v], NULL};
    for (size_t k = 0; k < access_count(l, v); k++) {
        const struct access *a = &l->access.at[l->access_at[v] + k];
        value root = a->root;
        if (type_of(w->t, root)->rank > 0 || is_variable(w, root, &at) ||
            is_computed_here(w, root) || instr_at(w->t, root)->op == OP_constant ||
            is_parameter(w, root))
            continue;
        indent(w, 2);
        ADD(w, "const %s v%u = ", type_text_of[dtype_of(w, root)], root);
        add_operand(w, a, &at);
        add(w, ";\n");
        w->loaded[root] = w->item;
    }
}

/* ---- indices --------------------------------------------------------------------------------- */

void add_index_address(struct writer *w, value index) {
    if (w->w->homes->table[index] != NO_HOME) {
        if (is_parameter(w, index)) add(w, "&");
        add_memory(w, index);
    } else {
        add(w, "&");
        if (w->shipped && !has_cells(w->l)) ADD(w, "v%u", index);
        else add_cell(w, index);
    }
}

/* Integers that somebody indexes with are good before that. Of an error the operation tells, or in
 * shipped C the function's result. */
static void add_checks(struct writer *w, value index) {
    const struct lowered *l = w->l;
    const wg_type *type = type_of(w->t, index);
    for (uint32_t id = l->check[index]; id; id = l->checks.at[id - 1].next) {
        const struct index_check *check = &l->checks.at[id - 1];
        if (is_checked(w, index, check->extent)) continue;
        if (!w->shipped) declare_address(w, index);
        if (type->rank == 0 && w->shipped) {
            shipped_check(w, check, index);
            continue;
        }
        ADD(w, "    if (wg_outside_%s(", short_name[type->dtype]);
        add_index_address(w, index);
        add(w, ", ");
        add_count(w, type);
        add(w, ", ");
        add_program_extent(w, check->extent, false);
        add(w, ")) ");
        if (w->shipped) shipped_failure(w, check->by);
        else ADD(w, "return f->operation(f->call, %zu);", l->stages.count + id - 1);
        add_comment(w, check->by);
    }
}

void check_given_indices(struct writer *w) {
    for (value v = 1; v < w->l->count && w->ok; v++)
        if (w->l->role[v] == ROLE_GIVEN) add_checks(w, v);
}

static void add_item(struct writer *w, const struct item *item) {
    const struct lowered *l = w->l;
    const struct stage *s = &l->stages.at[item->stage];
    if (is_region(w->t, s->operation)) {
        write_region(w, s->operation);
        return;
    }
    if (is_of_numbers(w, s->operation)) {
        write_numbers(w, s->operation);
        return;
    }
    if (s->operation && w->shipped) {
        shipped_operation(w, s->operation);
        return;
    }
    if (s->operation) {
        ADD(w, "    if ((status = f->operation(f->call, %u)) != 0) return status;", item->stage);
        add_comment(w, s->operation);
        return;
    }
    if (item->repeat) {
        write_repeat(w, item);
        return;
    }
    if (item->first) {
        struct site_of_use at = {item->pass, NULL};
        value v = item->first;
        for (uint32_t k = 0; k < item->count && w->ok; k++, v = l->next[v]) {
            add_statement(w, v, &at, 1);
            add_store(w, v, &at, 1);
        }
        return;
    }
    /* The numbers of reductions outlive the loop: they are variables of the function. */
    bool numbers = item->pass && has_reductions(w, item->pass);
    if (!numbers) {
        add(w, "    {\n");
        visit_statements(w, item, load_scalars);
    }
    if (item->pass) add_pass(w, item->pass, 0, numbers ? 1 : 2);
    else add_nest(w, item->stage, 2);
    if (!numbers) add(w, "    }\n");
}

void write_item(struct writer *w, const struct item *item) {
    value operation = w->l->stages.at[item->stage].operation;
    add_item(w, item);
    for (value v = operation; v; v = w->l->next[v]) add_checks(w, v);
    visit_statements(w, item, add_checks);
}
