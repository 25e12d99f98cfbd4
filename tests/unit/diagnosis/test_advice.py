"""A hint is given on evidence in the backend's output."""

from __future__ import annotations

from pathlib import Path

import pytest

from passbuild.diagnosis import advice


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("error: command 'x86_64-linux-gnu-gcc' failed: No such file or directory", "x86_64-linux-gnu-gcc"),
        ("error: [Errno 2] No such file or directory: 'gcc'", "gcc"),
        ("error: [Errno 2] No such file or directory: '/opt/none/clang++'", "/opt/none/clang++"),
        ("  No CMAKE_CXX_COMPILER could be found.", "CMAKE_CXX_COMPILER"),
        ("../meson.build:1:0: ERROR: Unknown compiler(s): [['c++'], ['g++']]", "c++, g++"),
    ],
)
def test_missing_compiler_is_named(line: str, names: str) -> None:
    """setuptools, CMake and meson each say it in their own words."""
    found = advice.missing_compiler(["running build_ext", line])

    assert found.startswith(f"no compiler: {names}" if "CMAKE" not in names else "no compiler: No CMAKE_CXX_COMPILER")
    assert "apt install build-essential" in found


@pytest.mark.parametrize("line", ["error: [Errno 2] No such file or directory: 'data.txt'", "gcc: error: x", ""])
def test_other_failures_are_none_of_a_compiler(line: str) -> None:
    """A missing data file or a compiler that complains is no missing compiler."""
    assert advice.missing_compiler([line]) == ""


@pytest.mark.parametrize(
    "output",
    [
        ["OSError: [Errno 30] Read-only file system: '/envs/ml/lib/python3.11/site-packages/six.py'"],
        ["PermissionError: [Errno 13] Permission denied: '/envs/ml/share/x'"],
        [
            "  file INSTALL cannot copy file",
            '  "/src/made.py"',
            "  to",
            '  "/envs/ml/lib/made.py":',
            "  Read-only file system.",
        ],
    ],
)
def test_a_write_that_the_system_prevented_is_named(output: list[str]) -> None:
    """By the folder that is protected, and how to do without."""
    told = advice.about_protection(["running", *output, "failed"], [Path("/home/you/.ssh"), Path("/envs/ml")])

    assert told.startswith("/envs/ml is read-only while hooks run")
    assert "--protect-host off" in told


@pytest.mark.parametrize(
    "output", [["OSError: [Errno 30] Read-only file system: '/mnt/cdrom/x'"], ["copying /envs/ml/x"], []]
)
def test_other_folders_that_cannot_be_written_are_not_ours(output: list[str]) -> None:
    """A disk that is read-only by itself, or a protected folder that is merely named."""
    assert advice.about_protection(output, [Path("/envs/ml")]) == ""
