"""The only module that prints: results on standard output, all else on standard error, outside text escaped."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from passbuild.cli import ci, screen
from passbuild.cli.amounts import size, span
from passbuild.cli.paint import fitting, json_text, let_go, line, painter
from passbuild.errors import OutputNotWritable
from passbuild.journal import Topic
from passbuild.plan.model import Action
from passbuild.protection import Means
from passbuild.report import Report
from passbuild.settings.model import Ci, Color

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from passbuild.artifact import Artifact
    from passbuild.cli.paint import Line, Painter
    from passbuild.environment.store import Kept
    from passbuild.errors import PassbuildError
    from passbuild.into_host import Installation
    from passbuild.journal import Event
    from passbuild.plan.model import Decision, Passed
    from passbuild.report import Summary
    from passbuild.settings.model import Settings
    from passbuild.wheel_store import KeptWheel
    from passbuild.wheelhouse import Wheelhouse

_STDOUT = Path("standard output")
_WOULD = re.compile(r"Would |\s*[-+~] ")
_ERRORS = -10
"""The loudness at which errors are still told."""
_COUNTED = ("built", "reused", "failed")
_STYLES = {Action.PASS: "green", Action.INSTALL: "cyan", Action.SKIP: "yellow", Action.REFUSE: "bold red"}
_WORDS = {Action.PASS: "from host", Action.INSTALL: "install", Action.SKIP: "skip", Action.REFUSE: "refused"}
_UNSET = screen.Manner(loudness=0, color=Color.AUTO, ci=Ci.NONE, heartbeat=0)
"""How errors are told that come before the settings."""


class Speaker:
    """Says what happens, as loudly as was asked for."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._begun = time.monotonic()
        self._manner = _UNSET
        self._screen: screen.Screen | None = None
        self._paint: Painter | None = None
        self._said_passed: tuple[Passed, ...] | None = None

    def hear(self, event: Event) -> None:
        """Say an event; what is told beside the result is no reason to fail."""
        try:
            self._hear(event)
        except OSError:
            let_go(sys.stderr)

    def _hear(self, event: Event) -> None:  # noqa: C901, PLR0912 - one line for each topic
        match event.topic:
            case Topic.SETTINGS:
                self.obey(event.report.settings)
            case Topic.HOST:
                self._say_host(event.report)
            case Topic.PLAN:
                self._say_passed(event.report)
            case Topic.ENVIRONMENT:
                self._say_installed(event.report)
            case Topic.STEP:
                self._opened().begin(event.text)
            case Topic.DONE:
                self._opened().end(event.text, event.seconds)
            case Topic.LINE:
                self._opened().output(event.text)
            case Topic.PROGRESS:
                self._opened().progress(event.text)
            case Topic.WARNING if self._manner.loudness >= -1:
                self._opened().warn(event.text)
            case Topic.REUSED:
                age = span(time.time() - event.report.reused.created) if event.report.reused else ""
                self._say(line(f"  built {age} ago, and kept in {event.text}"), at=0)
            case Topic.REPRODUCIBLE:
                if event.report.reproducible:
                    self._say(line("  built twice, in two folders: the same to the byte"), at=0)
            case Topic.KEPT:
                self._say(line(f"kept {event.text}"), at=-2)
                self._say(line(("  what the installer read there may hold credentials of an index", "dim")), at=-2)
            case Topic.PROTECTION:
                self._say_protection(event.report)
            case Topic.BUILT | Topic.ARTIFACT | Topic.WARNING:
                pass

    def result(self, report: Report) -> None:
        """Print the result: the JSON document, or the paths of the artifacts, or the metadata."""
        self._close()
        self._summarize(report)
        if report.settings is not None and report.settings.json.value:
            _write(json_text(report.to_json()))
            return
        for artifact in report.artifacts:
            self._say(_built(artifact), at=0)
            _write(str(artifact.path))
        if report.metadata is not None:
            told = report.metadata.rstrip("\n")
            _write(fitting(told, sys.stdout.encoding) if sys.stdout is not None and sys.stdout.isatty() else told)
        if report.command == "plan":
            self._tell_plan(report)

    def summary(self, summary: Summary) -> None:
        """Print what came of several sources: what was installed, or the JSON document."""
        self._close()
        if summary.settings is not None and summary.settings.json.value:
            _write(json_text(summary.to_json()))
            return
        done = summary.installation
        if done is not None:
            for text in _installed_lines(summary, done):
                _write(text)
            for module in done.imported:
                self._say(line(("✓ ", "bold green"), f"import {module}"), at=0)

    def house(self, house: Wheelhouse) -> None:
        """Print where many wheels are, or the JSON document, and what has become of each."""
        self._close()
        if house.settings.json.value:
            _write(json_text(house.to_json()))
        else:
            for path in dict.fromkeys(str(item.wheel) for item in house.items if item.wheel is not None):
                _write(path)
        states = [item.state.value for item in house.items]
        told = ", ".join(f"{states.count(word)} {word}" for word in _COUNTED if word in states)
        seconds = sum(item.seconds for item in house.items)
        count = len(house.items)
        wheels = "1 wheel" if count == 1 else f"{count} wheels"
        self.say(line((f"{wheels}: {told}", "bold"), (f"  {seconds:.0f} s of work", "dim")))
        if house.error is not None:
            self._tell_error(house.error)

    def say(self, text: Line, *, is_error: bool = False) -> None:
        """Say something, errors however quiet it is to be."""
        self._say(text, at=_ERRORS if is_error else 0)

    def failure(self, report: Report | Summary | Wheelhouse, error: PassbuildError, *, as_json: bool) -> None:
        """Print why a run failed: what is wrong and where, the output that shows it, and what to type."""
        self._close()
        if isinstance(report, Report) and report.command == "plan" and not as_json:
            try:
                self._tell_plan(report)
            except OutputNotWritable:  # the error matters more
                let_go(sys.stdout)
        self._tell_error(error)
        if isinstance(report, Report):
            project = report.project
            self._opened().fail(error, project.folder if project is not None and not project.is_ours else None)
            self._summarize(report)
        if as_json:
            _write(json_text(report.to_json()))

    def bug(self) -> None:
        """Say that what follows is our fault."""
        self._close()
        self._print(line(("this is a bug in passbuild; please report it with the traceback below", "bold red")))

    def obey(self, settings: Settings | None) -> None:
        """Be as loud and as colourful as the settings say."""
        manner = screen.Manner.of(settings) if settings is not None else _UNSET
        if manner != self._manner or self._screen is None:
            self._close()
            self._manner = manner
            self._paint = None

    def _opened(self) -> screen.Screen:
        if self._screen is None:
            self._screen = screen.opened(self._manner, self._environ, self._begun)
        return self._screen

    def _close(self) -> None:
        """End what is live; what is said from now on needs no time."""
        try:
            if self._screen is not None:
                self._screen.close()
        except OSError:
            let_go(sys.stderr)
        self._screen = None

    def _tell_error(self, error: PassbuildError) -> None:
        from passbuild.cli import trouble

        for text in trouble.lines(error, is_streamed=self._manner.loudness > 0):
            self._print(text)

    def _summarize(self, report: Report) -> None:
        """Add to the summary of a CI job, where the service has one."""
        file = self._environ.get("GITHUB_STEP_SUMMARY", "")
        if (
            not file
            or self._manner.loudness < 0
            or not isinstance(ci.dialect(self._manner.ci, self._environ), ci.GitHub)
        ):
            return
        try:
            with open(file, "a", encoding="utf-8") as stream:  # noqa: PTH123 - what is there stays
                stream.write(ci.summary(report))
        except OSError as error:
            self._print(line(("warning: ", "bold yellow"), f"GITHUB_STEP_SUMMARY={file}: {error.strerror or error}"))

    def _print(self, text: Line) -> None:
        if self._paint is None:
            self._paint = painter(sys.stderr, self._manner.color, self._environ)
        try:
            self._paint.print(text)
        except OSError:  # what is told beside the result is no reason to fail
            let_go(sys.stderr)

    def _say(self, text: Line, *, at: int) -> None:
        if self._manner.loudness < at:
            return
        if self._screen is None:
            self._print(text)
            return
        self._screen.say(text)

    def _say_host(self, report: Report) -> None:
        host, settings = report.host, report.settings
        is_told_as_result = report.command == "plan" and settings is not None and not settings.json.value
        if host is not None and not is_told_as_result:
            facts = line(("host: ", "bold"), f"Python {host.version} in {host.prefix} ", (f"({host.reason})", "dim"))
            self._say(facts, at=0)

    def _say_passed(self, report: Report) -> None:
        if report.plan is None or report.command == "plan" or report.plan.passed == self._said_passed:
            return
        self._said_passed = report.plan.passed
        for item in report.plan.passed:
            if item.named:
                self._say(_passed_line(item), at=0)
        members = [item for item in report.plan.passed if not item.named]
        if members:
            names = ", ".join(item.distribution.name for item in members)
            self._say(line((f"  and what they need: {names}", "dim")), at=0)
        for decision in report.plan.decisions:
            if decision.origins and decision.action is not Action.PASS:
                self._say(_decision_line(decision), at=0)

    def _say_installed(self, report: Report) -> None:
        environment = report.environment
        if environment is not None and environment.installed:
            names = ", ".join(f"{item.name} {item.version}" for item in environment.installed)
            how = "reused" if environment.lease and environment.lease.reused else "installed"
            self._say(line((f"  {how} with {environment.installer}: {names}", "dim")), at=0)

    def _say_protection(self, report: Report) -> None:
        outcome, environment = report.protection, report.environment
        if outcome is None or environment is None or not environment.passed:
            return
        if outcome.means is Means.NOTHING:
            told = f"  the system cannot keep hooks from writing the host ({outcome.reason}): changes are looked for"
            self._say(line((told, "dim")), at=0)
        else:
            rest = f" ({outcome.reason})" if outcome.reason else ""
            self._say(line((f"  the host is read-only for hooks, by {outcome.means.value}{rest}", "dim")), at=1)

    def _tell_plan(self, report: Report) -> None:
        """Print a plan: it is the result of its command, so it goes to standard output. Raises OutputNotWritable."""
        if report.plan is None:
            return
        from passbuild.cli import picture

        if report.explanations:
            told = [text for item in report.explanations for text in picture.explained(item)]
        else:
            told = list(picture.lines(report, report.plan))
        self.tell(told)

    def tell(self, lines: Iterable[Line]) -> None:
        """Print lines of a result, with styles where standard output shows them. Raises OutputNotWritable."""
        if sys.stdout is None:
            raise OutputNotWritable(path=_STDOUT, problem="is closed", option="")
        out = painter(sys.stdout, self._manner.color, self._environ)
        try:
            for text in lines:
                out.print(text)
        except OSError as error:
            raise OutputNotWritable(path=_STDOUT, problem=error.strerror or str(error), option="") from error


