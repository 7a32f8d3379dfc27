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
def progress_display(total: int, show: bool | None) -> Iterator[Callable[[int], object]]:
    """Give a function that counts samples done; any thread may call it."""
    if show is None and not sys.stderr.isatty():
        yield Lines(total)
        return
    if show is False:
        yield lambda n_samples: None
        return
    from tqdm import tqdm

    with tqdm(total=total, unit=" samples", unit_scale=True) as bar:
        yield bar.update


class Lines:
    """Counts samples; logs a line after ten seconds and another percent, whichever is later."""

    def __init__(self, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._total = total
        self._done = self._told = 0
        self._clock = clock
        self._next = clock() + _SECONDS
        self._counting = threading.Lock()

    def __call__(self, n_samples: int) -> None:
        """Count `n_samples` more."""
        with self._counting:
            self._done += n_samples
            further = 100 * (self._done - self._told) >= self._total
            if further and self._clock() >= self._next:
                self._next = self._clock() + _SECONDS
                self._told = self._done
                share = self._done / self._total
                _log.info("%d of %d samples (%.0f %%)", self._done, self._total, 100 * share)
