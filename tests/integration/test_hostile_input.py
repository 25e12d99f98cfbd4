"""Archives, wheels, names, requirements and output of somebody who means harm: an error with a code, and no harm."""

from __future__ import annotations

import contextlib
import gzip
import http.server
import io
import json
import os
import subprocess
import sys
import tarfile
import threading
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from passbuild import git as ask_git
from passbuild.errors import SourceNotFound, UnsafeArchive
from passbuild.project import archive
from tests.integration.bench import Environment, fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.integration.bench import Bench, Outcome

_ESCAPES = {
    "the clipboard": "\x1b]52;c;cm0gLXJmIH4=\x07",
    "the title": "\x1b]0;owned\x1b\\",
    "the cursor": "\x1b[2J\x1b[1;1H",
    "eight bits": "\x9b2J\x9d0;owned\x9c",
    "a broken one": "\x1b]8;;http://evil",
    "turned around": "\u202egnp.\u2066evil\u200f",
    "delete and return": "\x08\x7f\r\x0b\x0c",
}
_FORBIDDEN = {chr(number) for number in (*range(0x20), *range(0x7F, 0xA0))} - {"\n", "\t"}
_FORBIDDEN |= {chr(number) for number in (0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))}


def is_told(run: Outcome, code: str) -> None:
    """Hold that a run ended with an error of this code, as everything that passbuild can explain."""
    assert "Traceback" not in run.stderr, run.stderr
    assert "bug in passbuild" not in run.stderr, run.stderr
    assert run.error["code"] == code, run.stderr
    assert run.code in {1, 2, 3}
    assert not _FORBIDDEN & {*run.stderr}, ascii(run.stderr)


def is_harmless(bench: Bench) -> None:
    """Hold that no code ran that leaves this mark, and that nothing was written to standard output of a shell."""
    assert [str(path) for path in bench.folder.rglob("pwned*")] == []
    assert not Path("pwned").exists()


# --- archives ---------------------------------------------------------------------------------------------------------


