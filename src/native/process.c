/* A process that is run to its end, with a limit of time, without signal handlers and without
 * changing anything of the calling process. It gets a process group of its own, so that a limit
 * ends what it has started too; no child is left as a zombie. While it runs, its output is read,
 * however much that is. */
#if defined(__linux__)
#define _GNU_SOURCE /* pipe2: with pipe and fcntl a fork in another thread may come between */
#endif
#include "native/parts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void sleep_for(double seconds) {
    struct timespec t = {.tv_nsec = (long)(seconds * 1e9)};
    nanosleep(&t, NULL);
}

/* ---- starting ------------------------------------------------------------------------------ */

static bool open_pipe(int end[2]) {
#if defined(__linux__)
    return pipe2(end, O_CLOEXEC) == 0;
#else
    if (pipe(end)) return false;
    return fcntl(end[0], F_SETFD, FD_CLOEXEC) == 0 && fcntl(end[1], F_SETFD, FD_CLOEXEC) == 0;
#endif
}

/* A caller may have closed its standard streams, whose numbers the pipe then would get; in the
 * child these numbers are taken. */
static bool lift(int *descriptor) {
    if (*descriptor > STDERR_FILENO) return true;
    int lifted = fcntl(*descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (lifted < 0) return false;
    close(*descriptor);
    *descriptor = lifted;
    return true;
}

/* An own group, no blocked signals, and the usual action on those that a compiler lives by. */
static int set_attributes(posix_spawnattr_t *attributes) {
    sigset_t none, usual;
    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGCHLD);
    sigaddset(&usual, SIGPIPE);
    int failure = posix_spawnattr_setpgroup(attributes, 0);
    if (!failure) failure = posix_spawnattr_setsigmask(attributes, &none);
    if (!failure) failure = posix_spawnattr_setsigdefault(attributes, &usual);
    if (failure) return failure;
    return posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                    POSIX_SPAWN_SETSIGDEF);
}

static int set_streams(posix_spawn_file_actions_t *actions, int to) {
    int failure = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (!failure) failure = posix_spawn_file_actions_adddup2(actions, to, STDOUT_FILENO);
    return failure ? failure : posix_spawn_file_actions_adddup2(actions, to, STDERR_FILENO);
}

/* 0 or an errno. */
static int start(const struct process *p, int to, pid_t *pid) {
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    int failure = posix_spawnattr_init(&attributes);
    if (failure) return failure;
    failure = posix_spawn_file_actions_init(&actions);
    if (!failure) {
        failure = set_attributes(&attributes);
        if (!failure) failure = set_streams(&actions, to);
        if (!failure)
            failure = posix_spawn(pid, p->argv[0], &actions, &attributes, p->argv, p->environment);
        posix_spawn_file_actions_destroy(&actions);
    }
    posix_spawnattr_destroy(&attributes);
    return failure;
}

/* ---- its output ---------------------------------------------------------------------------- */

struct output {
    int from; /* does not block */
    bool open;
    wg_text *text; /* has room for all that is kept */
    size_t left;   /* of that room */
    uint64_t dropped;
};

/* Waits until there is something to read, at most so long, and takes it. */
static void take_output(struct output *o, double seconds) {
    char bytes[4096];
    struct pollfd wait = {.fd = o->from, .events = POLLIN};
    if (poll(&wait, 1, (int)(seconds * 1000) + 1) <= 0) return;
    ssize_t count = read(o->from, bytes, sizeof bytes);
    if (count < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (count <= 0) {
        o->open = false;
        return;
    }
    size_t kept = (size_t)count < o->left ? (size_t)count : o->left;
    text_bytes(o->text, bytes, kept); /* cannot fail, there is room */
    o->left -= kept;
    o->dropped += (uint64_t)count - kept;
}

/* ---- its end ------------------------------------------------------------------------------- */

enum state { RUNNING, ENDED, LOST };

/* The child is not reaped yet: its number, which is its group's too, stays taken. */
static enum state state_of(pid_t pid, siginfo_t *info) {
    int failure;
    do {
        memset(info, 0, sizeof *info);
        failure = waitid(P_PID, (id_t)pid, info, WEXITED | WNOHANG | WNOWAIT);
    } while (failure && errno == EINTR);
    if (failure) return LOST;
    return info->si_pid == pid ? ENDED : RUNNING;
}

static enum state wait_for_end(pid_t pid, double deadline, struct output *o, siginfo_t *info) {
    enum { FIRST_PAUSE = 100, LAST_PAUSE = 20000 }; /* microseconds */
    double pause = 1e-6 * FIRST_PAUSE;
    for (;;) {
        enum state state = state_of(pid, info);
        double left = deadline - now();
        if (state != RUNNING || !(left > 0)) return state;
        if (o->open) {
            take_output(o, left < 0.1 ? left : 0.1);
        } else {
            sleep_for(left < pause ? left : pause);
            if (pause < 1e-6 * LAST_PAUSE) pause *= 2;
        }
    }
}

/* Ends what is left of the group, reads what it has written, and reaps. The pipe is at its end when
 * the last of them is gone, so that afterwards nobody writes files any more. */
static void finish(pid_t pid, enum state state, struct output *o) {
    if (state != LOST) kill(-pid, SIGKILL);
    double patience = now() + 2;
    while (o->open && now() < patience) take_output(o, 0.1);
    int status;
    while (state != LOST && waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
}

static bool run(const struct process *p, int end[2], wg_text *text, enum process_end *how,
                int *code, wg_error *error) {
    char reason[128];
    pid_t pid;
    int failure = lift(&end[0]) && lift(&end[1]) && fcntl(end[0], F_SETFL, O_NONBLOCK) == 0
                      ? start(p, end[1], &pid)
                      : errno;
    if (failure == ENOMEM) return !fail_memory(error);
    if (failure)
        return !fail_with(error, WG_ENATIVE, "cannot run %s: %s", p->argv[0],
                          system_reason(failure, reason, sizeof reason));
    close(end[1]); /* else the pipe would never be at its end */
    end[1] = -1;

    struct output o = {.from = end[0], .open = true, .text = text, .left = p->most};
    siginfo_t info;
    enum state state = wait_for_end(pid, now() + p->seconds, &o, &info);
    finish(pid, state, &o);
    *how = state == RUNNING             ? PROCESS_TIMED_OUT
           : state == LOST              ? PROCESS_UNKNOWN
           : info.si_code == CLD_EXITED ? PROCESS_EXITED
                                        : PROCESS_SIGNALLED;
    *code = state == ENDED ? info.si_status : 0;
    if (o.dropped > 0) text_format(text, "\n... %llu more bytes\n", (unsigned long long)o.dropped);
    return true;
}

bool process_run(const struct process *process, wg_text *output, enum process_end *end, int *code,
                 wg_error *error) {
    enum { LAST_LINE = 64 };
    char reason[128];
    int pipe_end[2] = {-1, -1};
    if (!text_reserve(output, process->most + LAST_LINE)) return !fail_memory(error);
    bool ok = open_pipe(pipe_end);
    if (!ok)
        fail_with(error, WG_ENATIVE, "cannot run %s: %s", process->argv[0],
                  system_reason(errno, reason, sizeof reason));
    ok = ok && run(process, pipe_end, output, end, code, error);
    for (int i = 0; i < 2; i++)
        if (pipe_end[i] >= 0) close(pipe_end[i]);
    return ok;
}
