"""Many builds from several processes at a time that share a store."""

from __future__ import annotations

import shlex
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks import floor, projects, tools
from benchmarks.entrants import removed
from benchmarks.floor import Ready
from benchmarks.lab import emptied
from benchmarks.measure import Contestant, RunFailed, race, tell, timed
from benchmarks.results import COUNT, PER_SECOND, Group, Row
from benchmarks.scenarios.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from benchmarks.lab import Lab

KEY = "g"
THROUGHPUT = "throughput, warm"
FAILURES = "failed builds, from an empty store"
BUILT = "environments built, from an empty store"
NEEDED = "different environments needed"
PROCESSES = (1, 2, 4, 8)
_BACKENDS = ("flit_core", "hatchling", "setuptools", "pdm-backend")
_BUILDS = 32
_WHO = "parallel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """32 source trees, and two ways to build one of them."""

    sources: tuple[Path, ...]
    ours: Callable[[Path], object]
    alone: Callable[[Path], object]
    log: Path
    """Gets a line for each environment that the installer fills."""
    store: Path


def name(processes: int, tool: str = tools.PASSBUILD) -> str:
    """Return how the row for a number of processes is called."""
    return f"{tool}, {processes} process{'es' if processes > 1 else ''}"


def measure(lab: Lab, rounds: int) -> tuple[Group, ...]:
    """Measure throughput, failures and the number of environments."""
    field = _field(lab)
    counted = _from_an_empty_store(field, rounds)
    alone = [_throughput(name(count, tools.FLOOR), field, field.alone, count) for count in PROCESSES]
    ours = [_throughput(name(count), field, field.ours, count) for count in PROCESSES]
    note = f"{_BUILDS} builds of projects on {len(_BACKENDS)} backends, each from a source tree of its own."
    return (race(THROUGHPUT, [*alone, *ours], rounds, unit=PER_SECOND, note=note), *counted)


def _field(lab: Lab) -> Field:
    folder, log = lab.fresh(KEY), lab.work / "installs.log"
    environ = _with_counting_uv(lab, log)
    sources = []
    kept: dict[str, Path] = {}
    for number in range(_BUILDS):
        backend = _BACKENDS[number % len(_BACKENDS)]
        sources.append(projects.pure(folder / f"{backend}_{number}", backend))
        if backend not in kept:
            kept[backend] = lab.kept(f"{KEY}-{backend}", sources[-1], environ)
    return Field(
        sources=tuple(sources),
        ours=partial(_ours, lab, environ),
        alone=lambda source: _alone(kept[source.name.rpartition("_")[0]], environ, source),
        log=log,
        store=lab.store(_WHO),
    )


def _ours(lab: Lab, environ: Mapping[str, str], source: Path) -> None:
    job = tools.Job(source=source, outdir=_outdir(source), python=lab.python)
    timed(tools.argv(tools.PASSBUILD, lab.scripts, job), environ, source)


def _alone(python: Path, environ: Mapping[str, str], source: Path) -> None:
    emptied(_outdir(source))
    floor.built(source, _outdir(source), Ready.around(python, environ))


def _outdir(source: Path) -> Path:
    return source.with_name(f"{source.name}-wheels")


def _with_counting_uv(lab: Lab, log: Path) -> dict[str, str]:
    """Return variables by which passbuild finds a uv that writes down each installation, and is uv for the rest."""
    folder = lab.fresh(f"{KEY}-uv")
    script = folder / "uv"
    install = f'[ "$1 $2" = "pip install" ] && echo installed >> {shlex.quote(str(log))}'
    script.write_text(f'#!/bin/sh\n{install}\nexec {shlex.quote(str(lab.uv))} "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    environ = lab.environ(_WHO)
    return {**environ, "PATH": f"{folder}:{environ['PATH']}"}


def _from_an_empty_store(field: Field, rounds: int) -> tuple[Group, Group]:
    failed: dict[int, list[float]] = {count: [] for count in PROCESSES}
    made: dict[int, list[float]] = {count: [] for count in PROCESSES}
    _all(field, field.ours, 1)  # fills the installer's cache
    for _ in range(rounds):
        for count in PROCESSES:
            removed(field.store)
            field.log.write_text("", encoding="utf-8")
            failed[count].append(_all(field, field.ours, count))
            made[count].append(len(field.log.read_text(encoding="utf-8").splitlines()))
    tell(f"  failed {failed}, environments {made}")
    needed = Row(name=NEEDED, samples=(float(len(_BACKENDS)),) * rounds)
    return (
        Group(name=FAILURES, unit=COUNT, rows=tuple(Row(name=name(n), samples=tuple(v)) for n, v in failed.items())),
        Group(name=BUILT, unit=COUNT, rows=(needed, *(Row(name=name(n), samples=tuple(v)) for n, v in made.items()))),
    )


def _throughput(called: str, field: Field, build: Callable[[Path], object], processes: int) -> Contestant:
    def run() -> float:
        started = perf_counter()
        failed = _all(field, build, processes)
        seconds = perf_counter() - started
        if failed:
            raise RunFailed(f"{failed} of {_BUILDS} builds failed")
        return _BUILDS / seconds

    return Contestant(name=called, run=run)


def _all(field: Field, build: Callable[[Path], object], processes: int) -> int:
    """Build all, `processes` at a time, and return how many failed."""

    def is_failure(source: Path) -> bool:
        try:
            build(source)
        except RunFailed as error:
            tell(f"  {source.name}: {error}")
            return True
        return False

    with ThreadPoolExecutor(processes) as pool:
        return sum(pool.map(is_failure, field.sources))


SCENARIOS = (
    Scenario(
        key=KEY,
        title="Builds side by side",
        about=(
            "32 builds from 1, 2, 4 and 8 processes at a time that share one store: first from an empty one, to see "
            "whether any fails and whether any environment is built twice; then warm, for the throughput. "
            "How far the hooks alone scale says what this machine can give."
        ),
        rounds=5,
        measure=measure,
    ),
)
