"""Curves aligned to the changes, and their averages (peri-change, as in peri-stimulus)."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import xarray as xr

from adaptnet._checks import whole_number
from adaptnet.readaptation.changes import change_coordinates
from adaptnet.readaptation.groups import group_coordinates, groups
from adaptnet.readaptation.measures import takes_run
from adaptnet.readaptation.quantiles import finite_quantiles
from adaptnet.readaptation.segments import error_of, record_interval, require_changes, segments
from adaptnet.readaptation.selections import DIMS


@takes_run
def aligned_curves(
    dataset: xr.Dataset,
    *,
    variable: str = "whitening_error",
    before: int | None = None,
    after: int | None = None,
) -> xr.Dataset:
    """Return the error around every change, on one clock that starts at the change.

    A record stands at the lag that is its distance from the change rounded down to whole record
    intervals; of several, the first. A negative lag is before the change. A curve ends with the
    change before or after it, or with the run.

    Parameters
    ----------
    dataset : Dataset
        A run with an error recorded and at least one change of context.
    variable : str
        The error to align: whitening_error or frobenius_error.
    before, after : int, optional
        Samples to go back and ahead; by default a tenth of the longest segment, and all of it.

    Returns
    -------
    Dataset
        Over (circuit, replicate, change, lag): the variable; NaN where the run has no record of
        that segment at that lag.

    Raises
    ------
    TypeError, ValueError
        If a number is out of range, the variable is not in the dataset, or there is no change.

    Examples
    --------
    >>> import numpy as np, adaptnet as an
    >>> from environments import SwitchingEnvironment
    >>> environment = SwitchingEnvironment([4 * np.eye(2), np.eye(2)], block_length=200)
    >>> circuit = an.InterneuronCircuit(initial_weights=2.0, learning_rate=0.01)
    >>> run = an.flow(circuit, environment, 400)
    >>> curves = aligned_curves(run, before=1, after=2)
    >>> curves["lag"].values, curves["whitening_error"].values.ravel().round(3)
    (array([-1,  0,  1,  2]), array([0.   , 0.75 , 0.742, 0.735]))
    """
    errors = error_of(dataset, variable)
    require_changes(dataset, "align to")
    starts, stops = segments(dataset)
    longest = int((stops - starts).max())
    before = longest // 10 if before is None else whole_number("before", before, minimum=0)
    after = longest - 1 if after is None else whole_number("after", after, minimum=0)
    sample = dataset["sample"].values
    every = record_interval(dataset)
    n_before, n_after = before // every, after // every
    curves = errors.transpose("circuit", "replicate", "sample").values
    shape = (*curves.shape[:2], starts.shape[1], n_before + n_after + 1)
    aligned = np.full(shape, np.nan)
    for r, change in np.argwhere(starts >= 0):
        start, begun = starts[r, change], starts[r, change - 1] if change else 0
        first, last = np.searchsorted(sample, (begun, stops[r, change]))
        rows = (sample[first:last] - start) // every + n_before
        # Records at changes lie between the others: of two at a lag the first is kept.
        kept = (rows >= 0) & (rows < shape[-1]) & (np.diff(rows, prepend=-1) > 0)
        aligned[:, r, change, rows[kept]] = curves[:, r, first:last][:, kept]
    lag = (np.arange(shape[-1]) - n_before) * every
    described = {**errors.attrs, "comment": "NaN where the segment has no record at that lag"}
    return xr.Dataset(
        {variable: ((*DIMS, "lag"), aligned, described)},
        {
            **change_coordinates(dataset),
            "lag": ("lag", lag, {"long_name": "samples since the change", "units": "1"}),
        },
        {"variable": variable},
    )


@takes_run
def peri_change_averages(
    dataset: xr.Dataset,
    *,
    variable: str = "whitening_error",
    by: str = "transition",
    before: int | None = None,
    after: int | None = None,
) -> xr.Dataset:
    """Return the error around changes, averaged over replicates and repeated changes.

    Parameters
    ----------
    dataset : Dataset
        A run with an error recorded and at least one change of context.
    variable : str
        The error to average: whitening_error or frobenius_error.
    by : str
        What to pool changes by: transition (left and entered), context (entered), direction or
        change.
    before, after : int, optional
        Samples to go back and ahead, as in :func:`aligned_curves`.

    Returns
    -------
    Dataset
        Over (circuit, `by`, lag): ``median``, ``lower_quartile``, ``upper_quartile`` and ``mean``
        of the ``n`` curves that have a record at the lag; NaN where ``n`` is 0.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, the variable is not in the dataset, or there is no change.

    Examples
    --------
    >>> import numpy as np, adaptnet as an
    >>> from environments import SwitchingEnvironment
    >>> environment = SwitchingEnvironment([4 * np.eye(2), np.eye(2)], block_length=200)
    >>> circuit = an.InterneuronCircuit(initial_weights=2.0, learning_rate=0.01)
    >>> run = an.flow(circuit, environment, 400)
    >>> averages = peri_change_averages(run, before=1, after=2)
    >>> averages["transition"].values
    array(['context_0 -> context_1'], dtype='<U22')
    >>> averages["median"].values.ravel().round(3)
    array([0.   , 0.75 , 0.742, 0.735])
    """
    curves = aligned_curves(dataset, variable=variable, before=before, after=after)
    values = curves[variable].values
    found = list(groups(curves, by))
    shape = (len(values), len(found), values.shape[-1])
    names = ("lower_quartile", "median", "upper_quartile", "mean")
    table: dict[str, Any] = {name: np.full(shape, np.nan) for name in names}
    n = np.zeros(shape, dtype=np.int64)
    for g, group in enumerate(found):
        pooled = values[:, group.members]  # (circuit, curve, lag)
        n[:, g] = np.isfinite(pooled).sum(axis=1)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Mean of empty", RuntimeWarning)  # n says so
            table["mean"][:, g] = np.nanmean(pooled, axis=1)
        quartiles = finite_quantiles(pooled, (0.25, 0.5, 0.75), axis=1)
        for name, values_of_group in zip(names, quartiles, strict=False):
            table[name][:, g] = values_of_group
    dims = ("circuit", by, "lag")
    return xr.Dataset(
        {
            **{
                name: (dims, array, {"long_name": f"{name.replace('_', ' ')} of {variable}"})
                for name, array in table.items()
            },
            "n": (dims, n, {"long_name": "curves that have a record at the lag"}),
        },
        {
            "circuit": curves["circuit"],
            "lag": curves["lag"],
            **group_coordinates(curves, by, [group.label for group in found]),
        },
        curves.attrs,
    )
