"""The compilers of the host's extensions, tried by compiling, linking and importing one."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from passbuild.doctor import programs
from passbuild.doctor.model import Finding, fine, problem, skipped, warning
from passbuild.values import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from passbuild.doctor.inquiry import Compiling
    from passbuild.doctor.scene import Scene

_MODULE = "passbuild_doctor"
_LIMIT = 120.0
_C_SOURCE = f"""\
#include <Python.h>
static struct PyModuleDef module = {{PyModuleDef_HEAD_INIT, "{_MODULE}", NULL, -1, NULL, NULL, NULL, NULL, NULL}};
PyMODINIT_FUNC PyInit_{_MODULE}(void) {{ return PyModule_Create(&module); }}
"""
_CXX_SOURCE = f"""\
#include <Python.h>
#include <string>
#include <vector>
static std::string name = "{_MODULE}";
static struct PyModuleDef module = {{
    PyModuleDef_HEAD_INIT, name.c_str(), NULL, -1, NULL, NULL, NULL, NULL, NULL}};
PyMODINIT_FUNC PyInit_{_MODULE}(void) {{
    std::vector<std::string> names(2, name);
    return names.size() == 2 ? PyModule_Create(&module) : NULL;
}}
"""
_INSTALL = "Debian, Ubuntu: apt install build-essential; Fedora: dnf install gcc-c++; macOS: xcode-select --install"


@frozen
class Language:
    """A language that extensions are written in."""

    name: str
    variable: str
    """The variable that names its compiler."""
    flags: str
    """The variable with more options for it."""
    linker: str
    """What sysconfig calls the command that links."""
    suffix: str
    source: str
    others: tuple[str, ...]
    """What compilers of it are usually called."""


LANGUAGES = (
    Language(
        name="C",
        variable="CC",
        flags="CFLAGS",
        linker="LDSHARED",
        suffix=".c",
        source=_C_SOURCE,
        others=("cc", "gcc", "clang"),
    ),
    Language(
        name="C++",
        variable="CXX",
        flags="CXXFLAGS",
        linker="LDCXXSHARED",
        suffix=".cpp",
        source=_CXX_SOURCE,
        others=("c++", "g++", "clang++"),
    ),
)


@frozen
class Commands:
    """How an extension is made, without the names of files."""

    program: tuple[str, ...]
    """The compiler; more than one word with a launcher such as ccache."""
    origin: str
    """Who says that it is this one."""
    compile: tuple[str, ...]
    link: tuple[str, ...]


def findings(scene: Scene) -> Iterator[Finding]:
    """Say of the Python headers, the C and the C++ compiler whether they work."""
    compiling = scene.compiling
    if os.name != "posix" or compiling is None:
        reason = "the host does not say how its extensions are compiled" if os.name == "posix" else "not on this system"
        yield skipped("compilers", f"not tried: {reason}")
        return
    yield _headers(scene, compiling)
    for language in LANGUAGES:
        yield _tried(scene, compiling, language)


def commands(language: Language, of_host: Mapping[str, str], environ: Mapping[str, str]) -> Commands:
    """Return how an extension is made: by the host's sysconfig and the variables, as setuptools does."""
    own = of_host[language.variable]
    asked = environ.get(language.variable, "").strip()
    program = _words(asked or own or language.others[0])
    origin = language.variable if asked else "as the host's Python was built with" if own else "the usual name"
    more = _words(" ".join(environ.get(name, "") for name in ("CPPFLAGS", language.flags)))
    linker = of_host[language.linker]
    if own and linker.startswith(own):
        link = [*program, *_words(linker.removeprefix(own))]
    else:
        link = [*program, "-shared"] if asked or not linker else _words(linker)
    return Commands(
        program=tuple(program),
        origin=origin,
        compile=(*program, *_words(of_host["CFLAGS"]), *_words(of_host["CCSHARED"]), *more),
        link=(*link, *_words(environ.get("LDFLAGS", ""))),
    )


