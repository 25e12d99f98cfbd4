"""A host laid out as conda lays one out: its own interpreter, `conda-meta`, files outside any RECORD, RPATHs.

conda itself is not needed: an interpreter is copied into a prefix, and packages are unpacked and recorded as it does.
"""

from __future__ import annotations

import json
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.bench import Environment
from tests.integration.test_contents import answers, built, origins

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.integration.bench import Bench

_BASE = Path(sys.base_prefix)
_MINOR = f"python{sys.version_info.major}.{sys.version_info.minor}"
_SITE = f"lib/{_MINOR}/site-packages"
_UNNEEDED = shutil.ignore_patterns("test", "idlelib", "tkinter", "site-packages", "*.a", "ensurepip")
_METADATA = "Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
_LIBRARY = "int answer(void) {{ return {answer}; }}\n"
_MODULE = """\
#include <Python.h>
int answer(void);
static PyObject *get(PyObject *self, PyObject *unused) {{ return PyLong_FromLong(answer()); }}
static PyMethodDef methods[] = {{{{"get", get, METH_NOARGS, ""}}, {{0}}}};
static struct PyModuleDef module = {{PyModuleDef_HEAD_INIT, "{name}", "", -1, methods}};
PyMODINIT_FUNC PyInit_{name}(void) {{ return PyModule_Create(&module); }}
"""


@pytest.fixture
def conda(bench: Bench) -> Environment:
    """Make an environment with an interpreter of its own, whose prefix is no virtual environment's."""
    prefix = bench.folder / "conda env"
    shutil.copytree(_BASE / "lib" / _MINOR, prefix / "lib" / _MINOR, ignore=_UNNEEDED)
    (prefix / _SITE).mkdir()
    for library in (_BASE / "lib").glob("libpython*.so*"):
        shutil.copy2(library, prefix / "lib")
    shutil.copytree(_BASE / "include" / _MINOR, prefix / "include" / _MINOR)
    (prefix / "bin").mkdir()
    shutil.copy2(Path(sys.executable).resolve(), prefix / "bin" / _MINOR)
    (prefix / "bin" / "python").symlink_to(_MINOR)
    # conda's Python comes compiled; any other writes the byte code of its own standard library when it starts.
    bench.workshop.run(
        prefix / "bin" / "python", "-m", "compileall", "-q", "-x", "lib2to3/tests", prefix / "lib" / _MINOR
    )
    (prefix / "conda-meta").mkdir()
    (prefix / "conda-meta" / "history").touch()
    return Environment(folder=prefix)


def package(host: Environment, name: str, version: str, files: Mapping[str, str], *, brings: str = "") -> None:
    """Put a conda package there: its files, and the list of them in `conda-meta`."""
    for place, text in files.items():
        file = host.folder / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    record(host, brings or name, version, files)


def record(host: Environment, name: str, version: str, files: Iterable[str]) -> None:
    """Write the record of a conda package."""
    document = {"name": name, "version": version, "build": "h0_0", "files": sorted(files)}
    file = host.folder / "conda-meta" / f"{name}-{version}-h0_0.json"
    file.write_text(json.dumps(document, indent=2), encoding="utf-8")


def info(name: str, version: str = "1.0", *, record: str | None = None) -> dict[str, str]:
    """Return the metadata files of a Python package that conda installed, with a RECORD or without."""
    folder = f"{_SITE}/{name}-{version}.dist-info"
    recorded = {} if record is None else {f"{folder}/RECORD": record}
    return {f"{folder}/METADATA": _METADATA.format(name=name, version=version), f"{folder}/INSTALLER": "conda\n"} | (
        recorded
    )


def test_a_conda_environment_is_a_host(bench: Bench, conda: Environment, installer: str) -> None:
    """Found by CONDA_PREFIX; the environment has its interpreter's version, and an unnamed package does not show."""
    package(conda, "many", "1.0", {**info("many"), f"{_SITE}/many/__init__.py": ""})
    package(conda, "other", "1.0", {**info("other"), f"{_SITE}/other/__init__.py": ""})
    bench.watch(conda)
    project = bench.project(requires=["tool"], imports=["many", "tool"], tries=["other"], distributions=["other"])

    run = bench.passbuild(
        "wheel", project, "--passthrough", "many", "--installer", installer, environ={"CONDA_PREFIX": str(conda)}
    )

    assert run.code == 0, run.stderr
    assert run.document["host"]["reason"] == "CONDA_PREFIX"
    assert run.document["host"]["prefix"] == str(conda)
    assert run.seen["modules"]["many"]["file"] == str(conda.site_packages / "many" / "__init__.py")
    assert run.seen["modules"]["other"] is None
    assert run.seen["distributions"] == {"other": None}


