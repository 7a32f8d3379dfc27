"""A progress bar for terminals that stays silent elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bar(total: int, show: bool | None) -> Iterator[Callable[[int], object]]:
    """Give a function that counts samples done; `show` None: if standard error is a terminal."""
    from tqdm import tqdm

    with tqdm(
        total=total, unit=" samples", unit_scale=True, disable=None if show is None else not show
    ) as bar:
        yield bar.update
