/* From text to a function, and every way in which that fails: an error that says what is wrong, a
 * log that holds what the compiler said, nothing left behind, no child left unreaped. */
#include "native/compilers.h"

#include "support/failing_allocator.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

/* The loading fails so, and leaves no file, no directory and no child. */
static void expect_failure(const struct toolchain_options *options, const char *text,
                           wg_status status, const char *message, wg_text *log) {
    wg_error error = {0};
    struct loaded loaded = {.cached = true};
    size_t objects = files_in("cache", ".so");
    assert_false(toolchain_load(NULL, options, text, strlen(text), &loaded, log, &error));
    if (!strstr(error.message, message)) fail_msg("'%s' lacks '%s'", error.message, message);
    assert_int_equal(error.status, status);
    assert_null(loaded.handle);
    assert_int_equal(files_in("cache", "work-"), 0);
    assert_int_equal(files_in("cache", ".so"), objects);
    assert_int_equal(files_in("tmp", ""), 0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void text_becomes_a_function(void **state) {
    (void)state;
    bool cached;
    assert_int_equal(load_and_call(NULL, answer, &cached), 42);
    assert_false(cached);
    assert_int_equal(load_and_call(NULL, answer, &cached), 42);
    assert_true(cached);
    assert_int_equal(load_and_call(NULL, "int f(void) { return 43; }", &cached), 43);
    assert_false(cached);
    assert_int_equal(files_in("cache", "work-"), 0);
    assert_int_equal(files_in("tmp", ""), 0);
}

static void flags_and_libraries_reach_the_compiler(void **state) {
    (void)state;
    static const char text[] = "#include <math.h>\n"
                               "int f(void) { volatile double x = N; return (int)cbrt(x); }\n";
    struct toolchain_options options = {.flags = (const char *const[]){"-DN=27", NULL},
                                        .libraries = (const char *const[]){"-lm", NULL}};
    assert_int_equal(load_and_call(&options, text, NULL), 3);
    options.flags = (const char *const[]){"-DN=64", NULL};
    assert_int_equal(load_and_call(&options, text, NULL), 4);
}

static void names_that_are_not_there(void **state) {
    (void)state;
    struct loaded loaded;
    assert_true(toolchain_load(NULL, NULL, answer, strlen(answer), &loaded, NULL, NULL));
    assert_null(toolchain_symbol(&loaded, "g"));
    toolchain_unload(&loaded);
    assert_null(loaded.handle);
    assert_null(toolchain_symbol(&loaded, "f"));
    toolchain_unload(&loaded);
}

static void an_error_stays(void **state) {
    (void)state;
    wg_error error = {.status = WG_ESHAPE};
    struct loaded loaded;
    assert_false(toolchain_load(NULL, NULL, answer, strlen(answer), &loaded, NULL, &error));
    assert_int_equal(error.status, WG_ESHAPE);
    assert_int_equal(files_in("cache", ""), 0);
}

/* ---- which compiler ------------------------------------------------------------------------ */

static void cc_is_split_into_words(void **state) {
    (void)state;
    char command[700];
    snprintf(command, sizeof command, "  %s\tcc  -DG=7 ",
             script("wrapper", "echo \"$@\" >> words; exec \"$@\""));
    setenv("CC", command, 1);
    assert_int_equal(load_and_call(NULL, "int f(void) { return G; }", NULL), 7);
    char words[200] = "";
    FILE *file = fopen("words", "r");
    while (fgets(words, sizeof words, file)) continue; /* the last line: the first asks a version */
    fclose(file);
    assert_non_null(strstr(words, "cc -DG=7 -shared -fPIC -o "));
    /* No shell reads the command. */
    setenv("CC", "cc -DG=7;touch${IFS}pwned $(touch pwned)", 1);
    expect_failure(NULL, answer, WG_ENATIVE, "failed with exit status", NULL);
    assert_int_equal(access("pwned", F_OK), -1);
}

static void no_compiler(void **state) {
    (void)state;
    setenv("CC", "no-such-compiler -O2", 1);
    expect_failure(NULL, answer, WG_ENATIVE,
                   "there is no compiler 'no-such-compiler -O2', which $CC names", NULL);
    setenv("CC", "  ", 1);
    expect_failure(NULL, answer, WG_ENATIVE, "there is no compiler '  '", NULL);
    expect_failure(&(struct toolchain_options){.compiler = "./nowhere"}, answer, WG_ENATIVE,
                   "there is no compiler './nowhere'", NULL);
    char *path = strdup(getenv("PATH"));
    setenv("CC", "", 1);
    setenv("PATH", in_folder("tmp"), 1);
    expect_failure(NULL, answer, WG_ENATIVE, "none of cc, gcc and clang is on $PATH", NULL);
    setenv("PATH", path, 1);
    free(path);
    scratch_write("noprogram",
                  "\x7f"
                  "ELF",
                  4);
    chmod("noprogram", 0755);
    expect_failure(&(struct toolchain_options){.compiler = "./noprogram"}, answer, WG_ENATIVE,
                   "cannot run ./noprogram: ", NULL);
}

/* ---- compilers that fail ------------------------------------------------------------------- */

static void a_failing_compiler(void **state) {
    (void)state;
    wg_text log = {0};
    setenv("CC",
           script("failing", "[ \"$1\" = --version ] && exit; echo out; echo wrong >&2; "
                             "exit 3"),
           1);
    expect_failure(NULL, answer, WG_ENATIVE, "failing failed with exit status 3", &log);
    assert_non_null(strstr(log.data, "failing -shared -fPIC -o "));
    assert_non_null(strstr(log.data, "\nout\nwrong\n"));
    wg_text_free(&log);
    unsetenv("CC");
    expect_failure(NULL, "this is no C", WG_ENATIVE, "failed with exit status 1", &log);
    assert_non_null(strstr(log.data, "error:"));
    wg_text_free(&log);
}

static void a_compiler_ended_by_a_signal(void **state) {
    (void)state;
    setenv("CC", script("dying", "[ \"$1\" = --version ] && exit; kill -SEGV $$"), 1);
    expect_failure(NULL, answer, WG_ENATIVE, "dying was ended by signal 11", NULL);
}

/* Not only it but what it has started is ended, so that the log is at its end. */
static void a_compiler_that_hangs(void **state) {
    (void)state;
    struct timespec start, end;
    struct toolchain_options options = {.seconds = 0.3};
    setenv("CC",
           script("hanging", "[ \"$1\" = --version ] && exit; touch \"$TMPDIR/left\"; "
                             "sleep 100 & echo $! > child; sleep 100"),
           1);
    clock_gettime(CLOCK_MONOTONIC, &start);
    expect_failure(&options, answer, WG_ENATIVE,
                   "hanging was stopped: it took more than 0.3 seconds", NULL);
    clock_gettime(CLOCK_MONOTONIC, &end);
    assert_true(end.tv_sec - start.tv_sec < 20);
    int child = 0;
    FILE *file = fopen("child", "r");
    assert_int_equal(fscanf(file, "%d", &child), 1);
    fclose(file);
    char stat_path[64], line[200] = "", kind = 'X';
    snprintf(stat_path, sizeof stat_path, "/proc/%d/stat", child);
    file = fopen(stat_path, "r"); /* its new parent may not have reaped it yet */
    if (file) {
        if (fgets(line, sizeof line, file) && strrchr(line, ')')) kind = strrchr(line, ')')[2];
        fclose(file);
    }
    assert_true(kind == 'X' || kind == 'Z');
    setenv("CC", script("hanging_at_once", "exec sleep 100"), 1);
    expect_failure(&options, answer, WG_ENATIVE, "hanging_at_once was stopped", NULL);
}

static void a_compiler_that_closes_its_output(void **state) {
    (void)state;
    setenv("CC", script("silent", "exec >&- 2>&-; sleep 0.1; exec cc \"$@\""), 1);
    assert_int_equal(load_and_call(NULL, answer, NULL), 42);
    setenv("CC",
           script("silent_hanging", "[ \"$1\" = --version ] && exit; exec sleep 100 >&- 2>&-"), 1);
    expect_failure(&(struct toolchain_options){.seconds = 0.2}, answer, WG_ENATIVE, "was stopped",
                   NULL);
}

/* What it leaves running in its group does not outlive it, nor does it hold up the caller. */
static void a_compiler_that_leaves_a_process(void **state) {
    (void)state;
    struct timespec start, end;
    setenv("CC", script("leaving", "sleep 100 & exec cc \"$@\""), 1);
    clock_gettime(CLOCK_MONOTONIC, &start);
    assert_int_equal(load_and_call(NULL, answer, NULL), 42);
    clock_gettime(CLOCK_MONOTONIC, &end);
    assert_true(end.tv_sec - start.tv_sec < 20);
}

static void a_compiler_that_talks_much(void **state) {
    (void)state;
    wg_text log = {0};
    setenv("CC", script("talking", "[ \"$1\" = --version ] && exit; yes | head -c 3000000; exit 1"),
           1);
    expect_failure(NULL, answer, WG_ENATIVE, "talking failed with exit status 1", &log);
    assert_in_range(log.size, 65536, 65536 + 2000);
    assert_non_null(strstr(log.data, " more bytes\n"));
    wg_text_free(&log);
}

static void a_compiler_that_makes_nothing_or_garbage(void **state) {
    (void)state;
    wg_text log = {0};
    setenv("CC", script("idle", "exit 0"), 1);
    expect_failure(NULL, answer, WG_ENATIVE, "idle made no object", &log);
    setenv("CC",
           script("garbage", "while [ $# -gt 0 ]; do [ \"$1\" = -o ] && echo garbage > \"$2\"; "
                             "shift; done"),
           1);
    expect_failure(NULL, answer, WG_ENATIVE, "garbage made does not load: ", &log);
    unsetenv("CC");
    expect_failure(NULL, "int g(void); int f(void) { return g(); }", WG_ENATIVE,
                   "does not load: ", &log);
    wg_text_free(&log);
}

/* ---- the process around it ----------------------------------------------------------------- */

/* Of a process that ignores its children's ends, or that blocks signals, nothing is changed. */
static void the_process_stays_as_it_is(void **state) {
    (void)state;
    sigset_t blocked, before;
    signal(SIGCHLD, SIG_IGN);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    bool ok = load_and_call(NULL, answer, NULL) == 42;
    expect_failure(&(struct toolchain_options){.compiler = script("idle", "exit 0")}, answer,
                   WG_ENATIVE, "made no object", NULL);
    sigset_t after;
    sigprocmask(SIG_SETMASK, &before, &after);
    assert_true(signal(SIGCHLD, SIG_DFL) == SIG_IGN);
    assert_true(sigismember(&after, SIGTERM));
    assert_true(ok);
}

/* In a child, whose exit status says whether all went as it should. */
static void in_child(int (*work)(void)) {
    int status;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) _exit(work());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static bool loads(const struct toolchain_options *options, const char *text, wg_error *error) {
    struct loaded loaded;
    bool ok = toolchain_load(NULL, options, text, strlen(text), &loaded, NULL, error);
    toolchain_unload(&loaded);
    return ok;
}

static int without_streams(void) {
    for (int i = 0; i < 3; i++) close(i);
    wg_error error = {0};
    return loads(NULL, answer, &error) ? 0 : 1;
}

static void standard_streams_may_be_closed(void **state) {
    (void)state;
    in_child(without_streams);
}

static int without_descriptors(void) {
    struct rlimit limit = {.rlim_cur = 4, .rlim_max = 4};
    wg_error error = {0};
    setrlimit(RLIMIT_NOFILE, &limit);
    if (loads(NULL, answer, &error)) return 1;
    return error.status == WG_ENATIVE || error.status == WG_EIO ? 0 : 2;
}

static void descriptors_may_run_out(void **state) {
    (void)state;
    in_child(without_descriptors);
    assert_int_equal(files_in("tmp", ""), 0);
}

/* A limit of the size of files does what a full disk does: a write fails. */
static int with_small_files(void) {
    static char text[40000];
    struct rlimit limit = {.rlim_cur = 20000, .rlim_max = 20000};
    wg_error error = {0};
    signal(SIGXFSZ, SIG_IGN);
    memset(text, ' ', sizeof text - 1);
    setrlimit(RLIMIT_FSIZE, &limit);
    if (loads(NULL, text, &error)) return 1;
    return error.status == WG_EIO && strstr(error.message, "cannot write into ") ? 0 : 2;
}

static int with_tiny_objects(void) {
    struct rlimit limit = {.rlim_cur = 1000, .rlim_max = 1000};
    wg_error error = {0};
    setrlimit(RLIMIT_FSIZE, &limit);
    if (loads(NULL, answer, &error)) return 1;
    return error.status == WG_ENATIVE ? 0 : 2;
}

static void a_full_disk(void **state) {
    (void)state;
    in_child(with_small_files);
    in_child(with_tiny_objects);
    assert_int_equal(files_in("cache", "work-"), 0);
    assert_int_equal(files_in("cache", ".so"), 0);
    assert_int_equal(files_in("tmp", ""), 0);
}

/* ---- memory -------------------------------------------------------------------------------- */

struct fault {
    struct toolchain_options options;
    bool fresh;
    const char *text;
};

static wg_status load_once(const wg_allocator *allocator, void *ctx) {
    const struct fault *f = ctx;
    wg_error error = {0};
    wg_text log = {.allocator = *allocator};
    struct loaded loaded;
    if (f->fresh) empty_directory("cache");
    bool ok = toolchain_load(allocator, &f->options, f->text, strlen(f->text), &loaded, &log,
                             &error);
    assert_true(ok == (error.status == WG_OK) && ok == (loaded.handle != NULL));
    toolchain_unload(&loaded);
    wg_text_free(&log);
    assert_int_equal(files_in("cache", "work-"), 0);
    assert_int_equal(files_in("tmp", ""), 0);
    return error.status;
}

/* A compiler that only copies, for the walk runs it often. */
static void memory_may_run_out(void **state) {
    (void)state;
    char command[2000];
    struct fault fault = {.fresh = true, .text = answer};
    assert_int_equal(load_and_call(NULL, answer, NULL), 42);
    snprintf(command, sizeof command, "cp %s ready", only_file("cache", ".so"));
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof command,
             "while [ $# -gt 0 ]; do [ \"$1\" = -o ] && cp '%s' \"$2\"; shift; done; exit 0",
             in_folder("ready"));
    setenv("CC", script("copying", command), 1);
    assert_true(fail_every_request(load_once, &fault) > 10);
    fault.fresh = false; /* from the cache */
    assert_true(fail_every_request(load_once, &fault) > 5);
    fault.options.no_cache = true;
    assert_true(fail_every_request(load_once, &fault) > 5);
}

int main(void) {
#define EACH(test) cmocka_unit_test_setup(test, fresh_environment)
    const struct CMUnitTest tests[] = {
        EACH(text_becomes_a_function),
        EACH(flags_and_libraries_reach_the_compiler),
        EACH(names_that_are_not_there),
        EACH(an_error_stays),
        EACH(cc_is_split_into_words),
        EACH(no_compiler),
        EACH(a_failing_compiler),
        EACH(a_compiler_ended_by_a_signal),
        EACH(a_compiler_that_hangs),
        EACH(a_compiler_that_closes_its_output),
        EACH(a_compiler_that_leaves_a_process),
        EACH(a_compiler_that_talks_much),
        EACH(a_compiler_that_makes_nothing_or_garbage),
        EACH(the_process_stays_as_it_is),
        EACH(standard_streams_may_be_closed),
        EACH(descriptors_may_run_out),
        EACH(a_full_disk),
        EACH(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, scratch_setup, remove_environment);
}
