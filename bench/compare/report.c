/* What is printed and written of the measurements: the table, the targets, JSON. */
#include "compare.h"

#include <stdio.h>
#include <string.h>

/* Two times within this share of each other are the same to us: what repeated runs of one
 * contestant differ by on a quiet machine. */
static const double NOISE = 0.03;

enum { MAX_TARGETS = 96 };

struct target {
    char what[96];
    double figure, limit;
    bool least, measured, met; /* least: the figure shall be at least the limit; else at most */
};

/* ---- looking things up ---------------------------------------------------------------------- */

static bool took_part(const struct measurement *m) { return !m->why; }

/* The back end that the targets speak of: the last of ours. */
static const struct measurement *ours(const struct row *row) {
    return &row->by[contestants_ours_count - 1];
}

static const struct measurement *find(const struct row *row, const char *name) {
    for (size_t i = 0; i < row->count; i++)
        if (!strcmp(row->by[i].who->name, name) && took_part(&row->by[i])) return &row->by[i];
    return NULL;
}

static double times_ours(const struct row *row, const struct measurement *m) {
    return m->seconds[GRADIENT] / ours(row)->seconds[GRADIENT];
}

static const struct measurement *best_peer(const struct row *row) {
    const struct measurement *best = NULL;
    for (size_t i = contestants_ours_count; i < row->count; i++) {
        const struct measurement *m = &row->by[i];
        if (took_part(m) && (!best || m->seconds[GRADIENT] < best->seconds[GRADIENT])) best = m;
    }
    return best;
}

/* ---- the table ------------------------------------------------------------------------------ */

void report_head(const struct report *report) {
    printf("Value (primal) and value with gradient (derivative): processor time on one thread, "
           "medians of %d rounds in turns.\n"
           "x ours: the contestant's derivative over that of Wengert, %s; * marks the best peer.\n"
           "off: the largest disagreement with the hand-written C, over the largest entry.\n\n",
           report->rounds, contestants_ours[contestants_ours_count - 1].name + strlen("Wengert, "));
    printf("%-13s %-25s %-20s %10s %10s %7s %7s %8s\n", "case", "size", "contestant", "primal ms",
           "deriv. ms", "d./p.", "x ours", "off");
    fflush(stdout);
}

/* A number in a column: four or more digits, however large. */
static void print_number(int width, double x) {
    printf(" %*.*f", width, x < 10 ? 4 : x < 100 ? 3 : x < 1000 ? 2 : x < 1e4 ? 1 : 0, x);
}

static void print_ratio(int width, double x) {
    printf(" %*.*f", width, x < 100 ? 2 : x < 1000 ? 1 : 0, x);
}

static void print_measurement(const struct row *row, const struct measurement *m) {
    if (!took_part(m)) {
        printf("%-20s %s\n", m->who->name, m->why);
        return;
    }
    printf("%-20s", m->who->name);
    print_number(10, 1e3 * m->seconds[VALUE]);
    print_number(10, 1e3 * m->seconds[GRADIENT]);
    print_ratio(7, m->seconds[GRADIENT] / m->seconds[VALUE]);
    if (m == ours(row))
        printf(" %8s", "");
    else {
        print_ratio(7, times_ours(row, m));
        putchar(m == best_peer(row) ? '*' : ' ');
    }
    printf(" %7.0e\n", m->error);
}

void report_row(const struct row *row) {
    for (size_t i = 0; i < row->count; i++) {
        printf("%-13s %-25s ", i ? "" : row->of->name, i ? "" : row->sizes);
        print_measurement(row, &row->by[i]);
    }
    fflush(stdout);
}

void report_preparation(const struct report *report) {
    printf("\nReading, differentiating and compiling the gradient, milliseconds by the wall and of "
           "processors, and the memory of the C compiler\n");
    printf("%-13s %-25s %-20s %10s %10s %10s %10s\n", "case", "size", "back end", "first", "worked",
           "again", "peak MB");
    for (size_t i = 0; i < report->rows; i++)
        for (size_t k = 0; k < contestants_ours_count; k++) {
            const struct row *row = &report->row[i];
            const struct measurement *m = &row->by[k];
            printf("%-13s %-25s %-20s", k ? "" : row->of->name, k ? "" : row->sizes,
                   m->who->name + strlen("Wengert, "));
            print_number(10, 1e3 * m->prepare[0]);
            print_number(10, 1e3 * m->prepare_worked);
            print_number(10, 1e3 * m->prepare[1]);
            if (m->memory > 0) print_number(10, 1e-6 * m->memory);
            putchar('\n');
        }
}

