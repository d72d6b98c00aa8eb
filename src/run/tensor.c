/* Calls on tensors: named sizes read off the inputs' shapes, every type checked, outputs allocated
 * where the caller brings none. The call itself is wg_call_with's. */
#include "run/run.h"

struct tensor_call {
    const struct wg_function *fn;
    const struct trace *t;
    int64_t *size;      /* of each named size; -1: not known yet */
    const void **input; /* buffers */
    void **output;
    bool *allocated; /* of outputs: by us */
    wg_error *error;
};

/* The index of the size that an extent is, bare; -1 for anything else. */
static int64_t bare_size(const struct trace *t, wg_extent e) {
    if (e >= 0 || t->extent.at[-e].count != 3) return -1;
    const int64_t *word = t->word.at + t->extent.at[-e].at; /* coefficient, degree, size */
    return word[0] == 1 && word[1] == 1 ? word[2] : -1;
}

/* ---- errors ---------------------------------------------------------------------------------- */

static void add_shape(wg_text *text, wg_dtype dtype, size_t rank, const int64_t *shape) {
    text_add(text, wg_dtype_name(dtype));
    for (size_t i = 0; i < rank; i++)
        text_format(text, "%s%lld", i ? "," : "[", (long long)shape[i]);
    if (rank) text_add(text, "]");
}

/* Records `input "W": f64[n,10] = f64[5,10] expected, f64[5,3] given`. shape: the port's at this
 * call, NULL if it is not known yet. */
static wg_status mismatch(const struct tensor_call *c, wg_status status, const char *what,
                          const struct port *port, const int64_t *shape, const wg_tensor *given) {
    const wg_type *type = type_of(c->t, port->v);
    wg_text text = {.allocator = c->t->allocator};
    bool named = false;
    for (size_t i = 0; i < type->rank; i++) named |= type->extent[i] < 0;
    type_text(c->t, type, &text);
    if (named && shape) {
        text_add(&text, " = ");
        add_shape(&text, (wg_dtype)type->dtype, type->rank, shape);
    }
    text_add(&text, " expected, ");
    bool odd = given->rank < 0 || given->rank > WG_MAX_RANK ||
               (unsigned)given->dtype >= WG_DTYPE_COUNT;
    if (odd)
        text_add(&text, "no sound tensor");
    else if (!given->data && given->rank == 0)
        text_add(&text, "nothing");
    else
        add_shape(&text, given->dtype, (size_t)given->rank, given->shape);
    text_add(&text, given->data || given->rank == 0 || odd ? " given" : " without data given");
    fail_with(c->error, status, "%s \"%s\": %s", what, name_at(c->t, port->name),
              text.data ? text.data : "another type expected");
    wg_text_free(&text);
    return status;
}

/* ---- inputs ---------------------------------------------------------------------------------- */

/* Data, element type and rank are right; bare sizes that are not known yet become what the shape
 * says. The extents are checked when all sizes are known. */
static wg_status read_input(struct tensor_call *c, size_t index, const wg_tensor *x) {
    const struct port *port = &c->t->input.at[index];
    const wg_type *type = type_of(c->t, port->v);
    if (!x->data && (x->rank == 0 || wg_tensor_count(x) != 0))
        return mismatch(c, WG_EARGUMENT, "input", port, NULL, x);
    if ((int)x->dtype != type->dtype) return mismatch(c, WG_EDTYPE, "input", port, NULL, x);
    if (x->rank != type->rank) return mismatch(c, WG_ESHAPE, "input", port, NULL, x);
    for (size_t i = 0; i < type->rank; i++) {
        int64_t size = bare_size(c->t, type->extent[i]);
        if (x->shape[i] < 0) return mismatch(c, WG_ESHAPE, "input", port, NULL, x);
        if (size >= 0 && c->size[size] < 0) c->size[size] = x->shape[i];
    }
    c->input[index] = x->data;
    return WG_OK;
}

static wg_status check_shape(const struct tensor_call *c, const char *what, const struct port *port,
                             const wg_tensor *x) {
    const wg_type *type = type_of(c->t, port->v);
    int64_t shape[WG_MAX_RANK], count;
    bool known = type_eval(c->t, type, c->size, shape, &count);
    if ((int)x->dtype != type->dtype)
        return mismatch(c, WG_EDTYPE, what, port, known ? shape : NULL, x);
    bool same = known && x->rank == type->rank;
    for (size_t i = 0; same && i < type->rank; i++) same = x->shape[i] == shape[i];
    return same ? WG_OK : mismatch(c, WG_ESHAPE, what, port, known ? shape : NULL, x);
}

