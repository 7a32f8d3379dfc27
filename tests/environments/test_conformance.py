"""What holds of every environment, found by inspection, is tested on every one."""

import copy
import doctest
import html
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest

import environments
from adaptnet.protocols import Environment as Protocol
from adaptnet.protocols import Realization as RealizationProtocol
from environments import Environment, from_parameters
from environments.configuration import concrete
from environments.samples import CHUNK
from tests.environments.catalogue import ENVIRONMENTS as VARIANTS

N = 4500  # samples of the tests that look at each of them
FAR = 2 * CHUNK + 700  # samples: more than two chunks, and not a multiple of one


START = CHUNK - 2000  # so that samples of two chunks are tested against the truth


def _example(kind):
    """Return the environment that the example in a docstring makes."""
    names = dict(vars(sys.modules[kind.__module__]))
    for example in doctest.DocTestParser().get_examples(kind.__doc__ or ""):
        exec(example.source, names)
    made = [value for value in names.values() if type(value) is kind]
    assert made, (
        f"give the docstring of {kind.__name__} an example that makes one, or add one to "
        "tests/environments/catalogue.py"
    )
    return made[0]


KINDS = {kind for kind in concrete(Environment) if kind.__module__.startswith("environments.")}
MISSING = KINDS - {type(variant) for variant in VARIANTS.values()}
ENVIRONMENTS = VARIANTS | {kind.__name__: _example(kind) for kind in MISSING}


def _realized(environment, seed=0):
    return environment.realize(np.random.SeedSequence(seed))


def _samples(environment, seed=0, block_size=N, start=0):
    return np.concatenate(list(_realized(environment, seed).blocks(N, block_size, start)))


@pytest.fixture(params=ENVIRONMENTS)
def environment(request):
    return ENVIRONMENTS[request.param]


def test_notebooks_show_its_parameters(environment):
    shown = environment._repr_html_()
    assert shown.startswith(f"<b>{type(environment).__name__}</b><table>")
    names = re.findall("<th>(.*?)</th>", shown)
    assert {"n_neurons", "truth", "contexts", *environment.parameters()} - {"type"} == {*names}
    assert all(html.escape(name) in shown for name in environment.context_names)
    assert len(shown) < 20_000


def test_every_kind_is_found():
    assert {type(variant) for variant in ENVIRONMENTS.values()} >= KINDS
    public = {getattr(environments, name) for name in environments.__all__}
    assert public >= KINDS, "export it from environments/__init__.py"


def test_shape_of_an_environment(environment):
    assert isinstance(environment, Protocol)
    realization = _realized(environment)
    assert isinstance(realization, RealizationProtocol)
    assert realization.n_neurons == environment.n_neurons
    assert _samples(environment).shape == (N, environment.n_neurons)
    assert environment.truth in ("exact", "empirical", "absent")
    assert len(set(environment.context_names)) == len(environment.context_names)


@pytest.mark.parametrize("block_size", [1, 333, 2048, CHUNK, FAR + 1])
def test_block_size_never_changes_a_sample(environment, block_size):
    if block_size == 1:  # a sample a block: over the boundary of two chunks is enough
        realization = _realized(environment)
        blocks = list(realization.blocks(CHUNK + 5, 1, CHUNK - 5))
        assert all(len(block) == 1 for block in blocks)
        whole = next(realization.blocks(CHUNK + 5, CHUNK + 5))
        np.testing.assert_array_equal(np.concatenate(blocks), whole[-10:])
        return
    realization = _realized(environment)
    parts = list(realization.blocks(FAR, block_size))
    np.testing.assert_array_equal(np.concatenate(parts), next(realization.blocks(FAR, FAR)))


@pytest.mark.parametrize("start", [1, 2048, CHUNK - 1, CHUNK, 2 * CHUNK + 300])
def test_start_never_changes_a_sample(environment, start):
    realization = _realized(environment)
    part = np.concatenate(list(realization.blocks(FAR, 200, start)))
    np.testing.assert_array_equal(part, next(realization.blocks(FAR, FAR))[start:])


