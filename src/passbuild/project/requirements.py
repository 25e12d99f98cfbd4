"""Read requirements files for the sources that they list."""

from __future__ import annotations

import os
import re
import shlex
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement

from passbuild import reading
from passbuild.errors import InvalidRequirements, Mistake
from passbuild.project import pep508
from passbuild.values import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_COMMENT = re.compile(r"(^|\s)#.*$")
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
"""As pip expands them; one that is not set stays as it is."""
_HASH = re.compile(r"\s--hash[=\s]+(\S+)")
_INCLUDE = ("-r", "--requirement")
_INDEXES = {
    "-i": "index_url",
    "--index-url": "index_url",
    "--pypi-url": "index_url",
    "--extra-index-url": "extra_index_url",
    "-f": "find_links",
    "--find-links": "find_links",
    "--no-index": "no_index",
}


@frozen
class Listed:
    """What requirements files list."""

    sources: tuple[str, ...]
    """As SOURCE is written, with its hashes behind it."""
    markers: tuple[str, ...]
    """For each source when it counts; empty for always."""
    options: tuple[tuple[str, str], ...]
    """The options of indexes, by the names of the settings."""


def listed(files: Sequence[Path], environ: Mapping[str, str]) -> Listed:
    """Return what these files list, in their order. Raises InvalidRequirements with every mistake at once."""
    mistakes: list[Mistake] = []
    sources: list[str] = []
    markers: list[str] = []
    options: list[tuple[str, str]] = []
    for place, raw, base in _lines(files, (), mistakes):
        text = _VARIABLE.sub(lambda found: environ.get(found[1], found[0]), raw)
        if text.startswith("-"):
            options += _option(place, text, base, mistakes)
            continue
        try:
            source, marker = _source(text, base)
        except InvalidRequirement as error:
            mistakes.append(Mistake(place=place, problem=f"{text!r}: {error}"))
            continue
        sources.append(source)
        markers.append(marker)
    if mistakes:
        raise InvalidRequirements(mistakes=mistakes)
    return Listed(sources=tuple(sources), markers=tuple(markers), options=tuple(options))


def _lines(
    files: Sequence[Path], including: tuple[Path, ...], mistakes: list[Mistake]
) -> Iterator[tuple[str, str, Path]]:
    """Yield place, text and base folder of each line that says something, those of included files in their place."""
    for file in files:
        try:
            text = reading.text(file, encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            mistakes.append(Mistake(place=str(file), problem=f"cannot be read: {error}"))
            continue
        for number, raw in _joined(text):
            line = _COMMENT.sub("", raw).strip()
            place = f"{file}, line {number}"
            words = line.partition(" ")[0].partition("=")[0]
            if words not in _INCLUDE:
                if line:
                    yield place, line, file.parent
                continue
            included = file.parent / line[len(words) :].lstrip(" =").strip()
            if included in (file, *including):
                mistakes.append(Mistake(place=place, problem=f"{included} includes itself"))
                continue
            yield from _lines([included], (*including, file), mistakes)


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """Yield lines with the number of their first; a backslash at the end goes on."""
    begun, parts = 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        begun = begun or number
        if line.endswith("\\"):
            parts += line[:-1]
            continue
        yield begun, parts + line
        begun, parts = 0, ""
    if parts:
        yield begun, parts


def _option(place: str, text: str, base: Path, mistakes: list[Mistake]) -> list[tuple[str, str]]:
    try:
        words = shlex.split(text.replace("=", " ", 1) if text.startswith("--") else text)
    except ValueError as error:
        mistakes.append(Mistake(place=place, problem=f"{text!r} cannot be split into words: {error}"))
        return []
    name = _INDEXES.get(words[0])
    if name is None or (len(words) != 1 if name == "no_index" else len(words) != 2):  # noqa: PLR2004 - name and value
        hint = "known are -r, --index-url, --extra-index-url, --find-links and --no-index; give others to passbuild"
        mistakes.append(Mistake(place=place, problem=f"{text!r} cannot stand here", hint=hint))
        return []
    value = words[1] if len(words) > 1 else "1"
    return [(name, str(base / value) if name == "find_links" and "://" not in value else value)]


def _source(text: str, base: Path) -> tuple[str, str]:
    """Return a line as SOURCE is written, and its marker. Raises InvalidRequirement for one without a meaning."""
    hashes = "".join(f" --hash={value}" for value in _HASH.findall(text))
    text = _HASH.sub("", text).strip()
    try:
        requirement = Requirement(text)
    except (InvalidRequirement, RecursionError):
        place = base / text
        is_path = "://" not in text and os.path.exists(place)  # noqa: PTH110 - Path.exists raises for long names
        return (str(place) if is_path else text) + hashes, ""
    if requirement.marker is not None:
        pep508.check_marker(requirement.marker)
    marker = str(requirement.marker or "")
    requirement.marker = None
    return str(requirement) + hashes, marker
