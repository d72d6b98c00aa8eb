/* The energy that a real signal of n = 2^k numbers has in the lower quarter of its spectrum, by the
 * fast Fourier transform of Cooley and Tukey, in place. */
#include <math.h>

double low_energy(int n, const double signal[n]) {
    double re[n], im[n];
    for (int i = 0; i < n; i++) {
        re[i] = signal[i];
        im[i] = 0;
    }
    for (int i = 1, j = 0; i < n; i++) {
        int bit = n >> 1;
        for (; j & bit; bit >>= 1) j ^= bit;
        j ^= bit;
        if (i < j) {
            double t = re[i];
            re[i] = re[j];
            re[j] = t;
            t = im[i];
            im[i] = im[j];
            im[j] = t;
        }
    }
    for (int length = 2; length <= n; length <<= 1) {
        double angle = -6.283185307179586 / length, wr = cos(angle), wi = sin(angle);
        for (int i = 0; i < n; i += length) {
            double cr = 1, ci = 0;
            for (int k = 0; k < length / 2; k++) {
                int a = i + k, b = i + k + length / 2;
                double xr = re[b] * cr - im[b] * ci, xi = re[b] * ci + im[b] * cr;
                re[b] = re[a] - xr;
                im[b] = im[a] - xi;
                re[a] += xr;
                im[a] += xi;
                double t = cr * wr - ci * wi;
                ci = cr * wi + ci * wr;
                cr = t;
            }
        }
    }
    double energy = 0;
    for (int i = 0; i < n / 4; i++) energy += re[i] * re[i] + im[i] * im[i];
    return energy / n;
}
