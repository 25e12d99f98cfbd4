"""The frontends: how each is installed and how each is asked for a wheel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PASSBUILD = "passbuild"
NO_STORE = "passbuild --no-store"
FLOOR = "the hooks alone"
UV = "uv build"
BUILD = "build"
BUILD_UV = "build --installer uv"
PIP = "pip wheel"
HATCH = "hatch build"
INTERPRETER = "python -c pass"

DISTRIBUTIONS: Mapping[str, str] = {"uv": "uv", "build": "build", "pip": "pip", "hatch": "hatch"}
"""Tool environments of peers, and the requirement that fills each: always the newest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One wheel to build."""

    source: Path
    outdir: Path
    python: Path
    """The interpreter to build for."""
    config_settings: tuple[str, ...] = ()
    """`key=value` each."""
    options: tuple[str, ...] = ()
    """More, for this tool alone."""


def argv(tool: str, scripts: Mapping[str, Path], job: Job) -> list[str]:
    """Return the command by which a frontend builds a wheel; `scripts` are the folders of the tool environments."""
    settings = [argument for item in job.config_settings for argument in ("-C", item)]
    source, outdir, python = str(job.source), str(job.outdir), str(job.python)
    rest = [*settings, *job.options, source]
    match tool:
        case "passbuild" | "passbuild --no-store":
            no_store = ["--no-store"] if tool == NO_STORE else []
            return [f"{scripts['passbuild']}/passbuild", "wheel", "--host", python, "-o", outdir, *no_store, *rest]
        case "uv build":
            return [f"{scripts['uv']}/uv", "build", "--wheel", "--python", python, "-o", outdir, *rest]
        case "build":
            return [f"{scripts['build']}/python", "-m", "build", "--wheel", "-o", outdir, *rest]
        case "build --installer uv":
            return [f"{scripts['build']}/python", "-m", "build", "--installer", "uv", "--wheel", "-o", outdir, *rest]
        case "pip wheel":
            return [f"{scripts['pip']}/python", "-m", "pip", "wheel", "--no-deps", "-w", outdir, *rest]
        case "hatch build":  # takes no config settings, and the folder from the current one
            return [f"{scripts['hatch']}/hatch", "build", "-t", "wheel", outdir]
        case _:
            raise ValueError(tool)


def version_argv(tool: str, scripts: Mapping[str, Path]) -> list[str]:
    """Return the command by which the program of a tool environment says its version."""
    if tool in {"build", "pip"}:
        return [f"{scripts[tool]}/python", "-m", tool, "--version"]
    return [f"{scripts[tool]}/{tool}", "--version"]
