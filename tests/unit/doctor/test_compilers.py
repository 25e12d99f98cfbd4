"""How extensions are compiled is what the host's sysconfig and the variables say together."""

from __future__ import annotations

import pytest

from passbuild.doctor import compilers

OF_HOST = {
    "CC": "gcc -pthread",
    "CXX": "g++ -pthread",
    "CFLAGS": "-O3 -Wall",
    "CCSHARED": "-fPIC",
    "LDSHARED": "gcc -pthread -shared",
    "LDCXXSHARED": "g++ -pthread -shared",
    "EXT_SUFFIX": ".so",
}
C, CXX = compilers.LANGUAGES


def test_without_variables_the_hosts_own_compiler_is_used() -> None:
    """With the options that its Python was compiled with."""
    made = compilers.commands(C, OF_HOST, {})

    assert made.program == ("gcc", "-pthread")
    assert made.origin == "as the host's Python was built with"
    assert made.compile == ("gcc", "-pthread", "-O3", "-Wall", "-fPIC")
    assert made.link == ("gcc", "-pthread", "-shared")


@pytest.mark.parametrize("value", ["ccache clang", " ccache  clang "])
def test_a_variable_names_another_compiler_for_linking_too(value: str) -> None:
    """It may have a launcher before it."""
    made = compilers.commands(CXX, OF_HOST, {"CXX": value, "CC": "other"})

    assert made.program == ("ccache", "clang")
    assert made.origin == "CXX"
    assert made.link == ("ccache", "clang", "-shared")


def test_flags_of_the_variables_come_last() -> None:
    """Those of its language, of the preprocessor and of the linker; a quote that is left open ends nothing."""
    environ = {"CFLAGS": "-DC", "CXXFLAGS": "-DX='a b'", "CPPFLAGS": "-DP", "LDFLAGS": "-L/x"}

    made = compilers.commands(CXX, OF_HOST, environ)
    odd = compilers.commands(C, OF_HOST, {"CFLAGS": "-DA='b"})

    assert made.compile[-2:] == ("-DP", "-DX=a b")
    assert made.link[-1] == "-L/x"
    assert odd.compile[-1] == "-DA='b"


def test_a_host_that_says_nothing_gets_the_usual_names() -> None:
    """PyPy's sysconfig has no compiler of C++."""
    made = compilers.commands(CXX, {**OF_HOST, "CXX": "", "LDCXXSHARED": ""}, {})

    assert made.program == ("c++",)
    assert made.origin == "the usual name"
    assert made.link == ("c++", "-shared")
