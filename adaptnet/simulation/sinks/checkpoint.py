"""Checkpoints: how far a replicate is, and the state of its circuits, as bytes."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from adaptnet._checks import json_object
from adaptnet.circuits.base import State
from adaptnet.kernels.status import Status
from adaptnet.simulation.sinks.base import Reached


@dataclass(frozen=True)
class Checkpoint:
    """What is known of a replicate when its rows are durable."""

    reached: Reached
    n_rows: int
    rows_sha256: str
    states: bytes

    def encoded(self) -> bytes:
        """Return a line of JSON, then the states."""
        head = {**vars(self.reached), "n_rows": self.n_rows, "rows_sha256": self.rows_sha256}
        return json.dumps(head).encode() + b"\n" + self.states

    @classmethod
    def decoded(cls, content: bytes, source: Path) -> "Checkpoint":
        """Return what `encoded` gave, read from `source`.

        Raises
        ------
        ValueError
            If `content` is anything else.
        """
        line, _, states = content.partition(b"\n")
        head = json_object(line.decode(errors="replace"), str(source))
        try:
            n_rows, digest = head.pop("n_rows"), str(head.pop("rows_sha256"))
            reached = Reached(**head)
            numbers = [reached.processed, n_rows, *reached.diverged, *reached.failures]
        except (KeyError, TypeError) as error:
            raise ValueError(f"{source} is damaged: {error}") from error
        if not all(isinstance(number, int) for number in numbers) or n_rows < 0:
            raise ValueError(f"{source} is damaged: it holds something other than numbers")
        return cls(reached, n_rows, digest, states)

    def fits(self, n_samples: int, states: Sequence[State]) -> bool:
        """Return whether this may be of a run of `n_samples` with `states`."""
        reached = self.reached
        return (
            0 < reached.processed <= n_samples
            and len(reached.diverged) == len(reached.failures) == len(states)
            and all(failure in set(Status) for failure in reached.failures)
            and len(self.states) == n_bytes(states)
        )

    def bring(self, states: Sequence[State]) -> None:
        """Bring `states` to where they were."""
        rest = self.states
        for state in states:
            for array in state:
                stored = np.frombuffer(rest[: array.nbytes], array.dtype)
                array[...] = stored.reshape(array.shape)
                rest = rest[array.nbytes :]


def as_bytes(states: Sequence[State]) -> bytes:
    """Return the numbers of `states`, one after the other."""
    return b"".join(np.ascontiguousarray(array).tobytes() for state in states for array in state)


def n_bytes(states: Sequence[State]) -> int:
    """Return the length of what `as_bytes` returns."""
    return sum(array.nbytes for state in states for array in state)
