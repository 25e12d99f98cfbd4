"""Build many wheels: each by a passbuild of its own, several at once, what others need first.

::

    sources → look (what is each called, what does it need) → order → build → tell

A wheel that another project of the same run needs to be built is handed to it by its file, so that no index has a say.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from passbuild import artifact, process, scratch
from passbuild.errors import OutputNotWritable, WheelsFailed
from passbuild.redaction import redacted
from passbuild.settings.keys import CONFIG_FILE, KEYS, Kind
from passbuild.surroundings import HANDED, HANDED_SOURCE
from passbuild.values import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from packaging.utils import NormalizedName

    from passbuild.errors import PassbuildError
    from passbuild.process import Crew
    from passbuild.report import Json
    from passbuild.settings.merge import Given
    from passbuild.settings.model import Settings
    from passbuild.surroundings import Surroundings

_OURS = {"json", "report", "verbose", "quiet", "color", "ci", "heartbeat", "outdir", "host"}
"""Settings that the passbuild of one wheel does not take over."""
_LAST_LINES = 100
"""How many are kept of what the build of a wheel says."""
_SWITCHES = {Kind.FLAG, Kind.COUNT}
_HIDDEN = {Kind.URL, Kind.URLS, Kind.LINKS, Kind.VARIABLES}
"""What may hold credentials: it is handed on by variables."""
_STEP = re.compile(r"(?:\[ *[\d.]+ s\] )?[•*] (.+)")


class State(Enum):
    """What has become of one wheel."""

    WAITING = "waiting"
    RUNNING = "running"
    BUILT = "built"
    REUSED = "reused"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        """Whether nothing more comes."""
        return self not in {State.WAITING, State.RUNNING}


@dataclass(slots=True, kw_only=True)
class Item:
    """One wheel: a source, for one host."""

    source: str
    """As it was given, with credentials."""
    label: str
    """What to call it, without them; with the host where there are several."""
    host: str | None
    """As `--host` takes it; None where passbuild looks for one."""
    state: State = State.WAITING
    step: str = ""
    """What is being done."""
    begun: float = 0.0
    seconds: float = 0.0
    name: NormalizedName | None = None
    is_folder: bool = False
    """Whether it is built in a folder of the user's."""
    needs: tuple[Requirement, ...] = ()
    """What it requires to be built."""
    document: dict[str, Json] | None = None
    """The report of its build; None before it has ended, or where it ended without one."""
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=_LAST_LINES))

    @property
    def wheel(self) -> Path | None:
        """The wheel, where there is one."""
        path = self._artifact.get("path")
        return Path(str(path)) if path else None

    @property
    def version(self) -> Version | None:
        """The version of the wheel."""
        text = self._artifact.get("version")
        return Version(str(text)) if text else None

    @property
    def passed(self) -> list[tuple[str, str]]:
        """What came from the host, with the versions."""
        passed = (self.document or {}).get("passed")
        return [(str(item["name"]), str(item["version"])) for item in passed or () if isinstance(item, dict)]  # type: ignore[union-attr]  # a list, in our own documents

    @property
    def _artifact(self) -> dict[str, Json]:
        artifacts = (self.document or {}).get("artifacts")
        last = artifacts[-1] if isinstance(artifacts, list) and artifacts else None
        return last if isinstance(last, dict) else {}

    def refused(self, error: PassbuildError) -> None:
        """Note why the wheel was not published."""
        from passbuild.report import error_document

        document = self.document or {}
        self.document = {**document, "ok": False, "artifacts": [], "error": error_document(error)}

    def moved(self, final: Path) -> None:
        """Note where the wheel is now."""
        self._artifact["path"] = str(final)

    @property
    def problem(self) -> str:
        """Why it failed, in one line."""
        error = (self.document or {}).get("error")
        if isinstance(error, dict):
            first, *rest = str(error["message"]).splitlines() or [""]
            return (
                f"{error['code']}: {first} {rest[0].strip()}"
                if first.endswith(":") and rest
                else f"{error['code']}: {first}"
            )
        return next((line for line in reversed(self.lines) if line.strip()), "it ended without a report")


@frozen
class Commission:
    """Which wheels are wanted, and how they are made."""

    items: Sequence[Item]
    given: Given
    surroundings: Surroundings
    settings: Settings
    """What counts without a project."""
    outdir: Path
    jobs: int
    """How many are built at once."""


@frozen
class Wheelhouse:
    """What came of it."""

    items: Sequence[Item]
    settings: Settings
    error: WheelsFailed | None
    plan: None = None
    """No plan is told of it."""

    def to_json(self) -> dict[str, Json]:
        """Return the document that `--json` prints; it has the shape of a summary."""
        from passbuild.report import SCHEMA, error_document

        return {
            "schema": SCHEMA,
            "command": "wheel",
            "ok": self.error is None,
            "builds": [item.document for item in self.items if item.document is not None],
            "installation": None,
            "error": error_document(self.error) if self.error else None,
        }


