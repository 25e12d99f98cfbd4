"""What can be set: the frozen values that settle everything a user can decide."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Generic, TypeVar

from passbuild.values import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from packaging.requirements import Requirement

T_co = TypeVar("T_co", covariant=True)


class OnMismatch(Enum):
    """What to do with a passthrough package whose version on the host does not fit a requirement."""

    ERROR = "error"
    INSTALL = "install"
    HOST = "host"


class OnMissing(Enum):
    """What to do with a passthrough package that is not on the host."""

    INSTALL = "install"
    ERROR = "error"


class InstallerChoice(Enum):
    """Which program installs the build requirements."""

    AUTO = "auto"
    UV = "uv"
    PIP = "pip"


class Pin(Enum):
    """How closely a wheel requires the passed packages that it was built against (2.6.1 stands for that version)."""

    NONE = "none"
    """Not at all: the wheel stays as the backend made it."""
    EXACT = "exact"
    """`==2.6.1`"""
    PATCH = "patch"
    """`>=2.6.1,<2.7`"""
    MINOR = "minor"
    """`>=2.6.1,<3`"""


class SharedMode(Enum):
    """What may be done with the shared place for wheels."""

    READ_ONLY = "read-only"
    READ_WRITE = "read-write"


class ProtectHost(Enum):
    """Whether the system keeps the host from being written while hooks run."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"


class Color(Enum):
    """When the output is coloured."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Ci(Enum):
    """Whose log the output goes to."""

    AUTO = "auto"
    GITHUB = "github"
    """GitHub Actions, and what understands its commands (Gitea, Forgejo)."""
    GITLAB = "gitlab"
    AZURE = "azure"
    """Azure Pipelines."""
    NONE = "none"


@frozen
class Setting(Generic[T_co]):
    """A value and where it came from."""

    value: T_co
    origin: str
    """As a person would look for it: `--host`, `PASSBUILD_HOST`, `pyproject.toml [tool.passbuild] host`, `default`."""


@frozen
class Settings:
    """Everything that can be set, merged from all sources."""

    passthrough: tuple[Setting[Requirement], ...]
    """Packages that come from the host, in the order in which they were named; a name may stand here twice."""
    taken_away: tuple[Setting[str], ...]
    """Normalized names that `no-passthrough` removed from `passthrough`."""
    build_requires: tuple[Setting[Requirement], ...]
    """Build requirements in addition to the project's own."""
    build_constraints: tuple[Setting[Path], ...]
    """Constraints files for the installer, absolute."""
    config_settings: Mapping[str, str | list[str]]
    """Config settings for the backend's hooks (PEP 517)."""
    host: Setting[str] | None
    """Interpreter, environment folder or version; None lets passbuild look for one."""
    on_mismatch: Setting[OnMismatch]
    on_missing: Setting[OnMissing]
    installer: Setting[InstallerChoice]
    index_url: Setting[str] | None
    extra_index_url: tuple[Setting[str], ...]
    find_links: tuple[Setting[str], ...]
    """URLs, or absolute paths."""
    no_index: Setting[bool]
    offline: Setting[bool]
    timeout: Setting[int]
    """Seconds for one hook, and for one run of the installer; 0 is for ever."""
    protect_host: Setting[ProtectHost]
    environment: tuple[Setting[tuple[str, str]], ...]
    """Variables for the hooks, by name; each name once."""
    pin: Setting[Pin]
    sbom: Setting[bool]
    verify_reproducible: Setting[bool]
    rebuild: Setting[bool]
    shared_wheels: Setting[str] | None
    """A URL, or an absolute path."""
    shared_wheels_mode: Setting[SharedMode]
    outdir: Setting[Path] | None
    """Where the artifact goes, absolute; None is `dist` in the project, the archive's folder, or the current one."""
    report: Setting[Path] | None
    """A file for the JSON report, absolute."""
    json: Setting[bool]
    keep: Setting[bool]
    no_store: Setting[bool]
    refresh: Setting[bool]
    cache_dir: Setting[Path] | None
    """Where environments are kept, absolute; None is the user's cache folder."""
    store_max_age: Setting[int]
    """Hours."""
    store_max_size: Setting[int]
    """Megabytes (10^6 bytes)."""
    verbose: Setting[int]
    quiet: Setting[int]
    color: Setting[Color]
    ci: Setting[Ci]
    heartbeat: Setting[int]
    """Seconds; 0 is never."""
