"""Configurations and files from strangers: a sentence or a result, never a traceback."""

import dataclasses
import json
import shutil
import typing
import warnings

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import adaptnet as an
import environments
import scenarios
from adaptnet import circuits, durable, files, storage, theory
from adaptnet.circuits.base import Circuit
from environments import SwitchingEnvironment
from scenarios.cli import main

NUMBERS = st.one_of(
    st.integers(-3, 6),
    st.sampled_from([10**9, 10**18, 2**63, 10**40, 10**400, -(10**30)]),
    st.floats(),
    st.sampled_from([1e-320, 1e308, 0.0, -0.0]),
)
TEXTS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        ["", "inf", "nan", "1e400", "true", "../../etc/passwd", "/dev/zero", "\0", "grass"]
    ),
)
VALUES = st.recursive(
    st.one_of(NUMBERS, TEXTS, st.booleans(), st.none()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=6,
)


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


def check(strategy, n, function):
    """Run `function` on `n` draws of `strategy`."""
    quick = settings(
        max_examples=n,
        deadline=None,
        database=None,
        derandomize=True,  # a run of the suite tells of the change at hand, not of luck
        suppress_health_check=list(HealthCheck),
    )
    quick(given(strategy)(function))()


def many(few, full):
    """Draw a few in every run of the suite, all of them in a slow one."""
    return pytest.mark.parametrize("n", [few, pytest.param(full, marks=pytest.mark.slow)])


def answered(*arguments, codes=(0, 1, 2, 3, 4)):
    """Return the result of a command that must not end in a traceback."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = CliRunner().invoke(main, [str(a) for a in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), (
        arguments,
        result.exc_info,
    )
    assert result.exit_code in codes, result.output
    return result


@pytest.fixture
def no_run(monkeypatch, tmp_path):
    """Let every run that is accepted end at its first block, or first use of theory."""

    def stop(*args, **kwargs):
        raise ValueError("stopped at the first block")

    for name in ("readaptation_time", "convergence_time"):  # scenarios ask for thousands of them
        monkeypatch.setattr(theory, name, stop)
    for kind in Circuit.__subclasses__():
        monkeypatch.setattr(kind, "advance_side_by_side", stop)
    monkeypatch.setattr("adaptnet.provenance._git_commit", lambda: None)
    monkeypatch.chdir(tmp_path)
    return tmp_path


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
        arguments = [part for key, of in chosen.items() for part in ("--set", f"{key}={of}")]
        arguments += [part for option in more for part in option]
        answered("-q", "run", name, "-o", "case.nc", "--overwrite", *arguments, codes=(1, 2))

    check(st.tuples(CONFIGURATIONS, options), n, one)


@many(100, 600)
def test_stored_parameters(n):
    kinds = [k.__name__ for k in Circuit.__subclasses__()]
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


def simulate(path=None, **options):
    matrices = [np.diag([1.0, 2.0]), np.eye(2)]
    return an.simulate(
        {"a": an.DirectCircuit(), "b": an.InterneuronCircuit()},
        SwitchingEnvironment(matrices, block_length=60),
        200,
        n_replicates=2,
        rng=1,
        path=path,
        n_threads=1,
        **options,
    )


MUTATIONS = st.tuples(
    st.sampled_from(["flip", "zero", "cut", "insert", "duplicate", "swap", "end"]),
    st.floats(0, 1, exclude_max=True),
    st.integers(1, 255),
)


def mutated(content, mutation):
    kind, where, byte = mutation
    at = int(where * len(content))
    changed = bytearray(content)
    if kind == "flip":
        changed[at] ^= byte
    elif kind == "zero":
        changed[at : at + byte] = bytes(len(changed[at : at + byte]))
    elif kind == "cut":
        del changed[at:]
    elif kind == "insert":
        changed[at:at] = bytes([byte])
    elif kind == "swap":  # the halves of a block
        block = changed[at : at + 2 * byte]
        changed[at : at + 2 * byte] = block[byte:] + block[:byte]
    elif kind == "duplicate":
        changed[at:at] = changed[at : at + byte]
    else:
        changed += bytes([byte])
    return bytes(changed)


@many(60, 400)
def test_mutated_files(tmp_path, n):
    path = tmp_path / "run.nc"
    simulate(path)
    whole = path.read_bytes()

    def one(mutation):
        content = mutated(whole, mutation)
        path.write_bytes(content)
        assert files._SEAL in content[-48:-40] or content[-48:-40] != whole[-48:-40]
        for command in ("info", "readapt", "run", "verify"):
            answered(
                command, path, codes=(1,) if content != whole and command != "info" else (0, 1)
            )

    # What ends in another mark than ours is left to the netCDF library, in a process of its own.
    check(MUTATIONS.filter(lambda m: m[0] in ("flip", "zero") and m[1] < 0.9), n, one)


@many(6, 60)
def test_mutated_files_without_checksum(tmp_path, n):
    path = tmp_path / "run.nc"
    simulate(path)
    whole = path.read_bytes()[:-48]

    def one(mutation):
        path.write_bytes(mutated(whole, mutation))
        answered("info", path, codes=(0, 1))

    check(MUTATIONS, n, one)


ATTRIBUTES = st.one_of(
    st.sampled_from([0, -1, 2.5, float("nan"), "", "x", "{}", "[]", "1", "days since x"]),
    st.sampled_from([np.array([1, 2]), np.array([0.5, np.nan]), np.zeros(0), np.int8(3)]),
)
ENCODED = ("_FillValue", "scale_factor", "units", "flag_values", "flag_meanings", "coordinates")
NUMERIC = st.sampled_from([0, -1, 1, 5, 10**6, 2**62, float("nan"), float("inf"), -1e300])
TYPES = st.sampled_from(["f4", "f8", "i1", "i4", "i8", "u8", "U3"])
STRUCTURES = st.one_of(
    st.tuples(st.just("drop"), st.floats(0, 1, exclude_max=True), st.none()),
    st.tuples(st.just("rename"), st.floats(0, 1, exclude_max=True), st.none()),
    st.tuples(st.just("transpose"), st.floats(0, 1, exclude_max=True), st.none()),
    st.tuples(st.just("type"), st.floats(0, 1, exclude_max=True), TYPES),
    st.tuples(st.just("values"), st.floats(0, 1, exclude_max=True), NUMERIC),
    st.tuples(st.just("size"), st.floats(0, 1, exclude_max=True), st.integers(0, 9)),
    st.tuples(st.just("huge"), st.floats(0, 1, exclude_max=True), st.sampled_from([10**7, 2**40])),
    st.tuples(
        st.just("attribute"),
        st.floats(0, 1, exclude_max=True),
        st.tuples(
            st.sampled_from(ENCODED),
            ATTRIBUTES,
        ),
    ),
    st.tuples(st.just("global"), st.floats(0, 1, exclude_max=True), ATTRIBUTES),
)


def restructured(run, change, path):
    """Write `run` with one thing of it changed; False where no file can be so."""
    kind, where, value = change
    names = sorted(map(str, run.variables))
    name = names[int(where * len(names))]
    variable = run.variables[name]
    dims = sorted(map(str, run.sizes))
    dim = dims[int(where * len(dims))]
    parts = {str(n): xr.Variable(v.dims, v.values, v.attrs) for n, v in run.variables.items()}
    attrs = dict(run.attrs)
    if kind == "drop":
        del parts[name]
    elif kind == "rename":
        parts["other"] = parts.pop(name)
    elif kind == "transpose":
        parts[name] = xr.Variable(variable.dims[::-1], variable.values.T, variable.attrs)
    elif kind == "type":
        parts[name] = xr.Variable(variable.dims, variable.values.astype(value), variable.attrs)
    elif kind == "values":
        parts[name] = xr.Variable(variable.dims, np.full(variable.shape, value), variable.attrs)
    elif kind == "size":
        parts = {
            n: v.isel({dim: np.arange(value) % v.sizes[dim]}) if dim in v.dims else v
            for n, v in parts.items()
        }
    elif kind == "attribute":
        parts[name].attrs[value[0]] = value[1]
    elif kind == "global":
        attrs[sorted(attrs)[int(where * len(attrs))]] = value
    coordinates = {n: parts.pop(n) for n in list(parts) if n in run.coords}
    path.unlink(missing_ok=True)
    changed = xr.Dataset(parts, coordinates, attrs)
    changed.to_netcdf(path, engine="netcdf4", encoding=storage._texts(changed))
    if kind == "huge":
        import netCDF4

        with netCDF4.Dataset(path, "a") as file:
            file.createDimension("huge", value)
            file.createVariable("extra", "f8", ("huge", dim), zlib=True, chunksizes=(1000, 1))
    files.seal(path)


@pytest.fixture
def small_run():
    values = {"block_length": 50, "records": 40}
    return scenarios.find("switching").from_values(values).run(n_replicates=2)


@many(8, 100)
def test_files_of_other_structure(small_run, no_run, n):
    """The checksum holds, the content is not what this package writes."""
    path = no_run / "run.nc"

    def one(change):
        try:
            restructured(small_run, change, path)
        except (ValueError, TypeError, OverflowError, AttributeError, RuntimeError):
            return  # xarray or netCDF cannot write it
        for command in ("info", "readapt", "verify"):
            answered(command, path)
        answered("run", path, "-o", no_run / "again.nc", "--overwrite")

    check(STRUCTURES, n, one)


@many(40, 300)
def test_files_with_strange_attributes(tmp_path, monkeypatch, n):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "run.nc"
    run = scenarios.find("switching").from_values({"block_length": 20}).run(n_replicates=1)
    names = sorted(run.attrs)

    def stop(*args):
        raise ValueError("stopped at the first block")

    for kind in Circuit.__subclasses__():
        monkeypatch.setattr(kind, "advance_side_by_side", stop)
    deep = st.just("deep")
    texts = st.one_of(
        deep,
        TEXTS.filter(lambda t: "\0" not in t),
        VALUES.map(json.dumps),
        NUMBERS.filter(storable),
    )

    def one(drawn):
        name, value = drawn
        strange = run.copy()
        strange.attrs[name] = "[" * 100_000 if value == "deep" else value
        try:
            an.save(strange, path, overwrite=True)
        except (ValueError, TypeError, UnicodeError):
            return
        for command in ("info", "readapt", "verify"):
            answered(command, path)
        answered("run", path, "-o", tmp_path / "again.nc", "--overwrite")

    check(st.tuples(st.sampled_from(names), texts), n, one)


def storable(number):
    return isinstance(number, float) or abs(number) < 2**63


def test_paths_in_a_stored_run_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = scenarios.find("switching").from_values({"block_length": 20}).run(n_replicates=1)
    parameters = scenarios.find("natural-images")().__dict__ | {
        "pictures": ["/etc/passwd", "grass"]
    }
    run.attrs |= {"scenario": "natural-images", "scenario_parameters": json.dumps(parameters)}
    an.save(run, "run.nc")
    for command in ("run", "verify"):
        assert "outside this folder" in answered(command, "run.nc", codes=(1,)).output
    run.attrs["scenario"] = "../../scenarios/switching"
    an.save(run, "run.nc", overwrite=True)
    assert "there is no scenario" in answered("run", "run.nc", "--allow-paths", codes=(1,)).output


@many(40, 200)
@pytest.mark.parametrize("forged", [False, True])
def test_mutated_checkpoints(tmp_path, monkeypatch, n, forged):
    """A forged checksum may hide a change of the weights, but never ends in a traceback."""
    whole = simulate()
    target = tmp_path / "run.nc"
    original = an.DirectCircuit.advance_side_by_side
    calls = iter(range(10**9))

    def stop(*args):
        if next(calls) == 3:
            raise KeyboardInterrupt
        return original(*args)

    with monkeypatch.context() as patch:
        patch.setattr(an.DirectCircuit, "advance_side_by_side", stop)
        with pytest.raises(KeyboardInterrupt):
            simulate(target, block_size=40, checkpoint_seconds=0)
    folder = durable.working_folder(target)
    shutil.copytree(folder, tmp_path / "kept")
    names = sorted(path.name for path in folder.iterdir())
    monkeypatch.setattr("adaptnet.provenance._git_commit", lambda: None)

    def one(drawn):
        name, mutation = drawn
        shutil.rmtree(folder, ignore_errors=True)
        target.unlink(missing_ok=True)
        shutil.copytree(tmp_path / "kept", folder)
        content = (folder / name).read_bytes()
        if not content:
            return
        if forged and len(content) > 48 and not name.endswith("rows"):
            files.replace(folder / name, mutated(content[:-48], mutation))
        else:
            (folder / name).write_bytes(mutated(content, mutation))
        answered("-q", "info", target, codes=(0, 1))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", an.DivergenceWarning)
            try:
                run = simulate(target)
            except (ValueError, OSError) as error:
                assert str(error)  # noqa: PT017
                return
        if not forged:
            for variable in whole.data_vars:
                assert run[variable].values.tobytes() == whole[variable].values.tobytes()

    check(st.tuples(st.sampled_from(names), MUTATIONS), n, one)


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


def test_claims_of_a_file_are_checked_before_memory_is_taken(tmp_path):
    import netCDF4

    path = tmp_path / "run.nc"
    an.save(simulate(), path)
    with netCDF4.Dataset(path, "a") as file:
        file.createDimension("huge", 10**13)
        file.createVariable("extra", "f8", ("huge",), zlib=True, chunksizes=(1000,))
    files.seal(path)
    assert "of memory" in answered("readapt", path, codes=(1,)).output
