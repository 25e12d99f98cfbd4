"""Find the host: what was asked for, else the environment in which the user works."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from passbuild.errors import HostNotFound
from passbuild.host.model import Choice
from passbuild.surroundings import home

if TYPE_CHECKING:
    from passbuild.settings.model import Setting
    from passbuild.surroundings import Surroundings

_VERSION = re.compile(r"(?:python|cpython)?(\d+(?:\.\d+){0,2})")
_PRIVATE_MARKS = ("pipx_metadata.json", "uv-receipt.toml")
"""Files by which pipx and `uv tool` mark an environment as a tool's own."""


def found(asked: Setting[str] | None, project: Path, surroundings: Surroundings) -> Choice:
    """Return the host's interpreter and the reason for it.

    In this order: what was asked for, VIRTUAL_ENV, CONDA_PREFIX, the environment that passbuild runs in unless it is a
    tool's private one, ``.venv`` beside the project, and the base interpreter. Raises HostNotFound.
    """
    if asked is not None:
        return Choice(executable=_asked(asked, surroundings), reason=asked.origin)
    for variable in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        folder = surroundings.environ.get(variable)
        if folder:
            return Choice(executable=_of_environment(Path(folder), variable), reason=variable)
    if _is_environment(surroundings.prefix) and not _is_private(surroundings.prefix):
        return Choice(executable=surroundings.python, reason="the environment that passbuild runs in")
    beside = _interpreter(project / ".venv")
    if beside is not None:
        return Choice(executable=beside, reason=".venv beside the project")
    return Choice(executable=surroundings.base_python, reason="the base interpreter, as no environment is active")


def _asked(asked: Setting[str], surroundings: Surroundings) -> Path:
    text, origin = asked.value, asked.origin
    try:
        path = Path(os.path.normpath(surroundings.cwd / Path(text).expanduser()))
    except RuntimeError as error:
        raise HostNotFound(wanted=text, origin=origin, problem="nobody knows the home of this user") from error
    if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises for a name that is too long
        return _of_environment(path, origin, text)
    if os.path.isfile(path):  # noqa: PTH113 - likewise
        if os.access(path, os.X_OK):
            return path
        raise HostNotFound(wanted=text, origin=origin, problem="is a file that cannot be run")
    version = _VERSION.fullmatch(text)
    if version is None:
        raise HostNotFound(wanted=text, origin=origin, problem="there is no such file, folder or version")
    interpreter = _of_version(version[1], surroundings)
    if interpreter is None:
        raise HostNotFound(wanted=text, origin=origin, problem=f"no Python {version[1]} was found on this machine")
    return interpreter


def _of_environment(folder: Path, origin: str, wanted: str | None = None) -> Path:
    interpreter = _interpreter(folder)
    if interpreter is None:
        problem = "is a folder without a Python interpreter (bin/python)"
        raise HostNotFound(wanted=wanted or str(folder), origin=origin, problem=problem)
    return interpreter


def _interpreter(folder: Path) -> Path | None:
    for relative in ("bin/python", "bin/python3", "Scripts/python.exe", "python.exe"):
        if (folder / relative).is_file():
            return folder / relative
    return None


def _of_version(version: str, surroundings: Surroundings) -> Path | None:
    """Look along PATH, then where uv and pyenv keep interpreters that PATH does not show."""
    from python_discovery import get_interpreter  # slow to import, and only this branch needs it

    # It runs every interpreter that it looks at: none of them is to write byte code.
    info = get_interpreter(version, env={**surroundings.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    if info is not None and info.system_executable:
        return Path(info.system_executable)  # not an environment that happens to have this version
    root = surroundings.environ.get("PYENV_ROOT") or (home(surroundings.environ) or Path(os.devnull)) / ".pyenv"
    kept = sorted((Path(root) / "versions").glob(f"{version}*"), key=_release, reverse=True)
    exact = [folder for folder in kept if folder.name == version or folder.name.startswith(version + ".")]
    return next((python for folder in exact if (python := _interpreter(folder)) is not None), None)


def _release(folder: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", folder.name))


def _is_environment(prefix: Path) -> bool:
    return (prefix / "pyvenv.cfg").is_file()


def _is_private(prefix: Path) -> bool:
    """Whether an environment is a tool's own: of pipx, of `uv tool`, or a throw-away one in a cache (`uvx`)."""
    if any((prefix / mark).exists() for mark in _PRIVATE_MARKS):
        return True
    return any((parent / "CACHEDIR.TAG").exists() for parent in prefix.parents)
