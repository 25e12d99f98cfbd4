"""The server that starts programs, the supervisors that it forks, and how these protect folders (Linux).

It runs apart from passbuild, as `forkserver` starts it. It imports nothing but what it needs of the standard library:
so it is there in a fiftieth of a second, and to fork it takes half a millisecond. Orders are of `marshal`, as both
sides are the same Python; texts are bytes in them, as the system has them.

A program may start others, and these may leave its process group and its session. The system hands the children of a
process that ends to the nearest *subreaper* above it (`prctl(2)`, PR_SET_CHILD_SUBREAPER), so a supervisor has every
process that comes of its program below itself, wherever it went. It has three duties:

- When passbuild asks for it, all of them are asked to end, and killed if they have not ended after a while, or at once.
- When passbuild is gone, however that happened, the system closes the socket that leads to it; then as well.
- When the program has ended, what it left running in its session ends as well. What has made a session of its own
  is a daemon that is meant to stay, such as the server of sccache, and stays.

Before it starts the program, it makes folders read-only for itself and all that it starts, by one of two means:

- A *mount namespace* (`mount_namespaces(7)`) in which the folders are mounted on themselves, read-only. It needs the
  right to mount, which a user namespace gives where the system lets users make one. Everything else stays writable.
- *Landlock* (`landlock(7)`), which needs no right, and knows nothing but what is allowed: all that lies beside the
  folders. In their parents nothing new can be made then, so it serves only where no build has to.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import marshal
import os
import select
import signal
import socket
import struct
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any, NoReturn, TypedDict

    Place = tuple[bytes, int, int]
    """A path without links; device and inode of a folder, zeros for what is none."""

    class Zone(TypedDict):
        """What a program is to be kept from writing (`protection.Zone`)."""

        protected: Sequence[Place]
        also: Sequence[Place]
        ours: Sequence[Place]
        writable: Sequence[Place]
        layered: Sequence[tuple[Place, bytes]]
        """Folders, each with the one that takes what is written there."""
        open: Sequence[bytes]

    class Order(TypedDict):
        """A program that is to be started."""

        argv: Sequence[bytes]
        environ: Mapping[bytes, bytes]
        cwd: bytes
        grace: float
        """Seconds between asking it to end and killing it."""
        is_polite: bool
        """Whether it ends what it has started by itself, if it is only asked."""
        zone: Zone | None
        is_needed: bool
        """Whether it is not to be started where the zone cannot be protected."""


END, AT_ONCE = b"end", b"now"
"""What passbuild asks of a supervisor."""
LONGEST = 1 << 16
"""Bytes of what either says to the other at once."""
SIZE = 8
"""Bytes of the number that stands before an order: its length."""
_FILES = 2
"""Comes with an order: the program's output, and the socket by which its supervisor is asked."""
_COULD_NOT_START = 127
_HEARD = (signal.SIGTERM, signal.SIGCHLD)
_TICK = 0.02
"""Seconds between two looks at processes that are to end."""
_PATIENCE = 0.4
"""The part of the grace after which SIGTERM follows SIGINT: a shell's background programs ignore that."""
_LAST = 10.0
"""Seconds after which processes that cannot even be killed are given up."""
_ENDED = b"Z"
_PDEATHSIG, _SUBREAPER, _NO_NEW_PRIVILEGES, _DROP_CAPABILITY = 1, 36, 38, 24
"""Of `prctl(2)`."""
_CAPABILITIES = (2, 16, 17, 19, 21, 27)
"""By which root could get around mounts: handles of files, modules, devices, other processes, mounts, nodes."""
_NEW_MOUNTS, _NEW_USERS = 0x00020000, 0x10000000
_BIND, _RECURSIVE, _SLAVE = 0x1000, 0x4000, 0x80000
_READ_ONLY = 0x1
_SETATTR, _AT_CWD, _AT_RECURSIVE = 442, -100, 0x8000
"""`mount_setattr(2)`, which has the same number on every architecture, as the calls of Landlock have."""
_CREATE, _ADD, _RESTRICT = 444, 445, 446
_ASK_VERSION = 1
_BENEATH = 1
_WRITE_FILE, _TRUNCATE, _MAKE_BLOCK, _REFER = 1 << 1, 1 << 14, 1 << 11, 1 << 13
_OF_FILES = _WRITE_FILE | _TRUNCATE
_WRITES = _OF_FILES | sum(1 << number for number in range(4, 14))
"""All kinds of access by which something is changed, of Landlock's third version: before it nothing keeps a file from
being truncated."""
_OLDEST = 3
_LONGEST_REASON = 4000

