import numpy as np

import adaptnet as an
from adaptnet.metrics import output_covariance
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
