"""Start other programs: argument list, explicit environment, output kept, nothing left running."""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import signal
import subprocess
import time
from typing import TYPE_CHECKING, cast

from passbuild.values import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

_BLOCK = 1 << 16
_CREW_GRACE = 15.0
"""Seconds between asking several programs to end and killing them: each may have a program of its own to end first."""
_GRACE = 5.0
"""Seconds between asking a process group to end and killing it."""


_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|[@-Z\\-_]?)"
)


@frozen
class Finished:
    """A program that has ended."""

    returncode: int
    """Its exit code; negative is the signal that ended it."""
    stdout: str
    """What it wrote to standard output (and to standard error, when both were taken together)."""
    stderr: str = ""
    """What it wrote to standard error, when taken apart."""


def answer(
    argv: Sequence[str],
    *,
    environ: Mapping[str, str],
    question: str,
    cwd: Path | None = None,
    timeout: float | None = None,
) -> Finished:
    """Run a program with `question` on its standard input and return both outputs apart.

    Raises OSError when it cannot be started, and TimeoutError when it has not ended after `timeout` seconds; then it is
    ended, with all that it has started.
    """
    with _started(argv, environ=environ, cwd=cwd, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        try:
            stdout, stderr = child.communicate(question, timeout)
        except subprocess.TimeoutExpired as error:
            raise TimeoutError(f"{argv[0]} did not end within {timeout:g} s") from error
        return Finished(returncode=child.returncode, stdout=stdout, stderr=stderr)


def stream(
    argv: Sequence[str],
    *,
    environ: Mapping[str, str],
    on_line: Callable[[str], None],
    cwd: Path | None = None,
    meanwhile: Callable[[], None] = lambda: None,
) -> Finished:
    """Run a program, hand each line of its output to `on_line` as it comes, and return all of it.

    `meanwhile` is called once, while the program starts. Both outputs are taken together, in the order in which they
    were written. Raises OSError when it cannot be started.
    """
    lines: list[str] = []
    with _started(argv, environ=environ, cwd=cwd, stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT) as child:
        assert child.stdout is not None  # stdout=PIPE, for the type checker
        meanwhile()
        for line in child.stdout:
            text = line.rstrip("\n")
            lines.append(text)
            on_line(text)
        child.wait()
        return Finished(returncode=child.returncode, stdout="\n".join(lines))


def without_escapes(text: str) -> str:
    """Return what a program prints without what it says to a terminal: colors, titles, links."""
    return _ESCAPES.sub("", text) if "\x1b" in text else text


@contextlib.contextmanager
def crew() -> Iterator[Crew]:
    """Yield what runs several programs at once; afterwards none of them is left running."""
    made = Crew()
    try:
        yield made
    finally:
        made.end()


class Crew:
    """Several programs at once, heard in one thread."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._members: list[_Member] = []

    def end(self) -> None:
        """End those that still run."""
        children = [member.child for member in self._members]
        for child in children:
            _signal_group(child, signal.SIGTERM)
        begin = time.monotonic()
        for child in children:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(max(0.0, _CREW_GRACE - (time.monotonic() - begin)))
            _signal_group(child, signal.SIGKILL)
            child.wait()
        for member in self._members:
            os.close(member.output)
        self._selector.close()

    def start(
        self,
        argv: Sequence[str],
        *,
        environ: Mapping[str, str],
        on_line: Callable[[str], None],
        on_end: Callable[[int], None],
    ) -> None:
        """Start a program; both its outputs are handed to `on_line`, its exit code to `on_end`. Raises OSError."""
        reading, writing = os.pipe()
        try:
            child = subprocess.Popen(
                list(argv),
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=writing,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        member = _Member(child, reading, on_line, on_end)
        self._members.append(member)
        self._selector.register(reading, selectors.EVENT_READ, member)

    def work(self, on_tick: Callable[[], None], seconds: float = 0.2) -> None:
        """Hear them until all have ended; `on_end` may start more. `on_tick` is called from time to time."""
        while self._members:
            for key, _ in self._selector.select(seconds):
                self._hear(cast("_Member", key.data))
            on_tick()

    def _hear(self, member: _Member) -> None:
        if member.hear():
            return
        self._selector.unregister(member.output)
        os.close(member.output)
        self._members.remove(member)
        member.on_end(member.child.wait())


class _Member:
    """One program of a crew."""

    def __init__(
        self,
        child: subprocess.Popen[bytes],
        output: int,
        on_line: Callable[[str], None],
        on_end: Callable[[int], None],
    ) -> None:
        self.child = child
        self.output = output
        self.on_end = on_end
        self._on_line = on_line
        self._rest = b""

    def hear(self) -> bool:
        """Read what there is, hand on the whole lines, and return whether there may be more."""
        read = os.read(self.output, _BLOCK)
        *lines, self._rest = (self._rest + read).split(b"\n")
        if not read and self._rest:
            lines, self._rest = [*lines, self._rest], b""
        for line in lines:
            self._on_line(line.decode("utf-8", errors="replace").rstrip("\r"))
        return bool(read)


@contextlib.contextmanager
def _started(
    argv: Sequence[str], *, environ: Mapping[str, str], cwd: Path | None, stdin: int, stderr: int
) -> Iterator[subprocess.Popen[str]]:
    """Start a program in a group of its own, and end the whole group when we leave for any reason but its end."""
    child = subprocess.Popen(
        list(argv),
        env=dict(environ),
        cwd=cwd,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=stderr,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    with child:
        try:
            yield child
        except BaseException:
            _end(child)
            raise


def _end(child: subprocess.Popen[str]) -> None:
    _signal_group(child, signal.SIGTERM)
    try:
        child.wait(_GRACE)
    except subprocess.TimeoutExpired:
        pass
    finally:
        if os.name == "posix":
            _signal_group(child, signal.SIGKILL)
        else:
            child.kill()


def _signal_group(child: subprocess.Popen[str] | subprocess.Popen[bytes], number: signal.Signals) -> None:
    if os.name != "posix":
        child.terminate()
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)
