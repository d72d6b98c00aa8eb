/* ADOL-C as a contestant: the function is taped once, then the tape is evaluated, its value by
 * function() and its gradient by gradient(). Taping is the preparation. Tapes are kept in memory.
 * The functions are written over adouble as its users write them. */
#include "compare.h"

#include <adolc/adolc.h>

#include <algorithm>
#include <climits>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace {

const double *numbers(const problem &p, size_t input) {
    return static_cast<const double *>(p.input[input].data);
}
const int64_t *whole(const problem &p, size_t input) {
    return static_cast<const int64_t *>(p.input[input].data);
}

/* ---- the functions: x holds all inputs of wrt, one after the other -------------------------- */

/* The shift is no part of the derivative, so it is not taped. */
adouble log_sum_exp(const adouble *x, size_t n) {
    double most = x[0].value();
    adouble sum = 0;
    for (size_t i = 1; i < n; i++) most = std::max(most, x[i].value());
    for (size_t i = 0; i < n; i++) sum += exp(x[i] - most);
    return most + log(sum);
}

adouble chain(const problem &p, const adouble *x) {
    adouble y = 0;
    for (int64_t i = 0; i < p.input[0].shape[0]; i++)
        y += sin(exp(tanh(x[i])) * log(1 + x[i] * x[i]));
    return y;
}

adouble logsumexp(const problem &p, const adouble *x) {
    return log_sum_exp(x, static_cast<size_t>(p.input[0].shape[0]));
}

adouble polynomial(const problem &p, const adouble *c) {
    const double *t = numbers(p, 1), *s = numbers(p, 2);
    const int64_t degrees = p.input[0].shape[0];
    adouble y = 0;
    for (int64_t i = 0; i < p.input[1].shape[0]; i++) {
        adouble r = -s[i];
        double power = 1;
        for (int64_t j = 0; j < degrees; j++, power *= t[i]) r += c[j] * power;
        y += r * r;
    }
    return 0.5 * y;
}

adouble cross_entropy(const problem &p, const adouble *h) {
    const int64_t n = p.input[0].shape[0], c = p.input[0].shape[1], *label = whole(p, 1);
    adouble y = 0;
    for (int64_t i = 0; i < n; i++, h += c)
        y += log_sum_exp(h, static_cast<size_t>(c)) - h[label[i]];
    return y / static_cast<double>(n);
}

/* beta of one point and component, but for alpha and sum q */
adouble distance(const double *x, const adouble *mu, const adouble *scale, const adouble *l,
                 int64_t d) {
    std::vector<adouble> z(static_cast<size_t>(d));
    for (int64_t i = 0; i < d; i++) z[static_cast<size_t>(i)] = 0;
    for (int64_t i = 0; i < d; i++) {
        adouble y = x[i] - mu[i];
        z[static_cast<size_t>(i)] += scale[i] * y;
        for (int64_t j = i + 1; j < d; j++) z[static_cast<size_t>(j)] += *l++ * y;
    }
    adouble square = 0;
    for (const adouble &part : z) square += part * part;
    return square;
}

adouble mixture(const problem &p, const adouble *alpha) {
    const int64_t k = p.input[1].shape[0], d = p.input[1].shape[1], n = p.input[4].shape[0];
    const int64_t e = d * (d - 1) / 2;
    const double *x = numbers(p, 4), gamma = *numbers(p, 6), m = *numbers(p, 7);
    const adouble *mu = alpha + k, *q = mu + k * d, *l = q + k * d;
    std::vector<adouble> scale(static_cast<size_t>(k * d)), start(static_cast<size_t>(k));
    std::vector<adouble> beta(static_cast<size_t>(k));
    adouble squares = 0, sum = 0, y = 0;
    for (int64_t i = 0; i < k; i++) {
        adouble part = 0;
        for (int64_t j = 0; j < d; j++) {
            adouble &s = scale[static_cast<size_t>(i * d + j)];
            s = exp(q[i * d + j]);
            squares += s * s;
            part += q[i * d + j];
        }
        start[static_cast<size_t>(i)] = alpha[i] + part;
        sum += part;
    }
    for (int64_t i = 0; i < k * e; i++) squares += l[i] * l[i];
    for (int64_t i = 0; i < n; i++) {
        for (int64_t c = 0; c < k; c++)
            beta[static_cast<size_t>(c)] = start[static_cast<size_t>(c)] -
                                           0.5 * distance(x + i * d, mu + c * d,
                                                          &scale[static_cast<size_t>(c * d)],
                                                          l + c * e, d);
        y += log_sum_exp(beta.data(), beta.size());
    }
    const double points = static_cast<double>(n);
    return y -
           points * (log_sum_exp(alpha, static_cast<size_t>(k)) +
                     static_cast<double>(d) / 2 * std::log(2 * M_PI)) -
           (gamma * gamma / 2 * squares - m * sum);
}

