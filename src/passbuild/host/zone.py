"""What of a machine no hook has to write: the host, and the user's configuration."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

from passbuild import surroundings
from passbuild.protection import Paths

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping

    from passbuild.host.model import Distribution, Host
    from passbuild.protection import Places, Zone

_SYSTEMS = (Path("/"), Path("/usr"), Path("/usr/local"))
"""Prefixes that hold more than a Python: of them only its own folders are protected."""
_NOWHERE = Path(os.devnull)
"""The home of a user of whom nobody knows: nothing is below it."""
_MOST = 200
"""How many places outside of the host are protected, each by a mount; what is changed in others is seen afterwards."""
_CACHES = ("CARGO_HOME", "CCACHE_DIR", "PIP_CACHE_DIR", "SCCACHE_DIR", "UV_CACHE_DIR", "XDG_CACHE_HOME")
"""Variables that name folders which build tools write to; conda has that of cargo inside of the environment."""
_PERSONAL = (
    ".aws",
    ".azure",
    ".bash_aliases",
    ".bash_login",
    ".bash_logout",
    ".bash_profile",
    ".bashrc",
    ".docker",
    ".gitconfig",
    ".gnupg",
    ".kube",
    ".netrc",
    ".pip",
    ".profile",
    ".pypirc",
    ".ssh",
    ".zlogin",
    ".zlogout",
    ".zprofile",
    ".zshenv",
    ".zshrc",
)


class Passing(NamedTuple):
    """What a build passes through."""

    distributions: Iterable[Distribution]
    files: Iterable[str]
    """The paths of all that belongs to them, also behind links."""


class Ours(NamedTuple):
    """Folders of passbuild's own, and where a build works."""

    held: Iterable[Path]
    """What other builds use."""
    marks: Iterable[Path]
    """Where passbuild notes what it has made, among temporary files."""
    writable: Iterable[Path]
    """What this one has to write."""
    layered: Iterable[tuple[Path, Path]] = ()
    """What it may write as well, with folders for what it writes there."""


def of(host: Host, passing: Passing, ours: Ours, environ: Mapping[str, str], places: Places) -> Zone:
    """Return the zone of a build.

    It is of what is there now: a file of the user's configuration that does not exist yet can be made.
    """
    home = surroundings.home(environ) or _NOWHERE
    kept = list(passing.distributions)
    sources = (folder for item in kept if item.editable for folder in _source(item))  # it may rebuild itself there
    wide = {*_SYSTEMS, home, *home.parents, *ours.writable}
    protected = [path for prefix in (host.prefix, host.base_prefix) for path in _python(prefix, host.minor, wide)]
    protected += [item.location for item in kept if not item.editable]
    protected += _strayed(passing.files, protected)
    config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    local = home / ".local" / "lib" / f"python{host.minor}"
    also = [config, local, *(home / name for name in _PERSONAL), *ours.held, *_ourselves(wide)]
    caches = [Path(environ[name]) for name in _CACHES if environ.get(name)]
    temporary = [Path(environ[name]) for name in ("TMPDIR", "TEMP", "TMP") if environ.get(name)]
    wanted = (home, home / ".cache", Path("/tmp"), *temporary)  # noqa: S108 - programs make files there
    return places.zone(
        Paths(
            protected=protected,
            also=also,
            ours=ours.marks,
            writable=(*ours.writable, *sources, *caches),
            layered=ours.layered,
            open=wanted,
        )
    )


def linked(host: Host, environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield the folders in which installers have the host's very files, by hard links: of uv, and of conda."""
    home = surroundings.home(environ) or _NOWHERE
    cache = Path(environ.get("XDG_CACHE_HOME") or home / ".cache")
    yield Path(environ.get("UV_CACHE_DIR") or cache / "uv")  # all of it: uv moves what it has unpacked inside of it
    yield host.prefix / "pkgs"
    yield host.prefix.parent.parent / "pkgs"


def _ourselves(wide: Container[Path]) -> Iterator[Path]:
    """Yield what passbuild itself runs from: some of it is only imported after a hook has run."""
    minor = f"{sys.version_info[0]}.{sys.version_info[1]}"
    for prefix in (sys.prefix, sys.base_prefix):
        yield from _python(Path(prefix), minor, wide)
    yield Path(__file__).parents[1]


def _python(prefix: Path, minor: str, wide: Container[Path]) -> Iterator[Path]:
    """Yield what belongs to the Python below a prefix, which may be a `wide` one that holds more than that."""
    if prefix not in wide:
        yield prefix
        return
    for place in (prefix, prefix / "local"):
        for folder in ("lib", "lib64"):
            yield place / folder / f"python{minor}"
            yield place / folder / "python3"  # of Debian, for all versions
    if prefix not in _SYSTEMS:
        yield from (prefix / "bin", prefix / "pyvenv.cfg")


def _strayed(files: Iterable[str], protected: Iterable[Path]) -> list[Path]:
    """Return the topmost of the files and folders that lie elsewhere: links of packages lead there."""
    inside = tuple(f"{path}{os.sep}" for path in protected)
    elsewhere = sorted(path for path in files if not path.startswith(inside))
    tops: list[str] = []
    for path in elsewhere:
        if not tops or not path.startswith(f"{tops[-1]}{os.sep}"):
            tops.append(path)
    return [Path(path) for path in tops[:_MOST]]


def _source(item: Distribution) -> Iterator[Path]:
    url = item.direct_url.url if item.direct_url is not None else ""
    if url.startswith("file:"):
        yield Path(os.fsdecode(unquote(urlsplit(url).path)))
    if not item.direct_url:
        yield item.location
