"""The installers: pip and uv, which put requirements into an environment by the user's own configuration."""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from packaging.specifiers import SpecifierSet
from packaging.utils import parse_wheel_filename
from packaging.version import Version

from passbuild import process
from passbuild.environment import indexes
from passbuild.errors import InstallerNotFound, TimedOut
from passbuild.output import Output
from passbuild.protection import Guard
from passbuild.settings.model import InstallerChoice
from passbuild.surroundings import home
from passbuild.values import frozen, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from passbuild.environment.venv import Venv
    from passbuild.host.model import Host
    from passbuild.settings.model import Settings
    from passbuild.surroundings import Surroundings

READING = {"PYTHONDONTWRITEBYTECODE": "1"}
"""Variables for an installer that is to look at a host, and to leave no byte code there."""
_PIP_WITH_PYTHON_OPTION = Version("22.3")
_PIP_WITH_RAW_PROGRESS = Version("24.1")
_SHOWN = 15
"""How many of the last lines are shown of an installer that takes too long."""
_PIP_DOWNLOADS = ("http-v2", "http")
"""The folders of pip's cache that hold what it downloaded, from pip 23.3 on and before."""
_ELSEWHERE = {
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_ROOT",
    "PIP_USER",
    "PIP_PYTHON",
    "UV_TARGET",
    "UV_PREFIX",
    "UV_SYSTEM_PYTHON",
}
"""Variables that would make an installer write elsewhere than into the build environment."""
_OURS = "PASSBUILD_"
"""How our own settings begin, of which some hold credentials: what an installer builds is not to see them."""


@frozen
class Task:
    """One installation."""

    venv: Venv
    """Where it installs to."""
    requirements: Path
    """A requirements file."""
    constraints: Sequence[Path]
    """Constraints files."""
    wheels: Path | None
    """The folder with the wheels that we built of sdists, where the installer may build none; None where it may."""
    closure: Path | None = None
    """A constraints file beside `requirements`, which names it: given as an option, it would hide UV_CONSTRAINT."""
    only_binary: Sequence[str] = ()
    """Names of which it has to take the wheel, whatever its own settings say."""
    no_binary: Sequence[str] = ()
    """Names of which it has to take the sdist."""
    without_dependencies: bool = False
    """Whether it installs nothing but what is asked for."""
    has_byte_code: bool = False
    """Whether all that is installed is compiled, as nobody may write there afterwards."""


@frozen
class Delivery:
    """Built wheels that are to be installed into a host, with what they require."""

    python: Path
    """The host's interpreter."""
    wheels: Sequence[Path]
    constraints: Sequence[Path]
    again: Sequence[str]
    """The names of those that the host has in the same version, of another build."""
    dry_run: bool
    index: Path
    """A requirements file that names indexes and places alone."""


class Installer(Protocol):
    """Puts requirements into an environment."""

    @property
    def name(self) -> str:
        """The installer's name, as users know it."""

    @property
    def own(self) -> tuple[tuple[str, str], ...]:
        """The variables that name the index, or that there is none: for the installer, not for the hooks."""

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines of a requirements file that name further indexes and places."""

    @property
    def timeout(self) -> float | None:
        """The seconds that it may take to fill an environment."""

    def folder(self, scratch: Path, surroundings: Surroundings) -> Path | None:
        """Return where it has to be started; None where that is as good as any."""

    def command(self, task: Task) -> list[str]:
        """Return the argument list that does `task`."""

    def deliveries(self, delivery: Delivery) -> list[list[str]]:
        """Return the argument lists that, one after the other, do `delivery`."""

    def checking(self, python: Path) -> list[str]:
        """Return the argument list that tells of each requirement which is not met in an environment, in a line."""

    def variables(self, task: Task, environ: Mapping[str, str]) -> dict[str, str]:
        """Return the variables that `task` needs beside those of `environ`."""

    def conclusion(self, output: Sequence[str]) -> list[str]:
        """Return the lines of a failed run's output that say why it failed."""


