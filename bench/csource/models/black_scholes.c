/* The value of n European call and put options by Black and Scholes. */
#include <math.h>

static double normal(double x) { return 0.5 * erfc(-x * 0.70710678118654752); }

double black_scholes(int n, const double spot[n], const double strike[n], const double years[n],
                     const int is_call[n], double rate, double volatility) {
    double total = 0;
    for (int i = 0; i < n; i++) {
        double root = volatility * sqrt(years[i]);
        double d1 = (log(spot[i] / strike[i]) +
                     (rate + 0.5 * volatility * volatility) * years[i]) / root;
        double d2 = d1 - root, discounted = strike[i] * exp(-rate * years[i]);
        if (is_call[i])
            total += spot[i] * normal(d1) - discounted * normal(d2);
        else
            total += discounted * normal(-d2) - spot[i] * normal(-d1);
    }
    return total;
}
