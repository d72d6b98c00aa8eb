/* Leaving early, in every way and from every depth. */
#include <math.h>
#include <stdbool.h>

/* at x in -12..12; k = 0 1 2 */
double chain(double x, int k) {
    if (x < -10) return 1 * x;
    else if (x < -9) return 2 * x;
    else if (x < -8) return 3 * x;
    else if (x < -7) return 4 * x;
    else if (x < -6) return 5 * x;
    else if (x < -5) return 6 * x;
    else if (x < -4) return k;
    else if (x < -3) return 8 * x;
    else if (x < -2) x *= 9;
    else if (x < -1) return 10 * x;
    else if (x < 0) x = x * x;
    else if (x < 1) return 12 * x;
    else if (x < 2) return 13 * x;
    else if (x < 3) x -= k;
    else if (x < 4) return 15 * x;
    else return x < 8 ? 16 * x : 17 * x;
    return x + 100;
}

/* at x in -12..12 */
double twenty(double x) {
    if (x < -10) return 1 - x;
    if (x < -9) return 2 * x;
    if (x < -8) return 3 * x;
    x += 0.5;
    if (x < -7) return 4 * x;
    if (x < -6) return 5 * x;
    if (x < -5) {
        x = sin(x);
        if (x < 0) return 6;
    }
    if (x < -4) return 7 * x;
    if (x < -3) return 8 * x;
    x *= 1.5;
    if (x < -2) return 9 * x;
    if (x < -1) return 10 * x;
    if (x < 0) return 11 * x;
    if (x < 1) return 12 * x;
    if (x < 2) return 13 * x;
    if (x > 11) return 14 * x;
    if (x > 10) return 15 * x;
    if (x > 9) return 16 * x;
    if (x > 8) return 17 * x;
    if (x > 7) return 18 * x;
    if (x > 6) return 19 * x;
    return 20 * x * x;
}

/* at n = 0 1 4 17; m = 1 3 */
double deepest(int n, int m, double a[n][m], double limit) {
    double s = 0;
    for (int i = 0; i < n; i++) {
        int j = 0;
        while (true) {
            if (j == m) break;
            do {
                switch (i % 3) {
                case 0:
                    if (a[i][j] > limit) return s + 1000;
                    break;
                case 1:
                    if (a[i][j] < -limit) break;
                    s += 1;
                    continue;
                default: s -= a[i][j];
                }
                a[i][j] += 0.125;
                s += a[i][j];
            } while (s < -5);
            j++;
        }
    }
    return s;
}

/* at k = 0 1 2 3 4 5 6 7 8 -1 */
double falls_through(int k, double x) {
    switch (k) {
    case 3: x += 3;
    case 1: x *= 2; break;
    default: x -= 7;
    case 0:
    case 2: x = x * x;
        if (x > 0.5) break;
        x += 0.25;
    case 5: return x - 1;
    case 7: {
        double y = x;
        x += y * y;
    }
    case 8: break;
    case 6:;
    }
    return x + k;
}

/* at k = 0 1 2 3 */
double switch_of_switch(int k, int m, double x) {
    switch (k & 1) {
    case 0:
        switch (m) {
        case -1: x *= 2; break;
        case 0: return x;
        case 1: x += 5;
        default: x -= 1;
        }
        x += 10;
        break;
    case 1:
        for (int i = 0; i < 4; i++) {
            switch (i) {
            case 1: continue;
            case 3: break;
            default: x *= 1.5;
            }
            x += i;
            if (x > 4 && k == 3) break;
        }
    }
    return x;
}

/* at k = 1 2 3 4 5 6 7 8 12 */
double only_default(int k, double x) {
    switch (k % 4) default: x = x * k;
    switch (k) {
    case 1: return 1;
    }
    switch (k) {}
    switch ((int)(k > 3)) {
    case 1: x += 1; break;
    case 0: x += 2;
    }
    return x;
}

/* at n = 0 1 2 17 */
bool all_below(int n, const double x[n], double limit) {
    for (int i = 0; i < n; i++)
        if (x[i] >= limit) return false;
    return true;
}

/* at n = 0 1 2 17 -- break out of two loops by a flag */
double two_levels(int n, double x[n]) {
    bool done = false;
    double s = 0;
    for (int i = 0; i < n && !done; i++) {
        for (int j = 0; j < n; j++) {
            s += x[i] * x[j];
            if (s > 0.6) {
                done = true;
                break;
            }
            x[j] *= 0.95;
        }
        if (done) continue;
        s -= x[i];
    }
    return done ? s : -s;
}

/* at n = 0 1 2 17 */
void returns_nothing(int n, double x[n]) {
    if (!n) return;
    for (int i = 0; i < n; i++) {
        if (x[i] > 0.8) return;
        if (x[i] > 0) {
            x[i] = -x[i];
            continue;
        }
        x[i] *= x[i];
        if (i > 10) {
            x[0] = 5;
            return;
        }
    }
    x[n - 1] = 7 * x[0];
}

/* at k = 0 1 5 */
int while_conditions(int k, double x) {
    int n = 0, m = k;
    while (m-- && n++ < 3) x *= 2;
    do n += 10;
    while (--k > 0 && (n & 3 || ++n));
    while ((m += 2) < 9 || (n++, m < 10)) n += m;
    return n * 100 + m * 10 + k + (x > 0);
}

/* at n = 1 2 17 */
double last_found(int n, const double x[n]) {
    double best = x[0];
    int where = 0;
    for (int i = 1; i < n; i++) {
        if (!(x[i] > best)) continue;
        best = x[i];
        where = i;
    }
    return best * (where + 1);
}
