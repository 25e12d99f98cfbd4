"""The options of the command line, made from the registry of settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import click

from passbuild.settings.keys import CONFIG_FILE, KEYS, Key, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from enum import Enum

F = TypeVar("F", bound="Callable[..., object]")
_REPEATABLE = {
    *(Kind.NAMES, Kind.REQUIREMENTS, Kind.TAKEN, Kind.FILES),
    *(Kind.PAIRS, Kind.VARIABLES, Kind.URLS, Kind.LINKS),
}


class SettingOption(click.Option):
    """An option whose variable is shown here but read by the settings: there lists add up and origins are kept."""

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """Leave the variable to the settings."""
        del ctx
        return None


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
            return click.argument("sources", nargs=-1, metavar="[SOURCE]...")(function)
        source = click.argument("source", default=".", metavar="[SOURCE]")
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
    return {"multiple": key.kind in _REPEATABLE, "metavar": key.metavar}


def _names(choices: type[Enum] | None) -> list[str]:
    return [str(choice.value) for choice in choices or ()]
