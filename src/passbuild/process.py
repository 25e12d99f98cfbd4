"""Start other programs: argument list, explicit environment, output kept, bounded time, nothing left running."""

from __future__ import annotations

import codecs
import contextlib
import io
import math
import os
import re
import selectors
import signal
import subprocess
import time
import warnings
from typing import IO, TYPE_CHECKING, NamedTuple, cast

from passbuild import cancellation, supervisor
from passbuild.supervisor import Supervisor
from passbuild.values import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

_BLOCK = 1 << 16
_LONGEST = 1 << 20
"""Characters after which a line is taken as one, whether it has ended or not."""
_GRACE = 5.0
"""Seconds between asking programs to end and killing them."""
_MORE = 3.0
"""Seconds that a supervisor, or a program that supervises others, gets beyond that."""
_TICK = 0.2
"""Seconds between two looks where the system cannot tell that a program has ended."""
_LOOK = 1.0
"""Seconds between two looks for a signal that has got lost."""

_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|[@-Z\\-_]?)"
)


class _Program(subprocess.Popen[bytes]):
    """A program that runs."""

    is_supervised = False
    """Whether its process is that of a supervisor."""


_RUNNING: set[_Program] = set()
"""The programs that have been started and not been seen to end."""


@frozen
class Command:
    """A program that is to be started."""

    argv: Sequence[str]
    environ: Mapping[str, str]
    """All of its environment variables."""
    cwd: Path | None = None
    timeout: float | None = None
    """Seconds that it may take."""
    first: Callable[[], None] | None = None
    """What is done in the new process before the program is there, where the system can have a supervisor."""


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
    out, err = _Text(), _Text()
    command = Command(argv=argv, environ=environ, cwd=cwd)
    with _started(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        voices = [_Voice(child.stdout, out.take), _Voice(child.stderr, err.take)]
        _heard(child, voices, _Deadline(timeout), question.encode("utf-8", errors="surrogateescape"))
    return Finished(returncode=child.returncode, stdout=out.text, stderr=err.text)


def stream(command: Command, on_line: Callable[[str], None], meanwhile: Callable[[], None] = lambda: None) -> Finished:
    """Run a program, hand each line of its output to `on_line` as it comes, and return all of it.

    `meanwhile` is called once, while the program starts. Both outputs are taken together, in the order in which they
    were written. What a daemon that stays writes after the end of the program is not waited for. Raises OSError when it
    cannot be started, and TimeoutError when it takes too long; then it is ended, with all that it has started.
    """
    lines: list[str] = []

    def heard(line: str) -> None:
        lines.append(line)
        on_line(line)

    told = _Lines(heard)
    deadline = _Deadline(command.timeout)
    with _started(command, grace=_GRACE) as child:
        meanwhile()
        _heard(child, [_Voice(child.stdout, told.take)], deadline)
        told.end()
    return Finished(returncode=child.returncode, stdout="\n".join(lines))


def end_at_once() -> None:
    """Kill what is running: there is no time for more."""
    for child in list(_RUNNING):
        _ask_to_end(child, is_urgent=True)
    for child in list(_RUNNING):
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_MORE)
        _kill(child)


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
        self._members: list[_Member] = []

    def end(self) -> None:
        """End those that still run."""
        _end([member.child for member in self._members], _GRACE + 2 * _MORE)
        for member in self._members:
            _closed(member.child)

    def start(
        self,
        argv: Sequence[str],
        *,
        environ: Mapping[str, str],
        on_line: Callable[[str], None],
        on_end: Callable[[int], None],
    ) -> None:
        """Start a program; both its outputs are handed to `on_line`, its exit code to `on_end`. Raises OSError."""
        with cancellation.together():
            # Each may have a program of its own to end first.
            child = _spawned(Command(argv=argv, environ=environ), grace=_GRACE + _MORE)
            lines = _Lines(on_line)
            self._members.append(_Member(child, _Voice(child.stdout, lines.take), lines, on_end))

    def work(self, on_tick: Callable[[], None], seconds: float = _TICK) -> None:
        """Hear them until all have ended; `on_end` may start more. `on_tick` is called from time to time."""
        while self._members:
            cancellation.check()
            with selectors.DefaultSelector() as selector:
                for member in self._members:
                    if not member.voice.is_over:
                        selector.register(member.voice.file, selectors.EVENT_READ, member.voice)
                for key, _ in selector.select(seconds):
                    cast("_Voice", key.data).go_on()
            for member in list(self._members):
                if member.child.poll() is not None:
                    self._take_leave(member)
            on_tick()

    def _take_leave(self, member: _Member) -> None:
        member.voice.drain()
        member.lines.end()
        self._members.remove(member)
        _closed(member.child)
        member.on_end(member.child.returncode)


class _Member(NamedTuple):
    """One program of a crew."""

    child: _Program
    voice: _Voice
    lines: _Lines
    on_end: Callable[[int], None]


class _Text:
    """What a program has said, as one text."""

    def __init__(self) -> None:
        self._parts: list[str] = []

    def take(self, text: str) -> None:
        """Take more of it."""
        self._parts.append(text)

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(self._parts)


class _Lines:
    """What a program says, cut into lines."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._on_line = on_line
        self._rest = ""

    def take(self, text: str) -> None:
        """Hand on the lines that have ended."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._on_line(line)
        if len(self._rest) > _LONGEST:
            self.end()

    def end(self) -> None:
        """Hand on what is left."""
        if self._rest:
            rest, self._rest = self._rest, ""
            self._on_line(rest)


