/* Sparse values: colours into one or two compiled programs, and their compressed results into the
 * places of the entries. A program computes a number of colours at once, and is called until all
 * are done; which of its results an entry is was found out when the matrix was made. */
#include "wengert/sparse.h"

#include "run/run.h"
#include "transform/pattern.h"
#include "transform/sparsity.h"

enum { MOST_DIRECTIONS = 32 }; /* at once: more take more memory, and no less time */

/* An entry, and its place in the compressed results of its call. */
struct pick {
    int64_t entry, source;
};

/* Columns in forward mode, or rows in reverse. */
struct part {
    wg_function *fn; /* NULL: nothing is done this way */
    int32_t *colour; /* of each column, or row */
    int64_t length;  /* of those; */
    int64_t width;   /* of the others: of a compressed row */
    int32_t colours;
    int64_t directions; /* colours in a call */
    struct pick *pick;  /* by call */
    int64_t *call;      /* the picks of call k are call[k] .. call[k + 1] - 1 */
    int64_t calls, picks;
};

enum { FORWARD, REVERSE, PARTS };

struct wg_sparse {
    wg_allocator allocator;
    wg_pattern pattern;
    size_t inputs;
    int64_t *size;
    size_t sizes;
    struct part part[PARTS];
};

void wg_sparse_free(wg_sparse *s) {
    if (!s) return;
    const wg_allocator a = s->allocator;
    for (size_t k = 0; k < PARTS; k++) {
        struct part *p = &s->part[k];
        wg_function_free(p->fn);
        mem_free(&a, p->colour, ((size_t)p->length + 1) * sizeof *p->colour);
        mem_free(&a, p->pick, ((size_t)p->picks + 1) * sizeof *p->pick);
        mem_free(&a, p->call, ((size_t)p->calls + 1) * sizeof *p->call);
    }
    wg_pattern_free(&s->pattern);
    mem_free(&a, s->size, (s->sizes + 1) * sizeof *s->size);
    mem_free(&a, s, sizeof *s);
}

const wg_pattern *wg_sparse_pattern(const wg_sparse *s) { return s ? &s->pattern : NULL; }

void wg_sparse_sweeps(const wg_sparse *s, int64_t *forward, int64_t *reverse) {
    if (forward) *forward = s ? s->part[FORWARD].colours : 0;
    if (reverse) *reverse = s ? s->part[REVERSE].colours : 0;
}

/* ---- which entry is found where -------------------------------------------------------------- */

/* Takes entry e, which stands at `at` of the compressed row of a colour, into a part. sources: for
 * each entry 1 + colour * width + at; for those of REVERSE the negative of that. */
static void note_source(int64_t *source, int64_t e, size_t part, const struct part *p,
                        int32_t colour, int64_t at) {
    int64_t number = 1 + colour * p->width + at;
    source[e] = part == FORWARD ? number : -number;
}

/* Entries of the rows that `own` names (NULL: all) are read in reverse, the others by columns. */
static void jacobian_sources(const wg_sparse *s, const bool *reverse, int64_t *source) {
    const wg_pattern *p = &s->pattern;
    for (int64_t i = 0; i < p->rows; i++)
        for (int64_t e = p->row[i]; e < p->row[i + 1]; e++) {
            int64_t k = p->column[e];
            bool back = reverse[e];
            const struct part *part = &s->part[back ? REVERSE : FORWARD];
            note_source(source, e, back ? REVERSE : FORWARD, part, part->colour[back ? i : k],
                        back ? k : i);
        }
}

/* Entry (i, j) stands alone in row i of j's colour, or else in row j of i's. seen: of each colour
 * the row that it was counted in, and how often. */
static bool hessian_sources(const wg_sparse *s, int64_t *source) {
    const wg_pattern *p = &s->pattern;
    const struct part *part = &s->part[FORWARD];
    const wg_allocator *a = &s->allocator;
    size_t bytes = ((size_t)part->colours + 1) * sizeof(int64_t);
    int64_t *times = mem_alloc_zero(a, bytes);
    if (!times) return false;
    for (int64_t i = 0; i < p->rows; i++) {
        for (int64_t e = p->row[i]; e < p->row[i + 1]; e++) times[part->colour[p->column[e]]]++;
        for (int64_t e = p->row[i]; e < p->row[i + 1]; e++) {
            int64_t j = p->column[e];
            bool alone = times[part->colour[j]] == 1;
            note_source(source, e, FORWARD, part, part->colour[alone ? j : i], alone ? i : j);
        }
        for (int64_t e = p->row[i]; e < p->row[i + 1]; e++) times[part->colour[p->column[e]]] = 0;
    }
    mem_free(a, times, bytes);
    return true;
}

