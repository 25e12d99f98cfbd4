"""Nothing is lost wherever a build breaks: the host, the output folder, the next build.

Here every so many points; `make soak` takes them all (TEST_SOAK=1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import tally
from tests.integration import live
from tests.integration.faults import WAYS, Scene

if TYPE_CHECKING:
    from tests.integration.bench import Bench

_BACKEND = """
def build_wheel(folder, *rest):
    import engine, tool, tiny_wheel
    return tiny_wheel.write(pathlib.Path(folder), "sample", "1.0", {"sample.py": engine.__file__}).name
"""
_STEP = 1 if tally.IS_SOAK else 17


@pytest.mark.parametrize("way", WAYS)
def test_a_build_that_breaks_anywhere_loses_nothing(bench: Bench, way: str) -> None:
    """Killed, failed or interrupted at each file, folder, lock and process, with an environment to make."""
    project = live.project(bench, _BACKEND, requires=["tool"])
    scene = Scene(bench, project, bench.host("engine==1.0", "fuel==1.0"), "--installer", "uv")
    begin = WAYS.index(way) * _STEP // len(WAYS)  # each way at other points

    points = range(begin, scene.points, _STEP)
    lost = list(filter(None, (scene.broken(point, way) for point in points)))

    tally.count(f"faults injected ({way})", len(points), lost)
    assert scene.points > 50
    assert lost == [], "\n".join(lost)
