"""Check what the backend wrote, and publish it: one rename puts a sound artifact into the output folder."""

from __future__ import annotations

import base64
import contextlib
import errno
import hashlib
import importlib
import io
import os
import re
import shutil
import stat
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal

from packaging.tags import parse_tag
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

from passbuild import reading, scratch
from passbuild.errors import BadArtifact, FolderMoved, OutputNotWritable
from passbuild.values import frozen

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Iterator
    from email.message import Message

    from packaging.utils import NormalizedName

_BLOCK = 1 << 20
_UNRECORDED = ("RECORD", "RECORD.jws", "RECORD.p7s")
_SCRIPTS = ("console_scripts", "gui_scripts")
_FILE_NAME = re.compile(r"[\w.+!-]+")
"""Of what the names of wheels and sdists consist; parsers overlook white space."""
_LONGEST = 1 << 27
"""Bytes that METADATA, WHEEL, RECORD or PKG-INFO may have."""


@frozen
class Identity:
    """Name and version that an artifact has to have; None where nothing static states it."""

    name: NormalizedName | None = None
    version: Version | None = None


@frozen
class Artifact:
    """A published wheel or sdist."""

    path: Path
    kind: Literal["wheel", "sdist"]
    name: NormalizedName
    version: Version
    size: int
    """Bytes."""
    sha256: str

    @property
    def identity(self) -> Identity:
        """What an artifact made from this one has to be called."""
        return Identity(name=self.name, version=self.version)


def get_ready() -> None:
    """Import what the checks need: there is time for it while the backend's process starts."""
    for name in ("csv", "email.parser", "tarfile", "zipfile"):
        importlib.import_module(name)


def check_outdir(outdir: Path) -> None:
    """Raise OutputNotWritable when nothing can be published there, before anything is built for it."""
    nearest = next(folder for folder in (outdir, *outdir.parents) if folder.exists())
    if not nearest.is_dir():
        raise OutputNotWritable(path=nearest, problem="is no folder")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise OutputNotWritable(path=nearest, problem="cannot be written")


def default_outdir(project: Path) -> Path:
    """Return the output folder of a project. Raises OutputNotWritable where the project has it lead out of itself."""
    outdir = project / "dist"
    if not os.path.realpath(outdir).startswith(os.path.join(os.path.realpath(project), "")):  # noqa: PTH118 - with its end
        problem = f"is a link to {os.path.realpath(outdir)}: name that with --outdir, if it is meant"
        raise OutputNotWritable(path=outdir, problem=problem)
    return outdir


@contextlib.contextmanager
def staging(outdir: Path, real: str | None = None) -> Iterator[Path]:
    """Yield a temporary folder inside the output folder's file system; afterwards it is gone.

    An output folder that had to be made for it disappears again when nothing was published. `real` is where it lay
    before any program of others ran. Raises OutputNotWritable, or FolderMoved.
    """
    with contextlib.ExitStack() as stack:
        try:
            folder = stack.enter_context(scratch.folder_in(outdir))
        except OSError as error:
            raise OutputNotWritable(path=outdir, problem=error.strerror or str(error)) from error
        if real is not None and os.path.realpath(outdir) != real:
            raise FolderMoved(folder=outdir)
        yield folder


def checked(staged: Path, kind: Literal["wheel", "sdist"], expected: Identity) -> Identity:
    """Check what a hook says that it has made. Raises BadArtifact with everything that is wrong."""
    _refuse_others(staged)
    return checked_wheel(staged, expected) if kind == "wheel" else checked_sdist(staged, expected)


def _refuse_others(staged: Path) -> None:
    """Raise BadArtifact for what is no file where a hook had to write one."""
    if staged.parent != Path(os.path.normpath(staged)).parent or not os.path.isfile(staged):  # noqa: PTH113 - not for long names
        raise BadArtifact(artifact=staged.name, findings=["the hook returned a name of which there is no file"])
    if staged.is_symlink():
        raise BadArtifact(artifact=staged.name, findings=["it is a link, which may lead nowhere tomorrow"])


