"""Run the command line: ``passbuild``, or ``python -m passbuild``."""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType
    from typing import NoReturn


_NOT_FLUSHED = 120
"""The exit code by which Python says that not all of the output could be written."""


def start() -> None:
    """Run the command line without the garbage collector.

    This short process makes few cycles: looking for them takes a fifth of the imports' time, and of the end's.
    """
    gc.disable()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _cancelled)
    from passbuild import cli  # click and what it imports are what it is switched off for

    try:
        cli.start()
    except SystemExit as ending:
        _end(ending.code)
    _end(0)


def _end(code: object) -> NoReturn:
    """End without taking the interpreter apart, which takes longer than the start of one."""
    if code is not None and not isinstance(code, int):
        sys.stderr.write(f"{code}\n")
    atexit._run_exitfuncs()  # noqa: SLF001 - there is no other name for it
    number = code if isinstance(code, int) else int(bool(code))
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            number = number or _NOT_FLUSHED
    os._exit(number)


def _cancelled(number: int, frame: FrameType | None) -> None:
    """End in the moments in which there is nothing to clean up: before a command begins, and after it."""
    del frame
    os.write(2, f"error[cancelled]: cancelled by signal {number}\n".encode())
    os._exit(128 + number)


if __name__ == "__main__":
    start()
