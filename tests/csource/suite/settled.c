/* Arrays that a loop fills and reads: elements that it has done with, and elements that look so and
 * are written again by a later iteration, or by another loop of the same one. */
#include <math.h>

/* at -- column by column, by what stands to the left */
double factor_by_columns(int n, const double a[n][n]) {
    double l[n][n], sum = 0;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) l[i][j] = 0.1 * a[i][j] + (i == j ? 3 : 0);
    for (int j = 0; j < n; j++) {
        for (int k = 0; k < j; k++)
            for (int i = j; i < n; i++) l[i][j] -= 0.1 * l[i][k] * l[j][k];
        for (int i = j; i < n; i++) l[i][j] /= sqrt(2 + l[j][j] * l[j][j]);
    }
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) sum += l[i][j] * l[i][j];
    return sum;
}

/* at -- row by row, which later rows read, and nobody changes */
double factor_by_rows(int n, const double a[n][n]) {
    double l[n][n], sum = 0;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) l[i][j] = 0.1 * a[i][j] + (i == j ? 3 : 0);
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++) {
            for (int k = 0; k < j; k++) l[i][j] -= 0.1 * l[i][k] * l[j][k];
            if (i == j) l[i][j] = sqrt(1 + l[i][j] * l[i][j]);
            else l[i][j] /= l[j][j];
        }
    for (int i = 0; i < n; i++) sum += l[i][i] * l[i][0];
    return sum;
}

/* at -- elimination changes all that is below and right: the pivot row is settled, the rest not */
double elimination(int n, const double a[n][n]) {
    double u[n][n], product = 1;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) u[i][j] = 0.1 * a[i][j] + (i == j ? 2 : 0);
    for (int k = 0; k < n; k++)
        for (int i = k + 1; i < n; i++) {
            double by = u[i][k] / (1 + u[k][k] * u[k][k]);
            for (int j = k; j < n; j++) u[i][j] -= by * u[k][j];
        }
    for (int i = 0; i < n; i++) product *= 0.5 * u[i][i];
    return product;
}

/* at -- every element is read and written in every iteration */
double all_pairs(int n, const double a[n][n]) {
    double d[n][n], sum = 0;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) d[i][j] = a[i][j];
    for (int k = 0; k < n; k++)
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) d[i][j] = 0.7 * d[i][j] + 0.1 * d[i][k] * d[k][j];
    for (int i = 0; i < n; i++) sum += d[i][n - 1 - i];
    return sum;
}

/* at -- forwards, then backwards through the same array, which the second loop writes again */
double substitutions(int n, const double a[n][n], const double b[n]) {
    double x[n], sum = 0;
    for (int i = 0; i < n; i++) {
        x[i] = b[i];
        for (int j = 0; j < i; j++) x[i] -= 0.1 * a[i][j] * x[j];
        x[i] /= 2 + a[i][i] * a[i][i];
    }
    for (int i = n - 1; i >= 0; i--) {
        for (int j = i + 1; j < n; j++) x[i] -= 0.1 * a[j][i] * x[j] * x[j];
        x[i] *= 1 + x[i];
    }
    for (int i = 0; i < n; i++) sum += x[i] * x[i];
    return sum;
}

/* at -- states one behind the other, two of them read again */
double states(int n, const double x[n + 2]) {
    double s[n + 2], sum = 0;
    s[0] = x[0];
    s[1] = x[1];
    for (int i = 0; i < n; i++) s[i + 2] = sin(s[i + 1]) * s[i] + x[i + 2];
    for (int i = 0; i < n + 2; i++) sum += s[i] * s[i];
    return sum;
}

/* at -- the element read is the one that the next iteration changes */
double changed_next(int n, const double x[n + 1]) {
    double a[n + 1], sum = 0;
    for (int i = 0; i <= n; i++) a[i] = x[i];
    for (int i = 0; i < n; i++) {
        a[i + 1] = a[i + 1] * a[i] + x[i];
        a[i] = a[i] * a[i] * 0.5;
    }
    for (int i = 0; i <= n; i++) sum += a[i];
    return sum;
}

