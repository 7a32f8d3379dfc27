"""What a run can record besides errors, and learning rates given as data."""

import json

import numpy as np
import pytest
import xarray as xr

import adaptnet as an
from adaptnet.circuits import from_parameters
from adaptnet.simulation.verify import verify
from environments import SwitchingEnvironment
from environments import from_parameters as environment_from_parameters
from tests import naive
from tests.adaptnet.circuits.catalogue import INTEGRATED, SYNAPSES, examples

ENVIRONMENT = SwitchingEnvironment([np.eye(3), np.diag([4.0, 1.0, 0.5])], block_length=40)


@pytest.mark.parametrize("name", ["DirectCircuit-0", "InterneuronCircuit-1", "GainCircuit-0"])
@pytest.mark.parametrize("block_size", [1, 7, None])
def test_outputs_are_those_of_the_sample_under_the_weights_before_it(name, block_size):
    inputs = np.random.default_rng(0).normal(size=(30, 3))
    circuit = examples()[name]
    run = an.simulate(
        circuit, inputs, record=["inputs", "outputs"], record_every=3, block_size=block_size
    )
    twin = naive.TWINS[type(circuit).__name__](circuit, inputs)
    start = circuit.effective_weights(circuit.initial_state(3))
    weights = np.concatenate([[start], twin])[0:30:3]
    expected = np.linalg.solve(weights, inputs[::3, :, None])[..., 0]
    np.testing.assert_allclose(run["outputs"][0, 0, :10], expected, rtol=0, atol=1e-11)
    np.testing.assert_array_equal(run["inputs"][0, :10], inputs[::3])
    assert run["outputs"][0, 0, 10].isnull().all()  # there is no sample 30
    assert run["inputs"][0, 10].isnull().all()


@pytest.mark.parametrize(
    "circuit",
    [
        an.LeakyInterneuronCircuit(leak=0.3, initial_weights=SYNAPSES),
        an.GainCircuit(frame=an.frames.equiangular(3)),
        an.DecoupledInterneuronCircuit(initial_inward_weights=0.8),
        an.LeakyInterneuronCircuit(leak=0.3, dynamics=INTEGRATED),
    ],
)
def test_interneurons_are_driven_by_the_outputs(circuit):
    inputs = np.random.default_rng(1).normal(size=(20, 3))
    names = ["outputs", "interneuron_activity"]
    if not isinstance(circuit, an.GainCircuit):
        names += circuit.inward
    run = an.simulate(circuit, inputs, record=names, record_every=2)
    y, z = run["outputs"][0, 0, :10].values, run["interneuron_activity"][0, 0, :10].values
    W = np.asarray(circuit.frame)[None] if isinstance(circuit, an.GainCircuit) else None
    if W is None:
        W = run[names[-1]][0, 0, :10].values
        W = np.swapaxes(W, 1, 2) if names[-1] == "inward_synapses" else W
    np.testing.assert_allclose(z, np.einsum("rnk,rn->rk", W, y), rtol=1e-12, atol=1e-13)


def test_inputs_differ_between_replicates_that_share_their_path():
    run = an.simulate(
        an.DirectCircuit(), ENVIRONMENT, 60, n_replicates=3, rng=0, record=["inputs", "covariance"]
    )
    assert run["inputs"].dims == ("replicate", "sample", "neuron")
    assert run["covariance"].dims == ("sample", "neuron", "neuron_2")
    assert len(np.unique(run["inputs"][:, 5, 0])) == 3
    assert run["inputs"][:, :60].notnull().all()


def test_every_sample_around_changes_is_recorded_on_request(tmp_path):
    settings = {"record_every": 25, "record_around": (2, 3), "rng": 0}
    record = ["whitening_error", "outputs"]
    run = an.simulate(an.DirectCircuit(), ENVIRONMENT, 100, record=record, **settings)
    expected = [0, 25, 38, 39, 40, 41, 42, 43, 50, 75, 78, 79, 80, 81, 82, 83, 100]
    assert run["sample"].values.tolist() == expected
    stored = an.simulate(
        an.DirectCircuit(), ENVIRONMENT, 100, record=record, path=tmp_path / "run.nc", **settings
    )
    xr.testing.assert_equal(stored.load(), run)
    environment = environment_from_parameters(json.loads(run.attrs["environment"]))
    assert verify(stored, environment).differing == ()
    with pytest.raises(TypeError, match="record_around must be two numbers of samples"):
        an.simulate(an.DirectCircuit(), ENVIRONMENT, 100, rng=0, record_around=5)


