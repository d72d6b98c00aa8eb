/* The logarithm of the determinant of a symmetric positive definite matrix, by its Cholesky factor,
 * which takes the place of a copy. */
#include <math.h>

double log_determinant(int n, const double a[n][n]) {
    double l[n][n], sum = 0;
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++) l[i][j] = a[i][j];
    for (int j = 0; j < n; j++) {
        for (int k = 0; k < j; k++)
            for (int i = j; i < n; i++) l[i][j] -= l[i][k] * l[j][k];
        double d = sqrt(l[j][j]);
        for (int i = j; i < n; i++) l[i][j] /= d;
    }
    for (int i = 0; i < n; i++) sum += log(l[i][i]);
    return 2 * sum;
}
