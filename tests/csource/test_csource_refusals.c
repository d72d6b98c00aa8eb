/* What of C is not carried: whole messages, each with its place, a caret and a way round; and what
 * is no use of the interface. */
#include "support/failing_allocator.h"
#include "support/scratch.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>

struct refusal {
    wg_status status;
    const char *text, *message;
};

static const struct refusal refusals[] = {
    {WG_EARGUMENT,
     "double f(double x) {\n"
     "    if (x > 0) goto end;\n"
     "    x = 1;\n"
     "end:\n"
     "    return x;\n"
     "}\n",
     "f.c:2:16: goto is not carried\n"
     "        if (x > 0) goto end;\n"
     "                   ^\n"
     "  hint: leave by break, continue or return, or by a flag that is asked"},
    {WG_EARGUMENT,
     "double f(double x, double (*g)(double)) {\n"
     "    return g(x);\n"
     "}\n",
     "f.c:1:29: the parameter 'g' is a 'double (*)(double)'\n"
     "    double f(double x, double (*g)(double)) {\n"
     "                                ^\n"
     "  hint: call the function by its name"},
    {WG_EARGUMENT,
     "double f(int n, ...) {\n"
     "    return n;\n"
     "}\n",
     "f.c:1:8: 'f' takes any number of arguments\n"
     "    double f(int n, ...) {\n"
     "           ^\n"
     "  hint: give it an array and how many there are"},
    {WG_EARGUMENT,
     "union u { double d; long l; };\n"
     "double f(double x) {\n"
     "    union u v;\n"
     "    v.d = x;\n"
     "    return v.l;\n"
     "}\n",
     "f.c:3:5: 'v' is, or holds, a union\n"
     "        union u v;\n"
     "        ^\n"
     "  hint: double, float, whole numbers, arrays and structs of these are carried"},
    {WG_EARGUMENT,
     "double f(double x, int k) {\n"
     "    double a[2] = {x, 1}, b[2] = {2, x};\n"
     "    double *p = k ? a : b;\n"
     "    return *p;\n"
     "}\n",
     "f.c:3:17: a pointer points to different objects after the cases of this\n"
     "        double *p = k ? a : b;\n"
     "                    ^\n"
     "  hint: choose an index into one array, or write the two cases out"},
    {WG_EARGUMENT,
     "double f(double x, int k) {\n"
     "    double a[2] = {x, 1}, b[2] = {2, x}, *p = a;\n"
     "    if (k) p = b;\n"
     "    return *p;\n"
     "}\n",
     "f.c:3:5: a pointer points to different objects after the cases of this\n"
     "        if (k) p = b;\n"
     "        ^\n"
     "  hint: choose an index into one array, or write the two cases out"},
    {WG_EARGUMENT,
     "double f(double x, int k) {\n"
     "    double a[2] = {x, 1}, b[2] = {2, x}, *p = a, s = 0;\n"
     "    for (int i = 0; i < k; i++) {\n"
     "        s += *p;\n"
     "        p = b;\n"
     "    }\n"
     "    return s;\n"
     "}\n",
     "f.c:3:5: a pointer points to another object after an iteration of this loop\n"
     "        for (int i = 0; i < k; i++) {\n"
     "        ^\n"
     "  hint: keep an index into one array, or copy what is pointed to"},
    {WG_EARGUMENT,
     "double f(volatile double x) {\n"
     "    return x;\n"
     "}\n",
     "f.c:1:26: 'x' is, or holds, volatile\n"
     "    double f(volatile double x) {\n"
     "                             ^\n"
     "  hint: double, float, whole numbers, arrays and structs of these are carried"},
    {WG_EARGUMENT,
     "double f(double x) {\n"
     "    volatile double y = x;\n"
     "    return y;\n"
     "}\n",
     "f.c:2:5: 'y' is, or holds, volatile\n"
     "        volatile double y = x;\n"
     "        ^\n"
     "  hint: double, float, whole numbers, arrays and structs of these are carried"},
    {WG_EARGUMENT,
     "double unknown(double);\n"
     "double f(double x) {\n"
     "    return unknown(x);\n"
     "}\n",
     "f.c:3:12: there is no source of the function 'unknown'\n"
     "        return unknown(x);\n"
     "               ^\n"
     "  hint: give its source too, say what it computes with --rule unknown=file.c, or "
     "that no derivative goes through it with --inactive unknown"},
    {WG_EARGUMENT,
     "static double total;\n"
     "double f(double x) {\n"
     "    total += x;\n"
     "    return total;\n"
     "}\n",
     "f.c:3:5: 'total' is a variable that outlives the call\n"
     "        total += x;\n"
     "        ^\n"
     "  hint: make it a parameter, or const"},
    {WG_EARGUMENT,
     "double f(double x) {\n"
     "    static int calls = 0;\n"
     "    calls++;\n"
     "    return x * calls;\n"
     "}\n",
     "f.c:3:5: 'calls' is a variable that outlives the call\n"
     "        calls++;\n"
     "        ^\n"
     "  hint: make it a parameter, or const"},
    {WG_EARGUMENT,
     "long double f(long double x) {\n"
     "    return x;\n"
     "}\n",
     "f.c:1:27: 'x' is, or holds, long double\n"
     "    long double f(long double x) {\n"
     "                              ^\n"
     "  hint: double, float, whole numbers, arrays and structs of these are carried"},
    {WG_EARGUMENT,
     "#include <complex.h>\n"
     "double f(double x) {\n"
     "    double complex z = x;\n"
     "    return creal(z);\n"
     "}\n",
     "f.c:3:5: 'z' is, or holds, _Complex double\n"
     "        double complex z = x;\n"
     "        ^\n"
     "  hint: double, float, whole numbers, arrays and structs of these are carried"},
    {WG_EARGUMENT,
     "double f(double *x) {\n"
     "    return x[1];\n"
     "}\n",
     "f.c:2:12: 'x' points to one as far as its declaration tells\n"
     "        return x[1];\n"
     "               ^\n"
     "  hint: tell how many there are: declare it x[n], or say --size x=n"},
    {WG_EARGUMENT,
     "double f(double **x) {\n"
     "    return **x;\n"
     "}\n",
     "f.c:1:19: the parameter 'x' is a 'double **'\n"
     "    double f(double **x) {\n"
     "                      ^\n"
     "  hint: one array and indices into it are carried: double a[m][n]"},
    {WG_EARGUMENT,
     "double f(void *x) {\n"
     "    return *(double *)x;\n"
     "}\n",
     "f.c:1:16: the parameter 'x' is a 'void *'\n"
     "    double f(void *x) {\n"
     "                   ^\n"
     "  hint: declare what it points to"},
    {WG_EARGUMENT,
     "struct s { unsigned a : 3; double x; };\n"
     "double f(struct s s) {\n"
     "    return s.x;\n"
     "}\n",
     "f.c:2:19: 's' is, or holds, a bit field\n"
     "    double f(struct s s) {\n"
     "                      ^\n"
     "  hint: double, float, whole numbers, arrays and structs of these are carried"},
    {WG_EARGUMENT,
     "struct s;\n"
     "double f(struct s *s, double x) {\n"
     "    (void)s;\n"
     "    return x;\n"
     "}\n",
     "f.c:2:20: 's' is, or holds, a struct that is declared only\n"
     "    double f(struct s *s, double x) {\n"
     "                       ^\n"
     "  hint: double, float, whole numbers, arrays and structs of these are carried"},
    {WG_EARGUMENT,
     "double f(double x) {\n"
     "    double *p = 0;\n"
     "    return x + *p;\n"
     "}\n",
     "f.c:3:16: this pointer is null, or nothing was assigned to it\n"
     "        return x + *p;\n"
     "                   ^\n"
     "  hint: have it point to something in every case before it is followed"},
    {WG_EARGUMENT,
     "double f(double x) {\n"
     "    double *p;\n"
     "    return x + *p;\n"
     "}\n",
     "f.c:3:16: this pointer is null, or nothing was assigned to it\n"
     "        return x + *p;\n"
     "                   ^\n"
     "  hint: have it point to something in every case before it is followed"},
    {WG_EARGUMENT,
     "double f(double x) {\n"
     "    long *p = (long *)&x;\n"
     "    return *p;\n"
     "}\n",
     "f.c:2:15: this turns 'double *' into 'long *'\n"
     "        long *p = (long *)&x;\n"
     "                  ^\n"
     "  hint: an object is read and written as what it was declared"},
    {WG_EARGUMENT,
     "double f(int n, double x) {\n"
     "    double a[n + (int)x];\n"
     "    a[0] = x;\n"
     "    return a[0];\n"
     "}\n",
     "f.c:2:14: the length of this array is computed from data\n"
     "        double a[n + (int)x];\n"
     "                 ^\n"
     "  hint: make it of whole numbers that are parameters, or take the longest"},
    {WG_EARGUMENT,
     "#include <stdlib.h>\n"
     "double f(double x, int k) {\n"
     "    double *p = malloc(k);\n"
     "    p[0] = x;\n"
     "    return p[0];\n"
     "}\n",
     "f.c:3:17: how many elements this allocates is not known\n"
     "        double *p = malloc(k);\n"
     "                    ^\n"
     "  hint: its length is made of parameters: malloc(n * sizeof *p)"},
    {WG_EARGUMENT,
     "static double g(double x, int n) {\n"
     "    return n ? g(x * x, n - 1) : x;\n"
     "}\n"
     "double f(double x, int n) {\n"
     "    return g(x, n);\n"
     "}\n",
     "f.c:2:16: calls of 'g' nest more than 64 deep\n"
     "        return n ? g(x * x, n - 1) : x;\n"
     "                   ^\n"
     "  hint: recursion is carried where literals decide how deep it is; write a loop"},
    {WG_EARGUMENT,
     "double *f(double *x) {\n"
     "    return x;\n"
     "}\n",
     "f.c:1:9: 'f' returns a pointer\n"
     "    double *f(double *x) {\n"
     "            ^\n"
     "  hint: return numbers or a struct, or write through a parameter"},
    {WG_EARGUMENT,
     "void f(double x) {\n"
     "    x = 2;\n"
     "}\n",
     "f.c:1:6: 'f' computes nothing\n"
     "    void f(double x) {\n"
     "         ^\n"
     "  hint: it returns nothing, and writes nothing that its caller sees"},
    {WG_EARGUMENT,
     "double f(double x) {\n"
     "    __asm__(\"nop\");\n"
     "    return x;\n"
     "}\n",
     "f.c:2:5: assembly code is not carried\n"
     "        __asm__(\"nop\");\n"
     "        ^\n"
     "  hint: write it in C, or give the function that it is in a body in C by --rule "
     "name=file.c"},
    {WG_EARGUMENT,
     "double f(double x, int k) {\n"
     "    switch (k) {\n"
     "    case 0:\n"
     "        while (x < 3) {\n"
     "    case 1:\n"
     "            x += 1;\n"
     "        }\n"
     "    }\n"
     "    return x;\n"
     "}\n",
     "f.c:5:5: this label stands in a statement within its switch\n"
     "        case 1:\n"
     "        ^\n"
     "  hint: put it directly into the braces of its switch"},
    {WG_EARGUMENT,
     "double f(double x, int k) {\n"
     "    double y = ({ double z = x; z * k; });\n"
     "    return y;\n"
     "}\n",
     "f.c:2:16: a statement as an expression is not carried\n"
     "        double y = ({ double z = x; z * k; });\n"
     "                   ^\n"
     "  hint: make it a function"},
    {WG_ESYNTAX,
     "double f(double x) {\n"
     "    return x +;\n"
     "}\n",
     "f.c:2:15: expected expression\n"
     "        return x +;\n"
     "                  ^"},
    {WG_ESYNTAX,
     "double f(double x) {\n"
     "    return y;\n"
     "}\n",
     "f.c:2:12: use of undeclared identifier 'y'\n"
     "        return y;\n"
     "               ^"},
    {WG_ESYNTAX,
     "#include \"missing.h\"\n"
     "double f(double x) {\n"
     "    return x;\n"
     "}\n",
     "f.c:1:10: 'missing.h' file not found\n"
     "    #include \"missing.h\"\n"
     "             ^"},
    {WG_ENAME,
     "int x;\n",
     "f.c: it defines no function"},
    {WG_EARGUMENT,
     "struct s { short x[3]; };\n"
     "double f(struct s s) {\n"
     "    return s.x[0];\n"
     "}\n",
     "f.c:2:8: 's.x' is an array of 'short' in a struct\n"
     "    double f(struct s s) {\n"
     "           ^\n"
     "  hint: an array of int is carried, or one of this that is a parameter itself"},
    {WG_EARGUMENT,
     "#include <string.h>\n"
     "double f(int n, double x[n]) {\n"
     "    memset(x, 1, n * sizeof *x);\n"
     "    return x[0];\n"
     "}\n",
     "f.c:3:5: memset to something else than 0\n"
     "        memset(x, 1, n * sizeof *x);\n"
     "        ^\n"
     "  hint: assign in a loop"},
    {WG_EARGUMENT,
     "#include <string.h>\n"
     "double f(double x[4], const int y[4]) {\n"
     "    memcpy(x, y, 16);\n"
     "    return x[0];\n"
     "}\n",
     "f.c:3:5: this moves 'int' to where 'double' is\n"
     "        memcpy(x, y, 16);\n"
     "        ^\n"
     "  hint: an object is read and written as what it was declared"},
    {WG_EARGUMENT,
     "double f(double x[3]) {\n"
     "    double y[3] = {1, 2, 3};\n"
     "    return x - y;\n"
     "}\n",
     "f.c:3:12: this is arithmetic on pointers to two objects\n"
     "        return x - y;\n"
     "               ^\n"
     "  hint: pointers are compared and subtracted within one array"},
    {WG_EARGUMENT,
     "#include <stdio.h>\n"
     "double f(double x) {\n"
     "    double y;\n"
     "    scanf(\"%lf\", &y);\n"
     "    return x * y;\n"
     "}\n",
     "f.c:4:5: there is no source of the function 'scanf'\n"
     "        scanf(\"%lf\", &y);\n"
     "        ^\n"
     "  hint: give its source too, say what it computes with --rule scanf=file.c, or "
     "that no derivative goes through it with --inactive scanf"},
    {WG_EARGUMENT,
     "#include <setjmp.h>\n"
     "double f(double x) {\n"
     "    jmp_buf b;\n"
     "    if (setjmp(b)) return 1;\n"
     "    return x;\n"
     "}\n",
     "f.c:4:9: there is no source of the function '_setjmp'\n"
     "        if (setjmp(b)) return 1;\n"
     "            ^\n"
     "  hint: give its source too, say what it computes with --rule _setjmp=file.c, or "
     "that no derivative goes through it with --inactive _setjmp"},
    {WG_EARGUMENT,
     "double f(double x, double *p[2]) {\n"
     "    return x * *p[0];\n"
     "}\n",
     "f.c:1:28: the parameter 'p' is a 'double *[2]'\n"
     "    double f(double x, double *p[2]) {\n"
     "                               ^\n"
     "  hint: one array and indices into it are carried: double a[m][n]"},
    {WG_EARGUMENT,
     "double f(double x) {\n"
     "    double *p[2] = {&x, &x};\n"
     "    return *p[1];\n"
     "}\n",
     "f.c:2:21: 'p' holds an array of pointers\n"
     "        double *p[2] = {&x, &x};\n"
     "                        ^\n"
     "  hint: one array and indices into it are carried"},
    {WG_EARGUMENT,
     "extern const double table[3];\n"
     "double f(double x) {\n"
     "    return x * table[1];\n"
     "}\n",
     "f.c:3:16: 'table' has its values in another file\n"
     "        return x * table[1];\n"
     "                   ^\n"
     "  hint: define it where it is declared"},
    {WG_EARGUMENT,
     "double f(double x) {\n"
     "    _Atomic int k = 1;\n"
     "    return x * k;\n"
     "}\n",
     "f.c:2:5: 'k' is, or holds, _Atomic(int)\n"
     "        _Atomic int k = 1;\n"
     "        ^\n"
     "  hint: double, float, whole numbers, arrays and structs of these are carried"},
    {WG_EARGUMENT,
     "double f(double x) {\n"
     "    int n = sizeof(x) > 4;\n"
     "    void *labels[] = {&&a};\n"
     "    goto *labels[0];\n"
     "a:\n"
     "    return x * n;\n"
     "}\n",
     "f.c:3:23: the address of a label is not carried\n"
     "        void *labels[] = {&&a};\n"
     "                          ^\n"
     "  hint: decide by switch"},
    {WG_EARGUMENT,
     "typedef double v4 __attribute__((vector_size(32)));\n"
     "double f(double x) {\n"
     "    v4 v = {x, x, x, x};\n"
     "    return v[0];\n"
     "}\n",
     "f.c:3:5: 'v' is, or holds, v4\n"
     "        v4 v = {x, x, x, x};\n"
     "        ^\n"
     "  hint: double, float, whole numbers, arrays and structs of these are carried"},
    {WG_EARGUMENT,
     "double f(double x) {\n"
     "    int a[4] = {[0 ... 2] = 3};\n"
     "    return x * a[1];\n"
     "}\n",
     "f.c:2:17: a range of elements is not carried\n"
     "        int a[4] = {[0 ... 2] = 3};\n"
     "                    ^\n"
     "  hint: assign them in a loop"},
    {WG_EARGUMENT,
     "double f(double x, int n) {\n"
     "    double a[n];\n"
     "    a[0] = x;\n"
     "    for (int i = 0; i < n; i++) {\n"
     "        double b[i + 1];\n"
     "        b[i] = a[i] * x;\n"
     "        a[i] = b[i];\n"
     "    }\n"
     "    return a[n - 1];\n"
     "}\n",
     "f.c:5:18: the length of this array is computed from data\n"
     "            double b[i + 1];\n"
     "                     ^\n"
     "  hint: make it of whole numbers that are parameters, or take the longest"},
    {WG_EARGUMENT,
     "static double g(int n, ...) {\n"
     "    return n;\n"
     "}\n"
     "double f(double x) {\n"
     "    return g(1, x);\n"
     "}\n",
     "f.c:5:12: 'g' takes any number of arguments\n"
     "        return g(1, x);\n"
     "               ^\n"
     "  hint: give it an array and how many there are"},
    {WG_EARGUMENT,
     "struct s { double *p; };\n"
     "double f(struct s s) {\n"
     "    return s.p[0];\n"
     "}\n",
     "f.c:3:12: this pointer is null, or nothing was assigned to it\n"
     "        return s.p[0];\n"
     "               ^\n"
     "  hint: have it point to something in every case before it is followed"},
    {WG_EARGUMENT,
     "double f(double x) {\n"
     "    double y = 0;\n"
     "    for (int i = 0; ; i++) {\n"
     "        double *p = i ? &y : &x;\n"
     "        if (*p > 3) return *p;\n"
     "        *p += 1;\n"
     "    }\n"
     "}\n",
     "f.c:4:21: a pointer points to different objects after the cases of this\n"
     "            double *p = i ? &y : &x;\n"
     "                        ^\n"
     "  hint: choose an index into one array, or write the two cases out"},
    {WG_EARGUMENT,
     "double f(double x) {\n"
     "    struct { union { double d; int i; }; } s = {{x}};\n"
     "    return s.d;\n"
     "}\n",
     "f.c:2:5: 's' is, or holds, a union\n"
     "        struct { union { double d; int i; }; } s = {{x}};\n"
     "        ^\n"
     "  hint: double, float, whole numbers, arrays and structs of these are carried"},
    {WG_EARGUMENT,
     "#include <stdlib.h>\n"
     "static int by(const void *a, const void *b) {\n"
     "    return *(const double *)a < *(const double *)b;\n"
     "}\n"
     "void f(int n, double x[n]) {\n"
     "    qsort(x, (size_t)n, sizeof *x, by);\n"
     "}\n",
     "f.c:6:5: there is no source of the function 'qsort'\n"
     "        qsort(x, (size_t)n, sizeof *x, by);\n"
     "        ^\n"
     "  hint: give its source too, say what it computes with --rule qsort=file.c, or "
     "that no derivative goes through it with --inactive qsort"},
    {WG_EARGUMENT,
     "#include <stdarg.h>\n"
     "double f(double x, int n) {\n"
     "    return x * __builtin_popcount((unsigned)n);\n"
     "}\n",
     "f.c:3:16: there is no source of the function '__builtin_popcount'\n"
     "        return x * __builtin_popcount((unsigned)n);\n"
     "                   ^\n"
     "  hint: give its source too, say what it computes with --rule "
     "__builtin_popcount=file.c, or that no derivative goes through it with --inactive "
     "__builtin_popcount"},
    {WG_EARGUMENT,
     "double f(double x) {\n"
     "    const char *s = \"abc\";\n"
     "    return x * s[1];\n"
     "}\n",
     "f.c:3:16: this pointer is null, or nothing was assigned to it\n"
     "        return x * s[1];\n"
     "                   ^\n"
     "  hint: have it point to something in every case before it is followed"},
    {WG_EARGUMENT,
     "double f(double x[6]) {\n"
     "    float *p = (float *)x;\n"
     "    return p[1];\n"
     "}\n",
     "f.c:2:16: this turns 'double[6]' into 'float *'\n"
     "        float *p = (float *)x;\n"
     "                   ^\n"
     "  hint: an object is read and written as what it was declared"},
    {WG_EARGUMENT,
     "#include <threads.h>\n"
     "thread_local double t;\n"
     "double f(double x) {\n"
     "    t = x;\n"
     "    return t;\n"
     "}\n",
     "f.c:4:5: 't' is a variable that outlives the call\n"
     "        t = x;\n"
     "        ^\n"
     "  hint: make it a parameter, or const"},
    {WG_ESYNTAX,
     "double f(double x) {\n"
     "    double g(double y) { return x * y; }\n"
     "    return g(2);\n"
     "}\n",
     "f.c:2:24: function definition is not allowed here\n"
     "        double g(double y) { return x * y; }\n"
     "                           ^"},
    {WG_ESYNTAX,
     "#define F(x) ((x) + \\\n"
     "  undeclared)\n"
     "double f(double x) {\n"
     "    return F(x);\n"
     "}\n",
     "f.c:4:12: use of undeclared identifier 'undeclared'\n"
     "        return F(x);\n"
     "               ^"},
    {WG_EARGUMENT,
     "double f(double _Complex z) {\n"
     "    return 1;\n"
     "}\n",
     "f.c:1:26: 'z' is, or holds, _Complex double\n"
     "    double f(double _Complex z) {\n"
     "                             ^\n"
     "  hint: double, float, whole numbers, arrays and structs of these are carried"},
    {WG_EARGUMENT,
     "__int128 f(__int128 x) {\n"
     "    return x + 1;\n"
     "}\n",
     "f.c:1:21: 'x' is, or holds, __int128\n"
     "    __int128 f(__int128 x) {\n"
     "                        ^\n"
     "  hint: double, float, whole numbers, arrays and structs of these are carried"},
    {WG_EARGUMENT,
     "double f(double x) {\n"
     "    return _Generic(x, double: x * 2, int: 0);\n"
     "}\n",
     "f.c:2:12: GenericSelectionExpr is not carried\n"
     "        return _Generic(x, double: x * 2, int: 0);\n"
     "               ^"},
    {WG_EARGUMENT,
     "double f(double x, int k) {\n"
     "    return k ?: x;\n"
     "}\n",
     "f.c:2:12: this expression is not carried\n"
     "        return k ?: x;\n"
     "               ^"},
    {WG_EARGUMENT,
     "double f(double x) {\n"
     "    typedef struct { double a, b; } two;\n"
     "    two t = {x, 2}, *p = &t;\n"
     "    double *q = &p->a + 1;\n"
     "    return *q;\n"
     "}\n",
     "f.c:5:12: this pointer to 't', or within it, moves away from what it pointed to\n"
     "        return *q;\n"
     "               ^\n"
     "  hint: make it an array"},
};

