"""Generated hosts: environments full of distributions that nobody had to download."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.lab import Lab

ROOT = "dist-0"
"""The distribution that is passed through."""


def listed(lab: Lab, folder: Path, count: int) -> Path:
    """Make a host with `count` distributions, of which five are reached from the first; each has ten files."""
    lab.venv(folder)
    for number in range(count):
        requires = [f"dist-{number + 1}"] if number < 4 else []  # noqa: PLR2004 - a chain of five
        _write(folder, number, requires, files=10)
    return folder


def reached(lab: Lab, folder: Path, count: int, files: int) -> Path:
    """Make a host with `count` distributions, all of them reached from the first, with `files` files each."""
    lab.venv(folder)
    for number in range(count):
        requires = [f"dist-{child}" for child in (2 * number + 1, 2 * number + 2) if child < count]
        _write(folder, number, requires, files=files)
    return folder


def _write(host: Path, number: int, requires: Sequence[str], files: int) -> None:
    """Write a distribution of `files` files: modules in folders of 25, with an `__init__` at the top."""
    (site,) = host.glob("lib/python*/site-packages")
    package, info = f"dist_{number}", f"dist_{number}-1.0.dist-info"
    wanted = "".join(f"Requires-Dist: {item}\n" for item in requires)
    described = f"Metadata-Version: 2.1\nName: dist-{number}\nVersion: 1.0\nSummary: Generated\n{wanted}\n"
    paths = [f"{package}/__init__.py", *(f"{package}/part_{index // 25}/m{index}.py" for index in range(files - 1))]
    for path in paths:
        file = site / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("VALUE = 1\n", encoding="utf-8")
    names = {"METADATA": described, "WHEEL": "Wheel-Version: 1.0\n", "INSTALLER": "benchmarks\n"}
    (site / info).mkdir()
    for name, text in names.items():
        (site / info / name).write_text(text, encoding="utf-8")
    recorded = [*(f"{path},,10" for path in paths), *(f"{info}/{name},," for name in (*names, "RECORD"))]
    (site / info / "RECORD").write_text("\n".join(recorded) + "\n", encoding="utf-8")
