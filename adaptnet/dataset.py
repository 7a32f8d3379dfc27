"""The schema of a run's Dataset: one table that the writer, the validator and the tests share."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from adaptnet._checks import LARGEST

CONVENTIONS = "CF-1.11"
SCHEMA = "adaptnet-1"


class Variable(NamedTuple):
    """What the schema says of a variable; a run leaves out dimensions its truth does not need."""

    dims: tuple[str, ...]
    dtype: str
    long_name: str
    comment: str = ""


COORDINATES = {
    "circuit": Variable(("circuit",), "U", "name of the circuit"),
    "replicate": Variable(("replicate",), "i8", "replicate"),
    "sample": Variable(
        ("sample",),
        "i8",
        "samples processed",
        "a value at sample s uses the weights after s samples and the covariance in force for "
        "sample s, counted from 0",
    ),
    "neuron": Variable(("neuron",), "i8", "primary neuron"),
    "neuron_2": Variable(("neuron_2",), "i8", "primary neuron"),
    "change": Variable(("change",), "i8", "change of context"),
}

# What `simulate(record=...)` may name.
RECORDABLE = {
    "whitening_error": Variable(
        ("circuit", "replicate", "sample"),
        "f8",
        "whitening error max |eigenvalue(C_yy) - 1|",
        "C_yy is the output covariance under the true input covariance and the current weights; "
        "NaN from diverged_sample on",
    ),
    "frobenius_error": Variable(
        ("circuit", "replicate", "sample"),
        "f8",
        "Frobenius whitening error ||C_yy - I||_F",
        "NaN from diverged_sample on",
    ),
    "effective_weights": Variable(
        ("circuit", "replicate", "sample", "neuron", "neuron_2"),
        "f8",
        "effective weights",
        "the matrix whose inverse maps inputs to outputs: M, or W W'; NaN from diverged_sample on",
    ),
    "fast_steps": Variable(
        ("circuit", "replicate", "sample"),
        "i8",
        "Euler steps of the fast dynamics",
        "the most used by a sample since the previous record; 0 where the fixed point is solved "
        "exactly",
    ),
    "covariance": Variable(
        ("replicate", "sample", "neuron", "neuron_2"), "f8", "covariance of the inputs in force"
    ),
}

ALWAYS = {
    "context": Variable(("replicate", "sample"), "i8", "context in force"),
    "change_sample": Variable(
        ("replicate", "change"),
        "i8",
        "sample at which the context changes",
        "the first sample of the new context; -1 where a replicate has fewer changes than others",
    ),
    "context_left": Variable(("replicate", "change"), "i8", "context left at a change"),
    "context_entered": Variable(("replicate", "change"), "i8", "context entered at a change"),
    "diverged_sample": Variable(
        ("circuit", "replicate"),
        "i8",
        "sample at which the circuit diverged",
        "-1 where it did not; the last sound weights are those after so many samples",
    ),
}

VARIABLES = {**RECORDABLE, **ALWAYS}
NEEDS_TRUTH = ("whitening_error", "frobenius_error", "covariance")


def variable(name: str, dims: tuple[str, ...], values: Any, **attributes: Any) -> xr.Variable:
    """Return `values` as the schema's variable or coordinate `name`, described."""
    entry = {**COORDINATES, **VARIABLES}[name]
    attrs: dict[str, Any] = {"long_name": entry.long_name}
    if entry.comment:
        attrs["comment"] = entry.comment
    if entry.dtype != "U":
        attrs["units"] = "1"
    return xr.Variable(dims, values, {**attrs, **attributes})


def context_flags(names: Any) -> dict[str, Any]:
    """Return the CF attributes that give context numbers their names."""
    words = ("_".join(str(name).split()) or "unnamed" for name in names)
    return {
        "flag_values": np.arange(len(names), dtype=np.int64),
        "flag_meanings": " ".join(words),
    }


def validate(dataset: xr.Dataset, source: str = "the dataset") -> xr.Dataset:
    """Return `dataset` if it is a run of this package.

    Parameters
    ----------
    dataset : Dataset
    source : str
        What the dataset is called in an error.

    Raises
    ------
    ValueError
        If the schema's mark is missing or of another version, a variable that every run has is
        missing, or a variable has dimensions or a type that the schema does not give it.

    Examples
    --------
    >>> validate(xr.Dataset())
    Traceback (most recent call last):
    ...
    ValueError: the dataset is not a run of adaptnet: its attribute adaptnet_schema is None,
    expected 'adaptnet-1'; runs are made by adaptnet.simulate or `adaptnet run`
    """
    mark = dataset.attrs.get("adaptnet_schema")
    if mark != SCHEMA:
        raise ValueError(
            f"{source} is not a run of adaptnet: its attribute adaptnet_schema is {mark!r}, "
            f"expected {SCHEMA!r}; runs are made by adaptnet.simulate or `adaptnet run`"
        )
    n_samples = dataset.attrs.get("n_samples")
    if not (isinstance(n_samples, int | np.integer) and 0 < n_samples <= LARGEST):
        raise ValueError(f"{source} is damaged: its attribute n_samples is {n_samples!r:.50}")
    present: Mapping[Any, Any] = dataset.variables
    missing = [name for name in (*COORDINATES, *ALWAYS) if name not in present]
    if missing:
        raise ValueError(f"{source} is damaged: it lacks {', '.join(missing)}; run it again")
    for name, entry in {**COORDINATES, **VARIABLES}.items():
        if name not in present:
            continue
        dims, kind = present[name].dims, present[name].dtype.kind
        if not set(dims) <= set(entry.dims) or kind not in entry.dtype.replace("U", "UOT"):
            raise ValueError(
                f"{source} is damaged: {name} has dimensions {dims} and type "
                f"{present[name].dtype}, expected {entry.dims} and {entry.dtype}; run it again"
            )
    return dataset
