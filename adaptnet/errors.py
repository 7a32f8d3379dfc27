"""Warnings that a run gives of itself; bad arguments raise plain TypeError and ValueError."""

from __future__ import annotations


class DivergenceWarning(UserWarning):
    """A circuit's weights or activity diverged; what it recorded until then is kept."""


class NoiseFloorWarning(UserWarning):
    """A threshold lies below a noise floor, or a floor is too high for the formulas of theory."""


class PartialWhiteningWarning(UserWarning):
    """A circuit cannot whiten inputs of every covariance, whatever it learns."""


class SweepWarning(UserWarning):
    """Points of a sweep failed, or circuits in them diverged; the others are there."""


class IntegrationError(RuntimeError):
    """A synaptic flow could not be integrated to the accuracy asked for."""
