"""What a command imports: only what it needs, shown by the modules and not by seconds."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.bench import Bench

_HEAVY = {"virtualenv", "build", "rich", "pyproject_hooks", "packaging", "filelock", "email", "zipfile", "tarfile"}
_SHOWS = """
import atexit, json, sys
atexit.register(lambda: sys.stderr.write("\\n" + json.dumps(sorted(sys.modules))))
sys.argv = ["passbuild", *{arguments!r}]
from passbuild.__main__ import start
start()
"""


def _modules(bench: Bench, *arguments: str, **variables: str) -> set[str]:
    """Return the top-level modules that a command has imported when it ends."""
    program, environ = _SHOWS.format(arguments=list(arguments)), {**bench.environ, **variables}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environ, cwd=bench.folder, capture_output=True, text=True, check=True
    )
    return {name.partition(".")[0] for name in json.loads(done.stderr.splitlines()[-1])}


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["wheel", "--help"], ["plan", "--help"]])
def test_what_builds_nothing_imports_nothing_of_a_build(bench: Bench, arguments: list[str]) -> None:
    """`--version` and the help texts need click and the list of settings, and hardly anything else."""
    imported = _modules(bench, *arguments)

    assert "click" in imported
    assert imported & _HEAVY == set()


def test_completion_imports_nothing_of_a_build(bench: Bench) -> None:
    """A shell asks at every press of the key."""
    asked = {"_PASSBUILD_COMPLETE": "bash_complete", "COMP_WORDS": "passbuild wheel --", "COMP_CWORD": "2"}

    imported = _modules(bench, **asked)

    assert "click" in imported
    assert imported & _HEAVY == set()


def test_a_build_in_a_stored_environment_does_not_import_virtualenv(bench: Bench) -> None:
    """Making environments is for those who have to make one, and colors are for those who see them."""
    host = bench.host("engine==1.0", "fuel==1.0")
    project = bench.project(requires=["tool"])
    arguments = ["wheel", str(project), "--host", str(host), "-o", str(bench.outdir), "--cache-dir"]
    arguments.append(str(bench.folder / "store"))

    first = _modules(bench, *arguments)
    second = _modules(bench, *arguments)

    assert "virtualenv" in first
    assert second & {"virtualenv", "rich"} == set()
    assert "rich" in _modules(bench, *arguments, FORCE_COLOR="1")
