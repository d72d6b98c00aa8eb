/* A satellite between two bodies by the classical Runge-Kutta method: how far from a target it is
 * after so many steps. The right-hand side is a function of its own. */
#include <math.h>

static void force(const double y[4], const double mass[2], double dy[4]) {
    const double place[2] = {-1, 1};
    dy[0] = y[2];
    dy[1] = y[3];
    dy[2] = dy[3] = 0;
    for (int k = 0; k < 2; k++) {
        double dx = y[0] - place[k], r2 = dx * dx + y[1] * y[1] + 0.01;
        double pull = mass[k] / (r2 * sqrt(r2));
        dy[2] -= pull * dx;
        dy[3] -= pull * y[1];
    }
}

static void step(double y[4], const double mass[2], double h) {
    double k1[4], k2[4], k3[4], k4[4], t[4];
    force(y, mass, k1);
    for (int i = 0; i < 4; i++) t[i] = y[i] + 0.5 * h * k1[i];
    force(t, mass, k2);
    for (int i = 0; i < 4; i++) t[i] = y[i] + 0.5 * h * k2[i];
    force(t, mass, k3);
    for (int i = 0; i < 4; i++) t[i] = y[i] + h * k3[i];
    force(t, mass, k4);
    for (int i = 0; i < 4; i++) y[i] += h / 6 * (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]);
}

double orbit_miss(int steps, double h, const double start[4], const double mass[2],
                  const double target[2]) {
    double y[4];
    for (int i = 0; i < 4; i++) y[i] = start[i];
    for (int s = 0; s < steps; s++) step(y, mass, h);
    double dx = y[0] - target[0], dy = y[1] - target[1];
    return dx * dx + dy * dy;
}