def member(name: str, content: bytes = b"", **fields: object) -> tuple[tarfile.TarInfo, bytes]:
    """Return a member of a tar archive."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in fields.items():
        setattr(info, key, value)
    return info, content


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tuple[tarfile.TarInfo, bytes]:
    """Return a link."""
    return member(name, type=kind, linkname=target)


def folder(name: str) -> tuple[tarfile.TarInfo, bytes]:
    """Return a folder."""
    return member(name, type=tarfile.DIRTYPE, mode=0o755)


_SOUND = (member("thing-1.0/pyproject.toml"), member("thing-1.0/PKG-INFO", b"Name: thing\nVersion: 1.0\n"))


def packed(file: Path, *members: tuple[tarfile.TarInfo, bytes], sound: bool = True) -> Path:
    """Write a tar archive that begins soundly."""
    with tarfile.open(file, "w:gz", format=tarfile.PAX_FORMAT) as bundle:
        for info, content in (*(_SOUND if sound else ()), *members):
            bundle.addfile(info, io.BytesIO(content))
    return file


def realpath_overflow() -> list[tuple[tarfile.TarInfo, bytes]]:
    """Return links whose path grows beyond what os.path.realpath resolves (CVE-2025-4517), and a file behind them."""
    name, deep, members = "d" * 247, "thing-1.0", []
    for step in "abcdefghijklmnop":
        members += [folder(f"{deep}/{name}"), link(f"{deep}/{step}", name)]
        deep += f"/{name}"
    short = "thing-1.0/" + "/".join("abcdefghijklmnop") + "/" + "l" * 254
    members += [link(short, "../" * 16), link("thing-1.0/escape", f"{short.removeprefix('thing-1.0/')}/../../outside")]
    members += [member("thing-1.0/escape/escaped.txt", b"x")]
    return members


_UNSAFE: dict[str, Callable[[], Sequence[tuple[tarfile.TarInfo, bytes]]]] = {
    "a pipe": lambda: [member("thing-1.0/pipe", type=tarfile.FIFOTYPE)],
    "a disk": lambda: [member("thing-1.0/disk", type=tarfile.BLKTYPE, devmajor=8, devminor=0)],
    "a file through a link that stays inside": lambda: [
        folder("thing-1.0/real"),
        link("thing-1.0/alias", "real"),
        member("thing-1.0/alias/file.txt", b"x"),
    ],
    "a file in the place of a link": lambda: [link("thing-1.0/alias", "PKG-INFO"), member("thing-1.0/alias", b"x")],
    "a folder in the place of a link": lambda: [
        folder("thing-1.0/real"),
        link("thing-1.0/alias", "real"),
        folder("thing-1.0/alias"),
        member("thing-1.0/alias/file.txt", b"x"),
    ],
    "a link down and up again": lambda: [link("thing-1.0/here", "."), link("thing-1.0/up", "here/../../outside")],
    "a link beside the top folder": lambda: [link("thing-1.0/up", "../other")],
    "a link in the place of the top folder": lambda: [link("other", "thing-1.0")],
    "a hard link to a link": lambda: [
        link("thing-1.0/alias", "PKG-INFO"),
        link("thing-1.0/hard", "thing-1.0/alias", tarfile.LNKTYPE),
    ],
    "a hard link to nothing": lambda: [link("thing-1.0/hard", "thing-1.0/nothing", tarfile.LNKTYPE)],
    "a hard link up": lambda: [link("thing-1.0/hard", "thing-1.0/../../outside/secret.txt", tarfile.LNKTYPE)],
    "a path of links that is too long": realpath_overflow,
    "a top folder called ..": lambda: [member("../thing-1.0/setup.py", b"x")],
    "a thousand folders in each other": lambda: [member("thing-1.0/" + "a/" * 1000 + "b", b"x")],
    "eleven gigabytes": list,
    "a header of 20 MB": lambda: [member("thing-1.0/x", pax_headers={"comment": "x" * (20 << 20)})],
}


@pytest.mark.parametrize("what", _UNSAFE)
def test_an_unsafe_archive_is_refused_before_anything_is_built(bench: Bench, what: str) -> None:
    """Exit 2 with `unsafe-archive`; what lies around it is as it was, and nothing stays extracted."""
    outside = bench.folder / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("secret", encoding="utf-8")
    file = packed(bench.folder / "thing-1.0.tar.gz", *_UNSAFE[what]())
    if what == "eleven gigabytes":
        info = member("thing-1.0/bomb", type=tarfile.REGTYPE)[0]
        info.size = 11 * 10**9
        with gzip.open(file, "wb") as stream:
            stream.write(info.tobuf(tarfile.GNU_FORMAT))
    before = fingerprint(bench.folder)

    run = bench.passbuild("plan", file, "--host", bench.host())

    is_told(run, "unsafe-archive")
    assert run.code == 2
    assert fingerprint(bench.folder) == before


@pytest.mark.parametrize(
    "options", [("-C", "."), ("./thing-1.0",), ("thing-1.0/", "--owner=nobody", "--numeric-owner")]
)
def test_an_archive_as_tar_writes_it_is_taken(bench: Bench, options: tuple[str, ...]) -> None:
    """With the folder around the top folder among its members, with `./` before each, or with another owner."""
    project = bench.project(name="made/thing-1.0")
    (project / "latest").symlink_to("../thing-1.0/pyproject.toml")
    (project / "same.json").hardlink_to(project / "recorder.json")
    members = (".",) if options[0] == "-C" else ()
    bench.workshop.run("tar", "-C", project.parent, "-czf", bench.folder / "thing-1.0.tar.gz", *options, *members)

    run = bench.passbuild("plan", bench.folder / "thing-1.0.tar.gz", "--host", bench.host())

    assert run.code == 0, run.stderr


_NO_SDISTS: dict[str, Callable[[], Sequence[tuple[tarfile.TarInfo, bytes]]]] = {
    "nothing": list,
    "a name that is empty": lambda: [member("", b"x")],
    "a folder called .": lambda: [folder(".")],
    "two tops that command a terminal": lambda: [member("\x1b]0;a\x07/x"), member("b\x9b2J\n/x")],
    "a file in the place of the top folder": lambda: [member("thing-1.0", b"x")],
    "a file in the place of a folder": lambda: [member("thing-1.0/a", b"x"), member("thing-1.0/a/b", b"x")],
    "a time that is none": lambda: [member("thing-1.0/x", pax_headers={"mtime": "nan"})],
    "a time beyond all": lambda: [member("thing-1.0/x", pax_headers={"mtime": "1e300"})],
    "a NUL in a name": lambda: [member("thing-1.0/x", pax_headers={"path": "thing-1.0/a\0b"})],
    "a name that is too long": lambda: [member("thing-1.0/" + "x" * 300)],
}


@pytest.mark.parametrize("what", _NO_SDISTS)
def test_an_archive_that_makes_no_sense_is_no_sdist(bench: Bench, what: str) -> None:
    """Exit 2 with `source-not-found`."""
    file = packed(bench.folder / "thing-1.0.tar.gz", *_NO_SDISTS[what](), sound=False)

    run = bench.passbuild("plan", file, "--host", bench.host())

    is_told(run, "source-not-found")


@pytest.mark.parametrize("suffix", [".tar.gz", ".zip"])
def test_an_archive_cut_or_damaged_anywhere_is_no_sdist(tmp_path: Path, suffix: str) -> None:
    """Whatever the library behind it raises: `source-not-found` or `unsafe-archive`, at each of many places."""
    content = os.urandom(3000) + b"y" * 3000
    whole = tmp_path / f"thing{suffix}"
    if suffix == ".zip":
        with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as bundle:
            for name in ("pyproject.toml", "PKG-INFO", "data"):
                bundle.writestr(f"thing-1.0/{name}", content)
    else:
        packed(whole, member("thing-1.0/data", content))
    sound = whole.read_bytes()
    refused = 0

    for place in range(0, len(sound) - 8, max(1, len(sound) // 60)):
        damaged = bytearray(sound)
        damaged[place] ^= 0xFF
        for number, wrong in enumerate((sound[:place], bytes(damaged))):
            file = tmp_path / f"{place}-{number}{suffix}"
            file.write_bytes(wrong)
            try:
                archive.extracted(file, tmp_path / f"{place}-{number}")
            except (SourceNotFound, UnsafeArchive):
                refused += 1

    assert refused > 60


def zipped(file: Path, *names: str, content: bytes = b"x") -> Path:
    """Write a zip archive."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name in ("thing-1.0/pyproject.toml", *names):
            bundle.writestr(name, content)
    return file


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_an_archive_is_refused_while_it_unpacks_to_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """What came before is all that is there: the one member too many is not written, nor any behind it."""
    monkeypatch.setattr(archive, "MOST_BYTES", 2_000_000)
    content = b"\0" * 900_000
    names = [f"thing-1.0/{number}" for number in range(5)]
    if kind == "zip":
        file = zipped(tmp_path / "thing-1.0.zip", *names, content=content)
    else:
        file = packed(tmp_path / "thing-1.0.tar.gz", *(member(name, content) for name in names))

    with pytest.raises(UnsafeArchive, match=r"unpacks to more than 0\.002 GB") as raised:
        archive.extracted(file, tmp_path / "made")

    written = sum(path.stat().st_size for path in (tmp_path / "made").rglob("*") if path.is_file())
    assert 0 < written <= 2_000_000
    assert file.stat().st_size < 20_000
    assert raised.value.exit_code == 2


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_an_archive_is_refused_while_it_has_too_many_members(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Folders count as well."""
    monkeypatch.setattr(archive, "MOST_MEMBERS", 10)
    names = [f"thing-1.0/{number}" for number in range(30)]
    if kind == "zip":
        file = zipped(tmp_path / "thing-1.0.zip", *names)
    else:
        file = packed(tmp_path / "thing-1.0.tar.gz", *map(folder, names))

    with pytest.raises(UnsafeArchive, match="more than 10 members"):
        archive.extracted(file, tmp_path / "made")

    assert len(list((tmp_path / "made").rglob("*"))) <= 11


def test_what_lies_between_members_counts_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Headers that never come to a member are a bomb, too."""
    monkeypatch.setattr(archive, "MOST_BYTES", 1_000_000)
    monkeypatch.setattr(archive, "MOST_MEMBERS", 10)
    file = tmp_path / "thing-1.0.tar.gz"
    header = member("././@LongLink", type=tarfile.GNUTYPE_LONGNAME)[0]
    header.size = 900_000
    with gzip.open(file, "wb") as stream:
        for _ in range(20):
            stream.write(header.tobuf(tarfile.GNU_FORMAT) + b"a" * 900_000 + b"\0" * (-900_000 % 512))

    with pytest.raises(UnsafeArchive, match="unpacks to more"):
        archive.extracted(file, tmp_path / "made")


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_a_hundred_thousand_members_are_taken(tmp_path: Path, kind: str) -> None:
    """They are many, and no reason to refuse anything."""
    names = [f"thing-1.0/{number % 100}/{number}" for number in range(100_000)]
    if kind == "zip":
        file = zipped(tmp_path / "thing-1.0.zip", *names, content=b"")
    else:
        file = packed(tmp_path / "thing-1.0.tar.gz", *map(member, names))

    made = archive.extracted(file, tmp_path / "made")

    assert sum(len(files) for _, _, files in os.walk(made)) == 100_001 + (kind == "tar")


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_names_that_differ_in_case_alone_are_two_files(tmp_path: Path, kind: str) -> None:
    """Where the file system tells them apart, which that of Linux does."""
    names = ("thing-1.0/a/x", "thing-1.0/A/x", "thing-1.0/a/X")
    if kind == "zip":
        file = zipped(tmp_path / "thing-1.0.zip", *names)
    else:
        file = packed(tmp_path / "thing-1.0.tar.gz", *(member(name, b"x") for name in names))

    made = archive.extracted(file, tmp_path / "made")

    assert sorted(str(path.relative_to(made)) for path in made.glob("[aA]/*")) == ["A/x", "a/X", "a/x"]


@pytest.mark.parametrize("name", [b"th\xffing-1.0", b"thing\n-1.0", b"thing\x1b]0;x\x07-1.0", b"import os;x-1.0"])
def test_an_archive_may_call_its_folder_and_its_files_what_it_likes(bench: Bench, name: bytes) -> None:
    """Names that are no Unicode, or hold control characters: it is planned and built, and the report is sound."""
    project = bench.project(name=os.fsdecode(name))
    (project / os.fsdecode(b"odd\xfe\x1b[2J\n")).write_text("x", encoding="utf-8")
    file = bench.folder / "thing-1.0.tar.gz"
    with tarfile.open(file, "w:gz", format=tarfile.GNU_FORMAT, errors="surrogateescape") as bundle:
        bundle.add(project, os.fsdecode(name))
    environ = {"PYTHONIOENCODING": "utf-8:strict"}
    host = bench.host()

    planned = bench.passbuild("plan", file, "--host", host, environ=environ)
    built = bench.passbuild("wheel", file, "--host", host, "--report", "report.json", environ=environ)

    for run in (planned, built):
        assert run.code == 0, run.stderr
        assert run.document["ok"]
        assert not _FORBIDDEN & {*run.stderr}
    assert json.loads((bench.folder / "report.json").read_text(encoding="utf-8")) == built.document


# --- wheels of the backend --------------------------------------------------------------------------------------------

_BACKEND = """
import base64, hashlib, os, struct, warnings, zipfile

warnings.simplefilter("ignore")
INFO = "odd-1.0.dist-info"
NAME = "odd-1.0-py3-none-any.whl"
METADATA = "Metadata-Version: 2.1\\nName: odd\\nVersion: 1.0\\n"
WHEEL = "Wheel-Version: 1.0\\nTag: py3-none-any\\n"

def wheel(folder, *members, name=NAME, metadata=METADATA, tags=WHEEL, rows=(), more=()):
    members = [(f"{INFO}/METADATA", metadata), (f"{INFO}/WHEEL", tags), *members]
    listed = []
    for path, text in members:
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        listed.append(f'"{path}",sha256={digest},{len(text)}')
    record = "\\n".join([*dict.fromkeys(listed), *rows, f"{INFO}/RECORD,,", ""])
    with zipfile.ZipFile(os.path.join(folder, name), "w") as archive:
        for path, text in [*members, *more, (f"{INFO}/RECORD", record)]:
            info = zipfile.ZipInfo("x")
            info.filename = path
            archive.writestr(info, text)
    return name

def build_wheel(folder, config_settings=None, metadata_directory=None):
"""


def odd(bench: Bench, body: str, *, before: str = "", name: str = "odd", requires: Sequence[str] = ()) -> Path:
    """Write a project whose in-tree backend builds a wheel by `body`."""
    made = bench.folder / name
    made.mkdir()
    (made / "pyproject.toml").write_text(
        f'[build-system]\nrequires = {json.dumps(list(requires))}\nbuild-backend = "backend"\n'
        'backend-path = ["."]\n[project]\nname = "odd"\ndynamic = ["version"]\n',
        encoding="utf-8",
    )
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    (made / "backend.py").write_text(f"{before}\n{_BACKEND}{lines}", encoding="utf-8")
    return made


_UNSOUND = {
    "a line break in the name": 'return wheel(folder, name="odd-1.0\\n-py3-none-any.whl")',
    "a command in a tag": (
        'tag = "py3-none-any\\x1b[2J"\nreturn wheel(folder, name=f"odd-1.0-{tag}.whl", tags=f"Tag: {tag}\\n")'
    ),
    "white space in the name": 'return wheel(folder, name="odd-1.0 -py3-none-any.whl")',
    "a NUL in the name": 'wheel(folder)\nreturn "odd-1.0-py3\\0-none-any.whl"',
    "a name that is too long": 'wheel(folder)\nreturn "odd-1.0-py3-none-" + "x" * 5000 + ".whl"',
    "a name without end": 'wheel(folder)\nreturn "odd-1.0-py3-none-" + "x/" * 5000 + "any.whl"',
    "a row of RECORD that leads out": 'return wheel(folder, rows=["../../evil.py,sha256=AAAA,1"])',
    "a row of RECORD with a NUL": 'return wheel(folder, rows=["a\\0b,,"])',
    "a row of RECORD without end": 'return wheel(folder, rows=["a" * 200_000 + ",,"])',
    "a member that is absolute": 'return wheel(folder, ("/tmp/evil.py", "x"))',
    "a member that leads out": 'return wheel(folder, ("odd/../../evil.py", "x"))',
    "a member that leads out on Windows": 'return wheel(folder, ("odd\\\\..\\\\..\\\\evil.py", "x"))',
    "a member on a drive": 'return wheel(folder, ("C:/evil.py", "x"))',
    "a member without a name": 'return wheel(folder, ("", "x"))',
    "a member twice": 'return wheel(folder, ("odd.py", "x"), more=[("odd.py", "y")])',
    "METADATA twice": 'return wheel(folder, more=[(f"{INFO}/METADATA", METADATA + "Requires-Dist: evil\\n")])',
    "a header in the name": 'return wheel(folder, metadata=METADATA.replace(": odd", ": odd\\n Requires-Dist: evil"))',
    "a command in the name": 'return wheel(folder, metadata=METADATA.replace(": odd", ": odd\\x1b]0;x\\x07"))',
    "a tag that is none": 'return wheel(folder, tags=WHEEL.replace("-none", ""))',
    "METADATA that says that it is large": (
        "path = os.path.join(folder, wheel(folder))\n"
        'data = bytearray(open(path, "rb").read())\n'
        'at = data.index(b"PK\\x01\\x02")\n'
        'data[at + 24 : at + 28] = struct.pack("<L", 3 << 30)\n'
        'open(path, "wb").write(data)\nreturn NAME'
    ),
    "a file that says that it is large": (
        'path = os.path.join(folder, wheel(folder, ("odd.py", "x")))\n'
        'data = bytearray(open(path, "rb").read())\n'
        'at = data.index(b"PK\\x01\\x02", data.index(b"PK\\x01\\x02", data.index(b"PK\\x01\\x02") + 1) + 1)\n'
        'data[at + 24 : at + 28] = struct.pack("<L", 3 << 30)\n'
        'open(path, "wb").write(data)\nreturn NAME'
    ),
    "a directory that lies nowhere": (
        "path = os.path.join(folder, wheel(folder))\n"
        'data = bytearray(open(path, "rb").read())\n'
        'at = data.rindex(b"PK\\x05\\x06")\n'
        'data[at + 16 : at + 20] = b"\\xff\\xff\\xff\\x7f"\n'
        'open(path, "wb").write(data)\nreturn NAME'
    ),
}


@pytest.mark.parametrize("what", _UNSOUND)
def test_a_hostile_wheel_is_not_published(bench: Bench, what: str) -> None:
    """Exit 1 with `bad-artifact`; the output folder, which was not there, is not there, and nothing lies around it."""
    project = odd(bench, _UNSOUND[what])
    (bench.folder / "around.txt").write_text("around", encoding="utf-8")
    bench.watch(bench.own_host())
    before = {name for name in fingerprint(bench.folder) if "__pycache__" not in name}

    run = bench.passbuild("wheel", project, "--host", bench.folder / "host")

    is_told(run, "bad-artifact")
    assert {name for name in fingerprint(bench.folder) if "__pycache__" not in name} - before == {
        name for name in fingerprint(bench.folder) if name.endswith(".log")
    }


# --- names of folders and packages ------------------------------------------------------------------------------------

_FOLDERS = {
    "a line of code": "import os; os.system('touch pwned')",
    "a line of code behind a line break": "x\nimport os; os.system('touch pwned')\n",
    "quotes": "a'\"b'''c\"\"\"d",
    "a command": '$(touch pwned)`touch pwned`;"$(touch pwned)"',
    "a template": "{module} %(name)s ${HOME} \\n \\",
    "an option": "--editable -r",
    "no Unicode": os.fsdecode(b"\xff\xfe"),
    "a terminal": "\x1b]0;x\x07\x9b2J\u202e",
}


@pytest.mark.parametrize("what", _FOLDERS)
def test_a_host_may_lie_in_any_folder(bench: Bench, what: str) -> None:
    """Start-up modules and `.pth` lines name its paths: they are found, scripts run, and nothing else does.

    But for what is no Unicode, of which virtualenv makes no environment: that is told.
    """
    place = bench.folder / _FOLDERS[what]
    if what == "no Unicode":  # virtualenv makes none there
        bench.own_host("engine==1.0", "fuel==1.0", "scripted==1.0").folder.rename(place)
        host = Environment(folder=place)
    else:
        host = bench.own_host("engine==1.0", "fuel==1.0", "scripted==1.0", folder=place)
    bench.watch(host)
    project = bench.project(
        requires=["engine"], imports=["engine", "scripted"], programs=["scripted-say"], children=["-I"]
    )
    names = ("--passthrough", "engine", "--passthrough", "scripted")

    run = bench.passbuild("wheel", project, "--host", host, *names, environ={"PYTHONIOENCODING": "utf-8:strict"})

    if what == "no Unicode":
        is_told(run, "host-unusable")
        return
    assert run.code == 0, run.stderr
    assert run.names("passed") == ["engine", "fuel", "scripted"]
    assert run.seen["modules"]["engine"]["file"] == str(host.site_packages / "engine" / "__init__.py")
    assert run.seen["children"]["-I"]["engine"] == str(host.site_packages / "engine" / "__init__.py")
    assert run.seen["programs"]["scripted-say"].startswith("scripted ")
    assert not _FORBIDDEN & {*run.stderr}, ascii(run.stderr)
    is_harmless(bench)


@pytest.mark.parametrize("what", _FOLDERS)
def test_a_project_may_lie_in_any_folder(bench: Bench, what: str) -> None:
    """So may what it is built into."""
    host = bench.host("engine==1.0", "fuel==1.0")
    project = bench.project(requires=["engine"], imports=["engine"], name=_FOLDERS[what])
    environ = {"PYTHONIOENCODING": "utf-8:strict"}
    options = ("--host", host, "--passthrough", "engine")

    run = bench.passbuild("wheel", f"./{_FOLDERS[what]}", *options, outdir=f"out {_FOLDERS[what]}", environ=environ)
    told = bench.passbuild("wheel", project, *options, outdir="out", environ=environ, json=False)

    assert run.code == 0, run.stderr
    assert run.document["ok"]
    assert [path.name for path in (bench.folder / f"out {_FOLDERS[what]}").iterdir()] == ["sample-1.0-py3-none-any.whl"]
    assert told.stdout.splitlines() == [str(bench.outdir / "sample-1.0-py3-none-any.whl")]
    assert not _FORBIDDEN & {*run.stderr, *told.stderr}, ascii(run.stderr)
    is_harmless(bench)


@pytest.mark.parametrize("what", _FOLDERS)
def test_the_store_may_lie_in_any_folder(bench: Bench, installer: str, what: str) -> None:
    """The start-up modules of environments lie there, and the first lines of their scripts name it; as above."""
    host = bench.host("engine==1.0", "fuel==1.0", "scripted==1.0")
    project = bench.project(requires=["tool"], imports=["scripted", "tool"], programs=["scripted-say"])
    environ = {"PASSBUILD_CACHE_DIR": str(bench.folder / _FOLDERS[what]), "PYTHONIOENCODING": "utf-8:strict"}
    options = ("--host", host, "--passthrough", "scripted", "--installer", installer)

    run = bench.passbuild("wheel", project, *options, environ=environ)
    again = bench.passbuild("wheel", project, *options, environ=environ)

    if what == "no Unicode":
        is_told(run, "host-unusable")
        return
    for outcome in (run, again):
        assert outcome.code == 0, outcome.stderr
        assert outcome.seen["programs"]["scripted-say"].startswith("scripted ")
    assert again.document["environment"]["reused"] == run.document["environment"]["stored"]
    is_harmless(bench)


@pytest.mark.parametrize(
    "name", ["evil\n::error::x", "\x1b]0;x\x07", "../../evil", "import os; os.system('touch pwned')", "", "a" * 5000]
)
def test_a_project_may_call_itself_what_it_likes(bench: Bench, name: str) -> None:
    """What is no name is refused; with one that is, what comes out has another one, and is refused then."""
    project = bench.project(toml=f"[project]\nname = {json.dumps(name)}\nversion = '1.0'\n")
    host = bench.host()

    planned = bench.passbuild("plan", project, "--host", host)
    built = bench.passbuild("wheel", project, "--host", host)

    if name.isalpha():
        assert planned.code == 0, planned.stderr
        is_told(built, "bad-artifact")
    elif name:
        is_told(planned, "invalid-project")
        is_told(built, "invalid-project")
    assert not _FORBIDDEN & {*planned.stderr, *built.stderr}
    is_harmless(bench)


# --- requirements -----------------------------------------------------------------------------------------------------

_REQUIREMENTS = {
    "a file": "-r /etc/passwd",
    "an index": "--index-url={evil}",
    "an index behind a name": "tool\n--index-url {evil}",
    "an index behind a URL": "tool @ {evil}/tool-1.0-py3-none-any.whl\n--index-url={evil}",
    "an index behind a carriage return": "tool @ {evil}/tool-1.0-py3-none-any.whl\r--index-url={evil}",
    "an index behind a form feed": "tool @ {evil}/tool-1.0-py3-none-any.whl\x0c--index-url={evil}",
    "an index behind a separator": "tool @ {evil}/tool-1.0-py3-none-any.whl\u2028--index-url={evil}",
    "an index behind a marker": "tool; os_name != 'x\n--index-url {evil}'",
    "an editable one": "-e .",
    "a variable": "tool @ {evil}/${{SECRET}}/tool-1.0-py3-none-any.whl",
    "a variable in a version": "tool === ${{SECRET}}",
    "a command in a version": "tool === 1\x1b]0;x\x07",
    "no end of brackets": "tool; " + "(" * 3000,
    "a marker without a meaning": "tool; os_name ~= 'posix'",
    "a marker for lock files": "tool; 'x' in extras",
}


@pytest.fixture
def evil() -> Iterator[tuple[str, list[str]]]:
    """Serve on loopback whatever is asked for, and note it."""
    asked: list[str] = []

    class Listening(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        do_HEAD = do_GET  # noqa: N815 - as the server calls it

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listening) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
        server.shutdown()
        thread.join()


def written(what: str, url: str) -> str:
    """Return a requirement."""
    return _REQUIREMENTS[what].format(evil=url)


@pytest.mark.parametrize("what", _REQUIREMENTS)
def test_a_requirement_that_is_more_than_one_is_refused(bench: Bench, evil: tuple[str, list[str]], what: str) -> None:
    """In pyproject.toml, and in a setting: exit 2 before an installer reads it."""
    url, asked = evil
    project = bench.project(requires=[written(what, url)])
    other = bench.project(toml=f"[tool.passbuild]\nbuild-requires = [{json.dumps(written(what, url))}]", name="other")
    environ = {"SECRET": "s3cr3t", "UV_OFFLINE": "0"}
    host = bench.host()

    run = bench.passbuild("wheel", project, "--host", host, environ=environ)
    by_setting = bench.passbuild("wheel", other, "--host", host, environ=environ)

    is_told(run, "invalid-project")
    is_told(by_setting, "invalid-settings")
    assert asked == []


@pytest.mark.parametrize("what", sorted(_REQUIREMENTS))
def test_a_hook_that_asks_for_more_than_a_requirement_is_refused(
    bench: Bench, evil: tuple[str, list[str]], installer: str, what: str
) -> None:
    """An installer never gets to see it."""
    url, asked = evil
    project = bench.project(requires_wheel=[written(what, url)])
    environ = {"SECRET": "s3cr3t", "UV_OFFLINE": "0"}

    run = bench.passbuild("wheel", project, "--host", bench.host(), "--installer", installer, environ=environ)

    assert run.error["code"] in {"backend-failed", "unresolvable"}
    is_told(run, run.error["code"])
    assert asked == []
    assert not bench.outdir.exists()


def test_a_requirement_of_a_file_is_taken_as_one(bench: Bench, installer: str) -> None:
    """`name @ file:///..` is PEP 508: it says what it says, and the installer says what is wrong with it."""
    project = bench.project(requires=["tool @ file:///.."])

    run = bench.passbuild("wheel", project, "--host", bench.host(), "--installer", installer)

    is_told(run, "unresolvable")
    assert run.code == 3


@pytest.mark.parametrize(
    "source",
    [
        "http://127.0.0.1:9/x-1.0.tar.gz\n--index-url=http://127.0.0.1:9",
        "x @ http://127.0.0.1:9/x-1.0.tar.gz\r-r /etc/passwd",
        "git+http://127.0.0.1:9/x#egg=a%0A--index-url%20http://127.0.0.1:9",
        "http://127.0.0.1:9/x%0A--index-url=y-1.0.tar.gz",
        "http://127.0.0.1:9/x-1.0.tar.gz#sha256=a%0A--index-url%3Dy",
        "http://127.0.0.1:9/" + "x" * 3000 + ".tar.gz",
        "http://[::1",
        "~nobody-at-all/x",
        "x" * 5000,
        "x\0y",
        "x; " + "(" * 3000,
        "thing==1.0 --hash=sha256:a\n--index-url=x",
        "-r",
        "\x1b]0;x\x07",
    ],
)
def test_a_source_that_is_more_than_one_is_told(bench: Bench, source: str) -> None:
    """Exit 2 or 3, whatever SOURCE is; a long URL is one like others."""
    argv = [sys.executable, "-m", "passbuild", "plan", "--host", str(bench.host()), "--json", "--", source]
    environ = {**bench.environ, "PIP_RETRIES": "0"}
    if "\0" in source:
        argv[-1], environ["_PASSBUILD_SOURCE"] = "<handed over>", source.replace("\0", "\x01")

    finished = subprocess.run(argv, env=environ, cwd=bench.folder, capture_output=True, text=True, check=False)

    assert finished.returncode in {2, 3}, finished.stderr
    assert "Traceback" not in finished.stderr
    assert json.loads(finished.stdout)["error"]["code"] in {"source-not-found", "unusable-source", "cannot-fetch"}
    assert not _FORBIDDEN & {*finished.stderr}, ascii(finished.stderr)


# --- what is said -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", _ESCAPES)
@pytest.mark.parametrize("manner", ["plain", "verbose", "github"])
def test_output_of_a_backend_commands_no_terminal(bench: Bench, what: str, manner: str) -> None:
    """What it prints, raises, warns of and calls its files: no control character reaches standard error."""
    evil = _ESCAPES[what]
    before = (
        f"import sys, warnings\nEVIL = {evil!a}\nprint('out', EVIL, 'end')\nsys.stderr.write('err ' + EVIL + '\\n')\n"
        "def get_requires_for_build_wheel(*_):\n    warnings.warn('careful ' + EVIL)\n    return []\n"
    )
    project = odd(bench, "raise RuntimeError('broken ' + EVIL + '\\n' + EVIL)", before=before)
    options = ["-v"] if manner == "verbose" else []
    environ = {"GITHUB_ACTIONS": "true"} if manner == "github" else {}

    run = bench.passbuild("wheel", project, "--host", bench.host(), *options, environ=environ)
    told = bench.passbuild("wheel", project, "--host", bench.host(), *options, environ=environ, json=False)

    assert run.error["code"] == "backend-failed"
    assert "broken" in told.stderr
    assert not _FORBIDDEN & {*run.stderr, *told.stderr}, ascii(told.stderr)
    assert "\x1b" not in run.stdout


@pytest.mark.parametrize("what", _ESCAPES)
def test_metadata_of_a_host_commands_no_terminal(bench: Bench, what: str) -> None:
    """Nor do version, file names and direct_url.json of a package that passes through, or is refused."""
    host = bench.own_host("engine==1.0", "fuel==1.0")
    (info,) = host.site_packages.glob("engine-*.dist-info")
    text = (info / "METADATA").read_text(encoding="utf-8")
    evil = _ESCAPES[what].replace("\r", "").replace("\x0b", "").replace("\x0c", "")
    (info / "METADATA").write_text(text.replace("Version: 1.0", f"Version: 1.0{evil}"), encoding="utf-8")
    (info / "direct_url.json").write_text(json.dumps({"url": f"https://x/{evil}", "dir_info": {}}), encoding="utf-8")
    bench.watch(host)
    project = bench.project(requires=["engine"])
    options = ("--host", host, "--passthrough", "engine")

    runs = [
        bench.passbuild("wheel", project, *options, json=False),
        bench.passbuild("plan", project, *options, "--on-mismatch", "host", json=False),
        bench.passbuild("doctor", project, *options, json=False),
    ]

    for run in runs:
        assert "Traceback" not in run.stderr
        assert run.code in {0, 1, 3}
        assert not _FORBIDDEN & {*run.stderr, *run.stdout}, ascii(run.stdout + run.stderr)


# --- what runs --------------------------------------------------------------------------------------------------------


def traps(project: Path, mark: Path) -> None:
    """Leave everywhere in a project what would tell that it ran."""
    code = f"open({str(mark)!r}, 'a').write(__file__ + chr(10))\n"
    names = ("setup", "backend", "sitecustomize", "usercustomize", "conftest", "__init__", "json", "csv", "tomllib")
    for name in (*names, "packaging", "platform", "site", "email", "passbuild"):
        (project / f"{name}.py").write_text(code, encoding="utf-8")
    (project / "trap.pth").write_text(f"import os; {code}", encoding="utf-8")
    (project / "pyvenv.cfg").write_text("home = .\n", encoding="utf-8")
    (project / "setup.cfg").write_text("[metadata]\nname = attr: backend.name\n", encoding="utf-8")


@pytest.mark.parametrize("where", ["folder", "archive", "current folder"])
def test_a_plan_runs_nothing_of_the_project(bench: Bench, where: str) -> None:
    """No backend, no setup.py, no module that only has the name of one that passbuild imports."""
    host = bench.host("engine==1.0", "fuel==1.0")
    project = bench.project(requires=["engine", "tool"], name="thing-1.0")
    traps(project, bench.folder / "pwned")
    source: Path | str = project
    if where == "archive":
        with tarfile.open(bench.folder / "thing-1.0.tar.gz", "w:gz") as bundle:
            bundle.add(project, "thing-1.0")
        source = bench.folder / "thing-1.0.tar.gz"
    program = Path(sys.executable).with_name("passbuild")  # `python -m` would look for modules in the current folder
    argv = [program, "plan", "." if where == "current folder" else source, "--host", host, "--passthrough", "engine"]
    before = fingerprint(bench.folder)

    finished = subprocess.run(
        list(map(str, argv)),
        env=bench.environ,
        cwd=project if where == "current folder" else bench.folder,
        capture_output=True,
        text=True,
        check=False,
    )

    assert finished.returncode == 0, finished.stderr
    assert "from the host" in finished.stdout
    assert fingerprint(bench.folder) == before
    is_harmless(bench)


def test_a_pyproject_that_has_no_end_is_told(bench: Bench) -> None:
    """A device in its place, depth, and numbers that no machine holds: `invalid-project`, at once."""
    host = bench.host()
    texts = ["a = " + "[" * 5000, "a = " + "9" * 5000, "a = {" * 3000, "[build-system]\nrequires = ['a']\nx = \0"]
    codes = []

    for number, text in enumerate(texts):
        project = bench.project(name=f"deep-{number}")
        (project / "pyproject.toml").write_text(text, encoding="utf-8")
        codes.append(bench.passbuild("plan", project, "--host", host))
    for name, target in (("zero", "/dev/zero"), ("loop", "pyproject.toml")):
        project = bench.project(name=name)
        (project / "setup.py").write_text("", encoding="utf-8")
        (project / "pyproject.toml").unlink()
        (project / "pyproject.toml").symlink_to(target)
        codes.append(bench.passbuild("plan", project, "--host", host))

    for run in codes[:-1]:
        is_told(run, "invalid-project")
    assert "Traceback" not in codes[-1].stderr


def hostile(bench: Bench, text: str) -> Environment:
    """Return a host with a package about which everything is wrong that can be written."""
    host = bench.own_host("engine==1.0", "fuel==1.0")
    (info,) = host.site_packages.glob("engine-*.dist-info")
    for name in ("entry_points.txt", "direct_url.json", "top_level.txt", "WHEEL", "INSTALLER"):
        (info / name).write_text(text, encoding="utf-8", errors="surrogateescape")
    (info / "METADATA").write_bytes((info / "METADATA").read_bytes() + b"Summary: \xff\xfe\nRequires-Dist: -r x\n")
    record = (info / "RECORD").read_text(encoding="utf-8")
    rows = [
        '"',
        "/etc/passwd,,",
        "../../../../../../../etc/passwd,,",
        ".,,",
        "..,,",
        "gone.pth,,",
        "a\0b,,",
        "x" * 9999,
    ]
    (info / "RECORD").write_text(record + "\n".join((*rows, "\u00b2,,\u00b2", text, "x" * 200_000)), encoding="utf-8")
    return bench.watch(host)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 50_000,
        "[console_scripts]\n../../evil = os:system\n/tmp/evil = a:b\n.. = a:b\n" + "x" * 300 + " = a:b\n",
        "[console_scripts]\npython = evil:main\nev il = os; import evil:main\nx = a:b\0\n",
        '{"url": 3, "dir_info": [], "vcs_info": "x"}',
        '{"url": "file:///", "dir_info": {"editable": true}}',
        "\x1b]0;x\x07",
    ],
)
def test_a_host_with_hostile_metadata_is_read_and_not_obeyed(bench: Bench, text: str) -> None:
    """What can be used of the package is; nothing is written beside our own folders."""
    host = hostile(bench, text)
    project = bench.project(requires=["engine"], imports=["engine"])
    before = fingerprint(bench.folder)

    planned = bench.passbuild("plan", project, "--host", host, "--passthrough", "engine")
    built = bench.passbuild("wheel", project, "--host", host, "--passthrough", "engine", outdir="out")

    assert planned.code == 0, planned.stderr
    assert built.code == 0, built.stderr
    assert built.seen["modules"]["engine"]["file"].startswith(str(host.site_packages))
    after = fingerprint(bench.folder)
    assert {name for name in after if after[name] != before.get(name)} <= {
        "out",
        "out/sample-1.0-py3-none-any.whl",
        *(name for name in after if name.startswith("project/") and "__pycache__" in name),
    }
    assert not _FORBIDDEN & {*planned.stderr, *built.stderr}


