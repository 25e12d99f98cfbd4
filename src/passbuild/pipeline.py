"""The steps of a build, in the order in which the data flows. This module decides nothing.

settings → host → plan → environment → hooks → artifact → report
"""

from __future__ import annotations

import contextlib
import hashlib
from typing import TYPE_CHECKING, Literal

from packaging.utils import canonicalize_name

from passbuild import amend, artifact, workspace
from passbuild.environment import build_environment, fetch, installers, locks, memory
from passbuild.environment.fetch import Errand
from passbuild.environment.installation import Site
from passbuild.environment.sdists import BuiltWheel
from passbuild.environment.store import Store
from passbuild.errors import (
    BackendFailed,
    BuildCycle,
    HookContradiction,
    HostChanged,
    HostsDiffer,
    PassbuildError,
    PassthroughMissing,
    Unresolvable,
    VersionMismatch,
)
from passbuild.hooks import Backend
from passbuild.host import find, probe
from passbuild.host.model import Choice
from passbuild.plan.decide import decided
from passbuild.project import read
from passbuild.report import Built
from passbuild.settings import merge
from passbuild.settings.model import Setting
from passbuild.values import frozen, replace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from packaging.requirements import Requirement
    from packaging.utils import NormalizedName

    from passbuild import into_host
    from passbuild.environment.build_environment import BuildEnvironment
    from passbuild.hooks import Kind
    from passbuild.host.model import Host
    from passbuild.host.recall import Memory
    from passbuild.into_host import Installation, Parcel, Wish
    from passbuild.journal import Journal
    from passbuild.plan.model import Plan
    from passbuild.project.model import Project
    from passbuild.project.source import Source
    from passbuild.report import Report
    from passbuild.settings.merge import Given
    from passbuild.settings.model import Settings
    from passbuild.shelf import Shelf
    from passbuild.surroundings import Surroundings
    from passbuild.wheel_key import Recipe
    from passbuild.wheel_store import Found
    from passbuild.workspace import Workspace


@frozen
class Order:
    """What is to be done, as the caller gave it."""

    source: Source
    given: Given
    surroundings: Surroundings


@frozen
class Run:
    """What is settled before the first environment is made."""

    order: Order
    project: Project
    settings: Settings
    host: Host
    workspace: Workspace
    journal: Journal
    chain: tuple[str, ...]
    """The project, and the build requirements that are being built for it, each for the one before it."""
    owner: str = ""
    """The editable installation that keeps the environments; empty where anybody may reuse them."""


@frozen
class Job:
    """One of several orders, and the journal of what comes of it."""

    order: Order
    journal: Journal


def wheel(order: Order, journal: Journal) -> Report:
    """Build a wheel and publish it."""
    with workspace.opened(journal) as work:
        run = begun(order, work, journal)
        _built(run, "wheel", artifact.Identity(name=run.project.name, version=run.project.version))
    return journal.report


def sdist(order: Order, journal: Journal) -> Report:
    """Build an sdist and publish it."""
    with workspace.opened(journal) as work:
        run = begun(order, work, journal)
        read.refuse_ours(run.project)
        _built(run, "sdist", artifact.Identity(name=run.project.name, version=run.project.version))
    return journal.report


def sdist_and_wheel(order: Order, journal: Journal) -> Report:
    """Build an sdist, and a wheel from that sdist; publish both."""
    with workspace.opened(journal) as work:
        run = begun(order, work, journal)
        read.refuse_ours(run.project)
        environment = _built(run, "sdist", artifact.Identity(name=run.project.name, version=run.project.version))
        built = journal.report.artifact
        with journal.step("unpack the sdist"):
            project = read.opened(built.path, work.new_folder("sdist") / "source")
        # The wheel is that of the sdist, with the settings of the project from which one works.
        again = replace(run, project=replace(project, pyproject=run.project.pyproject))
        _built(again, "wheel", built.identity, reusable=environment)
    return journal.report


