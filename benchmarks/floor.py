"""The floor: the hooks called directly, through pyproject_hooks, in an environment that is ready.

Two fresh processes, `get_requires_for_build_wheel` and `build_wheel`, and nothing around them: the caller runs already.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyproject_hooks

from benchmarks.measure import Measured, timed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """An environment in which hooks can run; it is not written to."""

    python: Path
    environ: Mapping[str, str]

    @classmethod
    def around(cls, python: Path, environ: Mapping[str, str]) -> Ready:
        """Return the environment of an interpreter, with its programs first on PATH."""
        shown = {
            "PATH": os.pathsep.join((str(python.parent), environ["PATH"])),
            "VIRTUAL_ENV": str(python.parent.parent),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        return cls(python=python, environ={**environ, **shown})


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSystem:
    """What a project says of its backend."""

    requires: tuple[str, ...]
    backend: str
    backend_path: tuple[str, ...]

    @classmethod
    def of(cls, source: Path) -> BuildSystem:
        """Read the table of a project."""
        table = tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]
        return cls(
            requires=tuple(table["requires"]),
            backend=table["build-backend"],
            backend_path=tuple(table.get("backend-path", ())),
        )


def required(source: Path, ready: Ready, config_settings: Sequence[str] = ()) -> list[str]:
    """Return what `get_requires_for_build_wheel` asks for."""
    return list(_caller(source, ready, []).get_requires_for_build_wheel(_settings(config_settings)))


def built(source: Path, outdir: Path, ready: Ready, config_settings: Sequence[str] = ()) -> Measured:
    """Call both hooks. Raises RunFailed."""
    peaks: list[int] = []
    caller = _caller(source, ready, peaks)
    settings = _settings(config_settings)
    started = time.perf_counter()
    caller.get_requires_for_build_wheel(settings)
    caller.build_wheel(str(outdir), settings)
    return Measured(seconds=time.perf_counter() - started, peak=max(peaks))


def _caller(source: Path, ready: Ready, peaks: list[int]) -> pyproject_hooks.BuildBackendHookCaller:
    def run(cmd: Sequence[str], cwd: str | None = None, extra_environ: Mapping[str, str] | None = None) -> None:
        peaks.append(timed(cmd, {**ready.environ, **(extra_environ or {})}, Path(cwd or source)).peak)

    system = BuildSystem.of(source)
    return pyproject_hooks.BuildBackendHookCaller(
        str(source),
        system.backend,
        backend_path=list(system.backend_path) or None,
        runner=run,
        python_executable=str(ready.python),
    )


def _settings(pairs: Sequence[str]) -> dict[str, str | list[str]]:
    return {key: value for key, _, value in (pair.partition("=") for pair in pairs)}
