"""How long Euler steps may be."""

import numpy as np
import pytest

import adaptnet as an


@pytest.mark.parametrize("eigenvalue", [0.04, 0.15, 0.25, 0.6, 3.0])
def test_steps_of_interneurons_are_stable_up_to_the_documented_length(eigenvalue):
    limit = 1 / eigenvalue if eigenvalue >= 0.25 else 4 / (1 + np.sqrt(1 - 4 * eigenvalue))
    largest = {}
    for factor in (0.97, 1.03):
        dynamics = an.IntegratedDynamics(step_size=factor * limit, tolerance=1e-9, max_steps=3000)
        circuit = an.InterneuronCircuit(initial_weights=eigenvalue, dynamics=dynamics)
        response = circuit.initial_records(circuit.initial_state(1))["response"]
        largest[factor] = np.abs(response * eigenvalue - 1).max()
    assert largest[0.97] < 1e-3  # the fixed point, y = x / eigenvalue
    assert not largest[1.03] < 1e-3