libc = ctypes.CDLL(None, use_errno=True)


# The server.


def serve(descriptor: int) -> NoReturn:
    """Take orders on a socket until passbuild is gone."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    hangup = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for supervisors
    server = socket.socket(fileno=descriptor)
    while True:
        try:
            order, (output, answering) = _received(server)
        except (EOFError, OSError):
            os._exit(0)
        with socket.socket(fileno=answering) as passbuild:
            try:
                is_supervisor = os.fork() == 0
            except OSError as error:
                started = _Started()
                started.error, started.file = error.errno or 0, order["argv"][0]
                _tell(passbuild, started.packed())
            else:
                if is_supervisor:
                    _supervise(order, output, passbuild, hangup)
        os.close(output)


def _received(server: socket.socket) -> tuple[Order, list[int]]:
    """Return the next order and its files. Raises EOFError when there will be none, and OSError."""
    head, files, _, _ = socket.recv_fds(server, SIZE, _FILES)
    length = int.from_bytes(head, "big")
    content = bytearray()
    while len(head) == SIZE and len(content) < length:
        part = server.recv(min(LONGEST, length - len(content)))
        if not part:
            break
        content += part
    if len(head) < SIZE or len(content) < length or len(files) < _FILES:
        raise EOFError
    return marshal.loads(content), files


class _Started:
    """What became of an order."""

    def __init__(self) -> None:
        self.program = 0
        """Its process; 0 where there is none."""
        self.means, self.reason = "", ""
        """By what its zone is protected (`protection.Means`), empty where nothing was to be; why not by others."""
        self.moved = b""
        """A path of the zone that leads elsewhere now: then there is no program."""
        self.error, self.file = 0, b""
        """Of the OSError for which there is no program."""

    def packed(self) -> bytes:
        """Return what passbuild is told: that is read as texts, as the program may have a hand in it."""
        supervisor = os.getpid() if self.program else 0
        texts = (str(supervisor), self.means, self.reason[:_LONGEST_REASON], str(self.error))
        return b"\0".join([*(text.encode(errors="replace") for text in texts), self.moved, self.file])


def _tell(passbuild: socket.socket, what: bytes) -> None:
    """Say something to passbuild, if it is still there."""
    with contextlib.suppress(OSError):
        passbuild.send(what)


# A supervisor.


def _supervise(order: Order, output: int, passbuild: socket.socket, hangup: Any) -> NoReturn:
    """Start a program and watch over it, as the leader of a session."""
    try:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDWR), 0)
        ear = _Ear(passbuild)
        started = _started(order, output, hangup, ear)
        os.close(output)
        _tell(passbuild, started.packed())
        if started.program:
            status = os.waitstatus_to_exitcode(_watched(started.program, ear, order))
            _tell(passbuild, str(status).encode("ascii"))
    except BaseException:  # noqa: BLE001 - nothing goes on without us
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


def _started(order: Order, output: int, hangup: Any, ear: _Ear) -> _Started:
    """Start a program where it is to be, kept from what it is not to write; return what became of it."""
    told = _Started()
    told.file = order["cwd"]
    try:
        os.chdir(order["cwd"])
        told.file = order["argv"][0]
        if order["zone"] is not None:
            told.means, told.reason = _protect(order["zone"])
            if order["is_needed"] and told.means == "nothing":
                return told
        libc.prctl(_SUBREAPER, 1, 0, 0, 0)
        reading, writing = os.pipe()
        program = 0 if ear.is_deserted() else _forked(order, output, hangup, writing)
        os.close(writing)
        problem = os.read(reading, LONGEST)
        os.close(reading)
        if problem:
            told.error = int(problem)
        else:
            told.program = program
    except _MovedError as error:
        told.moved = error.path
    except OSError as error:
        told.error = error.errno or 0
    return told


def _forked(order: Order, output: int, hangup: Any, telling: int) -> int:
    """Fork what becomes the program; return its id."""
    ourselves = os.getpid()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _HEARD)  # what it hears is not for us, and the other way round
    program = os.fork()
    if program:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return program
    try:
        libc.prctl(_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() == ourselves:  # it may have died before we could ask
            os.setpgid(0, 0)  # so that it has a group without us
            signal.set_wakeup_fd(-1)
            for number in (*_HEARD, signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ):
                signal.signal(number, signal.SIG_DFL)
            signal.signal(signal.SIGHUP, hangup)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            for descriptor in (1, 2):
                os.dup2(output, descriptor)
            os.execvpe(order["argv"][0], list(order["argv"]), order["environ"])
    except OSError as error:
        os.write(telling, str(error.errno).encode("ascii"))
    finally:
        os._exit(_COULD_NOT_START)


class _Ear:
    """Hears of what passbuild wants, and that a child has ended."""

    def __init__(self, passbuild: socket.socket) -> None:
        self._passbuild = passbuild
        self._poll = select.poll()
        self._waking, waker = os.pipe()
        os.set_blocking(self._waking, False)
        os.set_blocking(waker, False)
        for number in _HEARD:
            signal.signal(number, lambda *_: None)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        self._poll.register(passbuild, select.POLLIN)
        self._poll.register(self._waking, select.POLLIN)

    def is_deserted(self) -> bool:
        """Whether passbuild is gone."""
        return any(events & select.POLLHUP for _, events in self._poll.poll(0))

    def heard(self, seconds: float | None) -> bytes:
        """Wait, no longer than that, until there is something to hear; return what is wanted, if it is that."""
        wishes = {b""}
        for descriptor, _ in self._poll.poll(None if seconds is None else seconds * 1000):
            if descriptor == self._waking:
                wishes.add(END if signal.SIGTERM in os.read(self._waking, LONGEST) else b"")
                continue
            try:
                wish = self._passbuild.recv(LONGEST)
            except OSError:
                wish = b""
            wishes.add(wish or END)
            if not wish:
                self._poll.unregister(self._passbuild)
        return AT_ONCE if AT_ONCE in wishes else max(wishes)


def _watched(program: int, ear: _Ear, order: Order) -> int:
    """Wait for the program and see to what it leaves; return its wait status."""
    status: int | None = None
    ending: _Ending | None = None
    while True:
        status, is_alone = _reaped(program, status)
        if status is not None:
            if is_alone or (ending is not None and ending.is_over()):
                return status
            if ending is None:
                ending = _Ending.of_rest(program, order["grace"])
        if ending is not None and not ending.went_on() and status is not None:
            return status
        wish = ear.heard(None if ending is None else _TICK)
        if wish == AT_ONCE:
            ending = _Ending.at_once(program)
        elif wish == END and (ending is None or not ending.is_all):
            ending = _Ending.of_all(program, order["grace"], is_polite=order["is_polite"])


class _Ending:
    """How processes are made to end: by signals, each at its time."""

    def __init__(self, program: int, steps: list[tuple[float, int, bool]], *, is_all: bool) -> None:
        """Prepare it; a step is when it is due, in seconds, the signal, and whether only the program gets it."""
        self.is_all = is_all
        now = time.monotonic()
        self._program = program
        self._steps = [(now + seconds, number, is_alone) for seconds, number, is_alone in steps]
        self._last = self._steps[-1][0] + _LAST

    @classmethod
    def of_rest(cls, program: int, grace: float) -> _Ending:
        """Return one of what a program has left running in its session."""
        return cls(program, [(0.0, signal.SIGTERM, False), (grace, signal.SIGKILL, False)], is_all=False)

    @classmethod
    def of_all(cls, program: int, grace: float, *, is_polite: bool) -> _Ending:
        """Return one of a program and all that came of it: asked as Ctrl-C does, as `kill` does, then killed."""
        last = (grace, int(signal.SIGKILL), False)
        if is_polite:
            return cls(program, [(0.0, signal.SIGTERM, True), last], is_all=True)
        # Python programs remove their temporary files for the first one alone.
        asked = [(0.0, int(signal.SIGINT), False), (grace * _PATIENCE, int(signal.SIGTERM), False)]
        return cls(program, [*asked, last], is_all=True)

    @classmethod
    def at_once(cls, program: int) -> _Ending:
        """Return one of a program and all that came of it, without asking."""
        return cls(program, [(0.0, signal.SIGKILL, False)], is_all=True)

    def went_on(self) -> bool:
        """Send the signal that is due; return whether there was anybody to send it to."""
        left = list(_left(self._program, is_all=self.is_all))
        while self._steps and time.monotonic() >= self._steps[0][0]:
            _, number, is_alone = self._steps[0]
            for process in [self._program] if is_alone else left:
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


def _left(program: int, *, is_all: bool) -> Iterator[int]:
    """Yield the processes below this one: all, or those of its session; without /proc, the program's group as one."""
    ourselves = os.getpid()
    if not _is_shown(ourselves):
        with contextlib.suppress(OSError):
            os.killpg(program, 0)
            yield -program
        return
    children: dict[int, list[tuple[int, int]]] = {}
    for process, parent, session in _processes():
        children.setdefault(parent, []).append((process, session))
    waiting = [ourselves]
    while waiting:
        for process, session in children.get(waiting.pop(), ()):
            waiting.append(process)
            if is_all or session == ourselves:
                yield process


