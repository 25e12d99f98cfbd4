"""The ROCm toolkit, beside a torch that was built with it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from passbuild.doctor import programs
from passbuild.doctor.model import fine, note, problem, warning

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from passbuild.doctor.inquiry import Torch
    from passbuild.doctor.model import Finding
    from passbuild.doctor.scene import Scene

_SUBJECT = "ROCm"
_USUAL = Path("/opt/rocm")
_HIP = re.compile(r"HIP version: (\d+\.\d+[\w.-]*)")


def findings(scene: Scene, torch: Torch | None) -> Iterator[Finding]:
    """Say whether hipcc is there, and of which version."""
    if torch is None or not torch.hip:
        return
    folder = Path(torch.home) if torch.home else home(scene.environ)
    hipcc = folder / "bin" / "hipcc" if folder else None
    if hipcc is None or not hipcc.is_file():
        where = f"{folder} has no bin/hipcc" if folder else "there is no hipcc on PATH, in ROCM_HOME or in /opt/rocm"
        is_needed = not scene.languages.isdisjoint({"HIP", "CUDA"})  # torch turns the one into the other
        cure = f"install ROCm {programs.minor(torch.hip)}, and name its folder in ROCM_HOME"
        yield (problem if is_needed else note)(_SUBJECT, f"{where}: GPU sources cannot be compiled", cure)
        return
    finished = programs.told([hipcc, "--version"], scene.environ)
    version = release(finished.stdout) if finished.returncode == 0 else ""
    if version:
        yield verdict(torch.hip, version)
    else:
        yield warning(_SUBJECT, f"{hipcc} does not say its version: {programs.complaint(finished)}", "reinstall ROCm")


def home(environ: Mapping[str, str]) -> Path | None:
    """Return the folder of ROCm by torch's order: ROCM_HOME, ROCM_PATH, that of hipcc on PATH, the usual one."""
    named = environ.get("ROCM_HOME") or environ.get("ROCM_PATH")
    if named:
        return Path(named)
    hipcc = programs.located("hipcc", environ)
    if hipcc is not None:
        folder = hipcc.resolve().parent.parent
        return folder.parent if folder.name == "hip" else folder
    return _USUAL if _USUAL.exists() else None


def release(text: str) -> str:
    """Return the HIP version that ``hipcc --version`` tells; empty for none."""
    found = _HIP.search(text)
    return found[1] if found else ""


def verdict(of_torch: str, of_hipcc: str) -> Finding:
    """Compare two versions of HIP; torch does not."""
    fact = f"hipcc is of HIP {of_hipcc}, torch was built with {of_torch}"
    if programs.major(of_torch) != programs.major(of_hipcc):
        return warning(_SUBJECT, fact, f"install ROCm {programs.minor(of_torch)}, and name its folder in ROCM_HOME")
    return (fine if programs.minor(of_torch) == programs.minor(of_hipcc) else note)(_SUBJECT, fact)