def test_a_part_of_a_package_in_another_folder_is_not_linked_into_the_host(bench: Bench) -> None:
    """One distribution has a package, another a module for it elsewhere: the view never makes a link on the host."""
    host = bench.own_host("engine==1.0", "fuel==1.0")
    other = bench.folder / "more"
    (other / "engine").mkdir(parents=True)
    (other / "engine" / "late.py").write_text("VALUE = 1\n", encoding="utf-8")
    info = other / "late-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: late\nVersion: 1.0\n", encoding="utf-8")
    (info / "RECORD").write_text("engine/late.py,,\nlate-1.0.dist-info/METADATA,,\n", encoding="utf-8")
    (host.site_packages / "more.pth").write_text(f"{other}\n", encoding="utf-8")
    bench.watch(host)
    project = bench.project(imports=["engine"])
    names = ("--passthrough", "engine", "--passthrough", "late")

    run = bench.passbuild("wheel", project, "--host", host, *names, "--protect-host", "off")

    assert run.code == 0, run.stderr
    assert not (host.site_packages / "engine" / "late.py").is_symlink()


@pytest.mark.parametrize(
    "answer",
    [
        "no JSON",
        "{}",
        "[]",
        "null",
        "[" * 100_000,
        '{"markers": {"python_version": "x.y"}}',
        '{"markers": {"python_version": "3.11"}}',
        '{"markers": {"python_version": 3}}',
        '{"markers": {"python_version": "3.6"}, "version": "3.6.1"}',
        '{"markers": {"python_version": "3.6"}}',
        '{"markers": [], "version": "\\u001b]0;x\\u0007"}',
    ],
)
def test_an_interpreter_that_answers_nonsense_is_no_host(bench: Bench, answer: str) -> None:
    """Exit 2 with `host-unusable`, and what it says commands no terminal."""
    python = bench.folder / "python"
    (bench.folder / "answer").write_text(f"passbuild-probe:{answer}\n", encoding="utf-8")
    python.write_text(f"#!/bin/sh\ncat {bench.folder}/answer\n", encoding="utf-8")
    python.chmod(0o755)

    run = bench.passbuild("plan", bench.project(), "--host", python)

    is_told(run, "host-unusable")
    assert run.code == 2


