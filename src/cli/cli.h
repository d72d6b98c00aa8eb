/* Inside of the `wengert` command: what its files share. One run of the command goes through
 *   main.c         from argv to the exit status
 *   commands.c     the one table of commands and options; everything below reads it
 *   arguments.c    argv, read by the table
 *   help.c         the help texts, written from the table
 *   load.c         the formula into a program, --at and --size into what it is run on
 *   csource.c      the C function, and the options of its compiler, likewise
 *   seeds.c        --tangent and --adjoint
 *   values.c, json.c, fill.c   "x=[1,2],y=@f.npy" and JSON into tensors
 *   look.c, derivatives.c, products.c, taylor.c, check.c, costs.c, emit.c, cc.c,
 *   cache.c        the commands
 *   numeric.c      --mode numeric: how differences are taken
 *   manual.c, completion.c  man pages and completions, written from the table when it is built
 *   results.c      tensors into text, JSON and tables
 *   files.c        reading what is named, writing what came out
 * Functions that return bool return false after recording what went wrong in cli.error; only main.c
 * prints it. */
#ifndef CLI_H
#define CLI_H

#include "base/base.h"

#include <wengert.h>

/* ---- commands.c: the table ----------------------------------------------------------------- */

enum option_id {
    OPT_FORMULA,
    OPT_FUNCTION,
    OPT_FILE,
    OPT_INCLUDE,
    OPT_DEFINE,
    OPT_STANDARD,
    OPT_COMPILE_COMMANDS,
    OPT_INACTIVE,
    OPT_RULE,
    OPT_AT,
    OPT_SIZE,
    OPT_OF,
    OPT_WRT,
    OPT_MODE,
    OPT_TANGENT,
    OPT_ADJOINT,
    OPT_ORDER,
    OPT_AFTER,
    OPT_SPARSE,
    OPT_HESSIAN,
    OPT_NONFINITE,
    OPT_FOLD,
    OPT_ASCII,
    OPT_DIFFERENCE,
    OPT_EPSILON,
    OPT_SWEEP,
    OPT_SHARED,
    OPT_FACTORS,
    OPT_SEED,
    OPT_DIGITS,
    OPT_FORMAT,
    OPT_BACKEND,
    OPT_BUILD_LOG,
    OPT_LOWERED,
    OPT_WITH,
    OPT_NAME,
    OPT_PREFIX,
    OPT_F32,
    OPT_CBLAS,
    OPT_REPORT,
    OPT_CLEAR,
    OPT_PATH,
    OPT_OUTPUT,
    OPT_HELP,
    OPTION_COUNT
};

enum option_kind { KIND_FLAG, KIND_TEXT, KIND_LIST, KIND_CHOICE, KIND_NUMBER };

struct option {
    const char *name;      /* "--at" */
    const char *letter;    /* "-o"; NULL: none */
    enum option_kind kind; /* only a list may be given several times */
    const char *argument;  /* as help writes it; NULL: none */
    const char *choices;   /* of a choice, unless the command says: see choices_of */
    uint64_t least, most;  /* of a number */
    const char *help;
};

struct cli;

struct command {
    const char *name, *summary;
    uint64_t options;    /* a bit 1 << id for each */
    const char *formats; /* "text|json", the default first */
    const char *about;
    const char *example; /* a command line and, from the next line on, what it prints */
    bool (*run)(struct cli *c);
    const char *modes; /* those of --mode, where they are not all */
};

extern const struct option option_table[OPTION_COUNT];
extern const struct command command_table[];
extern const size_t command_count;
const struct command *command_named(const char *name); /* NULL: there is none */
/* What stands behind a command: a formula, C sources, only options, or (help) the name of a
 * command. */
enum operand { OPERAND_FORMULA, OPERAND_SOURCES, OPERAND_NONE, OPERAND_COMMAND };
enum operand operand_of(const struct command *command);
/* What may be chosen for this option of this command. */
const char *choices_of(const struct command *command, enum option_id id);

/* ---- one run of the command ---------------------------------------------------------------- */

struct given { /* an option as it stood in argv */
    enum option_id id;
    const char *value; /* of a flag: NULL */
};

/* A tensor under a name, from --at, --tangent or --adjoint. Numbers written as text are bool, i64
 * or f64, whichever holds them all, until something says what they shall be. */
struct named {
    const char *name;
    const char *source; /* in front of messages: "--at x" */
    wg_tensor tensor;   /* owned */
    bool typed;         /* read from a file that tells the element type */
    bool bare;          /* a name without a value */
};

struct named_list {
    const char *option; /* that gave them */
    VEC(struct named) item;
};

struct cli {
    wg_allocator allocator;
    struct arena arena;            /* names and messages */
    const struct command *command; /* NULL: none yet */
    const char *file; /* the operand: a file of formulas, or the command that help is for */
    VEC(struct given) given;

    wg_csource *source; /* the C function that the program is; NULL: it is none */
    wg_program *program;
    struct named_list at;
    wg_tensor *input; /* one for each of the program's; NULL: no values given */
    size_t input_count;

