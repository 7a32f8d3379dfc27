"""Closed forms against published values, against each other, and against the integrated flows."""

import numpy as np
import pytest

import adaptnet as an
from adaptnet import theory
from environments.covariances import random_eigenbasis, with_spectrum

LAWS = {name: theory.law_of(name) for name in ("direct", "interneuron")}
CIRCUITS = {"direct": an.DirectCircuit, "interneuron": an.InterneuronCircuit}

# Times to |s^2/m^2 - 1| <= 0.1 from m0 = a s at s = 1, worked out from the formulas by hand.
TIMES = {
    0.01: ("0.915", "0.599"),
    2: ("2.215", "0.824"),
    10: ("10.664", "1.698"),
    100: ("100.75", "2.852"),
    1000: ("1000.76", "4.003"),
}


def basis(n, seed=0):
    return random_eigenbasis(n, np.random.default_rng(seed))


@pytest.mark.parametrize("ratio", TIMES)
def test_times_to_their_digits(ratio):
    for expected, law in zip(TIMES[ratio], LAWS.values(), strict=True):
        digits = len(expected.partition(".")[2])
        assert f"{law.mode_time(1.0, ratio, 0.1):.{digits}f}" == expected


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("ratio", [1e-2, 0.3, 0.9, 1.2, 5.0, 1e3])
@pytest.mark.parametrize("threshold", [1e-6, 0.1, 0.9])
def test_mode_is_at_the_threshold_when_its_time_has_come(name, ratio, threshold):
    law, s = LAWS[name], 0.7
    time = law.mode_time(s, ratio * s, threshold)
    weight = law.mode(time, s, ratio * s)
    if time == 0:
        assert abs(1 / ratio**2 - 1) <= threshold
    else:
        # The error is a difference of numbers near 1, whose rounding the time inherits.
        assert abs(s**2 / weight**2 - 1) == pytest.approx(threshold, rel=1e-8)


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("scale", [0.01, 2.0, 10.0, 1000.0])
@pytest.mark.parametrize(("n", "condition"), [(1, 1), (3, 10), (5, 100), (5, 1e4)])
def test_flow_follows_the_closed_form_of_commuting_starts(name, n, condition, scale):
    s = np.geomspace(1, np.sqrt(condition), n) / np.sqrt(condition)
    m0 = scale * s[::-1]  # each mode has a ratio of its own
    Q = basis(n)
    start = with_spectrum(m0, Q)
    argument = "initial_weights" if name == "direct" else "initial_effective_weights"
    duration = 3 + 1.2 * LAWS[name].mode_time(s, m0, 0.1).max()
    circuit = CIRCUITS[name](**{argument: start}, learning_rate=duration / 5000)
    run = an.flow(
        circuit, with_spectrum(s**2, Q), 5000, record_every=50, record=["effective_weights"]
    )
    times = run["synaptic_time"].values[0]
    modes = LAWS[name].mode(times[:, None], s, m0)
    expected = (Q * modes[:, None, :]) @ Q.T
    # Absolutely, of weights up to a thousand: the integrator keeps 1e-13 of them a step.
    error = np.abs(run["effective_weights"].values.squeeze((0, 1)) - expected).max()
    assert error < 1e-8


def test_interneuron_matrices_obey_their_closed_form():
    Q = basis(4)
    C, A0 = with_spectrum([0.1, 1, 2, 5], Q), with_spectrum([3, 0.2, 1, 1], Q)
    circuit = an.InterneuronCircuit(initial_weights=np.linalg.cholesky(A0), learning_rate=0.01)
    run = an.flow(circuit, C, 100, record_every=20, record=["effective_weights"])
    for i, t in enumerate(run["synaptic_time"].values[0]):
        A = run["effective_weights"].values[0, 0, i]
        np.testing.assert_allclose(A @ A, C + np.exp(-4 * t) * (A0 @ A0 - C), atol=1e-8)


@pytest.mark.parametrize("name", LAWS)
def test_velocity_is_the_derivative_of_the_closed_form(name):
    law, step = LAWS[name], 1e-5
    for s, m0 in [(0.5, 3.0), (2.0, 0.4)]:
        before, now, after = law.mode([0.3 - step, 0.3, 0.3 + step], s, m0)
        velocity = law.drift(np.array([[now]]), np.array([[s**2]]))[0, 0]
        # The centred difference errs by step^2 m'''/6, and by rounding / step: both near 1e-10.
        assert (after - before) / (2 * step) == pytest.approx(velocity, rel=1e-7)


def test_interneuron_times_do_not_depend_on_units_and_direct_ones_scale():
    s, m0 = np.array([0.5, 1.0, 2.0]), np.array([3.0, 0.2, 40.0])
    for c in (0.01, 7.0):
        np.testing.assert_allclose(
            LAWS["interneuron"].mode_time(c * s, c * m0, 0.1),
            LAWS["interneuron"].mode_time(s, m0, 0.1),
            rtol=1e-13,
        )
        np.testing.assert_allclose(
            LAWS["direct"].mode_time(c * s, c * m0, 0.1),
            c * LAWS["direct"].mode_time(s, m0, 0.1),
            rtol=1e-12,
        )


def test_direct_circuit_is_the_faster_one_for_small_inputs_alone():
    start = 1.001  # near the optimum, where s = 1/2 divides the two
    for s, faster in [(0.4, "direct"), (0.6, "interneuron")]:
        times = {name: law.mode_time(s, start * s, 1e-4) for name, law in LAWS.items()}
        assert min(times, key=times.get) == faster


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0, 1.0, 0.1), "target must hold finite positive numbers, got 0"),
        ((1.0, [1.0, -2.0], 0.1), "start must hold finite positive numbers, got -2"),
        ((1.0, np.nan, 0.1), "start must hold finite positive numbers, got nan"),
        ((1.0, 2.0, 1.0), "threshold must lie between 0 and 1, got 1"),
        ((1.0, 2.0, 0.0), "threshold must lie between 0 and 1, got 0"),
    ],
)
def test_bad_arguments_are_named(law, arguments, message):
    with pytest.raises(ValueError, match=message):
        law.mode_time(*arguments)
    if "threshold" not in message:
        with pytest.raises(ValueError, match=message):
            law.mode(1.0, *arguments[:2])


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
def test_negative_time_is_refused(law):
    with pytest.raises(ValueError, match="time must hold finite non-negative numbers, got -1"):
        law.mode([0.0, -1.0], 1.0, 2.0)


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("start", [0.2, 10.0])
def test_a_mode_takes_as_long_as_it_has_gone(name, start):
    law = LAWS[name]
    assert law.mode(0.0, 1.0, start) == start
    for time in (0.5, 1.0, 2.0):
        weight = law.mode(time, 1.0, start)
        error = abs(1 / weight**2 - 1)
        if 0 < error < 1:
            assert law.mode_time(1.0, start, error) == pytest.approx(time, rel=1e-9)
        else:  # an error above 1 is no threshold: the weight moves on all the same
            assert start < weight < law.mode(3.0, 1.0, start)
