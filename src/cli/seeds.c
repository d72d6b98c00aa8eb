/* Tangents of inputs and adjoints of outputs, as --tangent and --adjoint give them: a value of the
 * shape of what it belongs to, or a bare name for ones. */
#include "cli/cli.h"

/* Ones of this shape, for a name without a value. */
static bool ones(struct cli *c, const wg_tensor *like, wg_tensor *tensor) {
    wg_tensor made = *like;
    if (tensor_alloc(&made, &c->allocator, &c->error)) return false;
    for (int64_t i = wg_tensor_count(&made); i-- > 0;) {
        if (made.dtype == WG_F32)
            ((float *)made.data)[i] = 1;
        else
            ((double *)made.data)[i] = 1;
    }
    *tensor = made;
    return true;
}

static void shape_text(wg_text *text, const wg_tensor *tensor) {
    text_add(text, wg_dtype_name(tensor->dtype));
    for (int i = 0; i < tensor->rank; i++)
        text_format(text, "%s%lld", i ? "," : "[", (long long)tensor->shape[i]);
    if (tensor->rank) text_add(text, "]");
}

static bool same_shape(struct cli *c, const struct named *value, const wg_tensor *like,
                       const wg_tensor *given) {
    bool same = like->rank == given->rank;
    for (int i = 0; same && i < like->rank; i++) same = like->shape[i] == given->shape[i];
    if (same) return true;
    wg_text wanted = {.allocator = c->allocator}, got = {.allocator = c->allocator};
    shape_text(&wanted, like);
    shape_text(&got, given);
    input_error(c, WG_ESHAPE, "%s: %s expected, %s given", value->source,
                wanted.data ? wanted.data : "another shape", got.data ? got.data : "this one");
    wg_text_free(&wanted);
    wg_text_free(&got);
    return false;
}

static bool read_seed(struct cli *c, struct named *value, const wg_tensor *like, wg_tensor *seed) {
    if (like->dtype != WG_F32 && like->dtype != WG_F64)
        return input_error(c, WG_EDTYPE, "%s: it is %s, which has no derivatives", value->source,
                           wg_dtype_name(like->dtype));
    if (value->bare) return ones(c, like, seed);
    return take_value(c, value, like->dtype, seed) && same_shape(c, value, like, seed);
}

bool read_seeds(struct cli *c, enum option_id id, const wg_tensor *like, wg_tensor **seed) {
    bool outputs = id == OPT_ADJOINT;
    size_t count = port_count(c, outputs);
    struct named_list list = {0};
    *seed = new_tensors(c, count);
    bool ok = *seed && read_values(c, id, true, &list) && names_are_known(c, &list, outputs);
    for (size_t i = 0; ok && i < list.item.count; i++) {
        struct named *value = &list.item.at[i];
        int index = port_index(c, outputs, value->name);
        if (like) ok = read_seed(c, value, &like[index], &(*seed)[index]);
    }
    free_values(c, &list);
    if (!ok) {
        free_tensors(c, *seed, count);
        *seed = NULL;
    }
    return ok;
}
