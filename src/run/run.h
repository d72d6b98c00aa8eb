/* What a compiled function is, and how its parts speak with one another. Compiling goes through
 *   measure.c    the sizes of types, as far as they are known before a call
 *   schedule.c   the trace into steps: scalar code, blocked groups, operations
 *   plan.c       the steps into storage: every value its place, every operand resolved
 * and a call through
 *   call.c       sizes into shapes, checks and addresses
 *   interpret.c  the steps, one after the other
 * or, where native code is asked for, instead of the second and third and the last through
 *   native.c     loop nests into storage, C, and code that drives itself
 * A function never changes once it is made; all that a call writes lies in the caller's buffers and
 * in one workspace. */
#ifndef RUN_H
#define RUN_H

#include "native/toolchain.h"
#include "op/in_place.h"
#include "wengert/run.h"

enum { WG_NOTE_SIZE = 512 };

/* Where a value is during a call: two bits of kind, thirty of index.
 *   CELL      a scalar: eight bytes of the workspace
 *   POOL      a scalar constant: eight bytes of the function
 *   TABLE     a tensor: an entry of the call's address table, which lists inputs, outputs, constant
 *             tensors and slots of the workspace, in this order
 *   REGISTER  inside a group: a block of scratch memory */
typedef uint32_t place;

enum place_kind { CELL, POOL, TABLE, REGISTER };

#define PLACE_BITS 30
#define PLACE_LIMIT (UINT32_C(1) << PLACE_BITS)
#define CELL_SIZE sizeof(int64_t)

static inline place place_of(enum place_kind kind, size_t index) {
    return (place)kind << PLACE_BITS | (place)index;
}
static inline enum place_kind place_kind(place p) { return (enum place_kind)(p >> PLACE_BITS); }
static inline size_t place_index(place p) { return p & (PLACE_LIMIT - 1); }

/* A kernel with its operands, the whole of a scalar instruction. Unused arguments are 0. */
struct apply {
    elementwise_kernel *kernel;
    place out, arg[3];
};

/* An instruction of a blocked group. Without a kernel it fills a block of the broadcast `fill` of
 * arg[0]. width: bytes of an element of out, then of each argument. */
struct lane {
    struct apply apply;
    uint8_t width[4];
    value fill;
};

/* Elementwise instructions over one domain, run block by block, so that what only the group uses
 * never leaves the cache. Its first `splats` lanes fill registers with scalars, once. */
struct group {
    uint32_t lane, count, splats;
    uint32_t block; /* elements; 0: all at once                                                   */
    type_id type;   /* some type with as many elements as the domain                              */
};

struct copy {
    place to, from;
    type_id type;
};

enum step_kind {
    STEP_SCALARS,
    STEP_GROUP,
    STEP_OPERATION,
    STEP_COPIES,
    STEP_REGION, /* first: in operand, the results behind the region's own; count: in region      */
    STEP_CHECK /* of an operation that native code computes: its operands' values only */
};

struct step {
    enum step_kind kind;
    uint32_t first; /* in scalar, group, operand (the result, then the arguments), or copy        */
    uint32_t count; /* of an operation or check: its instruction                                  */
};

/* The number of elements or bytes of a tensor: factor times the product of the named extents
 * `part`, which is one for all tensors with the same named extents. Part 0 is the empty product. */
struct measure {
    uint32_t part;
    int64_t factor;
};

struct
    measures { /* of types; keys are sequences of extents, interned by open addressing          */
    VEC(struct span) key;
    VEC(wg_extent) extent;
    uint32_t *bucket; /* 1 + key, 0 empty                                                     */
    size_t capacity, type_count;
    struct measure
        *count;       /* of each type: its elements                                           */
    uint32_t *domain; /* of each type: the same for types of equally many elements            */
};

struct scalar_input {
    uint32_t input, cell;
};

/* A loop or branch: its bodies as functions, which run in memory of the function around them. A
 * result that follows an operand can be made in its place: so does what a loop carries, and what a
 * branch makes of a captured array by updates. */
