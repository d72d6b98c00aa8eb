/* Every statement within every other, and in each pair every way to leave it. */

/* at n = 0 1 4; k = 0 1 2 3 5 */
double if_in_if(int n, const double x[n], int k) {
    double y = 0.5;
    for (int i = 0; i < n; i++) {
        if (x[i] > 0.1) {
            if (y < x[i] + 0.5) {
                y = y * 0.75 + x[i] * x[i];
                if (y > 1.5) break;
                if (x[i] < -0.8) continue;
                if (y < -2.5) return y * k;
                y -= x[i] * 0.3;
            }
            y += 0.0625;
        } else {
            y -= 0.25 * x[i];
        }
        y *= 0.875;
    }
    return y;
}

/* at n = 0 1 4; k = 0 1 2 3 5 */
double else_in_if(int n, const double x[n], int k) {
    double y = 0.5;
    for (int i = 0; i < n; i++) {
        if (x[i] > 0.1) {
            if (y > x[i] + 0.7)
                y *= 0.5;
            else {
                y = y * 0.75 + x[i] * x[i];
                if (y > 1.5) break;
                if (x[i] < -0.8) continue;
                if (y < -2.5) return y * k;
                y -= x[i] * 0.3;
            }
            y += 0.0625;
        } else {
            y -= 0.25 * x[i];
        }
        y *= 0.875;
    }
    return y;
}

/* at n = 0 1 4; k = 0 1 2 3 5 */
double switch_in_if(int n, const double x[n], int k) {
    double y = 0.5;
    for (int i = 0; i < n; i++) {
        if (x[i] > 0.1) {
            switch ((k + i) % 4) {
            case 1: y += 0.125;
            case 2: {
                y = y * 0.75 + x[i] * x[i];
                if (y > 1.25) break;
                if (y < -2.5) return y * k;
                y -= x[i] * 0.3;
            }
            case 3: y *= 1.125;
            }
            y += 0.0625;
        } else {
            y -= 0.25 * x[i];
        }
        y *= 0.875;
    }
    return y;
}

/* at n = 0 1 4; k = 0 1 2 3 5 */
double for_in_if(int n, const double x[n], int k) {
    double y = 0.5;
    for (int i = 0; i < n; i++) {
        if (x[i] > 0.1) {
            for (int b = i; b >= 0; b--) {
                y = y * 0.75 + x[i] * x[i];
                if (y > 1.25) break;
                if (x[i] < -0.5) continue;
                if (y < -2.5) return y * k;
                y -= x[i] * 0.3;
            }
            y += 0.0625;
        } else {
            y -= 0.25 * x[i];
        }
        y *= 0.875;
    }
    return y;
}

/* at n = 0 1 4; k = 0 1 2 3 5; native */
double while_in_if(int n, const double x[n], int k) {
    double y = 0.5;
    for (int i = 0; i < n; i++) {
        if (x[i] > 0.1) {
            int b = 0;
            while (b++ < k + i) {
                y = y * 0.75 + x[i] * x[i];
                if (y > 1.25) break;
                if (x[i] < -0.5) continue;
                if (y < -2.5) return y * k;
                y -= x[i] * 0.3;
            }
            y += 0.0625;
        } else {
            y -= 0.25 * x[i];
        }
        y *= 0.875;
    }
    return y;
}

/* at n = 0 1 4; k = 0 1 2 3 5 */
double do_in_if(int n, const double x[n], int k) {
    double y = 0.5;
    for (int i = 0; i < n; i++) {
        if (x[i] > 0.1) {
            int b = k;
            do {
                y = y * 0.75 + x[i] * x[i];
                if (y > 1.25) break;
                if (x[i] < -0.5) continue;
                if (y < -2.5) return y * k;
                y -= x[i] * 0.3;
            } while (b-- > 1);
            y += 0.0625;
        } else {
            y -= 0.25 * x[i];
        }
        y *= 0.875;
    }
    return y;
}

