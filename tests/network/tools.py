"""Run passbuild and other programs as a user would, and look at wheels."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from tests.schema import valid

SAMPLES = Path(__file__).parents[1] / "samples"
EXAMPLES = Path(__file__).parents[2] / "examples"
WITHOUT_NVCC = os.pathsep.join(
    folder for folder in os.environ["PATH"].split(os.pathsep) if not (Path(folder) / "nvcc").exists()
)
"""PATH less the folders with nvcc: setup.py files that look for CUDA stumble over one beside a CPU build of torch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A finished run of passbuild with `--json`."""

    code: int
    document: dict[str, Any]
    stderr: str

    @property
    def wheel(self) -> Path:
        """The last artifact."""
        return Path(cast("str", self.document["artifacts"][-1]["path"]))

    def names(self, key: str) -> set[str]:
        """Return the names of the passed or installed packages."""
        return {item["name"] for item in self.document[key]}


def passbuild(*arguments: object, environ: dict[str, str] | None = None, code: int = 0) -> Outcome:
    """Run passbuild with `--json`, and check its exit code; whatever was built before is built again."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if (not name.startswith("PASSBUILD_") or name == "PASSBUILD_CACHE_DIR")
        and name not in {"VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH"}
    }
    finished = subprocess.run(
        [sys.executable, "-m", "passbuild", *map(str, arguments), "--json"],
        env={**kept, "PATH": WITHOUT_NVCC, "PASSBUILD_REBUILD": "1", **(environ or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == code, finished.stderr
    return Outcome(code=finished.returncode, document=valid(finished.stdout), stderr=finished.stderr)


def output(python: Path, *arguments: str, shows: Path | None = None) -> str:
    """Return what an interpreter prints; `shows` is a folder put on its path."""
    environ = {**os.environ, "PYTHONPATH": str(shows)} if shows else dict(os.environ)
    finished = subprocess.run([python, *arguments], env=environ, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.strip()


def installed(wheel: Path, folder: Path) -> Path:
    """Unpack a wheel as an installer would, without its dependencies, and return the folder to put on the path."""
    subprocess.run(
        [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--target", folder, wheel],
        check=True,
        capture_output=True,
    )
    return folder


def contents(wheel: Path) -> dict[str, bytes]:
    """Return the files of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
