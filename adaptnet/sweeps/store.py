"""Where the parts of a sweep are kept until it is complete: in memory, or in a folder."""

import contextlib
import json
import logging
import os
import re
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from adaptnet._checks import json_object
from adaptnet.files import atomic, seals
from adaptnet.files.locks import Lock
from adaptnet.files.paths import working_folder
from adaptnet.sweeps.parts import Part, decoded

_log = logging.getLogger(__name__)
_PART = re.compile(r"([0-9a-f]{32})-(\d+)-(\d+)\.(done|failed)")
_OURS = re.compile(r"[0-9a-f]{32}-\d+-\d+\.(done|failed|running)(\.part)?|sweep(\..+\.part)?")
_LARGEST = 2**40


class Name(NamedTuple):
    """Of what a part is kept: a point, and a range of its replicates."""

    key: str
    first: int
    stop: int

    def __str__(self) -> str:
        return f"{self.key}-{self.first}-{self.stop}"


class Store(ABC):
    """Parts by name."""

    @abstractmethod
    def names(self) -> list[Name]:
        """Return what is there and has not failed, in no order."""

    @abstractmethod
    def read(self, name: Name) -> Part:
        """Return a part, failed or not."""

    @abstractmethod
    def write(self, name: Name, content: bytes, *, failed: bool) -> None:
        """Keep a part, from then on whatever happens."""

    @abstractmethod
    def begin(self, name: Name) -> None:
        """Note that a part is being computed."""


class MemoryStore(Store):
    """Parts that go when the process does."""

    def __init__(self) -> None:
        self._parts: dict[Name, bytes] = {}

    def names(self) -> list[Name]:
        """Return what is there."""
        return list(self._parts)

    def read(self, name: Name) -> Part:
        """Return a part."""
        return decoded(self._parts[name])

    def write(self, name: Name, content: bytes, *, failed: bool) -> None:
        """Keep a part."""
        self._parts[name] = content

    def begin(self, name: Name) -> None:
        """Note nothing: nobody else sees it."""


class FolderStore(Store):
    """Parts in the working folder of `target`, one file each, sealed and durable.

    A file has its name when it is whole and on the disk. A failed part is computed again by a call
    that finds it, since what made it fail may be gone.
    """

    def __init__(self, target: Path) -> None:
        self.path = working_folder(target)

    def names(self) -> list[Name]:
        """Return what is there and has not failed."""
        return [name for name, failed in self.entries() if not failed]

    def entries(self) -> Iterator[tuple[Name, bool]]:
        """Yield the name of each part, and whether it failed."""
        if not self.path.is_dir():
            return
        with os.scandir(self.path) as entries:
            for entry in entries:
                found = _PART.fullmatch(entry.name)
                if found:
                    key, first, stop, end = found.groups()
                    yield Name(key, int(first), int(stop)), end == "failed"

    def read(self, name: Name) -> Part:
        """Return a part.

        Raises
        ------
        ValueError
            If it is damaged.
        """
        for end in ("done", "failed"):
            path = self.path / f"{name}.{end}"
            if path.exists():
                return decoded(seals.content(path, _LARGEST), str(path))
        raise FileNotFoundError(f"there is no part {name} in {self.path}")

    def write(self, name: Name, content: bytes, *, failed: bool) -> None:
        """Keep a part, durably."""
        seals.replace(self.path / f"{name}.{'failed' if failed else 'done'}", content)
        if not failed:
            (self.path / f"{name}.failed").unlink(missing_ok=True)
        (self.path / f"{name}.running").unlink(missing_ok=True)

    def begin(self, name: Name) -> None:
        """Leave a mark, which :func:`adaptnet.sweeps.status` counts."""
        (self.path / f"{name}.running").touch()

    def running(self) -> int:
        """Return the number of parts that are marked as being computed."""
        return sum(1 for _ in self.path.glob("*.running"))

    def description(self) -> dict[str, Any]:
        """Return what sweep is kept here.

        Raises
        ------
        FileNotFoundError
            If none is.
        ValueError
            If what is there is damaged, or no sweep.
        """
        content = seals.content(self.path / "sweep", _LARGEST)
        return json_object(content.decode(errors="replace"), str(self.path / "sweep"))

    def describe(self, description: dict[str, Any]) -> None:
        """Make this the folder of a sweep; several processes may do so at once."""
        part = self.path / f"sweep.{uuid.uuid4().hex}.part"
        seals.replace(part, json.dumps(description).encode())
        atomic.rename(part, self.path / "sweep")

    def clear_marks(self) -> None:
        """Remove what processes that were killed have left."""
        atomic.remove([*self.path.glob("*.running"), *self.path.glob("*.part")])

    def remove(self, keys: set[str]) -> None:
        """Remove the parts of some points."""
        for name, failed in list(self.entries()):
            if name.key in keys:
                (self.path / f"{name}.{'failed' if failed else 'done'}").unlink(missing_ok=True)

    @contextlib.contextmanager
    def resumable(self) -> Iterator[None]:
        """Say where finished parts are, if what is done within fails or is interrupted."""
        try:
            yield
        except BaseException:
            _log.warning("finished parts are kept in %s; repeat the call to resume", self.path)
            raise

    def discard(self) -> None:
        """Remove the folder, and nothing in it that this package did not put there."""
        with os.scandir(self.path) as entries:
            atomic.remove(
                [self.path / entry.name for entry in entries if _OURS.fullmatch(entry.name)]
            )
        for folder in self.path.glob("share-*"):
            (folder / "lock").unlink(missing_ok=True)
            folder.rmdir()
        (self.path / "lock").unlink(missing_ok=True)  # last: until then nobody can take the folder
        self.path.rmdir()


def lock(store: FolderStore, share: tuple[int, int] | None) -> list[Lock]:
    """Take a sweep's folder: alone, or beside other shares of the sweep.

    Raises
    ------
    BlockingIOError
        If another process has it.
    """
    held = [Lock(store.path, shared=share is not None)]
    if share is not None:
        try:
            held.append(Lock(store.path / f"share-{share[0]}-{share[1]}"))
        except BaseException:
            held[0].release()
            raise
    return held
