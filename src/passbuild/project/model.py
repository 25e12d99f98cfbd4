"""What is known of the project before any of its code runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from passbuild.values import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from packaging.requirements import Requirement
    from packaging.utils import NormalizedName
    from packaging.version import Version


@frozen
class BuildSystem:
    """The ``[build-system]`` table, or the defaults of PEP 517 and 518 in its place."""

    requires: tuple[Requirement, ...]
    backend: str
    """The object reference of the backend, such as `hatchling.build`."""
    backend_path: tuple[str, ...] = ()
    """Folders of an in-tree backend, relative to the source tree."""


@frozen
class Project:
    """A source tree and what it states about itself."""

    given: str
    """What the user named, without credentials."""
    folder: Path
    """The source tree."""
    is_ours: bool
    """Whether the source tree was extracted or fetched for this run, so that nobody else works in it."""
    pyproject: Mapping[str, object]
    """The decoded pyproject.toml; empty without one."""
    build_system: BuildSystem
    name: NormalizedName | None
    """The static name, from ``[project]``, or from PKG-INFO of an sdist."""
    version: Version | None
    """The static version, likewise."""
