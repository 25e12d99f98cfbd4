"""The signals that end a run: the first is raised as an exception where nothing is torn by it, a second ends at once.

Only the command line listens to signals. Whoever calls the API has handlers of their own, and `together` does nothing.

Python runs handlers in the main thread, and not before that has left a lock of standard error, which another thread may
hold for ever where a terminal is stopped (Ctrl-S). So a thread watches what arrives, and does what the main thread does
not come to.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from types import FrameType

_PATIENCE = 1.0
"""Seconds that the main thread has to end at once."""
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


class Interruption(BaseException):
    """A signal arrived. No Exception: nothing on the way may take it for a failure of its own."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class _Ear:
    """What has arrived, and whether it has to wait."""

    def __init__(self) -> None:
        self.number: int | None = None
        """The first signal; None as long as there was none."""
        self.depth = 0
        """How many blocks the main thread is in that are not to be torn."""
        self.at_once: Callable[[int], None] = lambda _: None
        self.is_ending = threading.Event()
        """Set when the main thread has begun to end at once."""

    def hear(self, number: int, frame: FrameType | None) -> None:
        """Take a signal."""
        del frame
        if self.number is not None:
            self.is_ending.set()
            self.at_once(number)
            return
        self.number = number
        if self.depth == 0:
            raise Interruption(number)


_EAR = _Ear()


@contextlib.contextmanager
def heard(at_once: Callable[[int], None]) -> Iterator[None]:
    """Let the first signal that ends a program raise Interruption, and a second one call `at_once` with its number.

    After the first one that stays so when the block is left: there is cleaning up to do. Signals that are ignored, as
    nohup wants it, stay ignored.
    """
    _EAR.number, _EAR.at_once = None, at_once
    _EAR.is_ending.clear()
    numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    numbers = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]
    with contextlib.ExitStack() as watch:
        if os.name == "posix":  # elsewhere it would have to be a socket
            watch.enter_context(_watched(numbers, at_once))
        before = {number: signal.signal(number, _EAR.hear) for number in numbers}
        complain, sys.unraisablehook = sys.unraisablehook, _complain
        try:
            yield
        finally:
            sys.unraisablehook = complain
            if _EAR.number is None:
                for number, handler in before.items():
                    signal.signal(number, handler)
            else:
                watch.pop_all()


def _complain(problem: sys.UnraisableHookArgs) -> None:
    """Tell of an exception that nobody can catch, as Python does; `check` raises an Interruption once more."""
    if not isinstance(problem.exc_value, Interruption):
        sys.__unraisablehook__(problem)


@contextlib.contextmanager
def _watched(numbers: Collection[int], at_once: Callable[[int], None]) -> Iterator[None]:
    """Have a thread see what signals arrive, as the system tells them, whatever the main thread is at."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    threading.Thread(target=_watch, args=[reading, numbers, at_once], daemon=True).start()
    before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        os.close(writing)


def _watch(reading: int, numbers: Collection[int], at_once: Callable[[int], None]) -> None:
    """Call `at_once` at a second signal where the main thread does not; return at the end of the pipe."""
    count = 0
    while told := os.read(reading, 1):
        count += told[0] in numbers
        if count > 1 and not _EAR.is_ending.wait(_PATIENCE):
            at_once(told[0])
    os.close(reading)


@contextlib.contextmanager
def together() -> Iterator[None]:
    """Do as a whole what is in the block: a signal waits for its end.

    Raises Interruption there, so what the block has got hold of has to be known to whoever cleans up by then.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _EAR.depth += 1
    waited = _EAR.number is not None
    try:
        yield
    finally:
        _EAR.depth -= 1
        if _EAR.depth == 0 and not waited:
            check()


def check() -> None:
    """Raise Interruption where a signal has arrived, also when Python has swallowed the exception meanwhile."""
    if _EAR.number is not None and threading.current_thread() is threading.main_thread():
        raise Interruption(_EAR.number)
