"""The folder in which an unfinished run is kept; docs/durability.md says what is in it."""

import itertools
import json
import logging
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from adaptnet._checks import json_object
from adaptnet.files import atomic, seals
from adaptnet.files.packing import packed, unpacked
from adaptnet.files.paths import working_folder
from adaptnet.files.sizes import require_memory
from adaptnet.simulation.sinks.checkpoint import Checkpoint

_log = logging.getLogger(__name__)

_OF_REPLICATES = re.compile(r"(\d+\.(rows|state|previous)|.+\.part)")


class Folder:
    """The names of what is in the working folder of `target`, and what is read from there."""

    def __init__(self, target: Path) -> None:
        self.path = working_folder(target)
        self.run = self.path / "run"
        self.part = self.path / "file.part"

    def rows(self, replicate: int) -> Path:
        """Return the file of the records of a replicate."""
        return self.path / f"{replicate}.rows"

    def state(self, replicate: int) -> Path:
        """Return the file of the last checkpoint of a replicate."""
        return self.path / f"{replicate}.state"

    def previous(self, replicate: int) -> Path:
        """Return the file of the checkpoint before the last."""
        return self.path / f"{replicate}.previous"

    def rows_bytes(self) -> int:
        """Return the bytes of all records that are there."""
        files = self._replicate_files()
        return sum(path.lstat().st_size for path in files if path.suffix == ".rows")

    def description(self) -> dict[str, Any]:
        """Return the attributes of the run that is kept here.

        Raises
        ------
        FileNotFoundError
            If the file does not exist.
        ValueError
            If they are damaged.
        """
        line, _, numbers = _sealed(self.run).partition(b"\n")
        stored = json_object(line.decode(errors="replace"), str(self.run))
        arrays, entries = {}, stored.pop("arrays", {})
        try:
            for name, (dtype, shape) in entries.items():
                array = np.frombuffer(numbers, np.dtype(dtype), int(np.prod(shape)))
                arrays[name] = array.reshape(shape)
                numbers = numbers[array.nbytes :]
        except (TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"{self.run} is damaged: {error}") from error
        description = unpacked(stored, arrays)
        if not isinstance(description.get("n_replicates"), int):
            raise ValueError(f"{self.run} is damaged: it does not say how many replicates")
        return description

    def describe(self, description: Mapping[str, Any]) -> None:
        """Make this the folder of another run, of which nothing is there yet."""
        atomic.remove(self._replicate_files())
        attributes, arrays = packed(description)
        entries = {name: (array.dtype.str, array.shape) for name, array in arrays.items()}
        head = json.dumps({**attributes, "arrays": entries}).encode()
        seals.replace(
            self.run, b"".join([head, b"\n", *(array.tobytes() for array in arrays.values())])
        )

    def checkpoint(self, path: Path) -> Checkpoint:
        """Return a checkpoint of this folder.

        Raises
        ------
        FileNotFoundError, ValueError
            If it is not there, or damaged.
        """
        return Checkpoint.decoded(_sealed(path), path)

    def processed(self) -> dict[int, int]:
        """Return the number of samples processed by each replicate that has begun."""
        processed: dict[int, int] = {}
        for suffix in (".state", ".previous"):
            for path in self._replicate_files():
                if path.suffix != suffix:
                    continue
                try:
                    reached = self.checkpoint(path).reached
                    processed.setdefault(int(path.stem), reached.processed)
                except (FileNotFoundError, ValueError) as error:
                    _log.warning("%s; it is ignored", error)
        return processed

    def discard(self) -> None:
        """Remove the folder, and nothing in it that this package did not put there."""
        last = [self.path / "lock"]  # until then nobody else can take the folder
        atomic.remove(itertools.chain([self.run], self._replicate_files(), last))
        try:
            self.path.rmdir()
        except OSError as error:
            _log.warning("%s is no longer needed but could not be removed: %s", self.path, error)

    def _replicate_files(self) -> Iterator[Path]:
        for path in self.path.glob("*"):
            if _OF_REPLICATES.fullmatch(path.name):
                yield path


def _sealed(path: Path) -> bytes:
    size = path.lstat().st_size
    require_memory(str(path), 3 * size, "delete its folder if it is not of a run of yours")
    return seals.content(path, size)