    wg_text out; /* what is to be written at the end */
    wg_error error;
    bool usage; /* the error is one of usage */
};

/* What the program takes (gives, if outputs). */
static inline size_t port_count(const struct cli *c, bool outputs) {
    return outputs ? wg_output_count(c->program) : wg_input_count(c->program);
}
static inline const char *port_name(const struct cli *c, bool outputs, size_t i) {
    return outputs ? wg_output_name(c->program, i) : wg_input_name(c->program, i);
}
static inline int port_index(const struct cli *c, bool outputs, const char *name) {
    return outputs ? wg_output_index(c->program, name) : wg_input_index(c->program, name);
}
static inline wg_type port_type(const struct cli *c, bool outputs, size_t i) {
    return outputs ? wg_output_type(c->program, i) : wg_input_type(c->program, i);
}

/* ---- arguments.c --------------------------------------------------------------------------- */
bool read_arguments(struct cli *c, int argc, char **argv);
bool has_option(const struct cli *c, enum option_id id);
/* The value, NULL if the option was not given. */
const char *option_text(const struct cli *c, enum option_id id);
/* The chosen one; the first of the choices if the option was not given. */
bool option_is(const struct cli *c, enum option_id id, const char *choice);
uint64_t option_number(const struct cli *c, enum option_id id, uint64_t otherwise);
/* Records an error of usage. Returns false. */
bool usage_error(struct cli *c, const char *format, ...) PRINTF_LIKE(2, 3);
/* Records another error. Returns false. */
bool input_error(struct cli *c, wg_status status, const char *format, ...) PRINTF_LIKE(3, 4);

/* ---- help.c -------------------------------------------------------------------------------- */
bool help_overview(struct cli *c);
bool help_command(struct cli *c, const struct command *command);

/* ---- files.c ------------------------------------------------------------------------------- */
/* Appends a file's content; "-" is standard input. */
bool read_file(struct cli *c, const char *path, wg_text *text);
/* Writes cli.out to this file. */
bool write_file(struct cli *c, const char *path);
/* Writes cli.out to the file of -o, or to standard output. */
bool write_out(struct cli *c);

/* ---- values.c ------------------------------------------------------------------------------ */
/* The values of all options `id`. Names without a value are taken where bare is true. */
bool read_values(struct cli *c, enum option_id id, bool bare, struct named_list *list);
void free_values(struct cli *c, struct named_list *list);
struct named *find_value(const struct named_list *list, const char *name);
/* Adds an empty entry, named by these bytes; NULL on error. */
struct named *add_value(struct cli *c, struct named_list *list, const char *name, size_t length);
/* The tensor in this element type, given to the caller. */
bool take_value(struct cli *c, struct named *value, wg_dtype dtype, wg_tensor *tensor);
/* A string that lives as long as the run; NULL without memory. */
const char *keep_text(struct cli *c, const char *format, ...) PRINTF_LIKE(2, 3);

/* ---- fill.c: a tensor from numbers and brackets in the order in which they are written ----- */
struct fill {
    struct cli *c;
    const char *source;   /* in front of messages */
    VEC(int64_t) element; /* i64 or, once a number was no integer, the bits of f64; bool: 0, 1 */
    wg_dtype dtype;
    int depth, rank;            /* rank -1: not known yet */
    int64_t count[WG_MAX_RANK]; /* of the rows under way */
    int64_t shape[WG_MAX_RANK]; /* -1: not known yet */
};
void fill_start(struct fill *f, struct cli *c, const char *source);
bool fill_open(struct fill *f);
bool fill_close(struct fill *f);
bool fill_integer(struct fill *f, int64_t number);
bool fill_number(struct fill *f, double number);
bool fill_bool(struct fill *f, bool truth);
/* The tensor, on success; frees what the filling used in any case. ok: all went well so far. */
bool fill_finish(struct fill *f, bool ok, wg_tensor *tensor);

/* ---- json.c -------------------------------------------------------------------------------- */
/* One value, or an object of names and values, from a file. */
bool read_json_value(struct cli *c, const char *path, struct named *value);
bool read_json_object(struct cli *c, const char *path, struct named_list *list);

/* ---- load.c -------------------------------------------------------------------------------- */
/* Reads the program, and the values of its inputs if `values`, or if some are given. */
bool load(struct cli *c, bool values);
/* The same with values, and of the program only the output of --of, without --of the first: a
 * floating scalar. several: whether it has others. */
bool load_scalar(struct cli *c, bool *several);
/* Of the program only the output of --of, without --of the first. */
bool keep_output(struct cli *c);
struct ports { /* indices of inputs or outputs */
    size_t *index, count;
};
/* The inputs of --wrt (OPT_WRT) or outputs of --of (OPT_OF); without the option all of a floating
 * type. */