static wg_program *read_text(const char *text, const char *function, wg_error *error) {
    wg_csource_options options = {
        .function = function, .text = text, .text_size = strlen(text)};
    return wg_csource_read("f.c", &options, error);
}

/* Without libclang there is nothing to test. */
static void need_libclang(void) {
    wg_error error = {0};
    wg_program *p = read_text("int f(int x) { return x; }", NULL, &error);
    wg_program_free(p);
    if (!p) {
        print_message("%s\n", error.message);
        skip();
    }
}

static void messages_are_whole(void **state) {
    (void)state;
    size_t wrong = 0;
    need_libclang();
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const struct refusal *r = &refusals[i];
        wg_error error = {0};
        wg_program *p = read_text(r->text, NULL, &error);
        wg_program_free(p);
        if (!p && error.status == r->status && strcmp(error.message, r->message) == 0) continue;
        print_message("%s-- is refused by\n%s\n-- not by\n%s\n", r->text, error.message, r->message);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

/* ---- the interface ------------------------------------------------------------------------------ */

static void arguments_are_checked(void **state) {
    (void)state;
    static const char *const hole[] = {"-DN=3", NULL};
    static const char text[] = "double g(double x) { return x; }\ndouble f(double x) { return g(x); }";
    wg_error error = {0};
    need_libclang();
    EXPECT_ERROR(WG_EARGUMENT, "wg_csource_open: the path is NULL",
                 wg_csource_open(NULL, NULL, &error));
    const wg_csource_options lists[] = {
        {.flag = hole, .flag_count = 2}, {.file = hole, .file_count = 2},
        {.size = hole, .size_count = 2}, {.inactive = hole, .inactive_count = 2},
        {.rule = hole, .rule_count = 2}, {.rule = NULL, .rule_count = 1}};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        EXPECT_ERROR(WG_EARGUMENT, "wg_csource_open: a list with a NULL in it",
                     wg_csource_open("f.c", &lists[i], &error));
    EXPECT_ERROR(WG_EIO, "none.c: No such file or directory",
                 wg_csource_open("none.c", NULL, &error));
    EXPECT_ERROR(WG_ENAME, "f.c: it defines no function 'h'\n  hint: it defines g, f",
                 read_text(text, "h", &error));
    /* an error that is there already, and none that is wanted */
    error = (wg_error){WG_EIO, "before"};
    assert_null(wg_csource_open("none.c", NULL, &error));
    assert_string_equal(error.message, "before");
    assert_null(wg_csource_open("none.c", NULL, NULL));
    assert_null(wg_csource_program(NULL));
    assert_null(wg_csource_function(NULL));
    assert_null(wg_csource_return_type(NULL));
    assert_int_equal(wg_csource_parameter_count(NULL), 0);
    assert_null(wg_csource_parameter_at(NULL, 0).name);
    wg_csource_free(NULL);
}

static wg_program *with_size(const char *size, wg_error *error) {
    static const char text[] = "double f(int n, int m, double *x) { return x[n * m - 1]; }";
    wg_csource_options options = {.text = text, .text_size = strlen(text), .size = &size,
                                  .size_count = 1};
    return wg_csource_read("f.c", &options, error);
}

static void lengths_are_read(void **state) {
    (void)state;
    static const char *const good[] = {"x=n*m", "x=n*m+1", "x=(n+1)*m", "x=2*n*m-0", "x= n * m ",
                                       "x=((n))*m"};
    static const char *const bad[] = {"x=", "x=n*", "x=(n", "x=n)", "x=n/m", "x=n m", "x=n**m",
                                      "x=2n", "x=99999999999999999999"};
    wg_error error = {0};
    char message[160];
    need_libclang();
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        wg_program *p = with_size(good[i], &error);
        assert_ok(error);
        assert_int_equal(wg_size_count(p), 2);
        wg_program_free(p);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(message, sizeof message,
                 "the length '%s' is no name=expression of whole numbers that are parameters",
                 bad[i] + 2);
        EXPECT_ERROR(WG_EARGUMENT, message, with_size(bad[i], &error));
    }
    static const char *const of_nothing[] = {"x", "z=n", "n=m", ""};
    for (size_t i = 0; i < sizeof of_nothing / sizeof *of_nothing; i++) {
        snprintf(message, sizeof message,
                 "the length '%s' is of no pointer among the parameters of 'f'", of_nothing[i]);
        EXPECT_ERROR(WG_EARGUMENT, message, with_size(of_nothing[i], &error));
    }
}

