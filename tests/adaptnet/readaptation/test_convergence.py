"""The beginning of a run as a change: the paper's headline, and what random paths make of it."""

import numpy as np
import pytest
import xarray as xr

import adaptnet as an
from adaptnet import theory
from adaptnet.readaptation import (
    MEASURES,
    Outcome,
    convergence_times,
    measure,
    paired_bootstrap,
    summary,
    with_start,
)
from environments import SwitchingEnvironment
from tests.adaptnet.runs import handmade

pytestmark = pytest.mark.filterwarnings("ignore::adaptnet.NoiseFloorWarning")


@pytest.mark.parametrize("scale", [0.01, 2.0, 10.0, 100.0])
def test_convergence_is_linear_against_logarithmic_in_the_start(scale):
    rate = 1e-2
    circuits = {
        "direct": an.DirectCircuit(initial_weights=scale, learning_rate=rate),
        "interneuron": an.InterneuronCircuit(initial_weights=scale, learning_rate=rate),
    }
    times = convergence_times(an.flow(circuits, np.eye(2), n_samples=10_200))
    for name in circuits:
        exact = theory.convergence_time(name, np.eye(2), scale * np.eye(2))
        found = times.sel(circuit=name).synaptic_time.item()
        assert exact <= found * (1 + 1e-9)
        assert found <= exact + rate
    assert times["transition"].values.tolist() == ["start -> only"]


def test_the_first_segment_ends_with_the_first_change():
    run = handmade({"a": [1.0] * 10 + [0.01] * 5, "b": [1.0] * 4 + [0.01] * 11})
    times = convergence_times(run)
    assert times["followed"].values.ravel().tolist() == [9, 9]
    assert times["observed"].values.ravel().tolist() == [False, True]
    assert times["samples"].sel(circuit="b").item() == 4
    assert times["change_sample"].values.tolist() == [0]
    assert summary(times)["median"].values.ravel().tolist() == [np.inf, 4]
    with pytest.raises(ValueError, match="threshold must be"):
        convergence_times(run, 0)


@pytest.mark.parametrize("name", sorted(MEASURES.keys() - {"tracking"}))
def test_the_start_changes_nothing_of_what_comes_later(name):
    run = an.simulate(
        {"direct": an.DirectCircuit(learning_rate=0.01), "static": an.StaticCircuit()},
        SwitchingEnvironment([np.diag([1.0, 3.0]), 4 * np.eye(2)], block_length=100),
        300,
        n_replicates=3,
        rng=0,
    )
    own = run.copy()
    for key in ("context", "change_sample", "change_end", "context_left", "context_entered"):
        own[key] = run[key].expand_dims(replicate=run["replicate"]).copy()
    for one in (run, own):
        whole, later = measure(one, name), measure(with_start(one), name)
        assert later["change"].values.tolist() == [-1, 0, 1]
        for key in whole.data_vars:
            np.testing.assert_array_equal(later[key].isel(change=slice(1, None)), whole[key])
        assert np.char.startswith(later["transition"].values.astype(str), "start").any()
        assert not np.char.startswith(whole["transition"].values.astype(str), "start").any()


def test_replicates_that_begin_in_other_contexts_have_their_own_start():
    run = handmade({"a": [[1.0] * 5 + [0.01] * 10] * 2})
    own = run.assign(
        {
            name: xr.concat([run[name]] * 2, run["replicate"])
            for name in ("change_sample", "context_left", "context_entered")
        }
    )
    own["context"] = (("replicate", "sample"), np.array([[0] * 10 + [1] * 5, [1] * 10 + [0] * 5]))
    own["context"].attrs = run["context"].attrs
    own["context_left"].values[1], own["context_entered"].values[1] = 1, 0
    times = convergence_times(own)
    assert times["context"].values.ravel().tolist() == ["context_0", "context_1"]
    assert times["samples"].values.ravel().tolist() == [5, 5]
    shared = own.assign(context=own["context"].isel(replicate=0, drop=True))
    with pytest.raises(ValueError, match="must have all its changes"):
        convergence_times(shared)


def test_a_run_without_changes_converges_all_the_same():
    run = an.simulate(
        {
            "a": an.DirectCircuit(initial_weights=2.0, learning_rate=0.01),
            "b": an.InterneuronCircuit(initial_weights=2.0, learning_rate=0.01),
        },
        SwitchingEnvironment([np.eye(2)], block_length=1000),
        600,
        n_replicates=8,
        rng=0,
    )
    times = convergence_times(run, 0.3)
    assert (times.outcome == Outcome.REACHED).all()
    compared = paired_bootstrap(times).squeeze()
    # The direct circuit takes 2.2 units of synaptic time, interneurons .8.
    assert compared.ratio_low.item() > 1.5
