"""The CUDA toolkit: where nvcc is, whether it goes with torch and with the compiler, and what it can compile for."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from passbuild.doctor import programs
from passbuild.doctor.model import Finding, State, fine, note, problem, warning
from passbuild.values import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from passbuild.doctor.inquiry import Torch
    from passbuild.doctor.scene import Scene

_SUBJECT = "CUDA"
_TARGETS = "CUDA targets"
_LIST = "TORCH_CUDA_ARCH_LIST"
_USUAL = Path("/usr/local/cuda")
_LIMIT = 180.0
_RELEASE = re.compile(r"release (\d+\.\d+)")
_TOP = re.compile(r"^#\$ TOP=(.+)$", re.MULTILINE)
_OF_NAME = re.compile(r"(?:cupy|jax)-cuda(\d\d)")
_TARGET = re.compile(r"(?:compute|sm)_\w+")
_YES = {"ON", "1", "YES", "TRUE", "Y"}


@frozen
class Toolkit:
    """An nvcc that is there."""

    home: Path
    """What torch takes for CUDA_HOME."""
    nvcc: Path
    version: str
    """Major and minor; empty where it does not say."""
    says: str
    """Why there is none, where it does not."""


def findings(scene: Scene, torch: Torch | None) -> Iterator[Finding]:
    """Say whether CUDA sources can be compiled against torch, and against other packages that are made for a CUDA."""
    is_cuda = torch is not None and bool(torch.cuda)
    toolkit = _toolkit(scene, torch)
    if torch is not None and torch.hip:
        return
    if toolkit is None:
        if is_cuda or "CUDA" in scene.languages:
            yield _absent(scene, torch)
        return
    if torch is not None and not is_cuda:
        yield _beside_cpu(torch, toolkit)
    if is_cuda or "CUDA" in scene.languages:
        yield from _of_toolkit(scene, torch, toolkit)
    yield from _of_names(scene, toolkit)


def home(environ: Mapping[str, str]) -> Path | None:
    """Return the folder of CUDA by torch's order: CUDA_HOME, CUDA_PATH, the one above nvcc's on PATH, the usual one."""
    named = environ.get("CUDA_HOME") or environ.get("CUDA_PATH")
    if named:
        return Path(named)
    nvcc = programs.located("nvcc", environ)
    if nvcc is not None:
        return nvcc.parent.parent
    return _USUAL if _USUAL.exists() else None


def release(text: str) -> str:
    """Return the version that ``nvcc --version`` tells; empty for none."""
    found = _RELEASE.search(text)
    return found[1] if found else ""


def verdict(of_torch: str, of_nvcc: str, severity: State) -> Finding:
    """Compare two CUDA versions as torch does, which refuses another major one and warns of another minor one."""
    fact = f"nvcc is of CUDA {of_nvcc}, torch was built with {of_torch}"
    cure = f"install the toolkit of CUDA {of_torch} and name it in CUDA_HOME, or a torch for CUDA {of_nvcc}"
    if programs.major(of_torch) != programs.major(of_nvcc):
        return Finding(subject=_SUBJECT, state=severity, fact=f"{fact}: torch refuses to compile with it", cure=cure)
    if programs.minor(of_torch) != programs.minor(of_nvcc):
        return note(_SUBJECT, f"{fact}: torch warns and goes on")
    return fine(_SUBJECT, f"{fact} as well")


def unsupported(flags: Sequence[str], known: AbstractSet[str]) -> list[str]:
    """Return the architectures in nvcc's flags that it does not know; its lists leave out variants such as sm_90a."""
    named = dict.fromkeys(target for flag in flags for target in _TARGET.findall(flag))
    return [target for target in named if target not in known and target.rstrip("af") not in known]


def refused(compiler: str, version: str, bounds: tuple[str, str] | None) -> str:
    """Return why torch refuses a compiler with a CUDA version, by torch's own table; empty where it does not."""
    try:
        least, below = map(Version, bounds or ("0", "9999"))
        is_allowed = least <= Version(version) < below
    except InvalidVersion:
        return ""
    return "" if is_allowed else f"torch refuses {compiler} {version} with it: it wants >={least}, <{below}"


