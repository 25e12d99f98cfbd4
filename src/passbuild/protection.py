"""Make folders read-only for one program and all that it starts, by means of the Linux kernel.

Two means, tried in this order:

- A *mount namespace* (`mount_namespaces(7)`) in which the folders are mounted on themselves, read-only. It needs the
  right to mount, which a user namespace gives where the system lets users make one. Everything else stays writable.
- *Landlock* (`landlock(7)`), which needs no right, and knows nothing but what is allowed: all that lies beside the
  folders. In their parents nothing new can be made then, so it serves only where no build has to.

Either is irrevocable, so it is done in the process that is to become the program (`supervisor`).
"""

from __future__ import annotations

import contextlib
import os
import struct
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from passbuild import supervisor
from passbuild.values import frozen, replace

if TYPE_CHECKING:
    import ctypes
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_NEW_MOUNTS, _NEW_USERS = 0x00020000, 0x10000000
_BIND, _RECURSIVE, _SLAVE = 0x1000, 0x4000, 0x80000
_READ_ONLY = 0x1
_SETATTR, _AT_CWD, _AT_RECURSIVE = 442, -100, 0x8000
"""`mount_setattr(2)`, which has the same number on every architecture, as the calls of Landlock have."""
_CREATE, _ADD, _RESTRICT = 444, 445, 446
_ASK_VERSION = 1
_BENEATH = 1
_NO_NEW_PRIVILEGES, _DROP_CAPABILITY, _ADMIN = 38, 24, 21
_WRITE_FILE, _TRUNCATE, _MAKE_BLOCK, _REFER = 1 << 1, 1 << 14, 1 << 11, 1 << 13
_OF_FILES = _WRITE_FILE | _TRUNCATE
_WRITES = _OF_FILES | sum(1 << number for number in range(4, 14))
"""All kinds of access by which something is changed, of Landlock's third version: before it nothing keeps a file from
being truncated."""
_OLDEST = 3
_LONGEST = 4000
"""Characters of a reason."""


class Means(Enum):
    """What keeps folders from being written."""

    MOUNTS = "mount-namespace"
    LANDLOCK = "landlock"
    NOTHING = "nothing"


@frozen
class Zone:
    """What is to be protected: absolute paths, with their links resolved."""

    protected: tuple[Path, ...]
    also: tuple[Path, ...]
    """What is protected as well, unless a means would be in the way by that."""
    writable: tuple[Path, ...]
    """What has to stay writable, also inside of what is protected."""
    open: tuple[Path, ...] = ()
    """Folders in which programs may want to make something new."""


@frozen
class Outcome:
    """What became of it."""

    means: Means
    reason: str = ""
    """Why not by the means that were tried before, and what is not covered by this one."""


class Protector:
    """Protects a zone; to be called in the new process, before there is a program."""

    def __init__(self, zone: Zone, *, is_needed: bool, means: Sequence[Means] = (Means.MOUNTS, Means.LANDLOCK)) -> None:
        """Prepare it; with `is_needed` there is no program where no means is to be had."""
        self._zone = replace(zone, open=()) if is_needed else zone
        self._is_needed = is_needed
        self._means = means
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._reading, False)
        self._outcome: Outcome | None = None

    def __call__(self) -> None:
        """Protect the zone, by the first means that can be had. Raises OSError where it is needed and none can."""
        library = supervisor.library()
        ways = {Means.MOUNTS: _mount, Means.LANDLOCK: _landlock}
        reasons: list[str] = []
        for means in self._means:
            try:
                left_out = ways[means](library, self._zone)
            except OSError as error:
                reasons.append(f"{means.value}: {error.strerror or error}")
            else:
                reasons += [f"not covered: {', '.join(map(str, left_out))}"] if left_out else []
                os.write(self._writing, f"{means.value}\n{'; '.join(reasons)}"[:_LONGEST].encode(errors="replace"))
                return
        told = f"{Means.NOTHING.value}\n{'; '.join(reasons)}"
        os.write(self._writing, told[:_LONGEST].encode(errors="replace"))
        if self._is_needed:
            raise OSError("; ".join(reasons))

    def outcome(self) -> Outcome:
        """Return what became of it in the new process, and close what led there."""
        if self._outcome is None:
            try:
                means, _, reason = os.read(self._reading, 4 * _LONGEST).decode(errors="replace").partition("\n")
            except BlockingIOError:
                means, reason = "", "the process did not say"
            os.close(self._reading)
            os.close(self._writing)
            self._outcome = Outcome(means=Means(means or "nothing"), reason=reason)
        return self._outcome


