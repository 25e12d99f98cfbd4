"""Run one command: order in, report out, errors caught here and nowhere else."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

from packaging.markers import Marker
from packaging.utils import canonicalize_name, is_normalized_name

from passbuild import cancellation, pipeline, process, scratch
from passbuild.cli.console import Speaker, tell
from passbuild.cli.paint import json_text, let_go
from passbuild.errors import Cancelled, OutputNotWritable, PassbuildError, SystemRefused, WrongCommand
from passbuild.journal import Journal
from passbuild.plan.explain import explanation
from passbuild.project.source import understood as understand
from passbuild.redaction import redacted
from passbuild.report import Report, Summary
from passbuild.settings import merge
from passbuild.settings.merge import Given
from passbuild.surroundings import HANDED, Surroundings
from passbuild.values import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from passbuild.into_host import Installation, Wish
    from passbuild.wheelhouse import Commission, Wheelhouse

_SHOW_CURSOR = b"\x1b[?25h"
_FAREWELL = 0.2
"""Seconds for the last word: a terminal that is stopped takes none."""

R = TypeVar("R", bound="Report | Summary | Wheelhouse")

_STEPS: Mapping[str, Callable[[pipeline.Order, Journal], Report]] = {
    "wheel": pipeline.wheel,
    "sdist": pipeline.sdist,
    "build": pipeline.sdist_and_wheel,
    "metadata": pipeline.metadata,
}


def run(command: str, source: str, options: dict[str, object]) -> None:
    """Run a command, print its result, and end with its exit code."""
    desk = _Desk(command, options)
    order = desk.order(source)
    journal = Journal(command, str(order.source), desk.speaker.hear)
    report = desk.done(lambda: _STEPS[command](order, journal), journal.failed)
    desk.told(lambda: desk.speaker.result(report), journal.failed)


def plan(source: str, options: dict[str, object], names: Sequence[str]) -> None:
    """Print a plan, or why these packages come from where they come from, and end with the exit code."""
    desk = _Desk("plan", options)
    for name in names:
        if not is_normalized_name(canonicalize_name(name)):
            problem = f"--explain takes the name of a package, and {name!r} is none"
            refuse(WrongCommand(problem=problem, command="passbuild plan"), (), Surroundings.here())
    order = desk.order(source)
    journal = Journal("plan", str(order.source), desk.speaker.hear)

    def failed(error: PassbuildError) -> Report:
        return _explained(journal.failed(error), names)

    report = desk.done(lambda: _explained(pipeline.plan(order, journal), names), failed)
    desk.told(lambda: desk.speaker.result(report), failed)


def install(sources: Sequence[str], options: dict[str, object], wish: Wish, *, editable: bool) -> None:
    """Build and install, print what was installed, and end with the exit code."""
    desk = _Desk("install", options)
    orders = [desk.order(source) for source in sources]
    jobs = [
        pipeline.Job(order=order, journal=Journal("install", str(order.source), desk.speaker.hear)) for order in orders
    ]

    def summary(error: PassbuildError | None = None, installation: Installation | None = None) -> Summary:
        return Summary.of("install", [job.journal.report for job in jobs], installation, error)

    report = desk.done(lambda: summary(None, pipeline.install(jobs, wish, editable=editable)), summary)
    desk.told(lambda: desk.speaker.summary(report), summary)


def wheels(
    sources: Sequence[str], files: Sequence[str], hosts: Sequence[str], jobs: int, options: dict[str, object]
) -> None:
    """Build many wheels, print where they are and what has become of each, and end with the exit code."""
    from passbuild import wheelhouse
    from passbuild.cli.watch import watched

    desk = _Desk("wheel", options)

    def failed(error: PassbuildError) -> Summary:
        return Summary(command="wheel", builds=(), error=error)

    def build() -> Wheelhouse:
        commission = desk.commission(sources, [desk.path(name) for name in files], hosts, jobs)
        with watched(desk.speaker, commission.settings, commission.surroundings.environ) as tell:
            return wheelhouse.filled(commission, tell)

    house = desk.done(build, failed)
    desk.told(lambda: desk.speaker.house(house), failed)
    if house.error is not None:
        sys.exit(house.error.exit_code)


class _Desk:
    """Where one command is taken, done and told; errors are caught here."""

    def __init__(self, command: str, options: dict[str, object]) -> None:
        self._command = command
        self._surroundings = Surroundings.here()
        config_file = options.pop("config_file", None)
        self._given = Given(
            values=options,
            spelled_as_options=True,
            config_file=self._surroundings.cwd / str(config_file) if config_file else None,
        )
        self.speaker = Speaker(self._surroundings.environ)

    def order(self, source: str) -> pipeline.Order:
        """Return what is to be done about a source, or end with the error that it is none."""
        if source == HANDED:
            source = self._surroundings.handed_source
        try:
            understood = understand(source, self._surroundings.cwd)
        except PassbuildError as error:
            if self._command == "install":
                self._fail(Summary(command="install", builds=(), error=error), error)
            self._fail(Journal(self._command, redacted(source), self.speaker.hear).failed(error), error)
        return pipeline.Order(source=understood, given=self._given, surroundings=self._surroundings)

    def path(self, name: str) -> Path:
        """Return a path that was given, absolute."""
        return _expanded(self._surroundings, name)

    def commission(self, sources: Sequence[str], files: Sequence[Path], hosts: Sequence[str], jobs: int) -> Commission:
        """Return which wheels are wanted. Raises UsageError for what none can be built of."""
        from passbuild.project import requirements
        from passbuild.wheelhouse import Commission, Item

        listed = requirements.listed(files, self._surroundings.environ)
        given = replace(self._given, values=_with(self._given.values, listed.options))
        settings = merge.of_user(self._surroundings, given)
        outdir = settings.outdir.value if settings.outdir else self._surroundings.cwd / "wheelhouse"
        texts = [(text, "") for text in sources] + list(zip(listed.sources, listed.markers, strict=True))
        for text, _ in texts:
            understand(text, self._surroundings.cwd)
        items = []
        for host in hosts or (None,):
            markers = self._markers(given, host) if any(marker for _, marker in texts) else {}
            for text, marker in texts:
                if not marker or Marker(marker).evaluate(dict(markers)):
                    label = redacted(text.partition(" --hash=")[0])
                    label = f"{label} ({host})" if len(hosts) > 1 else label
                    is_folder = os.path.isdir(_expanded(self._surroundings, text))  # noqa: PTH112 - too long a name raises
                    items.append(Item(source=text, label=label, host=host, is_folder=is_folder))
        return Commission(
            items=items, given=given, surroundings=self._surroundings, settings=settings, outdir=outdir, jobs=jobs
        )

    def _markers(self, given: Given, host: str | None) -> Mapping[str, str]:
        values = {**given.values, "host": host} if host else given.values
        return pipeline.host_of(self._surroundings, replace(given, values=values)).markers

    def done(self, act: Callable[[], R], failed: Callable[[PassbuildError], Report | Summary]) -> R:
        """Return what `act` does, and write its report; or end with its error."""
        try:
            with cancellation.heard(at_once), scratch.opened(is_ours=True):
                report = act()
                _write_report(report)
        except PassbuildError as error:
            self._fail(failed(error), error)
        except Exception as error:
            refused = SystemRefused.of(error) if isinstance(error, OSError) else None
            if refused is None:
                self.speaker.bug()
                raise
            self._fail(failed(refused), refused)
        except cancellation.Interruption as caught:
            cancelled = Cancelled(signal=caught.number)
            self._fail(failed(cancelled), cancelled)
        return report

    def told(self, tell_it: Callable[[], None], failed: Callable[[PassbuildError], Report | Summary]) -> None:
        """Print a result, or end with the error that it cannot be printed."""
        try:
            tell_it()
        except BrokenPipeError:
            let_go(sys.stdout)
        except OutputNotWritable as error:
            let_go(sys.stdout)
            _end(self.speaker, failed(error), error, as_json=False)

    def _fail(self, report: Report | Summary, error: PassbuildError) -> NoReturn:
        with contextlib.suppress(OutputNotWritable):
            _write_report(report)
        # Settings that cannot be read say nothing about the output: then the option and its variable do.
        asked = bool(self._given.values.get("json")) or _asks_for_json(self._surroundings)
        _end(self.speaker, report, error, as_json=report.settings.json.value if report.settings else asked)


def _expanded(surroundings: Surroundings, name: str) -> Path:
    """Return a path that was given, absolute; of a home that nobody knows, as it was given."""
    try:
        return surroundings.cwd / Path(name).expanduser()
    except RuntimeError:
        return surroundings.cwd / name


def _explained(report: Report, names: Sequence[str]) -> Report:
    """Return the report with what it says of these packages, as far as it came."""
    if report.plan is None or report.settings is None or report.host is None:
        return report
    made, settings, host = report.plan, report.settings, report.host
    return replace(report, explanations=tuple(explanation(name, made, settings, host) for name in names))


def tell_result(text: str) -> None:
    """Print a result, or end with the error that it cannot be printed."""
    try:
        tell(text)
    except BrokenPipeError:
        let_go(sys.stdout)
    except OutputNotWritable as error:
        let_go(sys.stdout)
        refuse(error, (), Surroundings.here())


def refuse(error: PassbuildError, arguments: Sequence[str], surroundings: Surroundings) -> NoReturn:
    """End with an error that was found before there was a command to run."""
    as_json = "--json" in arguments or _asks_for_json(surroundings)
    report = Journal("", str(surroundings.cwd)).failed(error)
    _end(Speaker(surroundings.environ), report, error, as_json=as_json)


def _with(values: Mapping[str, object], options: Sequence[tuple[str, str]]) -> dict[str, object]:
    """Return the options with those of requirements files; what was given on the command line wins over one value."""
    merged = dict(values)
    for name, value in options:
        before = merged.get(name)
        if name in {"extra_index_url", "find_links"}:
            merged[name] = (*(before if isinstance(before, tuple) else ()), value)
        else:
            merged[name] = before or (True if name == "no_index" else value)
    return merged


def _end(speaker: Speaker, report: Report | Summary, error: PassbuildError, *, as_json: bool) -> NoReturn:
    """Tell an error, whatever can still be written, and end with its exit code."""
    try:
        speaker.failure(report, error, as_json=as_json)
    except (OutputNotWritable, BrokenPipeError):
        let_go(sys.stdout)
    sys.exit(error.exit_code)


def _asks_for_json(surroundings: Surroundings) -> bool:
    return merge.is_true(surroundings.environ.get("PASSBUILD_JSON", ""))


def _write_report(report: Report | Summary | Wheelhouse) -> None:
    if report.settings is None or report.settings.report is None:
        return
    path = report.settings.report.value
    text = json_text(report.to_json()) + "\n"
    try:
        # A pipe or a device is written to, never replaced; /dev/stdout may lead to a file that a shell has open.
        if path.exists() and (not path.is_file() or path.is_relative_to("/dev")):
            path.write_text(text, encoding="utf-8")
        else:
            _replace(Path(os.path.realpath(path)), text)
    except OSError as error:
        raise OutputNotWritable(path=path, problem=error.strerror or str(error), option="--report") from error


def _replace(path: Path, text: str) -> None:
    """Write a file by one rename; one that is there already keeps its permissions."""
    with scratch.opened(), scratch.beside(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
        if path.exists():
            shutil.copymode(path, temporary)
        os.replace(temporary, path)


def at_once(number: int) -> None:
    """End now: somebody has asked a second time. What this leaves behind, the next run removes."""
    process.end_at_once()
    farewell = threading.Thread(target=_say_farewell, daemon=True)
    farewell.start()
    farewell.join(_FAREWELL)
    os._exit(128 + number)


def _say_farewell() -> None:
    with contextlib.suppress(OSError, AttributeError, ValueError):  # standard error may be closed
        if sys.stderr.isatty():
            os.write(sys.stderr.fileno(), _SHOW_CURSOR)
        os.write(sys.stderr.fileno(), b"\ncancelled at once\n")
