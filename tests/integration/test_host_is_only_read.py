"""The promise on which all else rests: the host is read, never written, whatever a backend does in its environment.

Every test of this folder compares the host before and after; here are the backends that try.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from passbuild import forkserver
from tests.integration.bench import fingerprint

if TYPE_CHECKING:
    from tests.integration.bench import Bench, Environment, Outcome

_ATTACKS = {
    "pip installs another version": "[outer, '-m', 'pip', '--python', sys.executable, 'install', 'engine==2.0']",
    "pip uninstalls": "[outer, '-m', 'pip', '--python', sys.executable, 'uninstall', '-y', 'engine', 'scripted']",
    "pip reinstalls": (
        "[outer, '-m', 'pip', '--python', sys.executable, 'install', '--force-reinstall', '--upgrade', 'engine']"
    ),
    "uv installs another version": (
        "[outer, '-m', 'uv', 'pip', 'install', '--python', sys.executable, '--reinstall', 'engine==2.0']"
    ),
    "uv uninstalls": "[outer, '-m', 'uv', 'pip', 'uninstall', '--python', sys.executable, 'engine', 'scripted']",
    "the environment is removed": "['rm', '-rf', sys.prefix, *[path for path in sys.path if path.endswith('view')]]",
}
_BACKEND = """
import engine, scripted, subprocess, sys, tiny_wheel
from pathlib import Path

def build_wheel(folder, *rest):
    outer = {outer!r}
    done = subprocess.run({attack}, check=False)
    return tiny_wheel.write(Path(folder), "sample", "1.0", {{"attack.txt": str(done.returncode)}}).name
"""


@pytest.mark.parametrize("attack", _ATTACKS)
def test_what_a_backend_installs_or_removes_does_not_reach_the_host(bench: Bench, attack: str) -> None:
    """A setup.py that calls pip or uv, or removes its environment, changes the build environment alone."""
    host = bench.own_host("engine==1.0", "fuel==1.0", "scripted==1.0")
    bench.watch(host)
    project = bench.project(requires=["tool"])
    text = _BACKEND.format(outer=sys.executable, attack=_ATTACKS[attack])
    (project / "backend" / "hostile.py").write_text(text, encoding="utf-8")
    file = project / "pyproject.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('"recorder"', '"hostile"'), encoding="utf-8")
    options = ["--passthrough", "engine", "--passthrough", "scripted"]

    run = bench.passbuild("wheel", project, "--host", host, *options)

    assert run.code == 0, run.stderr


_WRITES = {
    "writes into a passed package": ("Path(engine.__file__).write_text('# mine')", "engine/__init__.py: was written"),
    "writes without a change of size or time": (
        "os.replace(shutil.copy2(engine.__file__, engine.__file__ + '.new'), engine.__file__)",
        "engine/__init__.py: was written",
    ),
    "writes through a link of the view": (
        "next(Path(p, 'engine/part.py') for p in sys.path if p.endswith('host-packages')).write_text('# mine')",
        "engine/part.py: was written",
    ),
    "writes into the package of a closure member": (
        "Path(fuel.__file__).write_text('# mine')",
        "fuel/__init__.py: was written",
    ),
    "writes into the metadata": (
        "Path(engine.__file__).parents[1].joinpath('engine-1.0.dist-info/METADATA').write_text('')",
        "engine-1.0.dist-info/METADATA: was written",
    ),
    "adds a module": ("Path(engine.__file__).with_name('more.py').touch()", "engine/more.py: is new"),
    "deletes a module": ("Path(engine.__file__).with_name('part.py').unlink()", "engine/part.py: is gone"),
    "deletes the package": ("shutil.rmtree(Path(engine.__file__).parent)", "engine: is gone"),
    "changes permissions": ("Path(engine.__file__).chmod(0o777)", "engine/__init__.py: has other permissions"),
    "changes permissions of a folder": ("Path(engine.__file__).parent.chmod(0o700)", "engine: has other permissions"),
    "compiles byte code": ("py_compile.compile(engine.__file__)", "engine/__pycache__: is new"),
    "replaces a script": (
        "Path(engine.__file__).parents[4].joinpath('bin/scripted-native').write_text('')",
        "bin/scripted-native: was written",
    ),
    "writes through a link inside the package": (
        "Path(engine.__file__).with_name('linked.py').write_text('# mine')",
        "{outside}/linked.py: was written",
    ),
    "writes behind a linked folder": (
        "Path(engine.__file__).with_name('more').joinpath('new.py').touch()",
        "{outside}/more/new.py: is new",
    ),
    "pip installs another version into the host": (
        "subprocess.run([{outer!r}, '-m', 'pip', '--python', {host!r}, 'install', 'engine==2.0'], check=True)",
        "engine-1.0.dist-info: is gone",
    ),
}
_WRITER = """
import engine, fuel, scripted, os, py_compile, shutil, subprocess, sys, tiny_wheel
from pathlib import Path

def get_requires_for_build_wheel(config_settings=None):
    {first}
    return {requires!r}

def build_wheel(folder, *rest):
    {last}
    return tiny_wheel.write(Path(folder), "sample", "1.0", {{"sample.py": ""}}).name
