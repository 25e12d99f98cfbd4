"""CUDA: where it is looked for, and which versions, compilers and architectures go together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from passbuild.doctor import cuda
from passbuild.doctor.model import State
from tests.unit.doctor.facts import program

if TYPE_CHECKING:
    from pathlib import Path

NVCC = """\
nvcc: NVIDIA (R) Cuda compiler driver
Cuda compilation tools, release 12.4, V12.4.131
Build cuda_12.4.r12.4/compiler.34097967_0
"""


def test_cuda_is_looked_for_in_torchs_order(tmp_path: Path) -> None:
    """CUDA_HOME, CUDA_PATH, the folder above the one of nvcc on PATH; an empty variable counts as none."""
    nvcc = program(tmp_path / "toolkit" / "bin", "nvcc")
    environ = {"CUDA_HOME": "/a", "CUDA_PATH": "/b", "PATH": str(nvcc.parent)}

    found = [
        cuda.home({**environ, **changes}) for changes in ({}, {"CUDA_HOME": ""}, {"CUDA_HOME": "", "CUDA_PATH": ""})
    ]

    assert list(map(str, found)) == ["/a", "/b", str(tmp_path / "toolkit")]


def test_a_link_to_nvcc_is_not_followed(tmp_path: Path) -> None:
    """Torch takes the folder above the link's for CUDA_HOME."""
    nvcc = program(tmp_path / "toolkit" / "bin", "nvcc")
    (tmp_path / "local" / "bin").mkdir(parents=True)
    (tmp_path / "local" / "bin" / "nvcc").symlink_to(nvcc)

    found = cuda.home({"PATH": str(tmp_path / "local" / "bin")})

    assert found == tmp_path / "local"


@pytest.mark.parametrize(("text", "version"), [(NVCC, "12.4"), ("nvcc: command not found", "")])
def test_the_release_is_nvccs_version(text: str, version: str) -> None:
    """Major and minor; nothing is made of what says something else."""
    found = cuda.release(text)

    assert found == version


@pytest.mark.parametrize(
    ("of_nvcc", "state", "told"),
    [
        ("12.4", State.OK, "as well"),
        ("12.8", State.NOTE, "torch warns and goes on"),
        ("13.0", State.PROBLEM, "torch refuses to compile with it"),
    ],
)
def test_torch_refuses_another_major_version(of_nvcc: str, state: State, told: str) -> None:
    """Another minor one is good to know."""
    found = cuda.verdict("12.4", of_nvcc, State.PROBLEM)

    assert found.state is state
    assert found.fact.endswith(told)
    assert ("CUDA_HOME" in found.cure) == (state is State.PROBLEM)


def test_another_major_version_is_as_grave_as_the_project_makes_it() -> None:
    """A project without CUDA sources never starts nvcc."""
    found = cuda.verdict("12.4", "13.0", State.WARNING)

    assert found.state is State.WARNING


@pytest.mark.parametrize(
    ("flags", "lacking"),
    [
        (["-gencode=arch=compute_80,code=sm_80", "-gencode=arch=compute_90,code=compute_90"], []),
        (["-gencode=arch=compute_90a,code=sm_90a"], []),
        (["-gencode=arch=compute_35,code=sm_35", "-gencode=arch=compute_80,code=sm_80"], ["compute_35", "sm_35"]),
        ([], []),
    ],
)
def test_architectures_that_nvcc_does_not_know_are_named(flags: list[str], lacking: list[str]) -> None:
    """Its lists have 90 and not its variant 90a, which it knows all the same."""
    found = cuda.unsupported(flags, {"compute_80", "sm_80", "compute_90", "sm_90"})

    assert found == lacking


@pytest.mark.parametrize(
    ("version", "bounds", "is_refused"),
    [
        ("12.2.0", ("6.0.0", "14.0"), False),
        ("14.1.0", ("6.0.0", "14.0"), True),
        ("14.0", ("6.0.0", "14.0"), True),
        ("5.5.0", ("6.0.0", "14.0"), True),
        ("99.0", None, False),
        ("", ("6.0.0", "14.0"), False),
    ],
)
def test_torchs_table_of_compilers_counts(version: str, bounds: tuple[str, str] | None, *, is_refused: bool) -> None:
    """The upper bound is the first that is too new; nothing is said of what the table or the compiler leaves open."""
    found = cuda.refused("gcc", version, bounds)

    assert bool(found) == is_refused
    assert not is_refused or found.endswith("it wants >=6.0.0, <14.0")
