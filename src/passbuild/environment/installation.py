"""Install what a plan asks for into a new environment: stand-ins, the installer, a check; then the stand-ins go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement
from packaging.utils import parse_wheel_filename

from passbuild.environment import contents, installers, sdists, stand_ins
from passbuild.environment.installers import Start, Task
from passbuild.errors import IncompleteInstall, Unresolvable
from passbuild.project import pep508
from passbuild.redaction import redacted
from passbuild.values import frozen, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from packaging.utils import NormalizedName

    from passbuild.environment.installers import Installer, Run
    from passbuild.environment.sdists import BuiltWheel, Inbox
    from passbuild.environment.venv import Venv
    from passbuild.plan.model import Passed, Plan
    from passbuild.protection import Guard
    from passbuild.surroundings import Surroundings


@frozen
class Site:
    """Where environments are made, and how what happens there is told."""

    scratch: Path
    """A folder of ours that is gone after the run."""
    source: Path
    """The source tree that is going to be built."""
    wheels: Path
    """The folder with the wheels that were built of build requirements."""
    build_requirement: Callable[[Path], BuiltWheel]
    """Builds the source tree of a build requirement into `wheels`."""
    is_nested: bool
    """Whether another environment is being made meanwhile: to wait for a third could be for ever."""
    surroundings: Surroundings
    variables: Mapping[str, str]
    """Environment variables for the hooks alone, as if they had been set around passbuild."""
    owner: str
    """Who keeps the environment, an editable installation; empty where anybody may reuse it."""
    on_line: Callable[[str], None]
    on_warning: Callable[[str], None]
    guard: Guard
    """What an installer, which may build an sdist, is kept from writing."""
    is_kept: bool = False
    """Whether the environment is kept for other builds, so that no hook may write there."""


def done(
    plan: Plan, installer: Installer, place: Venv, site: Site
) -> tuple[tuple[Passed, ...], tuple[NormalizedName, ...]]:
    """Install into `place`.

    Return what still passes through, as the resolution may have replaced closure members, and the names of the wheels
    that were built of sdists for it, in this run.

    Raises Unresolvable or IncompleteInstall.
    """
    standing = stand_ins.write(plan.passed, place.site_packages)
    _install(plan, installer, place, site)
    kept = _checked(plan, installer, place, standing)
    stand_ins.remove(standing)
    built = {parse_wheel_filename(wheel.name)[0] for wheel in site.wheels.glob("*.whl")}
    return kept, tuple(sorted(built & contents.listed(place.site_packages).keys()))


def _install(plan: Plan, installer: Installer, place: Venv, site: Site) -> None:
    if not plan.passed:  # as ever: the installer builds what it has to, in an isolation of its own
        finished = _run(plan, installer, _task(plan, place, site), site)
        if finished.returncode != 0:
            raise _unresolvable(plan, installer, finished)
        return
    task = _task(plan, place, site, wheels=site.wheels)
    with sdists.handed_over(place, site.scratch, site.surroundings.cwd) as inbox:
        fixed = _with_closure(task, plan, site)
        try:
            _resolve(plan, installer, fixed, inbox, site)
        except Unresolvable:
            if fixed is task:
                raise
            site.on_line("passbuild: once more, with other versions allowed of what the passed packages need")
            _resolve(plan, installer, task, inbox, site)


def _with_closure(task: Task, plan: Plan, site: Site) -> Task:
    """Return the task with the closure members at the host's versions, which another copy may replace if it has to."""
    members = [item.distribution for item in plan.passed if not item.named and item.distribution.version is not None]
    if not members:
        return task
    file = site.scratch / "closure.txt"
    file.write_text("".join(f"{item.name}=={item.version}\n" for item in members), encoding="utf-8")
    return replace(task, closure=file)


