"""Deliver wheels to the host: what `passbuild install` does beside building."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from passbuild import artifact, into_host
from passbuild.environment import installers
from passbuild.errors import HostChanged, PassbuildError
from passbuild.into_host import Parcel
from passbuild.project import read
from passbuild.settings.model import InstallerChoice, Setting
from passbuild.stages.make import publish
from passbuild.values import frozen, replace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from passbuild.environment.build_environment import BuildEnvironment
    from passbuild.environment.installers import Installer
    from passbuild.hooks import Kind
    from passbuild.into_host import Installation
    from passbuild.journal import Journal
    from passbuild.stages.begin import Run
    from passbuild.workspace import Workspace


@frozen
class Crate:
    """A wheel for the host, and the environment that it was built in."""

    parcel: Parcel
    run: Run
    environment: BuildEnvironment


@contextlib.contextmanager
def noted(journal: Journal) -> Iterator[None]:
    """Note in its own journal which of several builds failed."""
    try:
        yield
    except PassbuildError as error:
        journal.failed(error)
        raise


def with_own_outdir(run: Run, work: Workspace) -> Run:
    """Return the run with an output folder of our own: what is installed needs no other place."""
    outdir = Setting(value=work.new_folder("built"), origin="passbuild install")
    return replace(run, settings=replace(run.settings, outdir=outdir))


def parcel(run: Run, *, editable: bool) -> Crate:
    """Build what is to be installed into the host."""
    kind: Kind = "wheel"
    if editable:
        read.refuse_editable(run.project)
        kind, run = "editable", replace(run, owner=f"{run.project.folder} in {run.host.prefix}")
    environment = publish(run, kind, artifact.Identity(name=run.project.name, version=run.project.version))
    parcel = Parcel(
        artifact=run.journal.report.artifact,
        project=run.project,
        source=run.order.source,
        passed=environment.passed,
        is_editable=editable,
    )
    return Crate(parcel=parcel, run=run, environment=environment)


def errand(run: Run, crates: Sequence[Crate]) -> into_host.Errand:
    """Return who installs, and with what around it. Raises InstallerNotFound."""
    surroundings = run.order.surroundings
    return into_host.Errand(
        host=run.host,
        installer=_installer(run, crates),
        scratch=run.workspace.new_folder("install"),
        surroundings=surroundings,
        on_line=run.workspace.on_line,
        on_warning=run.journal.warning,
    )


def _installer(run: Run, crates: Sequence[Crate]) -> Installer:
    """Return pip where a passed package lies outside of the host's own folders: uv does not see it and installs it."""
    surroundings = run.order.surroundings
    chosen = installers.chosen(run.settings, run.host, surroundings)
    passed = [item.distribution for crate in crates for item in crate.parcel.passed]
    outside = sorted({item.name for item in passed if not item.location.is_relative_to(run.host.prefix)})
    if chosen.name == "pip" or not outside:
        return chosen
    names = ", ".join(outside)
    if run.settings.installer.value is InstallerChoice.UV:
        run.journal.warning(
            f"uv may install another copy of {names}, which the host has from elsewhere: --installer pip"
        )
        return chosen
    run.journal.warning(f"pip installs, as uv does not see {names}, which the host has from elsewhere")
    pip = replace(run.settings.installer, value=InstallerChoice.PIP)
    return installers.chosen(replace(run.settings, installer=pip), run.host, surroundings)


def looked_after(item: Crate, done: Installation) -> None:
    """Check that the passed packages are as they were, and keep the environment of an editable installation."""
    changes = item.environment.host_changes()
    if changes:
        raise HostChanged(hook="the installation", changes=changes)
    info = done.infos.get(item.parcel.artifact.name)
    if item.parcel.is_editable and info is not None:
        if item.environment.lease is not None:
            item.environment.lease.hold(info)
        else:
            item.run.journal.warning(
                "the build environment is a temporary one: a backend that rebuilds on import will not find it"
            )
