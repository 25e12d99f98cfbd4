"""Merge the entries of all sources into one Settings value: the later wins, lists add up, names can be taken away."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from packaging.requirements import InvalidRequirement
from packaging.utils import canonicalize_name, is_normalized_name

from passbuild.errors import Mistake
from passbuild.project import pep508
from passbuild.settings import constraints, sources
from passbuild.settings.keys import CONFIG_FILE, KEYS, Kind
from passbuild.settings.model import (
    Ci,
    Color,
    InstallerChoice,
    OnMismatch,
    OnMissing,
    Pin,
    ProtectHost,
    Setting,
    Settings,
    SharedMode,
)
from passbuild.values import frozen, replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from enum import Enum

    from packaging.requirements import Requirement
    from packaging.utils import NormalizedName

    from passbuild.project.model import Project
    from passbuild.settings.sources import Entry
    from passbuild.surroundings import Surroundings

T = TypeVar("T")
_DEFAULTS = {key.name: key.default for key in KEYS}
_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}
_ALL = ":all:"
_EPOCH = ("SOURCE_DATE_EPOCH", "1580601600")
"""The 2nd of February 2020, which hatchling states by itself: a zip archive has no year before 1980."""
_DECODERS = {
    Kind.NAMES: "_requirement",
    Kind.REQUIREMENTS: "_requirement",
    Kind.TAKEN: "_name",
    Kind.PATH: "_path",
    Kind.FILES: "_file",
    Kind.PAIRS: "_pair",
    Kind.VARIABLES: "_variable",
    Kind.DOCUMENT: "_document",
    Kind.TEXT: "_text",
    Kind.URL: "_place",
    Kind.URLS: "_place",
    Kind.LINKS: "_place",
    Kind.CHOICE: "_choice",
    Kind.FLAG: "_flag",
    Kind.COUNT: "_count",
    Kind.NUMBER: "_number",
}
"""The methods of `_Decoder`."""
_ONLY_URLS = {"index-url", "extra-index-url"}
_MOST = 10**12
_IN_NO_URL = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]")
"""What ends a line, or a word of it: installers read URLs in a file."""
_TEXTS = {
    *(Kind.NAMES, Kind.REQUIREMENTS, Kind.TAKEN, Kind.FILES, Kind.PATH, Kind.TEXT),
    *(Kind.URL, Kind.URLS, Kind.LINKS),
}


def merged(layers: Sequence[Iterable[Entry]], mistakes: list[Mistake]) -> Settings:
    """Return the settings that the layers make together, the later layer winning.

    Everything that cannot be read is appended to `mistakes`; the caller raises when there is any.
    """
    decoder = _Decoder(mistakes)
    passthrough: list[Setting[Requirement]] = []
    taken: dict[str, Setting[str]] = {}
    decoded: list[tuple[Entry, object]] = []
    for layer in layers:
        entries = [(entry, decoder.value(entry)) for entry in layer]
        entries = [(entry, value) for entry, value in entries if value is not None]
        decoded += entries
        taking = [(entry, str(value)) for entry, value in _of(entries, Kind.TAKEN)]
        for place in [entry.place for entry, value in taking if value == _ALL]:  # of the earlier sources
            taken |= {name: Setting(value=name, origin=place) for name in map(_name, passthrough)}
            passthrough = []
        passthrough += [
            Setting(value=cast("Requirement", value), origin=entry.place) for entry, value in _of(entries, Kind.NAMES)
        ]
        for place, name in [(entry.place, value) for entry, value in taking if value != _ALL]:
            taken[name] = Setting(value=name, origin=place)
            passthrough = [item for item in passthrough if _name(item) != name]
    chosen = _Chosen(decoded)
    passed = set(map(_name, passthrough))
    return Settings(
        passthrough=tuple(passthrough),
        taken_away=tuple(taken[name] for name in sorted(taken) if name not in passed),
        build_requires=chosen.all("build-requires"),
        build_constraints=chosen.all("build-constraints"),
        config_settings=_config_settings(decoded),
        host=chosen.last("host"),
        on_mismatch=chosen.enum("on-mismatch", OnMismatch),
        on_missing=chosen.enum("on-missing", OnMissing),
        installer=chosen.enum("installer", InstallerChoice),
        index_url=chosen.last("index-url"),
        extra_index_url=chosen.all("extra-index-url"),
        find_links=chosen.all("find-links"),
        no_index=chosen.flag("no-index"),
        offline=chosen.flag("offline"),
        timeout=chosen.number("timeout"),
        protect_host=chosen.enum("protect-host", ProtectHost),
        environment=_variables(chosen.all("environment")),
        pin=chosen.enum("pin", Pin),
        sbom=chosen.flag("sbom"),
        verify_reproducible=chosen.flag("verify-reproducible"),
        rebuild=chosen.flag("rebuild"),
        shared_wheels=chosen.last("shared-wheels"),
        shared_wheels_mode=chosen.enum("shared-wheels-mode", SharedMode),
        outdir=chosen.last("outdir"),
        report=chosen.last("report"),
        json=chosen.flag("json"),
        keep=chosen.flag("keep"),
        no_store=chosen.flag("no-store"),
        refresh=chosen.flag("refresh"),
        cache_dir=chosen.last("cache-dir"),
        store_max_age=chosen.number("store-max-age"),
        store_max_size=chosen.number("store-max-size"),
        verbose=chosen.last("verbose") or Setting(value=0, origin="default"),
        quiet=chosen.last("quiet") or Setting(value=0, origin="default"),
        color=chosen.enum("color", Color),
        ci=chosen.enum("ci", Ci),
        heartbeat=chosen.number("heartbeat"),
    )


class _Decoder:
    """Decode raw values, once, and collect what is wrong with them."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        self._mistakes = mistakes

    def value(self, entry: Entry) -> object:
        """Return the typed value, or None after noting a mistake."""
        if entry.key.kind in _TEXTS and not isinstance(entry.value, str):
            self._wrong(entry, "has to be a string")
            return None
        if isinstance(entry.value, str) and "\0" in entry.value:
            self._wrong(entry, "holds a NUL")
            return None
        return getattr(self, _DECODERS[entry.key.kind])(entry)

    def _text(self, entry: Entry) -> str:
        return str(entry.value)

    def _path(self, entry: Entry) -> Path | None:
        path = self._absolute(entry, str(entry.value))
        return Path(os.path.realpath(path)) if path is not None and ".." in path.parts else path

    def _absolute(self, entry: Entry, text: str) -> Path | None:
        try:
            return entry.base / Path(text).expanduser()
        except RuntimeError:
            self._wrong(entry, f"{text!r}: nobody knows the home of this user")
            return None

    def _wrong(self, entry: Entry, problem: str, hint: str = "") -> None:
        self._mistakes.append(Mistake(place=entry.place, problem=problem, hint=hint))

    def _requirement(self, entry: Entry) -> Requirement | None:
        text = str(entry.value)
        try:
            return pep508.decoded(text)
        except InvalidRequirement as error:
            reason = str(error).splitlines()[0]
            self._wrong(
                entry,
                f"{text!r} is neither a package name nor a requirement ({reason})",
                "write a name ('torch') or a requirement without spaces ('numpy>=2')",
            )
            return None

    def _name(self, entry: Entry) -> str | None:
        text = str(entry.value).strip()
        name = canonicalize_name(text)
        if text == _ALL or is_normalized_name(name):
            return text if text == _ALL else name
        self._wrong(entry, f"{text!r} is not a package name", f"write a name ('torch') or {_ALL!r}")
        return None

    def _file(self, entry: Entry) -> Path | None:
        path = self._absolute(entry, str(entry.value))
        if path is None:
            return None
        if not os.path.isfile(path):  # noqa: PTH113 - Path.is_file raises for a name that is too long
            self._wrong(entry, f"{path}: there is no such file")
            return None
        problem = constraints.problem(path) if entry.is_of_project else ""
        if problem:
            self._wrong(entry, f"{path}: {problem}", "name such a file yourself, with --build-constraint")
            return None
        return path

    def _pair(self, entry: Entry) -> tuple[str, str | list[str]] | None:
        if isinstance(entry.value, tuple):
            name, value = entry.value
            if isinstance(value, str) or (isinstance(value, list) and all(isinstance(item, str) for item in value)):
                return str(name), value
            self._wrong(entry, "has to be a string or a list of strings")
            return None
        name, _, value = str(entry.value).partition("=")
        return name, value

    def _variable(self, entry: Entry) -> tuple[str, str] | None:
        given = entry.value
        name, sign, value = ("", "", "") if isinstance(given, tuple) else str(given).partition("=")
        if isinstance(given, tuple) and isinstance(given[1], str):
            name, sign, value = given[0], "=", given[1]
        if name and sign and not {"=", "\0"} & {*name} and "\0" not in value:
            return name, value
        self._wrong(entry, "has to be a name and a text", 'write NAME=VALUE, or NAME = "VALUE" in a table')
        return None

    def _place(self, entry: Entry) -> str | None:
        """Return a URL as it is and a path absolute; a page or folder may be missing now and be there later."""
        text = str(entry.value).strip()
        is_url = "://" in text
        if entry.is_of_project and "${" in text:
            self._wrong(entry, "holds what an installer would take for a variable", "write it out")
            return None
        if is_url and _IN_NO_URL.search(text):
            self._wrong(entry, "holds white space or a control character", "write it in one line, a space as %20")
            return None
        if is_url:
            return text
        if entry.key.name not in _ONLY_URLS:
            path = self._absolute(entry, text)
            return None if path is None else str(path)
        told = f"***@{text.rpartition('@')[2]}" if "@" in text else text
        self._wrong(entry, f"{told!r} is no URL", "write it with its scheme: https://… or file:///…")
        return None

    def _document(self, entry: Entry) -> Mapping[str, object] | None:
        try:
            document = json.loads(str(entry.value))
        except (ValueError, RecursionError) as error:
            self._wrong(entry, f"is not JSON: {error}")
            return None
        if isinstance(document, dict):
            return document
        self._wrong(entry, "has to be a JSON object", """write it like '{"key": "value"}'""")
        return None

    def _choice(self, entry: Entry) -> Enum | None:
        assert entry.key.choices is not None  # every CHOICE key has them
        names = [str(choice.value) for choice in entry.key.choices]
        text = str(entry.value)
        if text in names:
            return entry.key.choices(text)
        self._wrong(entry, f"{text!r} is not a choice", "choose one of: " + ", ".join(names))
        return None

    def _flag(self, entry: Entry) -> bool | None:
        text = str(entry.value)
        if text.lower() in _TRUE | _FALSE:
            return is_true(text)
        self._wrong(entry, f"{entry.value!r} is not a truth value", "write 1 or 0")
        return None

    def _count(self, entry: Entry) -> int | None:
        try:
            return int(str(entry.value))
        except ValueError:
            self._wrong(entry, f"{entry.value!r} is not a number", "write 0, 1 or 2")
            return None

    def _number(self, entry: Entry) -> int | None:
        if isinstance(entry.value, int) and abs(entry.value) >= _MOST:  # it may have more digits than Python writes
            self._wrong(entry, "is too large")
            return None
        text = str(entry.value)
        if text.isdecimal() and len(text) < len(str(_MOST)):
            return int(text)
        self._wrong(entry, f"{entry.value!r} is not a number", "write a whole number such as 24")
        return None


