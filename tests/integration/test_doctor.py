"""`passbuild doctor`: what it finds on real hosts, with real compilers, and with what is broken."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from passbuild import process
from tests.integration.test_hosts import _PYTHONS
from tests.integration.test_start_up import _HEAVY, _modules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.integration.bench import Bench, Environment, Outcome

_REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
_NVCC = shutil.which("nvcc")
_MPICC = shutil.which("mpicc")
_BASE = Path(getattr(sys, "_base_executable", sys.executable))

needs_nvcc = pytest.mark.skipif(_NVCC is None, reason="there is no nvcc on PATH")
needs_compiler = pytest.mark.skipif(shutil.which("gcc") is None, reason="there is no gcc on PATH")

_TORCH = """\
import os, types
__version__ = "2.9.0+cu130"
version = types.SimpleNamespace(cuda={cuda!r}, hip=None)
cuda = types.SimpleNamespace(is_available=lambda: False)
def compiled_with_cxx11_abi():
    return True
"""
_CPP_EXTENSION = """\
import os
CUDA_HOME = os.environ.get("CUDA_HOME")
def _get_cuda_arch_flags():
    names = os.environ.get("TORCH_CUDA_ARCH_LIST", "").replace(" ", ";").split(";")
    if names == [""]:
        return [][-1]
    if "x" in names:
        raise ValueError("Unknown CUDA arch (x) or GPU not supported")
    numbers = [name.replace(".", "") for name in names]
    return [f"-gencode=arch=compute_{number},code=sm_{number}" for number in numbers]
"""


@cache
def _validator() -> Draft202012Validator:
    schemas = [
        json.loads((_REFERENCE / f"{name}.schema.json").read_text(encoding="utf-8")) for name in ("doctor", "report")
    ]
    report = Resource.from_contents(schemas[1])
    return Draft202012Validator(schemas[0], registry=Registry().with_resource("report.schema.json", report))


def _document(run: Outcome) -> dict[str, Any]:
    """Return the document of a checkup, which has to be what its schema says."""
    document: dict[str, Any] = json.loads(run.stdout)
    _validator().validate(document)
    assert document["ok"] is (run.code == 0)
    return document


def _found(run: Outcome, subject: str) -> list[tuple[str, str, str]]:
    """Return state, fact and cure of each finding on a subject."""
    findings = [item for item in _document(run)["findings"] if item["subject"] == subject]
    return [(item["state"], item["fact"], item["cure"]) for item in findings]


def _states(run: Outcome, subject: str) -> list[str]:
    return [state for state, _, _ in _found(run, subject)]


def _doctor(bench: Bench, source: Path | str, *options: object, environ: Mapping[str, str] | None = None) -> Outcome:
    """Run doctor with a store of the test's own."""
    return bench.passbuild("doctor", source, "--cache-dir", bench.folder / "store", *options, environ=environ)


def _empty(bench: Bench) -> Path:
    folder = bench.folder / "empty"
    folder.mkdir(exist_ok=True)
    return folder


def _with_sources(bench: Bench, *names: str, **how: Any) -> Path:
    """Return a project with these files, which are empty."""
    project = bench.project(**how)
    for name in names:
        (project / name).write_text("", encoding="ascii")
    return project


@needs_compiler
def test_a_sound_machine_has_no_problem(bench: Bench) -> None:
    """Every subject of a project with a passed package is measured, and the host stays as it was."""
    host = bench.host("engine==1.0", "fuel==1.0")
    project = _with_sources(bench, "one.c", "two.cpp", requires=["engine"])

    run = _doctor(bench, project, "--host", host, "--passthrough", "engine", "--installer", "pip")

    assert run.code == 0, run.stdout
    document = _document(run)
    assert document["host"]["prefix"] == str(host)
    assert document["project"] == {"name": None, "version": None}
    assert document["settings"]["passthrough"] == [{"value": "engine", "origin": "--passthrough"}]
    assert _found(run, "passthrough")[0] == ("ok", f"engine 1.0 in {host.site_packages}", "")
    assert _found(run, "passthrough")[1] == ("note", "and what they need: fuel", "")
    for subject in ("C compiler", "C++ compiler"):
        ((state, fact, _),) = _found(run, subject)
        assert state == "ok"
        assert fact.endswith("an extension compiles, links and can be imported")
    assert [state for state, fact, _ in _found(run, "installer") if fact.endswith("used, by --installer")] == ["ok"]
    assert _states(run, "store") == ["ok", "note"]
    assert _states(run, "disk") == ["ok"] * 3
    assert _states(run, "torch") == []


