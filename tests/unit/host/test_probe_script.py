"""The probe finds the fewest files and folders that make up a distribution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from passbuild.host import _probe

if TYPE_CHECKING:
    from pathlib import Path


def test_regular_package_is_one_entry(tmp_path: Path) -> None:
    """A folder with __init__ is taken whole, with what is in it now."""
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("")

    assert _probe.entries(["torch/__init__.py", "torch/lib/x.so", "torch-1.dist-info/METADATA"], str(tmp_path)) == [
        "torch"
    ]


def test_namespace_is_followed_to_its_parts(tmp_path: Path) -> None:
    """Of a folder shared by several distributions only the own parts are taken."""
    (tmp_path / "google" / "mine").mkdir(parents=True)
    (tmp_path / "google" / "mine" / "__init__.py").write_text("")

    paths = ["google/mine/__init__.py", "google/mine/x.py", "google/single.py"]

    assert _probe.entries(paths, str(tmp_path)) == ["google/mine", "google/single.py"]


def test_folder_that_cannot_be_imported_is_one_entry(tmp_path: Path) -> None:
    """`numpy.libs` is no namespace package."""
    assert _probe.entries(["numpy.libs/a.so", "numpy.libs/b.so"], str(tmp_path)) == ["numpy.libs"]


def test_first_copy_on_the_path_wins_and_left_overs_do_not_count(tmp_path: Path) -> None:
    """Names compare normalized; `~name` is what a broken uninstallation leaves."""
    for location, version in (("one", "1"), ("two", "2")):
        info = tmp_path / location / f"Foo_Bar-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Name: Foo_Bar\nVersion: {version}\n")
    (tmp_path / "one" / "~oo-3.dist-info").mkdir()
    (tmp_path / "one" / "empty-3.dist-info").mkdir()

    found = _probe.listed([str(tmp_path / "one"), str(tmp_path / "gone"), str(tmp_path / "two")])

    assert {name: version for name, (version, _, _) in found.items()} == {"foo-bar": "1"}


def test_package_without_a_record_is_whole(tmp_path: Path) -> None:
    """Debian's python3-gi: its __init__ extends its path, and nothing says which files are its own."""
    info = tmp_path / "PyGObject-3.42.egg-info"
    info.mkdir()
    (info / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: PyGObject\nVersion: 3.42\n")
    (info / "top_level.txt").write_text("gi\n")
    (tmp_path / "gi").mkdir()
    (tmp_path / "gi" / "__init__.py").write_text("__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n")

    described = _probe.describe("pygobject", "3.42", str(tmp_path), str(info))

    assert described["entries"] == ["gi"]
