"""The installers: which there are, in which version, and which one is used."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from passbuild.doctor import programs
from passbuild.doctor.model import fine, note, problem, skipped
from passbuild.environment import installers
from passbuild.environment.installers import Uv
from passbuild.errors import InstallerNotFound
from passbuild.settings.model import InstallerChoice, Setting
from passbuild.values import replace

if sys.version_info >= (3, 11):
    from typing import assert_never
else:
    from typing_extensions import assert_never

if TYPE_CHECKING:
    from collections.abc import Iterator

    from passbuild.doctor.model import Finding
    from passbuild.doctor.scene import Scene
    from passbuild.environment.installers import Installer
    from passbuild.host.model import Host

_SUBJECT = "installer"


def findings(scene: Scene) -> Iterator[Finding]:
    """Say of uv and of pip whether they are there, and run them for their version; no index is asked."""
    host = scene.host
    if host is None:
        yield skipped(_SUBJECT, "not looked at, as there is no host to install for")
        return
    try:
        used = installers.chosen(scene.settings, host, scene.surroundings).name
    except InstallerNotFound as error:
        yield problem(_SUBJECT, error.message, error.hint)
        used = ""
    for choice in (InstallerChoice.UV, InstallerChoice.PIP):
        installer = _found(choice, host, scene)
        if installer is None:
            yield skipped(_SUBJECT, f"{choice.value} is not there")
        else:
            yield _told(installer, host, scene, is_used=installer.name == used)


def _found(choice: InstallerChoice, host: Host, scene: Scene) -> Installer | None:
    settings = replace(scene.settings, installer=Setting(value=choice, origin="passbuild doctor"))
    try:
        return installers.chosen(settings, host, scene.surroundings)
    except InstallerNotFound:
        return None


def _told(installer: Installer, host: Host, scene: Scene, *, is_used: bool) -> Finding:
    environ = {**installers.environ_for(scene.surroundings.environ), **installers.READING}
    environ["TMPDIR"] = str(scene.scratch)  # a pip that runs from its wheel leaves a file there
    finished = programs.told(_asking(installer, host), environ)
    setting = scene.settings.installer
    place = f", {installer.program}" if isinstance(installer, Uv) else ""
    if finished.returncode != 0:
        fact = f"{installer.name}{place} does not say its version: {programs.complaint(finished)}"
        return (
            problem(_SUBJECT, fact, "reinstall it, or choose the other --installer")
            if is_used
            else note(_SUBJECT, fact)
        )
    told = programs.first_line(finished)
    match setting.value:
        case _ if not is_used:
            return note(_SUBJECT, f"{told}{place}: not used")
        case InstallerChoice.AUTO:
            return fine(_SUBJECT, f"{told}{place}: used")
        case InstallerChoice.UV | InstallerChoice.PIP:
            return fine(_SUBJECT, f"{told}{place}: used, by {setting.origin}")
        case unreachable:
            assert_never(unreachable)


def _asking(installer: Installer, host: Host) -> list[str]:
    """Return the argument list that asks for the version: what stands before a command, and the option."""
    if isinstance(installer, Uv):
        return [str(installer.program), "--version"]
    checking = installer.checking(host.executable)
    return [*checking[: checking.index("check")], "--version"]
