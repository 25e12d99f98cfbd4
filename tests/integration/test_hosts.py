"""Which environment is the host, and environments of every making as hosts."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.bench import Environment

if TYPE_CHECKING:
    from tests.integration.bench import Bench

_BASE = Path(getattr(sys, "_base_executable", sys.executable))
_MINORS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14")


def _pythons() -> dict[str, Path]:
    """Return the interpreters that pyenv keeps on this machine, one for each minor version."""
    root = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    found = {minor: sorted(root.glob(f"{minor}.*/bin/python")) for minor in _MINORS}
    return {minor: paths[-1] for minor, paths in found.items() if paths}


_PYTHONS = _pythons()


def private_passbuild(bench: Bench) -> Environment:
    """Return an environment that runs passbuild and is marked as one of pipx's."""
    private = bench.own_host(folder=bench.folder / "private")
    shown = [entry for entry in sys.path if entry.endswith(("site-packages", "src"))]
    (private.site_packages / "passbuild.pth").write_text("\n".join(shown), encoding="utf-8")
    (private.folder / "pipx_metadata.json").write_text("{}", encoding="utf-8")
    return private


def _host(bench: Bench, source: Path, *options: object, **how: object) -> tuple[str, str]:
    """Return the prefix of the host that is chosen, and the reason."""
    run = bench.passbuild("plan", source, *options, **how)  # type: ignore[arg-type]  # handed on as they are
    assert run.code == 0, run.stderr
    host = run.document["host"]
    return host["prefix"], host["reason"]


def test_the_host_is_found_in_the_designs_order(bench: Bench) -> None:
    """Option, variable, VIRTUAL_ENV, CONDA_PREFIX, passbuild's own environment: each wins over those behind it."""
    option, variable, active, conda = (bench.own_host(folder=bench.folder / name) for name in "abcd")
    project = bench.project()
    environ = {"CONDA_PREFIX": str(conda)}

    fourth = _host(bench, project, environ=environ)
    environ["VIRTUAL_ENV"] = str(active)
    third = _host(bench, project, environ=environ)
    environ["PASSBUILD_HOST"] = str(variable)
    second = _host(bench, project, environ=environ)
    first = _host(bench, project, "--host", option, environ=environ)

    assert first == (str(option), "--host")
    assert second == (str(variable), "PASSBUILD_HOST")
    assert third == (str(active), "VIRTUAL_ENV")
    assert fourth == (str(conda), "CONDA_PREFIX")


@pytest.mark.skipif(sys.prefix == sys.base_prefix, reason="the tests do not run in an environment")
def test_the_environment_of_passbuild_is_the_host_without_another(bench: Bench) -> None:
    """Nothing asked for, nothing active: where passbuild is installed, unless that is a tool's private one."""
    project = bench.project()

    found = _host(bench, project)

    assert found == (sys.prefix, "the environment that passbuild runs in")


@pytest.mark.parametrize("mark", ["pipx_metadata.json", "uv-receipt.toml", "../CACHEDIR.TAG"])
def test_a_tools_private_environment_is_no_host(bench: Bench, mark: str) -> None:
    """Of pipx, of `uv tool`, or in a cache (uvx): then .venv beside the project counts, else the base interpreter."""
    private = private_passbuild(bench)
    (private.folder / "pipx_metadata.json").rename(private.folder / mark)
    with_venv, without = bench.project(name="with"), bench.project(name="without")
    beside = bench.own_host(folder=with_venv / ".venv")

    first = _host(bench, with_venv, python=private.python)
    second = _host(bench, without, python=private.python)
    (private.folder / mark).unlink()
    unmarked = _host(bench, with_venv, python=private.python)

    assert first == (str(beside), ".venv beside the project")
    assert second == (sys.base_prefix, "the base interpreter, as no environment is active")
    assert unmarked == (str(private), "the environment that passbuild runs in")


@pytest.mark.parametrize("form", ["folder", "interpreter", "relative", "home"])
def test_the_host_is_named_by_folder_or_interpreter(bench: Bench, form: str) -> None:
    """--host takes an environment's folder or its interpreter, relative to the current folder or to home."""
    host = bench.own_host("engine==1.0", "fuel==1.0")
    project = bench.project(imports=["engine"])
    forms = {"folder": str(host), "interpreter": str(host.python), "relative": "host", "home": "~/host"}

    run = bench.passbuild(
        "wheel", project, "--host", forms[form], "--passthrough", "engine", environ={"HOME": str(bench.folder)}
    )

    assert run.code == 0, run.stderr
    assert run.document["host"]["prefix"] == str(host)
    assert run.seen["modules"]["engine"]["file"].startswith(str(host.site_packages))


