"""The sources of settings, each read into entries: one raw value, its key, and the place where it stands.

==========================  =============================================================
source (the later wins)     place of an entry, as a person would look for it
==========================  =============================================================
the draft PEP's key         ``pyproject.toml [build-system] build_isolation_passthrough[0]``
uv's table                  ``pyproject.toml [tool.uv] no-build-isolation-package[0]``
the project's table         ``pyproject.toml [tool.passbuild] passthrough[0]``
where one works: uv's       ``pyproject.toml [tool.uv.extra-build-dependencies] flash-attn[0]``
where one works: ours       ``pyproject.toml [tool.passbuild.package.flash-attn] passthrough[0]``
the user's file             ``~/.config/passbuild/config.toml passthrough[0]``, then ``[package.NAME]``
environment variables       ``PASSBUILD_PASSTHROUGH``
command line, or arguments  ``--passthrough``, or ``passthrough=``
==========================  =============================================================
"""

from __future__ import annotations

import difflib
import re
import shlex
import sys
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name, is_normalized_name

from passbuild import reading
from passbuild.errors import InvalidSettings, Mistake
from passbuild.settings.keys import CONFIG_FILE, KEYS, Key, Kind, Place
from passbuild.values import frozen, replace

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

_BY_NAME = {key.name: key for key in KEYS}
_LISTS = {Kind.NAMES, Kind.REQUIREMENTS, Kind.TAKEN, Kind.FILES, Kind.URLS, Kind.LINKS}
_TABLES = {Kind.PAIRS, Kind.VARIABLES}
_PLAIN = {Kind.FLAG: ((bool, str), "true or false"), Kind.NUMBER: ((int, str), "a whole number")}
_UNREADABLE = (OSError, ValueError, RecursionError)
"""What reading TOML raises; tomllib lets numbers that are too long, and depth, through."""
_DRAFTED = (
    (("build-system",), "build_isolation_passthrough"),
    (("build-system",), "build-isolation-passthrough"),
    (("tool", "uv"), "no-build-isolation-package"),
)
_SEPARATOR = re.compile(r"\s+|,(?=\s*[A-Za-z:])(?![^\[]*\])")
"""White space, or a comma before a letter: the comma of `numpy>=1,<2` and of `jax[a,b]` separates nothing."""


@frozen
class Entry:
    """One raw value of a source."""

    key: Key
    value: object
    place: str
    base: Path
    """The folder that a relative path in `value` is relative to."""
    is_of_project: bool = False
    """Whether a project says so, which may be somebody else's."""


def draft_entries(pyproject: Mapping[str, object], folder: Path, mistakes: list[Mistake]) -> Iterator[Entry]:
    """Read what the draft PEP writes: its own key in ``[build-system]``, and uv's key in the draft's meaning."""
    for tables, key in _DRAFTED:
        where = f"pyproject.toml [{'.'.join(tables)}] {key}"
        names = _table(pyproject, *tables).get(key, [])
        if not isinstance(names, list):
            mistakes.append(Mistake(place=where, problem="has to be a list of names"))
            continue
        for index, name in enumerate(names):
            yield Entry(key=_BY_NAME["passthrough"], value=name, place=f"{where}[{index}]", base=folder)


def project_entries(pyproject: Mapping[str, object], folder: Path, mistakes: list[Mistake]) -> Iterator[Entry]:
    """Read ``[tool.passbuild]``."""
    tool = pyproject.get("tool", {})
    for name in difflib.get_close_matches("passbuild", tool if isinstance(tool, dict) else (), cutoff=0.85):
        if name != "passbuild":
            hint = "did you mean [tool.passbuild]?"
            mistakes.append(Mistake(place=f"pyproject.toml [tool.{name}]", problem="no tool has this table", hint=hint))
    if isinstance(tool, dict) and not isinstance(tool.get("passbuild", {}), dict):
        mistakes.append(Mistake(place="pyproject.toml tool.passbuild", problem="has to be a table"))
        return
    table = {name: value for name, value in _table(pyproject, "tool", "passbuild").items() if name != "package"}
    for entry in _toml_entries(table, "pyproject.toml [tool.passbuild] ", folder, Place.PROJECT, mistakes):
        yield replace(entry, is_of_project=True)


