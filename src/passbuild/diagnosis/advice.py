"""Say what to do about a failed hook. Advice is given on evidence only: in the output, on the host, on the disks."""

from __future__ import annotations

import difflib
import re
import shutil
import signal
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from passbuild.errors import PassbuildError
from passbuild.host import probe
from passbuild.process import without_escapes
from passbuild.values import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from packaging.utils import NormalizedName

    from passbuild.environment.build_environment import BuildEnvironment
    from passbuild.errors import BackendFailed
    from passbuild.host.model import Host
    from passbuild.project.model import Project

_NO_MODULE = re.compile(r"(?:ModuleNotFoundError|ImportError): No module named ['\"]?([\w.]+)['\"]?")
_NO_PROGRAM = re.compile(r"FileNotFoundError: \[Errno 2\] No such file or directory: '(?P<program>[^']+)'")
_NO_HEADER = re.compile(
    r"fatal error: (?P<gcc>\S+): No such file or directory"
    r"|fatal error: '(?P<clang>[^']+)' file not found"
    r"|(?:error|C1083).*: [Cc]annot open (?:source|include) file:? [\"'](?P<other>[^\"']+)[\"']"
)
_NO_LIBRARY = re.compile(r"(?:cannot find|library not found for|unable to find library) -l([\w.+-]+)")
_OF_PACKAGES = {"numpy": "numpy", "pybind11": "pybind11", "torch": "torch", "ATen": "torch", "c10": "torch"}
"""Folders of headers that Python packages bring."""
_NO_SPACE = "No space left on device"
_NOT_WRITABLE = re.compile(r"Read-only file system|Permission denied|Operation not permitted|Errno 30\b")
_AROUND = 5
"""Lines before and behind it in which the path may stand."""
_LOW = 100_000_000
"""Bytes: a disk with less is named when one is said to be full."""
_NO_COMPILER = re.compile(
    r"error: command '(?P<command>[^']+)' failed: (?:No such file or directory|None)"
    r"|error: \[Errno 2\] No such file or directory: '(?P<program>[^']*(?:cc|c\+\+|g\+\+|clang|gfortran|cl\.exe)[^']*)'"
    r"|FileNotFoundError: \[Errno 2\] No such file or directory: "
    r"'(?P<plain>(?:[\w.]+-)*(?:g?cc|[cg]\+\+|clang(?:\+\+)?|gfortran|nvcc)(?:-\d+)?)'"
    r"|(?P<cmake>No CMAKE_(?:C|CXX|CUDA|Fortran)_COMPILER could be found)"
    r"|Unknown compiler\(s\): (?P<meson>.+)"
    r"|(?P<msvc>Microsoft Visual C\+\+ [\d.]+ or greater is required)"
)
_COMPILER = re.compile(r"(?:cc|c\+\+|g\+\+|clang|clang\+\+|gfortran|nvcc|icx|icpx|cl\.exe)(?:-\d+)?$")
_BACKENDS = {
    "setuptools.build_meta": "setuptools",
    "setuptools.build_meta:__legacy__": "setuptools",
    "hatchling.build": "hatchling",
    "flit_core.buildapi": "flit-core",
    "poetry.core.masonry.api": "poetry-core",
    "pdm.backend": "pdm-backend",
    "mesonpy": "meson-python",
    "scikit_build_core.build": "scikit-build-core",
    "scikit_build_core.setuptools.build_meta": "scikit-build-core",
    "maturin": "maturin",
    "uv_build": "uv-build",
    "sipbuild.api": "sip",
    "whey": "whey",
    "jupyter_packaging.build_api": "jupyter-packaging",
    "pbr.build": "pbr",
    "enscons.api": "enscons",
    "py_build_cmake.build": "py-build-cmake",
}
"""Published backends, as pyproject.toml writes them, and the distributions that have them."""


@frozen
class Scene:
    """Where a hook failed."""

    project: Project
    host: Host
    environment: BuildEnvironment
    environ: Mapping[str, str]
    """The variables around passbuild."""
    folders: Sequence[Path]
    """What a build writes to."""
    protected: Sequence[Path]
    """What the system kept it from writing."""


