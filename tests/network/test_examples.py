"""The examples that need no torch build, install and run as their own READMEs say."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.network.tools import EXAMPLES, installed, output, passbuild

pytestmark = pytest.mark.network

_LEFT_OVERS = shutil.ignore_patterns("build", "dist", "*.egg-info", "*.so")


def test_pure_python_example_takes_packaging_from_the_running_environment(tmp_path: Path) -> None:
    """With no host named, the environment that passbuild runs in is the host; hatchling builds with its packaging."""
    source = shutil.copytree(EXAMPLES / "pure-python", tmp_path / "source", ignore=_LEFT_OVERS)

    outcome = passbuild("wheel", source)

    assert outcome.document["host"]["executable"] == sys.executable
    assert outcome.names("passed") == {"packaging"}
    assert "hatchling" in outcome.names("installed")
    assert "packaging" not in outcome.names("installed")
    shown = installed(outcome.wheel, tmp_path / "installed")
    recorded = (shown / "built_with" / "packaging.json").read_text()
    assert version("packaging") in recorded
    assert str(Path(sys.prefix)) in recorded


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_numpy_example_computes(installer: str, host: Path, tmp_path: Path) -> None:
    """The C extension is compiled against the numpy of the host, and sums an array there."""
    source = shutil.copytree(EXAMPLES / "numpy-extension", tmp_path / "source", ignore=_LEFT_OVERS)

    outcome = passbuild("wheel", source, "--host", host, "--installer", installer)

    assert "numpy" in outcome.names("passed")
    assert "numpy" not in outcome.names("installed")
    shown = installed(outcome.wheel, tmp_path / "installed")
    program = "import numpy, array_ops; print(array_ops.total(numpy.array([1.0, 2.0, 3.5])))"
    assert output(host / "bin/python", "-c", program, shows=shown) == "6.5"


def test_first_command_of_the_readme_names_an_example_that_is_there() -> None:
    """The README's first command builds one of the examples that these tests build."""
    readme = (EXAMPLES.parent / "README.md").read_text()

    assert "passbuild wheel examples/pure-python" in readme
    assert subprocess.run([sys.executable, "-m", "passbuild", "--version"], check=True, capture_output=True).stdout
