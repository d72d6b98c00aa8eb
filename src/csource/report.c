/* wg_csource_report: before anything is written, what is differentiated, what the derivatives cost
 * against the function, and what they keep, with the lines of the source (show/memory.c). */
#include "csource/ship.h"
#include "wengert/show.h"

#include <stdlib.h>

enum { ASSUMED = 100 }; /* a size that nobody tells */

/* What the caller tells of a size, "n=1000,m=3". */
static int64_t told_size(const char *sizes, const char *name) {
    const char *item;
    size_t length;
    for (const char *cursor = sizes; sizes && name_next(&cursor, &item, &length);) {
        size_t n = strcspn(item, "= ");
        if (n < length && is_word(item, n, name))
            return strtoll(item + n + strspn(item + n, "= "), NULL, 10);
    }
    return ASSUMED;
}

/* Operations of a program; negative on error. */
static double operations(struct shipment *h, const wg_program *p) {
    size_t count = wg_size_count(p);
    wg_cost cost = {0};
    int64_t *size = arena_alloc(&h->arena, (count + 1) * sizeof *size, sizeof *size);
    if (!size) return fail_memory(h->error), -1;
    for (size_t i = 0; i < count; i++) size[i] = told_size(h->sizes, wg_size_name(p, i));
    if (wg_count_operations(p, size, false, &cost, h->error)) return -1;
    return cost.additions + cost.multiplications + cost.functions;
}

/* "n=100, m=3" */
static const char *sizes_told(struct shipment *h) {
    const char *list = "";
    for (size_t i = 0; i < wg_size_count(h->p); i++) {
        const char *name = wg_size_name(h->p, i);
        list = compose(h, "%s%s%s=%lld", list, i ? ", " : "", name,
                       (long long)told_size(h->sizes, name));
    }
    return list;
}

/* Inputs by which nothing that is asked for changes: their adjoints are zeros. */
static const char *without_effect(struct shipment *h) {
    wg_program *d = derivative(h, VJP);
    const char *list = "";
    for (size_t i = 0; d && i < h->wrt.count; i++) {
        int64_t bits;
        if (value_is_splat(&d->t, d->t.output.at[i].v, &bits) && bits == 0)
            list = compose(h, "%s%s%s", list, *list ? ", " : "", h->leaves.at[h->wrt.at[i]].name);
    }
    wg_program_free(d);
    return list;
}

/* Inputs that are not differentiated by. */
static const char *constants(struct shipment *h) {
    const char *list = "";
    for (size_t i = 0; i < wg_input_count(h->p); i++) {
        const char *name = wg_input_name(h->p, i);
        bool active = false;
        for (size_t k = 0; k < h->wrt.count; k++)
            active = active || strcmp(h->leaves.at[h->wrt.at[k]].name, name) == 0;
        if (!active) list = compose(h, "%s%s%s", list, *list ? ", " : "", name);
    }
    return list;
}

static void report_kind(struct shipment *h, enum kind kind) {
    wg_program *d = derivative(h, kind);
    double all = d ? operations(h, d) : 0, once = d ? operations(h, h->p) : 1;
    const char *at = sizes_told(h);
    if (!failed(h->error)) {
        put(h, &h->faces, "\n%s_%s\n", h->o->name ? h->o->name : h->s->function, kinds[kind].name);
        put(h, &h->faces, "operations  %.6g", all);
        if (once > 0) put(h, &h->faces, ", %.3g times those of the function", all / once);
        put(h, &h->faces, "%s%s\n", *at ? ", at " : "", at);
    }
    if (!failed(h->error)) wg_show_plan(d, NULL, WG_TEXT, &h->faces, h->error);
    wg_program_free(d);
}

wg_status wg_csource_report(const wg_csource *source, const wg_csource_emit_options *options,
                            const char *sizes, wg_text *out, wg_error *error) {
    static const wg_csource_emit_options none = {0};
    if (failed(error)) return error->status;
    wg_error own = {0};
    if (!error) error = &own;
    if (!source || !out)
        return fail_with(error, WG_EARGUMENT, "wg_csource_report: source or text is NULL");
    struct shipment h;
    shipment_open(&h, source, options ? options : &none, error);
    h.sizes = sizes;
    if (!failed(error)) {
        const char *useless = without_effect(&h), *fixed = constants(&h), *at = sizes_told(&h);
        struct spot spot = source->decl->spot;
        double once = failed(error) ? 0 : operations(&h, h.p);
        put(&h, &h.faces, "%s, %s:%u\n", source->function, spot.file, spot.line);
        put(&h, &h.faces, "of          %s\n", list_names(&h, true));
        put(&h, &h.faces, "by          %s\n", list_names(&h, false));
        if (*useless) put(&h, &h.faces, "no effect   %s\n", useless);
        if (*fixed) put(&h, &h.faces, "constant    %s\n", fixed);
        put(&h, &h.faces, "operations  %.6g%s%s\n", once, *at ? ", at " : "", at);
    }
    if (!failed(error)) each_kind(&h, report_kind);
    if (!failed(error) && !text_add(out, h.faces.data)) fail_memory(error);
    shipment_close(&h);
    return error->status;
}
