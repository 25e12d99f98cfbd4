"""Run the hooks of the build backend in a build environment, each in a fresh process, and hear what they print."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import warnings
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Literal

import pyproject_hooks
from packaging.requirements import InvalidRequirement, Requirement

from passbuild import process
from passbuild.errors import BackendFailed, BadArtifact, HostChanged, SystemRefused, TimedOut
from passbuild.output import Output
from passbuild.project.pep508 import decoded
from passbuild.protection import Guard
from passbuild.settings.model import Setting
from passbuild.values import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from passbuild.environment.build_environment import BuildEnvironment
    from passbuild.project.model import Project

_SHOWN = 15
"""How many of the last lines are shown of a hook that takes too long."""
_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(Error|Exception|Exit|Interrupt|Warning)\b")


@frozen
class Calling:
    """How hooks are called."""

    config_settings: Mapping[str, str | list[str]]
    on_line: Callable[[str], None]
    """Hears each line of their output."""
    meanwhile: Callable[[], None] = lambda: None
    """Is called while a hook starts."""
    timeout: float | None = None
    """Seconds."""
    guard: Guard = Guard()


Kind = Literal["wheel", "sdist", "editable"]


class Backend:
    """The build backend of a source tree, in a build environment."""

    def __init__(self, project: Project, environment: BuildEnvironment, calling: Calling) -> None:
        self._environment = environment
        self._calling = calling
        self._config_settings = dict(calling.config_settings)
        self._output = Output()
        self._hook = ""
        self._folder: Path | None = None
        """Where the hook is to write."""
        self._project = project.name or project.folder.name
        self._hooks = pyproject_hooks.BuildBackendHookCaller(
            str(project.folder),
            project.build_system.backend,
            backend_path=project.build_system.backend_path or None,
            runner=self._run,
            python_executable=environment.python_executable,
        )

    def requires(self, kind: Kind) -> tuple[Setting[Requirement], ...]:
        """Return what ``get_requires_for_build_*`` asks for in addition. Raises BackendFailed or HostChanged."""
        name = f"get_requires_for_build_{kind}"
        hook = getattr(self._hooks, name)
        with self._explained(name):
            texts: object = hook(self._config_settings)
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise self._failure(name, f"it returned {texts!r} instead of a list of strings")
        if texts:
            self._refuse_changes()  # another environment may be made now, which would take what it finds for granted
        try:
            return tuple(Setting(value=decoded(text), origin=name) for text in sorted(set(texts)))
        except InvalidRequirement as error:
            reason = str(error).splitlines()[0]
            raise self._failure(name, f"it returned what is no requirement by PEP 508: {reason}") from error

    def build(self, kind: Kind, folder: Path) -> Path:
        """Build into `folder` and return the artifact's path. Raises BackendFailed, BadArtifact or HostChanged."""
        name = f"build_{kind}"
        self._folder = folder
        with self._explained(name):
            built: object = getattr(self._hooks, name)(str(folder), self._config_settings)
        return folder / self._file_name(name, built)

    def metadata(self, folder: Path) -> Path | None:
        """Prepare the wheel's metadata below `folder`; None where there is no such hook. Raises BackendFailed."""
        name = "prepare_metadata_for_build_wheel"
        self._folder = folder
        try:
            with self._explained(name):
                prepared: object = self._hooks.prepare_metadata_for_build_wheel(
                    str(folder), self._config_settings, _allow_fallback=False
                )
        except BackendFailed as error:
            if isinstance(error.__cause__, pyproject_hooks.HookMissing):
                return None
            raise
        return folder / self._file_name(name, prepared)

    def _file_name(self, hook: str, returned: object) -> str:
        if isinstance(returned, str) and returned:
            if PurePath(returned).name != returned:
                finding = "the hook returned a path instead of a name, of which there is no file where it had to write"
                raise BadArtifact(artifact=returned, findings=[finding])
            return returned
        raise self._failure(hook, f"it returned {returned!r} instead of the name of what it wrote")

    def _run(self, cmd: Sequence[str], cwd: str | None = None, extra_environ: Mapping[str, str] | None = None) -> None:
        """Run one hook (`pyproject_hooks.SubprocessRunner`)."""
        environ = {**self._environment.hook_environ(), **(extra_environ or {})}
        command = process.Command(
            argv=cmd,
            environ=environ,
            cwd=Path(cwd) if cwd else None,
            timeout=self._calling.timeout,
            guard=self._calling.guard.may_write(*([self._folder] if self._folder is not None else [])),
        )
        try:
            code = process.stream(command, self._heard, self._calling.meanwhile)
        except TimeoutError as error:
            what = f"{self._project}: {self._hook}"
            raise TimedOut(what=what, seconds=self._calling.timeout or 0, lines=self._output.last(_SHOWN)) from error
        if code != 0 or not self._hook.startswith("get_requires"):  # after which another hook comes
            self._refuse_changes()
        if code != 0:
            raise subprocess.CalledProcessError(code, list(cmd))

    def _refuse_changes(self) -> None:
        """Raise HostChanged when the files of passed distributions are not what they were before the first hook."""
        changes = self._environment.host_changes()
        if changes:
            raise HostChanged(hook=self._hook, changes=changes, lines=self._output.lines)

    def _heard(self, line: str) -> None:
        self._output.take(line)
        self._calling.on_line(line)

    @contextlib.contextmanager
    def _explained(self, hook: str) -> Iterator[None]:
        """Raise BackendFailed for whatever goes wrong in a hook."""
        self._output.clear()
        self._hook = hook
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                yield
        except pyproject_hooks.BackendUnavailable as error:
            for line in error.traceback.splitlines():
                self._heard(line)
            name = error.backend_name or ""
            raise self._failure(hook, self._exception() or "it says no more", backend=name) from error
        except pyproject_hooks.HookMissing as error:
            raise self._failure(hook, f"the backend has no hook {error.hook_name}") from error
        except pyproject_hooks.UnsupportedOperation as error:
            raise self._failure(hook, "the backend says that it cannot do this") from error
        except subprocess.CalledProcessError as error:
            exception = self._exception() if error.returncode > 0 else ""
            raise self._failure(hook, exception or _ending(error.returncode), status=error.returncode) from error
        except (OSError, ValueError) as error:  # it ended without leaving its answer, or left no JSON
            refused = SystemRefused.of(error) if isinstance(error, OSError) else None
            if refused is not None:
                raise refused from error
            raise self._failure(hook, "the backend's process ended without an answer") from error
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
        last = next((line for line in reversed(self._output.lines) if line.strip()), "")
        return last if _EXCEPTION.match(last) else ""

    def _failure(self, hook: str, problem: str, *, backend: str = "", status: int = 0) -> BackendFailed:
        lines, project = self._output.lines, self._project
        return BackendFailed(hook=hook, problem=problem, lines=lines, status=status, backend=backend, project=project)


def _ending(code: int) -> str:
    if code >= 0:
        return f"the backend's process ended with exit code {code}"
    try:
        name = f" ({signal.Signals(-code).name})"
    except ValueError:  # one that Python has no name for
        name = ""
    return f"the backend's process was ended by signal {-code}{name}"
