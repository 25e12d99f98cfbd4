"""Which backends come out the same from two folders, with SOURCE_DATE_EPOCH: what the guide has in its table."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.network.tools import passbuild

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.network

_GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "reproducible-builds.md"
_PROJECT = '[project]\nname = "pump"\nversion = "1.0"\n'
_MODULE = {f"pump/part{number}.py": f"VALUE = {number}\n" for number in range(9)} | {
    "pump/__init__.py": '"""Pump."""\n'
}
_SOURCE = {
    "_pump.c": "#include <Python.h>\n"
    'static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_pump", NULL, -1, NULL};\n'
    "PyMODINIT_FUNC PyInit__pump(void) { return PyModule_Create(&module); }\n",
}
_SETUP = (
    "import os\nfrom setuptools import Extension, setup\n"
    'setup(ext_modules=[Extension("_pump", ["_pump.c"], extra_compile_args={arguments})])\n'
)
_GZIP = "the time in the header of the gzip file differs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A project on one backend."""

    requires: str
    backend: str
    files: Mapping[str, str] = field(default_factory=lambda: _MODULE)
    toml: str = ""
    cannot: Mapping[str, str] = field(default_factory=dict)
    """What differs, of the wheel or the sdist, where that cannot be reproduced."""

    def write(self, folder: Path) -> Path:
        """Write the project, in a repository of its own."""
        system = f'[build-system]\nrequires = ["{self.requires}"]\nbuild-backend = "{self.backend}"\n'
        for name, text in {**self.files, "pyproject.toml": f"{system}{_PROJECT}{self.toml}"}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        git = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b"]
        for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "one", "--date", "2026-01-01T00:00:00Z"]):
            environ = {"GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z", "PATH": "/usr/bin:/bin"}
            subprocess.run([*git, *words], check=True, env=environ)
        return folder


_CASES = {
    "flit-core": Case(requires="flit_core", backend="flit_core.buildapi", toml='description = "Pump"\n'),
    "hatchling": Case(requires="hatchling", backend="hatchling.build"),
    "setuptools": Case(requires="setuptools", backend="setuptools.build_meta", cannot={"sdist": _GZIP}),
    "setuptools, with C": Case(
        requires="setuptools",
        backend="setuptools.build_meta",
        files={**_SOURCE, "setup.py": _SETUP.format(arguments=[])},
        cannot={"wheel": "(it names the folder it was built in)", "sdist": _GZIP},
    ),
    "poetry-core": Case(requires="poetry-core>=2", backend="poetry.core.masonry.api"),
    "pdm-backend": Case(requires="pdm-backend", backend="pdm.backend", cannot={"sdist": _GZIP}),
    "uv-build": Case(requires="uv_build", backend="uv_build", toml='[tool.uv.build-backend]\nmodule-root = ""\n'),
    "scikit-build-core": Case(
        requires="scikit-build-core",
        backend="scikit_build_core.build",
        files={
            **_SOURCE,
            "CMakeLists.txt": "cmake_minimum_required(VERSION 3.15...3.30)\nproject(pump LANGUAGES C)\n"
            "find_package(Python REQUIRED COMPONENTS Interpreter Development.Module)\n"
            "python_add_library(_pump MODULE _pump.c WITH_SOABI)\ninstall(TARGETS _pump DESTINATION .)\n",
        },
    ),
    "meson-python": Case(
        requires="meson-python",
        backend="mesonpy",
        files={
            **_SOURCE,
            "meson.build": "project('pump', 'c', version: '1.0')\n"
            "py = import('python').find_installation(pure: false)\n"
            "py.extension_module('_pump', '_pump.c', install: true)\n",
        },
    ),
}


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
@pytest.mark.parametrize("name", _CASES)
def test_backend_comes_out_the_same_from_two_folders(tmp_path: Path, name: str, kind: str) -> None:
    """Or it is named what differs; the guide says the same of it."""
    case = _CASES[name]
    first, second = case.write(tmp_path / "one" / "pump"), case.write(tmp_path / "another" / "place" / "pump")
    host = ["--host", _python(tmp_path)]
    told = case.cannot.get(kind, "")

    verified = passbuild(kind, first, *host, "-o", tmp_path / "out", "--verify-reproducible", code=1 if told else 0)

    assert verified.document["reproducible"] is not bool(told)
    assert told in ((verified.document["error"] or {}).get("message", ""))
    assert (
        f"| {name} | {'no' if 'wheel' in case.cannot else 'yes'} | {'no' if 'sdist' in case.cannot else 'yes'} |"
        in (_GUIDE.read_text(encoding="utf-8"))
    )
    if not told:
        other = passbuild(kind, second, *host, "-o", tmp_path / "other", "-E", "SOURCE_DATE_EPOCH=1580601600")
        assert verified.wheel.read_bytes() == other.wheel.read_bytes()


def _python(folder: Path) -> Path:
    """Return an environment with nothing in it."""
    subprocess.run(["python3", "-m", "venv", "--without-pip", folder / "host"], check=True)
    return folder / "host"


@pytest.mark.parametrize("how", ["-E CFLAGS=-g0", "-ffile-prefix-map"])
def test_a_compiled_module_is_the_same_without_the_path_of_its_sources(tmp_path: Path, how: str) -> None:
    """Debug information names it, as most builds of Python ask the compiler for it: two ways out, both of the guide."""
    argument = '["-ffile-prefix-map=" + os.getcwd() + "=."]' if how == "-ffile-prefix-map" else "[]"
    case = _CASES["setuptools, with C"]
    project = case.write(tmp_path / "pump")
    (project / "setup.py").write_text(_SETUP.format(arguments=argument), encoding="utf-8")
    options = how.split() if how.startswith("-E") else []

    run = passbuild("wheel", project, "--host", _python(tmp_path), "-o", tmp_path, "--verify-reproducible", *options)

    assert run.document["reproducible"] is True
    assert how.rsplit(maxsplit=1)[-1] in _GUIDE.read_text(encoding="utf-8")
