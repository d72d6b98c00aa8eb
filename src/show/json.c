/* Traces as JSON for scripts; the schema is stated in wengert/show.h and does not change with the
 * other options. Names and formulas are in ASCII, numbers exact. */
#include "show/show.h"

bool json_string(wg_text *out, const char *text) {
    bool ok = text_add(out, "\"");
    for (const char *c = text; *c && ok; c++) {
        if (*c == '"' || *c == '\\') ok = text_format(out, "\\%c", *c);
        else if ((unsigned char)*c < 0x20) ok = text_format(out, "\\u%04x", (unsigned)*c);
        else ok = text_bytes(out, c, 1);
    }
    return ok && text_add(out, "\"");
}

static bool field(wg_text *out, const char *name, const char *text) {
    return text_format(out, ",\"%s\":", name) && json_string(out, text);
}

static bool value_field(wg_text *out, const wg_tensor *tensor) {
    return text_add(out, ",\"value\":") && tensor_write(out, tensor, NUMBER_JSON, 0, 0);
}

static bool derivative(wg_text *out, const char *kind, const struct equation *e) {
    if (!e->left) return true;
    return text_format(out, ",\"%s\":{\"name\":", kind) && json_string(out, e->left) &&
           (!e->right || field(out, "formula", e->right)) &&
           (!e->value || value_field(out, e->value)) && text_add(out, "}");
}

static bool arguments(const struct lines *lines, const struct line *line, wg_text *out) {
    const struct instr *i = instr_at(lines->t, line->v);
    bool broadcasts = op_is_elementwise(i->op) && i->narg > 1;
    wg_text argument = {.allocator = lines->t->allocator};
    bool ok = field(out, "op", op_def(i->op)->name) && text_add(out, ",\"args\":[");
    for (size_t k = 0; k < i->narg && ok; k++) {
        text_cut(&argument, 0);
        ok = (k == 0 || text_add(out, ",")) &&
             formula_write(&lines->writing, args_of(lines->t, i)[k],
                           broadcasts ? FORMULA_OPERAND : FORMULA_VALUE, &argument) &&
             json_string(out, argument.data);
    }
    wg_text_free(&argument);
    return ok && text_add(out, "]");
}

/* The lines of bodies, in their order; "depth" 1 is the region's own. */
static bool bodies(const struct line *line, wg_text *out) {
    bool ok = text_add(out, ",\"body\":[");
    for (size_t i = 0; ok && i < line->inner_count; i++) {
        const struct inner *k = &line->inner[i];
        ok = text_format(out, "%s\n {\"depth\":%u,\"name\":", i ? "," : "", k->depth) &&
             json_string(out, k->equation.left);
        if (ok && k->equation.right)
            ok = field(out, "formula", k->equation.right) && field(out, "type", k->type);
        ok = ok && text_add(out, "}");
    }
    return ok && text_add(out, "]");
}

static bool write_line(const struct lines *lines, const struct line *line, wg_text *out) {
    bool step = line->kind == LINE_STEP;
    const struct equation *adjoint = line->kind == LINE_OUTPUT ? &line->gradient : &line->adjoint;
    return text_add(out, "{\"name\":") && json_string(out, line->name) &&
           (!step || arguments(lines, line, out)) &&
           field(out, line->kind == LINE_INPUT ? "input" : "formula", line->primal.right) &&
           field(out, "type", line->type) && (!line->inner_count || bodies(line, out)) &&
           (!line->primal.value || value_field(out, line->primal.value)) &&
           derivative(out, "tangent", &line->tangent) && derivative(out, "adjoint", adjoint) &&
           text_add(out, "}");
}

bool write_json(const struct lines *lines, wg_text *out) {
    static const char *const key[] = {"\"inputs\":[", "],\n\"lines\":[", "],\n\"outputs\":["};
    size_t i = 0;
    bool ok = text_add(out, "{");
    for (enum line_kind kind = LINE_INPUT; kind <= LINE_OUTPUT && ok; kind++) {
        ok = text_add(out, key[kind]);
        for (size_t first = i; ok && i < lines->count && lines->at[i].kind == kind; i++)
            ok = text_add(out, i == first ? "\n" : ",\n") && write_line(lines, &lines->at[i], out);
    }
    return ok && text_add(out, "]}\n");
}