@pytest.mark.parametrize("returned", ["absolute", "above"])
def test_a_hook_that_returns_a_path_does_not_move_that_file(bench: Bench, returned: str) -> None:
    """It has to return the name of what it wrote: a sound wheel elsewhere is not taken from there."""
    elsewhere = bench.folder / "elsewhere"
    elsewhere.mkdir()
    project = bench.project()
    (project / "backend" / "thief.py").write_text(
        "import os, tiny_wheel\n"
        "from pathlib import Path\n"
        "def build_wheel(folder, *rest):\n"
        f"    elsewhere = Path({str(elsewhere)!r})\n"
        "    name = tiny_wheel.write(elsewhere, 'sample', '1.0', {'sample.py': ''}).name\n"
        "    paths = {'absolute': str(elsewhere / name), 'above': os.path.relpath(elsewhere / name, folder)}\n"
        f"    return paths[{returned!r}]\n",
        encoding="utf-8",
    )
    file = project / "pyproject.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('"recorder"', '"thief"'), encoding="utf-8")

    run = bench.passbuild("wheel", project, "--host", bench.host())

    assert (run.code, run.error["code"]) == (1, "bad-artifact")
    assert "the hook returned a path instead of a name" in run.error["message"]
    assert [path.name for path in elsewhere.iterdir()] == ["sample-1.0-py3-none-any.whl"]
    assert bench.published() == {}


