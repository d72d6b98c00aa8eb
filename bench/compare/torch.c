/* PyTorch as a contestant: a Python process that is there all the time, told over a pipe to run a
 * problem so many times and to say how long that took. So it takes its turn like everybody else,
 * and neither starting it nor speaking to it is timed. Numbers travel in .npy files. */
#include "compare.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

#define PEER WG_SOURCE_DIR "/bench/compare/torch_peer.py"

/* One process for the whole run, as there is one table. */
static struct {
    bool tried;
    pid_t process;
    FILE *to, *from;
    char reply[512];  /* the last one, without its line end */
    char version[64]; /* of its greeting */
} torch;

static bool read_reply(void) {
    if (!torch.from || !fgets(torch.reply, sizeof torch.reply, torch.from)) return false;
    torch.reply[strcspn(torch.reply, "\n")] = 0;
    return true;
}

void torch_stop(void) {
    if (torch.to) fclose(torch.to);
    if (torch.from) fclose(torch.from);
    torch.to = torch.from = NULL;
    if (torch.process > 0) waitpid(torch.process, NULL, 0);
    torch.process = 0;
}

/* Starts `python PEER` with both ends of a pipe; its complaints, as of a missing module, go
 * nowhere. Whether it greets. */
static bool start(const char *python) {
    int request[2], reply[2];
    if (pipe(request)) return false;
    if (pipe(reply)) return close(request[0]), close(request[1]), false;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, request[0], 0);
    posix_spawn_file_actions_adddup2(&actions, reply[1], 1);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", 1 /* O_WRONLY */, 0);
    for (int i = 0; i < 2; i++) {
        posix_spawn_file_actions_addclose(&actions, request[i]);
        posix_spawn_file_actions_addclose(&actions, reply[i]);
    }
    char *const argument[] = {(char *)python, (char *)PEER, NULL};
    int failed = posix_spawnp(&torch.process, python, &actions, NULL, argument, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(request[0]);
    close(reply[1]);
    if (failed) torch.process = 0;
    torch.to = fdopen(request[1], "w");
    torch.from = fdopen(reply[0], "r");
    if (!failed && read_reply() && !strncmp(torch.reply, "torch ", 6)) {
        snprintf(torch.version, sizeof torch.version, "%.60s", torch.reply + strlen("torch "));
        return true;
    }
    torch_stop();
    return false;
}

static bool running(void) {
    static const char *const candidate[] = {"python3", "/usr/bin/python3"};
    if (!torch.tried) {
        torch.tried = true;
        signal(SIGPIPE, SIG_IGN);
        for (size_t i = 0; i < 2 && !torch.process; i++) start(candidate[i]);
    }
    return torch.process > 0;
}

const char *torch_version(void) {
    return running() ? torch.version : "absent (Debian: python3-torch)";
}

/* ---- the contestant ------------------------------------------------------------------------- */

struct remote {
    const struct problem *p;
    char folder[64]; /* of the .npy files */
};

static bool ask(const char *request) {
    fprintf(torch.to, "%s\n", request);
    return fflush(torch.to) == 0 && read_reply() && strncmp(torch.reply, "refused", 7) != 0;
}

static void in_folder(const struct remote *r, const char *prefix, const char *name,
                      char path[128]) {
    snprintf(path, 128, "%s/%s%s.npy", r->folder, prefix, name);
}

static void close_torch(void *state) {
    struct remote *r = state;
    char path[128];
    for (size_t i = 0; i < r->p->inputs; i++) {
        in_folder(r, "", r->p->input_name[i], path);
        unlink(path);
        in_folder(r, "d", r->p->input_name[i], path);
        unlink(path);
    }
    in_folder(r, "", "value", path);
    unlink(path);
    rmdir(r->folder);
    free(r);
}

static void add_name(char *list, size_t room, const char *name) {
    size_t used = strlen(list);
    snprintf(list + used, room - used, "%s%s", used ? "," : "", name);
}

static bool open_remote(const struct remote *r) {
    char path[128], inputs[160] = "", wrt[160] = "", request[640];
    wg_error error = {0};
    for (size_t i = 0; i < r->p->inputs; i++) {
        in_folder(r, "", r->p->input_name[i], path);
        if (wg_npy_write(path, &r->p->input[i], &error) != WG_OK) return false;
        add_name(inputs, sizeof inputs, r->p->input_name[i]);
    }
    for (size_t i = 0; i < r->p->slopes; i++)
        add_name(wrt, sizeof wrt, r->p->input_name[r->p->wrt[i]]);
    snprintf(request, sizeof request, "open\t%s\t%s\t%s\t%s\t%s", r->p->of->name, r->folder, inputs,
             wrt, r->p->sizes);
    return ask(request);
}

static void *open_torch(const struct contestant *of, const struct problem *p, const char **why) {
    (void)of;
    if (!running()) return *why = "absent (Debian: python3-torch)", NULL;
    struct remote *r = calloc(1, sizeof *r);
    if (!r) return *why = "not enough memory", NULL;
    r->p = p;
    const char *temp = getenv("TMPDIR");
    snprintf(r->folder, sizeof r->folder, "%s/wengert-bench-XXXXXX", temp ? temp : "/tmp");
    if (!mkdtemp(r->folder)) {
        free(r);
        return *why = "no folder for temporary files", NULL;
    }
    if (open_remote(r)) return r;
    fprintf(stderr, "compare: PyTorch: %s\n", torch.reply);
    *why = "PyTorch refused";
    close_torch(r);
    return NULL;
}

static bool take(const char *path, void *data, size_t bytes) {
    wg_error error = {0};
    wg_tensor t;
    if (wg_npy_read(path, NULL, &t, &error) != WG_OK) return false;
    bool good = (size_t)wg_tensor_count(&t) * wg_dtype_size(t.dtype) == bytes;
    if (good) memcpy(data, t.data, bytes);
    wg_tensor_free(&t, NULL);
    return good;
}

static bool fetch(const struct remote *r, enum work work, struct answer *answer) {
    char path[128], request[128];
    snprintf(request, sizeof request, "result\t%s", r->folder);
    if (!ask(request)) return false;
    in_folder(r, "", "value", path);
    bool good = take(path, &answer->value, sizeof answer->value);
    for (size_t i = 0; good && work == GRADIENT && i < r->p->slopes; i++) {
        in_folder(r, "d", r->p->input_name[r->p->wrt[i]], path);
        good = take(path, answer->slope[i],
                    problem_slope_count(r->p, i) * wg_dtype_size(r->p->dtype));
    }
    return good;
}

static double run_torch(void *state, enum work work, int64_t repeat, struct answer *answer) {
    struct remote *r = state;
    char request[64];
    snprintf(request, sizeof request, "%s\t%lld", work == VALUE ? "value" : "gradient",
             (long long)repeat);
    if (!ask(request)) {
        fprintf(stderr, "compare: PyTorch: %s\n", torch.reply);
        return -1;
    }
    double seconds = strtod(torch.reply, NULL);
    return answer && !fetch(r, work, answer) ? -1 : seconds;
}

const struct contestant contestant_torch = {
    .name = "PyTorch",
    .open = open_torch,
    .run = run_torch,
    .close = close_torch,
};
