"""Commands side by side do not get into each other's way."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.integration.bench import Bench


def test_builds_of_one_project_side_by_side_both_succeed(bench: Bench, installer: str) -> None:
    """Same project, same host, same output folder, not yet there: both end with 0 and one sound artifact is there."""
    host = bench.host("engine==1.0", "fuel==1.0")
    project = bench.project(requires=["tool"], imports=["engine", "tool"])
    argv = [sys.executable, "-m", "passbuild", "wheel", str(project), "--outdir", str(bench.outdir)]
    argv += ["--host", str(host), "--passthrough", "engine", "--installer", installer]

    children = [
        subprocess.Popen(argv, env=bench.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
        for _ in range(3)
    ]
    told = [child.communicate(timeout=120) for child in children]

    assert [child.returncode for child in children] == [0, 0, 0], told
    assert [path.name for path in bench.outdir.iterdir()] == ["sample-1.0-py3-none-any.whl"]
    assert zipfile.ZipFile(bench.outdir / "sample-1.0-py3-none-any.whl").testzip() is None


def test_a_failing_build_beside_one_that_succeeds_takes_nothing_away(bench: Bench) -> None:
    """Both had to make the output folder; the one that fails leaves it to the other."""
    host = bench.host()
    project = bench.project(sample="writes_unsound_artifacts")
    argv = [sys.executable, "-m", "passbuild", "wheel", str(project), "--host", str(host), "-o", str(bench.outdir)]

    children = [
        subprocess.Popen([*argv, *more], env=bench.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for more in (["-C", "fault=junk"], [], ["-C", "fault=half, then fails"])
    ]
    told = [child.communicate(timeout=120) for child in children]

    assert [child.returncode for child in children] == [1, 0, 1], told
    assert [path.name for path in bench.outdir.iterdir()] == ["unsound-1.0-py3-none-any.whl"]
