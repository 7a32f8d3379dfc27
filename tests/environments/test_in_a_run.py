"""Environments in a run, and back from the run's file."""

import json

import numpy as np
import pytest

import adaptnet as an
from environments import (
    Concatenate,
    NoisyEnvironment,
    SwitchingEnvironment,
    from_parameters,
)
from environments.schedules import ChangeSamples, HazardRate
from environments.transitions import Gradual
from tests.environments.catalogue import ENVIRONMENTS, A, B

CIRCUIT = an.DirectCircuit(learning_rate=1e-3, initial_weights=2.0)


@pytest.mark.parametrize("name", ["hazard", "log_ou", "concatenated_gradual", "recorded"])
def test_a_runs_file_gives_its_environment_back(name, tmp_path):
    environment = ENVIRONMENTS[name]
    run = an.simulate(CIRCUIT, environment, 1500, record_every=500, rng=1, record=["covariance"])
    an.save(run, tmp_path / "run.nc")
    stored = an.load(tmp_path / "run.nc")
    again = from_parameters(json.loads(stored.attrs["environment"]))
    realization = again.realize(np.random.SeedSequence(1, spawn_key=(0,)))
    covariances = realization.covariances(stored["sample"].values)
    np.testing.assert_array_equal(
        stored["covariance"].values.reshape(covariances.shape), covariances
    )


def test_replicates_have_changes_of_their_own():
    environment = SwitchingEnvironment(
        [A, B], schedule=HazardRate(0.005, shortest=40), transition=Gradual(40)
    )
    run = an.simulate(CIRCUIT, environment, 2000, n_replicates=3, record_every=100, rng=2)
    assert run["change_sample"].dims == ("replicate", "change")
    for r in range(3):
        realization = environment.realize(np.random.SeedSequence(2, spawn_key=(r,)))
        changes = run["change_sample"].values[r]
        assert changes[changes >= 0].tolist() == realization.change_samples(2000).tolist()


def test_replicates_share_the_path_of_a_seed():
    environment = SwitchingEnvironment([A, B], schedule=HazardRate(0.005), path_seed=3)
    run = an.simulate(CIRCUIT, environment, 2000, n_replicates=3, record_every=100)
    assert run["change_sample"].dims == ("change",)
    assert run.sizes["change"] > 3


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        (SwitchingEnvironment([A, B], schedule=ChangeSamples([900])), "scheduled at sample 900"),
        (ENVIRONMENTS["recorded"], "at most 20000, the length of the recording"),
        (
            Concatenate([ENVIRONMENTS["recorded"], ENVIRONMENTS["stationary"]], [20_001]),
            "at most 200",
        ),
    ],
)
def test_a_run_that_an_environment_cannot_give_is_refused_at_once(environment, message):
    class Untouched(an.DirectCircuit):
        def advance(self, *arguments):
            raise AssertionError("work was done before the run was refused")

    n_samples = 500 if "sample 900" in message else 30_000
    with pytest.raises(ValueError, match=message):
        an.simulate(Untouched(learning_rate=1e-3), environment, n_samples)


def test_copies_are_refused():
    """Identical replicates would pass for evidence that there is not."""
    recorded = ENVIRONMENTS["recorded"]
    for environment in (recorded, Concatenate([recorded, recorded], [100])):
        with pytest.raises(ValueError, match=r"n_replicates must be 1 .* a recording, got 2"):
            an.simulate(CIRCUIT, environment, 500, n_replicates=2, record_every=500)
    for environment in (
        NoisyEnvironment(recorded, 0.1),
        Concatenate([recorded, recorded], [100], transition=Gradual(50)),
    ):
        run = an.simulate(CIRCUIT, environment, 500, n_replicates=2, record_every=500, rng=0)
        assert run["whitening_error"][0, 0, -1] != run["whitening_error"][0, 1, -1]
