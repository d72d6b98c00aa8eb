/* An allocator for tests: it fails where it is told to, and watches that what the library takes it
 * gives back, naming the right size. Not for use from several threads. */
#ifndef FAILING_ALLOCATOR_H
#define FAILING_ALLOCATOR_H

#include "wengert/base.h"

/* Start from all zero: it then never fails. */
struct failing_allocator {
    size_t fail_at;  /* this request fails, the first is 1; 0: none does */
    bool fail_after; /* so do all that follow it */
    size_t requests; /* so far, those that failed included; frees do not count */
    size_t live_blocks, live_bytes, peak_bytes;
    size_t wrong_sizes; /* blocks that came back with another old_size than they were given */
};

/* The hook; the allocator must outlive it. */
wg_allocator failing_hook(struct failing_allocator *allocator);

/* Runs `work` with the n-th request failing, alone and with all that follow, for n = 1, 2, ...
 * until it asks for less than n; where sanitizers slow this down (WG_INSTRUMENTED), of those behind
 * the 128th with every fourth. Asserts (cmocka) that a run is WG_OK if and only if nothing failed,
 * is WG_ENOMEM otherwise, and leaves no block behind. Returns how many requests a whole run
 * makes. */
size_t fail_every_request(wg_status (*work)(const wg_allocator *allocator, void *ctx), void *ctx);

#endif