def work_entries(cwd: Path, project: str | None, mistakes: list[Mistake]) -> Iterator[Entry]:
    """Read what the project in whose folder one works sets for building others: uv's tables and our own.

    Of uv's, ``extra-build-dependencies`` (one with ``match-runtime = true`` passes through) and
    ``extra-build-variables``; as for uv, a ``uv.toml`` beside pyproject.toml counts instead of ``[tool.uv]``.
    """
    folder = next((folder for folder in (cwd, *cwd.parents) if (folder / "pyproject.toml").is_file()), None)
    if folder is None:
        return
    pyproject = _document(folder / "pyproject.toml", mistakes)
    file = "pyproject.toml" if folder == cwd else str(folder / "pyproject.toml")
    if (folder / "uv.toml").is_file():
        yield from _uv_packages(_document(folder / "uv.toml", mistakes), "uv.toml [", folder, project, mistakes)
    else:
        yield from _uv_packages(_table(pyproject, "tool", "uv"), f"{file} [tool.uv.", folder, project, mistakes)
    packages = _table(pyproject, "tool", "passbuild").get("package", {})
    for entry in _package_entries(packages, f"{file} [tool.passbuild.package", folder, project, mistakes):
        yield replace(entry, is_of_project=True)


def user_entries(file: Path, project: str | None, mistakes: list[Mistake], *, required: bool) -> Iterator[Entry]:
    """Read the user's configuration file: its top level, then the ``[package.NAME]`` table of this project.

    A file that is not there is empty, unless it is `required`.
    """
    try:
        document = tomllib.loads(reading.text(file))
    except FileNotFoundError:
        if required:
            mistakes.append(Mistake(place=str(file), problem="there is no such configuration file"))
        return
    except _UNREADABLE as error:
        mistakes.append(Mistake(place=str(file), problem=f"cannot be read: {error}"))
        return
    packages = document.pop("package", {})
    yield from _toml_entries(document, f"{file} ", file.parent, Place.USER, mistakes)
    yield from _package_entries(packages, f"{file} [package", file.parent, project, mistakes)


def environment_entries(environ: Mapping[str, str], cwd: Path, mistakes: list[Mistake]) -> Iterator[Entry]:
    """Read the ``PASSBUILD_*`` variables; an empty one counts as not set."""
    known = {key.variable: key for key in (*KEYS, CONFIG_FILE)}
    for variable, text in sorted(environ.items()):
        if not variable.startswith("PASSBUILD_") or not text.strip():
            continue
        if variable not in known:
            mistakes.append(_unknown(variable, "no such setting", known, variable))
            continue
        key = known[variable]
        if key is CONFIG_FILE:
            continue
        for value in _split(key, text, variable, mistakes):
            yield Entry(key=key, value=value, place=variable, base=cwd)


def option_entries(
    options: Mapping[str, object], cwd: Path, mistakes: list[Mistake], *, spelled_as_options: bool
) -> Iterator[Entry]:
    """Read what the command line or a caller of the API gave; None, empty lists and texts count as not given."""
    fields = {key.field for key in KEYS if spelled_as_options or not key.of_console}
    mistakes += [_unknown(f"{name}=", "no such setting", fields, name) for name in sorted(options.keys() - fields)]
    for key in KEYS:
        value = options.get(key.field)
        if value is None or value is False or value in ((), [], ""):
            continue
        long = next((flag for flag in key.flags if flag.startswith("--")), f"--{key.name}")
        place = long if spelled_as_options else f"{key.field}="
        if isinstance(value, dict) and key.kind in _TABLES:
            for name, item in value.items():
                yield Entry(key=key, value=(name, item), place=place, base=cwd)
        elif isinstance(value, (tuple, list)):
            for item in filter(None, value):
                yield Entry(key=key, value=item, place=place, base=cwd)
        else:
            yield Entry(key=key, value=value, place=place, base=cwd)


def check(mistakes: list[Mistake]) -> None:
    """Raise InvalidSettings when there is any mistake."""
    if mistakes:
        raise InvalidSettings(mistakes=tuple(mistakes))


def _toml_entries(
    table: Mapping[str, object], where: str, base: Path, place: Place, mistakes: list[Mistake]
) -> Iterator[Entry]:
    allowed = {key.name: key for key in KEYS if key.places & place}
    for name, value in table.items():
        if name not in allowed:
            reason = "this setting cannot stand here" if name in _BY_NAME else "no such setting"
            mistakes.append(_unknown(f"{where}{name}", reason, allowed, name))
            continue
        key = allowed[name]
        if key.kind in _LISTS:
            if not isinstance(value, list):
                mistakes.append(Mistake(place=f"{where}{name}", problem="has to be a list of strings"))
                continue
            for index, item in enumerate(value):
                yield Entry(key=key, value=item, place=f"{where}{name}[{index}]", base=base)
        elif key.kind in _TABLES:
            if not isinstance(value, dict):
                mistakes.append(Mistake(place=f"{where}{name}", problem="has to be a table"))
                continue
            for item_name, item in value.items():
                yield Entry(key=key, value=(item_name, item), place=f"{where}{name}.{item_name}", base=base)
        else:
            types, what = _PLAIN.get(key.kind, ((str,), "a string"))
            if isinstance(value, types):
                yield Entry(key=key, value=value, place=f"{where}{name}", base=base)
            else:
                mistakes.append(Mistake(place=f"{where}{name}", problem=f"has to be {what}"))