def _resolve(plan: Plan, installer: Installer, task: Task, inbox: Inbox, site: Site) -> None:
    """Install, building what the installer hands over. Raises Unresolvable."""
    seen = set(inbox.trees())
    while (finished := _run(plan, installer, task, site)).returncode != 0:
        trees = [tree for tree in inbox.trees() if tree not in seen]
        if not trees:
            raise _unresolvable(plan, installer, finished)
        seen.update(trees)
        task = _with_wheels(task, installer, [site.build_requirement(tree) for tree in trees])


def _task(plan: Plan, place: Venv, site: Site, *, wheels: Path | None = None) -> Task:
    constraints = list(plan.constraints)
    if constraints:  # uv looks at its variable only where there is no such option
        named = site.surroundings.environ.get("UV_CONSTRAINT", "").split()
        constraints += [site.surroundings.cwd / name for name in named]
    return Task(
        venv=place,
        requirements=site.scratch / "requirements.txt",
        constraints=constraints,
        wheels=wheels,
        has_byte_code=site.is_kept,
    )


def _run(plan: Plan, installer: Installer, task: Task, site: Site) -> Run:
    lines = list(sdists.from_wheels(plan.install, task.wheels) if task.wheels else map(str, plan.install))
    _refuse_more_than_lines(lines, installer)
    limits = [f"-c {task.closure.name}"] if task.closure else []
    task.requirements.write_text("".join(f"{line}\n" for line in (*installer.lines, *limits, *lines)), encoding="utf-8")
    # A pip that runs from a wheel leaves its certificates in the folder for temporary files (Python 3.8).
    variables = {"TMPDIR": str(site.scratch), **installer.variables(task, site.surroundings.environ)}
    start = Start(
        argv=installer.command(task),
        variables=variables,
        scratch=site.scratch,
        guard=site.guard.may_write(task.venv.folder),
    )
    # Installers take user and password out of what they print of a URL, but not a token in its query.
    return installers.run(installer, start, site.surroundings, lambda line: site.on_line(redacted(line)))


def _refuse_more_than_lines(lines: Sequence[str], installer: Installer) -> None:
    """Raise Unresolvable for a requirement that would be several lines of a file, or hold a variable."""
    for line in lines:
        try:
            pep508.decoded(line)
        except InvalidRequirement as error:
            raise Unresolvable(installer=installer.name, conclusion=[f"{redacted(repr(line))}: {error}"]) from error


def _with_wheels(task: Task, installer: Installer, wheels: Sequence[BuiltWheel]) -> Task:
    """Return the task for the next try; a wheel that the installer did not take has to be taken now."""
    again = {item.name for item in wheels if not item.is_new}
    if again & set(task.only_binary):
        names = ", ".join(sorted(again))
        conclusion = [f"it does not take the wheel that was built of the sdist of {names}, whose hash is another one"]
        raise Unresolvable(installer=installer.name, conclusion=conclusion)
    return replace(task, only_binary=(*task.only_binary, *sorted(again)))


def _unresolvable(plan: Plan, installer: Installer, finished: Run) -> Unresolvable:
    conclusion = installer.conclusion(finished.lines)
    return Unresolvable(installer=installer.name, conclusion=conclusion, passed=plan.pins)


def _checked(plan: Plan, installer: Installer, place: Venv, standing: Mapping[Path, str]) -> tuple[Passed, ...]:
    """Check that the installer did what it was asked: exit code 0 is not proof. Return what still passes through."""
    found = contents.listed(place.site_packages)
    findings = [
        f"{requirement} is not met in the build environment" for requirement in contents.unmet(plan.install, found)
    ]
    kept = []
    for item in plan.passed:
        folder = place.site_packages / stand_ins.folder_name(item.distribution)
        if folder not in standing or stand_ins.digest(folder) == standing[folder]:
            kept.append(item)
        elif item.named:
            findings.append(f"it replaced {item.distribution.name}, which was to come from the host")
        elif folder.is_dir():
            findings.append(f"it changed the stand-in of {item.distribution.name}")
    if findings:
        raise IncompleteInstall(installer=installer.name, findings=findings)
    return tuple(kept)
