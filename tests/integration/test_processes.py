"""How many processes a command starts: one server, probe and installer, one for each hook, and nothing twice."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from passbuild import forkserver

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.bench import Bench

_COUNTS = """
import atexit, json, os, sys
started = []
def heard(event, arguments):
    if event == "subprocess.Popen":
        started.append([os.fsdecode(item) for item in arguments[1]])
    elif event in ("os.fork", "os.posix_spawn", "os.system", "os.exec"):
        started.append([event])
sys.addaudithook(heard)
from passbuild import forkserver
start_program = forkserver.Server.start
def start_told(self, order):
    started.append([os.fsdecode(item) for item in order["argv"]])
    return start_program(self, order)
forkserver.Server.start = start_told
atexit.register(lambda: sys.stderr.write("\\n" + json.dumps(started)))
sys.argv = ["passbuild", *{arguments!r}]
from passbuild.__main__ import start
start()
"""
_SERVER = {"server": 1} if forkserver.is_available() else {}
"""What starts the others, where the system can have it."""
_MARKS = {
    "server": "_supervisor",
    "probe": "_probe.py",
    "installer": "install",
    "discovery of virtualenv": "py_info",
}
_HOOKS = ("get_requires_for_build_sdist", "build_sdist", "get_requires_for_build_wheel", "build_wheel")


def _started(bench: Bench, *arguments: object) -> Counter[str]:
    """Return how often a command starts each kind of process."""
    program = _COUNTS.format(arguments=[*map(str, arguments), "--cache-dir", str(bench.folder / "store")])
    done = subprocess.run(
        [sys.executable, "-c", program], env=bench.environ, cwd=bench.folder, capture_output=True, text=True, check=True
    )
    return Counter(map(_kind, json.loads(done.stderr.splitlines()[-1])))


def _kind(argv: list[str]) -> str:
    if any(part.endswith("_in_process.py") for part in argv):
        return next(part for part in argv if part in _HOOKS)
    if argv[1:] == ["-c", ""]:
        return "first start"
    for kind, mark in _MARKS.items():
        if any(mark in part for part in argv):
            return kind
    return " ".join(argv)


@pytest.fixture
def project(bench: Bench) -> Path:
    """Return a project that needs what passes through, and something to install."""
    return bench.project(requires=["tool", "engine"])


def test_a_build_starts_each_process_once(bench: Bench, project: Path, installer: str) -> None:
    """An sdist and a wheel share the probe, the environment and the installation; in the store they need none."""
    host = bench.host("engine==1.0", "fuel==1.0")
    arguments = ("build", project, "--host", host, "--passthrough", "engine", "--installer", installer)

    first = _started(bench, *arguments, "-o", bench.outdir)
    second = _started(bench, *arguments, "-o", bench.outdir)

    del first["discovery of virtualenv"]  # it has a memory of its own, which other tests fill
    assert first == {**_SERVER, "probe": 1, "installer": 1, "first start": 1, **dict.fromkeys(_HOOKS, 1)}
    assert second == {**_SERVER, "probe": 1, **dict.fromkeys(_HOOKS, 1)}


def test_where_nothing_passes_through_the_hooks_alone_run(bench: Bench) -> None:
    """The third time, at the latest: what has only just been made is not remembered."""
    host = bench.host("engine==1.0", "fuel==1.0")
    arguments = ("wheel", bench.project(requires=["tool"]), "--host", host, "-o", bench.outdir)

    for _ in range(10):
        counted = _started(bench, *arguments)
        if counted["probe"] == 0:
            break

    assert counted == {**_SERVER, "get_requires_for_build_wheel": 1, "build_wheel": 1}


def test_plan_starts_the_probe_alone(bench: Bench, project: Path) -> None:
    """No installer, no hook."""
    host = bench.host("engine==1.0", "fuel==1.0")

    assert _started(bench, "plan", project, "--host", host, "--passthrough", "engine") == {"probe": 1}
