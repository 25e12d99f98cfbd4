"""Extract an sdist archive without letting anything out of the folder it is extracted to, or more into it than it may.

A tar archive is checked member by member, before each is written: by tarfile's own data filter, and by rules that ask
less of it. Links lead straight up and then down, and stay in the top folder; nothing is written through a link. So it
does not matter where a path of links would lead: that took several releases of Python to get right.
"""

from __future__ import annotations

import gzip
import lzma
import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from passbuild.errors import SourceNotFound, UnsafeArchive

MOST_BYTES = 10 * 10**9
"""What an archive may unpack to."""
MOST_MEMBERS = 500_000
DEEPEST = 200
"""Folders that may lie in each other: programs that walk trees, our own too, do so by recursion."""
LONGEST_HEADER = 1 << 20
"""Bytes that tarfile may read at once. It reads contents in small blocks, and headers of any size as a whole."""
_BLOCK = 1 << 20
_DAMAGED = (
    *(tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError),
    *(ValueError, ArithmeticError, LookupError, RuntimeError),  # of fields that hold nonsense, and of unknown packing
)


def extracted(archive: Path, folder: Path) -> Path:
    """Extract `archive` into `folder` and return the one top folder that it holds.

    Raises UnsafeArchive when a member would reach outside, or when there is too much of it, and SourceNotFound when the
    file is no sdist archive.
    """
    folder.mkdir(parents=True)
    try:
        if archive.name.endswith(".zip"):
            _extract_zip(archive, folder)
        else:
            _extract_tar(archive, folder)
    except (tarfile.FilterError, _Unsafe) as error:
        raise UnsafeArchive(archive=archive, problem=str(error)) from error
    except _DAMAGED as error:
        raise SourceNotFound(source=archive, problem=f"cannot be extracted: {error}") from error
    tops = sorted(folder.iterdir())
    if len(tops) != 1 or not tops[0].is_dir():
        names = ", ".join(top.name for top in tops) or "nothing"
        raise SourceNotFound(source=archive, problem=f"is no sdist: it holds {names} instead of one top folder")
    return tops[0]


class _Unsafe(Exception):
    """Something that may not be extracted."""


