"""Extract an sdist archive without letting anything out of the folder it is extracted to."""

from __future__ import annotations

import shutil
import stat
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

from passbuild.errors import SourceNotFound, UnsafeArchive

_BLOCK = 1 << 20


def extracted(archive: Path, folder: Path) -> Path:
    """Extract `archive` into `folder` and return the one top folder that it holds.

    Raises UnsafeArchive when a member would reach outside, and SourceNotFound when the file is no sdist archive.
    """
    folder.mkdir(parents=True)
    try:
        if archive.name.endswith(".zip"):
            _extract_zip(archive, folder)
        else:
            _extract_tar(archive, folder)
    except tarfile.FilterError as error:
        raise UnsafeArchive(archive=archive, problem=str(error)) from error
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError) as error:
        raise SourceNotFound(source=archive, problem=f"cannot be extracted: {error}") from error
    tops = sorted(folder.iterdir())
    if len(tops) != 1 or not tops[0].is_dir():
        names = ", ".join(top.name for top in tops) or "nothing"
        raise SourceNotFound(source=archive, problem=f"is no sdist: it holds {names} instead of one top folder")
    return tops[0]


def _extract_tar(archive: Path, folder: Path) -> None:
    with tarfile.open(archive, "r:gz") as tar:
        if not hasattr(tarfile, "data_filter"):  # pragma: no cover - Python 3.10 before 3.10.12
            raise UnsafeArchive(archive=archive, problem="this Python's tarfile has no data filter; update it")
        tar.extractall(folder, filter=_checked)  # noqa: S202 - it is the data filter and more


def _checked(member: tarfile.TarInfo, folder: str) -> tarfile.TarInfo:
    """Apply the data filter, and refuse the absolute paths from which it would strip the first slash."""
    if PurePosixPath(member.name).is_absolute():
        raise tarfile.AbsolutePathError(member)
    return tarfile.data_filter(member, folder)


def _extract_zip(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as bundle:
        for member in bundle.infolist():
            path = PurePosixPath(member.filename.replace("\\", "/"))
            if path.is_absolute() or ".." in path.parts or (path.parts and ":" in path.parts[0]):
                raise UnsafeArchive(archive=archive, problem=f"{member.filename!r} reaches outside")
            mode = member.external_attr >> 16
            if stat.S_ISLNK(mode):
                raise UnsafeArchive(archive=archive, problem=f"{member.filename!r} is a link")
            target = folder.joinpath(*path.parts)
            if member.is_dir():
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with bundle.open(member) as source, target.open("wb") as sink:
                shutil.copyfileobj(source, sink, _BLOCK)
            if mode & stat.S_IXUSR:
                target.chmod(0o755)
