"""``passbuild doctor``: look at everything that a build depends on, and say what to do about it."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from passbuild.cli.options import Command, setting_options

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from passbuild.cli.paint import Line
    from passbuild.doctor.model import Checkup, Finding
    from passbuild.settings.merge import Given
    from passbuild.surroundings import Surroundings

WIDTH = 80
"""Columns, on a terminal that has as many, and where there is none."""
_NARROWEST = 20
_SUBJECT = 12
_MARKS = {
    "ok": ("✓", "green"),
    "note": ("•", "dim"),
    "warning": ("!", "bold yellow"),
    "problem": ("✗", "bold red"),
    "skipped": ("-", "dim"),
}
"""The mark of each state, and its style."""
_PLURALS = {"problem": "problems", "warning": "warnings", "note": "notes", "ok": "ok", "skipped": "skipped"}


@click.command(
    cls=Command,
    examples=(
        ("passbuild doctor", "what a build of the project here would meet"),
        ("passbuild doctor --host ~/envs/ml --passthrough torch", "a host, its torch and the toolkit for it"),
        ("passbuild doctor --json", "for a program"),
    ),
)
@setting_options("outdir", "report")
def doctor(source: str, **options: object) -> None:
    """Look at the machine, the host, the installers, the store, the compilers and the toolkits, and say what to do.

    Every line is a fact that was measured now: versions come from running the programs, compilers compile something.
    With a project in SOURCE also its settings and its plan are looked at. Nothing is built or fetched, and the network
    is not used. The exit code is 1 when there is a problem.
    """
    from passbuild import cancellation
    from passbuild.cli.run import at_once, refuse, tell_result
    from passbuild.doctor.checkup import Request, examined
    from passbuild.errors import Cancelled
    from passbuild.settings.merge import Given
    from passbuild.surroundings import Surroundings

    surroundings = Surroundings.here()
    config_file = options.pop("config_file", None)
    given = Given(
        values=options,
        spelled_as_options=True,
        config_file=surroundings.cwd / str(config_file) if config_file else None,
    )
    try:
        with cancellation.heard(at_once):
            checkup = examined(Request(source=source, given=given, surroundings=surroundings))
    except cancellation.Interruption as caught:
        refuse(Cancelled(signal=caught.number), (), surroundings)
    if _asks_for_json(checkup, given, surroundings):
        from passbuild.cli.paint import json_text

        tell_result(json_text(checkup.to_json()))
    else:
        _tell(checkup, surroundings.environ)
    sys.exit(0 if checkup.is_sound else 1)


def lines(checkup: Checkup, width: int = WIDTH) -> Iterable[Line]:
    """Return the lines of a checkup: each finding with its cure beneath, and how many there are of each state."""
    from passbuild.cli.paint import line

    for item in checkup.findings:
        yield from _finding(item, width)
    counts = {state: sum(item.state.value == state for item in checkup.findings) for state in _PLURALS}
    told = [f"{count} {state if count == 1 else _PLURALS[state]}" for state, count in counts.items() if count]
    yield line((", ".join(told), "bold"))


def _finding(item: Finding, width: int) -> Iterable[Line]:
    from passbuild.cli.paint import line

    mark, style = _MARKS[item.state.value]
    first, *rest = _wrapped(item.fact, width - _SUBJECT - 4)
    yield line((mark, style), " ", (f"{item.subject:{_SUBJECT}}", "bold"), f"  {first}")
    yield from (line(" " * (_SUBJECT + 4) + text) for text in rest)
    for cure in item.cure.splitlines():
        first, *rest = _wrapped(cure, width - _SUBJECT - 10)
        yield line(" " * (_SUBJECT + 4), ("hint: ", "bold cyan"), first)
        yield from (line(" " * (_SUBJECT + 10) + text) for text in rest)


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, max(width, _NARROWEST), break_long_words=False, break_on_hyphens=False) or [""]


def _tell(checkup: Checkup, environ: Mapping[str, str]) -> None:
    """Print a checkup: it is the result, so it goes to standard output."""
    from passbuild.cli.paint import let_go, painter
    from passbuild.settings.model import Color

    if sys.stdout is None:
        _refuse("is closed")
    out = painter(sys.stdout, checkup.settings.color.value if checkup.settings else Color.AUTO, environ)
    try:
        width = min(WIDTH, out.console.width) if out.console else WIDTH
        for text in lines(checkup, width):
            out.print(text)
    except OSError as error:
        let_go(sys.stdout)
        _refuse(error.strerror or str(error))


def _refuse(reason: str) -> NoReturn:
    from passbuild.cli.run import refuse
    from passbuild.errors import OutputNotWritable
    from passbuild.surroundings import Surroundings

    refuse(OutputNotWritable(path=Path("standard output"), problem=reason, option=""), (), Surroundings.here())


def _asks_for_json(checkup: Checkup, given: Given, surroundings: Surroundings) -> bool:
    """Whether a document is asked for; settings that cannot be read do not say so."""
    from passbuild.settings.merge import is_true

    if checkup.settings is not None:
        return checkup.settings.json.value
    return bool(given.values.get("json")) or is_true(surroundings.environ.get("PASSBUILD_JSON", ""))