/* at -- and the one that the last iteration changes */
double changed_last(int n, const double x[n + 1]) {
    double a[n + 1], sum = 0;
    for (int i = 0; i <= n; i++) a[i] = x[i];
    for (int i = 0; i < n; i++) {
        sum += a[0] * a[i] * x[i];
        a[n - 1 - i] = 0.5 * a[n - 1 - i] * a[i + 1];
    }
    for (int i = 0; i <= n; i++) sum += a[i] * a[i];
    return sum;
}

/* at -- from the end to the beginning */
double downwards(int n, const double x[n + 2]) {
    double s[n + 2], sum = 0;
    s[n + 1] = x[n + 1];
    s[n] = x[n];
    for (int i = n - 1; i >= 0; i--) s[i] = cos(s[i + 1]) * s[i + 2] + x[i];
    for (int i = 0; i < n + 2; i++) sum += s[i] * s[i];
    return sum;
}

/* at -- rows of four that overlap: six elements of each are written */
double overlapping_rows(int n, const double x[4 * n + 4]) {
    double a[4 * n + 4], sum = 0;
    for (int i = 0; i < 4 * n + 4; i++) a[i] = x[i];
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < 2; j++) sum += a[4 * i + j] * a[4 * i + j + 2];
        for (int j = 2; j < 8; j++) a[4 * i + j] = 0.5 * a[4 * i + j] * a[4 * i];
    }
    for (int i = 0; i < 4 * n + 4; i++) sum += a[i] * a[i];
    return sum;
}

/* at -- rows of four that do not: the first two columns are read, the last two written */
double rows_apart(int n, const double x[4 * n]) {
    double a[4 * n], sum = 0;
    for (int i = 0; i < 4 * n; i++) a[i] = x[i];
    for (int i = 0; i < n; i++)
        for (int k = 0; k < n; k++)
            for (int j = 2; j < 4; j++) a[4 * k + j] += 0.1 * a[4 * i + j - 2] * a[4 * k + 1];
    for (int i = 0; i < 4 * n; i++) sum += a[i] * a[i];
    return sum;
}

/* at -- a fixed matrix by its columns, of which a later one is a copy of the one before */
double fixed_columns(const double x[5][4]) {
    double a[5][4], sum = 0;
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < 4; j++) a[i][j] = x[i][j];
    for (int j = 1; j < 4; j++)
        for (int i = 0; i < 5; i++) a[i][j] = a[i][j - 1] * a[4 - i][j - 1] + 0.2 * a[i][j];
    for (int j = 1; j < 4; j++)
        for (int i = 0; i < 5; i++) a[i][j - 1] = a[i][j] * a[i][j - 1];
    for (int i = 0; i < 5; i++) sum += a[i][0] * a[i][3];
    return sum;
}

/* at m = 0 1 3 -- an element of an index that is none where the inner loop does not run */
double out_of_reach(int n, const double x[n], int m) {
    double a[n + 1], sum = 0;
    for (int i = 0; i <= n; i++) a[i] = i < n ? x[i] : 1;
    for (int i = 0; i < n; i++) {
        int from = i - (m > 0 ? 0 : 1000000);
        for (int k = i + 1; k <= n && k <= i + m; k++) a[k] += 0.1 * a[from] * a[k];
    }
    for (int i = 0; i <= n; i++) sum += a[i] * a[i];
    return sum;
}

/* at m = 0 2 5 -- the same in a counted loop, and an array that may have no elements */
double no_elements(int n, int m, const double x[n]) {
    double a[n], sum = 1;
    for (int i = 0; i < n; i++) a[i] = x[i];
    for (int t = 0; t < m; t++) {
        for (int i = 1; i < n; i++) a[i] = 0.5 * a[i] * a[0] + a[i - 1];
        sum += 0.1 * sum;
    }
    for (int i = 0; i < n; i++) sum += a[i] * a[i];
    return sum;
}

