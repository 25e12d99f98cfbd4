"""MPI libraries are told apart by what they say of themselves."""

from __future__ import annotations

import pytest

from passbuild.doctor import mpi
from passbuild.doctor.model import State
from passbuild.doctor.mpi import Library


@pytest.mark.parametrize(
    ("text", "library"),
    [
        ("Open MPI v4.1.4, package: Debian OpenMPI, ident: 4.1.4, repo rev: v4.1.4, May 26, 2022", "Open MPI 4.1.4"),
        ("MPICH Version:      4.0.2\nMPICH Release date: Thu Apr 7\nMPICH ABI: 14:2:2", "MPICH 4.0.2"),
        ("Intel(R) MPI Library 2021.9 for Linux* OS\n", "Intel MPI 2021.9"),
        ("MVAPICH2 Version      :\t2.3.7\nMVAPICH2 Release date :\tWed March 02", "MVAPICH 2.3.7"),
        ("IBM Spectrum MPI", "None"),
    ],
)
def test_a_library_is_known_by_its_words(text: str, library: str) -> None:
    """Vendor and version; one that is not known is not guessed at."""
    found = mpi.library(text)

    assert str(found) == library


@pytest.mark.parametrize(
    ("vendor", "version", "state"),
    [("Open MPI", "4.1.6", State.OK), ("Open MPI", "5.0.3", State.WARNING), ("MPICH", "4.1.4", State.PROBLEM)],
)
def test_libraries_of_two_vendors_do_not_go_together(vendor: str, version: str, state: State) -> None:
    """Nor may two major versions of one."""
    of_host = Library(vendor="Open MPI", version="4.1.4")

    found = mpi.verdict(of_host, Library(vendor=vendor, version=version))

    assert found.state is state
    assert found.fact.startswith(f"mpicc compiles for {vendor} {version}, the host's mpi4py runs with Open MPI 4.1.4")
