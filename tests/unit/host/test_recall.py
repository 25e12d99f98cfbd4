"""An interpreter's answer is kept for exactly as long as nothing changes that it was read from."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from passbuild.host import recall

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_ENVIRON = {"HOME": "/home/user", "PATH": "/bin"}


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """Return a folder laid out like a virtual environment, made long ago as far as anybody asks here."""
    site = tmp_path / "env" / "site-packages"
    (site / "engine-1.0.dist-info").mkdir(parents=True)
    (site / "shows.pth").write_text("/elsewhere\n")
    (site / "sitecustomize.py").write_text("")
    (tmp_path / "env" / "python").write_text("")
    (tmp_path / "env" / "pyvenv.cfg").write_text("")
    (tmp_path / "known").mkdir()
    return tmp_path


def _answer(environment: Path) -> recall.Answer:
    path = [str(environment / "env" / "site-packages"), str(environment / "not there")]
    return {"prefix": str(environment / "env"), "path": path}


def _noted(environment: Path, asked: float | None = None) -> None:
    later = time.time() + 60 if asked is None else asked
    recall.note(environment / "known", environment / "env" / "python", _ENVIRON, _answer(environment), later)


def _recalled(environment: Path, **variables: str) -> object:
    return recall.recalled(environment / "known", environment / "env" / "python", {**_ENVIRON, **variables})


def test_an_answer_is_recalled_while_nothing_changes(environment: Path) -> None:
    """Variables that no interpreter reads make no difference."""
    _noted(environment)

    assert _recalled(environment, PATH="/usr/bin", LANG="de") == _answer(environment)


def _retargeted(environment: Path) -> None:
    python = environment / "env" / "python"
    other = environment / "other"
    other.write_text("")
    python.unlink()
    python.symlink_to(other)


_CHANGES: dict[str, Callable[[Path], object]] = {
    "distribution comes": lambda folder: (folder / "env/site-packages/fuel-1.0.dist-info").mkdir(),
    "distribution goes": lambda folder: (folder / "env/site-packages/engine-1.0.dist-info").rmdir(),
    "path file is written": lambda folder: (folder / "env/site-packages/shows.pth").write_text("/other\n"),
    "sitecustomize is written": lambda folder: (folder / "env/site-packages/sitecustomize.py").write_text("pass"),
    "pyvenv.cfg is written": lambda folder: (folder / "env/pyvenv.cfg").write_text("home = /other\n"),
    "interpreter is another": _retargeted,
    "interpreter is gone": lambda folder: (folder / "env/python").unlink(),
    "folder appears": lambda folder: (folder / "not there").mkdir(),
    "time alone": lambda folder: os.utime(folder / "env/site-packages/shows.pth", (0, 0)),
}


@pytest.mark.parametrize("change", _CHANGES)
def test_nothing_is_recalled_after_a_change(environment: Path, change: str) -> None:
    """Each of these can change what the interpreter would say."""
    _noted(environment)

    _CHANGES[change](environment)

    assert _recalled(environment) is None


@pytest.mark.parametrize("name", ["PYTHONPATH", "PYTHONNOUSERSITE", "PYTHONUSERBASE", "HOME"])
def test_nothing_is_recalled_with_another_variable(environment: Path, name: str) -> None:
    """These shape ``sys.path``."""
    _noted(environment)

    assert _recalled(environment, **{name: "/other"}) is None


def test_a_relative_path_in_a_variable_counts_from_the_current_folder(
    environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`PYTHONPATH=src` shows another folder elsewhere."""
    python, shown = environment / "env" / "python", {**_ENVIRON, "PYTHONPATH": "src"}
    recall.note(environment / "known", python, shown, _answer(environment), time.time() + 60)
    here = recall.recalled(environment / "known", python, shown)

    monkeypatch.chdir(environment)

    assert here == _answer(environment)
    assert recall.recalled(environment / "known", python, shown) is None


def test_another_kernel_is_another_answer(environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`platform_release` and `platform_version` are markers."""
    _noted(environment)

    monkeypatch.setattr(os, "uname", lambda: ("Linux", "host", "7.0", "#1", "x86_64"))

    assert _recalled(environment) is None


def test_what_has_only_just_changed_is_not_kept(environment: Path) -> None:
    """A file can change once more within the tick of the clock and keep its time."""
    _noted(environment, asked=time.time())

    assert list((environment / "known").iterdir()) == []


def test_without_a_folder_nothing_is_kept(environment: Path) -> None:
    """The store makes the folder, where there may be one."""
    (environment / "known").rmdir()

    _noted(environment)

    assert not (environment / "known").exists()
    assert _recalled(environment) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"about": [], "states": 1}', '{"about": 1, "states": {}}'])
def test_what_cannot_be_read_is_not_known(environment: Path, text: str) -> None:
    """Somebody wrote into it, or an older passbuild did."""
    _noted(environment)
    (file,) = (environment / "known").iterdir()

    file.write_text(text)

    assert _recalled(environment) is None
