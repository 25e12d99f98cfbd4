"""Run one command: order in, report out, errors caught here and nowhere else."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from passbuild import pipeline
from passbuild.cli.console import Speaker
from passbuild.errors import Cancelled, OutputNotWritable, PassbuildError
from passbuild.journal import Journal
from passbuild.settings.merge import Given
from passbuild.surroundings import Surroundings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from passbuild.report import Report


def run(
    command: str, step: Callable[[pipeline.Order, Journal], Report], source: Path, options: dict[str, object]
) -> None:
    """Run a step of the pipeline for a command, print its result, and end with its exit code."""
    surroundings = Surroundings.here()
    config_file = options.pop("config_file", None)
    given = Given(
        values=options,
        spelled_as_options=True,
        config_file=surroundings.cwd / str(config_file) if config_file else None,
    )
    path = Path(os.path.normpath(surroundings.cwd / source.expanduser()))
    order = pipeline.Order(source=path, given=given, surroundings=surroundings)
    speaker = Speaker()
    journal = Journal(command, path, speaker.hear)
    try:
        with _signals_raise():
            report = step(order, journal)
            _write_report(report)
    except PassbuildError as error:
        report = journal.failed(error)
        with contextlib.suppress(OutputNotWritable):
            _write_report(report)
        if options.get("json") and report.settings is None:
            sys.stdout.write(json.dumps(report.to_json(), indent=2) + "\n")
        speaker.failure(report, error)
        sys.exit(error.exit_code)
    speaker.result(report)


def _write_report(report: Report) -> None:
    if report.settings is None or report.settings.report is None:
        return
    path = report.settings.report.value
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(json.dumps(report.to_json(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise OutputNotWritable(path=path, problem=error.strerror or str(error)) from error


@contextlib.contextmanager
def _signals_raise() -> Iterator[None]:
    """Let the signals that end a program end it by an error, so that everything is cleaned up on the way."""
    names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {number: signal.signal(number, _cancel) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _cancel(number: int, frame: FrameType | None) -> None:
    del frame
    raise Cancelled(signal=number)
