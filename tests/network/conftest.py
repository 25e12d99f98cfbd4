"""Hosts and published sdists for the network tests, made once a session."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import virtualenv

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="session", autouse=True)
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep build environments apart from those of the user, for this session."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PASSBUILD_CACHE_DIR", str(tmp_path_factory.mktemp("store")))
        yield


@pytest.fixture(scope="session")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Get the published sdist of a pinned requirement, without running any of its code."""
    folder = tmp_path_factory.mktemp("sdists")
    index = [argument for url in os.environ.get("PIP_INDEX_URL", "").split() for argument in ("-i", url)]

    def get(requirement: str) -> Path:
        argv = [sys.executable, "-m", "unearth", requirement, "--no-binary", "--download", str(folder), *index]
        found = subprocess.run(argv, capture_output=True, text=True, check=True)
        return Path(json.loads(found.stdout)["local_path"])

    return get


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a host with the packages that samples compile against."""
    folder = tmp_path_factory.mktemp("host") / "venv"
    virtualenv.cli_run(["--no-seed", "--python", sys.executable, str(folder)], setup_logging=False)
    argv = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", str(folder / "bin" / "python")]
    subprocess.run([*argv, "numpy", "pybind11"], check=True)
    return folder


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel of passbuild that users would install."""
    folder = tmp_path_factory.mktemp("package")
    subprocess.run(
        [sys.executable, "-m", "uv", "build", "--quiet", "--wheel", "-o", folder, Path(__file__).parents[2]], check=True
    )
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="session")
def torch_host() -> Path:
    """Return the host with torch that the environment names."""
    return Path(os.environ["TEST_TORCH_HOST"])
