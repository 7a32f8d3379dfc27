"""Patches of pictures, one picture per context."""

from __future__ import annotations

import functools
import hashlib
import itertools
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from environments.base import Environment
from environments.checks import Floats, Integers, covariance_matrix, non_negative, whole_number
from environments.data.image_files import SHIPPED, Picture, luminance
from environments.samples import CHUNK, Piece, SequentialRealization, piece_size
from environments.samples.products import (
    fourth_moments,
    gaussian_variances,
    long_run_variances,
)
from environments.samples.streams import CHUNKS, PATH, START
from environments.schedules import Blocks
from environments.schedules.timeline import Timeline


class NaturalImageEnvironment(Environment):
    """Square patches of pictures; the context is the picture from which patches are taken.

    Each picture is made comparable: its average patch is subtracted, pixel by pixel, so that inputs
    are centred, and it is divided by its contrast (the standard deviation of its luminance). To
    each input white noise of variance `ridge` is added, as receptors do. The truth is then exact:
    the covariance over all patches of the picture, plus `ridge` times the identity.

    Parameters
    ----------
    pictures : sequence of str, path or array
        One for each context, at least two: names of the CC0 pictures that come with scikit-image
        (grass, gravel, brick, camera, chelsea, coffee), picture files, or arrays
        (row, column[, colour]). Colours are reduced to luminance.
    patch_size : int
        Side of a patch in pixels; there are ``patch_size**2`` inputs.
    block_length : int
        Samples between switches.
    order : sequence of int, optional
        Contexts by block, as positions in `pictures`; the last then stays in force. By default the
        contexts are cycled through.
    step : int
        0 draws each patch anywhere in the picture, uniformly and independently. Otherwise the gaze
        walks: each sample moves it by -step to step pixels along each axis, reflected at the
        borders, so that successive inputs are similar while the covariance stays the same.
    ridge : float
        Variance of the white noise, in units of the picture's variance; 0 is allowed if the
        patches alone have a covariance of full rank.

    sha256 : sequence of str, optional
        Of the luminances of each picture, in hexadecimal; other pictures are refused. They are in
        the parameters that a run stores.

    Raises
    ------
    TypeError, ValueError
        If a picture is too small for the patch, without contrast or not that of its checksum, fewer
        than two are given, or a covariance is singular because the ridge is too small.
    ModuleNotFoundError
        If a shipped picture is named and scikit-image is not installed.

    Examples
    --------
    >>> ramp, noise = np.indices((32, 32)).sum(0), np.random.default_rng(0).random((32, 32))
    >>> environment = NaturalImageEnvironment([ramp, noise], patch_size=3, block_length=50)
    >>> environment.n_neurons
    9
    """

    def __init__(
        self,
        pictures: Sequence[Picture] = ("grass", "brick"),
        *,
        patch_size: int = 4,
        block_length: int = 10_000,
        order: Sequence[int] | None = None,
        step: int = 0,
        ridge: float = 0.01,
        sha256: Sequence[str] | None = None,
    ) -> None:
        if isinstance(pictures, str | os.PathLike) or len(pictures) < 2:
            raise ValueError(f"pictures must be a sequence of at least two, got {pictures!r}")
        self._pictures = tuple(map(_absolute, pictures))
        self._names = _distinct_names(self._pictures)
        self._patch_size = whole_number("patch_size", patch_size)
        self._step = whole_number("step", step, minimum=0)
        self._ridge = non_negative("ridge", ridge)
        self._schedule = Blocks(block_length, order)
        self._schedule.check(len(pictures))
        if self._schedule.random:
            raise ValueError(f"order must be a sequence of contexts, got {order!r}")
        shades = [luminance(picture) for picture in pictures]
        self._checksums = [_checksum(values) for values in shades]
        if sha256 is not None:
            self._refuse_changed(list(sha256))
        self._patches = tuple(
            _Patches(values, self._patch_size, name)
            for values, name in zip(shades, self.context_names, strict=True)
        )
        noise = self._ridge * np.eye(self.n_neurons)
        self._covariances = np.stack(
            [
                covariance_matrix(f"the covariance of {name}'s patches", patches.covariance + noise)
                for patches, name in zip(self._patches, self.context_names, strict=True)
            ]
        )

    def _refuse_changed(self, expected: list[str]) -> None:
        for name, found, known in zip(self._names, self._checksums, expected, strict=True):
            if found != known:
                raise ValueError(
                    f"the picture {name} must have the checksum {known}, but it is {found}: it has "
                    "changed; find the original, or leave sha256 out"
                )

    @property
    def n_neurons(self) -> int:
        """Number of inputs: pixels in a patch."""
        return self._patch_size**2

    @property
    def context_names(self) -> tuple[str, ...]:
        """A name for each context number: the picture's."""
        return self._names

    def realize(self, seed: np.random.SeedSequence) -> _ImageRealization:
        """Return the replicate that `seed` draws."""
        timeline = self._schedule.timeline(len(self._patches), np.random.default_rng(0))
        return _ImageRealization(
            self._patches, self._covariances, timeline, self._step, self._ridge, seed
        )

    def parameters(self) -> dict[str, Any]:
        """Return the configuration as plain JSON values; arrays by their shape and checksum."""
        pictures = [
            os.fspath(picture)
            if isinstance(picture, str | os.PathLike)
            else {"shape": list(np.shape(picture)), "sha256": checksum}
            for picture, checksum in zip(self._pictures, self._checksums, strict=True)
        ]
        return {
            "type": type(self).__name__,
            "pictures": pictures,
            "patch_size": self._patch_size,
            "step": self._step,
            "ridge": self._ridge,
            "sha256": list(self._checksums),
            **{k: v for k, v in self._schedule.parameters().items() if k != "type"},
        }


