/* Bundle adjustment's cost: how far p points, seen by a camera with radial distortion, are from
 * where they were measured. cam = rotation vector, centre, focal length, principal point, k1,
 * k2. */
#include <math.h>

static void rotate(const double rot[3], const double x[3], double y[3]) {
    double theta2 = rot[0] * rot[0] + rot[1] * rot[1] + rot[2] * rot[2];
    if (theta2 != 0) {
        double theta = sqrt(theta2), c = cos(theta), s = sin(theta), inverse = 1 / theta;
        double w[3], cross[3], tmp = 0;
        for (int i = 0; i < 3; i++) w[i] = rot[i] * inverse;
        cross[0] = w[1] * x[2] - w[2] * x[1];
        cross[1] = w[2] * x[0] - w[0] * x[2];
        cross[2] = w[0] * x[1] - w[1] * x[0];
        for (int i = 0; i < 3; i++) tmp += w[i] * x[i];
        tmp *= 1 - c;
        for (int i = 0; i < 3; i++) y[i] = x[i] * c + cross[i] * s + w[i] * tmp;
    } else {
        y[0] = x[0] + rot[1] * x[2] - rot[2] * x[1];
        y[1] = x[1] + rot[2] * x[0] - rot[0] * x[2];
        y[2] = x[2] + rot[0] * x[1] - rot[1] * x[0];
    }
}

static void residual(const double cam[11], const double x[3], const double seen[2],
                     double error[2]) {
    double moved[3], p[3];
    for (int i = 0; i < 3; i++) moved[i] = x[i] - cam[3 + i];
    rotate(cam, moved, p);
    double u = p[0] / p[2], v = p[1] / p[2];
    double r2 = u * u + v * v, stretch = 1 + cam[9] * r2 + cam[10] * r2 * r2;
    error[0] = u * stretch * cam[6] + cam[7] - seen[0];
    error[1] = v * stretch * cam[6] + cam[8] - seen[1];
}

double camera_cost(int p, const double cam[11], const double x[p][3], const double seen[p][2]) {
    double cost = 0;
    for (int i = 0; i < p; i++) {
        double error[2];
        residual(cam, x[i], seen[i], error);
        cost += 0.5 * (error[0] * error[0] + error[1] * error[1]);
    }
    return cost;
}
