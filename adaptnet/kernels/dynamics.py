"""The numbers that choose and steer the fast neural dynamics inside a kernel."""

from typing import NamedTuple


class FastDynamics(NamedTuple):
    """How the neural activity is brought to its fixed point.

    `max_steps` 0 asks for the exact fixed point; anything else for Euler steps of `step_size`
    until the relative residual is below `tolerance`.
    """

    step_size: float
    tolerance: float
    max_steps: int
    interneuron_time_constant: float


EXACT = FastDynamics(0.0, 0.0, 0, 0.0)
