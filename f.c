double f(double x[2][2]) {
    double *p = &x[0][0], s = 0;
    for (int i = 0; i < 4; i++) s += p[i];
    return s;
}