static wg_status read_inputs(struct tensor_call *c, const int64_t *size, const wg_tensor *input) {
    const struct trace *t = c->t;
    wg_status status = WG_OK;
    for (size_t i = 0; i < t->size.count; i++) c->size[i] = -1;
    for (size_t i = 0; status == WG_OK && i < t->input.count; i++)
        status = read_input(c, i, &input[i]);
    for (size_t i = 0; status == WG_OK && i < t->size.count; i++) {
        if (c->size[i] >= 0) continue;
        if (!size)
            return fail_with(c->error, WG_EARGUMENT,
                             "run: no input's shape tells the size \"%s\"; give "
                             "it in the list of sizes",
                             name_at(t, t->size.at[i]));
        c->size[i] = size[i];
    }
    for (size_t i = 0; status == WG_OK && i < t->input.count; i++)
        status = check_shape(c, "input", &t->input.at[i], &input[i]);
    return status;
}

wg_status bind_inputs(const struct trace *t, const int64_t *given, const wg_tensor *input,
                      int64_t *size, const void **data, wg_error *error) {
    struct tensor_call c = {.t = t, .size = size, .input = data, .error = error};
    return read_inputs(&c, given, input);
}

/* ---- outputs --------------------------------------------------------------------------------- */

static wg_status make_output(struct tensor_call *c, size_t index, wg_tensor *y) {
    const struct port *port = &c->t->output.at[index];
    const wg_type *type = type_of(c->t, port->v);
    if (y->data) {
        c->output[index] = y->data;
        return check_shape(c, "output", port, y);
    }
    int64_t count;
    wg_tensor made = {.dtype = (wg_dtype)type->dtype, .rank = type->rank};
    if (!type_eval(c->t, type, c->size, made.shape, &count))
        return fail_with(c->error, WG_EOVERFLOW, "run: no memory holds the output \"%s\"",
                         name_at(c->t, port->name));
    wg_status status = tensor_alloc(&made, &c->fn->allocator, c->error);
    if (status) return status;
    *y = made;
    c->output[index] = y->data;
    c->allocated[index] = true;
    return WG_OK;
}

static wg_status run(struct tensor_call *c, const int64_t *size, const wg_tensor *input,
                     wg_tensor *output) {
    size_t outputs = c->t->output.count;
    wg_status status = read_inputs(c, size, input);
    /* before outputs are made, whose extents would be negative where a check fails */
    if (status == WG_OK) status = check_sizes(c->fn, c->size, c->error);
    for (size_t i = 0; status == WG_OK && i < outputs; i++) status = make_output(c, i, &output[i]);
    if (status == WG_OK) status = wg_call_with(c->fn, c->size, c->input, c->output, NULL, c->error);
    for (size_t i = 0; status != WG_OK && i < outputs; i++)
        if (c->allocated[i]) wg_tensor_free(&output[i], &c->fn->allocator);
    return status;
}

wg_status wg_run(const wg_function *fn, const int64_t *size, const wg_tensor *input,
                 wg_tensor *output, wg_error *error) {
    if (failed(error)) return error->status;
    if (!fn) return fail_with(error, WG_EARGUMENT, "run: the function is NULL");
    const struct trace *t = &fn->program->t;
    const wg_allocator *a = &fn->allocator;
    if ((!input && t->input.count) || !output)
        return fail_with(error, WG_EARGUMENT, "run: the list of %s is NULL",
                         output ? "inputs" : "outputs");
    size_t sizes = t->size.count + 1, inputs = t->input.count + 1, outputs = t->output.count + 1;
    struct tensor_call c = {.fn = fn, .t = t, .error = error};
    c.size = mem_alloc_zero(a, sizes * sizeof *c.size); /* one more, so that none is empty */
    c.input = mem_alloc_zero(a, inputs * sizeof *c.input);
    c.output = mem_alloc_zero(a, outputs * sizeof *c.output);
    c.allocated = mem_alloc_zero(a, outputs * sizeof *c.allocated);
    wg_status status = c.size && c.input && c.output && c.allocated ? run(&c, size, input, output)
                                                                    : fail_memory(error);
    mem_free(a, c.size, sizes * sizeof *c.size);
    mem_free(a, c.input, inputs * sizeof *c.input);
    mem_free(a, c.output, outputs * sizeof *c.output);
    mem_free(a, c.allocated, outputs * sizeof *c.allocated);
    return status;
}
