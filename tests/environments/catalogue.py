"""One environment of each kind, and variants: what the conformance tests go through.

The benchmark of sampling goes through the same ones, of more neurons.
"""

import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from environments import (
    Concatenate,
    DriftingEnvironment,
    Environment,
    NaturalImageEnvironment,
    NoisyEnvironment,
    RecordedEnvironment,
    Sources,
    StationaryEnvironment,
    SwitchingEnvironment,
)
from environments.covariances import (
    gaussian_neighbours,
    low_rank_plus_noise,
    power_law_covariance,
    random_correlation,
    random_eigenbasis,
    sparse_mixing,
    spectrum_matched,
    toeplitz_covariance,
    tuned_population,
    wishart_covariance,
    with_spectrum,
)
from environments.paths import (
    Geodesic,
    LogOrnsteinUhlenbeck,
    Rotation,
    SinusoidalSpectrum,
    WishartProcess,
)
from environments.paths.geometry import METRICS
from environments.presets import contrast_steps, orientation_ensembles, rotations
from environments.schedules import (
    Blocks,
    ChangeSamples,
    HazardRate,
    MarkovChain,
    TruncatedExponential,
)
from environments.transitions import SHAPES, Gradual, Incremental

_FOLDER = tempfile.TemporaryDirectory()