@pytest.mark.parametrize("kind", [an.DirectCircuit, an.InterneuronCircuit])
def test_a_rate_of_zero_in_a_context_freezes_the_weights_there(kind):
    circuit = kind(learning_rate=an.Rates.per_context([1e-2, 0.0]))
    run = an.simulate(circuit, ENVIRONMENT, 160, rng=0, record=["effective_weights"])
    A = run["effective_weights"][0, 0].values
    assert (A[40:81] == A[40]).all()
    assert (A[120:161] == A[120]).all()
    assert (A[1:41] != A[0:40]).any(axis=(1, 2)).all()
    steady = an.simulate(
        kind(learning_rate=1e-2), ENVIRONMENT, 160, rng=0, record=["effective_weights"]
    )
    np.testing.assert_array_equal(A[:41], steady["effective_weights"][0, 0, :41])
    assert np.isnan(run["synaptic_time"]).all()


def test_rates_per_segment_and_from_samples_say_the_same():
    rates = [1e-2, 0.0, 3e-3]
    alike = [
        an.Rates.per_segment(rates),
        an.Rates.from_samples(dict(zip([0, 40, 80], rates, strict=True))),
        an.Rates.per_segment([*rates, *rates[2:]], cyclic=True),
    ]
    runs = [
        an.simulate(an.DirectCircuit(learning_rate=r), ENVIRONMENT, 130, n_replicates=5, rng=0)
        for r in alike
    ]
    for run in runs[1:]:
        np.testing.assert_array_equal(run["whitening_error"], runs[0]["whitening_error"])
    times = runs[1]["synaptic_time"][0].values
    np.testing.assert_allclose(times[[40, 80, 130]], [0.4, 0.4, 0.55])


def test_runs_with_rates_as_data_are_stored_resumed_and_verified(tmp_path):
    frame = an.frames.equiangular(3)
    circuit = an.GainPlasticCircuit(
        frame=frame, learning_rate=1e-2, synaptic_rate=an.Rates.per_segment([1e-3, 0.0])
    )
    settings = {"rng": 0, "n_replicates": 2, "record": ["synapses", "gains"]}
    run = an.simulate(circuit, ENVIRONMENT, 100, **settings, path=tmp_path / "run.nc").load()
    W = run["synapses"][0, 0].values
    assert (W[40:] == W[40]).all()
    assert (W[1:41] != W[:40]).any()
    environment = environment_from_parameters(json.loads(run.attrs["environment"]))
    assert verify(an.load(tmp_path / "run.nc"), environment).differing == ()
    again = from_parameters(json.loads(json.dumps(circuit.parameters())))
    assert again.synaptic_rate == circuit.synaptic_rate


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: an.Rates.per_context([]), "a number per context"),
        (lambda: an.Rates.from_samples({5: 0.1}), "begin at sample 0"),
        (lambda: an.Rates.per_segment([-1.0]), "non-negative"),
        (
            lambda: an.InterneuronCircuit(learning_rate=an.Rates.per_segment([2.0])),
            "learning_rate must be a finite non-negative number below 1",
        ),
        (
            lambda: an.simulate(
                an.DirectCircuit(learning_rate=an.Rates.per_context([0.1])), ENVIRONMENT, 99, rng=0
            ),
            "a number per context, got 1 for context 1",
        ),
        (
            lambda: an.flow(
                an.DirectCircuit(learning_rate=an.Rates.per_context([0.1, 0.2])), ENVIRONMENT, 99
            ),
            "must not depend on the path",
        ),
    ],
)
def test_bad_rates_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
