"""Noise floors against simulation, matched learning rates, and thresholds below a floor."""

import numpy as np
import pytest

import adaptnet as an
from adaptnet import theory
from adaptnet.simulation.changes import product_variances
from adaptnet.theory.noise import noise_floor_or_none
from environments import StationaryEnvironment, SwitchingEnvironment
from environments.covariances import random_eigenbasis, with_spectrum
from environments.samples.sources import Sources

KINDS = ("direct", "interneuron")
CIRCUITS = {"direct": an.DirectCircuit, "interneuron": an.InterneuronCircuit}


def case(n, condition):
    """Return a covariance and its square root."""
    spectrum = np.geomspace(1, condition, n) / np.geomspace(1, condition, n).mean()
    basis = random_eigenbasis(n, np.random.default_rng(n))
    return with_spectrum(spectrum, basis), with_spectrum(np.sqrt(spectrum), basis)


def test_frobenius_floors_are_the_closed_forms():
    s = np.array([0.5, 1, 1.5, 2, 3])
    for kind, expected in [
        ("direct", 6 * (1 / s).sum()),
        ("interneuron", 35 + s.sum() * (1 / s).sum()),
    ]:
        floor = theory.noise_floor(kind, np.diag(s**2), 1e-3)
        assert floor.frobenius_error**2 == pytest.approx(1e-3 * expected, rel=1e-12)


def test_floors_of_one_neuron_are_equal_in_both_norms():
    for kind in KINDS:
        floor = theory.noise_floor(kind, [[2.0]], 1e-3)
        # 20,000 draws of a squared Gaussian: sqrt(2 / 20000) = 1 % in the square.
        assert floor.whitening_error == pytest.approx(floor.frobenius_error, rel=0.02)


@pytest.mark.parametrize("kind", KINDS)
def test_floors_lie_between_the_bounds_of_the_norms_and_grow_as_the_root_of_the_rate(kind):
    C, _ = case(6, 30)
    floor = theory.noise_floor(kind, C, 1e-3)
    assert floor.frobenius_error / np.sqrt(6) < floor.whitening_error < floor.frobenius_error
    np.testing.assert_allclose(theory.noise_floor(kind, C, 4e-3), 2 * np.array(floor))


def simulated_floors(kind, n, condition, floor, relaxations, n_replicates):
    """Return root mean square errors of a converged circuit, in units of the predicted ones."""
    C, root = case(n, condition)
    rate = theory.matched_learning_rates(C, floor)[kind]
    weights = root if kind == "direct" else np.linalg.cholesky(root)
    circuit = CIRCUITS[kind](initial_weights=weights, learning_rate=rate)
    relaxation = 1 / (rate * theory.law_of(kind).local_rates(C).min())
    run = an.simulate(
        {kind: circuit},
        StationaryEnvironment(C),
        int((4 + relaxations) * relaxation),
        n_replicates=n_replicates,
        rng=1,
        record_every=max(1, int(relaxation / 5)),
    )
    settled = run.sel(sample=slice(int(4 * relaxation), None))
    predicted = theory.noise_floor(circuit, C, rate)
    return [
        float(np.sqrt((settled[name] ** 2).mean())) / getattr(predicted, name)
        for name in predicted._fields
    ]


# Sampling error: a run of T relaxation times holds about T independent draws of each entry of
# C_yy - I; T is chosen such that the squared floor has a standard error of 1 % or less.
def check(kind, n, condition, **options):
    whitening, frobenius = simulated_floors(kind, n, condition, **options)
    assert frobenius**2 == pytest.approx(1, abs=0.05)
    assert whitening == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("kind", KINDS)
def test_floors_are_those_of_simulations(kind):
    check(kind, 2, 10, floor=0.15, relaxations=800, n_replicates=8)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("condition", [1, 10, 100])
