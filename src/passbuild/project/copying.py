"""Copy a source tree to another path, as a checkout somewhere else would have it."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from passbuild import git
from passbuild.errors import UnusableSource
from passbuild.values import replace

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from passbuild.project.model import Project

_LEFTOVERS = ("build", "dist", "_skbuild", ".pdm-build")
"""Folders of a source tree into which backends write."""
_BYTE_CODE = "__pycache__"
_OLDER = 2 * 24 * 3600 * 10**9
"""Nanoseconds by which the copy's files are older: a checkout has other times as well, in the same order."""


def copied(project: Project, target: Path, without: Collection[Path], environ: Mapping[str, str]) -> Project:
    """Return the project in a copy of its source tree below `target`.

    Of a user's folder the copy lacks what earlier builds left there, virtual environments and the folders `without`,
    and all times are others. Where the folder is a part of a git checkout, the copy has what git tracks beside it.
    Raises UnusableSource.
    """
    folder = project.folder
    top = next((place for place in (folder, *folder.parents) if (place / ".git").exists()), folder)
    place = target / (top.name or "source")
    is_checkout = not project.is_ours and not (folder / "PKG-INFO").exists()
    try:
        shutil.copytree(
            folder,
            place / folder.relative_to(top),
            symlinks=True,
            ignore=lambda where, names: _ignored(Path(where), names, folder if is_checkout else None, without, environ),
        )
        if top != folder:
            _copy_beside(top, place, folder, environ)
        _mend_links(top, place)
        if is_checkout:
            _make_older(place)
    except OSError as error:
        raise UnusableSource(
            source=project.given,
            problem=f"cannot be copied to {target}: {_reason(error)}",
            advice="build it without --verify-reproducible, or set TMPDIR to a folder with more room",
        ) from error
    return replace(project, folder=place / folder.relative_to(top))


def _ignored(
    where: Path, names: Iterable[str], top: Path | None, without: Collection[Path], environ: Mapping[str, str]
) -> set[str]:
    """Return what is left out of a folder; `top` is the source tree where something of it may be left over."""
    kept = []
    for name in names:
        path = where / name
        try:
            mode = path.lstat().st_mode
        except FileNotFoundError:  # removed by now
            continue
        is_folder = stat.S_ISDIR(mode)
        if not (is_folder or stat.S_ISREG(mode) or stat.S_ISLNK(mode)) or path in without:
            continue
        if is_folder and (name == _BYTE_CODE or (path / "pyvenv.cfg").is_file() or (path / "conda-meta").is_dir()):
            continue
        is_leftover = is_folder and ((where == top and name in _LEFTOVERS) or name.endswith(".egg-info"))
        if top is None or not is_leftover or _is_tracked(path, environ):
            kept.append(name)
    return set(names) - set(kept)


def _is_tracked(path: Path, environ: Mapping[str, str]) -> bool:
    """Whether git keeps something of a folder, so that it is no leftover."""
    return bool(_listed(["--", f"{path.name}/"], path.parent, environ))


def _listed(arguments: Iterable[str], folder: Path, environ: Mapping[str, str]) -> list[str]:
    """Return the files of a folder that git tracks; none without git."""
    return [name for name in git.said(["ls-files", "-z", *arguments], folder, environ).split("\0") if name]


def _copy_beside(top: Path, place: Path, folder: Path, environ: Mapping[str, str]) -> None:
    """Copy what git tracks outside of `folder`, and what it keeps of versions and tags."""
    if (top / ".git").is_dir():
        shutil.copytree(top / ".git", place / ".git", symlinks=True)
    else:
        _copy_file(top / ".git", place / ".git")
    inside = f"{folder.relative_to(top).as_posix()}/"
    for name in _listed([], top, environ):
        if not name.startswith(inside):
            with contextlib.suppress(FileNotFoundError, IsADirectoryError):  # removed by now, or a submodule
                _copy_file(top / name, place / name)


def _copy_file(file: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(file, target, follow_symlinks=False)


def _mend_links(top: Path, place: Path) -> None:
    """Let links that leave the tree lead where they led, and what a submodule has instead of a .git folder."""
    git = place / ".git"
    if git.is_file():
        aim = git.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
        git.write_text(f"gitdir: {os.path.normpath(top / aim)}\n", encoding="utf-8")
    for where, folders, files in os.walk(place):
        for name in (*folders, *files):
            path = Path(where, name)
            if path.is_symlink():
                aim = os.path.normpath(top / path.parent.relative_to(place) / path.readlink())
                if not Path(aim).is_relative_to(top) and not path.readlink().is_absolute():
                    path.unlink()
                    path.symlink_to(aim)


def _make_older(place: Path) -> None:
    for where, folders, files in os.walk(place):
        if ".git" in folders:
            folders.remove(".git")
        for name in (*files, *folders):
            path = Path(where, name)
            state = path.lstat()
            with contextlib.suppress(NotImplementedError):  # the times of a link
                os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns - _OLDER), follow_symlinks=False)


def _reason(error: OSError) -> str:
    """Return what is wrong; shutil collects it in a list."""
    problems = error.args[0] if isinstance(error, shutil.Error) else None
    return str(problems[0][2]) if isinstance(problems, list) and problems else (error.strerror or str(error))
