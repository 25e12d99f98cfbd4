"""Install built wheels into the host: the one thing that writes there, and only when it was asked for.

The installer does it, in one resolution: the passed packages are its constraints, so it replaces none of them or does
nothing at all. Afterwards the host's records say where each project came from (PEP 610), which the wheel in a temporary
folder is not.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections import deque
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from packaging.requirements import InvalidRequirement, Requirement

from passbuild import git, process
from passbuild.environment import installers, origins
from passbuild.environment.installers import Delivery, Start
from passbuild.errors import CannotInstall, HostUnusable, ImportFails, PassedIsInstalled
from passbuild.host import probe
from passbuild.host.model import Choice
from passbuild.redaction import redacted, stripped
from passbuild.values import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from packaging.utils import NormalizedName

    from passbuild.artifact import Artifact
    from passbuild.environment.installers import Installer
    from passbuild.host.model import Host
    from passbuild.plan.model import Passed
    from passbuild.project.model import Project
    from passbuild.project.source import Source
    from passbuild.surroundings import Surroundings

_UNMET = re.compile(r"requires? .* (?:but|which is not installed)|has requirement .* but")
_SUFFIXES = (".py", ".so", ".pyd")
_LAST_LINES = 20
_MARK = "passbuild-imported:"
_IMPORTING = f"""\
import importlib, importlib.util, sys
for name in sys.argv[1:]:
    if not name.startswith("?") or importlib.util.find_spec(name[1:]):
        importlib.import_module(name.lstrip("?"))
        print("\\n{_MARK}" + name.lstrip("?"), flush=True)
