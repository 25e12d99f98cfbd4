"""What frontends leave behind when they are ended, and when a backend leaves half a file.

Each is the newest version, in an environment of its own, without a network. The project is the same for all, and so is
what its backend starts before it waits: a child, a child in a session of its own, and a daemon.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

from tests.integration import live

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

SETTLED = 12.0
"""Seconds after which what is still there counts as left behind."""
_BACKEND = """
import os, pathlib, subprocess, sys, tempfile, time

HERE = pathlib.Path({here!r})
SLEEP = [sys.executable, "-c", "import time; time.sleep(120)"]

def get_requires_for_build_wheel(config_settings=None):
    return []

def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = "sample-1.0-py3-none-any.whl"
    pathlib.Path(folder, name).write_bytes(b"PK half of a wheel")
{body}
    return name
"""
_WAITS = """
    with tempfile.TemporaryDirectory(prefix="of-the-backend-"):
        subprocess.Popen(SLEEP)
        subprocess.Popen(SLEEP, start_new_session=True)
        subprocess.run(["sh", "-c", "setsid sleep 120 > /dev/null 2>&1 &"])
        (HERE / "begun").touch()
        time.sleep(120)
"""
_FAILS = """
    sys.exit(1)
"""
_CRASHES = """
    os.abort()
"""
_LIES = ""
_PYPROJECT = """
[build-system]
requires = []
build-backend = "half"
backend-path = ["backend"]
"""


class Trial(NamedTuple):
    """Something that happens to a build."""

    name: str
    body: str
    act: Callable[[subprocess.Popen[bytes]], None] | None


def _group(number: signal.Signals) -> Callable[[subprocess.Popen[bytes]], None]:
    return lambda child: os.killpg(child.pid, number)


def _alone(number: signal.Signals) -> Callable[[subprocess.Popen[bytes]], None]:
    return lambda child: os.kill(child.pid, number)


TRIALS = (
    Trial("Ctrl-C on a terminal (SIGINT to the group)", _WAITS, _group(signal.SIGINT)),
    Trial("a closed terminal (SIGHUP to the group)", _WAITS, _group(signal.SIGHUP)),
    Trial("the end of a CI job (SIGTERM to the frontend)", _WAITS, _alone(signal.SIGTERM)),
    Trial("SIGKILL to the frontend", _WAITS, _alone(signal.SIGKILL)),
    Trial("the backend fails with half a wheel written", _FAILS, None),
    Trial("the backend crashes with half a wheel written", _CRASHES, None),
    Trial("the backend says that half a wheel is done", _LIES, None),
)


class Frontend(NamedTuple):
    """A frontend, and how it builds a wheel of the current folder into `out`."""

    name: str
    argv: list[str]


def frontends(tools: Path) -> list[Frontend]:
    """Return passbuild as it is here, and the newest of the others, which are installed below `tools`."""
    wanted = {"uv": ["uv"], "build": ["build"], "pip": ["pip"]}
    for name, requirements in wanted.items():
        if not (tools / name).is_dir():
            subprocess.run([sys.executable, "-m", "venv", str(tools / name)], check=True)
            argv = [tools / name / "bin" / "python", "-m", "pip", "install", "--quiet", "--upgrade", *requirements]
            subprocess.run(list(map(str, argv)), check=True)
    python = {name: str(tools / name / "bin" / "python") for name in wanted}
    return [
        Frontend("passbuild", [sys.executable, "-m", "passbuild", "wheel", ".", "-o", "out", "--host", sys.executable]),
        Frontend("uv build", [str(tools / "uv" / "bin" / "uv"), "build", "--wheel", "-o", "out", "--offline"]),
        Frontend("build", [python["build"], "-m", "build", "--wheel", "-o", "out"]),
        Frontend("pip wheel", [python["pip"], "-m", "pip", "wheel", ".", "-w", "out", "--no-deps", "--no-index"]),
    ]


def versions(tools: Path) -> str:
    """Return what the others are."""
    told = []
    for name in ("uv", "build", "pip"):
        program = "import importlib.metadata as m, sys; print(sys.argv[1], m.version(sys.argv[1]))"
        argv = [str(tools / name / "bin" / "python"), "-c", program, name]
        told.append(subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip())
    return ", ".join(told)


def tried(trial: Trial, frontend: Frontend, folder: Path) -> str:
    """Let something happen to a build, and return what is left of it; empty for nothing."""
    project, scratch = folder / "project", folder / "tmp"
    (project / "backend").mkdir(parents=True)
    scratch.mkdir()
    (project / "pyproject.toml").write_text(_PYPROJECT, encoding="utf-8")
    text = _BACKEND.format(here=str(folder), body=trial.body.strip("\n"))
    (project / "backend" / "half.py").write_text(text, encoding="utf-8")
    with subprocess.Popen(
        frontend.argv,
        cwd=project,
        env=_environ(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as child:
        if trial.act is not None:
            live.until((folder / "begun").exists, 60)
            trial.act(child)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(60)
        code = child.poll()
        end = time.monotonic() + SETTLED
        while live.running(folder) and time.monotonic() < end:
            time.sleep(0.1)
        left = _left(folder, code)
        for process in live.running(folder):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
    shutil.rmtree(folder)
    return left


def _left(folder: Path, code: int | None) -> str:
    processes = live.running(folder)
    temporary = [path for path in (folder / "tmp").iterdir() if path.suffix != ".log"]
    out = folder / "project" / "out"
    found = []
    if code is None:
        found.append("it did not end")
    if processes:
        found.append(f"{len(processes)} processes" if len(processes) > 1 else "1 process")
    if temporary:
        found.append(f"{len(temporary)} temporary folders" if len(temporary) > 1 else "1 temporary folder")
    if any(path.suffix == ".whl" for path in (out.iterdir() if out.is_dir() else ())):
        found.append("**half a wheel**" + (", exit code 0" if code == 0 else ""))
    elif out.is_dir():
        found.append("an empty folder" if not list(out.iterdir()) else "a folder in the output folder")
    return ", ".join(found)


def _environ(folder: Path) -> Mapping[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_NO_PROGRESS": "1",
    }