def chosen(settings: Settings, host: Host, surroundings: Surroundings) -> Installer:
    """Return the installer to use for a host: uv where it is available, else pip. Raises InstallerNotFound."""
    choice = settings.installer.value
    variables, lines = indexes.variables(settings, surroundings.environ), indexes.lines(settings)
    timeout = settings.timeout.value or None
    uv = None if choice is InstallerChoice.PIP else _uv(surroundings.environ)
    if uv is not None:
        return replace(uv, no_index=settings.no_index.value, own=variables, lines=lines, timeout=timeout)
    if choice is InstallerChoice.UV:
        raise InstallerNotFound(installer="uv", python=host.minor)
    pip = _pip(host, surroundings.pip_cache)
    if pip is None:
        raise InstallerNotFound(installer="pip", python=host.minor)
    return replace(pip, own=variables, lines=lines, timeout=timeout)


def environ_for(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the installer's environment: the user's, less what shows it the host, sends it elsewhere or wraps it."""
    hidden = {
        "COLUMNS",
        *_ELSEWHERE,
        "PYTHONPATH",
        "PYTHONHOME",
        "PYTHONPLATLIBDIR",
        "VIRTUAL_ENV",
        "__PYVENV_LAUNCHER__",
    }
    kept = {name: value for name, value in environ.items() if name not in hidden and not name.startswith(_OURS)}
    return {**kept, "PYTHONNOUSERSITE": "1", "PYTHONIOENCODING": "utf-8", "PIP_NO_INPUT": "1"}


@frozen
class Uv:
    """uv, by ``uv pip install``."""

    program: Path
    no_index: bool = False
    """Whether it asks no index; it has no variable for that."""
    own: tuple[tuple[str, str], ...] = ()
    lines: tuple[str, ...] = ()
    timeout: float | None = None

    @property
    def name(self) -> str:
        """Return `uv`."""
        return "uv"

    def command(self, task: Task) -> list[str]:
        """Return the argument list that does `task`."""
        target = ["--python", str(task.venv.python), "--color", "never"]
        # Wheels in uv's cache were built against whatever was there then: a setting of their own keeps them apart.
        apart = ["--no-build-isolation", "--config-setting", "passbuild=hand-over"] if task.wheels else []
        index = ["--no-index"] if self.no_index else []
        compiled = ["--compile-bytecode"] if task.has_byte_code else []
        return [str(self.program), "pip", "install", *target, *index, *apart, *compiled, *_inputs(task)]

    def deliveries(self, delivery: Delivery) -> list[list[str]]:
        """Return one argument list: uv can be told what to install again."""
        target = ["--python", str(delivery.python), "--color", "never"]
        index = ["--no-index"] if self.no_index else []
        again = [argument for name in delivery.again for argument in ("--reinstall-package", name)]
        inputs = _delivered(delivery)
        return [[str(self.program), "pip", "install", *target, *index, *again, *inputs]]

    def checking(self, python: Path) -> list[str]:
        """Return the argument list that checks an environment."""
        return [str(self.program), "pip", "check", "--python", str(python), "--color", "never"]

    def variables(self, task: Task, environ: Mapping[str, str]) -> dict[str, str]:
        """Return the place of the wheels: given as an option, it would hide what the variable says."""
        if task.wheels is None:
            return {}
        return {"UV_FIND_LINKS": ",".join(filter(None, (environ.get("UV_FIND_LINKS", ""), str(task.wheels))))}

    def folder(self, scratch: Path, surroundings: Surroundings) -> Path | None:
        """Return a folder with the user's configuration, where that says something which is ours to do."""
        return indexes.uv_folder(scratch, surroundings.cwd, surroundings.environ)

    def conclusion(self, output: Sequence[str]) -> list[str]:
        """Return the error and its causes: from the first line that is marked as one to the end."""
        for index, line in enumerate(output):
            if re.match("\\s*(\N{MULTIPLICATION SIGN}|error:)", line):
                # uv's own hints speak of options that are not passbuild's, such as turning isolation off.
                told = itertools.takewhile(lambda text: not text.lstrip().startswith("hint: "), output[index:])
                return [line.rstrip() for line in told if line.strip()]
        return _last(output)


@frozen
class Pip:
    """pip, either one that runs in passbuild's own Python or one that runs from a wheel in the target's."""

    before: tuple[str, ...]
    """What stands before the environment's interpreter: a pip that takes `--python`; empty for a wheel."""
    version: Version
    wheel: Path | None = None
    cache: Path | None = None
    """Where pip keeps its downloads."""
    own: tuple[tuple[str, str], ...] = ()
    lines: tuple[str, ...] = ()
    timeout: float | None = None

    @property
    def name(self) -> str:
        """Return `pip`."""
        return "pip"

    def command(self, task: Task) -> list[str]:
        """Return the argument list that does `task`."""
        pip = self._started(task.venv.python)
        options = ["--no-warn-script-location", "--disable-pip-version-check", "--no-color"]
        if not task.has_byte_code:  # it is written by the first hook that needs it; most is never imported
            options.append("--no-compile")
        if self.version >= _PIP_WITH_RAW_PROGRESS:  # for `passbuild.progress`: pip draws no bar without a terminal
            options += ["--progress-bar", "raw"]
        apart = ["--no-build-isolation", "--find-links", str(task.wheels)] if task.wheels else []
        return [*pip, "install", *options, *apart, "--no-user", *_inputs(task)]

    def deliveries(self, delivery: Delivery) -> list[list[str]]:
        """Return what installs the requirements, then what puts wheels in the place of the same versions.

        Only all at once could pip be told to install again what is there already.
        """
        pip = [*self._started(delivery.python), "install", "--disable-pip-version-check", "--no-color"]
        commands = [[*pip, *_delivered(delivery)]]
        if delivery.again and not delivery.dry_run:
            wheels = [str(wheel) for wheel in delivery.wheels]
            commands.append([*pip, "--no-deps", "--force-reinstall", *wheels])
        return commands

    def checking(self, python: Path) -> list[str]:
        """Return the argument list that checks an environment."""
        return [*self._started(python), "check", "--disable-pip-version-check", "--no-color"]

    def _started(self, python: Path) -> list[str]:
        return [str(python), str(self.wheel / "pip")] if self.wheel else [*self.before, str(python)]

    def variables(self, task: Task, environ: Mapping[str, str]) -> dict[str, str]:
        """Return a cache that has the user's downloads and not the wheels built of sdists before.

        Those were built against whatever was there then, and pip has no setting that keeps them apart.
        """
        if task.wheels is None or self.cache is None:
            return {}
        downloads = Path(environ.get("PIP_CACHE_DIR") or self.cache)
        cache = task.requirements.with_name("pip-cache")
        cache.mkdir(exist_ok=True)
        for name in _PIP_DOWNLOADS:
            with contextlib.suppress(OSError):  # there already, or nowhere to keep anything: a cache is no duty
                (downloads / name).mkdir(parents=True, exist_ok=True)
                (cache / name).symlink_to(downloads / name, target_is_directory=True)
        return {"PIP_CACHE_DIR": str(cache)}

    def folder(self, scratch: Path, surroundings: Surroundings) -> Path | None:
        """Return None: pip reads nothing of the folder that it is started in."""
        del scratch, surroundings
        return None

    def conclusion(self, output: Sequence[str]) -> list[str]:
        """Return the error lines and, of a conflict, who wants what; pip's general advice is left out."""
        for index, line in enumerate(output):
            if line.lstrip().startswith("ERROR: "):
                told = itertools.takewhile(lambda text: not text.startswith("To fix this"), output[index:])
                return [text.strip() for text in told if text.strip() and not text.startswith(("[notice]", "WARNING:"))]
        return _last(output)


def _delivered(delivery: Delivery) -> list[str]:
    limits = [argument for file in delivery.constraints for argument in ("--constraint", str(file))]
    limits += ["--requirement", str(delivery.index)] if delivery.index.stat().st_size else []
    return [*limits, *(["--dry-run"] if delivery.dry_run else []), *map(str, delivery.wheels)]


def _inputs(task: Task) -> list[str]:
    limits = [argument for file in task.constraints for argument in ("--constraint", str(file))]
    binary = [argument for name in task.only_binary for argument in ("--only-binary", name)]
    binary += [argument for name in task.no_binary for argument in ("--no-binary", name)]
    alone = ["--no-deps"] if task.without_dependencies else []
    return ["--requirement", str(task.requirements), *limits, *binary, *alone]


def _uv(environ: Mapping[str, str]) -> Uv | None:
    """Find uv beside passbuild (the extra `uv`), then on PATH."""
    beside = shutil.which("uv", path=str(Path(sys.executable).parent))
    program = beside or shutil.which("uv", path=environ.get("PATH"))
    return Uv(program=Path(program)) if program else None


def _pip(host: Host, cache: Path | None) -> Pip | None:
    """Find a pip that runs on the host's Python: our own, the one that virtualenv carries, the one in its ensurepip."""
    own = _own_pip(host.minor)
    if own is not None:
        return Pip(before=(sys.executable, "-m", "pip", "--python"), version=own, cache=cache)
    wheel = _embedded(host.minor) or _ensurepip(host)
    if wheel is None:
        return None
    return Pip(before=(), version=parse_wheel_filename(wheel.name)[1], wheel=wheel, cache=cache)


def _own_pip(minor: str) -> Version | None:
    """Return the version of the pip beside passbuild; None where there is none that serves this Python."""
    if importlib.util.find_spec("pip") is None:
        return None
    from importlib.metadata import distribution

    found = distribution("pip")
    version, supported = Version(found.version), SpecifierSet(found.metadata["Requires-Python"] or "")
    if version < _PIP_WITH_PYTHON_OPTION or not supported.contains(minor):
        return None
    # One that PYTHONPATH shows is not the one that runs: that does not see PYTHONPATH.
    is_ours = Path(str(found.locate_file(""))).is_relative_to(sys.prefix)
    return version if is_ours else _PIP_WITH_PYTHON_OPTION


def _embedded(minor: str) -> Path | None:
    from virtualenv.seed.wheels.embed import get_embed_wheel  # slow to import, and rarely needed

    wheel = get_embed_wheel("pip", minor)
    return wheel.path if wheel is not None and wheel.support_py(minor) else None


def _ensurepip(host: Host) -> Path | None:
    for library in (f"lib/python{host.minor}", "Lib"):
        found = sorted(host.base_prefix.glob(f"{library}/ensurepip/_bundled/pip-*.whl"))
        if found:
            return found[-1]
    return None


@frozen
class Start:
    """One start of an installer."""

    argv: Sequence[str]
    variables: Mapping[str, str]
    """What it gets beside the user's environment."""
    scratch: Path
    """A folder of ours that is gone after the run."""
    is_bounded: bool = True
    """Whether it may be ended when it takes too long."""
    guard: Guard = Guard()
    """What it, and what it builds, is kept from writing."""


@frozen
class Run:
    """An installer that has ended."""

    returncode: int
    lines: Sequence[str]
    """What it has said; of very much the begin and the end."""


def run(installer: Installer, start: Start, surroundings: Surroundings, on_line: Callable[[str], None]) -> Run:
    """Start an installer, in the user's folder or in one that stands for it, and hear what it says.

    Raises TimedOut.
    """
    environ = {**environ_for(surroundings.environ), **dict(installer.own), **start.variables}
    if home(environ) is None:  # pip cannot do without, and uv would have its cache in the current folder
        environ["HOME"] = str(start.scratch)
    folder = installer.folder(start.scratch, surroundings)
    if folder is not None:
        environ |= indexes.absolute(environ, surroundings.cwd)
    timeout = installer.timeout if start.is_bounded else None
    command = process.Command(argv=start.argv, environ=environ, cwd=folder, timeout=timeout, guard=start.guard)
    output = Output()

    def heard(line: str) -> None:
        output.take(line)
        on_line(line)

    try:
        code = process.stream(command, heard)
    except TimeoutError as error:
        raise TimedOut(what=installer.name, seconds=timeout or 0, lines=output.last(_SHOWN)) from error
    return Run(returncode=code, lines=output.lines)


def _last(output: Sequence[str], count: int = 15) -> list[str]:
    return [line.rstrip() for line in output if line.strip()][-count:]
