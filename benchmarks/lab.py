"""The work folder: tool environments, caches, temporary folders, and the variables that programs get."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import floor, tools
from benchmarks.floor import BuildSystem, Ready
from benchmarks.measure import tell, timed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).parents[1]
_HIDDEN = ("PASSBUILD_", "PYTHON", "VIRTUAL_ENV", "CONDA_", "CCACHE_", "HATCH_", "_PYPROJECT_HOOKS_")
"""How the variables begin that would change what is measured."""
_COMPILERS = ("cc", "c++", "gcc", "g++", "clang", "clang++")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """What all scenarios work with."""

    work: Path
    """Everything is written below it."""
    rounds: int | None
    """How many rounds count; None leaves it to the scenario."""
    torch_host: Path | None
    """An environment with torch; it is read only."""
    torch_wheels: Path | None
    """A folder with the wheel of that very torch."""

    @property
    def base(self) -> Path:
        """The interpreter that every environment is made from: the one behind ours."""
        return Path(getattr(sys, "_base_executable", sys.executable))

    @property
    def python(self) -> Path:
        """The interpreter that everything is built for: of an empty environment, whatever `base` has installed."""
        return self.work / "host" / "bin" / "python"

    @property
    def scripts(self) -> Mapping[str, Path]:
        """The folders with the programs of the tool environments."""
        return {name: self.work / "tools" / name / "bin" for name in ("passbuild", *tools.DISTRIBUTIONS)}

    @property
    def uv(self) -> Path:
        """The newest uv."""
        return self.scripts["uv"] / "uv"

    @property
    def passbuild(self) -> Path:
        """The passbuild of this checkout."""
        return self.scripts["passbuild"] / "passbuild"

    @property
    def has_store(self) -> bool:
        """Whether this passbuild keeps build environments."""
        argv = [str(self.passbuild), "wheel", "--help"]
        told = subprocess.run(argv, env=self.environ("set-up"), check=True, capture_output=True, text=True)
        return "--no-store" in told.stdout

    def environ(self, who: str) -> dict[str, str]:
        """Return the variables of one contestant, who has private caches and a private temporary folder."""
        home = self.work / "private" / who
        (home / "tmp").mkdir(parents=True, exist_ok=True)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_HIDDEN)}
        return {
            **kept,
            "PATH": os.pathsep.join((str(self.scripts["uv"]), os.environ.get("PATH", os.defpath))),
            "TMPDIR": str(home / "tmp"),
            "UV_CACHE_DIR": str(home / "uv"),
            "PIP_CACHE_DIR": str(home / "pip"),
            "XDG_CACHE_HOME": str(home / "cache"),
            "XDG_DATA_HOME": str(home / "data"),
            "XDG_STATE_HOME": str(home / "state"),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "CCACHE_DISABLE": "1",
        }

    def store(self, who: str) -> Path:
        """Return where a contestant's passbuild keeps its environments: below the work folder, or it is an error."""
        if not self.has_store:
            return self.work / "private" / who / "cache" / "passbuild"
        argv = [str(self.passbuild), "cache", "dir"]
        told = subprocess.run(argv, env=self.environ(who), check=True, capture_output=True, text=True)
        folder = Path(told.stdout.strip())
        if not folder.is_relative_to(self.work):
            raise SystemExit(f"passbuild keeps its environments in {folder}, not below {self.work}")
        return folder

    def with_ccache(self, environ: Mapping[str, str], who: str) -> dict[str, str]:
        """Return the same variables with compilers that ccache answers for."""
        folder = self.work / "ccache"
        folder.mkdir(exist_ok=True)
        program = shutil.which("ccache")
        for name in _COMPILERS:
            if program and shutil.which(name) and not (folder / name).exists():
                (folder / name).symlink_to(program)
        kept = {name: value for name, value in environ.items() if name != "CCACHE_DISABLE"}
        kept["CCACHE_DIR"] = str(self.work / "private" / who / "ccache")
        return {**kept, "PATH": os.pathsep.join((str(folder), kept["PATH"]))}

    def fresh(self, *parts: str) -> Path:
        """Make and return an empty folder below the work folder."""
        folder = self.work.joinpath("runs", *parts)
        emptied(folder)
        return folder

    def kept(self, name: str, source: Path, environ: Mapping[str, str], config_settings: Sequence[str] = ()) -> Path:
        """Return the interpreter of an environment with all that the hooks of a project require."""
        folder = self.work / "kept" / name
        self.venv(folder)
        python = folder / "bin" / "python"
        self.install(python, *BuildSystem.of(source).requires)
        self.install(python, *floor.required(source, Ready.around(python, environ), config_settings))
        return python

    def venv(self, folder: Path) -> None:
        """Make an empty environment, in place of what was there."""
        argv = [self.uv, "venv", "--quiet", "--clear", "--python", self.base, folder]
        timed(argv, self.environ("set-up"), self.work)

    def install(self, python: Path, *requirements: str) -> None:
        """Install into an environment; modules are compiled, as pip does."""
        if requirements:
            argv = [self.uv, "pip", "install", "--quiet", "--upgrade", "--compile-bytecode", "--python", python]
            timed([*argv, *requirements], self.environ("set-up"), self.work)

    def set_up(self) -> None:
        """Make the tool environments."""
        tell("tool environments")
        first = self.work / "tools" / "uv"
        timed([self.base, "-m", "venv", first], self.environ("set-up"), self.work)
        argv = [first / "bin" / "python", "-m", "pip", "install", "--quiet", "--upgrade", "pip", "uv"]
        timed(argv, self.environ("set-up"), self.work)
        for name, requirement in {**tools.DISTRIBUTIONS, "passbuild": str(ROOT)}.items():
            if name != "uv":
                self.venv(self.work / "tools" / name)
                self.install(self.scripts[name] / "python", requirement)
        self.venv(self.python.parents[1])

    def versions(self) -> dict[str, str]:
        """Return the version of each tool."""
        return {name: self._version(name) for name in self.scripts}

    def _version(self, name: str) -> str:
        argv = tools.version_argv(name, self.scripts)
        told = subprocess.run(argv, env=self.environ("set-up"), check=True, capture_output=True, text=True)
        return next(word for word in told.stdout.replace(",", " ").split() if word[0].isdigit())


def emptied(folder: Path) -> None:
    """Make a folder that is there and empty."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def weight(*folders: Path) -> int:
    """Return the bytes of the files below folders: links are not followed, what has two names counts once."""
    sizes: dict[tuple[int, int], int] = {}
    for folder in folders:
        for parent, _, names in os.walk(folder):
            for name in names:
                stat = Path(parent, name).lstat()
                sizes[stat.st_dev, stat.st_ino] = stat.st_size
    return sum(sizes.values())