struct region_code {
    value v;
    size_t bodies, items;
    struct wg_function **body;
    uint32_t *follows; /* of each result: the number of an operand, or FOLLOWS_NONE */
    bool *unread; /* results that nobody reads; those a native body does not make, if not carried */
};

struct wg_function {
    wg_allocator allocator;
    wg_program *program; /* its own copy */
    struct measures measures;

    VEC(struct step) step;
    VEC(struct apply) scalar;
    VEC(struct group) group;
    VEC(struct lane) lane;
    VEC(place) operand;
    VEC(struct copy) copy;
    VEC(struct region_code) region;
    VEC(struct wg_function *) inside; /* of native code: all bodies, also of bodies */
    uint32_t number;                  /* of a body among them */
    bool expanded;                    /* of the program as nests want it */
    bool has_cells;                   /* of a body: scalars that its parts share */

    VEC(int64_t) pool; /* scalar constants                                     */
    VEC(struct scalar_input)
    scalar_input;               /* copied into cells before the first step              */
    VEC(struct measure) slot;   /* in bytes                                             */
    VEC(type_id) type;          /* those that values have                               */
    uint32_t *donor;            /* of each output: 1 + input whose buffer it may have   */
    size_t cell_count, scratch; /* scratch in bytes                                     */
    int threads;                /* that a call of native code may use; 0: one, by simpler code */
    struct loaded library;      /* of native code, and */
    void *code;                 /* its function; NULL: the interpreter drives */
    char note[WG_NOTE_SIZE];    /* why not, or not quite, where native code was asked for */
    wg_text log;                /* of the compiler, from the standard allocator */
    struct background *background; /* WG_AUTO: what the compiler is at work on, or NULL */
    struct shape *shape;        /* of types, if there are no named sizes; else made by a call */
    int64_t *extent_value;      /* of extents, likewise */
};

static inline size_t table_output(const struct wg_function *fn, size_t index) {
    return fn->program->t.input.count + index;
}
static inline size_t table_blob(const struct wg_function *fn, size_t index) {
    return table_output(fn, fn->program->t.output.count) + index;
}
static inline size_t table_slot(const struct wg_function *fn, size_t index) {
    return table_blob(fn, fn->program->t.blob.count) + index;
}

/* ---- measure.c ------------------------------------------------------------------------------- */
bool measures_make(struct wg_function *fn, wg_error *error);
void measures_free(struct wg_function *fn);
/* Its value under sizes; false if no size_t holds it. */
bool measure_eval(const struct wg_function *fn, struct measure m, const int64_t *size,
                  size_t *result);

/* The measure of a type that no value need have. False if there is no memory. */
bool measure_of(struct wg_function *fn, const wg_type *type, struct measure *measure);

/* ---- schedule.c ------------------------------------------------------------------------------ */

enum making {         /* how a value comes to be */
              RESULT, /* of a region, which is the step */
              GIVEN,  /* an input or constant: there before the first step */
              ALIAS,  /* a reshape or copy: another name for its root */
              FILL,   /* a broadcast: made block by block inside the groups that read it */
              MEMBER, /* elementwise: of a group or of scalar code */
              ALONE   /* an operation of its own */
};

/* A step in the making: its members in trace order are first, next[first], ..., last. Phase 0 is
 * what was before the call. */
struct phase {
    enum step_kind kind;
    bool consumed;     /* another step reads one of its values */
    uint32_t position; /* steps run in this order */
    value first, last;
};

struct schedule {
    size_t count;    /* of values */
    uint8_t *making; /* enum making */
    value *root;     /* whose storage a value has */
    value *next;     /* member of the same step */
    uint32_t *phase; /* that makes it; 0: none */
    VEC(struct phase) step;
    uint32_t *order; /* phases as they run */
    value *sequence; /* what op/in_place.h says of values from 1 on */
    bool *taken;
    size_t order_count;
};

/* The order of values from 1 on, as op/in_place.h says it: nobody can have the place of an output,
 * or of an input that is not donated. */
