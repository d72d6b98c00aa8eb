/* eval, trace, graph, show: a program and its values, looked at. Traces and graphs are made by the
 * library; here the options become its options, and a graph becomes a drawing. */
#include "cli/cli.h"
#include "cli/render.h"

#include <unistd.h>

bool command_eval(struct cli *c) {
    struct results r = {0};
    bool ok = load(c, true) && results_make(c, &r, wg_output_count(c->program), 0) &&
              run_on(c, c->program, c->input, r.block);
    for (size_t i = 0; ok && i < r.rows; i++)
        set_axis(&r.row[i], wg_output_name(c->program, i), &r.block[i]);
    ok = ok && results_write(c, &r);
    results_free(c, &r);
    return ok;
}

/* ---- traces and graphs --------------------------------------------------------------------- */

/* Seeds need shapes, and those come from values; without values only their names are looked at. */
static bool make_seeds(struct cli *c, wg_tensor **tangent, wg_tensor **adjoint) {
    size_t outputs = wg_output_count(c->program);
    wg_tensor *value = NULL;
    bool ok = true;
    if (has_option(c, OPT_TANGENT)) ok = read_seeds(c, OPT_TANGENT, c->input, tangent);
    if (ok && has_option(c, OPT_ADJOINT)) {
        if (c->input) {
            value = new_tensors(c, outputs);
            ok = value && run_on(c, c->program, c->input, value);
        }
        ok = ok && read_seeds(c, OPT_ADJOINT, value, adjoint);
    }
    free_tensors(c, value, outputs);
    return ok;
}

/* show is wg_show_trace or wg_show_graph. */
static bool show_lines(struct cli *c, wg_format format,
                       wg_status (*show)(const wg_program *, const wg_show_options *, wg_text *,
                                         wg_error *)) {
    wg_tensor *tangent = NULL, *adjoint = NULL;
    if (!load(c, false)) return false;
    bool ok = make_seeds(c, &tangent, &adjoint);
    wg_show_options options = {.format = format,
                               .ascii = has_option(c, OPT_ASCII),
                               .fold = has_option(c, OPT_FOLD),
                               .tangent = tangent != NULL,
                               .adjoint = adjoint != NULL,
                               .digits = (int)option_number(c, OPT_DIGITS, 0),
                               .at = c->input,
                               .input_tangent = c->input ? tangent : NULL,
                               .output_adjoint = c->input ? adjoint : NULL};
    ok = ok && show(c->program, &options, &c->out, &c->error) == WG_OK;
    free_tensors(c, tangent, wg_input_count(c->program));
    free_tensors(c, adjoint, wg_output_count(c->program));
    return ok;
}

/* ---- where a NaN comes from ---------------------------------------------------------------- */

/* The program with tangents of the inputs (adjoints of the outputs) that have a seed, its inputs
 * followed by these seeds; input, with room for them, receives both. */
static wg_program *seeded(struct cli *c, bool outputs, const wg_tensor *seed, wg_tensor *input) {
    wg_text names = {.allocator = c->allocator};
    size_t inputs = wg_input_count(c->program), count = 0;
    bool ok = text_add(&names, "");
    memcpy(input, c->input, inputs * sizeof *input);
    for (size_t i = 0; ok && i < port_count(c, outputs); i++) {
        if (!seed[i].data) continue;
        ok = text_format(&names, "%s%s", count ? ", " : "", port_name(c, outputs, i));
        input[inputs + count++] = seed[i];
    }
    wg_program *program = NULL;
    if (!ok) fail_memory(&c->error);
    else if (outputs) program = wg_vjp(c->program, names.data, NULL, &c->error);
    else program = wg_jvp(c->program, NULL, names.data, &c->error);
    wg_text_free(&names);
    return program;
}

static bool find_nonfinite(struct cli *c, const wg_program *program, const wg_tensor *input) {
    uint32_t instruction;
    if (wg_find_nonfinite(program, NULL, input, &instruction, &c->out, &c->error)) return false;
    bool ok = instruction || text_add(&c->out, "every value is finite");
    if (!ok || !text_add(&c->out, "\n")) fail_memory(&c->error);
    return !failed(&c->error);
}

