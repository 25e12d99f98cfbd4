"""The journal of one run: it tells a listener what happens as it happens, and adds up to the report."""

from __future__ import annotations

import contextlib
import time
from enum import Enum
from typing import TYPE_CHECKING

from passbuild.report import Report, Step
from passbuild.values import frozen, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from passbuild.artifact import Artifact
    from passbuild.environment.build_environment import BuildEnvironment
    from passbuild.errors import PassbuildError
    from passbuild.host.model import Host
    from passbuild.plan.model import Plan
    from passbuild.project.model import Project
    from passbuild.protection import Outcome
    from passbuild.report import Built
    from passbuild.settings.model import Settings
    from passbuild.wheel_store import Found


class Topic(Enum):
    """What an event is about."""

    SETTINGS = "settings"
    """The settings are known; `Event.report` has them."""
    HOST = "host"
    """The host is known."""
    PLAN = "plan"
    """A plan was made."""
    ENVIRONMENT = "environment"
    """A build environment was made."""
    STEP = "step"
    """A step begins; `Event.text` says which."""
    DONE = "done"
    """The step has ended; `Event.seconds` says after how long."""
    LINE = "line"
    """A line of the installer's or backend's output."""
    PROGRESS = "progress"
    """A report to a program of how far a download is, of which there are many."""
    WARNING = "warning"
    BUILT = "built"
    """A build requirement was built from its sdist."""
    REUSED = "reused"
    """A wheel was built before; `Event.text` says where it was kept."""
    PROTECTION = "protection"
    """It is known how hooks are kept from writing the host."""
    REPRODUCIBLE = "reproducible"
    """An artifact was built twice; `Event.report` says whether both are the same."""
    ARTIFACT = "artifact"
    """An artifact was published."""
    KEPT = "kept"
    """`Event.text` is a folder that was kept."""


@frozen
class Event:
    """Something that happened."""

    topic: Topic
    report: Report
    """The report so far."""
    text: str = ""
    seconds: float = 0.0


class Journal:
    """Takes down what happens in one run."""

    def __init__(self, command: str, source: str, tell: Callable[[Event], None] | None = None) -> None:
        self._report = Report(command=command, source=source)
        self._tell = tell

    @property
    def report(self) -> Report:
        """The report so far."""
        return self._report

    def settings(self, settings: Settings) -> None:
        """Note the settings."""
        self._report = replace(self._report, settings=settings)
        self._event(Topic.SETTINGS)

    def project(self, project: Project) -> None:
        """Note what the project states about itself."""
        self._report = replace(self._report, project=project)

    def host(self, host: Host) -> None:
        """Note the host."""
        self._report = replace(self._report, host=host)
        self._event(Topic.HOST)

    def plan(self, plan: Plan) -> None:
        """Note a plan and its warnings."""
        self._report = replace(self._report, plan=plan)
        self._event(Topic.PLAN)
        for text in plan.warnings:
            self.warning(text)

    def environment(self, environment: BuildEnvironment) -> None:
        """Note a build environment."""
        self._report = replace(self._report, environment=environment)
        self._event(Topic.ENVIRONMENT)

    def line(self, text: str) -> None:
        """Note a line of another program's output."""
        self._event(Topic.LINE, text)

    def progress(self, text: str) -> None:
        """Tell how far a download is."""
        self._event(Topic.PROGRESS, text)

    def warning(self, text: str) -> None:
        """Note a warning, once."""
        if text not in self._report.warnings:
            self._report = replace(self._report, warnings=(*self._report.warnings, text))
            self._event(Topic.WARNING, text)

    def artifact(self, artifact: Artifact) -> None:
        """Note a published artifact."""
        self._report = replace(self._report, artifacts=(*self._report.artifacts, artifact))
        self._event(Topic.ARTIFACT, str(artifact.path))

    def reused(self, wheel: Found) -> None:
        """Note that a wheel was built before, and what was said of it then."""
        self._report = replace(self._report, reused=wheel)
        self._event(Topic.REUSED, wheel.place)
        warnings = wheel.facts.get("warnings", [])
        for text in warnings if isinstance(warnings, list) else []:
            self.warning(text)

    def reproducible(self, *, is_so: bool) -> None:
        """Note whether an artifact that was built twice came out the same."""
        self._report = replace(self._report, reproducible=is_so)
        self._event(Topic.REPRODUCIBLE)

    def metadata(self, text: str) -> None:
        """Note the metadata that was asked for."""
        self._report = replace(self._report, metadata=text)

    def kept(self, folder: Path) -> None:
        """Note a folder that was kept."""
        self._report = replace(self._report, kept=(*self._report.kept, folder))
        self._event(Topic.KEPT, str(folder))

    def protection(self, outcome: Outcome) -> None:
        """Note how hooks were kept from writing the host."""
        if outcome != self._report.protection:
            self._report = replace(self._report, protection=outcome)
            self._event(Topic.PROTECTION)

    def built(self, requirement: Built) -> None:
        """Note a build requirement that was built from its sdist."""
        self._report = replace(self._report, built=(*self._report.built, requirement))
        self._event(Topic.BUILT, f"{requirement.name} {requirement.version}")

    def of_requirement(self, name: str, source: Path) -> Journal:
        """Return a journal for the build of a build requirement; its warnings are told here, and what it had built."""

        def tell(event: Event) -> None:
            if event.topic is Topic.BUILT:
                self.built(event.report.built[-1])
            # That a named package is not there, or that nothing requires it, was said of the project already.
            of_plan = event.report.plan.warnings if event.report.plan else ()
            if event.topic is Topic.WARNING and event.text not in of_plan:
                self.warning(f"{name}: {event.text}")

        return Journal("wheel", str(source), tell)

    def failed(self, error: PassbuildError) -> Report:
        """Note how the run failed."""
        self._report = replace(self._report, error=error)
        return self._report

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Take the time of a step, also of one that fails."""
        self._event(Topic.STEP, name)
        begin = time.monotonic()
        try:
            yield
        finally:
            seconds = time.monotonic() - begin
            self._report = replace(self._report, steps=(*self._report.steps, Step(name=name, seconds=seconds)))
        self._event(Topic.DONE, name, seconds)

    def _event(self, topic: Topic, text: str = "", seconds: float = 0.0) -> None:
        if self._tell is not None:
            self._tell(Event(topic=topic, report=self._report, text=text, seconds=seconds))
