"""The signals that end a run: the first is raised as an exception where nothing is torn by it, a second ends at once.

Only the command line listens to signals. Whoever calls the API has handlers of their own, and `together` does nothing.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

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

    def hear(self, number: int, frame: FrameType | None) -> None:
        """Take a signal."""
        del frame
        if self.number is not None:
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
    numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    numbers = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, _EAR.hear) for number in numbers}
    try:
        yield
    finally:
        if _EAR.number is None:
            for number, handler in before.items():
                signal.signal(number, handler)


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