/* at n = 0 1 4; k = 0 1 2 3 5 */
double if_in_else(int n, const double x[n], int k) {
    double y = 0.5;
    for (int i = 0; i < n; i++) {
        if (x[i] < 0.1) {
            y *= 0.9;
        } else {
            if (y < x[i] + 0.5) {
                y = y * 0.75 + x[i] * x[i];
                if (y > 1.5) break;
                if (x[i] < -0.8) continue;
                if (y < -2.5) return y * k;
                y -= x[i] * 0.3;
            }
            y += 0.0625;
        }
        y *= 0.875;
    }
    return y;
}

/* at n = 0 1 4; k = 0 1 2 3 5 */
double else_in_else(int n, const double x[n], int k) {
    double y = 0.5;
    for (int i = 0; i < n; i++) {
        if (x[i] < 0.1) {
            y *= 0.9;
        } else {
            if (y > x[i] + 0.7)
                y *= 0.5;
            else {
                y = y * 0.75 + x[i] * x[i];
                if (y > 1.5) break;
                if (x[i] < -0.8) continue;
                if (y < -2.5) return y * k;
                y -= x[i] * 0.3;
            }
            y += 0.0625;
        }
        y *= 0.875;
    }
    return y;
}

/* at n = 0 1 4; k = 0 1 2 3 5 */
double switch_in_else(int n, const double x[n], int k) {
    double y = 0.5;
    for (int i = 0; i < n; i++) {
        if (x[i] < 0.1) {
            y *= 0.9;
        } else {
            switch ((k + i) % 4) {
            case 1: y += 0.125;
            case 2: {
                y = y * 0.75 + x[i] * x[i];
                if (y > 1.25) break;
                if (y < -2.5) return y * k;
                y -= x[i] * 0.3;
            }
            case 3: y *= 1.125;
            }
            y += 0.0625;
        }
        y *= 0.875;
    }
    return y;
}

/* at n = 0 1 4; k = 0 1 2 3 5; native */
double for_in_else(int n, const double x[n], int k) {
    double y = 0.5;
    for (int i = 0; i < n; i++) {
        if (x[i] < 0.1) {
            y *= 0.9;
        } else {
            for (int b = i; b >= 0; b--) {
                y = y * 0.75 + x[i] * x[i];
                if (y > 1.25) break;
                if (x[i] < -0.5) continue;
                if (y < -2.5) return y * k;
                y -= x[i] * 0.3;
            }
            y += 0.0625;
        }
        y *= 0.875;
    }
    return y;
}

/* at n = 0 1 4; k = 0 1 2 3 5 */
double while_in_else(int n, const double x[n], int k) {
    double y = 0.5;
    for (int i = 0; i < n; i++) {
        if (x[i] < 0.1) {
            y *= 0.9;
        } else {
            int b = 0;
            while (b++ < k + i) {
                y = y * 0.75 + x[i] * x[i];
                if (y > 1.25) break;
                if (x[i] < -0.5) continue;
                if (y < -2.5) return y * k;
                y -= x[i] * 0.3;
            }
            y += 0.0625;
        }
        y *= 0.875;
    }
    return y;
}

/* at n = 0 1 4; k = 0 1 2 3 5 */
double do_in_else(int n, const double x[n], int k) {
    double y = 0.5;
    for (int i = 0; i < n; i++) {
        if (x[i] < 0.1) {
            y *= 0.9;
        } else {
            int b = k;
            do {
                y = y * 0.75 + x[i] * x[i];
                if (y > 1.25) break;
                if (x[i] < -0.5) continue;
                if (y < -2.5) return y * k;
                y -= x[i] * 0.3;
            } while (b-- > 1);
            y += 0.0625;
        }
        y *= 0.875;
    }
    return y;
}

