"""Runs that go on: from another run's states, and for more samples to the same bits."""

import json
import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner

import adaptnet as an
from environments import SwitchingEnvironment
from environments import from_parameters as environment_from_parameters
from scenarios.cli import main
from tests.adaptnet.circuits.catalogue import INTEGRATED, by_kind, examples

ENVIRONMENT = SwitchingEnvironment([np.eye(3), np.diag([4.0, 1.0, 0.5])], block_length=40)
CIRCUITS = examples()
CIRCUITS["integrated"] = an.InterneuronCircuit(dynamics=INTEGRATED, learning_rate=0.01)
every_circuit = by_kind(CIRCUITS)


def settings(circuit, **more):
    record = ["whitening_error", "inputs", *circuit.recordable()]
    return {"rng": 3, "n_replicates": 3, "record_every": 6, "record": record, **more}


def bits(run):
    return run.drop_attrs(deep=False).load()


@every_circuit
def test_a_longer_run_has_the_bits_of_the_uninterrupted_one(circuit, tmp_path):
    whole = an.simulate(circuit, ENVIRONMENT, 130, **settings(circuit))
    short = an.simulate(circuit, ENVIRONMENT, 66, **settings(circuit))
    xr.testing.assert_identical(bits(an.extend(short, ENVIRONMENT, 64)), bits(whole))
    an.simulate(circuit, ENVIRONMENT, 57, **settings(circuit, path=tmp_path / "run.nc"))
    an.extend(tmp_path / "run.nc", ENVIRONMENT, 40)
    longer = an.extend(tmp_path / "run.nc", ENVIRONMENT, 33)
    xr.testing.assert_identical(bits(longer), bits(whole))
    assert not (tmp_path / "run.nc.partial").exists()


def test_a_run_that_ends_at_a_change_is_extended_too():
    circuits = {name: CIRCUITS[name] for name in ("DirectCircuit-0", "GainCircuit-0")}
    alike = settings(CIRCUITS["GainCircuit-0"], record_every=7)
    whole, short = (an.simulate(circuits, ENVIRONMENT, n, **alike) for n in (100, 80))
    xr.testing.assert_identical(bits(an.extend(short, ENVIRONMENT, 20)), bits(whole))
    integrated = an.DirectCircuit(dynamics=INTEGRATED)
    short = an.simulate(integrated, ENVIRONMENT, 80, rng=0, record_every=7)
    with pytest.raises(ValueError, match="sample 79, the last, took was not"):
        an.extend(short, ENVIRONMENT, 20)


@pytest.mark.filterwarnings("ignore::adaptnet.DivergenceWarning")
def test_circuits_that_diverged_stay_so():
    circuit = an.GainCircuit(frame=an.frames.mercedes_benz(), learning_rate=0.3)
    environment = SwitchingEnvironment([0.01 * np.eye(2)], block_length=10)
    whole, short = (an.simulate(circuit, environment, n, rng=0) for n in (30, 20))
    longer = an.extend(short, environment, 10)
    xr.testing.assert_identical(bits(longer), bits(whole))
    assert np.isnan(an.respond(short, np.ones((2, 2)))).all()
    with pytest.raises(ValueError, match="diverged in replicate 0"):
        an.simulate(circuit, environment, 5, start=short)