def _is_shown(process: int) -> bool:
    """Whether /proc is there, and shows the processes by the numbers by which we know them (pid_namespaces(7))."""
    try:
        return os.readlink("/proc/self") == str(process)
    except OSError:
        return False


def _processes() -> Iterator[tuple[int, int, int]]:
    """Yield process, parent and session of everything that runs, as far as /proc shows it (proc_pid_stat(5))."""
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                text = file.read()
        except OSError:  # it has ended
            continue
        state, parent, _, session = text[text.rindex(b")") + 2 :].split()[:4]
        if state != _ENDED:
            yield int(name), int(parent), int(session)


# The protection of folders.


class _MovedError(Exception):
    """A path leads elsewhere than it did when the build began."""

    def __init__(self, path: bytes) -> None:
        super().__init__(path)
        self.path = path


def _protect(zone: Zone) -> tuple[str, str]:
    """Keep this process, and all that it starts, from writing; return the means, and why not others."""
    reasons: list[str] = []
    for means, way in (("mount-namespace", _mount), ("landlock", _landlock)):
        try:
            left_out = way(zone)
        except OSError as error:
            reasons.append(f"{means}: {error.strerror or error}")
        else:
            reasons += [f"not covered: {os.fsdecode(b', '.join(left_out))}"] if left_out else []
            return means, "; ".join(reasons)
    return "nothing", "; ".join(reasons)


