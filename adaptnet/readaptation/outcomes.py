"""Why a result is there or not: one code for every measure and comparison, in words."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

import numpy as np
import xarray as xr

from adaptnet._checks import Integers


class Outcome(IntEnum):
    """How a measure or a comparison came out; ``sentence`` says it, ``remedy`` what to do.

    Codes are stored as flags: ``label`` is the word that ``flag_meanings`` has for a code.

    Examples
    --------
    >>> Outcome(1)
    <Outcome.NOT_REACHED: 1>
    >>> Outcome.NOT_REACHED.label
    'not_reached_before_the_segment_ended'
    >>> Outcome.NOT_REACHED.remedy
    'simulate longer segments, or raise the threshold'
    """

    sentence: str
    remedy: str

    def __new__(cls, code: int, sentence: str = "", remedy: str = "") -> Outcome:
        """Return a member whose value is `code`."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.sentence, member.remedy = sentence, remedy
        return member

    @property
    def label(self) -> str:
        """The sentence as one word, as CF flags have it."""
        return self.sentence.replace(" ", "_")

    # A measure of one circuit, replicate and change.
    REACHED = 0, "reached"
    NOT_REACHED = (
        1,
        "not reached before the segment ended",
        "simulate longer segments, or raise the threshold",
    )
    DIVERGED = 2, "diverged", "lower the learning rate"
    ABSENT = 3, "no such change in this replicate"
    NO_JUMP = 4, "no jump above the floor"
    TOO_FEW = 5, "too few records", "record more often, or simulate longer segments"
    NOT_FITTED = 6, "fit did not converge", "fit fewer components, or pass the floor"
    TOO_SLOW = 7, "slower than the segment is long", "simulate longer segments"
    UNMOVED = (
        8,
        "the covariance does not jump",
        "measure how circuits follow a drift with adaptnet.readaptation.tracking",
    )
    NEVER_ABOVE = (
        9,
        "never above the threshold",
        "lower the threshold; there is no time if nothing had to be undone",
    )
    NOT_RECORDED = (
        10,
        "records of the segment are missing",
        "measure the whole run, and select from what comes out",
    )
    NOTHING_BEFORE = (
        11,
        "no record before the change",
        "measure the whole run, and select from what comes out",
    )
    # A comparison of two circuits.
    ESTIMATED = 12, "estimated"
    NEITHER = 13, "not reached by either", "simulate longer segments, or raise the threshold"
    FIRST_ONLY = 14, "reached by the first alone", "simulate longer segments"
    SECOND_ONLY = 15, "reached by the second alone", "simulate longer segments"
    LIMITS_ONLY = 16, "known by its limits alone", "simulate longer segments, or more replicates"
    UNKNOWN = 17, "values missing", "select the replicates that have a value"
    # Tracking of a drift.
    TRACKED = 18, "tracked"
    STEADY = 19, "the covariance does not change"
    OUT_OF_REACH = 20, "lag beyond what was tried", "raise longest and discard"


def outcome_variable(dims: Sequence[str], codes: Integers) -> xr.Variable:
    """Return outcomes as a variable with flags."""
    attributes = {
        "long_name": "outcome",
        "flag_values": np.array(list(Outcome), dtype=np.int64),
        "flag_meanings": " ".join(outcome.label for outcome in Outcome),
    }
    return xr.Variable(tuple(dims), codes, attributes)