def _headers(scene: Scene, compiling: Compiling) -> Finding:
    subject = "Python.h"
    if compiling.has_headers:
        return fine(subject, f"in {compiling.include}")
    assert scene.host is not None  # it has answered
    minor = scene.host.minor
    cure = (
        f"Debian, Ubuntu: apt install python{minor}-dev; Fedora: dnf install python{minor}-devel; else a Python that "
        "comes with its headers, such as one of uv or pyenv"
    )
    fact = f"is not in {compiling.include}: extensions of Python {minor} cannot be compiled"
    if scene.project is None:
        return warning(subject, fact, cure)
    if scene.languages & {"C", "C++"}:
        return problem(subject, fact, cure)
    return skipped(subject, f"{fact}; the project has no sources for that")


def _tried(scene: Scene, compiling: Compiling, language: Language) -> Finding:
    made = commands(language, compiling.variables, scene.environ)
    if programs.located(made.program[0], scene.environ) is None:
        return _absent(scene, language, made)
    subject = f"{language.name} compiler"
    told = programs.told([*made.program, "--version"], scene.environ)
    name = f"{shlex.join(made.program)} ({made.origin}), {programs.first_line(told)}"
    if told.returncode != 0:
        return Finding(subject=subject, state=scene.severity(language.name), fact=f"{name}: does not run")
    if not compiling.has_headers:
        return skipped(subject, f"{name}: not tried, as there is no Python.h")
    failure = _failure(scene, compiling, language, made)
    if not failure:
        return fine(subject, f"{name}: an extension compiles, links and can be imported")
    return Finding(
        subject=subject,
        state=scene.severity(language.name),
        fact=f"{name}: {failure}",
        cure=_about_flags(scene, language) or f"choose another one with {language.variable}",
    )


def _absent(scene: Scene, language: Language, made: Commands) -> Finding:
    """Return that the compiler is not there, as gravely as the project's sources make that."""
    subject = f"{language.name} compiler"
    others = [name for name in language.others if programs.located(name, scene.environ)]
    cure = f"set {language.variable}={others[0]}, which is there" if others else _INSTALL
    fact = f"{made.program[0]} ({made.origin}) is not on PATH"
    if scene.project is None:
        return warning(subject, fact, cure)
    if language.name in scene.languages:
        return problem(subject, f"{fact}, and the project has {language.name} sources", cure)
    return skipped(subject, f"{fact}; the project has no {language.name} sources")


def _failure(scene: Scene, compiling: Compiling, language: Language, made: Commands) -> str:
    """Make an extension and import it; return what goes wrong, or an empty text."""
    folder = scene.new_folder(f"compiled-by-{language.variable}")
    source, made_object = folder / f"{_MODULE}{language.suffix}", folder / f"{_MODULE}.o"
    module = folder / f"{_MODULE}{compiling.variables['EXT_SUFFIX'] or '.so'}"
    source.write_text(language.source, encoding="ascii")
    steps: dict[str, tuple[str | Path, ...]] = {
        "does not compile an extension": (
            *made.compile,
            *("-I", compiling.include, "-c", source, "-o", made_object),
        ),
        "compiles an extension, but does not link it": (*made.link, made_object, "-o", module),
    }
    for what, argv in steps.items():
        finished = programs.told(argv, scene.environ, cwd=folder, limit=_LIMIT)
        if finished.returncode != 0:
            return f"{what}: {programs.complaint(finished)}"
    assert scene.host is not None  # it has said how extensions are compiled
    imports = f"import sys; sys.path.insert(0, {str(folder)!r}); import {_MODULE}"
    finished = programs.told([scene.host.executable, "-B", "-c", imports], scene.surroundings.environ)
    return f"the extension cannot be imported: {programs.complaint(finished)}" if finished.returncode else ""


def _about_flags(scene: Scene, language: Language) -> str:
    names = [name for name in ("CPPFLAGS", language.flags, "LDFLAGS") if scene.environ.get(name)]
    given = ", ".join(f"{name}={scene.environ[name]!r}" for name in names)
    return f"look at {given}" if given else ""


def _words(text: str) -> list[str]:
    """Return the words of a command line; what is no such is split at its spaces."""
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()
