"""First passage below a threshold."""

from __future__ import annotations

import warnings

import xarray as xr

from adaptnet._checks import positive_number
from adaptnet.errors import NoiseFloorWarning
from adaptnet.readaptation.measures import measure
from adaptnet.readaptation.outcomes import Outcome
from adaptnet.readaptation.passages import Passages
from adaptnet.readaptation.segments import each_segment


@measure("first_passage")
def readaptation_times(
    dataset: xr.Dataset,
    threshold: float = 0.1,
    *,
    variable: str = "whitening_error",
    hold: int = 1,
    since: str = "beginning",
) -> xr.Dataset:
    """Return how long after each change the error first falls below a threshold, and stays.

    The time is that of the first of `hold` consecutive records below the threshold that come after
    one above it. A circuit that has none when the next change comes, or the run ends, is not
    dropped: it is marked as not observed (right-censored). A circuit that diverges will never
    readapt. One whose error is never above the threshold has nothing to readapt to, and no time.

    Parameters
    ----------
    dataset : Dataset
        A run with an error recorded and at least one change of context.
    threshold : float
        Error below which a circuit counts as readapted.
    variable : str
        The error to use: whitening_error or frobenius_error.
    hold : int
        Records in a row that must lie below the threshold; 1 is the plain first passage.
    since : str
        What times count from, for a change that takes time: its ``"beginning"``, or its ``"end"``,
        when the covariance has arrived. From the end, a circuit that has kept up takes 0 samples.

    Returns
    -------
    Dataset
        Over (circuit, replicate, change): ``samples`` and ``synaptic_time`` since the change, NaN
        if censored; ``observed``; ``followed``, until when a censored circuit is known not to have
        readapted, and ``synaptic_followed``; ``resolution``, how long before the time the last
        record was, so that the error passed the threshold at most so much earlier; and ``outcome``,
        which says why a time is not there. A change at which the covariance does not jump, at which
        a drift begins, has no time: see :func:`tracking`. Coordinates tell the change:
        ``change_sample``, ``change_end``, ``context_left``, ``context_entered``, their names as
        ``context`` (entered) and ``transition``, ``change_distance`` and ``direction``.

        Times of which some are censored have no plain mean or median: use :func:`summary`.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, the variable is not in the dataset, or there is no change.

    Warns
    -----
    NoiseFloorWarning
        If the threshold lies below the error that a circuit's own learning noise leaves for ever;
        or, for recorded responses, below that of white ones of which only some samples are known.

    References
    ----------
    .. [1] S. Redner, "A Guide to First-Passage Processes", Cambridge University Press, 2001.

    Examples
    --------
    In the eigenbasis of both covariances A(t)^2 = C + (C_left - C) exp(-4 t), so that the error
    falls to 0.1 at the synaptic time log((4 - 1) (1 - 0.1) / 0.1) / 4 = 0.824.

    >>> import numpy as np, adaptnet as an
    >>> from environments import SwitchingEnvironment
    >>> environment = SwitchingEnvironment([4 * np.eye(2), np.eye(2)], block_length=200)
    >>> circuit = an.InterneuronCircuit(initial_weights=2.0, learning_rate=0.01)
    >>> run = an.flow(circuit, environment, 400)
    >>> readaptation_times(run, threshold=0.1)["samples"].item()
    83.0
    """
    threshold = positive_number("threshold", threshold)
    passages = Passages(dataset, variable, hold, since, threshold=threshold)
    _warn_below_floor(dataset, threshold, variable)
    _warn_below_sampling_floor(dataset, threshold, variable)
    for segment in each_segment(dataset, variable):
        if segment.unmoved:
            passages.outcome[segment.at] = Outcome.UNMOVED
        else:
            passages.add(segment, segment.errors < threshold)
    return passages.times(f"{variable} < {threshold:g}")


def _warn_below_floor(dataset: xr.Dataset, threshold: float, variable: str) -> None:
    """Warn of circuits whose outputs stay, once they have converged, farther from white."""
    floors = dataset.get(f"{variable}_floor")
    if floors is None or not floors.size:  # a run without changes has none
        return
    worst = floors.max([dim for dim in floors.dims if dim != "circuit"])
    names = worst["circuit"].values.tolist()
    above = {n: floor for n, floor in zip(names, worst.values, strict=True) if floor > threshold}
    if not above:
        return
    circuits = ", ".join(f"{name!r} ({floor:.3g})" for name, floor in above.items())
    share = (threshold / max(above.values())) ** 2
    warnings.warn(
        f"the threshold {threshold:g} lies below the noise floor of {circuits}: once converged its "
        f"{variable} is that large in the root mean square, and is below the threshold by chance "
        f"or never; raise the threshold, or multiply the learning rate by less than {share:.2g}",
        NoiseFloorWarning,
        stacklevel=4,
    )


def _warn_below_sampling_floor(dataset: xr.Dataset, threshold: float, variable: str) -> None:
    """Warn if so few outputs of white responses would not show that these are white."""
    floors = dataset.get(f"{variable}_sampling_floor")
    if floors is None or not floors.size:
        return
    lowest = float(floors.min())
    if lowest > threshold:
        warnings.warn(
            f"the threshold {threshold:g} lies below the sampling floor, at least {lowest:.3g}: "
            f"the {variable} of responses that are white is that large in the root mean square, "
            "and is below the threshold by chance or never; raise the threshold, widen the window, "
            "or pool trials",
            NoiseFloorWarning,
            stacklevel=4,
        )
