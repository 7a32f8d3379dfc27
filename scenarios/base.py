"""What a scenario is: typed parameters with defaults that mean something, and their use."""

import dataclasses
import difflib
import json
import typing
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure, SubFigure

    from adaptnet import Circuit
    from adaptnet.seeding import Rng
    from environments import Environment


def parameter(
    default: Any, meaning: str, *, above: float | None = None, at_most: int | None = None
) -> Any:
    """Return a scenario's field: its default, its meaning in a line, and bounds on its value."""
    return dataclasses.field(
        default=default, metadata={"meaning": meaning, "above": above, "at_most": at_most}
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scenario(ABC):
    """A question, the runs that answer it, and how the answer is drawn, under one name.

    A subclass is a frozen dataclass whose fields, made by :func:`parameter`, are the scenario's
    parameters; its docstring's first line is its title. It lives in a module of its own in this
    package, and is found there.
    """

    default_replicates: ClassVar[int] = 20
    preview: ClassVar[Mapping[str, Any]] = {}
    """Parameters of a run of a second or so, for a first look."""

    threshold: float = parameter(0.1, "error below which a circuit counts as readapted", above=0)

    def __post_init__(self) -> None:
        kinds = typing.get_type_hints(type(self))
        for field in dataclasses.fields(self):
            value = _checked(field.name, getattr(self, field.name), kinds[field.name])
            above = field.metadata["above"]
            if above is not None and not value > above:
                raise ValueError(f"{field.name} must be greater than {above:g}, got {value!r}")
            at_most = field.metadata["at_most"]
            if at_most is not None and value > at_most:
                raise ValueError(
                    f"{field.name} must be at most {at_most}, got {value!r}: beyond it a scenario "
                    "takes days; simulate from a script if you mean it"
                )
            object.__setattr__(self, field.name, value)

    @classmethod
    def title(cls) -> str:
        """Return the scenario in a line."""
        return (cls.__doc__ or cls.__name__).strip().splitlines()[0]

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Self:
        """Return the scenario with some parameters set.

        Raises
        ------
        TypeError, ValueError
            If there is no such parameter (the nearest is suggested) or a value does not fit.
        """
        names = [field.name for field in dataclasses.fields(cls)]
        for name in values:
            if name not in names:
                raise ValueError(f"there is no parameter {name!r}; {suggestion(name, names)}")
        return cls(**values)

    @abstractmethod
    def run(
        self,
        *,
        n_replicates: int | None = None,
        rng: "Rng" = 0,
        n_threads: int | None = None,
        progress: bool | None = None,
    ) -> "xr.Dataset":
        """Return the results, with the scenario and its parameters in the attributes."""

    @abstractmethod
    def plot(self, dataset: "xr.Dataset") -> "Figure | SubFigure":
        """Return the scenario's figure of its results."""

    @abstractmethod
    def report(self, dataset: "xr.Dataset") -> str:
        """Return the scenario's results in a few lines or a table."""

    def attributes(self, n_replicates: int) -> dict[str, Any]:
        """Return what a file of results must say for the scenario to be run again."""
        return {
            "scenario": name_of(type(self)),
            "scenario_parameters": json.dumps(dataclasses.asdict(self)),
            "n_replicates": n_replicates,
        }


@dataclasses.dataclass(frozen=True, kw_only=True)
class SimulationScenario(Scenario):
    """A scenario that is one simulation: an environment, circuits, and how readaptation went."""

    records: int = parameter(800, "records of the error in a replicate", above=0)

    @abstractmethod
    def environment(self) -> "Environment":
        """Return where the inputs come from."""

    @abstractmethod
    def circuits(self) -> "dict[str, Circuit]":
        """Return the circuits that are compared, by name."""

    @property
    @abstractmethod
    def n_samples(self) -> int:
        """Samples a replicate."""

    @property
    def record_every(self) -> int:
        """Samples between records."""
        return max(1, self.n_samples // self.records)

    def run(
        self,
        *,
        n_replicates: int | None = None,
        rng: "Rng" = 0,
        n_threads: int | None = None,
        progress: bool | None = None,
        **recording: Any,
    ) -> "xr.Dataset":
        """Simulate, and return the run with the scenario and its parameters in the attributes.

        With a `path`, and what else :func:`adaptnet.simulate` takes beside it, the run is recorded
        there and survives interruptions.
        """
        import adaptnet

        replicates = self.default_replicates if n_replicates is None else n_replicates
        return adaptnet.simulate(
            self.circuits(),
            self.environment(),
            self.n_samples,
            n_replicates=replicates,
            rng=rng,
            record_every=self.record_every,
            n_threads=n_threads,
            progress=progress,
            attributes=self.attributes(replicates),
            **recording,
        )

    def plot(self, dataset: "xr.Dataset") -> "Figure | SubFigure":
        """Return a figure of the errors of a run."""
        import adaptnet

        return adaptnet.plot_readaptation(dataset, self.threshold)[0]

    def report(self, dataset: "xr.Dataset") -> str:
        """Return the readaptation times of a run as a table."""
        from scenarios.tables import readaptation_table

        return readaptation_table(dataset, self.threshold)


def name_of(scenario: type[Scenario]) -> str:
    """Return the name a scenario goes by: its module's, with dashes."""
    return scenario.__module__.rpartition(".")[2].replace("_", "-")


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return the known names as a hint, the nearest first.

    Examples
    --------
    >>> suggestion("swiching", ["natural-images", "switching"])
    "did you mean 'switching'? known are natural-images, switching"
    """
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    return (f"did you mean {near[0]!r}? " if near else "") + f"known are {', '.join(names)}"


def _checked(name: str, value: Any, kind: Any) -> Any:
    """Return `value` as `kind` if it is of that kind: ints pass for floats, lists for tuples."""
    if typing.get_origin(kind) is tuple:
        (item, _) = typing.get_args(kind)
        if not isinstance(value, list | tuple):
            raise TypeError(f"{name} must be a list of {item.__name__}, got {value!r}")
        return tuple(_checked(name, v, item) for v in value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            raise ValueError(f"{name} must be finite, got a number beyond 1e308") from None
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise TypeError(f"{name} must be of type {kind.__name__}, got {value!r}")
    if kind is float and value - value != 0:  # NaN and the infinities
        raise ValueError(f"{name} must be finite, got {value!r}")
    return value


def parsed(name: str, text: str, kind: Any) -> Any:
    """Return the value of a parameter given as text on the command line.

    Examples
    --------
    >>> parsed("learning_rate", "1e-3", float), parsed("pictures", "grass,brick", tuple[str, ...])
    (0.001, ('grass', 'brick'))

    Raises
    ------
    TypeError
        If the text is no value of the kind.
    """
    if typing.get_origin(kind) is tuple:
        return tuple(
            parsed(name, part.strip(), typing.get_args(kind)[0]) for part in text.split(",")
        )
    if kind is bool:
        if text.lower() not in ("true", "false"):
            raise TypeError(f"{name} must be true or false, got {text!r}")
        return text.lower() == "true"
    try:
        if (
            kind is int and float(text).is_integer()
        ):  # 1e5 is a fine way to write a number of samples
            return int(float(text)) if not text.lstrip("+-").isdigit() else int(text)
        return kind(text)
    except (ValueError, OverflowError):
        raise TypeError(f"{name} must be of type {kind.__name__}, got {text!r}") from None
