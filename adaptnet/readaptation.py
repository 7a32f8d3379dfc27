"""How long circuits take to readapt after a change."""

import warnings

import numpy as np
import xarray as xr

from adaptnet._checks import Integers, positive_number
from adaptnet.dataset import validate
from adaptnet.errors import NoiseFloorWarning


def readaptation_times(
    dataset: xr.Dataset, threshold: float = 0.1, *, variable: str = "whitening_error"
) -> xr.Dataset:
    """Return how many samples after each change the error first falls below a threshold.

    A circuit whose error is still above the threshold when the next change comes, or the run ends,
    or it diverges, is not dropped: it is marked as not observed (right-censored), with the number
    of samples it had been followed for.

    Parameters
    ----------
    dataset : Dataset
        A run with an error recorded and at least one change of context.
    threshold : float
        Error below which a circuit counts as readapted.
    variable : str
        The error to use: whitening_error or frobenius_error.

    Returns
    -------
    Dataset
        Over (circuit, replicate, change): ``samples``, from the change to the first record below
        the threshold (or to the last record, if not observed; NaN for changes that a replicate does
        not have), and ``observed``; with the coordinates ``change_sample``, ``context_left`` and
        ``context_entered``. Resolution is the run's ``record_every``.

    Raises
    ------
    TypeError, ValueError
        If the threshold is not positive, the variable is not in the dataset, or there is no change.

    Warns
    -----
    NoiseFloorWarning
        If the threshold lies below the error that a circuit's own learning noise leaves for ever.
    """
    threshold = positive_number("threshold", threshold)
    errors = error_of(dataset, variable).transpose("circuit", "replicate", "sample").values
    starts, stops = segments(dataset)
    if not starts.shape[1]:
        raise ValueError(
            "the run has no change of context, so nothing to readapt to; "
            "simulate longer, or in an environment whose contexts change"
        )
    _warn_below_floor(dataset, threshold, variable)
    sample = dataset["sample"].values
    shape = (*errors.shape[:2], starts.shape[1])
    samples = np.full(shape, np.nan)
    observed = np.zeros(shape, dtype=bool)
    for (r, change), start in np.ndenumerate(starts):
        if start < 0:
            continue
        inside = slice(*np.searchsorted(sample, (start, stops[r, change])))
        since = sample[inside] - start
        for c, curve in enumerate(errors[:, r, inside]):
            below = np.flatnonzero(curve < threshold)
            followed = since[np.isfinite(curve)]
            observed[c, r, change] = below.size > 0
            if below.size:
                samples[c, r, change] = since[below[0]]
            else:
                samples[c, r, change] = followed[-1] if followed.size else 0
    dims = ("circuit", "replicate", "change")
    return xr.Dataset(
        {
            "samples": (
                dims,
                samples,
                {"long_name": f"samples until {variable} < {threshold:g}", "units": "1"},
            ),
            "observed": (dims, observed, {"long_name": "threshold reached (False: censored)"}),
        },
        dataset[["change_sample", "context_left", "context_entered"]]
        .set_coords(["change_sample", "context_left", "context_entered"])
        .assign_coords(dataset[["circuit", "replicate", "change"]].coords)
        .coords,
        {"threshold": threshold, "variable": variable},
    )


def _warn_below_floor(dataset: xr.Dataset, threshold: float, variable: str) -> None:
    """Warn of circuits whose outputs stay, once they have converged, farther from white."""
    floors = dataset.get(f"{variable}_floor")
    if floors is None:
        return
    worst = floors.max([dim for dim in floors.dims if dim != "circuit"])
    names = worst["circuit"].values.tolist()
    above = {n: floor for n, floor in zip(names, worst.values, strict=True) if floor > threshold}
    if not above:
        return
    of = ", ".join(f"{name!r} ({floor:.3g})" for name, floor in above.items())
    share = (threshold / max(above.values())) ** 2
    warnings.warn(
        f"the threshold {threshold:g} lies below the noise floor of {of}: once converged its "
        f"{variable} is that large in the root mean square, and is below the threshold by chance "
        f"or never; raise the threshold, or multiply the learning rate by less than {share:.2g}",
        NoiseFloorWarning,
        stacklevel=3,
    )


def summary(times: xr.Dataset) -> xr.Dataset:
    """Return quartiles over replicates of readaptation times, with the share censored.

    Parameters
    ----------
    times : Dataset
        As :func:`readaptation_times` returns it.

    Returns
    -------
    Dataset
        Over (circuit, change): ``lower_quartile``, ``median``, ``upper_quartile`` in samples,
        infinite where so many replicates had not reached the threshold that the quartile is not
        known, and ``censored``, the share of replicates that had not.
    """
    # Censored times are beyond all observed ones, for they end with the segment they lie in.
    known = times["samples"].where(times["observed"], np.inf).where(times["samples"].notnull())
    quartiles = {
        name: known.quantile(q, "replicate", method="inverted_cdf", skipna=True).drop_vars(
            "quantile"
        )
        for name, q in (("lower_quartile", 0.25), ("median", 0.5), ("upper_quartile", 0.75))
    }
    censored = (~times["observed"]).where(times["samples"].notnull()).mean("replicate")
    return xr.Dataset({**quartiles, "censored": censored})


def error_of(dataset: xr.Dataset, variable: str) -> xr.DataArray:
    """Return the error `variable` of a run, or say what the run has instead."""
    validate(dataset, run=True)
    if variable not in dataset:
        raise ValueError(
            f"variable must be an error that the run has recorded, got {variable!r}; it has "
            f"{', '.join(map(str, dataset.data_vars))}; name {variable!r} in simulate(record=...)"
        )
    return dataset[variable]


def segments(dataset: xr.Dataset) -> tuple[Integers, Integers]:
    """Return for each replicate and change its first sample and the sample where it has ended.

    Both have the shape (replicate, change), with -1 for changes that a replicate does not have.
    """
    dims = {"replicate": dataset.sizes["replicate"], "change": dataset.sizes["change"]}

    def table(name: str) -> Integers:
        values: Integers = (
            (dataset[name].broadcast_like(xr.DataArray(np.empty(tuple(dims.values())), dims=dims)))
            .transpose("replicate", "change")
            .values
        )
        return values

    starts, entered = table("change_sample"), table("context_entered")
    end = int(dataset.attrs["n_samples"])
    stops = np.full_like(starts, -1)
    stops[:, :-1] = starts[:, 1:]
    # The record at the very end may already see the context that would come next.
    final = dataset["context"].isel(sample=-1).broadcast_like(dataset["replicate"]).values
    for r, c in np.argwhere((starts >= 0) & (stops < 0)):
        same = dataset["sample"].values[-1] < end or final[r] == entered[r, c]
        stops[r, c] = end + 1 if same else end
    return starts, stops
