/* Loops of which the reverse adds to elements: beside those of other iterations, to one that stands
 * still, to one and the same from several places. */
#include <math.h>

/* at n = 0 1 2 17 41; vectors -- to three neighbours */
double three_points(int n, const double x[n + 2]) {
    double y[n + 2], sum = 0;
    for (int i = 0; i < n + 2; i++) y[i] = 0;
    for (int i = 1; i <= n; i++) y[i] = x[i - 1] * 0.3 + x[i + 1] * x[i] - x[i];
    for (int i = 0; i < n + 2; i++) sum += y[i] * y[i];
    return sum;
}

/* at m = 3 4; n = 0 1 3 24; vectors -- to five in a plane, and to a factor */
double five_points(int m, int n, const double x[m][n], double rate) {
    double a[m][n], b[m][n], sum = 0;
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) a[i][j] = b[i][j] = x[i][j];
    for (int s = 0; s < 2; s++) {
        for (int i = 1; i < m - 1; i++)
            for (int j = 1; j < n - 1; j++)
                b[i][j] = a[i][j] + rate * (a[i - 1][j] + a[i + 1][j] + a[i][j - 1] * a[i][j + 1]);
        for (int i = 1; i < m - 1; i++)
            for (int j = 1; j < n - 1; j++) a[i][j] = b[i][j];
    }
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) sum += a[i][j] * a[i][j];
    return sum;
}

/* at n = 0 1 2 17 41; vectors -- to one element, in a loop that may not run */
double one_element(int n, const double x[n], const double w[n]) {
    double y[n], sum = 0;
    for (int i = 0; i < n; i++) y[i] = x[i] * w[n - 1] + w[0];
    for (int i = 0; i < n; i++) sum += y[i] * y[i];
    return sum;
}

/* at n = 0 1 2 17 41; vectors -- to one that is none where the loop does not run */
double element_of_row(int n, const double x[n + 1]) {
    double y[n + 1], sum = 0;
    for (int i = 0; i <= n; i++) y[i] = 0;
    for (int i = 0; i <= n; i++)
        for (int k = 0; k < i; k++) y[k] += x[k] * x[i - 1] + x[k + 1];
    for (int i = 0; i <= n; i++) sum += y[i] * y[i];
    return sum;
}

/* at n = 0 1 2 17 41; vectors -- read and changed: no sum that can wait */
double read_between(int n, const double x[n + 1]) {
    double y[n + 1], sum = 0;
    for (int i = 0; i <= n; i++) y[i] = x[i];
    for (int i = 0; i < n; i++) y[i + 1] += 0.5 * y[i] * x[i];
    for (int i = 0; i < n; i++) y[i] = 0.5 * y[i] * y[i + 1];
    for (int i = 0; i <= n; i++) sum += y[i] * y[i];
    return sum;
}

/* at n = 0 1 2 17 41; vectors -- in steps of two, from the end, and by an index in a table */
double other_steps(int n, const double x[2 * n + 1], const int at[n]) {
    double y[n], sum = 0;
    for (int i = 0; i < n; i++) y[i] = x[2 * i] * x[2 * i + 1] + x[n - 1 - i];
    for (int i = 0; i < n; i++) y[i] *= 1 + x[at[i] & 1];
    for (int i = 0; i < n; i++) sum += y[i] * y[i];
    return sum;
}

/* at n = 0 1 2 17 41; vectors -- its own element, several times */
double own_element(int n, const double x[n]) {
    double y[n], z[n], sum = 0;
    for (int i = 0; i < n; i++) y[i] = z[i] = x[i];
    for (int i = 0; i < n; i++) {
        y[i] += z[i] * 0.5;
        z[i] *= y[i];
        y[i] = y[i] * z[i] + x[i];
    }
    for (int i = 0; i < n; i++) sum += y[i] * z[i];
    return sum;
}

/* at n = 0 1 2 17 41; vectors -- a number beside the elements, which each iteration needs */
double number_beside(int n, const double x[n]) {
    double y[n], s = 0.5, sum = 0;
    for (int i = 0; i < n; i++) y[i] = x[i];
    for (int i = 0; i < n; i++) {
        y[i] = y[i] * s + x[i];
        s = 0.5 * s + 0.1 * y[i];
    }
    for (int i = 0; i < n; i++) sum += y[i] * y[i] * s;
    return sum;
}

/* at n = 0 1 2 17 41; vectors -- more sums than are worth it */
double many_sums(int n, const double x[n], double a, double b, double c, double d, double e) {
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += a * x[i] + b * x[i] * x[i] + c * sin(x[i]) + d * cos(x[i]) + e * exp(x[i]);
    return sum * sum;
}