/* at -- two arrays that change places are no array that is filled */
double swapped(int n, const double x[n + 1]) {
    double a[n + 1], b[n + 1], sum = 0;
    for (int i = 0; i <= n; i++) a[i] = b[i] = x[i];
    for (int i = 0; i < n; i++) {
        a[i + 1] = a[i] * b[i] * 0.5 + x[i];
        for (int k = 0; k <= n; k++) {
            double t = a[k];
            a[k] = b[k];
            b[k] = t;
        }
    }
    for (int i = 0; i <= n; i++) sum += a[i] * b[i];
    return sum;
}

/* at -- alignment of two texts: the smallest of three neighbours, softly */
double alignment(int n, const double x[n], const double y[n]) {
    double d[n + 1][n + 1];
    for (int i = 0; i <= n; i++) d[i][0] = d[0][i] = 0.3 * i;
    for (int i = 1; i <= n; i++)
        for (int j = 1; j <= n; j++) {
            double best = d[i - 1][j - 1];
            if (d[i - 1][j] < best) best = d[i - 1][j];
            if (d[i][j - 1] < best) best = d[i][j - 1];
            d[i][j] = best * 0.9 + (x[i - 1] - y[j - 1]) * (x[i - 1] - y[j - 1]);
        }
    return d[n][n] * d[n][n];
}

/* at -- two loops of one iteration, of which the second changes what the first has read */
double read_then_changed(int n, const double x[n][n]) {
    double a[n][n], sum = 0;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) a[i][j] = 0.3 * x[i][j];
    for (int j = 0; j < n; j++) {
        for (int k = 0; k < j; k++)
            for (int i = 0; i < n; i++) a[i][j] += 0.2 * a[i][k] * a[j][k];
        for (int k = 0; k < j; k++) a[j][k] *= 0.5;
    }
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) sum += a[i][j] * a[i][j];
    return sum;
}

/* at -- the whole array is read beside its elements */
double whole_and_part(int n, const double x[n]) {
    double a[n], sum = 0;
    for (int i = 0; i < n; i++) a[i] = x[i];
    for (int i = 1; i < n; i++) {
        double all = 0;
        for (int k = 0; k < n; k++) all += a[k] * a[k];
        a[i] = a[i - 1] * all / (1 + all) + 0.1 * a[i];
    }
    for (int i = 0; i < n; i++) sum += a[i] * a[i];
    return sum;
}

/* at -- ends at a threshold: not all iterations run */
double ends_early(int n, const double x[n + 1]) {
    double s[n + 1], sum = 0;
    for (int i = 0; i <= n; i++) s[i] = 0;
    s[0] = x[0];
    for (int i = 0; i < n; i++) {
        s[i + 1] = s[i] * 0.9 + x[i + 1] * s[i];
        if (s[i + 1] > 1.5) break;
    }
    for (int i = 0; i <= n; i++) sum += s[i] * s[i];
    return sum;
}

/* at -- a time step outside: the filled array is filled again */
double filled_again(int n, const double x[n + 1]) {
    double s[n + 1], last = 0.3;
    for (int t = 0; t < 3; t++) {
        s[0] = x[0] * last;
        for (int i = 0; i < n; i++) s[i + 1] = 0.5 * s[i] * s[i] + x[i + 1];
        last = s[n];
    }
    return last * last;
}

/* at -- by a factor that the sizes do not tell */
double unknown_stride(int n, const double x[n], const int stride[1]) {
    double a[4 * n + 1], sum = 0;
    int by = stride[0] & 3;
    for (int i = 0; i < 4 * n + 1; i++) a[i] = 0.2;
    for (int i = 0; i < n; i++) {
        a[by * i + 1] += x[i] * a[by * i];
        a[4 * i] += 0.3 * a[by * i];
    }
    for (int i = 0; i < 4 * n + 1; i++) sum += a[i] * a[i];
    return sum;
}

