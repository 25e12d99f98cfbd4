"""The host, and what of it passes through."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from passbuild.doctor.model import fine, note, problem, skipped, warning
from passbuild.doctor.programs import tried
from passbuild.host import zone
from passbuild.plan.model import Action
from passbuild.protection import Means, Places
from passbuild.settings.model import ProtectHost

if TYPE_CHECKING:
    from collections.abc import Iterator

    from passbuild.doctor.model import Finding
    from passbuild.doctor.scene import Scene
    from passbuild.host.model import Distribution, Host
    from passbuild.plan.model import Plan

_PASSED = "passthrough"


def findings(scene: Scene) -> Iterator[Finding]:
    """Say which host it is and what may be done with it, and what the plan says of its packages."""
    host = scene.host
    if host is None:
        yield skipped(_PASSED, "not looked at, as there is no host")
        return
    implementation = "" if host.implementation == "cpython" else f" ({host.implementation})"
    yield fine("host", f"Python {host.version}{implementation} in {host.prefix}, by {host.reason}")
    if scene.compiling is not None:
        yield _written(scene)
    yield _protected(scene, host)
    if scene.plan is not None:
        yield from _planned(scene.plan)
    else:
        yield from _named(scene, host)


def _written(scene: Scene) -> Finding:
    """Return whether packages can be installed there, which `passbuild install` does and nothing else."""
    assert scene.compiling is not None  # looked at before
    folder = scene.compiling.packages
    if scene.compiling.is_managed:
        cure = "builds only read it; for passbuild install make an environment (python -m venv)"
        return note("host", f"another package manager keeps {folder} (PEP 668)", cure)
    if not os.access(folder, os.W_OK | os.X_OK):
        return note("host", f"{folder} cannot be written", "builds only read it; passbuild install needs to write")
    return fine("host", f"{folder} can be written, as passbuild install needs")


def _protected(scene: Scene, host: Host) -> Finding:
    """Return whether hooks can be kept from writing it, which is tried on a program that does nothing."""
    setting = scene.settings.protect_host
    if setting.value is ProtectHost.OFF:
        return skipped("host", f"not protected from hooks, by {setting.origin}; changes are looked for afterwards")
    passed = [item.distribution for item in scene.plan.passed] if scene.plan else []
    ours = zone.Ours(held=(), marks=(), writable=[scene.scratch, *([scene.project.folder] if scene.project else [])])
    guarded = zone.of(host, zone.Passing(passed, ()), ours, scene.surroundings.environ, Places())
    outcome = tried(guarded, scene.surroundings.environ, is_needed=setting.value is ProtectHost.ON)
    if outcome.means is not Means.NOTHING:
        return fine("host", f"read-only for hooks, by {outcome.means.value}")
    fact = f"hooks cannot be kept from writing it ({outcome.reason}); changes are looked for afterwards"
    cure = "--protect-host auto builds all the same" if setting.value is ProtectHost.ON else ""
    return problem("host", fact, cure) if cure else note("host", fact)


def _planned(plan: Plan) -> Iterator[Finding]:
    for item in (*plan.mismatches, *plan.missing):
        yield problem(_PASSED, f"{item.name}: wanted {item.wanted}, found {item.found}", item.hint)
    for text in plan.warnings:
        yield warning(_PASSED, text)
    named = [item.distribution for item in plan.passed if item.named]
    yield from map(_passed, named)
    members = [item.distribution for item in plan.passed if not item.named]
    if members:
        names = ", ".join(item.name for item in members)
        yield note(_PASSED, f"and what they need: {names}")
    yield from (_readable(item) for item in (*named, *members) if not os.access(item.location, os.R_OK | os.X_OK))
    warned = {decision.name for decision in plan.decisions if any(decision.name in text for text in plan.warnings)}
    for decision in plan.decisions:
        if not decision.origins or decision.name in warned:
            continue
        if decision.action is Action.INSTALL:
            cure = "install it on the host, or have that refused with --on-missing error"
            yield warning(_PASSED, f"{decision.name}: {decision.reason}", cure)
        elif decision.action is Action.SKIP:
            yield note(_PASSED, f"{decision.name}: {decision.reason}")
    if not any(decision.origins for decision in plan.decisions):
        yield skipped(_PASSED, "nothing is named to pass through")


def _named(scene: Scene, host: Host) -> Iterator[Finding]:
    """Say of each named package, without a project that might require it, whether it is there."""
    names = sorted({canonicalize_name(item.value.name) for item in scene.settings.passthrough})
    for name in names:
        distribution = host.distributions.get(name)
        yield _passed(distribution) if distribution else warning(_PASSED, f"{name} is not on the host")
    if not names:
        yield skipped(_PASSED, "no project, and nothing is named to pass through")


def _passed(item: Distribution) -> Finding:
    editable = ", editable" if item.editable else ""
    return fine(_PASSED, f"{item.name} {item.raw_version} in {item.location}{editable}")


def _readable(item: Distribution) -> Finding:
    return problem(_PASSED, f"{item.name}: {item.location} cannot be read", f"chmod -R a+rX {item.location}")
