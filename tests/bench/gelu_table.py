#!/usr/bin/env python3
"""Finds the table of polynomials in kernels/gelu-inl.h, prints it and its largest error in floats.

s(x) = ½ (1 + tanh(√(2/π) (x + 0.044715 x³))) gets a polynomial of degree 4 in x around each k / PER_UNIT, the best in
the largest absolute error, found by weighted least squares. Coefficients are rounded to floats from the highest down,
each time fitting the rest again. Needs numpy.
"""

import numpy as np

PER_UNIT = 2.9
PLACES = 16  # the last one is beyond the end: s = 1
DEGREE = 4


def s(x):
    return 0.5 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def best(x, wanted, powers):
    """Coefficients of the given powers with the smallest largest error: Lawson's weights."""
    basis = np.stack([x**power for power in powers], 1)
    q, r = np.linalg.qr(basis)
    weights = np.ones(len(x))
    for _ in range(80):
        root = np.sqrt(weights)
        fit, *_ = np.linalg.lstsq(q * root[:, None], wanted * root, rcond=None)
        weights *= np.abs(q @ fit - wanted) + 1e-30
        weights /= weights.sum()
    return np.linalg.solve(r, fit)


def polynomial(place):
    nodes = np.cos(np.pi * (np.arange(400) + 0.5) / 400)
    x = (place + nodes / 2) / PER_UNIT
    found, wanted = np.zeros(DEGREE + 1, np.float32), s(x)
    powers = list(range(DEGREE + 1))
    if place == 0:  # s − ½ is odd
        found[0], wanted, powers = 0.5, wanted - 0.5, [1, 3]
    while powers:
        top = best(x, wanted, powers)[-1]
        power = powers.pop()
        found[power] = top
        wanted = wanted - float(found[power]) * x**power
    return found


def main():
    table = np.array([polynomial(place) for place in range(PLACES - 1)] + [[1] + [0] * DEGREE], np.float32)
    for power in range(DEGREE + 1):
        print("{" + ", ".join(f"{value:.9g}" for value in table[:, power]) + "},")

    x = np.linspace(0, 8, 2_000_001).astype(np.float32)
    held = np.minimum(x, np.float32((PLACES - 1) / PER_UNIT))
    place = np.rint(held.astype(float) * PER_UNIT).astype(int)
    found = table[place, DEGREE]
    for power in range(DEGREE - 1, -1, -1):  # one rounding, as an FMA has
        found = (found.astype(float) * held + table[place, power]).astype(np.float32)
    print("largest error of s:", np.abs(found - s(x.astype(float))).max())


main()
