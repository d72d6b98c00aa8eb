/* Wengert as a tool of GradBench: requests as JSON lines on standard input, an answer each on
 * standard output.
 *
 *     gradbench [--plain | --interpret]
 *
 * --plain computes values by plain C and derivatives by its differences, --interpret does without a
 * C compiler. What a line lacks or gets wrong is an answer with "success": false and an "error";
 * the session goes on. Exit status 1 where an answer cannot be written, 2 for other arguments. */
#include "gradbench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct evaluation *const evaluations[] = {
#define ADDRESS(name) &evaluation_##name,
    EVALUATIONS(ADDRESS)
#undef ADDRESS
};
enum { EVALUATION_COUNT = sizeof evaluations / sizeof *evaluations };

static const char *text_of(const cJSON *request, const char *field) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(request, field));
    return text ? text : "";
}

static void fail(cJSON *reply, const char *what) {
    cJSON_AddBoolToObject(reply, "success", false);
    cJSON_AddStringToObject(reply, "error", what);
}

/* The evaluation that a request names, or an answer that says which there are. */
static const struct evaluation *find_evaluation(const cJSON *request, cJSON *reply) {
    char message[256] = "";
    const char *name = text_of(request, "module");
    size_t end = (size_t)snprintf(message, sizeof message, "no evaluation '%.64s'; there are",
                                  name);
    for (int i = 0; i < EVALUATION_COUNT; i++) {
        if (strcmp(evaluations[i]->name, name) == 0) return evaluations[i];
        end += (size_t)snprintf(message + end, sizeof message - end, " %s", evaluations[i]->name);
    }
    fail(reply, message);
    return NULL;
}

static double number_or(const cJSON *input, const char *field, double otherwise) {
    const cJSON *x = cJSON_GetObjectItemCaseSensitive(input, field);
    return cJSON_IsNumber(x) ? x->valuedouble : otherwise;
}

/* Which of an evaluation's two functions is asked for; false where it has none of this name. */
static bool choose_function(struct job *job, const char *function) {
    job->derivative = strcmp(function, job->of->derivative_name) == 0;
    return job->derivative || strcmp(function, job->of->value_name) == 0;
}

static void evaluate(const cJSON *request, const struct mode *mode, cJSON *reply) {
    struct job job = {.of = find_evaluation(request, reply)};
    if (!job.of) return;
    const cJSON *input = cJSON_GetObjectItemCaseSensitive(request, "input");
    const char *function = text_of(request, "function");
    cJSON *timings = cJSON_CreateArray(), *output = NULL;
    if (!choose_function(&job, function))
        job_fail(&job, WG_ENAME, "%s has no function '%.64s'; it has %s and %s", job.of->name,
                 function, job.of->value_name, job.of->derivative_name);
    if (!job.error.status) job.of->read(&job, input);
    if (job_run(&job, mode, (int64_t)number_or(input, "min_runs", 1),
                number_or(input, "min_seconds", 0), timings)) {
        output = job.of->answer(&job);
        if (!output) job_fail(&job, WG_ENOMEM, "not enough memory for the answer");
    }
    if (output) {
        cJSON_AddBoolToObject(reply, "success", true);
        cJSON_AddItemToObject(reply, "output", output);
        cJSON_AddItemToObject(reply, "timings", timings);
    } else {
        fail(reply, job.error.message);
        cJSON_Delete(timings);
    }
    job_free(&job);
}

static cJSON *answer(const char *line, const struct mode *mode) {
    cJSON *request = cJSON_Parse(line), *reply = cJSON_CreateObject();
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(request, "id");
    const char *kind = text_of(request, "kind");
    cJSON_AddItemToObject(reply, "id", id ? cJSON_Duplicate(id, true) : cJSON_CreateNull());
    if (!cJSON_IsObject(request))
        fail(reply, "a request is a JSON object on a line of its own");
    else if (strcmp(kind, "start") == 0)
        cJSON_AddStringToObject(reply, "tool", mode->plain ? "plain C" : "wengert");
    else if (strcmp(kind, "define") == 0 && find_evaluation(request, reply))
        cJSON_AddBoolToObject(reply, "success", true);
    else if (strcmp(kind, "evaluate") == 0)
        evaluate(request, mode, reply);
    cJSON_Delete(request);
    return reply;
}

static bool print(cJSON *reply) {
    char *text = cJSON_PrintUnformatted(reply);
    bool good = text && puts(text) >= 0 && fflush(stdout) == 0;
    cJSON_free(text);
    cJSON_Delete(reply);
    return good;
}

int main(int argc, char **argv) {
    struct mode mode = {.backend = WG_NATIVE};
    char *line = NULL;
    size_t room = 0;
    bool good = true;
    if (argc == 2 && strcmp(argv[1], "--plain") == 0) {
        mode.plain = true;
    } else if (argc == 2 && strcmp(argv[1], "--interpret") == 0) {
        mode.backend = WG_INTERPRET;
    } else if (argc != 1) {
        fprintf(stderr, "usage: gradbench [--plain | --interpret] <requests >answers\n");
        return 2;
    }
    while (good && getline(&line, &room, stdin) >= 0)
        if (line[strspn(line, " \t\r\n")]) good = print(answer(line, &mode));
    free(line);
    if (!good) fprintf(stderr, "gradbench: an answer could not be written\n");
    return !good;
}
