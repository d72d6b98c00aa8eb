/* Programs as text. One instruction a line:
 *
 *   %4 = slice {0, n+1, 2} %3 : f64[n+1] at "mlp.c":31:0 adjoint %2
 *
 * Numbers in braces are the attribute's words, extents among them as polynomials. C functions stand
 * by name, rules as the programs that they are, before the instructions that name them by number:
 *
 *   external "spline"
 *   rule "softplus"
 *     jvp
 *       %1 = input "x" : f64
 *       ...
 *     end
 *
 * and likewise bodies of regions, "region" with "body" and perhaps "reverse". read.c reads it. */
#include "op/op.h"

static bool print_quoted(wg_text *out, const char *string) {
    bool ok = text_add(out, "\"");
    for (const char *c = string; *c && ok; c++) {
        if (*c == '"' || *c == '\\') ok = text_add(out, "\\");
        ok = ok && text_bytes(out, *c == '\n' ? " " : c, 1);
    }
    return ok && text_add(out, "\"");
}

bool literal_text(wg_text *out, wg_dtype dtype, int64_t bits) {
    float single;
    switch (dtype) {
    case WG_BOOL: return text_add(out, bits ? "true" : "false");
    case WG_I32: return text_format(out, "%d", (int)(int32_t)bits);
    case WG_I64: return text_format(out, "%lld", (long long)bits);
    case WG_F32: memcpy(&single, &bits, sizeof single); return text_f32(out, single);
    case WG_F64: return text_f64(out, literal_to_f64(WG_F64, bits));
    }
    return false;
}

static bool print_data(const struct trace *t, const struct instr *i, wg_text *out) {
    struct blob b = t->blob.at[attr_words(t, i->attr)[0]];
    wg_dtype dtype = (wg_dtype)type_at(t, i->type)->dtype;
    size_t size = wg_dtype_size(dtype);
    bool ok = text_add(out, " [");
    for (size_t at = 0; at < b.size && ok; at += size) {
        int64_t bits = 0;
        memcpy(&bits, (const char *)b.data + at, size);
        ok = (at == 0 || text_add(out, " ")) && literal_text(out, dtype, bits);
    }
    return ok && text_add(out, "]");
}

static bool print_attr(const struct trace *t, const struct instr *i, wg_text *out) {
    const int64_t *word = attr_words(t, i->attr);
    size_t count = attr_count(t, i->attr);
    const struct op_def *def = op_def(i->op);
    wg_dtype dtype = (wg_dtype)type_at(t, i->type)->dtype;
    if (i->op == OP_constant) return text_add(out, " ") && literal_text(out, dtype, word[0]);
    if (i->op == OP_data) return print_data(t, i, out);
    if (i->op == OP_input)
        return text_add(out, " ") && print_quoted(out, name_at(t, t->input.at[word[0]].name));
    if (count == 0) return true;
    for (size_t k = 0; k < count; k++) {
        bool extent = def->attr_is_extent && def->attr_is_extent(word, count, k);
        if (!text_add(out, k ? ", " : " {") ||
            !(extent ? extent_text(t, word[k], out) : text_format(out, "%lld", (long long)word[k])))
            return false;
    }
    return text_add(out, "}");
}

static bool print_site(const struct trace *t, uint32_t site, wg_text *out) {
    const struct site *s = &t->site.at[site];
    if (s->line == 0) return true;
    return text_add(out, " at ") && print_quoted(out, name_at(t, s->file)) &&
           text_format(out, ":%u:%u", (unsigned)s->line, (unsigned)s->column);
}

static bool print_instr(const struct trace *t, value v, unsigned indent, wg_text *out) {
    const struct instr *i = instr_at(t, v);
    bool ok = text_format(out, "%*s%%%u = %s", (int)indent, "", v, op_def(i->op)->name) &&
              print_attr(t, i, out);
    for (size_t k = 0; k < i->narg && ok; k++) ok = text_format(out, " %%%u", args_of(t, i)[k]);
    ok = ok && text_add(out, " : ") && type_text(t, type_at(t, i->type), out) &&
         print_site(t, i->site, out);
    if (ok && i->flags & INSTR_TANGENT) ok = text_format(out, " tangent %%%u", i->origin);
    if (ok && i->flags & INSTR_ADJOINT) ok = text_format(out, " adjoint %%%u", i->origin);
    return ok && text_add(out, "\n");
}

static bool print_rule(const struct trace *t, const struct custom_rule *rule, unsigned indent,
                       bool addresses, wg_text *out) {
    const wg_program *program[] = {rule->jvp, rule->vjp};
    static const char *const kinds[2][2] = {{"jvp", "vjp"}, {"body", "reverse"}};
    const char *const *kind = kinds[rule->is_body];
    bool ok = text_format(out, "%*s%s ", (int)indent, "", rule->is_body ? "region" : "rule") &&
              print_quoted(out, name_at(t, rule->name)) && text_add(out, "\n");
    for (size_t k = 0; k < 2 && ok; k++)
        ok = !program[k] || (text_format(out, "%*s%s\n", (int)indent + 2, "", kind[k]) &&
                             trace_print(&program[k]->t, indent + 4, addresses, out) &&
                             text_format(out, "%*send\n", (int)indent + 2, ""));
    return ok;
}

static bool print_external(const struct trace *t, const struct external *e, unsigned indent,
                           bool addresses, wg_text *out) {
    return text_format(out, "%*sexternal ", (int)indent, "") &&
           print_quoted(out, name_at(t, e->name)) &&
           (!addresses || text_format(out, " %llx %llx", (unsigned long long)(uintptr_t)e->call,
                                      (unsigned long long)(uintptr_t)e->context)) &&
           text_add(out, "\n");
}

bool trace_print(const struct trace *t, unsigned indent, bool addresses, wg_text *out) {
    bool ok = true;
    for (size_t i = 0; i < t->size.count && ok; i++)
        ok = text_format(out, "%*ssize %s\n", (int)indent, "", name_at(t, t->size.at[i]));
    for (size_t i = 0; i < t->external.count && ok; i++)
        ok = print_external(t, &t->external.at[i], indent, addresses, out);
    for (size_t i = 0; i < t->rule.count && ok; i++)
        ok = print_rule(t, &t->rule.at[i], indent, addresses, out);
    /* before the instructions, whose type rules would else find them anew in another order */
    for (size_t i = 0; i < t->check.count && ok; i++) {
        const struct check *c = &t->check.at[i];
        ok = text_format(out, "%*srequire ", (int)indent, "") && extent_text(t, c->left, out) &&
             text_add(out, c->equal ? " == " : " <= ") && extent_text(t, c->right, out) &&
             print_site(t, c->site, out) && text_add(out, "\n");
    }
    for (value v = 1; v < t->instr.count && ok; v++) ok = print_instr(t, v, indent, out);
    for (size_t i = 0; i < t->output.count && ok; i++)
        ok = text_format(out, "%*soutput ", (int)indent, "") &&
             print_quoted(out, name_at(t, t->output.at[i].name)) &&
             text_format(out, " %%%u\n", t->output.at[i].v);
    return ok;
}

wg_status wg_program_print(const wg_program *program, wg_text *out, wg_error *error) {
    if (failed(error)) return error->status;
    if (!program || !out)
        return fail_with(error, WG_EARGUMENT, "print: the program or text is NULL");
    size_t before = out->size;
    if (text_add(out, "wengert 1\n") && trace_print(&program->t, 0, false, out)) return WG_OK;
    text_cut(out, before);
    return fail_memory(error);
}
