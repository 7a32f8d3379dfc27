import numpy as np
import pytest

import adaptnet as an
from adaptnet.metrics import output_covariance, square_root
from adaptnet.metrics.whiteness import response_errors
from tests import naive


def test_errors_of_a_diagonal_case_are_seen_at_a_glance():
    worst, total = an.whitening_errors(np.diag([1.0, 2.0]), np.diag([4.0, 2.0]))
    assert worst == 3.0  # variances 4 and 1/2
    np.testing.assert_allclose(total, np.hypot(3.0, 0.5))


def test_errors_are_two_sided():
    assert an.whitening_errors(np.eye(2) * 10, np.eye(2))[0] == 0.99


def test_the_symmetric_root_of_the_covariance_whitens():
    C = naive.random_covariance(np.random.default_rng(0), 6)
    values, vectors = np.linalg.eigh(C)
    root = (vectors * np.sqrt(values)) @ vectors.T
    np.testing.assert_allclose(output_covariance(root, C), np.eye(6), atol=1e-13)
    assert max(an.whitening_errors(root, C)) < 1e-13


def test_leading_dimensions_broadcast():
    rng = np.random.default_rng(1)
    C = np.stack([naive.random_covariance(rng, 3) for _ in range(4)])
    A = naive.random_covariance(rng, 3)
    worst, total = an.whitening_errors(A, C)
    for i in range(4):
        inverse = np.linalg.inv(A)
        excess = inverse @ C[i] @ inverse - np.eye(3)
        np.testing.assert_allclose(worst[i], np.abs(np.linalg.eigvalsh(excess)).max(), rtol=1e-12)
        np.testing.assert_allclose(total[i], np.linalg.norm(excess), rtol=1e-12)


def by_definition(A, C):
    inverse = np.linalg.inv(A)
    excess = inverse @ C @ inverse - np.eye(len(A))
    return np.abs(np.linalg.eigvalsh((excess + excess.T) / 2)).max(), np.linalg.norm(excess)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 10, 16, 17, 40, 70])  # LAPACK has those above 64
@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_errors_are_those_of_the_definition(n, scale):
    rng = np.random.default_rng(n)
    A = np.stack([scale * naive.random_covariance(rng, n, 5.0) for _ in range(70)])
    C = np.stack([3 * scale**2 * naive.random_covariance(rng, n, 30.0) for _ in range(70)])
    expected = np.transpose([by_definition(a, c) for a, c in zip(A, C, strict=True)])
    # Rounding of the two solutions, of conditioning 5, on errors of order 1.
    np.testing.assert_allclose(an.whitening_errors(A, C), expected, rtol=1e-11)


@pytest.mark.parametrize("n", [2, 5, 70])
def test_weights_that_are_not_symmetric_map_by_their_own_inverse(n):
    rng = np.random.default_rng(n)
    C = naive.random_covariance(rng, n)
    A = np.eye(n) + 0.2 / np.sqrt(n) * rng.normal(size=(4, n, n))
    A[1] = (A[1] + A[1].T) / 2
    A[2] = -A[2]  # unstable
    A[3] = A[3] + np.tril(np.full((n, n), 1e-15))  # rounding
    lost = A[[0, 0]]
    lost[0, 0, 1], lost[1, 1, 0] = np.nan, np.inf
    worst, total = an.whitening_errors(np.concatenate([A, lost]), C)
    expected = response_errors(np.linalg.inv(A), C)
    for found, right in zip((worst, total), expected, strict=True):
        np.testing.assert_allclose(found[[0, 1, 3]], right[[0, 1, 3]], rtol=1e-11)
        assert np.isnan(found[[2, 4, 5]]).all()