def test_without_a_project_the_machine_is_looked_at(bench: Bench) -> None:
    """In a folder that holds none; what is named to pass through is looked for all the same."""
    host = bench.host("engine==1.0", "fuel==1.0")
    options = ("--host", host, "--passthrough", "engine", "--passthrough", "absent", "--cache-dir", bench.folder / "s")

    run = bench.passbuild("doctor", ".", *options, cwd=_empty(bench))

    assert run.code == 0, run.stdout
    assert _document(run)["project"] is None
    assert _states(run, "project") == ["skipped"]
    assert [state for state, _, _ in _found(run, "passthrough")] == ["warning", "ok"]
    assert _found(run, "passthrough")[0][1] == "absent is not on the host"


def test_what_would_have_to_be_fetched_is_not(bench: Bench) -> None:
    """A requirement and its settings are looked at without asking an index."""
    host = bench.host("engine==1.0", "fuel==1.0")
    config = bench.folder / "config.toml"
    config.write_text('[package.remote]\npassthrough = ["engine"]\n', encoding="utf-8")

    run = _doctor(bench, "remote==1.0", "--host", host, "--config-file", config)

    assert run.code == 0, run.stdout
    assert _found(run, "project") == [("skipped", "remote==1.0 would be fetched, which is not done here", "")]
    assert _found(run, "passthrough")[0][:2] == ("ok", f"engine 1.0 in {host.site_packages}")


@pytest.mark.parametrize(
    ("source", "state"), [("with_sources", "problem"), ("without_sources", "skipped"), ("no_project", "warning")]
)
def test_a_missing_compiler_matters_to_what_is_compiled(bench: Bench, source: str, state: str) -> None:
    """It is a problem of a project with C sources, none of one without, and a warning where there is no project."""
    host = bench.host()
    folder = bench.folder / "no-programs"
    folder.mkdir()
    projects = {"with_sources": ["one.c", "two.cpp"], "without_sources": []}
    project = _with_sources(bench, *projects[source]) if source in projects else "."
    options = ("--host", host, "--cache-dir", bench.folder / "store")

    run = bench.passbuild("doctor", project, *options, cwd=_empty(bench), environ={"PATH": str(folder)})

    assert run.code == (1 if state == "problem" else 0), run.stdout
    for subject in ("C compiler", "C++ compiler"):
        ((found, fact, cure),) = _found(run, subject)
        assert found == state
        assert " is not on PATH" in fact
        assert ("apt install build-essential" in cure) == (state != "skipped")


@needs_compiler
def test_a_compiler_that_is_not_there_is_told_beside_one_that_is(bench: Bench) -> None:
    """The variable for it may come from the project's settings, as hooks get it."""
    project = _with_sources(bench, "one.c")

    run = _doctor(bench, project, "--host", bench.host(), "-E", "CC=nobodys-cc")

    ((state, fact, cure),) = _found(run, "C compiler")
    assert (run.code, state) == (1, "problem")
    assert fact == "nobodys-cc (CC) is not on PATH, and the project has C sources"
    assert cure.startswith("set CC=")
    assert cure.endswith("which is there")


@needs_compiler
def test_a_flag_that_the_compiler_does_not_know_is_found(bench: Bench) -> None:
    """The compiler's own words say what is wrong, and the cure names the variable."""
    project = _with_sources(bench, "one.c")

    run = _doctor(bench, project, "--host", bench.host(), environ={"CFLAGS": "-fno-such-flag"})

    ((state, fact, cure),) = _found(run, "C compiler")
    assert (run.code, state) == (1, "problem")
    assert "does not compile an extension" in fact
    assert "-fno-such-flag" in fact
    assert cure == "look at CFLAGS='-fno-such-flag'"
    assert _states(run, "C++ compiler") == ["ok"]


