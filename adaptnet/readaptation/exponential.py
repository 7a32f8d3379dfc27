"""Exponential time constants of readaptation."""

from __future__ import annotations

import warnings

import numpy as np
import scipy
import xarray as xr

from adaptnet._checks import Floats, Integers, positive_number
from adaptnet.readaptation.measures import measure
from adaptnet.readaptation.outcomes import Outcome
from adaptnet.readaptation.results import Results
from adaptnet.readaptation.segments import each_segment


@measure("time_constants")
def time_constants(
    dataset: xr.Dataset,
    components: int = 1,
    *,
    variable: str = "whitening_error",
    floor: float | None = None,
) -> xr.Dataset:
    """Return the time constants of one or two exponentials fitted to the error after each change.

    Least squares fit f + a exp(-t / tau), or f + a1 exp(-t / tau1) + a2 exp(-t / tau2), with f and
    all a at least 0, to the records of each segment. Standard errors are those of the linearised
    problem with independent residuals; successive records of a noisy circuit are not independent,
    and then the errors are too small: bootstrap over replicates instead.

    Parameters
    ----------
    dataset : Dataset
        A run with an error recorded and at least one change of context.
    components : int
        Number of exponentials, 1 or 2.
    variable : str
        The error to use: whitening_error or frobenius_error.
    floor : float, optional
        The noise floor f; by default it is fitted too.

    Returns
    -------
    Dataset
        Over (circuit, replicate, change) and, for what each exponential has, component (fastest
        first): ``samples`` (tau), ``standard_error`` (in samples), ``amplitude``; ``floor``;
        ``r_squared``, the share of variance explained; ``residual``, the root mean square of the
        residuals; and ``outcome``. With one component there is also ``synaptic_time``: that which
        passes within tau after the change. A time constant beyond the segment's length is
        reported, but as slower than the segment is long.

    Raises
    ------
    TypeError, ValueError
        If `components` is neither 1 nor 2, the floor is negative, the variable is not in the
        dataset, or there is no change.

    Examples
    --------
    Near the optimum interneurons relax at the rate 4, so within 25 samples at a learning rate of
    0.01.

    >>> import numpy as np, adaptnet as an
    >>> from environments import SwitchingEnvironment
    >>> environment = SwitchingEnvironment([1.02 * np.eye(2), np.eye(2)], block_length=200)
    >>> circuit = an.InterneuronCircuit(learning_rate=0.01)
    >>> run = an.flow(circuit, environment, 400)
    >>> time_constants(run, floor=0.0)["samples"].round().item()
    25.0
    """
    if components not in (1, 2) or isinstance(components, bool):
        raise ValueError(f"components must be 1 or 2, got {components!r}")
    if floor is not None:
        floor = positive_number("floor", floor, zero=True)
    results = Results(dataset, variable, components=components)
    wide = (*results.shape, components)
    tau, error, amplitude = (np.full(wide, np.nan) for _ in range(3))
    fitted_floor, r_squared, residual = results.blank(), results.blank(), results.blank()
    n_parameters = 2 * components + (floor is None)
    for segment in each_segment(dataset, variable):
        at = segment.at
        obstacle = segment.obstacle(n_parameters + 1)
        if obstacle is not None:
            results.outcome[at] = obstacle
            continue
        fit = _fit(segment.since, segment.errors, components, floor)
        if fit is None:
            results.outcome[at] = Outcome.NOT_FITTED
            continue
        tau[at], error[at], amplitude[at], fitted_floor[at], rest = fit
        residual[at] = np.sqrt(np.mean(rest**2))
        r_squared[at] = 1 - np.mean(rest**2) / np.var(segment.errors)
        slowest = tau[at].max()
        results.outcome[at] = Outcome.TOO_SLOW if slowest > segment.since[-1] else Outcome.REACHED
    one = components == 1
    squeezed = (array[..., 0] if one else array for array in (tau, error, amplitude))
    constants, errors, amplitudes = squeezed
    named = (
        {
            "samples": (constants, "samples until the excess error has fallen to 1/e"),
            "synaptic_time": (
                results.in_synaptic_time(constants),
                "synaptic time (integral of the learning rate) until the excess error has fallen "
                "to 1/e; NaN without a learning rate",
            ),
        }
        if one
        else {"samples": (constants, "time constant in samples")}
    )
    return results.labelled(
        {
            **named,
            "standard_error": (errors, "standard error of the time constant, in samples"),
            "amplitude": (amplitudes, f"amplitude of the exponential in {variable}"),
            "floor": (fitted_floor, f"{variable} that the fit ends at"),
            "r_squared": (r_squared, "share of variance explained"),
            "residual": (residual, "root mean square of the residuals"),
        },
        {} if one else {"component": np.arange(components)},
    )


def _fit(
    since: Integers, errors: Floats, components: int, floor: float | None
) -> tuple[Floats, Floats, Floats, float, Floats] | None:
    """Return time constants, standard errors, amplitudes, floor and residuals, if there is a fit.

    Time is scaled by the segment's length and the error by its range; time constants are fitted by
    their logarithm, which keeps them positive.
    """
    length, scale = float(since[-1]), float(np.ptp(errors))
    if not scale > 0:
        return None
    t, e = since / length, errors / scale
    fixed = None if floor is None else floor / scale

    def model(time: Floats, *p: float) -> Floats:
        total = np.full_like(time, p[-1] if fixed is None else fixed)
        for a, log_tau in zip(p[:components], p[components : 2 * components], strict=True):
            total += a * np.exp(-time * np.exp(-log_tau))
        return total

    base = float(np.median(e[-max(1, len(e) // 4) :])) if fixed is None else fixed
    jump = max(float(e[0]) - base, 1e-3)
    # The area above the floor over the jump is the time constant of a single exponential.
    guess = float(np.clip(scipy.integrate.trapezoid(e - base, t) / jump, 1e-3, 1.0))
    spread = np.log([guess]) if components == 1 else np.log([guess / 4, guess * 2])
    start = [*[jump / components] * components, *spread, *([base] if fixed is None else [])]
    lower = [*[0.0] * components, *[-16.0] * components, *([0.0] if fixed is None else [])]
    upper = [*[np.inf] * components, *[8.0] * components, *([np.inf] if fixed is None else [])]
    with warnings.catch_warnings():
        warnings.simplefilter("error", scipy.optimize.OptimizeWarning)
        try:
            p, covariance = scipy.optimize.curve_fit(
                model, t, e, start, bounds=(lower, upper), max_nfev=2000
            )
        except (RuntimeError, scipy.optimize.OptimizeWarning):
            return None
    logs = slice(components, 2 * components)
    tau = length * np.exp(p[logs])
    relative = np.sqrt(np.diag(covariance)[logs])  # of a logarithm: the relative error
    order = np.argsort(tau)
    ends_at = floor if floor is not None else p[-1] * scale
    rest = errors - scale * model(t, *p)
    amplitudes = (p[:components] * scale)[order]
    return tau[order], (tau * relative)[order], amplitudes, float(ends_at), rest
