/* From the command line to a program and the tensors that it runs on: the formula is read and
 * parsed, sizes are fixed, and every input gets its value. Shapes are not compared here: running a
 * program does that, and tells both. */
#include "cli/cli.h"
#include "lang/lang.h" /* the nearest name */
#include "transform/derive.h"

#include <stdio.h>

/* ---- tensors ------------------------------------------------------------------------------- */

wg_tensor *new_tensors(struct cli *c, size_t count) {
    /* one more, so that none is empty */
    wg_tensor *tensor = mem_alloc_zero(&c->allocator, (count + 1) * sizeof *tensor);
    if (!tensor) fail_memory(&c->error);
    return tensor;
}

void free_tensors(struct cli *c, wg_tensor *tensor, size_t count) {
    for (size_t i = 0; tensor && i < count; i++) wg_tensor_free(&tensor[i], &c->allocator);
    mem_free(&c->allocator, tensor, (count + 1) * sizeof *tensor);
}

bool run_on(struct cli *c, const wg_program *program, const wg_tensor *input, wg_tensor *output) {
    bool native = has_option(c, OPT_BACKEND) && option_is(c, OPT_BACKEND, "native");
    wg_options options = {.backend = native ? WG_NATIVE : WG_INTERPRET};
    wg_function *fn = wg_compile(program, &options, &c->error);
    if (native && *wg_function_note(fn))
        fprintf(stderr, "wengert: interpreted after all: %s\n", wg_function_note(fn));
    if (fn) wg_run(fn, NULL, input, output, &c->error);
    wg_function_free(fn);
    return !failed(&c->error);
}

/* ---- the program --------------------------------------------------------------------------- */

/* Types of the names that a formula without a head leaves free. */
static wg_binding *bindings(struct cli *c) {
    size_t count = c->at.item.count;
    wg_binding *bound = arena_alloc(&c->arena, (count + 1) * sizeof *bound, _Alignof(wg_binding));
    for (size_t i = 0; bound && i < count; i++) {
        const struct named *item = &c->at.item.at[i];
        const wg_tensor *tensor = &item->tensor;
        bool plain = !item->typed && tensor->dtype != WG_BOOL;
        bound[i].name = item->name;
        bound[i].type = wg_type_of(plain ? WG_F64 : tensor->dtype, (size_t)tensor->rank,
                                   tensor->shape);
    }
    if (!bound) fail_memory(&c->error);
    return bound;
}

/* What only a C source has. */
static bool no_c_options(struct cli *c) {
    static const enum option_id only[] = {OPT_FILE,     OPT_INCLUDE,          OPT_DEFINE,
                                          OPT_STANDARD, OPT_COMPILE_COMMANDS, OPT_INACTIVE,
                                          OPT_RULE};
    for (size_t i = 0; i < COUNT_OF(only); i++)
        if (has_option(c, only[i]))
            return usage_error(c, "%s is for C sources, model.c or model.c:function",
                               option_table[only[i]].name);
    return true;
}

static bool parse(struct cli *c) {
    const char *formula = option_text(c, OPT_FORMULA);
    if (formula && c->file)
        return usage_error(c, "'%.64s' and -e: give a file or a formula, not both", c->file);
    if (!formula && !(c->file && *c->file))
        return usage_error(c, "'%s' needs a formula: a file, or -e FORMULA", c->command->name);
    if (!formula && is_c_source(c->file)) return load_c(c);
    if (!no_c_options(c)) return false;
    wg_parse_options options = {.function = option_text(c, OPT_FUNCTION),
                                .bound = bindings(c),
                                .bound_count = c->at.item.count,
                                .allocator = &c->allocator};
    wg_text text = {.allocator = c->allocator};
    if (options.bound && !formula) {
        options.origin = strcmp(c->file, "-") == 0 ? "stdin" : c->file;
        if (read_file(c, c->file, &text))
            c->program = wg_parse(text.data, text.size, &options, &c->error);
    } else if (options.bound) {
        c->program = wg_parse(formula, strlen(formula), &options, &c->error);
    }
    wg_text_free(&text);
    return c->program != NULL;
}

