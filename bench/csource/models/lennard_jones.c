/* The Lennard-Jones energy of n particles in a periodic box of side 1, with a cut-off and cell
 * lists: 27 neighbouring cells are searched for each particle. */
#include <math.h>

#define CELLS 5

double lennard_jones(int n, const double x[n][3], double sigma, double cutoff) {
    int head[CELLS * CELLS * CELLS], next[n], cell[n][3];
    double energy = 0, cut2 = cutoff * cutoff;
    for (int c = 0; c < CELLS * CELLS * CELLS; c++) head[c] = -1;
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < 3; k++) {
            int c = (int)floor(x[i][k] * CELLS);
            cell[i][k] = c < 0 ? 0 : c >= CELLS ? CELLS - 1 : c;
        }
        int c = (cell[i][0] * CELLS + cell[i][1]) * CELLS + cell[i][2];
        next[i] = head[c];
        head[c] = i;
    }
    for (int i = 0; i < n; i++)
        for (int a = -1; a <= 1; a++)
            for (int b = -1; b <= 1; b++)
                for (int c = -1; c <= 1; c++) {
                    int u = (cell[i][0] + a + CELLS) % CELLS;
                    int v = (cell[i][1] + b + CELLS) % CELLS;
                    int w = (cell[i][2] + c + CELLS) % CELLS;
                    for (int j = head[(u * CELLS + v) * CELLS + w]; j >= 0; j = next[j]) {
                        if (j >= i) continue;
                        double r2 = 0;
                        for (int k = 0; k < 3; k++) {
                            double d = x[i][k] - x[j][k];
                            d -= rint(d);
                            r2 += d * d;
                        }
                        if (r2 >= cut2) continue;
                        double s2 = sigma * sigma / r2, s6 = s2 * s2 * s2;
                        energy += 4 * (s6 * s6 - s6);
                    }
                }
    return energy;
}
