/* Calls: the function's body is carried out where the call stands, in a frame of its own. A
 * function without a body is one of math.h, of the few of the C library below, or one that the
 * options say something of; else it is an error. */
#include "csource/lower.h"

#include <stdio.h>

enum { MAX_CALLS = 64 };

/* ---- the C library --------------------------------------------------------------------------- */

static bool is_listed(const char *name, const char *const *list, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(name, list[i]) == 0) return true;
    return false;
}

/* n of sizeof(T) * n, n * m * sizeof *p and the like; 0: it is no such product. */
static value count_of_bytes(struct lower *l, const struct node *n, int64_t bytes) {
    while (n->kind == NODE_CAST) n = n->child[0];
    if (n->kind == NODE_INT && n->integer == bytes) return whole(l, 1);
    if (n->kind != NODE_BINARY || n->op != C_MUL) return 0;
    for (int k = 1; k >= 0; k--) {
        value part = count_of_bytes(l, n->child[k], bytes);
        if (part) return build_mul(l->g, as_whole(l, rvalue(l, n->child[1 - k]).v), part);
    }
    return 0;
}

/* How many elements of so many bytes a length in bytes is; 0: not known. */
static value elements_of(struct lower *l, const struct node *n, int64_t bytes) {
    value count = count_of_bytes(l, n, bytes);
    int64_t number;
    if (count || stopped(l)) return count;
    struct operand x = rvalue(l, n);
    if (stopped(l) || !literal_of(l, x.v, &number) || bytes <= 0 || number % bytes) return 0;
    return whole(l, number / bytes);
}

static const struct ctype *array_type(struct lower *l, const struct ctype *of, wg_extent count) {
    struct ctype *type = keep(l, sizeof *type);
    if (type)
        *type = (struct ctype){.kind = TYPE_ARRAY, .of = of, .count = count, .bytes = -1,
                               .text = of->text};
    return type;
}

bool is_allocation(const struct node *n) {
    return n->kind == NODE_CALL && n->decl && !n->decl->body &&
           (strcmp(n->decl->name, "malloc") == 0 || strcmp(n->decl->name, "calloc") == 0);
}

struct operand allocated(struct lower *l, const struct node *n, const struct ctype *of) {
    struct operand y = {.type = n->type};
    bool clears = strcmp(n->decl->name, "calloc") == 0;
    value count = 0;
    if (n->count == (clears ? 2u : 1u) && of->bytes > 0) {
        if (clears) {
            int64_t size;
            struct operand a = rvalue(l, n->child[0]), b = rvalue(l, n->child[1]);
            if (!stopped(l) && literal_of(l, b.v, &size) && size == of->bytes)
                count = as_whole(l, a.v);
        } else {
            count = elements_of(l, n->child[0], of->bytes);
        }
    }
    wg_extent extent = LENGTH_UNKNOWN;
    if (stopped(l)) return y;
    if ((!count || !extent_of(l, count, &extent)) && !l->watch) {
        refuse_at(l, &n->spot, "its length is made of parameters: malloc(n * sizeof *p)",
                  "how many elements this allocates is not known");
        return y;
    }
    struct object *o = object_new(l, n->decl->name, array_type(l, of, extent));
    if (o) o->is_allocated = true;
    if (o && clears) clear_object(l, o);
    y.at = place_element(l, place_of(l, o));
    return y;
}

static bool is_bytes_of_zero(struct lower *l, const struct node *n) {
    int64_t number;
    struct operand x = rvalue(l, n);
    return !stopped(l) && literal_of(l, x.v, &number) && number == 0;
}

