/* What a program needs of memory: the bytes of a call, as numbers or as formulas in named sizes,
 * and the residuals, the primal values that live on until the adjoint computation has read them. */
#include "op/region.h"
#include "run/run.h"
#include "show/show.h"

/* An instruction of the adjoint computation that reads a residual. */
struct need {
    value by;
    uint32_t next; /* 1 + the next one of the same residual */
};

struct plan {
    const struct trace *t;
    wg_graph *g;         /* where bytes are extents */
    wg_extent *size_map; /* the sizes, known or named */
    struct arena arena;
    uint32_t *first; /* of each value: 1 + its first need; 0 for what is no residual */
    VEC(struct need) need;
    wg_extent inputs, outputs, constants, workspace, peak, saved;
    size_t residual_count;
};

static wg_extent bytes_of(struct plan *p, value v) {
    wg_type type = graph_import_type(p->g, p->t, type_of(p->t, v), p->size_map);
    return extent_mul(p->g, type_count(p->g, &type),
                      (wg_extent)wg_dtype_size((wg_dtype)type.dtype));
}

/* Made by the primal computation, and not there before the call. */
static bool is_computed(const struct trace *t, value v) {
    const struct instr *i = instr_at(t, v);
    return op_def(i->op)->class != LEAF && !(i->flags & INSTR_ADJOINT);
}

/* Backwards, so that each list of needs is in the order in which they come up. */
static bool find_residuals(struct plan *p) {
    const struct trace *t = p->t;
    for (value v = (value)t->instr.count; v-- > 1;) {
        const struct instr *i = instr_at(t, v);
        for (size_t k = 0; k < i->narg && i->flags & INSTR_ADJOINT; k++) {
            value x = args_of(t, i)[k];
            if (!is_computed(t, x)) continue;
            struct need *need = VEC_PUSH(&t->allocator, &p->need);
            if (!need) return false;
            *need = (struct need){v, p->first[x]};
            p->first[x] = (uint32_t)p->need.count;
        }
    }
    for (value v = 1; v < t->instr.count; v++) {
        if (!p->first[v]) continue;
        p->residual_count++;
        p->saved = extent_add(p->g, p->saved, bytes_of(p, v));
    }
    return true;
}

static wg_status count_bytes(struct plan *p, const wg_program *program, const int64_t *size,
                             wg_error *error) {
    const struct trace *t = p->t;
    wg_function *fn = wg_compile(program, NULL, error);
    size_t bytes = 0;
    if (fn && (size || !t->size.count)) {
        if (wg_workspace_size(fn, size, &bytes, error) == WG_OK && bytes <= INT64_MAX)
            p->workspace = (wg_extent)bytes;
    } else if (fn) {
        p->workspace = workspace_extent(fn, p->g, p->size_map);
    }
    wg_function_free(fn);
    for (size_t i = 0; i < t->input.count; i++)
        p->inputs = extent_add(p->g, p->inputs, bytes_of(p, t->input.at[i].v));
    for (size_t i = 0; i < t->output.count; i++)
        p->outputs = extent_add(p->g, p->outputs, bytes_of(p, t->output.at[i].v));
    for (size_t i = 0; i < t->blob.count; i++)
        p->constants = extent_add(p->g, p->constants, (wg_extent)t->blob.at[i].size);
    p->peak = extent_add(p->g, extent_add(p->g, p->inputs, p->outputs),
                         extent_add(p->g, p->constants, p->workspace));
    return failed(error) ? error->status : WG_OK;
}

/* Opens the graph for the extents; plan_close in any case. */
static wg_status plan_open(struct plan *p, const wg_program *program, const int64_t *size,
                           wg_error *error) {
    const struct trace *t = &program->t;
    *p = (struct plan){.t = t, .arena.allocator = t->allocator, .g = graph_new(&t->allocator)};
    p->size_map = arena_alloc(&p->arena, (t->size.count + 1) * sizeof *p->size_map,
                              sizeof(int64_t));
    p->first = arena_alloc(&p->arena, t->instr.count * sizeof *p->first, sizeof *p->first);
    if (!p->g || !p->size_map || !p->first) return fail_memory(error);
    memset(p->first, 0, t->instr.count * sizeof *p->first);
    for (size_t i = 0; i < t->size.count; i++)
        p->size_map[i] = size ? size[i]
                              : extent_size(p->g, graph_size(p->g, name_at(t, t->size.at[i])));
    if (count_bytes(p, program, size, error)) return error->status;
    if (!find_residuals(p)) return fail_memory(error);
    const wg_error *own = &p->g->error;
    return own->status ? fail_with(error, own->status, "plan: %s", own->message) : WG_OK;
}

static void plan_close(struct plan *p) {
    VEC_FREE(&p->t->allocator, &p->need);
    arena_free(&p->arena);
    wg_graph_free(p->g);
}

