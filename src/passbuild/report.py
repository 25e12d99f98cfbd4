"""The report: one value that says what happened, and its rendering as a JSON document.

The document is described in ``docs/reference/json.md``; `SCHEMA` grows when a reader would have to change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from passbuild.errors import BackendFailed, Mistaken, PassbuildError, Refused
from passbuild.redaction import presentable, redacted
from passbuild.settings.keys import KEYS
from passbuild.settings.model import Setting
from passbuild.values import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable
    from enum import Enum
    from pathlib import Path

    from packaging.utils import NormalizedName
    from packaging.version import Version

    from passbuild.artifact import Artifact
    from passbuild.environment.build_environment import BuildEnvironment
    from passbuild.errors import Cause
    from passbuild.host.model import Host
    from passbuild.into_host import Installation
    from passbuild.plan.explain import Explanation
    from passbuild.plan.model import Passed, Plan
    from passbuild.project.model import Project
    from passbuild.protection import Outcome
    from passbuild.settings.model import Settings
    from passbuild.wheel_store import Found

SCHEMA = 1
_LAST_LINES = 30

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


@frozen
class Step:
    """One step of a build."""

    name: str
    seconds: float
    """Wall-clock time."""


@frozen
class Built:
    """A build requirement that was built from its sdist, as it has no wheel."""

    name: NormalizedName
    version: Version
    passed: tuple[NormalizedName, ...]
    """What the host gave for its build."""
    used: tuple[NormalizedName, ...] = ()
    """Those of them that its build used, as far as can be seen."""


@frozen
class Report:
    """What happened, from the settings to the artifacts; on failure, as far as it came."""

    command: str
    """`wheel`, `sdist`, `build`, `plan` or `metadata`."""
    source: str
    """A path, or what was given to fetch; without credentials."""
    project: Project | None = None
    settings: Settings | None = None
    host: Host | None = None
    plan: Plan | None = None
    """The last plan that was made."""
    environment: BuildEnvironment | None = None
    """The last environment that was made."""
    protection: Outcome | None = None
    """How hooks were kept from writing the host; None where none ran, or nothing was to be protected."""
    reused: Found | None = None
    """The wheel that was built before, where one was."""
    reproducible: bool | None = None
    """Whether what was built twice came out the same; None where nothing was."""
    artifacts: tuple[Artifact, ...] = ()
    metadata: str | None = None
    """The text of METADATA, for `passbuild metadata`."""
    explanations: tuple[Explanation, ...] = ()
    """For `passbuild plan --explain`."""
    warnings: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    built: tuple[Built, ...] = ()
    """The build requirements that were built from their sdists, in that order."""
    kept: tuple[Path, ...] = ()
    """Folders that `--keep` left."""
    error: PassbuildError | None = None

    @property
    def artifact(self) -> Artifact:
        """The last artifact; the wheel, of `passbuild build`. Raises LookupError when there is none."""
        if not self.artifacts:
            raise LookupError("this report has no artifact")
        return self.artifacts[-1]

    def to_json(self) -> dict[str, Json]:
        """Return the document that `--json` prints: plain values, in a stable order, without credentials."""
        # Metadata is a document of its own; a URL of a project may have a query.
        return {**presentable(self._document()), "metadata": self.metadata}

    def _document(self) -> dict[str, Json]:
        return {
            "schema": SCHEMA,
            "command": self.command,
            "source": self.source,
            "project": _project(self.project) if self.project else None,
            "ok": self.error is None,
            "artifacts": [_artifact(item) for item in self.artifacts],
            "reused": {"place": self.reused.place, "built": round(self.reused.created)} if self.reused else None,
            "reproducible": self.reproducible,
            "hints": self._hints(),
            "metadata": self.metadata,
            "host": _host(self.host) if self.host else None,
            "settings": _settings(self.settings) if self.settings else None,
            "decisions": _decisions(self.plan) if self.plan else [],
            "explanations": [
                {"name": item.name, "answer": item.answer, "facts": list(item.facts)} for item in self.explanations
            ],
            "passed": [_passed(item) for item in self._passed()],
            "replaced": [_passed(item) for item in self.environment.replaced] if self.environment else [],
            "installed": self._installed(),
            "to_install": [str(item) for item in self.plan.install] if self.plan else [],
            "environment": self._environment(),
            "protection": {"means": self.protection.means.value, "reason": self.protection.reason}
            if self.protection
            else None,
            "built_requirements": [
                {"name": item.name, "version": str(item.version), "passed": list(item.passed)} for item in self.built
            ],
            "installer": self.environment.installer if self.environment else "",
            "dropped": list(self.plan.dropped) if self.plan else [],
            "warnings": list(self.warnings),
            "steps": [{"name": step.name, "seconds": round(step.seconds, 3)} for step in self.steps],
            "seconds": round(sum(step.seconds for step in self.steps), 3),
            "kept": [str(path) for path in self.kept],
            "error": error_document(self.error) if self.error else None,
        }

    def _passed(self) -> tuple[Passed, ...]:
        if self.environment is not None:
            return self.environment.passed
        return self.plan.passed if self.plan else ()

    def _hints(self) -> Json:
        """Return what tells a wheel from one that was built against other packages; an sdist is built against none."""
        from passbuild.plan import pins

        found = None if self.command == "sdist" else pins.hints(self._passed())
        return {"build_tag": found.build_tag, "local_version": found.local_version} if found else None

    def _environment(self) -> Json:
        if self.environment is None:
            return None
        lease = self.environment.lease
        return {
            "folder": str(self.environment.venv.folder),
            "stored": lease is not None,
            "reused": lease is not None and lease.reused,
        }

    def _installed(self) -> list[Json]:
        if self.environment is None:
            return []
        kept = self.reused.facts.get("installed") if self.reused else None
        if isinstance(kept, list):  # what the wheel was built with, more than what this run had to make
            return [{"name": name, "version": version} for name, _, version in (text.partition(" ") for text in kept)]
        return [{"name": item.name, "version": item.version} for item in self.environment.installed]


@frozen
class Summary:
    """What came of several sources."""

    command: str
    builds: tuple[Report, ...]
    """One for each source that was begun."""
    installation: Installation | None = None
    error: PassbuildError | None = None

    @classmethod
    def of(
        cls,
        command: str,
        reports: Iterable[Report],
        installation: Installation | None = None,
        error: PassbuildError | None = None,
    ) -> Summary:
        """Return the summary of the sources that were begun."""
        begun = tuple(report for report in reports if report.settings is not None or report.error is not None)
        done = installation or (error.installation if error else None)
        return cls(command=command, builds=begun, installation=done, error=error)

    @property
    def settings(self) -> Settings | None:
        """The settings of the first source; the options of the output are the same for all."""
        return self.builds[0].settings if self.builds else None

    @property
    def plan(self) -> None:
        """No plan is told here."""

    def to_json(self) -> dict[str, Json]:
        """Return the document that `--json` prints."""
        return {
            "schema": SCHEMA,
            "command": self.command,
            "ok": self.error is None,
            "builds": [item.to_json() for item in self.builds],
            "installation": presentable(_installation(self.installation)) if self.installation else None,
            "error": error_document(self.error) if self.error else None,
        }


def _installation(item: Installation) -> Json:
    return {
        "host": _host(item.host),
        "installer": item.installer,
        "dry_run": item.dry_run,
        "changes": [{"name": change.name, "before": change.before, "after": change.after} for change in item.changes],
        "imported": list(item.imported),
        "output": list(item.output) if item.dry_run else [],
    }


def _artifact(item: Artifact) -> Json:
    return {
        "path": str(item.path),
        "kind": item.kind,
        "name": item.name,
        "version": str(item.version),
        "size": item.size,
        "sha256": item.sha256,
    }


def _project(project: Project) -> Json:
    return {"name": project.name, "version": str(project.version) if project.version else None}


def _host(host: Host) -> Json:
    return {
        "executable": str(host.executable),
        "version": host.version,
        "implementation": host.implementation,
        "prefix": str(host.prefix),
        "reason": host.reason,
    }


def _passed(item: Passed) -> Json:
    distribution = item.distribution
    return {
        "name": distribution.name,
        "version": distribution.raw_version,
        "location": str(distribution.location),
        "named": item.named,
        "needed_by": list(item.needed_by),
        "editable": distribution.editable,
        "direct_url": str(distribution.direct_url) if distribution.direct_url else None,
        "size": distribution.size,
    }


def _decisions(plan: Plan) -> list[Json]:
    return [
        {
            "name": item.name,
            "action": item.action.value,
            "reason": item.reason,
            "wanted": item.wanted,
            "found": item.found,
            "origins": list(item.origins),
        }
        for item in plan.decisions
    ]


def _settings(settings: Settings) -> dict[str, Json]:
    values: dict[str, Json] = {"config-settings": dict(settings.config_settings)}  # type: ignore[arg-type]  # str and list[str] are Json
    for key in KEYS:
        value: object = getattr(settings, key.field, None)
        if isinstance(value, Setting):
            values[key.name] = _setting(value)
        elif isinstance(value, tuple):
            values[key.name] = [_setting(item) for item in value]
    # What the variables hold may be secret.
    values["environment"] = [{"value": item.value[0], "origin": item.origin} for item in settings.environment]
    values["no-passthrough"] = [_setting(item) for item in settings.taken_away]
    return dict(sorted(values.items()))


def _setting(item: Setting[object]) -> Json:
    return {"value": _plain(item.value), "origin": item.origin}


def _plain(value: object) -> Json:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    choice: Enum | object = getattr(value, "value", None)
    return choice if isinstance(choice, str) else redacted(str(value))


def _cause(cause: Cause) -> Json:
    return {
        "text": cause.text,
        "file": cause.file,
        "line": cause.line,
        "excerpt": list(cause.excerpt),
        "more": cause.more,
    }


def error_document(error: PassbuildError) -> dict[str, Json]:
    """Return an error as the documents show it."""
    document: dict[str, Json] = {
        "code": error.code,
        "message": error.message,
        "hint": error.hint,
        "exit_code": error.exit_code,
        "output": list(error.output[-_LAST_LINES:]),
        "log": str(error.log) if error.log else None,
        "requirement": error.requirement,
    }
    if isinstance(error, BackendFailed):
        document["cause"] = _cause(error.cause) if error.cause else None
    if isinstance(error, Refused):
        document["problems"] = [
            {"name": item.name, "wanted": item.wanted, "found": item.found, "hint": item.hint}
            for item in error.problems
        ]
    if isinstance(error, Mistaken):
        document["problems"] = [
            {"place": item.place, "problem": item.problem, "hint": item.hint} for item in error.mistakes
        ]
    return presentable(document)
