"""Start programs by way of a small server that forks: it is quick, and has a supervisor for each of them (Linux).

::

    passbuild ── socket ── server           a Python that has imported next to nothing (`_supervisor.serve`)
        │                     └ supervisor   one for each program, the leader of its session
        └────── socket ───────────┘  └ program

passbuild itself is large, and may have threads: to fork it is slow, and not without danger. The server starts while
passbuild is still reading settings. It ends when its socket is closed, which the system does in any case.
"""

from __future__ import annotations

import contextlib
import errno
import importlib.util
import marshal
import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from passbuild import cancellation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from passbuild._supervisor import Order

_CODE = """
import sys
sys.path[:1] = []  # the current folder is no place to import from
sys.path.append(sys.argv[1])
import _supervisor
_supervisor.serve(0)
"""
_CODE_TOLD = re.compile(rb"-?[0-9]{1,3}")
_END, _AT_ONCE = b"end", b"now"
_LONGEST = 1 << 16
_SIZE = 8
"""These are the same on the other side, which imports nothing of ours."""


def is_available() -> bool:
    """Whether there can be one: on Linux, with a Python to start that can call the C library."""
    is_python = bool(sys.executable) and not getattr(sys, "frozen", False)
    return sys.platform == "linux" and is_python and importlib.util.find_spec("_ctypes") is not None


class Started(NamedTuple):
    """What became of an order, as `_supervisor` says it; there is a program where nothing else is said."""

    supervisor: int
    means: str
    """By what its zone is protected (`protection.Means`); empty where nothing was to be."""
    reason: str
    moved: str
    """A path of the zone that leads elsewhere now."""

    @classmethod
    def of(cls, answer: bytes) -> Started:
        """Read an answer. Raises OSError where it is one."""
        if not answer:  # nobody but the system, or somebody else, ends a supervisor
            raise OSError(errno.ECHILD, "the process that starts programs has ended")
        supervisor, means, reason, error, moved, file = answer.split(b"\0")
        if int(error):
            raise OSError(int(error), os.strerror(int(error)), os.fsdecode(file))
        return cls(int(supervisor), means.decode(), reason.decode(), os.fsdecode(moved))


class Supervised:
    """A program under a supervisor."""

    stdin = stderr = None

    def __init__(self, control: socket.socket, output: int, process: int) -> None:
        self.stdout = open(output, "rb", buffering=0)  # noqa: SIM115 - a descriptor, which `close` closes
        self.returncode: int | None = None
        """None as long as it runs; negative is the signal that ended it."""
        self._control = control
        self._process = process

    def poll(self) -> int | None:
        """Return its exit code, if it has ended."""
        if self.returncode is None:
            with contextlib.suppress(BlockingIOError):
                told = self._control.recv(_LONGEST, socket.MSG_DONTWAIT)
                self.returncode = int(told) if _CODE_TOLD.fullmatch(told) else -signal.SIGKILL
        return self.returncode

    def has_ended(self, seconds: float) -> bool:
        """Wait for its end, no longer than that; return whether it has come."""
        if self.poll() is None:
            select.select([self._control], [], [], seconds)
        return self.poll() is not None

    def sight(self) -> int:
        """Return a descriptor that can be read when it has ended."""
        return self._control.fileno()

    def ask_to_end(self, *, is_urgent: bool) -> None:
        """Have the supervisor end all that came of it."""
        with contextlib.suppress(OSError):  # it has ended
            self._control.send(_AT_ONCE if is_urgent else _END)

    def kill(self) -> None:
        """Kill the supervisor with its session, unless it has ended: then it has left nothing."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process, signal.SIGKILL)

    def close(self) -> None:
        """Close what leads to it."""
        self.stdout.close()
        self._control.close()


class Server:
    """The server of this process."""

    def __init__(self) -> None:
        self.users = 0
        self.owner = os.getpid()
        self._lock = threading.Lock()
        flags = [*(["-I"] if sys.flags.isolated else []), *(["-B"] if sys.dont_write_bytecode else [])]
        argv = [sys.executable, *flags, "-S", "-c", _CODE, str(Path(__file__).parent)]
        self._socket, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = subprocess.Popen(
                    argv,
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
        except BaseException:
            self._socket.close()
            raise

    def start(self, order: Order) -> tuple[Started, Supervised | None]:
        """Start a program; return what became of it, and the program where there is one. Raises OSError."""
        with contextlib.ExitStack() as stack:
            output, writing = os.pipe()
            stack.callback(os.close, writing)
            ours = stack.enter_context(contextlib.ExitStack())
            ours.callback(os.close, output)
            control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            stack.callback(theirs.close)
            ours.callback(control.close)
            try:
                with self._lock:
                    content = marshal.dumps(cast("dict[str, Any]", order))
                    files = [writing, theirs.fileno()]
                    socket.send_fds(self._socket, [len(content).to_bytes(_SIZE, "big")], files)
                    self._socket.sendall(content)
                theirs.close()  # so that there is an end to wait for
                answer = control.recv(_LONGEST)
            except BrokenPipeError:
                answer = b""
            started = Started.of(answer)
            if not started.supervisor:
                return started, None
            ours.pop_all()
            return started, Supervised(control, output, started.supervisor)

    def close(self) -> None:
        """End it: nothing is lost with it, and supervisors are no part of it."""
        self._socket.close()
        self._process.kill()
        self._process.wait()


_GUARD = threading.Lock()
_OPEN: list[Server] = []
"""The one that is there, or none."""


def prepare() -> None:
    """Start the server before anybody asks for it; where that fails, the first who asks is told."""
    with contextlib.suppress(OSError), _GUARD:
        if not _OPEN and is_available():
            _OPEN.append(Server())


@contextlib.contextmanager
def opened() -> Iterator[Server | None]:
    """Yield the server of this process, which ends with the last of its users; None where there can be none.

    Raises OSError.
    """
    if not is_available():
        yield None
        return
    taken: list[Server] = []
    try:
        with cancellation.together(), _GUARD:
            if _OPEN and _OPEN[0].owner != os.getpid():  # this process was forked from that one
                _OPEN.clear()
            if not _OPEN:
                _OPEN.append(Server())
            server = _OPEN[0]
            server.users += 1
            taken.append(server)
        yield server
    finally:
        for server in taken:
            with cancellation.together(), _GUARD:
                server.users -= 1
                if server.users == 0:
                    _OPEN.remove(server)
                    server.close()