@pytest.mark.parametrize("flag", ["-p", "--python"])
def test_host_has_the_names_that_other_tools_use(bench: Bench, flag: str) -> None:
    """-p and --python are other names of --host."""
    host = bench.host()

    found = _host(bench, bench.project(), flag, host)

    assert found == (str(host), "--host")


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        ("nowhere", "there is no such file, folder or version"),
        ("empty", "is a folder without a Python interpreter"),
        ("file.txt", "is a file that cannot be run"),
        ("3.99", "no Python 3.99 was found"),
    ],
)
def test_a_host_that_is_not_there_is_told_with_its_origin(bench: Bench, wanted: str, problem: str) -> None:
    """Exit 2: what was asked for, by whom, what is wrong, and the forms that --host takes."""
    (bench.folder / "empty").mkdir()
    (bench.folder / "file.txt").touch()
    project = bench.project()

    run = bench.passbuild("wheel", project, environ={"PASSBUILD_HOST": wanted})

    assert run.code == 2
    assert run.error["code"] == "host-not-found"
    assert f"host '{wanted}' (PASSBUILD_HOST): {problem}" in run.error["message"]
    assert "--host .venv" in run.error["hint"]


def test_an_active_environment_that_is_gone_is_told(bench: Bench) -> None:
    """VIRTUAL_ENV of a removed folder: an error that names the variable, not another host in silence."""
    run = bench.passbuild("wheel", bench.project(), environ={"VIRTUAL_ENV": str(bench.folder / "gone")})

    assert run.code == 2
    assert run.error["code"] == "host-not-found"
    assert "VIRTUAL_ENV" in run.error["message"]


@pytest.mark.parametrize("script", ["exit 3", "echo hello", "sleep 0; kill -9 $$"])
def test_a_program_that_is_no_python_is_unusable(bench: Bench, script: str) -> None:
    """Exit 2: it ran, but did not describe itself."""
    program = bench.folder / "python"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)

    run = bench.passbuild("wheel", bench.project(), "--host", program)

    assert run.code == 2
    assert run.error["code"] == "host-unusable"
    assert str(program) in run.error["message"]


