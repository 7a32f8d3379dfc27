"""Exit codes beyond 0 (all is well), 1 (input refused) and 2 (command line not understood)."""

DIVERGED = 3
"""The run is saved, but a circuit diverged in it."""

DIFFERS = 4
"""A verified run does not come out as it is stored."""

FAILED = 5
"""The sweep is saved, but points of it failed."""

FAULT = 70
"""An error that nobody foresaw, as sysexits.h numbers it."""
