"""What no program of others has to write, and how much that matters; how it is protected stands in `_supervisor`."""

from __future__ import annotations

import contextlib
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from passbuild.errors import FolderMoved
from passbuild.values import frozen, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


class Means(Enum):
    """What keeps folders from being written."""

    MOUNTS = "mount-namespace"
    LANDLOCK = "landlock"
    NOTHING = "nothing"


class Place(NamedTuple):
    """A path without links, and what it leads to."""

    path: Path
    device: int = 0
    inode: int = 0
    """Zeros for what is no folder: files are replaced by programs that have nothing in mind."""


@frozen
class Zone:
    """What is to be protected."""

    protected: tuple[Place, ...]
    also: tuple[Place, ...]
    """What is protected as well, unless a means would be in the way by that."""
    ours: tuple[Place, ...]
    """What is protected by mounts alone, as Landlock would be in the way of programs that make something beside it."""
    writable: tuple[Place, ...]
    """What has to stay writable, also inside of what is protected."""
    layered: tuple[tuple[Place, Path], ...] = ()
    """What may be written, and is as it was afterwards: with mounts, what is written goes to the folder beside it."""
    open: tuple[Path, ...] = ()
    """Folders in which programs may want to make something new."""


class Paths(NamedTuple):
    """Of what a zone is to be made: paths that may not be there, and may be links."""

    protected: Iterable[Path]
    also: Iterable[Path]
    ours: Iterable[Path]
    writable: Iterable[Path]
    layered: Iterable[tuple[Path, Path]]
    open: Iterable[Path]


@frozen
class Outcome:
    """What became of it."""

    means: Means
    reason: str = ""
    """Why not by the means that were tried before, and what is not covered by this one."""


@frozen
class Guard:
    """What is protected from a program, and how much that matters."""

    zone: Zone | None = None
    """None for nothing."""
    is_needed: bool = False
    """Whether no program runs without."""
    on_outcome: Callable[[Outcome], None] = lambda _: None
    """Is told what became of it, for each program."""

    def may_write(self, *folders: Path) -> Guard:
        """Return one by which these folders, which we have just made, can be written as well."""
        if self.zone is None:
            return self
        more = tuple(_place(folder.resolve(strict=True)) for folder in folders)
        return replace(self, zone=replace(self.zone, writable=(*self.zone.writable, *more)))


class Places:
    """Where paths lead to: once a program of others has run, no longer elsewhere than before.

    It could move its project's folder away and put a link to the host in its place, and the next one could write that.
    """

    def __init__(self) -> None:
        self._known: dict[Path, Place | None] = {}
        self._is_settled = False

    def settle(self) -> None:
        """From now on a path that leads to nothing known is none that may be written."""
        self._is_settled = True

    def zone(self, paths: Paths) -> Zone:
        """Return a zone of the paths that are there; what is both is writable. Raises FolderMoved."""
        stays = tuple(dict.fromkeys(self._found(paths.writable, is_writable=True)))
        never = {*stays, _place(Path("/"))}

        def closed(named: Iterable[Path]) -> tuple[Place, ...]:
            return tuple(place for place in dict.fromkeys(self._found(named)) if place not in never)

        return Zone(
            protected=closed(paths.protected),
            also=closed(paths.also),
            ours=closed(paths.ours),
            writable=stays,
            layered=tuple((place, layer) for path, layer in paths.layered for place in self._found([path])),
            open=tuple(place.path for place in dict.fromkeys(self._found(paths.open))),
        )

    def held(self, path: Path) -> Place | None:
        """Return where a path leads to, None for nowhere. Raises FolderMoved where it is elsewhere than before."""
        before = self._known.get(path)
        if before is None:
            now = _found(path)
            self._known.setdefault(path, now)
            return now
        if before.inode and not _is_at(before, path):
            raise FolderMoved(folder=path)
        return before

    def check(self) -> None:
        """Look at all of them again. Raises FolderMoved."""
        for path in self._known:
            self.held(path)

    def _found(self, paths: Iterable[Path], *, is_writable: bool = False) -> Iterator[Place]:
        for path in paths:
            is_new = self._known.get(path) is None and self._is_settled
            place = self.held(path)
            if place is not None and not (is_writable and is_new):
                yield place


def _found(path: Path) -> Place | None:
    with contextlib.suppress(OSError, RuntimeError):
        return _place(path.resolve(strict=True))
    return None


def _is_at(place: Place, path: Path) -> bool:
    """Whether a path leads to the same folder; that its links are the same ones is seen when it is mounted."""
    try:
        state = path.stat()
    except OSError:
        return False
    return (place.device, place.inode) == (state.st_dev, state.st_ino)


def _place(path: Path) -> Place:
    """Return a path that has no links, with what it leads to."""
    if not path.is_dir():
        return Place(path)
    state = path.stat()
    return Place(path, state.st_dev, state.st_ino)
