"""`passbuild install` on published sdists and real backends: what it puts into a host works there.

Torch extensions beside the host's torch; editable projects that rebuild themselves on import, started as users start
them; wheels that real resolvers refuse beside another torch.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from tests.integration.bench import fingerprint
from tests.network.test_torch_extension import COMPUTE, example
from tests.network.tools import output, passbuild
from tests.samples.records_what_it_sees.backend import tiny_wheel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.network.tools import Outcome

pytestmark = pytest.mark.network

INSTALLERS = pytest.mark.parametrize("installer", ["uv", "pip"])
SORTED = (
    "import torch, torchsort; "
    "print(torchsort.soft_sort(torch.tensor([[3.0, 1.0, 2.0]]), regularization_strength=0.001).round().tolist())"
)
OFFSETS = (
    "import torch, disco_helpers, torch_harmonics; "
    "print(disco_helpers.preprocess_psi(2, 2, *torch.tensor([[1, 0, 1, 0], [0, 0, 1, 1], [0, 0, 0, 0]]), "
    "torch.ones(4)).tolist())"
)
C_SOURCE = """\
#define FACTOR 1
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#define NPY_NO_DEPRECATED_API NPY_1_7_API_VERSION
#include <numpy/arrayobject.h>

static PyObject *total(PyObject *self, PyObject *given) {
  PyObject *array = PyArray_FROM_OTF(given, NPY_DOUBLE, NPY_ARRAY_IN_ARRAY);
  if (array == NULL) return NULL;
  const double *data = PyArray_DATA((PyArrayObject *)array);
  double sum = 0;
  for (npy_intp index = 0; index < PyArray_SIZE((PyArrayObject *)array); ++index) sum += data[index];
  Py_DECREF(array);
  return PyFloat_FromDouble(sum * FACTOR);
}

