"""A covariance that moves continually."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy

from environments.base import Environment
from environments.checks import Floats, Integers, one_of, positive, whole_number
from environments.paths import Geodesic, Path, RandomPath, SmoothPath
from environments.paths.geometry import METRICS
from environments.paths.stepwise import GeodesicSteps, RandomSteps, SteppedRealization
from environments.samples import ColouredRealization, Sources
from environments.samples.sources import checked_sources
from environments.samples.streams import checked_path_seed


class DriftingEnvironment(Environment):
    """Inputs whose covariance follows a path.

    Parameters
    ----------
    path : Path
        A geodesic, a rotation, a modulated spectrum or a random process from
        :mod:`environments.paths`.
    duration : float, optional
        Samples per unit of the path, which is a whole geodesic, a turn, a period or a time
        constant.
    speed : float, optional
        Instead of `duration`: distance per thousand samples, in `metric`. For a smooth path this
        is its mean arc length, so that drifts of different kinds cover the same distance in the
        same time. Random paths are rough and have no arc length; their speed is the root mean
        square distance between covariances a thousand samples apart.
    metric : str
        Metric of `speed`: ``"affine_invariant"`` or ``"log_euclidean"`` (dimensionless),
        ``"bures_wasserstein"`` (input units) or ``"euclidean"`` (input units squared).
    resolution : int
        Samples for which the covariance is held, on paths that are followed stepwise: random ones
        and the log-Euclidean geodesic. The truth is held with it, and so is exact. It lags
        the continuous path by at most the distance covered in one step, which :meth:`describe`
        gives: ``path.displacement(resolution / duration, metric)``, in root mean square for a
        random path. Other paths have a covariance for each sample.
    sources : Sources, optional
        Marginal distribution and memory of the inputs; by default independent and Gaussian.
    path_seed : int, optional
        Of a random path: the seed of the one path that all replicates then share. By default each
        replicate draws its own.

    Raises
    ------
    TypeError, ValueError
        If not exactly one of `duration` and `speed` is given, the path does not move, a random path
        cannot be that fast, or `path_seed` is given although the path is not random.

    Notes
    -----
    There is only one context; to mark where a drift begins and ends, concatenate environments.

    Examples
    --------
    >>> from environments.paths import Geodesic, Rotation
    >>> drift = DriftingEnvironment(Geodesic([np.eye(2), 4 * np.eye(2)]), speed=0.1)
    >>> round(drift.duration)
    19605
    >>> turning = DriftingEnvironment(Rotation(np.diag([1.0, 4.0])), speed=0.1)
    """

    def __init__(
        self,
        path: Path,
        *,
        duration: float | None = None,
        speed: float | None = None,
        metric: str = "affine_invariant",
        resolution: int = 1024,
        sources: Sources | None = None,
        path_seed: int | None = None,
    ) -> None:
        if not isinstance(path, Path):
            raise TypeError(f"path must be a Path, got {path!r}")
        if (duration is None) == (speed is None):
            raise TypeError(
                f"one of duration and speed must be given, got duration={duration!r} and "
                f"speed={speed!r}"
            )
        self._path = path
        self._metric = one_of("metric", metric, METRICS)
        self._resolution = whole_number("resolution", resolution)
        self._sources = checked_sources(sources)
        self._path_seed = checked_path_seed(path_seed, random=isinstance(path, RandomPath))
        self._given = {"duration": duration, "speed": speed}
        if speed is None:
            self.duration = positive("duration", duration)
        else:
            self.duration = _duration(path, positive("speed", speed), self._metric)

    @property
    def n_neurons(self) -> int:
        """Number of inputs."""
        return self._path.n_neurons

    @property
    def shared_path(self) -> bool:
        """Whether covariances are the same for every replicate."""
        return not isinstance(self._path, RandomPath) or self._path_seed is not None

    @property
    def context_names(self) -> tuple[str, ...]:
        """The only context's name."""
        return ("drift",)

    def speed(self, metric: str = "affine_invariant") -> float:
        """Return the distance per thousand samples, in a metric of covariances.

        Examples
        --------
        >>> from environments.paths import Geodesic
        >>> path = Geodesic([np.eye(2), 4 * np.eye(2)])
        >>> round(DriftingEnvironment(path, duration=1000).speed(), 6)
        1.960516
        """
        one_of("metric", metric, METRICS)
        return self._path.displacement(1000 / self.duration, metric)

    def realize(self, seed: np.random.SeedSequence) -> ColouredRealization:
        """Return the replicate that `seed` draws."""
        rate = 1 / self.duration
        if isinstance(self._path, RandomPath):
            walk = RandomSteps(self._path, rate * self._resolution, self._path_seed, seed)
            return SteppedRealization(walk, self._resolution, self._sources, seed)
        if isinstance(self._path, Geodesic) and self._path.stepwise:
            steps = GeodesicSteps(self._path, rate * self._resolution)
            return SteppedRealization(steps, self._resolution, self._sources, seed)
        assert isinstance(self._path, SmoothPath)
        return _SmoothRealization(self._path, rate, self._sources, seed)

    def parameters(self) -> dict[str, Any]:
        """Return the configuration as plain JSON values."""
        return {
            "type": type(self).__name__,
            "path": self._path.parameters(),
            **self._given,
            "metric": self._metric,
            "resolution": self._resolution,
            "sources": self._sources.parameters(),
            "path_seed": self._path_seed,
        }

    def describe(self, n_samples: int, seed: int | np.random.SeedSequence = 0) -> dict[str, Any]:
        """Describe what a replicate draws, and the speed of the drift in every metric."""
        errors = {}
        if isinstance(self._path, RandomPath):
            units = 1000 / self.duration
            errors = {
                "speed_relative_error": {
                    metric: self._path.displacement_error(units, metric) for metric in METRICS
                }
            }
        held = self._resolution if self._path.stepwise else 0
        return {
            **super().describe(n_samples, seed),
            "duration": self.duration,
            "unit": self._path.unit,
            "speed_per_1000_samples": {metric: self.speed(metric) for metric in METRICS},
            **errors,
            "samples_held": held,
            "distance_of_a_step": (
                self._path.displacement(held / self.duration, "affine_invariant") if held else 0.0
            ),
        }


