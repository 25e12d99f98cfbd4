"""Memory of a build, and disk that its environment takes."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from benchmarks import projects, tools
from benchmarks.entrants import Course, Entrant, entrant
from benchmarks.measure import Contestant, race
from benchmarks.results import BYTES
from benchmarks.scenarios.scenario import Scenario

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.lab import Lab
    from benchmarks.results import Group

KEY = "h"
_TOOLS = (tools.FLOOR, tools.PASSBUILD, tools.UV, tools.BUILD_UV, tools.BUILD, tools.PIP, tools.HATCH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """A tool, and the file into which the hook writes what its environment weighs."""

    entrant: Entrant
    file: Path

    def peak(self) -> Contestant:
        """Return the memory of the largest process as what is measured."""
        return replace(self.entrant.contestant(), run=lambda: float(self.entrant.run().peak))

    def disk(self, kind: str) -> Contestant:
        """Return bytes on disk as what is measured."""

        def run() -> float:
            self.entrant.run()
            return float(cast("int", json.loads(self.file.read_text(encoding="utf-8"))[kind]))

        return replace(self.entrant.contestant(), run=run)


def measure(lab: Lab, rounds: int) -> tuple[Group, ...]:
    """Measure peak memory, and what the environment of one build weighs."""
    running = [_weighed(lab, tool) for tool in _TOOLS]
    return (
        race("peak memory", [item.peak() for item in running], rounds, unit=BYTES),
        race("environment on disk, files of its own", [item.disk("own") for item in running], 1, unit=BYTES),
        race(
            "environment on disk, files shared by hard links",
            [item.disk("linked") for item in running],
            1,
            unit=BYTES,
            note="Shared with the installer's cache: they take no space of their own.",
        ),
    )


def _weighed(lab: Lab, tool: str) -> Weighed:
    file = lab.fresh(KEY, f"weight of {tool}") / "weight.json"
    variables = {"BENCHMARK_BELOW": str(lab.work), "BENCHMARK_WEIGHT": str(file)}
    course = Course(lab=lab, name=f"{KEY}/builds", write=projects.weighing, python=lab.python, variables=variables)
    return Weighed(entrant=entrant(course, tool), file=file)


SCENARIOS = (
    Scenario(
        key=KEY,
        title="Memory and disk",
        about=(
            "A pure project on setuptools. Memory is that of the largest process of a build, as the kernel accounts it "
            "(it cannot read below the measuring program's own). Disk is what the hook finds on its search path, other "
            "than the interpreter's own."
        ),
        rounds=5,
        measure=measure,
    ),
)
