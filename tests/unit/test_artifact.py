"""A wheel or sdist is published only when it is sound, by one rename."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import io
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from passbuild import artifact
from passbuild.artifact import Identity
from passbuild.errors import BadArtifact

if TYPE_CHECKING:
    from pathlib import Path

NAME = "thing-1.0-py3-none-any.whl"
INFO = "thing-1.0.dist-info"
EXPECTED = Identity(name=canonicalize_name("Thing"), version=Version("1.0"))
FILES = {
    "thing.py": "x = 1\n",
    f"{INFO}/METADATA": "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n",
    f"{INFO}/WHEEL": "Wheel-Version: 1.0\nTag: py3-none-any\n",
}


def wheel(folder: Path, files: dict[str, str] | None = None, name: str = NAME, record: str | None = None) -> Path:
    """Write a wheel; the default is sound."""
    files = FILES | (files or {})
    if record is None:
        rows = []
        for path, text in files.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            rows.append(f"{path},sha256={digest},{len(text)}")
        record = "\n".join([*rows, f"{INFO}/RECORD,,"]) + "\n"
    with zipfile.ZipFile(folder / name, "w") as archive:
        for path, text in (files | {f"{INFO}/RECORD": record}).items():
            archive.writestr(path, text)
    return folder / name


def sdist(folder: Path, members: dict[str, str], name: str = "thing-1.0.tar.gz") -> Path:
    """Write an sdist with these members."""
    with tarfile.open(folder / name, "w:gz") as archive:
        for path, text in members.items():
            member = tarfile.TarInfo(path)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return folder / name


def findings(path: Path, expected: Identity = EXPECTED) -> str:
    """Return what is wrong with a wheel."""
    with pytest.raises(BadArtifact) as raised:
        artifact.checked_wheel(path, expected)
    return "\n".join(raised.value.findings)


def test_sound_wheel_has_the_expected_identity(tmp_path: Path) -> None:
    """Names compare normalized."""
    assert artifact.checked_wheel(wheel(tmp_path), EXPECTED) == EXPECTED


def test_wheel_of_another_project_is_refused(tmp_path: Path) -> None:
    """A wheel of other-9.9 is not one of thing 1.0."""
    told = findings(wheel(tmp_path, name="other-9.9-py3-none-any.whl"))

    assert "states the name other, expected was thing" in told
    assert "states the version 9.9, expected was 1.0" in told


def test_metadata_has_to_agree_with_the_file_name(tmp_path: Path) -> None:
    """METADATA that names something else is found also where nothing static states the name."""
    path = wheel(tmp_path, {f"{INFO}/METADATA": "Name: other\nVersion: 1.0\n"})

    assert "METADATA states the name other" in findings(path, Identity())


def test_tags_of_wheel_and_file_name_have_to_agree(tmp_path: Path) -> None:
    """A wheel tagged for one Python and named for another is refused; a compressed tag set is expanded."""
    assert "cp311-cp311-linux_x86_64" in findings(wheel(tmp_path, {f"{INFO}/WHEEL": "Tag: cp311-cp311-linux_x86_64\n"}))

    universal = wheel(tmp_path, {f"{INFO}/WHEEL": "Tag: py2.py3-none-any\n"}, name="thing-1.0-py2.py3-none-any.whl")
    assert artifact.checked_wheel(universal, EXPECTED) == EXPECTED


@pytest.mark.parametrize(
    ("record", "finding"),
    [
        (f"thing.py,sha256=AAAA,6\n{INFO}/RECORD,,\n", "RECORD's hash of thing.py does not hold"),
        (f"{INFO}/RECORD,,\n", "RECORD does not list thing.py"),
        (f"gone.py,sha256=AAAA,6\n{INFO}/RECORD,,\n", "RECORD lists gone.py, which is not there"),
        ("thing.py,md5=AAAA,6\n", "RECORD's hash of thing.py does not hold"),
        ("thing.py\n", "RECORD has lines that are not path, hash and size"),
    ],
)
def test_record_has_to_hold(record: str, finding: str, tmp_path: Path) -> None:
    """Every file is listed with a strong hash that holds, and nothing else is listed."""
    assert finding in findings(wheel(tmp_path, record=record))


def test_two_metadata_folders_are_refused(tmp_path: Path) -> None:
    """A wheel has one .dist-info."""
    assert "2 .dist-info folders" in findings(wheel(tmp_path, {"other-1.dist-info/METADATA": "Name: other\n"}))


@pytest.mark.parametrize("content", [b"", b"nine bytes"])
def test_what_is_no_zip_is_refused(content: bytes, tmp_path: Path) -> None:
    """Nine bytes are not a wheel."""
    (tmp_path / NAME).write_bytes(content)

    assert "cannot be read as a zip archive" in findings(tmp_path / NAME)


def test_damaged_member_is_refused(tmp_path: Path) -> None:
    """A zip whose directory is sound and whose contents are not is found by RECORD or the checksum."""
    path = wheel(tmp_path)
    path.write_bytes(path.read_bytes().replace(b"x = 1", b"x = 2"))

    assert findings(path)


@pytest.mark.parametrize("packing", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damaged_packed_member_is_refused(tmp_path: Path, packing: int) -> None:
    """Whatever the packing's own library says of a damaged member, it is a fault of the wheel."""
    path = wheel(tmp_path)
    with zipfile.ZipFile(path) as bundle:
        members = [(item.filename, bundle.read(item)) for item in bundle.infolist()]
    with zipfile.ZipFile(path, "w", packing) as bundle:
        for name, content in members:
            bundle.writestr(name, content)
        first = bundle.infolist()[0]
    damaged = bytearray(path.read_bytes())
    begin = first.header_offset + 30 + len(first.filename)
    damaged[begin : begin + first.compress_size] = b"\xff" * first.compress_size
    path.write_bytes(damaged)

    assert findings(path)