def published(staged: Path, kind: Literal["wheel", "sdist"], outdir: Path, expected: Identity) -> Artifact:
    """Check a staged artifact and move it into `outdir`, over an older one of the same name.

    What is published is nobody else's: it has the permissions of a new file, no other name, and nobody writes it.
    Raises BadArtifact and OutputNotWritable.
    """
    final = outdir / staged.name
    _refuse_others(staged)
    try:
        _make_own(staged)
    except OSError as error:
        raise OutputNotWritable(path=final, problem=error.strerror or str(error)) from error
    identity = checked(staged, kind, expected)
    digest, size = _sha256(staged), staged.stat().st_size
    try:
        os.replace(staged, final)
    except OSError as error:
        raise OutputNotWritable(path=final, problem=error.strerror or str(error)) from error
    assert identity.name is not None  # a checked artifact has both
    assert identity.version is not None
    return Artifact(path=final, kind=kind, name=identity.name, version=identity.version, size=size, sha256=digest)


def _make_own(staged: Path) -> None:
    """Give a file that a hook has made the permissions of a new one; put a copy in its place if others may write it."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(staged, flags)
    except OSError as error:
        raise BadArtifact(artifact=staged.name, findings=[f"it cannot be read: {error.strerror}"]) from error
    with open(descriptor, "rb") as file, scratch.beside(staged) as new:  # noqa: PTH123 - a descriptor
        with new.open("xb") as copy:
            mode = stat.S_IMODE(os.fstat(copy.fileno()).st_mode)
            if not _may_be_written(descriptor):
                staged.chmod(mode)
                return
            shutil.copyfileobj(file, copy, _BLOCK)
        os.replace(new, staged)


def _may_be_written(descriptor: int) -> bool:
    """Whether a file has another name, or is open somewhere for writing, as far as the system tells."""
    if os.fstat(descriptor).st_nlink > 1:
        return True
    try:
        import fcntl

        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except (ImportError, AttributeError):  # it is not Linux
        return False
    except OSError as error:
        return error.errno == errno.EAGAIN  # else there are no leases, here or for us
    return False


def checked_wheel(path: Path, expected: Identity) -> Identity:
    """Check a wheel by the binary distribution format: name, tags, METADATA, WHEEL, RECORD. Raises BadArtifact."""
    import zipfile

    try:
        name, version, _, tags = parse_wheel_filename(path.name)
    except InvalidWheelFilename as error:
        raise BadArtifact(artifact=path.name, findings=[str(error)]) from error
    identity = Identity(name=name, version=version)
    findings = [*_odd_name(path), *_differences(identity, expected, "its file name")]
    try:
        with zipfile.ZipFile(path) as wheel:
            findings += _wheel_findings(wheel, identity, {str(tag) for tag in tags})
    except _unreadable() as error:
        findings.append(f"it cannot be read as a zip archive: {error}")
    if findings:
        raise BadArtifact(artifact=path.name, findings=findings)
    return identity


def _unreadable() -> tuple[type[Exception], ...]:
    """Return what is raised for archives and members that are damaged, encrypted or packed by unknown means."""
    import csv
    import lzma
    import tarfile
    import zipfile
    import zlib

    damaged = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, csv.Error, EOFError, OSError)
    return (*damaged, ValueError, ArithmeticError, LookupError, RuntimeError)  # of fields that hold nonsense


def checked_sdist(path: Path, expected: Identity) -> Identity:
    """Check an sdist by the source distribution format: name, one top folder, PKG-INFO. Raises BadArtifact."""
    try:
        name, version = parse_sdist_filename(path.name)
    except InvalidSdistFilename as error:
        raise BadArtifact(artifact=path.name, findings=[str(error)]) from error
    identity = Identity(name=name, version=version)
    findings = [*_odd_name(path), *_differences(identity, expected, "its file name")]
    try:
        names, info = _sdist_contents(path)
    except RecursionError as error:
        finding = "its PKG-INFO is a link that leads back to itself"
        raise BadArtifact(artifact=path.name, findings=[*findings, finding]) from error
    except _unreadable() as error:
        raise BadArtifact(artifact=path.name, findings=[*findings, f"it cannot be read: {error}"]) from error
    tops = sorted({member.split("/")[0] for member in names})
    if len(tops) != 1:
        findings.append(f"it holds {len(tops)} top folders instead of one: {', '.join(tops[:5])}")
    if info is None:
        findings.append("it has no PKG-INFO in its top folder")
    else:
        findings += _differences(_stated(_message(info)), identity, "PKG-INFO")
    if findings:
        raise BadArtifact(artifact=path.name, findings=findings)
    return identity


def metadata_of(prepared: Path) -> str:
    """Return the text of METADATA in a ``.dist-info`` that a hook has prepared. Raises BadArtifact."""
    try:
        return reading.text(prepared / "METADATA")
    except (OSError, UnicodeDecodeError) as error:
        problem = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
        raise BadArtifact(artifact=f"{prepared.name}/METADATA", findings=[f"it cannot be read: {problem}"]) from error


def metadata_of_wheel(path: Path) -> str:
    """Return the text of a sound wheel's METADATA."""
    import zipfile

    with zipfile.ZipFile(path) as wheel:
        return wheel.read(f"{_info_folders(wheel)[0]}/METADATA").decode("utf-8")


