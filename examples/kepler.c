/* An orbit around the sun by Taylor series. The equation of motion is a formula; wg_taylor_ode
 * makes of it a program that gives the series of the solution through any point, all 22
 * coefficients in one call. Each step goes as far as the last two of them allow. An ellipse of
 * eccentricity 0.6 is followed for two rounds and a part, and compared with where Kepler's
 * equation says the planet is.
 *
 * The choice of step: Jorba and Zou, A software package for the numerical integration of ODEs by
 * means of high-order Taylor methods, Experimental Mathematics 14 (2005), section 3.2. */
#include <wengert.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ORDER = 22, ROUNDS = 2 };

static const char motion[] = "motion(q[2], v[2]) = {\n"
                             "  r3 = sum(q^2)^1.5\n"
                             "  dq = v\n"
                             "  dv = -q/r3\n"
                             "}\n";

/* The largest coefficient of t^k of both series. */
static double size_at(double q[ORDER][2], double v[ORDER][2], int k) {
    double of_q = fmax(fabs(q[k - 1][0]), fabs(q[k - 1][1]));
    return fmax(of_q, fmax(fabs(v[k - 1][0]), fabs(v[k - 1][1])));
}

/* From the radius of convergence that the last two coefficients tell: what is left out beyond ORDER
 * is below rounding. */
static double step_of(double q[ORDER][2], double v[ORDER][2]) {
    double last = pow(size_at(q, v, ORDER), -1.0 / ORDER);
    double before = pow(size_at(q, v, ORDER - 1), -1.0 / (ORDER - 1));
    return fmin(last, before) * exp(-2);
}

/* x(h), by Horner's rule. */
static double sum_of(double x, double series[ORDER][2], int component, double h) {
    double sum = 0;
    for (int k = ORDER; k >= 1; k--) sum = series[k - 1][component] + h * sum;
    return x + h * sum;
}

int main(void) {
    wg_error error = {0};
    wg_program *p = wg_parse(motion, strlen(motion), NULL, &error);
    wg_program *ode = wg_taylor_ode(p, "dq, dv", "q, v", ORDER, &error);
    wg_function *fn = wg_compile(ode, NULL, &error);
    void *workspace = wg_workspace_new(fn, NULL, &error);

    /* at perihelion, with semi-major axis 1: one round takes 2 pi */
    const double e = 0.6, pi = acos(-1);
    double q[2] = {1 - e, 0}, v[2] = {0, sqrt((1 + e) / (1 - e))};
    static double of_q[ORDER][2], of_v[ORDER][2];
    int steps = 0;
    for (int round = 0; round <= ROUNDS; round++) {
        double t = 0, end = 2 * pi * (round < ROUNDS ? 1 : 0.3);
        while (t < end && !error.status) {
            wg_call_with(fn, NULL, (const void *[]){q, v}, (void *[]){of_q, of_v}, workspace,
                         &error);
            double h = fmin(step_of(of_q, of_v), end - t);
            for (int i = 0; i < 2; i++) {
                q[i] = sum_of(q[i], of_q, i, h);
                v[i] = sum_of(v[i], of_v, i, h);
            }
            t += h;
            steps++;
        }
    }
    /* Kepler's equation E - e sin E = t, for the part of a round that is left */
    double mean = 2 * pi * 0.3, E = mean;
    for (int i = 0; i < 50; i++) E -= (E - e * sin(E) - mean) / (1 - e * cos(E));
    double x = cos(E) - e, y = sqrt(1 - e * e) * sin(E);
    double energy = 0.5 * (v[0] * v[0] + v[1] * v[1]) - 1 / hypot(q[0], q[1]);
    if (error.status)
        fprintf(stderr, "kepler: %s\n", error.message);
    else
        printf("%d steps of order %d, %d rounds\nplace off by %.1e\nenergy off by %.1e\n", steps,
               ORDER, ROUNDS, hypot(q[0] - x, q[1] - y), fabs(energy + 0.5));

    wg_workspace_free(workspace);
    wg_function_free(fn);
    wg_program_free(ode);
    wg_program_free(p);
    return error.status != WG_OK;
}