bool make_sequence(const struct wg_function *fn, bool native, value **sequence, bool **taken);
/* Whether native code copies this output before all else: it is an input whose place another one
 * has, which so need not wait for it, or copy it. */
bool is_copied_first(const struct wg_function *fn, size_t output);
bool schedule_make(const struct wg_function *fn, struct schedule *s, wg_error *error);
void schedule_free(const struct wg_function *fn, struct schedule *s);
/* What a member reads where its argument is v: the value whose storage it is, and whether a fill
 * stands between. */
value source_of(const struct schedule *s, const struct trace *t, value v, bool *fill);
elementwise_kernel *kernel_of(const struct trace *t, const struct instr *i);

/* ---- slots.c --------------------------------------------------------------------------------- */
typedef VEC(uint32_t) id_vec;

struct slots { /* begin with fn and error, the rest zero */
    struct wg_function *fn;
    wg_error *error;
    id_vec first_free; /* of each measure's part: 1 + its first free slot; 0: none */
    id_vec next_free;  /* of each slot: 1 + the next free one */
    id_vec free_cell;
};

/* entry: of the call's table. All but slots_free and slots_end may fail. */
bool slots_take(struct slots *s, struct measure need, uint32_t *entry);
void slots_free(struct slots *s, uint32_t slot);
bool slots_take_cell(struct slots *s, uint32_t *cell);
/* So many new ones, one behind the other. */
bool slots_take_cells(struct slots *s, size_t count, uint32_t *first);
bool slots_free_cell(struct slots *s, uint32_t cell);
void slots_end(struct slots *s);
/* From elements to bytes; an error if that overflows. */
bool measure_in_bytes(struct measure *m, wg_dtype dtype, wg_error *error);

/* ---- plan.c ---------------------------------------------------------------------------------- */
bool plan_make(struct wg_function *fn, const struct schedule *s, wg_error *error);

/* ---- function.c ------------------------------------------------------------------------------ */
/* The body of a region as a function that may make outputs where inputs are; donor: of each output
 * of the program 1 + that input, or 0. NULL: none. */
struct wg_function *interpreted_body(const wg_program *program, const struct wg_function *around,
                                     const uint32_t *donor, wg_error *error);
enum form { /* of a program before it gets its plan */
    INTERPRETED,
    NATIVE_BODY, /* as nests want it */
    NATIVE_WHOLE /* the same of what is no body: with axes that are taken in portions */
};
/* A function without a plan yet; of native forms without the outputs that are unread (NULL:
 * none). NULL and an error. */
struct wg_function *function_prepare(const wg_program *program, const wg_options *options,
                                     enum form form, const bool *unread, wg_error *error);
/* Keeps a message as the note of fn, behind a head of fewer than 64 bytes. */
void function_note(struct wg_function *fn, const char *head, const wg_error *why);
static inline bool has_named_sizes(const struct wg_function *fn) {
    return fn->program->t.size.count > 0;
}

struct call;
struct region;
struct view;

/* ---- call.c ---------------------------------------------------------------------------------- */
/* What the program requires of its sizes, and that there are any: WG_ESHAPE or WG_EARGUMENT. */
wg_status check_sizes(const struct wg_function *fn, const int64_t *size, wg_error *error);
/* wg_call_with, by the interpreter; *moved receives the bytes that it wrote. */
wg_status call_counted(const struct wg_function *fn, const int64_t *size, const void *const *input,
                       void *const *output, int64_t *moved, wg_error *error);
/* Lays out the workspace at base (NULL: only counts its bytes), which is aligned, and fills in
 * c. */
wg_status lay_out(const struct wg_function *fn, const int64_t *size, void *base, struct call *c,
                  size_t *bytes, wg_error *error);
/* A block for wg_workspace_free; NULL and an error without memory. */
void *workspace_make(const wg_allocator *allocator, size_t bytes, wg_error *error);
/* The addresses of constants, into the call's table. */
void take_blobs(struct call *c);

/* The bytes of workspace as an extent of g, the program's sizes there being size_map: exact but for
 * blocks of named extents, which a call rounds up each. Errors are the graph's. */
