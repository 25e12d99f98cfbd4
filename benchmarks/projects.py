"""The projects that are built: pure ones for five backends, and one native extension of eight sources for three."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

PURE: Mapping[str, tuple[str, str]] = {
    "flit_core": ("flit_core>=3.11", "flit_core.buildapi"),
    "hatchling": ("hatchling", "hatchling.build"),
    "setuptools": ("setuptools>=77", "setuptools.build_meta"),
    "poetry-core": ("poetry-core>=2", "poetry.core.masonry.api"),
    "pdm-backend": ("pdm-backend", "pdm.backend"),
}
"""Backend → what it requires and how it is called."""
PARTS = tuple(f"part_{number}" for number in range(1, 8))
CHANGED = "src/part_3.cpp"
"""The source that changes between builds."""
_REVISION = "REVISION = "


def pure(folder: Path, backend: str) -> Path:
    """Write a project of ten modules."""
    requirement, name = PURE[backend]
    modules = {f"sample/module_{number}.py": f'"""Module {number}."""\n\nVALUE = {number}\n' for number in range(9)}
    toml = _toml([requirement], name, "sample")
    return written(folder, {"pyproject.toml": toml, "sample/__init__.py": '"""A sample."""\n', **modules})


def setuptools_ninja(folder: Path) -> Path:
    """Write the extension with a `build_ext` that hands compiling to ninja, as torch's does."""
    toml = _toml(["setuptools>=77", "pybind11", "ninja"], "setuptools.build_meta", "native")
    more = '\n[tool.setuptools]\npackages = ["native"]\n'
    return written(folder, {**_sources(), "pyproject.toml": toml + more, "setup.py": _SETUP})


def scikit_build_core(folder: Path) -> Path:
    """Write the extension for CMake, with a build folder that stays."""
    toml = _toml(["scikit-build-core", "pybind11"], "scikit_build_core.build", "native")
    more = '\n[tool.scikit-build]\nbuild-dir = "build/{wheel_tag}"\nwheel.packages = ["native"]\n'
    return written(folder, {**_sources(), "pyproject.toml": toml + more, "CMakeLists.txt": _CMAKE})


def meson_python(folder: Path) -> Path:
    """Write the extension for meson; the build folder that stays is named by a config setting."""
    toml = _toml(["meson-python", "pybind11"], "mesonpy", "native")
    return written(folder, {**_sources(), "pyproject.toml": toml, "meson.build": _MESON})


def torch_ninja(folder: Path) -> Path:
    """Write an extension of eight sources for torch's own `build_ext`, torch being passed through."""
    toml = _toml(["setuptools>=77", "torch", "ninja"], "setuptools.build_meta", "native")
    more = '\n[tool.setuptools]\npackages = ["native"]\n\n[tool.passbuild]\npassthrough = ["torch"]\n'
    parts = {f"src/{name}.cpp": _TORCH_PART.replace("NAME", name) for name in PARTS}
    files = {"native/__init__.py": "", "src/module.cpp": _module("torch/extension.h"), **parts}
    return written(folder, {**files, "pyproject.toml": toml + more, "setup.py": _TORCH_SETUP})


def in_tree(folder: Path, requires: Sequence[str], module: str) -> Path:
    """Write a project that is its own backend and imports `module` in each hook."""
    toml = _toml(requires, "backend", "sample").replace("\n\n", '\nbackend-path = ["."]\n\n', 1)
    return written(folder, {"pyproject.toml": toml, "backend.py": _BACKEND.replace("MODULE", module)})


def weighing(folder: Path) -> Path:
    """Write a project for setuptools whose hook weighs the environment it runs in, before it builds."""
    toml = _toml(["setuptools>=77"], "backend", "sample").replace("\n\n", '\nbackend-path = ["."]\n\n', 1)
    files = {"pyproject.toml": toml, "backend.py": _WEIGHING, "sample/__init__.py": ""}
    return written(folder, {**files, "setup.cfg": "[options]\npackages = sample\n"})


def change(project: Path, revision: int) -> None:
    """Change what one of the eight sources compiles to."""
    file = project / CHANGED
    head, _, rest = file.read_text(encoding="utf-8").partition(_REVISION)
    file.write_text(f"{head}{_REVISION}{revision};{rest.partition(';')[2]}", encoding="utf-8")


def written(folder: Path, files: Mapping[str, str]) -> Path:
    """Write files below a folder."""
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


def _toml(requires: Sequence[str], backend: str, name: str) -> str:
    system = f'[build-system]\nrequires = {json.dumps(list(requires))}\nbuild-backend = "{backend}"\n\n'
    return f'{system}[project]\nname = "{name}"\nversion = "1.0"\ndescription = "A sample"\n'


def _sources() -> dict[str, str]:
    parts = {f"src/{name}.cpp": _PART.replace("NAME", name) for name in PARTS}
    return {"native/__init__.py": "", "src/module.cpp": _module("pybind11/pybind11.h"), **parts}


def _module(header: str) -> str:
    declared = "".join(f"void {name}(pybind11::module_ &module);\n" for name in PARTS)
    called = "".join(f"  {name}(module);\n" for name in PARTS)
    return f"#include <{header}>\n\n{declared}\nPYBIND11_MODULE(_native, module) {{\n{called}}}\n"


