"""Fill pages of the reference from passbuild's own registries, so that nothing is written twice.

What stands between ``<!-- settings -->`` and ``<!-- end -->`` comes from ``passbuild.settings.keys``; what stands
between ``<!-- errors -->`` and ``<!-- end -->`` from ``passbuild.errors``. The pages are kept as they are filled, for
readers of the repository.

``python docs/generate.py`` writes them; with ``--check`` it only says whether they are what it would write.
"""
# ruff: noqa: INP001, T201 - a script, run by hand and by make

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from passbuild import errors
from passbuild.settings.keys import CONFIG_FILE, KEYS, Key, Kind, Place

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLACES = {
    Place.PROJECT: "`[tool.passbuild]`",
    Place.USER: "the user's file",
    Place.PACKAGE: "the tables of a package",
}
_SHAPES = {
    Kind.NAMES: "list of names or requirements",
    Kind.REQUIREMENTS: "list of requirements",
    Kind.TAKEN: "list of names, or `:all:`",
    Kind.FILES: "list of paths",
    Kind.PAIRS: "table of strings, or of lists of strings",
    Kind.DOCUMENT: "a JSON object",
    Kind.VARIABLES: "table of strings",
    Kind.TEXT: "string",
    Kind.URL: "URL",
    Kind.URLS: "list of URLs",
    Kind.LINKS: "list of paths or URLs",
    Kind.PATH: "path",
    Kind.FLAG: "`1` or `0`",
    Kind.COUNT: "`0`, `1` or `2`",
    Kind.NUMBER: "whole number",
}


def main() -> None:
    """Fill the pages, or check that they are filled."""
    stale = []
    for page, mark, lines in (("configuration.md", "settings", _settings()), ("errors.md", "errors", _errors())):
        file = Path(__file__).parent / "reference" / page
        text = file.read_text(encoding="utf-8")
        begin, end = f"<!-- {mark} -->\n", "<!-- end -->"
        head, _, rest = text.partition(begin)
        filled = head + begin + "\n" + "\n".join(lines).strip() + "\n\n" + end + rest.partition(end)[2]
        if filled == text:
            continue
        stale.append(page)
        if "--check" not in sys.argv:
            file.write_text(filled, encoding="utf-8")
    print(f"{'stale' if '--check' in sys.argv else 'written'}: {', '.join(stale) or 'none'}")
    sys.exit(bool(stale) and "--check" in sys.argv)


def _settings() -> Iterator[str]:
    for key in (*KEYS, CONFIG_FILE):
        yield from (f"### {key.name}", "", f"{key.help.rstrip('.')}.", "")
        yield from (f"- {what}: {text}" for what, text in _facts(key))
        yield ""


def _facts(key: Key) -> Iterator[tuple[str, str]]:
    yield "value", " or ".join(f"`{item.value}`" for item in key.choices) if key.choices else _SHAPES[key.kind]
    if key.default is not None:
        yield "default", f"`{key.default}`"
    places = [text for place, text in _PLACES.items() if place in key.places]
    yield "files", ", ".join(places) or "in none"
    yield "option", ", ".join(f"`{flag}`" for flag in key.flags or (f"--{key.name}",))
    yield "variable", f"`{key.variable}`"
    if key.of_console:
        yield "API", "none: callers have the report itself"


def _errors() -> Iterator[str]:
    yield from ("| exit code | error code | what happened | class |", "|---|---|---|---|")
    leaves = sorted(_leaves(errors.PassbuildError), key=lambda error: (error.exit_code, error.code))
    for error in leaves:
        number = "128 + the signal's number" if error is errors.Cancelled else str(error.exit_code)
        what = (error.__doc__ or "").splitlines()[0]
        yield f"| {number} | `{error.code}` | {what} | `passbuild.errors.{error.__name__}` |"


def _leaves(error: type[errors.PassbuildError]) -> Iterator[type[errors.PassbuildError]]:
    children = error.__subclasses__()
    if not children:
        yield error
    for child in children:
        yield from _leaves(child)


if __name__ == "__main__":
    main()