def given(error: BackendFailed, scene: Scene) -> str:
    """Return what to type, or an empty text where nothing gives reason to say anything."""
    said = [error.cause.text, *error.cause.excerpt] if error.cause is not None else error.lines
    said = [without_escapes(line) for line in said]
    return (
        _about_signal(-error.status)
        or about_space(said, scene.folders)
        or about_protection(error.lines, scene.protected)
        or _about_rebuild(error.lines, scene)
        or _about_backend(error.backend, scene)
        or _about_modules(said, scene)
        or _about_headers(said, scene)
        or missing_compiler(said)
        or _about_memory(said)
        or _about_libraries(said)
    )


def missing_compiler(output: Sequence[str]) -> str:
    """Return what to install when the output says that there is no compiler, else an empty text."""
    for line in output:
        found = _NO_COMPILER.search(line)
        if found is not None:
            return _about_compiler(found)
    return ""


def about_space(output: Sequence[str], folders: Sequence[Path]) -> str:
    """Return which disk is full when the output says that one is, else an empty text."""
    if not any(_NO_SPACE in line for line in output):
        return ""
    free = {folder: shutil.disk_usage(folder).free for folder in folders if folder.is_dir()}
    low = [f"{folder} has {size // 1_000_000} MB left" for folder, size in free.items() if size < _LOW]
    where = "; ".join(low) or "the disk that it names has room again by now"
    return f"{where}; free some space, or choose other places: TMPDIR, --cache-dir, --outdir"


def about_protection(output: Sequence[str], protected: Sequence[Path]) -> str:
    """Return what to do when the output says that something protected cannot be written, else an empty text."""
    for index, line in enumerate(output):
        if not _NOT_WRITABLE.search(line):
            continue
        told = "\n".join(output[max(0, index - _AROUND) : index + _AROUND])
        for folder in protected:
            if str(folder) in told:
                return (
                    f"{folder} is read-only while hooks run, so that no build changes it. For what has to write there, "
                    "such as an editable package that rebuilds itself into it: --protect-host off, which still looks "
                    "for changes of what passes through"
                )
    return ""


def _about_memory(output: Sequence[str]) -> str:
    is_killed = any("Killed signal terminated program" in line for line in output)
    return _about_signal(signal.SIGKILL) if is_killed else ""


def _about_libraries(output: Sequence[str]) -> str:
    for line in output:
        found = _NO_LIBRARY.search(line)
        if found is not None:
            return (
                f"the linker found no lib{found[1]}: install the package that brings it (Debian: apt-file search "
                f"lib{found[1]}.so), or name its folder with -E LIBRARY_PATH=FOLDER"
            )
    return ""


def _about_signal(number: int) -> str:
    if number == signal.SIGKILL:
        return (
            "the system kills a program so when memory is short (dmesg says so): let fewer compilers run at once with "
            "-E MAX_JOBS=1 or -E CMAKE_BUILD_PARALLEL_LEVEL=1, whichever the project's build reads"
        )
    if number > 0:
        return "the backend crashed, or something that it loaded: -E PYTHONFAULTHANDLER=1 -v shows where"
    return ""


def _about_backend(backend: str, scene: Scene) -> str:
    """Return which backend may have been meant, or what has it, where one cannot be imported."""
    if not backend or scene.project.build_system.backend_path:
        return ""
    required = {canonicalize_name(item.name) for item in scene.project.build_system.requires}
    if backend not in _BACKENDS:
        close = difflib.get_close_matches(backend, _BACKENDS, n=1, cutoff=0.7)
        return f"pyproject.toml [build-system] build-backend: did you mean {close[0]!r}?" if close else ""
    if _BACKENDS[backend] not in required:
        return f"pyproject.toml [build-system] requires does not have {_BACKENDS[backend]}, which has this backend"
    return ""


