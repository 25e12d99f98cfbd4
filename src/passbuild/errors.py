"""Every way in which passbuild can fail, one class for each.

The tree, with the exit codes::

    PassbuildError
    ├── UsageError                2   the command, a setting or the source is wrong
    │   ├── WrongCommand
    │   ├── Mistaken
    │   │   ├── InvalidSettings
    │   │   ├── InvalidProject
    │   │   └── InvalidRequirements
    │   ├── SourceNotFound
    │   ├── AmbiguousSource
    │   ├── UnusableSource
    │   ├── WrongHash
    │   ├── AlreadySdist
    │   ├── NotEditable
    │   ├── UnsafeArchive
    │   ├── HostNotFound
    │   ├── HostUnusable
    │   ├── HostsDiffer
    │   ├── NotProtected
    │   ├── PassedIsInstalled
    │   ├── InstallerNotFound
    │   ├── ExtraMissing
    │   ├── NotAStore
    │   ├── OutputNotWritable
    │   └── SystemRefused
    ├── PlanImpossible            3   what is asked for cannot be had together
    │   ├── Refused
    │   │   ├── VersionMismatch
    │   │   ├── PassthroughMissing
    │   │   └── PinContradiction
    │   ├── NotAmendable
    │   ├── Unresolvable
    │   ├── CannotFetch
    │   ├── CannotInstall
    │   ├── HookContradiction
    │   ├── BuildCycle
    │   └── IncompleteInstall
    ├── BackendError              1   the build backend did not do its part
    │   ├── BackendFailed
    │   ├── TimedOut
    │   ├── HostChanged
    │   ├── FolderMoved
    │   ├── ImportFails
    │   ├── NotReproducible
    │   └── BadArtifact
    ├── WheelsFailed              1   some of several wheels could not be built
    └── Cancelled               128+N a signal ended the build (130 for Ctrl-C)

Raise sites pass facts; the words are here. A class has a ``code`` that does not change, an ``exit_code``, and a
``hint`` that names what to type or to open.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, ClassVar

from passbuild.redaction import redacted
from passbuild.values import Described, dataclass_transform, fields, frozen

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from passbuild.into_host import Installation
    from passbuild.report import Report, Summary


@dataclass_transform(eq_default=False, kw_only_default=True)
class PassbuildError(Exception):
    """The root of the tree: anything that passbuild can explain.

    A subclass takes the fields that it annotates as keywords; those with a default may be left out.
    """

    code: ClassVar[str] = "error"
    exit_code: int = 1
    log: Path | None = None
    """The file with the whole output of the installer and the backend, where one was kept."""
    requirement: str = ""
    """The build requirement that was being built from its sdist; empty for the project itself."""
    report: Report | None = None
    """What was known when it was raised; set by the functions of the API."""
    installation: Installation | None = None
    """What had been installed when it was raised."""
    summary: Summary | None = None
    """What came of several sources before it was raised; the API sets it."""

    __signature__ = Described()

    def __init__(self, **facts: object) -> None:
        super().__init__()
        known = fields(type(self))
        wrong = facts.keys() - known.keys() or {name for name in known if name not in facts and not hasattr(self, name)}
        if wrong:
            raise TypeError(f"{type(self).__name__} was given, or lacks, {', '.join(sorted(wrong))}")
        for name, fact in facts.items():
            setattr(self, name, fact)

    def __reduce__(self) -> tuple[object, ...]:
        """Return how it is copied and pickled: by its facts."""
        return _remade, (type(self), vars(self).copy())

    def __repr__(self) -> str:
        """Return the class and its facts."""
        return f"{type(self).__name__}({', '.join(f'{name}={fact!r}' for name, fact in vars(self).items())})"

    def __str__(self) -> str:
        """Return the message, without hint and without credentials."""
        return redacted(self.message)

    @property
    def message(self) -> str:
        """What is wrong and where, in one or a few lines."""
        raise NotImplementedError

    @property
    def hint(self) -> str:
        """What to type or to open; empty when there is nothing useful to say."""
        return ""

    @property
    def output(self) -> tuple[str, ...]:
        """The lines of another program's output that show the failure; empty for most errors."""
        return ()


class UsageError(PassbuildError):
    """The command, a setting or the source is wrong."""

    exit_code = 2