/* at n = 0 1 4; k = 0 1 2 3 5 */
double if_in_switch(int n, const double x[n], int k) {
    double y = 0.5;
    for (int i = 0; i < n; i++) {
        switch (k % 3) {
        case 0: y += x[i];
        case 1: {
            if (y < x[i] + 0.5) {
                y = y * 0.75 + x[i] * x[i];
                if (y > 1.25) break;
                if (y < -2.5) return y * k;
                y -= x[i] * 0.3;
            }
            if (y > 3) break;
            y += 0.0625;
            break;
        }
        default: y -= 0.5 * x[i]; break;
        }
        y *= 0.875;
    }
    return y;
}

/* at n = 0 1 4; k = 0 1 2 3 5 */
double else_in_switch(int n, const double x[n], int k) {
    double y = 0.5;
    for (int i = 0; i < n; i++) {
        switch (k % 3) {
        case 0: y += x[i];
        case 1: {
            if (y > x[i] + 0.7)
                y *= 0.5;
            else {
                y = y * 0.75 + x[i] * x[i];
                if (y > 1.25) break;
                if (y < -2.5) return y * k;
                y -= x[i] * 0.3;
            }
            if (y > 3) break;
            y += 0.0625;
            break;
        }
        default: y -= 0.5 * x[i]; break;
        }
        y *= 0.875;
    }
    return y;
}

/* at n = 0 1 4; k = 0 1 2 3 5; native */
double switch_in_switch(int n, const double x[n], int k) {
    double y = 0.5;
    for (int i = 0; i < n; i++) {
        switch (k % 3) {
        case 0: y += x[i];
        case 1: {
            switch ((k + i) % 4) {
            case 1: y += 0.125;
            case 2: {
                y = y * 0.75 + x[i] * x[i];
                if (y > 1.25) break;
                if (y < -2.5) return y * k;
                y -= x[i] * 0.3;
            }
            case 3: y *= 1.125;
            }
            if (y > 3) break;
            y += 0.0625;
            break;
        }
        default: y -= 0.5 * x[i]; break;
        }
        y *= 0.875;
    }
    return y;
}

/* at n = 0 1 4; k = 0 1 2 3 5 */
double for_in_switch(int n, const double x[n], int k) {
    double y = 0.5;
    for (int i = 0; i < n; i++) {
        switch (k % 3) {
        case 0: y += x[i];
        case 1: {
            for (int b = i; b >= 0; b--) {
                y = y * 0.75 + x[i] * x[i];
                if (y > 1.25) break;
                if (x[i] < -0.5) continue;
                if (y < -2.5) return y * k;
                y -= x[i] * 0.3;
            }
            if (y > 3) break;
            y += 0.0625;
            break;
        }
        default: y -= 0.5 * x[i]; break;
        }
        y *= 0.875;
    }
    return y;
}

/* at n = 0 1 4; k = 0 1 2 3 5 */
double while_in_switch(int n, const double x[n], int k) {
    double y = 0.5;
    for (int i = 0; i < n; i++) {
        switch (k % 3) {
        case 0: y += x[i];
        case 1: {
            int b = 0;
            while (b++ < k + i) {
                y = y * 0.75 + x[i] * x[i];
                if (y > 1.25) break;
                if (x[i] < -0.5) continue;
                if (y < -2.5) return y * k;
                y -= x[i] * 0.3;
            }
            if (y > 3) break;
            y += 0.0625;
            break;
        }
        default: y -= 0.5 * x[i]; break;
        }
        y *= 0.875;
    }
    return y;
}

/* at n = 0 1 4; k = 0 1 2 3 5 */
double do_in_switch(int n, const double x[n], int k) {
    double y = 0.5;
    for (int i = 0; i < n; i++) {
        switch (k % 3) {
        case 0: y += x[i];
        case 1: {
            int b = k;
            do {
                y = y * 0.75 + x[i] * x[i];
                if (y > 1.25) break;
                if (x[i] < -0.5) continue;
                if (y < -2.5) return y * k;
                y -= x[i] * 0.3;
            } while (b-- > 1);
            if (y > 3) break;
            y += 0.0625;
            break;
        }
        default: y -= 0.5 * x[i]; break;
        }
        y *= 0.875;
    }
    return y;
}

