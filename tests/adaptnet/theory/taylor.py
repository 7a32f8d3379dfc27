"""Another way to the crossing times: Taylor series of the flows, in extended precision.

Power series in t, from recurrences for the weights A and their inverse X, are summed up to a
fraction of their radius of convergence, step after step; the crossing is found in the last series
by bisection. No code is shared with the package.
"""

import numpy as np

ORDER = 30
Real = np.longdouble


def series(kind, A, C):
    """Return the coefficients (order, n, n) of the weights about their present value A."""
    weights, inverse = [A], [inverted(A)]
    for k in range(ORDER):
        if kind == "direct":  # A' = X C X - I
            change = sum(inverse[k - j] @ C @ inverse[j] for j in range(k + 1))
            if k == 0:
                change = change - np.eye(len(A), dtype=Real)
        else:  # A' = X C + C X - 2 A
            change = inverse[k] @ C + C @ inverse[k] - 2 * weights[k]
        weights.append(change / (k + 1))
        # From X A = I, the coefficient of t^(k + 1).
        rest = sum(inverse[k + 1 - j] @ weights[j] for j in range(1, k + 2))
        inverse.append(-rest @ inverse[0])
    return np.array(weights)


def inverted(A):
    """Return A^-1 in extended precision, by Newton's correction of NumPy's."""
    X = np.linalg.inv(A.astype(float)).astype(Real)
    for _ in range(3):
        X = X + X @ (np.eye(len(A), dtype=Real) - A @ X)
    return X


def summed(coefficients, t):
    total = np.zeros_like(coefficients[0])
    for c in coefficients[::-1]:
        total = total * t + c
    return total


def error(A, C):
    """Return max |eigenvalue(C_yy) - 1|; double precision will do, whose rounding is 1e-16."""
    X = inverted(A)
    excess = (X @ C @ X - np.eye(len(C), dtype=Real)).astype(float)
    return np.abs(np.linalg.eigvalsh((excess + excess.T) / 2)).max()


def crossing(kind, C, A, threshold):
    """Return the time at which the error falls to the threshold."""
    C, A, now = C.astype(Real), A.astype(Real), Real(0)
    while True:
        coefficients = series(kind, A, C)
        sizes = np.array([np.abs(c).max() for c in coefficients[-2:]]) / np.abs(A).max()
        # Terms of the last orders fall to 1e-21, below the 1e-19 of extended precision.
        step = (Real(1e-21) / sizes).astype(Real) ** (
            1 / np.arange(ORDER - 1, ORDER + 1, dtype=Real)
        )
        step = step.min()
        after = summed(coefficients, step)
        if error(after, C) < threshold:
            low, high = Real(0), step
            for _ in range(60):
                middle = (low + high) / 2
                below = error(summed(coefficients, middle), C) < threshold
                low, high = (low, middle) if below else (middle, high)
            return float(now + high)
        A, now = (after + after.T) / 2, now + step
