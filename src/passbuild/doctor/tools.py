"""The programs beside a compiler that the project's backend, requirements or files speak of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from passbuild.doctor import programs
from passbuild.doctor.model import fine, problem, skipped, warning

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from passbuild.doctor.model import Finding
    from passbuild.doctor.scene import Scene

_OF_REQUIREMENT = {
    "scikit-build-core": ("cmake", "ninja"),
    "scikit-build": ("cmake", "ninja"),
    "meson-python": ("ninja",),
    "maturin": ("cargo", "rustc"),
    "setuptools-rust": ("cargo", "rustc"),
    "cmake": ("cmake",),
    "ninja": ("ninja",),
}
_OF_FILE = {"CMakeLists.txt": ("cmake",), "meson.build": ("ninja",), "Cargo.toml": ("cargo", "rustc")}
_FORTRAN = re.compile(r"^[^#\n]*\bfortran\b", re.IGNORECASE | re.MULTILINE)
_BRING_THEIR_OWN = {"scikit-build-core", "meson-python"}
"""Backends that have cmake and ninja installed for the build where PATH has none."""
_CURES = {
    "cargo": "install Rust: https://rustup.rs, or apt install cargo, dnf install cargo",
    "rustc": "install Rust: https://rustup.rs, or apt install rustc, dnf install rust",
    "gfortran": "apt install gfortran, dnf install gcc-gfortran, or conda install gfortran",
}


def findings(scene: Scene) -> Iterator[Finding]:
    """Say of each program that the project speaks of where the build would have it from."""
    if scene.project is None:
        return
    reasons = wanted(scene.required, scene.project.folder, scene.languages)
    for name, reason in sorted(reasons.items()):
        yield _found(name, reason, scene)


def wanted(required: AbstractSet[str], folder: Path, languages: AbstractSet[str]) -> Mapping[str, str]:
    """Return the programs that a project speaks of, each with who does."""
    found: dict[str, str] = {}
    for file, names in _OF_FILE.items():
        if (folder / file).is_file():
            found |= dict.fromkeys(names, file)
    if "Fortran" in languages or any(
        _FORTRAN.search(_text(folder / file)) for file in ("CMakeLists.txt", "meson.build")
    ):
        found["gfortran"] = "Fortran sources"
    for requirement, names in _OF_REQUIREMENT.items():
        if requirement in required:
            found |= dict.fromkeys(names, requirement)
    return found


def _found(name: str, reason: str, scene: Scene) -> Finding:
    distribution = canonicalize_name(name)
    if distribution in scene.passed:
        return fine(name, f"comes from the host's package {name} (for {reason})")
    if distribution in scene.required:
        return fine(name, "is installed for the build: the project requires the package of that name")
    program = programs.located(scene.environ.get("FC") or name if name == "gfortran" else name, scene.environ)
    if program is not None:
        finished = programs.told([program, "--version"], scene.environ)
        if finished.returncode == 0:
            return fine(name, f"{program}, {programs.first_line(finished)} (for {reason})")
        return problem(
            name, f"{program} does not run: {programs.complaint(finished)}", _CURES.get(name, "reinstall it")
        )
    if scene.required & _BRING_THEIR_OWN and name in {"cmake", "ninja"}:
        return skipped(name, "not on the hooks' PATH; the backend asks for the package of that name then")
    cure = _CURES.get(name, f"install {name}, or add it to the build: --build-requires {name}")
    return warning(name, f"is not on the hooks' PATH (for {reason})", cure)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