@pytest.mark.parametrize(
    ("n", "floor", "relaxations", "n_replicates"),
    [(2, 0.1, 1000, 8), (5, 0.1, 150, 8), (20, 0.2, 20, 4)],
)
def test_floors_are_those_of_simulations_for_many_spectra(
    kind, n, condition, floor, relaxations, n_replicates
):
    check(kind, n, condition, floor=floor, relaxations=relaxations, n_replicates=n_replicates)


@pytest.mark.parametrize("variable", theory.NoiseFloor._fields)
def test_matched_learning_rates_have_the_floor_asked_for(variable):
    C, _ = case(4, 20)
    rates = theory.matched_learning_rates(C, 0.07, variable=variable)
    for kind in KINDS:
        floor = getattr(theory.noise_floor(kind, C, rates[kind]), variable)
        assert floor == pytest.approx(0.07, rel=1e-12)


def test_interneurons_are_never_less_noisy_at_inputs_of_unit_scale():
    # tr S tr S^-1 >= n^2 and, at tr S^-1 = n, n^2 + 2n + n tr S > (n + 1) n.
    C, _ = case(4, 20)
    rates = theory.matched_learning_rates(C, 0.1)
    assert rates["interneuron"] < rates["direct"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.diag([1.0, -1.0]), 0.1), "covariance must be positive definite"),
        ((np.eye(2), 0.0), "floor must be a finite positive number"),
        ((np.eye(2), 10.0), "floor must be lower, got 10.0: the direct circuit"),
    ],
)
def test_bad_arguments_of_matching_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        theory.matched_learning_rates(*arguments)


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="variable must be one of whitening_error"):
        theory.matched_learning_rates(np.eye(2), 0.1, variable="error")
    with pytest.raises(TypeError, match=r"circuits must be a sequence of names.* got 'direct'"):
        theory.matched_learning_rates(np.eye(2), 0.1, circuits="direct")
    with pytest.raises(ValueError, match="learning_rate must be a finite positive number"):
        theory.noise_floor("direct", np.eye(2), 0.0)


@pytest.fixture(scope="module")
def run():
    circuits = {kind: CIRCUITS[kind](learning_rate=2e-3) for kind in KINDS}
    environment = SwitchingEnvironment([case(3, 5)[0], 2 * case(3, 9)[0]], block_length=2000)
    return an.simulate(circuits, environment, 6000, n_replicates=2, rng=0, record_every=10)


def test_runs_carry_the_floor_of_each_context_entered(run):
    for i, C in enumerate([2 * case(3, 9)[0], case(3, 5)[0]]):
        for kind in KINDS:
            expected = theory.noise_floor(kind, C, 2e-3)
            for name in expected._fields:
                floor = run[f"{name}_floor"].sel(circuit=kind).isel(change=i)
                assert float(floor) == pytest.approx(getattr(expected, name))


def test_a_threshold_below_the_floor_is_said(run):
    floors = run["frobenius_error_floor"]
    low, high = float(floors.sel(circuit="direct").max()), float(floors.max())
    assert low < high
    an.readaptation_times(run, 1.01 * high, variable="frobenius_error")
    with pytest.warns(an.NoiseFloorWarning, match=f"'interneuron' \\({high:.3g}\\)") as caught:
        an.readaptation_times(run, 0.99 * high, variable="frobenius_error")
    assert "'direct'" not in str(caught[0].message)
    with pytest.warns(an.NoiseFloorWarning, match="'direct'.*'interneuron'"):
        an.readaptation_times(run, 0.5 * low, variable="frobenius_error")


def test_what_has_no_floor_gives_no_warning():
    environment = SwitchingEnvironment([np.eye(2), 4 * np.eye(2)], block_length=500)
    decaying = an.DirectCircuit(learning_rate=0.01, learning_rate_decay=0.01)
    run = an.simulate(decaying, environment, 1000, rng=0)
    assert np.isnan(run["whitening_error_floor"]).all()
    an.readaptation_times(run, 1e-6)
    flow = an.flow(an.DirectCircuit(learning_rate=0.01), environment, 1000)
    assert "whitening_error_floor" not in flow
    an.readaptation_times(flow, 1e-6)


