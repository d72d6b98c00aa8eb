/* Writes wengert/elementwise.h to standard output: for every row of src/op/elementwise.def a
 * documented declaration, and the macro that fills in the caller's place. */
#include <stdio.h>
#include <string.h>

static const char head[] =
    "/* Elementwise operations, written from the table of operations (src/op/elementwise.def).\n"
    " *\n"
    " * Operands are variables or numbers, at least one a variable; a number takes the element\n"
    " * type of its partner. Shapes are broadcast as NumPy does: aligned at their last axes, and\n"
    " * only the constant extent 1 stretches. Element types are never mixed: see wg_cast. Where\n"
    " * nothing is said of edge points, an operation and its derivative are plain IEEE. */\n"
    "#ifndef WENGERT_ELEMENTWISE_H\n"
    "#define WENGERT_ELEMENTWISE_H\n"
    "\n"
    "#include \"wengert/graph.h\"\n"
    "\n"
    "#ifdef __cplusplus\n"
    "extern \"C\" {\n"
    "#endif\n"
    "\n";

static const char middle[] =
    "\n"
    "#ifndef __cplusplus\n";

static const char tail[] =
    "#endif\n"
    "\n"
    "#ifdef __cplusplus\n"
    "}\n"
    "#endif\n"
    "#endif\n";

/* A comment, broken at blanks before column 100. */
static void print_comment(const char *text) {
    size_t column = 2;
    fputs("/*", stdout);
    while (*text) {
        size_t word = strcspn(text, " ");
        if (column + 1 + word > 97) {
            fputs("\n *", stdout);
            column = 2;
        }
        printf(" %.*s", (int)word, text);
        column += 1 + word;
        text += word + strspn(text + word, " ");
    }
    puts(" */");
}

static void declare(const char *name, int operands, const char *doc) {
    print_comment(doc);
    printf("WG_API wg_var wg_%s_at(const char *file, int line, %s);\n", name,
           operands == 1   ? "wg_var x"
           : operands == 2 ? "wg_arg a, wg_arg b"
                           : "wg_arg a, wg_arg b, wg_arg c");
}

static void define(const char *name, int operands) {
    if (operands == 1) printf("#define wg_%s(x) wg_%s_at(WG_HERE, x)\n", name, name);
    else if (operands == 2)
        printf("#define wg_%s(a, b) wg_%s_at(WG_HERE, WG_ARG(a), WG_ARG(b))\n", name, name);
    else
        printf("#define wg_%s(a, b, c) wg_%s_at(WG_HERE, WG_ARG(a), WG_ARG(b), WG_ARG(c))\n", name,
               name);
}

int main(void) {
    fputs(head, stdout);
#define UNARY(name, value, da, low, high, doc) declare(#name, 1, doc);
#define BINARY(name, value, da, db, low, high, flags, doc) declare(#name, 2, doc);
#define TERNARY(name, value, da, db, dc, low, high, doc) declare(#name, 3, doc);
#define PREDICATE1(name, value, doc) declare(#name, 1, doc);
#define PREDICATE2(name, value, doc) declare(#name, 2, doc);
#include "op/elementwise.def"
    fputs(middle, stdout);
#define UNARY(name, ...) define(#name, 1);
#define BINARY(name, ...) define(#name, 2);
#define TERNARY(name, ...) define(#name, 3);
#define PREDICATE1(name, ...) define(#name, 1);
#define PREDICATE2(name, ...) define(#name, 2);
#include "op/elementwise.def"
    fputs(tail, stdout);
    return fflush(stdout) || ferror(stdout);
}
