"""How well circuits keep up with statistics that drift."""

import numpy as np
import xarray as xr

from adaptnet._checks import positive_number
from adaptnet.dataset import context_flags, synaptic_time
from adaptnet.readaptation.segments import error_of
from adaptnet.readaptation.selections import restored

TRACKED, RAN_AWAY, STEADY, OUT_OF_REACH = range(4)
OUTCOMES = ("tracked", "diverged", "the_covariance_does_not_change", "lag_beyond_what_was_tried")


def tracking(
    dataset: xr.Dataset,
    *,
    variable: str = "whitening_error",
    discard: float = 0.25,
    longest: float = 0.25,
) -> xr.Dataset:
    """Return the error that circuits keep under continuous drift, and how far they lag behind.

    The lag is the delay l at which the squares of the effective weights, A(t)^2, lie nearest to the
    covariances C(t - l), by the Frobenius norm over the run's records, refined by a parabola
    through the three best. A circuit that relaxes at rate r (a unit of synaptic time) follows a
    slow steady drift at the lag 1/r.

    Parameters
    ----------
    dataset : Dataset
        A run with ``effective_weights``, ``covariance`` and the error recorded.
    variable : str
        The error to use: whitening_error or frobenius_error.
    discard : float
        Share of the run that is left out at its beginning, where circuits have yet to catch up.
    longest : float
        Longest lag that is tried, as a share of the run; at most `discard`.

    Returns
    -------
    Dataset
        Over (circuit, replicate): ``error``, the mean over the records kept; ``lag`` in samples;
        ``synaptic_lag``; and ``outcome``, which says why a lag is not there.

    Raises
    ------
    TypeError, ValueError
        If a share is out of range, or a variable has not been recorded.
    """
    dataset = restored(dataset)
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
    n_records = dataset.sizes["sample"]
    first, tried = int(discard * n_records), int(longest * n_records)
    if first < 1 or tried < 2 or n_records - first < 3:
        raise ValueError(
            f"the run has {n_records} records, too few for a lag; record more often "
            "(record_every), simulate longer, or raise discard and longest"
        )
    every = int(dataset["sample"].values[1] - dataset["sample"].values[0])
    shape = errors.shape[:2]
    error, lag = np.full(shape, np.nan), np.full(shape, np.nan)
    outcome = np.full(shape, TRACKED, dtype=np.int64)
    for c, r in np.ndindex(*shape):
        c_true = truth.isel(replicate=r) if "replicate" in truth.dims else truth
        covariances = c_true.transpose(*matrix).values
        if not np.isfinite(errors[c, r]).all():
            outcome[c, r] = RAN_AWAY
            continue
        error[c, r] = errors[c, r, first:].mean()
        if np.ptp(covariances, axis=0).max() <= 1e-12 * np.abs(covariances).max():
            outcome[c, r] = STEADY
            continue
        squares = weights[c, r, first:] @ weights[c, r, first:]
        away = np.array(
            [
                ((squares - covariances[first - back : n_records - back]) ** 2).mean()
                for back in range(tried + 1)
            ]
        )
        best = int(away.argmin())
        if best == tried:
            outcome[c, r] = OUT_OF_REACH
        elif best == 0:
            lag[c, r] = 0.0
        else:
            left, middle, right = away[best - 1 : best + 2]
            bend = left - 2 * middle + right
            lag[c, r] = every * (best + (0.5 * (left - right) / bend if bend > 0 else 0.0))
    end = int(dataset.attrs["n_samples"])
    rates = [
        float(synaptic_time(dataset, str(name), first * every, end)) / (end - first * every)
        for name in dataset["circuit"].values
    ]
    dims = ("circuit", "replicate")
    return xr.Dataset(
        {
            "error": (dims, error, {"long_name": f"mean {variable} while tracking", "units": "1"}),
            "lag": (dims, lag, {"long_name": "lag behind the covariance in samples", "units": "1"}),
            "synaptic_lag": (
                dims,
                lag * np.array(rates)[:, None],
                {
                    "long_name": "lag in synaptic time, by the mean learning rate; "
                    "NaN without a learning rate",
                    "units": "1",
                },
            ),
            "outcome": (dims, outcome, {"long_name": "outcome", **context_flags(OUTCOMES)}),
        },
        dataset[["circuit", "replicate"]].coords,
        {"variable": variable, "discard": discard, "longest": longest},
    )
