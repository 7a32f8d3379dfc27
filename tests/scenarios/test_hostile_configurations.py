"""Configurations from strangers: a sentence or a result, never a traceback."""

import dataclasses
import json
import typing
import warnings

import numpy as np
import pytest
from hypothesis import strategies as st

import adaptnet as an
import environments
import scenarios
from adaptnet import circuits
from adaptnet.circuits.base import Circuit, concrete_subclasses
from environments import SwitchingEnvironment
from tests.scenarios.hostile import NUMBERS, TEXTS, VALUES, answered, check, many

WHOLE = st.integers(-3, 40) | st.sampled_from([10**9, 10**18, 2**63, 10**40])
REAL = st.floats() | st.floats(1e-9, 1e9) | st.sampled_from([1e-320, 1e308, 0.0, 1, 10**400])
OF_KIND = {int: WHOLE, float: REAL, bool: st.booleans(), str: TEXTS}


def parameters_of(name):
    """Draw some parameters of a scenario: most of their own type, some of any."""
    kinds = typing.get_type_hints(scenarios.find(name))
    fields = [field.name for field in dataclasses.fields(scenarios.find(name))]
    entry = st.sampled_from([*fields, "other"]).flatmap(
        lambda f: st.tuples(st.just(f), st.one_of(OF_KIND.get(kinds.get(f), VALUES), VALUES))
    )
    return st.tuples(st.just(name), st.lists(entry, max_size=4).map(dict))


CONFIGURATIONS = st.sampled_from(scenarios.names()).flatmap(parameters_of)


def toml(value):
    """Return a value as TOML writes it, as far as it can."""
    if isinstance(value, dict):
        inner = ", ".join(f"{json.dumps(str(k))} = {toml(v)}" for k, v in value.items())
        return f"{{{inner}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return "nothing" if value is None else json.dumps(value).replace("N", "n").replace("I", "i")


@many(100, 1_000)
def test_toml_files(no_run, n):
    keys = st.sampled_from(["scenario", "replicates", "seed", "parameters", "other"])
    lines = st.dictionaries(keys, VALUES, max_size=3)

    def one(drawn):
        (name, parameters), top, raw = drawn
        text = "".join(f"{k} = {toml(v)}\n" for k, v in ({"scenario": name} | top).items())
        text += "[parameters]\n" if "parameters" not in top else ""
        text += "".join(f"{k} = {toml(v)}\n" for k, v in parameters.items())
        path = no_run / "case.toml"
        path.write_bytes(raw if raw is not None else text.encode("utf-8", "replace"))
        answered("-q", "run", path, "-o", no_run / "case.nc", "--overwrite", codes=(1, 2))

    check(
        st.tuples(CONFIGURATIONS, lines, st.sampled_from([None] * 3) | st.binary(max_size=60)),
        n,
        one,
    )


@pytest.mark.parametrize(
    "text", ["a=" + "[" * 100_000, "scenario='switching'\nseed=" + "9" * 10_000]
)
def test_deep_and_long_toml_files(no_run, text):
    (no_run / "case.toml").write_text(text)
    answered("run", no_run / "case.toml", codes=(1,))


@many(100, 700)
def test_settings_on_the_command_line(no_run, n):
    values = st.one_of(TEXTS, NUMBERS.map(str))
    options = st.lists(
        st.tuples(st.sampled_from(["--replicates", "--seed", "--threads"]), values), max_size=2
    )

    def one(drawn):
        (name, chosen), more = drawn
        arguments = [part for key, value in chosen.items() for part in ("--set", f"{key}={value}")]
        arguments += [part for option in more for part in option]
        answered("-q", "run", name, "-o", "case.nc", "--overwrite", *arguments, codes=(1, 2))

    check(st.tuples(CONFIGURATIONS, options), n, one)


@many(100, 600)
def test_stored_parameters(n):
    kinds = [k.__name__ for k in concrete_subclasses(Circuit)]
    kinds += [k.__name__ for k in environments.Environment.__subclasses__()]
    known = ["initial_weights", "learning_rate", "dynamics", "n_interneurons", "covariance"]
    known += ["covariances", "block_length", "order", "context_names", "pictures", "step"]

    def one(parameters):
        for build in (circuits.from_parameters, environments.from_parameters):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    build(parameters)
                except (TypeError, ValueError, OSError, MemoryError) as error:
                    assert str(error)  # noqa: PT017

    arguments = st.dictionaries(st.sampled_from(known), VALUES, max_size=4)
    check(
        st.tuples(st.sampled_from(kinds) | VALUES, arguments).map(lambda d: {"type": d[0]} | d[1]),
        n,
        one,
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_samples": 10**15}, "of memory"),
        ({"n_samples": 10**18}, "at most 2"),
        ({"n_samples": 10**15, "path": "run.nc"}, "are free at"),
        ({"n_samples": 10, "n_replicates": 10**12}, "of memory"),
    ],
)
def test_sizes_are_checked_first(tmp_path, monkeypatch, options, words):
    monkeypatch.chdir(tmp_path)
    environment = SwitchingEnvironment([np.eye(2), 2 * np.eye(2)], block_length=5)
    with pytest.raises((MemoryError, ValueError, OSError), match=words):
        an.simulate(an.DirectCircuit(), environment, **options)
