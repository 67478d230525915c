#!/usr/bin/env python3
"""Polynomials of runtime/simd/activation.inc, math.inc and math_f64.h, printed as C hexadecimal constants.

In:  names of fits (none: all).  Out: for each the coefficients, lowest power first, and the largest
weighted error that remains after they were rounded to the format.
Algorithm: weighted least squares on Chebyshev nodes in 50 digits, which comes within a factor of two of
the minimax polynomial; then the coefficients are rounded one by one from the lowest power up, the rest fitted again after each. Needs mpmath (python3-mpmath).
"""
import sys
from mpmath import mp, mpf

mp.dps = 50


def rounded(c, bits):
    """c to the nearest number of `bits` significant bits."""
    if c == 0:
        return c
    m, e = mp.frexp(c)
    return mp.ldexp(mp.nint(mp.ldexp(m, bits)), e - bits)


def least_squares(f, w, powers, grid, fixed):
    """The c_k that minimise sum (w (f - sum c_k x^k))^2 on the grid, beside the fixed ones."""
    rest = [f(x) - sum(c * x ** k for k, c in fixed) for x in grid]
    if not powers:
        return [], max(abs(a * w(x)) for a, x in zip(rest, grid))
    a = mp.matrix(len(grid), len(powers))
    b = mp.matrix(len(grid), 1)
    for i, x in enumerate(grid):
        for j, k in enumerate(powers):
            a[i, j] = w(x) * x ** k
        b[i] = w(x) * rest[i]
    c, _ = mp.qr_solve(a, b)
    c = [c[j] for j in range(len(powers))]
    err = max(abs(w(x) * (r - sum(v * x ** k for k, v in zip(powers, c)))) for x, r in zip(grid, rest))
    return c, err


def fit(name, f, w, powers, a, b, bits, points=63):
    a, b = mpf(a), mpf(b)
    grid = [(a + b) / 2 + (b - a) / 2 * mp.cos(mp.pi * (2 * i + 1) / (2 * points + 2)) for i in range(points + 1)]
    fixed = []
    rest = list(powers)
    ideal = least_squares(f, w, rest, grid, fixed)[1]
    while rest:
        c, _ = least_squares(f, w, rest, grid, fixed)
        fixed.append((rest[0], rounded(c[0], bits)))
        rest = rest[1:]
    top = least_squares(f, w, [], grid, fixed)[1]
    print(f"{name}: error 2^{float(mp.log(top, 2)):.2f} (2^{float(mp.log(ideal, 2)):.2f} unrounded)")
    for k, c in fixed:
        m, e = mp.frexp(c)
        q = int(mp.ldexp(abs(m), bits if bits % 4 == 1 else bits + 1))
        h = f"{q:x}"
        frac = h[1:].rstrip('0')
        e2 = e - 1
        print(f"\t{k:2d}  {'-' if c < 0 else ''}0x{h[0]}{'.' + frac if frac else ''}p{int(e2):+d}{'f' if bits == 24 else ''}")


def tail(f, series, k):
    """f(x) divided by its leading part: (f(x) - series(x)) / x^k, by way of 50 digits."""
    return lambda x: (f(x) - series(x)) / x ** k


LN2 = mp.log(2)
root = mp.sqrt


def odd(f, lead):
    """(f(x)/x - lead) / z as a function of z = x^2"""
    def g(z):
        x = root(z)
        return (f(x) / x - lead) / z
    return g


def even(f, lead):
    """(f(x) - lead(z)) / z^2 as a function of z = x^2"""
    return lambda z: (f(root(z)) - lead(z)) / z ** 2


def range_(n):
    return list(range(n))


