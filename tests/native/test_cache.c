/* The cache: what is in it is found again without a process, is found by nobody whom it does not
 * suit, is never seen half, and is trusted only where nobody else could have written it. */
#include "native/compilers.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <time.h>
#include <utime.h>

/* Compilers that count how often they are run. */
static void count_runs(const char *name) {
    script(name, "echo run >> runs; exec cc \"$@\"");
    remove("runs");
    setenv("CC", in_folder(name), 1);
}

static size_t runs(void) {
    char line[16];
    size_t count = 0;
    FILE *file = fopen("runs", "r");
    while (file && fgets(line, sizeof line, file)) count++;
    if (file) fclose(file);
    return count;
}

static bool is_cached(const struct toolchain_options *options, const char *text, int expected) {
    bool cached;
    assert_int_equal(load_and_call(options, text, &cached), expected);
    return cached;
}

static void a_hit_runs_no_process(void **state) {
    (void)state;
    count_runs("counted");
    assert_false(is_cached(NULL, answer, 42));
    assert_int_equal(runs(), 2); /* its version, and the work */
    assert_true(is_cached(NULL, answer, 42));
    assert_int_equal(runs(), 2);
    assert_false(is_cached(NULL, "int f(void) { return 1; }", 1));
    assert_int_equal(runs(), 3);
}

/* Each of what the object depends on, by itself. */
static void what_differs_is_not_found(void **state) {
    (void)state;
    const char *const o1[] = {"-O1", NULL}, *const o2[] = {"-O2", NULL},
                      *const lm[] = {"-lm", NULL};
    struct toolchain_options options = {.flags = o1};
    assert_false(is_cached(NULL, answer, 42));
    assert_false(is_cached(&options, answer, 42));
    options.flags = o2;
    assert_false(is_cached(&options, answer, 42));
    assert_true(is_cached(&options, answer, 42));
    options.libraries = lm;
    assert_false(is_cached(&options, answer, 42));
    options = (struct toolchain_options){.libraries = o2};
    assert_false(is_cached(&options, answer, 42)); /* a flag is no library */
    setenv("CC", "cc -m64", 1);
    assert_false(is_cached(NULL, answer, 42));
    setenv("CPATH", "/usr/include", 1);
    assert_false(is_cached(NULL, answer, 42));
    unsetenv("CPATH");
    assert_true(is_cached(NULL, answer, 42));
}

/* Of "wrapper compiler" the second counts too. */
static void another_compiler_is_not_found(void **state) {
    (void)state;
    char command[1400];
    snprintf(command, sizeof command, "%s %s", script("wrapper", "exec \"$@\""),
             script("inner", "exec cc \"$@\""));
    setenv("CC", command, 1);
    assert_false(is_cached(NULL, answer, 42));
    assert_true(is_cached(NULL, answer, 42));
    script("inner", "exec cc  \"$@\"");
    assert_false(is_cached(NULL, answer, 42));
    struct utimbuf old = {1000, 1000};
    assert_int_equal(utime("inner", &old), 0);
    assert_false(is_cached(NULL, answer, 42));
    assert_true(is_cached(NULL, answer, 42));
}

static void no_cache_on_request(void **state) {
    (void)state;
    struct toolchain_options options = {.no_cache = true};
    count_runs("counted");
    for (int i = 0; i < 2; i++) assert_false(is_cached(&options, answer, 42));
    assert_int_equal(runs(), 2);
    assert_int_equal(files_in("cache", ""), 0);
    assert_int_equal(files_in("tmp", ""), 0);
}

/* ---- damage -------------------------------------------------------------------------------- */

