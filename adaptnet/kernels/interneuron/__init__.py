"""Interneurons: Algorithm 2 of [L23], Lipshutz, Pehlevan & Chklovskii, ICLR 2023.

For each sample x the activities go to their fixed point, z = W' y and W W' y = x, then
W <- W + eta (y z' - W).
"""

from adaptnet.kernels.interneuron.inverse import (
    AT_LEAST,
    CARRIED,
    SIDE_BY_SIDE,
    Carried,
    current_weights,
    initial_carried,
    run_carried,
    to_root,
)
from adaptnet.kernels.interneuron.lanes import (
    initial_side_by_side,
    run_side_by_side,
)
from adaptnet.kernels.interneuron.plain import State, initial_state, integrate, run

__all__ = [
    "AT_LEAST",
    "CARRIED",
    "SIDE_BY_SIDE",
    "Carried",
    "State",
    "current_weights",
    "initial_carried",
    "initial_side_by_side",
    "initial_state",
    "integrate",
    "run",
    "run_carried",
    "run_side_by_side",
    "to_root",
]