_PART = """\
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

static const int REVISION = 0;

void NAME(pybind11::module_ &module) {
  module.def("NAME", [](const std::map<std::string, std::vector<double>> &rows) {
    double sum = REVISION;
    for (const auto &row : rows)
      for (double value : row.second)
        sum += value;
    return sum;
  });
}
"""
_TORCH_PART = """\
#include <ATen/core/Tensor.h>
#include <pybind11/pybind11.h>

static const int REVISION = 0;

static double NAME_of(double value) { return value + REVISION + at::Tensor().dim() * 0; }

void NAME(pybind11::module_ &module) { module.def("NAME", &NAME_of); }
"""
_TORCH_SETUP = f"""\
from setuptools import setup
from torch.utils.cpp_extension import BuildExtension, CppExtension

SOURCES = ["src/module.cpp", *(f"src/{{name}}.cpp" for name in {PARTS!r})]
setup(ext_modules=[CppExtension("native._native", SOURCES)], cmdclass={{"build_ext": BuildExtension}})
"""
_SETUP = f"""\
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pybind11
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

RULES = '''\\
rule compile
  command = c++ -MMD -MF $out.d -O2 -fPIC -std=c++17 -fvisibility=hidden $includes -c $in -o $out
  depfile = $out.d
  deps = gcc
rule link
  command = c++ -shared $in -o $out
'''


class NinjaBuild(build_ext):
    def build_extension(self, extension):
        folder = Path(self.build_temp).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        includes = f"-I{{pybind11.get_include()}} -I{{sysconfig.get_path('include')}}"
        lines = [f"includes = {{includes}}", RULES]
        objects = [f"{{Path(source).stem}}.o" for source in extension.sources]
        for source, built in zip(extension.sources, objects):
            lines.append(f"build {{built}}: compile {{Path(source).absolute()}}")
        lines.append(f"build module.so: link {{' '.join(objects)}}")
        text = "\\n".join(lines) + "\\n"
        (folder / "build.ninja").write_text(text)
        subprocess.run(["ninja", "-C", str(folder)], check=True)
        target = Path(self.get_ext_fullpath(extension.name))
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / "module.so", target)


SOURCES = ["src/module.cpp", *(f"src/{{name}}.cpp" for name in {PARTS!r})]
setup(ext_modules=[Extension("native._native", SOURCES)], cmdclass={{"build_ext": NinjaBuild}})
"""
_CMAKE = f"""\
cmake_minimum_required(VERSION 3.15...3.30)
project(native LANGUAGES CXX)
set(CMAKE_CXX_STANDARD 17)
set(PYBIND11_FINDPYTHON ON)
find_package(pybind11 CONFIG REQUIRED)
pybind11_add_module(_native NO_EXTRAS src/module.cpp {" ".join(f"src/{name}.cpp" for name in PARTS)})
install(TARGETS _native DESTINATION native)
"""
# Not by `dependency('pybind11')`: where the system has a pybind11 too, meson takes that one.
_MESON = f"""\
project('native', 'cpp', version: '1.0', default_options: ['cpp_std=c++17', 'buildtype=release'])
py = import('python').find_installation(pure: false)
asked = run_command(py, '-c', 'import pybind11; print(pybind11.get_include())', check: true)
py.install_sources('native/__init__.py', subdir: 'native', pure: false)
py.extension_module(
    '_native', 'src/module.cpp', {", ".join(f"'src/{name}.cpp'" for name in PARTS)},
    cpp_args: '-I' + asked.stdout().strip(), dependencies: py.dependency(), subdir: 'native', install: true,
)
"""
_BACKEND = '''\
"""Build a wheel of nothing."""

import base64
import hashlib
import zipfile

import MODULE

INFO = "sample-1.0.dist-info"
FILES = {
    f"{INFO}/METADATA": "Metadata-Version: 2.1\\nName: sample\\nVersion: 1.0\\n",
    f"{INFO}/WHEEL": "Wheel-Version: 1.0\\nGenerator: benchmarks\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
}


def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = "sample-1.0-py3-none-any.whl"
    rows = []
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        for path, text in FILES.items():
            wheel.writestr(path, text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
            rows.append(f"{path},sha256={digest},{len(text)}")
        wheel.writestr(f"{INFO}/RECORD", "\\n".join([*rows, f"{INFO}/RECORD,,"]) + "\\n")
    return name
'''
_WEIGHING = '''\
"""Weigh the folders of the search path that lie below a given one, then let setuptools build."""

import json
import os
import sys

from setuptools import build_meta
from setuptools.build_meta import *


def build_wheel(folder, config_settings=None, metadata_directory=None):
    below, here = os.environ["BENCHMARK_BELOW"], os.path.dirname(os.path.abspath(__file__))
    found = sorted({os.path.abspath(path) for path in (sys.prefix, *sys.path)})
    roots = [path for path in found if path.startswith(below + os.sep) and not path.startswith(here)]
    tops = [path for path in roots if not any(path.startswith(other + os.sep) for other in roots)]
    weight = {"own": 0, "linked": 0, "roots": tops}
    for top in tops:
        for parent, _, names in os.walk(top):
            for name in names:
                stat = os.lstat(os.path.join(parent, name))
                weight["linked" if stat.st_nlink > 1 else "own"] += stat.st_size
    with open(os.environ["BENCHMARK_WEIGHT"], "w") as file:
        json.dump(weight, file)
    return build_meta.build_wheel(folder, config_settings, metadata_directory)
'''
