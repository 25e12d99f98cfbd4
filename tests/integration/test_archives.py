"""An sdist archive as SOURCE: built like a folder, and refused when it would reach outside."""

from __future__ import annotations

import io
import shutil
import stat
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.integration.bench import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.bench import Bench


@pytest.mark.parametrize(("suffix", "kind"), [(".tar.gz", "gztar"), (".zip", "zip")])
def test_an_archive_is_built_like_a_folder(bench: Bench, suffix: str, kind: str) -> None:
    """The wheel is made from the extracted source tree, with the settings that stand in it."""
    host = bench.host("engine==1.0", "fuel==1.0")
    toml = '[tool.passbuild]\npassthrough = ["engine"]'
    project = bench.project(toml=toml, imports=["engine"], name="sample-1.0")
    archive = shutil.make_archive(str(project), kind, project.parent, project.name)

    run = bench.passbuild("wheel", archive, "--host", host)

    assert run.code == 0, run.stderr
    assert archive.endswith(suffix)
    assert run.names("passed") == ["engine", "fuel"]
    assert run.seen["cwd"] != str(project)
    assert run.document["source"] == archive


def test_pkg_info_of_an_archive_states_what_comes_out(bench: Bench) -> None:
    """A wheel with another version than the sdist's PKG-INFO is not published."""
    host = bench.host()
    project = bench.project(name="sample-1.0", version="2.0")
    (project / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: sample\nVersion: 1.0\n", encoding="utf-8")
    archive = shutil.make_archive(str(project), "gztar", project.parent, project.name)

    run = bench.passbuild("wheel", archive, "--host", host)

    assert run.code == 1
    assert run.error["code"] == "bad-artifact"
    assert "states the version 2.0, expected was 1.0" in run.error["message"]


def _tar(file: Path, *members: tarfile.TarInfo) -> None:
    with tarfile.open(file, "w:gz") as archive:
        for name in ("sample-1.0/pyproject.toml", "sample-1.0/PKG-INFO"):
            archive.addfile(tarfile.TarInfo(name))
        for member in members:
            content = b"x" * member.size
            archive.addfile(member, io.BytesIO(content))


def _tar_file(name: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size = 3
    return member


def _tar_link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


_TAR_MEMBERS: dict[str, Callable[[Path], list[tarfile.TarInfo]]] = {
    "a parent": lambda _: [_tar_file("sample-1.0/../../escaped.txt")],
    "an absolute path": lambda outside: [_tar_file(str(outside / "escaped.txt"))],
    "a link to a parent": lambda _: [_tar_link("sample-1.0/link", "../../outside")],
    "an absolute link": lambda outside: [_tar_link("sample-1.0/link", str(outside))],
    "a file through a link": lambda outside: [
        _tar_link("sample-1.0/link", str(outside)),
        _tar_file("sample-1.0/link/escaped.txt"),
    ],
    "a hard link": lambda outside: [_tar_link("sample-1.0/link", str(outside / "secret.txt"), tarfile.LNKTYPE)],
    "a device": lambda _: [_tar_link("sample-1.0/device", "", tarfile.CHRTYPE)],
}


@pytest.mark.parametrize("member", _TAR_MEMBERS)
def test_a_tar_archive_that_reaches_outside_is_refused(bench: Bench, member: str) -> None:
    """Exit 2 before any code of the project runs; nothing is written outside, and nothing stays extracted."""
    outside = bench.folder / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("secret", encoding="utf-8")
    archive = bench.folder / "sample-1.0.tar.gz"
    _tar(archive, *_TAR_MEMBERS[member](outside))
    before = fingerprint(bench.folder)

    run = bench.passbuild("wheel", archive, "--host", bench.host())

    assert run.code == 2
    assert run.error["code"] == "unsafe-archive"
    assert str(archive) in run.error["message"]
    assert fingerprint(bench.folder) == before


@pytest.mark.parametrize("name", ["sample-1.0/../../escaped.txt", "/escaped.txt", "..\\escaped.txt", "C:/escaped.txt"])
def test_a_zip_archive_that_reaches_outside_is_refused(bench: Bench, name: str) -> None:
    """Likewise for the paths in a zip archive, also as Windows would read them."""
    archive = bench.folder / "sample-1.0.zip"
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr("sample-1.0/pyproject.toml", "")
        bundle.writestr(zipfile.ZipInfo(name), "x")
    before = fingerprint(bench.folder)

    run = bench.passbuild("wheel", archive, "--host", bench.host())

    assert run.code == 2
    assert run.error["code"] == "unsafe-archive"
    assert fingerprint(bench.folder) == before


def test_a_zip_archive_with_a_link_is_refused(bench: Bench) -> None:
    """A link in a zip archive is refused wherever it leads."""
    archive = bench.folder / "sample-1.0.zip"
    link = zipfile.ZipInfo("sample-1.0/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr("sample-1.0/pyproject.toml", "")
        bundle.writestr(link, "/")

    run = bench.passbuild("wheel", archive, "--host", bench.host())

    assert run.code == 2
    assert run.error["code"] == "unsafe-archive"
    assert "is a link" in run.error["message"]


def test_an_archive_may_have_links_that_stay_inside(bench: Bench) -> None:
    """Sdists of real projects have them."""
    project = bench.project(name="sample-1.0")
    (project / "link.json").symlink_to("recorder.json")
    archive = shutil.make_archive(str(project), "gztar", project.parent, project.name)

    run = bench.passbuild("wheel", archive, "--host", bench.host())

    assert run.code == 0, run.stderr


@pytest.mark.parametrize("name", ["sample-1.0.tar.gz", "sample-1.0.zip"])
def test_a_broken_archive_is_a_wrong_usage(bench: Bench, name: str) -> None:
    """Exit 2 with what is wrong."""
    (bench.folder / name).write_bytes(b"junk" * 500)

    run = bench.passbuild("wheel", bench.folder / name, "--host", bench.host())

    assert run.code == 2
    assert run.error["code"] == "source-not-found"
    assert "cannot be extracted" in run.error["message"]