def install(jobs: Sequence[Job], wish: Wish, *, editable: bool = False) -> Installation:
    """Build a wheel of each source, or an editable one, and install them all into their host at once."""
    from passbuild import into_host

    with contextlib.ExitStack() as stack:
        runs = []
        parcels = []
        for job in jobs:
            work = stack.enter_context(workspace.opened(job.journal))
            with _noted(job.journal):
                run = _delivering(begun(job.order, work, job.journal), work)
                runs.append(run)
                parcels.append(_parcel(run, editable=editable))
        hosts = sorted({str(run.host.executable) for run in runs})
        if len(hosts) > 1:
            raise HostsDiffer(hosts=hosts)
        last = runs[-1]
        with last.journal.step("install into the host"):
            done = into_host.installed([item.parcel for item in parcels], wish, _errand(last))
        for item in parcels:
            _looked_after(item, done)
    return done


def plan(order: Order, journal: Journal) -> Report:
    """Say what a build would do; build nothing."""
    with workspace.opened(journal) as work:
        run = begun(order, work, journal, asks=True)
        _planned(run)
    return journal.report


def metadata(order: Order, journal: Journal) -> Report:
    """Prepare the metadata of the wheel, from the hook for it or from a wheel that is thrown away."""
    with workspace.opened(journal) as work:
        run = begun(order, work, journal)
        environment = ready(run, "wheel")
        backend = _backend(run, environment)
        folder = work.new_folder("metadata")
        with journal.step("prepare the metadata"), _diagnosed(run, environment):
            prepared = backend.metadata(folder)
            if prepared is not None:
                journal.metadata((prepared / "METADATA").read_text(encoding="utf-8"))
            else:
                built = backend.build("wheel", folder)
                artifact.checked_wheel(built, artifact.Identity(name=run.project.name))
                journal.metadata(artifact.metadata_of_wheel(built))
    return journal.report


def begun(order: Order, work: Workspace, journal: Journal, *, asks: bool = False) -> Run:
    """Open the project, collect the settings, find and read the host, which `asks` always makes a question to it."""
    project = _opened(order, work, journal)
    journal.project(project)
    settings = merge.collected(project, order.surroundings, order.given)
    journal.settings(settings)
    environ = installers.configured(settings, order.surroundings.environ)
    order = replace(order, surroundings=replace(order.surroundings, environ=environ))
    beside = order.surroundings.cwd if project.is_ours else project.folder
    choice = find.found(settings.host, beside, order.surroundings)
    with journal.step("read the host"):
        host = probe.probed(
            choice, _names(settings), order.surroundings.environ, None if asks else _memory(settings, order)
        )
    journal.host(host)
    chain = (project.name or project.folder.name,)
    return Run(order=order, project=project, settings=settings, host=host, workspace=work, journal=journal, chain=chain)


@frozen
class _Built:
    """A wheel for the host, and the environment that it was built in."""

    parcel: Parcel
    run: Run
    environment: BuildEnvironment


@contextlib.contextmanager
def _noted(journal: Journal) -> Iterator[None]:
    """Note in its own journal which of several builds failed."""
    try:
        yield
    except PassbuildError as error:
        journal.failed(error)
        raise


def _delivering(run: Run, work: Workspace) -> Run:
    """Return the run with an output folder of our own: what is installed needs no other place."""
    outdir = Setting(value=work.new_folder("built"), origin="passbuild install")
    return replace(run, settings=replace(run.settings, outdir=outdir))


def _parcel(run: Run, *, editable: bool) -> _Built:
    """Build what is to be installed into the host."""
    from passbuild.into_host import Parcel

    kind: Kind = "wheel"
    if editable:
        read.refuse_editable(run.project)
        kind, run = "editable", replace(run, owner=f"{run.project.folder} in {run.host.prefix}")
    environment = _built(run, kind, artifact.Identity(name=run.project.name, version=run.project.version))
    parcel = Parcel(
        artifact=run.journal.report.artifact,
        project=run.project,
        source=run.order.source,
        passed=environment.passed,
        is_editable=editable,
    )
    return _Built(parcel=parcel, run=run, environment=environment)