"""


def _attacked(bench: Bench, first: str, last: str, *requires: str, protect: str = "off") -> tuple[Outcome, Environment]:
    """Build with a backend that attacks a host of its own, which the system protects or does not."""
    host = bench.own_host("engine==1.0", "fuel==1.0", "scripted==1.0")
    outside = bench.folder / "outside"
    (outside / "more").mkdir(parents=True)
    (outside / "linked.py").touch()
    for name in ("more", "linked.py"):
        (host.site_packages / "engine" / name).symlink_to(outside / name)
    names = {"outer": sys.executable, "host": str(host.python)}
    project = bench.project(requires=["tool"])
    text = _WRITER.format(first=first.format(**names), last=last.format(**names), requires=list(requires))
    (project / "backend" / "hostile.py").write_text(text, encoding="utf-8")
    file = project / "pyproject.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('"recorder"', '"hostile"'), encoding="utf-8")
    before = fingerprint(host.folder), fingerprint(outside)
    options = ["--passthrough", "engine", "--passthrough", "scripted", "--protect-host", protect]
    run = bench.passbuild("wheel", project, "--host", host, *options)
    if protect != "off":
        assert (fingerprint(host.folder), fingerprint(outside)) == before
    return run, host


@pytest.mark.skipif(not forkserver.is_available(), reason="only Linux can protect the host")
@pytest.mark.parametrize("attack", _WRITES)
def test_a_hook_cannot_write_into_a_host_that_the_system_protects(bench: Bench, attack: str) -> None:
    """It gets an error of the system, and the host is as it was, also behind links of passed packages."""
    code, _ = _WRITES[attack]

    run, _ = _attacked(bench, "pass", code, protect="on")

    assert run.document["protection"]["means"] in {"mount-namespace", "landlock"}
    assert run.error["code"] == "backend-failed"
    for folder in bench.scratch.glob("pip-uninstall-*"):  # pip gives up in the middle, and leaves what it had begun
        shutil.rmtree(folder)


@pytest.mark.parametrize("attack", _WRITES)
def test_a_hook_that_writes_into_the_host_fails_the_build(bench: Bench, attack: str) -> None:
    """It is detected, the error names the files, and nothing is published."""
    code, told = _WRITES[attack]

    run, host = _attacked(bench, "pass", code)

    assert run.code == 1, run.stderr
    assert run.error["code"] == "host-changed"
    assert run.error["message"].splitlines()[0] == "the host was changed while build_wheel ran"
    where = host.folder if told.startswith("bin/") else host.site_packages
    told = told.format(outside=bench.folder / "outside")
    assert (told if told.startswith("/") else f"{where}/{told}") in run.error["message"].splitlines()
    assert bench.published() == {}


@pytest.mark.parametrize("last", ["pass", "raise SystemExit(3)"], ids=["the next one succeeds", "the next one fails"])
def test_what_the_first_hook_writes_into_the_host_is_detected(bench: Bench, last: str) -> None:
    """Whatever the hook behind it does: that the host was changed is the graver news."""
    run, host = _attacked(bench, "Path(engine.__file__).with_name('more.py').touch()", last)

    assert run.error["code"] == "host-changed"
    assert f"{host.site_packages}/engine/more.py: is new" in run.error["message"]
    assert bench.published() == {}


def test_what_the_first_hook_writes_is_detected_before_another_environment_is_made(bench: Bench) -> None:
    """It requires something in addition: the new environment must not take the changed host for granted."""
    run, host = _attacked(bench, "Path(engine.__file__).with_name('more.py').touch()", "pass", "odd.name")

    assert run.error["code"] == "host-changed"
    assert run.error["message"].splitlines()[0] == "the host was changed while get_requires_for_build_wheel ran"
    assert f"{host.site_packages}/engine/more.py: is new" in run.error["message"]


def test_a_hook_that_may_write_nowhere_near_the_host_is_no_attack(bench: Bench) -> None:
    """What the same backend writes into its own environment and source tree is its own business."""
    own = "Path(sys.prefix, 'mine').touch(); Path('mine').touch(); py_compile.compile('pyproject.toml', doraise=False)"

    run, _ = _attacked(bench, own, own)

    assert run.code == 0, run.stderr


def test_the_environment_of_the_api_tells_what_was_written(bench: Bench) -> None:
    """`build_environment()` looks at the host when its block ends."""
    host = bench.own_host("engine==1.0", "fuel==1.0")
    project = bench.project()
    program = (
        "import os, pathlib, passbuild\n"
        f"file = pathlib.Path({str(host.site_packages)!r}, 'engine', 'part.py')\n"
        "try:\n"
        f"    with passbuild.build_environment({str(project)!r}, host={str(host)!r}, passthrough=['engine']):\n"
        "        file.write_text('# mine')\n"
        "except passbuild.PassbuildError as error:\n"
        "    print(error.code, error)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], env=bench.environ, check=True, capture_output=True, encoding="utf-8"
    )

    assert done.stdout.splitlines()[0] == "host-changed the host was changed while a hook ran"
    assert done.stdout.splitlines()[1] == f"{host.site_packages}/engine/part.py: was written"


def test_paths_with_spaces_and_umlauts(bench: Bench, installer: str) -> None:
    """Host, project and temporary files may lie anywhere; scripts of passed packages run there as well."""
    place = bench.folder / "mit Leerzeichen und Ümläuten"
    host = bench.own_host("engine==1.0", "fuel==1.0", "scripted==1.0", folder=place / "hôst")
    bench.watch(host)
    project = bench.project(
        name=f"{place.name}/projekt",
        requires=["plugin"],
        imports=["engine", "plugin"],
        programs=["scripted-say", "scripted-native"],
        children=["-I"],
    )
    (place / "tmp").mkdir()
    options = ["--passthrough", "engine", "--passthrough", "scripted", "--installer", installer]
    environ = {"TMPDIR": str(place / "tmp")}

    run = bench.passbuild("wheel", project, "--host", host, *options, environ=environ)

    assert run.code == 0, run.stderr
    assert run.seen["modules"]["engine"]["file"] == str(host.site_packages / "engine" / "__init__.py")
    assert run.seen["programs"]["scripted-say"] == f"scripted {run.seen['prefix']}"
    assert run.seen["programs"]["scripted-native"] == f"native {run.seen['prefix']}"
