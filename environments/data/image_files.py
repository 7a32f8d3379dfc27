"""Pictures as arrays of luminance: shipped, in a file, or the user's own."""

import os
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from environments.checks import Floats

Picture: TypeAlias = str | os.PathLike[str] | npt.ArrayLike

SHIPPED = ("grass", "gravel", "brick", "camera", "chelsea", "coffee")
"""Names of the CC0 pictures that come with scikit-image."""

# Others are left out: Pillow starts Ghostscript, a program for programs, to read an EPS.
_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "PPM", "WEBP")
_MOST_PIXELS = 50_000_000  # take 2 GB while they are turned into luminances

_LUMA = np.array([0.2126, 0.7152, 0.0722])  # of linear red, green, blue: ITU-R BT.709


def luminance(picture: Picture) -> Floats:
    """Return a picture as luminances (row, column).

    Parameters
    ----------
    picture : str, path or array
        A name in ``SHIPPED``, a picture file, or an array (row, column[, colour]).

    Raises
    ------
    ModuleNotFoundError
        If a shipped picture is named and scikit-image is not installed.
    FileNotFoundError, ValueError, TypeError
        If there is no such file, it is not a picture, or the array has another shape.

    Examples
    --------
    >>> luminance(np.ones((4, 6, 3))).shape
    (4, 6)
    """
    if isinstance(picture, str | os.PathLike):
        values = _shipped(str(picture)) if picture in SHIPPED else _from_file(Path(picture))
    else:
        values = np.asarray(picture)
    if values.dtype.kind not in "fiu" or values.ndim not in (2, 3):
        raise TypeError(
            "a picture must be a name, a file, or an array (row, column[, colour]) of numbers, "
            f"got {values.dtype} of shape {values.shape}"
        )
    grey: Floats = np.asarray(values, dtype=np.float64)
    if grey.ndim == 3:
        if grey.shape[2] not in (3, 4):
            raise ValueError(
                f"a colour picture must have 3 or 4 channels last, got shape {grey.shape}"
            )
        grey = grey[..., :3] @ _LUMA
    if not np.isfinite(grey).all():
        raise ValueError("a picture must be finite, but it holds NaN or infinity")
    return grey


def _shipped(name: str) -> npt.NDArray[np.uint8]:
    try:
        from skimage import data
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            f"the picture {name!r} comes with scikit-image, which is not installed; "
            'install it with: pip install "adaptnet[images]"'
        ) from None
    picture: npt.NDArray[np.uint8] = getattr(data, name)()
    return picture


def _from_file(path: Path) -> npt.NDArray[np.uint8]:
    from PIL import Image, UnidentifiedImageError

    if not path.is_file():
        raise FileNotFoundError(
            f"there is no picture file {path}; the shipped pictures are {', '.join(SHIPPED)}"
        )
    try:
        with Image.open(path, formats=_FORMATS) as image:
            if image.width * image.height > _MOST_PIXELS:
                raise ValueError(
                    f"a picture must have at most {_MOST_PIXELS} pixels, got {image.width} x "
                    f"{image.height} in {path}; scale it down"
                )
            grey = image.mode in ("1", "L", "I", "I;16", "F")
            return np.array(image.convert("F" if grey else "RGB"))
    except (UnidentifiedImageError, Image.DecompressionBombError):
        raise ValueError(
            f"{path} is not a picture in a format and of a size that are read: "
            f"{', '.join(_FORMATS)}, at most {_MOST_PIXELS} pixels"
        ) from None
