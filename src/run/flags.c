/* What the compiler of native code is told. Fast code of gcc and of clang takes different words:
 * clang contracts products and sums only where it is asked to, and gets glibc's vector functions by
 * an option. Flags that the caller gives are taken as they are, for every compiler. */
#include "run/run.h"

/* Processors for which compilers prefer shorter vectors to those of AVX-512 gain by the long ones
 * here, where loops compute more than they load. */
#if defined(__x86_64__)
#define ANY_FAST                                                                                   \
    "-march=native -mprefer-vector-width=512 -fno-math-errno -fno-trapping-math"
#else
#define ANY_FAST "-march=native -fno-math-errno -fno-trapping-math"
#endif

/* Loops are written with both sides of every choice computed. gcc must not make branches of that: a
 * function moved behind a condition, conditions joined into truth values that are no vectors, and
 * the loop is not made vector code of. */
const char native_usual_flags[] = "-O3 -fno-tree-sink -fno-thread-jumps -fno-tree-pre " ANY_FAST;
static const char clang_flags[] = "-O3 -ffp-contract=fast " ANY_FAST;
/* Long scalar code is compiled in time only with less effort. */
static const char long_flags[] = "-Og -fno-tree-dse " ANY_FAST;
static const char long_clang_flags[] = "-O1 -ffp-contract=fast " ANY_FAST;

/* Cuts the words apart in `list->bytes`, behind what every compilation needs. */
static bool split(struct flag_list *list, const char *flags, bool threads, wg_error *error) {
    size_t count = 0;
    list->word[count++] = "-std=gnu11";
    list->word[count++] = "-w";
    if (threads) list->word[count++] = "-fopenmp";
    memcpy(list->bytes, flags, strlen(flags) + 1);
    for (char *s = list->bytes; *s;) {
        s += strspn(s, " \t\n");
        if (!*s) break;
        if (count == MAX_FLAGS)
            return fail_with(error, WG_EARGUMENT, "compile: more than %d flags", MAX_FLAGS), false;
        list->word[count++] = s;
        s += strcspn(s, " \t\n");
        if (*s) *s++ = 0;
    }
    list->word[count] = NULL;
    return true;
}

bool flags_make(struct flags *flags, const struct flags_wanted *wanted, struct toolchain_options *o,
                wg_error *error) {
    bool is_long = wanted->is_long, usual = wanted->given == native_usual_flags;
    o->flags = flags->any.word;
    if (!usual) return split(&flags->any, wanted->given, wanted->threads, error);
    o->clang_flags = flags->clang.word;
    o->vector_library = !is_long;
    return split(&flags->any, is_long ? long_flags : wanted->given, wanted->threads, error) &&
           split(&flags->clang, is_long ? long_clang_flags : clang_flags, wanted->threads, error);
}