@pytest.mark.parametrize("n", [2, 6, 20])
def test_equal_and_clustered_eigenvalues_do_no_harm(n):
    rng = np.random.default_rng(n)
    basis = np.linalg.qr(rng.normal(size=(n, n)))[0]
    for variances in (np.full(n, 3.0), np.where(np.arange(n) < n // 2, 3.0, 3.0 + 1e-9)):
        C = (basis * variances) @ basis.T
        worst, _ = an.whitening_errors(np.eye(n), (C + C.T) / 2)
        np.testing.assert_allclose(worst, variances.max() - 1, rtol=1e-12)


@pytest.mark.parametrize("n", [3, 20])
def test_a_record_does_not_depend_on_its_neighbours(n):
    rng = np.random.default_rng(n)
    A = np.stack([naive.random_covariance(rng, n) for _ in range(150)])
    C = np.stack([naive.random_covariance(rng, n) for _ in range(150)])
    together = np.array(an.whitening_errors(A, C))
    for part in (slice(0, 1), slice(31, 97), slice(149, 150)):
        np.testing.assert_array_equal(an.whitening_errors(A[part], C[part]), together[:, part])


@pytest.mark.parametrize("n", [1, 2, 3, 8])
def test_diagonal_cases_do_not_depend_on_their_neighbours_either(n):
    # The polynomial vanishes at once at their eigenvalues, and others go on iterating.
    rng = np.random.default_rng(n)
    A = np.stack([np.eye(n) * 2.0, *(naive.random_covariance(rng, n) for _ in range(9))])
    C = np.diag(np.arange(1.0, n + 1))
    worst, total = an.whitening_errors(A, C)
    variances = np.arange(1.0, n + 1) / 4
    np.testing.assert_allclose(worst[0], np.abs(variances - 1).max(), rtol=1e-14)
    assert an.whitening_errors(A[0], C) == (worst[0], total[0])


@pytest.mark.parametrize("n", [2, 20])
def test_weights_that_are_not_positive_definite_have_no_errors(n):
    A = np.stack([np.eye(n)] * 4)
    A[1, 0, 0], A[2, 0, 0], A[3, 1, 1] = -1.0, 0.0, np.nan
    worst, total = an.whitening_errors(A, np.eye(n))
    assert np.isnan(worst).tolist() == np.isnan(total).tolist() == [False, True, True, True]


def test_roots_of_stacks_are_symmetric_and_square_to_the_covariance():
    rng = np.random.default_rng(0)
    C = np.stack([[naive.random_covariance(rng, 4, 1e4) for _ in range(3)] for _ in range(2)])
    root = square_root(C)
    assert (root == np.swapaxes(root, -1, -2)).all()
    assert np.linalg.eigvalsh(root).min() > 0
    np.testing.assert_allclose(root @ root, C, rtol=0, atol=1e-13 * C.max())


def test_errors_of_a_response_are_those_of_the_outputs_it_gives():
    rng = np.random.default_rng(2)
    C = np.stack([naive.random_covariance(rng, 3) for _ in range(4)])
    A = np.stack([naive.random_covariance(rng, 3) for _ in range(5)])[:, None]
    symmetric = response_errors(np.linalg.inv(A), C)
    np.testing.assert_allclose(symmetric, an.whitening_errors(A, C), rtol=1e-10)
    G = rng.normal(size=(3, 3))  # a response need not be symmetric
    excess = G @ C[0] @ G.T - np.eye(3)
    worst, total = response_errors(G, C[0])
    assert worst == pytest.approx(np.linalg.norm(excess, 2), rel=1e-12)
    assert total == pytest.approx(np.linalg.norm(excess), rel=1e-12)


def test_a_response_that_blew_up_has_no_errors():
    G = np.stack([np.eye(2), np.full((2, 2), np.nan), np.diag([1.0, np.inf])])
    for errors in response_errors(G, 2 * np.eye(2)):
        assert np.isnan(errors).tolist() == [False, True, True]


@pytest.mark.parametrize("n", [2, 70])
def test_one_covariance_serves_many_weights_and_one_matrix_many_covariances(n):
    rng = np.random.default_rng(n)
    A = np.stack([naive.random_covariance(rng, n) for _ in range(3)])
    C = naive.random_covariance(rng, n)
    for weights, covariances in ((A, C), (A[:1], C), (C, A)):
        pairs = list(zip(*np.broadcast_arrays(weights, covariances), strict=True))
        each = [an.whitening_errors(a.copy(), c.copy()) for a, c in pairs]
        np.testing.assert_array_equal(
            np.transpose(an.whitening_errors(weights, covariances)), np.array(each)
        )
