"""How white outputs can get: online learning never stops, and its noise sets a floor.

All results here are the project's own; docs/theory.md derives them and says how good they are.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from adaptnet._checks import Floats, positive_definite, positive_number, real_matrix
from adaptnet.circuits.base import Circuit
from adaptnet.circuits.plastic import PlasticCircuit
from adaptnet.circuits.rates import Rates
from adaptnet.errors import IntegrationError
from adaptnet.metrics import output_covariance, square_root
from adaptnet.theory.law import Law
from adaptnet.theory.modes import ModeLaw
from adaptnet.theory.registry import law_of

_CUT_SHORT = 0.01  # error of outputs, relative to their size, that floors do not show
_EIGENVALUES = 20_000  # drawn for the floor of the operator norm: its own error is below 1 %
_LARGEST_STATE = 512  # parameters; linearising took half a second (n = k = 16, decoupled)

ProductVariances: TypeAlias = Callable[[Floats | None], Floats | None]
"""Variances v_ij of y_i y_j (n, n) for errors that decay at given rates per sample, or None."""


class NoiseFloor(NamedTuple):
    """Root mean square of each error of a circuit once it has converged."""

    whitening_error: float
    frobenius_error: float


def noise_floor(
    circuit: str | Circuit,
    covariance: npt.ArrayLike,
    learning_rate: float | None = None,
    *,
    product_variances: npt.ArrayLike | ProductVariances | None = None,
) -> NoiseFloor:
    """Return the errors that learning from single samples leaves once a circuit has converged.

    For a small learning rate eta the stationary E = C_yy - I is a symmetric matrix whose entries,
    in the eigenbasis of C, have the variance eta r_ij v_ij / 2: r_ij are the circuit's local rates
    and v_ij the variances of y_i y_j, which are 1 off the diagonal and 2 on it for Gaussian inputs.
    The Frobenius floor is the closed-form sum of these: E||E||_F^2 is eta (n + 1) tr(C^-1/2) for
    the direct circuit and eta (n^2 + 2n + tr(C^1/2) tr(C^-1/2)) for interneurons. The floor of the
    operator norm has no closed form: it is the mean over matrices drawn from this law, the same
    draws at every call. The formulas hold for floors of the whitening error below about 0.3.

    Parameters
    ----------
    circuit : str or Circuit
        ``"direct"``, ``"interneuron"``, or a circuit of a kind that theory covers.
    covariance : array (n, n)
        Covariance of the inputs.
    learning_rate : float, optional
        By default that of the circuit, which then must be constant. A circuit that learns from
        batches of B samples has the floor of eta / B.
    product_variances : array (n, n) or callable, optional
        v_ij, in the eigenbasis of C with its eigenvalues in ascending order; by default 1 + d_ij,
        those of Gaussian inputs that are independent from sample to sample. An array is that of
        independent samples. A callable is asked for v_ij at given relaxations per sample
        (eta r_ij, or None for slow ones), as realizations of environments are.

    Returns
    -------
    NoiseFloor
        Root mean squares of ``whitening_error`` and ``frobenius_error``.

    Raises
    ------
    TypeError, ValueError
        If theory does not cover the circuit, the covariance is not symmetric positive definite, the
        learning rate is not positive, decays, or is missing for the name of a kind, or the
        variances are of another size or unknown.

    Examples
    --------
    >>> round(noise_floor("direct", np.eye(3), 1e-3).frobenius_error ** 2, 12)  # 1e-3 * 4 * 3
    0.012
    """
    eta = _constant_rate(circuit) if learning_rate is None else learning_rate
    # The mean of B updates has 1/B of the noise, and comes B times less often.
    eta = positive_number("learning_rate", eta) / getattr(circuit, "batch_size", 1)
    C = positive_definite("covariance", covariance)
    floor = floor_of_law(law_of(circuit), C, eta, _asked(product_variances, len(C)))
    if floor is None:
        raise ValueError("product_variances must be known for a noise floor, got None")
    return floor


def target_error(circuit: str | Circuit | Law, covariance: npt.ArrayLike) -> NoiseFloor:
    """Return the errors of a circuit at its fixed point: 0 unless it whitens only in part.

    A leak above the smallest standard deviation, fewer interneurons than neurons, or a frame that
    does not span all symmetric matrices leave some directions as they are.

    Parameters
    ----------
    circuit : str, Circuit or Law
    covariance : array (n, n)
        Covariance of the inputs.

    Returns
    -------
    NoiseFloor
        ``whitening_error`` and ``frobenius_error`` at rest, without noise.

    Raises
    ------
    TypeError, ValueError
        If theory does not cover the circuit, or the covariance is not positive definite.

    Examples
    --------
    >>> target_error("direct", np.eye(2))
    NoiseFloor(whitening_error=0.0, frobenius_error=0.0)
    """
    law = circuit if isinstance(circuit, Law) else law_of(circuit)
    C = positive_definite("covariance", covariance)
    if isinstance(law, ModeLaw):
        return NoiseFloor(0.0, 0.0)
    excess = output_covariance(law.effective_weights(law.fixed_point(C)), C) - np.eye(len(C))
    return NoiseFloor(float(np.linalg.norm(excess, 2)), float(np.linalg.norm(excess)))


def floor_of_law(
    law: Law,
    covariance: Floats,
    learning_rate: float,
    product_variances: ProductVariances | None = None,
) -> NoiseFloor | None:
    """Return the noise floor of a law at a learning rate, or None if the variances are unknown."""
    variances = product_variances or _gaussian(len(covariance))
    if isinstance(law, ModeLaw):
        return _floor_of_modes(law.local_rates(covariance), learning_rate, variances)
    return _floor_by_linearising(law, covariance, learning_rate, variances)


def noise_floor_or_none(
    circuit: Circuit, covariance: npt.ArrayLike, product_variances: ProductVariances | None = None
) -> NoiseFloor | None:
    """Return the noise floor of a circuit at its own learning rate, or None if it has none.

    A decaying learning rate leaves no floor, a singular covariance cannot be whitened, not every
    circuit has a law or comes to rest, the variances of products may be unknown, and fast dynamics
    that are cut short of their fixed point are beyond theory. Circuits of very many parameters have
    a floor that takes long to find; :func:`noise_floor` finds it.

    Examples
    --------
    >>> from adaptnet.circuits import DirectCircuit
    >>> noise_floor_or_none(DirectCircuit(learning_rate_decay=0.1), np.eye(2)) is None
    True
    """
    matrix = np.asarray(covariance, dtype=np.float64)
    symmetric = (matrix + matrix.T) / 2
    if circuit.theory is None or np.linalg.eigvalsh(symmetric)[0] <= 0:
        return None
    if not isinstance(circuit, PlasticCircuit) or not _learns_steadily(circuit):
        return None
    if not _reaches_fixed_points(circuit, symmetric):
        return None
    try:
        law = law_of(circuit)
        if law.fixed_point(symmetric).size > _LARGEST_STATE and not isinstance(law, ModeLaw):
            return None
        eta = _constant_rate(circuit) / circuit.batch_size
        return floor_of_law(law, symmetric, eta, product_variances)
    except (ValueError, IntegrationError, np.linalg.LinAlgError):  # no point of rest, or many
        return None


def _learns_steadily(circuit: PlasticCircuit) -> bool:
    """Return whether the learning rate is one positive number throughout."""
    rate: object = circuit.learning_rate
    return isinstance(rate, int | float) and rate > 0 and not circuit.learning_rate_decay


def _reaches_fixed_points(circuit: PlasticCircuit, covariance: Floats) -> bool:
    """Return whether a converged circuit's outputs are those of its exact fixed point."""
    if isinstance(circuit.dynamics, str):
        return True
    if not isinstance(law_of(circuit), ModeLaw):
        return False  # whose circuits start from synapses and gains, not from effective weights
    root = square_root(covariance)
    start: dict[str, Any] = {"initial_weights": root}
    if hasattr(circuit, "initial_effective_weights"):
        start = {"initial_weights": 1.0, "initial_effective_weights": root}
    converged = dataclasses.replace(circuit, **start)
    records = converged.initial_records(converged.initial_state(len(root)))
    error = np.abs(records["response"] @ root - np.eye(len(root))).max()
    return bool(error < _CUT_SHORT)  # False for NaN, too