def tell(text: str) -> None:
    """Print a result as it is."""
    _write(text)


def kept_lines(kept: Iterable[Kept], now: float) -> Iterable[str]:
    """Return a line for each kept environment: size, age, time since its last use, key, and what it holds."""
    yield f"{'size':>9}  {'age':>8}  {'unused':>8}  {'environment':20}  what it holds"
    for item in kept:
        holds = ", ".join((*item.facts.get("passed", ()), *item.facts.get("installed", ())))
        holds = holds or ("unfinished" if not item.facts else str(item.facts.get("source", "nothing")))
        python = f"Python {item.facts.get('version', '?')}: "
        yield f"{size(item.size):>9}  {span(now - item.created):>8}  {span(now - item.used):>8}  {item.key:20}  " + (
            python + holds
        )


def wheel_lines(wheels: Sequence[KeptWheel], now: float) -> Iterable[str]:
    """Return a line for each kept wheel: size, age, time since its last use, key, and what it was built against."""
    if wheels:
        yield f"{'size':>9}  {'age':>8}  {'unused':>8}  {'wheel':20}  what it is, and what it was built against"
    for item in wheels:
        passed = item.facts.get("passed", ())
        against = ", ".join([passed] if isinstance(passed, str) else passed)
        yield (
            f"{size(item.size):>9}  {span(now - item.created):>8}  {span(now - item.used):>8}  {item.key[:20]:20}  "
            f"{item.file or 'unfinished'}{': ' if against else ''}{against}"
        )


