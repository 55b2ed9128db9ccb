"""Prints the polynomials of Sources/CKernels/portable_functions.h: binary32 coefficients from the highest power down.

Weighted least squares on Chebyshev nodes is close to the smallest largest error. One coefficient after the other is
rounded, the highest first, and those below are fitted again. Needs numpy and mpmath.
"""
import mpmath
import numpy

mpmath.mp.dps = 40


def fit(name, function, weight, low, high, degree):
    """The polynomial of `degree` that is close to `function` on [low, high], its error times `weight`."""
    nodes = [(low + high) / 2 + (high - low) / 2 * mpmath.cos(mpmath.pi * (i + 0.5) / 200) for i in range(200)]
    values = [function(x) for x in nodes]
    weights = [abs(weight(x)) * (1 / mpmath.sqrt(mpmath.sqrt(1 - ((2 * x - low - high) / (high - low)) ** 2)))
               for x in nodes]
    rounded = {}
    for fixed in range(degree, -1, -1):
        powers = range(fixed + 1)
        rest = [v - sum(c * x**p for p, c in rounded.items()) for v, x in zip(values, nodes)]
        a = numpy.array([[float(w * x**p) for p in powers] for w, x in zip(weights, nodes)])
        b = numpy.array([float(w * r) for w, r in zip(weights, rest)])
        solution = numpy.linalg.lstsq(a, b, rcond=None)[0]
        rounded[fixed] = mpmath.mpf(float(numpy.float32(solution[fixed])))
    error = max(abs(weight(x) * (sum(c * x**p for p, c in rounded.items()) - v)) for x, v in zip(nodes, values))
    print(f"// {name}: 2^{float(mpmath.log(error, 2)):.1f}")
    print(", ".join(float(numpy.float32(rounded[p])).hex().replace("0000000p", "p") + "f"
                    for p in range(degree, -1, -1)))


def series_or(exact, at_zero):
    return lambda x: at_zero if abs(x) < mpmath.mpf(10) ** -12 else exact(x)


m = mpmath
fit("exp(r) = 1 + r + r²·p(r), |r| ≤ ln 2 / 2", series_or(lambda r: (m.exp(r) - 1 - r) / r**2, m.mpf(0.5)),
    lambda r: r**2 / m.exp(r), -m.log(2) / 2 * 1.0001, m.log(2) / 2 * 1.0001, 5)
fit("log(1 + x) = x + x²·p(x), -1/4 ≤ x ≤ 1/2", series_or(lambda x: (m.log(1 + x) - x) / x**2, m.mpf(-0.5)),
    lambda x: x**2 / abs(m.log(1 + x)) if x else 0, m.mpf(-0.25), m.mpf(0.5), 9)
fit("tanh(x) = x + x³·p(x²), x² ≤ 0.64", series_or(lambda s: (m.tanh(m.sqrt(s)) / m.sqrt(s) - 1) / s, m.mpf(-1) / 3),
    lambda s: s * m.sqrt(s) / m.tanh(m.sqrt(s)) if s else 0, m.mpf(0), m.mpf(0.6401), 6)
fit("erf(x) = x + x·p(x²), x² ≤ 0.86", series_or(lambda s: m.erf(m.sqrt(s)) / m.sqrt(s) - 1, 2 / m.sqrt(m.pi) - 1),
    lambda s: m.sqrt(s) / m.erf(m.sqrt(s)) if s else m.sqrt(m.pi) / 2, m.mpf(0), m.mpf(0.864), 6)
fit("1 - erf(x) = exp(-x - x·p(x)), 0.92 ≤ x ≤ 4", lambda x: -m.log(m.erfc(x)) / x - 1,
    lambda x: m.erfc(x) * x, m.mpf(0.92), m.mpf(4), 7)