def test_a_singular_truth_has_no_floor():
    assert noise_floor_or_none(an.DirectCircuit(), np.diag([1.0, 0.0])) is None
    assert noise_floor_or_none(an.StaticCircuit(), np.eye(2)) is None
    assert noise_floor_or_none(an.DirectCircuit(), np.eye(2)) == theory.noise_floor(
        "direct", np.eye(2), 1e-3
    )


def test_a_circuit_brings_its_own_learning_rate():
    circuit = an.DirectCircuit(learning_rate=0.01)
    assert theory.noise_floor(circuit, np.eye(2)) == theory.noise_floor("direct", np.eye(2), 0.01)
    with pytest.raises(TypeError, match="learning_rate must be given with the name of a kind"):
        theory.noise_floor("direct", np.eye(2))
    decaying = an.DirectCircuit(learning_rate_decay=0.1)
    with pytest.raises(ValueError, match="learning_rate must be constant"):
        theory.noise_floor(decaying, np.eye(2))


def test_floors_above_which_the_formulas_fail_are_warned_of_and_refused():
    unit = theory.noise_floor("direct", np.eye(3), 1.0)

    def floor_of(whitening):
        return whitening * unit.frobenius_error / unit.whitening_error

    theory.matched_learning_rates(np.eye(3), floor_of(0.29))
    with pytest.warns(an.NoiseFloorWarning, match="formulas that hold up to 0.3"):
        theory.matched_learning_rates(np.eye(3), floor_of(0.31), circuits=["direct"])
    with pytest.raises(ValueError, match="online learning may diverge there"):
        theory.matched_learning_rates(np.eye(3), floor_of(0.51))
    with pytest.raises(ValueError, match=r"floor must be lower, got 1\.0"):
        theory.matched_learning_rates(np.eye(3), 1.0)


def heavy_tailed(n, excess, shared):
    """Return v_ij of a multivariate t (`shared` scale), or of independent sources, by kurtosis."""
    identity = np.eye(n)
    if shared:
        return (1 + excess / 3) * (1 + 2 * identity) - identity
    return 1 + identity + excess * identity


@pytest.mark.parametrize("kind", KINDS)
def test_floors_take_the_variances_of_products(kind):
    C, n = case(4, 20)[0], 4
    gaussian = theory.noise_floor(kind, C, 1e-3)
    assert theory.noise_floor(kind, C, 1e-3, product_variances=1 + np.eye(n)) == gaussian
    rates, v = theory.law_of(kind).local_rates(C), heavy_tailed(n, 6.0, shared=True)
    floor = theory.noise_floor(kind, C, 1e-3, product_variances=v)
    assert floor.frobenius_error**2 == pytest.approx(1e-3 / 2 * (rates * v).sum(), rel=1e-12)
    assert floor.whitening_error > gaussian.whitening_error


def test_variances_that_depend_on_the_rate_are_asked_for_at_it():
    memory, asked = np.exp(-2 / 10.0), []

    def product_variances(rates):
        asked.append(rates)
        kept = memory if rates is None else memory * (1 - rates)
        return (1 + np.eye(3)) * (1 + kept) / (1 - kept)

    rates = theory.matched_learning_rates(np.eye(3), 0.2, product_variances=product_variances)
    for kind, rate in rates.items():
        floor = theory.noise_floor(kind, np.eye(3), rate, product_variances=product_variances)
        assert floor.frobenius_error == pytest.approx(0.2, rel=1e-10)
        local = theory.law_of(kind).local_rates(np.eye(3))
        np.testing.assert_allclose(asked[-2], rate * local)
        # Memory of ten samples: a tenth of the rate that independent samples would allow.
        alone = theory.matched_learning_rates(np.eye(3), 0.2)[kind]
        assert rate / alone == pytest.approx(np.tanh(1 / 10), rel=0.05)


