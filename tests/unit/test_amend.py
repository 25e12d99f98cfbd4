"""A wheel is amended where it has to be; all else of it stays, to the byte."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import os
import stat
import struct
import zipfile
from email.parser import HeaderParser
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.utils import canonicalize_name
from packaging.version import Version

from passbuild import amend, artifact
from passbuild.artifact import Identity
from passbuild.errors import NotAmendable, OutputNotWritable, PinContradiction
from passbuild.plan.model import Passed
from tests.unit import fakes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NAME = "thing-1.0-py3-none-any.whl"
INFO = "thing-1.0.dist-info"
EXPECTED = Identity(name=canonicalize_name("thing"), version=Version("1.0"))
HEAD = "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n"
METADATA, RECORD, SBOM = f"{INFO}/METADATA", f"{INFO}/RECORD", f"{INFO}/sboms/passbuild.cdx.json"
LINE = b"Requires-Dist: engine==2.6.1"
BASIS = amend.Basis(
    passed=(
        Passed(distribution=fakes.distribution("engine", "2.6.1+cu124"), named=True, needed_by=()),
        Passed(distribution=fakes.distribution("fuel"), named=False, needed_by=(canonicalize_name("engine"),)),
    ),
    installed=(),
    markers=fakes.MARKERS,
    epoch="",
)
UNUSUAL: dict[str, Any] = {
    "thing/__init__.py": {"compress_type": zipfile.ZIP_DEFLATED, "date_time": (2001, 2, 3, 4, 5, 6)},
    "thing/run.sh": {"external_attr": 0o100755 << 16, "create_system": 3, "comment": b"a program"},
    "thing/bzip2.txt": {"compress_type": zipfile.ZIP_BZIP2, "internal_attr": 1},
    "thing/lzma.txt": {"compress_type": zipfile.ZIP_LZMA, "create_system": 0, "external_attr": 0x20},
    "thing/größe.txt": {"extra": b"\x55\x54\x05\x00\x01\x01\x02\x03\x04"},
    METADATA: {"compress_type": zipfile.ZIP_DEFLATED, "external_attr": 0, "date_time": (1999, 9, 9, 9, 9, 8)},
}


def hashed(content: bytes) -> str:
    """Return the hash of a file as RECORD has it."""
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def wheel(
    folder: Path,
    metadata: bytes = HEAD.encode(),
    *,
    files: Mapping[str, bytes] | None = None,
    facts: Mapping[str, Any] | None = None,
    streamed: bool = False,
) -> Path:
    """Write a sound wheel; `facts` are attributes of its members."""
    contents = {
        "thing/__init__.py": b"x = 1\n",
        **(files or {}),
        METADATA: metadata,
        f"{INFO}/WHEEL": b"Wheel-Version: 1.0\nTag: py3-none-any\n",
    }
    rows = io.StringIO()
    csv.writer(rows, lineterminator="\n").writerows(
        [name, hashed(content), len(content)] for name, content in contents.items()
    )
    signatures = {f"{INFO}/RECORD.jws", f"{INFO}/RECORD.p7s"}
    kept = [row for row in rows.getvalue().splitlines(keepends=True) if row.split(",")[0] not in signatures]
    contents[RECORD] = ("".join(kept) + f"{RECORD},,\n").encode()
    with (folder / NAME).open("wb") as file, zipfile.ZipFile(_Stream(file) if streamed else file, "w") as archive:
        archive.comment = b"a comment"
        for name, content in contents.items():
            member = zipfile.ZipInfo(name)
            for key, value in (facts or {}).get(name, {}).items():
                setattr(member, key, value)
            archive.writestr(member, content)
            member.external_attr = (facts or {}).get(name, {}).get("external_attr", member.external_attr)
    return folder / NAME


class _Stream(io.RawIOBase):
    """A file that cannot go back, so that the sizes of members stand behind them."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def writable(self) -> bool:
        """Return that it is."""
        return True

    def write(self, content: Any) -> int:
        """Write on."""
        return int(self._file.write(content))


