"""Progress: a bar on a terminal, plain lines in the log elsewhere."""

import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_log = logging.getLogger(__name__)
_SECONDS = 10.0  # between lines


@contextmanager
def progress_display(
    total: int, show: bool | None, unit: str = "samples"
) -> Iterator[Callable[[int], object]]:
    """Give a function that counts samples, or what `unit` says, done; any thread may call it."""
    if show is False:
        yield lambda n_done: None
        return
    stream = sys.stderr  # None in a program without a console; some replacements are no terminals
    if stream is None or (show is None and not getattr(stream, "isatty", bool)()):
        yield Lines(total, unit=unit)
        return
    from tqdm import tqdm

    with tqdm(total=total, unit=f" {unit}", unit_scale=True) as bar:
        yield bar.update


class Lines:
    """Counts; logs a line after ten seconds and another percent, whichever is later."""

    def __init__(
        self, total: int, clock: Callable[[], float] = time.monotonic, unit: str = "samples"
    ) -> None:
        self._total = total
        self._line = f"%d of %d {unit} (%.0f %%)"
        self._done = self._logged = 0
        self._clock = clock
        self._next = clock() + _SECONDS
        self._counting = threading.Lock()

    def __call__(self, n_done: int) -> None:
        """Count `n_done` more."""
        with self._counting:
            self._done += n_done
            further = 100 * (self._done - self._logged) >= self._total
            if further and self._clock() >= self._next:
                self._next = self._clock() + _SECONDS
                self._logged = self._done
                share = self._done / self._total
                _log.info(self._line, self._done, self._total, 100 * share)
