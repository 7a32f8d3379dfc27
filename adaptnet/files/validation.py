"""Whether a Dataset is a run, or a table of results, of this package."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from adaptnet._checks import LARGEST
from adaptnet.files.schema import (
    ALWAYS,
    AUXILIARY,
    COORDINATES,
    DIRECTIONS,
    RESULTS,
    RUNS,
    SCHEMA,
    TABLE,
    VARIABLES,
)

_TRUTHS = ("exact", "empirical", "absent")


def require_mark(mark: Any, source: str) -> None:
    """Raise unless the attribute ``adaptnet_schema`` says that `source` follows this schema."""
    if mark != SCHEMA:
        raise ValueError(
            f"{source} is not a run of adaptnet: its attribute adaptnet_schema is {mark!r:.100}, "
            f"expected {SCHEMA!r}; runs are made by adaptnet.simulate or `adaptnet run`"
        )


def validate(dataset: xr.Dataset, source: str = "the dataset", *, run: bool = False) -> xr.Dataset:
    """Return `dataset` if it is a run, or a table of results, of this package.

    Parameters
    ----------
    dataset : Dataset
    source : str
        What the dataset is called in an error.
    run : bool
        Whether it must be a run.

    Raises
    ------
    ValueError
        If the schema's mark is missing or of another version, the kind is unknown, a variable that
        every run has is missing or has dimensions or a type that the schema does not give it, two
        circuits have one name, a result in a table is not described, or a table comes where a run
        must.

    Examples
    --------
    >>> validate(xr.Dataset())
    Traceback (most recent call last):
    ...
    ValueError: the dataset is not a run of adaptnet: its attribute adaptnet_schema is None,
    expected 'adaptnet-1'; runs are made by adaptnet.simulate or `adaptnet run`
    """
    require_mark(dataset.attrs.get("adaptnet_schema"), source)
    kind = dataset.attrs.get("kind", RUNS[0])
    if kind not in (*RUNS, *RESULTS):
        raise ValueError(
            f"{source} is damaged: its attribute kind is {kind!r}, expected one of "
            f"{', '.join((*RUNS, *RESULTS))}; run it again"
        )
    present: Mapping[Any, Any] = dataset.variables
    if kind in RESULTS:
        if run:
            what = "a table of results" if kind == TABLE else "a sweep"
            raise ValueError(
                f"{source} is {what}, which has no errors over samples; `adaptnet plot` draws it, "
                "`adaptnet info` says what is in it"
            )
        for name, variable in present.items():
            if "long_name" not in variable.attrs:
                raise ValueError(f"{source} is damaged: {name} has no long_name; run it again")
        return dataset
    n_samples = dataset.attrs.get("n_samples")
    if not (isinstance(n_samples, int | np.integer) and 0 < n_samples <= LARGEST):
        raise ValueError(f"{source} is damaged: its attribute n_samples is {n_samples!r:.50}")
    truth = dataset.attrs.get("truth")
    if truth not in _TRUTHS:
        raise ValueError(
            f"{source} is damaged: its attribute truth is {truth!r:.50}, expected one of "
            f"{', '.join(_TRUTHS)}; run it again"
        )
    missing = [name for name in (*COORDINATES, *ALWAYS) if name not in present]
    if missing:
        raise ValueError(f"{source} is damaged: it lacks {', '.join(missing)}; run it again")
    empty = [name for name in ("circuit", "replicate", "sample") if present[name].size == 0]
    if empty:
        raise ValueError(f"{source} holds no {empty[0]}; select at least one")
    for name, entry in {**COORDINATES, **AUXILIARY, **VARIABLES}.items():
        if name not in present:
            continue
        dims, letter = present[name].dims, present[name].dtype.kind
        if not set(dims) <= set(entry.dims) or letter not in entry.dtype.replace("U", "UOT"):
            raise ValueError(
                f"{source} is damaged: {name} has dimensions {dims} and type "
                f"{present[name].dtype}, expected {entry.dims} and {entry.dtype}; run it again"
            )
    circuits = present["circuit"].values.ravel().tolist()
    repeated = [name for name in dict.fromkeys(circuits) if circuits.count(name) > 1]
    if repeated:
        raise ValueError(f"{source} holds the circuit {repeated[0]!r} twice; select each once")
    _validate_contexts(present, source)
    return dataset


def _validate_contexts(present: Mapping[Any, Any], source: str) -> None:
    """Raise unless every context that is left or entered, and every direction, has a name."""
    meanings = present["context"].attrs.get("flag_meanings")
    if not isinstance(meanings, str):
        raise ValueError(
            f"{source} is damaged: flag_meanings of context is {meanings!r:.50}, expected the "
            "names of the contexts; run it again"
        )
    n_contexts = len(meanings.split())
    named = {
        "context_left": n_contexts,
        "context_entered": n_contexts,
        "change_direction": len(DIRECTIONS),
    }
    for name, n_names in named.items():
        numbers = present[name].values if name in present else np.empty(0)
        if numbers.size and not -1 <= numbers.min() <= numbers.max() < n_names:
            raise ValueError(
                f"{source} is damaged: {name} goes from {numbers.min()} to {numbers.max()}, but "
                f"has names for 0 to {n_names - 1}; run it again"
            )
