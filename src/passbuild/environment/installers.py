"""The installers: pip and uv, which put requirements into an environment by the user's own configuration."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import itertools
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from packaging.specifiers import SpecifierSet
from packaging.version import Version
from virtualenv.seed.wheels.embed import get_embed_wheel

from passbuild.errors import InstallerNotFound
from passbuild.settings.model import InstallerChoice

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from passbuild.environment.venv import Venv
    from passbuild.host.model import Host

_PIP_WITH_PYTHON_OPTION = Version("22.3")
_ELSEWHERE = {
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_ROOT",
    "PIP_USER",
    "PIP_PYTHON",
    "UV_TARGET",
    "UV_PREFIX",
    "UV_SYSTEM_PYTHON",
}
"""Variables that would make an installer write elsewhere than into the build environment."""


class Installer(Protocol):
    """Puts requirements into an environment."""

    @property
    def name(self) -> str:
        """The installer's name, as users know it."""

    def command(self, venv: Venv, requirements: Path, constraints: Sequence[Path]) -> list[str]:
        """Return the argument list that installs a requirements file into `venv`."""

    def conclusion(self, output: Sequence[str]) -> list[str]:
        """Return the lines of a failed run's output that say why it failed."""


def chosen(choice: InstallerChoice, host: Host, environ: Mapping[str, str]) -> Installer:
    """Return the installer to use for a host: uv where it is available, else pip. Raises InstallerNotFound."""
    uv = None if choice is InstallerChoice.PIP else _uv(environ)
    if uv is not None:
        return uv
    if choice is InstallerChoice.UV:
        raise InstallerNotFound(installer="uv", python=host.minor)
    pip = _pip(host)
    if pip is None:
        raise InstallerNotFound(installer="pip", python=host.minor)
    return pip


def environ_for(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the installer's environment: the user's, less what shows it the host or sends it elsewhere."""
    hidden = {*_ELSEWHERE, "PYTHONPATH", "PYTHONHOME", "PYTHONPLATLIBDIR", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__"}
    kept = {name: value for name, value in environ.items() if name not in hidden}
    return {**kept, "PYTHONNOUSERSITE": "1", "PYTHONIOENCODING": "utf-8", "PIP_NO_INPUT": "1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Uv:
    """uv, by ``uv pip install``."""

    program: Path

    @property
    def name(self) -> str:
        """Return `uv`."""
        return "uv"

    def command(self, venv: Venv, requirements: Path, constraints: Sequence[Path]) -> list[str]:
        """Return the argument list that installs a requirements file into `venv`."""
        limits = [argument for file in constraints for argument in ("--constraint", str(file))]
        target = ["--python", str(venv.python), "--color", "never"]
        return [str(self.program), "pip", "install", *target, "--requirement", str(requirements), *limits]

    def conclusion(self, output: Sequence[str]) -> list[str]:
        """Return the error and its causes: from the first line that is marked as one to the end."""
        for index, line in enumerate(output):
            if re.match("\\s*(\N{MULTIPLICATION SIGN}|error:)", line):
                return [line.rstrip() for line in output[index:] if line.strip()]
        return _last(output)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pip:
    """pip, either one that runs in passbuild's own Python or one that runs from a wheel in the target's."""

    before: tuple[str, ...]
    """What stands before the environment's interpreter: a pip that takes `--python`; empty for a wheel."""
    wheel: Path | None = None

    @property
    def name(self) -> str:
        """Return `pip`."""
        return "pip"

    def command(self, venv: Venv, requirements: Path, constraints: Sequence[Path]) -> list[str]:
        """Return the argument list that installs a requirements file into `venv`."""
        pip = [str(venv.python), str(self.wheel / "pip")] if self.wheel else [*self.before, str(venv.python)]
        limits = [argument for file in constraints for argument in ("--constraint", str(file))]
        # Byte code is written by the first hook that needs it; most of what is installed is never imported.
        options = ["--no-warn-script-location", "--disable-pip-version-check", "--no-compile", "--no-color"]
        return [*pip, "install", *options, "--no-user", "--requirement", str(requirements), *limits]

    def conclusion(self, output: Sequence[str]) -> list[str]:
        """Return the error lines and, of a conflict, who wants what; pip's general advice is left out."""
        for index, line in enumerate(output):
            if line.lstrip().startswith("ERROR: "):
                told = itertools.takewhile(lambda text: not text.startswith("To fix this"), output[index:])
                return [text.strip() for text in told if text.strip() and not text.startswith(("[notice]", "WARNING:"))]
        return _last(output)


def _uv(environ: Mapping[str, str]) -> Uv | None:
    """Find uv beside passbuild (the extra `uv`), then on PATH."""
    beside = shutil.which("uv", path=str(Path(sys.executable).parent))
    program = beside or shutil.which("uv", path=environ.get("PATH"))
    return Uv(program=Path(program)) if program else None


def _pip(host: Host) -> Pip | None:
    """Find a pip that runs on the host's Python: our own, the one that virtualenv carries, the one in its ensurepip."""
    if _own_pip_serves(host.minor):
        return Pip(before=(sys.executable, "-m", "pip", "--python"))
    wheel = _embedded(host.minor) or _ensurepip(host)
    return Pip(before=(), wheel=wheel) if wheel else None


def _own_pip_serves(minor: str) -> bool:
    if importlib.util.find_spec("pip") is None:
        return False
    metadata = importlib.metadata.metadata("pip")
    supported = SpecifierSet(metadata["Requires-Python"] or "")
    return Version(metadata["Version"]) >= _PIP_WITH_PYTHON_OPTION and supported.contains(minor)


def _embedded(minor: str) -> Path | None:
    wheel = get_embed_wheel("pip", minor)
    return wheel.path if wheel is not None and wheel.support_py(minor) else None


def _ensurepip(host: Host) -> Path | None:
    for library in (f"lib/python{host.minor}", "Lib"):
        found = sorted(host.base_prefix.glob(f"{library}/ensurepip/_bundled/pip-*.whl"))
        if found:
            return found[-1]
    return None


def _last(output: Sequence[str], count: int = 15) -> list[str]:
    return [line.rstrip() for line in output if line.strip()][-count:]
