"""The host is found in the documented order, and a wrong --host is explained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from passbuild.errors import HostNotFound
from passbuild.host import find
from passbuild.settings.model import Setting
from passbuild.values import replace
from tests.unit.fakes import surroundings

if TYPE_CHECKING:
    from pathlib import Path


def environment(folder: Path) -> Path:
    """Lay out the files by which an environment is known; return its interpreter."""
    python = folder / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    (folder / "pyvenv.cfg").write_text("")
    return python


def asked(text: str) -> Setting[str]:
    """Return what --host gives."""
    return Setting(value=text, origin="--host")


def test_order_of_the_search(tmp_path: Path) -> None:
    """--host, VIRTUAL_ENV, CONDA_PREFIX, our own environment, .venv beside the project, the base interpreter."""
    project = tmp_path / "project"
    here = surroundings(tmp_path)
    pythons = {name: environment(tmp_path / name) for name in ("asked", "virtual", "conda", "own", "project/.venv")}
    both = replace(here, environ={"VIRTUAL_ENV": str(tmp_path / "virtual"), "CONDA_PREFIX": str(tmp_path / "conda")})
    conda = replace(here, environ={"CONDA_PREFIX": str(tmp_path / "conda")})
    bare = replace(here, prefix=tmp_path / "base")

    assert find.found(asked("asked"), project, both).executable == pythons["asked"]
    assert find.found(None, project, both).executable == pythons["virtual"]
    assert find.found(None, project, conda).executable == pythons["conda"]
    assert find.found(None, project, here).executable == pythons["own"]
    assert find.found(None, project, bare).executable == pythons["project/.venv"]
    assert find.found(None, tmp_path, bare).executable == bare.base_python


@pytest.mark.parametrize("mark", ["pipx_metadata.json", "uv-receipt.toml"])
def test_private_environment_of_a_tool_is_no_host(mark: str, tmp_path: Path) -> None:
    """What pipx or `uv tool` made for passbuild holds nothing of the user's."""
    environment(tmp_path / "own")
    (tmp_path / "own" / mark).write_text("")

    choice = find.found(None, tmp_path, surroundings(tmp_path))

    assert choice.executable == tmp_path / "base" / "bin" / "python"


def test_environment_in_a_cache_is_no_host(tmp_path: Path) -> None:
    """`uvx` runs tools from environments in its cache."""
    environment(tmp_path / "own")
    (tmp_path / "CACHEDIR.TAG").write_text("")

    assert find.found(None, tmp_path, surroundings(tmp_path)).executable == tmp_path / "base" / "bin" / "python"


def test_host_can_be_an_interpreter(tmp_path: Path) -> None:
    """A file is taken as the interpreter itself; its links stay, as they tell Python which environment it is."""
    python = environment(tmp_path / "venv")

    assert find.found(asked("venv/bin/python"), tmp_path, surroundings(tmp_path)).executable == python


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("nowhere", "no such file, folder or version"),
        ("folder", "folder without a Python interpreter"),
        ("file", "cannot be run"),
    ],
)
def test_wrong_host_is_explained(text: str, problem: str, tmp_path: Path) -> None:
    """The message says what was found instead, the hint what --host takes."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")

    with pytest.raises(HostNotFound, match=problem) as raised:
        find.found(asked(text), tmp_path, surroundings(tmp_path, PATH=str(tmp_path), PYENV_ROOT=str(tmp_path)))

    assert "--host 3.12" in raised.value.hint


def test_stale_virtual_env_is_explained(tmp_path: Path) -> None:
    """An activated environment that was deleted is named with the variable."""
    with pytest.raises(HostNotFound, match="VIRTUAL_ENV"):
        find.found(None, tmp_path, surroundings(tmp_path, VIRTUAL_ENV=str(tmp_path / "gone")))
