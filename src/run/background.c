/* WG_AUTO: a function that is interpreted while a thread of its own has the native code compiled.
 * The loop nests get their storage before the function is handed out, so that a workspace serves
 * both; the thread only runs the compiler, and publishes the code when it is loaded. */
#include "run/run.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

enum { WAITING, READY, FAILED };

struct background {
    struct wg_function *native; /* planned; its code comes with READY */
    wg_text text;
    char flags[NATIVE_FLAGS_SIZE];
    wg_error why; /* with FAILED */
    pthread_t thread;
    atomic_int state;
};

static void *compile(void *data) {
    struct background *b = data;
    bool ok = native_load(b->native, &b->text, b->flags, &b->why);
    atomic_store_explicit(&b->state, ok ? READY : FAILED, memory_order_release);
    return NULL;
}

/* The thread takes no signals: they are the program's. */
static bool start(struct background *b) {
    sigset_t all, before;
    sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &before)) return false;
    int failure = pthread_create(&b->thread, NULL, compile, b);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failure == 0;
}

static void release(const wg_allocator *a, struct background *b) {
    wg_function_free(b->native);
    wg_text_free(&b->text);
    mem_free(a, b, sizeof *b);
}

bool background_start(struct wg_function *fn, struct wg_function *native, const char *flags,
                      wg_error *error) {
    struct background *b = mem_alloc_zero(&fn->allocator, sizeof *b);
    if (!b) return wg_function_free(native), fail_memory(error), false;
    *b = (struct background){.native = native, .text.allocator = fn->allocator};
    memcpy(b->flags, flags, strlen(flags) + 1);
    if (!native_write(native, &b->text, error)) return release(&fn->allocator, b), false;
    if (!start(b)) {
        release(&fn->allocator, b);
        return fail_with(error, WG_ENATIVE, "compile: no thread could be started"), false;
    }
    fn->background = b;
    return true;
}

void background_end(struct wg_function *fn) {
    struct background *b = fn->background;
    if (!b) return;
    pthread_join(b->thread, NULL);
    fn->background = NULL;
    release(&fn->allocator, b);
}

static int state_of(const struct wg_function *fn) {
    return atomic_load_explicit(&fn->background->state, memory_order_acquire);
}

const struct wg_function *background_native(const struct wg_function *fn) {
    return fn->background && state_of(fn) == READY ? fn->background->native : NULL;
}

const struct wg_function *background_planned(const struct wg_function *fn) {
    return fn->background ? fn->background->native : NULL;
}

const char *background_log(const struct wg_function *fn) {
    const wg_text *log = &fn->background->native->log;
    return state_of(fn) == WAITING || !log->data ? "" : log->data;
}

const char *background_note(const struct wg_function *fn) {
    switch (state_of(fn)) {
    case WAITING: return "the compiler is still at work";
    case FAILED: return fn->background->why.message;
    default: return fn->background->native->note;
    }
}
