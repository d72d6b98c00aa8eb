/* A layer of long short-term memory over a sequence, and the loss of predicting the next letter.
 * Each of the four gates has a weight for the letter, one for the state, and a bias, element by
 * element, as in GradBench's model. */
#include <math.h>

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

double lstm(int layers, int steps, int width, const double main_params[layers][2][4][width],
            const double extra[3][width], const double state[layers][2][width],
            const double sequence[steps][width]) {
    double hidden[layers][width], cell[layers][width], x[width], predicted[width];
    double total = 0;
    for (int l = 0; l < layers; l++)
        for (int k = 0; k < width; k++) {
            hidden[l][k] = state[l][0][k];
            cell[l][k] = state[l][1][k];
        }
    for (int t = 0; t < steps - 1; t++) {
        for (int k = 0; k < width; k++) x[k] = sequence[t][k] * extra[0][k];
        for (int l = 0; l < layers; l++)
            for (int k = 0; k < width; k++) {
                double forget = sigmoid(x[k] * main_params[l][0][0][k] + main_params[l][1][0][k]);
                double in = sigmoid(hidden[l][k] * main_params[l][0][1][k] +
                                    main_params[l][1][1][k]);
                double out = sigmoid(x[k] * main_params[l][0][2][k] + main_params[l][1][2][k]);
                double change = tanh(hidden[l][k] * main_params[l][0][3][k] +
                                     main_params[l][1][3][k]);
                cell[l][k] = cell[l][k] * forget + in * change;
                hidden[l][k] = out * tanh(cell[l][k]);
                x[k] = hidden[l][k];
            }
        double sum = 0;
        for (int k = 0; k < width; k++) {
            predicted[k] = x[k] * extra[1][k] + extra[2][k];
            sum += exp(predicted[k]);
        }
        double shift = log(2 + sum);
        for (int k = 0; k < width; k++) total += sequence[t + 1][k] * (predicted[k] - shift);
    }
    return -total / ((steps - 1) * width);
}
