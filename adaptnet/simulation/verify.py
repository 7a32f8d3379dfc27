"""Whether a stored run comes out again bit for bit."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from adaptnet._checks import json_object, json_value, whole_number
from adaptnet.circuits import from_parameters
from adaptnet.circuits.base import State
from adaptnet.files import storage
from adaptnet.files.provenance import differences
from adaptnet.protocols import Environment
from adaptnet.simulation.experiment import Experiment, experiment, window_around
from adaptnet.simulation.label import changes_of, description
from adaptnet.simulation.loop import Loop
from adaptnet.simulation.observed import checked_timescale
from adaptnet.simulation.plan import Layout, Plan, checked_variables
from adaptnet.simulation.rows import Rows
from adaptnet.simulation.sinks.base import Reached, Sink, placed
from adaptnet.simulation.states import NAME, words
from adaptnet.simulation.threads import n_cores, single_threaded_blas

_CHANGES = ("change_sample", "change_end", "context_left", "context_entered")


@dataclass(frozen=True)
class Verification:
    """What running a stored run again has shown."""

    replicates: tuple[int, ...]
    """The replicates that were run again."""

    differing: tuple[str, ...]
    """A line for each variable or parameter that differs; empty if nothing does."""

    software: tuple[str, ...]
    """A line for each version or feature of the machine that is not the same."""


@single_threaded_blas()
def verify(
    stored: xr.Dataset,
    environment: Environment,
    *,
    n_replicates: int | None = None,
    n_threads: int | None = None,
    progress: bool | None = None,
) -> Verification:
    """Run a stored run again, from the parameters stored with it, and compare bit for bit.

    Memory does not grow with the run: records are compared as they are made.

    Parameters
    ----------
    stored : Dataset
        A run, as :func:`load` returns it.
    environment : Environment
        The environment of its parameters.
    n_replicates : int, optional
        Run only this number of its replicates again, spread evenly over all.
    n_threads : int, optional
        Replicates run at the same time.
    progress : bool, optional
        As for :func:`simulate`.

    Raises
    ------
    ValueError
        If the stored parameters are damaged or do not describe the stored variables, or the run is
        not a simulation.

    Examples
    --------
    >>> from adaptnet.circuits import DirectCircuit
    >>> from adaptnet.simulation.array_environment import given
    >>> from adaptnet.simulation.simulate import simulate
    >>> inputs = np.random.default_rng(0).normal(size=(500, 3))
    >>> run = simulate(DirectCircuit(), inputs, record_every=100)
    >>> verify(run, given(inputs, 500)).differing
    ()
    """
    if "start_sha256" in stored.attrs:
        raise ValueError(
            "stored must start from its parameters to be run again, but it started from another "
            "run; simulate(start=...) from that one, and compare"
        )
    again = stored_experiment(stored, environment)
    layout = again.layout
    wanted = min(
        layout.n_replicates,
        layout.n_replicates if n_replicates is None else whole_number("n_replicates", n_replicates),
    )
    replicates = np.linspace(0, layout.n_replicates - 1, wanted).round().astype(int).tolist()
    comparison = _Comparison(layout, stored)
    threads = n_cores() if n_threads is None else whole_number("n_threads", n_threads)
    loop = Loop(again, comparison)
    reached = loop.run(replicates, threads, progress)

    if NAME in stored:
        states = words([loop.states[r] for r in replicates], [r.failures for r in reached])
        comparison.compare(NAME, stored[NAME].values[:, replicates], states)
    comparison.compare("sample", stored["sample"].values, layout.plan.all_samples)
    diverged = stored["diverged_sample"].values[:, replicates]
    comparison.compare("diverged_sample", diverged, np.array([r.diverged for r in reached]).T)
    changes = changes_of(again, [0] if layout.shared_path else replicates)
    for name in _CHANGES:
        values = changes[name]
        before = stored[name].values
        before = before[None] if layout.shared_path else before[replicates]
        n = values.shape[1]
        comparison.compare(name, before[:, :n], values)
        comparison.compare(name, before[:, n:], np.full_like(before[:, n:], -1))
    attributes = description(again)
    parameters = differences(stored.attrs, attributes, software=False)
    software = differences(stored.attrs, attributes, software=True)
    return Verification(tuple(replicates), (*parameters, *comparison.lines()), tuple(software))


def stored_experiment(
    stored: xr.Dataset, environment: Environment, n_samples: int | None = None
) -> Experiment:
    """Return the experiment that a simulation stores, or the same for another number of samples.

    Raises
    ------
    ValueError
        If the run is not a simulation, or is damaged.
    """
    attrs = stored.attrs
    if attrs.get("kind") != "simulation":
        raise ValueError(
            f"stored must be a simulation to be run again, got one of kind {attrs.get('kind')!r}; "
            "theory's runs follow from their parameters: call adaptnet.theory again"
        )
    circuits = {
        name: from_parameters(parameters)
        for name, parameters in json_object(attrs.get("circuits"), "circuits of the run").items()
    }
    record = json_value(attrs.get("record"), "record of the run")
    if not isinstance(record, list):
        raise ValueError(f"record of the run is damaged: expected a list, got {record!r:.100}")
    plan = Plan(
        n_samples or whole_number("n_samples of the run", attrs.get("n_samples")),
        whole_number("record_every of the run", attrs.get("record_every")),
        checked_variables(record, environment.truth, circuits),
    )
    known = {"scenario", "scenario_parameters", "start_sha256"} & attrs.keys()
    again = experiment(
        circuits,
        environment,
        storage.seed(attrs, "the run"),
        plan,
        whole_number("n_replicates of the run", attrs.get("n_replicates")),
        record_changes=bool(attrs.get("record_changes", True)),
        record_around=window_around(json_value(attrs.get("record_around", "null"), "the run")),
        output_timescale=checked_timescale(attrs.get("output_timescale"), plan.variables, circuits),
        attributes={name: attrs[name] for name in known},
    )
    layout = again.layout
    for name in layout.names if n_samples is None else ():
        shape = stored[name].shape if name in stored else None
        if shape != layout.shape(name, layout.plan.n_records):
            raise ValueError(
                f"{name} has the shape {shape}, and would have "
                f"{layout.shape(name, layout.plan.n_records)} by the parameters of the run: part "
                "of it was taken away, or runs were merged"
            )
    return again


class _Comparison(Sink):
    """Compares rows with those that are stored, and notes what differs."""

    def __init__(self, layout: Layout, stored: xr.Dataset) -> None:
        self.layout = layout
        self._stored = stored
        self._comparing = threading.Lock()
        self._differing: dict[str, tuple[int, float, str]] = {}  # number, largest, the first

    def write(self, replicate: int, first: int, rows: Rows) -> None:
        """Compare rows `first` and on of a replicate."""
        for name in rows.dtype.names or ():
            index, values = placed(self.layout, name, replicate, first, rows)
            before = self._stored[name].variable[index].values
            with self._comparing:
                where = f"replicate {replicate}, record {first} or later"
                self.compare(name, before, np.ascontiguousarray(values), where)

    def keep(
        self, replicate: int, reached: Reached, states: Sequence[State], *, at_once: bool
    ) -> None:
        """Keep nothing: a comparison is made in one go."""

    def compare(
        self, name: str, stored: npt.NDArray[Any], again: npt.NDArray[Any], where: str = ""
    ) -> None:
        """Note where two arrays of 8-byte numbers differ in a bit."""
        one, other = (np.ascontiguousarray(values).view(np.int64) for values in (stored, again))
        if one.shape != other.shape:
            self._differing[name] = (1, np.nan, f"shapes {one.shape} and {other.shape}")
        elif (one != other).any():
            at = one != other
            gap = np.abs(stored[at].astype(float) - again[at].astype(float))
            n, largest, place = self._differing.get(name, (0, 0.0, where))
            self._differing[name] = (n + int(at.sum()), max(largest, *gap.tolist()), place)

    def lines(self) -> list[str]:
        """Return a line for each variable that differs."""
        return [
            f"{name}: {n} values differ, by up to {largest:.3g} ({place})".replace(" ()", "")
            for name, (n, largest, place) in self._differing.items()
        ]


def compare(stored: xr.Dataset, again: xr.Dataset) -> list[str]:
    """Return the variables that are not the same, bit for bit, in two runs.

    Examples
    --------
    >>> compare(xr.Dataset({"a": 1.0}), xr.Dataset({"a": 2.0}))
    ['a: differs']
    """
    names = sorted({*map(str, stored.variables), *map(str, again.variables)})
    return [f"{name}: differs" for name in names if not _same(stored, again, name)]


def _same(stored: xr.Dataset, again: xr.Dataset, name: str) -> bool:
    if name not in stored.variables or name not in again.variables:
        return False
    one, other = stored[name].values, again[name].values
    if one.shape != other.shape or one.dtype.kind != other.dtype.kind:
        return one.shape == other.shape and bool((one == other).all())  # texts of other widths
    return (
        one.tolist() == other.tolist()
        if one.dtype.kind in "UOT"
        else (one.tobytes() == other.tobytes())
    )
