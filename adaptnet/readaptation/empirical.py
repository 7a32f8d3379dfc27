"""The errors that a run's outputs themselves show, beside the true ones."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import xarray as xr

from adaptnet._checks import Floats, Integers
from adaptnet.metrics import empirical_errors
from adaptnet.readaptation.measures import takes_run

_NAMES = {
    "whitening_error": "empirical whitening error max |eigenvalue(S) - 1|",
    "frobenius_error": "empirical Frobenius whitening error ||S - I||_F",
}


@takes_run
def with_empirical_errors(
    dataset: xr.Dataset, *, window: int | None = None, timescale: float | None = None
) -> xr.Dataset:
    """Return a run with the errors of its outputs' running second moments, and sampling floors.

    The true whitening error follows from weights and the covariance of the inputs. The empirical
    one is what somebody sees who has the outputs alone: S is the mean of y y' over the outputs
    before each sample, as far as they were recorded without a gap. Measures and plots take either
    as their `variable`.

    Parameters
    ----------
    dataset : Dataset
        A run that has recorded ``outputs``, at every sample or in windows around changes
        (``simulate(record=["outputs", ...], record_around=(400, 400))``).
    window : int, optional
        Outputs that S is taken from; by default all since the last gap.
    timescale : float, optional
        Samples over which the weights of outputs fade, in place of a window.

    Returns
    -------
    Dataset
        The run at the samples before which an output is known, with ``empirical_whitening_error``
        and ``empirical_frobenius_error`` (circuit, replicate, sample), NaN for circuits that have
        diverged, and, for each, ``..._sampling_floor`` (sample,): its root mean square if the
        outputs were white, Gaussian and independent from sample to sample.

    Raises
    ------
    TypeError, ValueError
        If outputs were not recorded, no two samples in a row were, or `window` or `timescale` is
        out of range.

    Examples
    --------
    >>> import numpy as np, adaptnet as an
    >>> inputs = np.random.default_rng(0).normal(size=(4000, 2))
    >>> circuit = an.StaticCircuit(initial_weights=2.0)
    >>> run = an.simulate(circuit, inputs, record=["outputs"])
    >>> both = with_empirical_errors(run, window=2000)  # outputs have variance 1/4
    >>> both["empirical_whitening_error"].values[0, 0, -1].round(1)
    np.float64(0.8)
    """
    if "outputs" not in dataset:
        raise ValueError(
            'the run must have recorded outputs; name them in simulate(record=["outputs", ...])'
        )
    outputs = dataset["outputs"].transpose("circuit", "replicate", "sample", "neuron")
    stretches = _stretches(dataset["sample"].values)
    if not stretches:
        raise ValueError(
            "outputs must have been recorded at samples in a row; simulate with record_every=1, or "
            "with record_around"
        )
    shape = outputs.shape[:3]
    errors = {name: np.full(shape, np.nan) for name in _NAMES}
    floors = {name: np.full(shape[2], np.nan) for name in _NAMES}
    ends = dataset["diverged_sample"].transpose("circuit", "replicate").values
    for c, r in np.ndindex(shape[:2]):
        y = outputs[c, r].values
        if ends[c, r] >= 0:
            y = np.where((dataset["sample"].values < ends[c, r])[:, None], y, np.nan)
        for first, last in stretches:
            # The record at sample s holds the output for input s; errors are of those before it.
            known = _known(y[first : last - 1])
            if not len(known):
                continue
            found = empirical_errors(known, window=window, timescale=timescale)
            at = slice(first + 1, first + 1 + len(known))
            errors["whitening_error"][c, r, at] = found.whitening_error
            errors["frobenius_error"][c, r, at] = found.frobenius_error
            floors["whitening_error"][at] = found.whitening_error_floor
            floors["frobenius_error"][at] = found.frobenius_error_floor
    comment = _comment(window, timescale)
    added = {}
    for name, words in _NAMES.items():
        attrs = {"long_name": words, "units": "1", "comment": comment}
        added[f"empirical_{name}"] = xr.Variable(outputs.dims[:3], errors[name], attrs)
        attrs = {**attrs, "long_name": f"sampling floor of the {words}"}
        added[f"empirical_{name}_sampling_floor"] = xr.Variable("sample", floors[name], attrs)
    preceded = np.zeros(shape[2], bool)
    for first, last in stretches:
        preceded[first + 1 : last] = True
    return dataset.assign(added).isel(sample=preceded)


def _stretches(samples: Integers) -> list[tuple[int, int]]:
    """Return the first and the end of every stretch of records at samples in a row.

    Examples
    --------
    >>> _stretches(np.array([0, 1, 2, 10, 20, 21]))
    [(0, 3), (4, 6)]
    """
    cuts = np.flatnonzero(np.diff(samples) != 1) + 1
    edges = [0, *cuts.tolist(), len(samples)]
    return [(first, last) for first, last in pairwise(edges) if last - first > 1]


def _known(outputs: Floats) -> Floats:
    """Return the outputs before the first that is NaN, as those of a circuit that diverged are."""
    lost = np.isnan(outputs).any(axis=1)
    return outputs[: int(lost.argmax())] if lost.any() else outputs


def _comment(window: int | None, timescale: float | None) -> str:
    """Return what outputs S is the mean over."""
    if window is not None:
        return f"S is the mean of y y' over the last {window} outputs, fewer after a gap"
    if timescale is not None:
        return f"S is the mean of y y' with weights that fade over {timescale:g} outputs"
    return "S is the mean of y y' over all outputs since the last gap in the records"
