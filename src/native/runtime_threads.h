/* Loops that threads share, piece by piece. Pieces do not depend on how many threads there are, and
 * sums are taken in groups whose results are put together in order. Without OpenMP all of this is
 * one thread's. */
#ifdef _OPENMP
extern int omp_get_thread_num(void); /* that header is not installed with every compiler */
#define WG_THREAD omp_get_thread_num()
#define WG_PRAGMA(text) _Pragma(#text)
#else
#define WG_THREAD 0
#define WG_PRAGMA(text)
#endif
/* work: simple operations. Two threads are as fast as one at a third of WG_MUCH, as bench/threads.c
 * measures. */
#define WG_SHARED(work)                                                                            \
    WG_PRAGMA(omp parallel for schedule(static) num_threads(f->threads) if ((work) >= WG_MUCH))
#ifndef WG_MUCH
#define WG_MUCH 200e3
#endif
#ifndef WG_PIECE
#define WG_PIECE 4096 /* elements that a thread takes at once, about */
#endif
#define WG_GROUP ((int64_t)64 * WG_BLOCK) /* elements of a sum: what one level of it holds */
#define WG_GROUPS 32                      /* that are found before they are put together */

/* Iterations of a loop in a piece, where each has so many elements: whole vectors of them if there
 * are many. */
static inline int64_t wg_step(int64_t inner)
{
    int64_t step = inner > 0 ? WG_PIECE / inner : WG_PIECE;
    return step >= 16 ? step - step % 16 : step > 0 ? step : 1;
}
/* The same where the loop goes along rows, of which a piece should have whole lines of memory. */
static inline int64_t wg_step_along(int64_t inner)
{
    const int64_t step = wg_step(inner);
    return step < 16 ? 16 : step;
}