# --- repositories -----------------------------------------------------------------------------------------------------


def git(folder: Path, *arguments: str) -> str:
    """Run git as somebody who prepares a repository, and return what it says."""
    argv = ["git", "-c", "user.name=x", "-c", "user.email=x@y", *arguments]
    return subprocess.run(argv, cwd=folder, check=True, capture_output=True, text=True).stdout


def armed(bench: Bench, folder: Path) -> None:
    """Make a repository of a folder whose configuration names programs, and lacks what its newest commit consists of.

    Whoever asks git plainly runs `pwn`, which leaves a mark: for its list of files, and for a description.
    """
    pwn = bench.folder / "pwn"
    pwn.write_text(f"#!/bin/sh\ntouch {bench.folder}/pwned-$$\n", encoding="utf-8")
    pwn.chmod(0o755)
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "first")
    git(folder, "tag", "v1")
    git(folder, "commit", "-qm", "second", "--allow-empty")
    lost = git(folder, "rev-parse", "v1").strip()
    (folder / ".git" / "objects" / lost[:2] / lost[2:]).unlink()
    settings = {
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "origin",
        "protocol.file.allow": "always",
        "remote.origin.promisor": "true",
        "remote.origin.url": str(bench.folder),
        "remote.origin.uploadPack": str(pwn),
        "core.fsmonitor": str(pwn),
        "core.hooksPath": str(bench.folder),
    }
    for name, value in settings.items():
        git(folder, "config", name, value)


