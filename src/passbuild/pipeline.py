"""The steps of a build, in the order in which the data flows. This module decides nothing.

settings → host → plan → environment → hooks → artifact → report
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from passbuild import artifact, workspace
from passbuild.errors import HostsDiffer, PassbuildError
from passbuild.project import read
from passbuild.stages.begin import Order, begun, host_of
from passbuild.stages.make import publish
from passbuild.stages.prepare import backend_of, diagnosed, planned, ready
from passbuild.values import frozen, replace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from passbuild.into_host import Installation, Wish
    from passbuild.journal import Journal
    from passbuild.report import Report

__all__ = [
    "Job",
    "Order",
    "begun",
    "host_of",
    "install",
    "metadata",
    "plan",
    "ready",
    "sdist",
    "sdist_and_wheel",
    "wheel",
]


@frozen
class Job:
    """One of several orders, and the journal of what comes of it."""

    order: Order
    journal: Journal


def wheel(order: Order, journal: Journal) -> Report:
    """Build a wheel and publish it."""
    with workspace.opened(journal) as work:
        run = begun(order, work, journal)
        publish(run, "wheel", artifact.Identity(name=run.project.name, version=run.project.version))
    return journal.report


def sdist(order: Order, journal: Journal) -> Report:
    """Build an sdist and publish it."""
    with workspace.opened(journal) as work:
        run = begun(order, work, journal)
        read.refuse_ours(run.project)
        publish(run, "sdist", artifact.Identity(name=run.project.name, version=run.project.version))
    return journal.report


def sdist_and_wheel(order: Order, journal: Journal) -> Report:
    """Build an sdist, and a wheel from that sdist; publish both."""
    with workspace.opened(journal) as work:
        run = begun(order, work, journal)
        read.refuse_ours(run.project)
        environment = publish(run, "sdist", artifact.Identity(name=run.project.name, version=run.project.version))
        built = journal.report.artifact
        with journal.step("unpack the sdist"):
            project = read.opened(built.path, work.new_folder("sdist") / "source")
        # The wheel is that of the sdist, with the settings of the project from which one works.
        again = replace(run, project=replace(project, pyproject=run.project.pyproject))
        publish(again, "wheel", built.identity, reusable=environment)
    return journal.report


def install(jobs: Sequence[Job], wish: Wish, *, editable: bool = False) -> Installation:
    """Build a wheel of each source, or an editable one, and install them all into their host at once."""
    from passbuild import into_host
    from passbuild.stages import deliver

    with contextlib.ExitStack() as stack:
        runs = []
        crates = []
        for job in jobs:
            work = stack.enter_context(workspace.opened(job.journal))
            with deliver.noted(job.journal):
                run = deliver.with_own_outdir(begun(job.order, work, job.journal), work)
                runs.append(run)
                crates.append(deliver.parcel(run, editable=editable))
                run.others.close()  # whoever has another folder of these may wait for this one
        hosts = sorted({str(run.host.executable) for run in runs})
        if len(hosts) > 1:
            raise HostsDiffer(hosts=hosts)
        last = runs[-1]
        parcels, errand = [item.parcel for item in crates], deliver.errand(last, crates)
        with last.journal.step("install into the host"):
            done = into_host.installed(parcels, wish, errand)
        for item in crates:
            deliver.looked_after(item, done)
        if wish.check_import and not wish.dry_run:
            try:
                with last.journal.step("import what was installed"):
                    done = replace(done, imported=into_host.imported(parcels, errand))
            except PassbuildError as error:
                error.installation = done
                raise
    return done


def plan(order: Order, journal: Journal) -> Report:
    """Say what a build would do; build nothing."""
    with workspace.opened(journal) as work:
        run = begun(order, work, journal, asks=True)
        planned(run)
    return journal.report


def metadata(order: Order, journal: Journal) -> Report:
    """Prepare the metadata of the wheel, from the hook for it or from a wheel that is thrown away."""
    with workspace.opened(journal) as work:
        run = begun(order, work, journal)
        environment = ready(run, "wheel")
        backend = backend_of(run, environment)
        folder = work.new_folder("metadata")
        with journal.step("prepare the metadata"), diagnosed(run, environment):
            prepared = backend.metadata(folder)
            if prepared is not None:
                journal.metadata(artifact.metadata_of(prepared))
            else:
                built = backend.build("wheel", folder)
                artifact.checked_wheel(built, artifact.Identity(name=run.project.name))
                journal.metadata(artifact.metadata_of_wheel(built))
    return journal.report
