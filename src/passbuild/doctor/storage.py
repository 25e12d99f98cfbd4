"""The store, and the room on the disks that a build writes to."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from passbuild import locks, scratch, wheel_store
from passbuild.doctor.model import amount, fine, note, problem, skipped, warning
from passbuild.environment import store
from passbuild.environment.store import HOMELESS, Store
from passbuild.errors import NotAStore
from passbuild.values import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from passbuild.doctor.model import Finding
    from passbuild.doctor.scene import Scene

_LITTLE = 10**9
"""Bytes below which a disk is said to be short of room: 1 GB."""
_FEW_FILES = 1000
_FREE = "disk"


def findings(scene: Scene) -> Iterator[Finding]:
    """Say where environments are kept, whether that works, and how much room there is."""
    where = Store.of(scene.settings, scene.surroundings)
    places = {"temporary files": Path(tempfile.gettempdir()), "the output": _outdir_of(scene)}
    if where is None:
        yield warning("store", f"{HOMELESS}, and so none", "name a folder for it with --cache-dir")
    else:
        yield from _kept(scene, where)
        places = {"the store": where.root, **places}
    for name, folder in places.items():
        yield verdict(name, _measured(_nearest(folder)))


def _kept(scene: Scene, where: Store) -> Iterator[Finding]:
    settings = scene.settings
    for setting, option in ((settings.no_store, "no-store"), (settings.keep, "keep")):
        if setting.value:
            yield skipped("store", f"not used, by {setting.origin} ({option})")
            return
    if not locks.IS_AVAILABLE:
        yield note("store", "not used: this system has no file locks, without which it cannot be shared safely")
        return
    try:
        where.prepare()
        _try_a_lock(where.root)
    except NotAStore as error:
        yield problem("store", error.message, error.hint)
        return
    except OSError as error:
        reason = error.strerror or str(error)
        cure = "name another folder with --cache-dir; without one each build makes its environment anew"
        yield warning("store", f"{where.root} cannot be used: {reason}", cure)
        return
    kept, wheels = store.listed(where.root), wheel_store.listed(where.root)
    size = sum(item.size for item in kept) + sum(item.size for item in wheels)
    yield fine("store", f"{where.root} can be written and locked")
    held = f"{_counted(len(kept), 'environment')} and {_counted(len(wheels), 'wheel')}"
    yield note("store", f"{amount(size)} of {amount(where.max_size)} in use, by {held}")


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _try_a_lock(root: Path) -> None:
    """Write and lock a file as builds do. Raises OSError."""
    with scratch.folder_in(root) as folder, locks.held(folder / "lock", wait=False) as is_ours:
        if not is_ours:
            raise OSError("a lock that nobody has cannot be taken")


@frozen
class Room:
    """What there is in a folder."""

    folder: Path
    is_writable: bool
    free: int
    """Bytes."""
    files: int | None
    """How many more there may be; None where the file system has no limit."""
    runs_programs: bool


def verdict(name: str, room: Room) -> Finding:
    """Return whether a folder can be used for something, and how much room it has for that."""
    folder = room.folder
    if not room.is_writable:
        return warning(_FREE, f"{folder}, for {name}, cannot be written", _other_place(name))
    if not room.runs_programs:
        return warning(_FREE, f"{folder}, for {name}, lets no program run (noexec)", _other_place(name))
    if room.files is not None and room.files < _FEW_FILES:
        return warning(_FREE, f"only {room.files} more files for {name} in {folder}", _other_place(name))
    fact = f"{amount(room.free)} free for {name} in {folder}"
    return fine(_FREE, fact) if room.free >= _LITTLE else warning(_FREE, fact, _other_place(name))


def _measured(folder: Path) -> Room:
    state = os.statvfs(folder) if hasattr(os, "statvfs") else None
    return Room(
        folder=folder,
        is_writable=os.access(folder, os.W_OK | os.X_OK),
        free=shutil.disk_usage(folder).free,
        files=state.f_favail if state and state.f_files > 0 else None,
        runs_programs=state is None or not state.f_flag & getattr(os, "ST_NOEXEC", 0),
    )


def _other_place(name: str) -> str:
    cures = {
        "the store": "make room (passbuild cache prune), or name another folder with --cache-dir",
        "temporary files": "make room, or name another folder in TMPDIR",
    }
    return cures.get(name, "make room, or name another folder with --outdir")


def _outdir_of(scene: Scene) -> Path:
    project = scene.project
    if scene.settings.outdir is not None:
        return scene.settings.outdir.value
    if project is None:
        return scene.surroundings.cwd
    return Path(project.given).parent if project.is_ours else project.folder / "dist"


def _nearest(folder: Path) -> Path:
    return next(item for item in (folder, *folder.parents) if item.is_dir())
