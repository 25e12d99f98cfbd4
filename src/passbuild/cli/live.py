"""The live view of a terminal: the step that runs, its time, how far it is, and what its program says at the moment."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from rich.console import Group
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from passbuild.cli.paint import fitting, line
from passbuild.progress import Follower

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from passbuild.cli.paint import Line, Painter
    from passbuild.errors import PassbuildError
    from passbuild.progress import Progress

_DELAY = 0.3
"""Seconds that a command may take without a live view: one that is done by then shows none."""
_PAUSE = 0.1
"""Seconds between two pictures."""
_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_ASCII_FRAMES = "-\\|/"
_PATIENCE = 1.0
"""Seconds that are waited for what paints: a terminal that is stopped holds it for as long as it likes."""
_BAR = 24
"""Columns of a progress bar."""


class Live:
    """Steps with their times; below them, while one runs, what it is at."""

    def __init__(self, paint: Painter, console: Console, encoding: str | None) -> None:
        self._paint = paint
        self._console = console
        self._encoding = encoding
        self._steps: list[_Step] = []
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def say(self, text: Line) -> None:
        """Print a line above what is live."""
        self._paint.print(text)

    def warn(self, text: str) -> None:
        """Print a warning."""
        self.say(line(("warning: ", "bold yellow"), text))

    def begin(self, step: str) -> None:
        """Show a step."""
        self._steps.append(_Step(step))
        if self._thread is None:
            self._thread = threading.Thread(target=self._animate, daemon=True)
            self._thread.start()

    def end(self, step: str, seconds: float) -> None:
        """Print that a step is done."""
        self._steps.pop()
        self.say(line(("✓ ", "green"), step, (f"  {_time(seconds)}", "dim")))

    def output(self, text: str) -> None:
        """Show the line for a moment."""
        if self._steps:
            self._steps[-1].hear(fitting(text.expandtabs(4), self._encoding).strip())

    def progress(self, text: str) -> None:
        """Show how far a download is."""
        if self._steps:
            self._steps[-1].follow(text)

    def close(self) -> None:
        """Take away what is live, and print the step that failed, where one is open."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(_PATIENCE)
            self._thread = None
        if self._steps:
            step = self._steps[-1]
            self.say(line(("✗ ", "bold red"), step.name, (f"  {_time(step.seconds)}", "dim")))
            self._steps.clear()

    def fail(self, error: PassbuildError, folder: Path | None) -> None:
        """Do nothing more."""

    def _animate(self) -> None:
        if self._stopped.wait(_DELAY):
            return
        from rich import live

        view = live.Live(
            console=self._console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            get_renderable=self._picture,
        )
        view.start(refresh=True)
        try:
            while not self._stopped.wait(_PAUSE):
                view.refresh()
        finally:
            view.stop()

    def _picture(self) -> Group:
        steps = self._steps[-1:]  # the main thread takes it away when it ends
        return self._of(steps[0]) if steps else Group()

    def _of(self, step: _Step) -> Group:
        is_unicode = (self._encoding or "").lower().startswith("utf")
        frames = _FRAMES if is_unicode else _ASCII_FRAMES
        frame = frames[int(step.seconds / _PAUSE) % len(frames)]
        head = Table.grid(padding=(0, 1))
        head.add_row(Text(frame, "cyan"), Text(step.name), Text(_time(step.seconds), "dim"))
        rows: list[Table | Text] = [head]
        if step.progress is not None:
            rows.append(_bar(step.progress))
        if step.line:
            rows.append(Text(f"  {step.line}", "dim", no_wrap=True, overflow="ellipsis" if is_unicode else "crop"))
        return Group(*rows)


class _Step:
    """One step that runs."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.line = ""
        self.progress: Progress | None = None
        self._begun = time.monotonic()
        self._follower = Follower()

    @property
    def seconds(self) -> float:
        """How long it has run."""
        return time.monotonic() - self._begun

    def hear(self, text: str) -> None:
        """Take in a line of its program."""
        self.follow(text)
        self.line = text or self.line

    def follow(self, text: str) -> None:
        """Look how far it is; a download that is done is shown no more."""
        progress = self._follower.heard(text) or self.progress
        is_done = progress is not None and progress.is_bytes and progress.done >= progress.total
        self.progress = None if is_done else progress


def _bar(progress: Progress) -> Table:
    done, total = progress.done, progress.total
    told = f"{done / 1e6:.1f}/{total / 1e6:.1f} MB" if progress.is_bytes else f"{done}/{total}"
    row = Table.grid(padding=(0, 1))
    row.add_row(
        " ",
        ProgressBar(total=max(total, 1), completed=done, width=_BAR),
        Text(told),
        Text(progress.what, "dim", no_wrap=True, overflow="ellipsis"),
    )
    return row


def _time(seconds: float) -> str:
    if seconds < 60:  # noqa: PLR2004 - seconds in a minute
        return f"{seconds:.1f} s"
    return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
