"""Read a failed hook's output for what a user can do about it. A hint is given on evidence only."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from passbuild.errors import PassbuildError
from passbuild.host import probe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from passbuild.environment.build_environment import BuildEnvironment
    from passbuild.host.model import Host

_NO_MODULE = re.compile(r"(?:ModuleNotFoundError|ImportError): No module named ['\"]?([\w.]+)['\"]?")
_NO_PROGRAM = re.compile(r"FileNotFoundError: \[Errno 2\] No such file or directory: '(?P<program>[^']+)'")
_NO_COMPILER = re.compile(
    r"error: command '(?P<command>[^']+)' failed: (?:No such file or directory|None)"
    r"|error: \[Errno 2\] No such file or directory: '(?P<program>[^']*(?:cc|c\+\+|g\+\+|clang|gfortran|cl\.exe)[^']*)'"
    r"|(?P<cmake>No CMAKE_(?:C|CXX|CUDA|Fortran)_COMPILER could be found)"
    r"|Unknown compiler\(s\): (?P<meson>.+)"
    r"|(?P<msvc>Microsoft Visual C\+\+ [\d.]+ or greater is required)"
)


def advice(
    output: Sequence[str], source: Path, host: Host, environment: BuildEnvironment, environ: Mapping[str, str]
) -> str:
    """Return what to type, or an empty text when the output gives no reason to say anything."""
    about_rebuild = _about_rebuild(output, host, environment)
    if about_rebuild:
        return about_rebuild
    for line in reversed(output):
        no_module = _NO_MODULE.search(line)
        if no_module is not None:
            return _about_module(no_module[1].partition(".")[0], source, host, environment, environ)
    return missing_compiler(output)


def missing_compiler(output: Sequence[str]) -> str:
    """Return what to install when the output says that there is no compiler, else an empty text."""
    for line in output:
        found = _NO_COMPILER.search(line)
        if found is not None:
            return _about_compiler(found)
    return ""


def _about_module(
    module: str, source: Path, host: Host, environment: BuildEnvironment, environ: Mapping[str, str]
) -> str:
    if _is_of_source(module, source):
        return ""
    try:
        names = probe.providers(host, module, environ)
    except PassbuildError:  # the host answered before; whatever happened since, it is no help here
        return ""
    present = {item.name for item in environment.installed} | {item.distribution.name for item in environment.passed}
    absent = [name for name in names if name not in present]
    if len(absent) > 1:
        which = ", ".join(absent)
        return f"{module} is a part of {which} in {host.prefix}; add `--passthrough NAME` for the one that is meant"
    return "".join(
        f"{name} {host.installed.get(name, '')} is installed in {host.prefix}; add `--passthrough {name}`"
        for name in absent
    )


def _about_rebuild(output: Sequence[str], host: Host, environment: BuildEnvironment) -> str:
    """Return what an editable package lacks that rebuilds itself when it is imported, by the traceback through it."""
    missing = [found["program"] for line in output if (found := _NO_PROGRAM.search(line))]
    for item in (passed.distribution for passed in environment.passed if passed.distribution.editable):
        modules = [f'File "{item.location / entry}"' for entry in item.entries if "editable" in entry.name]
        if not missing or not any(module in line for module in modules for line in output):
            continue
        program = PurePath(missing[-1]).name
        has = canonicalize_name(program) in host.installed
        cure = f"add `--passthrough {program}`" if has else f"install {program} in {host.prefix}, or put it on PATH"
        if PurePath(missing[-1]).is_absolute():
            cure = f"install {program} in {host.prefix}, and {item.name} editable once more"
        return (
            f"{item.name} is an editable install that rebuilds itself when it is imported, for which it runs "
            f"{missing[-1]}, which is not there; {cure}"
        )
    return ""


def _is_of_source(module: str, source: Path) -> bool:
    places = (source, source / "src")
    return any((place / module).is_dir() or (place / f"{module}.py").is_file() for place in places)


def _about_compiler(found: re.Match[str]) -> str:
    compiler = found["command"] or found["program"] or found["cmake"] or found["msvc"]
    if found["meson"]:
        compiler = ", ".join(re.findall(r"'([^']+)'", found["meson"])) or found["meson"]
    return (
        f"no compiler: {compiler}; install one (Debian: apt install build-essential; Fedora: dnf install gcc-c++; "
        "macOS: xcode-select --install), or set CC and CXX"
    )
