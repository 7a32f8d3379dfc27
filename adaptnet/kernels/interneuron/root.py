"""O(n^2) per sample in the root of A: what digits are left of ill-conditioned weights.

A = W W' squares the condition of W, so that its small eigenvalues drown in rounding long before
those of W do. At the fixed point, where z = W' y, any rotation of W learns alike: with R R' = A,
R <- (1 - eta) R + eta y (R' y)'. R is kept triangular, so that A y = x takes two substitutions, and
the change, of rank one, a sweep of Givens rotations down and another up [Golub & Van Loan, Matrix
Computations, 6.5.1].
"""

import math

from adaptnet.kernels.building_blocks.compile import kernel
from adaptnet.kernels.records import Floats

LOST = 1e-140  # smallest by largest diagonal element of R at which squares leave double precision


@kernel
def settle_by_root(root: Floats, x: Floats, y: Floats, z: Floats) -> bool:
    """Write z = R' y and y of the fixed point A y = x, given R' (n, n); False if A is singular.

    The elements of R span many orders of magnitude without loss: rotations keep the digits of
    small ones beside large ones. Against 400 digits, eigenvalues of A were right to 1e-14 while
    they spanned 1e60.
    """
    n = root.shape[0]
    largest, smallest = 0.0, math.inf
    for i in range(n):
        largest, smallest = max(largest, abs(root[i, i])), min(smallest, abs(root[i, i]))
        z[i] = x[i]
    if not LOST * largest < smallest < math.inf:  # True for NaN too
        return False
    for k in range(n):  # R z = x
        row = root[k]
        z_k = z[k] / row[k]
        z[k] = z_k
        for i in range(k + 1, n):
            z[i] -= row[i] * z_k
    for k in range(n - 1, -1, -1):  # R' y = z
        row = root[k]
        rest = z[k]
        for i in range(k + 1, n):
            rest -= row[i] * y[i]
        y[k] = rest / row[k]
    return True


@kernel
def rotate(upper: Floats, lower: Floats, start: int, cosine: float, sine: float) -> None:
    """Rotate two rows of R' into each other, from column `start` on."""
    for i in range(start, upper.shape[0]):
        a, b = upper[i], lower[i]
        upper[i] = cosine * a + sine * b
        lower[i] = cosine * b - sine * a


@kernel
def learn_by_root(root: Floats, y: Floats, z: Floats, eta: float) -> bool:
    """R <- (1 - eta) R + eta y z', kept triangular, given R'; z is overwritten.

    False if it overflows.
    """
    n, kept, total = root.shape[0], 1.0 - eta, 0.0
    for j in range(n - 2, -1, -1):  # rotate z into its first element, which is all that y z' is of
        size = math.hypot(z[j], z[j + 1])
        if size > 0.0:
            rotate(root[j], root[j + 1], j, z[j] / size, z[j + 1] / size)
        z[j] = size
    for j in range(n):
        row = root[j]
        grown = eta * z[0] if j == 0 else 0.0
        for i in range(max(j - 1, 0), n):
            row[i] = kept * row[i] + grown * y[i] if j == 0 else kept * row[i]
    for j in range(n - 1):  # and rotate what that left beside the diagonal away
        size = math.hypot(root[j, j], root[j + 1, j])
        if size > 0.0:
            rotate(root[j], root[j + 1], j, root[j, j] / size, root[j + 1, j] / size)
        root[j + 1, j] = 0.0
        total += abs(root[j, j])
    finite: bool = total + abs(root[n - 1, n - 1]) < math.inf
    return finite