static void damage(const char *path, long at, bool cut) {
    if (cut) {
        assert_int_equal(truncate(path, at), 0);
        return;
    }
    FILE *file = fopen(path, "r+b");
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    int byte = fgetc(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    fputc(byte ^ 1, file);
    assert_int_equal(fclose(file), 0);
}

static void a_damaged_object_is_made_again(void **state) {
    (void)state;
    assert_false(is_cached(NULL, answer, 42));
    const char *object = only_file("cache", ".so");
    struct stat about;
    assert_int_equal(stat(object, &about), 0);
    long size = (long)about.st_size;
    for (long at = 0; at < size; at += size / 7 + 1) {
        damage(object, at, false);
        assert_false(is_cached(NULL, answer, 42));
        assert_true(is_cached(NULL, answer, 42));
        damage(object, at, true);
        assert_false(is_cached(NULL, answer, 42));
        assert_true(is_cached(NULL, answer, 42));
    }
    damage(object, size - 1, false);
    assert_false(is_cached(NULL, answer, 42));
    damage(object, size - 1, true);
    assert_false(is_cached(NULL, answer, 42));
    assert_int_equal(files_in("cache", "work-"), 0);
}

/* The object of another text under this one's name: its seal tells. */
static void a_wrong_object_is_made_again(void **state) {
    (void)state;
    char command[2000], first[600];
    assert_false(is_cached(NULL, answer, 42));
    snprintf(first, sizeof first, "%.599s", only_file("cache", ".so"));
    assert_int_equal(rename(first, "first"), 0);
    assert_false(is_cached(NULL, "int f(void) { return 7; }", 7));
    snprintf(command, sizeof command, "cp '%.600s' '%.600s'", only_file("cache", ".so"), first);
    assert_int_equal(system(command), 0);
    assert_false(is_cached(NULL, answer, 42));
}

/* While it is loaded, the file may go or be replaced. */
static void a_loaded_object_outlives_its_file(void **state) {
    (void)state;
    wg_error error = {0};
    struct loaded first, second;
    assert_true(toolchain_load(NULL, NULL, answer, strlen(answer), &first, NULL, &error));
    assert_true(cache_trim(NULL, "cache", 0, &error));
    assert_int_equal(files_in("cache", ""), 0);
    assert_true(toolchain_load(NULL, NULL, answer, strlen(answer), &second, NULL, &error));
    assert_ok(error);
    assert_int_equal(call_int(&first, "f"), 42);
    toolchain_unload(&first);
    assert_int_equal(call_int(&second, "f"), 42);
    toolchain_unload(&second);
}

/* ---- whom to trust ------------------------------------------------------------------------- */

static wg_text note;

/* It works, but not through the cache, and the log says why. */
static void expect_no_cache(const struct toolchain_options *options, const char *why) {
    wg_error error = {0};
    struct loaded loaded;
    text_cut(&note, 0);
    toolchain_load(NULL, options, answer, strlen(answer), &loaded, &note, &error);
    assert_ok(error);
    assert_false(loaded.cached);
    assert_int_equal(call_int(&loaded, "f"), 42);
    toolchain_unload(&loaded);
    if (!strstr(note.data, "no cache: ") || !strstr(note.data, why))
        fail_msg("'%s' lacks '%s'", note.data, why);
    assert_int_equal(files_in("tmp", ""), 0);
    wg_text_free(&note);
}

static void a_cache_that_others_can_write_is_not_used(void **state) {
    (void)state;
    assert_false(is_cached(NULL, answer, 42));
    assert_int_equal(chmod("cache", 0770), 0);
    expect_no_cache(NULL, "can be written by others");
    assert_int_equal(chmod("cache", 0707), 0);
    expect_no_cache(NULL, "can be written by others");
    assert_int_equal(chmod("cache", 0700), 0);
    const char *object = only_file("cache", ".so");
    assert_int_equal(chmod(object, 0702), 0);
    assert_false(is_cached(NULL, answer, 42)); /* the file is not trusted, but replaced */
    assert_true(is_cached(NULL, answer, 42));
    char target[700];
    snprintf(target, sizeof target, "%.600s-moved", object);
    assert_int_equal(rename(object, target), 0);
    assert_int_equal(symlink(target, object), 0);
    assert_false(is_cached(NULL, answer, 42));
}

static void a_cache_below_a_directory_of_all(void **state) {
    (void)state;
    mkdir("tmp/all", 0700);
    chmod("tmp/all", 0777);
    struct toolchain_options options = {.cache_directory = in_folder("tmp/all/cache")};
    wg_error error = {0};
    struct loaded loaded;
    wg_text log = {0};
    assert_true(toolchain_load(NULL, &options, answer, strlen(answer), &loaded, &log, &error));
    assert_non_null(strstr(log.data, "lies in a directory that others can write"));
    toolchain_unload(&loaded);
    wg_text_free(&log);
    /* as in /tmp nobody can put another one in its place */
    chmod("tmp/all", 01777);
    assert_false(is_cached(&options, answer, 42));
    assert_true(is_cached(&options, answer, 42));
    /* nor is a temporary directory of all safe to load from */
    chmod("tmp/all", 0777);
    setenv("TMPDIR", in_folder("tmp/all"), 1);
    options = (struct toolchain_options){.no_cache = true};
    assert_false(toolchain_load(NULL, &options, answer, strlen(answer), &loaded, NULL, &error));
    assert_int_equal(error.status, WG_EIO);
    assert_non_null(strstr(error.message, "can be changed by others"));
}

static void another_users_cache_is_not_used(void **state) {
    (void)state;
    if (geteuid() != 0) skip();
    assert_false(is_cached(NULL, answer, 42));
    assert_int_equal(chown(only_file("cache", ".so"), 12345, 0), 0);
    assert_false(is_cached(NULL, answer, 42));
    assert_int_equal(chown("cache", 12345, 0), 0);
    expect_no_cache(NULL, "belongs to another user");
    assert_int_equal(chown("cache", 0, 0), 0);
}

static void a_cache_that_cannot_be(void **state) {
    (void)state;
    scratch_write("file", "x", 1);
    struct toolchain_options options = {.cache_directory = "file/cache"};
    expect_no_cache(&options, "Not a directory");
    options.cache_directory = "/proc/nowhere/cache";
    expect_no_cache(&options, "No such file or directory");
    char *home = getenv("HOME") ? strdup(getenv("HOME")) : NULL;
    unsetenv("WENGERT_CACHE"), unsetenv("XDG_CACHE_HOME"), unsetenv("HOME");
    expect_no_cache(NULL, "neither WENGERT_CACHE nor XDG_CACHE_HOME nor HOME is set");
    if (home) setenv("HOME", home, 1);
    free(home);
    /* and nowhere to work in at all */
    wg_error error = {0};
    struct loaded loaded;
    setenv("TMPDIR", in_folder("nowhere"), 1);
    options = (struct toolchain_options){.no_cache = true};
    assert_false(toolchain_load(NULL, &options, answer, strlen(answer), &loaded, NULL, &error));
    assert_int_equal(error.status, WG_EIO);
    assert_non_null(strstr(error.message, "nowhere: No such file or directory"));
}

static void expect_place(const char *expected) {
    wg_text path = {0};
    wg_error error = {0};
    assert_true(cache_place(NULL, &path, &error));
    assert_string_equal(path.data, expected);
    wg_text_free(&path);
}

static void the_place_of_the_cache(void **state) {
    (void)state;
    char *home = getenv("HOME") ? strdup(getenv("HOME")) : NULL;
    setenv("HOME", "/home/who", 1);
    setenv("XDG_CACHE_HOME", "/xdg", 1);
    setenv("WENGERT_CACHE", "/own", 1);
    expect_place("/own");
    setenv("WENGERT_CACHE", "", 1);
    expect_place("/xdg/wengert");
    setenv("XDG_CACHE_HOME", "relative", 1); /* is to be ignored */
    expect_place("/home/who/.cache/wengert");
    unsetenv("XDG_CACHE_HOME");
    expect_place("/home/who/.cache/wengert");
    if (home) setenv("HOME", home, 1);
    free(home);
}

static void the_cache_is_made_for_us_alone(void **state) {
    (void)state;
    struct stat about;
    struct toolchain_options options = {.cache_directory = in_folder("tmp/a/b")};
    mode_t mask = umask(0);
    assert_false(is_cached(&options, answer, 42));
    umask(mask);
    assert_true(is_cached(&options, answer, 42));
    assert_int_equal(stat("tmp/a/b", &about), 0);
    assert_int_equal(about.st_mode & 0777, 0700);
    assert_int_equal(stat(only_file("tmp/a/b", ".so"), &about), 0);
    assert_int_equal(about.st_mode & 0077, 0);
    assert_int_equal(stat(only_file("tmp/a/b", ".c"), &about), 0);
    assert_int_equal(about.st_mode & 0077, 0);
}

/* ---- size ---------------------------------------------------------------------------------- */

static void numbered(char text[64], int i) { snprintf(text, 64, "int f(void) { return %d; }", i); }

static void those_used_longest_ago_go_first(void **state) {
    (void)state;
    char text[64];
    struct cache_listing listing;
    wg_error error = {0};
    assert_false(is_cached(NULL, answer, 42));
    assert_true(cache_list(NULL, "cache", &listing, &error));
    assert_int_equal(listing.entry.count, 1);
    uint64_t one = listing.entry.at[0].bytes;
    assert_true(one > 1000 && listing.bytes > one);
    assert_in_range(time(NULL) - listing.entry.at[0].made, 0, 60);
    cache_listing_free(NULL, &listing);

    for (int i = 0; i < 5; i++) {
        numbered(text, i);
        assert_false(is_cached(NULL, text, i));
    }
    numbered(text, 1);
    assert_true(is_cached(NULL, text, 1)); /* used again */
    struct toolchain_options options = {.cache_limit = 3 * one + one / 2 + 1000};
    assert_false(is_cached(&options, "int f(void) { return 9; }", 9));
    assert_true(cache_list(NULL, "cache", &listing, &error));
    assert_int_equal(listing.entry.count, 3);
    assert_true(listing.bytes <= options.cache_limit);
    cache_listing_free(NULL, &listing);
    assert_true(is_cached(NULL, "int f(void) { return 9; }", 9));
    assert_true(is_cached(NULL, text, 1));
    numbered(text, 4);
    assert_true(is_cached(NULL, text, 4));
    assert_false(is_cached(NULL, answer, 42));
}

static void the_limit_comes_from_the_environment(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint64_t limit;
    } known[] = {{"1000", 1000},
                 {"3K", 3072},
                 {"2M", 2097152},
                 {"1G", 1073741824},
                 {"0", 0},
                 {"", 268435456},
                 {"much", 268435456},
                 {"-1", 268435456},
                 {"1T", 268435456},
                 {"1MB", 268435456},
                 {"99999999999999999999", 268435456},
                 {"18446744073709551615K", 268435456}};
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        setenv("WENGERT_CACHE_SIZE", known[i].text, 1);
        assert_true(cache_default_limit() == known[i].limit);
    }
    setenv("WENGERT_CACHE_SIZE", "0", 1);
    for (int i = 0; i < 2; i++) assert_false(is_cached(NULL, answer, 42));
    assert_int_equal(files_in("cache", ""), 0);
}

