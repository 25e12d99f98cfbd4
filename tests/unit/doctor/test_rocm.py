"""ROCm: where it is looked for, and which versions go together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from passbuild.doctor import rocm
from passbuild.doctor.model import State
from tests.unit.doctor.facts import program, scene, torch

if TYPE_CHECKING:
    from pathlib import Path

HIPCC = "HIP version: 6.2.41133-dd7f95766\nAMD clang version 18.0.0git\n"


def test_rocm_is_looked_for_in_torchs_order(tmp_path: Path) -> None:
    """ROCM_HOME, ROCM_PATH, the home of hipcc on PATH; links are followed, and an old layout has hip/bin/hipcc."""
    hipcc = program(tmp_path / "rocm" / "hip" / "bin", "hipcc")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "hipcc").symlink_to(hipcc)
    path = {"PATH": str(tmp_path / "bin")}

    found = [
        rocm.home({**path, **named}) for named in ({"ROCM_HOME": "/a", "ROCM_PATH": "/b"}, {"ROCM_PATH": "/b"}, {})
    ]

    assert list(map(str, found)) == ["/a", "/b", str((tmp_path / "rocm").resolve())]


@pytest.mark.parametrize(("text", "version"), [(HIPCC, "6.2.41133-dd7f95766"), ("AMD clang version 18.0.0", "")])
def test_hipccs_version_is_that_of_hip(text: str, version: str) -> None:
    """Not that of the compiler beneath."""
    found = rocm.release(text)

    assert found == version


@pytest.mark.parametrize(
    ("of_hipcc", "state"),
    [("6.2.41134-1", State.OK), ("6.4.43482", State.NOTE), ("7.0.1", State.WARNING)],
)
def test_another_major_version_of_hip_is_a_warning(of_hipcc: str, state: State) -> None:
    """Torch does not compare them, so it is no problem yet."""
    found = rocm.verdict("6.2.41133-dd7f95766", of_hipcc)

    assert found.state is state
    assert found.fact == f"hipcc is of HIP {of_hipcc}, torch was built with 6.2.41133-dd7f95766"


@pytest.mark.parametrize(
    ("languages", "state"), [({"HIP"}, State.PROBLEM), ({"CUDA"}, State.PROBLEM), ({"C"}, State.NOTE)]
)
def test_a_missing_hipcc_matters_to_gpu_sources(languages: set[str], state: State, tmp_path: Path) -> None:
    """Torch makes HIP sources of CUDA sources, so both need it."""
    looked_at = scene(tmp_path, languages=languages)

    (found,) = rocm.findings(looked_at, torch(cuda="", hip="6.2.41133", home=str(tmp_path)))

    assert found.state is state
    assert found.fact.startswith(f"{tmp_path} has no bin/hipcc")
    assert "install ROCm 6.2" in found.cure


def test_without_a_torch_for_rocm_nothing_is_said_of_it(tmp_path: Path) -> None:
    """What is neither there nor needed is left out."""
    assert list(rocm.findings(scene(tmp_path), torch())) == []
    assert list(rocm.findings(scene(tmp_path), None)) == []