def _about_modules(output: Sequence[str], scene: Scene) -> str:
    for line in reversed(output):
        no_module = _NO_MODULE.search(line)
        if no_module is not None:
            return _about_module(no_module[1].partition(".")[0], scene)
    return ""


def _about_module(module: str, scene: Scene) -> str:
    file = _of_source(module, scene.project.folder)
    if file is not None:
        return (
            f"{file} lies in the project, but a backend does not look there: begin setup.py with "
            f"`import sys; sys.path.insert(0, '{file.parent}')`"
        )
    absent = _absent(module, scene)
    prefix, installed = scene.host.prefix, scene.host.installed
    if len(absent) > 1:
        which = ", ".join(absent)
        return f"{module} is a part of {which} in {prefix}; add `--passthrough NAME` for the one that is meant"
    if absent:
        return f"{absent[0]} {installed.get(absent[0], '')} is installed in {prefix}; add `--passthrough {absent[0]}`"
    if module in _present(scene):
        return ""
    return (
        f"nothing in {prefix} has {module} either: install what has it there and add `--passthrough NAME`, or have it "
        "installed for this build with `--build-requires NAME`"
    )


def _about_headers(output: Sequence[str], scene: Scene) -> str:
    for line in output:
        found = _NO_HEADER.search(line)
        if found is not None:
            return _about_header(found["gcc"] or found["clang"] or found["other"], scene)
    return ""


def _about_header(header: str, scene: Scene) -> str:
    minor = scene.host.minor
    if PurePath(header).name in {"Python.h", "pyconfig.h"}:
        return (
            f"the headers of Python {minor} are not there: install them (Debian: apt install python{minor}-dev; "
            f"Fedora: dnf install python{minor}-devel), or choose a host with --host that has them"
        )
    first = PurePath(header).parts[0]
    absent = _absent(first, scene) if first.isidentifier() else []
    if absent:
        return f"{absent[0]} is installed in {scene.host.prefix}; add `--passthrough {absent[0]}`"
    package = _OF_PACKAGES.get(first)
    if package is not None and package not in _present(scene):
        return f"{package} brings {header}: install it in {scene.host.prefix} and add `--passthrough {package}`"
    return (
        f"no folder that the compiler searched has {header}: install the package that brings it (Debian: apt-file "
        f"search {header}), or name its folder with -E CPATH=FOLDER"
    )


def _absent(module: str, scene: Scene) -> list[NormalizedName]:
    """Return the distributions of the host that have a module, and that the build environment does not show."""
    try:
        names = probe.providers(scene.host, module, scene.environ)
    except PassbuildError:  # the host answered before; whatever happened since, it is no help here
        return []
    present = _present(scene)
    return [name for name in names if name not in present]


def _present(scene: Scene) -> set[str]:
    environment = scene.environment
    return {item.name for item in environment.installed} | {item.distribution.name for item in environment.passed}


def _about_rebuild(output: Sequence[str], scene: Scene) -> str:
    """Return what an editable package lacks that rebuilds itself when it is imported, by the traceback through it."""
    host = scene.host
    missing = [found["program"] for line in output if (found := _NO_PROGRAM.search(line))]
    for item in (passed.distribution for passed in scene.environment.passed if passed.distribution.editable):
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


def _of_source(module: str, source: Path) -> Path | None:
    """Return what the project itself calls so, in its folder or in ``src``."""
    for name in (f"{module}.py", module, f"src/{module}.py", f"src/{module}"):
        if (source / name).exists():
            return Path(name)
    return None


def _about_compiler(found: re.Match[str]) -> str:
    command = PurePath(found["command"] or "").name
    if command and not _COMPILER.search(command):
        return f"{command} is not there: install it, or put it on PATH"
    compiler = found["command"] or found["program"] or found["plain"] or found["cmake"] or found["msvc"]
    if found["meson"]:
        compiler = ", ".join(re.findall(r"'([^']+)'", found["meson"])) or found["meson"]
    return (
        f"no compiler: {compiler}; install one (Debian: apt install build-essential; Fedora: dnf install gcc-c++; "
        "macOS: xcode-select --install), or set CC and CXX"
    )
