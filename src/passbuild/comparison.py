"""Compare two archives that should be the same to the byte, and say in words what differs."""

from __future__ import annotations

import contextlib
import hashlib
import struct
import time
from typing import TYPE_CHECKING

from passbuild.values import frozen

if TYPE_CHECKING:
    import tarfile
    import zipfile
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import IO

_BLOCK = 1 << 20
_SHOWN = 60
"""Characters that are shown of a line."""
_TEXT = 1 << 20
"""Bytes up to which a member is looked at as a text."""
_PACKED = "packed size"
_GZIP = b"\x1f\x8b"


@frozen
class _Member:
    """What is compared of one member of an archive."""

    name: str
    digest: bytes
    facts: Mapping[str, str]
    """By what they are: time, mode and so on."""


@frozen
class _Archive:
    """A wheel or an sdist that is open."""

    members: Sequence[_Member]
    open: Callable[[str], IO[bytes]]
    """Opens the contents of a member by its name."""

    def by_name(self) -> dict[str, _Member]:
        """Return the members; of several with one name the last, as whoever unpacks them gets it."""
        return {item.name: item for item in self.members}


@frozen
class _Span:
    """Where two contents differ."""

    count: int
    """How many bytes, as far as the shorter one goes."""
    first: int
    """The position of the first."""
    sizes: tuple[int, int]

    def __str__(self) -> str:
        """Return it in words."""
        if self.sizes[0] != self.sizes[1]:
            return f"{self.sizes[0]} bytes, then {self.sizes[1]}; they differ from {self.first:#x} on"
        return f"{self.count} {'byte differs' if self.count == 1 else 'bytes differ'}, the first at {self.first:#x}"


def differences(first: Path, second: Path, places: tuple[Path, Path]) -> list[str]:
    """Return what differs between two sound artifacts, contents first; nothing where they are the same to the byte.

    `places` are the folders in which the one and the other were built.
    """
    if first.name != second.name:
        return [f"its name: {first.name}, then {second.name}"]
    with first.open("rb") as one, second.open("rb") as other:
        span = _span(one, other)
    if span is None:
        return []
    with _opened(first) as one_archive, _opened(second) as other_archive:
        found = [
            *_of_names(one_archive, other_archive),
            *_of_contents(one_archive, other_archive, places),
            *_of_facts(one_archive.by_name(), other_archive.by_name()),
        ]
    found += _of_headers(first, second)
    return found or [f"the archive itself, and none of its members: {span}"]


def _of_names(one: _Archive, other: _Archive) -> Iterator[str]:
    names, others = (list(archive.by_name()) for archive in (one, other))
    yield from (f"{_shown(name)} is in the first one alone" for name in names if name not in set(others))
    yield from (f"{_shown(name)} is in the second one alone" for name in others if name not in set(names))
    both = set(names) & set(others)
    pairs = zip((n for n in names if n in both), (n for n in others if n in both), strict=True)
    for name, instead in pairs:
        if name != instead:
            yield f"the order of the members differs: {_shown(name)}, then {_shown(instead)} in its place"
            return


def _of_contents(one: _Archive, other: _Archive, places: tuple[Path, Path]) -> Iterator[str]:
    others = other.by_name()
    names = [name for name, item in one.by_name().items() if name in others and item.digest != others[name].digest]
    # RECORD has the hashes of all others: what differs there follows from them.
    named = [name for name in names if not name.endswith(".dist-info/RECORD")] or names
    for name in named:
        with one.open(name) as here, other.open(name) as there:
            told = _line(here, there) or str(_span(here, there))
            leaks = " (it names the folder it was built in)" if _names(here, places[0]) else ""
        yield f"{_shown(name)}: {told}{leaks}"


def _of_facts(one: Mapping[str, _Member], other: Mapping[str, _Member]) -> Iterator[str]:
    both = [(item, other[name]) for name, item in one.items() if name in other]
    for what in dict.fromkeys(what for item, _ in both for what in item.facts):
        unlike = [
            (item, twin)
            for item, twin in both
            if item.facts.get(what) != twin.facts.get(what) and (what != _PACKED or item.digest == twin.digest)
        ]
        if unlike:
            item, twin = unlike[0]
            of = _shown(item.name) if len(unlike) == 1 else f"{len(unlike)} members, {_shown(item.name)} the first,"
            yield f"the {what} of {of} differs: {item.facts.get(what)}, then {twin.facts.get(what)}"


