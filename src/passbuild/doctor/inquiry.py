"""Ask the host's interpreter about its own packages, one process for each subject, and decode what it says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, cast

from passbuild.doctor import programs
from passbuild.values import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from passbuild.host.model import Host

_MARK = "passbuild-doctor:"


@frozen
class Compiling:
    """How extensions of the host's Python are compiled."""

    variables: Mapping[str, str]
    """Of its sysconfig: CC, CXX, CFLAGS, CCSHARED, LDSHARED, LDCXXSHARED, EXT_SUFFIX; empty where it has none."""
    include: Path
    """Where Python.h is, or would be."""
    has_headers: bool
    packages: Path
    """Its site-packages."""
    is_managed: bool
    """Whether installers leave it to another package manager (PEP 668)."""


@frozen
class Torch:
    """What the host's torch says of itself."""

    version: str
    cuda: str
    """The CUDA version that it was built with; empty for none."""
    hip: str
    """The version of HIP that it was built with; empty for none."""
    abi: bool
    """Whether it was built with the newer ABI of GNU's C++ library."""
    devices: tuple[str, ...]
    """The GPUs that it sees."""
    home: str
    """Where it takes CUDA or ROCm to be; empty where it does not say."""
    flags: tuple[str, ...]
    """What it would tell nvcc of architectures."""
    flags_error: str
    """What keeps it from that."""
    bounds: Mapping[str, Mapping[str, tuple[str, str]]]
    """For `gcc` and `clang`, the least version and the one that is too new, by CUDA version."""


@frozen
class Mpi4py:
    """What the host's mpi4py says of itself."""

    version: str
    library: str
    """What MPI says of its version, the library that mpi4py runs with."""


@frozen
class Unanswered:
    """A package that does not say anything."""

    reason: str


def compiling(host: Host, environ: Mapping[str, str]) -> Compiling | Unanswered:
    """Ask how extensions are compiled."""
    reply = _asked(host, "compiling", environ)
    if isinstance(reply, Unanswered):
        return reply
    return Compiling(
        variables=cast("Mapping[str, str]", reply["variables"]),
        include=Path(str(reply["headers"] or reply["include"])),
        has_headers=reply["headers"] is not None,
        packages=Path(str(reply["packages"])),
        is_managed=bool(reply["managed"]),
    )


def torch(host: Host, environ: Mapping[str, str]) -> Torch | Unanswered:
    """Ask torch, which answers by the variables that hooks get."""
    reply = _asked(host, "torch", environ)
    if isinstance(reply, Unanswered):
        return reply
    tables = {name: cast("Mapping[str, list[str]]", reply[name]) for name in ("gcc", "clang")}
    return Torch(
        version=str(reply["version"]),
        cuda=str(reply["cuda"] or ""),
        hip=str(reply["hip"] or ""),
        abi=bool(reply["abi"]),
        devices=tuple(cast("list[str]", reply["devices"])),
        home=str(reply["home"] or ""),
        flags=tuple(cast("list[str]", reply["flags"] or [])),
        flags_error=str(reply["flags_error"] or ""),
        bounds={name: {cuda: (pair[0], pair[1]) for cuda, pair in table.items()} for name, table in tables.items()},
    )


def mpi4py(host: Host, environ: Mapping[str, str]) -> Mpi4py | Unanswered:
    """Ask mpi4py, which does not start MPI for it."""
    reply = _asked(host, "mpi4py", environ)
    if isinstance(reply, Unanswered):
        return reply
    return Mpi4py(version=str(reply["version"]), library=str(reply["library"]))


def _asked(host: Host, subject: str, environ: Mapping[str, str]) -> Mapping[str, object] | Unanswered:
    # As for the probe: PYTHONPATH is part of the host, PYTHONHOME would show another one, byte code is not written.
    argv: list[str | Path] = [host.executable, "-B", Path(__file__).with_name("_ask.py")]
    shown = {name: value for name, value in environ.items() if name != "PYTHONHOME"}
    shown["PYTHONIOENCODING"] = "utf-8"
    finished = programs.told(argv, shown, question=json.dumps({"mark": _MARK, "subject": subject}))
    lines = [line for line in finished.stdout.splitlines() if line.startswith(_MARK)]
    if not lines:
        ended = f"its process ended by signal {-finished.returncode}" if finished.returncode < 0 else ""
        return Unanswered(reason=ended or programs.complaint(finished))
    reply = cast("Mapping[str, object]", json.loads(lines[-1].removeprefix(_MARK)))
    return Unanswered(reason=str(reply["error"])) if "error" in reply else reply
