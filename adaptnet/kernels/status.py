"""How a block of samples went, as a code that carries its sentence and its remedy."""

from enum import IntEnum
from typing import NamedTuple


class Status(IntEnum):
    """What ended a replicate, or OK."""

    OK = 0
    WEIGHTS_NOT_POSITIVE_DEFINITE = 1
    WEIGHTS_NOT_FINITE = 2
    ACTIVITY_NOT_FINITE = 3
    SAMPLES_DO_NOT_SPAN = 4
    FAST_DYNAMICS_UNSTABLE = 5
    GAINS_INDEFINITE = 6
    WEIGHTS_SINGULAR = 7
    CHANNEL_SILENT = 8
    INPUTS_SILENT = 9

    @property
    def sentence(self) -> str:
        """What happened, as a clause: "the weights overflowed"."""
        return _MEANINGS[self][0]

    @property
    def remedy(self) -> str:
        """What to do about it, as a clause: "lower learning_rate"."""
        return _MEANINGS[self][1]


_MEANINGS = {
    Status.OK: ("all samples were processed", ""),
    Status.WEIGHTS_NOT_POSITIVE_DEFINITE: (
        "the weights left the positive definite cone",
        "lower learning_rate",
    ),
    Status.WEIGHTS_NOT_FINITE: (
        "the weights overflowed",
        "lower learning_rate or the scale of the inputs",
    ),
    Status.ACTIVITY_NOT_FINITE: (
        "the fast dynamics blew up",
        "lower the step_size of IntegratedDynamics",
    ),
    Status.SAMPLES_DO_NOT_SPAN: (
        "the samples in the window do not span all neurons",
        "lengthen the window",
    ),
    Status.FAST_DYNAMICS_UNSTABLE: (
        "the fast dynamics lost their stability: an eigenvalue of the effective weights has no "
        "positive real part",
        "start with W_yz nearer to the transpose of W_zy, raise leak, or lower learning_rate",
    ),
    Status.GAINS_INDEFINITE: (
        "the gains made the effective weights indefinite",
        "lower learning_rate, raise leak, or keep gains from falling below zero (clip=True)",
    ),
    Status.WEIGHTS_SINGULAR: (
        "the effective weights became singular in double precision",
        "scale inputs and initial weights to each other",
    ),
    Status.CHANNEL_SILENT: (
        "the weights of an input channel that is zero shrank to nothing",
        "leave out channels that are constantly zero, or add noise to them",
    ),
    Status.INPUTS_SILENT: (
        "the weights shrank to nothing in a stretch of inputs that are all zero",
        "cut out silent stretches, add noise to them, or lower learning_rate",
    ),
}


class Outcome(NamedTuple):
    """How a replicate's block went: whole samples processed, before a failure if there was one."""

    status: Status
    n_samples: int