FITS = {
    # exp(r) = 1 + r + r^2 q(r)
    'exp_f32': lambda n: fit(n, tail(mp.exp, lambda r: 1 + r, 2), lambda r: r ** 2 / mp.exp(r), range_(5),
                             -0.34658, 0.34658, 24),
    'exp_f64': lambda n: fit(n, tail(mp.exp, lambda r: 1 + r, 2), lambda r: abs(r), range_(11),
                             -0.34658, 0.34658, 53),
    'exp2_f32': lambda n: fit(n, lambda r: (mp.mpf(2) ** r - 1) / r, lambda r: abs(r), range_(6), -0.50001, 0.50001, 24),
    # log(1 + f) = f + f^2 q(f)
    'log_f32': lambda n: fit(n, tail(mp.log1p, lambda f: f, 2), lambda f: abs(f), range_(9),
                             -0.33334, 0.33334, 24),
    # 2 atanh(s) = 2 s (1 + u (1/3 + u (1/5 + u t(u)))), u = s^2
    'log_f64': lambda n: fit(n, lambda u: ((mp.atanh(root(u)) / root(u) - 1) / u - mpf(1) / 3) / u ** 2 - mpf(1) / 5 / u,
                             lambda u: u ** 3, range_(8), 0, 0.029438, 53),
    # tanh(x) = x + x z p(z), z = x^2
    'tanh_f32': lambda n: fit(n, odd(mp.tanh, 1), lambda z: z * root(z) / mp.tanh(root(z)), range_(7), 0, 1.0003, 24),
    # tanh(x/2) = x/2 + x z q(z), z = x^2
    'sigmoid_f32': lambda n: fit(n, lambda z: (mp.tanh(root(z) / 2) / root(z) - mpf(1) / 2) / z, lambda z: root(z) * z,
                                 range_(3), 0, mpf('0.34658') ** 2, 24),
    # sinh(x) = x + x z p(z)
    'sinh_f64': lambda n: fit(n, odd(mp.sinh, 1), lambda z: z, range_(7), 0, 0.1226, 53),
    # erf(x) = x + x p(z)
    'erf_f32': lambda n: fit(n, lambda z: mp.erf(root(z)) / root(z) - 1, lambda z: root(z) / mp.erf(root(z)), range_(7),
                             0, 1.0003, 24),
    # -log(erfc(x)) on [0.92, 3.93]
    'erfc_f32': lambda n: fit(n, lambda x: -mp.log(mp.erfc(x)), lambda x: mp.erfc(x), range_(8), 0.9199, 3.93, 24),
    'erf_f64': lambda n: fit(n, lambda z: mp.erf(root(z)) / root(z) - 1, lambda z: mpf(1), range_(13), 0, 1.0001, 53),
    # exp(x^2) erfc(x) (1 + 2x) as a polynomial in t = (x - 2) / (x + 2) on [1, 6]
    'erfc_f64': lambda n: fit(n, lambda t: (lambda x: mp.exp(x * x) * mp.erfc(x) * (1 + 2 * x))(2 * (1 + t) / (1 - t)),
                              lambda t: (lambda x: mp.exp(-x * x) / (1 + 2 * x) + mpf(10) ** -6)(2 * (1 + t) / (1 - t)),
                              range_(17), -0.33334, 0.5, 53),
    # sin(r) = r + r z p(z); cos(r) = 1 - z/2 + z^2 p(z)
    'sin_f32': lambda n: fit(n, odd(mp.sin, 1), lambda z: z, range_(4), 0, 0.6169, 24),
    'cos_f32': lambda n: fit(n, even(mp.cos, lambda z: 1 - z / 2), lambda z: z ** 2, range_(3), 0, 0.6169, 24),
    'sin_f64': lambda n: fit(n, odd(mp.sin, 1), lambda z: z, range_(7), 0, 0.6169, 53),
    'cos_f64': lambda n: fit(n, even(mp.cos, lambda z: 1 - z / 2), lambda z: z ** 2, range_(7), 0, 0.6169, 53),
    # atan(x) = x + x z p(z), |x| < 7/16; asin(x) = x + x z p(z), |x| < 1/2
    'atan_f64': lambda n: fit(n, odd(mp.atan, 1), lambda z: z, range_(12), 0, 0.19141, 53),
    'asin_f64': lambda n: fit(n, odd(mp.asin, 1), lambda z: z, range_(13), 0, 0.25001, 53),
}

if __name__ == '__main__':
    for key in sys.argv[1:] or FITS:
        FITS[key](key)