def test_member_that_reaches_outside_is_refused(tmp_path: Path) -> None:
    """A wheel writes below the place where it is installed, and nowhere else."""
    assert "'../../evil' reaches outside" in findings(wheel(tmp_path, {"../../evil": ""}))


def test_file_name_has_to_be_that_of_a_wheel(tmp_path: Path) -> None:
    """`thing.whl` is no wheel name."""
    assert "wrong number of parts" in findings(wheel(tmp_path, name="thing.whl"))


def test_sound_sdist(tmp_path: Path) -> None:
    """One top folder with PKG-INFO of the same name and version."""
    path = sdist(tmp_path, {"thing-1.0/PKG-INFO": "Name: thing\nVersion: 1.0\n", "thing-1.0/thing.py": ""})

    assert artifact.checked_sdist(path, EXPECTED) == EXPECTED


@pytest.mark.parametrize(
    ("members", "finding"),
    [
        ({"thing-1.0/thing.py": ""}, "no PKG-INFO"),
        ({"thing-1.0/PKG-INFO": "Name: thing\nVersion: 2.0\n"}, "PKG-INFO states the version 2.0"),
        ({"thing-1.0/PKG-INFO": "Name: thing\nVersion: 1.0\n", "more/x": ""}, "2 top folders"),
    ],
)
def test_unsound_sdist_is_refused(members: dict[str, str], finding: str, tmp_path: Path) -> None:
    """No PKG-INFO, another version, or a second top folder."""
    with pytest.raises(BadArtifact, match=finding):
        artifact.checked_sdist(sdist(tmp_path, members), EXPECTED)


def test_publishing_replaces_the_older_and_touches_nothing_else(tmp_path: Path) -> None:
    """One rename puts the artifact into the output folder; the staging folder disappears."""
    outdir = tmp_path / "dist"
    outdir.mkdir()
    (outdir / NAME).write_text("old")
    (outdir / "other").write_text("other")

    with artifact.staging(outdir) as staging:
        published = artifact.published(wheel(staging), "wheel", outdir, EXPECTED)

    assert sorted(path.name for path in outdir.iterdir()) == ["other", NAME]
    assert published.path == outdir / NAME
    assert published.sha256 == hashlib.sha256((outdir / NAME).read_bytes()).hexdigest()
    assert published.size == (outdir / NAME).stat().st_size


