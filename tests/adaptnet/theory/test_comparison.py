"""What equal learning rates hide of two circuits, and what remains at equal precision."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptnet import theory
from environments.covariances import random_eigenbasis, with_spectrum

spectra = st.lists(st.floats(-3, 3), min_size=1, max_size=12).map(lambda x: 10 ** np.array(x))


@given(spectra)
def test_interneurons_are_never_the_slower_ones_at_equal_floors(s):
    ratio, n = theory.local_time_ratio(np.diag(s**2)), len(s)
    assert 1 - 1e-12 <= ratio < 2 * (n + 1)


@given(spectra, st.floats(1e-2, 1e2))
def test_the_ratio_is_free_of_units(s, unit):
    ratio = theory.local_time_ratio(np.diag(s**2))
    assert theory.local_time_ratio(unit**2 * np.diag(s**2)) == pytest.approx(ratio, rel=1e-9)


def test_the_ratio_is_one_for_spherical_inputs_and_nears_its_bound_for_flat_ones():
    for n in (1, 4):
        assert theory.local_time_ratio(3 * np.eye(n)) == pytest.approx(1, rel=1e-12)
    # One large standard deviation beside a tiny one, n = 2: all but 2 (n + 1).
    assert theory.local_time_ratio(np.diag([1.0, 1e-12])) == pytest.approx(6, rel=1e-4)


@pytest.mark.parametrize("condition", [1, 10, 1e3])
def test_the_ratio_is_that_of_matched_rates_and_slowest_local_rates(condition):
    C = with_spectrum(np.geomspace(1, condition, 4), random_eigenbasis(4, np.random.default_rng(0)))
    rates = theory.matched_learning_rates(C, 0.05)
    slowest = {
        kind: 1 / (rate * theory.law_of(kind).local_rates(C).min()) for kind, rate in rates.items()
    }
    assert slowest["direct"] / slowest["interneuron"] == pytest.approx(
        theory.local_time_ratio(C), rel=1e-10
    )


@pytest.mark.slow
def test_at_equal_rates_the_direct_circuit_wins_rotations_of_ill_conditioned_inputs():
    variances = [1.0, 1e-2, 1e-4]
    pairs = [
        [with_spectrum(variances, random_eigenbasis(3, np.random.default_rng([seed, k])))
         for k in (0, 1)]
        for seed in range(8)
    ]  # fmt: skip
    left, entered = np.swapaxes(pairs, 0, 1)
    direct, interneuron = (
        np.median(theory.readaptation_time(kind, left, entered))
        for kind in ("direct", "interneuron")
    )
    assert direct < 1.1  # about the largest weight, 1
    assert interneuron == pytest.approx(np.log(1e4) / 4, abs=0.5)
    assert interneuron / direct > 2


def test_which_circuit_is_noisier_at_equal_rates_depends_on_the_condition():
    def quotient(condition):
        variances = np.geomspace(1, condition, 5)
        C = np.diag(variances / variances.mean())
        floors = [theory.noise_floor(kind, C, 1e-3) for kind in ("interneuron", "direct")]
        return floors[0].frobenius_error ** 2 / floors[1].frobenius_error ** 2

    assert quotient(1) == pytest.approx(2)
    assert quotient(100) > 1.1
    assert quotient(250) == pytest.approx(1, abs=0.02)
    assert quotient(1000) < 0.85
