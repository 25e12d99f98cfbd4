"""The only module that prints: results on standard output, all else on standard error, outside text escaped."""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from passbuild.cli.paint import Line, let_go, line, painter
from passbuild.errors import OutputNotWritable
from passbuild.journal import Event, Topic
from passbuild.plan.model import Action
from passbuild.report import Report
from passbuild.settings.model import Color

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from passbuild.artifact import Artifact
    from passbuild.environment.store import Kept
    from passbuild.errors import PassbuildError
    from passbuild.into_host import Installation
    from passbuild.plan.model import Decision, Passed, Plan
    from passbuild.report import Summary
    from passbuild.settings.model import Settings
    from passbuild.wheel_store import KeptWheel
    from passbuild.wheelhouse import Wheelhouse

_STDOUT = Path("standard output")
_LAST_LINES = 20
_UNITS = ("B", "kB", "MB", "GB")
_WOULD = re.compile(r"Would |\s*[-+~] ")
_ERRORS = -10
"""The loudness at which errors are still told."""
_COUNTED = ("built", "reused", "failed")
_STYLES = {Action.PASS: "green", Action.INSTALL: "cyan", Action.SKIP: "yellow", Action.REFUSE: "bold red"}
_WORDS = {Action.PASS: "from host", Action.INSTALL: "install", Action.SKIP: "skip", Action.REFUSE: "refused"}


class Speaker:
    """Says what happens, as loudly as was asked for."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._err = painter(sys.stderr, Color.AUTO, environ)
        self._loudness = 0
        self._said_passed: tuple[Passed, ...] | None = None

    def hear(self, event: Event) -> None:  # noqa: C901 - one line for each topic
        """Say an event."""
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
                self._say(line(("• ", "dim"), event.text), at=0)
            case Topic.DONE:
                self._say(line((f"  {event.text}: {event.seconds:.2f} s", "dim")), at=1)
            case Topic.LINE:
                self._say(line(("  " + event.text, "dim")), at=1)
            case Topic.WARNING:
                self._say(line(("warning: ", "bold yellow"), event.text), at=-1)
            case Topic.REUSED:
                age = _span(time.time() - event.report.reused.created) if event.report.reused else ""
                self._say(line(f"  built {age} ago, and kept in {event.text}"), at=0)
            case Topic.KEPT:
                self._say(line(f"kept {event.text}"), at=-2)
            case Topic.BUILT | Topic.ARTIFACT:
                pass

    def result(self, report: Report) -> None:
        """Print the result: the JSON document, or the paths of the artifacts, or the metadata."""
        if report.settings is not None and report.settings.json.value:
            _write(json.dumps(report.to_json(), indent=2, ensure_ascii=False))
            return
        for artifact in report.artifacts:
            self._say(_built(artifact), at=0)
            _write(str(artifact.path))
        if report.metadata is not None:
            _write(report.metadata.rstrip("\n"))
        if report.command == "plan" and report.plan is not None:
            self._tell_plan(report, report.plan)

    def summary(self, summary: Summary) -> None:
        """Print what came of several sources: what was installed, or the JSON document."""
        if summary.settings is not None and summary.settings.json.value:
            _write(json.dumps(summary.to_json(), indent=2, ensure_ascii=False))
            return
        done = summary.installation
        if done is not None:
            for text in _installed_lines(summary, done):
                _write(text)
            for module in done.imported:
                self._say(line(("✓ ", "bold green"), f"import {module}"), at=0)

    def house(self, house: Wheelhouse) -> None:
        """Print where many wheels are, or the JSON document, and what has become of each."""
        if house.settings.json.value:
            _write(json.dumps(house.to_json(), indent=2, ensure_ascii=False))
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
        """Print why a run failed: first what is wrong, then what to type, then the output that shows it."""
        if isinstance(report, Report) and report.command == "plan" and report.plan is not None and not as_json:
            try:
                self._tell_plan(report, report.plan)
            except OutputNotWritable:  # the error matters more
                let_go(sys.stdout)
        lines = error.output[-_LAST_LINES:]
        if lines and self._loudness < 1:
            for text in lines:
                self._print(line(("  │ " + text, "dim")))
        self._tell_error(error)
        if as_json:
            _write(json.dumps(report.to_json(), indent=2, ensure_ascii=False))

    def _tell_error(self, error: PassbuildError) -> None:
        first, *rest = error.message.splitlines() or [""]
        self._print(line((f"error[{error.code}]: ", "bold red"), first))
        for text in rest:
            self._print(line("  " + text))
        if error.requirement:
            self._print(line(f"  while building the requirement {error.requirement} from its sdist"))
        for text in error.hint.splitlines():
            self._print(line(("hint: ", "bold cyan"), text))
        if error.log is not None:
            self._print(line(f"the whole log: {error.log}"))

    def bug(self) -> None:
        """Say that what follows is our fault."""
        self._print(line(("this is a bug in passbuild; please report it with the traceback below", "bold red")))

    def obey(self, settings: Settings | None) -> None:
        """Be as loud and as colourful as the settings say."""
        if settings is not None:
            self._loudness = settings.verbose.value - settings.quiet.value
            self._err = painter(sys.stderr, settings.color.value, self._environ)

    def _print(self, text: Line) -> None:
        try:
            self._err.print(text)
        except OSError:  # what is told beside the result is no reason to fail
            let_go(sys.stderr)

    def _say(self, text: Line, *, at: int) -> None:
        if self._loudness >= at:
            self._print(text)

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

    def _tell_plan(self, report: Report, plan: Plan) -> None:
        """Print a plan: it is the result of its command, so it goes to standard output. Raises OutputNotWritable."""
        if sys.stdout is None:
            raise OutputNotWritable(path=_STDOUT, problem="is closed", option="")
        out = painter(sys.stdout, report.settings.color.value if report.settings else Color.AUTO, self._environ)
        try:
            for text in _plan_lines(report, plan):
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
        yield f"{_size(item.size):>9}  {_span(now - item.created):>8}  {_span(now - item.used):>8}  {item.key:20}  " + (
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
            f"{_size(item.size):>9}  {_span(now - item.created):>8}  {_span(now - item.used):>8}  {item.key[:20]:20}  "
            f"{item.file or 'unfinished'}{': ' if against else ''}{against}"
        )


def _span(seconds: float) -> str:
    """Return a length of time in its largest unit."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def _plan_lines(report: Report, plan: Plan) -> Iterable[Line]:
    if report.host is not None:
        yield line(("host  ", "bold"), f"Python {report.host.version}, {report.host.executable}")
        yield line((f"      chosen by: {report.host.reason}", "dim"))
    for decision in plan.decisions:
        yield _decision_line(decision)
        facts = [f"wanted: {decision.wanted}"] if decision.wanted else []
        facts += [f"on the host: {decision.found}"] if decision.found else []
        facts += [f"named by: {', '.join(decision.origins)}"] if decision.origins else []
        for fact in facts:
            yield line((f"      {fact}", "dim"))
    members = [item for item in plan.passed if not item.named]
    if members:
        yield line(("closure, from the host as well", "bold"))
    for item in members:
        needed = ", ".join(item.needed_by)
        yield line(f"  {item.distribution.name} {item.distribution.raw_version} ", (f"needed by {needed}", "dim"))
    if report.settings is not None:
        yield line(("settings", "bold"))
        yield from _setting_lines(report.settings)
    yield line(("the backend's hooks may require more; a build plans again when they do", "dim"))