def test_an_extension_survives_being_killed(tmp_path):
    path = tmp_path / "run.nc"
    alike = {"rng": 1, "record_every": 50, "n_replicates": 2}
    environment = SwitchingEnvironment([np.eye(3), np.diag([4.0, 1.0, 0.5])], block_length=5000)
    whole = an.simulate(an.DirectCircuit(), environment, 60_000, **alike)
    an.simulate(an.DirectCircuit(), environment, 20_000, **alike, path=path)
    code = f"""
        import os, signal
        from adaptnet import extend, load
        from adaptnet.simulation.sinks.disk import DiskSink
        from environments import from_parameters
        import json
        kept, n_kept = DiskSink.keep, []
        def keep(self, replicate, reached, states, *, at_once):
            kept(self, replicate, reached, states, at_once=at_once)
            n_kept.append(reached.processed)
            if reached.processed > 30_000:
                os.kill(os.getpid(), signal.SIGKILL)
        DiskSink.keep = keep
        environment = from_parameters(json.loads(load({str(path)!r}).attrs["environment"]))
        extend({str(path)!r}, environment, 40_000, checkpoint_seconds=0, n_threads=1)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], env=os.environ)
    assert done.returncode == -signal.SIGKILL
    assert an.load(path).attrs["n_samples"] == 20_000  # as it was
    xr.testing.assert_identical(bits(an.extend(path, environment, 40_000)), bits(whole))


@every_circuit
def test_a_run_starts_from_the_states_that_another_ended_in(circuit):
    burn_in = an.simulate(circuit, ENVIRONMENT, 50, **settings(circuit))
    start = burn_in.isel(replicate=[0])
    branches = an.simulate(circuit, ENVIRONMENT, 30, **settings(circuit), start=start)
    first = branches["effective_weights"].isel(sample=0)
    last = an.simulate(circuit, ENVIRONMENT, 50, **settings(circuit, record_every=50))
    last = last["effective_weights"].isel(sample=-1, replicate=0)
    for r in range(3):
        np.testing.assert_array_equal(first[:, r], last)
    paired = an.simulate(circuit, ENVIRONMENT, 30, **settings(circuit), start=burn_in)
    assert len(np.unique(paired["effective_weights"][0, :, 0, 0, 0])) in (1, 3)


def test_branches_share_their_start_and_nothing_else(tmp_path):
    circuit = an.DirectCircuit(learning_rate=1e-2)
    start = an.simulate(circuit, ENVIRONMENT, 50, rng=0)
    other = an.DirectCircuit(learning_rate=1e-3)  # another rate, same kind
    alike = {"rng": 0, "n_replicates": 2, "record": ["effective_weights"], "start": start}
    run = an.simulate(other, ENVIRONMENT, 30, **alike, path=tmp_path / "run.nc").load()
    A = run["effective_weights"][0].values
    np.testing.assert_array_equal(A[0, 0], A[1, 0])
    assert (A[0, 1:] != A[1, 1:]).any()
    again = an.simulate(other, ENVIRONMENT, 30, **alike, path=tmp_path / "run.nc")
    xr.testing.assert_identical(again.load(), run)
    elsewhere = an.simulate(circuit, ENVIRONMENT, 60, rng=0)
    with pytest.raises(FileExistsError, match="start_sha256"):
        an.simulate(
            other, ENVIRONMENT, 30, **{**alike, "start": elsewhere}, path=tmp_path / "run.nc"
        )
    xr.testing.assert_identical(
        bits(an.extend(an.load(tmp_path / "run.nc"), ENVIRONMENT, 10)),
        bits(an.simulate(other, ENVIRONMENT, 40, **alike)),
    )


def test_parameters_of_the_new_circuit_hold_not_those_of_the_start():
    frame = an.frames.equiangular(3)
    start = an.simulate(an.GainCircuit(frame=frame, leak=0.5), ENVIRONMENT, 20, rng=0)
    run = an.simulate(
        an.GainCircuit(frame=frame, leak=0.1), ENVIRONMENT, 5, rng=0, start=start, record=["gains"]
    )
    weights = an.respond(run, np.eye(3))
    g = run["gains"][0, 0, -1].values
    expected = np.linalg.inv(0.1 * np.eye(3) + (frame * g) @ frame.T)
    np.testing.assert_allclose(weights[0, 0], expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda run: run.drop_vars("final_state"), "must hold the states that its circuits ended"),
        (lambda run: run.assign_coords(circuit=["other"]), "must hold a circuit 'direct', got oth"),
        (
            lambda run: xr.concat([run, run], "replicate", data_vars="minimal"),
            "one replicate, for all, or n_replicates",
        ),
        (lambda run: run.isel(word=slice(3)), "final_state of circuit 'direct' is damaged"),
        (lambda run: run.isel(neuron=slice(2)), "must be of 3 neurons"),
    ],
)
def test_starts_that_do_not_fit_are_refused(change, message):
    run = an.simulate(an.DirectCircuit(), ENVIRONMENT, 5, rng=0)
    with pytest.raises(ValueError, match=message):
        an.simulate(an.DirectCircuit(), ENVIRONMENT, 5, n_replicates=3, start=change(run))


def test_another_kind_of_circuit_or_no_run_is_refused():
    run = an.simulate({"it": an.DirectCircuit()}, ENVIRONMENT, 5, rng=0)
    with pytest.raises(
        ValueError, match="of the kind, size, dynamics and batch_size that start holds"
    ):
        an.simulate({"it": an.InterneuronCircuit()}, ENVIRONMENT, 5, start=run)
    with pytest.raises(TypeError, match="start must be a run"):
        an.simulate(an.DirectCircuit(), ENVIRONMENT, 5, start="run.nc")
    with pytest.raises(ValueError, match="inputs must have 3 columns"):
        an.respond(run, np.ones((4, 2)))


def test_frozen_weights_respond_to_new_inputs(tmp_path):
    circuits = {"direct": an.DirectCircuit(), "gain": CIRCUITS["GainCircuit-0"]}
    run = an.simulate(
        circuits, ENVIRONMENT, 40, rng=0, n_replicates=2, record=["effective_weights"]
    )
    an.save(run, tmp_path / "run.nc")
    x = np.random.default_rng(0).normal(size=(7, 3))
    y = an.respond(an.load(tmp_path / "run.nc"), x)
    A = run["effective_weights"].isel(sample=-1).values
    expected = np.linalg.solve(A[:, :, None], x[..., None])[..., 0]
    np.testing.assert_allclose(y, expected, rtol=1e-12)
    assert an.respond(run, x, circuits=["gain"]).sizes["circuit"] == 1
    assert environment_from_parameters(json.loads(run.attrs["environment"])).n_neurons == 3


def test_the_command_line_extends_a_run_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    alike = {"rng": 0, "record_every": 10}
    whole = an.simulate(an.DirectCircuit(), ENVIRONMENT, 150, **alike)
    an.simulate(an.DirectCircuit(), ENVIRONMENT, 100, **alike, path="run.nc")
    done = CliRunner().invoke(main, ["run", "run.nc", "--more", "50"])
    assert done.exit_code == 0, done.output
    assert "150 samples per replicate" in done.output
    xr.testing.assert_identical(bits(an.load("run.nc")), bits(whole))
    refused = CliRunner().invoke(main, ["run", "switching", "--more", "50"])
    assert refused.exit_code != 0
