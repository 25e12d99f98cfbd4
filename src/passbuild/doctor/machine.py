"""The machine, and passbuild itself."""

from __future__ import annotations

import contextlib
import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING

from passbuild.doctor.model import amount, note
from passbuild.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

    from passbuild.doctor.model import Finding
    from passbuild.surroundings import Surroundings

_CONTROL_GROUP = Path("/sys/fs/cgroup/memory.max")


def findings(surroundings: Surroundings) -> Iterator[Finding]:
    """Say what this is, and which passbuild runs on it."""
    facts = [_system(), " ".join(filter(None, platform.libc_ver())), f"{cores()} cores", _memory()]
    yield note("machine", ", ".join(filter(None, facts)))
    python = f"Python {platform.python_version()} in {surroundings.prefix}"
    yield note("passbuild", f"{__version__} on {python}")


def cores() -> int:
    """Return the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory() -> int:
    """Return the bytes of memory that there are, or that the control group may have; 0 where nobody says."""
    limits = []
    with contextlib.suppress(AttributeError, OSError, ValueError):
        limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    with contextlib.suppress(OSError, ValueError):  # no such system, or `max`
        limits.append(int(_CONTROL_GROUP.read_text(encoding="ascii")))
    return min(limits, default=0)


def _memory() -> str:
    count = memory()
    return f"{amount(count)} of memory" if count else ""


def _system() -> str:
    try:
        name = platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        name = f"{platform.system()} {platform.release()}"
    return f"{name}, {platform.machine()}"
