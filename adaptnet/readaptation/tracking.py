"""How well circuits keep up with statistics that drift."""

from __future__ import annotations

import numpy as np
import xarray as xr

from adaptnet._checks import Floats, Integers, positive_number, whole_number
from adaptnet.readaptation.measures import measure
from adaptnet.readaptation.outcomes import Outcome, outcome_variable
from adaptnet.readaptation.segments import error_of, record_interval, segments
from adaptnet.readaptation.synaptic import synaptic_time

_NEAR = 0.1  # of the range of distances: lags of a periodic drift differ far less, noise by less


@measure("tracking")
def tracking(
    dataset: xr.Dataset,
    *,
    change: int | None = None,
    variable: str = "whitening_error",
    discard: float = 0.25,
    longest: float = 0.25,
) -> xr.Dataset:
    """Return the error that circuits keep under continuous drift, and how far they lag behind.

    The lag is the delay l at which the squares of the effective weights, A(t)^2, lie nearest to the
    covariances C(t - l), by the Frobenius norm over the run's records, refined by a parabola
    through the three best. Under periodic drift many delays are about as good, and the first of
    them is the lag. A circuit that relaxes at rate r (per unit of synaptic time) follows a slow
    steady drift at the lag 1/r.

    Parameters
    ----------
    dataset : Dataset
        A run with ``effective_weights``, ``covariance`` and the error recorded.
    change : int, optional
        The change that begins the drift, of a run that does not drift all along: only the segment
        from there to the next change counts. By default all of the run.
    variable : str
        The error to use: whitening_error or frobenius_error.
    discard : float
        Share of the drift that is left out at its beginning, where circuits have yet to catch up.
    longest : float
        Longest lag that is tried, as a share of the drift; at most `discard`.

    Returns
    -------
    Dataset
        Over (circuit, replicate): ``error``, the mean over the records kept; ``lag`` in samples;
        ``synaptic_lag``; and ``outcome``, which says why a lag is not there.

    Raises
    ------
    TypeError, ValueError
        If a share is out of range, there is no such change in a replicate, or a variable has not
        been recorded.

    Examples
    --------
    Contrast that rises and falls once in 2000 samples, 20 units of synaptic time: a lag of
    arctan(w/4)/w = 0.249, with w = 2 pi / 20.

    >>> import numpy as np, adaptnet as an
    >>> from environments import DriftingEnvironment
    >>> from environments.paths import SinusoidalSpectrum
    >>> drift = DriftingEnvironment(SinusoidalSpectrum(np.eye(2), 0.3), duration=2000)
    >>> circuit = an.InterneuronCircuit(learning_rate=0.01)
    >>> record = ("whitening_error", "effective_weights", "covariance")
    >>> run = an.flow(circuit, drift, 6000, record_every=10, record=record)
    >>> tracking(run)["synaptic_lag"].round(3).item()
    0.249
    """
    discard = positive_number("discard", discard, below=1.0)
    longest = positive_number("longest", longest, below=1.0)
    if longest > discard:
        raise ValueError(
            f"longest must be at most discard = {discard:g}, for the covariance must be known so "
            f"long before the first record kept, got {longest:g}"
        )
    errors = error_of(dataset, variable).transpose("circuit", "replicate", "sample").values
    missing = [name for name in ("effective_weights", "covariance") if name not in dataset]
    if missing:
        raise ValueError(
            f"the lag needs {' and '.join(missing)}, which the run has not recorded; "
            'name them in simulate(record=("whitening_error", "effective_weights", "covariance"))'
        )
    matrix = ("sample", "neuron", "neuron_2")
    weights = dataset["effective_weights"].transpose("circuit", "replicate", *matrix).values
    truth = dataset["covariance"]
    sample, every = dataset["sample"].values, record_interval(dataset)
    spans = _spans(dataset, change)
    grids = [np.arange(sample[begin], sample[end - 1] + 1, every) for begin, end in spans]
    fewest = min(map(len, grids))
    if int(discard * fewest) < 1 or int(longest * fewest) < 2 or fewest - int(discard * fewest) < 4:
        raise ValueError(
            f"there are {fewest} records, too few for a lag; record more often (record_every), "
            "simulate longer, or raise discard and longest"
        )
    shape = errors.shape[:2]
    error, lag, synaptic_lag = (np.full(shape, np.nan) for _ in range(3))
    outcome = np.full(shape, Outcome.TRACKED, dtype=np.int64)
    for c, r in np.ndindex(*shape):
        rows, grid = slice(*spans[r]), grids[r]
        if not np.isfinite(errors[c, r, rows]).all():
            outcome[c, r] = Outcome.DIVERGED
            continue
        first, tried = int(discard * len(grid)), int(longest * len(grid))
        error[c, r] = np.interp(grid[first:], sample[rows], errors[c, r, rows]).mean()
        c_true = truth.isel(replicate=r) if "replicate" in truth.dims else truth
        covariances = _on_grid(grid, sample[rows], c_true.transpose(*matrix).values[rows])
        if np.ptp(covariances, axis=0).max() <= 1e-12 * np.abs(covariances).max():
            outcome[c, r] = Outcome.STEADY
            continue
        squares = _on_grid(grid, sample[rows], weights[c, r, rows] @ weights[c, r, rows])
        back = _delay(squares, covariances, first, tried)
        if back is None:
            outcome[c, r] = Outcome.OUT_OF_REACH
            continue
        begin, end = grid[first], grid[-1]
        passed = synaptic_time(dataset, str(dataset["circuit"].values[c]), begin, end)
        lag[c, r] = every * back
        synaptic_lag[c, r] = lag[c, r] * float(passed) / (end - begin)
    dims = ("circuit", "replicate")
    return xr.Dataset(
        {
            "error": (dims, error, {"long_name": f"mean {variable} while tracking", "units": "1"}),
            "lag": (dims, lag, {"long_name": "lag behind the covariance in samples", "units": "1"}),
            "synaptic_lag": (
                dims,
                synaptic_lag,
                {
                    "long_name": "lag in synaptic time, by the mean learning rate; "
                    "NaN without a learning rate",
                    "units": "1",
                },
            ),
            "outcome": outcome_variable(dims, outcome),
        },
        dataset[["circuit", "replicate"]].coords,
        {"variable": variable, "discard": discard, "longest": longest},
    )