static PyMethodDef methods[] = {{"total", total, METH_O, ""}, {NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_sum", "", -1, methods};
PyMODINIT_FUNC PyInit__sum(void) { import_array(); return PyModule_Create(&module); }
"""
CMAKE = """\
cmake_minimum_required(VERSION 3.18)
project(tallied LANGUAGES C)
find_package(Python REQUIRED COMPONENTS Interpreter Development.Module NumPy)
python_add_library(_sum MODULE WITH_SOABI src/tallied/_sum.c)
target_link_libraries(_sum PRIVATE Python::NumPy)
install(TARGETS _sum DESTINATION tallied)
"""
MESON = """\
project('tallied', 'c', version: '1.0')
py = import('python').find_installation(pure: false)
py.install_sources('src/tallied/__init__.py', subdir: 'tallied')
py.extension_module('_sum', 'src/tallied/_sum.c', dependencies: dependency('numpy'), subdir: 'tallied', install: true)
"""
SETUP = """\
import numpy
from setuptools import Extension, setup
setup(ext_modules=[Extension("tallied._sum", ["src/tallied/_sum.c"], include_dirs=[numpy.get_include()])])
"""
PYPROJECT = """\
[build-system]
requires = {requires}
build-backend = "{backend}"
[project]
name = "tallied"
version = "1.0"
description = "Sums up"
dependencies = ["numpy"]
"""
ON_NUMPY = '[tool.passbuild]\npassthrough = ["numpy"]\n'
TOTAL = "import tallied; print(tallied.total([1, 2, 3.5]))"
TOOLS = ("sh", "env", "cc", "gcc", "as", "ld", "ar")


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """A build backend, and a project for it."""

    requires: Sequence[str]
    name: str
    files: Mapping[str, str]
    """Its files beside pyproject.toml."""
    more: str = ""
    """What pyproject.toml says in addition."""
    beside: Sequence[str] = ()
    """What the host has, for the backend's part in it."""


IN_C = {"src/tallied/__init__.py": "from tallied._sum import total\n", "src/tallied/_sum.c": C_SOURCE}
IN_PYTHON = {"src/tallied/__init__.py": '"""Sums up."""\n\n\ndef total(values):\n    return float(sum(values))\n'}
REBUILDING = {
    "meson-python": Backend(
        requires=["meson-python", "ninja", "numpy"],
        name="mesonpy",
        files={**IN_C, "meson.build": MESON},
        more=ON_NUMPY,
    ),
    "scikit-build-core": Backend(
        requires=["scikit-build-core", "cmake", "ninja", "numpy"],
        name="scikit_build_core.build",
        files={**IN_C, "CMakeLists.txt": CMAKE},
        more=ON_NUMPY + '[tool.scikit-build]\nbuild-dir = "build"\neditable.rebuild = true\neditable.verbose = false\n',
        beside=["cmake"],  # it runs whatever `cmake` is on PATH when the package is imported
    ),
}
OTHERS = {
    "setuptools": Backend(
        requires=["setuptools>=64", "numpy"],
        name="setuptools.build_meta",
        files={**IN_C, "setup.py": SETUP},
        more=ON_NUMPY,
    ),
    "hatchling": Backend(requires=["hatchling"], name="hatchling.build", files=IN_PYTHON),
    "flit": Backend(requires=["flit_core"], name="flit_core.buildapi", files=IN_PYTHON),
}


@INSTALLERS
@pytest.mark.torch
def test_torch_harmonics_is_installed_beside_the_torch_of_the_host(
    installer: str, torch_host: Path, tmp_path: Path
) -> None:
    """Its extension computes with the torch that is there; torch and all else of the host is as it was."""
    host = _copied(torch_host, tmp_path / "host")
    before = _of_torch(host)

    outcome = _installed("torch-harmonics==0.8.0", host, installer, "--passthrough", "torch", "--rebuild")

    installation = outcome.document["installation"]
    assert installation["installer"] == installer
    assert installation["imported"] == ["torch_harmonics", "disco_helpers"]
    assert installation["changes"] == [{"name": "torch-harmonics", "before": "", "after": "0.8.0"}]
    assert outcome.document["builds"][0]["reused"] is None
    assert output(host / "bin/python", "-c", OFFSETS) == "[0, 1, 2, 3, 4]"
    assert _of_torch(host) == before


@pytest.mark.torch
def test_torchsort_is_built_once_and_installed_by_either_installer(torch_host: Path, tmp_path: Path) -> None:
    """It declares no build requirement; the second host has the same torch, so the wheel is the first one's."""
    hosts = {installer: _copied(torch_host, tmp_path / installer) for installer in ("uv", "pip")}
    before = {installer: _of_torch(host) for installer, host in hosts.items()}
    options = ("--passthrough", "torch", "-E", "CFLAGS=-O0")  # nobody waits for the optimizer

    outcomes = [
        _installed("torchsort==0.1.10", host, installer, *options, environ={"PASSBUILD_REBUILD": "0"})
        for installer, host in hosts.items()
    ]

    for outcome in outcomes:
        assert outcome.document["installation"]["imported"] == ["torchsort"]
        assert outcome.document["installation"]["changes"] == [{"name": "torchsort", "before": "", "after": "0.1.10"}]
    assert outcomes[1].document["builds"][0]["reused"] is not None
    for installer, host in hosts.items():
        assert output(host / "bin/python", "-c", SORTED) == "[[1.0, 2.0, 3.0]]"
        assert _of_torch(host) == before[installer]


@INSTALLERS
@pytest.mark.parametrize("name", sorted(REBUILDING))
def test_editable_project_rebuilds_itself_on_import(name: str, installer: str, tmp_path: Path) -> None:
    """Without passbuild around, after all of its caches were emptied, and after it was installed once more."""
    project = _project(tmp_path / "project", REBUILDING[name])
    host = _host(tmp_path / "host", "numpy", *REBUILDING[name].beside)
    store = {"PASSBUILD_CACHE_DIR": str(tmp_path / "store")}

    first = _installed(project, host, installer, "-e", environ=store)
    totals = [_total(host, tmp_path), _after_change(project, 2, host, tmp_path)]
    _cache("prune", "--store-max-age", "0", environ=store)
    totals.append(_after_change(project, 3, host, tmp_path))
    _cache("clear", environ=store)
    totals.append(_after_change(project, 4, host, tmp_path))
    again = _installed(project, host, installer, "-e", environ=store)
    totals += [_total(host, tmp_path), _after_change(project, 5, host, tmp_path)]

    assert totals == ["6.5", "13.0", "19.5", "26.0", "26.0", "32.5"]
    for outcome in (first, again):
        assert "numpy" in _names(outcome, "passed")
        assert "numpy" not in _names(outcome, "installed")
        assert outcome.document["installation"]["imported"] == ["tallied"]
        assert outcome.document["builds"][0]["warnings"] == []
    assert first.document["installation"]["changes"] == [{"name": "tallied", "before": "", "after": "1.0"}]
    assert again.document["installation"]["changes"] == []


def test_changed_description_of_a_build_is_read_again_on_import(tmp_path: Path) -> None:
    """Meson looks for ninja on PATH when it configures anew; the environment that was kept has its own there."""
    project = _project(tmp_path / "project", REBUILDING["meson-python"])
    host = _host(tmp_path / "host", "numpy")

    _installed(project, host, "uv", "-e")
    build = project / "meson.build"
    build.write_text(MESON.replace("install: true", "install: true, c_args: ['-DSCALED=2']"), encoding="utf-8")
    source = project / "src" / "tallied" / "_sum.c"
    source.write_text(C_SOURCE.replace("sum * FACTOR", "sum * SCALED"), encoding="utf-8")

    assert _total(host, tmp_path) == "13.0"


@INSTALLERS
@pytest.mark.parametrize("name", sorted(OTHERS))
def test_editable_project_is_imported_from_its_folder(name: str, installer: str, tmp_path: Path) -> None:
    """What is changed there counts at the next import, also beside a compiled module."""
    project = _project(tmp_path / "project", OTHERS[name])
    host = _host(tmp_path / "host", "numpy")

    outcome = _installed(project, host, installer, "-e")
    told = _total(host, tmp_path)
    with (project / "src" / "tallied" / "__init__.py").open("a", encoding="utf-8") as file:
        file.write("\n_sum_up = total\n\n\ndef total(values):\n    return 10 * _sum_up(values)\n")
    told_then = _total(host, tmp_path)

    assert (told, told_then) == ("6.5", "65.0")
    assert outcome.document["installation"]["imported"] == ["tallied"]
    assert outcome.document["installation"]["changes"] == [{"name": "tallied", "before": "", "after": "1.0"}]
    where = (
        "import json, tallied, importlib.metadata as m; d = m.distribution('tallied').read_text('direct_url.json'); "
    )
    found = json.loads(
        output(host / "bin/python", "-c", where + "print(json.dumps([tallied.__file__, json.loads(d)]))")
    )
    assert found == [
        str(project / "src" / "tallied" / "__init__.py"),
        {"url": project.as_uri(), "dir_info": {"editable": True}},
    ]


@pytest.mark.torch
def test_resolvers_refuse_a_pinned_wheel_beside_another_torch(torch_host: Path, tmp_path: Path) -> None:
    """By how close it is pinned; beside the torch that it was built against it is installed and computes."""
    source = example(tmp_path)
    built = {
        pin: passbuild("wheel", source, "--host", torch_host, "--pin", pin, "-o", tmp_path / pin)
        for pin in ("exact", "patch", "minor")
    }
    torch = Version(next(item["version"] for item in built["minor"].document["passed"] if item["name"] == "torch"))
    accepted = {
        f"{torch.major}.{torch.minor - 1}.0": set(),
        f"{torch.major}.{torch.minor}.{torch.micro + 1}": {"patch", "minor"},
        f"{torch.major}.{torch.minor + 1}.0": {"minor"},
        f"{torch.major + 1}.0.0": set(),
    }
    host = _copied(torch_host, tmp_path / "host")
    before = _of_torch(host)

    for version, pins in accepted.items():
        links = tmp_path / version
        links.mkdir()
        tiny_wheel.write(links, "torch", version, {"torch.py": ""})
        other = _host(tmp_path / f"host {version}")
        assert _resolved("uv", other, links, "torch").returncode == 0
        for installer in ("uv", "pip"):
            answers = {pin: _tried(installer, other, links, outcome.wheel) for pin, outcome in built.items()}
            assert {pin for pin, answer in answers.items() if answer.returncode == 0} == pins, answers
            for pin in answers.keys() - pins:
                told = answers[pin].stdout + answers[pin].stderr
                assert "torch-ops" in told.replace("_", "-"), told
    for installer in ("uv", "pip"):
        for outcome in built.values():
            done = _resolved(installer, host, tmp_path, outcome.wheel)
            assert done.returncode == 0, done.stderr
        assert output(host / "bin/python", "-c", COMPUTE) == "[2.0, 3.0]"
    assert _of_torch(host) == before


def _installed(
    source: Path | str, host: Path, installer: str, *options: str, environ: dict[str, str] | None = None
) -> Outcome:
    """Install with a smoke import, as a user would."""
    fixed = ("--host", host, "--installer", installer, "--check-import")
    return passbuild("install", source, *fixed, *options, environ=environ)


def _names(outcome: Outcome, key: str) -> set[str]:
    return {item["name"] for item in outcome.document["builds"][0][key]}


def _copied(host: Path, folder: Path) -> Path:
    """Copy a host by hard links: what is written into the copy by a rename, as installers do it, is the copy's own."""

    def link(source: str, target: str) -> None:
        try:
            os.link(source, target)
        except OSError:  # another file system
            shutil.copy2(source, target)

    return Path(shutil.copytree(host, folder, symlinks=True, copy_function=link))


def _of_torch(host: Path) -> dict[str, str]:
    """Return the fingerprint of a host's torch, less the byte code that any first import writes."""
    (site,) = host.glob("lib/python*/site-packages")
    folders = [
        folder for pattern in ("torch", "torchgen", "functorch", "torch-*.dist-info") for folder in site.glob(pattern)
    ]
    found = {f"{folder.name}/{name}": value for folder in folders for name, value in fingerprint(folder).items()}
    return {name: value for name, value in found.items() if "__pycache__" not in name}


def _host(folder: Path, *packages: str) -> Path:
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    if packages:
        subprocess.run([*uv, "pip", "install", "--quiet", "--python", folder / "bin" / "python", *packages], check=True)
    return folder


def _project(folder: Path, backend: Backend) -> Path:
    head = PYPROJECT.format(requires=json.dumps(list(backend.requires)), backend=backend.name)
    for name, text in {**backend.files, "pyproject.toml": head + backend.more}.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


def _cache(*arguments: str, environ: Mapping[str, str]) -> None:
    argv = [sys.executable, "-m", "passbuild", "cache", *arguments]
    subprocess.run(argv, env={**os.environ, **environ}, check=True, capture_output=True)


def _total(host: Path, folder: Path) -> str:
    """Import in the host's Python, with the host's programs and a compiler on PATH, and nothing else."""
    tools = folder / "tools"
    tools.mkdir(exist_ok=True)
    for name in TOOLS:
        found = shutil.which(name)
        if found and not (tools / name).exists():
            (tools / name).symlink_to(found)
    environ = {"PATH": f"{host / 'bin'}{os.pathsep}{tools}", "HOME": str(folder)}
    argv = [str(host / "bin" / "python"), "-c", TOTAL]
    finished = subprocess.run(argv, env=environ, cwd=folder, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.strip()


def _after_change(project: Path, factor: int, host: Path, folder: Path) -> str:
    """Change the source, and return what the next import shows."""
    source = project / "src" / "tallied" / "_sum.c"
    _, _, rest = source.read_text(encoding="utf-8").partition("\n")
    source.write_text(f"#define FACTOR {factor}\n{rest}", encoding="utf-8")
    for module in (project / "build").glob("install/**/*.so"):
        os.utime(module, (0, 0))  # CMake takes files whose times differ by less than a second for the same
    return _total(host, folder)


def _resolved(installer: str, host: Path, links: Path, *what: object) -> subprocess.CompletedProcess[str]:
    """Let a real installer install into a host, with nothing but a folder to choose from."""
    python = str(host / "bin" / "python")
    pip = [sys.executable, "-m", "pip", "--python", python, "install"]
    uv = [sys.executable, "-m", "uv", "pip", "install", "--python", python]
    command = [*(pip if installer == "pip" else uv), "--no-index", "--find-links", str(links), *map(str, what)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_"))}
    environ = {**kept, "PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1"}
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


def _tried(installer: str, host: Path, links: Path, *what: object) -> subprocess.CompletedProcess[str]:
    return _resolved(installer, host, links, "--dry-run", *what)