/* One item of --size, n=3; *is_size: of a C source it may tell something else. */
static bool check_size(struct cli *c, const char *item, size_t length, bool *is_size) {
    const char *text = keep_text(c, "%.*s", (int)length, item);
    if (!text) return false;
    const char *equals = strchr(text, '=');
    size_t name = equals ? (size_t)(equals - text) : 0;
    while (name > 0 && text[name - 1] == ' ') name--;
    const char *number = equals ? equals + 1 + strspn(equals + 1, " ") : "";
    const char *size = keep_text(c, "%.*s", (int)name, text);
    if (!size) return false;
    bool known = wg_size_index(c->program, size) >= 0;
    *is_size = known;
    if (c->source && name && !known) return tells_length(c, size);
    if (!name || !*number || strspn(number, "0123456789") != strlen(number))
        return input_error(c, WG_EFORMAT, "--size takes NAME=NUMBER, as in n=3, not '%.64s'", text);
    return known || input_error(c, WG_ENAME, "--size: there is no size '%.64s'", size);
}

static bool fix_sizes(struct cli *c) {
    for (size_t i = 0; i < c->given.count; i++) {
        if (c->given.at[i].id != OPT_SIZE) continue;
        const char *start;
        size_t length;
        for (const char *cursor = c->given.at[i].value; name_next(&cursor, &start, &length);) {
            bool is_size = false;
            if (!check_size(c, start, length, &is_size)) return false;
            if (!is_size) continue;
            const char *item = keep_text(c, "%.*s", (int)length, start);
            wg_program *fixed = item ? wg_specialize(c->program, item, &c->error) : NULL;
            if (!fixed) return false;
            wg_program_free(c->program);
            c->program = fixed;
        }
    }
    return true;
}

/* A whole number that a C function's lengths or loops are made of may stand among the values. */
static bool take_sizes(struct cli *c) {
    size_t left = 0;
    for (size_t i = 0; i < c->at.item.count; i++) {
        struct named *item = &c->at.item.at[i];
        bool takes = c->source && item->tensor.rank == 0 && item->tensor.dtype == WG_I64 &&
                     item->tensor.data && wg_size_index(c->program, item->name) >= 0;
        if (!takes || failed(&c->error)) {
            c->at.item.at[left++] = *item;
            continue;
        }
        long long number = (long long)*(const int64_t *)item->tensor.data;
        wg_tensor_free(&item->tensor, &c->allocator);
        const char *size = keep_text(c, "%s=%lld", item->name, number);
        wg_program *fixed = NULL;
        if (number < 0)
            input_error(c, WG_EARGUMENT, "--at: '%.64s' is a size, at least 0", item->name);
        else if (size)
            fixed = wg_specialize(c->program, size, &c->error);
        if (!fixed) continue;
        wg_program_free(c->program);
        c->program = fixed;
    }
    c->at.item.count = left;
    return !failed(&c->error);
}

/* ---- values -------------------------------------------------------------------------------- */

bool unknown_port(struct cli *c, const char *option, const char *name, bool outputs) {
    struct nearest nearest = {.wanted = name, .wanted_length = strlen(name)};
    size_t count = port_count(c, outputs);
    if (!outputs && wg_size_index(c->program, name) >= 0)
        return input_error(c, WG_ENAME, "%s: '%.64s' is a size, which --size %.64s=... tells",
                           option, name, name);
    const char *kind = outputs ? "output" : "input";
    wg_text known = {.allocator = c->allocator};
    for (size_t i = 0; i < count; i++) {
        const char *port = port_name(c, outputs, i);
        nearest_try(&nearest, port, strlen(port));
        if (i < 8) text_format(&known, "%s%.64s", i ? ", " : "", port);
    }
    if (nearest.found)
        input_error(c, WG_ENAME, "%s: there is no %s '%.64s'; did you mean '%.*s'?", option, kind,
                    name, (int)nearest.found_length, nearest.found);
    else if (count)
        input_error(c, WG_ENAME, "%s: there is no %s '%.64s'; the %ss: %s%s", option, kind, name,
                    kind, known.data ? known.data : "others", count > 8 ? ", ..." : "");
    else
        input_error(c, WG_ENAME, "%s: there is no %s '%.64s', for the formula has no %ss", option,
                    kind, name, kind);
    wg_text_free(&known);
    return false;
}

bool names_are_known(struct cli *c, const struct named_list *list, bool outputs) {
    for (size_t i = 0; i < list->item.count; i++) {
        const char *name = list->item.at[i].name;
        if (port_index(c, outputs, name) < 0) return unknown_port(c, list->option, name, outputs);
    }
    return true;
}