def _on_grid(grid: Integers, sample: Integers, values: Floats) -> Floats:
    """Return values (sample, ...) at the samples of `grid`, linear between records.

    Runs are recorded at the multiples of `record_every`, which are on the grid, and at changes.
    """
    after = np.clip(np.searchsorted(sample, grid), 1, len(sample) - 1)
    width = sample[after] - sample[after - 1]
    share = ((grid - sample[after - 1]) / width).reshape(-1, *[1] * (values.ndim - 1))
    return np.asarray((1 - share) * values[after - 1] + share * values[after])


def _delay(squares: Floats, covariances: Floats, first: int, tried: int) -> float | None:
    """Return by how many records A(t)^2 is behind C(t) from `first` on, if fewer than `tried`.

    A periodic drift repeats itself: of delays about as good as the best, the first are the lag.
    """
    n = len(covariances) - 1
    kept = squares[first:n]
    # The first is that of a record ahead, so that a parabola has three points at no delay, too.
    away = np.array(
        [((kept - covariances[first - b : n - b]) ** 2).mean() for b in range(-1, tried + 1)]
    )
    near = away <= away.min() + _NEAR * np.ptp(away)
    begin = int(near.argmax())
    end = begin + int(np.append(near[begin:], False).argmin())
    best = begin + int(away[begin:end].argmin())
    if best == len(away) - 1:
        return None
    if best == 0:
        return 0.0
    left, middle, right = away[best - 1 : best + 2]
    bend = left - 2 * middle + right
    return max(best - 1 + (float(0.5 * (left - right) / bend) if bend > 0 else 0.0), 0.0)


def _spans(dataset: xr.Dataset, change: int | None) -> list[tuple[int, int]]:
    """Return for each replicate the rows of the records of its drift."""
    replicates = range(dataset.sizes["replicate"])
    if change is None:
        return [(0, dataset.sizes["sample"]) for _ in replicates]
    starts, stops = segments(dataset)
    number = whole_number("change", change, minimum=0)
    if number >= starts.shape[1] or (starts[:, number] < 0).any():
        n_changes = int((starts >= 0).sum(axis=1).min())
        raise ValueError(
            f"change must be one of the {n_changes} that every replicate has, counted from 0, "
            f"got {change}"
        )
    sample = dataset["sample"].values
    begin, end = np.searchsorted(sample, (starts[:, number], stops[:, number]))
    return list(zip(begin.tolist(), end.tolist(), strict=True))
