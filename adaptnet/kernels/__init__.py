"""Compiled kernels: arrays in, arrays out, a module per way of computing.

A circuit's ways lead to the same results at different costs. Each is a module with four names:

``State``
    a named tuple of arrays: what is carried from one sample to the next, and all that is;
``initial_state(initial_weights)``
    the state before the first sample;
``advance(states, inputs, rates, recorded, records)``
    process a block of samples for a group of replicates, and return an ``Outcome`` for each.
    States are changed in place. Inputs are (replicate, sample, n); `rates` (replicate, sample) are
    the learning rates, 0 leaving the synapses exactly as they are; `recorded` (sample,) says after
    which samples a record is written to the buffers `records`, name to (replicate, record, ...), of
    which ``effective_weights`` (replicate, record, n, n) is always there. What is recorded after a
    failure means nothing;
``weights(state)``
    a copy of the effective weights (n, n), whose inverse maps an input to its fixed point.

A replicate's bits depend neither on the group, nor on how samples are divided into blocks, nor on
what is recorded.

Nothing here checks its arguments: the circuits of :mod:`adaptnet.circuits` do that before.

Modules are imported, and with them the compiler, when they are first asked for, as in
``kernels.direct.plain``.
"""

import importlib
from typing import Any


def __getattr__(name: str) -> Any:
    try:
        return importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"{__name__}.{name}":
            raise
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
