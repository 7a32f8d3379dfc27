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
def stopped_by_signals() -> Iterator[None]:
    """Let SIGTERM stop what is under way as Ctrl+C does, and Ctrl+C do so too."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Terminated

    if threading.current_thread() is not threading.main_thread():  # which alone may ask for signals
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    signal.signal(signal.SIGTERM, stop)
    if before[signal.SIGINT] is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _ToStandardError(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        say(self.format(record), err=True)


def show_log(level: int) -> None:
    """Show what the packages log from `level` on."""
    log = logging.getLogger("adaptnet")
    log.handlers = [_ToStandardError()]
    log.setLevel(level)