@needs_compiler
def test_what_does_not_link_is_found(bench: Bench) -> None:
    """A library that nobody has."""
    project = _with_sources(bench, "one.cpp")

    run = _doctor(bench, project, "--host", bench.host(), environ={"LDFLAGS": "-lnobody_has_this"})

    ((state, fact, _),) = _found(run, "C++ compiler")
    assert (run.code, state) == (1, "problem")
    assert "compiles an extension, but does not link it" in fact
    assert "-lnobody_has_this" in fact


def _python_without_headers(bench: Bench) -> Environment:
    """Make a host of a Python that lies elsewhere than it was built for, with all but its headers."""
    home = bench.folder / "python"
    minor = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    library, old = home / "lib" / minor, Path(sys.base_prefix)
    library.mkdir(parents=True)
    for item in (old / "lib" / minor).iterdir():
        if item.name not in {"__pycache__", "site-packages"} and not item.name.startswith("_sysconfigdata"):
            (library / item.name).symlink_to(item)
    (library / "site-packages").mkdir()
    for data in (old / "lib" / minor).glob("_sysconfigdata*.py"):
        text = data.read_text(encoding="utf-8").replace(str(old), str(home))
        (library / data.name).write_text(text, encoding="utf-8")
    (home / "bin").mkdir()
    shutil.copy2(os.path.realpath(_BASE), home / "bin" / "python")
    from tests.integration.bench import Environment

    return Environment(folder=home)


@needs_compiler
@pytest.mark.parametrize(("names", "state"), [(["one.c"], "problem"), ([], "skipped")])
def test_missing_python_headers_are_recognised(bench: Bench, names: list[str], state: str) -> None:
    """The package that has them is named; nothing is compiled without them."""
    project = _with_sources(bench, *names)

    run = _doctor(bench, project, "--host", _python_without_headers(bench))

    minor = f"{sys.version_info[0]}.{sys.version_info[1]}"
    ((found, fact, cure),) = _found(run, "Python.h")
    assert (run.code, found) == (int(state == "problem"), state)
    assert fact.startswith(f"is not in {bench.folder}/python/include/python{minor}")
    assert (f"apt install python{minor}-dev" in cure) == (state == "problem")
    assert _states(run, "C compiler") == ["skipped"]


@pytest.mark.parametrize("minor", sorted(_PYTHONS))
@needs_compiler
def test_hosts_of_every_python_are_measured(bench: Bench, minor: str) -> None:
    """The probe and the questions run in all Pythons that passbuild builds for."""
    python = _PYTHONS[minor]

    run = _doctor(bench, _with_sources(bench, "one.c", "two.cpp"), "--host", python)

    assert _document(run)["host"]["version"].startswith(f"{minor}.")
    assert [_states(run, subject) for subject in ("Python.h", "C compiler", "C++ compiler")] == [["ok"]] * 3


def test_a_broken_host_is_a_finding(bench: Bench) -> None:
    """With the error's own words; the machine is looked at all the same."""
    run = _doctor(bench, bench.project(), "--host", bench.folder / "nowhere")

    ((state, fact, cure),) = _found(run, "host")
    assert (run.code, state) == (1, "problem")
    assert "there is no such file, folder or version" in fact
    assert cure
    assert _document(run)["host"] is None
    assert _states(run, "machine") == ["note"]
    assert _states(run, "disk") == ["ok"] * 3
    assert [_states(run, subject) for subject in ("passthrough", "installer", "compilers")] == [["skipped"]] * 3


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[build-system\n", "cannot be read"),
        ('[build-system]\nrequires = ["a b"]\n', "is no requirement"),
    ],
)
def test_a_broken_project_is_a_finding(bench: Bench, text: str, told: str) -> None:
    """With the error's own words; the host is looked at all the same."""
    project = bench.project()
    (project / "pyproject.toml").write_text(text, encoding="utf-8")

    run = _doctor(bench, project, "--host", bench.host())

    ((state, fact, _),) = _found(run, "project")
    assert (run.code, state) == (1, "problem")
    assert told in fact
    assert _states(run, "host") == ["ok", "ok", "ok"]


