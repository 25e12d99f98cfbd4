"""Editable installs of every making as passed packages: real backends install them, the hooks import them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.bench import fingerprint, seen
from tests.network.tools import SAMPLES, passbuild

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.network

VERSION = "1.0.dev3+gabc"
PROJECT = f'[project]\nname = "edible"\nversion = "{VERSION}"\n'
MESON = """\
project('edible')
py = import('python').find_installation(pure: true)
py.install_sources('src/edible/__init__.py', 'src/edible/part.py', subdir: 'edible')
custom_target(
    input: 'made.in', output: 'made.py', command: ['cp', '@INPUT@', '@OUTPUT@'],
    install: true, install_dir: py.get_install_dir() / 'edible',
)
"""
CMAKE = """\
cmake_minimum_required(VERSION 3.15)
project(edible LANGUAGES NONE)
add_custom_command(OUTPUT made.py COMMAND ${CMAKE_COMMAND} -E copy ${CMAKE_SOURCE_DIR}/made.in made.py DEPENDS made.in)
add_custom_target(making ALL DEPENDS made.py)
install(FILES ${CMAKE_BINARY_DIR}/made.py DESTINATION edible)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a project is installed editable."""

    backend: str
    """What pyproject.toml says of the backend."""
    files: Mapping[str, str]
    """Its files beside pyproject.toml."""
    options: tuple[str, ...] = ()
    """What the installer is told."""
    beside: tuple[str, ...] = ()
    """What is on the host first, to install without build isolation."""
    module: str = "edible.part"


def _backend(requires: str, name: str, more: str = "") -> str:
    return f'[build-system]\nrequires = ["{requires}"]\nbuild-backend = "{name}"\n{PROJECT}{more}\n'


FLAT = {"edible/__init__.py": "", "edible/part.py": ""}
SRC = {f"src/{name}": text for name, text in FLAT.items()}
SETUPTOOLS = _backend("setuptools>=64", "setuptools.build_meta", '[tool.setuptools]\npackages = ["edible"]')
STYLES = {
    "setuptools-finder": Style(backend=SETUPTOOLS, files=FLAT),
    "setuptools-compat": Style(backend=SETUPTOOLS, files=FLAT, options=("-C", "editable_mode=compat")),
    "setuptools-strict": Style(backend=SETUPTOOLS, files=FLAT, options=("-C", "editable_mode=strict")),
    "setuptools-src": Style(backend=_backend("setuptools>=64", "setuptools.build_meta"), files=SRC),
    "setuptools-namespace": Style(
        backend=SETUPTOOLS.replace('["edible"]', '["spread.edible"]'),
        files={f"spread/{name}": text for name, text in FLAT.items()},
        module="spread.edible.part",
    ),
    "hatchling": Style(backend=_backend("hatchling", "hatchling.build"), files=SRC),
    "hatchling-exact": Style(
        backend=_backend("hatchling", "hatchling.build", "[tool.hatch.build]\ndev-mode-exact = true"),
        files=SRC,
        beside=("editables",),
    ),
    "flit": Style(
        backend=_backend("flit_core", "flit_core.buildapi", 'description = "edible"'),
        files=SRC,
    ),
    "pdm-backend": Style(backend=_backend("pdm-backend", "pdm.backend"), files=SRC),
    "pdm-backend-editables": Style(
        backend=_backend("pdm-backend", "pdm.backend", '[tool.pdm.build]\neditable-backend = "editables"'),
        files=SRC,
        beside=("editables",),
    ),
    "poetry-core": Style(backend=_backend("poetry-core>=2", "poetry.core.masonry.api"), files=SRC),
}
MADE = {**SRC, "made.in": "__version__ = '1'\n"}
REBUILT = {
    "meson-python": Style(
        backend=_backend("meson-python", "mesonpy"),
        files={**MADE, "meson.build": MESON},
        options=("--no-build-isolation",),
        beside=("meson-python", "ninja"),
    ),
    "scikit-build-core": Style(
        backend=_backend(
            "scikit-build-core",
            "scikit_build_core.build",
            '[tool.scikit-build]\nbuild-dir = "build"\neditable.rebuild = true\neditable.verbose = false',
        ),
        files={**MADE, "CMakeLists.txt": CMAKE},
        options=("--no-build-isolation",),
        beside=("scikit-build-core", "cmake", "ninja"),
    ),
}
REBUILT["scikit-build-core-0.10"] = replace(
    REBUILT["scikit-build-core"], beside=("scikit-build-core==0.10.7", "cmake", "ninja")
)
STYLES["scikit-build-core"] = Style(
    backend=_backend("scikit-build-core", "scikit_build_core.build"),
    files={**MADE, "CMakeLists.txt": CMAKE},
    module="edible.made",
)


def _host(folder: Path, *packages: str) -> Path:
    subprocess.run([sys.executable, "-m", "uv", "venv", "--quiet", "--python", sys.executable, folder], check=True)
    if packages:
        _install(folder, *packages)
    return folder


def _install(host: Path, *arguments: str) -> None:
    uv = [sys.executable, "-m", "uv", "pip", "install", "--python", str(host / "bin/python"), *arguments]
    finished = subprocess.run(uv, check=False, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr


def _sources(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


def _project(folder: Path, module: str) -> Path:
    shutil.copytree(SAMPLES / "records_what_it_sees", folder, ignore=shutil.ignore_patterns("__pycache__"))
    asked = {"imports": [module], "distributions": ["edible"], "children": ["-I"]}
    (folder / "recorder.json").write_text(json.dumps(asked), encoding="utf-8")
    return folder


def _holds(host: Path, sources: Path, module: str, tmp_path: Path) -> None:
    """Hold that hooks and their children import the module from its sources, and write nothing anywhere."""
    project = _project(tmp_path / "project", module)
    before = fingerprint(host), fingerprint(sources)

    outcome = passbuild("wheel", project, "--host", host, "--passthrough", "edible", "-o", tmp_path / "out")

    told = seen(outcome.wheel)
    file = told["modules"][module]["file"]
    assert Path(file).resolve().is_relative_to((host if module == "edible.made" else sources).resolve())
    assert told["children"]["-I"] == {module: file}
    assert told["distributions"] == {"edible": VERSION}
    assert outcome.document["passed"][0]["version"] == VERSION
    assert outcome.document["passed"][0]["editable"] is True
    assert outcome.document["warnings"] == []
    assert (fingerprint(host), fingerprint(sources)) == before


@pytest.mark.parametrize("name", sorted(STYLES))
def test_editable_install_passes_through(name: str, tmp_path: Path) -> None:
    """The module is that of its source tree, with the version of its metadata, also in `python -I`."""
    style = STYLES[name]
    host = _host(tmp_path / "host", *style.beside)
    sources = _sources(tmp_path / "sources", {**style.files, "pyproject.toml": style.backend})
    _install(host, *style.options, "-e", str(sources))

    _holds(host, sources, style.module, tmp_path)


@pytest.mark.parametrize("layout", ["flat", "src"])
def test_legacy_develop_install_passes_through(layout: str, tmp_path: Path) -> None:
    """`python setup.py develop` of an old setuptools: `.egg-link` and `easy-install.pth`, no metadata on the host."""
    host = _host(tmp_path / "host", "setuptools==68.2.2")
    where = "" if layout == "flat" else "package_dir={'': 'src'}, "
    setup = f"from setuptools import setup\nsetup(name='edible', version='{VERSION}', {where}packages=['edible'])\n"
    sources = _sources(tmp_path / "sources", {**(FLAT if layout == "flat" else SRC), "setup.py": setup})
    argv = [str(host / "bin/python"), "-B", "-W", "ignore", "setup.py", "--quiet", "develop", "--no-deps"]
    subprocess.run(argv, check=True, cwd=sources, capture_output=True)

    _holds(host, sources, "edible.part", tmp_path)


def _rebuilt(name: str, tmp_path: Path) -> tuple[Path, Path]:
    """Install an editable that rebuilds on import, change its source, and return host and consumer."""
    style = REBUILT[name]
    host = _host(tmp_path / "host", *style.beside)
    sources = _sources(tmp_path / "sources", {**style.files, "pyproject.toml": style.backend})
    _install(host, *style.options, "-e", str(sources))
    (sources / "made.in").write_text("__version__ = '22'\n", encoding="utf-8")
    return host, _project(tmp_path / "project", "edible.made")


@pytest.mark.parametrize("name", ["meson-python", "scikit-build-core"])
def test_editable_install_that_rebuilds_on_import_does_so(name: str, tmp_path: Path) -> None:
    """The package builds itself anew in its own source tree, with the programs of the host that are passed too."""
    host, project = _rebuilt(name, tmp_path)
    before = fingerprint(host)
    programs = [argument for item in REBUILT[name].beside[1:] for argument in ("--passthrough", item)]

    outcome = passbuild("wheel", project, "--host", host, "--passthrough", "edible", *programs, "-o", tmp_path / "out")

    told = seen(outcome.wheel)
    assert told["modules"]["edible.made"]["version"] == "22"
    assert told["children"]["-I"] == {"edible.made": told["modules"]["edible.made"]["file"]}
    assert told["distributions"] == {"edible": VERSION}
    assert fingerprint(host) == before


def test_editable_install_that_rebuilds_into_the_host_fails_the_build_once(tmp_path: Path) -> None:
    """Older scikit-build-core installs what it rebuilt into site-packages: prevented, or detected if one wants that."""
    host, project = _rebuilt("scikit-build-core-0.10", tmp_path)
    (made,) = host.glob("lib/python*/site-packages/edible/made.py")
    os.utime(made, (0, 0))  # CMake takes files whose times differ by less than a second for the same
    options = ["--host", host, "--passthrough", "edible", "--passthrough", "cmake", "-o", tmp_path / "out"]

    prevented = passbuild("wheel", project, *options, code=1)
    refused = passbuild("wheel", project, *options, "--protect-host", "off", code=1)
    outcome = passbuild("wheel", project, *options, "--protect-host", "off")

    assert prevented.document["error"]["code"] == "backend-failed"
    assert prevented.document["error"]["hint"].startswith(f"{host} is read-only while hooks run")
    assert refused.document["error"]["code"] == "host-changed"
    assert f"{made}: was written" in refused.document["error"]["message"]
    assert seen(outcome.wheel)["modules"]["edible.made"]["version"] == "22"


@pytest.mark.parametrize(
    ("name", "gone", "told"),
    [
        ("meson-python", "ninja", "install ninja in {host}, and edible editable once more"),
        ("scikit-build-core", "cmake", "add `--passthrough cmake`"),
    ],
)
def test_what_a_rebuild_on_import_lacks_is_told(name: str, gone: str, told: str, tmp_path: Path) -> None:
    """meson-python runs the ninja it was installed with, scikit-build-core the cmake on PATH: neither is there."""
    host, project = _rebuilt(name, tmp_path)
    if gone == "ninja":
        (host / "bin" / "ninja").unlink()
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("sh", "env", "cp"):
        (tools / tool).symlink_to(shutil.which(tool) or tool)
    options = ["--host", host, "--passthrough", "edible", "-o", tmp_path / "out"]

    outcome = passbuild("wheel", project, *options, code=1, environ={"PATH": str(tools)})

    hint = outcome.document["error"]["hint"]
    assert hint.startswith("edible is an editable install that rebuilds itself when it is imported, for which it runs ")
    assert hint.endswith(told.format(host=host))
