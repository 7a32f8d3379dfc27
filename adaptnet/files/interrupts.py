"""Interrupts held back where one would do harm: in a lock of a library, or beside live threads.

Python raises KeyboardInterrupt between any two instructions of the main thread. Inside `held` the
handlers of signals run at once, as ever, but what they raise waits until `check` is called or the
block ends. A second Ctrl+C therefore cannot break what the first one began.
"""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType
from typing import Any, Self

_current: "held | None" = None  # the outermost; signals are handled in the main thread alone


class Flag:
    """A request to stop, free of locks, in the shape of a threading.Event.

    An Event takes a lock to be set. A signal that arrives while the handler of another holds it
    would wait for that lock, which is its own thread's, for ever.
    """

    def __init__(self) -> None:
        self._value = False

    def set(self) -> None:
        """Ask to stop."""
        self._value = True

    def is_set(self) -> bool:
        """Return whether anybody has asked."""
        return self._value


class held:  # noqa: N801, used as contextlib's context managers are
    """Hold back exceptions of signal handlers; one inside another does what the outer one does.

    Parameters
    ----------
    on_signal : callable, optional
        Called once a handler has raised, to ask what is under way to come to its end. It must take
        no lock, for another signal may arrive while it runs: see :class:`Flag`.

    Examples
    --------
    >>> with held():
    ...     check()  # raises what a signal has raised meanwhile
    """

    def __init__(self, on_signal: Callable[[], object] | None = None) -> None:
        self._on_signal = on_signal
        self._outer: held | None = None
        self._handlers: dict[int, Any] = {}
        self._callbacks: list[Callable[[], object]] = []
        self._raised: BaseException | None = None
        self._ended = False
        self._allowing = False

    def __enter__(self) -> Self:
        global _current
        if threading.current_thread() is not threading.main_thread():
            self._ended = True
            return self
        self._outer = _current
        outermost = self._outer or self
        if self._on_signal is not None:
            outermost._callbacks.append(self._on_signal)
            if outermost._raised is not None:
                self._on_signal()
        if self._outer is None:
            _current = self
            try:
                for number in signal.valid_signals():
                    handler = signal.getsignal(number)
                    if callable(handler):
                        self._handlers[number] = handler
                        signal.signal(number, self._handle)
            except BaseException:
                self._restore()
                raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._ended:
            return
        if self._on_signal is not None:
            (self._outer or self)._callbacks.remove(self._on_signal)
        if self._outer is None:
            self._restore()
            self._raise()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        handler = self._handlers[number]
        # Once ended, another has taken this for the handler that was there before.
        if self._ended or self._allowing:
            handler(number, frame)
            return
        try:
            handler(number, frame)
        except BaseException as error:
            self._raised = self._raised or error
            for callback in self._callbacks:
                callback()

    def _restore(self) -> None:
        global _current
        self._ended, _current = True, None
        for number, handler in self._handlers.items():
            if signal.getsignal(number) == self._handle:
                signal.signal(number, handler)

    def _raise(self) -> None:
        raised, self._raised = self._raised, None
        if raised is not None:
            raise raised


@contextlib.contextmanager
def allowed() -> Iterator[None]:
    """Let signals interrupt a long step inside `held` that uses nothing which must not be left."""
    check()
    outermost = _current
    if outermost is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    outermost._allowing = True
    try:
        yield
    finally:
        outermost._allowing = False


def check() -> None:
    """Raise what was held back, where stopping does no harm."""
    if _current is not None and threading.current_thread() is threading.main_thread():
        _current._raise()