static void what_was_read_is_told(void **state) {
    (void)state;
    static const char text[] =
        "struct p { double a; int k; };\n"
        "double f(int n, const double x[n], double *y, struct p s, double t) {\n"
        "    *y = x[0] * s.a;\n    return t;\n}\n";
    wg_error error = {0};
    need_libclang();
    wg_csource_options options = {.text = text, .text_size = strlen(text)};
    wg_csource *s = wg_csource_open("f.c", &options, &error);
    assert_ok(error);
    static const struct {
        const char *name, *type;
        wg_csource_role role;
        bool is_written;
    } want[] = {{"n", "int", WG_CSOURCE_SIZE, false},
                {"x", "const double[n]", WG_CSOURCE_ARRAY, false},
                {"y", "double *", WG_CSOURCE_ARRAY, true},
                {"s", "struct p", WG_CSOURCE_RECORD, false},
                {"t", "double", WG_CSOURCE_VALUE, false}};
    assert_string_equal(wg_csource_function(s), "f");
    assert_string_equal(wg_csource_return_type(s), "double");
    assert_int_equal(wg_csource_parameter_count(s), 5);
    for (size_t i = 0; i < 5; i++) {
        wg_csource_parameter p = wg_csource_parameter_at(s, i);
        assert_string_equal(p.name, want[i].name);
        assert_string_equal(p.type, want[i].type);
        assert_int_equal(p.role, want[i].role);
        assert_int_equal(p.is_written, want[i].is_written);
    }
    assert_null(wg_csource_parameter_at(s, 5).name);
    wg_csource_free(s);
}