/* memset(p, 0, bytes), memcpy(p, q, bytes), memmove */
static void move_bytes(struct lower *l, const struct node *n, bool sets) {
    const struct node *target = n->child[0], *source = n->child[1];
    struct operand p = rvalue(l, target);
    struct operand q = sets ? p : rvalue(l, source);
    if (stopped(l) || !p.at.type || !q.at.type) return;
    if (sets && !is_bytes_of_zero(l, source)) {
        refuse_at(l, &n->spot, "assign in a loop", "memset to something else than 0");
        return;
    }
    if (!p.at.object || !q.at.object) {
        refuse_null(l, n);
        return;
    }
    /* rows by their elements */
    while (p.at.type->kind == TYPE_ARRAY) p.at = place_element(l, p.at);
    while (q.at.type->kind == TYPE_ARRAY) q.at = place_element(l, q.at);
    const struct ctype *of = p.at.type;
    if (!same_type(of, q.at.type)) {
        refuse_at(l, &n->spot, "an object is read and written as what it was declared",
                  "this moves '%.64s' to where '%.64s' is", q.at.type->text, of->text);
        return;
    }
    value count = elements_of(l, n->child[2], of->bytes);
    wg_extent extent = LENGTH_UNKNOWN;
    if (stopped(l)) return;
    bool known = count && extent_of(l, count, &extent);
    if (!known && !l->watch) {
        refuse_at(l, &n->spot, "its length is made of parameters: n * sizeof *p",
                  "how many elements this moves is not known");
        return;
    }
    struct place from = q.at;
    if (sets) {
        struct object *zeros = object_new(l, "zeros", array_type(l, of, extent));
        if (!zeros) return;
        clear_object(l, zeros);
        from = place_element(l, place_of(l, zeros));
    }
    copy_several(l, p.at, from, l->watch ? 1 : extent, n);
}

bool library_call(struct lower *l, const struct node *n, const char *name,
                  struct operand *result) {
    static const char *const silent[] = {
        "printf", "fprintf", "puts", "putchar", "fputs", "fputc", "putc", "fflush", "perror",
        "vprintf", "free", "__assert_fail", "abort", "exit", "__builtin_unreachable",
        "__builtin_trap", "__assert", "__builtin_assume"};
    static const char *const allocating[] = {"malloc", "calloc", "alloca", "__builtin_alloca",
                                             "aligned_alloc", "realloc"};
    const char *bare = strncmp(name, "__builtin_mem", 13) == 0 ? name + 10 : name;
    *result = (struct operand){.type = n->type};
    if (is_listed(name, silent, COUNT_OF(silent))) {
        if (is_scalar(n->type)) result->v = whole(l, 0);
        return true;
    }
    if (is_listed(name, allocating, COUNT_OF(allocating))) {
        refuse_at(l, &n->spot, "double *p = malloc(n * sizeof *p);",
                  "what this allocates is not told by its line");
        return true;
    }
    bool sets = strcmp(bare, "memset") == 0;
    if (n->count == 3 && (sets || strcmp(bare, "memcpy") == 0 || strcmp(bare, "memmove") == 0)) {
        *result = rvalue(l, n->child[0]);
        move_bytes(l, n, sets);
        return true;
    }
    return false;
}

/* ---- functions with a body ------------------------------------------------------------------- */

static void bind_arguments(struct lower *l, const struct node *n, const struct operand *given) {
    const struct decl *f = n->decl;
    for (size_t i = 0; i < f->parameter_count && !stopped(l); i++) {
        const struct decl *d = f->parameter[i];
        const struct ctype *type = settled_type(l, d->type, n);
        if (!type) return;
        struct operand x = given[i];
        if (type->kind == TYPE_ARRAY) { /* a pointer that looks like an array */
            struct ctype *pointer = keep(l, sizeof *pointer);
            if (!pointer) return;
            *pointer = (struct ctype){.kind = TYPE_POINTER, .of = type->of, .bytes = 8,
                                      .text = type->text};
            type = pointer;
        }
        if (type->kind == TYPE_POINTER) {
            if (x.type && x.type->kind == TYPE_ARRAY) x.at = place_element(l, x.at);
            /* the caller's row is as long as the function says */
            const struct ctype *row = x.at.type;
            if (x.at.object && row && row->kind == TYPE_ARRAY && type->of->kind == TYPE_ARRAY &&
                !l->watch && row->count != type->of->count)
                refuse_at(l, &n->spot, "both lengths must be known to be one",
                          "argument %zu is an array of rows of another length", i + 1);
            if (x.at.object && row && type->of->kind != TYPE_VOID && !same_type(row, type->of) &&
                !l->watch)
                refuse_at(l, &n->spot, NULL, "argument %zu points to '%.64s', not '%.64s'", i + 1,
                          row->text, type->of->text);
        }
        struct object *o = object_new(l, d->name, type);
        if (!o) return;
        bind(l, d, o);
        store_to(l, place_of(l, o), is_scalar(type) ? converted(l, x, type, n) : x, n);
    }
}

