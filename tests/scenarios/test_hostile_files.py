"""Files from strangers: a sentence or a result, never a traceback."""

import itertools
import json

import numpy as np
import pytest
import xarray as xr
from hypothesis import strategies as st

import adaptnet as an
import scenarios
from adaptnet.circuits.base import Circuit, concrete_subclasses
from adaptnet.files import seals, writing
from tests.scenarios.hostile import (
    MUTATIONS,
    NUMBERS,
    TEXTS,
    VALUES,
    answered,
    check,
    many,
    mutated,
    simulate,
)


@many(25, 450)
def test_mutated_files(tmp_path, n):
    path = tmp_path / "run.nc"
    simulate(path)
    whole = path.read_bytes()

    def one(mutation):
        content = mutated(whole, mutation)
        path.write_bytes(content)
        assert seals._MARK in content[-48:-40] or content[-48:-40] != whole[-48:-40]
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


@many(6, 300)
def test_mutated_files_under_a_new_checksum(tmp_path, n):
    """What only a forger does: HDF5 itself crashes or loops on some of these files."""
    path = tmp_path / "run.nc"
    simulate(path)
    whole = path.read_bytes()[:-48]
    commands = itertools.cycle(["info", "readapt", "verify", "run"])

    def one(mutation):
        path.write_bytes(mutated(whole, mutation))
        seals.seal(path)
        answered(next(commands), path)

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
    encoding = writing._texts(changed)
    try:
        changed.to_netcdf(path, engine="netcdf4", encoding=encoding)
    except AttributeError as error:  # xarray splits the attribute coordinates, be it a number
        raise TypeError(str(error)) from error
    if kind == "huge":
        import netCDF4

        with netCDF4.Dataset(path, "a") as file:
            file.createDimension("huge", value)
            file.createVariable("extra", "f8", ("huge", dim), zlib=True, chunksizes=(1000, 1))
    seals.seal(path)


@pytest.fixture
def small_run():
    values = {"block_length": 50, "records": 40}
    return scenarios.find("switching").from_values(values).run(n_replicates=2)


@many(6, 100)
def test_files_of_other_structure(small_run, no_run, n):
    """The checksum holds, the content is not what this package writes."""
    path = no_run / "run.nc"

    def one(change):
        try:
            restructured(small_run, change, path)
        except (ValueError, TypeError, OverflowError, RuntimeError):
            return  # xarray or netCDF cannot write it
        written.append(change)
        for command in ("info", "readapt", "verify"):
            answered(command, path)
        answered("run", path, "-o", no_run / "again.nc", "--overwrite")

    written = []
    check(STRUCTURES, n, one)
    assert len(written) > n / 2


@many(12, 100)
def test_files_with_strange_attributes(tmp_path, monkeypatch, n):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "run.nc"
    run = scenarios.find("switching").from_values({"block_length": 20}).run(n_replicates=1)
    names = sorted(run.attrs)

    def stop(*args):
        raise ValueError("stopped at the first block")

    for kind in concrete_subclasses(Circuit):
        monkeypatch.setattr(kind, "advance", stop)
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


def test_claims_of_a_file_are_checked_before_memory_is_taken(tmp_path):
    import netCDF4

    path = tmp_path / "run.nc"
    an.save(simulate(), path)
    with netCDF4.Dataset(path, "a") as file:
        file.createDimension("huge", 10**13)
        file.createVariable("extra", "f8", ("huge",), zlib=True, chunksizes=(1000,))
    seals.seal(path)
    assert "of memory" in answered("readapt", path, codes=(1,)).output


def test_a_file_cannot_hold_what_compression_could_not_have_saved(tmp_path):
    import netCDF4

    path = tmp_path / "run.nc"
    an.save(simulate(), path)
    with netCDF4.Dataset(path, "a") as file:
        file.createDimension("huge", 2 * 10**8)  # fits into memory, if only just
        file.createVariable("extra", "f8", ("huge",), zlib=True, chunksizes=(1000,))
    seals.seal(path)
    for command in ("readapt", "report"):
        assert "cannot hold" in answered(command, path, codes=(1,)).output
