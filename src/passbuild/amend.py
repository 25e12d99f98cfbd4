"""Write into a finished wheel what it was built against: what it requires of that, and a document that names it.

Nothing else of the wheel changes, to the byte: neither the other lines of METADATA and RECORD, nor the other members,
which are copied as they are stored, nor their order.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import io
import os
import re
import shutil
import struct
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import parse_wheel_filename

from passbuild import sbom
from passbuild.errors import NotAmendable, OutputNotWritable, PinContradiction
from passbuild.plan.pins import contradictions, pins
from passbuild.settings.model import Pin
from passbuild.values import frozen

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import IO

    from passbuild.environment.contents import Installed
    from passbuild.plan.model import Passed
    from passbuild.settings.model import Settings

_HEADER = re.compile(rb"[!-9;-~]*:|[ \t]")
"""What a line of METADATA's headers, or the continuation of one, begins with; the first other line ends them."""
_SIGNATURES = ("RECORD.jws", "RECORD.p7s")
_NAME_SIZE_AT = 26
"""Where a zip member's own header has the size of its name, and then that of its extra fields; both lie behind it."""
_HEADER_SIZE = 30
_SIZES_BEHIND = 0x08
"""The flag of a member whose sizes stand behind it."""
_ZIP64 = 1
_BLOCK = 1 << 20


@frozen
class Basis:
    """What a wheel was built against."""

    passed: tuple[Passed, ...]
    installed: tuple[Installed, ...]
    """The build requirements in the build environment."""
    markers: Mapping[str, str]
    """The marker environment of the host (PEP 508)."""
    epoch: str
    """SOURCE_DATE_EPOCH; empty where it is not set."""


def is_wanted(settings: Settings) -> bool:
    """Return whether wheels are to be amended. Raises ExtraMissing when that is not possible."""
    if settings.sbom.value:
        sbom.check_available()
    return settings.sbom.value or settings.pin.value is not Pin.NONE


def amended(wheel: Path, settings: Settings, basis: Basis) -> None:
    """Write a sound wheel anew, in its place; leave it alone when there is nothing to add.

    Raises PinContradiction, NotAmendable, OutputNotWritable.
    """
    import zipfile

    name, version, _, _ = parse_wheel_filename(wheel.name)
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        info = next(top for item in names if (top := item.split("/")[0]).endswith(".dist-info"))
        metadata, record = archive.read(f"{info}/METADATA"), archive.read(f"{info}/RECORD")
    changed = {}
    pinned = _pinned(metadata, settings.pin.value, basis)
    if pinned != metadata:
        changed[f"{info}/METADATA"] = pinned
    if settings.sbom.value:
        materials = sbom.Materials(
            name=name, version=version, passed=basis.passed, installed=basis.installed, epoch=basis.epoch
        )
        changed[f"{info}/sboms/passbuild.cdx.json"] = sbom.document(materials)
    if not changed:
        return
    if signatures := [item for item in names if item in {f"{info}/{file}" for file in _SIGNATURES}]:
        raise NotAmendable(wheel=wheel.name, problem=f"it is signed, by {signatures[0]}")
    if len(set(names)) != len(names):
        raise NotAmendable(wheel=wheel.name, problem="it holds two files of one name")
    changed[f"{info}/RECORD"] = with_rows(record, changed, behind=f"{info}/METADATA")
    try:
        _write(wheel, changed, behind=f"{info}/METADATA")
    except OSError as error:
        raise OutputNotWritable(path=wheel.parent, problem=error.strerror or str(error)) from error


def _pinned(metadata: bytes, pin: Pin, basis: Basis) -> bytes:
    if pin is Pin.NONE:
        return metadata
    stated = list(_stated(metadata))
    if problems := contradictions(stated, basis.passed, basis.markers):
        raise PinContradiction(problems=problems)
    return with_requirements(metadata, [text for text in pins(basis.passed, pin) if Requirement(text) not in stated])


def _stated(metadata: bytes) -> Iterator[Requirement]:
    """Yield the requirements that can be read; an installer says what is wrong with the others."""
    from email.parser import HeaderParser

    message = HeaderParser().parsestr(metadata.decode("utf-8", errors="replace"))
    for line in message.get_all("Requires-Dist", []):
        try:
            yield Requirement(" ".join(line.split()))  # it may be folded
        except InvalidRequirement:
            continue