/* Names all inputs without a value, and how to give them one. */
static bool missing_values(struct cli *c) {
    wg_text names = {.allocator = c->allocator}, hint = {.allocator = c->allocator};
    size_t missing = 0;
    bool ok = true;
    for (size_t i = 0; ok && i < c->input_count; i++) {
        if (c->input[i].data || missing++ >= 8) continue;
        const char *name = wg_input_name(c->program, i);
        const char *dots = wg_input_type(c->program, i).rank ? "[...]" : "...";
        ok = text_format(&names, "%s%.64s", missing > 1 ? ", " : "", name) &&
             text_format(&hint, "%s%.64s=%s", missing > 1 ? "," : "", name, dots);
    }
    if (!ok)
        fail_memory(&c->error);
    else if (missing == 1)
        input_error(c, WG_ENAME, "%s has no value; give it with --at %s", names.data, hint.data);
    else
        input_error(c, WG_ENAME, "%s%s have no values; give them with --at %s%s", names.data,
                    missing > 8 ? ", ..." : "", hint.data, missing > 8 ? ",..." : "");
    wg_text_free(&names);
    wg_text_free(&hint);
    return false;
}

static bool fill_inputs(struct cli *c) {
    c->input_count = wg_input_count(c->program);
    c->input = new_tensors(c, c->input_count);
    if (!c->input) return false;
    bool complete = true;
    for (size_t i = 0; i < c->input_count; i++) {
        struct named *item = find_value(&c->at, wg_input_name(c->program, i));
        wg_dtype dtype = (wg_dtype)wg_input_type(c->program, i).dtype;
        if (!item)
            complete = false;
        else if (!take_value(c, item, dtype, &c->input[i]))
            return false;
    }
    return complete || missing_values(c);
}

bool load(struct cli *c, bool values) {
    return read_values(c, OPT_AT, false, &c->at) && parse(c) && fix_sizes(c) && take_sizes(c) &&
           (!c->source || default_written(c, values || c->at.item.count > 0)) &&
           names_are_known(c, &c->at, false) &&
           ((!values && c->at.item.count == 0 && wg_input_count(c->program)) || fill_inputs(c));
}

/* ---- inputs and outputs -------------------------------------------------------------------- */

/* The program with one of its outputs. */
static wg_program *with_output(const wg_program *program, size_t index, wg_error *error) {
    struct derivation d;
    if (derive_begin(&d, program, error) && derive_inputs(&d) &&
        graph_inline(d.g, d.from, d.input, d.size_map, d.map))
        graph_output(d.g, from_output_name(&d, index), d.map[d.from->output.at[index].v]);
    return derive_finish(&d);
}

bool keep_output(struct cli *c) {
    const char *of = option_text(c, OPT_OF);
    int index = of ? wg_output_index(c->program, of) : 0;
    if (index < 0) return unknown_port(c, option_table[OPT_OF].name, of, true);
    wg_program *one = with_output(c->program, (size_t)index, &c->error);
    if (!one) return false;
    wg_program_free(c->program);
    c->program = one;
    return true;
}

bool load_scalar(struct cli *c, bool *several) {
    if (!load(c, true)) return false;
    *several = wg_output_count(c->program) > 1;
    if (!keep_output(c)) return false;
    wg_type type = wg_output_type(c->program, 0);
    if (type.rank == 0 && dtype_is_float(type.dtype)) return true;
    wg_text text = {.allocator = c->allocator};
    if (wg_type_text(c->program, type, &text))
        fail_memory(&c->error);
    else
        input_error(c, WG_ESHAPE,
                    "%.64s is %s, and '%s' needs a floating scalar: sum it, or ask for a "
                    "jacobian",
                    wg_output_name(c->program, 0), text.data, c->command->name);
    wg_text_free(&text);
    return false;
}

bool select_ports(struct cli *c, enum option_id id, struct ports *ports) {
    bool outputs = id == OPT_OF;
    size_t count = port_count(c, outputs), length;
    const char *cursor = option_text(c, id), *start;
    ports->count = 0;
    for (const char *at = cursor; at && name_next(&at, &start, &length);) ports->count++;
    size_t room = ports->count > count ? ports->count : count;
    ports->index = arena_alloc(&c->arena, (room + 1) * sizeof *ports->index, _Alignof(size_t));
    if (!ports->index) return !fail_memory(&c->error);
    ports->count = 0;
    for (size_t i = 0; !cursor && i < count; i++)
        if (dtype_is_float(port_type(c, outputs, i).dtype)) ports->index[ports->count++] = i;
    while (cursor && name_next(&cursor, &start, &length)) {
        const char *name = keep_text(c, "%.*s", (int)length, start);
        if (!name) return false;
        int index = port_index(c, outputs, name);
        if (index < 0) return unknown_port(c, option_table[id].name, name, outputs);
        ports->index[ports->count++] = (size_t)index;
    }
    return true;
}
