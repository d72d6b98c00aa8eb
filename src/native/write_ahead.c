/* Checks of indices in front of loops (ahead.h), as C. */
#include "native/ahead.h"
#include "native/writer.h"

struct checks {
    struct writer *w;
    void (*add_value)(struct writer *w, value v);
};

/* ---- what is checked elsewhere --------------------------------------------------------------- */

bool is_checked(struct writer *w, value index, wg_extent extent) {
    for (size_t k = 0; k < w->w->left_out.count; k++)
        if (w->w->left_out.at[k].index == index && w->w->left_out.at[k].extent == extent)
            return true;
    for (size_t k = 0; k < w->checked.count; k++)
        if (w->checked.at[k].index == index && w->checked.at[k].extent == extent) return true;
    struct left_out *new = VEC_PUSH(&w->out->allocator, &w->checked);
    if (new) *new = (struct left_out){index, extent};
    w->ok = w->ok && new;
    return false;
}

/* ---- numbers --------------------------------------------------------------------------------- */

static void add_factor(const struct checks *c, uint32_t f) {
    struct writer *w = c->w;
    add(w, "(uint64_t)");
    if (f & FACTOR_SIZE) add_size(w, w->t, f & ~(uint32_t)FACTOR_SIZE);
    else c->add_value(w, f);
}

/* An int64_t, modulo 2^64. */
static void add_whole(const struct checks *c, const struct whole *p) {
    struct writer *w = c->w;
    bool literal = p->count == 0 || (p->count == 1 && !p->term[0].factor[0]);
    if (literal) {
        add_literal(w, WG_I64, p->count ? (int64_t)p->term[0].coefficient : 0);
        return;
    }
    add(w, "(int64_t)(");
    for (uint32_t k = 0; k < p->count; k++) {
        const struct whole_term *term = &p->term[k];
        bool minus = term->coefficient >> 63, any = false;
        uint64_t n = minus ? 0 - term->coefficient : term->coefficient;
        if (minus) add(w, k ? " - " : "(uint64_t)0 - ");
        else if (k) add(w, " + ");
        if (n != 1 || !term->factor[0]) ADD(w, "%lluu", (unsigned long long)n), any = true;
        for (size_t j = 0; j < MOST_FACTORS && term->factor[j]; j++, any = true) {
            if (any) add(w, " * ");
            add_factor(c, term->factor[j]);
        }
    }
    add(w, ")");
}

static void add_runs(const struct checks *c, const struct ahead *a, uint32_t k) {
    const struct ahead_loop *loop = &a->loop[k];
    if (k + 1 == a->loops) {
        add(c->w, "count");
    } else if (loop->counted) {
        add(c->w, "wg_trips(");
        add_whole(c, &loop->count);
        add(c->w, ", ");
        add_whole(c, &loop->length);
        add(c->w, ")");
    } else {
        add_whole(c, &loop->length);
    }
}

/* ---- who complains --------------------------------------------------------------------------- */

/* {...} of what each loop has, from the outermost on. */
static void add_list(const struct checks *c, const struct ahead *a, bool trips) {
    add(c->w, "(const int64_t[]){");
    for (uint32_t k = a->loops; k-- > 0;) {
        if (trips && a->loop[k].backwards) add(c->w, "-");
        if (trips) add_runs(c, a, k);
        else add_whole(c, &a->loop[k].step);
        if (k) add(c->w, ", ");
    }
    add(c->w, "}");
}

/* In code that is loaded the library names the first index that lies outside. */
static void fail(const struct checks *c, const struct ahead *a, int depth) {
    struct writer *w = c->w;
    size_t narg = instr_at(a->t, a->by)->narg, sizes = a->t->size.count;
    if (w->shipped && !is_called_body(w)) {
        indent(w, depth);
        add(w, "return 1;\n");
        return;
    }
    indent(w, depth);
    ADD(w, "const int64_t outside = wg_first_outside(first, extent, %u, ", a->loops);
    add_list(c, a, false);
    add(w, ", ");
    add_list(c, a, true);
    add(w, ");\n");
    indent(w, depth);
    ADD(w, "return f->inside(f->call, %u, %u, 1, (void *const[]){NULL", a->body, a->by);
    for (size_t k = 0; k < narg; k++)
        add(w, k == a->operand ? ", (void *)&outside" : ", NULL");
    add(w, "}, ");
    if (sizes) add(w, "(const int64_t[]){");
    for (size_t k = 0; k < sizes; k++) {
        if (k) add(w, ", ");
        add_whole(c, &a->size[k]);
    }
    add(w, sizes ? "});\n" : "NULL);\n");
}

static void add_site(struct writer *w, const struct ahead *a) {
    wg_text text = {.allocator = w->out->allocator};
    ADD(w, " /* %s", op_def(instr_at(a->t, a->by)->op)->name);
    w->ok = w->ok && site_text(a->t, instr_at(a->t, a->by)->site, &text);
    if (text.data && !strstr(text.data, "*/") && !strstr(text.data, "/*"))
        ADD(w, ": %s", text.data);
    wg_text_free(&text);
    add(w, " */\n");
}

/* ---- a check --------------------------------------------------------------------------------- */

static void add_one(const struct checks *c, const struct ahead *a, int depth) {
    struct writer *w = c->w;
    indent(w, depth);
    add(w, "if (");
    for (uint32_t k = a->loops; k-- > 0;) {
        add_runs(c, a, k);
        add(w, k ? " > 0 && " : " > 0) {");
    }
    add_site(w, a);
    indent(w, depth + 1);
    add(w, "const int64_t extent = ");
    add_whole(c, &a->extent);
    add(w, ", first = ");
    add_whole(c, &a->first);
    add(w, ";\n");
    indent(w, depth + 1);
    add(w, "int64_t low = first, high = first;\n");
    indent(w, depth + 1);
    add(w, "if (first < 0 || first >= extent");
    for (uint32_t k = a->loops; k-- > 0;) {
        add(w, " || wg_leaves(");
        add_whole(c, &a->loop[k].step);
        add(w, ", ");
        add_runs(c, a, k);
        add(w, ", extent, &low, &high)");
    }
    add(w, ") {\n");
    fail(c, a, depth + 2);
    indent(w, depth + 1);
    add(w, "}\n");
    indent(w, depth);
    add(w, "}\n");
}

void add_ahead(struct writer *w, const struct body_code *body, int depth,
               void (*add_value)(struct writer *w, value v)) {
    struct checks c = {w, add_value};
    const struct ahead_list *list = body->ahead;
    for (size_t k = 0; list && k < list->is.count && w->ok; k++) {
        struct ahead *from = &list->is.at[k], a;
        if (from->moved || is_always_within(w->t, body, from)) continue;
        w->ok = ahead_at_loop(w->t, body, from, &a);
        if (w->ok) add_one(&c, &a, depth);
        ahead_free_sizes(&w->t->allocator, &a);
    }
}
