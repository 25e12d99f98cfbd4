"""The promise on which all else rests: the host is read, never written, whatever a backend does in its environment.

Every test of this folder compares the host before and after; here are the backends that try.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.bench import Bench

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