class _Voice:
    """One output of a program, read as far as there is something to read."""

    def __init__(self, file: IO[bytes] | None, take: Callable[[str], None]) -> None:
        assert file is not None  # made with PIPE, for the type checker
        self.file = file
        self.is_over = False
        self._take = take
        self._decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder("utf-8")("replace"), translate=True)
        os.set_blocking(file.fileno(), False)

    def go_on(self) -> bool:
        """Read what there is, up to a block; return whether there may be more."""
        try:
            block = os.read(self.file.fileno(), _BLOCK)
        except BlockingIOError:
            return True
        self.is_over = not block
        self._take(self._decoder.decode(block, final=self.is_over))
        return not self.is_over

    def drain(self) -> None:
        """Read what is still there, and wait for nothing: somebody else may have it open as well."""
        while not self.is_over:
            try:
                block = os.read(self.file.fileno(), _BLOCK)
            except BlockingIOError:
                block = b""
            self.is_over = not block
            self._take(self._decoder.decode(block, final=self.is_over))


class _Deadline:
    """How long a program may run."""

    def __init__(self, seconds: float | None) -> None:
        self.seconds = seconds
        self._at = math.inf if seconds is None else time.monotonic() + seconds

    def left(self, most: float) -> float:
        """Return how long may be waited, and no longer than `most`. Raises TimeoutError."""
        left = self._at - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"it did not end within {self.seconds:g} s")
        return min(left, most)


def _heard(child: _Program, voices: Sequence[_Voice], deadline: _Deadline, question: bytes = b"") -> None:
    """Hear a program until it has ended, and tell it a question meanwhile. Raises TimeoutError."""
    end = _end_of(child)
    with selectors.DefaultSelector() as selector, contextlib.ExitStack() as stack:
        for voice in voices:
            selector.register(voice.file, selectors.EVENT_READ, voice)
        if child.stdin is not None:
            asking = _Question(child.stdin, question)
            selector.register(child.stdin, selectors.EVENT_WRITE, asking)
        if end is not None:
            stack.callback(os.close, end)
            selector.register(end, selectors.EVENT_READ)
        while child.poll() is None:
            for key, _ in selector.select(deadline.left(_TICK if end is None else _LOOK)):
                pipe = cast("_Voice | _Question | None", key.data)
                if pipe is not None and not pipe.go_on():
                    selector.unregister(key.fileobj)
                    pipe.file.close()
            cancellation.check()
    for voice in voices:
        voice.drain()


class _Question:
    """What a program is told, as fast as it listens."""

    def __init__(self, file: IO[bytes], question: bytes) -> None:
        self.file = file
        self._rest = question
        os.set_blocking(file.fileno(), False)

    def go_on(self) -> bool:
        """Write what the pipe takes; return whether there is more."""
        try:
            self._rest = self._rest[os.write(self.file.fileno(), self._rest[:_BLOCK]) :] if self._rest else b""
        except BlockingIOError:
            return True
        except BrokenPipeError:  # it does not want to know
            return False
        return bool(self._rest)


def _end_of(child: _Program) -> int | None:
    """Return a descriptor that can be read when the program has ended; None where the system has no such thing."""
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        return os.pidfd_open(child.pid)
    except OSError:
        return None


@contextlib.contextmanager
def _started(
    command: Command,
    *,
    stdin: int = subprocess.DEVNULL,
    stderr: int = subprocess.STDOUT,
    grace: float | None = None,
) -> Iterator[_Program]:
    """Start a program in a session of its own, and end all that came of it when we leave for any reason but its end."""
    child: _Program | None = None
    try:
        with cancellation.together():
            child = _spawned(command, stdin=stdin, stderr=stderr, grace=grace)
        yield child
    except BaseException:
        if child is not None:
            _end([child], _GRACE + _MORE)
        raise
    finally:
        if child is not None:
            _closed(child)


def _spawned(
    command: Command,
    *,
    stdin: int = subprocess.DEVNULL,
    stderr: int = subprocess.STDOUT,
    grace: float | None,
) -> _Program:
    """Start a program, with a supervisor above it that has this grace, where the system can have one."""
    with warnings.catch_warnings():
        # The thread of the live view is no danger: what runs between fork and exec is ours, and waits for no lock.
        warnings.simplefilter("ignore", DeprecationWarning)
        guard = Supervisor(grace, command.first) if grace is not None and supervisor.is_available() else None
        child = _Program(
            list(command.argv),
            env=dict(command.environ),
            cwd=command.cwd,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,
            preexec_fn=guard,
        )
    child.is_supervised = guard is not None
    _RUNNING.add(child)
    return child


def _closed(child: _Program) -> None:
    """Close what leads to a program that has ended."""
    _RUNNING.discard(child)
    for pipe in (child.stdin, child.stdout, child.stderr):
        if pipe is not None:
            pipe.close()


def _end(children: Sequence[_Program], seconds: float) -> None:
    """Ask programs to end, and kill those that have not after a while."""
    for child in children:
        _ask_to_end(child)
    begin = time.monotonic()
    for child in children:
        try:
            child.wait(max(0.0, seconds - (time.monotonic() - begin)))
        except subprocess.TimeoutExpired:
            _ask_to_end(child, is_urgent=True)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(_MORE)
        finally:
            _kill(child)


def _ask_to_end(child: _Program, *, is_urgent: bool = False) -> None:
    if child.returncode is not None:
        return
    if os.name != "posix":
        child.terminate()
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if child.is_supervised:
            os.kill(child.pid, signal.SIGUSR1 if is_urgent else signal.SIGTERM)
        else:
            os.killpg(child.pid, signal.SIGTERM)


def _kill(child: _Program) -> None:
    """Kill a program, or what it left in its group; a supervisor that has ended has left nothing."""
    if child.is_supervised and child.returncode is not None:
        return
    if os.name == "posix":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    else:
        child.kill()
    child.wait()