bool select_ports(struct cli *c, enum option_id id, struct ports *ports);
/* Runs a program on tensors; results get data of their own. */
bool run_on(struct cli *c, const wg_program *program, const wg_tensor *input, wg_tensor *output);
wg_tensor *new_tensors(struct cli *c, size_t count);
void free_tensors(struct cli *c, wg_tensor *tensor, size_t count);
/* Whether inputs (outputs) with these names exist. */
bool names_are_known(struct cli *c, const struct named_list *list, bool outputs);
/* Records that the program has no such input (output). Returns false. */
bool unknown_port(struct cli *c, const char *option, const char *name, bool outputs);

/* ---- csource.c ----------------------------------------------------------------------------- */
/* Whether the operand is model.c or model.c:function. */
bool is_c_source(const char *file);
/* Reads the function into c->source and its program into c->program. */
bool load_c(struct cli *c);
/* Whether an item of --size tells the length of a pointer of the C function, and is no named size;
 * an error for one that tells neither. */
bool tells_length(struct cli *c, const char *name);
/* Of the program's inputs those that the function writes without reading them, whole numbers that
 * it does not read, and if `values` all that it writes, become zeros; not those that --at or
 * another option names. */
bool default_written(struct cli *c, bool values);

/* ---- seeds.c ------------------------------------------------------------------------------- */
/* For each input (output, if outputs) what --tangent (--adjoint) gives; data NULL where it gives
 * nothing. like: tensors of the same shapes; NULL: only the names are checked. */
bool read_seeds(struct cli *c, enum option_id id, const wg_tensor *like, wg_tensor **seed);

/* ---- results.c ----------------------------------------------------------------------------- */
struct axis { /* what a row or column belongs to: an input or output, all of its elements */
    const char *name;
    int rank;
    int64_t shape[WG_MAX_RANK];
};
struct results {
    struct axis *row, *column; /* columns 0: each row has a value */
    size_t rows, columns;
    wg_tensor *block; /* row by row; of the row's shape followed by the column's */
    /* for people: the names of row and column between these; a matrix has a title too */
    const char *before, *between, *after, *title;
    /* in JSON: where the values stand (NULL: they are all there is), and what stands before them */
    const char *key, *of, *mode;
    const struct axis *wrt;
    size_t wrt_count;
};
/* Rows and columns without blocks; false without memory. results_free in any case. */
bool results_make(struct cli *c, struct results *r, size_t rows, size_t columns);
void results_free(struct cli *c, struct results *r);
void set_axis(struct axis *axis, const char *name, const wg_tensor *tensor);
/* The number of elements; the name of one, "A[0][1]", in row-major order. */
int64_t axis_count(const struct axis *axis);
bool write_element(wg_text *out, const struct axis *axis, int64_t i, bool in_latex);
/* In the format asked for. */
bool results_write(struct cli *c, const struct results *r);

/* ---- look.c -------------------------------------------------------------------------------- */
/* What --after makes of the program, as --of and --wrt say; NULL on error. */
wg_program *transformed(struct cli *c, const char *after);

/* ---- sparse.c ------------------------------------------------------------------------------ */
/* What jacobian and hessian do with --sparse. */
bool sparse_result(struct cli *c, bool hessian);

/* ---- numeric.c ----------------------------------------------------------------------------- */
struct differences {
    bool wanted; /* --mode numeric */
    wg_difference kind;
    double epsilon; /* 0: the best */
};
/* Reads --mode, --difference and --epsilon; the last two say nothing without the first. */
bool read_differences(struct cli *c, struct differences *d);
/* The Jacobians of a program's outputs y by its inputs x, rows of blocks. */
bool numeric_blocks(struct cli *c, const wg_program *program, const struct differences *d,
                    const struct ports *y, const struct ports *x, wg_tensor *block);

/* ---- manual.c, completion.c ---------------------------------------------------------------- */
/* Writes FOLDER/man/NAME.1 for wengert and each command, and what the two below append to
 * FOLDER/completion/wengert.bash and _wengert. */
bool generate_files(struct cli *c, const char *folder);
bool completion_bash(wg_text *out);
bool completion_zsh(wg_text *out);

/* ---- look.c, derivatives.c, products.c, taylor.c, check.c, costs.c, emit.c, cache.c ---------- */
bool command_eval(struct cli *c);
bool command_trace(struct cli *c);
bool command_graph(struct cli *c);
bool command_show(struct cli *c);
bool command_gradient(struct cli *c);
bool command_jacobian(struct cli *c);
bool command_pattern(struct cli *c);
bool command_hessian(struct cli *c);
bool command_jvp(struct cli *c);
bool command_vjp(struct cli *c);
bool command_hvp(struct cli *c);
bool command_taylor(struct cli *c);
bool command_check(struct cli *c);
bool command_symbolic(struct cli *c);
bool command_cost(struct cli *c);
bool command_plan(struct cli *c);
bool command_emit(struct cli *c);
bool command_cc(struct cli *c);
bool command_cache(struct cli *c);
bool command_help(struct cli *c);

#endif
