"""The identity of a build environment: a key of everything that makes it what it is."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from passbuild import reading
from passbuild.environment.store import FORMAT
from passbuild.surroundings import home as home_of
from passbuild.version import __version__

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from packaging.requirements import Requirement

    from passbuild.environment.installers import Installer
    from passbuild.host.files import State
    from passbuild.host.model import Host
    from passbuild.plan.model import Plan
    from passbuild.surroundings import Surroundings

LENGTH = 20
"""Hexadecimal digits of a key: paths of environments stay short, as a script's first line has to hold one."""
_COMPILING = ("CC", "CXX", "CFLAGS", "CPPFLAGS", "CXXFLAGS", "LDFLAGS", "ARCHFLAGS", "RUSTFLAGS")
_PREFIXES = ("PIP_", "UV_")
_COMMITS = 40
_INCLUDED = re.compile(r"^\s*(?:-c|-r|--constraint|--requirement)[\s=]+(\S+)", re.MULTILINE)


def key(  # noqa: PLR0913 - everything that makes an environment
    plan: Plan,
    host: Host,
    installer: Installer | None,
    surroundings: Surroundings,
    passed: str,
    *,
    true_paths: bool,
    owner: str = "",
) -> str | None:
    """Return the key of the environment that `plan` describes, `passed` being the identity of what passes through.

    An environment with an `owner` is for nobody else.

    None where nothing can stand for its contents: a requirement that names a folder or a branch may hold something else
    tomorrow.
    """
    if not all(map(_is_fixed, plan.install)):
        return None
    values = {
        "format": FORMAT,
        "passbuild": __version__,
        "python": [str(host.executable), host.version, _stamp(host.executable), str(host.prefix)],
        "install": [*map(str, plan.install), *map(_stamp, _local_files(plan.install))],
        "constraints": [_requirements_digest(file) for file in plan.constraints],
        "installer": of_installer(installer, surroundings) if plan.install else [],
        "passed": [passed, *([str(item.distribution.info), item.named, item.left_out] for item in plan.passed)],
        "true paths": true_paths,
        "owner": owner,
    }
    text = json.dumps(values, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", errors="surrogateescape")).hexdigest()[:LENGTH]


def of_passed(plan: Plan, host_files: Mapping[str, State]) -> str:
    """Return a digest of what passes through, with the state of all its files."""
    values = [[item.distribution.name, item.distribution.raw_version] for item in plan.passed]
    return digested(json.dumps([values, _stable(host_files)]))


def _is_fixed(requirement: Requirement) -> bool:
    if requirement.url is None:
        return True
    parts = urlsplit(requirement.url)
    if "+" in parts.scheme:
        revision = parts.path.rpartition("@")[2]
        return len(revision) == _COMMITS and all(digit in "0123456789abcdef" for digit in revision)
    return parts.scheme != "file" or _path(requirement.url).is_file()


def _local_files(requirements: Iterable[Requirement]) -> Iterable[Path]:
    for item in requirements:
        if item.url is not None and urlsplit(item.url).scheme == "file":
            yield _path(item.url)


def _path(url: str) -> Path:
    return Path(unquote(urlsplit(url).path))


def of_installer(installer: Installer | None, surroundings: Surroundings) -> list[str]:
    """Return what an installer's choice of files depends on; values are digested, as they may hold credentials."""
    environ = {**surroundings.environ, **dict(installer.own if installer else ())}
    names = sorted(name for name in environ if name.startswith(_PREFIXES) or name in _COMPILING)
    variables = [f"{name}={digested(environ[name])}" for name in names]
    # What lies in a cache decides nothing, and every installation changes it.
    telling = [name for name in names if not name.endswith("_CACHE_DIR")]
    variables += [_named(part, surroundings.cwd) for name in telling for part in re.split(r"[\s,]+", environ[name])]
    tables = [_uv_table(folder / "pyproject.toml") for folder in (surroundings.cwd, *surroundings.cwd.parents)]
    for line in installer.lines if installer else ():
        variables += [digested(line), _named(unquote(line.partition(" ")[2]), surroundings.cwd)]
    files = map(_digest, _configurations(surroundings))
    return [installer.name if installer else "", *variables, *filter(None, (*files, *tables))]


def _configurations(surroundings: Surroundings) -> Iterable[Path]:
    """Yield the places of pip's and uv's configuration files, those that are not there too."""
    environ, home = surroundings.environ, home_of(surroundings.environ) or Path(os.devnull)
    config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    for name in ("pip/pip.conf", "uv/uv.toml"):
        yield config / name
        yield Path("/etc/xdg") / name
    yield home / ".pip" / "pip.conf"
    yield Path("/etc/pip.conf")
    yield Path("/etc/uv/uv.toml")
    yield Path(sys.prefix) / "pip.conf"
    yield home / "Library" / "Application Support" / "pip" / "pip.conf"
    for variable in ("PIP_CONFIG_FILE", "UV_CONFIG_FILE"):
        if environ.get(variable):
            yield surroundings.cwd / environ[variable]
    for folder in (surroundings.cwd, *surroundings.cwd.parents):
        yield folder / "uv.toml"


def _stable(host_files: Mapping[str, State]) -> list[tuple[str, State]]:
    """Return the states without those of byte code, which any first import on the host writes."""
    return sorted(item for item in host_files.items() if f"{os.sep}__pycache__" not in item[0])


def _named(text: str, cwd: Path) -> str:
    """Return what a variable's value stands for: a file's contents, or the names, sizes and times in a folder."""
    path = cwd / text.removeprefix("file://")
    try:
        if text and path.is_file():
            return _requirements_digest(path)
        if text and path.is_dir():
            return digested(json.dumps(sorted(_stamp(item) for item in path.iterdir())))
    except (OSError, ValueError):
        pass
    return ""


def _requirements_digest(file: Path, depth: int = 5) -> str:
    """Return a digest of a requirements or constraints file and of those that it includes."""
    try:
        text = reading.text(file, errors="replace")
    except OSError:
        return ""
    may_include = depth > 0 and ("-c" in text or "-r" in text)  # certificates are files of variables too, and long
    included = _INCLUDED.findall(text) if may_include else []
    return digested(text + "".join(_requirements_digest(file.parent / name, depth - 1) for name in included))


def _uv_table(pyproject: Path) -> str:
    """Return what a project's ``[tool.uv]`` says; empty where there is none, or none that can be read."""
    try:
        document = tomllib.loads(reading.text(pyproject))
    except (OSError, ValueError):
        return ""
    tool = document.get("tool")
    table = tool.get("uv") if isinstance(tool, dict) else None
    return digested(json.dumps(table, sort_keys=True, default=str)) if table else ""


def _digest(file: Path) -> str:
    try:
        return hashlib.sha256(reading.content(file)).hexdigest()
    except OSError:
        return ""


def digested(text: str) -> str:
    """Return the SHA-256 of a text."""
    return hashlib.sha256(text.encode("utf-8", errors="surrogateescape")).hexdigest()


def _stamp(file: Path) -> str:
    """Return what changes when a file is replaced."""
    try:
        state = os.stat(file)  # noqa: PTH116 - one call
    except OSError:
        return ""
    return f"{state.st_size} {state.st_mtime_ns} {os.path.realpath(file)}"
