"""The folder in which one run works, and the log that outlives it when something fails."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, TextIO

from passbuild import scratch
from passbuild.errors import PassbuildError
from passbuild.protection import Places
from passbuild.values import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from passbuild.journal import Journal

_PART = 1 << 20
"""Bytes of the log that are looked at together."""


@frozen
class Workspace:
    """Where one run keeps its environments and extracted sources."""

    root: Path
    """What no program of others has to write, but for `work`."""
    work: Path
    """Where this process has its temporary files, and that of its other runs."""
    folder: Path
    log: Path
    """The file that keeps every line of the installer's and the backend's output."""
    sink: TextIO
    stack: contextlib.ExitStack
    """What is given back when the run ends."""
    journal: Journal
    places: Places
    """Where the paths led to that programs of others may write, or may not."""

    @property
    def source(self) -> Path:
        """Where an archive is extracted."""
        return self.folder / "source"

    @property
    def wheels(self) -> Path:
        """Where wheels of build requirements are kept."""
        return self.folder / "wheels"

    def said(self) -> Iterator[str]:
        """Yield all that other programs have printed so far, in parts of whole lines."""
        self.sink.flush()
        rest, place = b"", 0
        while block := os.pread(self.sink.fileno(), _PART, place):  # by what is open: a path may lead elsewhere by now
            place += len(block)
            lines, end, rest = (rest + block).rpartition(b"\n")
            yield (lines + end).decode("utf-8", errors="replace")
        yield rest.decode("utf-8", errors="replace")

    def new_folder(self, name: str) -> Path:
        """Make and return a fresh folder, called `name` with a number behind it."""
        count = len(list(self.folder.glob(f"{name}-*")))
        folder = self.folder / f"{name}-{count + 1}"
        folder.mkdir()
        return folder

    def on_line(self, line: str) -> None:
        """Keep a line of another program's output, and tell it; reports of progress are only told."""
        if line.startswith("Progress "):
            from passbuild.progress import is_only_progress  # its patterns take a while, and few need them

            if is_only_progress(line):
                self.journal.progress(line)
                return
        self.sink.write(line + "\n")
        self.sink.flush()
        self.journal.line(line)


@contextlib.contextmanager
def opened(journal: Journal) -> Iterator[Workspace]:
    """Yield a workspace; afterwards it is gone, unless `--keep` is set. The log stays only after a failure."""
    with scratch.opened() as place:
        folder, log = place.room()
        try:
            (folder / "wheels").mkdir()
            with (
                open(log, "x+", encoding="utf-8", errors="replace", opener=_own) as sink,
                contextlib.ExitStack() as stack,
            ):
                yield Workspace(
                    root=place.folder,
                    work=place.work,
                    folder=folder,
                    log=log,
                    sink=sink,
                    stack=stack,
                    journal=journal,
                    places=Places(),
                )
        except PassbuildError as error:
            if error.log is None and log.exists() and log.stat().st_size:
                error.log = _outliving(log, place.parent)
            raise
        finally:
            settings = journal.report.settings
            if settings is not None and settings.keep.value:
                place.is_kept = True
                if log.exists():
                    log.replace(folder / "output.log")
                journal.kept(folder)
            elif folder != place.work:
                scratch.removed(folder)


def _own(path: str, flags: int) -> int:
    """Open a file for the user alone: what a program prints may be meant for nobody else."""
    return os.open(path, flags, 0o600)


def _outliving(log: Path, folder: Path) -> Path:
    """Move the log to where it stays when the workspace is removed."""
    final = folder / f"passbuild-{os.urandom(4).hex()}{scratch.LOG}"
    return log.rename(final)
