"""What passbuild knows of the host, decoded from the probe's reply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from passbuild.redaction import shown
from passbuild.values import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path, PurePosixPath

    from packaging.requirements import Requirement
    from packaging.utils import NormalizedName
    from packaging.version import Version


@frozen
class Choice:
    """Which interpreter is the host, and why."""

    executable: Path
    reason: str
    """As a person would say it: `--host`, `VIRTUAL_ENV`, `.venv beside the project`, ..."""


@frozen
class DirectUrl:
    """Where a distribution was installed from, by its ``direct_url.json`` (PEP 610)."""

    url: str
    vcs: str = ""
    """`git`, `hg`, ...; empty where no version control is involved."""
    revision: str = ""
    """The branch, tag or commit that was asked for; empty for the default."""
    commit: str = ""
    """The commit that was installed."""
    subdirectory: str = ""
    hashes: Mapping[str, str]
    """Of an archive, by the algorithm's name."""

    def __str__(self) -> str:
        """Return the URL as a requirement writes it, without what may be secret."""
        if not self.vcs:
            return shown(self.url)
        return f"{self.vcs}+{shown(self.url)}@{self.revision or self.commit}"


@frozen
class Distribution:
    """A distribution of the host that is passed through or may have to be."""

    name: NormalizedName
    version: Version | None
    """None where the metadata states none, or one that PEP 440 does not know."""
    raw_version: str
    """As the metadata states it; empty without one."""
    location: Path
    """The folder on the host's ``sys.path`` in which it lies."""
    info: Path
    """Its ``.dist-info`` or ``.egg-info``."""
    requires: tuple[Requirement, ...]
    entries: tuple[PurePosixPath, ...]
    """The files and folders, relative to `location`, that together are its importable part."""
    outside: tuple[Path, ...]
    """Its files outside `location`: scripts, headers, data; absolute, without ``..``."""
    path_files: tuple[Path, ...]
    """Its ``.pth`` files."""
    pkg_config: tuple[Path, ...]
    """Its folders, below `location`, that hold pkg-config files."""
    direct_url: DirectUrl | None
    """Where it was installed from; None for an index."""
    editable: bool
    size: int
    """Bytes of its files, by its own record; 0 where there is no record."""
    recorded: bool
    """Whether a record says which files are its own: its RECORD, or that of conda or of Debian's packages."""


@frozen
class Host:
    """The environment whose packages may be passed through."""

    executable: Path
    reason: str
    version: str
    """The full Python version, such as `3.11.7`."""
    implementation: str
    soabi: str
    """What names the ABI of extension modules, such as `cpython-311-x86_64-linux-gnu`, with the ABI's flags."""
    prefix: Path
    base_prefix: Path
    scripts: Path
    """Its folder of scripts."""
    markers: Mapping[str, str]
    """The marker environment of PEP 508."""
    installed: Mapping[NormalizedName, str]
    """Every distribution on its ``sys.path``, with the version as its folder names it."""
    distributions: Mapping[NormalizedName, Distribution]
    """Those that the passthrough names reach, fully read."""

    @property
    def minor(self) -> str:
        """The Python version without its last part, such as `3.11`."""
        return ".".join(self.version.split(".")[:2])
