"""
Whitening data whose statistics change
======================================

A transformation that whitens the past is wrong once the statistics have changed. Here the
covariance of a stream changes twice. Each estimator learns from a batch of 100 samples, and is then
judged by how white it makes the next one: the two circuits; ``IncrementalPCA`` of scikit-learn,
which remembers all batches alike; and ZCA and PCA whitening of the first 2000 samples. These two
differ by a rotation, which leaves the distance from white what it is, so that one line covers the
other. 100 samples of white data are at a distance of 0.43.
"""

import itertools

import numpy as np
from matplotlib import pyplot as plt
from sklearn.decomposition import PCA, IncrementalPCA

import adaptnet as an
from adaptnet.estimators import OnlineWhitener
from environments.covariances import random_eigenbasis, with_spectrum

rng = np.random.default_rng(0)
covariances = [
    with_spectrum(spectrum, random_eigenbasis(4, rng))
    for spectrum in ([1, 2, 4, 8], [1, 2, 4, 8], [0.1, 0.2, 0.4, 0.8])
]
batches = [
    rng.multivariate_normal(np.zeros(4), covariance, size=100)
    for covariance in covariances
    for _ in range(80)
]
past = np.concatenate(batches[:20])
values, vectors = np.linalg.eigh(np.cov(past.T))
zca = vectors / np.sqrt(values) @ vectors.T
pca = PCA(whiten=True).fit(past)

estimators = {
    "direct": OnlineWhitener(an.DirectCircuit(learning_rate=2e-3)),
    "interneuron": OnlineWhitener(an.InterneuronCircuit(learning_rate=1e-3)),
    "IncrementalPCA": IncrementalPCA(whiten=True),
}
errors = {name: [] for name in [*estimators, "ZCA of the past", "PCA of the past"]}
for batch, following in itertools.pairwise(batches):
    outputs = {"ZCA of the past": following @ zca, "PCA of the past": pca.transform(following)}
    for name, estimator in estimators.items():
        outputs[name] = estimator.partial_fit(batch).transform(following)
    for name, whitened in outputs.items():
        distance = np.linalg.norm(whitened.T @ whitened / len(whitened) - np.eye(4))
        errors[name].append(distance)

with plt.style.context({"axes.spines.top": False, "axes.spines.right": False}):
    figure, ax = plt.subplots(figsize=(6.5, 3.4), layout="constrained")
    colours = an.plotting.circuit_colours(list(errors))
    for name, distances in errors.items():
        smooth = np.convolve(distances, np.ones(5) / 5, mode="valid")
        ax.semilogy(100 * np.arange(3, len(smooth) + 3), smooth, color=colours[name], label=name)
    for change in (8000, 16_000):
        ax.axvline(change, color="0.6", linestyle=":")
    ax.set(xlabel="samples", ylabel="distance from white")
    figure.legend(loc="outside right upper", frameon=False)
