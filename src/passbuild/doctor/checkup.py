"""Look at everything, one subject after the other; what is broken is a finding, and the rest is looked at too."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from passbuild import scratch
from passbuild.doctor import compilers, cuda, host, inquiry, installers, machine, mpi, rocm, storage, tools, torch
from passbuild.doctor.model import Checkup, Finding, fine, problem, skipped, warning
from passbuild.doctor.scene import Scene, languages
from passbuild.errors import PassbuildError
from passbuild.host import find, probe
from passbuild.plan.decide import decided
from passbuild.project import read, source
from passbuild.redaction import redacted
from passbuild.settings import merge
from passbuild.stages.begin import names_of
from passbuild.values import frozen, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from packaging.utils import NormalizedName

    from passbuild.host.model import Host
    from passbuild.project.model import Project
    from passbuild.settings.merge import Given
    from passbuild.settings.model import Settings
    from passbuild.surroundings import Surroundings

T = TypeVar("T")
_HERE = "."


@frozen
class Request:
    """What is to be looked at, as the caller gave it."""

    source: str
    given: Given
    surroundings: Surroundings


def examined(request: Request) -> Checkup:
    """Return what there is to say about a machine, and about a project on it. No network is used, nothing is built."""
    with scratch.opened() as place:
        return _Doctor(request, place.new_folder("doctor")).checkup()


class _Doctor:
    """One examination; takes down what is found."""

    def __init__(self, request: Request, scratch: Path) -> None:
        self._request = request
        self._surroundings = request.surroundings
        self._scratch = scratch
        self._findings: list[Finding] = []
        self._name: NormalizedName | None = None

    def checkup(self) -> Checkup:
        self._findings += machine.findings(self._surroundings)
        project = self._project()
        settings = self._tried("settings", lambda: self._settings(project))
        scene = self._scene(project, settings or self._defaults())
        for item in _all(scene):
            self._findings.append(item)
        return Checkup(
            source=redacted(project.given if project else self._request.source),
            project=project,
            settings=settings,
            host=scene.host,
            findings=tuple(self._findings),
        )

    def _project(self) -> Project | None:
        """Open the project, where there is one that need not be fetched."""
        text = self._request.source
        here = self._surroundings.cwd
        if text == _HERE and not read.is_project(here):
            self._findings.append(skipped("project", f"{here} holds none: only the machine is looked at"))
            return None
        understood = self._tried("project", lambda: source.understood(text, here))
        if understood is None:
            return None
        self._name = understood.name
        path = understood.path
        if path is None:
            self._findings.append(skipped("project", f"{understood.text} would be fetched, which is not done here"))
            return None
        project = self._tried("project", lambda: read.opened(path, self._scratch / "source"))
        if project is not None:
            name = project.name or "without a static name"
            self._findings.append(fine("project", f"{name} in {path}, built by {project.build_system.backend}"))
        return project

    def _settings(self, project: Project | None) -> Settings:
        if project is None:
            return merge.of_user(self._surroundings, self._request.given, self._name)
        return merge.collected(project, self._surroundings, self._request.given)

    def _defaults(self) -> Settings:
        """Return the settings that count where nobody sets anything: the others cannot be read."""
        environ = {
            name: value for name, value in self._surroundings.environ.items() if not name.startswith("PASSBUILD_")
        }
        nobody = replace(self._surroundings, environ=environ, config_file=Path(os.devnull))
        return merge.of_user(nobody, replace(self._request.given, values={}, config_file=None))

    def _scene(self, project: Project | None, settings: Settings) -> Scene:
        found = self._tried("host", lambda: self._host(project, settings))
        compiling = inquiry.compiling(found, self._surroundings.environ) if found else None
        if isinstance(compiling, inquiry.Unanswered):
            fact = f"the host does not say how its extensions are compiled: {compiling.reason}"
            self._findings.append(warning("host", fact))
        return Scene(
            surroundings=self._surroundings,
            settings=settings,
            project=project,
            host=found,
            plan=decided(project, settings, found) if project and found else None,
            compiling=None if isinstance(compiling, inquiry.Unanswered) else compiling,
            languages=languages(project.folder) if project else frozenset(),
            scratch=self._scratch,
        )

    def _host(self, project: Project | None, settings: Settings) -> Host:
        beside = project.folder if project and not project.is_ours else self._surroundings.cwd
        choice = find.found(settings.host, beside, self._surroundings)
        return probe.probed(choice, names_of(settings), self._surroundings.environ)

    def _tried(self, subject: str, act: Callable[[], T]) -> T | None:
        """Return what `act` does; an error of ours is a finding."""
        try:
            return act()
        except PassbuildError as error:
            message = " ".join(error.message.splitlines())
            self._findings.append(problem(subject, message, error.hint))
            return None


def _all(scene: Scene) -> Iterator[Finding]:
    yield from host.findings(scene)
    yield from installers.findings(scene)
    yield from storage.findings(scene)
    yield from compilers.findings(scene)
    yield from tools.findings(scene)
    answer = torch.asked(scene)
    yield from torch.findings(scene, answer)
    known = None if isinstance(answer, inquiry.Unanswered) else answer
    yield from cuda.findings(scene, known)
    yield from rocm.findings(scene, known)
    yield from mpi.findings(scene)
