"""The schema of a run's Dataset: one table that the writer, the validation and the tests share."""

from typing import Any, NamedTuple

import numpy as np
import xarray as xr

CONVENTIONS = "CF-1.11"
SCHEMA = "adaptnet-1"

# What the attribute `kind` may say: samples one by one, which it need not say, or theory instead.
RESPONSES = "responses"  # outputs that were recorded, not simulated
RUNS = ("simulation", "flow", "offline", RESPONSES)
TABLE = "table"  # results over whatever dimensions a scenario varies, each variable described
SWEEP = "sweep"  # what was kept at each point of a space of parameters, described alike
RESULTS = (TABLE, SWEEP)


class Variable(NamedTuple):
    """What the schema says of a variable; a run leaves out dimensions its truth does not need."""

    dims: tuple[str, ...]
    dtype: str
    long_name: str
    comment: str = ""
    units: str = "1"


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
        "learning rate times samples processed; if the rate decays, its integral over samples",
    ),
}

# Computed from a circuit's records and the true covariance.
ERRORS = {
    "whitening_error": Variable(
        ("circuit", "replicate", "sample"),
        "f8",
        "whitening error max |eigenvalue(C_yy) - 1|",
        "C_yy is the output covariance under the true input covariance and the current weights; "
        "NaN after diverged_sample, and at it if the weights then have no stable fixed point",
    ),
    "frobenius_error": Variable(
        ("circuit", "replicate", "sample"),
        "f8",
        "Frobenius whitening error ||C_yy - I||_F",
        "NaN after diverged_sample, and at it if the weights then have no stable fixed point",
    ),
}

# Computed from a circuit's outputs alone, as an experimenter would.
EMPIRICAL = {
    "empirical_whitening_error": Variable(
        ("circuit", "replicate", "sample"),
        "f8",
        "empirical whitening error max |eigenvalue(S) - 1|",
        "S is the mean of y y' over the outputs so far, whose weights fade over output_timescale "
        "samples; sampling_floor is its root mean square in the long run if outputs were white, "
        "Gaussian and independent from sample to sample; NaN before the first sample",
    ),
    "empirical_frobenius_error": Variable(
        ("circuit", "replicate", "sample"),
        "f8",
        "empirical Frobenius whitening error ||S - I||_F",
        "as empirical_whitening_error",
    ),
}

# What the circuits of this package record; others declare their own (see Circuit.recordable).
EFFECTIVE_WEIGHTS = Variable(
    ("circuit", "replicate", "sample", "neuron", "neuron_2"),
    "f8",
    "effective weights",
    "the matrix whose inverse maps inputs to the fixed point of the outputs: M, or W W'; NaN after "
    "diverged_sample, at which they are the weights that failed",
)
RESPONSE = Variable(
    ("circuit", "replicate", "sample", "neuron", "neuron_2"),
    "f8",
    "response matrix",
    "the matrix that maps inputs to the outputs given: after as many Euler steps as the last "
    "sample took, if the fast dynamics are integrated",
)
FAST_STEPS = Variable(
    ("circuit", "replicate", "sample"),
    "i8",
    "Euler steps of the fast dynamics",
    "the most used by a sample since the previous record; 0 if the fixed point is solved exactly",
)
OUTPUTS = Variable(
    ("circuit", "replicate", "sample", "neuron"),
    "f8",
    "outputs",
    "activity y of the primary neurons for sample s, counted from 0, under the weights after s "
    "samples; NaN where these have no stable fixed point, and at the end of a run, which has no "
    "further sample",
)
INTERNEURON_ACTIVITY = Variable(
    ("circuit", "replicate", "sample", "interneuron"),
    "f8",
    "activity of the interneurons",
    "z for sample s, as outputs; NaN beyond a circuit's number of interneurons",
)
GAINS = Variable(
    ("circuit", "replicate", "sample", "interneuron"),
    "f8",
    "gains of the interneurons",
    "NaN beyond a circuit's number of interneurons",
)
SYNAPSES = Variable(
    ("circuit", "replicate", "sample", "neuron", "interneuron"),
    "f8",
    "synapses between primary neurons and interneurons",
    "W; NaN beyond a circuit's number of interneurons",
)
OUTWARD_SYNAPSES = SYNAPSES._replace(
    long_name="synapses from interneurons to primary neurons", comment="W_yz"
)
INWARD_SYNAPSES = Variable(
    ("circuit", "replicate", "sample", "interneuron", "neuron"),
    "f8",
    "synapses from primary neurons to interneurons",
    "W_zy",
)
INPUTS = Variable(
    ("replicate", "sample", "neuron"),
    "f8",
    "inputs",
    "sample s, counted from 0; NaN at the end of a run, which has no further sample",
)
COVARIANCE = Variable(
    ("replicate", "sample", "neuron", "neuron_2"), "f8", "covariance of the inputs in force"
)

