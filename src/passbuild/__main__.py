"""Run the command line: ``passbuild``, or ``python -m passbuild``."""

from __future__ import annotations

import atexit
import gc


def start() -> None:
    """Run the command line without the garbage collector.

    This short process makes few cycles: looking for them takes a fifth of the imports' time, and of the end's.
    """
    gc.disable()
    atexit.register(gc.freeze)  # the interpreter looks for cycles in any case when it ends; there it finds none
    try:
        from passbuild import cli  # click and what it imports are what it is switched off for

        cli.start()
    except KeyboardInterrupt:  # in the first moments, before signals are ours
        raise SystemExit(130) from None


if __name__ == "__main__":
    start()