def _checksum(shades: Floats) -> str:
    """Return the SHA-256 of luminances as little-endian 64-bit numbers, row by row."""
    return hashlib.sha256(np.ascontiguousarray(shades, dtype="<f8").tobytes()).hexdigest()


def _absolute(picture: Picture) -> Picture:
    """Return the absolute path of a file, which a change of the working directory leaves alone."""
    if isinstance(picture, str | os.PathLike) and picture not in SHIPPED:
        return str(Path(picture).absolute())
    return picture


def _distinct_names(pictures: Sequence[Picture]) -> tuple[str, ...]:
    """Return the names of pictures; files of one name have their folder's or number before it."""
    paths = [Path(p) if isinstance(p, str | os.PathLike) else None for p in pictures]
    names = [path.name if path else f"picture_{i}" for i, path in enumerate(paths)]
    if len(set(names)) < len(names):
        names = [f"{p.parent.name}/{p.name}" if p else n for p, n in zip(paths, names, strict=True)]
    if len(set(names)) < len(names):
        names = [f"{i}.{path.name if path else 'picture'}" for i, path in enumerate(paths)]
    return tuple(names)


class _Patches:
    """All patches of one picture, standardised, without copying them."""

    def __init__(self, picture: Floats, size: int, name: str) -> None:
        if min(picture.shape) < size:
            raise ValueError(
                f"patch_size must be at most the picture's smaller side, but {name} has the shape "
                f"{picture.shape} and patch_size is {size}; use a larger picture"
            )
        contrast = picture.std()
        if not contrast > 0:
            raise ValueError(f"{name} has no contrast: all its pixels are {picture.flat[0]:g}")
        scaled = (picture - picture.mean()) / contrast
        windows = np.lib.stride_tricks.sliding_window_view(scaled, (size, size))
        self.extent = np.array(windows.shape[:2])
        n_patches, n_pixels = int(self.extent.prod()), size**2
        self._mean = windows.mean(axis=(0, 1)).ravel()
        self.covariance = np.zeros((n_pixels, n_pixels))
        for row in windows:  # a row of the picture at a time: all patches may not fit into memory
            centred = row.reshape(-1, n_pixels) - self._mean
            self.covariance += centred.T @ centred
        self.covariance = (self.covariance + self.covariance.T) / (2 * n_patches)
        self._pixels: npt.NDArray[Any] = scaled.ravel()
        levels, numbers = np.unique(self._pixels, return_inverse=True)
        # Random places miss the cache unless the picture is stored as bytes.
        self._levels = levels if len(levels) <= 256 else None
        if self._levels is not None:
            self._pixels = numbers.astype(np.uint8)
        self._width, self._size = scaled.shape[1], size
        self._offsets = (np.arange(size)[:, None] * self._width + np.arange(size)).ravel()

    def excess_variances(self, whitening: Floats) -> Floats:
        """Return by how much variances of products of whitened patches exceed Gaussian ones."""
        moments = np.zeros((len(whitening), len(whitening)))
        pixels = self._pixels if self._levels is None else self._levels[self._pixels]
        picture = pixels.reshape(-1, self._width)
        for row in np.lib.stride_tricks.sliding_window_view(picture, (self._size, self._size)):
            centred = row.reshape(-1, self._size**2) - self._mean
            moments += len(centred) * fourth_moments(centred @ whitening.T)
        covariance = whitening @ self.covariance @ whitening.T
        moments /= int(self.extent.prod())
        return np.asarray(moments - covariance**2 - gaussian_variances(covariance))

    def add(self, corners: Integers, inputs: Floats) -> None:
        """Add to `inputs` the patches whose upper left corners are (axis, sample)."""
        first = corners[0] * self._width + corners[1]
        patches = self._pixels.take(first[:, None] + self._offsets)
        if self._levels is not None:
            patches = self._levels.take(patches)
        patches -= self._mean
        inputs += patches