class _Chosen:
    """Look up decoded values by key."""

    def __init__(self, decoded: Iterable[tuple[Entry, object]]) -> None:
        self._by_name: dict[str, list[Setting[object]]] = {}
        for entry, value in decoded:
            setting = Setting(value=value, origin=entry.place)
            self._by_name.setdefault(entry.key.name, []).append(setting)

    def all(self, name: str) -> tuple[Setting[T], ...]:
        """Return every value of a list, in order."""
        return tuple(cast("list[Setting[T]]", self._by_name.get(name, [])))

    def last(self, name: str) -> Setting[T] | None:
        """Return the value that wins, or None."""
        values: tuple[Setting[T], ...] = self.all(name)
        return values[-1] if values else None

    def enum(self, name: str, choices: type[T]) -> Setting[T]:
        """Return the choice that wins, or the default."""
        default = _DEFAULTS[name]
        return self.last(name) or Setting(value=choices(default), origin="default")  # type: ignore[call-arg]  # an Enum class is called with a value

    def flag(self, name: str) -> Setting[bool]:
        """Return the truth value that wins, or false."""
        return self.last(name) or Setting(value=False, origin="default")

    def number(self, name: str) -> Setting[int]:
        """Return the number that wins, or the default."""
        return self.last(name) or Setting(value=int(_DEFAULTS[name] or 0), origin="default")