/* ---- other files -------------------------------------------------------------------------------- */

static void files_and_rules_are_read(void **state) {
    (void)state;
    static const char text[] = "double g(double);\nvoid report(double);\n"
                               "double f(double x) {\n    report(x);\n    return g(x) * N;\n}\n";
    static const char other[] = "double g(double x) { return x * x; }\n";
    static const char rule[] = "double g(double x) { return 3 * x; }\n";
    static const char *const flag[] = {"-DN=2"}, *const file[] = {"g.c"}, *const inactive[] = {"report"},
                      *const rules[] = {"g=rule.c"}, *const wrong[] = {"rule.c"}, *const none[] = {"none.c"};
    wg_error error = {0};
    need_libclang();
    scratch_write("g.c", other, strlen(other));
    scratch_write("rule.c", rule, strlen(rule));
    wg_csource_options options = {.text = text, .text_size = strlen(text), .flag = flag,
                                  .flag_count = 1, .file = file, .file_count = 1,
                                  .inactive = inactive, .inactive_count = 1};
    for (int ruled = 0; ruled < 2; ruled++) {
        double x = 5, y = 0;
        options.rule = rules;
        options.rule_count = (size_t)ruled;
        wg_program *p = wg_csource_read("f.c", &options, &error);
        wg_function *fn = wg_compile(p, NULL, &error);
        wg_call_with(fn, NULL, (const void *[]){&x}, (void *[]){&y}, NULL, &error);
        assert_ok(error);
        assert_true(y == (ruled ? 30 : 50));
        wg_function_free(fn);
        wg_program_free(p);
    }
    options.rule = wrong;
    EXPECT_ERROR(WG_EARGUMENT, "a rule is name=file.c, not 'rule.c'",
                 wg_csource_read("f.c", &options, &error));
    options.rule_count = 0;
    options.file = none;
    EXPECT_ERROR(WG_EIO, "none.c: No such file or directory",
                 wg_csource_read("f.c", &options, &error));
}

