"""Make an artifact: run the hook, or find the wheel that was built before; check and publish it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

from passbuild import amend, artifact
from passbuild.environment import memory
from passbuild.stages.begin import store_of
from passbuild.stages.prepare import backend_of, completed, diagnosed, static

if TYPE_CHECKING:
    from pathlib import Path

    from passbuild.environment.build_environment import BuildEnvironment
    from passbuild.hooks import Kind
    from passbuild.shelf import Shelf
    from passbuild.stages.begin import Run
    from passbuild.wheel_key import Recipe
    from passbuild.wheel_store import Found


def publish(
    run: Run,
    kind: Kind,
    expected: artifact.Identity,
    reusable: BuildEnvironment | None = None,
) -> BuildEnvironment:
    """Make an artifact and publish it; return the environment that it was made in."""
    outdir = _outdir(run)
    artifact.check_outdir(outdir)
    real = os.path.realpath(outdir)
    if kind == "wheel":
        amend.is_wanted(run.settings)  # what is not possible is said before anything is made
    form: Literal["wheel", "sdist"] = "sdist" if kind == "sdist" else "wheel"
    environment = static(run, reusable)
    shelf = _shelf(run, kind, environment)
    twin = _twin(run, kind, outdir)
    with artifact.staging(outdir, real) as staging:
        found = _found(run, shelf, environment, staging)
        if found is not None:
            if twin is not None:
                _verify(run, twin, found.path, environment, expected)
            run.journal.reused(found)
            run.journal.artifact(artifact.published(found.path, form, outdir, expected))
            return environment
        complete = completed(run, kind, environment)
        environment = complete.environment
        is_stale = _warned_of_stale(run, environment)
        staged = _built(run, kind, environment, staging, expected)
        if twin is not None:
            _verify(run, twin, staged, environment, expected)
        done = artifact.published(staged, form, outdir, expected)
        run.journal.artifact(done)
    kept = store_of(run.settings, run.order)
    if kept is not None and not run.project.is_ours and not is_stale:  # what is stale has to be said again
        memory.note(kept, run.project.folder, environment)
    warnings = _of_unused(run, environment) if kind == "wheel" else []
    for text in warnings:
        run.journal.warning(text)
    if shelf is not None:
        shelf.keep(done.path, _recipe(run, environment), complete.dynamic, warnings, run.journal.warning)
    return environment


def _twin(run: Run, kind: Kind, outdir: Path) -> Run | None:
    """Return the same run in a copy of the source tree, where everything is to be built twice."""
    if not run.settings.verify_reproducible.value:
        return None
    from passbuild.stages import verify

    return verify.twin(run, kind, outdir)


def _built(run: Run, kind: Kind, environment: BuildEnvironment, folder: Path, expected: artifact.Identity) -> Path:
    """Build into a folder, and write what is wanted into a wheel."""
    with run.journal.step(f"build the {kind}"), diagnosed(run, environment):
        staged = backend_of(run, environment).build(kind, folder)
        run.workspace.places.check()
    if kind == "wheel" and amend.is_wanted(run.settings):
        artifact.checked(staged, "wheel", expected)
        with run.journal.step("write into the wheel what it was built against"):
            amend.amended(staged, run.settings, _basis(run, environment))
    return staged


def _verify(run: Run, twin: Run, first: Path, environment: BuildEnvironment, expected: artifact.Identity) -> None:
    """Build again what `first` is, with the same hooks, and compare. Raises NotReproducible."""
    kind: Kind = "wheel" if first.name.endswith(".whl") else "sdist"

    def make(folder: Path) -> Path:
        same = completed(twin, kind, environment).environment
        return _built(twin, kind, same, folder, expected)

    from passbuild.stages import verify

    verify.verified(run, first, twin, expected, make)


def _of_unused(run: Run, environment: BuildEnvironment) -> list[str]:
    used = {name for item in run.journal.report.built for name in item.used}
    names = [name for name in environment.untouched(run.workspace.said()) if name not in used]
    return [f"{name} was passed through, but the build did not use it, as far as can be seen" for name in names]


def _shelf(run: Run, kind: Kind, environment: BuildEnvironment) -> Shelf | None:
    """Return where the wheel is kept; None for a source folder, in which anything may change until the next run."""
    path = run.order.source.path
    is_folder = path is not None and path.is_dir()
    if kind != "wheel" or is_folder or store_of(run.settings, run.order) is None:
        return None
    from passbuild import shelf

    return shelf.of(_recipe(run, environment), run.order.surroundings, run.journal.warning)


def _recipe(run: Run, environment: BuildEnvironment) -> Recipe:
    from passbuild.wheel_key import Recipe

    return Recipe(
        project=run.project,
        is_checkout=run.order.source.is_of_git,
        settings=run.settings,
        host=run.host,
        environment=environment,
    )


def _found(run: Run, shelf: Shelf | None, environment: BuildEnvironment, folder: Path) -> Found | None:
    if shelf is None:
        return None
    with run.journal.step("look for the wheel among those built before"):
        return shelf.found(folder, lambda: completed(run, "wheel", environment).environment, run.journal.warning)


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
    kept = store_of(run.settings, run.order)
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
    return path.parent if path.is_file() else artifact.default_outdir(path)