@pytest.mark.parametrize(
    ("toml", "variables", "told", "cure"),
    [
        ('[tool.passbuild]\npassthru = ["engine"]\n', {}, "passthru", "passthrough"),
        ("", {"PASSBUILD_ON_MISMATCH": "often"}, "PASSBUILD_ON_MISMATCH: 'often'", "choose one of: error"),
    ],
)
def test_settings_that_cannot_be_read_are_a_finding(
    bench: Bench, toml: str, variables: dict[str, str], told: str, cure: str
) -> None:
    """The document comes all the same, as it was asked for on the command line."""
    project = bench.project(toml=toml)

    run = _doctor(bench, project, environ={"VIRTUAL_ENV": str(bench.host()), **variables})

    ((state, fact, hint),) = _found(run, "settings")
    assert (run.code, state) == (1, "problem")
    assert told in fact
    assert cure in hint
    assert _document(run)["settings"] is None
    assert _states(run, "host") == ["ok", "ok", "ok"]


def test_a_plan_that_is_impossible_is_told_in_its_words(bench: Bench) -> None:
    """A version that does not fit and a package that is missing, each with what to type."""
    host = bench.host("engine==1.0", "fuel==1.0")
    project = bench.project(requires=["engine>=2", "bolt"])
    names = ("--passthrough", "engine", "--passthrough", "bolt", "--on-missing", "error")

    run = _doctor(bench, project, "--host", host, *names)
    planned = bench.passbuild("plan", project, "--host", host, *names)

    problems = [(fact, cure) for state, fact, cure in _found(run, "passthrough") if state == "problem"]
    assert run.code == 1
    assert [fact.partition(":")[0] for fact, _ in problems] == ["engine", "bolt"]
    assert planned.error["message"] in [fact for fact, _ in problems]
    assert "--on-mismatch" in problems[0][1]
    assert "--on-missing install" in problems[1][1]


def test_a_folder_that_is_no_store_is_a_problem(bench: Bench) -> None:
    """One that holds other things is not made one."""
    (bench.folder / "taken").mkdir()
    (bench.folder / "taken" / "file").write_text("", encoding="ascii")

    run = bench.passbuild("doctor", bench.project(), "--host", bench.host(), "--cache-dir", bench.folder / "taken")

    ((state, fact, cure),) = _found(run, "store")
    assert (run.code, state) == (1, "problem")
    assert "is no store of passbuild" in fact
    assert "--cache-dir" in cure
    assert [path.name for path in (bench.folder / "taken").iterdir()] == ["file"]


def test_a_store_that_cannot_be_made_is_a_warning(bench: Bench) -> None:
    """Builds go on without one."""
    (bench.folder / "file").write_text("", encoding="ascii")

    run = bench.passbuild("doctor", bench.project(), "--host", bench.host(), "--cache-dir", bench.folder / "file/store")

    ((state, fact, _),) = _found(run, "store")
    assert (run.code, state) == (0, "warning")
    assert "cannot be used" in fact


def test_the_store_is_measured(bench: Bench) -> None:
    """What a build has kept there is counted, and the trial of the lock leaves nothing."""
    host, project = bench.host(), bench.project(requires=["tool"])
    built = bench.passbuild("wheel", project, "--host", host, "--cache-dir", bench.folder / "store")
    before = sorted(path.name for path in (bench.folder / "store").iterdir())

    run = _doctor(bench, project, "--host", host, "--store-max-size", "7000")
    without = _doctor(bench, project, "--host", host, "--no-store")

    assert built.code == 0, built.stderr
    assert _found(run, "store")[1][1].endswith(" of 7.0 GB in use, by 1 environment and 0 wheels")
    assert sorted(path.name for path in (bench.folder / "store").iterdir()) == before
    assert _found(without, "store") == [("skipped", "not used, by --no-store (no-store)", "")]


def _torch_host(bench: Bench, cuda: str | None) -> Environment:
    """Return a host whose torch says that it was built with this CUDA; there is no small one that was."""
    host = bench.own_host()
    package = host.site_packages / "torch"
    (package / "utils").mkdir(parents=True)
    (package / "__init__.py").write_text(_TORCH.format(cuda=cuda), encoding="utf-8")
    (package / "utils" / "__init__.py").write_text("", encoding="utf-8")
    (package / "utils" / "cpp_extension.py").write_text(_CPP_EXTENSION, encoding="utf-8")
    info = host.site_packages / "torch-2.9.0+cu130.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: torch\nVersion: 2.9.0+cu130\n", encoding="utf-8")
    return bench.watch(host)


