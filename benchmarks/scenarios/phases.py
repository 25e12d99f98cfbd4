"""Where passbuild's own time goes: the steps of one build, by its report, and the processes behind them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from benchmarks import projects, tools
from benchmarks.entrants import Course, entrant, slug
from benchmarks.lab import emptied
from benchmarks.measure import Contestant, race, tell, timed
from benchmarks.results import SECONDS, Group, Row
from benchmarks.scenarios.scenario import Scenario, interpreter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from benchmarks.lab import Lab

KEY = "phases"
_BACKEND = "flit_core"
_WHOLE = "the whole process"
_REST = "outside of its steps: interpreter, imports, settings, checks, end"
_WAYS = {"warm": (), "no store": ("--no-store",)}


def measure(lab: Lab, rounds: int) -> tuple[Group, ...]:
    """Measure the steps of a build with the store and of one without, and what passbuild starts by itself."""
    return (*(_steps(lab, way, options, rounds) for way, options in _WAYS.items()), _alone(lab, rounds))


def _steps(lab: Lab, way: str, options: tuple[str, ...], rounds: int) -> Group:
    name = f"{_BACKEND}, {way}"
    tell(name)
    course = Course(lab=lab, name=f"{KEY}/{slug(way)}", write=_project, python=lab.python)
    ours = entrant(course, tools.PASSBUILD)
    report = ours.outdir.with_name("report.json")
    told = (*options, "--report", str(report))
    job = tools.Job(source=ours.source, outdir=ours.outdir, python=lab.python, options=told)
    argv = tools.argv(tools.PASSBUILD, lab.scripts, job)
    samples: dict[str, list[float]] = {}
    for number in range(-3, rounds):  # the first fills the caches, the others find what the first could not yet know
        emptied(ours.outdir)
        whole = timed(argv, ours.environ, ours.source).seconds
        if number < 0:
            continue
        steps = _seconds(json.loads(report.read_text(encoding="utf-8"))["steps"])
        for step, seconds in {_WHOLE: whole, **steps, _REST: whole - sum(steps.values())}.items():
            samples.setdefault(step, []).append(round(seconds, 5))
    rows = (Row(name=step, samples=tuple(values)) for step, values in samples.items())
    return Group(name=name, unit=SECONDS, rows=tuple(rows))


def _project(folder: Path) -> Path:
    return projects.pure(folder, _BACKEND)


def _seconds(steps: Sequence[Mapping[str, object]]) -> dict[str, float]:
    """Return the seconds of each step of a report."""
    return {str(step["name"]): float(str(step["seconds"])) for step in steps}


def _alone(lab: Lab, rounds: int) -> Group:
    python = lab.scripts["passbuild"] / "python"
    target = lab.fresh(KEY, "alone") / "env"
    environ = lab.environ("phases")

    def run(*argv: object) -> float:
        return timed(argv, environ, lab.work).seconds

    make = ("-m", "virtualenv", "--no-seed", "--no-periodic-update", "--activators", "", "--python", lab.python, target)
    install = (lab.uv, "pip", "install", "--python", target / "bin" / "python", "flit_core")
    contestants = [
        interpreter(lab),
        Contestant(name="import of click and passbuild", run=lambda: run(python, "-c", "import passbuild.cli.run")),
        Contestant(
            name="virtualenv of nothing", prepare=lambda: emptied(target.parent), run=lambda: run(python, *make)
        ),
        Contestant(
            name="uv pip install flit_core",
            prepare=lambda: _renewed(target, lambda: run(python, *make)),
            run=lambda: run(*install),
        ),
    ]
    return race("processes alone", contestants, rounds, note="Whole processes, each with its interpreter's start.")


def _renewed(target: Path, make: Callable[[], object]) -> None:
    emptied(target.parent)
    make()


SCENARIOS = (
    Scenario(
        key=KEY,
        title="Where the time goes",
        about=(
            f"The steps of a wheel on {_BACKEND}, as passbuild's own report has them. "
            "Steps in which a hook runs hold the hook's process."
        ),
        rounds=15,
        measure=measure,
    ),
)
