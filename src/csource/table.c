/* Const tables of a file: their initial values, computed by carrying out the initialiser, whose
 * numbers are literals, on a graph of its own. */
#include "csource/lower.h"

enum { MAX_TABLE = 1 << 20 };

value table_element(struct lower *l, const struct cell *c, int64_t k) {
    switch (cell_dtype(c)) {
    case WG_F64: return build_number(l->g, WG_F64, ((const double *)c->constant)[k]);
    case WG_F32: return build_number(l->g, WG_F32, (double)((const float *)c->constant)[k]);
    case WG_BOOL: return truth(l, ((const uint8_t *)c->constant)[k] != 0);
    case WG_I32: return whole(l, ((const int32_t *)c->constant)[k]);
    default: return whole(l, ((const int64_t *)c->constant)[k]);
    }
}

void table_put(struct lower *l, struct cell *c, value index, value v, const struct node *at) {
    int64_t bits, k = 0;
    void *data = (void *)(uintptr_t)c->constant; /* this lowering's own memory */
    if (stopped(l) || (c->is_array && !literal_of(l, index, &k))) return;
    if (k < 0 || k >= c->count || !value_is_splat(&l->g->t, v, &bits)) {
        refuse_at(l, &at->spot, NULL, "the initial value of a const table is not constant");
        return;
    }
    switch (cell_dtype(c)) {
    case WG_F64: ((double *)data)[k] = literal_to_f64(WG_F64, bits); break;
    case WG_F32: ((float *)data)[k] = (float)literal_to_f64(WG_F32, bits); break;
    case WG_BOOL: ((uint8_t *)data)[k] = bits != 0; break;
    case WG_I32: ((int32_t *)data)[k] = (int32_t)bits; break;
    default: ((int64_t *)data)[k] = bits;
    }
}

bool table_fill(struct lower *l, struct object *object, const struct node *init) {
    for (uint32_t i = 0; i < object->cell_count; i++) {
        struct cell *c = &object->cell[i];
        if (c->type->kind == TYPE_POINTER) continue;
        if (c->count < 0 || c->count > MAX_TABLE) {
            refuse_at(l, &init->spot, NULL, "a const table of this size is not carried");
            return false;
        }
        if (!(c->constant = keep(l, (size_t)c->count * sizeof(int64_t)))) return false;
    }
    wg_graph *outer = l->g, *own = graph_new(&l->allocator);
    struct watch *watch = l->watch;
    if (!own) {
        refuse_memory(l);
        return false;
    }
    l->g = own;
    l->watch = NULL;
    l->is_filling = true;
    initialise(l, place_of(l, object), init);
    if (own->error.status) fail_as(&l->error, &own->error);
    l->is_filling = false;
    l->g = outer;
    l->watch = watch;
    wg_graph_free(own);
    return !stopped(l);
}