static bool hunt_nonfinite(struct cli *c) {
    bool adjoint = has_option(c, OPT_ADJOINT);
    if (adjoint && has_option(c, OPT_TANGENT))
        return usage_error(c, "--nonfinite looks at tangents or at adjoints, not at both at once");
    if (!load(c, true)) return false;
    if (!adjoint && !has_option(c, OPT_TANGENT)) return find_nonfinite(c, c->program, c->input);
    wg_tensor *tangents = NULL, *adjoints = NULL;
    size_t room = (wg_input_count(c->program) + port_count(c, adjoint)) * sizeof(wg_tensor);
    wg_tensor *input = arena_alloc(&c->arena, room, _Alignof(wg_tensor));
    if (!input) fail_memory(&c->error);
    wg_program *program = input && make_seeds(c, &tangents, &adjoints)
                              ? seeded(c, adjoint, adjoint ? adjoints : tangents, input)
                              : NULL;
    bool ok = program && find_nonfinite(c, program, input);
    wg_program_free(program);
    free_tensors(c, tangents, wg_input_count(c->program));
    free_tensors(c, adjoints, wg_output_count(c->program));
    return ok;
}

bool command_trace(struct cli *c) {
    if (has_option(c, OPT_NONFINITE)) return hunt_nonfinite(c);
    wg_format format = option_is(c, OPT_FORMAT, "markdown") ? WG_MARKDOWN
                       : option_is(c, OPT_FORMAT, "latex")  ? WG_LATEX
                       : option_is(c, OPT_FORMAT, "json")   ? WG_JSON
                                                            : WG_TEXT;
    return show_lines(c, format, wg_show_trace);
}

/* What --format says, else the end of the file's name, else DOT; NULL for another end. */
static const char *drawing_format(struct cli *c) {
    static const char *const known[] = {"dot", "svg", "png", "pdf"};
    const char *path = option_text(c, OPT_OUTPUT), *dot = path ? strrchr(path, '.') : NULL;
    if (has_option(c, OPT_FORMAT)) return option_text(c, OPT_FORMAT);
    if (!path || !dot || strchr(dot, '/')) return known[0];
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (strcmp(dot + 1, known[i]) == 0) return known[i];
    usage_error(c, "'%.64s' tells no format: end it in .dot, .svg, .png or .pdf, or give --format",
                path);
    return NULL;
}

bool command_graph(struct cli *c) {
    const char *format = drawing_format(c);
    if (!format) return false;
    bool binary = strcmp(format, "png") == 0 || strcmp(format, "pdf") == 0;
    if (binary && !has_option(c, OPT_OUTPUT) && isatty(STDOUT_FILENO))
        return usage_error(c, "a terminal shows no %s: name a file with -o", format);
    if (!show_lines(c, WG_TEXT, wg_show_graph)) return false;
    if (strcmp(format, "dot") == 0) return true;
    wg_text dot = c->out;
    c->out = (wg_text){.allocator = c->allocator};
    bool ok = render_dot(dot.data, format, &c->out, &c->error) == WG_OK;
    wg_text_free(&dot);
    return ok;
}

/* ---- programs ------------------------------------------------------------------------------ */

wg_program *transformed(struct cli *c, const char *after) {
    const char *of = option_text(c, OPT_OF), *wrt = option_text(c, OPT_WRT);
    if (strcmp(after, "jvp") == 0) return wg_jvp(c->program, of, wrt, &c->error);
    if (strcmp(after, "vjp") == 0) return wg_vjp(c->program, of, wrt, &c->error);
    if (strcmp(after, "jacobian") == 0)
        return wg_jacobian(c->program, of, wrt, WG_AUTO_MODE, &c->error);
    if (!keep_output(c)) return NULL;
    if (strcmp(after, "grad") == 0) return wg_grad(c->program, wrt, &c->error);
    if (strcmp(after, "hvp") == 0) return wg_hvp(c->program, wrt, &c->error);
    return wg_hessian(c->program, wrt, &c->error);
}

static void show_build(struct cli *c, const wg_program *program) {
    wg_function *fn = wg_compile(program, &(wg_options){.backend = WG_NATIVE}, &c->error);
    const char *note = wg_function_note(fn);
    if (fn && !(text_add(&c->out, wg_function_log(fn)) &&
                (!*note || text_format(&c->out, "%s\n", note))))
        fail_memory(&c->error);
    wg_function_free(fn);
}

bool command_show(struct cli *c) {
    const char *after = option_text(c, OPT_AFTER);
    if (!after && (has_option(c, OPT_OF) || has_option(c, OPT_WRT)))
        return usage_error(c, "--of and --wrt say what --after differentiates; give it too");
    if (!load(c, false)) return false;
    wg_program *program = after ? transformed(c, after) : NULL;
    if (after && !program) return false;
    const wg_program *shown = program ? program : c->program;
    if (has_option(c, OPT_BUILD_LOG)) show_build(c, shown);
    else if (has_option(c, OPT_LOWERED)) wg_show_lowered(shown, &c->out, &c->error);
    else wg_program_print(shown, &c->out, &c->error);
    wg_program_free(program);
    return !failed(&c->error);
}
