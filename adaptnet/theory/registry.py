"""Which law goes with which circuit, and the limit that it sets to learning rates."""

import numpy.typing as npt

from adaptnet.circuits.base import Circuit
from adaptnet.theory.direct import DirectLaw
from adaptnet.theory.interneuron import InterneuronLaw
from adaptnet.theory.law import Law

_LAWS: dict[str, Law] = {"direct": DirectLaw(), "interneuron": InterneuronLaw()}


def law_of(circuit: str | Circuit) -> Law:
    """Return what theory knows of a circuit.

    Parameters
    ----------
    circuit : str or Circuit
        ``"direct"``, ``"interneuron"``, or a circuit of such a kind.

    Raises
    ------
    TypeError, ValueError
        If `circuit` is neither, or of a kind without theory.

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
    if name not in _LAWS:
        raise ValueError(f"circuit must be one of {', '.join(map(repr, _LAWS))}, got {circuit!r}")
    return _LAWS[name]


def largest_learning_rate(circuit: str | Circuit, covariance: npt.ArrayLike) -> float:
    """Return the learning rate above which offline learning leaves the optimum again.

    Near the optimum a step multiplies deviations by 1 - eta r, r being the local rates: stable
    while eta < 2 / max(r). For the direct circuit that is the smallest s_i, for interneurons the
    smallest 2 s_i s_j / (s_i + s_j)^2 (derived in docs/theory.md).

    Parameters
    ----------
    circuit : str or Circuit
        ``"direct"``, ``"interneuron"``, or a circuit of such a kind.
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
    return float(2 / law_of(circuit).local_rates(covariance).max())
