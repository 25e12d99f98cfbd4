"""The options of the command line, made from the registry of settings, and how a command's help shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import click

from passbuild.settings.keys import CONFIG_FILE, KEYS, Group, Key, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from enum import Enum

    from click.shell_completion import CompletionItem

F = TypeVar("F", bound="Callable[..., object]")
_REPEATABLE = {
    *(Kind.NAMES, Kind.REQUIREMENTS, Kind.TAKEN, Kind.FILES),
    *(Kind.PAIRS, Kind.VARIABLES, Kind.URLS, Kind.LINKS),
}


_OF_FILES = {Kind.FILES, Kind.PATH, Kind.LINKS}


class SettingOption(click.Option):
    """An option whose variable is shown here but read by the settings: there lists add up and origins are kept."""

    def __init__(self, *args: object, group: Group, **attributes: object) -> None:
        super().__init__(*args, **attributes)  # type: ignore[arg-type]  # they are click's own
        self.group = group

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """Leave the variable to the settings."""
        del ctx
        return None


class Command(click.Command):
    """A command whose help has examples, and its options by what they are about."""

    def __init__(self, *args: object, examples: Sequence[tuple[str, str]] = (), **attributes: object) -> None:
        super().__init__(*args, **attributes)  # type: ignore[arg-type]  # they are click's own
        self.examples = tuple(examples)
        """Command lines, each with what it is for."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, then the options: the command's own first, then those of each group."""
        self._format_examples(formatter)
        own: list[tuple[str, str]] = []
        grouped: dict[Group, list[tuple[str, str]]] = {group: [] for group in Group}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                (grouped[parameter.group] if isinstance(parameter, SettingOption) else own).append(record)
        for title, records in (("Options", own), *((group.value, grouped[group]) for group in Group)):
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)

    def _format_examples(self, formatter: click.HelpFormatter) -> None:
        if self.examples:
            with formatter.section("Examples"):
                for command, purpose in self.examples:
                    formatter.write_text(command)
                    with formatter.indentation():
                        formatter.write_text(purpose)


def setting_option(name: str) -> Callable[[F], F]:
    """Return a decorator that adds the option of one setting."""
    return _option(next(key for key in (*KEYS, CONFIG_FILE) if key.name == name))


def setting_options(*without: str, several: bool = False) -> Callable[[F], F]:
    """Return a decorator that adds an option for each setting, and SOURCE, or several of them."""

    def decorate(function: F) -> F:
        for key in reversed((*KEYS, CONFIG_FILE)):
            if key.name not in without:
                function = _option(key)(function)
        if several:
            return click.argument("sources", nargs=-1, metavar="[SOURCE]...", shell_complete=_files)(function)
        source = click.argument("source", default=".", metavar="[SOURCE]", shell_complete=_files)
        return source(function)

    return decorate


def _option(key: Key) -> Callable[[F], F]:
    flags = key.flags or (f"--{key.name}",)
    text = key.help
    if key.kind in {Kind.CHOICE, Kind.NUMBER} and key.default:
        text += f"  [default: {key.default}]"
    return click.option(
        *flags,
        key.field,
        cls=SettingOption,
        group=key.group,
        envvar=key.variable,
        show_envvar=True,
        help=text,
        **_shape(key),
    )


def _shape(key: Key) -> Mapping[str, object]:
    """Return the attributes of click.Option that the kind of a setting asks for."""
    if key.kind is Kind.FLAG:
        return {"is_flag": True, "default": None}
    if key.kind is Kind.COUNT:
        return {"count": True, "default": None}
    if key.kind is Kind.CHOICE:
        return {"type": click.Choice(_names(key.choices)), "default": None}
    more = {"shell_complete": _files} if key.kind in _OF_FILES else {}
    return {"multiple": key.kind in _REPEATABLE, "metavar": key.metavar, **more}


def _files(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Leave it to the shell to complete files and folders."""
    from click.shell_completion import CompletionItem

    del context, parameter
    return [CompletionItem(incomplete, type="file")]


def _names(choices: type[Enum] | None) -> list[str]:
    return [str(choice.value) for choice in choices or ()]
