"""Rebuilding: an unchanged project compiles nothing again, and a changed passed package never leaves stale objects."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.network.tools import installed, output, passbuild
from tests.samples.records_what_it_sees.backend import tiny_wheel

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

pytestmark = pytest.mark.network

HEADER = "#define ANSWER {answer}\n"
MODULE = """\
#include <Python.h>
#include "answer.h"
static PyObject *get(PyObject *self, PyObject *unused) { return PyLong_FromLong(ANSWER); }
static PyMethodDef methods[] = {{"get", get, METH_NOARGS, ""}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "answers", "", -1, methods};
PyMODINIT_FUNC PyInit_answers(void) { return PyModule_Create(&module); }
"""
PROJECT = (
    '[build-system]\nrequires = {requires}\nbuild-backend = "{backend}"\n[project]\nname = "answers"\nversion = "1.0"\n'
)
SETUP = """\
import os, engine
from setuptools import Extension, setup
include = os.path.dirname(engine.__file__)
setup(ext_modules=[Extension("answers", ["answers.c"], include_dirs=[include])])
"""
CMAKE = """\
cmake_minimum_required(VERSION 3.18)
project(answers LANGUAGES C)
find_package(Python COMPONENTS Interpreter Development.Module REQUIRED)
execute_process(
  COMMAND ${Python_EXECUTABLE} -c "import os, engine; print(os.path.dirname(engine.__file__))"
  OUTPUT_VARIABLE include OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
python_add_library(answers MODULE answers.c WITH_SOABI)
target_include_directories(answers PRIVATE ${include})
install(TARGETS answers DESTINATION .)
"""
MESON = """\
project('answers', 'c', version: '1.0')
py = import('python').find_installation(pure: false)
program = 'import os, engine; print(os.path.dirname(engine.__file__))'
include = run_command(py, '-c', program, check: true).stdout().strip()
py.extension_module('answers', 'answers.c', c_args: ['-I' + include], dependencies: py.dependency(), install: true)
"""
BACKENDS: Mapping[str, tuple[str, Mapping[str, str], tuple[str, ...]]] = {
    "setuptools": (PROJECT.format(requires='["setuptools"]', backend="setuptools.build_meta"), {"setup.py": SETUP}, ()),
    "scikit-build-core": (
        PROJECT.format(requires='["scikit-build-core", "cmake", "ninja"]', backend="scikit_build_core.build")
        + '[tool.scikit-build]\nbuild-dir = "build"\n',
        {"CMakeLists.txt": CMAKE},
        (),
    ),
    "meson-python": (
        PROJECT.format(requires='["meson-python", "ninja"]', backend="mesonpy"),
        {"meson.build": MESON},
        ("-C", "builddir=build"),
    ),
}


def _host(folder: Path) -> Path:
    """Make a host whose `engine` has a header, with times long ago, as files from an archive may have."""
    subprocess.run([sys.executable, "-m", "uv", "venv", "--quiet", "--python", sys.executable, folder], check=True)
    _install(folder, "1.0", 1)
    return folder


def _install(host: Path, version: str, answer: int) -> None:
    folder = host.parent / "wheels"
    folder.mkdir(exist_ok=True)
    files = {"engine/__init__.py": "", "engine/answer.h": HEADER.format(answer=answer)}
    wheel = tiny_wheel.write(folder, "engine", version, files)
    uv = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", str(host / "bin/python")]
    subprocess.run([*uv, "--link-mode", "copy", "--reinstall", wheel], check=True)
    for file in host.glob("lib/python*/site-packages/engine/*"):
        os.utime(file, (1_000_000_000 + answer, 1_000_000_000 + answer))


def _answer(source: Path, host: Path, out: Path, *options: str) -> tuple[str, list[str]]:
    """Build, and return what the module answers, and the warnings."""
    outcome = passbuild("wheel", source, "--host", host, "--passthrough", "engine", "-o", out, *options)
    shown = installed(outcome.wheel, out / "installed")
    told = output(host / "bin/python", "-c", "import answers; print(answers.get())", shows=shown)
    return told, outcome.document["warnings"]


@pytest.mark.parametrize("backend", sorted(BACKENDS))
def test_an_unchanged_project_compiles_nothing_and_no_changed_package_goes_unnoticed(
    backend: str, tmp_path: Path
) -> None:
    """The header of the passed package is replaced by one with an old time, as an installer may do it.

    setuptools and scikit-build-core compile anew; Meson would not, which is said.
    """
    pyproject, files, options = BACKENDS[backend]
    source = tmp_path / "source"
    source.mkdir()
    for name, text in {"pyproject.toml": pyproject, "answers.c": MODULE, **files}.items():
        (source / name).write_text(text, encoding="utf-8")
    host = _host(tmp_path / "host")

    first = _answer(source, host, tmp_path / "1", *options)
    objects = {path: path.stat().st_mtime_ns for path in (source / "build").rglob("*.o")}
    second = _answer(source, host, tmp_path / "2", *options)
    again = {path: path.stat().st_mtime_ns for path in objects}
    _install(host, "2.0", 2)
    third = _answer(source, host, tmp_path / "3", *options)
    fourth = _answer(source, host, tmp_path / "4", *options)

    assert objects
    assert again == objects
    assert [first[0], second[0]] == ["1", "1"]
    assert first[1] == second[1] == []
    if backend == "meson-python":
        told = f"{source / 'build'} was compiled against other passed packages, and Meson may not notice"
        assert [text.partition(":")[0] for text in (*third[1], *fourth[1])] == [told, told]
        shutil.rmtree(source / "build")
        assert _answer(source, host, tmp_path / "5", *options) == ("2", [])
    else:
        assert third == fourth == ("2", [])