static void trimming_takes_only_what_is_ours(void **state) {
    (void)state;
    wg_error error = {0};
    scratch_write("cache/notes.txt", "x", 1);
    scratch_write("cache/0123456789abcdef0123456789abcdef.txt", "x", 1);
    scratch_write("cache/00000000000000000000000000000000.c", "", 0);
    mkdir("cache/wengert-work-old", 0700);
    mkdir("cache/wengert-work-new", 0700);
    scratch_write("cache/wengert-work-old/x.c", "x", 1);
    struct utimbuf old = {1000, 1000};
    assert_int_equal(utime("cache/wengert-work-old", &old), 0);
    assert_false(is_cached(NULL, answer, 42));
    assert_true(cache_trim(NULL, "cache", 0, &error));
    assert_int_equal(files_in("cache", ""), 3);
    assert_int_equal(access("cache/wengert-work-new", F_OK), 0);
    assert_int_equal(access("cache/notes.txt", F_OK), 0);
    struct cache_listing listing;
    assert_true(cache_list(NULL, "cache/nowhere", &listing, &error));
    assert_int_equal(listing.entry.count, 0);
    assert_true(cache_trim(NULL, "cache/nowhere", 0, &error));
    assert_false(cache_list(NULL, "cache/notes.txt", &listing, &error));
    assert_int_equal(error.status, WG_EIO);
}