def _package_entries(
    packages: object, where: str, base: Path, project: str | None, mistakes: list[Mistake]
) -> Iterator[Entry]:
    """Read tables by package names, all of them, and yield what is set for the one that is built."""
    if not isinstance(packages, dict):
        mistakes.append(Mistake(place=f"{where}]", problem="has to hold tables, one for each package name"))
        return
    for name, table in packages.items():
        place = f"{where}.{name}] "
        if not is_normalized_name(canonicalize_name(name)):
            mistakes.append(Mistake(place=place.strip(), problem=f"{name!r} is not a package name"))
        if not isinstance(table, dict):
            mistakes.append(Mistake(place=place.strip(), problem="has to be a table"))
            continue
        entries = list(_toml_entries(table, place, base, Place.PACKAGE, mistakes))
        if project is not None and canonicalize_name(name) == project:
            yield from entries


def _uv_packages(
    table: Mapping[str, object], where: str, base: Path, project: str | None, mistakes: list[Mistake]
) -> Iterator[Entry]:
    """Read uv's settings for the builds of packages, those for the one that is built; others are uv's to judge."""
    for name, items in _of_project(table, "extra-build-dependencies", project):
        place = f"{where}extra-build-dependencies] {name}"
        if not isinstance(items, list):
            mistakes.append(Mistake(place=place, problem="has to be a list"))
            continue
        for index, item in enumerate(items):
            is_passed = isinstance(item, dict) and item.get("match-runtime") is True
            value = item.get("requirement") if isinstance(item, dict) else item
            key = _BY_NAME["passthrough" if is_passed else "build-requires"]
            yield Entry(key=key, value=value, place=f"{place}[{index}]", base=base)
    for name, variables in _of_project(table, "extra-build-variables", project):
        place = f"{where}extra-build-variables] {name}"
        if not isinstance(variables, dict):
            mistakes.append(Mistake(place=place, problem="has to be a table"))
            continue
        for variable, value in variables.items():
            key = _BY_NAME["environment"]
            yield Entry(key=key, value=(variable, value), place=f"{place}.{variable}", base=base)


def _of_project(table: Mapping[str, object], key: str, project: str | None) -> Iterator[tuple[str, object]]:
    """Yield what a table by package names has for one project, with the name as it is written there."""
    for name, value in _table(table, key).items():
        if project is not None and canonicalize_name(name) == project:
            yield name, value


def _document(file: Path, mistakes: list[Mistake]) -> Mapping[str, object]:
    try:
        return tomllib.loads(reading.text(file))
    except _UNREADABLE as error:
        mistakes.append(Mistake(place=str(file), problem=f"cannot be read: {error}"))
        return {}


def _split(key: Key, text: str, variable: str, mistakes: list[Mistake]) -> Iterable[str]:
    if key.kind in (Kind.NAMES, Kind.REQUIREMENTS, Kind.TAKEN):
        return [part for part in _SEPARATOR.split(text.strip()) if part]
    if key.kind in (Kind.FILES, Kind.PAIRS, Kind.VARIABLES, Kind.URLS, Kind.LINKS):
        try:
            return shlex.split(text)
        except ValueError as error:
            mistakes.append(Mistake(place=variable, problem=f"cannot be split into words: {error}"))
            return []
    return [text.strip()]


def _unknown(place: str, reason: str, known: Iterable[str], name: str) -> Mistake:
    close = difflib.get_close_matches(name, [other for other in known if other != name], n=1)
    hint = f"did you mean {close[0]!r}?" if close else "known are: " + ", ".join(sorted(known))
    return Mistake(place=place, problem=reason, hint=hint)


def _table(document: Mapping[str, object], *path: str) -> Mapping[str, object]:
    table: object = document
    for name in path:
        table = table.get(name, {}) if isinstance(table, dict) else {}
    return table if isinstance(table, dict) else {}
