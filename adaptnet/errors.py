"""Warnings that a run gives of itself; bad arguments raise plain TypeError and ValueError."""


class DivergenceWarning(UserWarning):
    """A circuit's weights or activity diverged; what it recorded until then is kept."""
