"""Make what the checks look at, with what a test does not care about filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from passbuild.doctor.inquiry import Torch
from passbuild.doctor.scene import Scene
from passbuild.values import replace
from tests.unit import fakes

if TYPE_CHECKING:
    from pathlib import Path


def torch(**changes: Any) -> Torch:
    """Return a torch that was built with CUDA 12.4 and sees no GPU."""
    usual = Torch(
        version="2.6.0+cu124",
        cuda="12.4",
        hip="",
        abi=True,
        devices=(),
        home="",
        flags=(),
        flags_error="",
        bounds={},
    )
    return replace(usual, **changes)


def scene(folder: Path, **changes: Any) -> Scene:
    """Return a scene with a host and without a project."""
    usual = Scene(
        surroundings=fakes.surroundings(folder),
        settings=fakes.settings(),
        project=None,
        host=fakes.host(),
        plan=None,
        compiling=None,
        languages=frozenset(),
        scratch=folder / "scratch",
    )
    return replace(usual, **changes)


def program(folder: Path, name: str) -> Path:
    """Write a program that nobody runs."""
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("#!/bin/sh\n", encoding="ascii")
    file.chmod(0o755)
    return file