def test_a_host_that_prints_at_start_is_understood(bench: Bench) -> None:
    """A sitecustomize that writes to standard output does not disturb the probe."""
    host = bench.own_host("engine==1.0", "fuel==1.0")
    (host.site_packages / "sitecustomize.py").write_text("print('{\"schema\": 0}')\n", encoding="utf-8")
    bench.watch(host)
    project = bench.project(imports=["engine"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "engine")

    assert run.code == 0, run.stderr
    assert run.names("passed") == ["engine", "fuel"]


@pytest.mark.parametrize("maker", ["virtualenv", "venv", "uv venv", "venv --copies"])
def test_environments_of_every_making_are_hosts(bench: Bench, installer: str, maker: str) -> None:
    """A passed package comes from them, and they are as they were."""
    host = Environment(folder=bench.folder / "host")
    if maker == "virtualenv":
        bench.workshop.make(host)
    elif maker == "uv venv":
        bench.workshop.run(sys.executable, "-m", "uv", "venv", "--python", _BASE, host.folder)
    else:
        venv.create(host.folder, symlinks="copies" not in maker, with_pip=False)
    bench.workshop.fill(host, ["engine==1.0", "fuel==1.0"])
    bench.watch(host)
    project = bench.project(requires=["plugin"], imports=["engine", "plugin"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "engine", "--installer", installer)

    assert run.code == 0, run.stderr
    assert run.versions("installed") == {"plugin": "1.0"}
    assert run.seen["modules"]["engine"]["file"] == str(host.site_packages / "engine" / "__init__.py")


def test_packages_of_a_host_with_system_site_packages(bench: Bench) -> None:
    """What the environment sees of its base passes through from there; its own copy wins where both have one."""
    base = bench.own_host("engine==1.5", "fuel==1.0", "tool==1.0", folder=bench.folder / "base")
    host = Environment(folder=bench.folder / "host")
    system = [sys.executable, "-m", "virtualenv", "--no-seed", "--no-periodic-update", "--system-site-packages"]
    bench.workshop.run(*system, host.folder)
    (host.site_packages / "zz_base.pth").write_text(f"{base.site_packages}\n", encoding="utf-8")
    bench.workshop.fill(host, ["tool==2.0"])
    bench.watch(base)
    bench.watch(host)
    project = bench.project(imports=["engine", "tool"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "engine", "--passthrough", "tool")

    assert run.code == 0, run.stderr
    assert run.seen["modules"]["engine"]["file"] == str(base.site_packages / "engine" / "__init__.py")
    assert run.seen["modules"]["tool"] == {
        "version": "2.0",
        "file": str(host.site_packages / "tool" / "__init__.py"),
    }
    assert run.seen["path"] == [entry for entry in run.seen["path"] if str(base) not in entry]


def _has_pip(python: Path) -> bool:
    return subprocess.run([python, "-I", "-c", "import pip"], check=False, capture_output=True).returncode == 0


@pytest.mark.skipif(not _has_pip(_BASE), reason="the base interpreter has no pip to pass through")
def test_a_bare_interpreter_is_a_host(bench: Bench, installer: str) -> None:
    """What the base interpreter itself has installed passes through; here its pip."""
    code = "import importlib.metadata, pip; print(pip.__file__); print(importlib.metadata.version('pip'))"
    told = subprocess.run([_BASE, "-B", "-I", "-c", code], check=True, capture_output=True, encoding="utf-8")
    file, version = told.stdout.split()
    project = bench.project(requires=["tool"], imports=["pip", "tool"], tries=["setuptools"])

    run = bench.passbuild("wheel", project, "--host", _BASE, "--passthrough", "pip", "--installer", installer)

    assert run.code == 0, run.stderr
    assert run.versions("passed") == {"pip": version}
    assert run.seen["modules"]["pip"] == {"version": version, "file": file}
    assert run.seen["modules"]["setuptools"] is None


@pytest.mark.parametrize("minor", _MINORS)
def test_hosts_of_every_supported_python(bench: Bench, installer: str, minor: str) -> None:
    """From 3.8 on: the hooks run in the host's Python, with the passed package at its true path, also in children."""
    if minor not in _PYTHONS:
        pytest.skip(f"pyenv has no Python {minor} on this machine")
    host = Environment(folder=bench.folder / "host")
    bench.workshop.run(_PYTHONS[minor], "-m", "venv", "--without-pip", host.folder)
    bench.workshop.fill(host, ["engine==1.0", "fuel==1.0"])
    bench.watch(host)
    project = bench.project(requires=["plugin"], imports=["engine", "engine.part", "plugin"], children=["-I", "-E"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "engine", "--installer", installer)

    assert run.code == 0, run.stderr
    assert run.seen["version"].startswith(f"{minor}.")
    assert run.versions("installed") == {"plugin": "1.0"}
    assert run.seen["modules"]["engine"]["file"] == str(host.site_packages / "engine" / "__init__.py")
    assert run.seen["children"]["-I"]["engine.part"] == str(host.site_packages / "engine" / "part.py")


@pytest.mark.skipif("3.12" not in _PYTHONS, reason="pyenv has no Python 3.12 on this machine")
def test_the_host_is_named_by_version(bench: Bench) -> None:
    """--host 3.12 finds it along PATH or where pyenv keeps it."""
    root = _PYTHONS["3.12"].parents[3]

    run = bench.passbuild("plan", bench.project(), "--host", "3.12", environ={"PYENV_ROOT": str(root)})

    assert run.code == 0, run.stderr
    assert run.document["host"]["version"].startswith("3.12.")


def test_a_python_that_is_too_old_is_told(bench: Bench) -> None:
    """Exit 2; the last one that still understands the probe is told which versions work."""
    root = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    old = sorted(root.glob("3.[67].*/bin/python")) + sorted(root.glob("2.7.*/bin/python"))
    if not old:
        pytest.skip("pyenv has no Python older than 3.8 on this machine")

    runs = [bench.passbuild("wheel", bench.project(name=f"p{n}"), "--host", python) for n, python in enumerate(old)]

    assert [run.code for run in runs] == [2] * len(old)
    assert all(run.error["code"] == "host-unusable" for run in runs)
    for python, run in zip(old, runs, strict=True):
        assert "3.7" not in str(python) or "3.8 and later" in run.error["message"]
