"""Run the command line: ``passbuild``, or ``python -m passbuild``."""

from __future__ import annotations

import atexit
import gc
import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType


def start() -> None:
    """Run the command line without the garbage collector.

    This short process makes few cycles: looking for them takes a fifth of the imports' time, and of the end's.
    """
    gc.disable()
    atexit.register(gc.freeze)  # the interpreter looks for cycles in any case when it ends; there it finds none
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _cancelled)
    from passbuild import cli  # click and what it imports are what it is switched off for

    cli.start()


def _cancelled(number: int, frame: FrameType | None) -> None:
    """End in the moments in which there is nothing to clean up: before a command begins, and after it."""
    del frame
    os.write(2, f"error[cancelled]: cancelled by signal {number}\n".encode())
    os._exit(128 + number)


if __name__ == "__main__":
    start()