class WrongCommand(UsageError):
    """The command line has no such command, option or argument."""

    code = "wrong-command"
    problem: str
    command: str

    @property
    def message(self) -> str:
        """What the command line's parser says."""
        return self.problem

    @property
    def hint(self) -> str:
        """The help of the command."""
        return f"see {self.command} --help"


@frozen
class Mistake:
    """One thing that is wrong in a settings source."""

    place: str
    """Where: the file with table, key and index, the variable, or the option."""
    problem: str
    """What is wrong with it."""
    hint: str = ""
    """What to write instead."""


class Mistaken(UsageError):
    """Something that was written cannot be read; all mistakes are listed together."""

    mistakes: Sequence[Mistake]

    @property
    def message(self) -> str:
        """One line for each mistake."""
        return "\n".join(f"{mistake.place}: {mistake.problem}" for mistake in self.mistakes)

    @property
    def hint(self) -> str:
        """The hints of the mistakes, each once."""
        return "\n".join(dict.fromkeys(mistake.hint for mistake in self.mistakes if mistake.hint))


class InvalidSettings(Mistaken):
    """One or more settings cannot be read."""

    code = "invalid-settings"


class InvalidProject(Mistaken):
    """pyproject.toml cannot be used."""

    code = "invalid-project"


class InvalidRequirements(Mistaken):
    """A requirements file cannot be read."""

    code = "invalid-requirements"


class WheelsFailed(PassbuildError):
    """Some of several wheels could not be built; the others were."""

    code = "wheels-failed"
    exit_code = 1
    failed: Sequence[str]
    count: int

    @property
    def message(self) -> str:
        """How many, and which."""
        return f"{len(self.failed)} of {self.count} wheels were not built: {', '.join(self.failed)}"

    @property
    def hint(self) -> str:
        """What a second run does."""
        return "mend what failed and run the same again: what was built of archives and requirements is not built twice"


class SourceNotFound(UsageError):
    """SOURCE is neither a project folder nor an sdist archive, nor anything that can be fetched."""

    code = "source-not-found"
    source: Path | str
    problem: str

    @property
    def message(self) -> str:
        """The path and what is wrong with it."""
        return f"{self.source}: {self.problem}"

    @property
    def hint(self) -> str:
        """What SOURCE can be."""
        return (
            "give a folder with a pyproject.toml or setup.py, an sdist archive (.tar.gz, .zip), a requirement such as "
            "'h5py==3.16.0', or a URL"
        )


class AmbiguousSource(UsageError):
    """A bare word is the name of a folder here, and could be that of a project on the index."""

    code = "ambiguous-source"
    word: str
    folder: Path
    project: str

    @property
    def message(self) -> str:
        """What the folder holds."""
        holds = f"the project {self.project}" if self.project else "no Python project"
        return f"{self.word}: there is a folder {self.folder.name} here, which holds {holds}"

    @property
    def hint(self) -> str:
        """How to write either."""
        return f"write ./{self.folder.name} for the folder, or {self.word}==VERSION for what is on the index"


class UnusableSource(UsageError):
    """SOURCE is written so that nothing can be built of it."""

    code = "unusable-source"
    source: str
    problem: str
    advice: str

    @property
    def message(self) -> str:
        """What was written and what is wrong with it."""
        return f"{self.source}: {self.problem}"

    @property
    def hint(self) -> str:
        """What to write instead."""
        return self.advice


class WrongHash(UsageError):
    """An archive has another hash than the one that was asked for."""

    code = "wrong-hash"
    source: str
    wanted: str
    found: str

    @property
    def message(self) -> str:
        """Both hashes."""
        return f"{self.source}: wanted {self.wanted}, found {self.found}"

    @property
    def hint(self) -> str:
        """What to compare."""
        return "get the archive again, and compare the hash with the one that its publisher states"


class AlreadySdist(UsageError):
    """An sdist is to be made of what is an sdist already."""

    code = "already-sdist"
    source: str

    @property
    def message(self) -> str:
        """What was given."""
        return f"{self.source}: only a folder can be made an sdist of"

    @property
    def hint(self) -> str:
        """The command that takes it, and how to get a folder."""
        return f"build a wheel from it: passbuild wheel {self.source}; or unpack or clone it, and give the folder"


