"""Recovery relative to the jump and the noise floor: fractions, areas, maximum loss."""

from __future__ import annotations

import numpy as np
import scipy
import xarray as xr

from adaptnet._checks import positive_number
from adaptnet.readaptation.floors import Floor, resolved_floor
from adaptnet.readaptation.measures import measure
from adaptnet.readaptation.outcomes import Outcome
from adaptnet.readaptation.passages import Passages
from adaptnet.readaptation.results import Results
from adaptnet.readaptation.segments import each_segment
from adaptnet.readaptation.synaptic import clock_of


@measure("fractional_recovery")
def fractional_recovery(
    dataset: xr.Dataset,
    fraction: float = 0.9,
    *,
    variable: str = "whitening_error",
    hold: int = 1,
    since: str = "beginning",
    floor: Floor = None,
) -> xr.Dataset:
    """Return how long it takes to undo a given part of the jump above the noise floor.

    With the error e0 at the change and the floor f, it is the time of the first of `hold`
    consecutive records at or below f + (1 - fraction)(e0 - f). Unlike a fixed threshold, that level
    is within reach of circuits of any noise. For a change that takes time, e0 is the largest error
    until the covariance has arrived.

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
    since : str
        What times count from, for a change that takes time: its ``"beginning"`` or its ``"end"``.
    floor : float, mapping of circuit to float, or DataArray, optional
        The noise floor; by default that of :func:`noise_floors`.

    Returns
    -------
    Dataset
        Times over (circuit, replicate, change), as of :func:`readaptation_times`. If the error at
        the change does not exceed the floor, or the covariance does not jump at all, there is no
        time, and the outcome says so.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, the variable is not in the dataset, or there is no change.

    Examples
    --------
    The error falls as 3 x / (1 + 3 x), x = exp(-4 t), from 0.75; to a tenth of that at t = 0.903.

    >>> import numpy as np, adaptnet as an
    >>> from environments import SwitchingEnvironment
    >>> environment = SwitchingEnvironment([4 * np.eye(2), np.eye(2)], block_length=200)
    >>> circuit = an.InterneuronCircuit(initial_weights=2.0, learning_rate=0.01)
    >>> run = an.flow(circuit, environment, 400)
    >>> fractional_recovery(run, 0.9, floor=0.0)["samples"].item()
    91.0
    """
    fraction = positive_number("fraction", fraction, below=1.0)
    floors = resolved_floor(dataset, variable, floor)
    passages = Passages(dataset, variable, hold, since, fraction=fraction)
    for segment in each_segment(dataset, variable):
        at, errors, low = segment.at, segment.errors, floors[segment.at]
        arrived = int(np.searchsorted(segment.since, segment.lasts)) + 1
        worst = int(errors[:arrived].argmax()) if len(errors) else 0
        if segment.unmoved:
            passages.outcome[at] = Outcome.UNMOVED
        elif segment.diverged and not np.isfinite(low):
            passages.outcome[at] = Outcome.DIVERGED
            passages.followed[at] = segment.followed
        elif not len(errors) or not np.isfinite(low):
            passages.outcome[at] = Outcome.NOT_RECORDED if segment.cut else Outcome.TOO_FEW
        elif errors[worst] <= low:
            passages.outcome[at] = Outcome.NO_JUMP
        else:
            level = low + (1 - fraction) * (errors[worst] - low)
            passages.add(segment, errors <= level, worst)
    return passages.times(f"{fraction:.0%} of the jump in {variable} is undone")


@measure("excess_area")
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

    Examples
    --------
    The integral of 3 x / (1 + 3 x), x = exp(-4 t), is log(4) / 4 = 0.347.

    >>> import numpy as np, adaptnet as an
    >>> from environments import SwitchingEnvironment
    >>> environment = SwitchingEnvironment([4 * np.eye(2), np.eye(2)], block_length=200)
    >>> circuit = an.InterneuronCircuit(initial_weights=2.0, learning_rate=0.01)
    >>> run = an.flow(circuit, environment, 400)
    >>> excess_area(run, floor=0.0)["synaptic_area"].round(3).item()
    0.346
    """
    floors = resolved_floor(dataset, variable, floor)
    results = Results(dataset, variable)
    area, synaptic_area = results.blank(), results.blank()
    clocks = [clock_of(dataset, str(name)) for name in dataset["circuit"].values]
    for segment in each_segment(dataset, variable):
        at = segment.at
        obstacle = segment.obstacle(2) or (None if np.isfinite(floors[at]) else Outcome.TOO_FEW)
        if obstacle is not None:
            results.outcome[at] = obstacle
            continue
        excess = segment.errors - floors[at]
        clock, start = clocks[at[0]], np.asarray(segment.start, float)
        times = clock(start + segment.since) - clock(start)
        area[at] = scipy.integrate.trapezoid(excess, segment.since)
        synaptic_area[at] = scipy.integrate.trapezoid(excess, times)
        results.outcome[at] = Outcome.REACHED
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


@measure("maximum_loss")
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
        how much it exceeds the error at the last record before the change (NaN without one);
        ``samples`` and ``synaptic_time`` from the change to the peak; and ``outcome``. A circuit
        that diverged has the worst of its finite errors.

    Raises
    ------
    ValueError
        If the variable is not in the dataset, or there is no change.

    References
    ----------
    .. [1] A. Shaker, E. Huellermeier, "Recovery analysis for adaptive learning from non-stationary
       data streams", CORES 2013: duration and maximum performance loss.

    Examples
    --------
    Weights that fit four times the variance leave an error of 1 - 1/4.

    >>> import numpy as np, adaptnet as an
    >>> from environments import SwitchingEnvironment
    >>> environment = SwitchingEnvironment([4 * np.eye(2), np.eye(2)], block_length=200)
    >>> circuit = an.InterneuronCircuit(initial_weights=2.0, learning_rate=0.01)
    >>> run = an.flow(circuit, environment, 400)
    >>> loss = maximum_loss(run)
    >>> loss["peak"].round(3).item(), loss["samples"].item()
    (0.75, 0.0)
    """
    results = Results(dataset, variable)
    peak, loss, samples = results.blank(), results.blank(), results.blank()
    for segment in each_segment(dataset, variable):
        at, obstacle = segment.at, segment.obstacle(1, jump=False)
        if len(segment.errors) and obstacle in (None, Outcome.DIVERGED):
            worst = int(segment.errors.argmax())
            peak[at] = segment.errors[worst]
            loss[at] = segment.errors[worst] - segment.before
            samples[at] = segment.since[worst]
            if obstacle is None and np.isnan(segment.before):
                obstacle = Outcome.NOTHING_BEFORE
        results.outcome[at] = Outcome.REACHED if obstacle is None else obstacle
    return results.labelled(
        {
            "peak": (peak, f"largest {variable} after the change"),
            "loss": (loss, f"largest {variable} after the change less that before it"),
            "samples": (samples, f"samples from the change to the largest {variable}"),
            "synaptic_time": (
                results.in_synaptic_time(samples),
                f"synaptic time (integral of the learning rate) from the change to the largest "
                f"{variable}; NaN without a learning rate",
            ),
        }
    )
