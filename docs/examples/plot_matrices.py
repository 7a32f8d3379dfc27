"""
Weights and output covariances around a change
==============================================

``record=`` adds what pictures of matrices and spectra need to the run.
"""

import numpy as np

import adaptnet as an
from adaptnet import plotting
from environments import SwitchingEnvironment
from environments.covariances import gaussian_neighbours

narrow, wide = gaussian_neighbours(6, 0.5, 0.3), gaussian_neighbours(6, 2.0, 0.3)
environment = SwitchingEnvironment([narrow, wide], block_length=4_000)
circuits = {
    "direct": an.DirectCircuit(learning_rate=1e-3),
    "interneuron": an.InterneuronCircuit(learning_rate=1e-3),
}
run = an.simulate(
    circuits,
    environment,
    8_000,
    rng=0,
    record_every=100,
    record=["whitening_error", "frobenius_error", "effective_weights", "covariance"],
    progress=False,
)
figure, axes = plotting.plot_matrices(run)

# %%
# The eigenvalues of the output covariance return to 1.

figure, axes = plotting.plot_spectrum(run)
print(np.round(run["whitening_error"].isel(sample=-1).values, 3))
