"""What is known of the circuits without simulating them; derivations in docs/theory.md."""

from adaptnet.theory.comparison import local_time_ratio, matched_learning_rates
from adaptnet.theory.law import Law
from adaptnet.theory.modes import ModeLaw
from adaptnet.theory.noise import NoiseFloor, noise_floor, target_error
from adaptnet.theory.registry import largest_learning_rate, law_of, mode_law_of
from adaptnet.theory.stability import largest_online_learning_rate
from adaptnet.theory.times import convergence_time, readaptation_time

__all__ = [
    "Law",
    "ModeLaw",
    "NoiseFloor",
    "convergence_time",
    "largest_learning_rate",
    "largest_online_learning_rate",
    "law_of",
    "local_time_ratio",
    "matched_learning_rates",
    "mode_law_of",
    "noise_floor",
    "readaptation_time",
    "target_error",
]


def __dir__() -> list[str]:
    return __all__
