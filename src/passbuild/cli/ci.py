"""What the logs of CI services understand beside text: groups that fold, annotations, a summary of the job."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from passbuild.cli.paint import fitting
from passbuild.redaction import redacted
from passbuild.settings.model import Ci

if TYPE_CHECKING:
    from collections.abc import Mapping

    from passbuild.errors import PassbuildError
    from passbuild.report import Report

_SIGNS = (("GITHUB_ACTIONS", Ci.GITHUB), ("GITLAB_CI", Ci.GITLAB), ("TF_BUILD", Ci.AZURE))
"""The variables by which the services are known; each is documented to be ``true`` there."""


class Dialect(Protocol):
    """How one service wants it written."""

    def begin(self, title: str) -> str:
        """Return what begins a group."""

    def end(self) -> str:
        """Return what ends the group."""

    def output(self, text: str) -> str:
        """Return a line of another program so that it commands nothing."""

    def warning(self, text: str) -> str:
        """Return the annotation for a warning; empty where the service has none."""

    def error(self, error: PassbuildError, file: str, line: int) -> str:
        """Return the annotation for the error, at a file of the repository where one is at fault; or nothing."""


def dialect(choice: Ci, environ: Mapping[str, str]) -> Dialect | None:
    """Return the dialect of the service that was chosen, or in which this runs; None outside of any."""
    if choice is Ci.AUTO:
        choice = next((ci for name, ci in _SIGNS if environ.get(name, "").lower() == "true"), Ci.NONE)
    match choice:
        case Ci.GITHUB:
            return GitHub()
        case Ci.GITLAB:
            return GitLab()
        case Ci.AZURE:
            return Azure()
        case _:
            return None


class GitHub:
    """GitHub Actions: https://docs.github.com/actions/reference/workflow-commands-for-github-actions."""

    def __init__(self) -> None:
        self._token = ""

    def begin(self, title: str) -> str:
        """Begin a group; in it nothing that a backend prints is taken for a command."""
        from secrets import token_hex  # slow to import, and of no use elsewhere

        self._token = token_hex(16)
        return f"::group::{_github(_plain(title))}\n::stop-commands::{self._token}"

    def end(self) -> str:
        """Let commands be commands again, and end the group."""
        return f"::{self._token}::\n::endgroup::"

    def output(self, text: str) -> str:
        """Return it as it is: commands are stopped."""
        return text

    def warning(self, text: str) -> str:
        """Return a warning for the list of annotations."""
        return f"::warning title=passbuild::{_github(_plain(text))}"

    def error(self, error: PassbuildError, file: str, line: int) -> str:
        """Return an error, which is also shown beside the line of the change."""
        place = f"file={_github_property(file)}," + (f"line={line}," if line else "") if file else ""
        return f"::error {place}title={_github_property(f'passbuild: {error.code}')}::{_github(_told(error))}"


class GitLab:
    """GitLab CI: https://docs.gitlab.com/ci/jobs/job_logs/#custom-collapsible-sections; it has no annotations."""

    def __init__(self) -> None:
        self._count = 0

    def begin(self, title: str) -> str:
        """Begin a section."""
        self._count += 1
        return f"\x1b[0Ksection_start:{int(time.time())}:{self._name}[collapsed=true]\r\x1b[0K{_in_one_line(title)}"

    def end(self) -> str:
        """End the section."""
        return f"\x1b[0Ksection_end:{int(time.time())}:{self._name}\r\x1b[0K"

    def output(self, text: str) -> str:
        """Return it as it is: what commands needs control characters, which are left out."""
        return text

    def warning(self, text: str) -> str:
        """Return nothing."""
        del text
        return ""

    def error(self, error: PassbuildError, file: str, line: int) -> str:
        """Return nothing."""
        del error, file, line
        return ""

    @property
    def _name(self) -> str:
        return f"passbuild_{self._count}"


class Azure:
    """Azure Pipelines: https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands."""

    def begin(self, title: str) -> str:
        """Begin a group."""
        return f"##[group]{_in_one_line(title)}"

    def end(self) -> str:
        """End the group."""
        return "##[endgroup]"

    def output(self, text: str) -> str:
        """Return it with the sign of a command broken: there is no way to have them ignored."""
        return text.replace("##", "# #")

    def warning(self, text: str) -> str:
        """Return a warning for the summary of the run."""
        return f"##vso[task.logissue type=warning]{_azure(_plain(text))}"

    def error(self, error: PassbuildError, file: str, line: int) -> str:
        """Return an error for the summary of the run."""
        place = f"sourcepath={_azure(_plain(file))};" + (f"linenumber={line};" if line else "") if file else ""
        return f"##vso[task.logissue type=error;{place}code={error.code};]{_azure(_told(error))}"


def place(error: PassbuildError, folder: Path | None, environ: Mapping[str, str]) -> tuple[str, int]:
    """Return the file at fault as the repository calls it, and the line; empty where it is none of the repository."""
    cause = getattr(error, "cause", None)
    if cause is None or not cause.file or folder is None:
        return "", 0
    file = folder / cause.file
    root = Path(environ.get("GITHUB_WORKSPACE") or environ.get("BUILD_SOURCESDIRECTORY") or Path.cwd())
    if not file.is_file() or not file.resolve().is_relative_to(root.resolve()):
        return "", 0
    return str(file.resolve().relative_to(root.resolve())), cause.line


def summary(report: Report) -> str:
    """Return what the summary of a job says of one build, in Markdown."""
    if report.error is not None:
        hint = "".join(f"\n{text}\n" for text in _plain(report.error.hint).splitlines())
        message = _plain(report.error.message)
        return f"### ✗ passbuild {report.command}: `{report.error.code}`\n\n```text\n{message}\n```\n{hint}"
    if not report.artifacts:
        return ""
    passed = [item for item in (report.environment.passed if report.environment else ()) if item.named]
    against = ", ".join(f"{item.distribution.name} {item.distribution.raw_version}" for item in passed) or "-"
    seconds = sum(step.seconds for step in report.steps)
    rows = [f"| `{item.path.name}` | {item.size} | {against} | {seconds:.1f} |" for item in report.artifacts]
    head = ["| artifact | bytes | built against | seconds |", "|---|---|---|---|"]
    return "\n".join((f"### ✓ passbuild {report.command}", "", *head, *rows, ""))


def _told(error: PassbuildError) -> str:
    return _plain("\n".join(filter(None, (error.message, error.hint))))


def _plain(text: str) -> str:
    """Return a text without credentials and without what commands a terminal."""
    return fitting(redacted(text), "utf-8")


def _in_one_line(text: str) -> str:
    return " ".join(_plain(text).split())


def _github(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _github_property(text: str) -> str:
    return _github(text).replace(":", "%3A").replace(",", "%2C")


def _azure(text: str) -> str:
    escaped = text.replace("%", "%AZP25").replace("\r", "%0D").replace("\n", "%0A")
    return escaped.replace(";", "%3B").replace("]", "%5D")
