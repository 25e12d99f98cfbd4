"""Hosts that are out of the ordinary, and published code of each way to compile against numpy.

Debian's own interpreter; MPI; nvidia's wheels and nvcc; a torch that was copied in by hand, and one that is editable.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import virtualenv

from tests.integration.bench import fingerprint, seen
from tests.network.tools import EXAMPLES, SAMPLES, installed, output, passbuild

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.network

DEBIAN = Path("/usr/bin/python3")
DIST_PACKAGES = Path("/usr/lib/python3/dist-packages")
CHILDREN = ("", "-I", "-E", "-s")
"""The hook's process, and the flags of its children: all have to see the same."""
OLD_NVIDIA = {
    "nvidia-cuda-cccl-cu12": ("12.9.27", "cuda_cccl"),
    "nvidia-nvml-dev-cu12": ("12.9.79", "nvml_dev"),
    "nvidia-nvtx-cu12": ("12.4.127", "nvtx"),
}
"""Wheels of CUDA 12 and their parts of `nvidia`: the first and the last bring the same empty `nvidia/__init__.py`."""
QUICK = {"CFLAGS": "-O0", "CXXFLAGS": "-O0"}
"""Nobody waits for the optimizer."""

AS_MANY = """
import sys
from mpi4py import MPI
import h5py
rank, size = MPI.COMM_WORLD.rank, MPI.COMM_WORLD.size
with h5py.File(sys.argv[1], "w", driver="mpio", comm=MPI.COMM_WORLD) as file:
    file.create_dataset("ranks", (size,), dtype="i8")[rank] = rank + 40
if rank == 0:
    with h5py.File(sys.argv[1]) as file:
        print(h5py.get_config().mpi, file["ranks"][:].tolist())
"""
SCALED_SUM = (
    "import torch, torch_ops; "
    "print(torch_ops.scaled_sum(torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0]), 0.5).tolist())"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A published sdist that is compiled against numpy, and a program that computes with what came out."""

    requirement: str
    program: str
    result: str
    settings: tuple[str, ...] = ()
    """For the backend, so that it shows what the compiler is told."""


PUBLISHED = {
    "setuptools": Published(
        requirement="bottleneck==1.6.0",
        program="import numpy as n, bottleneck as b; print(b.nansum(n.array([1.0, n.nan, 2.5])), b.nansum.__module__)",
        result="3.5 bottleneck.reduce",
    ),
    "cython": Published(
        requirement="cftime==1.6.5",
        program=(
            "import numpy, cftime; days = numpy.array([1, 2]); "
            "print(*cftime.num2date(days, 'days since 2000-02-28', calendar='360_day'))"
        ),
        result="2000-02-29 00:00:00 2000-02-30 00:00:00",
    ),
    "meson-python": Published(
        requirement="ewah-bool-utils==1.3.2",
        program=(
            "import numpy; from ewah_bool_utils._testing import find_ewah_collisions as f; "
            "print(f(numpy.array([1, 2, 3]), numpy.array([2, 3, 4])))"
        ),
        result="2",
        settings=("-C", "compile-args=-v"),
    ),
    "scikit-build-core": Published(
        requirement="spglib==2.6.0",
        program=(
            "import spglib; cube = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]; "
            "print(spglib.get_spacegroup((cube, [[0, 0, 0]], [1])))"
        ),
        result="Pm-3m (221)",
        settings=("-C", "build.verbose=true"),
    ),
}


@pytest.fixture(scope="module")
def scientific(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a host with all that the published projects compile against and import, each of which sees a part."""
    return _made_host(
        tmp_path_factory.mktemp("scientific") / "venv",
        "numpy<2.6",
        "typing-extensions",
        "mpi4py==4.1.2",
        "nvidia-nvml-dev==13.5.37",
        "nvidia-cuda-opencl==13.5.25",
    )


@pytest.fixture
def debian() -> Path:
    """Return Debian's interpreter, where it has Debian's numpy and its own headers."""
    asking = (
        "import numpy, os, sysconfig as s; print(os.path.exists(s.get_path('include') + '/Python.h'), numpy.__file__)"
    )
    wanted = f"True {DIST_PACKAGES}/numpy/__init__.py"
    found = DEBIAN.exists() and subprocess.run(
        [DEBIAN, "-B", "-I", "-c", asking], check=False, capture_output=True, text=True
    )
    if not found or found.stdout.strip() != wanted:
        pytest.skip("needs Debian's Python with its numpy: apt-get install python3-numpy python3-dev")
    return DEBIAN


@pytest.fixture
def openmpi(monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return Debian's `mpirun`, allowed to run here, where there is an HDF5 for its MPI."""
    found = shutil.which("mpirun.openmpi")
    hdf5 = shutil.which("pkg-config") and subprocess.run(["pkg-config", "--exists", "hdf5-openmpi"], check=False)
    if not found or not hdf5 or hdf5.returncode != 0:
        pytest.skip("needs Debian's MPI and HDF5: apt-get install libopenmpi-dev libhdf5-openmpi-dev pkg-config")
    for name in ("ALLOW_RUN_AS_ROOT", "ALLOW_RUN_AS_ROOT_CONFIRM", "MCA_rmaps_base_oversubscribe"):
        monkeypatch.setenv(f"OMPI_{name}", "1")
    return Path(found)


def outline(folder: Path) -> dict[str, tuple[int, int]]:
    """Return size and time of everything below a folder that is too big to be read."""
    found = {}
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            state = (Path(parent) / name).lstat()
            found[f"{parent}/{name}"] = state.st_size, state.st_mtime_ns
    return found


def passed(*names: str) -> list[str]:
    """Return the options that name packages."""
    return [argument for name in names for argument in ("--passthrough", name)]


def test_debians_interpreter_is_a_host_with_its_numpy(debian: Path, tmp_path: Path) -> None:
    """Debian's packages have no RECORD and lie in dist-packages: Cython compiles against its numpy, and it computes."""
    source = shutil.copytree(SAMPLES / "cython_cimports_numpy", tmp_path / "source")
    version = output(debian, "-B", "-c", "import numpy; print(numpy.__version__)")
    before = outline(DIST_PACKAGES)

    outcome = passbuild("wheel", source, "--host", debian, *passed("numpy"), "-v")

    (numpy,) = outcome.document["passed"]
    assert (numpy["name"], numpy["version"], numpy["location"]) == ("numpy", version, str(DIST_PACKAGES))
    assert re.search(rf"-I{DIST_PACKAGES}/numpy/_?core/include", outcome.stderr)
    assert outcome.names("installed") == {"cython", "setuptools"}
    assert outcome.document["warnings"] == []
    target = tmp_path / "installed"
    uv = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--target", str(target)]
    subprocess.run([*uv, "--python", debian, outcome.wheel], check=True)
    program = "import numpy, total; print(total.total(numpy.array([1.0, 2.0, 3.5])))"
    assert output(debian, "-B", "-c", program, shows=target) == "6.5"
    assert outline(DIST_PACKAGES) == before


def test_debians_other_packages_do_not_show_in_the_hooks(debian: Path, tmp_path: Path) -> None:
    """Of all modules and distributions in dist-packages the hooks and their children see numpy's."""
    listing = f"import json, pkgutil; print(json.dumps([m.name for m in pkgutil.iter_modules(['{DIST_PACKAGES}'])]))"
    modules = json.loads(output(debian, "-B", "-c", listing))
    asks = {
        "modules": f"import importlib.util as u; answer = [name for name in {modules!r} if u.find_spec(name)]",
        "distributions": "import importlib.metadata as m; answer = [d.metadata['Name'] for d in m.distributions()]",
        "file": "import numpy; answer = numpy.__file__",
    }
    source = _recorder(tmp_path / "source", asks)
    before = outline(DIST_PACKAGES)

    outcome = passbuild("wheel", source, "--host", debian, *passed("numpy"))

    numpy = str(DIST_PACKAGES / "numpy/__init__.py")
    told = {"modules": ["numpy"], "distributions": ["numpy"], "file": numpy}
    assert len(modules) > 1
    assert seen(outcome.wheel)["answers"] == dict.fromkeys(CHILDREN, told)
    assert outline(DIST_PACKAGES) == before


def test_debians_setuptools_brings_pkg_resources(debian: Path, tmp_path: Path) -> None:
    """Debian keeps it in a package of its own; top_level.txt of setuptools states it."""
    source = _recorder(tmp_path / "source", {"file": "import pkg_resources; answer = pkg_resources.__file__"})

    outcome = passbuild("wheel", source, "--host", debian, *passed("setuptools"))

    told = {"file": str(DIST_PACKAGES / "pkg_resources/__init__.py")}
    assert seen(outcome.wheel)["answers"] == dict.fromkeys(CHILDREN, told)


def test_h5py_whose_hook_pins_mpi4py_is_refused_with_another_one(
    scientific: Path, sdist: Callable[[str], Path], tmp_path: Path
) -> None:
    """With HDF5_MPI=ON h5py's hook asks for one old mpi4py; the error says so, and nothing is built."""
    source = sdist("h5py==3.16.0")
    options = (*passed("numpy", "mpi4py"), "-o", tmp_path / "out")
    environ = {"HDF5_MPI": "ON", "TMPDIR": str(tmp_path)}  # where it leaves its log

    outcome = passbuild("wheel", source, "--host", scientific, *options, environ=environ, code=3)

    assert outcome.document["error"]["code"] == "version-mismatch"
    wanted = r"wanted mpi4py==4\.\d\.\d;.* \(get_requires_for_build_wheel\)"
    assert re.search(rf"{wanted}, found 4\.1\.2 in {re.escape(str(scientific))}/", outcome.stderr)
    assert not list(tmp_path.glob("out/*"))


def test_h5py_for_debians_mpi_writes_one_file_from_two_processes(
    openmpi: Path, scientific: Path, sdist: Callable[[str], Path], tmp_path: Path
) -> None:
    """Compiled by mpicc against numpy and mpi4py of the host and Debian's parallel HDF5, it runs under mpirun there."""
    source = sdist("h5py==3.16.0")
    environ = {**QUICK, "CC": "mpicc.openmpi", "HDF5_MPI": "ON"}
    options = (*passed("numpy", "mpi4py"), "--on-mismatch", "host", "-o", tmp_path / "out", "-v")
    before = fingerprint(scientific)

    outcome = passbuild("wheel", source, "--host", scientific, *options, environ=environ)

    for include in ("numpy/_core/include", "mpi4py/include"):
        assert re.search(rf"mpicc\.openmpi .*-I{re.escape(str(scientific))}\S+/{include} ", outcome.stderr)
    assert outcome.names("passed") == {"numpy", "mpi4py"}
    assert outcome.names("installed") == {"cython", "packaging", "pkgconfig", "setuptools"}
    shown = installed(outcome.wheel, tmp_path / "installed")
    ranks = ["-n", "2", str(scientific / "bin/python"), "-B", "-c", AS_MANY, str(tmp_path / "ranks.h5")]
    assert output(openmpi, *ranks, shows=shown) == "True [40, 41]"
    assert fingerprint(scientific) == before


@pytest.mark.skipif(shutil.which("nvcc") is None, reason="needs a CUDA 13 toolkit: nvcc on PATH")
@pytest.mark.parametrize("both", [False, True], ids=["one passed", "both passed"])
def test_nvcc_finds_the_headers_of_the_nvidia_wheels_that_are_passed(
    both: bool,  # noqa: FBT001 - a parameter of the test
    scientific: Path,
    tmp_path: Path,
) -> None:
    """CUDA 13's wheels share even the include folder: nvcc finds there what is passed, and nothing of another wheel."""
    source = shutil.copytree(SAMPLES / "nvcc_compiles_against_nvidia_wheels", tmp_path / "source")
    names = ["nvidia-nvml-dev", "nvidia-cuda-opencl"] if both else ["nvidia-nvml-dev"]
    before = fingerprint(scientific)

    # The tests' PATH is without nvcc.
    outcome = passbuild("wheel", source, "--host", scientific, *passed(*names), environ={"PATH": os.environ["PATH"]})

    assert outcome.names("passed") == set(names)
    assert outcome.names("installed") == {"setuptools"}
    program = "import on_device as o; print(o.nvml_api, bool(o.opencl_is_found))"
    shown = installed(outcome.wheel, tmp_path / "installed")
    assert output(scientific / "bin/python", "-B", "-c", program, shows=shown) == f"13 {both}"
    assert fingerprint(scientific) == before


@pytest.mark.parametrize("name", sorted(OLD_NVIDIA))
def test_nvidia_wheels_that_share_a_regular_package_show_one_by_one(name: str, tmp_path: Path) -> None:
    """Of CUDA 12's wheels, whose `nvidia` is a regular package, the passed one's part shows and no other."""
    host = _made_host(tmp_path / "host", *(f"{wheel}=={version}" for wheel, (version, _) in OLD_NVIDIA.items()))
    listing = (
        "import nvidia, os; "
        "answer = [name for path in nvidia.__path__ for name in os.listdir(path) if not name.startswith('__')]"
    )
    parts = [part for _, part in OLD_NVIDIA.values()]
    finding = f"import importlib.util as u; answer = [part for part in {parts!r} if u.find_spec('nvidia.' + part)]"
    source = _recorder(tmp_path / "source", {"listed": listing, "found": finding})
    before = fingerprint(host)

    outcome = passbuild("wheel", source, "--host", host, *passed(name))

    own = [OLD_NVIDIA[name][1]]
    told = {"listed": own, "found": own}
    assert seen(outcome.wheel)["answers"] == dict.fromkeys(CHILDREN, told)
    assert fingerprint(host) == before


def test_an_nvidia_wheel_with_one_file_does_not_show_beside_a_passed_one(tmp_path: Path) -> None:
    """All that says whose folder in the shared package it is, is the first line of a RECORD."""
    names = ("nvidia-nvtx-cu12", "nvidia-nvml-dev-cu12")
    host = _made_host(tmp_path / "host", *(f"{name}=={OLD_NVIDIA[name][0]}" for name in names))
    finding = "import importlib.util as u; answer = [bool(u.find_spec('nvidia.' + p)) for p in ('nvtx', 'nvml_dev')]"
    source = _recorder(tmp_path / "source", {"found": finding})

    outcome = passbuild("wheel", source, "--host", host, *passed("nvidia-nvtx-cu12"))

    told = {"found": [True, False]}
    assert seen(outcome.wheel)["answers"] == dict.fromkeys(CHILDREN, told)


@pytest.mark.parametrize("backend", sorted(PUBLISHED))
def test_published_project_is_compiled_against_numpy_of_the_host(
    backend: str, scientific: Path, sdist: Callable[[str], Path], tmp_path: Path
) -> None:
    """With each way to compile, the compiler is told the host's own path, no numpy is installed, the wheel computes."""
    project = PUBLISHED[backend]
    source = sdist(project.requirement)
    options = (*passed("numpy"), *project.settings, "-o", tmp_path / "out", "-v")
    before = fingerprint(scientific)

    outcome = passbuild("wheel", source, "--host", scientific, *options, environ=QUICK)

    site = rf"{re.escape(str(scientific))}/lib/python[\d.]+/site-packages"
    assert re.search(rf"(-I|-isystem ){site}/numpy/_core/\S*include ", outcome.stderr)
    assert outcome.names("passed") == {"numpy"}
    assert "numpy" not in outcome.names("installed")
    assert outcome.document["warnings"] == []
    shown = installed(outcome.wheel, tmp_path / "installed")
    assert output(scientific / "bin/python", "-B", "-c", project.program, shows=shown) == project.result
    assert fingerprint(scientific) == before


@pytest.mark.torch
@pytest.mark.parametrize("make", ["copied by hand", "editable"])
def test_torch_without_a_record_of_its_files_compiles_an_extension(make: str, torch_host: Path, tmp_path: Path) -> None:
    """A torch that no installer recorded is the one that is compiled against: copied in by hand, or a path line's."""
    host, home = _torch_host(torch_host, tmp_path, editable=make == "editable")
    ignore = shutil.ignore_patterns("build", "dist", "*.egg-info", "*.so")
    source = shutil.copytree(EXAMPLES / "torch-extension", tmp_path / "source", ignore=ignore)
    before = outline(torch_host), fingerprint(host)

    outcome = passbuild("wheel", source, "--host", host, "-v", environ=QUICK)

    torch = next(item for item in outcome.document["passed"] if item["name"] == "torch")
    assert torch["editable"] is (make == "editable")
    assert f"-I{home}/torch/include " in outcome.stderr
    assert f"-L{home}/torch/lib " in outcome.stderr
    assert outcome.names("installed") == {"setuptools"}
    assert outcome.document["warnings"] == []
    shown = installed(outcome.wheel, tmp_path / "installed")
    assert output(host / "bin/python", "-B", "-c", SCALED_SUM, shows=shown) == "[2.0, 3.0]"
    assert (outline(torch_host), fingerprint(host)) == before


def _made_host(folder: Path, *requirements: str) -> Path:
    virtualenv.cli_run(["--no-seed", "--python", sys.executable, str(folder)], setup_logging=False)
    uv = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--link-mode", "copy"]
    subprocess.run([*uv, "--python", str(folder / "bin/python"), *requirements], check=True)
    return folder


def _recorder(folder: Path, asks: dict[str, str]) -> Path:
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(SAMPLES / "records_what_it_sees", folder, ignore=ignore)
    (folder / "recorder.json").write_text(json.dumps({"asks": asks, "children": CHILDREN[1:]}))
    return folder


def _torch_host(torch_host: Path, folder: Path, *, editable: bool) -> tuple[Path, Path]:
    """Make a host of links to another one's packages, without a record of torch; return also where its torch lies."""
    virtualenv.cli_run(
        ["--no-seed", "--python", str(torch_host / "bin/python"), str(folder / "host")], setup_logging=False
    )
    (theirs,) = torch_host.glob("lib/python*/site-packages")
    site = folder / "host" / theirs.relative_to(torch_host)
    home = folder / "pytorch" if editable else site
    home.mkdir(exist_ok=True)
    (info,) = theirs.glob("torch-*.dist-info")
    for item in theirs.iterdir():
        if item.name in {"torch", "torchgen", "functorch"}:
            (home / item.name).symlink_to(item)
        elif item not in {info, theirs / "__pycache__"}:
            (site / item.name).symlink_to(item)
    shutil.copytree(info, site / info.name, ignore=shutil.ignore_patterns("RECORD", "direct_url.json"))
    if editable:
        origin = {"url": home.as_uri(), "dir_info": {"editable": True}}
        (site / info.name / "direct_url.json").write_text(json.dumps(origin))
        (site / "__editable__.torch.pth").write_text(f"{home}\n")
        files = ["__editable__.torch.pth", *(f"{info.name}/{name}" for name in ("METADATA", "RECORD"))]
        (site / info.name / "RECORD").write_text("".join(f"{name},,\n" for name in files))
    return folder / "host", home
