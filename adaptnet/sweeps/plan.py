"""What a sweep is: everything that its results depend on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from adaptnet._checks import whole_number
from adaptnet.files.provenance import code
from adaptnet.seeding import Rng, root_seed
from adaptnet.sweeps.identity import checksum
from adaptnet.sweeps.points import Over, Points, points_of
from adaptnet.sweeps.sources import Source, require_runnable, source
from adaptnet.sweeps.tasks import Keep, keeping


@dataclass(frozen=True)
class Sweep:
    """What a sweep is: everything that its results depend on."""

    source: Source
    points: Points
    keep: Keep
    seed: np.random.SeedSequence
    n_replicates: int
    independent: bool
    with_flow: bool = False

    def describe(self) -> dict[str, Any]:
        """Return what all points have in common."""
        together = {} if self.splits else {"n_replicates": self.n_replicates}
        return {
            **self.source.describe(),
            "keep": self.keep.describe(),
            "seed": [str(self.seed.entropy), list(self.seed.spawn_key)],
            "independent": self.independent,
            "with_flow": self.with_flow,
            "code": [self.source.describe()["code"], code()],
            **together,
        }

    @property
    def splits(self) -> bool:
        """Whether the replicates of a point may be computed apart."""
        return self.keep.is_per_replicate and not self.source.is_table

    def keys(self) -> list[str]:
        """Return a checksum for each point: of what determines its results."""
        shared = self.describe()
        return [checksum([shared, point]) for point in self.points]


def planned(
    what: Any,
    over: Over,
    fixed: Mapping[str, Any] | None,
    keep: str | Callable[[xr.Dataset], Any],
    n_replicates: int | None,
    rng: Rng,
    independent: bool,
    with_flow: bool = False,
) -> Sweep:
    """Return the sweep that was asked for, checked.

    Raises
    ------
    TypeError, ValueError
        If a name is unknown or a value does not fit.
    """
    found, points = source(what, fixed), points_of(over)
    require_runnable(found, points)
    number = found.default_replicates if n_replicates is None else n_replicates
    return Sweep(
        found,
        points,
        keeping(keep),
        root_seed(rng),
        whole_number("n_replicates", number),
        bool(independent),
        bool(with_flow),
    )
