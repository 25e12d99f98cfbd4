"""Read a failed hook's output for what a user can do about it. A hint is given on evidence only."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from passbuild.errors import PassbuildError
from passbuild.host import probe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from passbuild.environment.build_environment import BuildEnvironment
    from passbuild.host.model import Host

_NO_MODULE = re.compile(r"(?:ModuleNotFoundError|ImportError): No module named ['\"]?([\w.]+)['\"]?")
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
        name = probe.provider(host, module, environ)
    except PassbuildError:  # the host answered before; whatever happened since, it is no help here
        return ""
    present = {item.name for item in environment.installed} | {item.distribution.name for item in environment.passed}
    if name is None or name in present:
        return ""
    version = host.installed.get(name, "")
    return f"{name} {version} is installed in {host.prefix}; add `--passthrough {name}`"


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