class _Room:
    """Where an archive is extracted to, and how much more may come."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._left = MOST_BYTES
        self._count = 0
        self._made: set[PurePosixPath] = set()
        self._folders: set[PurePosixPath] = set()
        """What is a folder, and can become nothing else."""

    def take(self, name: str, size: int) -> None:
        """Make room for one more member. Raises _Unsafe."""
        self._count += 1
        self._left -= max(size, 0)
        if self._count > MOST_MEMBERS:
            raise _Unsafe(f"it has more than {MOST_MEMBERS} members")
        if self._left < 0:
            raise _Unsafe(f"it unpacks to more than {MOST_BYTES / 1e9:g} GB, with {name!r}")

    def place(self, name: str, path: PurePosixPath, *, is_folder: bool) -> Path:
        """Return where a member belongs, which nothing but itself can have. Raises _Unsafe."""
        if len(path.parts) > DEEPEST:
            raise _Unsafe(f"{name[:100]!r} lies in more than {DEEPEST} folders")
        for inner in reversed((path, *path.parents)[:-1]):  # not the folder itself, which some archives hold
            if inner in self._folders:
                continue
            place = self._folder / inner
            if inner not in self._made and os.path.lexists(place):
                raise _Unsafe(f"{name!r} and another member are the same file here, where upper case is lower case")
            if place.is_symlink() and inner != path:
                raise _Unsafe(f"{name!r} goes through the link {str(inner)!r}")
            self._made.add(inner)
            if (inner != path or is_folder) and not place.is_symlink():
                self._folders.add(inner)
        return self._folder / path


def _extract_tar(archive: Path, folder: Path) -> None:
    if not hasattr(tarfile, "data_filter"):  # pragma: no cover - Python 3.10 before 3.10.12
        raise _Unsafe("this Python's tarfile has no data filter; update it")
    room = _Room(folder)
    with _Bounded(archive) as unpacked, tarfile.open(fileobj=unpacked, mode="r:") as tar:
        while (member := tar.next()) is not None:
            if sum(map(len, tar.pax_headers.values())) > LONGEST_HEADER:
                raise _Unsafe("it has headers of an unreasonable size")
            room.take(member.name, member.size if member.isreg() else 0)
            _check_member(member, room, folder)
            tar.extract(member, folder, filter="data")
            tar.members = []  # type: ignore[attr-defined]  # half a million of them, with headers of any size, would be too many to keep


def _check_member(member: tarfile.TarInfo, room: _Room, folder: Path) -> None:
    """Refuse what the data filter would let through, or mend. Raises _Unsafe or FilterError."""
    path = PurePosixPath(member.name)
    if path.is_absolute():
        raise tarfile.AbsolutePathError(member)
    if ".." in path.parts:
        raise tarfile.OutsideDestinationError(member, str(folder / path))
    place = room.place(member.name, path, is_folder=member.isdir())
    if member.issym() or member.islnk():
        _check_link(member, path, folder)
    elif place.is_symlink():
        raise _Unsafe(f"{member.name!r} goes through the link of its own name")


def _check_link(member: tarfile.TarInfo, path: PurePosixPath, folder: Path) -> None:
    """Refuse a link that leaves the top folder, or might: up comes before down. Raises _Unsafe or FilterError."""
    target = PurePosixPath(member.linkname)
    if target.is_absolute():
        raise tarfile.AbsoluteLinkError(member)
    ups = next((count for count, part in enumerate(target.parts) if part != ".."), len(target.parts))
    if ".." in target.parts[ups:]:
        raise _Unsafe(f"the link {member.name!r} leads down and up again, to {member.linkname!r}")
    if member.islnk():
        place = folder / target
        is_through_links = any((folder / item).is_symlink() for item in (target, *target.parents))
        if ups or is_through_links or not place.is_file():
            raise _Unsafe(f"the hard link {member.name!r} leads to {member.linkname!r}, which is no file before it")
        return
    base = path.parts[:-1]
    if ups > len(base) or (*base[: len(base) - ups], *target.parts[ups:])[:1] != base[:1] or not base:
        raise tarfile.LinkOutsideDestinationError(member, str(folder / path.parent / target))


class _Bounded(gzip.GzipFile):
    """What a file unpacks to, as long as it is not too much."""

    def read(self, size: int | None = -1) -> bytes:
        """Read some bytes. Raises _Unsafe."""
        if size is None or not 0 <= size <= LONGEST_HEADER:
            raise _Unsafe("it has a header of an unreasonable size")
        self._check(self.tell() + size)
        return super().read(size)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place. Raises _Unsafe."""
        if whence == os.SEEK_SET:
            self._check(offset)
        return super().seek(offset, whence)

    def _check(self, place: int) -> None:
        if place > MOST_BYTES + LONGEST_HEADER + MOST_MEMBERS * 3 * tarfile.BLOCKSIZE:
            raise _Unsafe(f"it unpacks to more than {MOST_BYTES / 1e9:g} GB")


def _extract_zip(archive: Path, folder: Path) -> None:
    room = _Room(folder)
    with zipfile.ZipFile(archive) as bundle:
        for member in bundle.infolist():
            room.take(member.filename, member.file_size)
            path = PurePosixPath(member.filename.replace("\\", "/"))
            if path.is_absolute() or ".." in path.parts or (path.parts and ":" in path.parts[0]):
                raise _Unsafe(f"{member.filename!r} reaches outside")
            mode = member.external_attr >> 16
            if stat.S_ISLNK(mode):
                raise _Unsafe(f"{member.filename!r} is a link")
            target = room.place(member.filename, path, is_folder=member.is_dir())
            if member.is_dir():
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with bundle.open(member) as source, target.open("wb") as sink:
                shutil.copyfileobj(source, sink, _BLOCK)
            if mode & stat.S_IXUSR:
                target.chmod(0o755)