/* at n = 0 1 2 17 41; vectors -- a gap between what is read and what is written */
double at_a_distance(int n, const double x[3 * n]) {
    double y[3 * n], sum = 0;
    for (int i = 0; i < 3 * n; i++) y[i] = x[i];
    for (int i = 0; i < n; i++) y[i + n] = y[i] * y[i + 2 * n];
    for (int i = 0; i < n; i++) y[i + 1] += 0.5 * y[i] * y[i + 2];
    for (int i = 0; i < 3 * n; i++) sum += y[i] * y[i];
    return sum;
}

/* at n = 0 1 2 17 32; vectors -- a loop of unknown length within another, with what it needs again */
double powers(int n, const double x[n], const int length[n]) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
        double c = 1, s = 0;
        int end = length[i] & 7;
        if (end > n) end = n;
        for (int k = 0; k < end; k++) {
            sum += c * x[k] * x[i];
            double t = c * 0.8 - s * 0.6;
            s = c * 0.6 + s * 0.8;
            c = t;
        }
        sum += s;
    }
    return sum * sum;
}

/* at n = 0 1 2 17 32; vectors -- and one that multiplies what its reverse needs */
double products(int n, const double x[n], const int length[n]) {
    double y[n], sum = 0;
    for (int i = 0; i < n; i++) y[i] = x[i];
    for (int i = 0; i < n; i++) {
        double p = x[i];
        int end = length[i] & 7;
        for (int k = 0; k < end; k++) {
            p = sin(p) * y[k % n] + 0.5;
            y[k % n] = 0.5 * y[k % n] * p;
        }
        sum += p * p;
    }
    for (int i = 0; i < n; i++) sum += y[i] * y[i];
    return sum;
}

/* at n = 0 1 2 17 32; vectors -- within two loops, of a length from a table */
double thrice(int n, const double x[n], const int length[n]) {
    double y[n], sum = 0;
    for (int i = 0; i < n; i++) y[i] = x[i];
    for (int j = 0; j < 2; j++)
        for (int i = 0; i < n; i++) {
            double c = y[i];
            int end = length[i] & 3;
            if (end > n) end = n;
            for (int k = 0; k < end; k++) {
                y[k] += 0.1 * c * x[k];
                c = c * 0.5 + y[k] * y[k];
            }
            sum += c;
        }
    for (int i = 0; i < n; i++) sum += y[i] * y[i];
    return sum;
}

/* at n = 0 1 2 17 41; d = 0 1 2 3; vectors -- a small distance, which only the call tells */
double small_distance(int n, int d, const double x[n + 3]) {
    double y[n + 3], z[n + 3], sum = 0;
    if (d < 0 || d > 3) d = 1;
    for (int i = 0; i < n + 3; i++) y[i] = z[i] = x[i];
    for (int i = 0; i < n; i++) y[i + d] += 0.5 * y[i] * x[i];
    for (int i = 0; i < n; i++) z[i] = 0.5 * z[i + d] * y[i];
    for (int i = 0; i < n; i++) {
        z[i + d] *= 0.9;
        y[i] += z[i];
    }
    for (int i = 0; i < n + 3; i++) sum += y[i] * z[i];
    return sum;
}

/* at n = 0 1 2 17 41; vectors -- an element that a table tells, several times the same */
double by_table(int n, const double x[n], const int at[n]) {
    double y[8], sum = 0;
    for (int i = 0; i < 8; i++) y[i] = i * 0.1;
    for (int i = 0; i < n; i++) y[at[i] & 7] = y[at[i] & 7] * x[i] + 0.3;
    for (int i = 0; i < 8; i++) sum += y[i] * y[i];
    return sum;
}

/* at n = 0 1 2 17 32; vectors -- the same, downwards */
double downwards_again(int n, const double x[n], const int length[n]) {
    double sum = 0;
    for (int i = n - 1; i >= 0; i--) {
        double c = x[i];
        int end = length[i] & 7;
        if (end > n) end = n;
        for (int k = end - 1; k >= 0; k--) c = sin(c) * x[k] + 0.3;
        sum += c * c;
    }
    return sum;
}

/* at n = 0 1 2 8; vectors -- a number that the loop run again changes */
double changed_again(int n, const double x[n], const int length[n]) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
        double c = x[i];
        int end = length[i] & 7;
        if (end > n) end = n;
        for (int k = 0; k < end; k++) {
            sum += c * c * x[k];
            c = c + 0.1;
        }
    }
    return sum * sum;
}

/* at n = 0 1 2 17; m = 5; p = 0 1 1 3 5; vectors -- rows of a table, from one end to the next */
double segments(int n, int m, const double value[m], const double w[n], const int p[n + 1]) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
        double c = w[i], s = 0;
        for (int k = p[i]; k < p[i + 1]; k++) s += value[k] * c;
        sum += s * s;
    }
    return sum;
}