def amended(path: Path, pin: str = "exact", *, sbom: bool = False, basis: amend.Basis = BASIS) -> bytes:
    """Amend a wheel, hold that it is sound, and return its METADATA."""
    amend.amended(path, fakes.settings(pin=pin, sbom=sbom), basis)
    artifact.checked_wheel(path, EXPECTED)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return archive.read(METADATA)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"Name: thing\n", b"Name: thing\n+"),
        (b"Name: thing", b"Name: thing\n+"),
        (b"Name: thing\r\n", b"Name: thing\r\n+"),
        (b"Name: thing\n\nRequires-Dist: in the text\n", b"Name: thing\n+\nRequires-Dist: in the text\n"),
        (b"Name: thing\r\n\r\n\xff text", b"Name: thing\r\n+\r\n\xff text"),
        (b"Requires-Dist: a\nName: thing\n", b"Requires-Dist: a\n+Name: thing\n"),
        (b"requires-dist: a\nREQUIRES-DIST: b\nName: thing\n", b"requires-dist: a\nREQUIRES-DIST: b\n+Name: thing\n"),
        (b"Requires-Dist: a\n >=1\n\t,<2\nName: t\n", b"Requires-Dist: a\n >=1\n\t,<2\n+Name: t\n"),
        (b"Requires-Dist: a\n\nbody", b"Requires-Dist: a\n+\nbody"),
        (b"Requires-Dist: a", b"Requires-Dist: a\n+"),
        (b"Name: thing\r\nRequires-Dist: a\nAuthor: b\r\n", b"Name: thing\r\nRequires-Dist: a\n+Author: b\r\n"),
        (b"Description: a\n        \n        b\n\nbody", b"Description: a\n        \n        b\n+\nbody"),
        (
            b"Summary: \xc3\xb6\xff\nno header\nRequires-Dist: a\n",
            b"Summary: \xc3\xb6\xff\n+no header\nRequires-Dist: a\n",
        ),
        (b"Name: thing\rVersion: 1\r", b"Name: thing\rVersion: 1\r+"),
    ],
)
def test_lines_are_added_behind_the_last_requirement_or_the_last_header(before: bytes, after: bytes) -> None:
    """With the line ending of what is before them; not in the body, which may look like headers."""
    head, _, tail = after.partition(b"+")
    ending = head[len(head.rstrip(b"\r\n")) :]

    assert amend.with_requirements(before, ["engine==2.6.1"]) == head + LINE + ending + tail


@st.composite
def texts(draw: st.DrawFn) -> bytes:
    """Draw a METADATA of any shape: folded headers, a body or none, any line endings."""
    names = st.sampled_from(["Name", "Requires-Dist", "requires-dist", "Provides-Extra", "Description", "Summary"])
    values = st.sampled_from(["a", "a>=1", "b; extra == 'x'", "ö", "", "one\n two", "one\n\t\n  two"])
    headers = [f"{name}: {value}" for name, value in draw(st.lists(st.tuples(names, values), min_size=1, max_size=8))]
    body = draw(st.sampled_from([[], [""], ["", "Requires-Dist: c", "", "text ö"], ["no header", "Name: x"]]))
    ending = draw(st.sampled_from(["\n", "\r\n"]))
    text = "\n".join([*headers, *body, *([""] if draw(st.booleans()) else [])])
    return text.replace("\n", ending).encode()


