"""The process around the command line: signals and the log."""

import contextlib
import logging
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from scenarios.cli.output import say


class Terminated(KeyboardInterrupt):
    """SIGTERM, by which a scheduler ends a job."""


@contextlib.contextmanager
def ending_on_sigterm() -> Iterator[None]:
    """Let SIGTERM stop what is under way as Ctrl+C does."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Terminated

    if threading.current_thread() is not threading.main_thread():  # which alone may ask for signals
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def ignore_interrupts() -> None:
    """Ignore Ctrl+C and SIGTERM, in a process that is ending anyway."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


class _ToStandardError(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        say(self.format(record), err=True)


def show_log(level: int) -> None:
    """Show what the packages log from `level` on."""
    log = logging.getLogger("adaptnet")
    log.handlers = [_ToStandardError()]
    log.setLevel(level)
