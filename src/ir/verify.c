/* The structural rules of a trace, checked after every transformation in builds with assertions and
 * in all tests. A failure is a mistake in the library, never the user's. */
#include "op/op.h"

static wg_status broken(wg_error *error, value v, const char *what) {
    return fail_with(error, WG_EINTERNAL, "broken program: instruction %u: %s", v, what);
}

static wg_status verify_type(const struct trace *t, value v, wg_error *error) {
    type_id id = instr_at(t, v)->type;
    if (id == 0 || id >= t->type.count) return broken(error, v, "unknown type");
    const wg_type *type = type_at(t, id);
    if (type->dtype >= WG_DTYPE_COUNT || type->rank > WG_MAX_RANK)
        return broken(error, v, "type out of range");
    for (size_t i = 0; i < type->rank; i++)
        if (type->extent[i] < 0 &&
            (type->extent[i] < -INT32_MAX || (size_t)-type->extent[i] >= t->extent.count))
            return broken(error, v, "unknown extent");
    return WG_OK;
}

static wg_status verify_instr(const struct trace *t, value v, wg_error *error) {
    const struct instr *i = instr_at(t, v);
    if (i->op == OP_none || i->op >= OP_COUNT) return broken(error, v, "unknown operation");
    const struct op_def *def = op_def(i->op);
    if (def->narg >= 0 && def->narg != i->narg) return broken(error, v, "number of arguments");
    if ((size_t)i->arg + i->narg > t->arg.count) return broken(error, v, "arguments out of range");
    for (size_t k = 0; k < i->narg; k++) {
        value a = args_of(t, i)[k];
        if (a == 0 || a >= v) return broken(error, v, "an argument does not come before its user");
    }
    if (i->attr >= t->attr.count) return broken(error, v, "unknown attribute");
    if (i->site >= t->site.count) return broken(error, v, "unknown site");
    if (i->origin >= v) return broken(error, v, "derived from a later instruction");
    if (i->op == OP_input) {
        int64_t index = attr_count(t, i->attr) == 1 ? attr_words(t, i->attr)[0] : -1;
        if (index < 0 || (size_t)index >= t->input.count || t->input.at[index].v != v)
            return broken(error, v, "an input that is not listed");
    }
    int64_t first = attr_count(t, i->attr) ? attr_words(t, i->attr)[0] : -1;
    if (i->op == OP_data && (first < 0 || (size_t)first >= t->blob.count))
        return broken(error, v, "unknown data");
    size_t at, rules = attr_rules(i->op, attr_words(t, i->attr), attr_count(t, i->attr), &at);
    for (size_t k = at; k < at + rules; k++) {
        int64_t rule = attr_words(t, i->attr)[k];
        if (rule < 0 || (size_t)rule >= t->rule.count) return broken(error, v, "unknown rule");
        if (t->rule.at[rule].is_body != (def->refers == REFERS_TO_BODIES))
            return broken(error, v, "a rule for a body, or a body for a rule");
    }
    if (def->refers == REFERS_TO_EXTERNAL && (first < 0 || (size_t)first >= t->external.count))
        return broken(error, v, "unknown C function");
    if (def->refers == REFERS_TO_RULE && i->type != instr_at(t, args_of(t, i)[0])->type)
        return broken(error, v, "a value of another type than its own");
    return verify_type(t, v, error);
}

static wg_status verify_ports(const struct trace *t, const struct port *port, size_t count,
                              wg_error *error) {
    for (size_t i = 0; i < count; i++) {
        if (port[i].v == 0 || port[i].v >= t->instr.count)
            return broken(error, port[i].v, "an input or output without a value");
        if (port[i].name == 0 || port[i].name >= t->name.count)
            return broken(error, port[i].v, "an input or output without a name");
    }
    return WG_OK;
}

/* Recurses into programs of rules, at most MAX_RULE_DEPTH deep. */
static wg_status verify_rule(const struct trace *t, const struct custom_rule *rule,
                             wg_error *error) {
    if (rule->name == 0 || rule->name >= t->name.count || (!rule->jvp && !rule->vjp) ||
        rule->depth > MAX_RULE_DEPTH || rules_depth(rule->jvp) >= rule->depth ||
        rules_depth(rule->vjp) >= rule->depth)
        return broken(error, 0, "a rule without name or program, or too deep");
    wg_status status = rule->jvp ? trace_verify(&rule->jvp->t, error) : WG_OK;
    return status || !rule->vjp ? status : trace_verify(&rule->vjp->t, error);
}

wg_status trace_verify(const struct trace *t, wg_error *error) {
    if (failed(error)) return error->status;
    wg_status status = WG_OK;
    for (size_t k = 0; k < t->rule.count && !status; k++)
        status = verify_rule(t, &t->rule.at[k], error);
    if (t->instr.count == 0) return broken(error, 0, "no instructions");
    for (value v = 1; v < t->instr.count && !status; v++) status = verify_instr(t, v, error);
    if (!status) status = verify_ports(t, t->input.at, t->input.count, error);
    if (!status) status = verify_ports(t, t->output.at, t->output.count, error);
    return status;
}

wg_status wg_program_verify(const wg_program *program, wg_error *error) {
    if (failed(error)) return error->status;
    if (!program) return fail_with(error, WG_EARGUMENT, "verify: the program is NULL");
    return trace_verify(&program->t, error);
}