def _errand(run: Run) -> into_host.Errand:
    from passbuild import into_host

    surroundings = run.order.surroundings
    return into_host.Errand(
        host=run.host,
        installer=installers.chosen(run.settings.installer.value, run.host, surroundings),
        scratch=run.workspace.new_folder("install"),
        surroundings=surroundings,
        on_line=run.workspace.on_line,
        on_warning=run.journal.warning,
    )


def _looked_after(item: _Built, done: Installation) -> None:
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


def _opened(order: Order, work: Workspace, journal: Journal) -> Project:
    """Open the project, which a host's installer may have to fetch first, by what the user has set for it."""
    source = order.source
    if source.path is not None:
        return read.opened(source.path, work.source)
    settings = merge.of_user(order.surroundings, order.given, source.name)
    journal.settings(settings)
    environ = installers.configured(settings, order.surroundings.environ)
    surroundings = replace(order.surroundings, environ=environ)
    choice = find.found(settings.host, surroundings.cwd, surroundings)
    host = probe.probed(choice, (), environ, _memory(settings, order))
    errand = Errand(
        source=source,
        host=host,
        installer=installers.chosen(settings.installer.value, host, surroundings),
        scratch=work.new_folder("fetch"),
        surroundings=surroundings,
        on_line=work.on_line,
    )
    with journal.step("fetch the source"):
        tree = fetch.obtained(errand, _store(settings, order))
    return read.read(source.text, tree, is_ours=True)


def host_of(surroundings: Surroundings, given: Given) -> Host:
    """Return the host that would be chosen for what is fetched."""
    settings = merge.of_user(surroundings, given)
    return probe.probed(find.found(settings.host, surroundings.cwd, surroundings), (), surroundings.environ)


def ready(run: Run, kind: Kind, reusable: BuildEnvironment | None = None) -> BuildEnvironment:
    """Return an environment in which the backend can build, with what its hooks require in addition."""
    return _complete(run, kind, _static(run, reusable)).environment


@frozen
class _Complete:
    """An environment that has all, and what the hook had asked for in addition."""

    environment: BuildEnvironment
    dynamic: tuple[Setting[Requirement], ...]


def _static(run: Run, reusable: BuildEnvironment | None = None) -> BuildEnvironment:
    """Return an environment with what the project states."""
    made = _planned(run)
    return reusable if reusable is not None and _is_same(reusable.plan, made) else _environment(run, made)


def _complete(run: Run, kind: Kind, environment: BuildEnvironment) -> _Complete:
    """Ask the hook what else it needs, and return an environment that has that as well."""
    with run.journal.step("ask the backend what else it needs"), _diagnosed(run, environment):
        dynamic = _backend(run, environment).requires(kind)
    if not dynamic:
        return _Complete(environment=environment, dynamic=())
    again = _planned(run, dynamic)
    if environment.meets(again):
        return _Complete(environment=environment, dynamic=dynamic)
    try:
        return _Complete(environment=_environment(run, again), dynamic=dynamic)
    except Unresolvable as error:
        static = {canonicalize_name(item.name) for item in run.project.build_system.requires}
        if static.isdisjoint(canonicalize_name(item.value.name) for item in dynamic):
            raise  # the hook speaks of other packages: the installer's conclusion says what is wrong with them
        raise HookContradiction(
            hook=f"get_requires_for_build_{kind}",
            static=", ".join(map(str, run.project.build_system.requires)) or "nothing",
            dynamic=", ".join(str(item.value) for item in dynamic),
            conclusion=error.conclusion,
        ) from error


def _planned(run: Run, dynamic: Sequence[Setting[Requirement]] = ()) -> Plan:
    made = decided(run.project, run.settings, run.host, dynamic)
    run.journal.plan(made)
    if made.mismatches:
        raise VersionMismatch(problems=made.mismatches)
    if made.missing:
        raise PassthroughMissing(problems=made.missing)
    return made