def filled(commission: Commission, tell: Callable[[Sequence[Item], Item | None], None]) -> Wheelhouse:
    """Build all the wheels; one that fails does not keep the others from being built.

    `tell` is told of all items, and of the one that has just ended; from time to time of none.
    """
    items = commission.items
    artifact.check_outdir(commission.outdir)
    with scratch.opened() as place, artifact.staging(commission.outdir) as staging, process.crew() as crew:
        folder = place.new_folder("wheelhouse")
        if len({item.source for item in items}) > 1:
            _look(commission, folder, crew, lambda: tell(items, None))
        _Works(commission, folder, staging, crew, tell).done()
    failed = [item.label for item in items if item.state is State.FAILED]
    error = WheelsFailed(failed=failed, count=len(items)) if failed else None
    return Wheelhouse(items=items, settings=commission.settings, error=error)


def _look(commission: Commission, folder: Path, crew: Crew, on_tick: Callable[[], None]) -> None:
    """Find out what the sources are called and what they need; whatever goes wrong is told when they are built."""
    items = commission.items
    first = {item.source: item for item in reversed(items)}
    waiting = list(first.values())

    def start() -> None:
        if waiting:
            item = waiting.pop(0)
            item.step = "look what it needs"
            report = folder / f"plan-{len(waiting)}.json"
            argv = _command("plan", item, commission, "--report", str(report), "--on-missing", "install")

            def ended(code: int) -> None:
                del code
                item.step = ""
                document = _read(report) or {}
                _understand(item, document)
                error = document.get("error")
                if isinstance(error, dict) and error["log"]:  # its build will leave one that says more
                    Path(str(error["log"])).unlink(missing_ok=True)
                start()

            crew.start(argv, environ=_environ(commission, item), on_line=lambda _: None, on_end=ended)

    for _ in range(commission.jobs):
        start()
    crew.work(on_tick)
    for item in items:
        item.name, item.needs = first[item.source].name, first[item.source].needs


def _understand(item: Item, document: Mapping[str, Json] | None) -> None:
    project, wanted = (document or {}).get("project"), (document or {}).get("to_install")
    if isinstance(project, dict) and project["name"]:
        item.name = canonicalize_name(str(project["name"]))
    if item.name is None:
        with contextlib.suppress(InvalidRequirement):
            item.name = canonicalize_name(Requirement(item.source.partition(" --hash=")[0]).name)
    for text in wanted if isinstance(wanted, list) else ():
        with contextlib.suppress(InvalidRequirement):
            item.needs = (*item.needs, Requirement(str(text)))


