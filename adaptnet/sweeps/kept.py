"""Runs of a longer computation that are kept on disk until its result is there."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import xarray as xr

from adaptnet.files.locks import Lock
from adaptnet.files.provenance import code
from adaptnet.sweeps.identity import checksum
from adaptnet.sweeps.parts import dataset_of, encoded, part_of
from adaptnet.sweeps.store import FolderStore, Name, Store


class Kept:
    """Runs by a key: computed once, and read from a store when they are asked for again."""

    def __init__(self, store: Store | None = None, description: Any = None) -> None:
        self._store = store
        self._description = description
        self._there = set(store.names()) if store is not None else set()

    def run(self, key: Any, compute: Callable[[], xr.Dataset]) -> xr.Dataset:
        """Return the run of a key, plain JSON values, computing it if it is not kept yet."""
        if self._store is None:
            return compute()
        name = Name(checksum([self._description, key]), 0, 0)
        if name in self._there:
            return dataset_of(self._store.read(name))
        found = compute()
        self._store.write(name, encoded(part_of(found, "done", "", 0.0)), failed=False)
        return found


@contextlib.contextmanager
def kept_beside(target: Path, description: Mapping[str, Any], *, overwrite: bool) -> Iterator[Kept]:
    """Give what keeps the runs of a computation in the folder ``<target>.partial``.

    The folder is removed when the block ends well, and kept for the next call if it does not.

    Parameters
    ----------
    target : Path
        The file that the result will be in.
    description : mapping
        What determines the runs, as plain JSON values.
    overwrite : bool
        Whether what is kept of another computation may be thrown away.

    Raises
    ------
    FileExistsError
        If the folder holds runs of another computation, and `overwrite` is false.
    BlockingIOError
        If another process uses it.
    """
    store = FolderStore(target)
    lock = Lock(store.path)
    whole = {**description, "code": code()}
    try:
        try:
            same = store.description() == {"computation": whole}
        except FileNotFoundError:
            same = True
        if not same and not overwrite:
            raise FileExistsError(
                f"{store.path} holds runs of other parameters, another seed or another version; "
                "choose another name, or replace it on purpose with overwrite=True"
            )
        if not same:
            store.remove({name.key for name, _ in store.entries()})
        store.clear_marks()
        store.describe({"computation": whole})
        with store.resumable():
            yield Kept(store, whole)
        store.discard()
    finally:
        lock.release()