def _environment(run: Run, made: Plan) -> BuildEnvironment:
    surroundings = run.order.surroundings
    installer = None
    if made.install:
        installer = installers.chosen(run.settings.installer.value, run.host, surroundings)
    site = Site(
        owner=run.owner,
        scratch=run.workspace.new_folder("environment"),
        source=run.project.folder,
        wheels=run.workspace.wheels,
        build_requirement=lambda tree: _requirement_built(run, tree),
        is_nested=len(run.chain) > 1,
        surroundings=surroundings,
        variables=dict(item.value for item in run.settings.environment),
        on_line=run.workspace.on_line,
        on_warning=run.journal.warning,
    )
    with run.journal.step("make the build environment"):
        environment = build_environment.obtained(made, run.host, installer, site, _store(run.settings, run.order))
    if environment.lease is not None:
        run.workspace.stack.callback(environment.lease.release)
    run.journal.environment(environment)
    for item in environment.replaced:
        run.journal.warning(
            f"the host's {item.distribution.name} {item.distribution.raw_version} does not fit what the build "
            "requires: another version is installed and used"
        )
    return environment


def _store(settings: Settings, order: Order) -> Store | None:
    """Return where environments are kept; None where they are to be temporary, or could not be shared safely."""
    if settings.no_store.value or settings.keep.value or not locks.IS_AVAILABLE:
        return None
    return Store.of(settings, order.surroundings)


def _memory(settings: Settings, order: Order) -> Memory | None:
    """Return where answers of hosts are kept; they are no environments, and `--no-store` has nothing against them."""
    if not locks.IS_AVAILABLE:
        return None
    return Store.of(settings, order.surroundings).memory()


def _requirement_built(run: Run, tree: Path) -> BuiltWheel:
    """Build a wheel of a build requirement that exists only as an sdist, with the same passthrough."""
    project = read.opened(tree, tree)
    name = project.name or f"{tree.name} ({_digest(tree)})"  # `src`, for uv, whatever it is
    chain = (*run.chain, name)
    if name in run.chain:
        raise BuildCycle(chain=chain)
    settings = merge.of_requirement(run.settings, project, run.order.surroundings, run.order.given)
    host = run.host
    if set(_names(settings)) != set(_names(run.settings)):
        choice = Choice(executable=host.executable, reason=host.reason)
        host = probe.probed(choice, _names(settings), run.order.surroundings.environ)
    journal = run.journal.of_requirement(name, tree)
    inner = replace(run, project=project, settings=settings, host=host, journal=journal, chain=chain)
    identity = artifact.Identity(name=project.name, version=project.version)
    try:
        with run.journal.step(f"build the requirement {name} from its sdist"):
            environment = ready(inner, "wheel")
            with _diagnosed(inner, environment):
                staged = _backend(inner, environment).build("wheel", run.workspace.new_folder("wheel"))
            is_new = not (run.workspace.wheels / staged.name).exists()
            built = artifact.published(staged, "wheel", run.workspace.wheels, identity)
    except PassbuildError as error:
        error.requirement = error.requirement or name
        raise
    passed = tuple(item.distribution.name for item in environment.passed)
    run.journal.built(Built(name=built.name, version=built.version, passed=passed))
    return BuiltWheel(name=built.name, path=built.path, is_new=is_new)


