"""Scenarios of many simulations go on after they were stopped, with the same numbers."""

import pytest
import xarray as xr
from click.testing import CliRunner

import adaptnet
import scenarios
from scenarios import TableScenario
from scenarios.cli import main

KINDS = [
    scenarios.find(name)
    for name in scenarios.names()
    if issubclass(scenarios.find(name), TableScenario)
]


def previewed(kind):
    return kind.from_values(kind.preview)


def same(one, other):
    times = {name: one.attrs[name] for name in ("history", "date_created")}
    return one.identical(other.assign_attrs(times))


@pytest.fixture(scope="module")
def whole():
    kind = scenarios.find("initialization")
    return previewed(kind).run(n_replicates=2, progress=False)


@pytest.fixture
def counted(monkeypatch):
    """Count simulations, and interrupt one of them if its number is asked for."""
    simulate, calls = adaptnet.simulate, []

    def noting(*args, **kwargs):
        calls.append(args)
        if len(calls) == noting.stop_at:
            raise KeyboardInterrupt
        return simulate(*args, **kwargs)

    noting.stop_at = None
    monkeypatch.setattr(adaptnet, "simulate", noting)
    return noting, calls


def test_an_interrupted_table_goes_on(whole, counted, tmp_path):
    noting, calls = counted
    kind, path = scenarios.find("initialization"), tmp_path / "table.nc"
    noting.stop_at = 5
    with pytest.raises(KeyboardInterrupt):
        previewed(kind).run(n_replicates=2, path=path, progress=False)
    assert (tmp_path / "table.nc.partial").is_dir()
    with pytest.raises(FileExistsError, match="other parameters, another seed"):
        previewed(kind).run(n_replicates=2, rng=1, path=path, progress=False)
    noting.stop_at = None
    calls.clear()
    table = previewed(kind).run(n_replicates=2, path=path, progress=False)
    n_points = previewed(kind).n_points
    assert len(calls) == n_points - 4  # four were kept
    assert same(whole, table)
    assert [entry.name for entry in tmp_path.iterdir()] == ["table.nc"]
    calls.clear()
    assert same(whole, previewed(kind).run(n_replicates=2, path=path, progress=False))
    assert not calls  # finished
    with pytest.raises(FileExistsError, match="other parameters"):
        previewed(kind).run(n_replicates=3, path=path, progress=False)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name())
def test_every_table_is_the_same_with_and_without_a_file(kind, counted, tmp_path):
    noting, calls = counted
    path = tmp_path / "table.nc"
    alone = previewed(kind).run(n_replicates=2, progress=False)
    assert calls
    noting.stop_at = 2 * len(calls)
    with pytest.raises(KeyboardInterrupt):
        previewed(kind).run(n_replicates=2, path=path, progress=False)
    noting.stop_at = None
    assert same(alone, previewed(kind).run(n_replicates=2, path=path, progress=False))
    assert xr.Dataset.identical(adaptnet.load(path), adaptnet.load(path))


def test_the_command_resumes_tables_too(counted, tmp_path, monkeypatch):
    noting, calls = counted
    monkeypatch.chdir(tmp_path)
    call = ["run", "initialization", "--preview", "--replicates", "2", "--no-progress"]
    noting.stop_at = 4
    assert CliRunner().invoke(main, call).exit_code == 130
    noting.stop_at = None
    calls.clear()
    done = CliRunner().invoke(main, call)
    assert done.exit_code == 0, done.output
    kind = scenarios.find("initialization")
    assert len(calls) == previewed(kind).n_points - 3
    again = CliRunner().invoke(main, call)
    assert again.exit_code == 0
    assert "finished before" in again.output
