"""Plain NumPy twins of the circuits, written from the equations and nothing else.

[L23] is Lipshutz, Pehlevan & Chklovskii, ICLR 2023, arXiv:2209.10634,
[D23a] and [D23b] are Duong et al., ICML 2023, arXiv:2301.11955, and NeurIPS 2023, arXiv:2308.13633.
"""

import numpy as np


def learning_rate(eta_0, gamma, t):
    return eta_0 / (1 + gamma * t)


class Mean:
    """The mean of the updates of B samples, when there are so many, else nothing."""

    def __init__(self, size):
        self.size, self.updates = size, []

    def __call__(self, *update):
        self.updates.append(update)
        if len(self.updates) < self.size:
            return tuple(0.0 for _ in update)
        mean = tuple(sum(parts) / self.size for parts in zip(*self.updates, strict=True))
        self.updates = []
        return mean


def direct(M, inputs, eta_0, gamma=0.0, batch=1):
    """Algorithm 1 of [L23]: the weights after each sample, (sample, n, n)."""
    M = np.array(M, dtype=float)
    history, mean = [], Mean(batch)
    for t, x in enumerate(inputs):
        y = np.linalg.solve(M, x)
        (update,) = mean(learning_rate(eta_0, gamma, t) * (np.outer(y, y) - np.eye(len(M))))
        M = M + update
        history.append(M)
    return np.array(history)


def interneuron(W, inputs, eta_0, gamma=0.0, batch=1):
    """Algorithm 2 of [L23]: the effective weights W W' after each sample, (sample, n, n)."""
    W = np.array(W, dtype=float)
    history, mean = [], Mean(batch)
    for t, x in enumerate(inputs):
        y = np.linalg.solve(W @ W.T, x)
        z = W.T @ y
        (update,) = mean(learning_rate(eta_0, gamma, t) * (np.outer(y, z) - W))
        W = W + update
        history.append(W @ W.T)
    return np.array(history)


def leaky(W, inputs, eta_0, gamma=0.0, alpha=0.0, batch=1):
    """Interneurons beside a leak: alpha I + W W' after each sample, (sample, n, n)."""
    W = np.array(W, dtype=float)
    leak = alpha * np.eye(len(W))
    history, mean = [], Mean(batch)
    for t, x in enumerate(inputs):
        y = np.linalg.solve(leak + W @ W.T, x)
        (update,) = mean(learning_rate(eta_0, gamma, t) * (np.outer(y, W.T @ y) - W))
        W = W + update
        history.append(leak + W @ W.T)
    return np.array(history)


def decoupled(W_yz, W_zy, inputs, eta_0, gamma=0.0, alpha=0.0, batch=1):
    """Synapses that learn apart: alpha I + W_yz W_zy after each sample, (sample, n, n)."""
    W_yz, W_zy = np.array(W_yz, dtype=float), np.array(W_zy, dtype=float)
    leak = alpha * np.eye(len(W_yz))
    history, mean = [], Mean(batch)
    for t, x in enumerate(inputs):
        y = np.linalg.solve(leak + W_yz @ W_zy, x)
        z = W_zy @ y
        eta = learning_rate(eta_0, gamma, t)
        to_y, to_z = mean(eta * (np.outer(y, z) - W_yz), eta * (np.outer(z, y) - W_zy))
        W_yz, W_zy = W_yz + to_y, W_zy + to_z
        history.append(leak + W_yz @ W_zy)
    return np.array(history)


def gains_and_synapses(
    g, W, inputs, eta_g, eta_w, gamma=0.0, alpha=0.0, clip=False, every=None, batch=1
):
    """[D23b]: alpha I + W diag(g) W' after each sample, (sample, n, n); [D23a] for eta_w = 0.

    Gains return to where they began after `every` samples.
    """
    W = np.array(W, dtype=float)
    g = start = g * np.ones(W.shape[1])
    leak = alpha * np.eye(len(W))
    history, mean = [], Mean(batch)
    for t, x in enumerate(inputs):
        y = np.linalg.solve(leak + W @ np.diag(g) @ W.T, x)
        z = W.T @ y
        n = g * z
        to_g, to_W = mean(
            learning_rate(eta_g, gamma, t) * (z * z - (W * W).sum(axis=0)),
            learning_rate(eta_w, gamma, t) * (np.outer(y, n) - W @ np.diag(g)),
        )
        g, W = np.maximum(g + to_g, 0) if clip else g + to_g, W + to_W
        if every and (t + 1) % every == 0:
            g = start
        history.append(leak + W @ np.diag(g) @ W.T)
    return np.array(history)


def integrated_direct(M, x, step_size, n_steps):
    """Activity after Euler steps of dy/dg = x - M y from rest."""
    y = np.zeros(len(x))
    for _ in range(n_steps):
        y = y + step_size * (x - M @ y)
    return y


