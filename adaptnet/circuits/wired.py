"""What circuits with interneurons beside a leak share."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from adaptnet import kernels
from adaptnet._checks import Floats, positive_number, whole_number
from adaptnet.circuits.base import Activities
from adaptnet.circuits.plastic import PlasticCircuit, Way
from adaptnet.files.schema import INTERNEURON_ACTIVITY, Variable
from adaptnet.files.sizes import require_memory


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class WiredCircuit(PlasticCircuit):
    """Primary neurons that inhibit each other through interneurons with gains, beside a leak.

    Such circuits are computed in the plain way: a factorisation of their effective weights per
    sample, or Euler steps. They can record their ``interneuron_activity`` z.
    """

    leak: float = 0.0

    kernel: ClassVar[str]
    """Name of the kernel module in :mod:`adaptnet.kernels`."""
    constants: ClassVar[tuple[str, ...]] = (
        *PlasticCircuit.constants,
        "leak",
        "least",
        "initial_gains",
        "steps",
    )
    inward: ClassVar[tuple[str, ...] | None] = ("synapses",)
    """Names of the records that hold the synapses to interneurons, if they change.

    None if they are not recorded, and so neither is the activity that follows from them.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("leak", positive_number("leak", self.leak, zero=True))

    @property
    def ways(self) -> dict[str, Way]:
        """The kernel modules that compute this circuit."""
        plain = {"plain": getattr(kernels, self.kernel)}
        batches = {"minibatch": kernels.minibatch.interneurons} if self.takes_batches else {}
        return {**plain, **batches}

    @abstractmethod
    def count(self, n_neurons: int) -> int:
        """Return the number of interneurons."""

    def recordable(self) -> dict[str, Variable]:
        """Return what the circuit can record, by name."""
        activity = {"interneuron_activity": INTERNEURON_ACTIVITY}
        return {**super().recordable(), **(activity if self.inward is not None else {})}

    def sources(self, name: str) -> tuple[str, ...]:
        """Return the records that an activity is computed from."""
        if name != "interneuron_activity":
            return super().sources(name)
        return tuple(dict.fromkeys((*super().sources("outputs"), *(self.inward or ()))))

    def activities(self, records: Mapping[str, npt.NDArray[Any]], inputs: Floats) -> Activities:
        """Return outputs y and, if the synapses are known, z = W_zy y."""
        activities = super().activities(records, inputs)
        if self.inward is not None and all(name in records for name in self.inward):
            W = np.ascontiguousarray(self.synapses_of(records))  # or bits would depend on strides
            y = activities["outputs"][..., None]
            activities["interneuron_activity"] = (np.swapaxes(W, -1, -2) @ y)[..., 0]
        return activities

    def synapses_of(self, records: Mapping[str, npt.NDArray[Any]]) -> Floats:
        """Return the synapses to interneurons, as (..., n, k)."""
        synapses: Floats = records["synapses"]
        return synapses

    def sizes(self, n_neurons: int) -> dict[str, int]:
        """Return the number of interneurons, a dimension of what is recorded of them."""
        return {"interneuron": self.count(n_neurons)}


def counted(n_interneurons: int | None, n_neurons: int, leak: float) -> int:
    """Return the number of interneurons, by default that of neurons, if the leak allows it."""
    k = n_neurons if n_interneurons is None else n_interneurons
    if k < n_neurons and leak == 0:
        raise ValueError(
            f"n_interneurons must be at least the number of primary neurons, {n_neurons}, got {k}: "
            "with fewer and no leak, W W' is singular and the fixed point undefined; raise leak "
            "above 0, and the circuit whitens k directions"
        )
    require_memory(f"{k} interneurons", 8 * 4 * n_neurons * k, "choose fewer")
    return k


def orthonormal(n_neurons: int, n_interneurons: int) -> Floats:
    """Return Q (n, k) with orthonormal rows or, if k < n, columns, each with weights of all rows.

    The identity if k = n, else the cosine transform, so that every interneuron takes part.

    Examples
    --------
    >>> orthonormal(2, 1).round(3)
    array([[0.707],
           [0.707]])
    """
    if n_interneurons < n_neurons:
        return np.ascontiguousarray(orthonormal(n_interneurons, n_neurons).T)
    n, k = n_neurons, n_interneurons
    if n == k:
        return np.eye(n)
    angles = np.outer(np.arange(n), 2 * np.arange(k) + 1) % (4 * k)  # in units of pi / 2k
    rows: Floats = np.sqrt(2.0 / k) * np.cos(np.pi / (2 * k) * angles)
    rows[0] = np.sqrt(1.0 / k)
    return rows


def synapses(name: str, value: float | npt.ArrayLike, n: int, k: int) -> Floats:
    """Return W (n, k) given as a number a, for W W' = a I as far as k allows, or as a matrix."""
    weights = np.array(value, dtype=np.float64)
    if weights.ndim == 0:
        scaled: Floats = np.sqrt(weights) * orthonormal(n, k)
        return scaled
    if weights.shape != (n, k):
        raise ValueError(
            f"{name} must have the shape {(n, k)}, a row per primary neuron and a column per "
            f"interneuron, got {weights.shape}"
        )
    return weights


def checked_count(value: int | None) -> int | None:
    """Return a number of interneurons, or None."""
    return None if value is None else whole_number("n_interneurons", value)
