"""What holds of every schedule, transition, path, source, covariance and preset.

They are found by inspection: a new one needs an entry in ``tests/environments/catalogue.py``, and
then goes through the checks of its kind.
"""

import inspect
import itertools
import json

import numpy as np
import pytest

import environments
from environments import SwitchingEnvironment, covariances, presets
from environments.checks import covariance_matrix
from environments.configuration import Configuration, build, concrete
from environments.paths import Path, RandomPath, SmoothPath
from environments.samples import CHUNK, Sources
from environments.schedules import Schedule
from environments.transitions import Transition
from tests.environments.catalogue import FAMILIES

CLASSES = {"schedules": Schedule, "transitions": Transition, "paths": Path}
N = 600  # samples of a schedule


def of_each(family):
    """Put a test through every entry of a family."""
    return pytest.mark.parametrize("name", FAMILIES[family])


def _ours(kind):
    return {sub for sub in concrete(kind) if sub.__module__.startswith("environments.")}


def _public_functions(module):
    for name, function in vars(module).items():
        if name in module.__all__ and inspect.isfunction(function):
            yield name


@pytest.mark.parametrize("family", CLASSES)
def test_every_class_has_an_entry_in_the_catalogue(family):
    listed = {type(entry) for entry in FAMILIES[family].values()}
    missing = sorted(kind.__name__ for kind in _ours(CLASSES[family]) - listed)
    assert not missing, f"add {missing} to {family} in tests/environments/catalogue.py"


@pytest.mark.parametrize(("family", "module"), [("covariances", covariances), ("presets", presets)])
def test_every_function_has_an_entry_in_the_catalogue(family, module):
    helpers = {"random_eigenbasis"}  # a basis, no covariance; tested beside with_spectrum
    missing = sorted(set(_public_functions(module)) - helpers - set(FAMILIES[family]))
    assert not missing, f"add {missing} to {family} in tests/environments/catalogue.py"


@pytest.mark.parametrize(
    ("family", "name"),
    [
        (family, name)
        for family in ("schedules", "transitions", "paths", "sources", "presets")
        for name in FAMILIES[family]
    ],
)
def test_parameters_build_the_same_again(family, name):
    configuration = FAMILIES[family][name]
    parameters = configuration.parameters()
    again = build(json.loads(json.dumps(parameters)))
    assert type(again) is type(configuration)
    assert again.parameters() == parameters
    assert repr(again) == repr(configuration)
    assert repr(again).startswith(f"{type(again).__name__}(")


def test_what_is_built_is_concrete_and_found_at_any_depth():
    class Middle(environments.StationaryEnvironment):
        @property
        def n_neurons(self):
            return 1

    class Deep(Middle):
        pass

    found = set(concrete(Configuration))
    assert Deep in found
    assert (
        not {Path, SmoothPath, RandomPath, Schedule, Transition, environments.Environment} & found
    )
    assert build({"type": "Deep", "covariance": [[1.0]]}).n_neurons == 1


@pytest.mark.parametrize(
    ("name", "near"),
    [("os.system", None), ("StationaryEnviroment", "StationaryEnvironment"), (None, None)],
)
def test_an_unknown_type_is_refused_with_the_nearest_one(name, near):
    with pytest.raises(ValueError, match=r"type must be one of .*WishartProcess") as caught:
        environments.from_parameters({"type": name})
    assert ("did you mean" in str(caught.value)) == (near is not None)
    assert near is None or f"did you mean {near!r}?" in str(caught.value)


@of_each("schedules")
def test_schedules(name):
    schedule = FAMILIES["schedules"][name]
    schedule.check(3)
    first, second = (schedule.timeline(3, np.random.default_rng(0)) for _ in range(2))
    changes, contexts = first.change_samples(N), first.contexts(np.arange(N))
    assert contexts.min() >= 0
    assert contexts.max() < 3
    np.testing.assert_array_equal(changes, np.flatnonzero(np.diff(contexts)) + 1)
    assert np.diff(changes, prepend=0).min() >= schedule.shortest
    # a longer run begins with the shorter one, and the order of questions does not matter
    np.testing.assert_array_equal(second.contexts(np.arange(5 * N)[::-1])[::-1][:N], contexts)
    np.testing.assert_array_equal(second.change_samples(N), changes)
    seen, before, age = second.segment(np.arange(N))
    np.testing.assert_array_equal(seen, contexts)
    np.testing.assert_array_equal(before[changes], contexts[changes - 1])
    assert (age[changes] == 0).all()
    for start in (0, 7, N - 1):
        for context, _, since, rows in first.pieces(start, 50):
            samples = np.arange(start, start + 50)[rows]
            np.testing.assert_array_equal(first.contexts(samples), context)
            assert since == first.segment(samples)[2][0]


@of_each("schedules")
def test_schedules_say_whether_they_are_random(name):
    schedule = FAMILIES["schedules"][name]
    paths = [schedule.timeline(3, np.random.default_rng(seed)) for seed in range(5)]
    contexts = [path.contexts(np.arange(N)) for path in paths]
    same = all(np.array_equal(contexts[0], others) for others in contexts)
    assert same != schedule.random


