"""One small environment of each kind, and variants: what the conformance tests go through."""

import tempfile
from pathlib import Path

import numpy as np

from environments import (
    Concatenate,
    DriftingEnvironment,
    NaturalImageEnvironment,
    NoisyEnvironment,
    RecordedEnvironment,
    StationaryEnvironment,
    SwitchingEnvironment,
)
from environments.covariances import random_eigenbasis, with_spectrum
from environments.geometry import METRICS
from environments.paths import (
    Geodesic,
    Rotation,
    SinusoidalSpectrum,
)
from environments.presets import contrast_steps, orientation_ensembles, rotations
from environments.processes import LogOrnsteinUhlenbeck, WishartProcess
from environments.schedules import (
    Blocks,
    ChangeSamples,
    HazardRate,
    MarkovChain,
    TruncatedExponential,
)
from environments.sources import Sources
from environments.transitions import Gradual, Incremental

_RNG = np.random.default_rng(20)
A, B, C = (with_spectrum([0.5, 1.0, 3.0], random_eigenbasis(3, _RNG)) for _ in range(3))
B = 4 * B

_FOLDER = tempfile.TemporaryDirectory()
RECORDING = Path(_FOLDER.name) / "recording.npy"
np.save(RECORDING, _RNG.normal(1.0, 2.0, size=(5000, 3)) @ A)

ENVIRONMENTS = {
    "stationary": StationaryEnvironment(A),
    "laplace": StationaryEnvironment(A, sources=Sources("laplace")),
    "student_t": StationaryEnvironment(A, sources=Sources("student_t", degrees_of_freedom=8)),
    "correlated": StationaryEnvironment(A, sources=Sources(time_constant=20)),
    "blocks": SwitchingEnvironment([A, B, C], block_length=700),
    "independent": SwitchingEnvironment([A, B, C], block_length=90, order="independent"),
    "other": SwitchingEnvironment([A, B, C], block_length=90, order="other", path_seed=3),
    "given": SwitchingEnvironment([A, B], schedule=ChangeSamples([300, 1100, 2000])),
    "hazard": SwitchingEnvironment([A, B], schedule=HazardRate(0.01)),
    "truncated": SwitchingEnvironment(
        [A, B], schedule=TruncatedExponential(200, shortest=50, longest=600)
    ),
    "markov": SwitchingEnvironment(
        [A, B, C],
        schedule=MarkovChain([[0.98, 0.02, 0], [0, 0.99, 0.01], [0.01, 0.01, 0.98]]),
    ),
    "gradual": SwitchingEnvironment([A, B], 700, transition=Gradual(400, "sigmoid")),
    "gradual_hazard": SwitchingEnvironment(
        [A, B, C], schedule=HazardRate(0.01, "other", shortest=60), transition=Gradual(60)
    ),
    **{
        f"incremental_{metric}": SwitchingEnvironment(
            [A, B],
            schedule=Blocks(700),
            transition=Incremental(500, metric=metric),
            sources=Sources(time_constant=3),
        )
        for metric in Incremental.METRICS
    },
    "contrast_steps": contrast_steps(A, [1.0, 0.1], block_length=500),
    "rotations": rotations([1.0, 2.0, 4.0], block_length=500),
    "orientations": orientation_ensembles(6, block_length=500),
    "images": NaturalImageEnvironment(["grass", "brick"], patch_size=2, block_length=700),
    "images_walk": NaturalImageEnvironment(
        ["grass", "brick"], patch_size=2, block_length=700, step=40, ridge=0.1
    ),
    **{
        f"geodesic_{metric}": DriftingEnvironment(
            Geodesic([A, B, C], metric), duration=2000, resolution=90
        )
        for metric in METRICS
    },
    "rotation": DriftingEnvironment(Rotation(A), duration=1500),
    "rotation_speed": DriftingEnvironment(
        Rotation(A, random_eigenbasis(3, _RNG)[:, :2]), speed=2.0, metric="log_euclidean"
    ),
    "sinusoid": DriftingEnvironment(
        SinusoidalSpectrum(A, 0.9, [0, 0.3, 0.6]),
        duration=900,
        sources=Sources("student_t", degrees_of_freedom=9),
    ),
    "log_ou": DriftingEnvironment(LogOrnsteinUhlenbeck(A, 0.8), duration=800, resolution=10),
    "wishart": DriftingEnvironment(WishartProcess(A, 9), speed=1.0, resolution=300),
    "wishart_shared": DriftingEnvironment(WishartProcess(A, 9), duration=800, path_seed=2),
    "recorded": RecordedEnvironment(
        RECORDING, changes=[900, 1500], contexts=["quiet", "loud", "quiet"]
    ),
    "recorded_window": RecordedEnvironment(RECORDING, truth="window", window=200, changes=[900]),
    "recorded_absent": RecordedEnvironment(RECORDING, truth="absent", centred=False),
    "noisy": NoisyEnvironment(
        SwitchingEnvironment([A, B], schedule=HazardRate(0.01, shortest=4)), 0.3
    ),
    "concatenated": Concatenate(
        [
            StationaryEnvironment(A),
            DriftingEnvironment(Geodesic([A, B]), duration=600),
            SwitchingEnvironment([B, C], 300),
        ],
        [500, 600],
    ),
    "concatenated_gradual": Concatenate(
        [
            StationaryEnvironment(B, sources=Sources(time_constant=2)),
            NoisyEnvironment(DriftingEnvironment(WishartProcess(A, 8), duration=900), 0.1),
        ],
        [1100],
        transition=Gradual(1000, "sigmoid"),
    ),
    "concatenated_incremental": Concatenate(
        [
            SwitchingEnvironment([A, C], 150),
            Concatenate([StationaryEnvironment(B), StationaryEnvironment(A)], [700]),
        ],
        [400],
        transition=Incremental(300),
    ),
    "concatenated_recordings": Concatenate(
        [RecordedEnvironment(RECORDING), RecordedEnvironment(RECORDING, changes=[20])], [100]
    ),
}