wg_extent workspace_extent(const struct wg_function *fn, wg_graph *g, const wg_extent *size_map);

/* ---- interpret.c ----------------------------------------------------------------------------- */

struct call { /* one call: what its steps see */
    const struct wg_function *fn;
    char *base[2]; /* of CELL and POOL; nothing writes through the second */
    char **table;
    char *scratch;
    char *inner;               /* the workspace of whatever region runs */
    const int64_t *size;       /* the named sizes */
    const struct shape *shape; /* of each type */
    const int64_t *extent_value;
    int64_t *moved; /* counts the bytes that are written; NULL: nobody wants to know */
    wg_error *error;
};

wg_status interpret(const struct call *c);
/* One operation, or check, of fn->step. */
wg_status call_operation(const struct call *c, uint32_t step);
/* The same with its result and operands given; of c only fn, extent_value and error matter. */
wg_status apply_operation(const struct call *c, value v, struct view *operand, bool check);

/* ---- moved.c --------------------------------------------------------------------------------- */
/* The bytes that the steps of a call's function write when they run once, without what regions
 * do. */
int64_t bytes_moved(const struct call *c);

/* ---- region.c -------------------------------------------------------------------------------- */
/* The bodies of all regions as functions of fn; false and an error. */
bool regions_make(struct wg_function *fn, wg_error *error);
void regions_free(struct wg_function *fn);
/* The code of the region v. */
const struct region_code *region_code(const struct wg_function *fn, value v);
/* The largest workspace that one of them needs under these sizes. */
wg_status regions_size(const struct wg_function *fn, const int64_t *size, size_t *bytes,
                       wg_error *error);
wg_status run_region(const struct call *c, const struct step *step);
enum { MAX_SIZES = 64 }; /* named sizes of a body */
/* The sizes of body k under those of the program around it. */
wg_status body_sizes(const struct trace *t, const struct region *r, size_t k, const int64_t *size,
                     int64_t *of_body, wg_error *error);

/* ---- native.c -------------------------------------------------------------------------------- */
/* Where the functions go that the bodies of a program's loops and branches are. */
enum { MAX_FUNCTION_NAME = 200 };
struct around;
struct ahead_list;
struct native_bodies {
    const char *name;  /* of the program's function */
    const char *whole; /* of the outermost program's, at most MAX_FUNCTION_NAME bytes */
    bool called;      /* they call the library's operations; else they stand for themselves */
    bool cblas;
    wg_text *text;
    struct wg_function *outermost;
    const struct around *around; /* of what is planned, if it is the body of a loop; else NULL */
    struct ahead_list *ahead;    /* and what it leaves to be checked in front of that */
};
/* Plans fn, of which program, donors, measures and shapes are there, and has it written, behind its
 * bodies. */
struct writing;
typedef bool native_writer(const struct writing *writing, void *context, wg_error *error);
bool native_plan(struct wg_function *fn, struct native_bodies *bodies, native_writer *write,
                 void *context, wg_error *error);
/* The same as the C that is loaded, appended to a text. */
bool native_write(struct wg_function *fn, wg_text *text, wg_error *error);
/* Compiles that and loads it; fn->log tells how, also on error. flags: fewer than NATIVE_FLAGS_SIZE
 * bytes. */
bool native_load(struct wg_function *fn, const wg_text *text, const char *flags, wg_error *error);
wg_status native_call(const struct call *c, const int64_t *size);

/* ---- native_region.c ------------------------------------------------------------------------- */
/* The body of a region as a function that is not planned yet, without the outputs that are unread
 * (NULL: none). donor: NULL, or of each output 1 + the input in whose place it is made, if it is no
 * scalar; 0: none. */
struct wg_function *native_body(const wg_program *program, const bool *unread,
                                const uint32_t *donor, wg_error *error);
/* Writes a function that is planned as shipped C. */
struct ship_wanted {
    const char *name;
    int kind; /* enum ship_kind */
    bool cblas;
    uint32_t number;
};
struct shipped_work { /* bytes of workspace; named: more, which depend on sizes */
    size_t bytes;
    bool named;
};
bool ship_function(const struct wg_function *fn, const struct writing *writing,
                   const struct ship_wanted *wanted, wg_text *code, wg_text *header,
                   struct shipped_work *work, wg_error *error);