def _digest(tree: Path) -> str:
    """Return a short digest of a source tree that states no name."""
    digest = hashlib.sha256()
    for file in sorted(path for path in tree.rglob("*") if path.is_file()):
        digest.update(str(file.relative_to(tree)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:8]


def _names(settings: Settings) -> list[NormalizedName]:
    return [canonicalize_name(item.value.name) for item in settings.passthrough]


def _backend(run: Run, environment: BuildEnvironment) -> Backend:
    work = run.workspace
    return Backend(run.project, environment, run.settings.config_settings, work.on_line, artifact.get_ready)


def _built(
    run: Run,
    kind: Kind,
    expected: artifact.Identity,
    reusable: BuildEnvironment | None = None,
) -> BuildEnvironment:
    outdir = _outdir(run)
    artifact.check_outdir(outdir)
    is_amended = kind == "wheel" and amend.is_wanted(run.settings)
    form: Literal["wheel", "sdist"] = "sdist" if kind == "sdist" else "wheel"
    environment = _static(run, reusable)
    shelf = _shelf(run, kind, environment)
    with artifact.staging(outdir) as staging:
        found = _found(run, shelf, environment, staging)
        if found is not None:
            run.journal.reused(found)
            run.journal.artifact(artifact.published(found.path, form, outdir, expected))
            return environment
        complete = _complete(run, kind, environment)
        environment = complete.environment
        is_stale = _warned_of_stale(run, environment)
        with run.journal.step(f"build the {kind}"), _diagnosed(run, environment):
            staged = _backend(run, environment).build(kind, staging)
        if is_amended:
            artifact.checked(staged, form, expected)
            with run.journal.step("write into the wheel what it was built against"):
                amend.amended(staged, run.settings, _basis(run, environment))
        done = artifact.published(staged, form, outdir, expected)
        run.journal.artifact(done)
    kept = _store(run.settings, run.order)
    if kept is not None and not run.project.is_ours and not is_stale:  # what is stale has to be said again
        memory.note(kept, run.project.folder, environment)
    if kind == "wheel":
        for name in environment.untouched(run.workspace.log.read_text(encoding="utf-8", errors="replace")):
            run.journal.warning(f"{name} was passed through, but the build did not use it, as far as can be seen")
    if shelf is not None:
        warnings = run.journal.report.warnings
        shelf.keep(done.path, _recipe(run, environment), complete.dynamic, warnings, run.journal.warning)
    return environment


def _shelf(run: Run, kind: Kind, environment: BuildEnvironment) -> Shelf | None:
    """Return where the wheel is kept; None for a source folder, in which anything may change until the next run."""
    path = run.order.source.path
    is_folder = path is not None and path.is_dir()
    if kind != "wheel" or is_folder or _store(run.settings, run.order) is None:
        return None
    from passbuild import shelf

    return shelf.of(_recipe(run, environment), run.order.surroundings, run.journal.warning)


def _recipe(run: Run, environment: BuildEnvironment) -> Recipe:
    from passbuild.wheel_key import Recipe

    return Recipe(project=run.project, settings=run.settings, host=run.host, environment=environment)


def _found(run: Run, shelf: Shelf | None, environment: BuildEnvironment, folder: Path) -> Found | None:
    if shelf is None:
        return None
    with run.journal.step("look for the wheel among those built before"):
        return shelf.found(folder, lambda: _complete(run, "wheel", environment).environment, run.journal.warning)


def _basis(run: Run, environment: BuildEnvironment) -> amend.Basis:
    variables = {**run.order.surroundings.environ, **dict(item.value for item in run.settings.environment)}
    return amend.Basis(
        passed=environment.passed,
        installed=environment.installed,
        markers=run.host.markers,
        epoch=variables.get("SOURCE_DATE_EPOCH", ""),
    )


def _warned_of_stale(run: Run, environment: BuildEnvironment) -> bool:
    """Warn of build folders that were compiled against other passed packages; return whether there are any."""
    kept = _store(run.settings, run.order)
    folders = memory.stale(kept, run.project.folder, environment) if kept is not None else ()
    for folder in folders:
        run.journal.warning(
            f"{folder} was compiled against other passed packages, and Meson may not notice: remove it, build again"
        )
    return bool(folders)


def _outdir(run: Run) -> Path:
    if run.settings.outdir is not None:
        return run.settings.outdir.value
    path = run.order.source.path
    if path is None:
        return run.order.surroundings.cwd
    return path.parent if path.is_file() else path / "dist"


def _is_same(before: Plan, now: Plan) -> bool:
    return (before.install, before.passed, before.constraints) == (now.install, now.passed, now.constraints)


@contextlib.contextmanager
def _diagnosed(run: Run, environment: BuildEnvironment) -> Iterator[None]:
    """Add advice to the failure of a hook."""
    try:
        yield
    except BackendFailed as error:
        from passbuild import diagnosis

        source, environ = run.project.folder, run.order.surroundings.environ
        error.advice = diagnosis.advice(error.lines, source, run.host, environment, environ)
        raise
