"""MPI: the library that the host's mpi4py runs with, against the one that mpicc compiles for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from passbuild.doctor import inquiry, programs
from passbuild.doctor.model import fine, note, problem, warning
from passbuild.values import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from passbuild.doctor.model import Finding
    from passbuild.doctor.scene import Scene

_SUBJECT = "MPI"
_NAME = canonicalize_name("mpi4py")
_SOURCE = """\
#include <mpi.h>
#include <stdio.h>
int main(void) {
    char text[MPI_MAX_LIBRARY_VERSION_STRING];
    int length;
    MPI_Get_library_version(text, &length);
    puts(text);
    return 0;
}
"""
_VENDORS = (
    ("Open MPI", re.compile(r"Open MPI v(\d[\d.]*)")),
    ("Intel MPI", re.compile(r"Intel\(R\) MPI Library (?:for \w+\s*)?(?:Version )?(\d[\d.]*)")),
    ("MVAPICH", re.compile(r"MVAPICH2?\s+[Vv]ersion\s*:\s*(\d[\d.]*)")),
    ("MPICH", re.compile(r"MPICH Version:\s*(\d[\d.]*)")),
)
_CURE = (
    "install the other one's development files (Debian: libopenmpi-dev, libmpich-dev) and put its mpicc first on PATH"
)


@frozen
class Library:
    """An MPI library."""

    vendor: str
    version: str

    def __str__(self) -> str:
        """Return vendor and version."""
        return f"{self.vendor} {self.version}"


def findings(scene: Scene) -> Iterator[Finding]:
    """Compare the MPI of the host's mpi4py with mpicc's."""
    if scene.host is None or not scene.concerns(_NAME):
        return
    mpi4py = inquiry.mpi4py(scene.host, scene.surroundings.environ)
    of_host = None
    if isinstance(mpi4py, inquiry.Unanswered):
        make = problem if _NAME in scene.passed else warning
        yield make(_SUBJECT, f"the host's mpi4py does not answer: {mpi4py.reason}", "reinstall it, or its MPI library")
    else:
        of_host = library(mpi4py.library)
        told = of_host or mpi4py.library.partition("\n")[0]
        yield fine(_SUBJECT, f"the host's mpi4py {mpi4py.version} runs with {told}")
    name = scene.environ.get("MPICC") or "mpicc"
    mpicc = programs.located(name, scene.environ)
    if mpicc is None:
        yield note(
            _SUBJECT, f"{name} is not on PATH: MPI sources cannot be compiled", "Debian: apt install libopenmpi-dev"
        )
        return
    yield from _of_compiler(scene, str(mpicc), of_host)


def library(text: str) -> Library | None:
    """Return which library says this of itself, by ``MPI_Get_library_version``; None for one that is not known."""
    for vendor, pattern in _VENDORS:
        found = pattern.search(text)
        if found is not None:
            return Library(vendor=vendor, version=found[1].rstrip("."))
    return None


def verdict(of_host: Library, of_compiler: Library) -> Finding:
    """Compare two libraries: those of other vendors have other ABIs, and so may another major version."""
    fact = f"mpicc compiles for {of_compiler}, the host's mpi4py runs with {of_host}"
    if of_host.vendor != of_compiler.vendor:
        return problem(_SUBJECT, f"{fact}: one process cannot have both", _CURE)
    if programs.major(of_host.version) != programs.major(of_compiler.version):
        return warning(_SUBJECT, fact, _CURE)
    return fine(_SUBJECT, fact)


def _of_compiler(scene: Scene, mpicc: str, of_host: Library | None) -> Iterator[Finding]:
    """Compile, link and run a program that asks MPI what it is."""
    folder = scene.new_folder("compiled-by-mpicc")
    (folder / "version.c").write_text(_SOURCE, encoding="ascii")
    finished = programs.told([mpicc, "version.c", "-o", "version"], scene.environ, cwd=folder)
    if finished.returncode != 0:
        cure = "Debian: apt install libopenmpi-dev"
        yield problem(_SUBJECT, f"{mpicc} does not compile a program: {programs.complaint(finished)}", cure)
        return
    compiler = programs.first_line(programs.told([mpicc, "--version"], scene.environ))
    finished = programs.told([folder / "version"], scene.environ)
    if finished.returncode != 0:
        fact = f"what {mpicc} compiles does not run: {programs.complaint(finished)}"
        yield warning(_SUBJECT, fact, "look at LD_LIBRARY_PATH, or at the module that is loaded")
        return
    of_compiler = library(finished.stdout)
    told = of_compiler or finished.stdout.partition("\n")[0]
    yield note(_SUBJECT, f"{mpicc} runs {compiler}, for {told}")
    if of_host is not None and of_compiler is not None:
        yield verdict(of_host, of_compiler)
