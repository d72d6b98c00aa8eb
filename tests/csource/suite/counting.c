/* Loops that look as if they counted from one number to another, and do something else: because the
 * type wraps around, the step goes nowhere, the comparison is that of another type, or the variable
 * is changed elsewhere. */
#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wtype-limits"
#ifdef __clang__
#pragma GCC diagnostic ignored "-Wtautological-unsigned-zero-compare"
#endif

/* at a = -3 2 3 5; s = -2 -1 1 2 -- a step the other way: no iteration, if the beginning is there */
double step_back(const double x[4], int a, int s) {
    double t = 0;
    if (a < 3 && s < 1) s = 1;
    for (int i = a; i < 3; i += s) t += x[i & 3];
    return t;
}

/* at s = -1 0 1 2 -- a step of 0, which break ends */
double step_nowhere(const double x[4], int s) {
    double t = 0;
    int k = 0;
    for (int i = 0; i < 3; i += s) {
        t += x[k & 3];
        if (++k > 5) break;
    }
    return t;
}

/* at a = -2 0 1 2 -- 0 doubled is 0 */
double doubled(const double x[4], int a) {
    double t = 0;
    int k = 0;
    for (int i = a; i < 3 && i > -1000000; i *= 2) {
        t += x[k & 3];
        if (++k > 100) break;
    }
    return t;
}

/* at -- the body takes it back */
double doubled_and_back(const double x[4]) {
    double t = 0;
    int k = 0;
    for (int i = 1; i < 3; i <<= 1) {
        t += x[k & 3];
        if (++k > 100) break;
        i = k > 99 ? 0 : 1;
    }
    return t;
}

/* at a = -5 0 6 -- what is negative stays so */
double halved(const double x[4], int a) {
    double t = 0;
    int k = 0;
    for (int i = a; i != 0; i >>= 1) {
        t += x[k & 3];
        if (++k > 90) break;
    }
    return t;
}

/* at m = 3 40 -- the index stands still, so the array bounds nothing */
double standing_index(const double x[4], const int m[1]) {
    double t = 0;
    int k = 0, end = m[0];
    for (int i = 0; i < end; i++) {
        t += x[i + k];
        k--;
    }
    k = 0;
    for (int i = 0; i < end; i++) {
        t += x[i - k];
        k = i + 1;
    }
    return t;
}

/* at */
double by_a_pointer(const double x[4]) {
    double t = 0;
    int i, *q = &i;
    for (i = 0; i < 4; i++) {
        t += x[i];
        *q += 1;
    }
    return t + i;
}

/* at e = 0 1 3 -- always at least 0 */
double unsigned_down(const double x[4], unsigned e) {
    double t = 0;
    int k = 0;
    for (unsigned i = 3; i >= e; i--) {
        t += x[i & 3];
        if (++k > 10) break;
    }
    return t;
}

/* at s = 4 5 -- past 0 where it is odd */
double unsigned_by_two(const double x[4], unsigned s) {
    double t = 0;
    int k = 0;
    for (unsigned i = s; i > 0; i -= 2) {
        t += x[i & 3];
        if (++k > 10) break;
    }
    return t;
}

/* at e = 0 3 300 */
double narrow(const double x[4], int e) {
    double t = 0;
    int k = 0;
    for (unsigned char c = 0; c < e; c++) {
        t += x[c & 3];
        if (++k > 400) break;
    }
    for (unsigned char c = 3; c > e - 5; c--) {
        t += x[c & 3];
        if (++k > 800) break;
    }
    return t;
}

/* at e = 110 127; s = 1 20 */
double narrow_by_fifty(const double x[4], int e, int s) {
    double t = 0;
    int k = 0;
    for (signed char c = 100; c < e; c += 50) {
        t += x[c & 3];
        if (++k > s) break;
    }
    for (signed char c = 100; c < 120; c += 50) t += x[c & 3];
    return t;
}

/* at a = -3 0 2; e = 0 4 -- -3 is above all that is unsigned */
double compared_unsigned(const double x[4], int a, unsigned e) {
    double t = 0;
    int k = 0;
    for (int i = a; i < e; i++) t += x[i & 3];
    for (int i = a; i >= 0u; i--) {
        t += x[i & 3];
        if (++k > 10) break;
    }
    return t;
}

/* at n = 0 2 300 -- an index is more than a char holds */
double narrowed(int n, const double x[n]) {
    double s = 0;
    unsigned char most = (unsigned char)n;
    for (int i = 0; i < n; i++) {
        unsigned char c = (unsigned char)i;
        signed char d = (signed char)i;
        s += c * x[i] + d;
    }
    for (int i = 0; i < most; i++) s += x[i];
    return s + (signed char)n;
}

/* at */
double narrowed_far(const double x[4]) {
    double s = 0;
    for (int i = 0; i < 70000; i += 7) {
        unsigned short h = (unsigned short)i;
        short g = (short)i;
        s += h * x[i & 3] + g;
    }
    for (long i = 0; i < 3; i++) {
        unsigned u = (unsigned)(i - 2);
        int k = (int)(i * 3000000000L);
        s += u * x[i] + k;
    }
    return s;
}

/* at n = 0 1 9 */
double below_zero(int n, const double x[n]) {
    double s = 0;
    for (unsigned i = 0; i < (unsigned)n; i++) {
        unsigned j = i - 1, k = 0u - i;
        s += x[i] * (j > 5) + k % 7;
    }
    return s;
}
