"""How large learning rates may be, sample by sample, against quadrature and simulation."""

from itertools import product

import numpy as np
import pytest
from numpy.polynomial.hermite_e import hermegauss

import adaptnet as an
from adaptnet import theory
from environments import StationaryEnvironment
from environments.covariances import random_eigenbasis, with_spectrum

KINDS = ("direct", "interneuron")


def update(kind, A, C_root, white, eta):
    """Return the effective weights after one sample, from the equations."""
    y = np.linalg.solve(A, C_root @ white)
    if kind == "direct":
        return A + eta * (np.outer(y, y) - np.eye(len(A)))
    F = (1 - eta) * np.eye(len(A)) + eta * np.outer(y, y)
    return F @ A @ F.T


def growth(kind, s, eta):
    """Return the largest eigenvalue of E[T x T] by Gauss-Hermite quadrature, exact for degree 15.

    T is the derivative of the update at A = C^(1/2), in a basis of symmetric matrices.
    """
    n, S = len(s), np.diag(s)
    nodes, weights = hermegauss(8)
    upper = np.triu_indices(n)
    units = []
    for i, j in zip(*upper, strict=True):
        unit = np.zeros((n, n))
        unit[i, j] = unit[j, i] = 1
        units.append(unit)
    total, step = 0, 1e-6
    for at in product(range(8), repeat=n):
        white = nodes[list(at)]
        T = np.transpose(
            [
                (
                    update(kind, S + step * unit, S, white, eta)
                    - update(kind, S - step * unit, S, white, eta)
                )[upper]
                / (2 * step)
                for unit in units
            ]
        )
        total = total + np.prod(weights[list(at)] / weights.sum()) * np.kron(T, T)
    return np.abs(np.linalg.eigvals(total)).max()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("s", [[0.7], [1.0, 1.0], [0.3, 1.0]])
def test_deviations_grow_in_mean_square_from_the_limit_on(kind, s):
    limit = theory.largest_online_learning_rate(kind, np.diag(np.square(s)))
    # Tens of thousands of samples of fourth to eighth powers: a few percent.
    assert growth(kind, s, 0.94 * limit) < 1 < growth(kind, s, 1.06 * limit)
    assert 0.2 < limit / theory.largest_learning_rate(kind, np.diag(np.square(s))) < 0.4


def test_one_direct_neuron_has_a_third_of_the_offline_limit():
    # T = 1 - 2 eta y^2 / s: E T^2 = 1 - 4 eta / s + 12 eta^2 / s^2.
    assert theory.largest_online_learning_rate("direct", [[4.0]]) == pytest.approx(2 / 3, rel=0.05)


def test_the_limit_has_the_units_of_the_direct_circuit_and_none_of_the_other():
    C = with_spectrum([0.5, 2.0], random_eigenbasis(2, np.random.default_rng(0)))
    for kind, factor in zip(KINDS, (3.0, 1.0), strict=True):
        once, scaled = (theory.largest_online_learning_rate(kind, c * c * C) for c in (1.0, 3.0))
        assert scaled / once == pytest.approx(factor, rel=1e-3)


@pytest.mark.filterwarnings("ignore::adaptnet.DivergenceWarning")
def test_direct_circuits_die_above_the_limit_and_interneurons_do_not():
    diverged = {}
    for kind, circuit in zip(KINDS, (an.DirectCircuit, an.InterneuronCircuit), strict=True):
        limit = theory.largest_online_learning_rate(kind, np.eye(3))
        for factor in (0.3, 1.0):
            run = an.simulate(
                circuit(learning_rate=factor * limit, dynamics="cholesky"),
                StationaryEnvironment(np.eye(3)),
                20_000,
                n_replicates=16,
                rng=0,
                record_every=20_000,
            )
            diverged[kind, factor] = int((run["diverged_sample"] >= 0).sum())
    assert diverged["direct", 1.0] >= 15
    assert diverged["direct", 0.3] == diverged["interneuron", 1.0] == 0
