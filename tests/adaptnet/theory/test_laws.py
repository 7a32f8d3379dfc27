"""Laws as plug-ins, and what follows from any law's mean rule by linearising it."""

import inspect

import numpy as np
import pytest

import adaptnet as an
from adaptnet import theory
from adaptnet.theory.law import LAWS
from environments.covariances import random_eigenbasis, with_spectrum

MODE_LAWS = [name for name, law in LAWS.items() if issubclass(law, theory.ModeLaw)]


def covariance(n, condition, seed=0):
    spectrum = np.geomspace(1, condition, n) / condition
    return with_spectrum(spectrum, random_eigenbasis(n, np.random.default_rng(seed)))


def white_noise(n):
    """Return the covariance of yy' for standard normal y."""
    identity = np.eye(n)
    pairs = np.einsum("ik,jl->ijkl", identity, identity)
    return pairs + np.swapaxes(pairs, 2, 3)


@pytest.mark.parametrize("condition", [1, 10, 1e4])
@pytest.mark.parametrize("name", MODE_LAWS)
def test_linearising_gives_the_rates_and_floors_of_the_closed_forms(name, condition):
    law, C = theory.law_of(name), covariance(4, condition)
    linear = law.linearisation(C)
    rates = law.local_rates(C)
    # Differences of fourth order err by 1e-11 of the fastest rate.
    np.testing.assert_allclose(
        linear.rates, np.sort(rates[np.triu_indices(4)]), atol=1e-9 * rates.max()
    )
    total = np.einsum("ijij", linear.error_covariance(white_noise(4)))
    expected = theory.noise_floor(name, C, 1.0).frobenius_error ** 2
    assert total == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("name", MODE_LAWS)
def test_the_drift_is_the_change_for_mean_outputs_and_rests_at_the_fixed_point(name):
    law, C = theory.law_of(name), covariance(3, 5)
    state = law.fixed_point(C) + 0.1 * np.eye(3)
    inverse = np.linalg.inv(law.effective_weights(state))
    expected = law.change(state, inverse @ C @ inverse.T)
    np.testing.assert_allclose(law.drift(state, C), expected, atol=1e-12)
    np.testing.assert_allclose(law.drift(law.fixed_point(C), C), 0, atol=1e-12)


class DecayingLaw(theory.Law, name="decaying"):
    """A rule made up here: M <- M + eta (yy' - M), whose outputs are as variable as M is large."""

    def change(self, state, moments):
        """Return yy' - M."""
        return moments - state

    def fixed_point(self, covariance):
        """Return C^(1/3): M^-1 C M^-1 = M."""
        values, vectors = np.linalg.eigh(covariance)
        return (vectors * np.cbrt(values)) @ vectors.T


del LAWS["decaying"]  # other tests count the laws


@pytest.fixture
def decaying(monkeypatch):
    monkeypatch.setitem(LAWS, "decaying", DecayingLaw)
    monkeypatch.setattr(an.DirectCircuit, "theory", "decaying")


def test_a_law_of_ones_own_is_found_by_its_name(decaying):
    circuit, C = an.DirectCircuit(learning_rate=0.01), np.diag([1.0, 8.0])
    assert type(theory.law_of(circuit)) is DecayingLaw
    assert theory.law_of("decaying") is theory.law_of(circuit)
    # M = C^(1/3) = diag(1, 2): a deviation d of m changes m^-2 c - m by -(2 c / m^3 + 1) d = -3 d,
    # and off the diagonal (c_1/m_1 + c_2/m_2) / (m_1 m_2) + 1 = (1 + 4) / 2 + 1.
    np.testing.assert_allclose(theory.law_of(circuit).local_rates(C), [3, 3, 3.5], rtol=1e-9)
    assert theory.largest_learning_rate(circuit, C) == pytest.approx(2 / 3.5)
    run = an.flow(circuit, C, 2000, record_every=2000, record=["effective_weights"])
    np.testing.assert_allclose(
        run["effective_weights"].values[0, 0, -1], np.diag([1.0, 2.0]), atol=1e-8
    )


def test_names_of_laws_are_unique():
    with pytest.raises(ValueError, match=r"'direct' is that of adaptnet\.theory\.laws\.direct"):

        class Other(theory.Law, name="direct"):
            """Takes a name that is taken."""

    assert LAWS["direct"].__module__ == "adaptnet.theory.laws.direct"


def test_laws_are_documented_and_concrete():
    for law in LAWS.values():
        assert law.__doc__
        assert not inspect.isabstract(law)


def test_closed_forms_are_refused_where_there_are_none(decaying):
    with pytest.raises(ValueError, match=r"closed forms for its modes.*adaptnet\.flow"):
        theory.mode_law_of("decaying")
