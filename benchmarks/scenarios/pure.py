"""Pure projects on five backends, with everything warm, and the same without the store."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchmarks import projects, tools
from benchmarks.entrants import Course, entrants
from benchmarks.measure import race
from benchmarks.scenarios.scenario import Scenario

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.lab import Lab
    from benchmarks.results import Group

WARM = "a"
WITHOUT_STORE = "b"
_PEERS = (tools.UV, tools.BUILD_UV, tools.BUILD, tools.PIP, tools.HATCH)


def measure(key: str, ours: str, lab: Lab, rounds: int) -> tuple[Group, ...]:
    """Measure a wheel of each backend; `ours` says how passbuild runs."""
    return tuple(_backend(key, ours, backend, lab, rounds) for backend in projects.PURE)


def _backend(key: str, ours: str, backend: str, lab: Lab, rounds: int) -> Group:
    def write(folder: Path) -> Path:
        return projects.pure(folder, backend)

    course = Course(lab=lab, name=f"{key}/{backend}", write=write, python=lab.python)
    running = entrants(course, (tools.FLOOR, ours, *_PEERS))
    return race(backend, [item.contestant() for item in running], rounds)


SCENARIOS = (
    Scenario(
        key=WARM,
        title="Pure projects, warm",
        about="A wheel of a project of ten modules, built again and again: all caches are warm, and so is the store.",
        rounds=10,
        measure=partial(measure, WARM, tools.PASSBUILD),
    ),
    Scenario(
        key=WITHOUT_STORE,
        title="Pure projects, no store",
        about="The same with a new build environment each time, from a warm installer cache.",
        rounds=7,
        measure=partial(measure, WITHOUT_STORE, tools.NO_STORE),
    ),
)