class _Works:
    """The building of all items, each when what it needs is there."""

    def __init__(
        self,
        commission: Commission,
        folder: Path,
        staging: Path,
        crew: Crew,
        tell: Callable[[Sequence[Item], Item | None], None],
    ) -> None:
        self._items = commission.items
        self._commission = commission
        self._folder = folder
        self._staging = staging
        self._taken: dict[str, Item] = {}
        self._crew = crew
        self._tell = tell

    def done(self) -> None:
        """Build them."""
        self._start()
        self._crew.work(lambda: self._tell(self._items, None))

    def _start(self) -> None:
        """Start what can be, as many as may run."""
        while (item := self._next()) is not None:
            self._begin(item)

    def _next(self) -> Item | None:
        running = sum(item.state is State.RUNNING for item in self._items)
        waiting = [item for item in self._items if item.state is State.WAITING]
        busy = {item.source for item in self._items if item.state is State.RUNNING and item.is_folder}
        # Two builds in one folder would write over each other's files.
        able = [item for item in waiting if item.source not in busy and not self._missing(item)]
        if not able and not running:
            able = waiting  # they need each other in a circle: one has to begin, with what an index has
        return able[0] if able and running < self._commission.jobs else None

    def _missing(self, item: Item) -> bool:
        """Whether something that it needs is still to be built for the same host."""
        return any(not other.state.is_final for other in self._before(item))

    def _before(self, item: Item) -> Iterator[Item]:
        for other in self._items:
            names = {canonicalize_name(need.name) for need in item.needs}
            if other is not item and other.host == item.host and other.name in names:
                yield other

    def _handed(self, item: Item) -> Iterator[str]:
        """Yield the requirements by which it gets the wheels of this run: of each name the best that fits."""
        best: dict[str, tuple[Version, Item]] = {}
        for other in self._before(item):
            name, version = str(other.name), other.version
            wanted = [need.specifier for need in item.needs if canonicalize_name(need.name) == name]
            if version is None or not all(specifier.contains(version, prereleases=True) for specifier in wanted):
                continue
            if name not in best or version > best[name][0]:
                best[name] = (version, other)
        for name, (_, other) in sorted(best.items()):
            if other.wheel is not None:
                yield f"{name} @ {other.wheel.resolve().as_uri()}"

    def _begin(self, item: Item) -> None:
        names = {other.name for other in self._before(item) if other.state is not State.FAILED}
        failed = [
            other.label for other in self._before(item) if other.state is State.FAILED and other.name not in names
        ]
        item.begun = time.monotonic()
        if failed:
            item.lines.append(f"it needs {', '.join(failed)}, which failed")
            self._end(item, State.FAILED)
            return
        item.state, item.step = State.RUNNING, "start"
        number = next(index for index, other in enumerate(self._items) if other is item)
        report = self._folder / f"wheel-{number}.json"
        more = ["--outdir", str(self._staging / str(number)), "--report", str(report)]
        for requirement in self._handed(item):
            more += ["--build-requires", requirement]
        argv = _command("wheel", item, self._commission, *more)

        def heard(line: str) -> None:
            item.lines.append(line)
            told = _STEP.match(line)
            if told is not None:
                item.step = told[1]

        def ended(code: int) -> None:
            item.document = _read(report)
            reused = (item.document or {}).get("reused") is not None
            is_published = not code and self._published(item)
            self._end(item, State.FAILED if not is_published else State.REUSED if reused else State.BUILT)
            self._start()

        self._crew.start(argv, environ=_environ(self._commission, item), on_line=heard, on_end=ended)

    def _published(self, item: Item) -> bool:
        """Move a wheel to where it belongs, unless this run has put another one of that name there."""
        staged = item.wheel
        if staged is None:
            return False
        final = self._commission.outdir / staged.name
        taken = self._taken.setdefault(staged.name, item)
        if taken is not item and taken.passed != item.passed:
            problem = f"that is the wheel of {taken.label}, which was built against other packages"
            item.refused(OutputNotWritable(path=final, problem=problem))
            return False
        try:
            os.replace(staged, final)
        except OSError as error:
            item.refused(OutputNotWritable(path=final, problem=error.strerror or str(error)))
            return False
        item.moved(final)
        return True

    def _end(self, item: Item, state: State) -> None:
        item.state = state
        item.seconds = time.monotonic() - item.begun
        self._tell(self._items, item)


def _command(command: str, item: Item, commission: Commission, *more: str) -> list[str]:
    """Return the command line for one source: with the options that were given for all."""
    argv = [sys.executable, "-m", "passbuild", command]
    for key in (*KEYS, CONFIG_FILE):
        value = commission.given.values.get(key.field)
        if key.name in _OURS or value is None or value is False:
            continue
        flag = next((flag for flag in key.flags if flag.startswith("--")), f"--{key.name}")
        if key.kind in _HIDDEN:  # whoever lists processes need not see it
            continue
        if key.kind in _SWITCHES:
            argv += [flag] * int(str(int(bool(value))))
            continue
        for text in _texts(value):
            argv += [flag, text]
    if commission.given.config_file is not None:
        argv += ["--config-file", str(commission.given.config_file)]
    if item.host is not None:
        argv += ["--host", item.host]
    return [*argv, *more, "--", item.source if redacted(item.source) == item.source else HANDED]


def _texts(value: object) -> Iterator[str]:
    """Yield the values of an option as the command line takes them."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from (f"{name}={text}" for text in (item if isinstance(item, list) else [item]))
    elif isinstance(value, (tuple, list)):
        yield from map(str, value)
    else:
        yield str(value)


def _environ(commission: Commission, item: Item) -> dict[str, str]:
    """Return the variables of one passbuild: what shapes the output is said here, for all."""
    hidden = {key.variable for key in KEYS if key.name in _OURS - {"host"}}
    environ = {name: value for name, value in commission.surroundings.environ.items() if name not in hidden}
    for key in KEYS:
        value = commission.given.values.get(key.field)
        if key.kind in _HIDDEN and value:
            texts = list(_texts(value))
            before = environ.get(key.variable, "")
            is_list = key.kind is not Kind.URL
            environ[key.variable] = f"{before} {shlex.join(texts)}".strip() if is_list else texts[-1]
    if redacted(item.source) != item.source:
        environ[HANDED_SOURCE] = item.source
    plainly = {"NO_COLOR": "1", "FORCE_COLOR": "", "PASSBUILD_CI": "none", "PASSBUILD_HEARTBEAT": "0"}
    return {**environ, "PYTHONUNBUFFERED": "1", **plainly}


def _read(report: Path) -> dict[str, Json] | None:
    try:
        document = json.loads(report.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return document if isinstance(document, dict) else None