/* at n = 0 1 4; k = 0 1 2 3 5 */
double if_in_for(int n, const double x[n], int k) {
    double y = 0.5;
    for (int i = 0; i < n; i++) {
        for (int a = 0; a < k; a++) {
            if (y < x[i] + 0.5) {
                y = y * 0.75 + x[i] * x[i];
                if (y > 1.25) break;
                if (x[i] < -0.5) continue;
                if (y < -2.5) return y * k;
                y -= x[i] * 0.3;
            }
            if (y > 3) break;
            y += 0.0625;
        }
        y *= 0.875;
    }
    return y;
}

/* at n = 0 1 4; k = 0 1 2 3 5; native */
double else_in_for(int n, const double x[n], int k) {
    double y = 0.5;
    for (int i = 0; i < n; i++) {
        for (int a = 0; a < k; a++) {
            if (y > x[i] + 0.7)
                y *= 0.5;
            else {
                y = y * 0.75 + x[i] * x[i];
                if (y > 1.25) break;
                if (x[i] < -0.5) continue;
                if (y < -2.5) return y * k;
                y -= x[i] * 0.3;
            }
            if (y > 3) break;
            y += 0.0625;
        }
        y *= 0.875;
    }
    return y;
}

/* at n = 0 1 4; k = 0 1 2 3 5 */
double switch_in_for(int n, const double x[n], int k) {
    double y = 0.5;
    for (int i = 0; i < n; i++) {
        for (int a = 0; a < k; a++) {
            switch ((k + i) % 4) {
            case 1: y += 0.125;
            case 2: {
                y = y * 0.75 + x[i] * x[i];
                if (y > 1.25) break;
                if (x[i] < -0.5) continue;
                if (y < -2.5) return y * k;
                y -= x[i] * 0.3;
            }
            case 3: y *= 1.125;
            }
            if (y > 3) break;
            y += 0.0625;
        }
        y *= 0.875;
    }
    return y;
}

/* at n = 0 1 4; k = 0 1 2 3 5 */
double for_in_for(int n, const double x[n], int k) {
    double y = 0.5;
    for (int i = 0; i < n; i++) {
        for (int a = 0; a < k; a++) {
            for (int b = i; b >= 0; b--) {
                y = y * 0.75 + x[i] * x[i];
                if (y > 1.25) break;
                if (x[i] < -0.5) continue;
                if (y < -2.5) return y * k;
                y -= x[i] * 0.3;
            }
            if (y > 3) break;
            y += 0.0625;
        }
        y *= 0.875;
    }
    return y;
}

/* at n = 0 1 4; k = 0 1 2 3 5 */
double while_in_for(int n, const double x[n], int k) {
    double y = 0.5;
    for (int i = 0; i < n; i++) {
        for (int a = 0; a < k; a++) {
            int b = 0;
            while (b++ < k + i) {
                y = y * 0.75 + x[i] * x[i];
                if (y > 1.25) break;
                if (x[i] < -0.5) continue;
                if (y < -2.5) return y * k;
                y -= x[i] * 0.3;
            }
            if (y > 3) break;
            y += 0.0625;
        }
        y *= 0.875;
    }
    return y;
}

/* at n = 0 1 4; k = 0 1 2 3 5 */
double do_in_for(int n, const double x[n], int k) {
    double y = 0.5;
    for (int i = 0; i < n; i++) {
        for (int a = 0; a < k; a++) {
            int b = k;
            do {
                y = y * 0.75 + x[i] * x[i];
                if (y > 1.25) break;
                if (x[i] < -0.5) continue;
                if (y < -2.5) return y * k;
                y -= x[i] * 0.3;
            } while (b-- > 1);
            if (y > 3) break;
            y += 0.0625;
        }
        y *= 0.875;
    }
    return y;
}

