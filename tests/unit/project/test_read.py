"""SOURCE is opened, and every mistake in pyproject.toml is told at once."""

from __future__ import annotations

import io
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest

from passbuild.errors import InvalidProject, SourceNotFound, UnsafeArchive
from passbuild.project import read

if TYPE_CHECKING:
    from pathlib import Path

    from passbuild.project.model import Project


def opened(folder: Path, text: str) -> Project:
    """Write a pyproject.toml and open its folder."""
    (folder / "pyproject.toml").write_text(text)
    return read.opened(folder, folder / "extracted")


def tar(path: Path, *members: tarfile.TarInfo) -> Path:
    """Write an archive of empty members."""
    with tarfile.open(path, "w:gz") as archive:
        for member in members:
            archive.addfile(member, io.BytesIO())
    return path


def link(name: str, target: str) -> tarfile.TarInfo:
    """Return a symbolic link as an archive member."""
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, target
    return member


def test_build_system_is_read(tmp_path: Path) -> None:
    """Requires, backend and backend-path are decoded."""
    (tmp_path / "in_tree").mkdir()

    project = opened(
        tmp_path,
        '[build-system]\nrequires = ["a>=1"]\nbuild-backend = "b:c"\nbackend-path = ["in_tree"]\n'
        '[project]\nname = "Some.Thing"\nversion = "1.0"\n',
    )

    assert [str(item) for item in project.build_system.requires] == ["a>=1"]
    assert (project.build_system.backend, project.build_system.backend_path) == ("b:c", ("in_tree",))
    assert (project.name, str(project.version)) == ("some-thing", "1.0")


def test_project_without_a_table_is_legacy(tmp_path: Path) -> None:
    """PEP 517 and 518 give the defaults."""
    project = opened(tmp_path, "[tool.other]\n")

    assert project.build_system.backend == "setuptools.build_meta:__legacy__"
    assert [str(item) for item in project.build_system.requires] == ["setuptools>=40.8.0"]


def test_unknown_key_is_refused_with_the_place_where_it_belongs(tmp_path: Path) -> None:
    """What the standard does not know in [build-system] is not ignored."""
    with pytest.raises(InvalidProject) as raised:
        opened(tmp_path, '[build-system]\nrequires = []\npassthrough = ["torch"]\n')

    assert "[build-system] passthrough" in raised.value.message
    assert "[tool.passbuild]" in raised.value.hint


def test_all_mistakes_are_told_together(tmp_path: Path) -> None:
    """Each has its key and index."""
    with pytest.raises(InvalidProject) as raised:
        opened(
            tmp_path,
            '[build-system]\nrequire = []\nrequires = ["ok", "not ok!"]\n'
            'build-backend = 1\nbackend-path = ["..", "x"]\n',
        )

    assert [mistake.place for mistake in raised.value.mistakes] == [
        "pyproject.toml [build-system] require",
        "pyproject.toml [build-system] build-backend",
        "pyproject.toml [build-system] backend-path[0]",
        "pyproject.toml [build-system] backend-path[1]",
        "pyproject.toml [build-system] requires[1]",
    ]
    assert "did you mean 'requires'?" in raised.value.hint


def test_misspelt_table_is_refused(tmp_path: Path) -> None:
    """[build_system] would silently mean the legacy defaults."""
    with pytest.raises(InvalidProject, match=r"\[build_system\]"):
        opened(tmp_path, "[build_system]\nrequires = []\n")


def test_broken_toml_names_file_and_line(tmp_path: Path) -> None:
    """The parser's own words are kept."""
    with pytest.raises(InvalidProject, match=r"pyproject\.toml: cannot be read: .*line 1"):
        opened(tmp_path, "x = \n")


@pytest.mark.parametrize("kind", ["missing", "empty folder", "text file"])
def test_what_is_no_project_is_refused(kind: str, tmp_path: Path) -> None:
    """A path that is not there, a folder without a project, a file that is no archive."""
    source = tmp_path / "source"
    if kind == "empty folder":
        source.mkdir()
    elif kind == "text file":
        source.write_text("")

    with pytest.raises(SourceNotFound):
        read.opened(source, tmp_path / "extracted")


def test_sdist_is_extracted_and_known_by_its_pkg_info(tmp_path: Path) -> None:
    """The folder in the archive is the source tree; PKG-INFO gives name and version."""
    with zipfile.ZipFile(tmp_path / "thing-1.0.zip", "w") as archive:
        archive.writestr("thing-1.0/setup.py", "")
        archive.writestr("thing-1.0/PKG-INFO", "Metadata-Version: 2.1\nName: Thing\nVersion: 1.0\n")

    project = read.opened(tmp_path / "thing-1.0.zip", tmp_path / "extracted")

    assert project.folder == tmp_path / "extracted" / "thing-1.0"
    assert project.is_ours
    assert (project.name, str(project.version)) == ("thing", "1.0")


@pytest.mark.parametrize(
    "member",
    [
        tarfile.TarInfo("../outside"),
        tarfile.TarInfo("top/../../outside"),
        link("top/link", "../../x"),
        link("l", "/etc"),
    ],
    ids=["parent", "parent inside", "link to a parent", "absolute link"],
)
def test_tar_that_reaches_outside_is_refused(member: tarfile.TarInfo, tmp_path: Path) -> None:
    """The data filter of tarfile refuses it, and nothing is written outside."""
    archive = tar(tmp_path / "thing-1.0.tar.gz", tarfile.TarInfo("top/setup.py"), member)

    with pytest.raises(UnsafeArchive):
        read.opened(archive, tmp_path / "work" / "extracted")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["thing-1.0.tar.gz", "work"]
    assert sorted(path.name for path in (tmp_path / "work").iterdir()) == ["extracted"]


@pytest.mark.parametrize("name", ["../outside", "/outside", "top/../../outside", "..\\outside", "C:/outside"])
def test_zip_that_reaches_outside_is_refused(name: str, tmp_path: Path) -> None:
    """Parents, absolute paths and drives are refused before anything of them is written."""
    with zipfile.ZipFile(tmp_path / "thing-1.0.zip", "w") as archive:
        archive.writestr(name, "")

    with pytest.raises(UnsafeArchive):
        read.opened(tmp_path / "thing-1.0.zip", tmp_path / "work" / "extracted")

    assert list((tmp_path / "work" / "extracted").iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"no archive"])
def test_damaged_archive_is_refused(content: bytes, tmp_path: Path) -> None:
    """What cannot be opened is an error of the source, not a traceback."""
    (tmp_path / "thing-1.0.tar.gz").write_bytes(content)

    with pytest.raises(SourceNotFound, match="cannot be extracted"):
        read.opened(tmp_path / "thing-1.0.tar.gz", tmp_path / "extracted")


def test_archive_without_one_top_folder_is_no_sdist(tmp_path: Path) -> None:
    """Files at the top are not an sdist."""
    archive = tar(tmp_path / "thing-1.0.tar.gz", tarfile.TarInfo("setup.py"))

    with pytest.raises(SourceNotFound, match=r"holds setup\.py"):
        read.opened(archive, tmp_path / "extracted")
