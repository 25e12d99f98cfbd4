"""What a person reads of ten broken projects: the cause first, the cure, and no more than fits on a screen.

What each prints is kept in ``outputs/`` and read by whoever changes it; ``TEST_WRITE_OUTPUTS=1`` writes it anew.
Paths, times, sizes and versions are put in one form, as they differ from machine to machine.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import places
from tests.network.tools import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.network

_OUTPUTS = Path(__file__).with_name("outputs")
_AT_MOST = 25
_FORMS = (
    (r"\[ *[\d.]+ s\] ", "[   # s] "),
    (r"passbuild-\w+\.log", "passbuild-#.log"),
    (r"python3\.\d+", "python3.#"),
    (r"cp3\d+|cpython-3\d+", "cp#"),
    (r"\b\d+(\.\d+)+[\w.+]*", "#.#"),
    (r"\b\d+ (MB|kB|B)\b", r"# \1"),
)


def _normal(text: str, **places: Path) -> str:
    """Return an output without what differs from machine to machine."""
    for name, place in sorted(places.items(), key=lambda item: -len(str(item[1]))):
        text = text.replace(str(place), name.upper())
    for pattern, form in _FORMS:
        text = re.sub(pattern, form, text)
    return text


def _run(project: Path, host: Path, scratch: Path, *options: str, path: str | None = None) -> tuple[int, str, str]:
    """Run `passbuild wheel` without a terminal, and return its exit code, standard output and standard error."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PASSBUILD_", "GITHUB_", "GITLAB_")) and name not in {"VIRTUAL_ENV", "CC", "CXX"}
    }
    environ = {**kept, "TMPDIR": str(scratch), "PATH": path or os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-m", "passbuild", "wheel", ".", "--host", str(host), "--no-store", *options],
        cwd=project,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def _held(name: str, code: int, stdout: str, stderr: str, **places: Path) -> str:
    """Hold an output against the one that is kept, and return it."""
    text = f"exit code {code}\n{_normal(stdout + stderr, **places)}"
    file = _OUTPUTS / f"{name}.txt"
    if os.environ.get("TEST_WRITE_OUTPUTS"):
        _OUTPUTS.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")
    assert len(text.splitlines()) - 1 <= _AT_MOST
    return text


def _project(name: str, folder: Path) -> Path:
    return Path(shutil.copytree(SAMPLES / "broken" / name, folder / "pump"))


@pytest.fixture
def empty_path(tmp_path: Path) -> str:
    """Return a PATH with git and nothing that compiles."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "git").symlink_to(shutil.which("git") or "/usr/bin/git")
    return str(folder)


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("imports_a_missing_torch", "setup.py:2: ModuleNotFoundError: No module named 'torch'"),
        ("requires_another_numpy", "numpy: wanted numpy<1.20 (build-system.requires), found "),
        ("mistypes_its_backend", "the backend setuptools.build_metadata cannot be imported"),
        ("mistypes_its_table", "pyproject.toml [tool.pasbuild]: "),
        ("imports_a_module_beside_it", "setup.py:1: ModuleNotFoundError: No module named 'pump_version'"),
        ("includes_a_missing_header", "valve.c:2: fatal error: valves/ball.h: No such file or directory"),
        ("requires_what_contradicts", "cannot install the build requirements"),
        ("crashes_by_a_signal", "signal 11 (SIGSEGV)"),
    ],
)
def test_the_cause_comes_first_and_all_fits_on_a_screen(name: str, first: str, host: Path, tmp_path: Path) -> None:
    """The first line of the error names the cause with its file; what is printed is what was reviewed."""
    project = _project(name, tmp_path)
    scratch = tmp_path / "tmp"
    scratch.mkdir()

    code, stdout, stderr = _run(project, host, scratch, "--installer", "uv")

    (error,) = [line for line in stderr.splitlines() if line.startswith("error[")]
    assert first in error + stderr.partition(error)[2].partition("\n")[0]
    _held(name, code, stdout, stderr, host=host, project=project, scratch=scratch)


def test_a_missing_compiler_is_named_with_what_to_install(host: Path, tmp_path: Path, empty_path: str) -> None:
    """The words of setuptools are `error: command 'gcc' failed`; passbuild says what to install."""
    project = _project("compiles_without_a_compiler", tmp_path)
    scratch = tmp_path / "tmp"
    scratch.mkdir()

    code, stdout, stderr = _run(project, host, scratch, "--installer", "pip", path=empty_path)

    text = _held("compiles_without_a_compiler", code, stdout, stderr, host=host, project=project, scratch=scratch)
    assert "hint: no compiler: " in text


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of 20 MB."""
    with places.small_disk(tmp_path / "small", "20m") as folder:
        yield folder


def test_a_full_disk_is_named_with_what_is_left_on_it(host: Path, tmp_path: Path, small_disk: Path) -> None:
    """Which disk it is was measured."""
    project = _project("fills_the_disk", small_disk)
    scratch = tmp_path / "tmp"
    scratch.mkdir()

    code, stdout, stderr = _run(project, host, scratch, "--installer", "uv")

    text = _held("fills_the_disk", code, stdout, stderr, host=host, project=project, scratch=scratch)
    assert "No space left on device" in text
    assert "hint: PROJECT has # MB left" in text


@pytest.mark.parametrize("name", sorted(path.name for path in (SAMPLES / "broken").iterdir()))
def test_each_broken_project_has_its_output(name: str) -> None:
    """Ten projects, ten outputs."""
    assert (_OUTPUTS / f"{name}.txt").is_file()