class NotEditable(UsageError):
    """An editable installation of what is no folder."""

    code = "not-editable"
    source: str

    @property
    def message(self) -> str:
        """The source."""
        return f"{self.source}: only a folder can be installed editable"

    @property
    def hint(self) -> str:
        """How to get a folder."""
        return "unpack or clone it, and give the folder: passbuild install -e FOLDER"


class UnsafeArchive(UsageError):
    """An sdist archive holds something that may not be extracted."""

    code = "unsafe-archive"
    archive: Path
    problem: str

    @property
    def message(self) -> str:
        """The archive, the member and the reason."""
        return f"{self.archive}: refused to extract it: {self.problem}"

    @property
    def hint(self) -> str:
        """Where a sound archive comes from."""
        return (
            "an sdist has one top folder and no links or paths that leave it; get it again from where it was published"
        )


class HostNotFound(UsageError):
    """The interpreter or environment that was asked for is not there."""

    code = "host-not-found"
    wanted: str
    origin: str
    problem: str

    @property
    def message(self) -> str:
        """What was asked for, by whom, and what was found instead."""
        return f"host {self.wanted!r} ({self.origin}): {self.problem}"

    @property
    def hint(self) -> str:
        """The forms of --host."""
        return (
            "--host takes an interpreter (--host /usr/bin/python3.12), an environment folder (--host .venv) "
            "or a version (--host 3.12)"
        )


class HostUnusable(UsageError):
    """The host's interpreter is there but does not answer, or is too old."""

    code = "host-unusable"
    executable: Path
    problem: str
    answer: Sequence[str] = ()

    @property
    def message(self) -> str:
        """The interpreter and what is wrong with it."""
        return f"{self.executable}: {self.problem}"

    @property
    def hint(self) -> str:
        """How to choose another host."""
        return "choose another host with --host: an interpreter, an environment folder or a version such as 3.12"

    @property
    def output(self) -> tuple[str, ...]:
        """What the interpreter printed."""
        return tuple(self.answer)


class InstallerNotFound(UsageError):
    """The installer that was asked for is not on this machine."""

    code = "installer-not-found"
    installer: str
    python: str

    @property
    def message(self) -> str:
        """Which installer, and for which Python."""
        return f"{self.installer} is not to be found (needed to install build requirements for Python {self.python})"

    @property
    def hint(self) -> str:
        """How to get it."""
        if self.installer == "uv":
            return "pip install 'passbuild[uv]', or put uv on PATH, or use --installer pip"
        return "give the environment of passbuild a pip (python -m ensurepip), or install uv"


class ExtraMissing(UsageError):
    """What was asked for needs a library that is not installed beside passbuild."""

    code = "extra-missing"
    option: str
    library: str
    extra: str

    @property
    def message(self) -> str:
        """What needs which library."""
        return f"{self.option} needs {self.library}, which is not installed beside passbuild"

    @property
    def hint(self) -> str:
        """The extra that brings it."""
        return f"pip install 'passbuild[{self.extra}]'"


class OutputNotWritable(UsageError):
    """The output folder or a report file cannot be written."""

    code = "output-not-writable"
    path: Path
    problem: str
    option: str = "--outdir"

    @property
    def message(self) -> str:
        """The path and the system's reason."""
        return f"{self.path}: {self.problem}"

    @property
    def hint(self) -> str:
        """How to choose another place."""
        return f"choose another place with {self.option}" if self.option else ""


class SystemRefused(UsageError):
    """The system refused what every program needs: room, open files, memory, a folder for temporary files."""

    code = "system-refused"
    problem: str
    path: str = ""
    advice: str = ""

    @classmethod
    def of(cls, error: OSError) -> SystemRefused | None:
        """Return what such an error says; None for one that is not of the machine but of passbuild."""
        if "usable temporary directory" in (error.strerror or ""):  # Python's own words, without a number of its own
            problem = "there is no folder for temporary files that can be written"
            return cls(problem=problem, advice="set TMPDIR to one that can")
        name = errno.errorcode.get(error.errno or 0, "")
        if name not in _OF_SYSTEM:
            return None
        path = error.filename if isinstance(error.filename, str) else ""
        return cls(problem=error.strerror or str(error), path=path, advice=_OF_SYSTEM[name])

    @property
    def message(self) -> str:
        """The system's reason, and the path where it names one."""
        return f"{self.path}: {self.problem}" if self.path else self.problem

    @property
    def hint(self) -> str:
        """What there is too little of."""
        return self.advice