def _called(result: int, what: str) -> int:
    """Return the result of a system call. Raises OSError where it failed."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def _enter_users() -> None:
    """Make a namespace of users, and one of mounts in it; a child tries it first, as there is no way back."""
    trial = os.fork()
    if trial == 0:
        number = errno.EPERM
        try:
            _change_users()
            _called(libc.mount(None, b"/", None, _RECURSIVE | _SLAVE, None), "mount")
            number = 0
        except OSError as error:
            number = error.errno or number
        finally:
            os._exit(number)
    number = os.waitstatus_to_exitcode(os.waitpid(trial, 0)[1])
    if number:
        raise OSError(abs(number), os.strerror(abs(number)))
    _change_users()


def _change_users() -> None:
    user, group = os.geteuid(), os.getegid()
    _called(libc.unshare(_NEW_MOUNTS | _NEW_USERS), "unshare")
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)


@contextlib.contextmanager
def _held(place: Place) -> Iterator[int]:
    """Yield a descriptor of what a path led to when the build began. Raises _MovedError, and OSError."""
    path, *identity = place
    try:
        descriptor = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise _MovedError(path) from error
    try:
        state = os.fstat(descriptor)
        if identity[1] and identity != [state.st_dev, state.st_ino]:
            raise _MovedError(path)
        if _is_shown(os.getpid()) and os.readlink(b"/proc/self/fd/%d" % descriptor) != path:
            raise _MovedError(path)
        yield descriptor
    finally:
        os.close(descriptor)


def _mount(zone: Zone) -> tuple[bytes, ...]:
    """Mount what is protected read-only, in a namespace of this process; return what is not."""
    if libc.unshare(_NEW_MOUNTS) < 0:
        _enter_users()
    # What is mounted outside later still arrives here, and nothing of ours leaves.
    _called(libc.mount(None, b"/", None, _RECURSIVE | _SLAVE, None), "mount")
    for place, is_protected in _nested((*zone["protected"], *zone["also"], *zone["ours"]), zone["writable"]):
        if not place[2] and not os.path.lexists(place[0]):  # a file of the user's that is gone by now
            continue
        name = os.fsdecode(place[0])
        with _held(place) as descriptor:
            target = b"/proc/self/fd/%d" % descriptor
            _called(libc.mount(target, target, None, _BIND | _RECURSIVE, None), f"mount {name}")
        change = struct.pack("QQQQ", *((_READ_ONLY, 0) if is_protected else (0, _READ_ONLY)), 0, 0)
        with _held(place) as descriptor:  # what is mounted there now
            target = b"/proc/self/fd/%d" % descriptor
            result = libc.syscall(_SETATTR, _AT_CWD, target, _AT_RECURSIVE, change, len(change))
            _called(result, f"mount_setattr {name}")
    for place, layer in zone["layered"]:
        _lay_over(place, layer)
    os.chdir(os.getcwdb())  # until now it is the folder behind what was mounted
    for capability in _CAPABILITIES:
        libc.prctl(_DROP_CAPABILITY, capability, 0, 0, 0)
    with contextlib.suppress(OSError):  # one more fence: no mounts, and no hold on processes outside
        _fence()
    return ()


def _lay_over(place: Place, layer: bytes) -> None:
    """Mount a layer over a folder that takes all that is written there; without one it is read-only.

    Where the layer cannot lie among temporary files, as on the overlay of a container, it lies in memory, for this
    program alone.
    """
    with contextlib.suppress(OSError):
        _make(layer)
        if not _is_laid_over(place, layer):
            _called(libc.mount(b"tmpfs", layer, b"tmpfs", 0, None), "mount")
            _is_laid_over(place, layer)


def _is_laid_over(place: Place, layer: bytes) -> bool:
    upper, scratch = layer + b"/upper", layer + b"/work"
    _make(upper)
    _make(scratch)
    with _held(place) as lower, _held((upper, 0, 0)) as high, _held((scratch, 0, 0)) as beside:
        # Options cannot hold every path, but every number.
        told = b"lowerdir=/proc/self/fd/%d,upperdir=/proc/self/fd/%d,workdir=/proc/self/fd/%d"
        told %= lower, high, beside
        # Only the first namespace of users may note in the attributes that are usual what was removed.
        told += b"" if _is_first_namespace() else b",userxattr"
        return bool(libc.mount(b"overlay", b"/proc/self/fd/%d" % lower, b"overlay", 0, told) == 0)


def _is_first_namespace() -> bool:
    """Whether all users of the system are ours, by their own numbers (user_namespaces(7))."""
    with open("/proc/self/uid_map", "rb") as file:
        return file.read().split() == [b"0", b"0", b"4294967295"]


def _make(folder: bytes) -> None:
    with contextlib.suppress(FileExistsError):
        os.mkdir(folder, 0o700)


def _fence() -> None:
    """Enter a domain of Landlock in which files may be moved about as ever, which is refused where nobody allows it."""
    if libc.syscall(_CREATE, None, 0, _ASK_VERSION) < _OLDEST:
        return
    rules = _ruleset(_MAKE_BLOCK | _REFER)
    _allow(rules, b"/", _REFER)
    _restrict(rules)


def _nested(protected: Iterable[Place], writable: Iterable[Place]) -> Iterator[tuple[Place, bool]]:
    """Yield what differs from what is around it, outer folders first, each with whether it is protected."""
    places = {place[0]: (place, True) for place in protected} | {place[0]: (place, False) for place in writable}
    for path in sorted(places, key=lambda item: item.count(b"/")):
        place, is_protected = places[path]
        around = next((places[parent][1] for parent in _parents(path) if parent in places), False)
        if is_protected != around:
            yield place, is_protected


def _parents(path: bytes) -> Iterator[bytes]:
    """Yield the folders in which a path lies, from the inside out."""
    while len(path) > 1:
        path = path.rpartition(b"/")[0] or b"/"
        yield path


def _landlock(zone: Zone) -> tuple[bytes, ...]:
    """Allow writing everywhere but in what is protected; return what is left out of that."""
    version = _called(libc.syscall(_CREATE, None, 0, _ASK_VERSION), "landlock")
    if version < _OLDEST:
        raise OSError(errno.ENOSYS, f"the kernel's version {version} does not keep files from being truncated")
    for place in (*zone["protected"], *zone["writable"]):
        with _held(place):  # for what it raises
            pass
    free = {place[0] for place in zone["writable"]} | set(zone["open"])
    for path, *_ in zone["protected"]:
        inside = next((folder for folder in _parents(path) if folder in free), None)
        if inside is not None:
            problem = f"a protected folder lies in {os.fsdecode(inside)}, where the build may make files"
            raise OSError(errno.EBUSY, problem)
    kept = [place for place in zone["also"] if free.isdisjoint(_parents(place[0]))]
    states = {place[0]: is_protected for place, is_protected in _nested((*zone["protected"], *kept), zone["writable"])}
    rules = _ruleset(_WRITES)
    try:
        for path in _beside(states):
            _allow(rules, path)
    except BaseException:
        os.close(rules)
        raise
    _restrict(rules)
    return (*(place[0] for place in zone["also"] if place not in kept), b"permissions and times")


def _beside(states: Mapping[bytes, bool]) -> Iterator[bytes]:
    """Yield what may be written, by what is protected and what is not inside of that. Raises OSError."""
    closed = {parent for path, is_protected in states.items() if is_protected for parent in _parents(path)}
    waiting = [b"/"]
    while waiting:
        folder = waiting.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_symlink() or states.get(entry.path, False):
                    continue
                if entry.path in closed:
                    waiting.append(entry.path)
                else:
                    yield entry.path
    yield from (path for path, is_protected in states.items() if not is_protected)


def _ruleset(access: int) -> int:
    attributes = struct.pack("Q", access)
    return _called(libc.syscall(_CREATE, attributes, len(attributes), 0), "landlock_create_ruleset")


def _allow(rules: int, path: bytes, access: int = _WRITES) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:  # gone by now
        return
    try:
        rule = struct.pack("=Qi", access if os.path.isdir(path) else access & _OF_FILES, descriptor)
        _called(libc.syscall(_ADD, rules, _BENEATH, rule, 0), f"landlock_add_rule {os.fsdecode(path)}")
    finally:
        os.close(descriptor)


def _restrict(rules: int) -> None:
    try:
        libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        _called(libc.syscall(_RESTRICT, rules, 0), "landlock_restrict_self")
    finally:
        os.close(rules)
