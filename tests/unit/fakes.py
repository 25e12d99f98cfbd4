"""Make the values that cross module borders, with what a test does not care about filled in."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from passbuild.host.model import Distribution, Host
from passbuild.project.model import BuildSystem, Project
from passbuild.settings.keys import KEYS
from passbuild.settings.merge import merged
from passbuild.settings.sources import option_entries
from passbuild.surroundings import Surroundings

if TYPE_CHECKING:
    from passbuild.host.model import DirectUrl
    from passbuild.settings.model import Settings

SITE = Path("/host/lib/python3.11/site-packages")
MARKERS = {
    "implementation_name": "cpython",
    "implementation_version": "3.11.7",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_release": "6",
    "platform_system": "Linux",
    "platform_version": "1",
    "python_full_version": "3.11.7",
    "python_version": "3.11",
    "sys_platform": "linux",
}


def distribution(
    name: str, version: str = "1.0", *requires: str, direct_url: DirectUrl | None = None, entries: tuple[str, ...] = ()
) -> Distribution:
    """Return a distribution of the host."""
    normalized = canonicalize_name(name)
    try:
        parsed: Version | None = Version(version)
    except InvalidVersion:
        parsed = None
    return Distribution(
        name=normalized,
        version=parsed,
        raw_version=version,
        location=SITE,
        info=SITE / f"{normalized}-{version}.dist-info",
        requires=tuple(map(Requirement, requires)),
        entries=tuple(map(PurePosixPath, entries or (normalized,))),
        outside=(),
        path_files=(),
        pkg_config=(),
        direct_url=direct_url,
        editable=False,
        size=10,
        recorded=True,
    )


def host(*distributions: Distribution, executable: str = "/host/bin/python") -> Host:
    """Return a host on which all these distributions were fully read."""
    return Host(
        executable=Path(executable),
        reason="a test",
        version="3.11.7",
        implementation="cpython",
        soabi="cpython-311-x86_64-linux-gnu",
        prefix=Path("/host"),
        base_prefix=Path("/usr"),
        scripts=Path("/host/bin"),
        markers=MARKERS,
        installed={item.name: item.raw_version for item in distributions},
        distributions={item.name: item for item in distributions},
    )


def project(*requires: str, name: str | None = "project", pyproject: dict[str, object] | None = None) -> Project:
    """Return a project with these build requirements."""
    return Project(
        given="/project",
        folder=Path("/project"),
        is_ours=False,
        pyproject=pyproject or {},
        build_system=BuildSystem(requires=tuple(map(Requirement, requires)), backend="backend"),
        name=canonicalize_name(name) if name else None,
        version=None,
    )


def settings(**options: object) -> Settings:
    """Return the settings that these options of the command line make."""
    assert options.keys() <= {key.field for key in KEYS}
    entries = list(option_entries(options, Path("/cwd"), [], spelled_as_options=True))
    return merged([entries], [])


def surroundings(folder: Path, **environ: str) -> Surroundings:
    """Return surroundings below `folder`, with no environment active."""
    return Surroundings(
        environ=environ,
        handed_source="",
        cwd=folder,
        python=folder / "own" / "bin" / "python",
        prefix=folder / "own",
        base_python=folder / "base" / "bin" / "python",
        config_file=folder / "config.toml",
        cache=folder / "cache",
        pip_cache=folder / "pip",
    )
