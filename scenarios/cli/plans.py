"""What a user asks to run: the name of a scenario, a TOML file, or a run that is stored."""

import os
import tomllib
import typing
from pathlib import Path
from typing import Any, NamedTuple

import scenarios
from adaptnet._checks import json_object, whole_number
from adaptnet._words import suggestion
from adaptnet.files.reading import attributes
from adaptnet.files.storage import seed
from adaptnet.seeding import Rng
from scenarios.base import Scenario
from scenarios.parameters import parsed, require_known


class Plan(NamedTuple):
    """A scenario, its parameters, replicates and seed, and the name of the run's file."""

    scenario: type[Scenario]
    name: str
    parameters: dict[str, Any] = {}  # noqa: RUF012, never changed in place
    replicates: int | None = None
    seed: Rng = 0
    sweep: dict[str, Any] | None = None


def planned(what: str, allow_paths: bool, *, sweeping: bool = False) -> Plan:
    """Return the plan that `what` asks for."""
    path = Path(what)
    if path.suffix == ".toml":
        plan = _from_toml(path)
        if plan.sweep is not None and not sweeping:
            raise ValueError(f"{path} describes a sweep; run it with `adaptnet sweep {path}`")
        return plan
    if path.suffix == ".nc":
        return _from_run(path, allow_paths)
    return Plan(scenarios.find(what), what)


def _from_toml(path: Path) -> Plan:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))  # editors may add a mark
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{path} is not a TOML file: {error}") from error
    kinds = {"scenario": str, "replicates": int, "seed": int, "parameters": dict, "sweep": dict}
    for key, value in values.items():
        if key not in kinds:
            raise ValueError(f"{path}: there is no key {key!r}; {suggestion(key, kinds)}")
        if not isinstance(value, kinds[key]) or isinstance(value, bool):
            raise TypeError(f"{path}: {key} must be of type {kinds[key].__name__}, got {value!r}")
    if "scenario" not in values:
        raise ValueError(f'{path} must name a scenario: scenario = "switching"')
    return Plan(scenarios.find(values.pop("scenario")), path.stem, **values)


def _from_run(path: Path, allow_paths: bool) -> Plan:
    """Return the plan that the file of a run stores."""
    attrs = attributes(path)
    if attrs.get("kind") == "sweep":
        raise ValueError(f"{path} is a sweep; `adaptnet sweep` runs and extends sweeps")
    if "scenario" not in attrs:
        raise ValueError(
            f"{path} was not made by a scenario but by a script, which alone can run it again"
        )
    parameters = json_object(attrs.get("scenario_parameters"), f"scenario_parameters of {path}")
    if not allow_paths:
        refuse_paths(parameters, path)
    name = str(attrs["scenario"])
    return Plan(
        scenarios.find(name),
        name,
        parameters,
        whole_number(f"n_replicates of {path}", attrs.get("n_replicates")),
        seed(attrs, str(path)),
    )


def refuse_paths(stored: Any, source: Path) -> None:
    """Raise if stored parameters name a file outside the working directory."""
    if isinstance(stored, dict):
        stored = list(stored.values())
    if isinstance(stored, list | tuple):
        for value in stored:
            refuse_paths(value, source)
    elif isinstance(stored, str) and not _is_inside(stored):
        raise ValueError(
            f"{source} asks for a file outside this folder, {stored!r}; if you trust it, "
            "give --allow-paths"
        )


def _is_inside(name: str) -> bool:
    """Return whether a name, links followed, stays inside the working directory."""
    if "\0" in name:  # no file has such a name
        return True
    return Path(os.path.realpath(name)).is_relative_to(Path.cwd().resolve())


def parsed_settings(scenario: type[Scenario], settings: tuple[str, ...]) -> dict[str, Any]:
    """Return the parameters set on the command line, of the types that the scenario gives them."""
    kinds = typing.get_type_hints(scenario)
    values = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise ValueError(f"--set must be given as name=value, got {setting!r}")
        require_known([name], scenario)
        values[name] = parsed(name, text, kinds[name])
    return values