def _cuda_home() -> Path:
    """Return where the machine's nvcc is at home, which it says itself."""
    assert _NVCC is not None
    shown = subprocess.run(
        [_NVCC, "--dryrun", "-E", "-x", "cu", os.devnull], capture_output=True, text=True, check=True
    )
    (top,) = [line.partition("TOP=")[2] for line in shown.stderr.splitlines() if "TOP=" in line]
    return Path(top.strip()).resolve()


def _nvcc_version() -> str:
    shown = subprocess.run([str(_NVCC), "--version"], capture_output=True, text=True, check=True)
    return shown.stdout.partition("release ")[2].partition(",")[0]


def _on_cuda(bench: Bench, cuda: str | None, environ: Mapping[str, str], *names: str) -> Outcome:
    project = _with_sources(bench, *(names or ("kernel.cu",)), requires=["torch"])
    given = {"CUDA_HOME": str(_cuda_home()), "TORCH_CUDA_ARCH_LIST": "9.0", **environ}
    return _doctor(bench, project, "--host", _torch_host(bench, cuda), "--passthrough", "torch", environ=given)


@needs_nvcc
def test_nvcc_of_torchs_version_compiles_for_the_targets(bench: Bench) -> None:
    """A kernel is really compiled, with the machine's compiler and with the targets that torch would have."""
    version = _nvcc_version()

    run = _on_cuda(bench, version, {})

    assert run.code == 0, run.stdout
    assert [fact for _, fact, _ in _found(run, "CUDA")] == [
        f"nvcc {version}, {_cuda_home()}/bin/nvcc",
        f"nvcc is of CUDA {version}, torch was built with {version} as well",
        "nvcc compiles a kernel with the compiler that it finds",
    ]
    assert _found(run, "CUDA targets") == [("ok", "TORCH_CUDA_ARCH_LIST=9.0: compute_90, sm_90", "")]


@needs_nvcc
@pytest.mark.parametrize(("name", "state"), [("kernel.cu", "problem"), ("plain.cpp", "warning")])
def test_a_torch_of_another_cuda_is_a_problem_for_cuda_sources(bench: Bench, name: str, state: str) -> None:
    """Torch refuses an nvcc of another major version."""
    run = _on_cuda(bench, "9.1", {}, name)

    assert [found for found, fact, _ in _found(run, "CUDA") if fact.endswith("torch refuses to compile with it")] == [
        state
    ]
    assert run.code == (1 if state == "problem" else 0)


@needs_nvcc
def test_an_nvcc_of_another_minor_version_is_a_note(bench: Bench) -> None:
    """A script stands for it, as there is one nvcc on a machine; all but its version is the real one's."""
    home = bench.folder / "other-cuda"
    (home / "bin").mkdir(parents=True)
    (home / "include").symlink_to(_cuda_home() / "include")
    version = _nvcc_version()
    other = f"{version.partition('.')[0]}.99"
    (home / "bin" / "nvcc").write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && echo "release {other}, V1" && exit\nexec {_NVCC} "$@"\n', encoding="utf-8"
    )
    (home / "bin" / "nvcc").chmod(0o755)

    run = _on_cuda(bench, version, {"CUDA_HOME": str(home)})

    notes = [fact for state, fact, _ in _found(run, "CUDA") if state == "note"]
    assert run.code == 0, run.stdout
    assert f"nvcc is of CUDA {other}, torch was built with {version}: torch warns and goes on" in notes