def _folder(scene: Scene, torch: Torch | None) -> Path | None:
    return Path(torch.home) if torch and torch.cuda and torch.home else home(scene.environ)


def _toolkit(scene: Scene, torch: Torch | None) -> Toolkit | None:
    folder = _folder(scene, torch)
    nvcc = folder / "bin" / "nvcc" if folder else None
    if folder is None or nvcc is None or not nvcc.is_file():
        return None
    finished = programs.told([nvcc, "--version"], scene.environ)
    version = release(finished.stdout) if finished.returncode == 0 else ""
    return Toolkit(home=folder, nvcc=nvcc, version=version, says="" if version else programs.complaint(finished))


def _absent(scene: Scene, torch: Torch | None) -> Finding:
    """Return that there is no nvcc where it is looked for."""
    is_needed = "CUDA" in scene.languages
    folder = _folder(scene, torch)
    where = f"{folder} has no bin/nvcc" if folder else "there is no nvcc on PATH, in CUDA_HOME or in /usr/local/cuda"
    wanted = f"CUDA {torch.cuda}" if torch and torch.cuda else "CUDA"
    cure = f"install the toolkit of {wanted} (conda: cuda-nvcc), and name its folder in CUDA_HOME"
    if is_needed:
        return problem(_SUBJECT, f"{where}, and the project has CUDA sources", cure)
    return note(_SUBJECT, f"{where}: CUDA sources cannot be compiled", cure)


def _beside_cpu(torch: Torch, toolkit: Toolkit) -> Finding:
    fact = f"torch {torch.version} has no CUDA, but there is an nvcc: {toolkit.nvcc}"
    cure = "a setup.py that looks for nvcc may take torch for one with CUDA; if so, hide it (PATH, CUDA_HOME)"
    return note(_SUBJECT, fact, cure)


def _of_toolkit(scene: Scene, torch: Torch | None, toolkit: Toolkit) -> Iterator[Finding]:
    severity = scene.severity("CUDA")
    if not toolkit.version:
        fact = f"{toolkit.nvcc} does not say its version: {toolkit.says}"
        yield Finding(subject=_SUBJECT, state=severity, fact=fact, cure="reinstall the CUDA toolkit")
        return
    yield note(_SUBJECT, f"nvcc {toolkit.version}, {toolkit.nvcc}")
    flags: tuple[str, ...] = ()
    if torch is not None and torch.cuda:
        yield verdict(torch.cuda, toolkit.version, severity)
        yield from _headers(scene, toolkit)
        yield from _compiler_for_torch(scene, torch, toolkit)
        known = _known(scene, toolkit)
        lacking = unsupported(torch.flags, known)
        told = f"nvcc {toolkit.version} does not know {', '.join(lacking)}" if lacking else ""
        yield _targets(scene, torch, told, known)
        flags = () if lacking else torch.flags
    yield _compiled(scene, toolkit, flags)


def _headers(scene: Scene, toolkit: Toolkit) -> Iterator[Finding]:
    """Say that the folder which torch takes for CUDA's has no headers: that of a link or script on PATH."""
    include = toolkit.home / "include"
    if (include / "cuda_runtime_api.h").is_file():
        return
    shown = programs.told([toolkit.nvcc, "--dryrun", "-E", "-x", "cu", os.devnull], scene.environ)
    top = _TOP.search(shown.stdout + shown.stderr)
    real = os.path.realpath(top[1].strip()) if top else ""
    cure = f"set CUDA_HOME={real}, where this nvcc is at home" if real else "set CUDA_HOME to the toolkit's folder"
    fact = f"torch takes {toolkit.home} for CUDA_HOME, and {include} has no cuda_runtime_api.h"
    yield Finding(subject=_SUBJECT, state=scene.severity("CUDA"), fact=fact, cure=cure)