/* ---- targets -------------------------------------------------------------------------------- */

struct targets {
    struct target of[MAX_TARGETS];
    size_t count;
};

static void add(struct targets *list, const struct row *row, const char *what, double figure,
                bool least, double limit, double noise) {
    if (list->count == MAX_TARGETS) return;
    struct target *t = &list->of[list->count++];
    *t = (struct target){.figure = figure, .limit = limit, .least = least, .measured = figure >= 0};
    snprintf(t->what, sizeof t->what, "%s, %s: %s", row->of->name, row->sizes, what);
    t->met = t->measured && (least ? figure >= limit : figure <= limit * (1 + noise));
}

static void add_times(struct targets *list, const struct row *row) {
    const struct measurement *hand = find(row, contestant_hand.name);
    const struct measurement *torch = find(row, contestant_torch.name);
    const struct measurement *adolc = find(row, "ADOL-C");
    bool network = row->of == &case_network || row->of == &case_deep_network;
    bool cheap = row->of == &case_chain || row->of == &case_logsumexp;
    double slope = ours(row)->seconds[GRADIENT] / ours(row)->seconds[VALUE];
    add(list, row, "time over the hand-written C's", 1 / times_ours(row, hand), false, 1, NOISE);
    if (cheap) add(list, row, "gradient over primal", slope, false, 2, NOISE);
    if (network) add(list, row, "gradient over primal", slope, false, 3.2, NOISE);
    if (network && torch)
        add(list, row, "PyTorch's time over ours", times_ours(row, torch), true, 1.3, 0);
    if (adolc) add(list, row, "ADOL-C's time over ours", times_ours(row, adolc), true, 20, 0);
}

/* Compile times are those of a back end that compiles; the interpreter has none. They are what a
 * user waits for, the wall's, unlike all that is compared. */
static void add_compile_times(struct targets *list, const struct row *row) {
    const struct measurement *m = ours(row);
    bool compiles = m->who->backend != WG_INTERPRET;
    double first = compiles ? m->prepare[0] : -1, again = compiles ? m->prepare[1] : -1;
    if (row->of == &case_network || row->of == &case_deep_network) {
        add(list, row, "seconds to compile", first, false, 0.4, 0);
        add(list, row, "seconds to compile, from the cache", again, false, 0.005, 0);
    }
    if (row->of != &case_pendulum) return;
    add(list, row, "seconds to compile", first, false, 20, 0);
    double memory = compiles && m->memory > 0 ? 1e-9 * m->memory : -1;
    add(list, row, "GB that the C compiler takes", memory, false, 2, 0);
}

static void collect(const struct report *report, struct targets *list) {
    list->count = 0;
    for (size_t i = 0; i < report->rows; i++) add_times(list, &report->row[i]);
    for (size_t i = 0; i < report->rows; i++) add_compile_times(list, &report->row[i]);
}

void report_targets(const struct report *report) {
    static struct targets list;
    size_t met = 0, unmeasured = 0;
    collect(report, &list);
    printf("\nTargets (a time equal within %.0f %% counts as met)\n", 100 * NOISE);
    for (size_t i = 0; i < list.count; i++) {
        const struct target *t = &list.of[i];
        met += t->met;
        unmeasured += !t->measured;
        printf("%-7s %-66s ", t->met ? "met" : t->measured ? "missed" : "-", t->what);
        if (t->measured)
            printf("%8.3g, at %s %g\n", t->figure, t->least ? "least" : "most", t->limit);
        else
            printf("needs a back end that compiles\n");
    }
    printf("%zu met, %zu missed, %zu not measured\n", met, list.count - met - unmeasured,
           unmeasured);
}

/* ---- JSON ----------------------------------------------------------------------------------- */