/* at -- rows of four that overlap, the last one first: a row is written again by the next ones */
double overlapping_from_behind(int n, const double x[4 * n + 4]) {
    double a[4 * n + 4], sum = 0;
    for (int i = 0; i < 4 * n + 4; i++) a[i] = x[i];
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < 2; j++) sum += a[4 * (n - 1 - i) + j] * a[4 * (n - 1 - i) + j] * x[i];
        for (int j = 2; j < 8; j++) a[4 * (n - 1 - i) + j] *= 0.5 * x[i];
    }
    for (int i = 0; i < 4 * n + 4; i++) sum += a[i] * a[i];
    return sum;
}

/* at -- what stands before the first element, in a loop that does not run there */
double element_before(int n, const double x[n]) {
    double a[n], sum = 0;
    for (int i = 0; i < n; i++) a[i] = x[i];
    for (int i = 0; i < n; i++)
        for (int k = 0; k < i; k++) a[i] += 0.2 * x[k] * a[i - 1] * a[i];
    for (int i = 0; i < n; i++) sum += a[i] * a[i];
    return sum;
}

/* at -- a row of a matrix of no columns */
double no_columns(int m, int n, const double x[m][n]) {
    double a[m][n], sum = 1;
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) a[i][j] = x[i][j];
    for (int i = 1; i < m; i++)
        for (int j = 1; j < n; j++) a[i][j] += 0.3 * a[i - 1][0] * a[i][j];
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) sum += a[i][j] * a[i][j];
    return sum;
}

/* at -- the next iteration writes what this one has read */
double changed_by_the_next(int n, const double x[n]) {
    double a[n], sum = 0;
    for (int i = 0; i < n; i++) a[i] = x[i];
    for (int i = 1; i < n; i++) a[i - 1] = 0.5 * a[i] * a[i] + x[i - 1];
    for (int i = 0; i < n; i++) sum += a[i] * a[i];
    return sum;
}

/* at -- rows of n that overlap by one, the last one first */
double rows_overlap(int n, const double x[n * n + n]) {
    double a[n * n + n], sum = 0;
    for (int i = 0; i < n * n + n; i++) a[i] = x[i];
    for (int i = 0; i < n; i++) {
        sum += a[n * (n - 1 - i)] * a[n * (n - 1 - i)] * x[i];
        for (int j = 1; j <= n; j++) a[n * (n - 1 - i) + j] *= 0.5 * x[i];
    }
    for (int i = 0; i < n * n + n; i++) sum += a[i] * a[i];
    return sum;
}

/* at -- and from the first one on, where each writes its beginning */
double rows_begin(int n, const double x[n * n + n]) {
    double a[n * n + n], sum = 0;
    for (int i = 0; i < n * n + n; i++) a[i] = x[i];
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < n; k++) sum += a[n * i + 1 + k] * a[n * i + 1 + k] * x[i];
        a[n * i] *= 0.5 * x[i];
    }
    for (int i = 0; i < n * n + n; i++) sum += a[i] * a[i];
    return sum;
}

/* at t = 3 2 0 4 1; n = 0 1 2 9 -- counts of loops that nobody knows, and twice those */
double unknown_counts(int n, const double x[n + 8], const int t[n]) {
    double a[n + 8], s = 0;
    for (int i = 0; i < n + 8; i++) a[i] = x[i];
    for (int i = 0; i < n; i++) {
        s += a[i] * a[i] * x[i];
        for (int k = 0; k < t[i]; k++)
            for (int j = 0; j < 2 * k; j++) a[j] = 0.5 * a[j] * x[j] + 0.1;
    }
    for (int i = 0; i < n; i++) s += a[i] * a[i];
    return s;
}
