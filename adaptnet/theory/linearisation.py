"""Any law near its fixed point: rates, and the noise that learning from samples leaves.

With d a small deviation of the state, dd/dt = -H d + B N, where N = yy' - C_yy is the noise of a
sample and B the linear map by which the rule takes it in; outputs then deviate by K d. Own; derived
in docs/theory.md.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np

from adaptnet._checks import Floats
from adaptnet.theory.states import coordinates, from_coordinates

# Of the smallest effective weight: differences of fourth order then err by 1e-12, and rounding by
# about as much.
_STEP = 1e-3
_FREE = 1e-7  # rates below this share of the largest are those of directions that nothing holds


class Rule(Protocol):
    """What is linearised: a law, as :class:`adaptnet.theory.Law` describes it."""

    @property
    def symmetric(self) -> bool:
        """Whether states are symmetric matrices."""

    def effective_weights(self, state: Floats) -> Floats:
        """Return the effective weights in a state."""

    def change(self, state: Floats, moments: Floats) -> Floats:
        """Return the change of the state for second moments of outputs."""

    def drift(self, state: Floats, covariance: Floats) -> Floats:
        """Return the change of the state averaged over inputs."""

    def fixed_point(self, covariance: Floats) -> Floats:
        """Return the state at rest."""


class Linearisation(NamedTuple):
    """The first-order terms of a law at its fixed point; m is the number of free parameters."""

    outputs: Floats  # (n, n), C_yy at the fixed point
    decay: Floats  # H (m, m)
    noise: Floats  # B (m, n, n)
    errors: Floats  # K (n, n, m)

    @property
    def rates(self) -> Floats:
        """Return the eigenvalues of H in ascending order, real if all are."""
        values = np.linalg.eigvals(self.decay)
        values = values[np.lexsort((values.imag, values.real))]
        largest = np.abs(values).max()
        values[np.abs(values) < _FREE * largest] = 0
        real = (np.abs(values.imag) <= _FREE * largest).all()
        return np.asarray(values.real if real else values)

    def error_covariance(self, noise_covariance: Floats) -> Floats:
        """Return the covariance of C_yy, (n, n, n, n), per unit of learning rate.

        Parameters
        ----------
        noise_covariance : array (n, n, n, n)
            Of the noise N of a sample.
        """
        # In the eigenbasis of H the Lyapunov equation H V + V H' = B Cov(N) B' is solved entry by
        # entry. Directions that nothing holds, along which a state diffuses, are left out: outputs
        # do not change along them.
        n = len(self.outputs)
        values, vectors = np.linalg.eig(self.decay)
        drive = np.linalg.solve(vectors, self.noise.reshape(-1, n * n))
        source = drive @ noise_covariance.reshape(n * n, n * n) @ drive.conj().T
        held = np.abs(values) >= _FREE * np.abs(values).max()
        V = np.zeros_like(source)
        sums = values[held, None] + values[held].conj()
        V[np.ix_(held, held)] = source[np.ix_(held, held)] / sums
        response = self.errors.reshape(n * n, -1) @ vectors
        covariance = (response @ V @ response.conj().T).real
        return np.asarray(covariance.reshape(n, n, n, n))


def linearised(law: Rule, covariance: Floats) -> Linearisation:
    """Return the linearisation of a law at its fixed point, by differences of fourth order."""
    state = law.fixed_point(covariance)
    weights = law.effective_weights(state)
    smallest = np.abs(np.linalg.eigvals(weights)).min()

    def outputs(at: Floats) -> Floats:
        inverse = np.linalg.inv(law.effective_weights(at))
        return np.asarray(inverse @ covariance @ inverse.T)

    columns, responses = [], []
    for along in np.eye(coordinates(state, symmetric=law.symmetric).size):
        unit = from_coordinates(along, state.shape, symmetric=law.symmetric)
        moved = np.linalg.norm(law.effective_weights(state + unit) - weights)
        step = _STEP * smallest / max(moved, 1e-3)
        slope = _slope(lambda at: law.drift(at, covariance), state, unit, step)
        columns.append(-coordinates(slope, symmetric=law.symmetric))
        responses.append(_slope(outputs, state, unit, step))
    at_rest = outputs(state)
    n = len(at_rest)
    rest = law.change(state, at_rest)
    noise = [
        coordinates(law.change(state, at_rest + pair) - rest, symmetric=law.symmetric)
        for pair in np.eye(n * n).reshape(-1, n, n)
    ]
    return Linearisation(
        at_rest,
        np.array(columns).T,
        np.array(noise).T.reshape(-1, n, n),
        np.moveaxis(np.array(responses), 0, -1),
    )


def _slope(function: Callable[[Floats], Floats], at: Floats, along: Floats, step: float) -> Floats:
    """Return the derivative of a function along a direction."""
    near = function(at + step * along) - function(at - step * along)
    far = function(at + 2 * step * along) - function(at - 2 * step * along)
    return np.asarray((8 * near - far) / (12 * step))