@settings(derandomize=True, database=None, deadline=None, max_examples=300)
@given(before=texts())
def test_readers_see_the_lines_more_and_nothing_else(before: bytes) -> None:
    """Any METADATA: as the standard library reads it, and byte for byte."""
    lines = ["engine==2.6.1", "turbo==1"]

    after = amend.with_requirements(before, lines)

    old, new = (HeaderParser().parsestr(text.decode()) for text in (before, after))
    assert new.get_all("Requires-Dist") == [*old.get_all("Requires-Dist", []), *lines]
    assert str(new.get_payload()).strip() == str(old.get_payload()).strip()
    assert [item for item in new.items() if item[1] not in lines] == old.items()
    kept = b"".join(
        line for line in after.splitlines(keepends=True) if not line.startswith(b"Requires-Dist: engine==2")
    )
    kept = b"".join(line for line in kept.splitlines(keepends=True) if not line.startswith(b"Requires-Dist: turbo==1"))
    assert kept in {before, before + b"\n", before + b"\r\n"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"a.py,,\n{METADATA},sha256=old,1\n{RECORD},,\n", f"a.py,,\n<{METADATA}>\n<new>\n{RECORD},,\n"),
        (f'"a,""b.py",sha256=x,\r\n{METADATA},o,1\r\n', f'"a,""b.py",sha256=x,\r\n<{METADATA}>\r\n<new>\r\n'),
        (f"{RECORD},,\n{METADATA},o,1", f"{RECORD},,\n<{METADATA}>\n<new>"),
        (f'"a\nb.py",sha256=x,1\n"{METADATA}","o","1"\n\n', f'"a\nb.py",sha256=x,1\n<{METADATA}>\n<new>\n\n'),
        (f"ö.py,sha256=x , 1 \n{METADATA},o,1\n", f"ö.py,sha256=x , 1 \n<{METADATA}>\n<new>\n"),
        (f"new,sha256=old,3\n{METADATA},o,1\n", f"<new>\n<{METADATA}>\n"),
    ],
)
def test_rows_of_other_files_stay(before: str, after: str) -> None:
    """Their quotes, spaces and line endings too; a new row stands behind that of METADATA."""
    for name in (METADATA, "new"):
        after = after.replace(f"<{name}>", f"{name},{hashed(name.encode())},{len(name)}")

    files = {METADATA: METADATA.encode(), "new": b"new"}

    assert amend.with_rows(before.encode(), files, behind=METADATA).decode() == after


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("metadata", [HEAD.encode(), f"{HEAD}Requires-Dist: engine>=1\n\nText.\n".encode()])
def test_other_members_stay_as_they_are_stored(metadata: bytes, streamed: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a parameter of the test
    """Their order, times, modes, compression and packed bytes; new ones stand behind METADATA, and are like it."""
    files = {name: name.encode() * 99 for name in UNUSUAL if name not in {METADATA, "thing/__init__.py"}}
    path = wheel(tmp_path, metadata, files=files, facts=UNUSUAL, streamed=streamed)
    before = _members(path)
    assert all(bool(_own_header(path, name)[0] & 8) is streamed for name in before)

    amended(path, sbom=True)

    after = _members(path)
    with zipfile.ZipFile(path) as archive:
        assert archive.comment == b"a comment"
        for member in archive.infolist():
            flags, *facts = _own_header(path, member.filename)[:4]
            assert flags & 8 == 0
            assert facts == [member.CRC, member.compress_size, member.file_size]
    new = after.pop(SBOM)
    assert list(after) == list(before)
    assert list(_members(path)).index(SBOM) == list(before).index(METADATA) + 1
    for name in before:
        changed = {"content", "packed"} if name in {METADATA, RECORD} else set()
        assert {key: value for key, value in after[name].items() if key not in changed} == {
            key: value for key, value in before[name].items() if key not in changed
        }
    assert {**new, "content": b"", "packed": b""} == {**after[METADATA], "content": b"", "packed": b""}


def _members(path: Path) -> dict[str, dict[str, object]]:
    """Return all that a zip says of its members, and their contents, packed and unpacked."""
    found: dict[str, dict[str, object]] = {}
    with zipfile.ZipFile(path) as archive, path.open("rb") as file:
        for member in archive.infolist():
            file.seek(member.header_offset + 26)
            name, extra = (int.from_bytes(file.read(2), "little") for _ in range(2))
            file.seek(member.header_offset + 30 + name + extra)
            keys = ("date_time", "compress_type", "comment", "extra", "create_system", "external_attr", "internal_attr")
            found[member.filename] = {key: getattr(member, key) for key in keys}
            found[member.filename] |= {"content": archive.read(member), "packed": file.read(member.compress_size)}
    return found


def test_members_too_large_for_a_plain_zip_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their sizes stand in an extra field, and once."""
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 5)
    path = wheel(tmp_path, facts=UNUSUAL)
    before = _members(path)

    assert LINE in amended(path)

    after = _members(path)
    assert after["thing/__init__.py"]["content"] == before["thing/__init__.py"]["content"]
    assert [_own_header(path, name)[-1].count(b"\x01\x00\x10\x00") for name in after] == [1] * len(after)


def _own_header(path: Path, name: str) -> tuple[int, int, int, int, bytes]:
    """Return flags, checksum, both sizes and extra fields of a member as they stand before it."""
    with zipfile.ZipFile(path) as archive, path.open("rb") as file:
        file.seek(archive.getinfo(name).header_offset)
        *_, flags, _, _, _, checksum, packed, size, length, extra = struct.unpack("<4s5H3L2H", file.read(30))
        file.read(length)
        return flags, checksum, packed, size, file.read(extra)


def test_the_same_wheel_and_facts_give_the_same_bytes(tmp_path: Path) -> None:
    """Whatever the time; with a document too."""
    results = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        path = wheel(tmp_path / name, facts=UNUSUAL)
        os.utime(path, (len(name) * 10**9, 10**9))
        amended(path, sbom=True)
        results.append(path.read_bytes())

    assert results[0] == results[1]


@pytest.mark.parametrize(
    ("pin", "basis", "metadata"),
    [
        ("none", BASIS, HEAD),
        ("exact", amend.Basis(passed=(), installed=(), markers=fakes.MARKERS, epoch=""), HEAD),
        ("exact", amend.Basis(passed=BASIS.passed[1:], installed=(), markers=fakes.MARKERS, epoch=""), HEAD),
        ("exact", BASIS, f"{HEAD}Requires-Dist: Engine == 2.6.1\n"),
        ("patch", BASIS, f"{HEAD}Requires-Dist: engine <2.7,\n >=2.6.1\n"),
    ],
)
def test_a_wheel_to_which_nothing_is_to_be_added_is_not_written(
    pin: str, basis: amend.Basis, metadata: str, tmp_path: Path
) -> None:
    """Not even with the same bytes: it is the same file as before."""
    path = wheel(tmp_path, metadata.encode())
    content, state = path.read_bytes(), path.stat()

    amended(path, pin, basis=basis)

    assert path.read_bytes() == content
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (state.st_ino, state.st_mtime_ns)


def test_amending_twice_is_amending_once(tmp_path: Path) -> None:
    """A line that is there is not added again, and a document of ours is written over."""
    path = wheel(tmp_path)

    amended(path, sbom=True)
    once = path.read_bytes()
    amended(path, sbom=True)

    assert path.read_bytes() == once


def test_a_conditional_requirement_does_not_stand_for_an_unconditional_one(tmp_path: Path) -> None:
    """The same bounds behind a marker or an extra hold no one to anything."""
    text = f"{HEAD}Requires-Dist: engine==2.6.1; extra == 'x'\nRequires-Dist: engine==2.6.1; python_version > '3'\n"

    assert amended(wheel(tmp_path, text.encode())) == text.encode() + LINE + b"\n"


def test_what_cannot_be_read_as_a_requirement_stays(tmp_path: Path) -> None:
    """It is an installer's business to refuse it."""
    text = f"{HEAD}Requires-Dist: engine is nice\n"

    assert amended(wheel(tmp_path, text.encode())) == text.encode() + LINE + b"\n"


def test_a_contradiction_leaves_the_wheel_alone(tmp_path: Path) -> None:
    """Also with a document to be added."""
    path = wheel(tmp_path, f"{HEAD}Requires-Dist: engine\n <2.6\n".encode())
    before = path.read_bytes()

    with pytest.raises(PinContradiction, match=r"engine: the wheel requires engine<2\.6 .*against 2\.6\.1\+cu124 in "):
        amended(path, sbom=True)

    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["RECORD.jws", "RECORD.p7s"])
