"""Fill pages of the reference from passbuild's own registries, so that nothing is written twice.

What stands between ``<!-- settings -->`` and ``<!-- end -->`` comes from ``passbuild.settings.keys``; what stands
between ``<!-- errors -->`` and ``<!-- end -->`` from ``passbuild.errors``; ``man/passbuild.1`` from the commands and
from both. They are kept as they are filled, for readers of the repository and for installing.

``python docs/generate.py`` writes them; with ``--check`` it only says whether they are what it would write.
"""
# ruff: noqa: INP001, T201 - a script, run by hand and by make

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from passbuild import errors
from passbuild.cli import main as passbuild
from passbuild.cli.explain import leaves
from passbuild.cli.options import Command, SettingOption
from passbuild.settings.keys import CONFIG_FILE, KEYS, Group, Key, Kind, Place
from passbuild.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_EXIT_CODES = {
    "0": "Done.",
    "1": "The build backend failed, or what it built is not sound.",
    "2": "Wrong usage: the command, a setting, the source or the host.",
    "3": "The plan is impossible: what is asked for cannot be had together.",
    "130": "Interrupted with Ctrl-C; with other signals 128 and the number of the signal.",
}
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
    """Write the files, or check that they are as they would be written."""
    folder = Path(__file__).parent
    wanted = {
        folder / "reference" / "configuration.md": _filled(folder / "reference" / "configuration.md", _settings()),
        folder / "reference" / "errors.md": _filled(folder / "reference" / "errors.md", _errors()),
        folder / "man" / "passbuild.1": "\n".join(_manual()) + "\n",
    }
    stale = [file for file, text in wanted.items() if not file.is_file() or file.read_text(encoding="utf-8") != text]
    if "--check" not in sys.argv:
        for file in stale:
            file.parent.mkdir(exist_ok=True)
            file.write_text(wanted[file], encoding="utf-8")
    names = ", ".join(file.name for file in stale)
    print(f"{'stale' if '--check' in sys.argv else 'written'}: {names or 'none'}")
    sys.exit(bool(stale) and "--check" in sys.argv)


def _filled(file: Path, lines: Iterator[str]) -> str:
    """Return a page with the lines between its mark and the end of it."""
    head, mark, rest = file.read_text(encoding="utf-8").partition(" -->\n")
    return head + mark + "\n" + "\n".join(lines).strip() + "\n\n<!-- end -->" + rest.partition("<!-- end -->")[2]


def _settings() -> Iterator[str]:
    for group in Group:
        yield from (f"### {group.value}", "")
        for key in (*KEYS, CONFIG_FILE):
            if key.group is group:
                yield from (f"#### {key.name}", "", f"{key.help.rstrip('.')}.", "")
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
    for error in sorted(leaves(errors.PassbuildError), key=lambda error: (error.exit_code, error.code)):
        number = "128 + the signal's number" if error is errors.Cancelled else str(error.exit_code)
        link = f"[`{error.code}`](errors/{error.code}.md)"
        yield f"| {number} | {link} | {_meaning(error)} | `passbuild.errors.{error.__name__}` |"


def _meaning(error: type[errors.PassbuildError]) -> str:
    return (error.__doc__ or "").splitlines()[0]


def _manual() -> Iterator[str]:
    """Yield the manual page, for man(7)."""
    about = (passbuild.help or "").split("\n\n")
    yield from (f'.TH PASSBUILD 1 "" "passbuild {__version__}" "User Commands"', ".SH NAME")
    yield f"passbuild \\- {_roff(about[0].rstrip('.').lower())}"
    yield from (".SH SYNOPSIS", ".B passbuild", r"\fICOMMAND\fR [\fIOPTION\fR]... [\fISOURCE\fR]...", ".SH DESCRIPTION")
    yield from _paragraphs(about[1:])
    yield ".SH COMMANDS"
    context = click.Context(passbuild, info_name="passbuild")
    for name in passbuild.list_commands(context):
        command = passbuild.get_command(context, name)
        assert command is not None  # it is in the list
        yield from _manual_of(command, click.Context(command, info_name=name, parent=context))
    yield ".SH OPTIONS"
    yield "Most commands have these. Each can also stand in a file or be a variable."
    for group in Group:
        yield f'.SS "{_roff(group.value)}"'
        for key in (key for key in (*KEYS, CONFIG_FILE) if key.group is group):
            yield from (".TP", rf"\fB{_roff(', '.join(key.flags or (f'--{key.name}',)))}\fR")
            default = f" Default: {key.default}." if key.default and key.kind in {Kind.CHOICE, Kind.NUMBER} else ""
            yield _roff(f"{key.help.rstrip('.')}.{default} [{key.variable}]")
    yield ".SH EXIT STATUS"
    for code, meaning in _EXIT_CODES.items():
        yield from (".TP", rf"\fB{code}\fR", _roff(meaning))
    yield from (".SH FILES", ".TP", r"\fI~/.config/passbuild/config.toml\fR", "Settings of the user.")
    yield from (".TP", r"\fI~/.cache/passbuild\fR", "Build environments and wheels that are kept for reuse.")
    yield from (".SH SEE ALSO", ".BR python3 (1),", ".BR pip (1),", ".BR uv (1)")


def _manual_of(command: click.Command, context: click.Context) -> Iterator[str]:
    arguments = " ".join(command.collect_usage_pieces(context))
    yield from (f'.SS "{_roff(context.command_path)} {_roff(arguments)}"',)
    yield from _paragraphs((command.help or "").split("\n\n"))
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None  # it is in the list
            yield from (".TP", rf"\fB{_roff(name)}\fR", _roff(below.get_short_help_str(200)))
    for parameter in command.params:
        record = parameter.get_help_record(context)
        if record is not None and isinstance(parameter, click.Option) and not isinstance(parameter, SettingOption):
            yield from (".TP", rf"\fB{_roff(record[0])}\fR", _roff(" ".join(record[1].split())))
    for line, purpose in command.examples if isinstance(command, Command) else ():
        yield from (".TP", rf"\fI{_roff(line)}\fR", _roff(purpose))


def _paragraphs(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield from (".PP", _roff(" ".join(text.split())))


def _roff(text: str) -> str:
    """Return a text in which nothing is taken for a request."""
    return text.replace("\\", "\\\\").replace("-", "\\-").replace("'", "\\(aq").replace("`", "")


if __name__ == "__main__":
    main()
