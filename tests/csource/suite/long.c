/* Long functions: a machine that runs a program of numbers, and a simulation step after step. */
#include <math.h>
#include <stdbool.h>

enum operation {
    STOP, PUSH, LOAD, STORE, ADD, SUB, MUL, DIV, NEG, SIN, COS, EXP, SQRT, DUP, SWAP, DROP, JUMP,
    JUMP_POSITIVE, MAX, MIN, COUNT, LOOP, CALL, RETURN
};

/* at code = 2 0 2 1 6 9 3 2 1 3 3 3 2 3 10 2 2 4 3 2 2 3 1 -1 4 3 3 2 3 17 12 2 2 13 6 0 0 0 0 0; x in 0.5..1; native */
int machine(const int code[40], double x[4], int limit) {
    double stack[16] = {0};
    int returns[8] = {0}, top = 0, calls = 0, at = 0, steps = 0;
    bool failed = false;
    while (!failed && at >= 0 && at < 40) {
        int op = code[at++];
        double a = top > 0 ? stack[top - 1] : 0, b = top > 1 ? stack[top - 2] : 0;
        if (++steps > 200 + limit) {
            failed = true;
            continue;
        }
        switch ((enum operation)op) {
        case STOP: x[0] = a; return steps;
        case PUSH:
            if (top >= 16 || at >= 40) {
                failed = true;
                break;
            }
            stack[top++] = code[at++];
            break;
        case LOAD:
            if (top >= 16 || at >= 40 || code[at] < 0 || code[at] > 3) {
                failed = true;
                break;
            }
            stack[top++] = x[code[at++]];
            break;
        case STORE:
            if (top < 1 || at >= 40 || code[at] < 0 || code[at] > 3) failed = true;
            else
                x[code[at++]] = stack[--top];
            break;
        case ADD:
        case SUB:
        case MUL:
        case DIV:
        case MAX:
        case MIN: {
            if (top < 2) {
                failed = true;
                break;
            }
            top--;
            double r;
            if (op == ADD) r = b + a;
            else if (op == SUB) r = b - a;
            else if (op == MUL) r = b * a;
            else if (op == DIV) r = a != 0 ? b / a : 0;
            else if (op == MAX) r = a > b ? a : b;
            else
                r = a < b ? a : b;
            stack[top - 1] = r;
            break;
        }
        case NEG:
            if (top) stack[top - 1] = -a;
            break;
        case SIN:
            if (top) stack[top - 1] = sin(a);
            break;
        case COS:
            if (top) stack[top - 1] = cos(a);
            break;
        case EXP:
            if (top) stack[top - 1] = exp(a);
            break;
        case SQRT:
            if (a < 0) return -steps;
            if (top) stack[top - 1] = sqrt(a);
            break;
        case DUP:
            if (top == 0 || top == 16) return -1;
            stack[top] = stack[top - 1];
            top++;
            break;
        case SWAP:
            if (top < 2) continue;
            stack[top - 1] = b;
            stack[top - 2] = a;
            break;
        case DROP:
            if (top) top--;
            break;
        case JUMP: at = at < 40 ? code[at] : -1; break;
        case JUMP_POSITIVE:
            if (at >= 40) {
                failed = true;
            } else if (a > 0) {
                at = code[at];
                top--;
            } else {
                at++;
            }
            break;
        case COUNT: x[3] += 1;
        case LOOP:
            if (x[3] < 5) at = 0;
            break;
        case CALL:
            if (calls == 8 || at >= 40) {
                failed = true;
                break;
            }
            returns[calls++] = at + 1;
            at = code[at];
            break;
        case RETURN:
            if (!calls) {
                failed = true;
                break;
            }
            at = returns[--calls];
            break;
        default: failed = true;
        }
    }
    x[1] += stack[0] * 0.5;
    return failed ? -100 : at;
}

struct cell {
    double heat, water, wind[2];
    int kind;
};

struct world {
    struct cell cell[6];
    double total, lost;
    int day, storms;
};

/* at w.day in 0..9; w.storms = 0; w.cell.kind = 0 1 2 0 1 2; days = 0 1 3 6; w.cell.heat in 0.1..0.9; w.cell.water in 0.1..0.9; native */
double simulate(struct world *w, int days, double sun, const double k[3]) {
    double next[6][2];
    double worst = 0;
    for (int d = 0; d < days; d++, w->day++) {
        double season = cos(0.3 * w->day), sum = 0;
        for (int i = 0; i < 6; i++) {
            const struct cell *c = &w->cell[i], *left = &w->cell[(i + 5) % 6];
            const struct cell *right = i == 5 ? w->cell : c + 1;
            double flow = 0.1 * (left->heat - 2 * c->heat + right->heat);
            next[i][0] = c->heat + flow;
            next[i][1] = c->water;
            switch (c->kind) {
            case 0:
                next[i][0] += 0.05 * sun * season;
                if (next[i][0] > 0.6) {
                    double steam = 0.1 * (next[i][0] - 0.6);
                    next[i][1] -= steam;
                    next[i][0] -= steam * k[0];
                    if (next[i][1] < 0) {
                        w->lost -= next[i][1];
                        next[i][1] = 0;
                    }
                }
                break;
            case 1:
                for (int s = 0; s < 2; s++) {
                    double v = c->wind[s] * (s ? k[1] : k[2]);
                    if (v < 0 && s == 0) continue;
                    next[i][s] += 0.02 * v;
                    if (fabs(v) > 0.9) break;
                }
                break;
            default: {
                double melt = next[i][0] > 0.4 ? 0.03 : -0.01;
                next[i][1] += melt * c->heat;
                next[i][0] -= melt * 0.5;
            }
            }
            sum += next[i][0];
        }
        double mean = sum / 6;
        int hot = -1;
        for (int i = 0; i < 6; i++) {
            struct cell *c = w->cell + i;
            double rise = next[i][0] - c->heat;
            c->heat = next[i][0];
            c->water = next[i][1];
            c->wind[0] = 0.8 * c->wind[0] + 0.3 * rise;
            c->wind[1] = 0.8 * c->wind[1] - 0.2 * (c->heat - mean);
            if (hot < 0 || c->heat > w->cell[hot].heat) hot = i;
        }
        if (w->cell[hot].heat > 1.5 * mean && w->cell[hot].water > 0.05) {
            struct cell *c = &w->cell[hot];
            int where = hot;
            double rain = 0.5 * c->water;
            w->storms++;
            do {
                double here = 0.4 * rain;
                w->cell[where].water += here;
                w->cell[where].heat *= 1 - 0.1 * here;
                rain -= here;
                where = (where + 1) % 6;
            } while (rain > 0.02);
            c->water *= 0.75;
            w->lost += rain;
        }
        w->total = 0;
        for (int i = 0; i < 6; i++) w->total += w->cell[i].heat * (1 + w->cell[i].water);
        if (w->total > worst) worst = w->total;
        if (w->total > 50) return -1;
    }
    return worst - w->lost * k[0];
}
