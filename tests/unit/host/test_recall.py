"""An interpreter's answer is kept for exactly as long as nothing changes that it was read from."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from passbuild.host import recall

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_ENVIRON = {"HOME": "/home/user", "PATH": "/bin"}


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """Return a folder laid out like a virtual environment, made long ago as far as anybody asks here."""
    site = tmp_path / "env" / "site-packages"
    (site / "engine-1.0.dist-info").mkdir(parents=True)
    (site / "shows.pth").write_text("/elsewhere\n")
    (tmp_path / "env" / "python").write_text("")
    (tmp_path / "env" / "pyvenv.cfg").write_text("")
    (tmp_path / "known").mkdir()
    return tmp_path


def _memory(environment: Path, max_age: float = 3600.0) -> recall.Memory:
    return recall.Memory(folder=environment / "known", max_age=max_age)


def _answer(environment: Path) -> recall.Answer:
    return {
        "executable": str(environment / "env" / "python"),
        "prefix": str(environment / "env"),
        "path": [str(environment / "env" / "site-packages"), str(environment / "not there")],
        "user_site": str(environment / "home" / "site-packages"),
        "customized": False,
    }


def _noted(environment: Path, answer: recall.Answer | None = None, asked: float | None = None) -> None:
    later = time.time() + 60 if asked is None else asked
    python = environment / "env" / "python"
    recall.note(_memory(environment), python, _ENVIRON, answer or _answer(environment), later)


def _recalled(environment: Path, *, max_age: float = 3600.0, variables: Mapping[str, str] | None = None) -> object:
    python = environment / "env" / "python"
    return recall.recalled(_memory(environment, max_age), python, {**_ENVIRON, **(variables or {})})


def test_an_answer_is_recalled_while_nothing_changes(environment: Path) -> None:
    """Variables that no interpreter reads make no difference."""
    _noted(environment)

    assert _recalled(environment, variables={"PATH": "/usr/bin", "LANG": "de"}) == _answer(environment)


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
    "user site appears": lambda folder: (folder / "home/site-packages").mkdir(parents=True),
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

    assert _recalled(environment, variables={name: "/other"}) is None


def test_a_relative_path_in_a_variable_counts_from_the_current_folder(
    environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`PYTHONPATH=src` shows another folder elsewhere."""
    python, shown = environment / "env" / "python", {**_ENVIRON, "PYTHONPATH": "src"}
    recall.note(_memory(environment), python, shown, _answer(environment), time.time() + 60)
    here = recall.recalled(_memory(environment), python, shown)

    monkeypatch.chdir(environment)

    assert here == _answer(environment)
    assert recall.recalled(_memory(environment), python, shown) is None


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


def test_another_interpreter_s_answer_is_not_kept(environment: Path) -> None:
    """A shim, of pyenv or asdf, starts whatever a variable or a file somewhere says."""
    _noted(environment, {**_answer(environment), "executable": str(environment / "versions" / "3.12" / "python")})

    assert _recalled(environment) is None


def test_a_link_to_the_interpreter_is_the_interpreter(environment: Path) -> None:
    """`bin/python` often is one."""
    (environment / "link").symlink_to(environment / "env" / "python")

    _noted(environment, {**_answer(environment), "executable": str(environment / "link")})

    assert _recalled(environment) is not None


def test_the_answer_of_a_customized_interpreter_is_not_kept(environment: Path) -> None:
    """A `sitecustomize` may look at any variable and any file."""
    _noted(environment, {**_answer(environment), "customized": True})

    assert _recalled(environment) is None


def test_an_answer_that_is_too_old_is_asked_for_again_and_forgotten(environment: Path) -> None:
    """`--refresh` makes every answer too old; `prune` takes away what is, and what a killed process left."""
    _noted(environment)
    (file,) = (environment / "known").iterdir()
    left = file.with_name(f"{file.name}.4711")
    left.touch()
    for path in (file, left):
        os.utime(path, (time.time() - 60, time.time() - 60))

    assert _recalled(environment) is not None
    assert _recalled(environment, max_age=59) is None
    assert _recalled(environment, max_age=0) is None

    recall.forget(_memory(environment))
    assert sorted((environment / "known").iterdir()) == [file, left]
    recall.forget(_memory(environment, max_age=59))
    assert list((environment / "known").iterdir()) == []


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"about": [], "states": 1}', '{"about": 1, "states": {}}'])
def test_what_cannot_be_read_is_not_known(environment: Path, text: str) -> None:
    """Somebody wrote into it, or an older passbuild did."""
    _noted(environment)
    (file,) = (environment / "known").iterdir()

    file.write_text(text)

    assert _recalled(environment) is None