"""
"""Import the modules that are named, those behind a question mark if there are any."""


@frozen
class Parcel:
    """A wheel that is to be installed, and what it was made of."""

    artifact: Artifact
    project: Project
    source: Source
    passed: tuple[Passed, ...]
    is_editable: bool


@frozen
class Wish:
    """How it is to be installed."""

    dry_run: bool = False
    check_import: bool = False


@frozen
class Change:
    """What an installation did to one distribution of the host."""

    name: NormalizedName
    before: str
    """Its version; empty where it was not there."""
    after: str
    """Its version; empty where it is gone."""


@frozen
class Installation:
    """What was installed, or what would be."""

    host: Host
    installer: str
    dry_run: bool
    infos: Mapping[NormalizedName, Path]
    """The ``.dist-info`` of what was installed; empty after a dry run."""
    changes: tuple[Change, ...]
    imported: tuple[str, ...] = ()
    """The modules that were imported to see that they can be."""
    output: tuple[str, ...]
    """What the installer said."""


@frozen
class Errand:
    """Who installs, and with what around it."""

    host: Host
    installer: Installer
    scratch: Path
    """A folder of ours that is gone after the run."""
    surroundings: Surroundings
    on_line: Callable[[str], None]
    on_warning: Callable[[str], None]


def installed(parcels: Sequence[Parcel], wish: Wish, errand: Errand) -> Installation:
    """Install the wheels and what they require. Raises PassedIsInstalled or CannotInstall."""
    _refuse_passed(parcels)
    host, environ = errand.host, errand.surroundings.environ
    names = [item.artifact.name for item in parcels]
    pins = dict(sorted(line for item in parcels for line in _pins(item.passed, names)))
    before = _probed(host, names, environ)
    unmet = _unmet(errand)
    lines = _delivered(parcels, wish, errand, pins, before)
    for text in sorted(_unmet(errand) - unmet):
        errand.on_warning(f"{host.prefix}: {text}")
    after = before if wish.dry_run else _probed(host, names, environ)
    infos = {}
    if not wish.dry_run:
        for item in parcels:
            found = after.distributions.get(item.artifact.name)
            if found is None:
                problem = f"{errand.installer.name} reported success, but {item.artifact.name} is not on the host"
                tool = errand.installer.name
                raise CannotInstall(names=names, host=host.prefix, installer=tool, conclusion=[problem])
            infos[item.artifact.name] = found.info
            origins.record(found.info, _origin(item, environ))
    changes = tuple(_changes(before.installed, after.installed))
    return Installation(
        host=host,
        installer=errand.installer.name,
        dry_run=wish.dry_run,
        infos=infos,
        changes=changes,
        output=tuple(lines),
    )


def _refuse_passed(parcels: Sequence[Parcel]) -> None:
    """Raise PassedIsInstalled where what passed through for one wheel is another one of those to install."""
    names = {item.artifact.name for item in parcels}
    for item in parcels:
        for passed in item.passed:
            if passed.distribution.name in names:
                raise PassedIsInstalled(name=passed.distribution.name, project=item.artifact.name)


def _pins(passed: Iterable[Passed], built: Sequence[NormalizedName]) -> Iterator[tuple[NormalizedName, str]]:
    """Yield a constraint for each passed distribution that is not itself installed now."""
    for item in passed:
        distribution = item.distribution
        if distribution.version is not None and distribution.name not in built:
            yield distribution.name, f"{distribution.name}=={distribution.version}"


def _probed(host: Host, names: Iterable[NormalizedName], environ: Mapping[str, str]) -> Host:
    return probe.probed(Choice(executable=host.executable, reason=host.reason), names, environ)


def _delivered(
    parcels: Sequence[Parcel], wish: Wish, errand: Errand, pins: Mapping[NormalizedName, str], before: Host
) -> list[str]:
    """Run the installer; return what it said."""
    environ = errand.surroundings.environ
    index = errand.scratch / "index.txt"
    index.write_text("".join(f"{line}\n" for line in errand.installer.lines), encoding="utf-8")
    constraints = errand.scratch / "constraints.txt"
    constraints.write_text("".join(f"{line}\n" for line in pins.values()), encoding="utf-8")
    named = [name for name in environ.get("UV_CONSTRAINT", "").split() if name]
    delivery = Delivery(
        python=errand.host.executable,
        wheels=[item.artifact.path for item in parcels],
        constraints=[constraints, *(errand.surroundings.cwd / name for name in named)],
        again=[item.artifact.name for item in parcels if _is_there(item, before)],
        dry_run=wish.dry_run,
        index=index,
    )
    said: list[str] = []
    for command in errand.installer.deliveries(delivery):
        variables = installers.READING if wish.dry_run else {}
        # It has all the time it wants: half an installation is worse than a long one.
        start = Start(argv=command, variables=variables, scratch=errand.scratch, is_bounded=False)
        finished = installers.run(
            errand.installer, start, errand.surroundings, lambda line: errand.on_line(redacted(line))
        )
        said += finished.lines
        if finished.returncode != 0:
            raise _failure(parcels, errand, finished.lines, pins, before)
    return said


def _unmet(errand: Errand) -> set[str]:
    """Return what the installer says of requirements that are not met on the host; one is warned of, not mended."""
    argv = errand.installer.checking(errand.host.executable)
    start = Start(argv=argv, variables=installers.READING, scratch=errand.scratch)
    told = installers.run(errand.installer, start, errand.surroundings, lambda _: None).lines
    return {line.strip() for line in told if _UNMET.search(line)}


def _is_there(item: Parcel, before: Host) -> bool:
    """Whether the host has this very version: an installer would leave it as it is."""
    found = before.distributions.get(item.artifact.name)
    return found is not None and found.version == item.artifact.version


def _failure(
    parcels: Sequence[Parcel], errand: Errand, lines: Sequence[str], pins: Mapping[NormalizedName, str], before: Host
) -> CannotInstall:
    names = [item.artifact.name for item in parcels]
    conclusion = [redacted(line) for line in errand.installer.conclusion(lines)]
    after = _probed(errand.host, names, errand.surroundings.environ)
    changes = [
        f"{item.name}: {item.before or 'absent'} → {item.after or 'absent'}"
        for item in _changes(before.installed, after.installed)
    ]
    told = "\n".join(conclusion).lower()
    return CannotInstall(
        names=names,
        host=errand.host.prefix,
        installer=errand.installer.name,
        conclusion=conclusion,
        fixed=[line for name, line in pins.items() if name in told],
        changes=changes,
    )


def _changes(before: Mapping[NormalizedName, str], after: Mapping[NormalizedName, str]) -> Iterator[Change]:
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            yield Change(name=name, before=before.get(name, ""), after=after.get(name, ""))


def _origin(item: Parcel, environ: Mapping[str, str]) -> dict[str, object] | None:
    """Return what direct_url.json says of the project; None for one that came from an index."""
    source, path = item.source, item.source.path
    if path is not None and path.is_dir():
        return {"url": path.as_uri(), "dir_info": {"editable": True} if item.is_editable else {}}
    if path is not None:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return {"url": path.as_uri(), "archive_info": {"hashes": {"sha256": digest}}}
    url = _url(source.line)
    if url is None:
        return None
    fragment = parse_qs(urlsplit(url).fragment)
    address = url.partition("#")[0]  # urldefrag takes the slashes out of git+file:///
    vcs, plus, rest = address.partition("+")
    if not plus or "://" in vcs:  # it may stand in the path, as in a local version
        hashes = {name: value[0] for name, value in fragment.items() if name.startswith("sha")}
        return {"url": stripped(address), "archive_info": {"hashes": hashes} if hashes else {}}
    where, _, revision = rest.rpartition("@") if "@" in urlsplit(rest).path else (rest, "", "")
    about = {"vcs": vcs, "commit_id": _commit(item.project.folder, environ)}
    revision = revision.partition("?")[0]
    if revision:
        about["requested_revision"] = revision
    origin: dict[str, object] = {"url": stripped(where), "vcs_info": about}
    if "subdirectory" in fragment:
        origin["subdirectory"] = fragment["subdirectory"][0]
    return origin


def _url(line: str) -> str | None:
    """Return the URL in a line of a requirements file, with the hash of an option as its fragment."""
    text, _, hashes = line.partition(" --hash=")
    try:
        url = Requirement(text).url
    except InvalidRequirement:
        url = text
    if url is None or not hashes:
        return url
    kind, _, value = hashes.partition(" ")[0].partition(":")
    return f"{url}#{kind}={value}"


def _commit(folder: Path, environ: Mapping[str, str]) -> str:
    """Return the commit that a git checkout is at; empty where git cannot say."""
    return git.said(["rev-parse", "HEAD"], folder, environ).strip()


def imported(parcels: Sequence[Parcel], errand: Errand) -> tuple[str, ...]:
    """Import what was installed, in the host's Python and a folder of ours. Raises ImportFails."""
    host = errand.host
    modules: list[str] = []
    for item in parcels:  # the wheel of an editable project names none, but mostly there is one of its name
        modules += _modules(item.artifact.path) or ["?" + item.artifact.name.replace("-", "_")]
    # An extension may rely on what it was built against being there already: the libraries of torch, say.
    named = {passed.distribution.name for item in parcels for passed in item.passed if passed.named}
    first = [f"?{name.replace('-', '_')}" for name in sorted(named)]
    argv = [str(host.executable), "-B", "-c", _IMPORTING, *first, *modules]  # what is only tried leaves nothing behind
    told: set[str] = set()
    last: deque[str] = deque(maxlen=_LAST_LINES)

    def heard(line: str) -> None:
        if line.startswith(_MARK):
            told.add(line.removeprefix(_MARK))
        else:
            last.append(line)
        errand.on_line(line)

    try:
        code = process.stream(
            process.Command(argv=argv, environ=errand.surroundings.environ, cwd=errand.scratch), heard
        )
    except OSError as error:
        raise HostUnusable(executable=host.executable, problem=f"cannot be started: {error.strerror}") from error
    if code != 0 or any(name not in told for name in modules if not name.startswith("?")):
        raise ImportFails(modules=modules, host=host.prefix, lines=tuple(last))
    done = tuple(module.lstrip("?") for module in modules if module.lstrip("?") in told)
    for module in modules:
        if module.lstrip("?") not in done:
            errand.on_warning(f"nothing says which modules {module.lstrip('?')} has, so none was imported")
    return done


def _modules(wheel: Path) -> list[str]:
    """Return the public modules of a wheel that can be imported first: packages, below namespaces too, then modules."""
    with zipfile.ZipFile(wheel) as archive:
        paths = [PurePosixPath(name) for name in archive.namelist()]
    packages = {path.parent for path in paths if path.name == "__init__.py"}
    tops = {path for path in packages if not any(parent in packages for parent in path.parents)}
    modules = sorted(".".join(path.parts) for path in tops)
    files = {path.name.partition(".")[0] for path in paths if path.suffix in _SUFFIXES and len(path.parts) == 1}
    return [
        name for name in (*modules, *sorted(files)) if name.replace(".", "").isidentifier() and not name.startswith("_")
    ]
