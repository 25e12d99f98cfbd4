"""What went wrong first is found in the output of compilers, linkers, build systems and Python, and nothing else is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from passbuild.diagnosis import cause

if TYPE_CHECKING:
    from pathlib import Path

_TRACEBACK = "Traceback (most recent call last):"
_HOOK = '  File "/env/pyproject_hooks/_in_process/_in_process.py", line 389, in <module>'
_FAILED = "error: command '/usr/bin/gcc' failed with exit code 1"


@pytest.mark.parametrize(
    ("lines", "text", "place"),
    [
        (
            ["gcc -O2 -c a.c -o a.o ", "a.c:3:10: fatal error: b.h: No such file or directory", _FAILED],
            "fatal error: b.h: No such file or directory",
            "a.c:3",
        ),
        (['x.cpp(12): error: identifier "q" is undefined', _FAILED], 'error: identifier "q" is undefined', "x.cpp:12"),
        (["k.cu(3): catastrophic error: out of names", _FAILED], "catastrophic error: out of names", "k.cu:3"),
        (["a.c(7): error C2065: 'q': undeclared identifier"], "error C2065: 'q': undeclared identifier", "a.c:7"),
        (["clang: error: unknown argument: '-q'", _FAILED], "clang: error: unknown argument: '-q'", ""),
        (["cc1plus: fatal error: no input", _FAILED], "cc1plus: fatal error: no input", ""),
        (
            ["nvcc fatal   : Unsupported gpu architecture 'compute_20'", _FAILED],
            "nvcc fatal   : Unsupported gpu architecture 'compute_20'",
            "",
        ),
        (
            ["g++: fatal error: Killed signal terminated program cc1plus", "compilation terminated."],
            "g++: fatal error: Killed signal terminated program cc1plus",
            "",
        ),
        (
            [
                "/usr/bin/ld: cannot find -lvalve: No such file or directory",
                "collect2: error: ld returned 1 exit status",
            ],
            "/usr/bin/ld: cannot find -lvalve: No such file or directory",
            "",
        ),
        (
            ["a.c:(.text+0x1b): undefined reference to `open_valve'", "collect2: error: ld returned 1 exit status"],
            "a.c:(.text+0x1b): undefined reference to `open_valve'",
            "",
        ),
        (
            ["error[E0425]: cannot find value `q` in this scope", " --> src/lib.rs:5:9", "  |"],
            "error[E0425]: cannot find value `q` in this scope",
            "src/lib.rs:5",
        ),
        (
            [
                "CMake Error at CMakeLists.txt:4 (find_package):",
                "  Could not find Valve",
                "",
                "-- Configuring incomplete",
            ],
            "Could not find Valve",
            "CMakeLists.txt:4",
        ),
        (["CMake Error: The source directory is empty"], "The source directory is empty", ""),
        (['../meson.build:3:4: ERROR: Dependency "valve" not found'], 'Dependency "valve" not found', "meson.build:3"),
        (
            [
                "Error compiling Cython file:",
                "-" * 60,
                "cimport q",
                "        ^",
                "-" * 60,
                "",
                "a.pyx:1:8: 'q.pxd' not found",
            ],
            "'q.pxd' not found",
            "a.pyx:1",
        ),
        (
            ["a.f90:2:6:", "", "    2 |   q = 1", "      |      1", "Error: Symbol 'q' at (1) has no IMPLICIT type"],
            "Error: Symbol 'q' at (1) has no IMPLICIT type",
            "a.f90:2",
        ),
        (
            [
                "CMake Error at CMakeLists.txt:4 (find_package):",
                '  By not providing "FindValve.cmake" in CMAKE_MODULE_PATH this project',
                "",
                '  Could not find a package configuration file provided by "Valve"',
            ],
            'Could not find a package configuration file provided by "Valve"',
            "CMakeLists.txt:4",
        ),
        (
            [
                "conftest.c:1:10: fatal error: q.h: No such file or directory",
                "configure: error: valve not found",
                "done",
            ],
            "configure: error: valve not found",
            "",
        ),
        (
            ["make: *** No rule to make target 'valve'.  Stop.", "make: *** [Makefile:2: all] Error 2"],
            "make: *** No rule to make target 'valve'.  Stop.",
            "",
        ),
        (
            ["probe.c:1:1: error: fails on purpose", "FAILED: a.o", "compile a.c", "a.c:2:1: error: no valve"],
            "error: no valve",
            "a.c:2",
        ),
        (
            ["running build", "error: package directory 'q' does not exist"],
            "error: package directory 'q' does not exist",
            "",
        ),
    ],
)
def test_the_words_and_the_place_of_the_first_error(tmp_path: Path, lines: list[str], text: str, place: str) -> None:
    """GCC, Clang, nvcc, MSVC, linkers, rustc, CMake, Meson, Cython, gfortran and setuptools."""
    (tmp_path / "meson.build").touch()

    found = cause.found(lines, tmp_path)

    assert found is not None
    assert (found.text, found.place) == (text, place)
    assert found.excerpt


def test_an_exception_is_placed_in_the_last_frame_of_the_project(tmp_path: Path) -> None:
    """Frames of libraries say nothing of where to mend it; setuptools calls setup.py `<string>`."""
    (tmp_path / "setup.py").touch()
    lines = [
        _TRACEBACK,
        _HOOK,
        '  File "/env/lib/python3.11/site-packages/setuptools/build_meta.py", line 311, in run_setup',
        "    exec(code, locals())",
        '  File "<string>", line 2, in <module>',
        '  File "/env/lib/python3.11/site-packages/other.py", line 9, in f',
        "    import torch",
        "ModuleNotFoundError: No module named 'torch'",
    ]

    found = cause.found(lines, tmp_path)

    assert found is not None
    assert (found.text, found.place) == ("ModuleNotFoundError: No module named 'torch'", "setup.py:2")


def test_an_exception_that_tells_of_a_program_gives_way_to_what_the_program_said(tmp_path: Path) -> None:
    """`CalledProcessError` is a consequence; ninja marks the command that failed."""
    lines = [
        "probe.c:1:1: error: a probe that fails on purpose",
        "[1/2] c++ -c a.cpp",
        "FAILED: a.o",
        "c++ -c ../src/a.cpp -o a.o",
        "../src/a.cpp:7:3: error: 'q' was not declared in this scope",
        "    7 |   q();",
        "      |   ^",
        "../src/a.cpp:9:3: error: 'r' was not declared in this scope",
        "ninja: build stopped: subcommand failed.",
        _TRACEBACK,
        _HOOK,
        '  File "/env/lib/python3.11/subprocess.py", line 571, in run',
        "subprocess.CalledProcessError: Command '['ninja', '-v']' returned non-zero exit status 1.",
    ]
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.cpp").touch()

    found = cause.found(lines, tmp_path)

    assert found is not None
    assert (found.text, found.place) == ("error: 'q' was not declared in this scope", "src/a.cpp:7")
    assert found.excerpt == (lines[4], lines[5], lines[6])
    assert found.more == 1


def test_of_a_chain_of_exceptions_the_first_cause_counts(tmp_path: Path) -> None:
    """`raise … from …`: the one that it came from."""
    lines = [
        _TRACEBACK,
        '  File "a.py", line 1, in <module>',
        "KeyError: 'valve'",
        "",
        "The above exception was the direct cause of the following exception:",
        "",
        _TRACEBACK,
        _HOOK,
        '  File "b.py", line 1, in <module>',
        "RuntimeError: it does not work",
    ]

    found = cause.found(lines, tmp_path)

    assert found is not None
    assert found.text == "KeyError: 'valve'"


def test_an_error_that_a_probe_had_before_is_none_of_the_failure(tmp_path: Path) -> None:
    """An exception that tells of no program is the cause, whatever compilers said before."""
    lines = [
        "probe.c:1:10: fatal error: q.h: No such file or directory",
        _TRACEBACK,
        _HOOK,
        '  File "a.py", line 1, in <module>',
        "ValueError: no valve",
    ]

    found = cause.found(lines, tmp_path)

    assert found is not None
    assert found.text == "ValueError: no valve"


@pytest.mark.parametrize("lines", [[], ["building", "done"], ["0 errors", "no error: all is well", _FAILED]])
def test_no_cause_is_invented(tmp_path: Path, lines: list[str]) -> None:
    """No cause is better than a wrong one."""
    assert cause.found(lines, tmp_path) is None


def test_colors_do_not_hide_the_error(tmp_path: Path) -> None:
    """Compilers color what they say where they are told to."""
    found = cause.found(["\x1b[01m\x1b[Ka.c:3:1:\x1b[m\x1b[K \x1b[01;31m\x1b[Kerror: \x1b[m\x1b[Kq"], tmp_path)

    assert found is not None
    assert (found.text, found.place) == ("error: q", "a.c:3")


def test_an_exception_that_was_caught_and_printed_is_none_of_the_failure(tmp_path: Path) -> None:
    """The last words of the hook count then."""
    lines = [
        _TRACEBACK,
        '  File "setup.py", line 7, in <module>',
        "FileNotFoundError: nothing there",
        "error: need libfoo >= 3, found 2; see README",
    ]

    found = cause.found(lines, tmp_path)

    assert found is not None
    assert found.text == "error: need libfoo >= 3, found 2; see README"


def test_a_message_of_several_lines_is_shown_with_what_it_announces(tmp_path: Path) -> None:
    """Its first line alone may be half a sentence."""
    lines = [
        _TRACEBACK,
        _HOOK,
        '  File "a.py", line 1, in f',
        "ValueError: the build failed:",
        "",
        "  no CUDA",
        "Install it.",
    ]

    found = cause.found(lines, tmp_path)

    assert found is not None
    assert found.text == "ValueError: the build failed: no CUDA"
    assert found.excerpt == ("ValueError: the build failed:", "  no CUDA", "Install it.")


def test_what_an_exception_came_after_is_shown(tmp_path: Path) -> None:
    """`raise` in an `except` without `from`."""
    lines = [
        *(_TRACEBACK, '  File "a.py", line 1, in f', "OSError: CUDA_HOME is not set", ""),
        *("During handling of the above exception, another exception occurred:", ""),
        *(_TRACEBACK, _HOOK, '  File "a.py", line 3, in f', "RuntimeError: configuration failed"),
    ]

    found = cause.found(lines, tmp_path)

    assert found is not None
    assert found.text == "RuntimeError: configuration failed"
    assert "after: OSError: CUDA_HOME is not set" in found.excerpt


def test_an_error_in_a_header_is_placed_where_the_project_used_it(tmp_path: Path) -> None:
    """A template of the standard library is not at fault."""
    (tmp_path / "m.cpp").touch()
    lines = [
        "/usr/include/c++/12/bits/stl_algo.h:1842:14:   required from 'void std::sort()'",
        "m.cpp:7:12:   required from here",
        "/usr/include/c++/12/bits/predefined_ops.h:45:23: error: no match for 'operator<'",
    ]

    found = cause.found(lines, tmp_path)

    assert found is not None
    assert (found.text, found.place) == ("error: no match for 'operator<'", "m.cpp:7")