/* ---- failing memory ----------------------------------------------------------------------------- */

static wg_status reading(const wg_allocator *allocator, void *ctx) {
    static const char *const size[] = {"q=n"};
    wg_error error = {0};
    const char *text = ctx;
    wg_csource_options options = {.text = text, .text_size = strlen(text), .size = size,
                                  .size_count = strstr(text, "*q") != NULL,
                                  .allocator = allocator};
    wg_csource_free(wg_csource_open("f.c", &options, &error));
    return error.status;
}

static void reading_survives(void **state) {
    (void)state;
    need_libclang();
    assert_true(fail_every_request(reading, "double f(double x) { return x * 2; }") > 5);
    assert_true(fail_every_request(reading,
        "static const double t[] = {1, 2};\n"
        "struct p { double a; int k; };\n"
        "static double g(double x) { if (x > 0) return x; return -t[1] * x; }\n"
        "void f(int n, double x[n], struct p *q) {\n"
        "    double a[n], *p = x;\n"
        "    for (int i = 0; i < n; i++) {\n"
        "        switch (q[i].k) { case 1: x[i] += g(x[i]); break; default: continue; }\n"
        "        while (*p < 3) *p++ *= 2;\n"
        "        a[i] = q[i].a;\n"
        "    }\n"
        "    for (int i = 0; i < n; i++) q[i].a = a[n - 1 - i];\n"
        "}\n") > 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_whole),       cmocka_unit_test(arguments_are_checked),
        cmocka_unit_test(lengths_are_read),         cmocka_unit_test(what_was_read_is_told),
        cmocka_unit_test(files_and_rules_are_read), cmocka_unit_test(reading_survives),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
