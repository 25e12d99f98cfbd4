"""Building an extension of eight sources again, when nothing has changed and when one source has."""

from __future__ import annotations

import itertools
import shutil
from functools import partial
from typing import TYPE_CHECKING

from benchmarks import projects, tools
from benchmarks.entrants import Course, entrants
from benchmarks.measure import race
from benchmarks.scenarios import torch
from benchmarks.scenarios.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.lab import Lab
    from benchmarks.results import Group

UNCHANGED = "unchanged"
_OURS = (tools.FLOOR, tools.PASSBUILD)
_MORE = (tools.BUILD, tools.PIP)
"""Those that run where nothing has changed and ccache does not help: they compile everything each time, as uv does."""
_STYLES = {
    "setuptools": (projects.setuptools_ninja, ()),
    "scikit-build-core": (projects.scikit_build_core, ()),
    "meson-python": (projects.meson_python, ("builddir=build/kept",)),
}
_TITLES = {"setuptools": "setuptools and ninja", **{name: name for name in ("scikit-build-core", "meson-python")}}
KEYS = (*(f"d-{name}" for name in _STYLES), "d-torch")


def measure(style: str, lab: Lab, rounds: int) -> tuple[Group, ...]:
    """Measure rebuilds of the torch-free extension for one backend."""
    write, config_settings = _STYLES[style]
    course = Course(lab=lab, name=f"d-{style}", write=write, python=lab.python, config_settings=config_settings)
    return _with_and_without_ccache(course, (tools.UV,), _MORE, rounds)


def measure_torch(lab: Lab, rounds: int) -> tuple[Group, ...]:
    """Measure rebuilds of the torch extension. Raises Skipped."""
    course = torch.course(lab, "d-torch", projects.torch_ninja)
    options = torch.options_of_uv(lab)
    peers = (tools.UV,) if options else ()
    return _with_and_without_ccache(torch.with_options(course, options), (), peers, rounds)


def _with_and_without_ccache(
    course: Course, peers: tuple[str, ...], more: tuple[str, ...], rounds: int
) -> tuple[Group, ...]:
    """Measure with `peers` everywhere, and with `more` where nothing has changed and ccache does not help."""
    groups = _rebuilds(course, peers, more, rounds)
    if shutil.which("ccache") is None:
        return groups
    again = torch.renamed(course, f"{course.name}/ccache", with_ccache=True)
    return (*groups, *_rebuilds(again, peers, (), rounds))


def _rebuilds(course: Course, peers: tuple[str, ...], more: tuple[str, ...], rounds: int) -> tuple[Group, ...]:
    behind = ", ccache" if course.with_ccache else ""
    running = entrants(course, (*_OURS, *peers, *more))
    # The first warm-up compiles everything, the second settles what is only done once: peers never settle.
    unchanged = [item.contestant(warm_ups=2 if item.tool in _OURS else 1) for item in running]
    changed = [item.contestant(before=_changing(item.source)) for item in running if item.tool not in more]
    return (
        race(f"{UNCHANGED}{behind}", unchanged, rounds),
        race(f"one of eight changed{behind}", changed, rounds),
    )


def _changing(source: Path) -> Callable[[], None]:
    revisions = itertools.count(1)
    return lambda: projects.change(source, next(revisions))


_ABOUT = (
    "Eight C++ sources in a source tree that keeps its build folder. "
    "The hooks alone run in an environment that stays where it is. "
    "A frontend whose environments have random paths changes every compiler command, and compiles everything again: "
    "the more of them there are, the longer this takes, so not all run in every table."
)
SCENARIOS = (
    *(
        Scenario(
            key=f"d-{style}",
            title=f"Rebuild: {_TITLES[style]}",
            about=_ABOUT,
            rounds=3,
            measure=partial(measure, style),
        )
        for style in _STYLES
    ),
    Scenario(
        key="d-torch",
        title="Rebuild: a torch extension",
        about=(
            f"{_ABOUT} torch passes through. "
            "uv build, which gets that torch from a local wheel, takes part where nothing has changed."
        ),
        rounds=3,
        measure=measure_torch,
    ),
)
