"""Checkpoints that are not what was written: the run goes on, or says what is damaged."""

import shutil
import warnings

import pytest
from hypothesis import strategies as st

import adaptnet as an
from adaptnet.files import seals
from adaptnet.files.paths import working_folder
from tests.scenarios.hostile import MUTATIONS, answered, check, many, mutated, simulate


@many(12, 100)
@pytest.mark.parametrize("forged", [False, True])
def test_mutated_checkpoints(tmp_path, monkeypatch, n, forged):
    """A forged checksum may hide a change of the weights, but never ends in a traceback."""
    whole = simulate()
    target = tmp_path / "run.nc"
    original = an.DirectCircuit.advance
    calls = iter(range(10**9))

    def stop(*args):
        if next(calls) == 3:
            raise KeyboardInterrupt
        return original(*args)

    with monkeypatch.context() as patch:
        patch.setattr(an.DirectCircuit, "advance", stop)
        with pytest.raises(KeyboardInterrupt):
            simulate(target, block_size=40, checkpoint_seconds=0)
    folder = working_folder(target)
    shutil.copytree(folder, tmp_path / "kept")
    names = sorted(path.name for path in folder.iterdir())
    monkeypatch.setattr("adaptnet.files.provenance.git_commit", lambda folder: None)

    def one(drawn):
        name, mutation = drawn
        shutil.rmtree(folder, ignore_errors=True)
        target.unlink(missing_ok=True)
        shutil.copytree(tmp_path / "kept", folder)
        content = (folder / name).read_bytes()
        if not content:
            return
        if forged and len(content) > 48 and not name.endswith("rows"):
            seals.replace(folder / name, mutated(content[:-48], mutation))
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