_ROOM = "make room there, or set TMPDIR, --cache-dir or --outdir to a disk that has it (passbuild doctor measures them)"
_FILES = "allow more open files (ulimit -n 1024), or run less at a time"
_OF_SYSTEM = {
    "ENOSPC": _ROOM,
    "EDQUOT": _ROOM,
    "EFBIG": _ROOM,
    "EMFILE": _FILES,
    "ENFILE": _FILES,
    "ENOMEM": "free some memory, or allow more of it (ulimit -v)",
    "EAGAIN": "allow more processes (ulimit -u), or run less at a time",
    "EROFS": "choose a place that can be written, with TMPDIR, --cache-dir or --outdir",
    "EIO": "look at the system's log: the disk, or the way to it, is faulty",
    "ESTALE": "build again: a folder of a network file system was exchanged meanwhile",
    "ENAMETOOLONG": "move the project, or what TMPDIR and --cache-dir name, to a shorter path",
}
"""What to do, by the names of the system's errors."""


class NotAStore(UsageError):
    """A folder that is to hold or to lose build environments holds something else."""

    code = "not-a-store"
    root: Path

    @property
    def message(self) -> str:
        """The folder."""
        return f"{self.root}: is no store of passbuild: it holds other things, and no CACHEDIR.TAG of passbuild's"

    @property
    def hint(self) -> str:
        """How to name the right one."""
        return "name a new folder, or a store, with --cache-dir; passbuild cache dir says which one is used"


@frozen
class Problem:
    """One reason why a plan is impossible."""

    name: str
    """Normalized name of the passthrough package."""
    wanted: str
    """The requirement, and who states it."""
    found: str
    """Version and location on the host, or that it is not there."""
    hint: str
    """What to type."""


class PlanImpossible(PassbuildError):
    """What is asked for cannot be had together."""

    code = "plan-impossible"
    exit_code = 3


class Refused(PlanImpossible):
    """Something cannot be had with the host's copy of a passthrough package; all such are listed together."""

    problems: Sequence[Problem]

    @property
    def hint(self) -> str:
        """The hints of the problems, each once."""
        return "\n".join(dict.fromkeys(problem.hint for problem in self.problems))


class VersionMismatch(Refused):
    """A passthrough package is on the host in a version that a requirement does not allow."""

    code = "version-mismatch"

    @property
    def message(self) -> str:
        """Wanted, found and where, one line for each package."""
        return "\n".join(f"{problem.name}: wanted {problem.wanted}, found {problem.found}" for problem in self.problems)


class PassthroughMissing(Refused):
    """A passthrough package is not on the host, and `--on-missing error` is set."""

    code = "passthrough-missing"

    @property
    def message(self) -> str:
        """Who asked for the package, and where it was looked for."""
        return "\n".join(
            f"{problem.name}: wanted from the host ({problem.wanted}), {problem.found}" for problem in self.problems
        )


class PinContradiction(Refused):
    """A wheel is to be pinned to a passed package (`--pin`), but itself requires another version of that."""

    code = "pin-contradiction"

    @property
    def message(self) -> str:
        """What the wheel requires and what it was built against, one line for each package."""
        return "\n".join(
            f"{problem.name}: the wheel requires {problem.wanted}, but was built against {problem.found}"
            for problem in self.problems
        )


class NotAmendable(PlanImpossible):
    """Nothing can be added to a wheel (`--pin`, `--sbom`) without breaking it."""

    code = "not-amendable"
    wheel: str
    problem: str

    @property
    def message(self) -> str:
        """The wheel and what would break."""
        return f"nothing can be added to {self.wheel}: {self.problem}"

    @property
    def hint(self) -> str:
        """How to get the wheel as it is."""
        return "take it as the backend made it: --pin none, and no sbom (PASSBUILD_SBOM=0)"


_GIT = "install git (Debian: apt install git), or put it on PATH: what has a git+ URL is fetched with it"


def _lacks_git(conclusion: Sequence[str]) -> bool:
    """Whether an installer says, in pip's words or in uv's, that there is no git."""
    told = "\n".join(conclusion)
    return "Cannot find command 'git'" in told or "Git executable not found" in told


