"""Computes the polynomials of src/op/kernel/vector_math*.h, and those and the tables of
src/native/runtime_wide.h: python3 tools/minimax.py (with mpmath).

Remez's exchange algorithm (Muller, Elementary Functions, 3rd ed., section 3.6) for a weighted
error: of all polynomials of a degree the one whose largest |weight (p - f)| is least. Coefficients
are printed in hexadecimal, rounded to the format they are used in, lowest order first, with the
base-2 logarithm of the error that is left after the rounding.
"""
import struct
from mpmath import (mp, mpf, cos, exp, expm1, fabs, floor, log, log1p, lu_solve, matrix, nint, pi,
                    sin, sqrt)

mp.dps = 50
GRID = 1500


def remez(f, weight, low, high, degree):
    """The coefficients, lowest order first, that make weight * (p - f) level on [low, high]."""
    count = degree + 2
    nodes = [(low + high) / 2 - (high - low) / 2 * cos(pi * (2 * i + 1) / (2 * count))
             for i in range(count)]
    grid = [(low + high) / 2 - (high - low) / 2 * cos(pi * i / GRID) for i in range(GRID + 1)]
    values = [(x, f(x), weight(x)) for x in grid]
    for _ in range(12):
        rows = [[x**k for k in range(degree + 1)] + [(-1)**i / weight(x)]
                for i, x in enumerate(nodes)]
        solution = lu_solve(matrix(rows), matrix([f(x) for x in nodes]))
        p = [solution[k] for k in range(degree + 1)]
        errors = [w * (horner(p, x) - y) for x, y, w in values]
        # of every run of errors of one sign the largest
        peaks = []
        for i, e in enumerate(errors):
            if peaks and (errors[peaks[-1]] > 0) == (e > 0):
                if fabs(e) > fabs(errors[peaks[-1]]):
                    peaks[-1] = i
            else:
                peaks.append(i)
        while len(peaks) > count:
            peaks.pop(0 if fabs(errors[peaks[0]]) < fabs(errors[peaks[-1]]) else -1)
        if len(peaks) < count:
            break
        nodes = [grid[i] for i in peaks]
        if max(fabs(e) for e in errors) < fabs(solution[degree + 1]) * mpf('1.001'):
            break
    return p


def horner(p, x):
    y = mpf(0)
    for c in reversed(p):
        y = y * x + c
    return y


def rounded(c, single):
    """c in the nearest number of the format (the double that is next decides a float)."""
    return struct.unpack('f', struct.pack('f', float(c)))[0] if single else float(c)


def report(name, f, weight, low, high, degree, single=False):
    p = [mpf(rounded(c, single)) for c in remez(f, weight, mpf(low), mpf(high), degree)]
    worst = max(fabs(weight(x) * (horner(p, x) - f(x)))
                for x in (low + (high - low) * mpf(i) / 4001 for i in range(1, 4001)))
    print(f'{name}: 2^{float(log(worst, 2)):.1f}')
    print('    ' + ', '.join(repr(float(c)) for c in p))


def parts(name, x, bits, count, single=False):
    """x as a sum of numbers of `bits` bits each, the last one rounded to the format."""
    result = []
    for i in range(count - 1):
        scale = mpf(2)**(bits - 1 - int(floor(log(fabs(x), 2))))
        result.append(floor(x * scale) / scale)
        x -= result[-1]
    result.append(mpf(rounded(x, single)))
    print(f'{name}: ' + ', '.join(repr(float(c)) for c in result))


def series(f, tail, x):
    """f(x), but by the first terms of its series where x is so small that f cancels."""
    return tail(x) if fabs(x) < mpf(10)**-8 else f(x)


def exp_rest(r):
    """(e^r - 1 - r) / r^2"""
    return series(lambda r: (expm1(r) - r) / r**2, lambda r: mpf(1) / 2 + r / 6 + r**2 / 24, r)


def exp2_rest(r):
    """(2^r - 1) / r"""
    l = log(mpf(2))
    return series(lambda r: expm1(r * l) / r, lambda r: l + l**2 * r / 2 + l**3 * r**2 / 6, r)


def log_rest(z):
    """(log((1+s)/(1-s)) - 2s) / s^3 as a function of z = s^2"""
    return series(lambda z: (log((1 + sqrt(z)) / (1 - sqrt(z))) / sqrt(z) - 2) / z,
                  lambda z: mpf(2) / 3 + z * 2 / 5, z)


