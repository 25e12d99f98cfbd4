"""Which programs a project speaks of, and where a build would have them from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from packaging.utils import canonicalize_name

from passbuild.doctor import scene, tools
from passbuild.doctor.model import State
from passbuild.plan.decide import decided
from passbuild.values import replace
from tests.unit import fakes
from tests.unit.doctor import facts

if TYPE_CHECKING:
    from pathlib import Path

    from passbuild.doctor.scene import Scene


@pytest.mark.parametrize(
    ("required", "names"),
    [
        ("scikit-build-core", {"cmake": "scikit-build-core", "ninja": "scikit-build-core"}),
        ("meson-python", {"ninja": "meson-python"}),
        ("setuptools-rust", {"cargo": "setuptools-rust", "rustc": "setuptools-rust"}),
        ("hatchling", {}),
    ],
)
def test_backends_speak_of_programs(required: str, names: dict[str, str], tmp_path: Path) -> None:
    """Each program is told with who speaks of it."""
    found = tools.wanted({canonicalize_name(required)}, tmp_path, set())

    assert found == names


def test_files_speak_of_programs(tmp_path: Path) -> None:
    """Files of build systems, and the language that they name; what stands in a comment does not count."""
    (tmp_path / "CMakeLists.txt").write_text("project(one LANGUAGES C Fortran)\n", encoding="utf-8")
    (tmp_path / "Cargo.toml").write_text("", encoding="utf-8")

    found = tools.wanted(set(), tmp_path, set())
    (tmp_path / "CMakeLists.txt").write_text("# no Fortran\nproject(one)\n", encoding="utf-8")
    without = tools.wanted(set(), tmp_path, set())

    assert sorted(found) == ["cargo", "cmake", "gfortran", "rustc"]
    assert sorted(without) == ["cargo", "cmake", "rustc"]


def looked_at(
    tmp_path: Path, *requires: str, passthrough: tuple[str, ...] = (), installed: tuple[str, ...] = ()
) -> Scene:
    """Return a scene with a project, and nothing on PATH."""
    host = fakes.host(*map(fakes.distribution, installed))
    settings = fakes.settings(passthrough=passthrough)
    project = replace(fakes.project(*requires), folder=tmp_path)
    plan = decided(project, settings, host)
    here = fakes.surroundings(tmp_path, PATH=str(tmp_path))
    return facts.scene(tmp_path, surroundings=here, host=host, settings=settings, project=project, plan=plan)


@pytest.mark.parametrize(
    ("requires", "passthrough", "installed", "state", "told"),
    [
        (("setuptools", "cmake"), (), (), State.OK, "is installed for the build"),
        (("setuptools", "cmake"), ("cmake",), ("cmake",), State.OK, "comes from the host's package cmake"),
        (("scikit-build-core",), (), (), State.SKIPPED, "the backend asks for the package of that name then"),
        (("scikit-build",), (), (), State.WARNING, "is not on the hooks' PATH (for scikit-build)"),
    ],
)
def test_a_program_may_come_from_a_package(
    requires: tuple[str, ...],
    passthrough: tuple[str, ...],
    installed: tuple[str, ...],
    *,
    state: State,
    told: str,
    tmp_path: Path,
) -> None:
    """A required or passed package brings it, a backend may ask for one; else somebody has to install it."""
    found = {
        item.subject: item
        for item in tools.findings(looked_at(tmp_path, *requires, passthrough=passthrough, installed=installed))
    }

    assert found["cmake"].state is state
    assert told in found["cmake"].fact


def test_languages_are_those_of_the_projects_own_files(tmp_path: Path) -> None:
    """Not of its tests, of what was built before, or of an environment beside it."""
    for name in (
        "src/one.cpp",
        "src/deep/two.CU",
        "tests/three.f90",
        "build/four.rs",
        ".hidden/five.c",
        "env/lib/six.c",
    ):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("", encoding="ascii")
    (tmp_path / "env" / "pyvenv.cfg").write_text("", encoding="ascii")

    found = scene.languages(tmp_path)

    assert found == {"C++", "CUDA"}
