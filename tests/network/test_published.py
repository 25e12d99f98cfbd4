"""Published sdists, unmodified, and real backends: they build against the host, install, import and compute."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.network.tools import SAMPLES, contents, installed, output, passbuild

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.network

FORCED = {"FLASH_ATTENTION_SKIP_CUDA_BUILD": "TRUE", "FLASH_ATTENTION_FORCE_BUILD": "TRUE"}


@pytest.mark.torch
@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_torch_harmonics_gets_its_extension(
    installer: str, torch_host: Path, sdist: Callable[[str], Path], tmp_path: Path
) -> None:
    """torch-harmonics never declares torch and silently leaves its extension out; with torch passed it has one."""
    source = sdist("torch-harmonics==0.8.0")

    outcome = passbuild(
        "wheel", source, "--host", torch_host, "--passthrough", "torch", "--installer", installer, "-o", tmp_path
    )

    assert [name for name in contents(outcome.wheel) if name.endswith(".so")]
    assert "torch" in outcome.names("passed")
    assert "torch" not in outcome.names("installed")
    program = "import torch, disco_helpers; print(disco_helpers.preprocess_psi.__name__)"
    shown = installed(outcome.wheel, tmp_path / "installed")
    assert output(torch_host / "bin/python", "-c", program, shows=shown) == "preprocess_psi"


@pytest.mark.torch
@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_flash_attn_imports_torch_in_its_first_hook(
    installer: str, torch_host: Path, sdist: Callable[[str], Path], tmp_path: Path
) -> None:
    """flash-attn's get_requires_for_build_wheel imports torch: the view stands before the first hook."""
    source = sdist("flash-attn==2.8.3.post2")

    outcome = passbuild(
        "wheel",
        source,
        *("--host", torch_host, "--passthrough", "torch", "--installer", installer, "-o", tmp_path),
        environ=FORCED,
    )

    assert {"ninja", "packaging", "psutil"} <= outcome.names("installed")
    assert "torch" not in outcome.names("installed")
    assert "flash_attn/__init__.py" in contents(outcome.wheel)
    shown = installed(outcome.wheel, tmp_path / "installed")
    # The CUDA extension is not built (SKIP_CUDA_BUILD): an empty module stands in for it, all else is the wheel's.
    no_cuda = "import sys, types; sys.modules['flash_attn_2_cuda'] = types.ModuleType('flash_attn_2_cuda'); "
    program = no_cuda + "import flash_attn; print(flash_attn.__version__, flash_attn.flash_attn_func.__module__)"
    imported = output(torch_host / "bin/python", "-W", "ignore", "-c", program, shows=shown)
    assert imported == "2.8.3.post2 flash_attn.flash_attn_interface"


def test_contourpy_finds_pybind11_of_the_host(host: Path, sdist: Callable[[str], Path], tmp_path: Path) -> None:
    """Meson's dependency('pybind11') finds the passed copy, also where the system has another one in /usr/include."""
    source = sdist("contourpy==1.3.3")

    outcome = passbuild("wheel", source, "--host", host, "--passthrough", "pybind11", "-o", tmp_path, "-v")

    assert re.search(rf"-I{re.escape(str(host))}\S+/pybind11/\S*include", outcome.stderr)
    assert outcome.document["warnings"] == []
    assert "pybind11" in outcome.names("passed")
    assert "pybind11" not in outcome.names("installed")
    program = "import contourpy; print(len(contourpy.contour_generator(z=[[0, 1], [1, 0]]).lines(0.5)))"
    assert output(host / "bin/python", "-c", program, shows=installed(outcome.wheel, tmp_path / "installed")) == "2"


def test_scikit_build_core_finds_pybind11_of_the_host(host: Path, tmp_path: Path) -> None:
    """find_package(pybind11) finds the passed pybind11 through CMAKE_PREFIX_PATH, and the wheel is compiled with it."""
    source = shutil.copytree(SAMPLES / "scikit_build_core_finds_pybind11", tmp_path / "source")

    outcome = passbuild("wheel", source, "--host", host, "--passthrough", "pybind11", "-v")

    assert re.search(r"pybind11 is at \S+/host-packages/pybind11/", outcome.stderr)
    assert "pybind11" not in outcome.names("installed")
    shown = installed(outcome.wheel, tmp_path / "installed")
    compiled_with = output(host / "bin/python", "-c", "import doubled; print(doubled.compiled_with)", shows=shown)
    version = next(item["version"] for item in outcome.document["passed"] if item["name"] == "pybind11")
    assert version.startswith(compiled_with + ".")
    assert output(host / "bin/python", "-c", "import doubled; print(doubled.doubled(21))", shows=shown) == "42"


def test_cython_cimports_numpy_of_the_host(host: Path, tmp_path: Path) -> None:
    """Cython finds the .pxd files of the passed numpy, gcc its headers at the host's own path."""
    source = shutil.copytree(SAMPLES / "cython_cimports_numpy", tmp_path / "source")

    outcome = passbuild("wheel", source, "--host", host, "--passthrough", "numpy", "-v")

    assert re.search(rf"-I{re.escape(str(host))}\S+/numpy/_core/include", outcome.stderr)
    assert "numpy" not in outcome.names("installed")
    program = "import numpy, total; print(total.total(numpy.array([1.0, 2.0, 3.5])))"
    assert output(host / "bin/python", "-c", program, shows=installed(outcome.wheel, tmp_path / "installed")) == "6.5"
