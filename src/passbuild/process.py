"""Start other programs: argument list, explicit environment, output heard, bounded time, nothing left running."""

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
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple, cast

from passbuild import cancellation, forkserver
from passbuild.errors import FolderMoved, NotProtected
from passbuild.protection import Guard, Means, Outcome
from passbuild.values import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from passbuild._supervisor import Order
    from passbuild._supervisor import Place as Told
    from passbuild.forkserver import Supervised
    from passbuild.protection import Place

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


class _Alone(subprocess.Popen[bytes]):
    """A program in a session of its own, where nobody supervises it."""

    _end: int | None = None

    def has_ended(self, seconds: float) -> bool:
        """Wait for its end, no longer than that; return whether it has come."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(seconds)
        return self.returncode is not None

    def sight(self) -> int | None:
        """Return a descriptor that can be read when it has ended; None where the system has no such thing."""
        if self._end is None and hasattr(os, "pidfd_open"):
            with contextlib.suppress(OSError):
                self._end = os.pidfd_open(self.pid)
        return self._end

    def ask_to_end(self, *, is_urgent: bool) -> None:
        """Ask it, and what is in its group."""
        if self.returncode is None and not is_urgent:
            self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it, and what it left in its group."""
        self._signal(getattr(signal, "SIGKILL", signal.SIGTERM))
        self.wait()

    def close(self) -> None:
        """Close what leads to it."""
        for pipe in (self.stdin, self.stdout, self.stderr):
            if pipe is not None:
                pipe.close()
        if self._end is not None:
            os.close(self._end)
            self._end = None

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.name == "posix":
                os.killpg(self.pid, number)
            elif self.returncode is None:
                super().kill()


_RUNNING: set[_Alone | Supervised] = set()
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
    guard: Guard = Guard()
    """What it is kept from writing."""


@frozen
class Finished:
    """A program that has ended."""

    returncode: int
    """Its exit code; negative is the signal that ended it."""
    stdout: str
    stderr: str = ""


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
    with _started(command) as child:
        voices = [_Voice(child.stdout, out.take), _Voice(child.stderr, err.take)]
        _heard(child, voices, _Deadline(timeout), question.encode("utf-8", errors="surrogateescape"))
    return Finished(returncode=cast("int", child.returncode), stdout=out.text, stderr=err.text)


def stream(command: Command, on_line: Callable[[str], None], meanwhile: Callable[[], None] = lambda: None) -> int:
    """Run a program, hand each line of its output to `on_line` as it comes, keep none, and return its exit code.

    A negative one is the signal that ended it. `meanwhile` is called once, while the program starts. Both outputs are
    taken together, in the order in which they were written. What a daemon that stays writes after the end of the
    program is not waited for. Raises OSError when it cannot be started, NotProtected or FolderMoved where what it is
    not to write cannot be kept from it, TimeoutError when it takes too long; then it is ended, with all that it has
    started.
    """
    told = _Lines(on_line)
    deadline = _Deadline(command.timeout)
    with _started(command, grace=_GRACE) as child:
        meanwhile()
        _heard(child, [_Voice(child.stdout, told.take)], deadline)
        told.end()
    return cast("int", child.returncode)


def end_at_once() -> None:
    """Kill what is running: there is no time for more."""
    for child in list(_RUNNING):
        child.ask_to_end(is_urgent=True)
    for child in list(_RUNNING):
        child.has_ended(_MORE)
        child.kill()


def without_escapes(text: str) -> str:
    """Return what a program prints without what it says to a terminal: colors, titles, links."""
    return _ESCAPES.sub("", text) if "\x1b" in text else text


@contextlib.contextmanager
def crew() -> Iterator[Crew]:
    """Yield what runs several programs at once; afterwards none of them is left running."""
    with forkserver.opened() as server:
        made = Crew(server)
        try:
            yield made
        finally:
            made.end()


class Crew:
    """Several programs at once, heard in one thread."""

    def __init__(self, server: forkserver.Server | None) -> None:
        self._members: list[_Member] = []
        self._server = server

    def end(self) -> None:
        """End those that still run."""
        _end([member.child for member in self._members], _GRACE + 3 * _MORE)
        for member in self._members:
            _forgotten(member.child)

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
            child = _supervised(Command(argv=argv, environ=environ), self._server, _GRACE + 2 * _MORE, is_polite=True)
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
                    end = member.child.sight()
                    if end is not None:
                        selector.register(end, selectors.EVENT_READ)
                for key, _ in selector.select(seconds):
                    voice = cast("_Voice | None", key.data)
                    if voice is not None:
                        voice.go_on()
            for member in list(self._members):
                if member.child.poll() is not None:
                    self._take_leave(member)
            on_tick()

    def _take_leave(self, member: _Member) -> None:
        member.voice.drain()
        member.lines.end()
        self._members.remove(member)
        _forgotten(member.child)
        member.on_end(cast("int", member.child.returncode))


