#include "chain.h"

#include <math.h>

double energy(int n, const double x[n], const struct spring *s) {
    double sum = 0;
    for (int i = 1; i < n; i++) {
        double stretch = x[i] - x[i - 1] - s->length;
        sum += 0.5 * s->stiffness * stretch * stretch;
    }
    return sum;
}

void step(int n, double x[n], double v[n], double dt, struct spring s) {
    for (int i = 0; i < n; i++) {
        double force = -s.stiffness * sin(x[i] / s.length);
        v[i] += dt * force;
        x[i] += dt * v[i];
    }
}

void multiply(int m, int n, const double *a, const double *x, double *y) {
    for (int i = 0; i < m; i++) {
        y[i] = 0;
        for (int j = 0; j < n; j++) y[i] += a[i * n + j] * x[j];
    }
}