def _setting_lines(settings: Settings) -> Iterable[Line]:
    scalars = {
        "on-mismatch": settings.on_mismatch,
        "on-missing": settings.on_missing,
        "installer": settings.installer,
    }
    for name, setting in scalars.items():
        yield line(f"  {name} = {setting.value.value} ", (f"({setting.origin})", "dim"))
    for required in settings.build_requires:
        yield line(f"  build-requires {required.value} ", (f"({required.origin})", "dim"))
    for constraint in settings.build_constraints:
        yield line(f"  build-constraints {constraint.value} ", (f"({constraint.origin})", "dim"))
    for taken in settings.taken_away:
        yield line(f"  no-passthrough {taken.value} ", (f"({taken.origin})", "dim"))


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
    return line(("✓ ", "bold green"), (artifact.path.name, "bold"), (f"  {_size(artifact.size)}", "dim"))


def _size(count: float) -> str:
    for unit in _UNITS[:-1]:
        if count < 1000:  # noqa: PLR2004 - SI units
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} {_UNITS[-1]}"


def _write(text: str) -> None:
    """Write a result to standard output as it is: no wrapping, no markup. Raises OutputNotWritable, BrokenPipeError."""
    if sys.stdout is None:
        raise OutputNotWritable(path=_STDOUT, problem="is closed", option="")
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputNotWritable(path=_STDOUT, problem=error.strerror or str(error), option="") from error
