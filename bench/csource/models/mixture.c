/* The log-likelihood of n points in d dimensions under a mixture of k Gaussians, whose inverse
 * covariances are given by triangular factors: logarithms of the diagonals q, and below them icf,
 * column by column. GradBench's objective without its prior. Points are innermost, so that a
 * compiler finds loops to vectorise. */
#include <math.h>

double mixture(int n, int d, int k, int below, const double alpha[k], const double mu[k][d],
               const double q[k][d], const double icf[k][below], const double x[n][d]) {
    double terms[k][n], moved[d][n], y[n], square[n], largest[n], sum[n], total = 0;
    for (int p = 0; p < n; p++) {
        largest[p] = -INFINITY;
        sum[p] = 0;
    }
    for (int c = 0; c < k; c++) {
        double sums = 0;
        for (int i = 0; i < d; i++) sums += q[c][i];
        for (int p = 0; p < n; p++) square[p] = 0;
        for (int i = 0; i < d; i++)
            for (int p = 0; p < n; p++) moved[i][p] = x[p][i] - mu[c][i];
        for (int i = 0; i < d; i++) {
            double scale = exp(q[c][i]);
            int at = i - 1;
            for (int p = 0; p < n; p++) y[p] = scale * moved[i][p];
            for (int j = 0; j < i; j++) {
                double entry = icf[c][at];
                for (int p = 0; p < n; p++) y[p] += entry * moved[j][p];
                at += d - j - 2;
            }
            for (int p = 0; p < n; p++) square[p] += y[p] * y[p];
        }
        for (int p = 0; p < n; p++) {
            terms[c][p] = alpha[c] + sums - 0.5 * square[p];
            largest[p] = terms[c][p] > largest[p] ? terms[c][p] : largest[p];
        }
    }
    for (int c = 0; c < k; c++)
        for (int p = 0; p < n; p++) sum[p] += exp(terms[c][p] - largest[p]);
    for (int p = 0; p < n; p++) total += largest[p] + log(sum[p]);
    return total;
}
