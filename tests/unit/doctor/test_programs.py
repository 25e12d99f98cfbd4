"""What programs say is read for the one line, or the one number, that matters."""

from __future__ import annotations

import pytest

from passbuild.doctor import programs
from passbuild.process import Finished


def finished(stdout: str = "", stderr: str = "", returncode: int = 1) -> Finished:
    """Return a program that has ended."""
    return Finished(returncode=returncode, stdout=stdout, stderr=stderr)


@pytest.mark.parametrize(
    ("ended", "told"),
    [
        (
            finished(stderr="In file included from x.c:1:\nx.c:1:10: fatal error: Python.h: no\n1 | #include"),
            "x.c:1:10",
        ),
        (finished(stderr="ld: cannot find -lx: none\ncollect2: error: ld returned 1"), "ld: cannot find -lx"),
        (finished(stdout="one\n", stderr="no such thing\n\n"), "no such thing"),
        (finished(returncode=-11), "exit code -11, without a word"),
    ],
)
def test_a_complaint_is_the_line_with_the_error(ended: Finished, told: str) -> None:
    """The first with an error in it, of either output; without one the last; without any, the exit code."""
    found = programs.complaint(ended)

    assert found.startswith(told)


def test_the_first_line_may_be_on_either_output() -> None:
    """Compilers say their version on standard output, other programs on standard error."""
    assert programs.first_line(finished(stdout="\n cc 12.2 \nCopyright")) == "cc 12.2"
    assert programs.first_line(finished(stderr="old 1.0")) == "old 1.0"
    assert programs.first_line(finished(returncode=0)) == "exit code 0, without a word"


@pytest.mark.parametrize(("text", "version"), [("12.2.0\n", "12.2.0"), ("clang version 14.0", "14.0"), ("none 7", "")])
def test_a_version_has_a_dot(text: str, version: str) -> None:
    """A lone number is none."""
    found = programs.version(text)

    assert found == version
    assert programs.major("13.0") == "13"
    assert programs.minor("6.2.41133-dd7f95766") == "6.2"
