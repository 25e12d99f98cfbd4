"""Prepare what the hooks run in: plan, environment, and what a hook asks for in addition."""

from __future__ import annotations

import contextlib
import hashlib
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from passbuild import artifact
from passbuild.environment import build_environment, installers
from passbuild.environment.installation import Site
from passbuild.environment.sdists import BuiltWheel
from passbuild.errors import (
    BackendFailed,
    BuildCycle,
    HookContradiction,
    PassbuildError,
    PassthroughMissing,
    Unresolvable,
    VersionMismatch,
)
from passbuild.hooks import Backend, Calling
from passbuild.host import probe, zone
from passbuild.host.model import Choice
from passbuild.plan.decide import decided
from passbuild.project import read
from passbuild.protection import Guard, Means
from passbuild.report import Built
from passbuild.settings import merge
from passbuild.settings.model import ProtectHost
from passbuild.stages.begin import names_of, store_of
from passbuild.values import frozen, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from packaging.requirements import Requirement

    from passbuild.environment.build_environment import BuildEnvironment
    from passbuild.hooks import Kind
    from passbuild.host.zone import Passing
    from passbuild.plan.model import Plan
    from passbuild.protection import Zone
    from passbuild.settings.model import Setting
    from passbuild.stages.begin import Run


def ready(run: Run, kind: Kind, reusable: BuildEnvironment | None = None) -> BuildEnvironment:
    """Return an environment in which the backend can build, with what its hooks require in addition."""
    return completed(run, kind, static(run, reusable)).environment


@frozen
class Completed:
    """An environment that has all, and what the hook had asked for in addition."""

    environment: BuildEnvironment
    dynamic: tuple[Setting[Requirement], ...]


def static(run: Run, reusable: BuildEnvironment | None = None) -> BuildEnvironment:
    """Return an environment with what the project states."""
    made = planned(run)
    return reusable if reusable is not None and _is_same(reusable.plan, made) else _environment(run, made)


def completed(run: Run, kind: Kind, environment: BuildEnvironment) -> Completed:
    """Ask the hook what else it needs, and return an environment that has that as well."""
    with run.journal.step("ask the backend what else it needs"), diagnosed(run, environment):
        dynamic = backend_of(run, environment).requires(kind)
    if not dynamic:
        return Completed(environment=environment, dynamic=())
    again = planned(run, dynamic)
    if environment.meets(again):
        return Completed(environment=environment, dynamic=dynamic)
    try:
        return Completed(environment=_environment(run, again), dynamic=dynamic)
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


def backend_of(run: Run, environment: BuildEnvironment) -> Backend:
    """Return the project's build backend, whose hooks run in this environment."""
    settings = run.settings
    calling = Calling(
        config_settings=settings.config_settings,
        on_line=run.workspace.on_line,
        meanwhile=artifact.get_ready,
        timeout=settings.timeout.value or None,
        guard=_guard(run, lambda: _zone(run, environment)),
    )
    return Backend(run.project, environment, calling)


def _guard(run: Run, guarded: Callable[[], Zone]) -> Guard:
    mode = run.settings.protect_host.value
    return Guard(
        zone=guarded() if mode is not ProtectHost.OFF else None,
        is_needed=mode is ProtectHost.ON,
        on_outcome=run.journal.protection,
    )


def _zone(run: Run, environment: BuildEnvironment) -> Zone:
    """Return what the hooks have no business with, and what they have to write all the same."""
    passing = zone.Passing([item.distribution for item in environment.passed], environment.host_files)
    folder = run.workspace.folder
    # Hooks may write into the environment that they run in, but not into what the next build reuses.
    layered = [(environment.lease.folder / "env", folder / "layer-0")] if environment.lease is not None else []
    inside = (run.project.folder, folder, environment.venv.folder)
    for path in zone.linked(run.host, run.order.surroundings.environ):
        if not any(item.is_relative_to(path) for item in inside):
            layered.append((path, folder / f"layer-{len(layered)}"))
    return _zone_of(run, passing, layered)


def _zone_of(run: Run, passing: Passing, layered: Sequence[tuple[Path, Path]] = ()) -> Zone:
    kept = store_of(run.settings, run.order)
    configuration = [merge.config_file(run.order.surroundings, run.order.given)]
    ours = zone.Ours(
        held=[*([kept.root] if kept is not None else []), *configuration],
        marks=[run.workspace.root],
        writable=[run.project.folder, run.workspace.work],
        layered=layered,
    )
    # By the user's variables alone: a project may set some for its hooks, and HOME among them.
    found = zone.of(run.host, passing, ours, run.order.surroundings.environ, run.workspace.places)
    run.workspace.places.settle()  # whatever it is for, it may be a program of others
    return found


