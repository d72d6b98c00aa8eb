/* The one table of the command: what each command is called, does and takes, and what each option
 * means. Dispatch, the reading of argv and all help texts come from here. The examples are run by a
 * test, which compares what they print. */
#include "cli/cli.h"

/* clang-format off: the tables are aligned by hand */

#define NUMBER_FORMATS "text|markdown|latex|json|csv"

const struct option option_table[OPTION_COUNT] = {
    [OPT_FORMULA] = {.name = "-e", .kind = KIND_TEXT, .argument = "FORMULA",
                     .help = "the formula itself, instead of a file; names that it does not "
                             "define are its inputs"},
    [OPT_FUNCTION] = {.name = "--function", .kind = KIND_TEXT, .argument = "NAME",
                      .help = "which function of the file (default: the last)"},
    [OPT_FILE] = {.name = "--file", .kind = KIND_LIST, .argument = "FILE.c",
                  .help = "another C source, whose functions may be called; may be repeated"},
    [OPT_INCLUDE] = {.name = "-I", .kind = KIND_LIST, .argument = "DIR",
                     .help = "a folder of headers of the C source; may be repeated"},
    [OPT_DEFINE] = {.name = "-D", .kind = KIND_LIST, .argument = "NAME[=VALUE]",
                    .help = "a macro of the C source; may be repeated"},
    [OPT_STANDARD] = {.name = "-std", .kind = KIND_TEXT, .argument = "STANDARD",
                      .help = "the C that the source is written in: -std=c99"},
    [OPT_COMPILE_COMMANDS] = {.name = "--compile-commands", .kind = KIND_TEXT, .argument = "FILE",
                              .help = "a compile_commands.json, whose flags for the C source are "
                                      "taken"},
    [OPT_INACTIVE] = {.name = "--inactive", .kind = KIND_LIST, .argument = "NAMES",
                      .help = "functions without a body that no derivative goes through"},
    [OPT_RULE] = {.name = "--rule", .kind = KIND_LIST, .argument = "NAME=FILE.c",
                  .help = "a C source that defines the function NAME, in place of a body that is "
                          "missing or cannot be carried"},
    [OPT_AT] = {.name = "--at", .kind = KIND_LIST, .argument = "LIST",
                .help = "values of the inputs: x1=3,x2=5 or x=[1,2] or x=@file.npy or "
                        "x=@file.json, or @values.json, an object of names and values; may be "
                        "repeated"},
    [OPT_SIZE] = {.name = "--size", .kind = KIND_LIST, .argument = "LIST",
                  .help = "values of named sizes, n=3,m=2; those that the inputs' shapes tell "
                          "are not needed; in C also how many elements a pointer points to, "
                          "x=n*m"},
    [OPT_OF] = {.name = "--of", .kind = KIND_TEXT, .argument = "NAMES",
                .help = "the outputs to differentiate, y1,y2 (default: all; where one is "
                        "needed, the first)"},
    [OPT_WRT] = {.name = "--wrt", .kind = KIND_TEXT, .argument = "NAMES",
                 .help = "the inputs to differentiate by, x1,x2 (default: all)"},
    [OPT_MODE] = {.name = "--mode", .kind = KIND_CHOICE, .argument = "MODE",
                  .choices = "auto|forward|reverse|numeric",
                  .help = "how to differentiate; auto takes the cheaper of forward and "
                          "reverse, numeric takes differences"},
    [OPT_DIFFERENCE] = {.name = "--difference", .kind = KIND_CHOICE, .argument = "KIND",
                        .choices = "central|one-sided",
                        .help = "which differences --mode numeric takes"},
    [OPT_EPSILON] = {.name = "--epsilon", .kind = KIND_TEXT, .argument = "E",
                     .help = "their step (default: what balances truncation and rounding)"},
    [OPT_SWEEP] = {.name = "--sweep", .kind = KIND_FLAG,
                   .help = "instead, how far differences are off for steps from 1 to 1e-16"},
    [OPT_SHARED] = {.name = "--shared", .kind = KIND_FLAG,
                    .help = "give what is used more than once a name and a line of its own"},
    [OPT_FACTORS] = {.name = "--factors", .kind = KIND_NUMBER, .argument = "N", .least = 2,
                     .most = 100,
                     .help = "instead of a formula's costs, the multiplications for the "
                             "gradients of products of 2 to N factors"},
    [OPT_TANGENT] = {.name = "--tangent", .kind = KIND_LIST, .argument = "LIST",
                     .help = "tangents of the inputs, x1=1,x2=0; a bare name means ones, an "
                             "input that is not named has zero"},
    [OPT_ADJOINT] = {.name = "--adjoint", .kind = KIND_LIST, .argument = "LIST",
                     .help = "adjoints of the outputs, y1=1; a bare name means ones, an output "
                             "that is not named has zero"},
    [OPT_ORDER] = {.name = "--order", .kind = KIND_NUMBER, .argument = "K", .least = 1, .most = 64,
                   .help = "the highest power of the series, 1 to 64 (default: 4)"},
    [OPT_AFTER] = {.name = "--after", .kind = KIND_CHOICE,
                   .argument = "NAME",
                   .choices = "grad|jvp|vjp|hvp|jacobian|hessian",
                   .help = "show what this transformation makes of the program"},
    [OPT_SPARSE] = {.name = "--sparse", .kind = KIND_FLAG,
                    .help = "only the entries that can differ from 0, by as few products as their "
                            "pattern allows"},
    [OPT_HESSIAN] = {.name = "--hessian", .kind = KIND_FLAG,
                     .help = "of the second derivatives of one scalar output"},
    [OPT_NONFINITE] = {.name = "--nonfinite", .kind = KIND_FLAG,
                       .help = "instead of the trace, the first line whose value is NaN or "
                               "infinite, and the values it is made of; with --tangent or "
                               "--adjoint, of the derivative's lines too"},
    [OPT_FOLD] = {.name = "--fold", .kind = KIND_FLAG,
                  .help = "write negations inside the lines that use them"},
    [OPT_ASCII] = {.name = "--ascii", .kind = KIND_FLAG,
                   .help = "v1_dot and v1_bar instead of letters with marks"},
    [OPT_SEED] = {.name = "--seed", .kind = KIND_NUMBER, .argument = "N", .most = UINT64_MAX,
                  .help = "of the random directions (default: 1)"},
    [OPT_DIGITS] = {.name = "--digits", .kind = KIND_NUMBER, .argument = "N", .least = 1,
                    .most = 17,
                    .help = "significant digits, 1 to 17, of numbers for people (JSON is exact)"},
    [OPT_FORMAT] = {.name = "--format", .kind = KIND_CHOICE, .argument = "FORMAT",
                    .help = "how to write it"},
    [OPT_BACKEND] = {.name = "--backend", .kind = KIND_CHOICE, .argument = "BACKEND",
                     .choices = "interpret|native",
                     .help = "interpret, which is the faster one for a program that runs once, or "
                             "native: compiled through C, if there is a C compiler"},
    [OPT_BUILD_LOG] = {.name = "--build-log", .kind = KIND_FLAG,
                       .help = "instead of the program, how the C compiler was called for it and "
                               "what it said"},
    [OPT_LOWERED] = {.name = "--lowered", .kind = KIND_FLAG,
                     .help = "instead of instructions, the loop nests of C that they become"},
    [OPT_WITH] = {.name = "--with", .kind = KIND_TEXT, .argument = "LIST",
                  .help = "derivatives to write: any of grad,hvp,jac,hess,jvp,vjp; of 'cc' also "
                          "value_grad (default there: grad)"},
    [OPT_NAME] = {.name = "--name", .kind = KIND_TEXT, .argument = "NAME",
                  .help = "of the function in C (default: --function, else the file's of -o)"},
    [OPT_PREFIX] = {.name = "--prefix", .kind = KIND_TEXT, .argument = "TEXT",
                    .help = "in front of every name that the linker sees"},
    [OPT_F32] = {.name = "--f32", .kind = KIND_FLAG,
                 .help = "compute in float: every f64 becomes f32"},
    [OPT_CBLAS] = {.name = "--cblas", .kind = KIND_FLAG,
                   .help = "products of matrices by calls of cblas_dgemm and cblas_sgemm"},
    [OPT_REPORT] = {.name = "--report", .kind = KIND_FLAG,
                    .help = "instead, what is differentiated, what the derivatives cost and keep; "
                            "--size n=1000 tells what to count for"},
    [OPT_CLEAR] = {.name = "--clear", .kind = KIND_FLAG,
                   .help = "remove the programs, and what interrupted compilers left"},
    [OPT_PATH] = {.name = "--path", .kind = KIND_FLAG,
                  .help = "only the name of the directory, which need not exist"},
    [OPT_OUTPUT] = {.name = "--output", .letter = "-o", .kind = KIND_TEXT, .argument = "FILE",
                    .help = "write to this file; it changes only if all goes well"},
    [OPT_HELP] = {.name = "--help", .letter = "-h", .kind = KIND_FLAG, .help = "this text"},
};

