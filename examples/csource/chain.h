/* A chain of springs, as any C library might have it: nothing here knows of derivatives. */
#ifndef CHAIN_H
#define CHAIN_H

struct spring {
    double stiffness, length;
};

/* The energy of n points on a line. */
double energy(int n, const double *x, const struct spring *s);
/* A step of time, in place. */
void step(int n, double *x, double *v, double dt, struct spring s);
/* y = A x */
void multiply(int m, int n, const double *a, const double *x, double *y);

#endif