def _name(item: Setting[Requirement]) -> str:
    return canonicalize_name(item.value.name)


def _of(entries: Iterable[tuple[Entry, object]], kind: Kind) -> list[tuple[Entry, object]]:
    return [(entry, value) for entry, value in entries if entry.key.kind is kind]


def _config_settings(decoded: Iterable[tuple[Entry, object]]) -> dict[str, str | list[str]]:
    """Join pairs: within one source a repeated key makes a list, a later source replaces an earlier one."""
    settings: dict[str, str | list[str]] = {}
    origin: dict[str, str] = {}
    for entry, value in decoded:
        if entry.key.kind is Kind.DOCUMENT:
            settings |= cast("dict[str, str | list[str]]", value)
            origin |= dict.fromkeys(cast("dict[str, object]", value), entry.place)
        elif entry.key.kind is Kind.PAIRS:
            name, item = cast("tuple[str, str | list[str]]", value)
            before = settings.get(name)
            if before is None or origin[name] != entry.place:
                settings[name] = item
            else:
                settings[name] = [*_as_list(before), *_as_list(item)]
            origin[name] = entry.place
    return settings


def _variables(given: Iterable[Setting[tuple[str, str]]]) -> tuple[Setting[tuple[str, str]], ...]:
    """Return the variables by name, the later value of each."""
    by_name = {item.value[0]: item for item in given}
    return tuple(by_name[name] for name in sorted(by_name))


