"""The identity of a built wheel: a key of everything that made it, the same on every machine that would make the same.

None where something can not be named: a wheel that might be another one is built again.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from passbuild import git
from passbuild.values import frozen
from passbuild.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from packaging.requirements import Requirement

    from passbuild.environment.build_environment import BuildEnvironment
    from passbuild.host.files import State
    from passbuild.host.model import Distribution, Host
    from passbuild.project.model import Project
    from passbuild.settings.model import Settings

_FORMAT = 1
_LENGTH = 40
_BLOCK = 1 << 20
_OF_INSTALLATION = {b"INSTALLER", b"REQUESTED", b"RECORD", b"direct_url.json", b"uv_cache.json"}
_TOOLS = (
    *("cc", "c++", "gcc", "g++", "clang", "clang++", "gfortran", "ld", "nvcc", "hipcc", "rustc", "cargo", "swig"),
    *("mpicc", "mpicxx", "cmake", "ninja", "make", "pkg-config", "git"),
)
_NAMING = ("CC", "CXX", "FC", "F77", "F90", "LD", "AR", "CUDACXX", "HIPCXX", "RUSTC", "CARGO", "MPICC", "MPICXX")
"""Variables that name a compiler or another tool."""
_CACHES = {"ccache", "sccache", "distcc", "icecc"}
_UNCOUNTED = {
    *("PATH", "PWD", "OLDPWD", "SHLVL", "_", "HOME", "USER", "LOGNAME", "USERNAME", "HOSTNAME", "HOSTTYPE", "MAIL"),
    *("SHELL", "PS1", "PS2", "PROMPT_COMMAND", "EDITOR", "VISUAL", "PAGER", "LESS", "LESSOPEN", "LESSCLOSE"),
    *("LS_COLORS", "CLICOLOR", "COLORFGBG", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TMUX", "TMUX_PANE", "STY"),
    *("DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "WINDOWID", "WINDOWPATH", "SESSION_MANAGER", "DESKTOP_SESSION"),
    *("TMPDIR", "TEMP", "TMP", "INVOCATION_ID", "JOURNAL_STREAM", "DBUS_SESSION_BUS_ADDRESS", "KRB5CCNAME"),
    *("VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT", "CONDA_SHLVL", "CONDA_PROMPT_MODIFIER", "CONDA_EXE", "CONDA_PYTHON_EXE"),
    *("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAX_JOBS", "CMAKE_BUILD_PARALLEL_LEVEL", "PYTHONPATH", "PYTHONHOME"),
    *("PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "PYTEST_CURRENT_TEST"),
    *("CI", "BUILD_ID", "BUILD_NUMBER", "BUILD_TAG", "BUILD_URL", "JOB_NAME", "JOB_URL", "EXECUTOR_NUMBER"),
}
_UNCOUNTED_PREFIXES = (
    *("PASSBUILD_", "PIP_", "UV_", "CCACHE_", "SCCACHE_"),
    *("TERM", "COLORTERM", "LC_TERMINAL", "VSCODE_", "ITERM_", "KITTY_", "KONSOLE_", "GNOME_", "WT_", "STARSHIP_"),
    *("SSH_", "GPG_", "SUDO_", "XDG_", "HIST", "BASH_FUNC_", "AWS_", "SLURM_", "PBS_", "LSB_"),
    *("GITHUB_", "RUNNER_", "ACTIONS_", "CI_", "GITLAB_", "BUILDKITE_", "CIRCLE_", "TRAVIS_", "JENKINS_", "HUDSON_"),
)
"""Variables that say where and by whom a build is run. All others count: any may be a switch of some project."""


@frozen
class Recipe:
    """What a wheel is made of."""

    project: Project
    """Its source tree is ours: nobody else works in it."""
    is_checkout: bool
    """Whether an installer had git clone it: then what git says of it is stable, and what git keeps there is not."""
    settings: Settings
    host: Host
    environment: BuildEnvironment


def of(recipe: Recipe) -> str | None:
    """Return the key of the wheel that comes of `recipe`; None where something of it has no stable identity."""
    environment, settings = recipe.environment, recipe.settings
    passed = []
    for item in environment.passed:
        identity = _of_passed(item.distribution, environment.host_files)
        if identity is None:
            return None
        passed.append((identity, item))
    if not recipe.is_checkout and any((place / ".git").exists() for place in recipe.project.folder.parents):
        return None  # a backend may ask that repository, which is not part of the source
    lease = environment.lease
    if lease is None or lease.facts.get("built"):  # it was made of something that has no identity, or could not be kept
        return None
    values = {
        "format": _FORMAT,
        "source": _of_source(recipe, environment.environ),
        "settings": {
            "config-settings": settings.config_settings,
            "pin": settings.pin.value.value,
            "sbom": [settings.sbom.value, __version__ if settings.sbom.value else ""],
        },
        "host": _of_host(recipe.host),
        "passed": sorted([*identity, item.named] for identity, item in passed),
        "files": sorted(_urls(environment.plan.install)),
        "installed": sorted(f"{item.name}=={item.version}" for item in environment.installed),
        "variables": sorted(_variables(environment.environ)),
        "tools": sorted(_tools(environment.environ)),
    }
    text = json.dumps(values, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", errors="surrogateescape")).hexdigest()[:_LENGTH]


def _of_source(recipe: Recipe, environ: Mapping[str, str]) -> list[str]:
    """Return a digest of a source tree, and what git says of versions: tags are in no file of a checkout.

    A repository that came in an archive is as many files as it has, about which git is not asked.
    """
    folder, digest = recipe.project.folder, hashlib.sha256()
    for path in sorted(_files(folder, with_git=not recipe.is_checkout)):
        state = path.lstat()
        head = f"{path.relative_to(folder).as_posix()}\0{state.st_mode & stat.S_IXUSR}\0"
        digest.update(head.encode(errors="surrogateescape"))
        if stat.S_ISLNK(state.st_mode):
            digest.update(os.fsencode(os.readlink(path)))  # noqa: PTH115 - bytes are wanted
            continue
        digest.update(f"{state.st_size}\0".encode())
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    return [digest.hexdigest(), _described(folder, environ) if recipe.is_checkout else ""]


def _files(folder: Path, *, with_git: bool) -> Iterator[Path]:
    """Yield the files and links below a folder, and also what git keeps for itself."""
    for item in folder.iterdir():
        if item.is_dir() and not item.is_symlink():
            if with_git or item.name != ".git":
                yield from _files(item, with_git=with_git)
        elif item.is_file() or item.is_symlink():
            yield item


def _described(folder: Path, environ: Mapping[str, str]) -> str:
    """Return what git says of a clone; it is not asked about a repository that came in an archive."""
    if not any((place / ".git").is_dir() or (place / ".git").is_file() for place in (folder, *folder.parents)):
        return ""  # git would have nothing to say, and starting it takes time
    return git.said(["describe", "--tags", "--long", "--always", "--abbrev=40"], folder, environ).strip()


def _of_host(host: Host) -> list[str]:
    libc = " ".join(platform.libc_ver())
    return [host.soabi, host.version, host.markers["sys_platform"], host.markers["platform_machine"], libc]


def _of_passed(distribution: Distribution, host_files: Mapping[str, State]) -> tuple[str, ...] | None:
    """Return name, version and what RECORD says of all files; None where that is not to be had or not true any more."""
    try:
        record = distribution.info / "RECORD"
        content, written = record.read_bytes(), record.stat().st_mtime_ns
    except OSError:
        return None
    if distribution.editable or distribution.version is None:
        return None
    info = f"{distribution.info}{os.sep}"
    for path, size in _recorded_sizes(distribution, content):
        state = host_files.get(path)
        # An installer writes RECORD last; whoever edits a file may leave it as long as it was.
        if state is not None and (state[1] != size or (state[2] > written and not path.startswith(info))):
            return None
    lines = sorted(line for line in content.splitlines() if b"__pycache__" not in line and not _is_of_install(line))
    return distribution.name, distribution.raw_version, hashlib.sha256(b"\n".join(lines)).hexdigest()


def _is_of_install(line: bytes) -> bool:
    """Whether a line of RECORD tells of the installation, or of a script whose first line names an interpreter."""
    path = line.partition(b",")[0].strip(b'"')
    name = path.rpartition(b"/")[2]
    return (b".dist-info/" in path and name in _OF_INSTALLATION) or path.startswith(
        (b"../../../bin/", b"../../Scripts/")
    )


def _recorded_sizes(distribution: Distribution, content: bytes) -> Iterator[tuple[str, int]]:
    for line in content.decode("utf-8", errors="replace").splitlines():
        path, _, rest = line.partition(",")
        size = rest.rpartition(",")[2]
        if size.isdecimal() and not path.startswith('"'):
            yield os.path.normpath(distribution.location / path), int(size)


def _urls(requirements: Iterable[Requirement]) -> Iterator[str]:
    """Yield the build requirements that are no versions: of files what they hold, and URLs, which have to be fixed."""
    for item in requirements:
        if item.url is not None and item.url.startswith("file:"):
            yield f"{item.name} {hashlib.sha256(Path(unquote(urlsplit(item.url).path)).read_bytes()).hexdigest()}"
        elif item.url is not None:
            yield str(item)


def _variables(environ: Mapping[str, str]) -> Iterable[str]:
    for name, value in environ.items():
        if name not in _UNCOUNTED and not name.startswith(_UNCOUNTED_PREFIXES):
            yield f"{name}={hashlib.sha256(value.encode(errors='surrogateescape')).hexdigest()}"


def _tools(environ: Mapping[str, str]) -> Iterable[str]:
    """Yield the compilers and build tools on PATH, and those that variables name: what they really are."""
    path = environ.get("PATH", os.defpath)
    named = [words[0] for name in _NAMING if (words := environ.get(name, "").split())]
    for name in (*_TOOLS, *named):
        real = _real(name, path)
        if real is not None:
            state = real.stat()
            yield f"{name} {real.name} {state.st_size} {int(state.st_mtime)}"


def _real(name: str, path: str) -> Path | None:
    """Return the program behind a name: a compiler cache that stands in front of it is not the compiler."""
    folders = path.split(os.pathsep)
    while (found := shutil.which(name, path=os.pathsep.join(folders))) is not None:
        real = Path(found).resolve()
        if real.name not in _CACHES or os.path.dirname(found) not in folders:  # noqa: PTH120 - as PATH writes it
            return real
        folders = folders[folders.index(os.path.dirname(found)) + 1 :]  # noqa: PTH120 - likewise
    return None
