"""Exceptions of signals wait until stopping does no harm, and none is lost."""

import signal
import threading

import pytest

from adaptnet.files import interrupts


class Terminated(KeyboardInterrupt):
    pass


@pytest.fixture
def handler():
    """Handle SIGTERM as a program may: by an exception of its own."""

    def stop(number, frame):
        raise Terminated

    before = signal.signal(signal.SIGTERM, stop)
    yield stop
    signal.signal(signal.SIGTERM, before)


def test_an_interrupt_waits_for_the_end_of_the_block():
    steps = []
    with pytest.raises(KeyboardInterrupt), interrupts.held():  # noqa: PT012
        signal.raise_signal(signal.SIGINT)
        steps.append("went on")
    assert steps == ["went on"]


def test_an_interrupt_is_raised_where_it_is_asked_for():
    with interrupts.held():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            interrupts.check()
        interrupts.check()  # once only


def test_the_first_exception_is_the_one_that_is_raised(handler):
    with pytest.raises(Terminated), interrupts.held():  # noqa: PT012
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)


def test_blocks_inside_one_another_end_with_the_outermost():
    steps = []
    with pytest.raises(KeyboardInterrupt), interrupts.held():  # noqa: PT012
        with interrupts.held(lambda: steps.append("asked to stop")):
            signal.raise_signal(signal.SIGINT)
        steps.append("after the inner one")
        with interrupts.held(lambda: steps.append("asked to stop at once")):
            pass
    assert steps == ["asked to stop", "after the inner one", "asked to stop at once"]


def test_handlers_that_raise_nothing_run_at_once():
    called = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: called.append(number))
    try:
        with interrupts.held():
            signal.raise_signal(signal.SIGTERM)
            assert called == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_handlers_are_put_back(handler):
    with interrupts.held():
        assert signal.getsignal(signal.SIGTERM) is not handler
    assert signal.getsignal(signal.SIGTERM) is handler
    with pytest.raises(ValueError, match="of the block"), interrupts.held():
        raise ValueError("of the block")
    assert signal.getsignal(signal.SIGTERM) is handler


def test_a_handler_that_is_set_inside_stays(handler):
    before = signal.getsignal(signal.SIGINT)
    try:
        with interrupts.held():
            signal.signal(signal.SIGINT, handler)
        assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_an_interrupt_comes_even_if_the_block_fails():
    with pytest.raises(KeyboardInterrupt) as raised, interrupts.held():  # noqa: PT012
        signal.raise_signal(signal.SIGINT)
        raise OSError("of the block")
    assert isinstance(raised.value.__context__, OSError)


def test_other_threads_hold_nothing():
    def work():
        with interrupts.held():
            interrupts.check()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_long_step_can_be_interrupted_inside():
    steps = []

    def long_step():
        with interrupts.held():
            try:
                with interrupts.allowed():
                    signal.raise_signal(signal.SIGINT)
                    steps.append("not reached")
            finally:
                signal.raise_signal(signal.SIGINT)  # held back again
                steps.append("cleaned up")

    with pytest.raises(KeyboardInterrupt):
        long_step()
    assert steps == ["cleaned up"]
