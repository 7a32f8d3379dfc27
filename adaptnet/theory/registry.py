"""Which law goes with which circuit, and the limit that it sets to learning rates."""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from adaptnet.circuits.base import Circuit
from adaptnet.theory import laws  # noqa: F401, defines those of the package
from adaptnet.theory.law import LAWS, Law
from adaptnet.theory.modes import ModeLaw


def law_of(circuit: str | Circuit) -> Law:
    """Return what theory knows of a circuit.

    Parameters
    ----------
    circuit : str or Circuit
        ``"direct"``, ``"interneuron"``, or a circuit whose class attribute ``theory`` is the name
        of a law.

    Raises
    ------
    TypeError, ValueError
        If `circuit` is neither, has no law, or is the name of a law with parameters.

    Examples
    --------
    >>> type(law_of("interneuron")).__name__
    'InterneuronLaw'
    """
    name = circuit if isinstance(circuit, str) else getattr(circuit, "theory", circuit)
    if name is None:
        raise ValueError(f"circuit must be of a kind that theory covers, got {circuit!r}")
    if not isinstance(name, str):
        raise TypeError(f"circuit must be a circuit or the name of a kind, got {circuit!r}")
    by_name = [known for known, law in LAWS.items() if law.stands_alone()]
    if name not in LAWS or (isinstance(circuit, str) and name not in by_name):
        raise ValueError(
            f"circuit must be one of {', '.join(map(repr, sorted(by_name)))}, got {circuit!r}"
            + ("; this law has parameters: pass the circuit itself" if name in LAWS else "")
        )
    law = LAWS[name]
    return _only(law) if law.stands_alone() else law.of_circuit(circuit)  # type: ignore[arg-type]


@functools.cache
def _only(law: type[Law]) -> Law:
    return law()


def mode_law_of(circuit: str | Circuit) -> ModeLaw:
    """Return the law of a circuit if it has closed forms for its modes, or refuse it."""
    law = law_of(circuit)
    if not isinstance(law, ModeLaw):
        raise ValueError(
            f"circuit must have closed forms for its modes, got {circuit!r}; follow its flow with "
            "adaptnet.flow instead"
        )
    return law


def largest_learning_rate(circuit: str | Circuit, covariance: npt.ArrayLike) -> float:
    """Return the learning rate above which *offline* learning leaves the optimum again.

    Near the optimum a step multiplies deviations by 1 - eta r, r being the local rates: stable
    while eta < 2 / max(r), or 2 Re(r) / |r|^2 for rates that are complex. For the direct circuit
    that is the smallest s_i, for interneurons the smallest 2 s_i s_j / (s_i + s_j)^2 (derived in
    docs/theory.md). Learning from single samples becomes unstable well before: see
    :func:`largest_online_learning_rate`.

    Parameters
    ----------
    circuit : str or Circuit
        ``"direct"``, ``"interneuron"``, or a circuit of a kind that theory covers.
    covariance : array (n, n)

    Raises
    ------
    TypeError, ValueError
        If theory does not cover the circuit, or the covariance is not positive definite.

    Examples
    --------
    >>> largest_learning_rate("direct", [[0.25]]), largest_learning_rate("interneuron", [[0.25]])
    (0.5, 0.5)
    """
    rates = law_of(circuit).local_rates(covariance)
    held = rates[np.abs(rates) > 0]
    return float((2 * held.real / np.abs(held) ** 2).min())