/* ---- text ------------------------------------------------------------------------------------ */

enum { COLUMNS = 4 };

static bool put(const struct plan *p, wg_extent bytes, wg_text *out) {
    return extent_text(&p->g->t, bytes, out);
}

/* "exp f:1:3"; without the operation where it is no longer part of the program. */
static bool write_place(const struct trace *t, value v, uint32_t site, wg_text *out) {
    size_t start = out->size;
    bool ok = !v || text_add(out, op_def(instr_at(t, v)->op)->name);
    size_t named = out->size;
    ok = ok && text_add(out, named > start ? " " : "") && site_text(t, site, out);
    if (ok && out->size == named + 1 && named > start) text_cut(out, named);
    return ok;
}

/* What in the body of a loop makes a stacked result, and in which trace it stands; 0 for others. */
static value made_in_body(const struct trace *t, value v, const struct trace **body) {
    const struct instr *i = instr_at(t, v);
    if (i->op != OP_item) return 0;
    value loop = args_of(t, i)[0];
    struct region r = region_open(t, instr_at(t, loop)->op, instr_at(t, loop)->attr);
    size_t k = (size_t)attr_words(t, i->attr)[0];
    if (r.op != OP_loop || k < r.carries || k >= r.items) return 0;
    *body = &region_body(t, &r, 0)->body->t;
    return (*body)->output.at[k].v;
}

/* "exp f:1:3", "mul f:2:9 in loop f:2:1" */
static bool write_maker(const struct trace *t, value v, wg_text *out) {
    const struct trace *body;
    value made = made_in_body(t, v, &body);
    if (!made) return write_place(t, v, instr_at(t, v)->site, out);
    value loop = args_of(t, instr_at(t, v))[0];
    bool carry = instr_at(body, made)->op == OP_input;
    return (carry ? text_add(out, "carry")
                  : write_place(body, made, instr_at(body, made)->site, out)) &&
           text_add(out, " in ") &&
           write_place(t, loop, instr_at(t, loop)->site, out);
}

/* The operation whose derivative made an instruction, and whether an earlier need of the same
 * residual named it already. */
static bool is_repeated(const struct plan *p, uint32_t first, uint32_t at) {
    const struct instr *mine = instr_at(p->t, p->need.at[at - 1].by);
    for (uint32_t n = first; n != at; n = p->need.at[n - 1].next) {
        const struct instr *other = instr_at(p->t, p->need.at[n - 1].by);
        if (other->origin == mine->origin && other->site == mine->site) return true;
    }
    return false;
}

static bool write_site_json(const struct trace *t, uint32_t site, wg_text *out) {
    wg_text text = {.allocator = t->allocator};
    bool ok = site_text(t, site, &text) && json_string(out, text.data ? text.data : "");
    wg_text_free(&text);
    return ok;
}

static bool write_needs(const struct plan *p, value v, bool json, wg_text *out) {
    const char *before = "";
    bool ok = true;
    for (uint32_t n = p->first[v]; ok && n; n = p->need.at[n - 1].next) {
        const struct instr *i = instr_at(p->t, p->need.at[n - 1].by);
        if (is_repeated(p, p->first[v], n)) continue;
        ok = text_add(out, before);
        if (json)
            ok = ok &&
                 text_format(out, "{\"op\": \"%s\", \"at\": ",
                             i->origin ? op_def(instr_at(p->t, i->origin)->op)->name : "") &&
                 write_site_json(p->t, i->site, out) && text_add(out, "}");
        else
            ok = ok && write_place(p->t, i->origin, i->site, out);
        before = ", ";
    }
    return ok;
}

static bool write_cell(struct plan *p, value v, unsigned column, wg_text *out) {
    const struct trace *t = p->t;
    switch (column) {
    case 0: return put(p, bytes_of(p, v), out);
    case 1: return type_text(t, type_of(t, v), out);
    case 2: return write_maker(t, v, out);
    default: return write_needs(p, v, false, out);
    }
}

static bool write_row(const char *const *cell, const size_t *width, wg_text *out) {
    bool ok = text_add(out, "  ");
    for (unsigned k = 0; ok && k < COLUMNS; k++) {
        int pad = k + 1 < COLUMNS ? (int)width[k] + 2 : 0;
        ok = text_format(out, "%-*s", pad, cell[k]);
    }
    return ok && text_add(out, "\n");
}

static const char *keep(struct plan *p, const wg_text *text) {
    char *copy = arena_alloc(&p->arena, text->size + 1, 1);
    if (copy) memcpy(copy, text->data, text->size + 1);
    return copy;
}