/* at n = 0 1 4; k = 0 1 2 3 5; native */
double if_in_while(int n, const double x[n], int k) {
    double y = 0.5;
    for (int i = 0; i < n; i++) {
        int a = k;
        while (a-- > 0) {
            if (y < x[i] + 0.5) {
                y = y * 0.75 + x[i] * x[i];
                if (y > 1.25) break;
                if (x[i] < -0.5) continue;
                if (y < -2.5) return y * k;
                y -= x[i] * 0.3;
            }
            if (y > 3) break;
            y += 0.0625;
        }
        y *= 0.875;
    }
    return y;
}

/* at n = 0 1 4; k = 0 1 2 3 5 */
double else_in_while(int n, const double x[n], int k) {
    double y = 0.5;
    for (int i = 0; i < n; i++) {
        int a = k;
        while (a-- > 0) {
            if (y > x[i] + 0.7)
                y *= 0.5;
            else {
                y = y * 0.75 + x[i] * x[i];
                if (y > 1.25) break;
                if (x[i] < -0.5) continue;
                if (y < -2.5) return y * k;
                y -= x[i] * 0.3;
            }
            if (y > 3) break;
            y += 0.0625;
        }
        y *= 0.875;
    }
    return y;
}

/* at n = 0 1 4; k = 0 1 2 3 5 */
double switch_in_while(int n, const double x[n], int k) {
    double y = 0.5;
    for (int i = 0; i < n; i++) {
        int a = k;
        while (a-- > 0) {
            switch ((k + i) % 4) {
            case 1: y += 0.125;
            case 2: {
                y = y * 0.75 + x[i] * x[i];
                if (y > 1.25) break;
                if (x[i] < -0.5) continue;
                if (y < -2.5) return y * k;
                y -= x[i] * 0.3;
            }
            case 3: y *= 1.125;
            }
            if (y > 3) break;
            y += 0.0625;
        }
        y *= 0.875;
    }
    return y;
}

/* at n = 0 1 4; k = 0 1 2 3 5 */
double for_in_while(int n, const double x[n], int k) {
    double y = 0.5;
    for (int i = 0; i < n; i++) {
        int a = k;
        while (a-- > 0) {
            for (int b = i; b >= 0; b--) {
                y = y * 0.75 + x[i] * x[i];
                if (y > 1.25) break;
                if (x[i] < -0.5) continue;
                if (y < -2.5) return y * k;
                y -= x[i] * 0.3;
            }
            if (y > 3) break;
            y += 0.0625;
        }
        y *= 0.875;
    }
    return y;
}

/* at n = 0 1 4; k = 0 1 2 3 5 */
double while_in_while(int n, const double x[n], int k) {
    double y = 0.5;
    for (int i = 0; i < n; i++) {
        int a = k;
        while (a-- > 0) {
            int b = 0;
            while (b++ < k + i) {
                y = y * 0.75 + x[i] * x[i];
                if (y > 1.25) break;
                if (x[i] < -0.5) continue;
                if (y < -2.5) return y * k;
                y -= x[i] * 0.3;
            }
            if (y > 3) break;
            y += 0.0625;
        }
        y *= 0.875;
    }
    return y;
}

/* at n = 0 1 4; k = 0 1 2 3 5; native */
double do_in_while(int n, const double x[n], int k) {
    double y = 0.5;
    for (int i = 0; i < n; i++) {
        int a = k;
        while (a-- > 0) {
            int b = k;
            do {
                y = y * 0.75 + x[i] * x[i];
                if (y > 1.25) break;
                if (x[i] < -0.5) continue;
                if (y < -2.5) return y * k;
                y -= x[i] * 0.3;
            } while (b-- > 1);
            if (y > 3) break;
            y += 0.0625;
        }
        y *= 0.875;
    }
    return y;
}