def sin_rest(z):
    """(sin r - r) / r^3 as a function of z = r^2"""
    return series(lambda z: (sin(sqrt(z)) / sqrt(z) - 1) / z,
                  lambda z: -mpf(1) / 6 + z / 120, z)


def cos_rest(z):
    """(cos r - 1 + r^2/2) / r^4 as a function of z = r^2"""
    return series(lambda z: (cos(sqrt(z)) - 1 + z / 2) / z**2,
                  lambda z: mpf(1) / 24 - z / 720, z)


def log1p_rest(r):
    """(log(1+r) - r + r^2/2) / r^3"""
    return series(lambda r: (log1p(r) - r + r**2 / 2) / r**3,
                  lambda r: mpf(1) / 3 - r / 4 + r**2 / 5 - r**3 / 6, r)


def table(name, numbers):
    print(f'{name}: ' + ', '.join(repr(float(x)) for x in numbers))


def wide():
    """Of the functions by tables: sixteen powers, and of sixteen intervals of [3/4, 3/2) a number c,
    whose reciprocal has few digits, so that log c is in two parts and c r, for r beside 1, exact."""
    sixteenth = log(mpf(2)) / 32 * mpf('1.001')
    report('exp', exp_rest, lambda r: fabs(r) + mpf('1e-4'), -sixteenth, sixteenth, 5)
    parts('ln 2', log(mpf(2)), 37, 2)
    powers = [mpf(2)**(mpf(j) / 16) for j in range(16)]
    table('powers', powers)
    table('what they lack', [(x - mpf(float(x))) / x for x in powers])
    report('log1p', log1p_rest, lambda r: r**2 + mpf('1e-6'), mpf('-0.0405'), mpf('0.0626'), 8)
    intervals = [(1 + mpf(j) / 16, 1 + mpf(j + 1) / 16) if j < 8 else
                 (mpf(16 + j) / 32, mpf(17 + j) / 32) for j in range(16)]
    reciprocals = []
    for low, high in intervals:
        # where the logarithm is small every digit of m c - 1 counts: 32nds, of which it has 53
        step = 32 if fabs(log(low)) < mpf('0.12') or fabs(log(high)) < mpf('0.12') else 64
        near = [mpf(i) / step for i in range(step // 2, 3 * step // 2)]
        reciprocals.append(mpf(1) if low == 1 or high == 1 else
                           min(near, key=lambda c: max(fabs(low * c - 1), fabs(high * c - 1))))
    logarithms = [-log(c) for c in reciprocals]
    first = [nint(x * 2**42) / 2**42 for x in logarithms]
    table('reciprocals', reciprocals)
    table('logarithms', first)
    table('what they lack', [x - y for x, y in zip(logarithms, first)])


if __name__ == '__main__':
    half = log(mpf(2)) / 2
    s2 = ((sqrt(mpf(2)) - 1) / (sqrt(mpf(2)) + 1))**2
    q2 = (pi / 4)**2
    half, s2, q2 = (x * mpf('1.0001') for x in (half, s2, q2))
    for single in (False, True):
        print('float' if single else 'double')
        report('exp', exp_rest, lambda r: r**2 / exp(r) + mpf('1e-3'), -half, half,
               4 if single else 9, single)
        report('expm1', exp_rest, lambda r: fabs(r) + mpf('1e-3'), -half, half, 5 if single else 10,
               single)
        report('exp2', exp2_rest, lambda r: fabs(r) + mpf('1e-3'), mpf('-0.501'), mpf('0.501'),
               6 if single else 11, single)
        report('log', log_rest, lambda z: z + mpf('1e-4'), 0, s2, 3 if single else 6, single)
        report('sin', sin_rest, lambda z: z + mpf('1e-3'), 0, q2, 3 if single else 5, single)
        report('cos', cos_rest, lambda z: z**2 + mpf('1e-3'), 0, q2, 3 if single else 5, single)
        parts('ln 2', log(mpf(2)), 15 if single else 42, 2, single)
        parts('1 / ln 2', 1 / log(mpf(2)), 12 if single else 26, 2, single)
        parts('log10 2', log(mpf(2), 10), 15 if single else 42, 2, single)
        parts('1 / ln 10', 1 / log(mpf(10)), 12 if single else 26, 2, single)
    parts('pi / 2', pi / 2, 33, 4)
    print('wide')
    wide()