/* One image through the layers; x the parameters, layer by layer. */
adouble network(const problem &p, const adouble *x) {
    const wg_tensor &image = p.input[p.inputs - 2];
    const int64_t n = image.shape[0], *label = whole(p, p.inputs - 1);
    const float *pixel = static_cast<const float *>(image.data);
    adouble y = 0;
    for (int64_t i = 0; i < n; i++) {
        const adouble *W = x;
        std::vector<adouble> h;
        for (size_t layer = 0; layer + 2 < p.inputs; layer += 2) {
            const int64_t from = p.input[layer].shape[0], to = p.input[layer].shape[1];
            std::vector<adouble> next(W + from * to, W + from * to + to);
            for (int64_t a = 0; a < from; a++)
                for (int64_t b = 0; b < to; b++) {
                    adouble &sum = next[static_cast<size_t>(b)];
                    if (layer == 0)
                        sum += W[a * to + b] * static_cast<double>(pixel[i * from + a]);
                    else
                        sum += W[a * to + b] * h[static_cast<size_t>(a)];
                }
            if (layer + 4 < p.inputs)
                for (adouble &v : next) v = fmax(v, 0);
            h.swap(next);
            W += from * to + to;
        }
        y += log_sum_exp(h.data(), h.size()) - h[static_cast<size_t>(label[i])];
    }
    return y / static_cast<double>(n);
}

adouble pendulum(const problem &p, const adouble *x) {
    adouble a = x[0], v = x[1], y = 0;
    const double h = 0.001;
    const long long steps = std::strtoll(p.sizes + 6, nullptr, 10);
    for (long long i = 0; i < steps; i++) {
        v -= h * (x[2] * sin(a) + x[3] * v);
        a += h * v;
        y += (a - x[4]) * (a - x[4]);
    }
    return y;
}

/* ---- tapes ---------------------------------------------------------------------------------- */

struct function_of_case {
    const bench_case *of;
    adouble (*function)(const problem &p, const adouble *x);
};

const function_of_case functions[] = {
    {&case_chain, chain},           {&case_logsumexp, logsumexp},
    {&case_polynomial, polynomial}, {&case_cross_entropy, cross_entropy},
    {&case_mixture, mixture},       {&case_network, network},
    {&case_pendulum, pendulum}, // of the deep network a tape takes gigabytes
};

constexpr short TAPE = 1;
/* Entries of each of a tape's buffers at first, so large that none is spilt into files. */
constexpr unsigned BUFFER = 1u << 28;

struct taped {
    const problem *p;
    std::vector<double> x, slope;
    double y;
};

/* Buffers of these numbers of operations, locations, constants and Taylor coefficients. */
void tape(taped &state, const function_of_case &of, const size_t (&buffer)[4]) {
    unsigned entries[4];
    for (int i = 0; i < 4; i++) entries[i] = static_cast<unsigned>(buffer[i]);
    trace_on(TAPE, 0, entries[0], entries[1], entries[2], entries[3]);
    {
        std::vector<adouble> x(state.x.size());
        for (size_t i = 0; i < x.size(); i++) x[i] <<= state.x[i];
        adouble y = of.function(*state.p, x.data());
        y >>= state.y;
    }
    trace_off();
}

/* Twice, the second time with buffers that just fit: gradient() allocates one of them at every
 * call. What is freed is kept from going back to the system, so that it is not paid for in page
 * faults. */
void tape_tightly(taped &state, const function_of_case &of) {
#ifdef __GLIBC__
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_TRIM_THRESHOLD, INT_MAX);
#endif
    for (size_t i = 0; i < state.p->slopes; i++)
        for (size_t k = 0; k < problem_slope_count(state.p, i); k++)
            state.x.push_back(slope_get(state.p, state.p->input[state.p->wrt[i]].data, k));
    state.slope.resize(state.x.size());
    tape(state, of, {BUFFER, BUFFER, BUFFER, BUFFER});
    size_t stats[STAT_SIZE];
    tapestats(TAPE, stats);
    removeTape(TAPE, ADOLC_REMOVE_COMPLETELY);
    tape(state, of,
         {stats[NUM_OPERATIONS] + 64, stats[NUM_LOCATIONS] + 64, stats[NUM_VALUES] + 64,
          stats[TAY_STACK_SIZE] + 64});
}

