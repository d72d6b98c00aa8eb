/* Sets of small integers, each kept once: runs of neighbours, found by hash, so that equal sets are
 * equal numbers and a union that adds nothing makes nothing. What a dependency is carried in, where
 * 10^5 variables are spread over as many results: most sets have few runs, and most unions have
 * been made before. All is freed together. */
#ifndef SETS_H
#define SETS_H

#include "base/base.h"

/* 0: the empty set; 1 + i: the set { i }; above that, those of several elements. */
typedef uint32_t set_id;

struct set_run { /* begin, begin + 1, ..., end - 1 */
    uint32_t begin, end;
};

struct set_entry { /* where its runs are */
    size_t at;
    uint32_t count, hash;
};

struct sets {
    wg_allocator allocator;
    uint32_t universe; /* elements are below it */
    VEC(struct set_run) run;
    VEC(struct set_entry) entry;
    uint32_t *slot; /* 1 + number of an entry, 0 empty; open addressing */
    size_t slots;
    struct set_pair {
        set_id a, b, joined;
    } * known; /* unions that were made, by hash of the pair; later ones replace earlier ones */
    VEC(struct set_run) gathered; /* what sets_add has brought */
    size_t sorted;                /* how many runs of it are in order and apart */
    set_id last;                  /* that was added */
    bool failed;                  /* memory has ended: every set is wrong from there on */
};

enum { SETS_UNIVERSE = INT32_MAX }; /* the largest */

/* False without memory; sets_close in any case. */
bool sets_open(struct sets *s, const wg_allocator *allocator, uint32_t universe);
void sets_close(struct sets *s);
set_id sets_join(struct sets *s, set_id a, set_id b);
/* The union of many: begin, add, ..., end. */
void sets_begin(struct sets *s);
void sets_add(struct sets *s, set_id a);
set_id sets_end(struct sets *s);
/* The runs of a set, ascending and apart; room: for the set of one element. They may move when a
 * set is made. */
const struct set_run *sets_runs(const struct sets *s, set_id a, struct set_run *room,
                                size_t *count);
/* The number of elements. */
uint64_t sets_size(const struct sets *s, set_id a);

#endif