class _ImageRealization(SequentialRealization):
    def __init__(
        self,
        patches: tuple[_Patches, ...],
        covariances: Floats,
        timeline: Timeline,
        step: int,
        ridge: float,
        seed: np.random.SeedSequence,
    ) -> None:
        super().__init__(covariances.shape[-1], seed)
        self._covariances = covariances
        self._timeline = timeline
        self._patches = patches
        self._extents = np.array([each.extent for each in patches])[:, :, None]
        self._step = step
        self._noise = np.sqrt(ridge)

    def covariances(self, samples: Integers) -> Floats:
        chosen: Floats = self._covariances[self.contexts(samples)]
        return chosen

    def contexts(self, samples: Integers) -> Integers:
        return self._timeline.contexts(samples)

    def change_samples(self, n_samples: int) -> Integers:
        return self._timeline.change_samples(n_samples)

    def excess_variances(self, sample: int, whitening: Floats, rates: Floats) -> Floats | None:
        context = int(self.contexts(np.array([sample]))[0])
        patches = self._patches[context]
        if self._step == 0:  # patches are independent of each other
            return patches.excess_variances(whitening)
        walk, size = self._walk(0, CHUNK), 8 * CHUNK
        series = np.zeros((size, self.n_neurons))
        for start in range(0, size, CHUNK):
            gaze = next(walk)
            assert gaze is not None
            corners = _folded(gaze[context], self._extents[context])
            patches.add(corners, series[start : start + CHUNK])
        covariance = whitening @ patches.covariance @ whitening.T
        variances = long_run_variances(series @ whitening.T, rates)
        return np.asarray(variances - gaussian_variances(covariance))

    def pieces(self, first: int) -> Iterator[Piece]:
        """Yield pieces from the beginning of chunk `first` on."""
        size = piece_size(self.n_neurons)
        walk = self._walk(first, size)
        for index in itertools.count(first):
            rng = self.generator(CHUNKS, index)
            for start in range(index * CHUNK, (index + 1) * CHUNK, size):
                yield functools.partial(self._look, start, rng, next(walk))

    def _walk(self, first: int, size: int) -> Iterator[Integers | None]:
        """Yield where the gaze is, (context, axis, sample), for each piece from chunk `first` on.

        None if patches are drawn anywhere.
        """
        if self._step == 0:
            yield from itertools.repeat(None)
        # One walk serves all contexts: each folds it, from a start of its own, into its picture.
        starts = self.generator(START)
        gaze = np.stack([starts.integers(0, 2 * patches.extent) for patches in self._patches])
        for index in itertools.count():  # from 0, because each sample depends on those before it
            moves = self.generator(PATH, index).integers(
                -self._step, self._step + 1, size=(CHUNK, 2)
            )
            path = np.cumsum(moves.T, axis=1)
            if index >= first:
                for part in range(0, CHUNK, size):
                    yield gaze[:, :, None] + path[:, part : part + size]
            gaze = gaze + path[:, -1]

    def _look(
        self, start: int, rng: np.random.Generator, gaze: Integers | None, inputs: Floats
    ) -> None:
        """Write samples from `start` on to `inputs`: patches where the gaze is, or anywhere."""
        rng.standard_normal(out=inputs)
        inputs *= self._noise
        # Samples come last, so that NumPy's inner loops are long.
        anywhere = rng.random((len(inputs), 2)).T if gaze is None else None
        for context, _, _, rows in self._timeline.pieces(start, len(inputs)):
            extent = self._extents[context]
            if anywhere is not None:
                corners = (anywhere[:, rows] * extent).astype(np.int64)
            else:
                assert gaze is not None
                corners = _folded(gaze[context][:, rows], extent)
            self._patches[context].add(corners, inputs[rows])


def _folded(path: Integers, extent: Integers) -> Integers:
    """Return an unbounded path reflected into [0, extent), which keeps it uniform there."""
    phase = path % (2 * extent)
    return np.asarray(np.minimum(phase, 2 * extent - 1 - phase), dtype=np.int64)
