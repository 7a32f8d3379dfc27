"""Sweeps: many simulations over a space of parameters, one labelled Dataset."""

from adaptnet.sweeps.points import design, points_of
from adaptnet.sweeps.simulations import Simulation
from adaptnet.sweeps.status import Status, status
from adaptnet.sweeps.sweep import sweep

__all__ = ["Simulation", "Status", "design", "points_of", "status", "sweep"]


def __dir__() -> list[str]:
    return __all__
