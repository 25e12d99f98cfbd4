"""Understand SOURCE: a folder, an archive, a requirement, or a URL. Nothing is fetched here."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urldefrag, urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidSdistFilename, canonicalize_name, is_normalized_name, parse_sdist_filename

from passbuild.errors import AmbiguousSource, SourceNotFound, UnusableSource, WrongHash
from passbuild.project import read
from passbuild.redaction import redacted
from passbuild.values import frozen, replace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from packaging.utils import NormalizedName

_BLOCK = 1 << 20
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_HASH = re.compile(r"\w+:\w+")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_HASHES = ("sha256", "sha384", "sha512")
_IN_NO_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_HASHES_BEHIND = re.compile(r"\s+--hash[=\s]")
_LOOKS_LIKE_PATH = re.compile(r"^[.~/\\]|[/\\]|\.(?:tar\.gz|tgz|zip)$")


@frozen
class Source:
    """What is to be built, as far as it is known before anything is opened or fetched."""

    text: str
    """As it was given, without credentials."""
    path: Path | None = None
    """A folder or an archive, absolute; None for what an installer has to fetch."""
    line: str = ""
    """The line of a requirements file that an installer fetches it by; may hold credentials."""
    name: NormalizedName | None = None
    """The name of the project, where the requirement or the URL states it."""
    is_fixed: bool = False
    """Whether the line stands for the same files tomorrow: one version, a URL with a hash, or a commit."""

    @property
    def is_of_git(self) -> bool:
        """Whether an installer has git clone it."""
        return self.line.rpartition(" @ ")[2].startswith("git+")

    def __str__(self) -> str:
        """Return what to call it."""
        return self.text if self.path is None else str(self.path)


def of_path(path: Path) -> Source:
    """Return a folder or an archive as a source."""
    return Source(text=str(path), path=path)


def understood(text: str, cwd: Path) -> Source:
    """Return what `text` means to somebody who works in `cwd`: an existing path first, then a URL or a requirement.

    Raises SourceNotFound, AmbiguousSource, UnusableSource or WrongHash.
    """
    text, *hashes = _HASHES_BEHIND.split(text)
    if hashes:
        return _hashed(understood(text, cwd), [value.strip() for value in hashes])
    path = _path(text, cwd)
    if not text.strip():
        raise UnusableSource(source="''", problem="it is empty", advice="give a path, a requirement or a URL")
    if os.path.exists(path):  # noqa: PTH110 - Path.exists raises for a name that is too long
        _refuse_ambiguous(text, path)
        return Source(text=text, path=path)
    if _IN_NO_LINE.search(text):  # an installer reads it in a file, where it would be more than one line
        problem, advice = "it holds a line break or another control character", "write it in one line"
        raise UnusableSource(source=redacted(repr(text)), problem=problem, advice=advice)
    if _URL.match(text):
        return _of_url(text, text, None)
    try:
        requirement = Requirement(text)
    except (InvalidRequirement, RecursionError):
        requirement = None
    if requirement is None or (_LOOKS_LIKE_PATH.search(text) and requirement.url is None):
        raise SourceNotFound(source=path, problem="there is no such folder or file")
    for folder in _alike(text, cwd):
        raise AmbiguousSource(word=text, folder=folder, project=read.static_name(folder) or "")
    return _of_requirement(requirement, text)


def _path(text: str, cwd: Path) -> Path:
    """Return the path that a text would be. Raises SourceNotFound for the home of a user whom nobody knows."""
    try:
        return Path(os.path.normpath(cwd / Path(text).expanduser()))
    except (RuntimeError, ValueError) as error:  # no such user, or no text that could be one
        raise SourceNotFound(source=text, problem="nobody knows the home of this user") from error


def _alike(text: str, cwd: Path) -> Iterator[Path]:
    """Yield folders of projects here whose name is a bare word but for its spelling: an index makes no difference."""
    if not _WORD.fullmatch(text):
        return
    with contextlib.suppress(OSError):
        for item in sorted(cwd.iterdir()):
            if canonicalize_name(item.name) == canonicalize_name(text) and item.is_dir() and read.is_project(item):
                yield item


def _hashed(source: Source, hashes: Sequence[str]) -> Source:
    """Return a source whose archive has to have one of these hashes, each as ``sha256:…``."""
    if any(_HASH.fullmatch(value) is None for value in hashes):
        told = " or ".join(map(repr, hashes))
        raise UnusableSource(source=str(source), problem=f"{told}: no hash", advice="write --hash=sha256:…")
    if source.path is None:
        line = " ".join((source.line, *(f"--hash={value}" for value in hashes)))
        return replace(source, line=line, is_fixed=True)
    found = {kind: _digest(source.path, kind) for kind in _HASHES if any(item.startswith(kind) for item in hashes)}
    if not any(f"{kind}:{value}" in hashes for kind, value in found.items()):
        told = ", ".join(f"{kind}:{value}" for kind, value in found.items()) or "no hash of a kind that is known"
        raise WrongHash(source=str(source.path), wanted=" or ".join(hashes), found=told)
    return source


def _refuse_ambiguous(text: str, path: Path) -> None:
    """Raise AmbiguousSource for a bare word that names a folder here and, as a project, something else."""
    name = canonicalize_name(text)
    is_word = _WORD.fullmatch(text) and is_normalized_name(name)
    if not is_word or not path.is_dir():
        return
    project = read.static_name(path)
    if read.is_project(path) and project in {None, name}:
        return
    raise AmbiguousSource(word=text, folder=path, project=project or "")


def _of_requirement(requirement: Requirement, text: str) -> Source:
    if requirement.extras:
        shorter = re.sub(r"\[[^]]*\]", "", text)
        problem = "extras are no part of a wheel"
        raise UnusableSource(source=redacted(text), problem=problem, advice=f"leave them out: {redacted(shorter)}")
    if requirement.marker is not None:
        advice = f"leave out what stands behind the semicolon: {requirement.marker}"
        raise UnusableSource(source=redacted(text), problem="a marker says when, not what to build", advice=advice)
    if requirement.url is not None:
        return _of_url(requirement.url, text, canonicalize_name(requirement.name))
    exact = [item for item in requirement.specifier if item.operator in {"==", "==="} and "*" not in item.version]
    line = str(requirement)
    return Source(text=text, line=line, name=canonicalize_name(requirement.name), is_fixed=bool(exact))


def _of_url(url: str, text: str, name: NormalizedName | None) -> Source:
    try:
        parts = urlsplit(url)
    except ValueError as error:  # brackets of an IPv6 address that is none
        problem = f"it is no URL: {error}"
        raise UnusableSource(source=redacted(text), problem=problem, advice="write it as RFC 3986 says") from error
    if parts.path.endswith(".whl"):
        raise UnusableSource(source=redacted(text), problem="it is a wheel already", advice="give the URL of an sdist")
    if parts.scheme == "file":
        return Source(text=text, path=_local(url), name=name)
    fragment = parse_qs(parts.fragment)
    if "+" in parts.scheme:
        is_fixed = _COMMIT.fullmatch(parts.path.rpartition("@")[2]) is not None
        egg = canonicalize_name(fragment.get("egg", [""])[0].partition("[")[0])
        name = name or (egg if is_normalized_name(egg) else None)
        return Source(text=redacted(text), line=_line(url, name), name=name, is_fixed=is_fixed)
    if parts.scheme not in {"http", "https"}:
        advice = "give a path, a requirement, an http(s) or file URL, or a URL of version control such as git+https://…"
        raise UnusableSource(source=redacted(text), problem=f"nothing is known of {parts.scheme}://", advice=advice)
    digests = [f"--hash={kind}:{value}" for kind in _HASHES for value in fragment.get(kind, ())]
    if not all(_HASH.fullmatch(item.removeprefix("--hash=")) for item in digests):
        advice = "write #sha256=… and hexadecimal digits"
        raise UnusableSource(source=redacted(text), problem="what stands behind # is no hash", advice=advice)
    name = name or _name_of_archive(parts.path)
    line = " ".join((_line(urldefrag(url).url if digests else url, name), *digests))
    return Source(text=redacted(text), line=line, name=name, is_fixed=bool(digests))


def _line(url: str, name: NormalizedName | None) -> str:
    return f"{name} @ {url}" if name else url


def _name_of_archive(path: str) -> NormalizedName | None:
    try:
        name, _ = parse_sdist_filename(unquote(path).rpartition("/")[2])
    except InvalidSdistFilename:
        return None
    return name if is_normalized_name(name) else None


def _local(url: str) -> Path:
    """Return the path of a file URL, after checking its hash. Raises SourceNotFound, UnusableSource or WrongHash."""
    parts = urlsplit(url)
    path = Path(unquote(parts.path))
    if not os.path.exists(path):  # noqa: PTH110 - Path.exists raises for a name that is too long
        raise SourceNotFound(source=path, problem="there is no such folder or file")
    fragment = parse_qs(parts.fragment, keep_blank_values=True)
    unknown = sorted(fragment.keys() - {*_HASHES, "subdirectory", "egg"})
    if unknown or (parts.fragment and not fragment):
        advice = f"behind # may stand {', '.join(_HASHES)} or subdirectory, each with a value"
        raise UnusableSource(source=str(path), problem="what stands behind # is not understood", advice=advice)
    if "subdirectory" in fragment and not path.is_dir():
        problem, advice = "an archive is built as a whole", "unpack it, and give the folder"
        raise UnusableSource(source=str(path), problem=problem, advice=advice)
    for kind in _HASHES:
        for wanted in fragment.get(kind, ()):
            found = _digest(path, kind)
            if found != wanted.lower():
                raise WrongHash(source=str(path), wanted=f"{kind}:{wanted}", found=f"{kind}:{found}")
    return path / fragment["subdirectory"][0] if "subdirectory" in fragment and path.is_dir() else path


def _digest(path: Path, kind: str) -> str:
    if not path.is_file():
        raise UnusableSource(source=str(path), problem="a folder has no hash", advice="leave out what stands behind #")
    state = hashlib.new(kind)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            state.update(block)
    return state.hexdigest()
