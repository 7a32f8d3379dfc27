"""Learning rates given as data: one per context, per segment, or per stretch of samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from adaptnet._checks import Floats, Integers, positive_number, whole_number

_KINDS = ("context", "segment", "sample")


class Place(NamedTuple):
    """Where the samples of a block stand, for each replicate of a group."""

    samples: Integers  # (sample,)
    contexts: Integers  # (replicate, sample)
    segments: Integers  # (replicate, sample), numbered from 0: changes of context so far


@dataclass(frozen=True)
class Rates:
    """A learning rate that changes with the context, the segment or the sample; it may be 0.

    Use :meth:`per_context`, :meth:`per_segment` or :meth:`from_samples`. At a rate of 0 synapses
    stay exactly as they are, so that plasticity is frozen, as for probes.

    Examples
    --------
    >>> from adaptnet.circuits import DirectCircuit
    >>> DirectCircuit(learning_rate=Rates.per_segment([1e-3, 0.0])).parameters()["learning_rate"]
    {'per': 'segment', 'values': (0.001, 0.0), 'starts': (), 'cyclic': False}
    """

    per: str
    values: Sequence[float]
    starts: Sequence[int] = ()
    cyclic: bool = False

    def __post_init__(self) -> None:
        if self.per not in _KINDS:
            raise ValueError(f"per must be one of {', '.join(_KINDS)}, got {self.per!r}")
        values = tuple(positive_number("rates", value, zero=True) for value in self.values)
        starts = tuple(whole_number("rates", start, minimum=0) for start in self.starts)
        if not values:
            raise ValueError(f"rates must hold a number per {self.per}, got none")
        if self.per == "sample" and (
            len(starts) != len(values) or starts[0] != 0 or list(starts) != sorted(set(starts))
        ):
            raise ValueError(
                "rates must begin at sample 0 and say, in ascending order, from which sample on "
                f"each holds, got {starts}"
            )
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "starts", starts)

    @classmethod
    def per_context(cls, rates: Sequence[float]) -> Rates:
        """Return a rate per context, by its number in the environment.

        Examples
        --------
        >>> Rates.per_context([1e-3, 0.0]).values
        (0.001, 0.0)
        """
        return cls("context", tuple(rates))

    @classmethod
    def per_segment(cls, rates: Sequence[float], *, cyclic: bool = False) -> Rates:
        """Return a rate per segment between changes of context.

        Beyond the last one given, that one goes on to hold or, if `cyclic`, all begin again.

        Examples
        --------
        >>> Rates.per_segment([1e-3, 0.0], cyclic=True).cyclic
        True
        """
        return cls("segment", tuple(rates), (), bool(cyclic))

    @classmethod
    def from_samples(cls, rates: Mapping[int, float]) -> Rates:
        """Return rates by the sample from which each holds; the first is sample 0.

        Examples
        --------
        >>> Rates.from_samples({0: 1e-3, 5000: 0.0}).starts
        (0, 5000)
        """
        return cls("sample", tuple(rates.values()), tuple(rates))

    @property
    def follows_path(self) -> bool:
        """Whether the rate depends on the path of contexts."""
        return self.per != "sample"

    def at(self, samples: Integers, place: Place | None) -> Floats:
        """Return the rates (replicate, sample) at samples, or (1, sample) if all share them.

        Raises
        ------
        ValueError
            If there is no rate for a context.
        """
        values = np.array(self.values)
        if self.per == "sample":
            found = np.searchsorted(np.array(self.starts), samples, side="right") - 1
            rates: Floats = values[found][None]
            return rates
        if place is None:
            raise ValueError(f"a learning rate per {self.per} needs a simulation along contexts")
        if self.per == "segment":
            numbers = place.segments
            numbers = numbers % len(values) if self.cyclic else np.minimum(numbers, len(values) - 1)
            return np.asarray(values[numbers])
        if place.contexts.max(initial=0) >= len(values):
            raise ValueError(
                f"rates must hold a number per context, got {len(values)} for context "
                f"{place.contexts.max()}, counted from 0"
            )
        return np.asarray(values[place.contexts])


def checked_rate(
    name: str, value: Any, *, zero: bool = False, below: float = np.inf
) -> float | Rates:
    """Return a learning rate that is a positive number (or zero), or given as data."""
    if not isinstance(value, Rates):
        return positive_number(name, value, zero=zero, below=below)
    for rate in value.values:
        positive_number(name, rate, zero=True, below=below)
    return value


def rates_at(
    rate: float | Rates, decay: float, samples: Integers, n_replicates: int, place: Place | None
) -> Floats:
    """Return the learning rates (replicate, sample) of a block, C-contiguous."""
    if isinstance(rate, Rates):
        rates = rate.at(samples, place)
    else:
        rates = (rate / (1.0 + decay * samples.astype(np.float64)))[None]
    # A copy even of one row: kernels would be compiled a second time for an array to be read only.
    return np.array(np.broadcast_to(rates, (n_replicates, len(samples))), order="C")
