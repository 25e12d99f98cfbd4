"""Large hosts: `plan` beside many distributions, and a closure of many files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import hosts, projects, tools
from benchmarks.entrants import Course, entrants
from benchmarks.measure import Contestant, race, timed
from benchmarks.scenarios.scenario import Scenario, interpreter

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.lab import Lab
    from benchmarks.results import Group

HOSTS = "e"
CLOSURE = "f"
PLAN = "passbuild plan"
SMALL, MIDDLE, LARGE = "50 distributions", "500 distributions", "2,000 distributions"
_COUNTS = {SMALL: 50, MIDDLE: 500, LARGE: 2000}
_CLOSURE = 200
_FILES = 50_000


def measure_hosts(lab: Lab, rounds: int) -> tuple[Group, ...]:
    """Measure `plan` on hosts of three sizes."""
    project = projects.in_tree(lab.fresh(HOSTS, "project"), [hosts.ROOT], "dist_0")
    folder = lab.fresh(HOSTS, "hosts")
    made = {name: hosts.listed(lab, folder / str(count), count) for name, count in _COUNTS.items()}
    contestants = [interpreter(lab), *(_plan(lab, name, project, host) for name, host in made.items())]
    return (race(PLAN, contestants, rounds),)


def measure_closure(lab: Lab, rounds: int) -> tuple[Group, ...]:
    """Measure `plan` and `wheel` where 200 distributions with 50,000 files pass through."""
    host = hosts.reached(lab, lab.fresh(CLOSURE, "hosts") / "host", _CLOSURE, _FILES // _CLOSURE)

    def write(folder: Path) -> Path:
        return projects.in_tree(folder, [hosts.ROOT], "dist_0")

    python = host / "bin" / "python"
    options = {tools.PASSBUILD: ("--passthrough", hosts.ROOT)}
    course = Course(lab=lab, name=f"{CLOSURE}/builds", write=write, python=python, options=options, kept=python)
    running = entrants(course, (tools.FLOOR, tools.PASSBUILD))
    plan = _plan(lab, PLAN, running[-1].source, host)
    return (
        race(PLAN, [interpreter(lab), plan], rounds),
        race("passbuild wheel", [item.contestant() for item in running], rounds),
    )


def _plan(lab: Lab, name: str, project: Path, host: Path) -> Contestant:
    environ = lab.environ("plan")
    argv = [lab.passbuild, "plan", str(project), "--host", str(host), "--passthrough", hosts.ROOT]
    return Contestant(name=name, run=lambda: timed(argv, environ, project).seconds)


SCENARIOS = (
    Scenario(
        key=HOSTS,
        title="Large hosts",
        about=(
            "`passbuild plan` for a project that takes a closure of five distributions from a host that has many. "
            "No hook runs; the floor is the interpreter itself."
        ),
        rounds=10,
        measure=measure_hosts,
    ),
    Scenario(
        key=CLOSURE,
        title="A large closure",
        about=(
            "200 distributions with 50,000 files pass through, to a project whose backend imports one of them and "
            "writes an empty wheel."
        ),
        rounds=10,
        measure=measure_closure,
    ),
)