/* emit.c: what stands behind #ifndef WG_RESTRICT in headers. */
#define RESTRICT_DEFINITION                                                                       \
    "#if defined(__GNUC__) || defined(_MSC_VER)\n"                                                \
    "#define WG_RESTRICT __restrict\n"                                                            \
    "#elif !defined(__cplusplus)\n"                                                               \
    "#define WG_RESTRICT restrict\n"                                                              \
    "#else\n"                                                                                     \
    "#define WG_RESTRICT\n"                                                                       \
    "#endif\n"                                                                                    \
    "#endif\n"
/* Appends a program as a static function, which needs nothing but the runtime. */
bool emit_core(const wg_program *program, const char *name, bool cblas, wg_text *code,
               struct shipped_work *work, wg_error *error);
/* Plans and writes all bodies of fn. */
enum { BODY_NAME = MAX_FUNCTION_NAME + 120 };
struct body_code;
struct body_list {
    size_t count;
    struct body_code *body;
    char (*name)[BODY_NAME];
    struct ahead_list *ahead; /* of each */
};
bool write_bodies(struct wg_function *fn, struct native_bodies *b, struct body_list *list,
                  wg_error *error);
void body_list_free(const struct wg_function *fn, struct body_list *list);
/* The bytes that the bodies of native code need under these sizes. */
wg_status native_inner(const struct wg_function *fn, const int64_t *size, size_t *bytes,
                       wg_error *error);
/* What a body calls the library with: see native/runtime.h. */
int call_inside(void *call, uint32_t number, uint32_t operation, int check, void *const *at,
                const int64_t *size);

/* ---- threads.c ------------------------------------------------------------------------------- */
enum { MAX_THREADS = 1024 };
/* What wg_options.threads stands for: 0, or from 1 to MAX_THREADS; -1: nothing. */
int native_threads(int given);

/* ---- flags.c --------------------------------------------------------------------------------- */
enum { NATIVE_FLAGS_SIZE = 1024, MAX_FLAGS = 32 };
extern const char native_usual_flags[]; /* where the caller gives none */
struct flag_list {
    char bytes[NATIVE_FLAGS_SIZE];
    const char *word[MAX_FLAGS + 1];
};
struct flags {
    struct flag_list any, clang;
};
/* What the flags depend on. */
struct flags_wanted {
    const char *given; /* fewer than NATIVE_FLAGS_SIZE bytes, or native_usual_flags itself */
    bool is_long;      /* scalar code in several functions */
    bool threads;      /* with OpenMP */
};
/* Sets the flags of o, which point into `flags`. */
bool flags_make(struct flags *flags, const struct flags_wanted *wanted, struct toolchain_options *o,
                wg_error *error);

/* ---- background.c ---------------------------------------------------------------------------- */
/* Plans native and has it compiled by a thread, for fn; takes native, also on error. */
bool background_start(struct wg_function *fn, struct wg_function *native, const char *flags,
                      wg_error *error);
void background_end(struct wg_function *fn); /* waits for the compiler */
/* What is to be called in the place of fn by now, and what will be; NULL: nothing. */
const struct wg_function *background_native(const struct wg_function *fn);
const struct wg_function *background_planned(const struct wg_function *fn);
const char *background_note(const struct wg_function *fn);
const char *background_log(const struct wg_function *fn);

/* ---- tensor.c -------------------------------------------------------------------------------- */
/* The named sizes of a call on tensors, read off the inputs' shapes or else taken from `given`, and
 * the addresses of the inputs' data; every type is checked, as wg_run does. */
wg_status bind_inputs(const struct trace *t, const int64_t *given, const wg_tensor *input,
                      int64_t *size, const void **data, wg_error *error);

/* "file:line: ", or nothing where no site is known. */
void site_head(const struct trace *t, uint32_t site, char *head, size_t size);

#endif