def _compiler_for_torch(scene: Scene, torch: Torch, toolkit: Toolkit) -> Iterator[Finding]:
    """Say that torch refuses the C++ compiler, as it does by a table of its own before nvcc is even asked."""
    if scene.environ.get("TORCH_DONT_CHECK_COMPILER_ABI") in _YES:
        return
    compiler = scene.environ.get("CXX") or "c++"
    said = programs.told([compiler, "--version"], scene.environ).stdout
    finished = programs.told([compiler, "-dumpfullversion", "-dumpversion"], scene.environ)
    kind = "clang" if "clang" in said else "gcc"
    version = programs.version(finished.stdout) if finished.returncode == 0 else ""
    reason = refused(kind, version, torch.bounds.get(kind, {}).get(toolkit.version))
    if reason:
        yield Finding(
            subject=_SUBJECT, state=scene.severity("CUDA"), fact=reason, cure="choose another one with CXX and CC"
        )


def _known(scene: Scene, toolkit: Toolkit) -> AbstractSet[str]:
    """Return the architectures that nvcc knows, virtual and real."""
    lists = [programs.told([toolkit.nvcc, f"--list-gpu-{kind}"], scene.environ) for kind in ("arch", "code")]
    return {word for finished in lists if finished.returncode == 0 for word in finished.stdout.split()}


def _targets(scene: Scene, torch: Torch, lacking: str, known: AbstractSet[str]) -> Finding:
    """Return what torch would have nvcc compile for, or what keeps it from that."""
    asked = scene.environ.get(_LIST, "")
    names = ", ".join(dict.fromkeys(target for flag in torch.flags for target in _TARGET.findall(flag)))
    real = sorted((name for name in known if name.startswith("sm_")), key=lambda name: (len(name), name))
    cure = f"set {_LIST}, such as '8.0 9.0+PTX'" + (f"; nvcc knows {', '.join(real)}" if real else "")
    given = f"{_LIST}={asked}" if asked else f"{_LIST} is not set"
    error = torch.flags_error or lacking
    if torch.flags_error and not asked and not torch.devices:
        error, given = f"it ends with {torch.flags_error}", f"{given} and torch sees no GPU"
    if error:
        return Finding(subject=_TARGETS, state=scene.severity("CUDA"), fact=f"{given}: {error}", cure=cure)
    whose = given if asked else f"{given}: torch takes those of the GPUs that it sees"
    return fine(_TARGETS, f"{whose}: {names}")


def _compiled(scene: Scene, toolkit: Toolkit, flags: Sequence[str]) -> Finding:
    """Compile an empty kernel with the host compiler that a build would use."""
    folder = scene.new_folder("compiled-by-nvcc")
    (folder / "nothing.cu").write_text("__global__ void nothing() {}\n", encoding="ascii")
    chosen = scene.environ.get("CC", "")
    compiler = ["-ccbin", chosen] if chosen else []  # as torch does
    argv: list[str | Path] = [toolkit.nvcc, *compiler, *flags, "-c", "nothing.cu", "-o", "nothing.o"]
    finished = programs.told(argv, scene.environ, cwd=folder, limit=_LIMIT)
    with_what = f"CC={chosen}" if chosen else "the compiler that it finds"
    if finished.returncode == 0:
        return fine(_SUBJECT, f"nvcc compiles a kernel with {with_what}")
    fact = f"nvcc does not compile an empty kernel with {with_what}: {programs.complaint(finished)}"
    cure = "choose a compiler that this nvcc takes, with CC and CXX, or another toolkit"
    return Finding(subject=_SUBJECT, state=scene.severity("CUDA"), fact=fact, cure=cure)


def _of_names(scene: Scene, toolkit: Toolkit) -> Iterator[Finding]:
    """Say of packages that have a CUDA version in their names whether it is nvcc's."""
    installed = scene.host.installed if scene.host else {}
    for name in sorted(installed):
        found = _OF_NAME.match(name)
        if found is None or not scene.concerns(name) or not toolkit.version:
            continue
        if found[1] != programs.major(toolkit.version):
            fact = f"{name} {installed[name]} is made for CUDA {found[1]}, nvcc is of {toolkit.version}"
            yield warning(_SUBJECT, fact, f"name a toolkit of CUDA {found[1]} in CUDA_HOME")
        else:
            yield fine(_SUBJECT, f"{name} {installed[name]} is made for CUDA {found[1]}, as nvcc {toolkit.version} is")
