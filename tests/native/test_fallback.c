/* Where native code cannot be had the function is interpreted, with the same results, and says why:
 * no compiler, one that fails, dies, hangs or makes something else, nowhere to write. And where it
 * can be had in a while (WG_AUTO), results are the same before, during and after the switch, from
 * many threads, in one workspace. */
#include "native/compilers.h"
#include "run/run.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <time.h>

enum { N = 300, THREADS = 8 };

static const char formula[] =
    "f(x[n]) = { y = logsumexp(x*x) + sum(sin(x)); z = cumsum(softmax(x)) }";

static wg_program *program(void) {
    wg_error error = {0};
    wg_program *p = wg_parse(formula, strlen(formula), NULL, &error);
    wg_program *vjp = wg_vjp(p, NULL, NULL, &error);
    assert_ok(error);
    wg_program_free(p);
    return vjp;
}

static void wait_for_compiler(const wg_function *fn) {
    while (strstr(wg_function_note(fn), "still at work"))
        nanosleep(&(struct timespec){0, 5000000}, NULL);
}

/* ---- one call ------------------------------------------------------------------------------ */

struct results {
    double y, z[N], x_bar[N];
};

static wg_status call(const wg_function *fn, void *workspace, struct results *r) {
    double x[N], y_bar = 2, z_bar[N];
    for (int i = 0; i < N; i++) {
        x[i] = (i * 7 % 13) / 7.0 - 1;
        z_bar[i] = (i * 5 % 11) / 5.0 - 1;
    }
    return wg_call_with(fn, (int64_t[]){N}, (const void *[]){x, &y_bar, z_bar},
                        (void *[]){&r->y, r->z, r->x_bar}, workspace, NULL);
}

static struct results interpreted_results(void) {
    wg_error error = {0};
    wg_program *p = program();
    wg_function *fn = wg_compile(p, NULL, &error);
    assert_ok(error);
    struct results r;
    assert_int_equal(call(fn, NULL, &r), WG_OK);
    wg_function_free(fn);
    wg_program_free(p);
    return r;
}

static const wg_options exact = {.backend = WG_NATIVE, .flags = "-O0 -ffp-contract=off"};
static const wg_options exact_soon = {.backend = WG_AUTO, .flags = "-O0 -ffp-contract=off"};

/* Compiles, asserts that the note holds these words and that results are the interpreter's; waits
 * for a compiler in the background. */
static void expect_note(wg_backend backend, const char *words) {
    const struct results expected = interpreted_results();
    struct results r = {0};
    wg_error error = {0};
    wg_program *p = program();
    wg_function *fn = wg_compile(p, backend == WG_NATIVE ? &exact : &exact_soon, &error);
    assert_ok(error);
    wait_for_compiler(fn);
    if (!strstr(wg_function_note(fn), words) || (!*words && *wg_function_note(fn)))
        fail_msg("'%s' lacks '%s'", wg_function_note(fn), words);
    assert_int_equal(call(fn, NULL, &r), WG_OK);
    assert_memory_equal(&r, &expected, sizeof r);
    wg_function_free(fn);
    wg_program_free(p);
}

static void expect_notes(const char *words) {
    expect_note(WG_NATIVE, words);
    expect_note(WG_AUTO, words);
}

/* ---- compilers that are none --------------------------------------------------------------- */

static void a_compiler_that_is_there(void **state) {
    (void)state;
    expect_notes("");
}

static void no_compiler(void **state) {
    (void)state;
    setenv("CC", "no-such-compiler", 1);
    expect_notes("there is no compiler 'no-such-compiler'");
}

static void a_compiler_that_fails(void **state) {
    (void)state;
    setenv("CC", script("failing", "[ \"$1\" = --version ] && exit; echo no such luck >&2; exit 3"),
           1);
    expect_notes("failing failed with exit status 3");
    setenv("CC", script("dying", "[ \"$1\" = --version ] && exit; kill -9 $$"), 1);
    expect_notes("dying");
}

static void a_compiler_that_hangs(void **state) {
    (void)state;
    setenv("WENGERT_COMPILE_SECONDS", "0.3", 1);
    setenv("CC", script("hanging", "[ \"$1\" = --version ] && exit; exec sleep 100"), 1);
    expect_notes("hanging was stopped: it took more than 0.3 seconds");
    unsetenv("WENGERT_COMPILE_SECONDS");
}

static void a_compiler_of_something_else(void **state) {
    (void)state;
    scratch_write("other.c", answer, strlen(answer));
    char command[1000];
    snprintf(command, sizeof command,
             "[ \"$1\" = --version ] && exit\n"
             "while [ \"$1\" != -o ]; do shift; done\nexec cc -shared -fPIC -o \"$2\" %s",
             in_folder("other.c"));
    setenv("CC", script("other", command), 1);
    expect_notes("has no function wg_program");
    setenv("CC",
           script("garbage", "[ \"$1\" = --version ] && exit\n"
                             "while [ \"$1\" != -o ]; do shift; done; echo x > \"$2\""),
           1);
    expect_notes("garbage");
}

/* ---- nowhere to write ---------------------------------------------------------------------- */

static void a_cache_that_cannot_be_used(void **state) {
    (void)state;
    setenv("WENGERT_CACHE", "/proc/nothing/here", 1);
    expect_notes(""); /* a temporary directory does */
    setenv("TMPDIR", in_folder("nowhere"), 1);
    expect_notes("nowhere");
}