/* Sets of options: there are more than an int has bits. */
#define ONE UINT64_C(1)
#define SOURCE                                                                                     \
    (ONE << OPT_FUNCTION | ONE << OPT_SIZE | ONE << OPT_FILE | ONE << OPT_INCLUDE |                \
     ONE << OPT_DEFINE | ONE << OPT_STANDARD | ONE << OPT_COMPILE_COMMANDS | ONE << OPT_INACTIVE | \
     ONE << OPT_RULE | ONE << OPT_OUTPUT | ONE << OPT_HELP)
#define PROGRAM (SOURCE | ONE << OPT_FORMULA | ONE << OPT_AT)
#define RUN (ONE << OPT_BACKEND)
#define RESULT (PROGRAM | ONE << OPT_DIGITS | ONE << OPT_FORMAT)
#define DIFFERENCES (ONE << OPT_MODE | ONE << OPT_DIFFERENCE | ONE << OPT_EPSILON)
#define TRACE                                                                                      \
    (RESULT | ONE << OPT_TANGENT | ONE << OPT_ADJOINT | ONE << OPT_ASCII | ONE << OPT_FOLD)

const struct command command_table[] = {
    {"eval", "the values of the outputs", RESULT | RUN, NUMBER_FORMATS,
     "Computes the outputs of a formula at a point.",
     "wengert eval -e 'log(x1) + x1*x2 - sin(x2)' --at x1=2,x2=5\n"
     "y = 11.652071455223084",
     .run = command_eval},
    {"trace", "the evaluation trace, with tangents and adjoints on request",
     TRACE | ONE << OPT_NONFINITE, "text|markdown|latex|json",
     "Prints the evaluation trace (the Wengert list) of a formula: inputs, one line for each "
     "operation, outputs. With --at the values stand beside the formulas; --tangent adds a "
     "column for forward mode, --adjoint a table for reverse mode.",
     "wengert trace -e 'x*exp(x)' --at x=1 --ascii\n"
     "Forward primal trace   Value\n"
     "------------------------------\n"
     "v0 = x                 1\n"
     "------------------------------\n"
     "v1 = exp(v0)           2.71828\n"
     "v2 = v0*v1             2.71828\n"
     "------------------------------\n"
     "y  = v2                2.71828",
     .run = command_trace},
    {"graph", "the computational graph as SVG, PNG, PDF or DOT", TRACE, "dot|svg|png|pdf",
     "Draws the computational graph of a formula. The name of the file of -o tells the format, "
     "if --format does not. With --at the nodes carry values, and with --tangent and --adjoint "
     "these.",
     "wengert graph -e 'x*exp(x)' --at x=1 -o graph.svg", .run = command_graph},
    {"show", "the program as text, before or after a transformation",
     PROGRAM | ONE << OPT_OF | ONE << OPT_WRT | ONE << OPT_AFTER | ONE << OPT_BUILD_LOG |
         ONE << OPT_LOWERED,
     "text",
     "Prints the program that a formula becomes, one instruction a line, or with --after the "
     "program that a transformation makes of it. With --lowered it is printed as the loop nests "
     "that compiled programs have.",
     "wengert show -e 'x*exp(x)' --after grad\n"
     "wengert 1\n"
     "%1 = input \"x\" : f64 at \"formula\":1:1\n"
     "%2 = exp %1 : f64 at \"formula\":1:3\n"
     "%3 = mul %1 %2 : f64 at \"formula\":1:2\n"
     "%4 = add %2 %3 : f64 at \"formula\":1:3 adjoint %2\n"
     "output \"dx\" %4",
     .run = command_show},
    {"gradient", "the gradient of a scalar output",
     RESULT | RUN | DIFFERENCES | ONE << OPT_OF | ONE << OPT_WRT, NUMBER_FORMATS,
     "Computes the derivative of one scalar output by every input.",
     "wengert gradient -e 'log(x1) + x1*x2 - sin(x2)' --at x1=2,x2=5\n"
     "d/dx1 = 5.5\n"
     "d/dx2 = 1.7163378145367738",
     .run = command_gradient},
    {"jacobian", "the derivatives of all outputs by all inputs",
     RESULT | RUN | DIFFERENCES | ONE << OPT_OF | ONE << OPT_WRT | ONE << OPT_SPARSE,
     NUMBER_FORMATS,
     "Computes the Jacobian: a matrix if all inputs and outputs are scalars, else for every "
     "output and input a block of the output's shape followed by the input's.",
     "wengert jacobian -e 'y1 = x1*x2; y2 = x1 + 3*x2' --at x1=2,x2=5\n"
     "      x1  x2\n"
     "J = [[ 5,  2],   y1\n"
     "     [ 1,  3]]   y2",
     .run = command_jacobian},
    {"hessian", "the second derivatives of a scalar output",
     RESULT | RUN | DIFFERENCES | ONE << OPT_OF | ONE << OPT_WRT | ONE << OPT_SPARSE,
     NUMBER_FORMATS,
     "Computes the Hessian of one scalar output, forward over reverse, or by differences of the "
     "gradient.",
     "wengert hessian -e 'x1^2 * x2' --at x1=2,x2=5\n"
     "      x1  x2\n"
     "H = [[10,  4],   x1\n"
     "     [ 4,  0]]   x2",
     .run = command_hessian, .modes = "auto|numeric"},
    {"pattern", "which derivatives can differ from 0, as a picture",
     PROGRAM | ONE << OPT_OF | ONE << OPT_WRT | ONE << OPT_HESSIAN | ONE << OPT_FORMAT,
     "text|svg|json",
     "Draws the pattern of the sparse Jacobian, or with --hessian of the Hessian: a mark for every "
     "entry that can differ from 0, and how many products with the Jacobian give them all. It "
     "follows from what the operations do, so values are not needed; indices may be given with "
     "--at, and named sizes with --size.",
     "wengert pattern -e 'f(x[n]) = x[1:]*x[:-1]' --size n=6\n"
     "5 by 6, 10 entries; 2 sweeps forward\n"
     "xx....\n"
     ".xx...\n"
     "..xx..\n"
     "...xx.\n"
     "....xx",
     .run = command_pattern},
    {"jvp", "Jacobian times tangent: forward mode",
     RESULT | RUN | DIFFERENCES | ONE << OPT_OF | ONE << OPT_TANGENT, NUMBER_FORMATS,
     "Computes the tangents of the outputs for given tangents of the inputs, without the Jacobian.",
     "wengert jvp -e '[x1*x2, x1 + x2]' --at x1=2,x2=5 --tangent x1=1,x2=-1\n"
     "y_dot = [3, 0]",
     .run = command_jvp, .modes = "forward|numeric"},
    {"vjp", "adjoint times Jacobian: reverse mode",
     RESULT | RUN | DIFFERENCES | ONE << OPT_WRT | ONE << OPT_ADJOINT, NUMBER_FORMATS,
     "Computes the adjoints of the inputs for given adjoints of the outputs, without the Jacobian.",
     "wengert vjp -e 'exp(z)' --at z=[0,1] --adjoint y=[1,2]\n"
     "z_bar = [1, 5.43656365691809]",
     .run = command_vjp, .modes = "reverse|numeric"},
    {"hvp", "Hessian times tangent, without the Hessian",
     RESULT | RUN | DIFFERENCES | ONE << OPT_OF | ONE << OPT_WRT | ONE << OPT_TANGENT,
     NUMBER_FORMATS,
     "Computes the product of the Hessian of one scalar output with given tangents of the "
     "inputs, forward over reverse, or by differences of the gradient.",
     "wengert hvp -e 'sum(x^3)' --at x=[1,2] --tangent x=[1,0]\n"
     "Hx = [6, 0]",
     .run = command_hvp, .modes = "auto|numeric"},
    {"taylor", "the Taylor series of the outputs along a line",
     RESULT | RUN | ONE << OPT_OF | ONE << OPT_TANGENT | ONE << OPT_ORDER, NUMBER_FORMATS,
     "Computes the coefficients 0 to K of the outputs as power series of t, the inputs moving "
     "along x + t x' with the tangents x' that are given. A formula of one number needs no "
     "tangent: it is taken along x + t.",
     "wengert taylor -e 'exp(2*x)' --at x=0 --order 3\n"
     "y_taylor = [1, 2, 2, 1.3333333333333333]",
     .run = command_taylor},
    {"check", "forward, reverse and numeric derivatives against one another",
     RESULT | ONE << OPT_SEED | ONE << OPT_SWEEP, NUMBER_FORMATS,
     "Checks the derivatives at a point, along random directions: forward and reverse mode "
     "against central differences, and against each other by the identity "
     "<J x', y'> = <x', J^T y'>. The exit status is 1 if they disagree.",
     "wengert check -e 'x1*exp(x2)' --at x1=2,x2=1\n"
     "derivatives against central differences:   3.8e-11   at most 1e-07   PASS\n"
     "forward against reverse mode:              0         at most 1e-12   PASS",
     .run = command_check},
    {"symbolic", "the derivatives as formulas",
     PROGRAM | ONE << OPT_OF | ONE << OPT_WRT | ONE << OPT_SHARED, "text",
     "Prints the derivatives of scalar outputs by the inputs as formulas, which can be used as "
     "such again. Written out they may be long; --shared names what is used more than once.",
     "wengert symbolic -e 'x1*exp(x1*x2)'\n"
     "dx1 = x1*exp(x1*x2)*x2 + exp(x1*x2)\n"
     "dx2 = x1*x1*exp(x1*x2)",
     .run = command_symbolic},
    {"cost", "operations of the value and of each way to its derivative",
     PROGRAM | ONE << OPT_OF | ONE << OPT_WRT | ONE << OPT_FACTORS | ONE << OPT_FORMAT, "text|json",
     "Counts the operations on elements of the value, of the derivative written out as formulas, "
     "and of forward and reverse mode, each with as many passes as it takes to get all "
     "derivatives. Named sizes need values (--size).",
     "wengert cost -e 'log(x1) + x1*x2 - sin(x2)'\n"
     "                              + -        * /  functions  passes\n"
     "value                           2          1          2       1\n"
     "symbolic, written out           2          1          1       1\n"
     "forward mode                   10         12          6       2\n"
     "reverse mode                    4          2          3       1",
     .run = command_cost},
    {"plan", "the memory that a call takes, and what reverse mode keeps",
     PROGRAM | ONE << OPT_OF | ONE << OPT_WRT | ONE << OPT_AFTER | ONE << OPT_FORMAT, "text|json",
     "Prints the bytes that a call of a program takes, and its residuals: the values that the "
     "adjoint computation reads, with what needs them and the places that made them. The program "
     "is that of the formula with its adjoints (vjp), or what --after says. Bytes are formulas "
     "where sizes are named and --size gives no values.",
     "wengert plan -e 'x*exp(x)'\n"
     "inputs      16 bytes\n"
     "outputs     16 bytes\n"
     "constants   0 bytes\n"
     "workspace   72 bytes\n"
     "peak        104 bytes\n"
     "\n"
     "1 residual, 8 bytes\n"
     "  bytes  type  made by          needed by\n"
     "  8      f64   exp formula:1:3  mul formula:1:2, exp formula:1:3",
     .run = command_plan},
    {"emit", "the program and its derivatives as C that needs no library",
     PROGRAM | ONE << OPT_OF | ONE << OPT_WRT | ONE << OPT_WITH | ONE << OPT_NAME |
         ONE << OPT_PREFIX | ONE << OPT_F32 | ONE << OPT_CBLAS,
     NULL,
     "Writes a formula, and the derivatives that --with lists, as C99: FILE.c of -o and a header "
     "FILE.h, or both to standard output. The functions are called NAME, NAME_grad and so on. They "
     "allocate nothing and keep no state; the header says what each takes. The text binds nobody.",
     "wengert emit -e 'x*exp(x)' --with grad -o f.c", .run = command_emit},
    {"cc", "derivatives of a C function as C functions of the same parameters",
     SOURCE | ONE << OPT_OF | ONE << OPT_WRT | ONE << OPT_WITH | ONE << OPT_NAME |
         ONE << OPT_CBLAS | ONE << OPT_REPORT,
     NULL,
     "Reads a function of C and writes FILE.c and FILE.h of -o, or both to standard output: for "
     "every derivative of --with a function that takes what the user's takes, in its order, then "
     "what the derivative brings. Needs neither this library nor memory of its own. Further "
     "operands are sources whose functions may be called.",
     "wengert cc chain.c --function energy --wrt x --with grad,hvp -o energy_d", .run = command_cc},
    {"cache", "the compiled programs that are kept",
     ONE << OPT_CLEAR | ONE << OPT_PATH | ONE << OPT_HELP, NULL,
     "Lists the compiled programs that are kept for the next time, the one used last first: the "
     "bytes of code and C source, and when it was compiled and last used (UTC). The directory is "
     "$WENGERT_CACHE, else $XDG_CACHE_HOME/wengert, else $HOME/.cache/wengert; it holds at most "
     "$WENGERT_CACHE_SIZE bytes (K, M or G may follow the number), by default 256M.",
     "wengert cache\n"
     "0 programs, 0 of 268435456 bytes",
     .run = command_cache},
    {"help", "this overview, or the help of a command", ONE << OPT_HELP, NULL,
     "Prints an overview, or what a command does and takes.", NULL, .run = command_help},
};

/* clang-format on */

const size_t command_count = COUNT_OF(command_table);

const struct command *command_named(const char *name) {
    for (size_t i = 0; i < command_count; i++)
        if (strcmp(command_table[i].name, name) == 0) return &command_table[i];
    return NULL;
}

enum operand operand_of(const struct command *command) {
    if (command->options >> OPT_FORMULA & 1) return OPERAND_FORMULA;
    if (command->options >> OPT_FILE & 1) return OPERAND_SOURCES;
    return command->options == ONE << OPT_HELP ? OPERAND_COMMAND : OPERAND_NONE;
}

const char *choices_of(const struct command *command, enum option_id id) {
    if (id == OPT_FORMAT) return command->formats;
    return id == OPT_MODE && command->modes ? command->modes : option_table[id].choices;
}
