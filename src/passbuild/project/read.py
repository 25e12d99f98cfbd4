"""Open SOURCE: find the source tree and decode what pyproject.toml states, with every mistake at once."""

from __future__ import annotations

import sys
from difflib import get_close_matches
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name, is_normalized_name
from packaging.version import InvalidVersion, Version

from passbuild import reading
from passbuild.errors import AlreadySdist, InvalidProject, Mistake, NotEditable, SourceNotFound, UnusableSource
from passbuild.project import pep508
from passbuild.project.model import BuildSystem, Project

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from packaging.utils import NormalizedName

_ARCHIVES = (".tar.gz", ".tgz", ".zip")
_KEYS = ("requires", "build-backend", "backend-path")
_DRAFTED = ("build-isolation-passthrough", "build_isolation_passthrough")
"""What the draft PEP adds to the table, as settings spell keys and as the draft does; `settings.sources` reads it."""
_LEGACY_BACKEND = "setuptools.build_meta:__legacy__"
_LEGACY_REQUIRES = ("setuptools >= 40.8.0",)
_ELSEWHERE = (
    "[build-system] holds only requires, build-backend and backend-path; "
    'name passthrough packages in [tool.passbuild]: passthrough = ["torch"]'
)


def opened(source: Path, extract_to: Path) -> Project:
    """Return the project at `source`, a folder or an sdist archive; an archive is extracted below `extract_to`.

    Raises SourceNotFound, UnsafeArchive, or InvalidProject.
    """
    if source.is_dir():
        folder = source
    elif source.is_file() and source.name.endswith(_ARCHIVES):
        from passbuild.project import archive

        folder = archive.extracted(source, extract_to)
    elif source.is_file():
        raise SourceNotFound(source=source, problem="is not an sdist archive (.tar.gz, .zip)")
    else:
        raise SourceNotFound(source=source, problem="there is no such folder or file")
    return read(source, folder, is_ours=folder != source)


def refuse_ours(project: Project) -> None:
    """Raise AlreadySdist for a project that was extracted from an archive, or fetched."""
    if project.is_ours:
        raise AlreadySdist(source=project.given)


def refuse_editable(project: Project) -> None:
    """Raise NotEditable for a project in a folder that will be gone."""
    if project.is_ours:
        raise NotEditable(source=project.given)


def refuse_other(project: Project, name: NormalizedName | None) -> Project:
    """Return the project; raise UnusableSource where it states another name than the one that was asked for."""
    if name is not None and project.name is not None and name != project.name:
        advice = f"write {project.name}, or another place"
        raise UnusableSource(source=project.given, problem=f"it is {project.name}, not {name}", advice=advice)
    return project


def is_project(folder: Path) -> bool:
    """Whether a folder holds a Python project."""
    return (folder / "pyproject.toml").is_file() or (folder / "setup.py").is_file()


def static_name(folder: Path) -> NormalizedName | None:
    """Return the name that a folder states; None where it states none, or nothing that can be read."""
    try:
        return _identity(_decoded(folder / "pyproject.toml"), folder)[0]
    except InvalidProject:
        return None


def read(given: Path | str, folder: Path, *, is_ours: bool) -> Project:
    """Return the project in `folder`, which came of `given`. Raises SourceNotFound or InvalidProject."""
    file = folder / "pyproject.toml"
    if not is_project(folder):
        raise SourceNotFound(source=given, problem="is no Python project: it has neither pyproject.toml nor setup.py")
    pyproject = _decoded(file)
    mistakes: list[Mistake] = []
    build_system = _build_system(pyproject, folder, mistakes)
    name, version = _identity(pyproject, folder)
    _note_no_name(pyproject, mistakes)
    if mistakes:
        raise InvalidProject(mistakes=tuple(mistakes))
    return Project(
        given=str(given),
        folder=folder,
        is_ours=is_ours,
        pyproject=pyproject,
        build_system=build_system,
        name=name,
        version=version,
    )


def _decoded(file: Path) -> Mapping[str, object]:
    try:
        if not file.exists():
            return {}
        if file.is_file():
            return tomllib.loads(reading.text(file))
        problem = "is no file"
    except (OSError, ValueError, RecursionError) as error:  # tomllib lets numbers that are too long, and depth, through
        problem = f"cannot be read: {error}"
    raise InvalidProject(mistakes=[Mistake(place=str(file), problem=problem, hint=f"open {file}")])