class Unresolvable(PlanImpossible):
    """The installer could not install the build requirements."""

    code = "unresolvable"
    installer: str
    conclusion: Sequence[str]
    passed: Sequence[str] = ()

    @property
    def message(self) -> str:
        """The installer's own conclusion."""
        return "\n".join((f"{self.installer} cannot install the build requirements:", *self.conclusion))

    @property
    def hint(self) -> str:
        """What to look at: versions that the host pins, or the index."""
        told = "\n".join(self.conclusion).lower()
        if _lacks_git(self.conclusion):
            return _GIT
        if any(pin.partition("==")[0] in told for pin in self.passed):
            pins = ", ".join(self.passed)
            return (
                f"the versions from the host are fixed ({pins}); relax the requirement that contradicts them, "
                "or take a name away with --no-passthrough NAME"
            )
        return (
            "check [build-system] requires in pyproject.toml, the --build-constraint files "
            "and the installer's index settings"
        )


class CannotFetch(PlanImpossible):
    """The installer found no sdist of what is to be built, or could not get it."""

    code = "cannot-fetch"
    source: str
    installer: str
    conclusion: Sequence[str]

    @property
    def message(self) -> str:
        """What was asked for and the installer's own conclusion."""
        return "\n".join((f"{self.source}: {self.installer} cannot fetch an sdist of it:", *self.conclusion))

    @property
    def hint(self) -> str:
        """What to look at."""
        if _lacks_git(self.conclusion):
            return _GIT
        return (
            "check name and version, and the index (--index-url, --extra-index-url, --find-links); a project that "
            "publishes wheels alone has no sdist: take its repository, such as git+https://HOST/PROJECT@TAG"
        )


class CannotInstall(PlanImpossible):
    """The installer could not install what was built into the host."""

    code = "cannot-install"
    names: Sequence[str]
    host: Path
    installer: str
    conclusion: Sequence[str]
    fixed: Sequence[str] = ()
    """The constraints for passed packages of which the conclusion speaks."""
    changes: Sequence[str] = ()

    @property
    def message(self) -> str:
        """The installer's own conclusion, and what became of the host."""
        state = f"it changed {self.host}: {', '.join(self.changes)}" if self.changes else f"{self.host} is as it was"
        return "\n".join((f"{self.installer} cannot install {', '.join(self.names)}:", *self.conclusion, state))

    @property
    def hint(self) -> str:
        """What to look at: passed packages are not replaced."""
        if self.fixed:
            return (
                f"what was built against is not replaced ({', '.join(self.fixed)}): install a version of the project "
                "that goes with it, or change the host's first and build again"
            )
        if any("externally" in line and "managed" in line for line in self.conclusion):
            return (
                "the system manages this Python (PEP 668): make an environment that sees its packages, "
                "python3 -m venv --system-site-packages FOLDER, and name it with --host"
            )
        return "the wheels were built; what the installer says is about their requirements, or about the host"


class PassedIsInstalled(UsageError):
    """Of several sources one is to be installed in the place of what passed through for another."""

    code = "passed-is-installed"
    name: str
    project: str

    @property
    def message(self) -> str:
        """Which, and for which."""
        return f"{self.project} was built against the host's {self.name}, which is to be installed now: nothing was"

    @property
    def hint(self) -> str:
        """The order."""
        return f"install {self.name} first, and {self.project} by a command of its own"


class HostsDiffer(UsageError):
    """The sources of one installation are for different hosts."""

    code = "hosts-differ"
    hosts: Sequence[str]

    @property
    def message(self) -> str:
        """The hosts."""
        return f"the sources are for different hosts: {', '.join(self.hosts)}"

    @property
    def hint(self) -> str:
        """How to name one."""
        return "name the one to install into with --host, or install one source at a time"


class HookContradiction(PlanImpossible):
    """What a hook requires contradicts what ``[build-system] requires`` states."""

    code = "hook-contradiction"
    hook: str
    static: str
    dynamic: str
    conclusion: Sequence[str]

    @property
    def message(self) -> str:
        """Both sides and the installer's conclusion."""
        static = f"[build-system] requires: {self.static}"
        head = f"{self.hook} requires {self.dynamic}, which does not go together with {static}"
        return "\n".join((head, *self.conclusion))

    @property
    def hint(self) -> str:
        """Where to mend it."""
        return "change [build-system] requires in pyproject.toml, or what the backend's hook returns"


