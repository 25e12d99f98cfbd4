"""What a check finds, and what all of them add up to."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from passbuild.redaction import presentable
from passbuild.values import frozen

if TYPE_CHECKING:
    from passbuild.host.model import Host
    from passbuild.project.model import Project
    from passbuild.report import Json
    from passbuild.settings.model import Settings

_UNITS = ("B", "kB", "MB", "GB")
_STEP = 1000
_FROM_REPORT = ("schema", "command", "source", "project", "host", "settings")


class State(Enum):
    """What a finding means for a build."""

    OK = "ok"
    NOTE = "note"
    """Good to know."""
    WARNING = "warning"
    """Some builds will not work, or not as one would think."""
    PROBLEM = "problem"
    """This build will not work; without a project, those that need it."""
    SKIPPED = "skipped"
    """Not looked at, or not needed."""


@frozen
class Finding:
    """A fact that was measured."""

    subject: str
    """What was looked at, in a word or two: `host`, `C compiler`, `CUDA`."""
    state: State
    fact: str
    """One line."""
    cure: str = ""
    """What to type or to change; empty where there is nothing to do."""


@frozen
class Checkup:
    """All findings about a machine, and about a project on it."""

    source: str
    """The project's folder or archive, or what was given to fetch; without credentials."""
    project: Project | None
    """None where there is none, or none that can be read."""
    settings: Settings | None
    """None where they cannot be read."""
    host: Host | None
    """None where it was not found, or does not answer."""
    findings: tuple[Finding, ...]

    @property
    def is_sound(self) -> bool:
        """Whether there is no problem."""
        return self.count(State.PROBLEM) == 0

    def count(self, state: State) -> int:
        """Return how many findings are in a state."""
        return sum(item.state is state for item in self.findings)

    def to_json(self) -> dict[str, Json]:
        """Return the document that `--json` prints; what a report has as well is as it is there."""
        from passbuild.report import Report

        like = Report(
            command="doctor", source=self.source, project=self.project, settings=self.settings, host=self.host
        ).to_json()
        return {
            **{key: like[key] for key in _FROM_REPORT},
            "ok": self.is_sound,
            "findings": [
                {
                    "subject": item.subject,
                    "state": item.state.value,
                    "fact": presentable(item.fact),
                    "cure": presentable(item.cure),
                }
                for item in self.findings
            ],
            "counts": {state.value: self.count(state) for state in State},
        }


def fine(subject: str, fact: str) -> Finding:
    """Return that something is as it should be."""
    return Finding(subject=subject, state=State.OK, fact=fact)


def note(subject: str, fact: str, cure: str = "") -> Finding:
    """Return something that is good to know."""
    return Finding(subject=subject, state=State.NOTE, fact=fact, cure=cure)


def warning(subject: str, fact: str, cure: str = "") -> Finding:
    """Return what some builds will not work with."""
    return Finding(subject=subject, state=State.WARNING, fact=fact, cure=cure)


def problem(subject: str, fact: str, cure: str = "") -> Finding:
    """Return what this build will not work with."""
    return Finding(subject=subject, state=State.PROBLEM, fact=fact, cure=cure)


def skipped(subject: str, fact: str) -> Finding:
    """Return what was not looked at, and why."""
    return Finding(subject=subject, state=State.SKIPPED, fact=fact)


def amount(count: float) -> str:
    """Return a number of bytes in SI units."""
    for unit in _UNITS[:-1]:
        if count < _STEP:
            return f"{count:.0f} {unit}"
        count /= _STEP
    return f"{count:.1f} {_UNITS[-1]}"