static bool write_residuals(struct plan *p, wg_text *out) {
    static const char *const title[COLUMNS] = {"bytes", "type", "made by", "needed by"};
    const struct trace *t = p->t;
    wg_text scratch = {.allocator = t->allocator};
    size_t width[COLUMNS], rows = 0;
    const char **cell = arena_alloc(&p->arena, (p->residual_count + 1) * sizeof title,
                                    sizeof *cell);
    bool ok = cell != NULL;
    for (unsigned k = 0; k < COLUMNS; k++) width[k] = strlen(title[k]);
    for (value v = 1; ok && v < t->instr.count; v++) {
        if (!p->first[v]) continue;
        const char **row = &cell[COLUMNS * rows++];
        for (unsigned k = 0; ok && k < COLUMNS; k++) {
            text_cut(&scratch, 0);
            ok = write_cell(p, v, k, &scratch) && (row[k] = keep(p, &scratch));
            if (ok && scratch.size > width[k]) width[k] = scratch.size;
        }
    }
    ok = ok && write_row(title, width, out);
    for (size_t i = 0; ok && i < rows; i++) ok = write_row(&cell[COLUMNS * i], width, out);
    wg_text_free(&scratch);
    return ok;
}

static bool write_plan(struct plan *p, wg_text *out) {
    const struct {
        const char *name;
        wg_extent bytes;
    } line[] = {{"inputs", p->inputs},
                {"outputs", p->outputs},
                {"constants", p->constants},
                {"workspace", p->workspace},
                {"peak", p->peak}};
    bool ok = true;
    for (size_t i = 0; ok && i < COUNT_OF(line); i++)
        ok = text_format(out, "%-12s", line[i].name) && put(p, line[i].bytes, out) &&
             text_add(out, " bytes\n");
    if (!p->residual_count) return ok;
    return ok &&
           text_format(out, "\n%zu residual%s, ", p->residual_count,
                       p->residual_count > 1 ? "s" : "") &&
           put(p, p->saved, out) && text_add(out, " bytes\n") && write_residuals(p, out);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

/* A number, or a formula as a string. */
static bool put_json(const struct plan *p, const char *name, wg_extent bytes, wg_text *out) {
    const char *quote = bytes < 0 ? "\"" : "";
    return text_format(out, "\"%s\": %s", name, quote) && put(p, bytes, out) &&
           text_format(out, "%s, ", quote);
}

static bool write_plan_json(struct plan *p, wg_text *out) {
    const struct trace *t = p->t;
    const char *before = "\n";
    bool ok = text_add(out, "{") && put_json(p, "inputs", p->inputs, out) &&
              put_json(p, "outputs", p->outputs, out) &&
              put_json(p, "constants", p->constants, out) &&
              put_json(p, "workspace", p->workspace, out) && put_json(p, "peak", p->peak, out) &&
              text_add(out, "\"residuals\": [");
    for (value v = 1; ok && v < t->instr.count; v++) {
        if (!p->first[v]) continue;
        const struct trace *from = t;
        value made = made_in_body(t, v, &from);
        if (!made) made = v;
        ok = text_format(out, "%s  {\"op\": \"%s\", \"type\": \"", before,
                         instr_at(from, made)->op == OP_input
                             ? "carry" : op_def(instr_at(from, made)->op)->name) &&
             type_text(t, type_of(t, v), out) && text_add(out, "\", ") &&
             put_json(p, "bytes", bytes_of(p, v), out) && text_add(out, "\"at\": ") &&
             write_site_json(from, instr_at(from, made)->site, out) &&
             (from == t || (text_add(out, ", \"loop\": ") &&
                            write_site_json(t, instr_at(t, args_of(t, instr_at(t, v))[0])->site,
                                            out))) &&
             text_add(out, ", \"needed_by\": [") &&
             write_needs(p, v, true, out) && text_add(out, "]}");
        before = ",\n";
    }
    return ok && text_add(out, p->residual_count ? "\n]}\n" : "]}\n");
}

wg_status wg_show_plan(const wg_program *program, const int64_t *size, wg_format format,
                       wg_text *out, wg_error *error) {
    wg_error local = {.status = WG_OK};
    struct plan plan;
    if (!error) error = &local;
    if (failed(error)) return error->status;
    if (!program || !out)
        return fail_with(error, WG_EARGUMENT, "plan: a program and a text are needed");
    if (format != WG_TEXT && format != WG_JSON)
        return fail_with(error, WG_EARGUMENT, "plan: the formats are text and JSON");
    size_t start = out->size;
    if (plan_open(&plan, program, size, error) == WG_OK) {
        bool ok = format == WG_JSON ? write_plan_json(&plan, out) : write_plan(&plan, out);
        const wg_error *own = &plan.g->error;
        if (own->status)
            fail_with(error, own->status, "plan: %s", own->message);
        else if (!ok)
            fail_memory(error);
    }
    plan_close(&plan);
    if (error->status) text_cut(out, start);
    return error->status;
}