/* at n = 0 1 4; k = 0 1 2 3 5 */
double if_in_do(int n, const double x[n], int k) {
    double y = 0.5;
    for (int i = 0; i < n; i++) {
        int a = 0;
        do {
            if (y < x[i] + 0.5) {
                y = y * 0.75 + x[i] * x[i];
                if (y > 1.25) break;
                if (x[i] < -0.5) continue;
                if (y < -2.5) return y * k;
                y -= x[i] * 0.3;
            }
            if (y > 3) break;
            y += 0.0625;
        } while (++a < k);
        y *= 0.875;
    }
    return y;
}

/* at n = 0 1 4; k = 0 1 2 3 5 */
double else_in_do(int n, const double x[n], int k) {
    double y = 0.5;
    for (int i = 0; i < n; i++) {
        int a = 0;
        do {
            if (y > x[i] + 0.7)
                y *= 0.5;
            else {
                y = y * 0.75 + x[i] * x[i];
                if (y > 1.25) break;
                if (x[i] < -0.5) continue;
                if (y < -2.5) return y * k;
                y -= x[i] * 0.3;
            }
            if (y > 3) break;
            y += 0.0625;
        } while (++a < k);
        y *= 0.875;
    }
    return y;
}

/* at n = 0 1 4; k = 0 1 2 3 5 */
double switch_in_do(int n, const double x[n], int k) {
    double y = 0.5;
    for (int i = 0; i < n; i++) {
        int a = 0;
        do {
            switch ((k + i) % 4) {
            case 1: y += 0.125;
            case 2: {
                y = y * 0.75 + x[i] * x[i];
                if (y > 1.25) break;
                if (x[i] < -0.5) continue;
                if (y < -2.5) return y * k;
                y -= x[i] * 0.3;
            }
            case 3: y *= 1.125;
            }
            if (y > 3) break;
            y += 0.0625;
        } while (++a < k);
        y *= 0.875;
    }
    return y;
}

/* at n = 0 1 4; k = 0 1 2 3 5 */
double for_in_do(int n, const double x[n], int k) {
    double y = 0.5;
    for (int i = 0; i < n; i++) {
        int a = 0;
        do {
            for (int b = i; b >= 0; b--) {
                y = y * 0.75 + x[i] * x[i];
                if (y > 1.25) break;
                if (x[i] < -0.5) continue;
                if (y < -2.5) return y * k;
                y -= x[i] * 0.3;
            }
            if (y > 3) break;
            y += 0.0625;
        } while (++a < k);
        y *= 0.875;
    }
    return y;
}

/* at n = 0 1 4; k = 0 1 2 3 5; native */
double while_in_do(int n, const double x[n], int k) {
    double y = 0.5;
    for (int i = 0; i < n; i++) {
        int a = 0;
        do {
            int b = 0;
            while (b++ < k + i) {
                y = y * 0.75 + x[i] * x[i];
                if (y > 1.25) break;
                if (x[i] < -0.5) continue;
                if (y < -2.5) return y * k;
                y -= x[i] * 0.3;
            }
            if (y > 3) break;
            y += 0.0625;
        } while (++a < k);
        y *= 0.875;
    }
    return y;
}

/* at n = 0 1 4; k = 0 1 2 3 5 */
double do_in_do(int n, const double x[n], int k) {
    double y = 0.5;
    for (int i = 0; i < n; i++) {
        int a = 0;
        do {
            int b = k;
            do {
                y = y * 0.75 + x[i] * x[i];
                if (y > 1.25) break;
                if (x[i] < -0.5) continue;
                if (y < -2.5) return y * k;
                y -= x[i] * 0.3;
            } while (b-- > 1);
            if (y > 3) break;
            y += 0.0625;
        } while (++a < k);
        y *= 0.875;
    }
    return y;
}