def test_a_conda_package_without_a_record_is_known_by_conda_meta(bench: Bench, conda: Environment) -> None:
    """The record is found by the metadata folder, whatever the conda package is called; a shared namespace is split."""
    files = {**info("many"), f"{_SITE}/shared/one/__init__.py": "", f"{_SITE}/_many_fast.py": ""}
    package(conda, "many", "1.0", files, brings="py-many-conda")
    package(conda, "other", "1.0", {**info("other"), f"{_SITE}/shared/two/__init__.py": ""})
    bench.watch(conda)

    told = answers(bench, conda.python, ["many"], {"origins": origins("_many_fast", "shared.one", "shared.two")})

    site = conda.site_packages
    assert told == {"origins": [str(site / "_many_fast.py"), str(site / "shared/one/__init__.py"), None]}


def test_files_of_a_conda_package_that_its_record_does_not_know_pass_too(bench: Bench, conda: Environment) -> None:
    """RECORD lists the modules; headers, CMake files and programs in the prefix stand in conda-meta alone."""
    rows = "many/__init__.py,,\nmany-1.0.dist-info/METADATA,,\nmany-1.0.dist-info/RECORD,,\n"
    files = {
        **info("many", record=rows),
        f"{_SITE}/many/__init__.py": "",
        "include/many/many.h": "header",
        "share/cmake/many/many-config.cmake": "config",
        "lib/pkgconfig/many.pc": "pc",
    }
    package(conda, "many", "1.0", files)
    package(conda, "other", "1.0", {**info("other"), "include/other/other.h": "header"})
    bench.watch(conda)
    places = ["include/many/many.h", "share/cmake/many/many-config.cmake", "lib/pkgconfig/many.pc", "include/other"]
    ask = f"import os, sys; answer = [os.path.exists(os.path.join(sys.prefix, p)) for p in {places!r}]"

    told = answers(bench, conda.python, ["many"], {"there": ask})

    assert told == {"there": [True, True, True, False]}


def test_a_pip_installed_package_of_a_conda_environment_has_its_own_record(bench: Bench, conda: Environment) -> None:
    """`pip install` inside a conda environment: RECORD counts as in any other."""
    uv = [sys.executable, "-m", "uv", "pip", "install", "--python", conda.python, "--no-deps", "--link-mode", "copy"]
    bench.workshop.run(*uv, "--break-system-packages", "--find-links", bench.workshop.house.elsewhere, "scripted==1.0")
    bench.watch(conda)

    run = built(bench, conda.python, ["scripted"], imports=["scripted"], programs=["scripted-say"])

    assert run.seen["modules"]["scripted"]["file"] == str(conda.site_packages / "scripted" / "__init__.py")
    assert run.seen["programs"] == {"scripted-say": f"scripted {run.seen['prefix']}"}


def test_an_extension_module_finds_its_library_in_the_prefix(bench: Bench, conda: Environment) -> None:
    """Its RPATH is relative, `$ORIGIN/../../..`, as conda-build writes it: it leads there from the true path alone."""
    sources = bench.folder / "sources"
    sources.mkdir()
    (sources / "library.c").write_text(_LIBRARY.format(answer=42), encoding="utf-8")
    (sources / "module.c").write_text(_MODULE.format(name="deep"), encoding="utf-8")
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    place = conda.site_packages / "many"
    place.mkdir()
    library = conda.folder / "lib" / "libanswer.so"
    compiling = ["cc", "-shared", "-fPIC", sources / "library.c", "-o", library]
    bench.workshop.run(*compiling)
    rpath = ["-Wl,-rpath,$ORIGIN/../../..", "-L", library.parent, "-lanswer"]
    include = conda.folder / "include" / _MINOR
    bench.workshop.run(
        "cc", "-shared", "-fPIC", "-I", include, sources / "module.c", *rpath, "-o", place / f"deep{suffix}"
    )
    files = {**info("many"), f"{_SITE}/many/__init__.py": ""}
    package(conda, "many", "1.0", files)
    record(conda, "many", "1.0", [*files, f"{_SITE}/many/deep{suffix}"])
    record(conda, "libanswer", "1.0", ["lib/libanswer.so"])
    bench.watch(conda)

    told = answers(bench, conda.python, ["many"], {"answer": "import many.deep; answer = many.deep.get()"})

    assert told == {"answer": 42}


def test_tools_of_an_active_conda_environment_stay_on_path(bench: Bench, conda: Environment) -> None:
    """Its folder of programs holds compilers, make and mpicc: it is no virtual environment's."""
    (conda.folder / "bin" / "conda-tool").symlink_to(shutil.which("true") or "/bin/true")
    package(conda, "many", "1.0", {**info("many"), f"{_SITE}/many/__init__.py": ""})
    bench.watch(conda)
    environ = {"CONDA_PREFIX": str(conda), "PATH": f"{conda.folder / 'bin'}:{bench.environ['PATH']}"}
    asks = {
        "tool": "import shutil; answer = shutil.which('conda-tool')",
        "python": "import shutil, sys; answer = shutil.which('python').startswith(sys.prefix)",
    }

    told = answers(bench, conda.python, ["many"], asks, environ=environ)

    assert told == {"tool": str(conda.folder / "bin" / "conda-tool"), "python": True}
