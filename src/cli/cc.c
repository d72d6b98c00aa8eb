/* cc: a C function's derivatives as C functions of the same parameters, or with --report what they
 * cost and keep. The text is the library's (wg_csource_emit). */
#include "cli/cli.h"

/* The files of -o: "energy_d" and "energy_d.c" are energy_d.c and energy_d.h. */
static bool output_paths(struct cli *c, const char **code, const char **header) {
    const char *path = option_text(c, OPT_OUTPUT);
    size_t length = strlen(path);
    if (length > 2 && path[length - 2] == '.' && strchr("ch", path[length - 1])) length -= 2;
    *code = keep_text(c, "%.*s.c", (int)length, path);
    *header = *code ? keep_text(c, "%.*s.h", (int)length, path) : NULL;
    return *header;
}

/* Items of --size tell lengths here: named sizes are told by each call, and to a report, which
 * counts for them. */
static bool check_lengths(struct cli *c, wg_text *sizes) {
    for (size_t i = 0; i < c->given.count; i++) {
        const char *start;
        size_t length;
        if (c->given.at[i].id != OPT_SIZE) continue;
        for (const char *cursor = c->given.at[i].value; name_next(&cursor, &start, &length);) {
            const char *item = keep_text(c, "%.*s", (int)strcspn(start, "= "), start);
            if (!item) return false;
            bool known = wg_size_index(c->program, item) >= 0;
            if (known && has_option(c, OPT_REPORT)) {
                if (!text_format(sizes, "%.*s,", (int)length, start))
                    return !fail_memory(&c->error);
            } else if (known) {
                return input_error(c, WG_EARGUMENT,
                                   "--size: '%.64s' stays a parameter of the functions that are "
                                   "written, and each call tells it",
                                   item);
            } else if (!tells_length(c, item)) {
                return false;
            }
        }
    }
    return true;
}

static bool write_sources(struct cli *c, const char *sizes) {
    const char *path = option_text(c, OPT_OUTPUT), *code_path = NULL, *header_path = NULL;
    bool files = path && strcmp(path, "-") != 0 && !has_option(c, OPT_REPORT);
    if (files && !output_paths(c, &code_path, &header_path)) return false;
    const char *slash = header_path ? strrchr(header_path, '/') : NULL;
    wg_csource_emit_options options = {.with = option_text(c, OPT_WITH),
                                       .of = option_text(c, OPT_OF),
                                       .wrt = option_text(c, OPT_WRT),
                                       .name = option_text(c, OPT_NAME),
                                       .header = slash ? slash + 1 : header_path,
                                       .cblas = has_option(c, OPT_CBLAS)};
    if (has_option(c, OPT_REPORT))
        return wg_csource_report(c->source, &options, sizes, &c->out, &c->error) == WG_OK;
    wg_text code = {.allocator = c->allocator}, header = {.allocator = c->allocator};
    bool ok = wg_csource_emit(c->source, &options, &code, &header, &c->error) == WG_OK;
    if (ok && files) {
        c->out = header;
        ok = write_file(c, header_path);
        c->out = code;
        ok = ok && write_file(c, code_path);
        c->out = (wg_text){.allocator = c->allocator};
    } else if (ok) {
        ok = text_bytes(&c->out, code.data, code.size) || !fail_memory(&c->error);
    }
    wg_text_free(&code);
    wg_text_free(&header);
    return ok;
}

bool command_cc(struct cli *c) {
    if (!c->file) return usage_error(c, "'cc' needs a C source: wengert cc model.c --function f");
    if (!is_c_source(c->file))
        return usage_error(c, "'%.64s' is no C source: model.c or model.c:function", c->file);
    wg_text sizes = {.allocator = c->allocator};
    bool ok = load_c(c) && check_lengths(c, &sizes) && write_sources(c, sizes.data);
    wg_text_free(&sizes);
    return ok;
}
