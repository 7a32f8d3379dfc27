"""Noise floors: the error that is left once a circuit has readapted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
import xarray as xr

from adaptnet._checks import Floats, positive_number
from adaptnet.readaptation.measures import measure
from adaptnet.readaptation.outcomes import Outcome
from adaptnet.readaptation.results import Results
from adaptnet.readaptation.segments import each_segment
from adaptnet.readaptation.selections import DIMS

Floor: TypeAlias = float | Mapping[str, float] | xr.DataArray | None


@measure("noise_floors")
def noise_floors(
    dataset: xr.Dataset, *, variable: str = "whitening_error", part: float = 0.25
) -> xr.Dataset:
    """Return the error that each circuit has settled at when a segment ends.

    The floor is the median error over the last part of the segment: an estimate from the run
    alone, and too high where the circuit had not settled. ``trend`` tells: the median over the part
    before, divided by the floor, is 1 but for noise in a circuit that has settled.

    Parameters
    ----------
    dataset : Dataset
        A run with an error recorded and at least one change of context.
    variable : str
        The error to use: whitening_error or frobenius_error.
    part : float
        Share of a segment's records that the median is taken over, below 0.5.

    Returns
    -------
    Dataset
        Over (circuit, replicate, change): ``floor``, ``trend`` and ``outcome``.

    Raises
    ------
    TypeError, ValueError
        If `part` is out of range, the variable is not in the dataset, or there is no change.

    Examples
    --------
    >>> import numpy as np, adaptnet as an
    >>> from environments import SwitchingEnvironment
    >>> environment = SwitchingEnvironment([4 * np.eye(2), np.eye(2)], block_length=200)
    >>> circuit = an.InterneuronCircuit(initial_weights=2.0, learning_rate=0.01)
    >>> run = an.flow(circuit, environment, 400)
    >>> floors = noise_floors(run)
    >>> floors["floor"].round(3).item(), floors["trend"].round(1).item()
    (0.003, 7.3)
    """
    part = positive_number("part", part, below=0.5)
    results = Results(dataset, variable, part=part)
    floor, trend = results.blank(), results.blank()
    for segment in each_segment(dataset, variable):
        obstacle = segment.obstacle(4, jump=False)
        if obstacle is not None:
            results.outcome[segment.at] = obstacle
            continue
        # By samples, not by records, which may lie closer together in places.
        edges = segment.followed * np.array([1 - 2 * part, 1 - part])
        middle, last = np.searchsorted(segment.since, edges)
        floor[segment.at] = np.median(segment.errors[last:])
        before = np.median(segment.errors[middle:last]) if middle < last else np.nan
        settled = before == floor[segment.at]
        trend[segment.at] = 1.0 if settled else before / floor[segment.at]
        results.outcome[segment.at] = Outcome.REACHED
    return results.labelled(
        {
            "floor": (floor, f"median {variable} over the last {part:.0%} of the segment"),
            "trend": (trend, "median over the part before, divided by the floor"),
        }
    )


def resolved_floor(dataset: xr.Dataset, variable: str, floor: Floor) -> Floats:
    """Return a floor given in any of its ways as an array (circuit, replicate, change)."""
    shape = tuple(dataset.sizes[dim] for dim in DIMS)
    if floor is None:
        estimated: Floats = noise_floors(dataset, variable=variable)["floor"].values
        return estimated
    if isinstance(floor, xr.DataArray):
        if not set(floor.dims) <= set(DIMS):
            raise ValueError(
                f"floor must have dimensions among {', '.join(DIMS)}, got {floor.dims}"
            )
        like = xr.DataArray(np.empty(shape), {d: dataset[d] for d in DIMS}, DIMS)
        values: Floats = floor.broadcast_like(like).transpose(*DIMS).values
        return values
    names = [str(name) for name in dataset["circuit"].values]
    if isinstance(floor, Mapping):
        missing = [name for name in names if name not in floor]
        if missing:
            raise ValueError(
                f"floor must have a number for each circuit; {', '.join(missing)} is missing"
            )
        by_circuit = [positive_number(f"floor of {name}", floor[name], zero=True) for name in names]
    else:
        by_circuit = [positive_number("floor", floor, zero=True)] * len(names)
    return np.broadcast_to(np.array(by_circuit)[:, None, None], shape)
