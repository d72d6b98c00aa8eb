/* symbolic, cost, plan: a program and its derivatives written out and weighed instead of run. */
#include "cli/cli.h"

bool command_symbolic(struct cli *c) {
    return load(c, false) &&
           wg_symbolic(c->program, option_text(c, OPT_OF), option_text(c, OPT_WRT),
                       has_option(c, OPT_SHARED), &c->out, &c->error) == WG_OK;
}

/* ---- cost ---------------------------------------------------------------------------------- */

enum { VALUE, SYMBOLIC, FORWARD, REVERSE, WAYS };

struct costs {
    wg_cost of[WAYS]; /* of all passes together */
    double passes[WAYS];
    bool known[WAYS]; /* only a scalar has derivatives as formulas */
};

/* The elements of these inputs (outputs), whose extents are constants. */
static double elements(const struct cli *c, bool outputs, const struct ports *ports) {
    double count = 0;
    for (size_t i = 0; i < ports->count; i++) {
        wg_type type = port_type(c, outputs, ports->index[i]);
        double product = 1;
        for (size_t k = 0; k < type.rank; k++) product *= (double)type.extent[k];
        count += product;
    }
    return count;
}

/* Counts so many passes of a program. */
static bool count_passes(struct cli *c, const wg_program *program, bool expanded, double passes,
                         struct costs *costs, int way) {
    wg_cost *cost = &costs->of[way];
    if (!program || wg_count_operations(program, NULL, expanded, cost, &c->error)) return false;
    costs->passes[way] = passes;
    costs->known[way] = true;
    cost->additions *= passes;
    cost->multiplications *= passes;
    cost->functions *= passes;
    return true;
}

/* The gradient of a scalar has no seed to multiply with; value or not, it is the program's only
 * output then. */
static wg_program *reverse_program(struct cli *c, bool scalar, bool with_value) {
    const char *wrt = option_text(c, OPT_WRT);
    if (!scalar) return wg_vjp(c->program, option_text(c, OPT_OF), wrt, &c->error);
    return (with_value ? wg_value_and_grad : wg_grad)(c->program, wrt, &c->error);
}

static bool count_ways(struct cli *c, struct costs *costs) {
    struct ports x, y;
    if (has_option(c, OPT_OF) && !keep_output(c)) return false;
    if (!select_ports(c, OPT_WRT, &x)) return false;
    y.count = port_count(c, true);
    y.index = arena_alloc(&c->arena, (y.count + 1) * sizeof *y.index, _Alignof(size_t));
    if (!y.index) return !fail_memory(&c->error);
    y.count = 0;
    for (size_t i = 0; i < port_count(c, true); i++)
        if (port_type(c, true, i).dtype >= WG_F32) y.index[y.count++] = i;
    double in = elements(c, false, &x), out = elements(c, true, &y);
    bool scalar = port_count(c, true) == 1 && y.count == 1 && port_type(c, true, 0).rank == 0;
    const char *wrt = option_text(c, OPT_WRT);
    *costs = (struct costs){.known = {false}};
    wg_program *gradient = scalar ? reverse_program(c, true, false) : NULL;
    wg_program *forward = wg_jvp(c->program, NULL, wrt, &c->error);
    wg_program *reverse = reverse_program(c, scalar, true);
    bool ok = count_passes(c, c->program, false, 1, costs, VALUE) &&
              (!scalar || count_passes(c, gradient, true, 1, costs, SYMBOLIC)) &&
              count_passes(c, forward, false, in, costs, FORWARD) &&
              count_passes(c, reverse, false, out, costs, REVERSE);
    wg_program_free(gradient);
    wg_program_free(forward);
    wg_program_free(reverse);
    return ok;
}

