"""Build from Python: functions that do what the commands do, and return the report."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from passbuild import pipeline, workspace
from passbuild.errors import HostChanged, PassbuildError, SystemRefused
from passbuild.journal import Journal
from passbuild.project.source import of_path, understood
from passbuild.report import Summary
from passbuild.settings.merge import Given
from passbuild.surroundings import Surroundings

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping

    from passbuild.environment.build_environment import BuildEnvironment
    from passbuild.into_host import Installation
    from passbuild.journal import Event
    from passbuild.report import Report

    Tell = Callable[[Event], None]
    Source = str | os.PathLike[str]


def build_wheel(source: Source = ".", *, tell: Tell | None = None, **settings: object) -> Report:
    """Build a wheel and publish it.

    Keyword arguments are the settings, named as on the command line with underscores; lists for repeatable ones:
    `passthrough=["torch"]`, `host=".venv"`, `outdir="dist"`, `config_settings={"key": "value"}`. Sources of settings
    (pyproject.toml, the user's file, environment variables) count as on the command line. `tell` hears each event.

    Raises PassbuildError, whose `report` attribute has what was known when it was raised.
    """
    return _run("wheel", pipeline.wheel, source, tell, settings)


def build_sdist(source: Source = ".", *, tell: Tell | None = None, **settings: object) -> Report:
    """Build an sdist and publish it. Arguments and errors are those of `build_wheel`."""
    return _run("sdist", pipeline.sdist, source, tell, settings)


def build_sdist_and_wheel(source: Source = ".", *, tell: Tell | None = None, **settings: object) -> Report:
    """Build an sdist, and a wheel from it; publish both. Arguments and errors are those of `build_wheel`."""
    return _run("build", pipeline.sdist_and_wheel, source, tell, settings)


def install(
    *sources: Source,
    editable: bool = False,
    dry_run: bool = False,
    check_import: bool = False,
    tell: Tell | None = None,
    **settings: object,
) -> Summary:
    """Build a wheel of each source, and install them all into the host with what they require.

    What passed through is never replaced. `editable` installs folders by PEP 660; `check_import` imports what was
    installed. Other arguments and errors are those of `build_wheel`, but it is an error's `summary` that has what was
    known; besides, CannotInstall when the installer cannot, and ImportFails.
    """
    from passbuild.into_host import Wish

    orders = [_order(source, settings) for source in sources or (".",)]
    jobs = [pipeline.Job(order=order, journal=Journal("install", str(order.source), tell)) for order in orders]
    wish = Wish(dry_run=dry_run, check_import=check_import)

    def summary(error: PassbuildError | None = None, done: Installation | None = None) -> Summary:
        return Summary.of("install", [job.journal.report for job in jobs], done, error)

    try:
        return summary(None, pipeline.install(jobs, wish, editable=editable))
    except PassbuildError as error:
        error.summary = summary(error)
        raise
    except OSError as error:
        refused = SystemRefused.of(error)
        if refused is None:
            raise
        refused.summary = summary(refused)
        raise refused from error


def make_plan(source: Source = ".", *, tell: Tell | None = None, **settings: object) -> Report:
    """Return what a build would do, and build nothing. Arguments and errors are those of `build_wheel`."""
    return _run("plan", pipeline.plan, source, tell, settings)


def prepare_metadata(source: Source = ".", *, tell: Tell | None = None, **settings: object) -> Report:
    """Prepare the wheel's metadata: the report's `metadata`. Arguments and errors are those of `build_wheel`."""
    return _run("metadata", pipeline.metadata, source, tell, settings)


@contextlib.contextmanager
def build_environment(
    source: Source = ".",
    kind: Literal["wheel", "sdist"] = "wheel",
    *,
    tell: Tell | None = None,
    **settings: object,
) -> Iterator[BuildEnvironment]:
    """Yield a build environment for a project: it satisfies `build.env.IsolatedEnv`.

    It holds what the project and its backend's ``get_requires_for_build_*`` hook require, and the passed packages of
    the host. Use it within the block: afterwards it may be removed or made anew, and with ``no_store=True`` it is gone.
    Arguments and errors are those of `build_wheel`; besides, HostChanged when the host was changed within the block.

    `build.ProjectBuilder.from_isolated_env(environment, source)` runs hooks in it.
    """
    order = _order(source, settings)
    journal = Journal("environment", str(order.source), tell)
    with _reported(journal), workspace.opened(journal) as work:
        environment = pipeline.ready(pipeline.begun(order, work, journal), kind)
        yield environment
        changes = environment.host_changes()
        if changes:
            raise HostChanged(hook="a hook", changes=changes)


def _run(
    command: str,
    step: Callable[[pipeline.Order, Journal], Report],
    source: Source,
    tell: Tell | None,
    settings: Mapping[str, object],
) -> Report:
    order = _order(source, settings)
    journal = Journal(command, str(order.source), tell)
    with _reported(journal):
        return step(order, journal)


def _order(source: Source, settings: Mapping[str, object]) -> pipeline.Order:
    surroundings = Surroundings.here()
    values = {name: _plain(value) for name, value in settings.items()}
    what = understood(source, surroundings.cwd) if isinstance(source, str) else of_path(surroundings.cwd / source)
    given = Given(values=values, spelled_as_options=False)
    return pipeline.Order(source=what, given=given, surroundings=surroundings)


def _plain(value: object) -> object:
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


@contextlib.contextmanager
def _reported(journal: Journal) -> Iterator[None]:
    try:
        yield
    except PassbuildError as error:
        error.report = journal.failed(error)
        raise
    except OSError as error:
        refused = SystemRefused.of(error)
        if refused is None:
            raise
        refused.report = journal.failed(refused)
        raise refused from error