/* The sources of a part by the calls that bring them. */
static bool sort_picks(const wg_sparse *s, size_t k, const int64_t *source, struct part *p) {
    const wg_allocator *a = &s->allocator;
    int64_t sign = k == FORWARD ? 1 : -1, entries = s->pattern.entries;
    p->calls = (p->colours + MOST_DIRECTIONS - 1) / MOST_DIRECTIONS;
    p->directions = p->calls ? (p->colours + p->calls - 1) / p->calls : 0;
    for (int64_t e = 0; e < entries; e++) p->picks += source[e] * sign > 0;
    p->pick = mem_alloc(a, ((size_t)p->picks + 1) * sizeof *p->pick);
    p->call = mem_alloc_zero(a, ((size_t)p->calls + 1) * sizeof *p->call);
    if (!p->pick || !p->call) return false;
    int64_t each = p->directions * p->width;
    for (int64_t e = 0; e < entries; e++)
        if (source[e] * sign > 0) p->call[(source[e] * sign - 1) / each + 1]++;
    for (int64_t c = 0; c < p->calls; c++) p->call[c + 1] += p->call[c];
    for (int64_t e = 0; e < entries; e++) {
        int64_t number = source[e] * sign - 1;
        if (number >= 0) p->pick[p->call[number / each]++] = (struct pick){e, number % each};
    }
    for (int64_t c = p->calls; c-- > 0;) p->call[c + 1] = p->call[c];
    p->call[0] = 0;
    return true;
}

/* ---- making ---------------------------------------------------------------------------------- */

static bool room_for_colours(wg_sparse *s, size_t k) {
    const wg_pattern *p = &s->pattern;
    struct part *part = &s->part[k];
    part->length = k == FORWARD ? p->columns : p->rows;
    part->width = k == FORWARD ? p->rows : p->columns;
    part->colour = mem_alloc(&s->allocator, ((size_t)part->length + 1) * sizeof *part->colour);
    return part->colour;
}

static void no_part(wg_sparse *s, size_t k) {
    struct part *p = &s->part[k];
    p->colours = 0;
    for (int64_t i = 0; i < p->length; i++) p->colour[i] = NO_COLOUR;
}

/* Colours for the lines of one kind, those of the other kind that are dense left to the other part,
 * one colour each. lines: the pattern with the lines that get the colours as its columns. */
static bool colour_part(wg_sparse *s, size_t k, const wg_pattern *lines, const bool *dense) {
    struct part *p = &s->part[k], *other = &s->part[1 - k];
    no_part(s, 1 - k);
    for (int64_t i = 0; i < lines->rows; i++)
        if (dense[i]) other->colour[i] = other->colours++;
    return colour_columns(lines, dense, p->colour, &p->colours);
}

/* Columns, rows, or most of one kind and the dense ones of the other: whatever takes the fewest
 * colours. reverse[e]: which entries come by rows. */
static bool choose_colours(wg_sparse *s, const wg_pattern *t, wg_mode mode, bool *reverse,
                           bool *const dense[PARTS]) {
    const wg_pattern *lines[PARTS] = {&s->pattern, t};
    int64_t together[PARTS], colours[PARTS] = {INT64_MAX, INT64_MAX};
    size_t best = mode == WG_REVERSE ? REVERSE : FORWARD;
    for (size_t k = 0; k < PARTS; k++) {
        if (mode == WG_AUTO_MODE && !densest_rows(lines[k], dense[k], &together[k])) return false;
        if (mode != WG_AUTO_MODE) memset(dense[k], 0, (size_t)lines[k]->rows);
    }
    for (size_t k = 0; k < PARTS && mode == WG_AUTO_MODE; k++) {
        if (k == REVERSE && colours[FORWARD] <= together[REVERSE]) break; /* it cannot be better */
        if (!colour_part(s, k, lines[k], dense[k])) return false;
        colours[k] = (int64_t)s->part[FORWARD].colours + s->part[REVERSE].colours;
        if (colours[k] < colours[best]) best = k;
    }
    if (!colour_part(s, best, lines[best], dense[best])) return false;
    const wg_pattern *p = &s->pattern;
    for (int64_t i = 0; i < p->rows; i++)
        for (int64_t e = p->row[i]; e < p->row[i + 1]; e++)
            reverse[e] = best == FORWARD ? dense[FORWARD][i] : !dense[REVERSE][p->column[e]];
    return true;
}

