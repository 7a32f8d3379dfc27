"""Fours and matrices held by halves, against NumPy (interpreted too, NUMBA_DISABLE_JIT=1)."""

import numpy as np
import pytest

from adaptnet.kernels.building_blocks import packed
from adaptnet.kernels.building_blocks.compile import kernel
from adaptnet.kernels.building_blocks.simd import FOUR, fma, load, spread, store, total, totals
from tests import naive

SIZES = [1, 3, 4, 5, 8, 13, 21]


@kernel
def through_every_operation(a, b, out):
    x, y = load(a, 1), load(b, 2)
    store(out, 0, x + y)
    store(out, 4, x - y)
    store(out, 8, x * y)
    store(out, 12, fma(x, y, spread(a[0])))
    store(out, 16, totals(x, y, spread(2.0), x * y))
    out[20] = total(x)


def test_fours_do_what_arrays_of_four_do():
    rng = np.random.default_rng(0)
    a, b, out = rng.normal(size=7), rng.normal(size=7), np.zeros(21)
    through_every_operation(a, b, out)
    x, y = a[1:5], b[2:6]
    sums = [x.sum(), y.sum(), 8.0, x @ y]
    expected = np.concatenate([x + y, x - y, x * y, x * y + a[0], sums, [x.sum()]])
    np.testing.assert_allclose(out, expected, rtol=1e-15, atol=1e-15)


def drawn(n):
    """Return a symmetric matrix, held by halves too, and vectors a, b, v, padded."""
    rng = np.random.default_rng(n)
    matrix = rng.normal(size=(n, n))
    matrix = matrix + matrix.T
    vectors = np.zeros((3, packed.padded_size(n)))
    vectors[:, :n] = rng.normal(size=(3, n))
    return matrix, packed.packed(matrix), *vectors


def unpacked(S, n):
    whole = np.zeros((n, n))
    packed.unpack(S, whole)
    return whole


@pytest.mark.parametrize("shape", [(1,), (5,), (3, 12)])
def test_aligned_arrays_begin_on_a_cache_line(shape):
    for _ in range(5):
        array = packed.aligned(*shape)
        assert array.ctypes.data % 64 == 0
        assert array.shape == shape
        assert array.flags.c_contiguous
        assert not array.any()


@pytest.mark.parametrize("n", SIZES)
def test_halves_hold_the_whole(n):
    matrix, S, *_ = drawn(n)
    m = packed.padded_size(n)
    assert len(S) == m * (m + FOUR) // 2
    np.testing.assert_array_equal(unpacked(S, n), matrix)
    again = np.zeros_like(S)
    packed.pack(matrix, again)
    np.testing.assert_array_equal(again, S)
    packed.add_to_diagonal(S, n, 2.5)
    np.testing.assert_array_equal(unpacked(S, n), matrix + 2.5 * np.eye(n))
    np.testing.assert_allclose(packed.trace(S, n), np.trace(matrix) + 2.5 * n, rtol=1e-13)


@pytest.mark.parametrize("n", SIZES)
def test_passes_are_products_and_sums_of_outer_products(n):
    matrix, S, a, b, v = drawn(n)
    out = np.full_like(v, np.nan)  # whatever stood there before

    def check(expected):
        np.testing.assert_allclose(out[:n], expected @ v[:n], rtol=1e-13, atol=1e-13)
        assert not out[n:].any()
        np.testing.assert_allclose(unpacked(S, n), expected, rtol=1e-14, atol=1e-14)

    packed.multiply(S, v, out)
    check(matrix)
    np.testing.assert_allclose(packed.dot(a, b), a @ b, rtol=1e-14)
    out[:] = np.nan
    packed.multiply(S, v, out, -3 * b, b)
    matrix = matrix - 3 * np.outer(b, b)[:n, :n]
    check(matrix)
    out[:] = np.nan
    packed.multiply(S, v, out, a, b, b, a)
    check(matrix + (np.outer(a, b) + np.outer(b, a))[:n, :n])


@pytest.mark.parametrize("n", SIZES)
def test_the_inverse_is_one(n):
    C = naive.random_covariance(np.random.default_rng(n), n)
    S, scratch = packed.packed(C), np.zeros((12, packed.padded_size(n)))
    assert packed.invert(S, n, scratch)
    # Rounding times the conditioning, 20.
    np.testing.assert_allclose(unpacked(S, n), np.linalg.inv(C), rtol=0, atol=1e-13)


@pytest.mark.parametrize("smallest", [-1e-9, 0.0, np.nan])
@pytest.mark.parametrize("n", [2, 6])
def test_only_positive_definite_matrices_are_inverted(n, smallest):
    for place in (0, n - 1):
        diagonal = np.ones(n)
        diagonal[place] = smallest
        scratch = np.zeros((12, packed.padded_size(n)))
        assert not packed.invert(packed.packed(np.diag(diagonal)), n, scratch)


def test_the_largest_eigenvalue_is_approached_from_below():
    C = naive.random_covariance(np.random.default_rng(0), 9)
    guess, scratch = np.append(np.ones(9), np.zeros(3)), np.zeros(12)
    estimates = [packed.largest_eigenvalue(packed.packed(C), guess, scratch) for _ in range(40)]
    assert (np.diff(estimates) > -1e-12).all()
    np.testing.assert_allclose(estimates[-1], 20.0, rtol=1e-10)  # naive.random_covariance's