def test_a_signed_wheel_is_refused(name: str, tmp_path: Path) -> None:
    """Another RECORD makes its signature void; with nothing to add it is fine."""
    path = wheel(tmp_path, files={f"{INFO}/{name}": b"{}"})
    before = path.read_bytes()

    amended(path, "none")
    with pytest.raises(NotAmendable, match=f"it is signed, by {INFO}/{name}"):
        amended(path)

    assert path.read_bytes() == before


def test_a_wheel_with_two_files_of_one_name_is_refused(tmp_path: Path) -> None:
    """Which of them is meant nobody knows."""
    path = wheel(tmp_path)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("thing/__init__.py", b"x = 1\n")

    with pytest.raises(NotAmendable, match="two files of one name"):
        amended(path)


def test_the_file_keeps_its_mode_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    """The new file takes the place of the old one in one step."""
    path = wheel(tmp_path)
    path.chmod(0o640)

    amended(path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [item.name for item in tmp_path.iterdir()] == [NAME]


def test_a_wheel_that_cannot_be_written_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk: it is told where, and the half of a new wheel is gone."""
    path = wheel(tmp_path)
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(amend, "_copy_bytes", full)

    with pytest.raises(OutputNotWritable, match=f"{tmp_path}: No space left on device"):
        amended(path)

    assert path.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == [NAME]


def test_document_of_the_wheel_names_it(tmp_path: Path) -> None:
    """The wheel's own name and version, and what it was built against; METADATA stays without pins."""
    path = wheel(tmp_path)

    metadata = amended(path, "none", sbom=True)

    with zipfile.ZipFile(path) as archive:
        document = json.loads(archive.read(SBOM))
    assert metadata == HEAD.encode()
    assert document["metadata"]["component"]["purl"] == "pkg:pypi/thing@1.0"
    assert [item["bom-ref"] for item in document["components"]] == ["host/engine", "host/fuel"]


@pytest.mark.parametrize(
    ("pin", "sbom", "wanted"), [("none", False, False), ("minor", False, True), ("none", True, True)]
)
def test_amending_is_wanted_where_a_setting_says_so(pin: str, sbom: bool, wanted: bool) -> None:  # noqa: FBT001 - parameters of the test
    """By default it is not."""
    assert amend.is_wanted(fakes.settings(pin=pin, sbom=sbom)) is wanted
    assert amend.is_wanted(fakes.settings()) is False
