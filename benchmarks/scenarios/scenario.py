"""What a scenario is, and how one is run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from benchmarks import machine, tools
from benchmarks.measure import Contestant, tell, timed
from benchmarks.results import Group, Result

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.lab import Lab

_INTERPRETER_RUNS = 20


class Skipped(Exception):
    """A scenario cannot be measured here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Something to measure."""

    key: str
    title: str
    about: str
    """What is measured, in Markdown."""
    rounds: int
    """How many rounds, unless the user says."""
    measure: Callable[[Lab, int], tuple[Group, ...]]
    """Raises Skipped."""


def result(scenario: Scenario, lab: Lab, versions: Mapping[str, str]) -> Result:
    """Measure a scenario."""
    tell(f"({scenario.key}) {scenario.title}")
    rounds = lab.rounds or scenario.rounds
    groups: tuple[Group, ...] = ()
    skipped = ""
    started = datetime.now(timezone.utc).isoformat(timespec="seconds")
    before = machine.load()
    interpreter = tuple(round(interpreter_start(lab), 5) for _ in range(_INTERPRETER_RUNS))
    try:
        groups = scenario.measure(lab, rounds)
    except Skipped as reason:
        skipped = str(reason)
        tell(f"skipped: {skipped}")
    return Result(
        key=scenario.key,
        started=started,
        rounds=rounds,
        machine=machine.described(),
        load=(before, machine.load()),
        interpreter=interpreter,
        versions=versions,
        has_store=lab.has_store,
        groups=groups,
        skipped=skipped,
    )


def interpreter_start(lab: Lab) -> float:
    """Return the seconds of one `python -c pass`."""
    return timed([lab.python, "-c", "pass"], lab.environ("interpreter"), lab.work).seconds


def interpreter(lab: Lab) -> Contestant:
    """Return `python -c pass` as a contestant: the floor of what runs no hooks."""
    return Contestant(name=tools.INTERPRETER, run=lambda: interpreter_start(lab))