double evaluate(taped &state, work what, int64_t repeat) {
    const int n = static_cast<int>(state.x.size());
    int status = 0;
    const double start = seconds_worked();
    for (int64_t i = 0; i < repeat && status >= 0; i++)
        status = what == VALUE ? function(TAPE, 1, n, state.x.data(), &state.y)
                               : gradient(TAPE, n, state.x.data(), state.slope.data());
    const double seconds = seconds_worked() - start;
    return status < 0 ? -1 : seconds;
}

/* ---- the contestant: a process of its own for each problem ---------------------------------- */
/* What ADOL-C once allocated for active variables it never gives back, and clears at every
 * gradient: a large problem would make all later ones slower. */

struct request {
    work what;
    int64_t repeat;
    bool answer; /* the value and all slopes, as doubles, follow the seconds */
};

struct process {
    const problem *p;
    pid_t id;
    int to, from;
};

bool put(int file, const void *data, size_t bytes) {
    const char *at = static_cast<const char *>(data);
    while (bytes) {
        const ssize_t done = write(file, at, bytes);
        if (done <= 0) return false;
        at += done;
        bytes -= static_cast<size_t>(done);
    }
    return true;
}

bool get(int file, void *data, size_t bytes) {
    char *at = static_cast<char *>(data);
    while (bytes) {
        const ssize_t done = read(file, at, bytes);
        if (done <= 0) return false;
        at += done;
        bytes -= static_cast<size_t>(done);
    }
    return true;
}

/* Says that it is ready by a number of seconds, then answers requests until there are none. */
void serve(const problem *p, const function_of_case &of, int from, int to) {
    taped state{p, {}, {}, 0};
    tape_tightly(state, of);
    double seconds = 0;
    bool good = put(to, &seconds, sizeof seconds);
    for (request r; good && get(from, &r, sizeof r);) {
        seconds = evaluate(state, r.what, r.repeat);
        good = put(to, &seconds, sizeof seconds);
        if (!r.answer) continue;
        evaluate(state, VALUE, 1); // gradient() keeps the value to itself
        good = good && put(to, &state.y, sizeof state.y) &&
               put(to, state.slope.data(), state.slope.size() * sizeof(double));
    }
}

void close_adolc(void *data) {
    process *child = static_cast<process *>(data);
    close(child->to);
    close(child->from);
    if (child->id > 0) waitpid(child->id, nullptr, 0);
    delete child;
}

process *start(const problem *p, const function_of_case &of) {
    int request[2], reply[2];
    if (pipe(request)) return nullptr;
    if (pipe(reply)) return close(request[0]), close(request[1]), nullptr;
    std::fflush(nullptr); // what waits in a buffer belongs to the parent alone
    const pid_t id = fork();
    if (id == 0) {
        close(request[1]);
        close(reply[0]);
        serve(p, of, request[0], reply[1]);
        _exit(0);
    }
    close(request[0]);
    close(reply[1]);
    // PyTorch's process would keep the request end open, and this one would never see it close.
    fcntl(request[1], F_SETFD, FD_CLOEXEC);
    fcntl(reply[0], F_SETFD, FD_CLOEXEC);
    return new process{p, id, request[1], reply[0]};
}

void *open_adolc(const contestant *, const problem *p, const char **why) {
    const function_of_case *found = std::find_if(
        std::begin(functions), std::end(functions),
        [p](const function_of_case &entry) { return entry.of == p->of; });
    if (found == std::end(functions)) return *why = "its tape would take gigabytes", nullptr;
    std::signal(SIGPIPE, SIG_IGN);
    process *child = start(p, *found);
    double ready;
    if (child && get(child->from, &ready, sizeof ready)) return child;
    if (child) close_adolc(child);
    return *why = "its process ended, perhaps for want of memory", nullptr;
}

bool take_answer(const process &child, work what, answer *out) {
    const problem &p = *child.p;
    std::vector<double> slope(problem_unknowns(&p));
    if (!get(child.from, &out->value, sizeof out->value) ||
        !get(child.from, slope.data(), slope.size() * sizeof(double)))
        return false;
    const double *at = slope.data();
    for (size_t i = 0; what == GRADIENT && i < p.slopes; i++)
        for (size_t k = 0; k < problem_slope_count(&p, i); k++)
            slope_set(&p, out->slope[i], k, *at++);
    return true;
}

double run_adolc(void *data, work what, int64_t repeat, answer *out) {
    const process &child = *static_cast<process *>(data);
    const request r{what, repeat, out != nullptr};
    double seconds;
    if (!put(child.to, &r, sizeof r) || !get(child.from, &seconds, sizeof seconds)) return -1;
    return out && !take_answer(child, what, out) ? -1 : seconds;
}

} // namespace

extern "C" const contestant contestant_adolc = {
    "ADOL-C", false, false, 0, open_adolc, run_adolc, close_adolc, nullptr,
};