def test_a_fresh_pass_repeats_the_first(environment):
    realization = _realized(environment)
    first, second = (next(realization.blocks(N, N)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first, _samples(copy.deepcopy(environment)))


def test_replicates_differ_in_samples_unless_it_says_not(environment):
    same = np.array_equal(_samples(environment, 0), _samples(environment, 1))
    assert same == environment.deterministic


def test_replicates_share_their_path_where_they_say_so(environment):
    if environment.truth == "absent":
        return
    samples = np.arange(0, N, 7)
    same = all(
        np.array_equal(_realized(environment, 0).covariances(samples), other.covariances(samples))
        and np.array_equal(_realized(environment, 0).contexts(samples), other.contexts(samples))
        for other in (_realized(environment, seed) for seed in (1, 2, 3))
    )
    assert same == environment.shared_path


def test_truth_is_a_pure_function_of_the_sample(environment):
    samples = np.arange(N)
    whole = _realized(environment)
    contexts = whole.contexts(samples)
    backwards = _realized(environment)
    for part in (samples[2500:], samples[:2500], samples[[7, 4400]]):
        np.testing.assert_array_equal(backwards.contexts(part), contexts[part])
        if environment.truth != "absent":
            np.testing.assert_array_equal(backwards.covariances(part), whole.covariances(part))
    assert contexts.min() >= 0
    assert contexts.max() < len(environment.context_names)


def test_changes_are_where_contexts_change(environment):
    realization = _realized(environment)
    contexts = realization.contexts(np.arange(N))
    changes = realization.change_samples(N)
    np.testing.assert_array_equal(changes, np.flatnonzero(np.diff(contexts)) + 1)
    longer = _realized(environment).change_samples(N + 400)
    np.testing.assert_array_equal(longer[longer < N], changes)


def test_changes_are_complete_where_the_covariance_has_arrived(environment):
    realization = _realized(environment)
    changes, ends = realization.change_samples(N), realization.change_ends(N)
    assert changes.shape == ends.shape
    assert (ends >= changes).all()
    assert (ends[:-1] <= changes[1:]).all()
    if environment.truth != "exact":
        return
    covariances = realization.covariances(np.arange(N))
    for change, end, following in zip(changes, ends, np.append(changes, N)[1:], strict=True):
        if end < following:
            expected = np.repeat(covariances[end][None], following - end, axis=0)
            np.testing.assert_allclose(covariances[end:following], expected, rtol=1e-12, atol=1e-12)
        if change < end < N:
            assert (covariances[end - 1] != covariances[end]).any()


@pytest.mark.parametrize("start", [0, START])
def test_truth_matches_the_samples(environment, start):
    """Whitened by the truth, samples of many replicates are white within sampling error.

    With R replicates of independent paths and samples, each entry of the mean over replicates and
    samples of (white white' - 1) has mean zero. Its standard error is estimated from the scatter of
    the replicates' own means, which takes memory and heavy tails into account: over its estimate
    the mean is t with 23 degrees of freedom, beyond 6 with probability 4e-6, so that all of some
    2000 tests together would fail by chance less than once in a hundred choices of seeds.
    Windows are tested one by one, so that errors of opposite sign do not hide each other.
    """
    if environment.truth != "exact":
        return
    n = environment.n_neurons
    upper = np.triu_indices(n)
    excess = np.empty((24, 5, len(upper[0])))
    for seed in range(len(excess)):
        realization = _realized(environment, seed)
        inputs = next(realization.blocks(start + N, N, start))
        factors = np.linalg.cholesky(realization.covariances(np.arange(start, start + N)))
        white = np.linalg.solve(factors, inputs[..., None])[..., 0]
        products = (white[:, :, None] * white[:, None, :] - np.eye(n))[:, *upper]
        excess[seed] = products.reshape(5, N // 5, -1).mean(axis=1)
    error = excess.std(axis=0, ddof=1) / np.sqrt(len(excess))
    assert (np.abs(excess.mean(axis=0)) < 6 * error).all()
    assert error.max() < 0.15  # so that the bound means something


def test_json_round_trip(environment):
    parameters = environment.parameters()
    assert parameters["type"] == type(environment).__name__
    again = from_parameters(json.loads(json.dumps(parameters)))
    assert again.parameters() == parameters
    np.testing.assert_array_equal(_samples(again), _samples(environment))
    assert again.context_names == environment.context_names
    assert again.shared_path == environment.shared_path


def test_repr_shows_the_configuration(environment):
    shown = repr(environment)
    assert shown.startswith(f"{type(environment).__name__}(")
    assert len(shown) < 1500
    for name in environment.parameters():
        assert name == "type" or f"{name}=" in shown


def test_describe(environment):
    described = json.loads(json.dumps(environment.describe(N, seed=1)))
    realization = _realized(environment, 1)
    assert sum(s["duration"] for s in described["segments"]) == N
    assert [s["start"] for s in described["segments"][1:]] == realization.change_samples(N).tolist()
    assert sum(described["time_in_context"].values()) == pytest.approx(1.0)
    assert ("distance_covered" in described) == (environment.truth != "absent")
    if environment.truth != "absent":
        # the path is at least as long as the straight line
        assert described["distance_covered"] >= described["distance_start_to_end"] * (1 - 1e-12)


def test_nothing_given_back_can_change_it(environment):
    before = json.dumps(environment.parameters())
    realization = _realized(environment)
    inputs = next(realization.blocks(50, 50))
    expected = inputs.copy()
    inputs[...] = np.nan
    realization.contexts(np.arange(50))[...] = 0
    if environment.truth != "absent":
        covariances = realization.covariances(np.arange(50))
        truth = covariances.copy()
        covariances[...] = np.nan
        np.testing.assert_array_equal(realization.covariances(np.arange(50)), truth)
    _spoil(environment.parameters())
    assert json.dumps(environment.parameters()) == before
    np.testing.assert_array_equal(_samples(environment)[:50], expected)


def _spoil(value):
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, dict | list):
            _spoil(item)
    value.clear()


def test_the_environment_in_the_documentation_conforms():
    page = Path(__file__).parents[2] / "docs" / "extending.md"
    block = re.search(r"^```python\n(.*?)^```$", page.read_text(), re.M | re.S)[1]
    names = {"__name__": "block"}  # not one of the package, which other tests inspect
    exec(compile(block, str(page), "exec"), names)
    environment = names["BlinkingEnvironment"](3, period=500)
    checks = [
        test_shape_of_an_environment,
        test_a_fresh_pass_repeats_the_first,
        test_truth_is_a_pure_function_of_the_sample,
        test_changes_are_where_contexts_change,
        lambda blinking: test_truth_matches_the_samples(blinking, 0),
        test_json_round_trip,
        test_describe,
        test_nothing_given_back_can_change_it,
    ]
    for check in checks:
        check(environment)
    for size in (1, 333, CHUNK):
        test_block_size_never_changes_a_sample(environment, size)