def _build_system(pyproject: Mapping[str, object], folder: Path, mistakes: list[Mistake]) -> BuildSystem:
    """Decode ``[build-system]`` by PEP 517 and 518; without the table, the defaults are those of setuptools."""
    where = "pyproject.toml [build-system]"
    table = pyproject.get("build-system")
    if table is None:
        _note_misspelt(pyproject, mistakes)
        return BuildSystem(requires=tuple(map(Requirement, _LEGACY_REQUIRES)), backend=_LEGACY_BACKEND)
    if not isinstance(table, dict):
        mistakes.append(Mistake(place=where, problem="has to be a table"))
        return BuildSystem(requires=(), backend=_LEGACY_BACKEND)
    for key in sorted(table.keys() - {*_KEYS, *_DRAFTED}):
        close = get_close_matches(key, _KEYS, n=1)
        hint = f"did you mean {close[0]!r}?" if close else _ELSEWHERE
        mistakes.append(Mistake(place=f"{where} {key}", problem="the standard knows no such key", hint=hint))
    if "requires" not in table:
        mistakes.append(
            Mistake(
                place=where, problem="requires is missing", hint='write requires = ["setuptools"], or what it needs'
            )
        )
    backend = table.get("build-backend", _LEGACY_BACKEND)
    if not isinstance(backend, str):
        mistakes.append(Mistake(place=f"{where} build-backend", problem="has to be a string"))
        backend = _LEGACY_BACKEND
    paths = _strings(table.get("backend-path", []), f"{where} backend-path", mistakes)
    for index, path in enumerate(paths):
        is_there, inside = _looked_at(folder, path)
        if not inside or not is_there:
            reason = "there is no such folder" if inside else "lies outside the source tree"
            mistakes.append(Mistake(place=f"{where} backend-path[{index}]", problem=f"{path!r}: {reason}"))
    return BuildSystem(
        requires=_requirements(table.get("requires", []), f"{where} requires", mistakes),
        backend=backend,
        backend_path=tuple(paths),
    )


def _looked_at(folder: Path, path: str) -> tuple[bool, bool]:
    """Return whether a path is that of a folder, and whether it stays in the source tree."""
    try:
        return (folder / path).is_dir(), (folder / path).resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):  # too long, a loop of links, a NUL
        return False, True


def _note_misspelt(pyproject: Mapping[str, object], mistakes: list[Mistake]) -> None:
    for name in get_close_matches("build-system", pyproject, n=1, cutoff=0.8):
        hint = "did you mean [build-system]?"
        mistakes.append(
            Mistake(place=f"pyproject.toml [{name}]", problem="the standard knows no such table", hint=hint)
        )


def _requirements(value: object, where: str, mistakes: list[Mistake]) -> tuple[Requirement, ...]:
    found = []
    for index, text in enumerate(_strings(value, where, mistakes)):
        try:
            found.append(pep508.decoded(text))
        except InvalidRequirement as error:
            reason = str(error).splitlines()[0]
            hint = "open pyproject.toml; a requirement is written like 'setuptools>=61' (PEP 508)"
            mistakes.append(
                Mistake(place=f"{where}[{index}]", problem=f"{text!r} is no requirement: {reason}", hint=hint)
            )
    return tuple(found)


def _strings(value: object, where: str, mistakes: list[Mistake]) -> list[str]:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return value
    mistakes.append(Mistake(place=where, problem="has to be a list of strings"))
    return []


def _identity(pyproject: Mapping[str, object], folder: Path) -> tuple[NormalizedName | None, Version | None]:
    """Return the static name and version; PKG-INFO of an sdist counts where ``[project]`` is silent."""
    table = pyproject.get("project")
    stated = table if isinstance(table, dict) else {}
    recorded = _package_info(folder)
    name = stated.get("name") or recorded.get("Name")
    version = stated.get("version") or recorded.get("Version")
    return (
        _name(name) if isinstance(name, str) else None,
        _version(version) if isinstance(version, str) else None,
    )


def _note_no_name(pyproject: Mapping[str, object], mistakes: list[Mistake]) -> None:
    table = pyproject.get("project")
    name = table.get("name") if isinstance(table, dict) else None
    if isinstance(name, str) and name and not is_normalized_name(canonicalize_name(name)):
        hint = "a name has letters, digits, '-', '_' and '.', and begins and ends with a letter or a digit"
        mistakes.append(Mistake(place="pyproject.toml [project] name", problem=f"{name[:80]!r} is no name", hint=hint))


def _package_info(folder: Path) -> Mapping[str, str]:
    try:
        file = folder / "PKG-INFO"
        if not file.is_file():
            return {}
        text = reading.text(file, errors="replace")
    except OSError:
        return {}
    from email.parser import HeaderParser

    return dict(HeaderParser().parsestr(text).items())


def _name(text: str) -> NormalizedName | None:
    name = canonicalize_name(text)
    return name if is_normalized_name(name) else None


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None
