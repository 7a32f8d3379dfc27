"""The rows that a replicate records: one per recorded sample, a field per variable."""

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from adaptnet._checks import Floats, Integers
from adaptnet.circuits.base import Records
from adaptnet.files.schema import ERRORS
from adaptnet.metrics import response_errors, whitening_errors
from adaptnet.protocols import Realization
from adaptnet.simulation.plan import Layout

Rows: TypeAlias = npt.NDArray[np.void]


class Truth(NamedTuple):
    """What an environment says about the recorded samples of a block."""

    contexts: Integers
    covariances: Floats | None  # (record, n, n), if known and needed
    inputs: Floats | None = None  # (record, n), if needed


def truth_at(
    realization: Realization, samples: Integers, layout: Layout, inputs: Floats | None = None
) -> Truth:
    """Return contexts, and covariances and inputs (record, n) if any variable needs them."""
    covariances = realization.covariances(samples) if layout.needs_covariances else None
    return Truth(
        realization.contexts(samples), covariances, inputs if layout.needs_inputs else None
    )


def blank(layout: Layout, replicate: int, truth: Truth) -> Rows:
    """Return rows that hold the truth, and no circuit's records yet."""
    rows = np.zeros(len(truth.contexts), layout.row(replicate))
    for name in rows.dtype.names or ():
        if layout.records[name].dtype == "f8":
            rows[name] = np.nan
    known = {
        "context": truth.contexts,
        "covariance": truth.covariances,
        "inputs": truth.inputs,
    }
    for name, values in known.items():
        if name in (rows.dtype.names or ()):
            rows[name] = values
    return rows


def fill(
    rows: Rows,
    circuit: int,
    records: Records,
    response: str,
    truth: Truth,
    activities: Callable[[Records, Floats], Mapping[str, Floats]] | None = None,
    further: Mapping[str, Floats] | None = None,
) -> None:
    """Write what a circuit records, and the errors that follow from it, into the first rows.

    Parameters
    ----------
    rows : Rows
    circuit : int
        Number of the circuit in the run.
    records : mapping of str to array (record, ...)
        May hold fewer records than there are rows, if the circuit diverged.
    response : str
        Which record the outputs follow from: the effective weights, whose inverse maps inputs to
        outputs, or else a matrix that maps them.
    truth : Truth
        At all of the rows.
    activities : callable, optional
        From records and inputs to the activities that these lead to.
    further : mapping of str to array (record, ...), optional
        What else is known at the records.
    """
    values = {**records, **(further or {})}
    n_records = len(values["effective_weights"])
    if truth.covariances is not None:
        errors = whitening_errors if response == "effective_weights" else response_errors
        values |= zip(ERRORS, errors(values[response], truth.covariances[:n_records]), strict=True)
    if truth.inputs is not None and activities is not None:
        recorded = set(rows.dtype.names or ())
        reached = activities(values, truth.inputs[:n_records])
        reached = {name: reached[name] for name in reached.keys() & recorded}
        if reached and response == "effective_weights":  # a response says where dynamics end
            unstable = np.isnan(_errors_under(values))
            for activity in reached.values():
                activity[unstable] = np.nan  # there is no fixed point for it to go to
        values |= reached
    for name in values.keys() & set(rows.dtype.names or ()):
        block = values[name]
        target = rows[name][:n_records, circuit]
        within: tuple[slice, ...] = tuple(slice(length) for length in block.shape)
        target[within] = block


def _errors_under(values: Records) -> Floats:
    """Return whitening errors, of any inputs: NaN where weights have no stable fixed point."""
    if "whitening_error" in values:
        return values["whitening_error"]
    A = values["effective_weights"]
    return whitening_errors(A, np.eye(A.shape[-1]))[0]
