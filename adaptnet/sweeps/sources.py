"""What is swept: a scenario or a function, and what it simulates at a point."""

import dataclasses
import importlib.metadata
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, runtime_checkable

import xarray as xr

from adaptnet._words import suggestion
from adaptnet.circuits.base import Circuit
from adaptnet.seeding import Rng
from adaptnet.sweeps.identity import fingerprint
from adaptnet.sweeps.points import Points, Value
from adaptnet.sweeps.simulations import Simulation, as_simulation

REGISTRIES = "adaptnet.registries"
"""Group of entry points: functions that return what can be swept by its name."""


@runtime_checkable
class Scenario(Protocol):
    """The shape of a scenario, as a sweep sees it: a dataclass of parameters that runs."""

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> "Scenario":
        """Return the scenario with some parameters set."""

    @classmethod
    def name(cls) -> str:
        """Return the scenario's name."""

    def run(
        self,
        *,
        n_replicates: int | None = None,
        rng: Rng = 0,
        n_threads: int | None = None,
        progress: bool | None = None,
    ) -> xr.Dataset:
        """Return the results."""


@dataclasses.dataclass(frozen=True)
class Source:
    """What is swept, with the parameters that are the same at all points."""

    what: Any
    fixed: Mapping[str, Value]

    @property
    def is_scenario(self) -> bool:
        """Whether it is a scenario, and not a function."""
        return isinstance(self.what, type)

    @property
    def is_table(self) -> bool:
        """Whether it is a scenario that makes a table of its own, and not one simulation."""
        return self.is_scenario and not hasattr(self.what, "compared")

    @property
    def name(self) -> str:
        """What it is called in files and messages."""
        return str(
            self.what.name()
            if self.is_scenario
            else getattr(self.what, "__qualname__", type(self.what).__qualname__)
        )

    @property
    def default_replicates(self) -> int:
        """Replicates unless others are asked for."""
        return int(getattr(self.what, "default_replicates", 1))

    def describe(self) -> dict[str, Any]:
        """Return what determines the simulations beside the parameters of a point."""
        return {"what": self.name, "code": fingerprint(self.what), "fixed": dict(self.fixed)}

    def meanings(self) -> dict[str, str]:
        """Return the meanings of the parameters that say what they are."""
        if not self.is_scenario:
            return {}
        fields = dataclasses.fields(self.what)
        return {f.name: f.metadata["meaning"] for f in fields if "meaning" in f.metadata}

    def parameters(self) -> list[str] | None:
        """Return the names of the parameters; None if any name is taken."""
        if self.is_scenario:
            return [field.name for field in dataclasses.fields(self.what)]
        taken = inspect.signature(self.what).parameters.values()
        if any(parameter.kind is parameter.VAR_KEYWORD for parameter in taken):
            return None
        return [p.name for p in taken if p.kind is not p.POSITIONAL_ONLY]

    def scenario(self, point: Mapping[str, Value]) -> Any:
        """Return the scenario at a point; of the point, what the scenario has."""
        return self.what.from_values(self._own(point))

    def simulation(self, point: Mapping[str, Value]) -> Simulation:
        """Return what is simulated at a point.

        Raises
        ------
        TypeError, ValueError
            If a value does not fit.
        """
        if self.is_scenario:
            scenario = self.scenario(point)
            simulation = Simulation(
                scenario.compared(),
                scenario.environment(),
                scenario.n_samples,
                scenario.record_every,
            )
        else:
            simulation = as_simulation(self.what(**self._own(point)), self.name)
        changes = {k: v for k, v in {**self.fixed, **point}.items() if k not in self._own(point)}
        changed = with_parameters(simulation.circuits, changes, self.parameters() or ())
        return simulation._replace(circuits=changed)

    def _own(self, point: Mapping[str, Value]) -> dict[str, Value]:
        """Return the parameters of the source itself, without those of its circuits."""
        known = self.parameters()
        values = {**self.fixed, **point}
        return {
            name: value
            for name, value in values.items()
            if (name in known if known is not None else "." not in name)
        }


def source(what: Any, fixed: Mapping[str, Any] | None = None) -> Source:
    """Return what is to be swept.

    Parameters
    ----------
    what : str, scenario or callable
        The name of a scenario, a scenario's class, a scenario (whose parameters are then fixed), or
        a function.
    fixed : mapping of str to value, optional
        Parameters that are the same at all points.

    Raises
    ------
    TypeError, ValueError
        If it is of another type, or no scenario has the name.
    """
    if isinstance(what, str):
        what = _by_name(what)
    own = dict(fixed or {})
    if isinstance(what, type) and issubclass(what, Scenario):
        return Source(what, own)
    if isinstance(what, Scenario):
        defaults = type(what).from_values({})
        set_before = {
            field.name: getattr(what, field.name)
            for field in dataclasses.fields(what)  # type: ignore[arg-type]
            if getattr(what, field.name) != getattr(defaults, field.name)
        }
        return Source(type(what), {**set_before, **own})
    if callable(what) and not isinstance(what, type):
        return Source(what, own)
    raise TypeError(
        "what must be the name of a scenario, a scenario, or a function of the swept parameters, "
        f"got {what!r:.100}"
    )