@needs_nvcc
@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("", "is not set and torch sees no GPU: it ends with IndexError: list index out of range"),
        ("x", "=x: ValueError: Unknown CUDA arch (x) or GPU not supported"),
        ("2.0 9.0", "=2.0 9.0: nvcc {version} does not know compute_20, sm_20"),
    ],
)
def test_targets_that_cannot_be_compiled_for_are_a_problem(bench: Bench, asked: str, told: str) -> None:
    """In torch's own words, or by nvcc's lists, which the cure has."""
    version = _nvcc_version()

    run = _on_cuda(bench, version, {"TORCH_CUDA_ARCH_LIST": asked})

    ((state, fact, cure),) = _found(run, "CUDA targets")
    assert (run.code, state) == (1, "problem")
    assert fact.endswith(told.format(version=version))
    assert "TORCH_CUDA_ARCH_LIST" in cure
    assert "sm_90" in cure


@needs_nvcc
def test_a_compiler_that_nvcc_does_not_take_is_a_problem(bench: Bench) -> None:
    """Torch hands CC to nvcc; nvcc's own words are told."""
    run = _on_cuda(bench, _nvcc_version(), {"CC": str(shutil.which("true"))})

    states = [(state, fact) for state, fact, _ in _found(run, "CUDA") if "empty kernel" in fact]
    assert run.code == 1
    assert [state for state, _ in states] == ["problem"]


@needs_nvcc
def test_a_home_without_headers_is_told_with_the_right_one(bench: Bench) -> None:
    """Torch takes the folder above the one of nvcc's script on PATH for CUDA_HOME."""
    folder = bench.folder / "local"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "nvcc").write_text(f'#!/bin/sh\nexec {_cuda_home()}/bin/nvcc "$@"\n', encoding="utf-8")
    (folder / "bin" / "nvcc").chmod(0o755)
    path = os.pathsep.join((str(folder / "bin"), os.environ["PATH"]))

    run = _on_cuda(bench, _nvcc_version(), {"CUDA_HOME": "", "PATH": path})

    cures = [cure for state, fact, cure in _found(run, "CUDA") if state == "problem" and "cuda_runtime_api.h" in fact]
    assert cures == [f"set CUDA_HOME={_cuda_home()}, where this nvcc is at home"]


@pytest.mark.parametrize(("name", "state", "code"), [("kernel.cu", "problem", 1), ("plain.cpp", "note", 0)])
@needs_compiler
def test_a_missing_nvcc_matters_to_cuda_sources(bench: Bench, name: str, state: str, code: int) -> None:
    """The folder that CUDA_HOME names has none."""
    project = _with_sources(bench, name, requires=["torch"])
    options = ("--host", _torch_host(bench, "12.4"), "--passthrough", "torch")

    run = _doctor(bench, project, *options, environ={"CUDA_HOME": str(bench.folder)})

    ((found, fact, cure),) = _found(run, "CUDA")
    assert (run.code, found) == (code, state)
    assert fact.startswith(f"{bench.folder} has no bin/nvcc")
    assert "CUDA 12.4" in cure


@needs_nvcc
def test_a_torch_without_cuda_beside_nvcc_is_a_note(bench: Bench) -> None:
    """Setup.py files that look for nvcc may take it for another one."""
    run = _on_cuda(bench, None, {}, "plain.cpp")

    ((state, fact, cure),) = _found(run, "CUDA")
    assert (run.code, state) == (0, "note")
    assert fact == f"torch 2.9.0+cu130 has no CUDA, but there is an nvcc: {_cuda_home()}/bin/nvcc"
    assert cure


def test_a_torch_that_cannot_be_imported_is_told_in_its_words(bench: Bench) -> None:
    """Its process may also end without a word."""
    host = _torch_host(bench, None)
    package = host.site_packages / "torch"
    texts = ("raise ImportError('libcudart.so.12: cannot open')\n", "import os\nos.kill(os.getpid(), 11)\n")
    facts: list[tuple[str, str, str]] = []

    for text in texts:
        (package / "__init__.py").write_text(text, encoding="utf-8")
        run = _doctor(bench, bench.project(name=f"p{len(facts)}"), "--host", host, "--passthrough", "torch")
        facts += _found(run, "torch")
        assert run.code == 1
    bench.watched.clear()

    assert [fact for _, fact, _ in facts] == [
        "the host's torch does not answer: ImportError: libcudart.so.12: cannot open",
        "the host's torch does not answer: its process ended by signal 11",
    ]


