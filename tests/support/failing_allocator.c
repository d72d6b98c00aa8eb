/* Each block carries its size in front of it, so that the size given back can be compared. The
 * block itself comes from malloc, at its exact size: a sanitizer sees every byte beyond it. */
#include "support/failing_allocator.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct header {
    size_t size;
    max_align_t block[];
};

static bool fails(struct failing_allocator *f) {
    f->requests++;
    return f->fail_at != 0 &&
           (f->requests == f->fail_at || (f->fail_after && f->requests > f->fail_at));
}

/* A block that grows always moves, so that no stale pointer into it goes unseen. */
static void *failing_resize(void *ctx, void *block, size_t old_size, size_t new_size) {
    struct failing_allocator *f = ctx;
    struct header *old = block ? (struct header *)((char *)block - sizeof *old) : NULL;
    if (old_size != (old ? old->size : 0)) f->wrong_sizes++;

    struct header *new = NULL;
    if (new_size > 0) {
        if (fails(f)) return NULL;
        new = new_size <= SIZE_MAX - sizeof *new ? malloc(sizeof *new + new_size) : NULL;
        if (!new) return NULL;
        new->size = new_size;
        memset(new->block, 0xA5, new_size); /* nothing may count on zeros */
        f->live_blocks++;
        f->live_bytes += new_size;
        if (f->live_bytes > f->peak_bytes) f->peak_bytes = f->live_bytes;
    }
    if (old) {
        if (new) memcpy(new->block, block, old->size < new_size ? old->size : new_size);
        f->live_blocks--;
        f->live_bytes -= old->size;
        free(old);
    }
    return new ? new->block : NULL;
}

wg_allocator failing_hook(struct failing_allocator *allocator) {
    return (wg_allocator){.resize = failing_resize, .ctx = allocator};
}

size_t fail_every_request(wg_status (*work)(const wg_allocator *allocator, void *ctx), void *ctx) {
    enum { FIRST = 128 };
    size_t step = getenv("WG_INSTRUMENTED") ? 4 : 1;
    for (size_t n = 1;; n += n < FIRST ? 1 : step) {
        size_t requests = 0;
        for (int after = 0; after < 2; after++) {
            struct failing_allocator f = {.fail_at = n, .fail_after = after};
            wg_allocator hook = failing_hook(&f);
            wg_status status = work(&hook, ctx);
            assert_int_equal(status, f.requests < n ? WG_OK : WG_ENOMEM);
            assert_int_equal(f.live_blocks, 0);
            assert_int_equal(f.wrong_sizes, 0);
            requests = f.requests;
        }
        if (requests < n) return requests;
    }
}