@of_each("transitions")
def test_transitions(name):
    transition = FAMILIES["transitions"][name]
    weights = transition.weights(np.arange(transition.width + 5))
    assert weights[0] > 0
    assert (np.diff(weights[: transition.width + 1]) > 0).all()
    assert weights[transition.width - 1] < 1
    assert (weights[transition.width :] == 1).all()
    inner = weights[: transition.width]
    np.testing.assert_allclose(inner + inner[::-1], 1, atol=1e-14)  # old and new alike
    if transition.step is not None:
        np.testing.assert_allclose(np.diff(inner), transition.step, rtol=1e-9)


@of_each("paths")
def test_paths_stay_among_covariances(name):
    path = FAMILIES["paths"][name]
    assert path.unit
    if isinstance(path, RandomPath):
        rng = np.random.default_rng(0)
        state = path.start(rng)
        assert state.shape == path.state_shape
        for _ in range(20):
            state = path.advance(state, 0.1, rng)
            covariance_matrix("a step", path.factor(state) @ path.factor(state).T)
        assert path.stepwise
    else:
        for covariance in path.covariances(np.linspace(0, 1.3, 14)):
            assert len(covariance) == path.n_neurons
            covariance_matrix("a position", (covariance + covariance.T) / 2)
            np.testing.assert_allclose(covariance, covariance.T, rtol=1e-12, atol=1e-12)


@of_each("paths")
def test_paths_have_a_distance_that_grows(name):
    path = FAMILIES["paths"][name]
    short, long = (path.displacement(units, "affine_invariant") for units in (0.01, 0.02))
    # in proportion on smooth paths, as the root on random ones
    expected = np.sqrt(2) if isinstance(path, RandomPath) else 2
    assert long / short == pytest.approx(expected, rel=0.03)


@of_each("paths")
def test_paths_move_until_their_end(name):
    path = FAMILIES["paths"][name]
    if isinstance(path, RandomPath):
        assert path.end == np.inf
        return
    later = path.covariances(np.array([0.9, 1.0, 1.05, 2.6]))
    assert np.abs(later[1] - later[0]).max() > 1e-3
    stays = np.abs(later[2:] - later[1]).max() < 1e-9
    assert stays == (path.end == 1.0)
    assert path.end in (1.0, np.inf)


@of_each("sources")
def test_sources_are_white_and_repeat(name):
    sources = FAMILIES["sources"][name]

    def generator(*key):
        return np.random.Generator(np.random.SFC64(np.random.SeedSequence(1, spawn_key=key)))

    pieces = list(itertools.islice(sources.pieces(generator, 3, 0), 8))
    starts, white = [start for start, _ in pieces], []
    for start, piece in itertools.islice(sources.pieces(generator, 3, 0), 8):
        assert start == sum(map(len, white))
        white.append(piece.copy())  # the next may overwrite it
    assert starts == np.cumsum([0, *map(len, white)])[:-1].tolist()
    inputs = np.concatenate(white)
    again = next(piece for start, piece in sources.pieces(generator, 3, 1) if start == CHUNK)
    np.testing.assert_array_equal(again, inputs[CHUNK : CHUNK + len(again)])
    # 5 standard errors; products have long-run variances of at most 2 coth(1/4), or 3.3 for the t
    variances = 1 + np.eye(3) + sources.excess_variances(np.eye(3), np.zeros((3, 3)))
    error = 5 * np.sqrt(variances / len(inputs))
    assert (np.abs(inputs.T @ inputs / len(inputs) - np.eye(3)) < error).all()


def test_every_marginal_and_memory_is_in_the_catalogue():
    listed = {entry.parameters()["marginal"] for entry in FAMILIES["sources"].values()}
    assert listed == set(environments.samples.sources.MARGINALS), (
        "add it to sources in catalogue.py"
    )
    assert any(entry.parameters()["time_constant"] for entry in FAMILIES["sources"].values())
    assert {type(entry) for entry in FAMILIES["sources"].values()} == {Sources}


@of_each("covariances")
def test_covariances(name):
    make = FAMILIES["covariances"][name]
    covariance = make(5)
    np.testing.assert_array_equal(covariance_matrix(name, covariance), covariance)
    np.testing.assert_array_equal(covariance, covariance.T)
    np.testing.assert_array_equal(make(5), covariance)
    np.testing.assert_array_equal(make(np.random.default_rng(5)), covariance)
    assert covariance.flags.writeable  # the user's own
    drawn = not np.array_equal(make(6), covariance)
    assert drawn == (
        "rng" in inspect.signature(getattr(covariances, name)).parameters
        or name in ("sparse_mixing", "with_spectrum")
    )  # which get a basis


@of_each("presets")
def test_presets_take_the_arguments_of_a_switching_environment(name):
    assert isinstance(FAMILIES["presets"][name], SwitchingEnvironment)
    arguments = inspect.signature(getattr(presets, name)).parameters
    assert "arguments" in arguments
