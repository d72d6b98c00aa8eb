/* The public functions of show: options are checked, lines made, and a back end called. On an error
 * nothing of it is left in the text. */
#include "show/show.h"

static bool write_trace(const struct lines *lines, const wg_show_options *options, int digits,
                        wg_text *out) {
    switch (options->format) {
    case WG_TEXT: return write_text(lines, options->ascii, digits, out);
    case WG_MARKDOWN: return write_markdown(lines, digits, out);
    case WG_LATEX: return write_latex(lines, digits, out);
    case WG_JSON: break;
    }
    return write_json(lines, out);
}

static wg_status show(const wg_program *program, const wg_show_options *options, bool graph,
                      wg_text *out, wg_error *error) {
    static const wg_show_options standard = {.format = WG_TEXT};
    wg_error local = {.status = WG_OK};
    struct lines lines;
    if (!error) error = &local;
    if (failed(error)) return error->status;
    if (!options) options = &standard;
    if (!program || !out)
        return fail_with(error, WG_EARGUMENT, "show: a program and a text are needed");
    if ((unsigned)options->format > WG_JSON)
        return fail_with(error, WG_EARGUMENT, "show: there is no format %d", (int)options->format);
    if (options->digits < 0)
        return fail_with(error, WG_EARGUMENT, "show: %d digits; give a number above 0, or 0 for 6",
                         options->digits);
    int digits = options->digits ? options->digits : 6;
    enum notation notation = options->ascii ? NOTATION_ASCII : NOTATION_UNICODE;
    if (!graph && options->format == WG_LATEX) notation = NOTATION_LATEX;
    if (!graph && options->format == WG_JSON) notation = NOTATION_ASCII;

    size_t size = out->size;
    wg_status status = lines_make(&lines, program, options, notation, error);
    if (status == WG_OK) {
        bool ok = graph ? write_dot(&lines, digits, out)
                        : write_trace(&lines, options, digits, out);
        if (!ok) {
            text_cut(out, size);
            status = fail_memory(error);
        }
    }
    lines_free(&lines);
    return status;
}

wg_status wg_show_trace(const wg_program *program, const wg_show_options *options, wg_text *out,
                        wg_error *error) {
    return show(program, options, false, out, error);
}

wg_status wg_show_graph(const wg_program *program, const wg_show_options *options, wg_text *out,
                        wg_error *error) {
    return show(program, options, true, out, error);
}