@pytest.mark.skipif(_MPICC is None, reason="there is no mpicc on PATH")
def test_mpicc_is_asked_what_it_compiles_for(bench: Bench) -> None:
    """A program is compiled, linked and run; an mpi4py that runs with another library is a problem."""
    host = bench.own_host()
    package = host.site_packages / "mpi4py"
    package.mkdir()
    (package / "__init__.py").write_text("import types\n__version__ = '4.0'\nrc = types.SimpleNamespace()\n")
    library = "def Get_library_version():\n    return 'Nobodys MPI 1.0'\n"
    (package / "MPI.py").write_text(library, encoding="utf-8")
    info = host.site_packages / "mpi4py-4.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mpi4py\nVersion: 4.0\n", encoding="utf-8")
    bench.watch(host)

    run = _doctor(bench, bench.project(requires=["mpi4py"]), "--host", host, "--passthrough", "mpi4py")

    told = [fact for _, fact, _ in _found(run, "MPI")]
    assert run.code == 0, run.stdout
    assert told[0] == "the host's mpi4py 4.0 runs with Nobodys MPI 1.0"
    assert told[1].startswith(f"{_MPICC} runs ")
    assert ", for " in told[1]


def test_the_help_imports_nothing_of_a_checkup(bench: Bench) -> None:
    """It needs the list of settings, and hardly anything else."""
    imported = _modules(bench, "doctor", "--help")

    assert "click" in imported
    assert imported & _HEAVY == set()


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_a_person_reads_lines_of_80_columns(bench: Bench, encoding: str) -> None:
    """Marks, hints and counts, on standard output alone; without Unicode where it cannot be written."""
    host = bench.host()
    environ = {"PYTHONIOENCODING": encoding, "COLUMNS": "200"}
    project = _with_sources(bench, "one.c")
    options = ("--host", host, "--cache-dir", bench.folder / "store", "-E", "CC=nobodys-cc")

    run = bench.passbuild("doctor", project, *options, json=False, environ=environ)

    lines = run.stdout.splitlines()
    mark = "✗" if encoding == "utf-8" else "x"
    assert (run.code, run.stderr) == (1, "")
    assert lines[-1].startswith("1 problem, ")
    assert any(line.startswith(f"{mark} C compiler    nobodys-cc (CC) is not on PATH") for line in lines)
    assert any(line.startswith(" " * 16 + "hint: set CC=") for line in lines)
    assert [line for line in lines if len(line) > 80 and "/" not in line] == []
    assert run.stdout.isascii() == (encoding == "ascii")


def test_a_checkup_that_is_ended_leaves_nothing(bench: Bench) -> None:
    """A compiler that is being tried ends as well; it is the one that ends passbuild here."""
    compiler = bench.folder / "ends-its-parent"
    compiler.write_text('#!/bin/sh\n[ "$1" = --version ] && echo 1 && exit\nkill -TERM $PPID\nexec sleep 600\n')
    compiler.chmod(0o755)

    run = _doctor(bench, bench.project(), "--host", bench.host(), "-E", f"CC={compiler}")

    assert (run.code, run.stdout) == (128 + signal.SIGTERM, "")


def test_a_program_that_does_not_end_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    """The error says after how long; whoever holds the pipe open has ended when it comes to its end."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    holds = f"pipe = open({str(pipe)!r}, 'w'); pipe.write('begun'); pipe.flush(); import time; time.sleep(600)"
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {holds!r}])"

    with pytest.raises(TimeoutError, match=r"did not end within 3 s"):
        process.answer([sys.executable, "-c", program], environ=dict(os.environ), question="", timeout=3)

    os.set_blocking(reading, True)
    with os.fdopen(reading, "rb") as stream:
        assert stream.read() == b"begun"


def test_a_named_package_that_would_be_downloaded_is_warned_of(bench: Bench) -> None:
    """It is what somebody with such a project has to hear; the cure says how to have it refused."""
    host = bench.host("engine==1.0", "fuel==1.0")
    project = bench.project(requires=["tool"])

    run = _doctor(bench, project, "--host", host, "--passthrough", "tool")

    (state, fact, cure) = _found(run, "passthrough")[0]
    assert state == "warning"
    assert fact.startswith("tool: not installed in ")
    assert "--on-missing error" in cure
