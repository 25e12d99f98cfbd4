"""Temporary files: a folder for this process, and what lies elsewhere, which a later run removes if this one cannot.

::

    passbuild-XXXXXXXX/       among the system's temporary files, for this user alone
      lock                    locked as long as the process lives; a folder without it was kept on purpose
      outside                 what was made elsewhere meanwhile: paths, each with a NUL behind it
      output-N.log            what programs have printed
      work/                   all the rest, and all of it that these programs may write
    OUTDIR/.passbuild-XXXXXXXX/
      lock                    as above
      out/                    what is going to be published

What is made elsewhere (a folder in the output folder, a file that is going to take the place of another one) is noted
before it is there. So whatever kills the process, the next one finds a lock that nobody holds, and cleans up. It
removes nothing but what has such a name as we give: whoever writes a note of their own gains nothing by it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import stat
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from passbuild import cancellation, locks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from passbuild.locks import Lock

_PREFIX = "passbuild-"
LOG = ".log"
"""How the name of a log ends that outlives its run."""
_HIDDEN = ".passbuild-"
_OURS = re.compile(r"\.passbuild-[0-9a-f]{8}")
"""What is made elsewhere is called like that."""
_LACKING = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)
"""What a file system without locks says."""
_WEEK = 7 * 24 * 3600
_LOCK = "lock"
_OUTSIDE = "outside"
_WORK = "work"
_OUT = "out"
_OWN = 0o700
_MADE = "made "
"""Stands before the path of a folder that was made for something else, and stays when there is anything in it."""


class Scratch:
    """The temporary folder of this process, as long as somebody uses it."""

    def __init__(self, parent: Path) -> None:
        self.parent = parent
        """The folder for temporary files in which it lies."""
        self.folder = Path()
        self._state: os.stat_result | None = None
        self._rooms = 0
        self.users = 0
        self.is_kept = False
        """Whether it stays when nobody uses it any more."""
        self._lock: Lock | None = None
        if locks.IS_AVAILABLE:
            _sweep(parent)
        while not self._is_made():
            pass

    @property
    def work(self) -> Path:
        """The folder in which programs that we start may write."""
        return self.folder / _WORK

    def new_folder(self, name: str) -> Path:
        """Make a folder of this name, with a number behind it if need be."""
        number = 1
        while True:
            folder = self.work / (name if number == 1 else f"{name}-{number}")
            try:
                folder.mkdir()
            except FileExistsError:
                number += 1
            else:
                return folder

    def room(self) -> tuple[Path, Path]:
        """Return a folder for one run, and a file for its log, which is not there yet."""
        self._rooms += 1
        folder = self.new_folder("run") if self._rooms > 1 else self.work
        return folder, self.folder / f"output-{self._rooms}{LOG}"

    def note(self, what: str) -> None:
        """Note what is going to lie elsewhere."""
        with (self.folder / _OUTSIDE).open("ab") as file:
            file.write(os.fsencode(what) + b"\0")

    def close(self) -> None:
        """Remove the folder, or what marks it as one that is in use; what cannot be removed is left to a later run."""
        with cancellation.together():
            if self.is_kept:
                _unmark(self.folder)
            elif self._state is not None and _is_at(self._state, self.folder):
                _tidy(self.folder)
            if self._lock is not None:
                self._lock.release()

    def _is_made(self) -> bool:
        """Make the folder and lock it; return whether it is ours, and nobody has taken it for a leftover meanwhile."""
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=self.parent))
        self.folder = folder
        try:
            self._lock = _taken(folder / _LOCK) if locks.IS_AVAILABLE else None
            if locks.IS_AVAILABLE and self._lock is None:
                return False
            self.work.mkdir()
            self._state = folder.lstat()
        except FileNotFoundError:
            return False
        except OSError as error:
            if error.errno in _LACKING:  # nobody else can tell that we are here: without a mark, it is let alone
                _unmark(folder)
                self.work.mkdir()
                self._state = folder.lstat()
                return True
            _tidy(folder)
            raise
        return True


def _taken(file: Path) -> Lock | None:
    """Make a file and return the lock on it; None where somebody else was faster. Raises OSError."""
    lock = locks.opened(file)
    try:
        if lock.take(exclusive=True, wait=False) and lock.is_at(file):
            return lock
    except OSError:
        lock.release()
        raise
    lock.release()
    return None


_GUARD = threading.Lock()
_OPEN: list[Scratch] = []
"""The one that is open, or none."""


@contextlib.contextmanager
def opened(*, is_ours: bool = False) -> Iterator[Scratch]:
    """Yield the temporary folder of this process; whoever leaves last removes it, and what others have left.

    Where the process `is_ours`, everything that it makes temporarily lies in there, whoever asks Python for it.
    """
    taken: list[Scratch] = []
    before = tempfile.tempdir
    try:
        with cancellation.together(), _GUARD:
            if not _OPEN:
                _OPEN.append(_made())
            place = _OPEN[0]
            place.users += 1
            taken.append(place)
            if is_ours:
                tempfile.tempdir = str(place.work)
        yield place
    finally:
        if is_ours:
            tempfile.tempdir = before
        for place in taken:
            with cancellation.together(), _GUARD:
                place.users -= 1
                if place.users == 0:
                    _OPEN.remove(place)
                    place.close()


def _made() -> Scratch:
    """Make the folder in the first place for temporary files that takes it, in the order in which Python looks.

    Python itself looks by writing a file, which stays when the process is killed in that moment. Raises OSError.
    """
    named = [os.environ[name] for name in ("TMPDIR", "TEMP", "TMP") if os.environ.get(name)]
    places = [tempfile.tempdir] if tempfile.tempdir else [*named, "/tmp", "/var/tmp", "/usr/tmp"]  # noqa: S108 - as Python has it
    if os.name != "posix":
        places = [tempfile.gettempdir()]
    problem: OSError | None = None
    for place in places:
        try:
            return Scratch(Path(place).absolute())
        except OSError as error:
            problem = problem or error
    if problem is not None and problem.errno not in {
        errno.ENOENT,
        errno.ENOTDIR,
        errno.EACCES,
        errno.EPERM,
        errno.EROFS,
    }:
        raise problem
    raise FileNotFoundError(errno.ENOENT, f"No usable temporary directory found in {places}") from problem


@contextlib.contextmanager
def beside(final: Path) -> Iterator[Path]:
    """Yield the path of a file that is to be written and then to take the place of `final`; else it goes again."""
    with _noted(final.parent) as temporary:
        try:
            yield temporary
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink()


@contextlib.contextmanager
def folder_in(parent: Path) -> Iterator[Path]:
    """Yield a new folder in `parent`, which is made as well; afterwards it is gone, and so is a `parent` left empty.

    What others left there goes as well: they may have had another folder for temporary files. Raises OSError.
    """
    _sweep_hidden(parent)
    made = [folder for folder in (parent, *parent.parents) if not folder.exists()]
    for folder in made:
        _note(_MADE + str(folder))
    with _noted(parent) as temporary:
        lock = None
        try:
            lock = _make(temporary)
            yield temporary / _OUT
        finally:
            removed(temporary)
            if lock is not None:
                lock.release()
            for folder in made:
                with contextlib.suppress(OSError):
                    folder.rmdir()


def _make(folder: Path, attempts: int = 5) -> Lock | None:
    """Make a folder in one that another process may take away, empty, while we look at it; return the lock on it."""
    for _ in range(attempts - 1):
        with contextlib.suppress(FileNotFoundError):
            return _made_hidden(folder)
    return _made_hidden(folder)


def _made_hidden(folder: Path) -> Lock | None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=_OWN, exist_ok=True)
    lock = None
    if locks.IS_AVAILABLE:
        try:
            lock = _taken(folder / _LOCK)
        except OSError as error:
            if error.errno not in _LACKING:
                raise
            (folder / _LOCK).unlink()
        else:
            if lock is None:
                raise FileNotFoundError(errno.ENOENT, "somebody took it for a leftover", str(folder))
    (folder / _OUT).mkdir(exist_ok=True)
    return lock


@contextlib.contextmanager
def _noted(parent: Path) -> Iterator[Path]:
    """Yield a path that nobody else uses."""
    path = parent / f"{_HIDDEN}{os.urandom(4).hex()}"
    _note(str(path))
    yield path


def _note(what: str) -> None:
    with _GUARD:
        if _OPEN:
            _OPEN[0].note(what)


def removed(folder: Path) -> None:
    """Remove a folder with all that is in it, also what may not be written; what cannot be removed stays."""
    inside = (str(folder), f"{folder}{os.sep}")

    def again(function: Callable[[str], object], path: str, problem: object) -> None:
        del problem
        with contextlib.suppress(OSError):
            for place in (os.path.dirname(path), path):  # noqa: PTH120 - a text
                is_ours = place == inside[0] or place.startswith(inside[1])  # what is above belongs to others
                if is_ours and not os.path.islink(place):  # noqa: PTH114 - a text
                    os.chmod(place, _OWN)  # noqa: PTH101 - a text
            if function in {os.unlink, os.rmdir, os.remove}:
                function(path)
            else:  # it could not be listed
                shutil.rmtree(path, ignore_errors=True)

    if sys.version_info >= (3, 12):
        shutil.rmtree(inside[0], onexc=again)
    else:
        shutil.rmtree(inside[0], onerror=again)


def _sweep(parent: Path) -> None:
    """Remove what processes left that are no more; what another one uses is locked."""
    with contextlib.suppress(OSError), os.scandir(parent) as entries:
        for entry in entries:
            if entry.name.startswith(_PREFIX):
                with contextlib.suppress(OSError):
                    _sweep_one(entry)
            if entry.name.startswith(_PREFIX) and entry.name.endswith(LOG):
                with contextlib.suppress(OSError):
                    _sweep_log(entry)


def _sweep_hidden(parent: Path) -> None:
    """Remove folders in an output folder that nobody locks any more."""
    with contextlib.suppress(OSError), os.scandir(parent) as entries:
        for entry in entries:
            if not _OURS.fullmatch(entry.name) or not locks.IS_AVAILABLE:
                continue
            with contextlib.suppress(OSError):
                state = entry.stat(follow_symlinks=False)
                if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.getuid():
                    continue
                folder = Path(entry.path)
                try:
                    lock = locks.existing(folder / _LOCK)
                except FileNotFoundError:
                    folder.rmdir()  # killed before there was a lock; where there can be none, it is not empty
                    continue
                try:
                    if lock.take(exclusive=True, wait=False) and lock.is_at(folder / _LOCK):
                        removed(folder)
                finally:
                    lock.release()


def _is_at(state: os.stat_result, folder: Path) -> bool:
    """Whether a folder is still the one that we made, and no link in its place."""
    try:
        return os.path.samestat(state, folder.lstat())
    except OSError:
        return False


def _sweep_one(entry: os.DirEntry[str]) -> None:
    state = entry.stat(follow_symlinks=False)
    # Others can make a folder of that name as well: what it notes would be removed with our rights.
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.getuid() or stat.S_IMODE(state.st_mode) != _OWN:
        return
    folder = Path(entry.path)
    try:
        lock = locks.existing(folder / _LOCK)
    except FileNotFoundError:
        folder.rmdir()  # killed before there was a lock; one that is kept is not empty
        return
    try:
        if not lock.take(exclusive=True, wait=False) or not lock.is_at(folder / _LOCK):
            return
        _tidy(folder)
    finally:
        lock.release()


def _tidy(folder: Path) -> None:
    """Remove what belongs to a run, and then, if all of it is gone, what says so."""
    noted = _outside(folder)
    for what in noted:
        _remove(what)
    _empty(folder)
    left = {path.name for path in folder.iterdir()} - {_LOCK, _OUTSIDE}
    is_clean = not left and not any(os.path.lexists(what) and _is_ours(what) for what in noted)
    if is_clean:
        _unmark(folder)
        with contextlib.suppress(OSError):
            folder.rmdir()


def _unmark(folder: Path) -> None:
    with contextlib.suppress(OSError):  # what is noted is only forgotten together with the lock
        for name in (_OUTSIDE, _LOCK):
            (folder / name).unlink(missing_ok=True)


def _sweep_log(entry: os.DirEntry[str]) -> None:
    """Remove the log of a failed build that nobody has wanted for a week."""
    state = entry.stat(follow_symlinks=False)
    if stat.S_ISREG(state.st_mode) and state.st_uid == os.getuid() and time.time() - state.st_mtime > _WEEK:
        Path(entry.path).unlink()


def _outside(folder: Path) -> list[str]:
    """Return what is noted, without the last one if it was not written to its end: that was not made."""
    try:
        content = (folder / _OUTSIDE).read_bytes()
    except FileNotFoundError:
        return []
    return [os.fsdecode(part) for part in content.split(b"\0")[:-1]]


def _is_ours(what: str) -> bool:
    return _OURS.fullmatch(os.path.basename(what)) is not None  # noqa: PTH119 - a text


def _remove(what: str) -> None:
    """Remove something that was noted, if it is called as we call it: a note may be somebody else's."""
    with contextlib.suppress(OSError):
        if what.startswith(_MADE):
            Path(what.removeprefix(_MADE)).rmdir()
        elif not _is_ours(what):
            return
        elif os.path.isdir(what) and not os.path.islink(what):  # noqa: PTH112, PTH114 - a text
            removed(Path(what))
        else:
            Path(what).unlink()


def _empty(folder: Path) -> None:
    """Remove what is in a folder, and last what says that it may be removed."""
    with contextlib.suppress(OSError):
        for item in list(folder.iterdir()):
            if item.name in {_LOCK, _OUTSIDE}:
                continue
            if item.is_dir() and not item.is_symlink():
                removed(item)
            else:
                with contextlib.suppress(OSError):
                    item.unlink()
