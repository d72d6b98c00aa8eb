/* The log-likelihood of n points in d dimensions under a mixture of k Gaussians, whose inverse
 * covariances are given by triangular factors: logarithms of the diagonals q, and below them icf,
 * column by column. GradBench's objective without its prior. */
#include <math.h>

double mixture(int n, int d, int k, int below, const double alpha[k], const double mu[k][d],
               const double q[k][d], const double icf[k][below], const double x[n][d]) {
    double terms[k], moved[d], scale[k][d], sums[k], total = 0;
    for (int c = 0; c < k; c++) {
        sums[c] = 0;
        for (int i = 0; i < d; i++) {
            sums[c] += q[c][i];
            scale[c][i] = exp(q[c][i]);
        }
    }
    for (int p = 0; p < n; p++) {
        double largest = -INFINITY, sum = 0;
        for (int c = 0; c < k; c++) {
            double square = 0;
            for (int i = 0; i < d; i++) moved[i] = x[p][i] - mu[c][i];
            for (int i = 0; i < d; i++) {
                double y = scale[c][i] * moved[i];
                int at = i - 1;
                for (int j = 0; j < i; j++) {
                    y += icf[c][at] * moved[j];
                    at += d - j - 2;
                }
                square += y * y;
            }
            terms[c] = alpha[c] + sums[c] - 0.5 * square;
            if (terms[c] > largest) largest = terms[c];
        }
        for (int c = 0; c < k; c++) sum += exp(terms[c] - largest);
        total += largest + log(sum);
    }
    return total;
}