class BuildCycle(PlanImpossible):
    """A build requirement that exists only as an sdist needs itself, or the project, to be built."""

    code = "build-cycle"
    chain: Sequence[str]

    @property
    def message(self) -> str:
        """Who needs whom, from the project on."""
        return f"{self.chain[-1]} is needed to build itself: {' needs '.join(self.chain)}"

    @property
    def hint(self) -> str:
        """What breaks the cycle."""
        return (
            f"none of these has a wheel that fits this host: put a wheel of {self.chain[-1]} into a folder and name it "
            "with --find-links, or require a version that has one"
        )


class IncompleteInstall(PlanImpossible):
    """The installer reported success, but the build environment is not what the plan says."""

    code = "incomplete-install"
    installer: str
    findings: Sequence[str]

    @property
    def message(self) -> str:
        """What is missing or changed."""
        return "\n".join((f"{self.installer} reported success, but:", *self.findings))

    @property
    def hint(self) -> str:
        """What usually does that."""
        return (
            "look for settings of the installer that install elsewhere (target, prefix, user), again "
            "(PIP_FORCE_REINSTALL, PIP_IGNORE_INSTALLED) or something else (UV_OVERRIDE); try the other --installer"
        )


class BackendError(PassbuildError):
    """The build backend did not do its part."""


@frozen
class Cause:
    """What went wrong first in another program, by its own output."""

    text: str
    """Its own words, in one line."""
    file: str = ""
    """The file at fault, as the project calls it; empty where the output names none."""
    line: int = 0
    """The line in it, from 1; 0 where the output names none."""
    excerpt: tuple[str, ...] = ()
    """The few lines of the output that show it."""
    more: int = 0
    """How many other errors the same command had."""

    @property
    def place(self) -> str:
        """The file and the line, as compilers write them."""
        return f"{self.file}:{self.line}" if self.line else self.file


class BackendFailed(BackendError):
    """A hook of the build backend failed."""

    code = "backend-failed"
    hook: str
    problem: str
    """What is known without looking into the output: how the process ended, or the last line of a traceback."""
    lines: Sequence[str] = ()
    cause: Cause | None = None
    advice: str = ""
    status: int = 0
    """The exit code of the backend's process, negative the signal that ended it; 0 where it ended well."""
    backend: str = ""
    """The backend where it cannot be imported."""
    project: str = ""

    @property
    def message(self) -> str:
        """What went wrong first and where, or how the hook ended."""
        project = f"{self.project}: " if self.project else ""
        problem = f"the backend {self.backend} cannot be imported: " if self.backend else ""
        if self.cause is None:
            return f"{project}{self.hook} failed: {problem}{self.problem}"
        place = f"{self.cause.place}: " if self.cause.file else ""
        more = f" (and {self.cause.more} more)" if self.cause.more else ""
        return f"{project}{self.hook} failed: {problem}{place}{self.cause.text}{more}"

    @property
    def hint(self) -> str:
        """What the log gives reason to advise."""
        return self.advice

    @property
    def output(self) -> tuple[str, ...]:
        """The end of the backend's output."""
        return tuple(self.lines)


class TimedOut(BackendError):
    """A hook, or an installer, took longer than it may."""

    code = "timed-out"
    what: str
    seconds: float
    lines: Sequence[str] = ()

    @property
    def message(self) -> str:
        """What, and how long it had."""
        return f"{self.what} did not end within {self.seconds:g} s, and was ended"

    @property
    def hint(self) -> str:
        """The setting."""
        return f"give it more time: --timeout {self.seconds * 2:g}; or look at what it said last, with -v"

    @property
    def output(self) -> tuple[str, ...]:
        """The end of its output."""
        return tuple(self.lines)


class NotProtected(UsageError):
    """The host is to be protected by the system, which has no means for it."""

    code = "not-protected"
    problem: str

    @property
    def message(self) -> str:
        """Why not, of each means."""
        return f"the system cannot keep hooks from writing the host ({self.problem})"

    @property
    def hint(self) -> str:
        """What to do without."""
        return "--protect-host auto builds all the same, and looks afterwards whether the host was changed"


