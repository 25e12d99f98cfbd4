"""Describe the machine and how busy it is."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from benchmarks.results import Machine


def described() -> Machine:
    """Return what this machine is."""
    return Machine(
        cpu=_cpu(),
        cores=len(os.sched_getaffinity(0)),
        memory=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        system=f"{platform.system()} {_kernel()} {platform.machine()}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
    )


def load() -> float:
    """Return the number of running processes, averaged over the last minute."""
    return round(os.getloadavg()[0], 2)


def _kernel() -> str:
    """Return the version of the kernel; how a distribution calls its own is of no interest."""
    return ".".join(platform.release().split(".")[:2])


def _cpu() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or "unknown"
