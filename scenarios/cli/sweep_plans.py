"""What a user asks to sweep: a scenario and options, or a TOML file."""

from pathlib import Path
from typing import Any, NamedTuple

from adaptnet import design
from adaptnet._words import suggestion
from scenarios.base import Scenario
from scenarios.cli.plans import planned
from scenarios.values import fixed_values, swept_table, swept_values

_KEYS = {
    "over": dict,
    "points": list,
    "design": dict,
    "keep": str,
    "independent": bool,
    "flow": bool,
}
_VARIED = ("over", "points", "design")
_SAMPLERS = {"sobol": "Sobol", "halton": "Halton", "latin": "LatinHypercube"}


class SweepPlan(NamedTuple):
    """A scenario, what is varied, the other arguments of `adaptnet.sweep`, and the file's name."""

    scenario: type[Scenario]
    over: Any
    options: dict[str, Any]
    name: str


def sweep_plan(
    what: str,
    *,
    over: tuple[str, ...],
    settings: tuple[str, ...],
    replicates: int | None,
    seed: int | None,
    keep: str | None,
    with_flow: bool,
    independent: bool,
    keep_runs: Path | None,
) -> SweepPlan:
    """Return the sweep that the command line and a TOML file ask for; the former comes first.

    Raises
    ------
    TypeError, ValueError
        If nothing is varied, or a key or value is not understood.
    """
    if Path(what).suffix == ".nc":
        raise ValueError(f"what is swept is a scenario or a TOML file, got {what}")
    plan = planned(what, allow_paths=False, sweeping=True)
    table = _checked(plan.sweep or {}, what)
    varied = _varied(plan.scenario, table, seed or 0)
    on_line = swept_values(plan.scenario, over)
    if on_line:
        if varied is not None and not isinstance(varied, dict):
            raise ValueError(f"--over cannot be joined with the points of {what}; leave it out")
        varied = {**(varied or {}), **on_line}
    if varied is None:
        raise ValueError(
            "nothing is varied: give --over NAME=VALUES, such as learning_rate=1e-5,1e-4"
        )
    fixed = {**plan.parameters, **fixed_values(plan.scenario, settings)}
    names = varied if isinstance(varied, dict) else varied[0] if varied else {}
    found: dict[str, Any] = {
        "fixed": {name: value for name, value in fixed.items() if name not in names},
        "n_replicates": plan.replicates if replicates is None else replicates,
        "rng": plan.seed if seed is None else seed,
        "keep": keep or table.get("keep", "readaptation_times"),
        "with_flow": with_flow or table.get("flow", False),
        "independent": independent or table.get("independent", False),
        "keep_runs": keep_runs,
    }
    name = plan.name if Path(what).suffix == ".toml" else f"{plan.name}-sweep"
    return SweepPlan(plan.scenario, varied, found, name)


def _checked(table: dict[str, Any], what: str) -> dict[str, Any]:
    for key, value in table.items():
        if key not in _KEYS:
            raise ValueError(f"{what}: [sweep] has no key {key!r}; {suggestion(key, _KEYS)}")
        if not isinstance(value, _KEYS[key]):
            kind = _KEYS[key].__name__
            raise TypeError(f"{what}: {key} of [sweep] must be of type {kind}, got {value!r}")
    both = [key for key in _VARIED if key in table]
    if len(both) > 1:
        raise ValueError(f"{what}: [sweep] must have one of {', '.join(both)}")
    return table


def _varied(scenario: type[Scenario], table: dict[str, Any], seed: int) -> Any:
    if "over" in table:
        return swept_table(scenario, table["over"])
    if "points" in table:
        return table["points"]
    return _designed(table["design"], seed) if "design" in table else None


def _designed(asked: dict[str, Any], seed: int) -> list[dict[str, float]]:
    """Return the points of a table ``{sampler = "sobol", points = 64, bounds = {...}}``."""
    from scipy.stats import qmc

    missing = {"points", "bounds"} - asked.keys()
    if missing or asked.keys() - {"sampler", "points", "bounds"}:
        raise ValueError(
            'design of [sweep] must be {sampler = "sobol", points = 64, bounds = {NAME = [LOWEST, '
            f'HIGHEST, "log"]}}}}, got {asked!r:.200}'
        )
    kind = asked.get("sampler", "sobol")
    if kind not in _SAMPLERS:
        raise ValueError(f"there is no sampler {kind!r}; {suggestion(str(kind), _SAMPLERS)}")
    sampler = getattr(qmc, _SAMPLERS[kind])(len(asked["bounds"]), rng=seed)
    return design(sampler, asked["points"], {k: tuple(v) for k, v in asked["bounds"].items()})
