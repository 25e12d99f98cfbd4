"""Run programs and measure each as a whole process; let contestants run in turns."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.results import SECONDS, Group, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_LIMIT = 1800.0
"""Seconds after which a run counts as failed."""
_LAST_LINES = 3


class RunFailed(Exception):
    """A program did not do what was measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One run."""

    seconds: float
    peak: int
    """The memory of the largest of its processes, in bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """One row of a group in the making."""

    name: str
    run: Callable[[], float]
    """Returns what is measured. Raises RunFailed."""
    prepare: Callable[[], None] = lambda: None
    """What has to happen before each run, and is not measured."""
    warm_ups: int = 1
    """How many runs before the first that counts."""


def timed(argv: Sequence[object], environ: Mapping[str, str], cwd: Path) -> Measured:
    """Run a program to its end, output aside. Raises RunFailed with the last lines of its output."""
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        # The descriptor is waited for by `wait4`, which tells the memory too; Popen never waits itself.
        child = subprocess.Popen(
            list(map(str, argv)),
            env=dict(environ),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        clock = threading.Timer(_LIMIT, os.killpg, (child.pid, signal.SIGKILL))
        clock.start()
        try:
            _, status, usage = os.wait4(child.pid, 0)
            seconds = time.perf_counter() - started
        except BaseException:
            os.killpg(child.pid, signal.SIGKILL)
            raise
        finally:
            clock.cancel()
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            output.seek(0)
            raise RunFailed(_reason(child.returncode, output.read().decode(errors="replace")))
    return Measured(seconds=seconds, peak=usage.ru_maxrss * 1024)


def race(name: str, contestants: Sequence[Contestant], rounds: int, *, unit: str = SECONDS, note: str = "") -> Group:
    """Measure contestants in turns, `rounds` times each after the warm-up.

    Each round starts with another one, so that none always runs after the same.
    """
    tell(name)
    samples: dict[str, list[float]] = {item.name: [] for item in contestants}
    failures: dict[str, str] = {}
    for number in range(-max(item.warm_ups for item in contestants), rounds):
        start = number % len(contestants)
        for item in (*contestants[start:], *contestants[:start]):
            if item.name in failures or number < -item.warm_ups:
                continue
            try:
                item.prepare()
                value = item.run()
            except RunFailed as error:
                failures[item.name] = str(error)
                continue
            if number >= 0:
                samples[item.name].append(value)
    rows = (_row(item.name, samples[item.name], failures.get(item.name, "")) for item in contestants)
    return Group(name=name, unit=unit, rows=tuple(rows), note=note)


def tell(text: str) -> None:
    """Say on standard error what is going on."""
    sys.stderr.write(f"  {text}\n")
    sys.stderr.flush()


def _row(name: str, samples: Sequence[float], failure: str) -> Row:
    if failure:
        tell(f"  {name} failed: {failure}")
        return Row(name=name, failure=failure)
    row = Row(name=name, samples=tuple(round(value, 5) for value in samples))
    tell(f"  {name}: {row.median:.3f}")
    return row


def _reason(code: int, output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return f"exit code {code}: {' / '.join(lines[-_LAST_LINES:])}"
