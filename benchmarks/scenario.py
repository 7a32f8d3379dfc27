"""A whole experiment: draw, simulate both circuits, measure errors, write netCDF.

n = 10, 20 replicates, 20,000 samples, contexts switching every 5,000, errors every 10 samples.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.peers import import_jax, jax_step
from benchmarks.work import LEARNING_RATE, Floats, covariance

N, REPLICATES, SAMPLES, BLOCK, EVERY = 10, 20, 20_000, 5_000, 10
COVARIANCES = [covariance(N, np.random.default_rng(seed)) for seed in (1, 2)]

Draw = Callable[[int], Floats]
"""Replicate to its inputs (sample, neuron)."""


def ours(path: Path, n_replicates: int = REPLICATES, n_samples: int = SAMPLES) -> Floats:
    """Run the experiment with this package on one thread; return errors (2, replicate, record)."""
    import adaptnet as an
    from environments import SwitchingEnvironment

    run = an.simulate(
        {
            "direct": an.DirectCircuit(learning_rate=LEARNING_RATE),
            "interneuron": an.InterneuronCircuit(learning_rate=LEARNING_RATE),
        },
        SwitchingEnvironment(COVARIANCES, block_length=BLOCK),
        n_samples,
        n_replicates=n_replicates,
        rng=0,
        record_every=EVERY,
        record=("whitening_error",),
        n_threads=1,
    )
    an.save(run, path, overwrite=True)
    return np.asarray(run["whitening_error"].values)


def drawn_by_ours(n_samples: int) -> Draw:
    """Return the very inputs that this package's run sees, to check peers against it."""
    from environments import SwitchingEnvironment

    environment = SwitchingEnvironment(COVARIANCES, block_length=BLOCK)

    def draw(replicate: int) -> Floats:
        seed = np.random.SeedSequence(0, spawn_key=(replicate,))
        return next(environment.realize(seed).blocks(n_samples, n_samples))

    return draw


def drawn_plainly(n_samples: int) -> Draw:
    """Return inputs as a script would draw them."""
    factors = [np.linalg.cholesky(C) for C in COVARIANCES]

    def draw(replicate: int) -> Floats:
        rng = np.random.default_rng(replicate)
        white = rng.standard_normal((n_samples, N))
        parts = np.split(white, range(BLOCK, n_samples, BLOCK))
        return np.concatenate([part @ factors[i % 2].T for i, part in enumerate(parts)])

    return draw


def numpy_script(
    path: Path, n_replicates: int = REPLICATES, n_samples: int = SAMPLES, draw: Draw | None = None
) -> Floats:
    """Run the experiment as a plain NumPy script."""
    draw = draw or drawn_plainly(n_samples)
    identity, eta = np.eye(N), LEARNING_RATE
    errors = np.empty((2, n_replicates, n_samples // EVERY + 1))

    def error(A: Floats, t: int) -> float:
        inverse = np.linalg.inv(A)
        C = COVARIANCES[t // BLOCK % 2]
        return float(np.abs(np.linalg.eigvalsh(inverse @ C @ inverse) - 1).max())

    for r in range(n_replicates):
        inputs = draw(r)
        M, W = np.eye(N), np.eye(N)
        errors[0, r, 0], errors[1, r, 0] = error(M, 0), error(W @ W.T, 0)
        for t, x in enumerate(inputs):
            y = np.linalg.solve(M, x)
            M += eta * (np.outer(y, y) - identity)
            y = np.linalg.solve(W @ W.T, x)
            W += eta * (np.outer(y, W.T @ y) - W)
            if (t + 1) % EVERY == 0:
                errors[0, r, (t + 1) // EVERY] = error(M, t + 1)
                errors[1, r, (t + 1) // EVERY] = error(W @ W.T, t + 1)
    _write(errors, path)
    return errors


def jax_script() -> Callable[..., Floats]:
    """Return the experiment in JAX, vectorised over replicates and compiled as a whole."""
    import_jax()
    import jax
    import jax.numpy as jnp

    def error(A, C):  # type: ignore[no-untyped-def]
        half = jnp.linalg.solve(A, C)
        return jnp.abs(jnp.linalg.eigvalsh(jnp.linalg.solve(A, half.T)) - 1).max()

    def circuit(name):  # type: ignore[no-untyped-def]
        step = jax_step(name)

        def effective(weights):  # type: ignore[no-untyped-def]
            return weights if name == "direct" else weights @ weights.T

        def chunk(weights, given):  # type: ignore[no-untyped-def]
            inputs, C = given
            weights, _ = jax.lax.scan(lambda w, x: (step(w, x), None), weights, inputs)
            return weights, error(effective(weights), C)

        def run(inputs, covariances):  # type: ignore[no-untyped-def]
            start = jnp.eye(N)
            chunks = inputs.reshape(-1, EVERY, N)
            _, errors = jax.lax.scan(chunk, start, (chunks, covariances[1:]))
            return jnp.concatenate([error(start, covariances[0])[None], errors])

        return jax.jit(jax.vmap(run, in_axes=(0, None)))

    both = [circuit("direct"), circuit("interneuron")]

    def script(
        path: Path,
        n_replicates: int = REPLICATES,
        n_samples: int = SAMPLES,
        draw: Draw | None = None,
    ) -> Floats:
        draw = draw or drawn_plainly(n_samples)
        inputs = np.stack([draw(r) for r in range(n_replicates)])
        records = np.arange(0, n_samples + 1, EVERY)
        in_force = np.stack(COVARIANCES)[records // BLOCK % 2]
        errors = np.stack([np.asarray(run(inputs, in_force)) for run in both])
        _write(errors, path)
        return errors

    return script


def _write(errors: Floats, path: Path) -> None:
    import xarray as xr

    dims = ("circuit", "replicate", "sample")
    xr.Dataset({"whitening_error": (dims, errors)}).to_netcdf(
        path, encoding={"whitening_error": {"zlib": True, "complevel": 4}}
    )
