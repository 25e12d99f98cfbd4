"""A project that names no passthrough packages gets exactly what `python -m build` gives."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from typing import TYPE_CHECKING

import pytest

from tests.network.tools import contents, installed, output, passbuild

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.network

PROJECTS = {
    "flit-core": ("typing-extensions==4.12.2", "import typing_extensions"),
    "hatchling": ("platformdirs==4.3.6", "import platformdirs"),
    "poetry-core": ("tomlkit==0.13.2", "import tomlkit"),
    "pdm-backend": ("unearth==0.17.2", "import importlib.util as u; assert u.find_spec('unearth')"),
    "setuptools": ("certifi==2024.8.30", "import certifi"),
    "setuptools-scm": ("pluggy==1.5.0", "import pluggy; assert pluggy.__version__ == '1.5.0'"),
}


@pytest.mark.parametrize("installer", ["uv", "pip"])
@pytest.mark.parametrize("backend", sorted(PROJECTS))
def test_wheel_equals_that_of_build(
    backend: str, installer: str, sdist: Callable[[str], Path], host: Path, tmp_path: Path
) -> None:
    """The wheel has the same files, in the same order, with the same contents; it installs and imports."""
    requirement, program = PROJECTS[backend]
    source = sdist(requirement)
    with tarfile.open(source) as archive:
        archive.extractall(tmp_path / "source", filter="data")
    (folder,) = (tmp_path / "source").iterdir()
    argv = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--installer",
        installer,
        "--outdir",
        str(tmp_path / "theirs"),
        str(folder),
    ]
    subprocess.run(argv, check=True, capture_output=True, env=dict(os.environ))
    (theirs,) = (tmp_path / "theirs").iterdir()

    outcome = passbuild("wheel", source, "--host", host, "--installer", installer, "-o", tmp_path / "ours")

    assert outcome.wheel.name == theirs.name
    assert list(contents(outcome.wheel)) == list(contents(theirs))
    assert contents(outcome.wheel) == contents(theirs)
    assert outcome.names("passed") == set()
    assert backend in outcome.names("installed")
    output(host / "bin/python", "-c", program, shows=installed(outcome.wheel, tmp_path / "installed"))


@pytest.mark.parametrize("layout", ["no pyproject.toml", "no build-system table", "no build-backend key"])
def test_legacy_project_builds_with_setuptools(layout: str, host: Path, tmp_path: Path) -> None:
    """Without pyproject.toml, [build-system] or build-backend, PEP 517's legacy setuptools backend builds it."""
    tables = {
        "no pyproject.toml": None,
        "no build-system table": "[tool.other]\n",
        "no build-backend key": '[build-system]\nrequires = ["setuptools"]\n',
    }
    text = tables[layout]
    if text is not None:
        (tmp_path / "pyproject.toml").write_text(text)
    (tmp_path / "setup.py").write_text("from setuptools import setup; import here; setup(version=here.VERSION)")
    (tmp_path / "here.py").write_text("VERSION = '1.5'\n")
    (tmp_path / "setup.cfg").write_text("[metadata]\nname = legacy\n[options]\npy_modules = here\n")

    outcome = passbuild("wheel", tmp_path, "--host", host)

    assert outcome.wheel.name == "legacy-1.5-py3-none-any.whl"
    assert "here.py" in contents(outcome.wheel)