def test_failure_leaves_no_output_folder_behind(tmp_path: Path) -> None:
    """Folders that had to be made for staging disappear again when nothing was published."""
    with pytest.raises(BadArtifact), artifact.staging(tmp_path / "a" / "dist") as staging:
        artifact.published(staging / NAME, "wheel", tmp_path / "a" / "dist", EXPECTED)

    assert list(tmp_path.iterdir()) == []


def test_name_that_leaves_the_staging_folder_is_refused(tmp_path: Path) -> None:
    """A hook cannot publish a file from elsewhere."""
    path = wheel(tmp_path)

    with pytest.raises(BadArtifact), artifact.staging(tmp_path / "dist") as staging:
        artifact.published(staging / ".." / ".." / path.name, "wheel", tmp_path / "dist", EXPECTED)

    assert path.exists()


@pytest.mark.parametrize("mode", [0o4777, 0o600, 0o444])
def test_what_is_published_has_the_permissions_of_a_new_file(mode: int, tmp_path: Path) -> None:
    """Whatever the hook gave it: the umask is the user's word on that."""
    with artifact.staging(tmp_path / "dist") as staging:
        wheel(staging).chmod(mode)
        published = artifact.published(staging / NAME, "wheel", tmp_path / "dist", EXPECTED)

    (tmp_path / "new").touch()
    assert published.path.stat().st_mode == (tmp_path / "new").stat().st_mode


def test_what_is_published_has_no_other_name(tmp_path: Path) -> None:
    """A hook that linked it elsewhere could change it there; that file stays as it is."""
    other = tmp_path / "other"
    with artifact.staging(tmp_path / "dist") as staging:
        wheel(staging).chmod(0o4777)
        other.hardlink_to(staging / NAME)
        published = artifact.published(staging / NAME, "wheel", tmp_path / "dist", EXPECTED)

    assert published.path.stat().st_nlink == 1
    assert published.path.read_bytes() == other.read_bytes()
    assert other.stat().st_mode & 0o7777 == 0o4777
    assert [path.name for path in (tmp_path / "dist").iterdir()] == [NAME]


@pytest.mark.skipif(not hasattr(fcntl, "F_SETLEASE"), reason="the system does not tell who has a file open")
def test_what_is_published_is_open_nowhere_for_writing(tmp_path: Path) -> None:
    """Also where no name leads to it any more: what is written there reaches nobody."""
    with artifact.staging(tmp_path / "dist") as staging, wheel(staging).open("r+b") as kept:
        published = artifact.published(staging / NAME, "wheel", tmp_path / "dist", EXPECTED)
        kept.write(b"evil")

    assert published.sha256 == hashlib.sha256(published.path.read_bytes()).hexdigest()


@pytest.mark.parametrize("name", ["../../evil", "/bin/sh", "..", "e\x1b[2Jvil", "back\\slash"])
@pytest.mark.parametrize("group", ["console_scripts", "gui_scripts"])
def test_scripts_have_names_of_files(group: str, name: str, tmp_path: Path) -> None:
    """An installer writes a file of that name."""
    entries = f"[{group}]\nthing = thing:main\n{name} = thing:main\n"

    told = findings(wheel(tmp_path, {f"{INFO}/entry_points.txt": entries}))

    assert told == f"its script {name!r} has no name that a file can have"


def test_other_entry_points_have_any_name(tmp_path: Path) -> None:
    """Of those that are no scripts only whoever reads them knows what they are for."""
    entries = "[thing.types]\napplication/json = thing:x\n[console_scripts]\nThing say = thing:x\n"

    assert artifact.checked_wheel(wheel(tmp_path, {f"{INFO}/entry_points.txt": entries}), EXPECTED) == EXPECTED


def test_metadata_of_an_sdist_that_links_to_itself_is_refused(tmp_path: Path) -> None:
    """Said in words of its own, not in those of the interpreter."""
    with tarfile.open(tmp_path / "thing-1.0.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("thing-1.0/PKG-INFO")
        member.type, member.linkname = tarfile.SYMTYPE, "PKG-INFO"
        archive.addfile(member)

    with pytest.raises(BadArtifact, match="its PKG-INFO is a link that leads back to itself"):
        artifact.checked_sdist(tmp_path / "thing-1.0.tar.gz", EXPECTED)