/* Carries the body out and returns the object with the result, NULL for void. The arguments are
 * evaluated. */
struct object *carry_body_out(struct lower *l, const struct node *n, const struct operand *given) {
    struct decl *f = n->decl;
    const struct ctype *type = f->type->of;
    struct frame frame = {.caller = l->frame, .function = f,
                          .depth = l->frame ? l->frame->depth + 1 : 0};
    struct object *broke = l->broke, *continued = l->continued;
    if (frame.depth > MAX_CALLS) {
        refuse_at(l, &n->spot,
                  "recursion is carried where literals decide how deep it is; write a loop",
                  "calls of '%.64s' nest more than %d deep", f->name, MAX_CALLS);
        return NULL;
    }
    if (type->kind != TYPE_VOID) frame.result = object_new(l, "return", type);
    size_t objects = l->object.count, bindings = l->binding.count;
    frame.returned = object_new(l, "returned", plain_type(TYPE_BOOL));
    if (stopped(l)) return NULL;
    cell_set(l, &frame.returned->cell[0], truth(l, false));
    frame.first_binding = bindings;
    l->frame = &frame;
    l->broke = l->continued = NULL;
    bind_arguments(l, n, given);
    statement(l, f->body);
    l->frame = frame.caller;
    l->broke = broke;
    l->continued = continued;
    leave_scope(l, objects, bindings);
    return stopped(l) ? NULL : frame.result;
}

struct operand evaluate_call(struct lower *l, const struct node *n) {
    struct operand y = {.type = n->type};
    if (!n->decl) {
        refuse_at(l, &n->spot, "call the function by its name",
                  "a call through a pointer is not carried");
        return y;
    }
    const wg_csource_options *o = l->options;
    const char *name = n->decl->name;
    if (!tree_body(l->tree, n->decl)) {
        refuse_memory(l);
        return y;
    }
    bool inactive = is_listed(name, o->inactive, o->inactive_count);
    if (inactive || !n->decl->body) {
        if (inactive || library_call(l, n, name, &y) || mathematics(l, n, name, &y)) {
            if (inactive && is_scalar(n->type)) {
                value zero = whole(l, 0);
                y = converted(l, (struct operand){.type = &int_type, .v = zero}, n->type, n);
            }
            return y;
        }
        char hint[256];
        snprintf(hint, sizeof hint,
                 "give its source too, say what it computes with --rule %.64s=file.c, or "
                 "that no derivative goes through it with --inactive %.64s", name, name);
        refuse_at(l, &n->spot, hint, "there is no source of the function '%.64s'", name);
        return y;
    }
    if (n->decl->is_variadic) {
        refuse_at(l, &n->spot, "give it an array and how many there are",
                  "'%.64s' takes any number of arguments", name);
        return y;
    }
    struct operand *given = mem_alloc_zero(&l->allocator, (n->count + 1) * sizeof *given);
    if (!given) {
        refuse_memory(l);
        return y;
    }
    for (size_t i = 0; i < n->count; i++) given[i] = rvalue(l, n->child[i]);
    if (!stopped(l) && n->count < n->decl->parameter_count)
        refuse_at(l, &n->spot, NULL, "too few arguments");
    stand_at(l, n);
    struct object *result = stopped(l) ? NULL : carry_body_out(l, n, given);
    mem_free(&l->allocator, given, (n->count + 1) * sizeof *given);
    if (result) y = load_from(l, place_of(l, result), n);
    return y;
}
