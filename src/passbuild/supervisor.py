"""A process between passbuild and a program that it starts, so that nothing of that program is left running (Linux).

A program may start others, and these may leave its process group and its session. The system hands the children of a
process that ends to the nearest *subreaper* above it (`prctl(2)`, PR_SET_CHILD_SUBREAPER), so the supervisor has every
process that comes of the program below itself, wherever it went. It has three duties:

- When passbuild asks for it (SIGTERM, or SIGUSR1 for at once), all of them are asked to end, and killed if they
  have not ended after a while.
- When passbuild dies, however that happens, the system sends the same signal (PR_SET_PDEATHSIG).
- When the program has ended, what it left running in its session ends as well. What has made a session of its own
  is a daemon that is meant to stay, such as the server of sccache, and stays.

Then it ends like the program: with its exit code, or by the same signal. It is no program of its own but a fork of this
process, made by `subprocess` before it starts the program: that takes a millisecond, where an interpreter takes ten.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    import ctypes
    from collections.abc import Callable, Iterator

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_HEARD = ("SIGTERM", "SIGUSR1", "SIGCHLD")
_DEAF = ("SIGINT", "SIGHUP")
"""Signals of a terminal, which are not for the supervisor: passbuild decides what comes of them."""
_TICK = 0.02
"""Seconds between two looks at processes that are to end."""
_PATIENCE = 0.4
"""The part of the grace after which SIGTERM follows SIGINT: a shell's background programs ignore that."""
_LAST = 10.0
"""Seconds after which processes that cannot even be killed are given up."""
_ENDED = b"Z"


def library() -> ctypes.PyDLL:
    """Return the C library. Raises ImportError or OSError where it cannot be called."""
    import ctypes  # milliseconds, and only what starts a program needs it

    # PyDLL keeps the interpreter's lock: between fork and exec nobody else could hand it back.
    return ctypes.PyDLL(None, use_errno=True)


def is_available() -> bool:
    """Whether this system can have one."""
    if sys.platform != "linux":
        return False
    try:
        library()
    except (ImportError, OSError):  # a Python without ctypes, or no C library to be found
        return False
    return True


class Supervisor:
    """What `subprocess.Popen` calls, as `preexec_fn`, in the new process: that becomes the supervisor."""

    def __init__(self, grace: float, first: Callable[[], None] | None = None) -> None:
        """Prepare it; `first` is called in the new process before there is a program."""
        self._grace = grace
        self._first = first
        self._library = library()
        self._parent = os.getpid()
        __import__("resource")  # before the fork: afterwards nothing is imported

    def __call__(self) -> None:
        """Return in a process that is to become the program; stay and supervise in this one."""
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGUSR1, signal.SIG_DFL)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        numbers = [getattr(signal, name) for name in _HEARD]
        before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
        if self._first is not None:
            self._first()
        self._library.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self._die_with(self._parent, signal.SIGTERM)
        ourselves = os.getpid()
        program = os.fork()
        if program == 0:
            self._die_with(ourselves, signal.SIGKILL)
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background program ignores it, and passes that on
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            return
        try:
            for name in _DEAF:
                signal.signal(getattr(signal, name), signal.SIG_IGN)
            _let_go_of_files()
            status = _watched(program, numbers, self._grace)
        except BaseException:  # noqa: BLE001 - nothing above may go on in this process
            os.killpg(0, signal.SIGKILL)
        _end_like(status)

    def _die_with(self, parent: int, number: signal.Signals) -> None:
        self._library.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:  # it died before we could ask
            os._exit(1)


def _let_go_of_files() -> None:
    """Close what passbuild has open: it waits for the end of pipes, and others for its locks."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    with contextlib.suppress(OSError):
        for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - as little as possible
            if int(name) > 2:  # noqa: PLR2004 - standard error
                with contextlib.suppress(OSError):
                    os.close(int(name))


def _watched(program: int, numbers: list[signal.Signals], grace: float) -> int:
    """Wait for the program and see to what it leaves; return its wait status."""
    status: int | None = None
    ending: _Ending | None = None
    while True:
        status, is_alone = _reaped(program, status)
        if status is not None:
            if is_alone or (ending is not None and ending.is_over()):
                return status
            if ending is None:
                ending = _Ending(grace, is_all=False)
        if ending is not None and not ending.went_on() and status is not None:
            return status
        if ending is None:
            number = signal.sigwaitinfo(numbers).si_signo
        else:
            told = signal.sigtimedwait(numbers, _TICK)
            number = told.si_signo if told is not None else signal.SIGCHLD
        if number == signal.SIGUSR1:
            ending = _Ending(0.0, is_all=True)
        elif number == signal.SIGTERM and (ending is None or not ending.is_all):
            ending = _Ending(grace, is_all=True)


class _Ending:
    """How processes are made to end: asked as Ctrl-C does, then as `kill` does, then killed."""

    def __init__(self, grace: float, *, is_all: bool) -> None:
        self.is_all = is_all
        now = time.monotonic()
        self._steps = [(now + grace, signal.SIGKILL)]
        if grace:
            self._steps.insert(0, (now + grace * _PATIENCE if is_all else now, signal.SIGTERM))
        if grace and is_all:  # Python programs remove their temporary files for this one alone
            self._steps.insert(0, (now, signal.SIGINT))
        self._last = now + grace + _LAST

    def went_on(self) -> bool:
        """Send the signal that is due; return whether there was anybody to send it to."""
        left = list(_left(is_all=self.is_all))
        while self._steps and time.monotonic() >= self._steps[0][0]:
            number = self._steps[0][1]
            for process in left:
                with contextlib.suppress(OSError):
                    os.kill(process, number)
                    os.kill(process, signal.SIGCONT)  # what is stopped hears nothing else
            if number == signal.SIGKILL:
                break  # again and again: some may be starting others
            self._steps.pop(0)
        return bool(left)

    def is_over(self) -> bool:
        """Whether there is nothing more that could be done."""
        return time.monotonic() >= self._last


def _reaped(program: int, status: int | None) -> tuple[int | None, bool]:
    """Take the statuses of children that have ended; return the program's, and whether no child is left."""
    while True:
        try:
            process, found = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return (status if status is not None else 0), True
        if process == program:
            status = found
        if process == 0:
            return status, False


def _left(*, is_all: bool) -> Iterator[int]:
    """Yield the processes below this one: all, or those of its session."""
    ourselves = os.getpid()
    children: dict[int, list[tuple[int, int]]] = {}
    for process, parent, session in _processes():
        children.setdefault(parent, []).append((process, session))
    waiting = [ourselves]
    while waiting:
        for process, session in children.get(waiting.pop(), ()):
            waiting.append(process)
            if is_all or session == ourselves:
                yield process


def _processes() -> Iterator[tuple[int, int, int]]:
    """Yield process, parent and session of everything that runs, as far as /proc shows it (proc_pid_stat(5))."""
    try:
        names = os.listdir("/proc")  # noqa: PTH208 - as above
    except OSError:
        return
    for name in names:
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123 - as little as possible runs after a fork
                text = file.read()
        except OSError:  # it has ended
            continue
        state, parent, _, session = text[text.rindex(b")") + 2 :].split()[:4]
        if state != _ENDED:
            yield int(name), int(parent), int(session)


def _end_like(status: int) -> NoReturn:
    """End as the program did, without leaving a second core file."""
    import resource

    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with contextlib.suppress(OSError, ValueError):  # SIGKILL has no handler to take away
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [number])
        os.kill(os.getpid(), number)
    os._exit(os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 1)
