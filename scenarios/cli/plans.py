"""What a user asks to be run: a scenario's name, a TOML file, or a run that is stored."""

import dataclasses
import tomllib
import typing
from pathlib import Path
from typing import Any

from scenarios.base import Scenario


def planned(what: str, allow_paths: bool) -> dict[str, Any]:
    """Return the scenario, its parameters, replicates, seed and name that `what` asks for."""
    import scenarios

    path = Path(what)
    plan: dict[str, Any] = {"parameters": {}, "replicates": None, "seed": 0, "name": what}
    if path.suffix == ".toml":
        return plan | _from_toml(path) | {"name": path.stem}
    if path.suffix == ".nc":
        return plan | _from_run(path, allow_paths)
    return plan | {"type": scenarios.find(what)}


def _from_toml(path: Path) -> dict[str, Any]:
    import scenarios
    from scenarios.base import suggestion

    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{path} is not a TOML file: {error}") from error
    kinds = {"scenario": str, "replicates": int, "seed": int, "parameters": dict}
    for key, value in given.items():
        if key not in kinds:
            raise ValueError(f"{path}: there is no key {key!r}; {suggestion(key, kinds)}")
        if not isinstance(value, kinds[key]) or isinstance(value, bool):
            raise TypeError(f"{path}: {key} must be of type {kinds[key].__name__}, got {value!r}")
    if "scenario" not in given:
        raise ValueError(f'{path} must name a scenario: scenario = "switching"')
    return given | {"type": scenarios.find(given["scenario"])}


def _from_run(path: Path, allow_paths: bool) -> dict[str, Any]:
    """Return what a run's file says of how to run it again."""
    import scenarios
    from adaptnet._checks import json_object, whole_number
    from adaptnet.files.storage import attributes, seed

    attrs = attributes(path)
    if "scenario" not in attrs:
        raise ValueError(
            f"{path} was not made by a scenario but by a script, which alone can run it again"
        )
    parameters = json_object(attrs.get("scenario_parameters"), f"scenario_parameters of {path}")
    if not allow_paths:
        refuse_paths(parameters, path)
    return {
        "type": scenarios.find(str(attrs["scenario"])),
        "parameters": parameters,
        "replicates": whole_number(f"n_replicates of {path}", attrs.get("n_replicates")),
        "seed": seed(attrs, str(path)),
        "name": str(attrs["scenario"]),
    }


def refuse_paths(stored: Any, source: Path) -> None:
    """Raise if stored parameters name a file outside the working directory."""
    if isinstance(stored, dict):
        stored = list(stored.values())
    if isinstance(stored, list | tuple):
        for value in stored:
            refuse_paths(value, source)
    elif isinstance(stored, str) and (Path(stored).is_absolute() or ".." in Path(stored).parts):
        raise ValueError(
            f"{source} asks for a file outside this folder, {stored!r}; if you trust it, "
            "give --allow-paths"
        )


def parsed_settings(scenario: type[Scenario], settings: tuple[str, ...]) -> dict[str, Any]:
    """Return the parameters set on the command line, of the types that the scenario gives them."""
    from scenarios.base import parsed, suggestion

    kinds = typing.get_type_hints(scenario)
    names = [field.name for field in dataclasses.fields(scenario)]
    values = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise ValueError(f"--set must be given as name=value, got {setting!r}")
        if name not in names:
            raise ValueError(f"there is no parameter {name!r}; {suggestion(name, names)}")
        values[name] = parsed(name, text, kinds[name])
    return values
