"""What a run can be asked directly: ``dataset.adaptnet``."""

from typing import Any

import xarray as xr

from adaptnet import readaptation

_OF_NO_DATASET = {"MEASURES", "STYLES", "style", "circuit_colours", "plot_environment"}


@xr.register_dataset_accessor("adaptnet")  # type: ignore[no-untyped-call]
class Adaptnet:
    """The measures and pictures of a run, or of a measure's results, as methods.

    Each is the function of the same name in `adaptnet.readaptation` or `adaptnet.plotting` with the
    dataset as its first argument.

    Examples
    --------
    >>> import numpy as np, adaptnet as an
    >>> inputs = np.random.default_rng(0).normal(size=(50, 2))
    >>> run = an.simulate(an.DirectCircuit(), inputs)
    >>> run.adaptnet.parameters()["direct"]["learning_rate"]
    0.001
    """

    def __init__(self, dataset: xr.Dataset) -> None:
        self._dataset = dataset

    def parameters(self) -> dict[str, dict[str, Any]]:
        """Return the parameters of each circuit, by name."""
        from adaptnet.files.parameters import circuit_parameters

        return circuit_parameters(self._dataset)

    def measure(self, name: str, **options: Any) -> xr.Dataset:
        """Return a measure by its name; see `adaptnet.readaptation.MEASURES`."""
        return readaptation.measure(self._dataset, name, **options)

    def __getattr__(self, name: str) -> Any:
        from functools import partial

        from adaptnet import plotting

        for module in (readaptation, plotting):
            if name in module.__all__ and name not in _OF_NO_DATASET:
                return partial(getattr(module, name), self._dataset)
        raise AttributeError(
            f"there is no {name!r}; known are {', '.join(n for n in dir(self) if n[0] != '_')}"
        )

    def __dir__(self) -> list[str]:
        from adaptnet import plotting

        own = [*readaptation.__all__, *plotting.__all__, "parameters", "measure"]
        return sorted(set(own) - _OF_NO_DATASET)