class _Member(NamedTuple):
    """One program of a crew."""

    child: _Alone | Supervised
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


def _heard(child: _Alone | Supervised, voices: Sequence[_Voice], deadline: _Deadline, question: bytes = b"") -> None:
    """Hear a program until it has ended, and tell it a question meanwhile. Raises TimeoutError."""
    end = child.sight()
    with selectors.DefaultSelector() as selector:
        for voice in voices:
            selector.register(voice.file, selectors.EVENT_READ, voice)
        if child.stdin is not None:
            asking = _Question(child.stdin, question)
            selector.register(child.stdin, selectors.EVENT_WRITE, asking)
        if end is not None:
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


@contextlib.contextmanager
def _started(command: Command, *, grace: float | None = None) -> Iterator[_Alone | Supervised]:
    """Start a program in a session of its own, and end all that came of it when we leave for any reason but its end.

    With a `grace` it has a supervisor, where the system can have one; without, it has a standard input, and its outputs
    are apart.
    """
    child: _Alone | Supervised | None = None
    with contextlib.nullcontext() if grace is None else forkserver.opened() as server:
        try:
            with cancellation.together():
                child = _asked(command) if grace is None else _supervised(command, server, grace)
            yield child
        except BaseException:
            if child is not None:
                _end([child], _GRACE + _MORE)
            raise
        finally:
            if child is not None:
                _forgotten(child)


def _asked(command: Command) -> _Alone:
    """Start a program that is to answer a question."""
    return _alone(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)


def _supervised(
    command: Command, server: forkserver.Server | None, grace: float, *, is_polite: bool = False
) -> _Alone | Supervised:
    """Start a program with a supervisor above it, where there is a server for that.

    One that `is_polite` ends what it has started by itself, if it is only asked. Raises OSError, and NotProtected.
    """
    guard = command.guard
    if server is None:
        if guard.zone is not None:
            _note(guard, Outcome(means=Means.NOTHING, reason="passbuild knows no means for this system"))
        return _alone(command, stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    started, child = server.start(_order(command, grace, is_polite=is_polite))
    if started.moved:
        raise FolderMoved(folder=Path(started.moved))
    if started.means:
        _note(guard, Outcome(means=Means(started.means), reason=started.reason))
    assert child is not None  # there is one unless it had to be protected
    _RUNNING.add(child)
    return child


def _order(command: Command, grace: float, *, is_polite: bool) -> Order:
    zone, is_needed = command.guard.zone, command.guard.is_needed
    return {
        "argv": [os.fsencode(word) for word in command.argv],
        "environ": {os.fsencode(name): os.fsencode(value) for name, value in command.environ.items()},
        "cwd": os.fsencode(command.cwd or "."),
        "grace": grace,
        "is_polite": is_polite,
        "zone": None
        if zone is None
        else {
            "protected": _told(zone.protected),
            "also": _told(zone.also),
            "ours": _told(zone.ours),
            "writable": _told(zone.writable),
            "layered": [(told, os.fsencode(layer)) for place, layer in zone.layered for told in _told([place])],
            # Where it is needed, there is nothing that a means could be in the way of.
            "open": [] if is_needed else [os.fsencode(path) for path in zone.open],
        },
        "is_needed": is_needed,
    }


def _told(places: Sequence[Place]) -> list[Told]:
    return [(os.fsencode(place.path), place.device, place.inode) for place in places]


def _note(guard: Guard, outcome: Outcome) -> None:
    """Say what became of what was to be protected. Raises NotProtected where nothing did, and it had to."""
    guard.on_outcome(outcome)
    if guard.is_needed and outcome.means is Means.NOTHING:
        raise NotProtected(problem=outcome.reason)


def _alone(command: Command, *, stdin: int, stderr: int) -> _Alone:
    child = _Alone(
        list(command.argv),
        env=dict(command.environ),
        cwd=command.cwd,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=stderr,
        start_new_session=True,
    )
    _RUNNING.add(child)
    return child


def _forgotten(child: _Alone | Supervised) -> None:
    """Close what leads to a program that has ended."""
    _RUNNING.discard(child)
    child.close()


def _end(children: Sequence[_Alone | Supervised], seconds: float) -> None:
    """Ask programs to end, and kill those that have not after a while."""
    for child in children:
        child.ask_to_end(is_urgent=False)
    begin = time.monotonic()
    for child in children:
        try:
            if not child.has_ended(max(0.0, seconds - (time.monotonic() - begin))):
                child.ask_to_end(is_urgent=True)
                child.has_ended(_MORE)
        finally:
            child.kill()
