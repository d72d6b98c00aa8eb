/* Many threads load the same and different texts at once. */
#include "native/compilers.h"

#include <pthread.h>

enum { THREADS = 8, ROUNDS = 6 };

struct job {
    int number;
    bool ok;
};

static void *work(void *argument) {
    struct job *job = argument;
    job->ok = true;
    for (int i = 0; i < ROUNDS && job->ok; i++) {
        char text[64];
        wg_error error = {0};
        struct loaded loaded;
        int (*f)(void) = NULL, number = (job->number / 2 + i) % 4;
        snprintf(text, sizeof text, "int f(void) { return %d; }", number);
        job->ok = toolchain_load(NULL, NULL, text, strlen(text), &loaded, NULL, &error);
        void *address = toolchain_symbol(&loaded, "f");
        memcpy(&f, &address, sizeof f);
        job->ok = job->ok && f && f() == number;
        toolchain_unload(&loaded);
    }
    return NULL;
}

static void threads_share_a_cache(void **state) {
    (void)state;
    struct job job[THREADS];
    pthread_t thread[THREADS];
    for (int i = 0; i < THREADS; i++) {
        job[i].number = i;
        assert_int_equal(pthread_create(&thread[i], NULL, work, &job[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_join(thread[i], NULL), 0);
    for (int i = 0; i < THREADS; i++) assert_true(job[i].ok);
    assert_int_equal(files_in("cache", "work-"), 0);
    assert_int_equal(files_in("cache", ".so"), 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(threads_share_a_cache, fresh_environment),
    };
    return cmocka_run_group_tests(tests, scratch_setup, remove_environment);
}
