"""Recovery relative to the jump and the noise floor: fractions, areas, maximum loss."""

import numpy as np
import xarray as xr

from adaptnet._checks import positive_number, whole_number
from adaptnet.files.parameters import synaptic_time
from adaptnet.readaptation.first_passage import passage
from adaptnet.readaptation.floors import Floor, resolved_floor
from adaptnet.readaptation.segments import (
    DIVERGED,
    NO_JUMP,
    NOT_REACHED,
    REACHED,
    TOO_FEW,
    UNMOVED,
    Results,
    each_segment,
)
from adaptnet.readaptation.selections import restored


def fractional_recovery(
    dataset: xr.Dataset,
    fraction: float = 0.9,
    *,
    variable: str = "whitening_error",
    hold: int = 1,
    floor: Floor = None,
) -> xr.Dataset:
    """Return how long it takes to undo a given part of the jump above the noise floor.

    With the error e0 at the change and the floor f, it is the time of the first of `hold`
    consecutive records at or below f + (1 - fraction)(e0 - f). Unlike a fixed threshold, that level
    is within reach of circuits of any noise.

    Parameters
    ----------
    dataset : Dataset
        A run with an error recorded and at least one change of context.
    fraction : float
        Part of the jump to be undone, between 0 and 1.
    variable : str
        The error to use: whitening_error or frobenius_error.
    hold : int
        Records in a row that must be at or below the level.
    floor : float, mapping of circuit to float, or DataArray, optional
        The noise floor; by default that of :func:`noise_floors`.

    Returns
    -------
    Dataset
        Over (circuit, replicate, change): ``samples`` and ``synaptic_time`` since the change,
        ``observed``, ``followed`` and ``outcome``, as of :func:`readaptation_times`. Where
        the error at the change does not exceed the floor, or the covariance does not jump at all,
        there is no time, and the outcome says so.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, the variable is not in the dataset, or there is no change.
    """
    dataset = restored(dataset)
    fraction = positive_number("fraction", fraction, below=1.0)
    hold = whole_number("hold", hold)
    floors = resolved_floor(dataset, variable, floor)
    results = Results(dataset, variable, fraction=fraction, hold=hold)
    samples, followed = results.blank(), results.blank()
    for segment in each_segment(dataset, variable):
        followed[segment.at] = segment.followed
        at, errors, low = segment.at, segment.errors, floors[segment.at]
        if segment.unmoved:
            results.outcome[at] = UNMOVED
        elif not len(errors) or not np.isfinite(low):
            results.outcome[at] = DIVERGED if segment.diverged else TOO_FEW
            samples[at] = segment.followed
        elif errors[0] <= low:
            results.outcome[at] = NO_JUMP
        else:
            level = low + (1 - fraction) * (errors[0] - low)
            samples[at], reached = passage(segment.since, errors <= level, hold)
            results.outcome[at] = (
                REACHED if reached else DIVERGED if segment.diverged else NOT_REACHED
            )
    observed = (results.outcome == REACHED, "time was reached (False: censored)")
    what = f"until {fraction:.0%} of the jump in {variable} is undone"
    return results.labelled(
        {
            **results.times(samples, what),
            "observed": observed,
            "followed": (followed, "samples until the segment's last sound record"),
        }
    )


def excess_area(
    dataset: xr.Dataset, *, variable: str = "whitening_error", floor: Floor = None
) -> xr.Dataset:
    """Return the area between error and noise floor from each change to the segment's end.

    It needs no threshold: a circuit that is far off, or off for long, pays for it. The integral is
    the trapezoid's, over samples and over synaptic time; divided by the jump it is the time that a
    single exponential would have as its time constant.

    Parameters
    ----------
    dataset : Dataset
        A run with an error recorded and at least one change of context.
    variable : str
        The error to use: whitening_error or frobenius_error.
    floor : float, mapping of circuit to float, or DataArray, optional
        The noise floor; by default that of :func:`noise_floors`.

    Returns
    -------
    Dataset
        Over (circuit, replicate, change): ``area`` (error times samples), ``synaptic_area`` (error
        times synaptic time) and ``outcome``. There is no area where the circuit diverged, or where
        the covariance does not jump at the change.

    Raises
    ------
    TypeError, ValueError
        If `floor` does not fit, the variable is not in the dataset, or there is no change.
    """
    dataset = restored(dataset)
    from scipy.integrate import trapezoid

    floors = resolved_floor(dataset, variable, floor)
    results = Results(dataset, variable)
    area, synaptic_area = results.blank(), results.blank()
    names = [str(name) for name in dataset["circuit"].values]
    for segment in each_segment(dataset, variable):
        at = segment.at
        if segment.unmoved:
            results.outcome[at] = UNMOVED
            continue
        if segment.diverged or len(segment.errors) < 2 or not np.isfinite(floors[at]):
            results.outcome[at] = DIVERGED if segment.diverged else TOO_FEW
            continue
        excess = segment.errors - floors[at]
        clock = synaptic_time(dataset, names[at[0]], segment.start, segment.start + segment.since)
        area[at] = trapezoid(excess, segment.since)
        synaptic_area[at] = trapezoid(excess, clock)
        results.outcome[at] = REACHED
    return results.labelled(
        {
            "area": (area, f"{variable} above the floor, integrated over samples"),
            "synaptic_area": (
                synaptic_area,
                f"{variable} above the floor, integrated over synaptic time; "
                "NaN without a learning rate",
            ),
        }
    )


def maximum_loss(dataset: xr.Dataset, *, variable: str = "whitening_error") -> xr.Dataset:
    """Return the worst error after each change, how much worse than before, and when.

    Parameters
    ----------
    dataset : Dataset
        A run with an error recorded and at least one change of context.
    variable : str
        The error to use: whitening_error or frobenius_error.

    Returns
    -------
    Dataset
        Over (circuit, replicate, change): ``peak``, the largest error in the segment; ``loss``, by
        how much it exceeds the error at the last record before the change; ``samples`` and
        ``synaptic_time`` from the change to the peak; and ``outcome``, under which a circuit that
        diverged has the worst of its finite errors.

    Raises
    ------
    ValueError
        If the variable is not in the dataset, or there is no change.

    References
    ----------
    .. [1] A. Shaker, E. Huellermeier, "Recovery analysis for adaptive learning from non-stationary
       data streams", CORES 2013: duration and maximum performance loss.
    """
    dataset = restored(dataset)
    results = Results(dataset, variable)
    peak, loss, samples = results.blank(), results.blank(), results.blank()
    for segment in each_segment(dataset, variable):
        results.outcome[segment.at] = DIVERGED if segment.diverged else REACHED
        if len(segment.errors):
            worst = int(segment.errors.argmax())
            peak[segment.at] = segment.errors[worst]
            loss[segment.at] = segment.errors[worst] - segment.before
            samples[segment.at] = segment.since[worst]
    return results.labelled(
        {
            "peak": (peak, f"largest {variable} after the change"),
            "loss": (loss, f"largest {variable} after the change less that before it"),
            **results.times(samples, f"from the change to the largest {variable}"),
        }
    )