@contextlib.contextmanager
def diagnosed(run: Run, environment: BuildEnvironment) -> Iterator[None]:
    """Add to the failure of a hook what went wrong first, and advice."""
    try:
        yield
    except BackendFailed as error:
        from passbuild.diagnosis import advice, cause

        if error.status > 0 or error.backend:
            error.cause = cause.found(error.lines, run.project.folder)
        scene = advice.Scene(
            project=run.project,
            host=run.host,
            environment=environment,
            environ=run.order.surroundings.environ,
            folders=_written(run),
            protected=_protected(run, environment),
        )
        error.advice = advice.given(error, scene)
        raise


def _protected(run: Run, environment: BuildEnvironment) -> tuple[Path, ...]:
    """Return what the system kept the hooks from writing."""
    outcome = run.journal.report.protection
    if outcome is None or outcome.means is Means.NOTHING:
        return ()
    guarded = _zone(run, environment)
    return tuple(place.path for place in (*guarded.protected, *guarded.also))


def _written(run: Run) -> tuple[Path, ...]:
    """Return the folders that a build writes to."""
    kept, outdir = store_of(run.settings, run.order), run.settings.outdir
    more = ((kept.root,) if kept is not None else ()) + ((outdir.value,) if outdir is not None else ())
    return (run.project.folder, run.workspace.folder, *more)


def planned(run: Run, dynamic: Sequence[Setting[Requirement]] = ()) -> Plan:
    """Return the plan. Raises VersionMismatch or PassthroughMissing."""
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
        installer = installers.chosen(run.settings, run.host, surroundings)
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
        guard=replace(
            _guard(run, lambda: _zone_of(run, zone.Passing([item.distribution for item in made.passed], ()))),
            on_outcome=lambda _: None,  # it is that of the hooks, which is told of them
        ),
    )
    with run.journal.step("make the build environment"):
        environment = build_environment.obtained(made, run.host, installer, site, store_of(run.settings, run.order))
    if environment.lease is not None:
        run.workspace.stack.callback(environment.lease.release)
    run.journal.environment(environment)
    for item in environment.replaced:
        run.journal.warning(
            f"the host's {item.distribution.name} {item.distribution.raw_version} does not fit what the build "
            "requires: another version is installed and used"
        )
    return environment


def _requirement_built(run: Run, tree: Path) -> BuiltWheel:
    """Build a wheel of a build requirement that exists only as an sdist, with the same passthrough."""
    project = read.opened(tree, tree)
    name = project.name or f"{tree.name} ({_digest(tree)})"  # `src`, for uv, whatever it is
    chain = (*run.chain, name)
    if name in run.chain:
        raise BuildCycle(chain=chain)
    settings = merge.of_requirement(run.settings, project, run.order.surroundings, run.order.given)
    host = run.host
    if set(names_of(settings)) != set(names_of(run.settings)):
        choice = Choice(executable=host.executable, reason=host.reason)
        host = probe.probed(choice, names_of(settings), run.order.surroundings.environ)
    journal = run.journal.of_requirement(name, tree)
    inner = replace(run, project=project, settings=settings, host=host, journal=journal, chain=chain, owner="")
    identity = artifact.Identity(name=project.name, version=project.version)
    try:
        with run.journal.step(f"build the requirement {name} from its sdist"):
            environment = ready(inner, "wheel")
            with diagnosed(inner, environment):
                staged = backend_of(inner, environment).build("wheel", run.workspace.new_folder("wheel"))
            is_new = not (run.workspace.wheels / staged.name).exists()
            built = artifact.published(staged, "wheel", run.workspace.wheels, identity)
    except PassbuildError as error:
        error.requirement = error.requirement or name
        raise
    passed = tuple(item.distribution.name for item in environment.passed)
    untouched = environment.untouched(run.workspace.said())
    used = tuple(name for name in passed if name not in untouched)
    run.journal.built(Built(name=built.name, version=built.version, passed=passed, used=used))
    return BuiltWheel(name=built.name, path=built.path, is_new=is_new)


def _digest(tree: Path) -> str:
    """Return a short digest of a source tree that states no name."""
    digest = hashlib.sha256()
    for file in sorted(path for path in tree.rglob("*") if path.is_file()):
        digest.update(str(file.relative_to(tree)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:8]


def _is_same(before: Plan, now: Plan) -> bool:
    return (before.install, before.passed, before.constraints) == (now.install, now.passed, now.constraints)