static bool jacobian_colours(wg_sparse *s, wg_mode mode, int64_t *source, wg_error *error) {
    const wg_allocator *a = &s->allocator;
    wg_pattern t, *p = &s->pattern;
    if (wg_pattern_transpose(p, &t, NULL, error)) return false;
    size_t bytes[3] = {(size_t)p->rows + 1, (size_t)p->columns + 1, (size_t)p->entries + 1};
    bool *flags[3], ok = true;
    for (size_t k = 0; k < 3; k++) ok = (flags[k] = mem_alloc_zero(a, bytes[k])) && ok;
    ok = ok && room_for_colours(s, FORWARD) && room_for_colours(s, REVERSE) &&
         choose_colours(s, &t, mode, flags[2], flags);
    if (ok) jacobian_sources(s, flags[2], source);
    for (size_t k = 0; k < 3; k++) mem_free(a, flags[k], bytes[k]);
    wg_pattern_free(&t);
    return ok;
}

static bool compile_parts(wg_sparse *s, const wg_program *p, const char *of, const char *wrt,
                          const wg_options *run, wg_error *error) {
    wg_options options = *run;
    if (options.donate) {
        fail_with(error, WG_EARGUMENT, "sparse: nothing can be donated to a matrix of derivatives");
        return false;
    }
    for (size_t k = 0; k < PARTS; k++) {
        struct part *part = &s->part[k];
        if (part->colours == 0) continue;
        wg_program *compressed = compress_program(p, of, wrt, k == FORWARD, part->directions,
                                                  error);
        part->fn = compressed ? wg_compile(compressed, &options, error) : NULL;
        wg_program_free(compressed);
        if (!part->fn) return false;
    }
    return true;
}

/* p: what is differentiated once more; of: its outputs. */
static wg_sparse *make(const wg_program *p, bool hessian, wg_sparse *s, const char *of,
                       const wg_sparse_options *o, wg_error *error) {
    const wg_allocator *a = &s->allocator;
    s->inputs = p->t.input.count;
    s->sizes = p->t.size.count;
    s->size = mem_alloc_zero(a, (s->sizes + 1) * sizeof *s->size);
    size_t bytes = ((size_t)s->pattern.entries + 1) * sizeof(int64_t);
    int64_t *source = mem_alloc_zero(a, bytes);
    bool ok = s->size && source;
    if (s->size && s->sizes) memcpy(s->size, o->size, s->sizes * sizeof *s->size);
    if (ok && hessian)
        ok = room_for_colours(s, FORWARD) &&
             colour_symmetric(&s->pattern, s->part[FORWARD].colour, &s->part[FORWARD].colours) &&
             hessian_sources(s, source);
    else
        ok = ok && jacobian_colours(s, o->mode, source, error);
    for (size_t k = 0; ok && k < PARTS; k++)
        if (s->part[k].colours) ok = sort_picks(s, k, source, &s->part[k]);
    if (!ok && !error->status) fail_memory(error);
    mem_free(a, source, bytes);
    if (ok && compile_parts(s, p, of, o->wrt, &o->run, error)) return s;
    wg_sparse_free(s);
    return NULL;
}

static wg_sparse *begin(const wg_program *program, const wg_sparse_options **options,
                        wg_error *error) {
    static const wg_sparse_options usual;
    if (failed(error)) return NULL;
    if (!program) {
        fail_with(error, WG_EARGUMENT, "sparse: the program is NULL");
        return NULL;
    }
    if (!*options) *options = &usual;
    wg_sparse *s = mem_alloc_zero(&program->t.allocator, sizeof *s);
    if (!s)
        fail_memory(error);
    else
        s->allocator = program->t.allocator;
    return s;
}

