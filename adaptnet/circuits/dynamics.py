"""How the fast neural dynamics are followed when they are not solved exactly."""

from __future__ import annotations

from dataclasses import astuple, dataclass

from adaptnet._checks import positive_number, whole_number
from adaptnet.kernels.dynamics import FastDynamics


@dataclass(frozen=True, kw_only=True)
class IntegratedDynamics:
    """Fast neural dynamics followed by Euler steps, from rest, instead of solved exactly.

    Parameters
    ----------
    step_size : float
        Length of a step, in units of the primary neurons' time constant. Steps are stable below
        2 / (largest eigenvalue of M) for the direct circuit. For interneurons of the same time
        constant every eigenvalue l of W W' sets a limit: 1 / l if it is 1/4 or more, and
        4 / (1 + sqrt(1 - 4 l)) if it is less.
    tolerance : float
        The activity counts as converged when the right-hand sides have fallen to this fraction of
        the input (primary neurons) and of their own activity (interneurons).
    max_steps : int
        Steps after which the activity is taken as it is, converged or not.
    interneuron_time_constant : float
        Time constant of the interneurons, in units of that of the primary neurons.

    Raises
    ------
    TypeError, ValueError
        If a number is not positive and finite, or `max_steps` is not a whole number.

    Examples
    --------
    >>> IntegratedDynamics(step_size=0.1, tolerance=1e-6, max_steps=500)
    IntegratedDynamics(step_size=0.1, tolerance=1e-06, max_steps=500, interneuron_time_constant=1.0)
    """

    step_size: float = 0.05
    tolerance: float = 1e-6
    max_steps: int = 10_000
    interneuron_time_constant: float = 1.0

    def __post_init__(self) -> None:
        for name in ("step_size", "tolerance", "interneuron_time_constant"):
            object.__setattr__(self, name, positive_number(name, getattr(self, name)))
        object.__setattr__(self, "max_steps", whole_number("max_steps", self.max_steps))

    def constants(self) -> FastDynamics:
        """Return the dynamics as the kernels take them."""
        return FastDynamics(*astuple(self))
