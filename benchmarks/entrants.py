"""Let a frontend, or the hooks alone, build a project over and over, each with sources and caches of its own."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from benchmarks import floor, tools
from benchmarks.floor import Ready
from benchmarks.lab import emptied
from benchmarks.measure import Contestant, Measured, RunFailed, timed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from benchmarks.lab import Lab


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What is built, the same for all."""

    lab: Lab
    name: str
    """A relative path of the course's own."""
    write: Callable[[Path], Path]
    """Writes the project into a folder."""
    python: Path
    """The interpreter to build for: the host, to passbuild."""
    config_settings: tuple[str, ...] = ()
    with_ccache: bool = False
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """More options, by tool."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """What is different in the environment of all."""
    kept: Path | None = None
    """The interpreter that the hooks alone run in; None makes an environment from the project's requirements."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrant:
    """One tool on a course."""

    tool: str
    source: Path
    outdir: Path
    environ: Mapping[str, str]
    build: Callable[[], Measured]

    def run(self) -> Measured:
        """Build a wheel. Raises RunFailed, also where there is no wheel afterwards."""
        measured = self.build()
        found = list(self.outdir.glob("*.whl"))
        if len(found) != 1:
            raise RunFailed(f"it left {len(found)} wheels")
        return measured

    def contestant(self, before: Callable[[], None] = lambda: None, warm_ups: int = 1) -> Contestant:
        """Return the seconds of a build as what is measured; `before` comes before each."""

        def prepare() -> None:
            emptied(self.outdir)
            before()

        return Contestant(name=self.tool, run=lambda: self.run().seconds, prepare=prepare, warm_ups=warm_ups)


def entrant(course: Course, tool: str, who: str = "") -> Entrant:
    """Bring a tool to the start; `who` gives it caches that no other course warms."""
    lab, who = course.lab, who or slug(tool)
    source = course.write(lab.fresh(course.name, slug(tool), "source"))
    outdir = lab.fresh(course.name, slug(tool), "out")
    environ = {**lab.environ(who), **course.variables}
    if course.with_ccache:
        environ = lab.with_ccache(environ, who)
    made = Entrant(tool=tool, source=source, outdir=outdir, environ=environ, build=_nothing)
    return replace(made, build=_hooks(course, made) if tool == tools.FLOOR else _frontend(course, made))


def entrants(course: Course, names: tuple[str, ...]) -> list[Entrant]:
    """Bring several tools to the start."""
    return [entrant(course, name) for name in names]


def slug(name: str) -> str:
    """Return a name as a folder is called."""
    return name.replace(" ", "-").replace("--", "")


def removed(folder: Path) -> None:
    """Remove a folder that may be there."""
    shutil.rmtree(folder, ignore_errors=True)


def _hooks(course: Course, made: Entrant) -> Callable[[], Measured]:
    lab, settings = course.lab, course.config_settings
    python = course.kept or lab.kept(course.name.replace("/", "-"), made.source, made.environ, settings)
    ready = Ready.around(python, made.environ)
    return lambda: floor.built(made.source, made.outdir, ready, settings)


def _frontend(course: Course, made: Entrant) -> Callable[[], Measured]:
    job = tools.Job(
        source=made.source,
        outdir=made.outdir,
        python=course.python,
        config_settings=course.config_settings,
        options=course.options.get(made.tool, ()),
    )
    has_no_option = made.tool == tools.NO_STORE and not course.lab.has_store
    argv = tools.argv(tools.PASSBUILD if has_no_option else made.tool, course.lab.scripts, job)
    return lambda: timed(argv, made.environ, made.source)


def _nothing() -> Measured:
    raise RunFailed("nothing to run")