def integrated_interneuron(W, x, step_size, time_constant, n_steps):
    """Activities after Euler steps of dy/dg = x - W z, tau dz/dg = W' y - z from rest."""
    y, z = np.zeros(W.shape[0]), np.zeros(W.shape[1])
    for _ in range(n_steps):
        y, z = y + step_size * (x - W @ z), z + step_size / time_constant * (W.T @ y - z)
    return y, z


def random_covariance(rng, n, condition=20.0):
    """Return a covariance with a geometric spectrum from 1 to `condition` in a random basis."""
    basis = np.linalg.qr(rng.normal(size=(n, n)))[0]
    covariance = (basis * np.geomspace(1, condition, n)) @ basis.T
    return (covariance + covariance.T) / 2


def batch(prior, inputs, window):
    """Square root of the mean of x x' over a window that `prior` squared fills at first."""
    history = []
    for s in range(1, len(inputs) + 1):
        taken = inputs[max(0, s - window) : s]
        missing = window - len(taken)
        history.append(square_root((taken.T @ taken + missing * prior @ prior) / window))
    return np.array(history)


def square_root(matrix):
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(values)) @ vectors.T


def start(circuit, n):
    """Return initial weights as a matrix: a number a stands for effective weights a I."""
    weights = np.asarray(circuit.initial_weights, dtype=float)
    return weights * np.eye(n) if weights.ndim == 0 else weights


def synapses(circuit, n):
    """Return W before the first sample, or a root of W W', which is all that outputs depend on."""
    if circuit.initial_effective_weights is not None:
        return square_root(np.asarray(circuit.initial_effective_weights))
    weights = np.asarray(circuit.initial_weights, dtype=float)
    return np.sqrt(weights) * np.eye(n) if weights.ndim == 0 else weights


def few_or_many(value, n, k):
    """Return W (n, k): for a number a, sqrt(a) times orthonormal rows, or columns if k < n."""
    if np.ndim(value):
        return np.asarray(value)
    small, large = sorted((n, k))
    waves = np.cos(np.pi / large * np.outer(np.arange(small), np.arange(large) + 0.5))
    waves = np.eye(n) if n == k else waves / np.linalg.norm(waves, axis=1, keepdims=True)
    return np.sqrt(value) * (waves.T if k < n else waves)


def both_sets(circuit, n):
    """Return W_yz and W_zy before the first sample."""
    k = circuit.n_interneurons or n
    outward = few_or_many(circuit.initial_outward_weights, n, k)
    inward = circuit.initial_inward_weights
    if inward is None:
        return outward, outward.T
    return outward, few_or_many(inward, n, k).T if np.ndim(inward) == 0 else np.asarray(inward)


# For every concrete circuit, by name: from a circuit and inputs (sample, n) to the effective
# weights after each sample. A circuit without an entry fails tests/adaptnet/circuits.
TWINS = {
    "DirectCircuit": lambda circuit, inputs: direct(
        start(circuit, inputs.shape[1]),
        inputs,
        circuit.learning_rate,
        circuit.learning_rate_decay,
        circuit.batch_size,
    ),
    "InterneuronCircuit": lambda circuit, inputs: interneuron(
        synapses(circuit, inputs.shape[1]),
        inputs,
        circuit.learning_rate,
        circuit.learning_rate_decay,
        circuit.batch_size,
    ),
    "LeakyInterneuronCircuit": lambda circuit, inputs: leaky(
        few_or_many(
            circuit.initial_weights, inputs.shape[1], circuit.n_interneurons or inputs.shape[1]
        ),
        inputs,
        circuit.learning_rate,
        circuit.learning_rate_decay,
        circuit.leak,
        circuit.batch_size,
    ),
    "DecoupledInterneuronCircuit": lambda circuit, inputs: decoupled(
        *both_sets(circuit, inputs.shape[1]),
        inputs,
        circuit.learning_rate,
        circuit.learning_rate_decay,
        circuit.leak,
        circuit.batch_size,
    ),
    "GainCircuit": lambda circuit, inputs: gains_and_synapses(
        circuit.initial_gains,
        circuit.frame,
        inputs,
        circuit.learning_rate,
        0.0,
        circuit.learning_rate_decay,
        circuit.leak,
        circuit.clip,
        batch=circuit.batch_size,
    ),
    "GainPlasticCircuit": lambda circuit, inputs: gains_and_synapses(
        circuit.initial_gains,
        circuit.frame,
        inputs,
        circuit.learning_rate,
        circuit.synaptic_rate,
        circuit.learning_rate_decay,
        circuit.leak,
        circuit.clip,
        circuit.restart_every,
        circuit.batch_size,
    ),
    "StaticCircuit": lambda circuit, inputs: np.repeat(
        start(circuit, inputs.shape[1])[None], len(inputs), axis=0
    ),
    "BatchEstimator": lambda circuit, inputs: batch(
        start(circuit, inputs.shape[1]), inputs, circuit.window
    ),
}