static bool write_costs(struct cli *c, const struct costs *costs) {
    static const char *const title[] = {"value", "symbolic, written out", "forward mode",
                                        "reverse mode"};
    static const char *const key[] = {"value", "symbolic", "forward", "reverse"};
    bool json = option_is(c, OPT_FORMAT, "json");
    wg_text *out = &c->out;
    bool ok = json ? text_add(out, "{")
                   : text_format(out, "%-22s%11s%11s%11s%8s\n", "", "+ -", "* /", "functions",
                                 "passes");
    const char *before = "\n";
    for (int i = 0; ok && i < WAYS; i++) {
        const wg_cost *k = &costs->of[i];
        if (!costs->known[i]) continue;
        if (json)
            ok = text_format(out,
                             "%s  \"%s\": {\"additions\": %.17g, \"multiplications\": %.17g, "
                             "\"functions\": %.17g, \"passes\": %.17g}",
                             before, key[i], k->additions, k->multiplications, k->functions,
                             costs->passes[i]);
        else
            ok = text_format(out, "%-22s%11.10g%11.10g%11.10g%8.7g\n", title[i], k->additions,
                             k->multiplications, k->functions, costs->passes[i]);
        before = ",\n";
    }
    return (ok && (!json || text_add(out, "\n}\n"))) || !fail_memory(&c->error);
}

/* The product of n inputs. */
static bool parse_product(struct cli *c, uint64_t n) {
    wg_text text = {.allocator = c->allocator};
    bool ok = true;
    for (uint64_t i = 1; ok && i <= n; i++)
        ok = text_format(&text, "%sx%llu", i > 1 ? "*" : "", (unsigned long long)i);
    wg_program_free(c->program);
    c->program = NULL;
    if (ok)
        c->program = wg_parse(text.data, text.size, &(wg_parse_options){.allocator = &c->allocator},
                              &c->error);
    else
        fail_memory(&c->error);
    wg_text_free(&text);
    return c->program != NULL;
}

/* Multiplications alone: there is nothing else in a product. */
static bool product_table(struct cli *c) {
    uint64_t most = option_number(c, OPT_FACTORS, 0);
    bool json = option_is(c, OPT_FORMAT, "json");
    struct costs k;
    bool ok = text_add(&c->out, json ? "[" : "factors   value  symbolic  forward  reverse");
    for (uint64_t n = 2; ok && n <= most; n++) {
        if (!parse_product(c, n) || !count_ways(c, &k)) return false;
        double count[WAYS];
        for (int i = 0; i < WAYS; i++) count[i] = k.of[i].multiplications;
        unsigned long long factors = n;
        ok = json ? text_format(&c->out,
                                "%s\n  {\"factors\": %llu, \"value\": %.17g, \"symbolic\": %.17g, "
                                "\"forward\": %.17g, \"reverse\": %.17g}",
                                n > 2 ? "," : "", factors, count[VALUE], count[SYMBOLIC],
                                count[FORWARD], count[REVERSE])
                  : text_format(&c->out, "\n%7llu%8.10g%10.10g%9.10g%9.10g", factors, count[VALUE],
                                count[SYMBOLIC], count[FORWARD], count[REVERSE]);
    }
    return (ok && text_add(&c->out, json ? "\n]\n" : "\n")) || !fail_memory(&c->error);
}

bool command_cost(struct cli *c) {
    struct costs costs;
    if (has_option(c, OPT_FACTORS)) {
        if (!c->file && !has_option(c, OPT_FORMULA)) return product_table(c);
        return usage_error(c, "--factors brings formulas of its own; give none");
    }
    if (!load(c, false)) return false;
    if (wg_size_count(c->program))
        return input_error(c, WG_ENAME, "to count, every size has to be known: give --size %s=...",
                           wg_size_name(c->program, 0));
    return count_ways(c, &costs) && write_costs(c, &costs);
}

/* ---- plan ---------------------------------------------------------------------------------- */

bool command_plan(struct cli *c) {
    const char *after = option_text(c, OPT_AFTER);
    if (!load(c, false)) return false;
    wg_program *program = transformed(c, after ? after : "vjp");
    wg_format format = option_is(c, OPT_FORMAT, "json") ? WG_JSON : WG_TEXT;
    bool ok = program && wg_show_plan(program, NULL, format, &c->out, &c->error) == WG_OK;
    wg_program_free(program);
    return ok;
}
