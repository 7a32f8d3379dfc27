"""Direct connections: Algorithm 1 of [L23], Lipshutz, Pehlevan & Chklovskii, ICLR 2023.

For each sample x the activity goes to its fixed point, M y = x, then M <- M + eta (y y' - I).
"""

from adaptnet.kernels.direct.inverse import Carried, current_weights, initial_carried, run_carried
from adaptnet.kernels.direct.lanes import Small, run_side_by_side
from adaptnet.kernels.direct.plain import State, initial_state, integrate, run

__all__ = [
    "Carried",
    "Small",
    "State",
    "current_weights",
    "initial_carried",
    "initial_state",
    "integrate",
    "run",
    "run_carried",
    "run_side_by_side",
]
