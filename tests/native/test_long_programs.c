/* Long scalar programs: text and memory grow with the number of instructions and not faster, and no
 * function of the text is longer than a compiler likes; where a program writes out a loop, the text
 * is that of the loop. What is measured is what a compiler is
 * given; it need not compile it. */
#include "native/compilers.h"
#include "ir/ir.h"
#include "support/failing_allocator.h"

#include <wengert.h>

enum { MOST_STATEMENTS = 500, MOST_TEXT = 150, MOST_MEMORY = 1000 };

struct size { /* of a program of so many instructions */
    size_t instructions, text, memory, functions, statements; /* statements: of one function */
};

/* Value and derivative of x <- a f(x) + b x, again and again, with f the sine; or, so that it is no
 * loop, the sine or the cosine in an order without periods. */
static wg_program *chain(size_t length, bool loop, const wg_allocator *allocator) {
    wg_error error = {0};
    wg_graph *g = wg_graph_new_with(allocator);
    wg_var x = wg_input(g, "x", wg_f64()), a = wg_input(g, "a", wg_f64());
    wg_var b = wg_input(g, "b", wg_f64());
    wg_random random = wg_random_seed(1);
    for (size_t i = 0; i < length; i++) {
        bool sine = loop || wg_random_below(&random, 2) == 0;
        x = wg_add(wg_mul(a, sine ? wg_sin(x) : wg_cos(x)), wg_mul(b, x));
    }
    wg_output(g, "y", x);
    wg_program *p = wg_build(g, &error), *both = wg_value_and_grad(p, NULL, &error);
    assert_ok(error);
    wg_program_free(p);
    return both;
}

/* Functions of the file, and the statements of the longest. */
static void read_text(const char *path, struct size *size) {
    char line[2000];
    size_t statements = 0;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        size->text += strlen(line);
        if (strstr(line, "(const wg_frame *f")) {
            size->functions++;
            statements = 0;
        }
        statements += strstr(line, "const double v") != NULL;
        if (statements > size->statements) size->statements = statements;
    }
    fclose(file);
}

static struct size measure(size_t length, bool loop) {
    struct failing_allocator counted = {0};
    wg_allocator allocator = failing_hook(&counted);
    wg_error error = {0};
    wg_program *p = chain(length, loop, &allocator);
    struct size size = {.instructions = p->t.instr.count};
    size_t before = counted.live_bytes;
    counted.peak_bytes = before;
    wg_function *fn = wg_compile(p, &(wg_options){.backend = WG_NATIVE}, &error);
    assert_ok(error);
    assert_non_null(strstr(wg_function_note(fn), "exit status 7")); /* by keeper */
    size.memory = counted.peak_bytes - before;
    wg_function_free(fn);
    wg_program_free(p);
    read_text("kept.c", &size);
    return size;
}

static void keep_text(void) {
    char keeper[1000];
    snprintf(keeper, sizeof keeper,
             "[ \"$1\" = --version ] && exit\n"
             "for word; do case $word in *.c) cp \"$word\" %s;; esac; done; exit 7",
             in_folder("kept.c"));
    setenv("CC", script("keeper", keeper), 1);
}

static void text_and_memory_are_linear(void **state) {
    (void)state;
    keep_text();
    struct size small = measure(1000, false), large = measure(10000, false);
    print_message("%zu instructions: %zu bytes of text, %zu of memory, %zu functions, %zu\n",
                  large.instructions, large.text, large.memory, large.functions, large.statements);
    assert_true(large.instructions > 100000);
    assert_true(large.instructions > 9 * small.instructions);
    size_t ratio = large.instructions / small.instructions + 2;
    assert_true(large.text < ratio * small.text);
    assert_true(large.memory < ratio * small.memory);
    assert_true(large.text < MOST_TEXT * large.instructions);
    assert_true(large.memory < MOST_MEMORY * large.instructions);
    assert_true(large.functions > large.instructions / 2 / MOST_STATEMENTS);
    assert_true(large.statements <= MOST_STATEMENTS && small.statements <= MOST_STATEMENTS);
}

static void a_loop_written_out_is_as_long_as_a_loop(void **state) {
    (void)state;
    keep_text();
    struct size small = measure(1000, true), large = measure(10000, true);
    assert_true(large.instructions > 9 * small.instructions);
    assert_true(large.text < small.text + 200);
    assert_int_equal(large.statements, small.statements);
    assert_int_equal(large.functions, 1);
    size_t ratio = large.instructions / small.instructions + 2;
    assert_true(large.memory < ratio * small.memory);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(text_and_memory_are_linear, fresh_environment),
        cmocka_unit_test_setup(a_loop_written_out_is_as_long_as_a_loop, fresh_environment),
    };
    return cmocka_run_group_tests(tests, scratch_setup, remove_environment);
}