@pytest.mark.parametrize(
    "question", [["ls-files", "-z"], ["describe", "--tags", "--long", "--always"], ["rev-parse", "v1^{}"]]
)
def test_git_runs_nothing_that_a_repository_names(bench: Bench, question: list[str]) -> None:
    """Neither to look at files nor to fetch what is not there; a git that is asked plainly runs it."""
    project = bench.project()
    armed(bench, project)

    told = ask_git.said(question, project, bench.environ)

    is_harmless(bench)
    assert ("pyproject.toml" in told) is (question[0] == "ls-files")
    subprocess.run(["git", *question], cwd=project, check=False, capture_output=True)
    assert list(bench.folder.glob("pwned-*"))


def test_a_copy_of_a_hostile_checkout_runs_nothing(bench: Bench) -> None:
    """`--verify-reproducible` asks git whether `build` is of the project, and what lies beside its folder."""
    checkout = bench.folder / "checkout"
    checkout.mkdir()
    project = bench.project(name="checkout/project")
    (project / "build").mkdir()
    (project / "build" / "kept.txt").touch()
    armed(bench, checkout)

    run = bench.passbuild("wheel", project, "--host", bench.host(), "--verify-reproducible")

    is_told(run, "not-reproducible")  # the recorder notes its folder
    is_harmless(bench)


