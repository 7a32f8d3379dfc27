"""Pictures become files, whichever command has drawn them."""

from pathlib import Path
from typing import TYPE_CHECKING

from adaptnet.files.whole import whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure


def save_picture(figure: "Figure | SubFigure", picture: Path, dpi: int | None = None) -> None:
    """Write a figure whole or not at all."""
    from matplotlib import rcParams  # loaded with the first figure, and not before a run

    dpi = dpi or rcParams["savefig.dpi"]  # set by a style, inside one
    with whole(picture) as part:
        suffix = picture.suffix.removeprefix(".") or "png"
        try:
            figure.savefig(part, dpi=150 if dpi == "figure" else dpi, format=suffix)  # type: ignore[union-attr]
        except RuntimeError as error:  # .pgf needs a TeX system
            raise ValueError(
                f"{picture} cannot be written: {error}; or write .pdf or .svg"
            ) from error