static void a_full_disk(void **state) {
    (void)state;
    struct rlimit before, little;
    struct sigaction ignore = {.sa_handler = SIG_IGN}, usual;
    getrlimit(RLIMIT_FSIZE, &before);
    sigaction(SIGXFSZ, &ignore, &usual);
    little = before;
    little.rlim_cur = 1000; /* bytes of any file: less than the text */
    setrlimit(RLIMIT_FSIZE, &little);
    wg_error error = {0};
    wg_program *p = program();
    wg_function *fn = wg_compile(p, &exact, &error);
    setrlimit(RLIMIT_FSIZE, &before);
    sigaction(SIGXFSZ, &usual, NULL);
    assert_ok(error);
    assert_true(*wg_function_note(fn));
    struct results r;
    assert_int_equal(call(fn, NULL, &r), WG_OK);
    wg_function_free(fn);
    wg_program_free(p);
    assert_int_equal(files_in("cache", "work-"), 0);
    assert_int_equal(files_in("tmp", ""), 0);
}

/* ---- what the compiler said ---------------------------------------------------------------- */

static const char *log_of(wg_backend backend, wg_function **fn) {
    wg_error error = {0};
    wg_program *p = program();
    *fn = wg_compile(p, backend == WG_NATIVE ? &exact : &exact_soon, &error);
    assert_ok(error);
    wg_program_free(p);
    wait_for_compiler(*fn);
    return wg_function_log(*fn);
}

static void the_compilers_words_are_kept(void **state) {
    (void)state;
    wg_function *fn;
    setenv("CC", script("talking", "[ \"$1\" = --version ] && exit; echo beware; exec cc \"$@\""),
           1);
    for (wg_backend backend = WG_NATIVE; backend <= WG_AUTO; backend++) {
        empty_directory("cache");
        assert_non_null(strstr(log_of(backend, &fn), "beware\n"));
        assert_non_null(strstr(wg_function_log(fn), "-O0 -ffp-contract=off"));
        wg_function_free(fn);
        assert_non_null(strstr(log_of(backend, &fn), "loaded "));
        wg_function_free(fn);
    }
    setenv("CC", script("refusing", "[ \"$1\" = --version ] && exit; echo never >&2; exit 1"), 1);
    for (wg_backend backend = WG_NATIVE; backend <= WG_AUTO; backend++) {
        assert_non_null(strstr(log_of(backend, &fn), "never\n"));
        wg_function_free(fn);
    }
    assert_string_equal(wg_function_log(NULL), "");
}

/* ---- the switch ---------------------------------------------------------------------------- */

struct job {
    const wg_function *fn;
    const struct results *expected;
    const atomic_int *stop;
    size_t calls;
    bool same;
};

static void *work(void *argument) {
    struct job *j = argument;
    void *workspace = wg_workspace_new(j->fn, (int64_t[]){N}, NULL);
    j->same = workspace != NULL;
    while (!atomic_load(j->stop)) {
        struct results r = {0};
        j->same = j->same && call(j->fn, workspace, &r) == WG_OK &&
                  memcmp(&r, j->expected, sizeof r) == 0;
        j->calls++;
    }
    wg_workspace_free(workspace);
    return NULL;
}

static void threads_call_through_the_switch(void **state) {
    (void)state;
    const struct results expected = interpreted_results();
    wg_error error = {0};
    wg_program *p = program();
    /* slow enough that calls are made before, not so slow that a test waits */
    setenv("CC", script("slow", "[ \"$1\" = --version ] && exit; sleep 0.3; exec cc \"$@\""), 1);
    wg_function *fn = wg_compile(p, &exact_soon, &error);
    assert_ok(error);
    assert_non_null(strstr(wg_function_note(fn), "still at work"));
    wg_program_free(p);
    struct job job[THREADS];
    pthread_t thread[THREADS];
    atomic_int stop = 0;
    for (int i = 0; i < THREADS; i++) {
        job[i] = (struct job){fn, &expected, &stop, 0, false};
        assert_int_equal(pthread_create(&thread[i], NULL, work, &job[i]), 0);
    }
    wait_for_compiler(fn);
    nanosleep(&(struct timespec){0, 50000000}, NULL);
    atomic_store(&stop, 1);
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_join(thread[i], NULL), 0);
    assert_string_equal(wg_function_note(fn), "");
    for (int i = 0; i < THREADS; i++) {
        assert_true(job[i].same);
        assert_true(job[i].calls > 1);
    }
    wg_function_free(fn);
}

static void freeing_while_the_compiler_runs(void **state) {
    (void)state;
    wg_error error = {0};
    wg_program *p = program();
    setenv("CC", script("slow", "[ \"$1\" = --version ] && exit; sleep 0.2; exec cc \"$@\""), 1);
    for (int i = 0; i < 3; i++) wg_function_free(wg_compile(p, &exact_soon, &error));
    assert_ok(error);
    wg_program_free(p);
    assert_int_equal(files_in("cache", "work-"), 0);
}

#define EACH(name) cmocka_unit_test_setup(name, fresh_environment)

int main(void) {
    const struct CMUnitTest tests[] = {
        EACH(a_compiler_that_is_there),
        EACH(no_compiler),
        EACH(a_compiler_that_fails),
        EACH(a_compiler_that_hangs),
        EACH(a_compiler_of_something_else),
        EACH(a_cache_that_cannot_be_used),
        EACH(a_full_disk),
        EACH(the_compilers_words_are_kept),
        EACH(threads_call_through_the_switch),
        EACH(freeing_while_the_compiler_runs),
    };
    return cmocka_run_group_tests(tests, scratch_setup, remove_environment);
}