def test_a_repository_in_an_archive_is_only_files(bench: Bench) -> None:
    """Git is not asked about it, and what it holds is a part of what the wheel is made of."""
    made = []
    for number in (1, 2):
        project = bench.project(name=f"sample-{number}.0")
        armed(bench, project)
        (project / ".git" / "description").write_text("one" if number == 1 else "other", encoding="utf-8")
        made.append(bench.folder / f"sample-{number}.tar.gz")
        with tarfile.open(made[-1], "w:gz") as bundle:
            bundle.add(project, "sample-1.0")

    options = ("--host", bench.host(), "--cache-dir", bench.folder / "store")
    runs = [bench.passbuild("wheel", archived, *options) for archived in (made[0], made[0], made[1])]

    assert [run.code for run in runs] == [0, 0, 0], runs[0].stderr
    assert [run.document["reused"] is not None for run in runs] == [False, True, False]
    is_harmless(bench)


# --- what is no file --------------------------------------------------------------------------------------------------


def put_odd(file: Path, kind: str) -> None:
    """Put a pipe that nobody writes, or a device that has no end, in the place of a file."""
    if kind == "pipe":
        os.mkfifo(file)
    else:
        file.symlink_to("/dev/zero")


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_prepared_metadata_that_is_no_file_is_refused(bench: Bench, kind: str) -> None:
    """A hook can leave there what it likes."""
    made = "os.mkfifo(file)" if kind == "pipe" else "os.symlink('/dev/zero', file)"
    project = bench.project()
    (project / "backend" / "odd.py").write_text(
        "import os\nfrom recorder import *\n"
        "def prepare_metadata_for_build_wheel(folder, *rest):\n"
        "    os.mkdir(folder + '/sample-1.0.dist-info')\n"
        "    file = folder + '/sample-1.0.dist-info/METADATA'\n"
        f"    {made}\n"
        "    return 'sample-1.0.dist-info'\n",
        encoding="utf-8",
    )
    file = project / "pyproject.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('"recorder"', '"odd"'), encoding="utf-8")

    run = bench.passbuild("metadata", project, "--host", bench.host())

    is_told(run, "bad-artifact")
    assert "it is no regular file" in run.error["message"]


@pytest.mark.parametrize("kind", ["pipe", "device"])
@pytest.mark.parametrize("name", ["uv.toml", "pyproject.toml"])
def test_a_configuration_in_the_working_folder_that_is_no_file_is_told(bench: Bench, name: str, kind: str) -> None:
    """Before uv is started there, which would wait for it."""
    house = bench.workshop.house
    work = bench.folder / "work"
    work.mkdir()
    put_odd(work / name, kind)
    environ = {"UV_CONFIG_FILE": "", "UV_NO_INDEX": "1", "UV_FIND_LINKS": str(house.index)}

    run = bench.passbuild(
        "wheel",
        bench.project(requires=["tool"]),
        *("--host", bench.host(), "--installer", "uv"),
        cwd=work,
        environ=environ,
    )

    is_told(run, "invalid-settings")
    assert f"{work / name}: cannot be read: it is no regular file" in run.error["message"]