def _constant_rate(circuit: str | Circuit) -> float:
    """Return the learning rate of a circuit, or refuse one that has none or several."""
    if isinstance(circuit, str):
        raise TypeError(f"learning_rate must be given with the name of a kind, {circuit!r}")
    if not isinstance(circuit, PlasticCircuit):
        raise TypeError(f"circuit must have a learning rate, got {circuit!r}")
    if circuit.learning_rate_decay or isinstance(circuit.learning_rate, Rates):
        raise ValueError(
            "learning_rate must be constant for a noise floor, but that of the circuit changes; "
            "pass the learning_rate at which the floor is wanted"
        )
    return circuit.learning_rate


def _gaussian(n: int) -> ProductVariances:
    variances = 1 + np.eye(n)
    return lambda rates: variances


def _asked(variances: npt.ArrayLike | ProductVariances | None, n: int) -> ProductVariances:
    """Return variances given in any of their ways as a callable."""
    if variances is None:
        return _gaussian(n)
    if callable(variances):
        return variances
    variances = real_matrix("product_variances", variances)
    if variances.shape != (n, n) or not (variances == variances.T).all() or variances.min() < 0:
        raise ValueError(
            f"product_variances must be a symmetric matrix {n, n} of variances, "
            f"got shape {variances.shape} with smallest entry {variances.min():g}"
        )
    return lambda rates: variances


