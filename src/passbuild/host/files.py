"""What the files of passed distributions look like, to show afterwards that nobody has written to them.

One stat for each file and folder. Contents are not read: a write that leaves size and time as they were is not seen.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from passbuild.host.model import Distribution

_SITES = {"site-packages", "dist-packages"}
State: TypeAlias = "tuple[int, ...]"
"""Mode, size in bytes, time of the last change in nanoseconds and inode of a file or link; the mode of a folder."""


def states(distributions: Iterable[Distribution]) -> dict[str, State]:
    """Return the state of everything that belongs to these distributions, by its path."""
    found: dict[str, State] = {}
    for distribution in distributions:
        for root in _roots(distribution):
            _take(root, found)
    return found


def tree(folder: Path) -> dict[str, State]:
    """Return the state of everything below a folder, by its path."""
    found: dict[str, State] = {}
    _walk(str(folder), found, links=False)
    return found


def changes(before: Mapping[str, State], after: Mapping[str, State]) -> tuple[str, ...]:
    """Return the paths that differ, each with what happened to it, sorted."""
    if before == after:
        return ()
    return tuple(
        f"{path}: {_change(before.get(path), after.get(path))}"
        for path in sorted(before.keys() | after.keys())
        if before.get(path) != after.get(path)
    )


def _roots(distribution: Distribution) -> Iterator[Path]:
    if distribution.editable and distribution.location.name not in _SITES:
        return  # `setup.py develop`: all of it lies in its source tree
    yield distribution.info
    yield from distribution.path_files
    yield from distribution.outside
    for entry in distribution.entries:
        yield distribution.location / entry


def _take(path: Path, found: dict[str, State]) -> None:
    """Note a file, or a folder with all that is in it and behind its links."""
    try:
        state = path.stat()
    except OSError:  # a stale record: it is not there, and may be there afterwards
        return
    found[str(path)] = _state(state)
    if stat.S_ISDIR(state.st_mode):
        _walk(str(path), found)


def _follow(link: str, found: dict[str, State]) -> None:
    """Note what a link inside a package leads to; what lies behind it can be written through it."""
    target = os.path.realpath(link)
    if target not in found:
        _take(Path(target), found)


def _walk(folder: str, found: dict[str, State], *, links: bool = True) -> None:
    try:
        entries = os.scandir(folder)
    except OSError:  # not readable for us: not writable either
        return
    with entries:
        for entry in entries:
            try:
                state = entry.stat(follow_symlinks=False)
            except OSError:  # somebody else took it away just now
                continue
            found[entry.path] = _state(state)
            if stat.S_ISDIR(state.st_mode):
                _walk(entry.path, found, links=links)
            elif links and stat.S_ISLNK(state.st_mode):
                _follow(entry.path, found)


def _state(state: os.stat_result) -> State:
    if stat.S_ISDIR(state.st_mode):
        return (state.st_mode,)  # its time changes with every temporary file
    return (state.st_mode, state.st_size, state.st_mtime_ns, state.st_ino)


def _change(before: State | None, after: State | None) -> str:
    if before is None or after is None:
        return "is new" if before is None else "is gone"
    return "has other permissions" if before[1:] == after[1:] else "was written"
