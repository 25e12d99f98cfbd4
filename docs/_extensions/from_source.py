"""Fill pages from passbuild's own registries, so that nothing is written twice.

``<!-- settings -->`` becomes the settings of ``passbuild.settings.keys``; ``<!-- errors -->`` becomes the errors of
``passbuild.errors``.
"""
# ruff: noqa: INP001 - a Sphinx extension, found by its folder

from __future__ import annotations

from typing import TYPE_CHECKING

from passbuild import errors
from passbuild.settings.keys import CONFIG_FILE, KEYS, Key, Kind, Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx

_PLACES = {
    Place.PROJECT: "`[tool.passbuild]`",
    Place.USER: "the user's file",
    Place.PACKAGE: "`[package.NAME]` of the user's file",
}
_SHAPES = {
    Kind.NAMES: "list of names or requirements",
    Kind.REQUIREMENTS: "list of requirements",
    Kind.TAKEN: "list of names, or `:all:`",
    Kind.FILES: "list of paths",
    Kind.PAIRS: "table of strings, or of lists of strings",
    Kind.DOCUMENT: "a JSON object",
    Kind.TEXT: "string",
    Kind.PATH: "path",
    Kind.FLAG: "`1` or `0`",
    Kind.COUNT: "`0`, `1` or `2`",
}


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("source-read", _fill)
    return {"parallel_read_safe": True}


def _fill(app: Sphinx, docname: str, source: list[str]) -> None:
    del app, docname
    for mark, lines in (("<!-- settings -->", _settings), ("<!-- errors -->", _errors)):
        if mark in source[0]:
            source[0] = source[0].replace(mark, "\n".join(lines()))


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
