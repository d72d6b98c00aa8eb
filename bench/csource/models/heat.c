/* The heat equation on a grid of m times n, by explicit steps; returns the mean square at the end.
 * The rim keeps its temperature. */

double heat(int m, int n, int steps, const double start[m][n], double rate) {
    double a[m][n], b[m][n];
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) a[i][j] = b[i][j] = start[i][j];
    for (int s = 0; s < steps; s++) {
        for (int i = 1; i < m - 1; i++)
            for (int j = 1; j < n - 1; j++)
                b[i][j] = a[i][j] + rate * (a[i - 1][j] + a[i + 1][j] + a[i][j - 1] + a[i][j + 1] -
                                            4 * a[i][j]);
        for (int i = 1; i < m - 1; i++)
            for (int j = 1; j < n - 1; j++) a[i][j] = b[i][j];
    }
    double sum = 0;
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) sum += a[i][j] * a[i][j];
    return sum / (m * n);
}