def _wheel_findings(wheel: zipfile.ZipFile, identity: Identity, tags: set[str]) -> list[str]:
    folders = _info_folders(wheel)
    if len(folders) != 1:
        return [f"it holds {len(folders)} .dist-info folders instead of one"]
    (info,) = folders
    names = set(wheel.namelist())
    missing = [f"it has no {info}/{file}" for file in ("METADATA", "WHEEL", "RECORD") if f"{info}/{file}" not in names]
    if missing:
        return missing
    findings = [f"its member {name!r} reaches outside" for name in sorted(names) if _reaches_outside(name)]
    if len(names) < len(wheel.namelist()):
        findings.append("it holds two files of one name, of which installers take one or the other")
    for file in ("METADATA", "WHEEL", "RECORD"):
        if wheel.getinfo(f"{info}/{file}").file_size > _LONGEST:
            return [*findings, f"its {file} is larger than {_LONGEST >> 20} MB"]
    findings += _differences(_stated(_message(wheel.read(f"{info}/METADATA"))), identity, "METADATA")
    stated = _message(wheel.read(f"{info}/WHEEL"))
    try:
        stated_tags = {str(tag) for line in stated.get_all("Tag", []) for tag in parse_tag(line)}
    except ValueError as error:
        return [*findings, f"its WHEEL states a tag that is none: {error}"]
    if stated_tags != tags:
        findings.append(f"its WHEEL states the tags {_listed(stated_tags)}, its file name {_listed(tags)}")
    findings += _script_findings(wheel, info)
    return findings + list(_record_findings(wheel, info))


