"""When contexts change, and into which."""

from environments.schedules.base import Order, Schedule
from environments.schedules.blocks import Blocks
from environments.schedules.change_samples import ChangeSamples
from environments.schedules.hazard_rate import HazardRate
from environments.schedules.markov_chain import MarkovChain
from environments.schedules.truncated_exponential import TruncatedExponential

__all__ = [
    "Blocks",
    "ChangeSamples",
    "HazardRate",
    "MarkovChain",
    "Order",
    "Schedule",
    "TruncatedExponential",
]


def __dir__() -> list[str]:
    return __all__
