"""What there is of a sweep, and what is missing."""

from collections.abc import Iterator

import xarray as xr

from adaptnet._checks import json_object
from adaptnet.sweeps import gather
from adaptnet.sweeps.parts import Part
from adaptnet.sweeps.plan import Sweep
from adaptnet.sweeps.points import Points
from adaptnet.sweeps.store import Name, Store
from adaptnet.sweeps.tasks import FAILED, Task


class Collection:
    """What is there of a sweep: parts in a store, and points of a file that is extended."""

    def __init__(self, planned: Sweep, store: Store, before: xr.Dataset | None = None) -> None:
        self.sweep = planned
        self.store = store
        self.keys = planned.keys()
        self._stored: dict[str, list[Name]] = {}
        for name in store.names():
            self._stored.setdefault(name.key, []).append(name)
        self._before: dict[str, Part] = {}
        self._n_before = 0
        if before is not None:
            self._take_over(before)
        self.failed: dict[str, list[Name]] = {}

    def _take_over(self, before: xr.Dataset) -> None:
        points = stored_points(before)
        kept = json_object(before.attrs.get("sweep"), "sweep of the dataset").get("kept")
        part = gather.parts_of(before, points, kept if isinstance(kept, dict) else {})
        wanted = set(self.keys)
        self._n_before = int(before.attrs["n_replicates"])
        for i, key in enumerate(before["point_key"].values.ravel().tolist()):
            if key in wanted and (found := part(i)).status != FAILED:
                self._before[key] = found

    def add(self, name: Name, content: bytes, *, failed: bool) -> None:
        """Keep a part that was computed."""
        self.store.write(name, content, failed=failed)
        (self.failed if failed else self._stored).setdefault(name.key, []).append(name)

    def of(self, i: int) -> Iterator[Part]:
        """Yield what there is of a point."""
        key = self.keys[i]
        if key in self._before:
            yield self._before[key]
        for name in self._stored.get(key, []) + self.failed.get(key, []):
            yield self.store.read(name)

    def missing(self, i: int) -> Iterator[tuple[int, int]]:
        """Yield the ranges of replicates of a point that are not there."""
        key, reached = self.keys[i], 0
        there = [(name.first, name.stop) for name in self._stored.get(key, [])]
        if key in self._before:
            there.append((0, self._n_before))
        for first, stop in sorted(there):
            if first > reached:
                yield reached, first
            reached = max(reached, stop)
        if reached < self.sweep.n_replicates:
            yield reached, self.sweep.n_replicates

    def tasks(self, per_task: int, share: tuple[int, int] | None) -> Iterator[Task]:
        """Yield what is to be computed, of all points or of a share of them."""
        number, n_shares = share or (1, 1)
        for i in range(number - 1, len(self.keys), n_shares):
            for first, stop in self.missing(i):
                for begin in range(first, stop, per_task):
                    yield Task(
                        self.sweep.points[i],
                        self.keys[i],
                        begin,
                        min(begin + per_task, stop),
                        self.sweep.independent,
                    )


def stored_points(dataset: xr.Dataset) -> Points:
    """Return the points of a sweep's Dataset, tuples and flags as texts.

    Raises
    ------
    ValueError
        If it is damaged.
    """
    described = json_object(dataset.attrs.get("sweep"), "sweep of the dataset")
    try:
        names = tuple(map(str, described["swept"]))
        axes = tuple(tuple(dataset[name].values.tolist()) for name in names)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"the dataset is damaged: it does not say its points ({error})") from error
    return Points(names, axes, is_product=bool(described.get("is_product")))
