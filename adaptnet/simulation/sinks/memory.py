"""A run that is recorded into memory."""

from collections.abc import Sequence

import numpy as np

from adaptnet.circuits.base import State
from adaptnet.files.sizes import require_memory
from adaptnet.simulation.plan import Layout
from adaptnet.simulation.rows import Rows
from adaptnet.simulation.sinks.base import Reached, Sink, placed


def require_memory_for(layout: Layout) -> None:
    """Raise unless the records fit into memory."""
    require_memory(
        f"{layout.plan.n_records} records of {layout.n_replicates} replicates",
        layout.n_bytes,
        "raise record_every, record fewer variables, or give a path to record to",
    )


class MemorySink(Sink):
    """The recorded variables of a run as arrays."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        require_memory_for(layout)
        self.arrays = {
            name: np.zeros(layout.shape(name, layout.plan.n_records), dtype=variable.dtype)
            for name, variable in layout.records.items()
        }

    def write(self, replicate: int, first: int, rows: Rows) -> None:
        """Store the rows of a replicate from number `first` on."""
        for name in rows.dtype.names or ():
            index, values = placed(self.layout, name, replicate, first, rows)
            self.arrays[name][index] = values

    def keep(
        self, replicate: int, reached: Reached, states: Sequence[State], *, at_once: bool
    ) -> None:
        """Keep nothing: arrays go when the process does."""
