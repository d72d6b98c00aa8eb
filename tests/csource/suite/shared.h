/* What headers.c includes. */
#ifndef SHARED_H
#define SHARED_H

#define DEGREES(x) ((x) * 3.14159265358979323846 / 180)
#define FOR_EACH(i, n) for (int i = 0; i < (n); i++)
#define DEFINE_NORM(type, name)                        \
    static inline type name(int n, const type *x) {    \
        type s = 0;                                    \
        FOR_EACH(i, n) s += x[i] * x[i];               \
        return s;                                      \
    }

typedef double real;
typedef struct vec3 vec3;
struct vec3 {
    real x, y, z;
};

static const real gravity[3] = {0, 0, -9.81};

static inline vec3 vec3_sum(vec3 a, vec3 b) {
    return (vec3){.x = a.x + b.x, .y = a.y + b.y, .z = a.z + b.z};
}

static inline real vec3_dot(const vec3 *a, const vec3 *b) {
    return a->x * b->x + a->y * b->y + a->z * b->z;
}

#endif
