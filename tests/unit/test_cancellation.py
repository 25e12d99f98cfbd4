"""A signal is heard wherever it arrives, and told once."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

_PROGRAM = """
import os, signal, sys
from passbuild import cancellation

class Last:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        for _ in range(1000):
            pass

try:
    with cancellation.heard(lambda number: None):
        item = Last()
        del item
        cancellation.check()
except cancellation.Interruption as caught:
    print(caught.number)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there are other signals")
def test_a_signal_in_a_place_that_lets_nothing_out_is_told_by_the_next_look() -> None:
    """Python writes such an exception to standard error, with a traceback, and goes on."""
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr) == (f"{int(signal.SIGTERM)}\n", "")
