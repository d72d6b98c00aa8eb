// What the tests of the C++ face share: checks that say where they failed and go on.
#ifndef CHECK_HPP
#define CHECK_HPP

#include <cmath>
#include <cstdio>

inline int failures = 0;

#define CHECK(condition)                                                                           \
    ((condition) ? (void)0                                                                         \
                 : (void)(failures++, std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__,      \
                                                   #condition)))

inline bool near(double a, double b, double off = 1e-12) {
    return std::fabs(a - b) <= off * (1 + std::fabs(b));
}

#endif