def _by_name(name: str) -> Any:
    for entry in importlib.metadata.entry_points(group=REGISTRIES):
        return entry.load()(name)
    raise ValueError(f"there is no scenario {name!r}: no package that registers any is installed")


def with_parameters(
    circuits: Mapping[str, Circuit] | Circuit,
    changes: Mapping[str, Value],
    further: Iterable[str] = (),
) -> dict[str, Circuit]:
    """Return circuits with parameters changed: ``"direct.learning_rate"``, or of all that have it.

    `further` are parameters beside those of the circuits, for an error to suggest.

    Raises
    ------
    TypeError, ValueError
        If there is no such circuit or parameter (the nearest is suggested), or a value does not
        fit.

    Examples
    --------
    >>> import adaptnet as an
    >>> pair = {"a": an.DirectCircuit(), "b": an.InterneuronCircuit(n_interneurons=5)}
    >>> changed = with_parameters(pair, {"learning_rate": 0.01, "b.n_interneurons": 7})
    >>> changed["a"].learning_rate, changed["b"].learning_rate, changed["b"].n_interneurons
    (0.01, 0.01, 7)
    """
    assert isinstance(circuits, Mapping)
    changed = dict(circuits)
    for name, value in changes.items():
        label, _, parameter = name.rpartition(".")
        if label and label not in circuits:
            raise ValueError(f"there is no circuit {label!r}; {suggestion(label, circuits)}")
        having = [
            circuit
            for circuit in ([label] if label else circuits)
            if parameter in _fields(circuits[circuit])
        ]
        if not having:
            among = [label] if label else list(circuits)
            known = {field for circuit in among for field in _fields(circuits[circuit])}
            known |= set() if label else set(further)
            raise ValueError(f"there is no parameter {name!r}; {suggestion(parameter, known)}")
        for circuit in having:
            changed[circuit] = dataclasses.replace(changed[circuit], **{parameter: value})
    return changed


def _fields(circuit: Circuit) -> list[str]:
    return [field.name for field in dataclasses.fields(circuit) if field.init]


def require_runnable(what: Source, points: Points) -> None:
    """Raise unless every name is known and every value fits, each tried once, before anything runs.

    Raises
    ------
    TypeError, ValueError
        With the point whose value does not fit.
    """
    known = what.parameters()
    for name in (*points.names, *what.fixed):
        plain = "." not in name
        if plain and known is not None and name not in known and what.is_table:
            raise ValueError(f"there is no parameter {name!r}; {suggestion(name, known)}")
    both = set(points.names) & set(what.fixed)
    if both:
        raise ValueError(f"{', '.join(sorted(both))} cannot be both swept and fixed")
    tried: set[tuple[str, Value]] = set()
    for i, point in enumerate(points):
        new = {(name, value) for name, value in point.items()} - tried
        if not (new or what.is_scenario):
            continue
        tried |= new
        try:
            if not new or what.is_table:
                what.scenario(point)  # a parameter's bounds may depend on another's
            else:
                what.simulation(point)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{error} (point {i}: {shown(point)})") from error


def shown(point: Mapping[str, Value]) -> str:
    """Return a point in a line.

    Examples
    --------
    >>> shown({"learning_rate": 1e-4, "condition": 10})
    'learning_rate = 0.0001, condition = 10'
    """
    return ", ".join(
        f"{name} = {value:g}" if isinstance(value, float) else f"{name} = {value}"
        for name, value in point.items()
    )


def require_dataset(value: Any, keep: Callable[[xr.Dataset], Any]) -> xr.Dataset:
    """Return what `keep` returned as a Dataset.

    Raises
    ------
    TypeError
        If it is of another type.
    """
    if isinstance(value, xr.DataArray):
        value = value.to_dataset(name=value.name or getattr(keep, "__name__", "value"))
    if isinstance(value, Mapping) and not isinstance(value, xr.Dataset):
        value = xr.Dataset(dict(value))
    if not isinstance(value, xr.Dataset):
        raise TypeError(
            f"keep must return a Dataset, a DataArray or a mapping of names to them, got "
            f"{value!r:.100}"
        )
    return value
