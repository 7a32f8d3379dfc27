"""What theory knows of a kind of circuit: its mean rule, from which the rest follows.

Time is synaptic time t = eta * samples throughout. Derivations, and which statement is whose:
docs/theory.md.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from adaptnet._checks import Flags, Floats, positive_definite
from adaptnet.circuits.base import Circuit
from adaptnet.theory.linearisation import Linearisation, linearised

LAWS: dict[str, type[Law]] = {}
"""The kinds of law by name; a class joins them when it is defined."""


class Law(ABC):
    """The mean rule of a kind of circuit.

    A subclass holds the circuit's equations, for arguments that have been checked. Its *state* is
    an array of what learning changes: the effective weights themselves, or synapses or gains that
    they follow from. To give a circuit of one's own a law, define a subclass with a name, and let
    the circuit's class attribute ``theory`` be that name; docs/theory.md has an example.

    Parameters
    ----------
    name : str
        Class keyword: what circuits refer to. Abstract laws go without.
    """

    symmetric: ClassVar[bool] = True
    """Whether states are symmetric matrices, whose lower triangle follows from the upper one."""

    def __init_subclass__(cls, *, name: str | None = None, **options: object) -> None:
        super().__init_subclass__(**options)
        if name is None:
            return
        known = LAWS.setdefault(name, cls)
        if known.__qualname__ != cls.__qualname__ or known.__module__ != cls.__module__:
            raise ValueError(
                f"name must be unique among laws, but {name!r} is that of {known.__module__}."
                f"{known.__qualname__}; choose another"
            )
        LAWS[name] = cls  # a cell of a notebook that is run again defines its class again

    @classmethod
    def of_circuit(cls, circuit: Circuit) -> Self:
        """Return the law of one circuit; laws with parameters take them from it."""
        return cls()

    @classmethod
    def stands_alone(cls) -> bool:
        """Return whether the law has no parameters, so that its name says it all."""
        return not inspect.signature(cls).parameters

    def start(self, circuit: Circuit, n_neurons: int) -> Floats:
        """Return the state of a circuit before the first sample, by default effective weights."""
        return circuit.effective_weights(circuit.initial_state(n_neurons))

    def effective_weights(self, state: Floats) -> Floats:
        """Return the effective weights A (n, n) in a state, by default the state itself."""
        return state

    @abstractmethod
    def change(self, state: Floats, moments: Floats) -> Floats:
        """Return the change of the state per unit of synaptic time, for second moments of outputs.

        All rules here are affine in the second moments yy' (n, n): for their mean, C_yy, this is
        the mean rule, and for the deviation of one sample from it the noise of learning.
        """

    @abstractmethod
    def fixed_point(self, covariance: Floats) -> Floats:
        """Return the state at which the mean rule rests, for inputs of covariance C (n, n)."""

    def mean_change(self, state: Floats, covariance: Floats) -> Floats:
        """Return the change of the state per unit of synaptic time, averaged over inputs."""
        inverse = np.linalg.inv(self.effective_weights(state))
        return self.change(state, inverse @ covariance @ inverse.T)

    def drift(self, state: Floats, covariance: Floats) -> Floats:
        """Return the mean change that the state follows: less where it may not go on."""
        return self.mean_change(state, covariance)

    def stops(self, state: Floats) -> Flags | None:
        """Return which entries of the state do not fall below 0; None if all may."""
        return None

    def offline_step(self, state: Floats, covariance: Floats, learning_rate: float) -> Floats:
        """Return the state after one update with C_yy in place of yy'."""
        after: Floats = state + learning_rate * self.drift(state, covariance)
        return after

    def linearisation(self, covariance: Floats) -> Linearisation:
        """Return the mean rule near its fixed point, to first order."""
        return linearised(self, covariance)

    def local_rates(self, covariance: npt.ArrayLike) -> Floats:
        """Return the rates at which small deviations from the fixed point decay.

        Parameters
        ----------
        covariance : array (n, n)

        Returns
        -------
        array (rate,)
            In ascending order, per unit of synaptic time; complex if deviations oscillate. 0 for
            directions in which the state is free to move, as rotations of W.

        Raises
        ------
        TypeError, ValueError
            If the covariance is not symmetric positive definite.
        """
        return self.linearisation(positive_definite("covariance", covariance)).rates