def _duration(path: Path, speed: float, metric: str) -> float:
    """Return the samples per unit at which a path is followed with the given speed."""
    if isinstance(path, SmoothPath):
        length = path.displacement(1.0, metric)
        if length < 1e-9:  # far above what rounding adds up to over a path that stands still
            raise ValueError(f"path does not move: {path!r} has no speed; give duration instead")
        return 1000 * length / speed

    def excess(log_units: float) -> float:
        # In logarithms this is nearly straight, for a random path's distance grows as a root.
        return float(np.log(path.displacement(float(np.exp(log_units)), metric) / speed))

    shortest, longest = np.log(1e-9), np.log(20.0)  # 20 time constants: independent
    if excess(longest) <= 0:
        raise ValueError(
            f"speed must be below {speed * np.exp(excess(longest)):.3g}, the root mean square "
            f"distance of two independent covariances of {path!r}, got {speed:g}; allow it a "
            "larger range"
        )
    if excess(shortest) >= 0:
        raise ValueError(f"speed is too small to be followed, got {speed:g}; give duration instead")
    # Finer than the standard error of the distance.
    return float(1000 / np.exp(scipy.optimize.brentq(excess, shortest, longest, xtol=1e-4)))


class _SmoothRealization(ColouredRealization):
    def __init__(
        self, path: SmoothPath, rate: float, sources: Sources, seed: np.random.SeedSequence
    ) -> None:
        super().__init__(path.n_neurons, sources, seed)
        self._end = path.end / rate
        self._path = path
        self._rate = rate

    def settled(self) -> int | None:
        # An end of 49.00...01 samples, by rounding, is one of 49.
        return None if math.isinf(self._end) else math.ceil(self._end * (1 - 1e-12))

    def covariances(self, samples: Integers) -> Floats:
        return self._path.covariances(np.asarray(samples * self._rate, np.float64))

    def colour(self, start: int, white: Floats, inputs: Floats) -> None:
        self._path.colour(start * self._rate, self._rate, white, inputs)