def _floor_of_modes(
    rates: Floats, eta: float, product_variances: ProductVariances
) -> NoiseFloor | None:
    variances = product_variances(np.minimum(eta * rates, 1.0))
    at_once = product_variances(np.ones_like(rates))  # errors that forget all but the last sample
    if variances is None or at_once is None:
        return None
    entries = rates * variances / 2
    own = np.diag(rates)
    # Cov(y_i^2, y_j^2) = Var(y_i y_j) - 1 where outputs are white: 0 for Gaussian ones.
    shared = own[:, None] * own / (own[:, None] + own) * (at_once - 1)
    np.fill_diagonal(shared, np.diag(entries))
    normals, diagonal = _symmetric_noise(len(rates)), np.arange(len(rates))
    noise = normals * np.sqrt(entries)
    noise[:, diagonal, diagonal] = normals[:, diagonal, diagonal] / np.sqrt(2) @ _root(shared)
    largest = np.abs(np.linalg.eigvalsh(noise)).max(axis=1)
    return NoiseFloor(
        float(np.sqrt(eta * np.mean(largest**2))), float(np.sqrt(eta * entries.sum()))
    )


def _floor_by_linearising(
    law: Law, covariance: Floats, eta: float, product_variances: ProductVariances
) -> NoiseFloor | None:
    """Return the floor of a law without closed forms, by its linear noise theory."""
    slow, at_once = product_variances(None), product_variances(np.ones_like(covariance))
    if slow is None or at_once is None:
        return None
    linear = law.linearisation(covariance)
    excess = linear.outputs - np.eye(len(covariance))  # what a partial fixed point leaves
    noise = _noise_covariance(covariance, linear.outputs, slow, at_once)
    errors = eta * linear.error_covariance(noise)
    n = len(covariance)
    flat = errors.reshape(n * n, n * n)
    root = _root((flat + flat.T) / 2)
    drawn = _normals(_n_draws(n), n * n) @ root
    largest = np.abs(np.linalg.eigvalsh(excess + drawn.reshape(-1, n, n))).max(axis=1)
    total = (excess**2).sum() + np.trace(flat)
    return NoiseFloor(float(np.sqrt(np.mean(largest**2))), float(np.sqrt(total)))


def _noise_covariance(covariance: Floats, outputs: Floats, slow: Floats, at_once: Floats) -> Floats:
    """Return the covariance (n, n, n, n) of yy', from variances of products in the eigenbasis.

    Products of different pairs of outputs count as uncorrelated, but for squares.
    """
    n = len(covariance)
    basis = np.linalg.eigh(covariance)[1]
    identity = np.eye(n)
    off = slow * (1 - identity)
    tensor = np.einsum("ij,ik,jl->ijkl", off, identity, identity)
    tensor += np.einsum("ij,il,jk->ijkl", off, identity, identity)
    squares = at_once - 1
    np.fill_diagonal(squares, np.diag(slow))
    tensor += np.einsum("ik,ij,kl->ijkl", squares, identity, identity)
    mixing = basis @ np.diag(np.sqrt(np.diag(basis.T @ outputs @ basis)))  # y = V T^1/2 white
    turned = np.einsum("ia,jb,kc,ld,abcd->ijkl", mixing, mixing, mixing, mixing, tensor,
                       optimize=True)  # fmt: skip
    return np.asarray(turned)


def _root(covariance: Floats) -> Floats:
    """Return the symmetric root of a covariance, whose negative eigenvalues count as rounding."""
    values, vectors = np.linalg.eigh(covariance)
    root: Floats = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    return root


def _n_draws(n: int) -> int:
    return max(40, _EIGENVALUES // n)


@functools.lru_cache(maxsize=2)
def _normals(n_draws: int, n: int) -> Floats:
    normals = np.random.default_rng(1).standard_normal((n_draws, n))
    normals.setflags(write=False)
    return normals


@functools.lru_cache(maxsize=1)
def _symmetric_noise(n: int) -> Floats:
    """Return symmetric matrices of normals, each entry of variance 1 off the diagonal.

    Kept, for floors are wanted of several circuits and covariances at a time.
    """
    noise = np.random.default_rng(0).standard_normal((_n_draws(n), n, n))
    symmetric: Floats = (noise + np.swapaxes(noise, 1, 2)) / np.sqrt(2)
    symmetric.setflags(write=False)
    return symmetric