class HostChanged(BackendError):
    """Files of passed packages changed while a hook ran: the host is only read, so nothing was published."""

    code = "host-changed"
    hook: str
    changes: Sequence[str]
    lines: Sequence[str] = ()

    _SHOWN: ClassVar[int] = 20

    @property
    def message(self) -> str:
        """The files, and what happened to each."""
        more = len(self.changes) - self._SHOWN
        rest = [f"and {more} more"] if more > 0 else []
        head = f"the host was changed while {self.hook} ran"
        return "\n".join((head, *self.changes[: self._SHOWN], *rest))

    @property
    def hint(self) -> str:
        """Whose fault it may be, and what to do about the host."""
        if all("__pycache__" in change for change in self.changes):
            return (
                "that is byte code alone, as any program writes it that imports the package for the first time: build "
                "again, or compile it once and for all with the host's python -m compileall"
            )
        return (
            "no build may write into the packages of the host; nothing was published. If another program of yours "
            "wrote there meanwhile, build again; if not, reinstall what was changed, and look at what the project's "
            "build runs"
        )

    @property
    def output(self) -> tuple[str, ...]:
        """The end of the backend's output."""
        return tuple(self.lines)


class FolderMoved(BackendError):
    """A folder that the build works in, or is kept from writing, was moved or replaced while a hook ran."""

    code = "folder-moved"
    folder: Path

    @property
    def message(self) -> str:
        """Which one."""
        return f"{self.folder} was moved, or something else put in its place, while it was built"

    @property
    def hint(self) -> str:
        """What to think of it."""
        return (
            "nothing was published. If a program of yours did it, build again; if not, it was the project's build, "
            "which has something in mind: look at what is there now before you use it"
        )


class ImportFails(BackendError):
    """What was installed cannot be imported, which `--check-import` asked for."""

    code = "import-fails"
    modules: Sequence[str]
    host: Path
    lines: Sequence[str] = ()

    @property
    def message(self) -> str:
        """The modules, and that they are there."""
        names = ", ".join(name.lstrip("?") for name in self.modules)
        last = next((line.strip() for line in reversed(self.lines) if line.strip()), "its process ended")
        return f"installed into {self.host}, but importing {names} failed: {last}"

    @property
    def hint(self) -> str:
        """Where to look."""
        return "import it in the host's Python to see more; the wheel stays installed"

    @property
    def output(self) -> tuple[str, ...]:
        """The end of what Python said."""
        return tuple(self.lines)


class NotReproducible(BackendError):
    """An artifact was built twice, in two folders, and came out differently (`--verify-reproducible`)."""

    code = "not-reproducible"
    artifact: str
    differences: Sequence[str]
    are_kept: bool = False

    _SHOWN: ClassVar[int] = 10

    @property
    def message(self) -> str:
        """The first differences, one line for each."""
        more = len(self.differences) - self._SHOWN
        rest = [f"and {more} more {'difference' if more == 1 else 'differences'}"] if more > 0 else []
        head = f"{self.artifact} came out differently when it was built again in another folder:"
        return "\n".join((head, *self.differences[: self._SHOWN], *rest))

    @property
    def hint(self) -> str:
        """How to look closer."""
        if self.are_kept:
            return "both are kept, in first-1 and again-1 of the folder that is named above: diffoscope compares them"
        return "nothing was published; --keep keeps both, for diffoscope to compare"


class BadArtifact(BackendError):
    """What the backend wrote is not a sound wheel or sdist of this project; it was not published."""

    code = "bad-artifact"
    artifact: str
    findings: Sequence[str]

    @property
    def message(self) -> str:
        """The file and everything that is wrong with it."""
        return "\n".join((f"the backend wrote {self.artifact}, which is not sound:", *self.findings))

    @property
    def hint(self) -> str:
        """Whose fault it is."""
        return (
            "this is a fault of the project's build backend or of its configuration; "
            "nothing was put into the output folder"
        )


class Cancelled(PassbuildError):
    """A signal ended the build."""

    code = "cancelled"
    signal: int

    def __init__(self, *, signal: int) -> None:
        super().__init__(signal=signal)
        self.exit_code = 128 + signal  # as the shell does

    @property
    def message(self) -> str:
        """One plain line."""
        names = {1: " (SIGHUP)", 2: " (Ctrl-C)", 15: " (SIGTERM)"}
        return f"cancelled by signal {self.signal}{names.get(self.signal, '')}"


def _remade(cls: type[PassbuildError], facts: dict[str, object]) -> PassbuildError:
    """Return an error that was copied or pickled."""
    error = cls.__new__(cls)
    vars(error).update(facts)
    return error