def with_requirements(metadata: bytes, requirements: Sequence[str]) -> bytes:
    """Return METADATA with more lines behind its last Requires-Dist or, without one, behind its last header."""
    if not requirements:
        return metadata
    lines = metadata.splitlines(keepends=True)
    end = next((at for at, line in enumerate(lines) if not _HEADER.match(line)), len(lines))
    last = max((at for at in range(end) if lines[at].lower().startswith(b"requires-dist:")), default=end)
    place = next((at for at in range(last + 1, end) if lines[at][:1] not in (b" ", b"\t")), end)
    head = b"".join(lines[:place])
    if not _ending(lines[place - 1]):
        head += _ending(lines[0]) or b"\n"
    ending = _ending(lines[place - 1]) or _ending(lines[0]) or b"\n"
    added = b"".join(b"Requires-Dist: " + text.encode() + ending for text in requirements)
    return head + added + b"".join(lines[place:])


def _ending(line: bytes) -> bytes:
    return line[len(line.rstrip(b"\r\n")) :]


def with_rows(record: bytes, files: Mapping[str, bytes], behind: str) -> bytes:
    """Return RECORD with the hashes of these files; the rows of new ones come behind that of `behind`."""
    import csv

    text = record.decode("utf-8")
    known = {row[0] for row in csv.reader(io.StringIO(text)) if row}
    new = [_row(name, content) for name, content in files.items() if name not in known]
    taken: list[str] = []
    rows: list[str] = []
    for row in csv.reader(_noted(io.StringIO(text), taken)):
        raw = "".join(taken)
        taken.clear()
        name, ending = "".join(row[:1]), raw[len(raw.rstrip("\r\n")) :]
        rows.append(_row(name, files[name]) + ending if name in files else raw)
        if name == behind:
            line_break = ending or "\n"
            rows += [item + line_break for item in new] if ending else [line_break + item for item in new]
    return "".join(rows).encode()


def _noted(lines: io.StringIO, taken: list[str]) -> Iterator[str]:
    """Yield lines and note them: a row may have several."""
    for line in lines:
        taken.append(line)
        yield line


def _row(name: str, content: bytes) -> str:
    import csv

    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    row = io.StringIO()
    csv.writer(row, lineterminator="").writerow([name, f"sha256={digest}", len(content)])
    return row.getvalue()


def _write(wheel: Path, files: Mapping[str, bytes], behind: str) -> None:
    """Put a new wheel into the place of one: other contents for some members, new members behind `behind`."""
    import zipfile

    part = wheel.with_name(wheel.name + ".part")
    try:
        with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(part, "x") as target:
            target.comment = source.comment
            new = [name for name in files if name not in source.NameToInfo]
            for member in source.infolist():
                if member.filename in files:
                    _put(target, member, member.filename, files[member.filename])
                else:
                    _copy(source, member, target)
                if member.filename == behind:
                    for name in new:
                        _put(target, member, name, files[name])
        shutil.copymode(wheel, part)
        os.replace(part, wheel)
    finally:
        part.unlink(missing_ok=True)


def _put(target: zipfile.ZipFile, like: zipfile.ZipInfo, name: str, content: bytes) -> None:
    """Write a member with the time, mode and compression of another."""
    member = _same(like)
    member.filename = name
    target.writestr(member, content)
    member.external_attr = like.external_attr  # where it is 0, zipfile puts a mode of its own


def _copy(source: zipfile.ZipFile, member: zipfile.ZipInfo, target: zipfile.ZipFile) -> None:
    """Copy a member as it is stored: it may be large, and to pack it again might not give the same.

    zipfile can read and write what is packed, but has no function that copies it.
    """
    read, written = source.fp, target.fp
    assert read is not None  # both are open
    assert written is not None
    read.seek(member.header_offset + _NAME_SIZE_AT)
    read.seek(member.header_offset + _HEADER_SIZE + sum(struct.unpack("<HH", read.read(4))))
    copied = _same(member)
    copied.flag_bits &= ~_SIZES_BEHIND
    copied.header_offset = target.start_dir
    written.seek(target.start_dir)
    written.write(copied.FileHeader())
    _copy_bytes(read, written, member.compress_size)
    target.filelist.append(copied)
    target.NameToInfo[copied.filename] = copied
    target.start_dir = written.tell()


def _copy_bytes(read: IO[bytes], written: IO[bytes], count: int) -> None:
    while count:
        block = read.read(min(count, _BLOCK))
        if not block:
            raise EOFError("a member of the wheel is shorter than its directory says")
        written.write(block)
        count -= len(block)


def _same(member: zipfile.ZipInfo) -> zipfile.ZipInfo:
    """Return a copy of what is known of a member, less the sizes for large files, which zipfile writes itself."""
    copied, rest, kept = copy.copy(member), member.extra, b""
    while len(rest) >= 4:  # noqa: PLR2004 - kind and size, of two bytes each
        kind, size = struct.unpack("<HH", rest[:4])
        kept += b"" if kind == _ZIP64 else rest[: 4 + size]
        rest = rest[4 + size :]
    copied.extra = kept + rest
    return copied
