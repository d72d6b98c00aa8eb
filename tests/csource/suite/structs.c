/* Structs: by value and by pointer, nested, with arrays, arrays of them, copies, initial values. */
#include <math.h>
#include <stdbool.h>

struct pair {
    double a;
    int k;
    double v[3];
};

/* at p.k in 0..2 */
double by_value(struct pair p) {
    p.a += 1;
    p.v[0] = p.a;
    return p.a * p.v[p.k];
}

/* at p.k in 0..2; size p=n; native */
void array_of(int n, struct pair *p) {
    for (int i = 0; i < n; i++) {
        p[i].a *= p[i].v[p[i].k];
        p[i].v[0] += sin(p[i].a);
        p[i].k = (p[i].k + 1) % 3;
    }
}

/* at x in 0.5..2 */
struct pair made(double x) {
    struct pair p = {.a = x, .v = {1, x, x * x}, .k = 2};
    p.v[1] += p.k;
    return p;
}

typedef struct {
    double re, im;
} number;

static number times(number a, number b) {
    return (number){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

static void add_to(number *a, const number *b) {
    a->re += b->re;
    a->im += b->im;
}

/* at n = 0 1 5 */
number horner(int n, const number c[n], number z) {
    number s = {0, 0};
    for (int i = n - 1; i >= 0; i--) {
        s = times(s, z);
        add_to(&s, &c[i]);
    }
    return s;
}

/* at z.re in -2..2; z.im in -2..2 */
int mandelbrot(number z) {
    number c = z;
    int i;
    for (i = 0; i < 20 && z.re * z.re + z.im * z.im < 4; i++) {
        z = times(z, z);
        add_to(&z, &c);
    }
    return i;
}

struct body {
    double position[3], velocity[3], mass;
};

struct cloud {
    struct body body[2];
    struct {
        double energy;
        bool done;
    } state;
    int count;
};

/* at c.count = 2; c.body.mass in 0.5..2; native */
void step(struct cloud *c, double dt) {
    for (int i = 0; i < c->count; i++) {
        struct body *b = &c->body[i];
        for (int d = 0; d < 3; d++) b->position[d] += dt * b->velocity[d];
    }
    c->state.energy = 0;
    for (int i = 0; i < c->count; i++)
        for (int j = 0; j < c->count; j++) {
            if (i == j) continue;
            const struct body *a = c->body + i, *b = c->body + j;
            double r2 = 0.1;
            for (int d = 0; d < 3; d++) {
                double x = a->position[d] - b->position[d];
                r2 += x * x;
            }
            c->state.energy -= a->mass * b->mass / sqrt(r2);
            for (int d = 0; d < 3; d++)
                c->body[i].velocity[d] += dt * b->mass * (b->position[d] - a->position[d]) / r2;
        }
    c->state.done = c->state.energy < 0;
}

/* at size p=n; n = 2 3 17 */
double copies(int n, struct body *p) {
    struct body t = p[0], list[2] = {t, {.mass = 3}};
    p[0] = p[n - 1];
    p[n - 1] = t;
    list[1].position[2] = t.velocity[0];
    t = list[1];
    struct body *q = &list[0];
    *q = t;
    q->mass *= p[0].mass;
    list[1] = *q;
    return list[1].mass + list[1].position[2] + p->position[1] * (p + 1)->velocity[1];
}

/* at size p=n; n = 0 1 2 9; p.mass in 0.1..2 -- sorted by a key in the struct */
void sort_structs(int n, struct body *p) {
    for (int i = 1; i < n; i++) {
        struct body t = p[i];
        int j = i;
        while (j > 0 && p[j - 1].mass > t.mass) {
            p[j] = p[j - 1];
            j--;
        }
        p[j] = t;
    }
}

struct matrix {
    int rows, cols;
    double *data;
};

/* at size m.data=m.rows*m.cols; m.rows = 1 2 3; m.cols = 1 2 4 */
double of_pointer(struct matrix *m) {
    double s = 0;
    for (int i = 0; i < m->rows; i++)
        for (int j = 0; j < m->cols; j++) {
            m->data[i * m->cols + j] *= i + 1;
            s += m->data[i * m->cols + j];
        }
    return s * m->rows;
}

enum kind { CIRCLE, SQUARE, LINE };

struct shape {
    enum kind kind;
    float size[2];
    double weight;
    struct {
        struct {
            double deep[2];
        } inner[2];
    } outer;
};

/* at s.kind = 0 1 2; s.size in 1..2; differences 0 */
double area(struct shape s) {
    switch (s.kind) {
    case CIRCLE: return 3.14159 * s.size[0] * s.size[0] * s.weight;
    case SQUARE: return s.size[0] * s.size[1] + s.outer.inner[1].deep[0];
    default: break;
    }
    s.outer.inner[s.kind - 1].deep[1] += s.weight;
    return s.outer.inner[0].deep[1] + s.outer.inner[1].deep[1] * 2;
}

/* at s.kind = 0 1 2; size s=n; n = 0 1 3; differences 0 */
double deep(int n, struct shape s[]) {
    double sum = 0;
    for (int i = 0; i < n; i++)
        for (int a = 0; a < 2; a++)
            for (int b = 0; b < 2; b++) {
                s[i].outer.inner[a].deep[b] += s[i].weight * (a * 2 + b);
                sum += s[i].outer.inner[1 - a].deep[1 - b];
                s[i].size[a] = (float)(sum * b);
            }
    return sum;
}

/* at x in 0.5..2 */
double literals(double x, int k) {
    struct pair p = (struct pair){x, k, {[2] = x}};
    const struct pair *q = &(struct pair){.k = k, .a = p.v[2] * 2};
    double s = ((struct pair){.a = x}).a + q->a;
    int list[] = {1, 2, [5] = 7, 8}, grid[2][3] = {{1}, {4, 5}};
    for (int i = 0; i < (int)(sizeof list / sizeof *list); i++) s += list[i] * x;
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 3; j++) s += grid[i][j] * (i + 1);
    return s + (double[]){x, x * x, 3}[k & 1];
}

struct tree {
    double value;
    int left, right;
};

/* at size t=n; n = 7; t.left = 1 3 5 -1 -1 -1 -1; t.right = 2 4 6 -1 -1 -1 -1 -- an explicit stack */
double tree_sum(int n, const struct tree *t) {
    int stack[8], top = 0;
    double s = 0;
    stack[top++] = 0;
    while (top > 0 && n > 0) {
        const struct tree *at = &t[stack[--top]];
        s = s * 0.9 + at->value;
        if (at->left >= 0) stack[top++] = at->left;
        if (at->right >= 0) stack[top++] = at->right;
    }
    return s;
}
