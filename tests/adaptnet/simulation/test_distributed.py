"""Replicates that other processes compute are those of this one, bit for bit."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import adaptnet as an
from environments import SwitchingEnvironment
from environments.schedules import HazardRate
from tests.adaptnet.sweeps import models

SHARED = SwitchingEnvironment([np.eye(3), np.diag([1.0, 4.0, 9.0])], block_length=200)
RANDOM = SwitchingEnvironment([np.eye(3), 4 * np.eye(3)], schedule=HazardRate(0.01))
CIRCUITS = {
    "direct": an.DirectCircuit(learning_rate=0.01),
    "interneuron": an.InterneuronCircuit(n_interneurons=3, learning_rate=0.01),
}
RECORD = ("whitening_error", "outputs", "inputs", "effective_weights")


def run(environment, **options):
    return an.simulate(
        CIRCUITS, environment, 500, n_replicates=7, rng=3, record=RECORD, record_every=7,
        progress=False, **options,
    )  # fmt: skip


def same(one, other):
    times = {name: one.attrs[name] for name in ("history", "date_created")}
    return one.identical(other.load().assign_attrs(times))


@pytest.mark.parametrize(
    "environment",
    [pytest.param(SHARED, marks=pytest.mark.slow), RANDOM],
    ids=["shared path", "random paths"],
)
def test_processes_return_the_same_bits(environment, tmp_path):
    alone = run(environment)
    assert same(alone, run(environment, executor=2))
    assert same(alone, run(environment, executor=2, path=tmp_path / "run.nc"))
    assert [path.name for path in tmp_path.iterdir()] == ["run.nc"]
    with ThreadPoolExecutor(3) as threads:
        assert same(alone, run(environment, executor=threads))


def test_what_was_finished_is_not_run_again(tmp_path, monkeypatch):
    path, alone = tmp_path / "run.nc", run(SHARED)
    groups = []

    class Broken(ThreadPoolExecutor):
        """Runs two groups, and is interrupted."""

        def submit(self, work, experiment, replicates):
            groups.append(list(replicates))
            if len(groups) == 3:
                raise KeyboardInterrupt
            return super().submit(work, experiment, replicates)

    monkeypatch.setattr("adaptnet.simulation.distributed.groups_of", _ones)
    with Broken(1) as broken, pytest.raises(KeyboardInterrupt):
        run(SHARED, executor=broken, path=path)
    with ThreadPoolExecutor(1) as threads:
        submit, seen = threads.submit, []

        def noting(work, experiment, replicates):
            seen.extend(replicates)
            return submit(work, experiment, replicates)

        threads.submit = noting
        assert same(alone, run(SHARED, executor=threads, path=path))
    assert set(seen) <= set(range(7))
    assert len(seen) >= 5


def _ones(replicates, size, n_threads):
    return [[number] for number in replicates]


def test_errors_of_workers_are_those_of_a_run():
    inputs = np.ones((400, 2))
    inputs[300, 1] = np.nan
    with pytest.raises(ValueError, match="got nan at sample 300, neuron 1"):
        an.simulate(an.DirectCircuit(), inputs, executor=2)


def test_divergence_is_reported_as_ever():
    circuit = an.DirectCircuit(learning_rate=0.9)
    with pytest.warns(an.DivergenceWarning, match="replicate 2 diverged"):
        far = an.simulate(circuit, SHARED, 300, n_replicates=3, rng=0, executor=2)
    with pytest.warns(an.DivergenceWarning):
        here = an.simulate(circuit, SHARED, 300, n_replicates=3, rng=0)
    assert same(here, far)


def test_bad_executors_are_refused():
    with pytest.raises(TypeError, match=r"executor must be an executor of concurrent\.futures"):
        run(SHARED, executor="two")
    with pytest.raises(ValueError, match="at least 1"):
        run(SHARED, executor=0)


def test_a_simulation_is_a_point_of_a_sweep():
    swept = an.sweep(models.step, {"learning_rate": [5e-4]}, n_replicates=3)
    circuits, environment, n_samples, *_ = models.step(5e-4)
    alone = an.simulate(circuits, environment, n_samples, n_replicates=3, rng=0, executor=2)
    times = an.readaptation_times(alone)
    np.testing.assert_array_equal(swept["samples"].isel(learning_rate=0), times["samples"])