def _decision_line(decision: Decision) -> Line:
    word = f"{_WORDS[decision.action]:9}"
    return line((word, _STYLES[decision.action]), " ", (decision.name, "bold"), f"  {decision.reason}")


def _passed_line(item: Passed) -> Line:
    distribution = item.distribution
    note = ", editable" if distribution.editable else ""
    return line(
        (f"{_WORDS[Action.PASS]:9}", _STYLES[Action.PASS]),
        " ",
        (distribution.name, "bold"),
        f" {distribution.raw_version}",
        (f"  {distribution.location}{note}", "dim"),
    )


def _installed_lines(summary: Summary, done: Installation) -> Iterable[str]:
    """Return a line for each distribution that came, went or changed, as uv marks them."""
    if done.dry_run:
        yield from (text.strip() for text in done.output if _WOULD.match(text))
        return
    for change in done.changes:
        if change.before:
            yield f"- {change.name} {change.before}"
        if change.after:
            yield f"+ {change.name} {change.after}"
    changed = {change.name for change in done.changes}
    for artifact in (report.artifact for report in summary.builds):
        if artifact.name not in changed:
            yield f"~ {artifact.name} {artifact.version}"


def _built(artifact: Artifact) -> Line:
    return line(("✓ ", "bold green"), (artifact.path.name, "bold"), (f"  {size(artifact.size)}", "dim"))


def _write(text: str) -> None:
    """Write a result to standard output as it is: no wrapping, no markup. Raises OutputNotWritable, BrokenPipeError."""
    if sys.stdout is None:
        raise OutputNotWritable(path=_STDOUT, problem="is closed", option="")
    try:
        try:
            sys.stdout.write(text + "\n")
        except UnicodeEncodeError:  # a path that is no Unicode, or a locale of less; a document is UTF-8 in any case
            sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape") + b"\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputNotWritable(path=_STDOUT, problem=error.strerror or str(error), option="") from error
