"""The schema of a run's Dataset: one table that the writer, the validator and the tests share."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import xarray as xr

from adaptnet._checks import LARGEST, Floats, json_object

CONVENTIONS = "CF-1.11"
SCHEMA = "adaptnet-1"

# What the attribute `kind` may say: samples one by one, which it need not say, or theory instead.
RUNS = ("simulation", "flow", "offline")
TABLE = "table"  # results over whatever dimensions a scenario varies, each variable described


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

# Coordinates that a run made by hand may leave out.
AUXILIARY = {
    "synaptic_time": Variable(
        ("circuit", "sample"),
        "f8",
        "synaptic time",
        "learning rate times samples processed; where the rate decays, its integral over samples",
    ),
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
    "change_end": Variable(
        ("replicate", "change"),
        "i8",
        "sample at which a change is over",
        "the first sample at which the covariance has arrived, change_sample if the change is "
        "abrupt; n_samples or more if the run ends before; -1 where a replicate has fewer changes "
        "than others",
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

# Known for samples drawn from inputs of known covariance, as adaptnet.theory.noise_floor has them.
FLOORS = {
    "whitening_error_floor": Variable(
        ("circuit", "replicate", "change"),
        "f8",
        "noise floor of the whitening error",
        "root mean square once the circuit has converged in the context entered, for Gaussian "
        "inputs and a small constant learning rate; NaN where theory knows none",
    ),
    "frobenius_error_floor": Variable(
        ("circuit", "replicate", "change"),
        "f8",
        "noise floor of the Frobenius whitening error",
        "as whitening_error_floor",
    ),
}

# Known where the environment knows the truth of its inputs.
CHANGES = {
    "change_distance": Variable(
        ("replicate", "change"),
        "f8",
        "affine-invariant distance between the covariances left and entered",
        "from the covariance before a change begins to that after it has ended; NaN where a "
        "replicate has fewer changes than others",
    ),
    "change_direction": Variable(
        ("replicate", "change"),
        "i8",
        "direction of a change in total variance",
        "-1 where a replicate has fewer changes than others",
    ),
}
DIRECTIONS = ("level", "up", "down")

VARIABLES = {**RECORDABLE, **ALWAYS, **CHANGES, **FLOORS}
NEEDS_TRUTH = ("whitening_error", "frobenius_error", "covariance")


def variable(name: str, dims: tuple[str, ...], values: Any, **attributes: Any) -> xr.Variable:
    """Return `values` as the schema's variable or coordinate `name`, described."""
    entry = {**COORDINATES, **AUXILIARY, **VARIABLES}[name]
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


def results(
    title: str,
    coordinates: Mapping[str, tuple[Any, str]],
    variables: Mapping[str, tuple[tuple[str, ...], Any, str]],
    attributes: Mapping[str, Any],
) -> xr.Dataset:
    """Return a table of results: what is kept of many runs when no single run says it.

    Parameters
    ----------
    title : str
    coordinates : mapping of str to (values, long name)
        A one-dimensional coordinate for each dimension.
    variables : mapping of str to (dimensions, values, long name)
        Dimensionless results.
    attributes : mapping
        Anything else to keep, provenance for one.

    Returns
    -------
    Dataset
        That :func:`validate` accepts, with ``kind`` table.

    Examples
    --------
    >>> dims = {"scale": ([0.1, 1.0], "scale of the initial weights")}
    >>> times = {"time": (("scale",), [0.7, 0.2], "synaptic time until converged")}
    >>> results("Convergence", dims, times, {})["time"].attrs
    {'long_name': 'synaptic time until converged', 'units': '1'}
    """

    def described(dims: tuple[str, ...], values: Any, long_name: str) -> xr.Variable:
        array = np.asarray(values)
        units = {} if array.dtype.kind == "U" else {"units": "1"}
        return xr.Variable(dims, array, {"long_name": long_name, **units})

    return xr.Dataset(
        {name: described(*entry) for name, entry in variables.items()},
        {name: described((name,), *entry) for name, entry in coordinates.items()},
        {
            "Conventions": CONVENTIONS,
            "adaptnet_schema": SCHEMA,
            "kind": TABLE,
            "title": title,
            **attributes,
        },
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
        every run has is missing or has dimensions or a type that the schema does not give it, a
        result in a table is not described, or a table comes where a run must.

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
    kind = dataset.attrs.get("kind", RUNS[0])
    if kind not in (*RUNS, TABLE):
        raise ValueError(
            f"{source} is damaged: its attribute kind is {kind!r}, expected one of "
            f"{', '.join((*RUNS, TABLE))}; run it again"
        )
    present: Mapping[Any, Any] = dataset.variables
    if kind == TABLE:
        if run:
            raise ValueError(
                f"{source} is a table of results, which has no errors over samples; "
                "`adaptnet plot` draws it, `adaptnet info` says what is in it"
            )
        for name, variable in present.items():
            if "long_name" not in variable.attrs:
                raise ValueError(f"{source} is damaged: {name} has no long_name; run it again")
        return dataset
    n_samples = dataset.attrs.get("n_samples")
    if not (isinstance(n_samples, int | np.integer) and 0 < n_samples <= LARGEST):
        raise ValueError(f"{source} is damaged: its attribute n_samples is {n_samples!r:.50}")
    missing = [name for name in (*COORDINATES, *ALWAYS) if name not in present]
    if missing:
        raise ValueError(f"{source} is damaged: it lacks {', '.join(missing)}; run it again")
    for name, entry in {**COORDINATES, **AUXILIARY, **VARIABLES}.items():
        if name not in present:
            continue
        dims, letter = present[name].dims, present[name].dtype.kind
        if not set(dims) <= set(entry.dims) or letter not in entry.dtype.replace("U", "UOT"):
            raise ValueError(
                f"{source} is damaged: {name} has dimensions {dims} and type "
                f"{present[name].dtype}, expected {entry.dims} and {entry.dtype}; run it again"
            )
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


def circuit_parameters(dataset: xr.Dataset) -> dict[str, dict[str, Any]]:
    """Return the parameters of each circuit of a run, by the circuit's name."""
    stored = json_object(dataset.attrs.get("circuits"), "circuits of the run")
    if not all(isinstance(parameters, dict) for parameters in stored.values()):
        raise ValueError(f"circuits of the run is damaged: it holds no parameters, {stored!r:.100}")
    return stored


def synaptic_time(
    dataset: xr.Dataset, circuit: str, start: npt.ArrayLike, stop: npt.ArrayLike
) -> Floats:
    """Return the synaptic time between samples: the learning rate integrated from start to stop.

    Parameters
    ----------
    dataset : Dataset
        A run.
    circuit : str
        Name of a circuit of the run.
    start, stop : array
        Samples processed; `stop` may be infinite or lie between samples.

    Returns
    -------
    array
        Dimensionless; NaN for a circuit without a learning rate.
    """
    parameters = circuit_parameters(dataset).get(circuit, {})
    rate, decay = parameters.get("learning_rate"), parameters.get("learning_rate_decay", 0.0)
    first, last = np.broadcast_arrays(np.asarray(start, float), np.asarray(stop, float))
    if rate is None:
        return np.full(first.shape, np.nan)
    if not decay:
        return np.asarray(rate * (last - first))
    return np.asarray(rate / decay * (np.log1p(decay * last) - np.log1p(decay * first)))
