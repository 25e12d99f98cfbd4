"""Projects whose backend starts processes and waits, and a look at what is left running of them."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.integration.bench import Bench

_PATIENCE = 30.0
_BACKEND = """
import os, pathlib, signal, subprocess, sys, tempfile, time
from recorder import *
from recorder import build_wheel as really_build_wheel

HERE = pathlib.Path({here!r})
SLEEP = [sys.executable, "-c", "import time; time.sleep(300)"]
STUBBORN = [sys.executable, "-c", "import signal, time\\nfor n in (1, 2, 15): signal.signal(n, signal.SIG_IGN)\\n"
            "print(flush=True)\\ntime.sleep(300)"]

def told(name):
    (HERE / (name + ".tmp")).touch()
    (HERE / (name + ".tmp")).rename(HERE / name)

{body}
"""


def project(bench: Bench, body: str, **options: object) -> Path:
    """Return a project with a backend whose hooks are defined, or changed, by `body`."""
    folder = bench.project(**options)  # type: ignore[arg-type]  # those of the sample
    (folder / "backend" / "busy.py").write_text(_BACKEND.format(here=str(bench.folder), body=body), encoding="utf-8")
    file = folder / "pyproject.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('"recorder"', '"busy"'), encoding="utf-8")
    return folder


@contextlib.contextmanager
def started(bench: Bench, *arguments: object, **environ: str) -> Iterator[subprocess.Popen[str]]:
    """Start passbuild as users do; it is gone afterwards."""
    argv = [sys.executable, "-m", "passbuild", *map(str, arguments)]
    with subprocess.Popen(
        argv,
        cwd=bench.folder,
        env={**bench.environ, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        try:
            yield child
        finally:
            if child.poll() is None:
                child.kill()


def until(reached: Callable[[], object], seconds: float = _PATIENCE) -> None:
    """Wait until something is so, and hold that it is in time."""
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, "it did not come in time"
        time.sleep(0.01)


def running(folder: Path) -> dict[int, str]:
    """Return what runs of a test: the processes that have its folder among their variables, with their commands."""
    mark = os.fsencode(str(folder))
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                state = (entry / "stat").read_bytes().rpartition(b")")[2].split()[0]
                if state != b"Z" and mark in (entry / "environ").read_bytes():
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    return found


def leftovers(bench: Bench) -> list[str]:
    """Return what lies among the temporary files and is no log."""
    return sorted(path.name for path in bench.scratch.iterdir() if path.suffix != ".log")