def _called(result: int, what: str) -> int:
    """Return the result of a system call. Raises OSError where it failed."""
    import ctypes

    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def _mount(library: ctypes.PyDLL, zone: Zone) -> tuple[Path, ...]:
    """Mount what is protected read-only, in a namespace of this process; return what is not. Raises OSError."""
    user, group = os.geteuid(), os.getegid()
    if library.unshare(_NEW_MOUNTS) < 0:
        _called(library.unshare(_NEW_MOUNTS | _NEW_USERS), "unshare")
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            Path("/proc/self", name).write_text(text, encoding="ascii")
    # What is mounted outside later still arrives here, and nothing of ours leaves.
    _called(library.mount(None, b"/", None, _RECURSIVE | _SLAVE, None), "mount")
    for path, is_protected in _nested((*zone.protected, *zone.also), zone.writable):
        place = os.fsencode(path)
        _called(library.mount(place, place, None, _BIND | _RECURSIVE, None), f"mount {path}")
        change = struct.pack("QQQQ", *((_READ_ONLY, 0) if is_protected else (0, _READ_ONLY)), 0, 0)
        result = library.syscall(_SETATTR, _AT_CWD, place, _AT_RECURSIVE, change, len(change))
        _called(result, f"mount_setattr {path}")
    os.chdir(Path.cwd())  # until now it is the folder behind what was mounted
    library.prctl(_DROP_CAPABILITY, _ADMIN, 0, 0, 0)  # root could mount it writable again
    with contextlib.suppress(OSError):  # one more fence: no mounts, and no hold on processes outside
        _fence(library)
    return ()


def _fence(library: ctypes.PyDLL) -> None:
    """Enter a domain of Landlock in which files may be moved about as ever, which is refused where nobody allows it."""
    if library.syscall(_CREATE, None, 0, _ASK_VERSION) < _OLDEST:
        return
    rules = _ruleset(library, _MAKE_BLOCK | _REFER)
    _allow(library, rules, Path("/"), _REFER)
    _restrict(library, rules)


def _nested(protected: Iterable[Path], writable: Iterable[Path]) -> Iterator[tuple[Path, bool]]:
    """Yield what differs from what is around it, outer folders first, each with whether it is protected."""
    states = {**dict.fromkeys(protected, True), **dict.fromkeys(writable, False)}
    for path in sorted(states, key=lambda item: len(item.parts)):
        around = next((states[parent] for parent in path.parents if parent in states), False)
        if states[path] != around:
            yield path, states[path]


def _landlock(library: ctypes.PyDLL, zone: Zone) -> tuple[Path, ...]:
    """Allow writing everywhere but in what is protected; return what is left out of that. Raises OSError."""
    version = _called(library.syscall(_CREATE, None, 0, _ASK_VERSION), "landlock")
    if version < _OLDEST:
        raise OSError(f"the kernel's version {version} does not keep files from being truncated")
    free = {*zone.writable, *zone.open}
    for path in zone.protected:
        if not free.isdisjoint(path.parents):
            inside = next(folder for folder in path.parents if folder in free)
            raise OSError(f"a protected folder lies in {inside}, where the build may make files")
    kept = [path for path in zone.also if free.isdisjoint(path.parents)]
    rules = _ruleset(library, _WRITES)
    try:
        for path in _beside(dict(_nested((*zone.protected, *kept), zone.writable))):
            _allow(library, rules, path)
    except BaseException:
        os.close(rules)
        raise
    _restrict(library, rules)
    return tuple(path for path in zone.also if path not in kept)


def _beside(states: Mapping[Path, bool]) -> Iterator[Path]:
    """Yield what may be written, by what is protected and what is not inside of that. Raises OSError."""
    closed = {parent for path, is_protected in states.items() if is_protected for parent in path.parents}
    waiting = [Path("/")]
    while waiting:
        folder = waiting.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                path = Path(entry.path)
                if entry.is_symlink() or states.get(path, False):
                    continue
                if path in closed:
                    waiting.append(path)
                else:
                    yield path
    yield from (path for path, is_protected in states.items() if not is_protected)


def _ruleset(library: ctypes.PyDLL, access: int) -> int:
    attributes = struct.pack("Q", access)
    return _called(library.syscall(_CREATE, attributes, len(attributes), 0), "landlock_create_ruleset")


def _allow(library: ctypes.PyDLL, rules: int, path: Path, access: int = _WRITES) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:  # gone by now
        return
    try:
        rule = struct.pack("=Qi", access if path.is_dir() else access & _OF_FILES, descriptor)
        _called(library.syscall(_ADD, rules, _BENEATH, rule, 0), f"landlock_add_rule {path}")
    finally:
        os.close(descriptor)


def _restrict(library: ctypes.PyDLL, rules: int) -> None:
    try:
        library.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        _called(library.syscall(_RESTRICT, rules, 0), "landlock_restrict_self")
    finally:
        os.close(rules)


def zone(
    protected: Iterable[Path], also: Iterable[Path], writable: Iterable[Path], wanted: Iterable[Path] = ()
) -> Zone:
    """Return a zone of the paths that are there; what is both is writable."""
    stays = tuple(dict.fromkeys(_resolved(writable)))
    never = {*stays, Path("/")}
    return Zone(
        protected=tuple(path for path in dict.fromkeys(_resolved(protected)) if path not in never),
        also=tuple(path for path in dict.fromkeys(_resolved(also)) if path not in never),
        writable=stays,
        open=tuple(dict.fromkeys(_resolved(wanted))),
    )


def _resolved(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        with contextlib.suppress(OSError, RuntimeError):
            yield path.resolve(strict=True)