def _script_findings(wheel: zipfile.ZipFile, info: str) -> list[str]:
    """Return which names of entry points are no names of files: installers write scripts by them."""
    try:
        member = wheel.getinfo(f"{info}/entry_points.txt")
    except KeyError:
        return []
    import configparser

    if member.file_size > _LONGEST:
        return [f"its entry_points.txt is larger than {_LONGEST >> 20} MB"]
    parser = configparser.RawConfigParser(delimiters=("=",), strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # names keep their case; documented use
    try:
        parser.read_string(wheel.read(member).decode("utf-8"))
    except (UnicodeDecodeError, configparser.Error):
        return ["its entry_points.txt cannot be read"]
    names = [name for group in _SCRIPTS if parser.has_section(group) for name in parser.options(group)]
    return [f"its script {name!r} has no name that a file can have" for name in names if not _is_file_name(name)]


def _is_file_name(name: str) -> bool:
    return name not in {"", ".", ".."} and not {"/", "\\"} & {*name} and name.isprintable()


def _record_findings(wheel: zipfile.ZipFile, info: str) -> Iterator[str]:
    import csv

    rows = list(csv.reader(io.StringIO(wheel.read(f"{info}/RECORD").decode("utf-8"))))
    recorded = {row[0]: row for row in rows if len(row) == 3}  # noqa: PLR2004 - path, hash, size
    if len(recorded) != len([row for row in rows if row]):
        yield "RECORD has lines that are not path, hash and size, or names a file twice"
    files = {name for name in wheel.namelist() if not name.endswith("/")}
    unrecorded = {f"{info}/{name}" for name in _UNRECORDED}
    for name in sorted(files - recorded.keys() - unrecorded):
        yield f"RECORD does not list {name}"
    for name in sorted(recorded.keys() - files):
        yield f"RECORD lists {name}, which is not there"
    for name in sorted((files & recorded.keys()) - unrecorded):
        if not _hash_holds(wheel, name, recorded[name][1]):
            yield f"RECORD's hash of {name} does not hold"


def _hash_holds(wheel: zipfile.ZipFile, name: str, recorded: str) -> bool:
    algorithm, _, wanted = recorded.partition("=")
    if algorithm not in {"sha256", "sha384", "sha512"}:
        return False
    state = hashlib.new(algorithm)
    count = 0
    with wheel.open(name) as file:
        while block := file.read(_BLOCK):
            state.update(block)
            count += len(block)
    if count != wheel.getinfo(name).file_size:  # zipfile does not mind
        return False
    return base64.urlsafe_b64encode(state.digest()).rstrip(b"=").decode() == wanted


def _reaches_outside(name: str) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts or path.name == "" or ":" in path.parts[0]  # a drive, on Windows


def _info_folders(wheel: zipfile.ZipFile) -> list[str]:
    return sorted({top for name in wheel.namelist() if (top := name.split("/")[0]).endswith(".dist-info")})


def _sdist_contents(path: Path) -> tuple[list[str], bytes | None]:
    """Return the member names and the bytes of the top folder's PKG-INFO."""
    import tarfile
    import zipfile

    if path.name.endswith(".zip"):
        with zipfile.ZipFile(path) as bundle:
            names = bundle.namelist()
            wanted = [name for name in names if name.count("/") == 1 and name.endswith("/PKG-INFO")]
            if wanted and bundle.getinfo(wanted[0]).file_size > _LONGEST:
                raise ValueError(f"PKG-INFO is larger than {_LONGEST >> 20} MB")
            return names, bundle.read(wanted[0]) if wanted else None
    with tarfile.open(path, "r:*") as tar:
        info = None
        names = []
        for member in tar:
            name = member.name.removeprefix("./")
            names.append(name)
            if name.count("/") == 1 and name.endswith("/PKG-INFO") and (file := tar.extractfile(member)) is not None:
                if member.size > _LONGEST:
                    raise ValueError(f"PKG-INFO is larger than {_LONGEST >> 20} MB")
                info = file.read()
        return [name for name in names if name not in {"", "."}], info


def _message(content: bytes) -> Message:
    from email.parser import HeaderParser

    return HeaderParser().parsestr(content.decode("utf-8", errors="replace"))


def _stated(message: Message) -> Identity:
    name, version = message.get("Name"), message.get("Version")
    try:
        parsed = Version(version) if version else None
    except InvalidVersion:
        parsed = None
    return Identity(name=canonicalize_name(name) if name else None, version=parsed)


def _differences(found: Identity, expected: Identity, where: str) -> list[str]:
    findings = []
    if expected.name is not None and found.name != expected.name:
        findings.append(f"{where} states the name {found.name}, expected was {expected.name}")
    if expected.version is not None and found.version != expected.version:
        findings.append(f"{where} states the version {found.version}, expected was {expected.version}")
    return findings


def _odd_name(path: Path) -> list[str]:
    """Return what is wrong with a file name as such: who reads it line by line, or on a terminal, relies on it."""
    return [] if _FILE_NAME.fullmatch(path.name) else [f"its file name {path.name!r} holds what none may hold"]


def _listed(values: set[str]) -> str:
    return ", ".join(sorted(values)) or "none"


def _sha256(path: Path) -> str:
    state = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            state.update(block)
    return state.hexdigest()
