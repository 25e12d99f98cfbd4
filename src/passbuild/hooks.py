"""Run the hooks of the build backend in a build environment, each in a fresh process, and keep what they print."""

from __future__ import annotations

import contextlib
import re
import subprocess
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pyproject_hooks
from build import BuildBackendException, ProjectBuilder
from packaging.requirements import InvalidRequirement, Requirement

from passbuild import process
from passbuild.errors import BackendFailed
from passbuild.settings.model import Setting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from passbuild.environment.build_environment import BuildEnvironment

_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(Error|Exception|Exit|Interrupt|Warning)\b")

Kind = Literal["wheel", "sdist"]


class Backend:
    """The build backend of a source tree, in a build environment."""

    def __init__(
        self,
        source: Path,
        environment: BuildEnvironment,
        config_settings: Mapping[str, str | list[str]],
        on_line: Callable[[str], None],
    ) -> None:
        self._environment = environment
        self._config_settings = dict(config_settings)
        self._on_line = on_line
        self._lines: list[str] = []
        self._builder = ProjectBuilder.from_isolated_env(environment, source, runner=self._run)

    def requires(self, kind: Kind) -> tuple[Setting[Requirement], ...]:
        """Return what ``get_requires_for_build_*`` asks for in addition. Raises BackendFailed."""
        hook = f"get_requires_for_build_{kind}"
        with self._explained(hook):
            texts = self._builder.get_requires_for_build(kind, self._config_settings)
        try:
            return tuple(Setting(value=Requirement(text), origin=hook) for text in sorted(texts))
        except InvalidRequirement as error:
            problem = f"it returned what is no requirement by PEP 508: {str(error).splitlines()[0]}"
            raise BackendFailed(hook=hook, problem=problem) from error

    def build(self, kind: Kind, folder: Path) -> Path:
        """Build into `folder` and return the artifact's path. Raises BackendFailed."""
        with self._explained(f"build_{kind}"):
            return folder / self._builder.build(kind, folder, self._config_settings)

    def metadata(self, folder: Path) -> Path | None:
        """Prepare the wheel's metadata below `folder`; None where there is no such hook. Raises BackendFailed."""
        with self._explained("prepare_metadata_for_build_wheel"):
            prepared = self._builder.prepare("wheel", folder, self._config_settings)
        return folder / prepared if prepared else None

    def _run(self, cmd: Sequence[str], cwd: str | None = None, extra_environ: Mapping[str, str] | None = None) -> None:
        """Run one hook (`pyproject_hooks.SubprocessRunner`)."""
        hook_variables = {
            name: value for name, value in (extra_environ or {}).items() if name.startswith("_PYPROJECT_HOOKS_")
        }
        environ = {**self._environment.hook_environ(), **hook_variables}
        finished = process.stream(cmd, environ=environ, on_line=self._heard, cwd=Path(cwd) if cwd else None)
        if finished.returncode != 0:
            raise subprocess.CalledProcessError(finished.returncode, list(cmd))

    def _heard(self, line: str) -> None:
        self._lines.append(line)
        self._on_line(line)

    @contextlib.contextmanager
    def _explained(self, hook: str) -> Iterator[None]:
        self._lines.clear()
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                yield
        except BuildBackendException as error:
            raise self._failure(hook, error) from error
        finally:
            self._take_over(caught)

    def _take_over(self, caught: Sequence[warnings.WarningMessage]) -> None:
        """Put the backend's warnings, which pyproject_hooks raises here again, among its output; let others be."""
        for item in caught:
            if issubclass(item.category, pyproject_hooks.BuildBackendWarning):
                self._heard(f"{item.filename}:{item.lineno}: {item.message}")
            else:
                warnings.warn_explicit(item.message, item.category, item.filename, item.lineno)

    def _exception(self) -> str:
        """Return the last line of the output when it is that of a Python exception."""
        last = next((line for line in reversed(self._lines) if line.strip()), "")
        return last if _EXCEPTION.match(last) else ""

    def _failure(self, hook: str, error: BuildBackendException) -> BackendFailed:
        """Return our error for one of build's, with the end of the output."""
        cause = error.exception
        if isinstance(cause, pyproject_hooks.BackendUnavailable):
            for line in cause.traceback.splitlines():
                self._heard(line)
            problem = f"the backend {cause.backend_name or ''} cannot be imported".replace("  ", " ")
        elif isinstance(cause, subprocess.CalledProcessError):
            ended = f"exit code {cause.returncode}" if cause.returncode >= 0 else f"signal {-cause.returncode}"
            problem = self._exception() or f"the backend's process ended with {ended}"
        elif isinstance(cause, pyproject_hooks.HookMissing):
            problem = f"the backend has no hook {cause.hook_name}"
        elif isinstance(cause, pyproject_hooks.UnsupportedOperation):
            problem = "the backend says that it cannot do this"
        else:
            problem = str(cause) or type(cause).__name__
        return BackendFailed(hook=hook, problem=problem, lines=tuple(self._lines))
