"""The estimator against scikit-learn's own checks, simulations and closed forms."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

import adaptnet as an
from adaptnet.estimators import OnlineWhitener
from adaptnet.estimators.centring import means_after

MIXING = np.array([[2.0, 0.0, 0.3], [1.0, 1.0, 0.0], [0.0, 0.5, 0.7]])
X = np.random.default_rng(0).normal(size=(5000, 3)) @ MIXING.T + [5.0, -3.0, 0.0]
Z = X - X.mean(axis=0)
CIRCUITS = {
    "direct": an.DirectCircuit(learning_rate=2e-3),
    "interneuron": an.InterneuronCircuit(n_interneurons=4, learning_rate=1e-3),
    "leaky": an.LeakyInterneuronCircuit(n_interneurons=3, learning_rate=1e-3),
    "batches": an.DirectCircuit(learning_rate=2e-3, batch_size=10),
}
PLAIN = {"centre": False, "scale": 1.0}


# One check needs an environment variable to be set before SciPy is imported, and skips itself.
@parametrize_with_checks(
    [OnlineWhitener(), OnlineWhitener(an.DirectCircuit()), OnlineWhitener(an.InterneuronCircuit())]
)
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("name", CIRCUITS)
def test_fit_is_a_simulation(name):
    fitted = OnlineWhitener(CIRCUITS[name], **PLAIN).fit(Z)
    run = an.simulate(CIRCUITS[name], Z, record=["effective_weights"], record_every=len(Z))
    expected = run["effective_weights"].isel(circuit=0, replicate=0, sample=-1).values
    np.testing.assert_array_equal(fitted.effective_weights_, expected)


@pytest.mark.parametrize("name", ["direct", "interneuron"])
def test_outputs_while_adapting_are_those_of_a_simulation(name):
    adapting = OnlineWhitener(CIRCUITS[name], adapting=True, **PLAIN).fit(Z[:1000])
    outputs = adapting.transform(Z[1000:])
    run = an.simulate(CIRCUITS[name], Z, record=["outputs"])
    expected = run["outputs"].isel(circuit=0, replicate=0).values[1000:-1]
    np.testing.assert_array_equal(outputs, expected)
    assert adapting.n_samples_seen_ == len(Z)


@pytest.mark.parametrize("forgetting", [0.0, 0.01])
def test_learning_in_pieces_is_learning_at_once(forgetting):
    at_once = OnlineWhitener(CIRCUITS["direct"], scale=2.0, forgetting=forgetting).fit(X)
    pieces = OnlineWhitener(CIRCUITS["direct"], scale=2.0, forgetting=forgetting)
    for piece in np.array_split(X, [1, 50, 51, 3000]):
        pieces.partial_fit(piece)
    np.testing.assert_allclose(pieces.mean_, at_once.mean_, rtol=1e-12)
    # The running means differ by rounding, which the circuit does not amplify.
    np.testing.assert_allclose(pieces.effective_weights_, at_once.effective_weights_, rtol=1e-9)


@pytest.mark.parametrize("forgetting", [0.0, 0.003, 0.2, 0.999])
def test_running_means_are_their_recursion(forgetting):
    values = np.random.default_rng(1).normal(size=(700, 2)) + 1e6
    mean, expected = np.array([1e6, 0.0]), []
    for t, x in enumerate(values, start=8):
        mean = mean + max(1 / t, forgetting) * (x - mean)
        expected.append(mean)
    found = means_after(values, np.array([1e6, 0.0]), 7, forgetting)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_it_learns_to_whiten_symmetrically():
    covariance = MIXING @ MIXING.T
    values, vectors = np.linalg.eigh(covariance)
    zca = vectors / np.sqrt(values) @ vectors.T
    circuit = an.DirectCircuit(learning_rate=1e-3)
    fitted = OnlineWhitener(circuit, n_passes=4).fit(X)
    # Learning noise leaves errors of about sqrt(learning_rate n) = 0.05.
    np.testing.assert_allclose(fitted.whitening_, zca, atol=0.1)
    np.testing.assert_allclose(fitted.mean_, X.mean(axis=0), atol=1e-9)


def test_the_inverse_returns_the_data():
    fitted = OnlineWhitener().fit(X)
    np.testing.assert_allclose(fitted.inverse_transform(fitted.transform(X)), X, rtol=1e-10)


def test_it_fits_into_pipelines_and_searches():
    labels = (X[:400, 0] > 5).astype(int)
    pipeline = make_pipeline(OnlineWhitener(CIRCUITS["direct"]), LogisticRegression())
    grid = {
        "onlinewhitener__circuit": [CIRCUITS["direct"], CIRCUITS["interneuron"]],
        "onlinewhitener__learning_rate": [1e-3, 1e-2],
    }
    search = GridSearchCV(pipeline, grid, cv=2).fit(X[:400], labels)
    assert search.best_score_ > 0.9
    assert search.best_estimator_[0].circuit_.learning_rate in (1e-3, 1e-2)


def test_clones_and_pickles():
    fitted = OnlineWhitener(CIRCUITS["interneuron"], learning_rate=1e-2).fit(X[:500])
    again = pickle.loads(pickle.dumps(fitted)).partial_fit(X[500:])
    np.testing.assert_array_equal(
        again.effective_weights_, fitted.partial_fit(X[500:]).effective_weights_
    )
    fresh = clone(fitted)
    assert not hasattr(fresh, "mean_")
    assert fresh.get_params()["learning_rate"] == 1e-2


def test_names_of_features_are_kept():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X[:100], columns=["a", "b", "c"])
    fitted = OnlineWhitener().set_output(transform="pandas").fit(frame)
    assert list(fitted.transform(frame).columns) == ["a", "b", "c"]
    assert fitted.get_feature_names_out().tolist() == ["a", "b", "c"]


def test_weights_that_diverge_are_not_used():
    circuit = an.DirectCircuit(learning_rate=0.5)
    with pytest.warns(an.DivergenceWarning, match="lower learning_rate"):
        fitted = OnlineWhitener(circuit).fit(X)
    assert fitted.diverged_
    assert (np.linalg.eigvalsh(fitted.effective_weights_) > 0).all()
    before = fitted.effective_weights_
    fitted.partial_fit(X)
    np.testing.assert_array_equal(fitted.effective_weights_, before)
    outputs = OnlineWhitener(circuit, adapting=True)
    with pytest.warns(an.DivergenceWarning):
        assert np.isfinite(outputs.fit_transform(X)).all()


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"circuit": "direct"}, TypeError, "circuit must be a circuit of adaptnet"),
        ({"learning_rate": 0}, ValueError, "learning_rate must be"),
        ({"n_passes": 0}, ValueError, "n_passes must be"),
        ({"forgetting": 1.0}, ValueError, "forgetting must be"),
        ({"scale": -1.0}, ValueError, "scale must be"),
        ({"centre": "no"}, TypeError, "centre must be True or False"),
        ({"adapting": "no"}, TypeError, "adapting must be True or False"),
        ({"circuit": an.DirectCircuit(initial_weights=np.eye(2))}, ValueError, "must be 3 x 3"),
        (
            {"circuit": an.DirectCircuit(learning_rate=an.Rates.per_context([0.1, 0.2]))},
            ValueError,
            "does not depend on contexts",
        ),
    ],
)
def test_bad_parameters_are_refused(parameters, error, message):
    with pytest.raises(error, match=message):
        OnlineWhitener(**parameters).fit(X)


def test_without_scikit_learn_there_is_a_sentence():
    code = "import sys; sys.modules['sklearn'] = None; import adaptnet.estimators"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert 'python -m pip install "adaptnet[sklearn]"' in done.stderr