@pytest.mark.parametrize("kind", ["pipe", "device"])
@pytest.mark.parametrize("named", ["-r", "--config-file", "PIP_CONSTRAINT", "PIP_CONFIG_FILE", "[project]"])
def test_what_is_named_and_no_file_is_not_waited_for(bench: Bench, named: str, kind: str) -> None:
    """An error where it is passbuild's to read, and nothing where it is only looked at, to see whether it changes."""
    house = bench.workshop.house
    file = bench.folder / "odd"
    project = bench.project(requires=["tool"])
    if named == "[project]":
        file = project / "pyproject.toml"
        file.unlink()
        (project / "setup.py").touch()
    put_odd(file, kind)
    options = [named, file] if named.startswith("-") else []
    environ = {named: str(file), "UV_FIND_LINKS": str(house.index)} if named.startswith("PIP") else {}

    run = bench.passbuild(
        "wheel", project, *options, "--host", bench.host(), "--installer", "uv", "--cache-dir", "store", environ=environ
    )

    assert run.code == (0 if named.startswith("PIP") else 2), run.stderr
    assert "Traceback" not in run.stderr


# --- what a project tells the installer -------------------------------------------------------------------------------

_BY_PROJECT = {
    "index-url": "index-url = '{url}/${{SECRET}}/simple/'",
    "extra-index-url": "extra-index-url = ['{url}/${{SECRET}}/simple/']",
    "find-links": "find-links = ['{url}/${{SECRET}}']",
    "an option": "-i {url}/simple/",
    "another file": "fuel==1.0\n-r other.txt",
    "an option behind a comment": "# fuel \\\n--find-links {url}",
    "an option that goes on": "fuel==1.0 \\\n-i {url}",
    "a variable": "tool @ {url}/${{SECRET}}/tool-1.0-py3-none-any.whl",
    "another encoding": "# coding: utf-7\n+AC0-i {url}",
}


@pytest.mark.parametrize("what", _BY_PROJECT)
def test_a_project_has_no_installer_name_variables_or_files(
    bench: Bench, evil: tuple[str, list[str]], installer: str, what: str
) -> None:
    """Neither in its settings nor in a constraints file that it brings: exit 2 before an installer reads it."""
    url, asked = evil
    text = _BY_PROJECT[what].format(url=url)
    is_setting = text.startswith(what)
    line = text if is_setting else "build-constraints = ['limits.txt']"
    project = bench.project(requires=["tool"], toml=f"[tool.passbuild]\n{line}")
    (project / "limits.txt").write_text(text, encoding="utf-8")
    environ = {"SECRET": "s3cr3t", "UV_OFFLINE": "0", "PIP_NO_INDEX": "0"}

    run = bench.passbuild("wheel", project, "--host", bench.host(), "--installer", installer, environ=environ)

    is_told(run, "invalid-settings")
    assert run.code == 2
    assert asked == []


def test_constraints_of_a_user_may_say_what_an_installer_reads(bench: Bench, installer: str) -> None:
    """A variable, an option; and those of a project may have hashes, in lines that go on."""
    house = bench.workshop.house.index
    (bench.folder / "limits.txt").write_text("--find-links ${HOUSE}\ntool==1.0\n", encoding="utf-8")
    project = bench.project(requires=["tool"], toml="[tool.passbuild]\nbuild-constraints = ['limits.txt']")
    (project / "limits.txt").write_text("# of us\nfuel==1.0 \\\n    --hash=sha256:" + "0" * 64 + "\n", encoding="utf-8")
    options = ("--host", bench.host(), "--installer", installer)
    mine = ("--build-constraint", bench.folder / "limits.txt")

    planned = bench.passbuild("plan", project, *options, *mine, environ={"HOUSE": str(house)})
    (project / "limits.txt").write_text("fuel==1.0\n", encoding="utf-8")
    built = bench.passbuild("wheel", project, *options, *mine, environ={"HOUSE": str(house)})

    assert planned.code == 0, planned.stderr
    assert built.code == 0, built.stderr


# --- what reads along -------------------------------------------------------------------------------------------------

_COMMAND = "##vso[task.setvariable variable=PATH]/evil"


@pytest.mark.parametrize("quiet", [False, True])
def test_nothing_of_others_commands_azure_pipelines(bench: Bench, quiet: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """What a backend prints, raises and warns of; in messages, excerpts, annotations and the document."""
    before = f"import sys, warnings\nprint({_COMMAND!r})\nsys.stderr.write('x ' + {_COMMAND!r} + '\\n')\n"
    project = odd(bench, f"raise RuntimeError('broken ' + {_COMMAND!r} + '\\n' + {_COMMAND!r})", before=before)
    options = ["--host", bench.host(), *(["-q"] if quiet else [])]

    shown = bench.passbuild("wheel", project, *options, environ={"TF_BUILD": "True"}, json=False)
    document = bench.passbuild("wheel", project, *options, environ={"TF_BUILD": "True"})
    named = bench.passbuild("plan", f"no-such-{_COMMAND}", *options, environ={"TF_BUILD": "True"}, json=False)

    for told in (shown.stderr, document.stderr, document.stdout, named.stderr):
        assert "setvariable" in told
        assert "##vso[task.setvariable" not in told
        assert "##[" not in told.replace("##[group]", "").replace("##[endgroup]", "")
    assert _COMMAND in str(document.error)


def test_metadata_commands_no_terminal_and_is_whole_elsewhere(bench: Bench) -> None:
    """On a terminal `passbuild metadata` leaves control characters out; what reads a pipe gets METADATA as it is."""
    evil = "".join(_ESCAPES.values()).replace("\r", "").replace("\x0b", "").replace("\x0c", "")
    hook = (
        "info = Path(args[0]) / 'pump-1.0.dist-info'\n    info.mkdir()\n"
        f"    text = 'Metadata-Version: 2.1\\nName: pump\\nVersion: 1.0\\nSummary: ' + {evil!a} + ' end\\n'\n"
        "    (info / 'METADATA').write_text(text, encoding='utf-8')\n    return info.name"
    )
    project = bench.folder / "pump"
    project.mkdir()
    (project / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "maker"\nbackend-path = ["."]\n', encoding="utf-8"
    )
    (project / "maker.py").write_text(
        f"from pathlib import Path\ndef prepare_metadata_for_build_wheel(*args):\n    {hook}\n"
        "def build_wheel(*args):\n    raise RuntimeError\n",
        encoding="utf-8",
    )
    argv = [sys.executable, "-m", "passbuild", "metadata", str(project), "--host", str(bench.host())]

    piped = subprocess.run(argv, env=bench.environ, capture_output=True, check=True)
    ours, theirs = os.openpty()
    shown = subprocess.run(argv, env=bench.environ, stdout=theirs, stderr=subprocess.DEVNULL, check=True)
    os.close(theirs)
    told = b""
    with contextlib.suppress(OSError):  # the end of a terminal
        while part := os.read(ours, 4096):
            told += part
    os.close(ours)

    assert shown.returncode == 0
    assert evil in piped.stdout.decode("utf-8")
    assert "Summary: " in told.decode("utf-8")
    assert not _FORBIDDEN & {*told.decode("utf-8").replace("\r\n", "\n")}, ascii(told)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["wheel", "--help"], ["cache", "--help"]])
def test_help_that_nobody_reads_to_its_end_is_no_failure(bench: Bench, arguments: list[str]) -> None:
    """`passbuild --help | true` ends with 0, and silently."""
    read, write = os.pipe()
    os.close(read)

    run = subprocess.run(
        [sys.executable, "-m", "passbuild", *arguments],
        env=bench.environ,
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(write)

    assert (run.returncode, run.stderr) == (0, b"")