def _dated(settings: Settings, surroundings: Surroundings) -> Settings:
    """Return the settings with the time that artifacts state, where they are built twice and the user has set none."""
    wanted = settings.verify_reproducible
    named = {item.value[0] for item in settings.environment}
    if not wanted.value or _EPOCH[0] in named or surroundings.environ.get(_EPOCH[0]):
        return settings
    return replace(
        settings, environment=_variables([*settings.environment, Setting(value=_EPOCH, origin=wanted.origin)])
    )


def _as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def is_true(text: str) -> bool:
    """Return whether a text means yes."""
    return text.strip().lower() in _TRUE


@frozen
class Given:
    """What the caller of passbuild gave: options of the command line, or arguments of the API."""

    values: Mapping[str, object]
    """Raw values by `Key.field`; None, False and empty tuples count as not given."""
    spelled_as_options: bool
    """Whether messages name them `--on-mismatch` or `on_mismatch=`."""
    config_file: Path | None = None
    """The user's configuration file to read instead of the usual one."""


def collected(project: Project, surroundings: Surroundings, given: Given) -> Settings:
    """Read all sources in their order and merge them. Raises InvalidSettings with every mistake at once."""
    mistakes: list[Mistake] = []
    layers = [
        sources.draft_entries(project.pyproject, project.folder, mistakes),
        sources.project_entries(project.pyproject, project.folder, mistakes),
        sources.work_entries(surroundings.cwd, project.name, mistakes),
        *_user_layers(project.name, surroundings, given, mistakes),
    ]
    settings = merged(layers, mistakes)
    sources.check(mistakes)
    return _dated(settings, surroundings)


def of_user(surroundings: Surroundings, given: Given, name: NormalizedName | None = None) -> Settings:
    """Return the settings that count without a project, or for one of this `name` of which nothing else is known yet.

    Raises InvalidSettings with every mistake at once.
    """
    mistakes: list[Mistake] = []
    layers = _user_layers(name, surroundings, given, mistakes)
    if name is not None:
        layers.insert(0, sources.work_entries(surroundings.cwd, name, mistakes))
    settings = merged(layers, mistakes)
    sources.check(mistakes)
    return settings


def config_file(surroundings: Surroundings, given: Given) -> Path:
    """Return the user's configuration file, whether or not it exists."""
    asked = surroundings.environ.get(CONFIG_FILE.variable)
    return given.config_file or (surroundings.cwd / asked if asked else surroundings.config_file)


def _user_layers(
    name: NormalizedName | None, surroundings: Surroundings, given: Given, mistakes: list[Mistake]
) -> list[Iterable[Entry]]:
    """Return what the user set, for a project of this name: file, variables, options."""
    file = config_file(surroundings, given)
    return [
        sources.user_entries(file, name, mistakes, required=file != surroundings.config_file),
        sources.environment_entries(surroundings.environ, surroundings.cwd, mistakes),
        sources.option_entries(given.values, surroundings.cwd, mistakes, spelled_as_options=given.spelled_as_options),
    ]


def of_requirement(settings: Settings, project: Project, surroundings: Surroundings, given: Given) -> Settings:
    """Return the settings for building a build requirement: the same, with the names that are set for it in addition.

    Options and variables with config settings, variables for hooks and extra build requirements are meant for the
    project; the requirement has those that files set for it. Raises InvalidSettings.
    """
    environ = {
        name: value
        for name, value in surroundings.environ.items()
        if name == CONFIG_FILE.variable or not name.startswith("PASSBUILD_")
    }
    own = collected(project, replace(surroundings, environ=environ), replace(given, values={}))
    taken = {item.value for item in settings.taken_away}
    known = {_name(item) for item in settings.passthrough} | taken
    added = tuple(item for item in own.passthrough if _name(item) not in known)
    required = tuple(item for item in own.build_requires if item not in settings.build_requires)
    return replace(
        settings,
        passthrough=(*settings.passthrough, *added),
        build_requires=required,
        config_settings=own.config_settings,
        environment=own.environment,
    )
