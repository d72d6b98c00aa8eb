/* Macros that make functions, types and inline functions of a header; structs that functions give. */
#include "shared.h"

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>

DEFINE_NORM(double, norm_of_doubles)
DEFINE_NORM(int, norm_of_ints)

/* at n = 0 1 4 */
real norms(int n, const real x[n], const int k[n]) {
    return sqrt(norm_of_doubles(n, x) + 1) * norm_of_ints(n, k);
}

/* at */
vec3 thrown(vec3 at, vec3 speed, real time) {
    vec3 step = {speed.x * time, speed.y * time, speed.z * time + gravity[2] * time * time / 2};
    vec3 end = vec3_sum(at, step);
    if (end.z < 0) end.z = 0;
    return end;
}

/* at size p=n; n = 0 1 2 7 */
real farthest(size_t n, const vec3 *p, vec3 *centre) {
    real most = -DBL_MAX;
    for (size_t i = 0; i < n; i++) {
        real d = vec3_dot(&p[i], &p[i]) - 2 * vec3_dot(p + i, centre);
        if (d > most) most = d;
    }
    if (n > 0) *centre = vec3_sum(*centre, p[n - 1]);
    return n ? most + DEGREES(centre->x) : 0;
}

static vec3 turned(vec3 v, int times) {
    if (times == 0) return v;
    return turned((vec3){v.y, v.z * 0.5, v.x}, times - 1);
}

/* at */
real turns(vec3 v) { return turned(v, 4).y * turned(turned(v, 1), 2).x + (turned)(v, 3).z; }

/* at k = -1 0 255 256 65537 */
int32_t sizes_of_types(int32_t k) {
    uint8_t a = (uint8_t)k;
    int16_t b = (int16_t)k;
    uint64_t c = (uint64_t)k << 8;
    ptrdiff_t d = (ptrdiff_t)k * -3;
    return (int32_t)(a + b + (int64_t)(c >> 60) + d % 1000 + (int)sizeof(vec3) + INT16_MAX / 7 +
                     (int)offsetof(vec3, y));
}

/* at x in -3..3 */
real chosen_at_compile_time(real x) {
#if defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
    _Static_assert(sizeof(real) == 8, "double");
    x += 1;
#else
    x -= 1;
#endif
#ifdef NEVER
    goto nowhere;
#endif
    return x * __LINE__ / 100 + FLT_EPSILON + (x > DBL_EPSILON ? 1 : -1);
}
