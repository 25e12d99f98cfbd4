"""What differs between two archives is found, whatever it is, and said in words."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from passbuild import comparison

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLACES = (Path("/home/you/pump"), Path("/tmp/copy/pump"))
_WHEEL = "pump-1.0-py3-none-any.whl"
_SDIST = "pump-1.0.tar.gz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    """A wheel that is written by hand."""

    files: Mapping[str, bytes] = field(
        default_factory=lambda: {"pump/__init__.py": b"A = 1\nB = 2\n", "pump/_pump.so": bytes(1000), "r": b"r"}
    )
    time: tuple[int, int, int, int, int, int] = (2020, 2, 2, 0, 0, 0)
    mode: int = 0o644
    compression: int = zipfile.ZIP_DEFLATED
    level: int = 6
    comment: bytes = b""
    name: str = _WHEEL

    def write(self, folder: Path) -> Path:
        """Write it."""
        folder.mkdir()
        with zipfile.ZipFile(folder / self.name, "w") as bundle:
            bundle.comment = self.comment
            for name, content in self.files.items():
                info = zipfile.ZipInfo(name, self.time)
                info.external_attr = self.mode << 16
                bundle.writestr(info, content, self.compression, self.level)
        return folder / self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Sdist:
    """An sdist that is written by hand."""

    files: Mapping[str, bytes] = field(default_factory=lambda: {"pump-1.0/PKG-INFO": b"Name: pump\n"})
    time: float = 1580601600
    packed: int = 0
    owner: str = ""

    def write(self, folder: Path) -> Path:
        """Write it."""
        folder.mkdir()
        with (
            (folder / _SDIST).open("wb") as file,
            gzip.GzipFile("", "wb", fileobj=file, mtime=self.packed) as packed,
            tarfile.open(fileobj=packed, mode="w") as tar,
        ):
            for name, content in self.files.items():
                info = tarfile.TarInfo(name)
                info.size, info.mtime, info.uname = len(content), self.time, self.owner
                tar.addfile(info, io.BytesIO(content))
        return folder / _SDIST


_A = Wheel()
_BYTES = bytearray(1000)
_BYTES[500:514] = b"x" * 14
_LONG = {"pump/long.txt": b"word " * 100 + b"one\n"}
_CASES: dict[str, tuple[Wheel | Sdist, Wheel | Sdist, list[str]]] = {
    "nothing": (_A, _A, []),
    "a name": (
        _A,
        replace(_A, name="pump-2.0-py3-none-any.whl"),
        [f"its name: {_WHEEL}, then pump-2.0-py3-none-any.whl"],
    ),
    "a text": (
        _A,
        replace(_A, files={**_A.files, "pump/__init__.py": b"A = 1\nB = 3\n"}),
        ["pump/__init__.py: line 2 is 'B = 2', then 'B = 3'"],
    ),
    "a part of a long line": (
        replace(_A, files=_LONG),
        replace(_A, files={"pump/long.txt": b"word " * 100 + b"two\n"}),
        ["pump/long.txt: line 1 is '…word word word word one', then '…word word word word two'"],
    ),
    "more lines": (
        _A,
        replace(_A, files={**_A.files, "pump/__init__.py": b"A = 1\nB = 2\nC = 3\n"}),
        ["pump/__init__.py: 2 lines, then 3"],
    ),
    "bytes": (
        _A,
        replace(_A, files={**_A.files, "pump/_pump.so": bytes(_BYTES)}),
        ["pump/_pump.so: 14 bytes differ, the first at 0x1f4"],
    ),
    "a byte": (
        _A,
        replace(_A, files={**_A.files, "pump/_pump.so": bytes(999) + b"x"}),
        ["pump/_pump.so: 1 byte differs, the first at 0x3e7"],
    ),
    "more bytes": (
        _A,
        replace(_A, files={**_A.files, "pump/_pump.so": bytes(1004)}),
        ["pump/_pump.so: 1000 bytes, then 1004; they differ from 0x3e8 on"],
    ),
    "the folder": (
        replace(_A, files={**_A.files, "pump/_pump.so": b"\0" * 9 + b"/home/you/pump/x.c"}),
        replace(_A, files={**_A.files, "pump/_pump.so": b"\0" * 9 + b"/tmp/copy/pump/x.c"}),
        ["pump/_pump.so: 8 bytes differ, the first at 0xa (it names the folder it was built in)"],
    ),
    "members": (
        _A,
        replace(_A, files={"pump/__init__.py": _A.files["pump/__init__.py"], "r": b"r", "new.py": b""}),
        ["pump/_pump.so is in the first one alone", "new.py is in the second one alone"],
    ),
    "an order": (
        _A,
        replace(_A, files=dict(reversed(list(_A.files.items())))),
        ["the order of the members differs: pump/__init__.py, then r in its place"],
    ),
    "times": (
        _A,
        replace(_A, time=(2026, 11, 22, 23, 12, 2)),
        ["the time of 3 members, pump/__init__.py the first, differs: 2020-02-02 00:00:00, then 2026-11-22 23:12:02"],
    ),
    "modes": (
        replace(_A, files={"r": b"r"}),
        replace(_A, files={"r": b"r"}, mode=0o755),
        ["the mode of r differs: 644, then 755"],
    ),
    "compression": (
        replace(_A, files={"r": b"r" * 99}),
        replace(_A, files={"r": b"r" * 99}, compression=zipfile.ZIP_STORED),
        ["the compression of r differs: 8, then 0", "the packed size of r differs: "],
    ),
    "a comment": (
        _A,
        replace(_A, comment=b"here"),
        ["the archive itself, and none of its members: "],
    ),
    "what RECORD says of it": (
        replace(_A, files={"a.py": b"1", "p-1.dist-info/RECORD": b"a.py,1"}),
        replace(_A, files={"a.py": b"2", "p-1.dist-info/RECORD": b"a.py,2"}),
        ["a.py: line 1 is '1', then '2'"],
    ),
    "RECORD alone": (
        replace(_A, files={"a.py": b"1", "p-1.dist-info/RECORD": b"a.py,1"}),
        replace(_A, files={"a.py": b"1", "p-1.dist-info/RECORD": b"a.py,2"}),
        ["p-1.dist-info/RECORD: line 1 is 'a.py,1', then 'a.py,2'"],
    ),
    "a name that cannot be printed": (
        replace(_A, files={"a\x1b[31m.py": b"1"}),
        replace(_A, files={"a\x1b[31m.py": b"2"}),
        ["a\\x1b[31m.py: line 1 is '1', then '2'"],
    ),
    "an sdist: nothing": (Sdist(), Sdist(), []),
    "an sdist: when it was packed": (
        Sdist(),
        Sdist(packed=1700000000),
        ["the time in the header of the gzip file differs: 1970-01-01 00:00:00 UTC, then 2023-11-14 22:13:20 UTC"],
    ),
    "an sdist: times": (
        Sdist(),
        Sdist(time=1700000000.5),
        ["the time of pump-1.0/PKG-INFO differs: 2020-02-02 00:00:00 UTC, then 2023-11-14 22:13:20.500000000 UTC"],
    ),
    "an sdist: owners": (
        Sdist(),
        Sdist(owner="you"),
        ["the owner of pump-1.0/PKG-INFO differs:  (0)  (0), then you (0)  (0)"],
    ),
    "an sdist: a text": (
        Sdist(),
        Sdist(files={"pump-1.0/PKG-INFO": b"Name: pomp\n"}),
        ["pump-1.0/PKG-INFO: line 1 is 'Name: pump', then 'Name: pomp'"],
    ),
}


@pytest.mark.parametrize("case", _CASES)
def test_what_differs_is_said(tmp_path: Path, case: str) -> None:
    """Each kind of difference has its words, and nothing else is said."""
    first, second, told = _CASES[case]

    found = comparison.differences(first.write(tmp_path / "a"), second.write(tmp_path / "b"), _PLACES)

    assert len(found) == len(told), found
    assert all(line.startswith(start) for line, start in zip(found, told, strict=True)), found


def test_large_members_are_compared_block_by_block(tmp_path: Path) -> None:
    """The path of a folder is found across two blocks as well, and what differs behind the first."""
    filler = b"\0" * ((1 << 20) - 5)
    first = replace(_A, files={"big": filler + b"/home/you/pump" + filler + b"1"})
    second = replace(_A, files={"big": filler + b"/home/you/pump" + filler + b"2"})

    (found,) = comparison.differences(first.write(tmp_path / "a"), second.write(tmp_path / "b"), _PLACES)

    at = 2 * len(filler) + len("/home/you/pump")
    assert found == f"big: 1 byte differs, the first at {at:#x} (it names the folder it was built in)"
