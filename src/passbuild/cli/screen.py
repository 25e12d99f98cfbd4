"""Where standard error goes: plain lines with the time and a heartbeat, groups of a CI service, or a live terminal."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from typing import TYPE_CHECKING, Protocol

from passbuild.cli import ci
from passbuild.cli.paint import can_be_animated, line, painter
from passbuild.redaction import redacted
from passbuild.values import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from passbuild.cli.ci import Dialect
    from passbuild.cli.paint import Line, Painter
    from passbuild.errors import PassbuildError
    from passbuild.settings.model import Ci, Color, Settings

_PATIENCE = 1.0
"""Seconds that are waited for the last heartbeat: nobody may read what it writes to."""


@frozen
class Manner:
    """How something is to be told."""

    loudness: int
    """1 with `-v`, -1 with `-q`."""
    color: Color
    ci: Ci
    heartbeat: int
    """Seconds; 0 is never."""

    @classmethod
    def of(cls, settings: Settings) -> Manner:
        """Return what the settings say."""
        return cls(
            loudness=settings.verbose.value - settings.quiet.value,
            color=settings.color.value,
            ci=settings.ci.value,
            heartbeat=settings.heartbeat.value,
        )


class Screen(Protocol):
    """Tells what happens, while it happens."""

    def say(self, text: Line) -> None:
        """Tell a line that stays."""

    def warn(self, text: str) -> None:
        """Tell a warning."""

    def begin(self, step: str) -> None:
        """Tell that a step begins; steps may lie in each other."""

    def end(self, step: str, seconds: float) -> None:
        """Tell that the last step that began has ended well."""

    def output(self, text: str) -> None:
        """Tell, or show for a moment, a line of another program."""

    def progress(self, text: str) -> None:
        """Show a report of how far a download is, where that can be shown."""

    def close(self) -> None:
        """End what is open: what is printed next stands for itself."""

    def fail(self, error: PassbuildError, folder: Path | None) -> None:
        """Mark the error in the project in `folder` for whoever reads the log, beside what is printed of it."""


def opened(manner: Manner, environ: Mapping[str, str], begun: float) -> Screen:
    """Return how it is told here; `begun` is when the command began, by the monotonic clock."""
    stream = sys.stderr
    paint = painter(stream, manner.color, environ)
    dialect = ci.dialect(manner.ci, environ) if manner.loudness >= 0 else None
    if dialect is not None:
        return Grouped(paint, dialect, environ, manner.heartbeat)
    if manner.loudness == 0 and paint.console is not None and can_be_animated(stream, manner.color, environ):
        from passbuild.cli.live import Live

        return Live(paint, paint.console, stream.encoding)
    is_watched = stream is None or stream.isatty()
    return Plain(paint, manner, None if is_watched or manner.loudness < 0 else begun, is_watched=is_watched)


class Plain:
    """Lines; where nobody watches, with the seconds since the begin, and a heartbeat while nothing is said."""

    def __init__(self, paint: Painter, manner: Manner, begun: float | None, *, is_watched: bool) -> None:
        self._paint = paint
        self._manner = manner
        self._begun = begun
        beats = manner.heartbeat if manner.loudness >= 0 and not is_watched else 0
        self._heart = _Heart(beats, lambda text: self._say(line((text, "dim"))))

    def say(self, text: Line) -> None:
        """Print a line."""
        self._heart.touch()
        self._say(text)

    def warn(self, text: str) -> None:
        """Print a warning."""
        self.say(line(("warning: ", "bold yellow"), text))

    def begin(self, step: str) -> None:
        """Print that a step begins."""
        self._heart.begin(step)
        if self._manner.loudness >= 0:
            self.say(line(("• ", "dim"), step))

    def end(self, step: str, seconds: float) -> None:
        """Print how long a step took, where everything is to be told."""
        self._heart.end()
        if self._manner.loudness > 0:
            self.say(line((f"  {step}: {seconds:.2f} s", "dim")))

    def output(self, text: str) -> None:
        """Print a line of another program, where everything is to be told."""
        self._heart.heard(text)
        if self._manner.loudness > 0:
            self._heart.touch()
            self._paint.write(f"{self._stamp()}  {text}")

    def progress(self, text: str) -> None:
        """Do nothing: a log would be full of it."""

    def close(self) -> None:
        """End the heartbeat."""
        self._heart.stop()

    def fail(self, error: PassbuildError, folder: Path | None) -> None:
        """Do nothing more."""

    def _say(self, text: Line) -> None:
        stamp = self._stamp()
        self._paint.print((*line((stamp, "dim")), *text) if stamp else text)

    def _stamp(self) -> str:
        return "" if self._begun is None else f"[{time.monotonic() - self._begun:6.1f} s] "


class Grouped:
    """A group for each step, with all that programs printed in it; annotations for warnings and for the error."""

    def __init__(self, paint: Painter, dialect: Dialect, environ: Mapping[str, str], heartbeat: int) -> None:
        self._paint = paint
        self._dialect = dialect
        self._environ = environ
        self._steps: list[str] = []
        self._warnings: list[str] = []
        self._heart = _Heart(heartbeat, paint.write)

    def say(self, text: Line) -> None:
        """Print a line."""
        self._heart.touch()
        self._paint.print(text)

    def warn(self, text: str) -> None:
        """Print a warning; its annotation comes when no group is open."""
        self._warnings.append(text)
        self.say(line(("warning: ", "bold yellow"), text))

    def begin(self, step: str) -> None:
        """Begin a group; groups do not lie in each other."""
        if self._steps:
            _raw(self._dialect.end())
        self._steps.append(step)
        self._heart.begin(step)
        _raw(self._dialect.begin(step))

    def end(self, step: str, seconds: float) -> None:
        """End a group, and go on with the one around it."""
        self._heart.end()
        self._paint.write(f"{step}: {seconds:.1f} s")
        _raw(self._dialect.end())
        self._steps.pop()
        if self._steps:
            _raw(self._dialect.begin(f"{self._steps[-1]} (goes on)"))

    def output(self, text: str) -> None:
        """Print a line of another program."""
        self._heart.touch()
        self._heart.heard(text)
        self._paint.write(self._dialect.output(text))

    def progress(self, text: str) -> None:
        """Do nothing: a log would be full of it."""

    def close(self) -> None:
        """End the open group, and write the annotations."""
        self._heart.stop()
        if self._steps:
            _raw(self._dialect.end())
            self._steps.clear()
        for text in self._warnings:
            _raw(self._dialect.warning(text))
        self._warnings.clear()

    def fail(self, error: PassbuildError, folder: Path | None) -> None:
        """Write the annotation."""
        _raw(self._dialect.error(error, *ci.place(error, folder, self._environ)))


class _Heart:
    """Tells in a thread of its own that a step still runs, when nothing was told for a while."""

    def __init__(self, seconds: int, tell: Callable[[str], None]) -> None:
        self._seconds = seconds
        self._tell = tell
        self._steps: list[tuple[str, float]] = []
        self._line = ""
        self._touched = time.monotonic()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self, step: str) -> None:
        self._steps.append((step, time.monotonic()))
        self._line = ""
        if self._thread is None and self._seconds and not self._stopped.is_set():
            self._thread = threading.Thread(target=self._beat, daemon=True)
            self._thread.start()

    def end(self) -> None:
        if self._steps:
            self._steps.pop()

    def touch(self) -> None:
        self._touched = time.monotonic()

    def heard(self, text: str) -> None:
        self._line = text or self._line

    def stop(self) -> None:
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(_PATIENCE)

    def _beat(self) -> None:
        while not self._stopped.wait(max(0.05, self._touched + self._seconds - time.monotonic())):
            steps = self._steps[-1:]
            if not steps or time.monotonic() - self._touched < self._seconds:
                continue
            step, begun = steps[0]
            last = f"; the last line was: {redacted(self._line).strip()[:120]}" if self._line.strip() else ""
            self._tell(f"  {step}: still running, for {time.monotonic() - begun:.0f} s now{last}")
            self.touch()


def _raw(text: str) -> None:
    """Write what a service reads, with its control characters."""
    if text and sys.stderr is not None:
        with contextlib.suppress(OSError):
            sys.stderr.write(text + "\n")
            sys.stderr.flush()
