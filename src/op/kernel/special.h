/* Functions that elementwise rows need and the C library lacks. In double for f32 too: their series
 * need the digits. */
#ifndef SPECIAL_H
#define SPECIAL_H

/* log |Gamma(x)| of the C library, without the global variable that lgamma writes. */
double special_lgamma(double x);
/* psi(x) = d/dx log Gamma(x), and its first derivative. */
double special_digamma(double x);
double special_trigamma(double x);
/* The derivative of psi of order n = 0 .. 60, rounded to a whole number; NaN for other n. */
double special_polygamma(double n, double x);

#endif