def three_covariances(n: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Return covariances of one spectrum, the second four times as large."""
    spectrum = np.geomspace(0.5, 3.0, n)
    drawn = [with_spectrum(spectrum, random_eigenbasis(n, rng)) for _ in range(3)]
    return [drawn[0], 4 * drawn[1], drawn[2]]


def catalogue(n: int, pace: int = 1) -> dict[str, Environment]:
    """Return environments of `n` inputs (of pictures: the largest square of at most n).

    All takes `pace` times as long as in the tests.
    """
    rng = np.random.default_rng(20)
    A, B, C = three_covariances(n, rng)
    side = max(2, math.isqrt(n))
    recording = Path(_FOLDER.name) / f"recording_{n}_{pace}.npy"
    np.save(recording, rng.normal(0.3, 2.0, size=(20_000 * pace, n)) @ A)
    return {
        "stationary": StationaryEnvironment(A),
        "laplace": StationaryEnvironment(A, sources=Sources("laplace")),
        "student_t": StationaryEnvironment(A, sources=Sources("student_t", degrees_of_freedom=8)),
        "correlated": StationaryEnvironment(A, sources=Sources(time_constant=20)),
        "blocks": SwitchingEnvironment([A, B, C], block_length=700 * pace),
        "independent": SwitchingEnvironment([A, B, C], block_length=90 * pace, order="independent"),
        "other": SwitchingEnvironment(
            [A, B, C], block_length=90 * pace, order="other", path_seed=3
        ),
        "given": SwitchingEnvironment(
            [A, B], schedule=ChangeSamples([300 * pace, 1100 * pace, 2000 * pace])
        ),
        "hazard": SwitchingEnvironment([A, B], schedule=HazardRate(0.01 / pace)),
        "truncated": SwitchingEnvironment(
            [A, B],
            schedule=TruncatedExponential(200 * pace, shortest=50 * pace, longest=600 * pace),
        ),
        "markov": SwitchingEnvironment(
            [A, B, C],
            schedule=MarkovChain(
                np.eye(3)
                + np.array([[-0.02, 0.02, 0], [0, -0.01, 0.01], [0.01, 0.01, -0.02]]) / pace
            ),
        ),
        "gradual": SwitchingEnvironment(
            [A, B], 700 * pace, transition=Gradual(400 * pace, "sigmoid")
        ),
        "gradual_hazard": SwitchingEnvironment(
            [A, B, C],
            schedule=HazardRate(0.01 / pace, "other", shortest=60 * pace),
            transition=Gradual(60 * pace),
        ),
        **{
            f"incremental_{metric}": SwitchingEnvironment(
                [A, B],
                schedule=Blocks(700 * pace),
                transition=Incremental(500 * pace, metric=metric),
                sources=Sources(time_constant=3 if metric == "affine_invariant" else 0),
            )
            for metric in Incremental.METRICS
        },
        "contrast_steps": contrast_steps(A, [1.0, 0.1], block_length=500 * pace),
        "rotations": rotations(np.geomspace(1.0, 4.0, n), block_length=500 * pace),
        "orientations": orientation_ensembles(n, block_length=500 * pace),
        "images": NaturalImageEnvironment(
            ["grass", "brick"], patch_size=side, block_length=700 * pace
        ),
        "images_walk": NaturalImageEnvironment(
            ["grass", "brick"], patch_size=side, block_length=700 * pace, step=40, ridge=0.1
        ),
        **{
            f"geodesic_{metric}": DriftingEnvironment(
                Geodesic([A, B, C], metric), duration=4000 * pace, resolution=90 * pace
            )
            for metric in METRICS
        },
        "rotation": DriftingEnvironment(Rotation(A), duration=1500 * pace),
        "rotation_speed": DriftingEnvironment(
            Rotation(A, random_eigenbasis(n, rng)[:, :2]), speed=2.0 / pace, metric="log_euclidean"
        ),
        "sinusoid": DriftingEnvironment(
            SinusoidalSpectrum(A, 0.9, np.linspace(0, 0.6, n)),
            duration=900 * pace,
            sources=Sources("student_t", degrees_of_freedom=9),
        ),
        "log_ou": DriftingEnvironment(
            LogOrnsteinUhlenbeck(A, 0.8), duration=800 * pace, resolution=100 * pace
        ),
        "wishart": DriftingEnvironment(
            WishartProcess(A, 3 * n), speed=1.0 / pace, resolution=300 * pace
        ),
        "wishart_shared": DriftingEnvironment(
            WishartProcess(A, 3 * n), duration=800 * pace, path_seed=2
        ),
        "recorded": RecordedEnvironment(
            recording, changes=[900 * pace, 1500 * pace], contexts=["quiet", "loud", "quiet"]
        ),
        "recorded_window": RecordedEnvironment(
            recording, truth="window", window=1300 * pace, changes=[1400 * pace]
        ),
        "recorded_absent": RecordedEnvironment(recording, truth="absent", centred=False),
        "noisy": NoisyEnvironment(
            SwitchingEnvironment([A, B], schedule=HazardRate(0.01 / pace, shortest=4 * pace)), 0.3
        ),
        "concatenated": Concatenate(
            [
                StationaryEnvironment(A),
                DriftingEnvironment(Geodesic([A, B]), duration=600 * pace),
                SwitchingEnvironment([B, C], 300 * pace),
            ],
            [500 * pace, 600 * pace],
        ),
        "concatenated_gradual": Concatenate(
            [
                StationaryEnvironment(B, sources=Sources(time_constant=2)),
                NoisyEnvironment(
                    DriftingEnvironment(WishartProcess(A, 3 * n), duration=900 * pace), 0.1
                ),
            ],
            [1100 * pace],
            transition=Gradual(1000 * pace, "sigmoid"),
        ),
        "concatenated_incremental": Concatenate(
            [
                SwitchingEnvironment([A, C], 150 * pace),
                Concatenate([StationaryEnvironment(B), StationaryEnvironment(A)], [700 * pace]),
            ],
            [400 * pace],
            transition=Incremental(300 * pace),
        ),
        "concatenated_recordings": Concatenate(
            [RecordedEnvironment(recording), RecordedEnvironment(recording, changes=[20 * pace])],
            [100 * pace],
        ),
    }


def families(n: int) -> dict[str, dict[str, Any]]:
    """Return what environments are made of, by kind: one of each family, and variants.

    Covariances are functions of a seed.
    """
    A, B, C = three_covariances(n, np.random.default_rng(20))
    basis = random_eigenbasis(n, np.random.default_rng(3))
    return {
        "schedules": {
            "blocks": Blocks(40),
            "ordered": Blocks(40, [0, 1, 1, 2]),
            "independent": Blocks(40, "independent"),
            "other": Blocks(40, "other"),
            "given": ChangeSamples([30, 100, 170]),
            "hazard": HazardRate(0.05),
            "dead_time": HazardRate(0.05, "other", shortest=30),
            "truncated": TruncatedExponential(50, shortest=20, longest=90),
            "markov": MarkovChain([[0.95, 0.03, 0.02], [0.1, 0.8, 0.1], [0.0, 0.02, 0.98]]),
        },
        "transitions": {
            f"{kind.__name__}_{shape}": kind(37, shape)
            for kind in (Gradual, Incremental)
            for shape in SHAPES
        },
        "paths": {
            **{f"geodesic_{metric}": Geodesic([A, B, C], metric) for metric in METRICS},
            "closed": Geodesic([A, B, A]),
            "rotation": Rotation(A),
            "plane": Rotation(A, basis[:, :2]),
            "sinusoid": SinusoidalSpectrum(A, 0.9, np.linspace(0, 0.6, n)),
            "log_ou": LogOrnsteinUhlenbeck(A, 0.4),
            "wishart": WishartProcess(A, 3 * n),
        },
        "sources": {
            "gaussian": Sources(),
            "laplace": Sources("laplace"),
            "student_t": Sources("student_t", degrees_of_freedom=10),
            "correlated": Sources(time_constant=4),
        },
        "covariances": {
            "gaussian_neighbours": lambda seed: gaussian_neighbours(n, 1.5),
            "low_rank_plus_noise": lambda seed: low_rank_plus_noise(n, 1, 0.2, seed),
            "power_law_covariance": lambda seed: power_law_covariance(n),
            "random_correlation": lambda seed: random_correlation(
                np.arange(1, n + 1) * 2 / (n + 1), seed
            ),
            "sparse_mixing": lambda seed: sparse_mixing(random_eigenbasis(n, seed), np.arange(n)),
            "spectrum_matched": lambda seed: spectrum_matched(B, seed),
            "toeplitz_covariance": lambda seed: toeplitz_covariance(0.8 ** np.arange(n)),
            "tuned_population": lambda seed: tuned_population(n, np.full(12, 1 / 12)),
            "wishart_covariance": lambda seed: wishart_covariance(n, 2 * n, seed),
            "with_spectrum": lambda seed: with_spectrum(
                np.arange(1, n + 1), random_eigenbasis(n, seed)
            ),
        },
        "presets": {
            "contrast_steps": contrast_steps(A, [1.0, 0.1], block_length=50),
            "rotations": rotations(np.geomspace(1.0, 4.0, n), block_length=50),
            "orientation_ensembles": orientation_ensembles(n, block_length=50),
        },
    }


A, B, C = three_covariances(3, np.random.default_rng(20))
ENVIRONMENTS = catalogue(3)
FAMILIES = families(3)
