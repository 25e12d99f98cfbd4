"""Say what the host's own packages say of themselves. It runs in the *host*, never in passbuild.

Standard library only, Python 3.8 and later. The request is one JSON object on standard input::

    {"mark": "passbuild-doctor:", "subject": "torch"}

The reply is one line on standard output that starts with ``mark`` and goes on with one JSON object. Its keys are those
of the function for the ``subject``; what a package does not say is null. A package that cannot be imported makes
``{"error": "ImportError: libcudart.so.12: cannot open shared object file"}`` of it.
"""

from __future__ import annotations

import json
import sys
import sysconfig
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_VARIABLES = ("CC", "CXX", "CFLAGS", "CCSHARED", "LDSHARED", "LDCXXSHARED", "EXT_SUFFIX")


def main() -> None:
    """Answer the request on standard input."""
    request = json.loads(sys.stdin.read())
    here = Path(__file__).resolve().parent
    sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != here]
    try:
        reply = _SUBJECTS[request["subject"]]()
    except Exception as error:  # noqa: BLE001 - a broken package may raise anything, and what it raises is the answer
        reply = {"error": "{}: {}".format(type(error).__name__, (str(error).splitlines() or [""])[0])}
    sys.stdout.write("\n" + request["mark"] + json.dumps(reply) + "\n")


def compiling() -> dict[str, Any]:
    """Return how extensions of this Python are compiled: ``variables``, ``headers``, and where packages lie.

    ``headers`` is the folder with Python.h, null without one; ``include`` is where it would be. ``managed`` is whether
    another package manager keeps this environment (PEP 668).
    """
    include = sysconfig.get_path("include")
    folders = [Path(folder) for folder in (include, sysconfig.get_config_var("INCLUDEPY")) if folder]
    headers = [str(folder) for folder in folders if (folder / "Python.h").is_file()]
    stdlib = Path(sysconfig.get_path("stdlib"))
    return {
        "variables": {name: str(sysconfig.get_config_var(name) or "") for name in _VARIABLES},
        "include": include,
        "headers": headers[0] if headers else None,
        "packages": sysconfig.get_path("purelib"),
        "managed": sys.prefix == sys.base_prefix and (stdlib / "EXTERNALLY-MANAGED").is_file(),
    }


def torch_facts() -> dict[str, Any]:
    """Return what torch was built with: ``version``, ``cuda``, ``hip``, ``abi``, and what it sees and would do.

    ``devices`` are the visible GPUs, ``flags`` what it would tell nvcc of architectures, or ``flags_error`` what keeps
    it from that; ``home`` is where it takes CUDA or ROCm to be; ``gcc`` and ``clang`` are the versions that it allows
    for a CUDA version, as ``[least, below]``.
    """
    import torch

    reply: dict[str, Any] = {
        "version": str(torch.__version__),
        "cuda": torch.version.cuda,
        "hip": getattr(torch.version, "hip", None),
        "abi": bool(torch.compiled_with_cxx11_abi()),
        "devices": [],
        "home": None,
        "flags": None,
        "flags_error": None,
        "gcc": {},
        "clang": {},
    }
    if not reply["cuda"] and not reply["hip"]:
        return reply
    if torch.cuda.is_available():
        reply["devices"] = [_device(torch, index) for index in range(torch.cuda.device_count())]
    try:
        from torch.utils import cpp_extension
    except Exception as error:  # noqa: BLE001 - it needs setuptools, which hosts may lack, and may raise anything
        reply["flags_error"] = f"{type(error).__name__}: {error}"
        return reply
    reply["home"] = getattr(cpp_extension, "ROCM_HOME" if reply["hip"] else "CUDA_HOME", None)
    reply["gcc"] = _bounds(getattr(cpp_extension, "CUDA_GCC_VERSIONS", {}))
    reply["clang"] = _bounds(getattr(cpp_extension, "CUDA_CLANG_VERSIONS", {}))
    if reply["hip"]:
        return reply
    try:
        reply["flags"] = list(cpp_extension._get_cuda_arch_flags())  # noqa: SLF001 - the one place that knows
    except Exception as error:  # noqa: BLE001 - what it raises here it raises in a build
        reply["flags_error"] = f"{type(error).__name__}: {error}"
    return reply


def mpi4py_facts() -> dict[str, Any]:
    """Return the ``version`` of mpi4py, and what the ``library`` that it runs with says of itself."""
    import mpi4py

    mpi4py.rc.initialize = False  # MPI is asked what it is, not started
    from mpi4py import MPI

    return {"version": mpi4py.__version__, "library": MPI.Get_library_version()}


def _device(torch: Any, index: int) -> str:
    major, minor = torch.cuda.get_device_capability(index)
    return f"{torch.cuda.get_device_name(index)} ({major}.{minor})"


def _bounds(table: Any) -> dict[str, list[str]]:
    return {cuda: [".".join(map(str, version)) for version in pair] for cuda, pair in table.items()}


_SUBJECTS = {"compiling": compiling, "torch": torch_facts, "mpi4py": mpi4py_facts}

if __name__ == "__main__":
    main()