# What `simulate(record=...)` may name for the circuits of this package.
RECORDABLE = {
    **ERRORS,
    **EMPIRICAL,
    "effective_weights": EFFECTIVE_WEIGHTS,
    "fast_steps": FAST_STEPS,
    "response": RESPONSE,
    "outputs": OUTPUTS,
    "interneuron_activity": INTERNEURON_ACTIVITY,
    "gains": GAINS,
    "synapses": SYNAPSES,
    "outward_synapses": OUTWARD_SYNAPSES,
    "inward_synapses": INWARD_SYNAPSES,
    "inputs": INPUTS,
    "covariance": COVARIANCE,
}

ALWAYS = {
    "context": Variable(("replicate", "sample"), "i8", "context in force"),
    "change_sample": Variable(
        ("replicate", "change"),
        "i8",
        "sample at which the context changes",
        "the first sample of the new context; -1 if a replicate has fewer changes than others",
    ),
    "change_end": Variable(
        ("replicate", "change"),
        "i8",
        "sample at which a change is over",
        "the first sample at which the covariance has arrived, change_sample if the change is "
        "abrupt; n_samples or more if the run ends before; -1 if a replicate has fewer changes "
        "than others",
    ),
    "context_left": Variable(("replicate", "change"), "i8", "context left at a change"),
    "context_entered": Variable(("replicate", "change"), "i8", "context entered at a change"),
    "diverged_sample": Variable(
        ("circuit", "replicate"),
        "i8",
        "sample at which the circuit diverged",
        "-1 if it did not; the last valid weights are those after this number of samples",
    ),
}

# Known for samples drawn from inputs of known covariance, as adaptnet.theory.noise_floor has them.
FLOORS = {
    "whitening_error_floor": Variable(
        ("circuit", "replicate", "change"),
        "f8",
        "noise floor of the whitening error",
        "root mean square once the circuit has converged in the context entered, for a small "
        "constant learning rate and the fourth moments and memory of the inputs; NaN if theory "
        "does not cover the circuit or those moments are unknown",
    ),
    "frobenius_error_floor": Variable(
        ("circuit", "replicate", "change"),
        "f8",
        "noise floor of the Frobenius whitening error",
        "as whitening_error_floor",
    ),
}

# Known if the environment knows the truth of its inputs.
CHANGES = {
    "change_distance": Variable(
        ("replicate", "change"),
        "f8",
        "affine-invariant distance between the covariances left and entered",
        "from the covariance before a change begins to that after it has ended; NaN if a "
        "replicate has fewer changes than others",
    ),
    "change_direction": Variable(
        ("replicate", "change"),
        "i8",
        "direction of a change in total variance",
        "-1 if a replicate has fewer changes than others",
    ),
}
DIRECTIONS = ("level", "up", "down")

FINAL_STATE = Variable(
    ("circuit", "replicate", "word"),
    "i8",
    "state at the end of the run",
    "the bytes of the arrays that each circuit carries from sample to sample, in order, as 64-bit "
    "words; zeros beyond a circuit's own; the code of its failure if it diverged; read by "
    "adaptnet.simulate(start=...)",
)

VARIABLES = {**RECORDABLE, **ALWAYS, **CHANGES, **FLOORS, "final_state": FINAL_STATE}
NEEDS_TRUTH = ("whitening_error", "frobenius_error", "covariance")


def variable(name: str, dims: tuple[str, ...], values: Any, **attributes: Any) -> xr.Variable:
    """Return `values` as the schema's variable or coordinate `name`, described."""
    return described({**COORDINATES, **AUXILIARY, **VARIABLES}[name], dims, values, **attributes)


def coordinate(name: str, values: Any) -> xr.Variable:
    """Return `values` as the coordinate `name`, described; dimensions of records are numbered."""
    known = Variable((name,), "i8", name.replace("_", " "))
    return described({name: known, **COORDINATES}[name], (name,), values)


def time(samples: Any, sampling_rate: float) -> xr.Variable:
    """Return seconds along samples, for what was recorded at so many samples per second."""
    return xr.Variable(
        ("sample",), np.asarray(samples) / sampling_rate, {"long_name": "time", "units": "s"}
    )


def described(
    entry: Variable, dims: tuple[str, ...], values: Any, **attributes: Any
) -> xr.Variable:
    """Return `values` with the name, comment and units that an entry of the schema gives them."""
    attrs: dict[str, Any] = {"long_name": entry.long_name}
    if entry.comment:
        attrs["comment"] = entry.comment
    if entry.dtype != "U":
        attrs["units"] = entry.units
    return xr.Variable(dims, values, {**attrs, **attributes})


def context_flags(names: Any) -> dict[str, Any]:
    """Return the CF attributes that give context numbers their names."""
    words = ("_".join(str(name).split()) or "unnamed" for name in names)
    return {
        "flag_values": np.arange(len(names), dtype=np.int64),
        "flag_meanings": " ".join(words),
    }