def test_unknown_variances_leave_no_floor():
    circuit = an.DirectCircuit()
    assert noise_floor_or_none(circuit, np.eye(2), lambda rates: None) is None
    with pytest.raises(ValueError, match="product_variances must be known"):
        theory.noise_floor(circuit, np.eye(2), product_variances=lambda rates: None)
    for wrong in (np.eye(3), np.array([[2.0, 1.0], [0.5, 2.0]]), -np.eye(2)):
        with pytest.raises(ValueError, match=r"product_variances must be a symmetric matrix"):
            theory.noise_floor(circuit, np.eye(2), product_variances=wrong)


SOURCES = {
    "laplace": Sources("laplace"),
    "t6": Sources("student_t", degrees_of_freedom=6),
    "t5": Sources("student_t", degrees_of_freedom=5),
    "ar10": Sources(time_constant=10.0),
    "ar100": Sources(time_constant=100.0),
}


def floors_of_sources(kind, sources, n, condition, relaxations):
    """Return simulated root mean square errors in units of those that a run states."""
    C, root = case(n, condition)
    environment = SwitchingEnvironment([C, C], block_length=1, order=[0, 1], sources=sources)
    realization = environment.realize(np.random.SeedSequence(0))
    variances = product_variances(realization, 5)
    rate = theory.matched_learning_rates(
        C, 0.1, circuits=[kind], variable="whitening_error", product_variances=variances
    )[kind]
    weights = root if kind == "direct" else np.linalg.cholesky(root)
    circuit = CIRCUITS[kind](initial_weights=weights, learning_rate=rate)
    relaxation = 1 / (rate * theory.law_of(kind).local_rates(C).min())
    run = an.simulate(
        {kind: circuit},
        environment,
        int((4 + relaxations) * relaxation),
        n_replicates=8,
        rng=1,
        record_every=max(1, int(relaxation / 5)),
    )
    assert float(run["whitening_error_floor"][0, 0]) == pytest.approx(0.1, rel=1e-6)
    settled = run.sel(sample=slice(int(4 * relaxation), None))
    return [
        float(np.sqrt((settled[name] ** 2).mean()) / run[f"{name}_floor"][0, 0])
        for name in theory.NoiseFloor._fields
    ]


# Eight runs of 100 relaxation times hold some 800 draws of each entry: a standard error of 2 % or
# less in root mean squares, more for heavy tails.
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("source", ["laplace", "t6", "ar10"])
def test_floors_of_sources_are_those_of_simulations(kind, source):
    ratios = floors_of_sources(kind, SOURCES[source], 3, 10, relaxations=100)
    assert ratios == pytest.approx([1, 1], abs=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(("n", "condition"), [(2, 10), (5, 10)])
def test_floors_of_all_sources_are_those_of_simulations(kind, source, n, condition):
    ratios = floors_of_sources(kind, SOURCES[source], n, condition, relaxations=150)
    assert ratios == pytest.approx([1, 1], abs=0.1)


@pytest.mark.parametrize("circuit", CIRCUITS.values(), ids=CIRCUITS)
def test_fast_dynamics_that_are_cut_short_leave_no_floor(circuit):
    C = case(3, 5)[0]
    exact = noise_floor_or_none(circuit(), C)
    for steps, expected in [(5, None), (10_000, exact)]:
        dynamics = an.IntegratedDynamics(step_size=0.1, max_steps=steps)
        assert noise_floor_or_none(circuit(dynamics=dynamics), C) == expected


def test_learning_rates_of_circuits_are_matched_by_their_names():
    circuits = {"mine": an.DirectCircuit(learning_rate=0.5), "yours": an.InterneuronCircuit()}
    C = case(3, 5)[0]
    rates = theory.matched_learning_rates(C, 0.1, circuits=circuits)
    expected = theory.matched_learning_rates(C, 0.1)
    assert rates == {"mine": expected["direct"], "yours": expected["interneuron"]}
    with pytest.raises(ValueError, match="the mine circuit would need"):
        theory.matched_learning_rates(C, 5.0, circuits=circuits)
