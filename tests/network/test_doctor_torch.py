"""`passbuild doctor` on hosts with packages that are compiled against: torch, and mpi4py with the machine's MPI."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.network.tools import EXAMPLES

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.network

_MINE = ("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "CFLAGS", "CXXFLAGS", "CPPFLAGS", "CUDA_HOME", "CUDA_PATH")


def _doctor(*arguments: object, **environ: str) -> tuple[int, list[dict[str, Any]]]:
    """Return the exit code and the findings."""
    kept = {name: value for name, value in os.environ.items() if name not in _MINE}
    finished = subprocess.run(
        [sys.executable, "-m", "passbuild", "doctor", *map(str, arguments), "--json"],
        env={**kept, **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    return finished.returncode, json.loads(finished.stdout)["findings"]


def _of(findings: list[dict[str, Any]], subject: str) -> list[dict[str, Any]]:
    return [item for item in findings if item["subject"] == subject]


@pytest.mark.torch
def test_torch_says_what_it_was_built_with(torch_host: Path) -> None:
    """Version, toolkit and ABI come from the host's own torch; a CPU build has nothing to do with an nvcc."""
    code, findings = _doctor(EXAMPLES / "torch-extension", "--host", torch_host)

    (torch,) = _of(findings, "torch")
    (abi,) = _of(findings, "C++ ABI")
    passed = [item["fact"] for item in _of(findings, "passthrough")]
    assert code == 0, findings
    assert torch["state"] == "ok"
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*, built with (no CUDA and no ROCm|CUDA .*|ROCm .*)", torch["fact"])
    assert abi["state"] == "ok"
    assert passed[0].startswith(f"torch {torch['fact'].partition(',')[0]} in {torch_host}")
    if "no CUDA" in torch["fact"] and shutil.which("nvcc"):
        assert [item["state"] for item in _of(findings, "CUDA")] == ["note"]


@pytest.mark.torch
def test_flags_for_another_abi_than_torchs_are_a_problem(torch_host: Path) -> None:
    """Torch of today has the newer one."""
    flags = "-O2 -D_GLIBCXX_USE_CXX11_ABI=0"

    code, findings = _doctor(EXAMPLES / "torch-extension", "--host", torch_host, CXXFLAGS=flags)

    (abi,) = _of(findings, "C++ ABI")
    assert (code, abi["state"]) == (1, "problem")
    assert abi["fact"].startswith("CXXFLAGS asks for _GLIBCXX_USE_CXX11_ABI=0, torch was built with 1")


@pytest.mark.skipif(shutil.which("mpicc") is None, reason="there is no mpicc on PATH")
def test_mpi4py_compiled_with_mpicc_runs_with_its_library(tmp_path: Path) -> None:
    """Both say the same vendor and version."""
    host = tmp_path / "host"
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, host], check=True)
    python = str(host / "bin" / "python")
    installing = [*uv, "pip", "install", "--quiet", "--python", python, "--no-binary", "mpi4py", "mpi4py"]
    subprocess.run(installing, check=True)
    project = tmp_path / "project"
    project.mkdir()
    toml = '[build-system]\nrequires = ["setuptools", "mpi4py"]\nbuild-backend = "setuptools.build_meta"\n'
    (project / "pyproject.toml").write_text(toml, encoding="utf-8")

    code, findings = _doctor(project, "--host", host, "--passthrough", "mpi4py")

    told = _of(findings, "MPI")
    runs, compiles = (re.search(r"(?:runs with|, for) (\D+ [\d.]+)$", item["fact"]) for item in told[:2])
    assert code == 0, findings
    assert runs is not None
    assert compiles is not None
    assert runs[1] == compiles[1]
    assert told[2]["state"] == "ok"
