"""Start-up: what a program costs before it does anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import tools
from benchmarks.measure import Contestant, race, timed
from benchmarks.scenarios.scenario import Scenario, interpreter

if TYPE_CHECKING:
    from benchmarks.lab import Lab
    from benchmarks.results import Group

KEY = "start"
GROUP = "start-up"
VERSION = "passbuild --version"
HELP = "passbuild --help"


def measure(lab: Lab, rounds: int) -> tuple[Group, ...]:
    """Measure `--version` of each tool and `--help` of passbuild."""
    peers = {f"{tool} --version": tools.version_argv(tool, lab.scripts) for tool in tools.DISTRIBUTIONS}
    commands = {VERSION: [str(lab.passbuild), "--version"], HELP: [str(lab.passbuild), "--help"], **peers}
    contestants = [interpreter(lab), *(_command(lab, name, argv) for name, argv in commands.items())]
    return (race(GROUP, contestants, rounds),)


def _command(lab: Lab, name: str, argv: list[str]) -> Contestant:
    environ = lab.environ("start")
    return Contestant(name=name, run=lambda: timed(argv, environ, lab.work).seconds)


SCENARIOS = (
    Scenario(
        key=KEY,
        title="Start-up",
        about="Whole processes that do nothing but start. The floor is the interpreter itself.",
        rounds=20,
        measure=measure,
    ),
)
