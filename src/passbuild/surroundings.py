"""The one place that reads the process's environment: a snapshot, taken once and handed on."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from passbuild.values import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping


HANDED = "<handed over>"
HANDED_SOURCE = "_PASSBUILD_SOURCE"
"""The variable by which one passbuild gives another the source that it calls `HANDED`: it holds credentials."""


@frozen
class Surroundings:
    """Where passbuild was started, and with what."""

    environ: Mapping[str, str]
    """The environment variables."""
    cwd: Path
    """The current folder, absolute."""
    python: Path
    """The interpreter that runs passbuild."""
    prefix: Path
    """The environment of that interpreter."""
    base_python: Path
    """The interpreter that this environment was made from; `python` itself outside an environment."""
    config_file: Path
    """The user's configuration file, whether or not it exists; an empty one where nobody knows the user's home."""
    cache: Path | None
    """Where passbuild keeps build environments, unless it is told otherwise; None without a home of the user."""
    pip_cache: Path | None
    """Where pip keeps what it downloads, unless its own settings say otherwise; None likewise."""

    handed_source: str
    """A source that was handed over; empty for none."""

    @classmethod
    def here(cls) -> Surroundings:
        """Take the snapshot of this process."""
        return cls(
            environ={name: value for name, value in os.environ.items() if name != HANDED_SOURCE},
            handed_source=os.environ.get(HANDED_SOURCE, ""),
            cwd=_cwd(),
            python=Path(sys.executable),
            prefix=Path(sys.prefix),
            base_python=_base_python(),
            config_file=_config_file(),
            cache=_cache("passbuild"),
            pip_cache=_cache("pip"),
        )


def home(environ: Mapping[str, str]) -> Path | None:
    """Return the user's home; None where HOME is empty, or is not set and nobody knows of this user."""
    if environ.get("HOME") == "":
        return None
    try:
        return Path(environ.get("HOME") or Path.home())
    except RuntimeError:
        return None


def _config_file() -> Path:
    if home(os.environ) is None and not os.environ.get("XDG_CONFIG_HOME"):
        return Path(os.devnull)
    return platformdirs.user_config_path("passbuild", appauthor=False) / "config.toml"


def _cache(name: str) -> Path | None:
    if home(os.environ) is None and not os.environ.get("XDG_CACHE_HOME"):
        return None
    return platformdirs.user_cache_path(name, appauthor=False)


def _cwd() -> Path:
    """Return the current folder; where it was removed meanwhile, the path that the shell still shows."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return Path(os.environ.get("PWD", "/nowhere"))


def _base_python() -> Path:
    if sys.prefix == sys.base_prefix:
        return Path(sys.executable)
    # CPython on POSIX and Windows sets it; it names the real interpreter behind a venv, from Python 3.11 on.
    base = Path(getattr(sys, "_base_executable", sys.executable))
    if base != Path(sys.executable) or os.name != "posix":
        return base
    folder = Path(sys.base_prefix, "bin")
    names = (f"python{sys.version_info.major}.{sys.version_info.minor}", "python3", "python")
    return next((folder / name for name in names if (folder / name).is_file()), base)