wg_sparse *wg_sparse_jacobian(const wg_program *program, const wg_sparse_options *options,
                              wg_error *error) {
    wg_error own = {0};
    if (!error) error = &own;
    wg_sparse *s = begin(program, &options, error);
    if (!s) return NULL;
    if (wg_jacobian_pattern(program, options, &s->pattern, error) == WG_OK)
        return make(program, false, s, options->of, options, error);
    wg_sparse_free(s);
    return NULL;
}

wg_sparse *wg_sparse_hessian(const wg_program *program, const wg_sparse_options *options,
                             wg_error *error) {
    wg_error own = {0};
    if (!error) error = &own;
    wg_sparse *s = begin(program, &options, error);
    if (!s) return NULL;
    wg_program *grad = NULL;
    if (wg_hessian_pattern(program, options, &s->pattern, error) == WG_OK)
        grad = wg_grad(program, options->wrt, error);
    if (grad) {
        s = make(grad, true, s, NULL, options, error);
    } else {
        wg_sparse_free(s);
        s = NULL;
    }
    wg_program_free(grad);
    return s;
}

/* ---- values ---------------------------------------------------------------------------------- */

/* The workspace: the list of inputs, the compressed results, and what the function itself needs,
 * which is aligned. */
struct layout {
    size_t compressed, function, bytes;
};

static wg_status lay_out_values(const wg_sparse *s, struct layout *l, wg_error *error) {
    size_t results = 0, most = 0;
    wg_status status = WG_OK;
    for (size_t k = 0; k < PARTS && status == WG_OK; k++) {
        const struct part *p = &s->part[k];
        size_t bytes, own;
        if (!p->fn) continue;
        status = wg_workspace_size(p->fn, s->size, &bytes, error);
        if (status == WG_OK && bytes > most) most = bytes;
        if (__builtin_mul_overflow((size_t)p->directions, (size_t)p->width * sizeof(double), &own))
            return fail_memory(error);
        if (own > results) results = own;
    }
    l->compressed = ((s->inputs + 2) * sizeof(void *) + 63) & ~(size_t)63;
    l->function = (l->compressed + results + 63) & ~(size_t)63;
    l->bytes = l->function + most;
    return status;
}

void *wg_sparse_workspace_new(const wg_sparse *s, wg_error *error) {
    struct layout l;
    if (failed(error)) return NULL;
    if (!s) {
        fail_with(error, WG_EARGUMENT, "sparse: the matrix is NULL");
        return NULL;
    }
    if (lay_out_values(s, &l, error)) return NULL;
    return workspace_make(&s->allocator, l.bytes, error);
}

void wg_sparse_workspace_free(void *workspace) { wg_workspace_free(workspace); }

static wg_status call_part(const wg_sparse *s, const struct part *p, const struct layout *l,
                           char *workspace, double *entry, wg_error *error) {
    const void **input = (const void **)(void *)workspace;
    double *compressed = (double *)(void *)(workspace + l->compressed);
    input[s->inputs] = p->colour;
    for (int64_t c = 0; c < p->calls; c++) {
        int32_t first = (int32_t)(c * p->directions);
        input[s->inputs + 1] = &first;
        wg_status status = wg_call_with(p->fn, s->size, input, (void *[]){compressed},
                                        workspace + l->function, error);
        if (status) return status;
        for (int64_t k = p->call[c]; k < p->call[c + 1]; k++)
            entry[p->pick[k].entry] = compressed[p->pick[k].source];
    }
    return WG_OK;
}

wg_status wg_sparse_values(const wg_sparse *s, const void *const *input, double *entry,
                           void *workspace, wg_error *error) {
    struct layout l;
    if (failed(error)) return error->status;
    if (!s || (!input && s->inputs) || (!entry && s->pattern.entries))
        return fail_with(error, WG_EARGUMENT, "sparse: the %s NULL",
                         !s      ? "matrix is"
                         : entry ? "list of inputs is"
                                 : "values are");
    wg_status status = lay_out_values(s, &l, error);
    if (status) return status;
    char *room = workspace ? workspace : workspace_make(&s->allocator, l.bytes, error);
    if (!room) return WG_ENOMEM;
    memcpy(room, input, s->inputs * sizeof *input);
    for (size_t k = 0; k < PARTS && status == WG_OK; k++)
        if (s->part[k].fn) status = call_part(s, &s->part[k], &l, room, entry, error);
    if (!workspace) wg_workspace_free(room);
    return status;
}