def _of_headers(first: Path, second: Path) -> list[str]:
    """Return what differs in the headers that gzip puts before all members."""
    heads = []
    for path in (first, second):
        with path.open("rb") as file:
            heads.append(file.read(8))
    if any(head[:2] != _GZIP for head in heads):
        return []
    one, other = (_moment(struct.unpack("<I", head[4:])[0]) for head in heads)
    return [f"the time in the header of the gzip file differs: {one}, then {other}"] if one != other else []


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[_Archive]:
    import tarfile
    import zipfile

    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as bundle:
            yield _Archive(members=list(_of_zip(bundle)), open=bundle.open)
    else:
        with tarfile.open(path, "r:*") as tar:
            yield _Archive(members=list(_of_tar(tar)), open=lambda name: _content(tar, tar.getmember(name)))


def _of_zip(bundle: zipfile.ZipFile) -> Iterator[_Member]:
    for info in bundle.infolist():
        year, month, day, hour, minute, second = info.date_time
        facts = {
            "time": f"{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}",
            "mode": f"{info.external_attr >> 16:o}",
            "compression": str(info.compress_type),
            _PACKED: str(info.compress_size),
            "comment or extra field": f"{info.comment!r} {info.extra!r}",
            "system": str(info.create_system),
        }
        with bundle.open(info) as content:
            yield _Member(name=info.filename, digest=_digest(content), facts=facts)


def _of_tar(tar: tarfile.TarFile) -> Iterator[_Member]:
    for info in tar:
        more = {name: text for name, text in info.pax_headers.items() if name != "mtime"}
        facts = {
            "time": _moment(info.mtime),
            "mode": f"{info.mode:o}",
            "owner": f"{info.uname} ({info.uid}) {info.gname} ({info.gid})",
            "kind": f"{info.type!r} {info.linkname}".rstrip(),
            "extended header": str(dict(sorted(more.items()))),
        }
        with _content(tar, info) as content:
            yield _Member(name=info.name, digest=_digest(content), facts=facts)


def _content(tar: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    """Open the contents of a member; a folder or a link has none."""
    import io

    content = tar.extractfile(info) if info.isfile() else None
    return content or io.BytesIO()


def _digest(content: IO[bytes]) -> bytes:
    state = hashlib.sha256()
    for block in _blocks(content):
        state.update(block)
    return state.digest()


def _span(one: IO[bytes], other: IO[bytes]) -> _Span | None:
    """Return where two files differ; None where they do not."""
    one.seek(0)
    other.seek(0)
    count, first, sizes = 0, -1, (0, 0)
    while True:
        here, there = one.read(_BLOCK), other.read(_BLOCK)
        if here != there:
            unlike = [index for index, (a, b) in enumerate(zip(here, there, strict=False)) if a != b]
            count += len(unlike)
            if first < 0:
                first = sizes[0] + (unlike[0] if unlike else min(len(here), len(there)))
        sizes = sizes[0] + len(here), sizes[1] + len(there)
        if not here and not there:
            return _Span(count=count, first=first, sizes=sizes) if first >= 0 else None


def _line(one: IO[bytes], other: IO[bytes]) -> str:
    """Return the first line that differs between two short texts; empty where they are none."""
    texts = []
    for content in (one, other):
        content.seek(0)
        block = content.read(_TEXT + 1)
        try:
            texts.append(block.decode("utf-8").splitlines())
        except UnicodeDecodeError:
            return ""
        if len(block) > _TEXT or b"\0" in block:
            return ""
    for number, (here, there) in enumerate(zip(*texts, strict=False), 1):
        if here != there:
            start = max(0, next((i for i, (a, b) in enumerate(zip(here, there, strict=False)) if a != b), 0) - 20)
            return f"line {number} is {_excerpt(here, start)}, then {_excerpt(there, start)}"
    if len(texts[0]) != len(texts[1]):
        return f"{len(texts[0])} lines, then {len(texts[1])}"
    return ""


def _excerpt(line: str, start: int) -> str:
    """Return what is shown of a line: the part that differs has to be in it."""
    begin = start if len(line) > _SHOWN else 0
    part = line[begin : begin + _SHOWN]
    return repr(("…" if begin else "") + part + ("…" if begin + _SHOWN < len(line) else ""))


def _names(content: IO[bytes], place: Path) -> bool:
    """Whether the path of a folder is in a file."""
    wanted, rest = str(place).encode(errors="surrogateescape"), b""
    content.seek(0)
    for block in _blocks(content):
        if wanted in rest + block:
            return True
        rest = block[-len(wanted) :]
    return False


def _blocks(content: IO[bytes]) -> Iterable[bytes]:
    while block := content.read(_BLOCK):
        yield block


def _moment(seconds: float) -> str:
    try:
        told = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds))
    except (OverflowError, OSError, ValueError):
        return str(seconds)
    part = seconds % 1
    return f"{told}{f'{part:.9f}'[1:] if part else ''} UTC"


def _shown(name: str) -> str:
    """Return the name of a member without what could not be printed."""
    return name if name.isprintable() else ascii(name)[1:-1]