static void json_text(FILE *file, const char *key, const char *text) {
    fprintf(file, "\"%s\": \"", key);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') fputc('\\', file);
        if ((unsigned char)*text >= ' ') fputc(*text, file);
    }
    fputc('"', file);
}

static void json_machine(FILE *file) {
    char line[256], processor[128] = "unknown";
    FILE *info = fopen("/proc/cpuinfo", "r");
    while (info && fgets(line, sizeof line, info))
        if (sscanf(line, "model name : %127[^\n]", processor) == 1) break;
    if (info) fclose(info);
    fprintf(file, "  \"machine\": {");
    json_text(file, "processor", processor);
    fprintf(file, ", ");
    json_text(file, "compiler", __VERSION__);
    fprintf(file, ", ");
    json_text(file, "wengert", wg_version());
    fprintf(file, ", ");
    json_text(file, "pytorch", torch_version());
    fprintf(file, "},\n");
}

static void json_measurement(FILE *file, const struct row *row, const struct measurement *m) {
    fprintf(file, "      {");
    json_text(file, "contestant", m->who->name);
    if (!took_part(m)) {
        fprintf(file, ", ");
        json_text(file, "absent", m->why);
        fprintf(file, "}");
        return;
    }
    fprintf(file,
            ", \"primal_ms\": %.6g, \"derivative_ms\": %.6g, \"derivative_over_primal\": %.4g, "
            "\"times_ours\": %.4g, \"disagreement\": %.2g, \"prepare_ms\": %.4g, "
            "\"prepare_worked_ms\": %.4g, \"prepare_again_ms\": %.4g, \"compiler_mb\": %.4g, "
            "\"extrapolated\": %s}",
            1e3 * m->seconds[VALUE], 1e3 * m->seconds[GRADIENT],
            m->seconds[GRADIENT] / m->seconds[VALUE], times_ours(row, m), m->error,
            1e3 * m->prepare[0], 1e3 * m->prepare_worked, 1e3 * m->prepare[1], 1e-6 * m->memory,
            m->who->sampled ? "true" : "false");
}

static void json_row(FILE *file, const struct row *row) {
    const struct measurement *best = best_peer(row);
    fprintf(file, "    {");
    json_text(file, "case", row->of->name);
    fprintf(file, ", ");
    json_text(file, "what", row->of->what);
    fprintf(file, ", ");
    json_text(file, "size", row->sizes);
    fprintf(file, ", ");
    json_text(file, "dtype", wg_dtype_name(row->dtype));
    fprintf(file, ", ");
    json_text(file, "best_peer", best ? best->who->name : "");
    if (best) fprintf(file, ", \"best_peer_times_ours\": %.4g", times_ours(row, best));
    fprintf(file, ", \"contestants\": [\n");
    for (size_t i = 0; i < row->count; i++) {
        json_measurement(file, row, &row->by[i]);
        fprintf(file, i + 1 < row->count ? ",\n" : "\n    ]}");
    }
}

static void json_target(FILE *file, const struct target *t) {
    fprintf(file, "    {");
    json_text(file, "target", t->what);
    fprintf(file, ", \"%s\": %g", t->least ? "at_least" : "at_most", t->limit);
    if (t->measured)
        fprintf(file, ", \"figure\": %.4g, \"met\": %s", t->figure, t->met ? "true" : "false");
    fprintf(file, "}");
}

bool report_json(const struct report *report, const char *path) {
    static struct targets list;
    FILE *file = fopen(path, "w");
    if (!file) return false;
    collect(report, &list);
    fprintf(file, "{\n");
    json_machine(file);
    fprintf(file, "  \"mode\": \"%s\", \"rounds\": %d, \"threads\": 1,\n  \"cases\": [\n",
            report->mode, report->rounds);
    for (size_t i = 0; i < report->rows; i++) {
        json_row(file, &report->row[i]);
        fprintf(file, i + 1 < report->rows ? ",\n" : "\n");
    }
    fprintf(file, "  ],\n  \"targets\": [\n");
    for (size_t i = 0; i < list.count; i++) {
        json_target(file, &list.of[i]);
        fprintf(file, i + 1 < list.count ? ",\n" : "\n");
    }
    fprintf(file, "  ]\n}\n");
    bool good = !ferror(file);
    return fclose(file) == 0 && good;
}