/* ---- many at once -------------------------------------------------------------------------- */

enum { PROCESSES = 8, ROUNDS = 12 };

/* The same few texts in another order each, the cache so small that they push each other out. */
static int churn(int seed) {
    struct toolchain_options options = {.cache_limit = 40000};
    for (int i = 0; i < ROUNDS; i++) {
        char text[64];
        int number = (i * (seed % 3 + 1) + seed) % 5;
        wg_error error = {0};
        struct loaded loaded;
        int (*f)(void) = NULL;
        numbered(text, number);
        if (!toolchain_load(NULL, &options, text, strlen(text), &loaded, NULL, &error)) {
            fprintf(stderr, "%s\n", error.message);
            return 1;
        }
        void *address = toolchain_symbol(&loaded, "f");
        memcpy(&f, &address, sizeof f);
        if (!f || f() != number) return 2;
        toolchain_unload(&loaded);
    }
    return 0;
}

static void processes_share_a_cache(void **state) {
    (void)state;
    pid_t pid[PROCESSES];
    int status;
    fflush(NULL);
    for (int i = 0; i < PROCESSES; i++)
        if ((pid[i] = fork()) == 0) _exit(churn(i));
    for (int i = 0; i < PROCESSES; i++) {
        assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(files_in("cache", "work-"), 0);
}

int main(void) {
#define EACH(test) cmocka_unit_test_setup(test, fresh_environment)
    const struct CMUnitTest tests[] = {
        EACH(a_hit_runs_no_process),
        EACH(what_differs_is_not_found),
        EACH(another_compiler_is_not_found),
        EACH(no_cache_on_request),
        EACH(a_damaged_object_is_made_again),
        EACH(a_wrong_object_is_made_again),
        EACH(a_loaded_object_outlives_its_file),
        EACH(a_cache_that_others_can_write_is_not_used),
        EACH(a_cache_below_a_directory_of_all),
        EACH(another_users_cache_is_not_used),
        EACH(a_cache_that_cannot_be),
        EACH(the_place_of_the_cache),
        EACH(the_cache_is_made_for_us_alone),
        EACH(those_used_longest_ago_go_first),
        EACH(the_limit_comes_from_the_environment),
        EACH(trimming_takes_only_what_is_ours),
        EACH(processes_share_a_cache),
    };
    return cmocka_run_group_tests(tests, scratch_setup, remove_environment);
}
