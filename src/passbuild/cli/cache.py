"""``passbuild cache``: where build environments and wheels are kept, which there are, and removing them."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from passbuild import wheel_store
from passbuild.cli.console import Speaker, kept_lines, wheel_lines
from passbuild.cli.options import setting_option
from passbuild.cli.paint import fitting, json_text, line
from passbuild.cli.run import refuse, tell_result
from passbuild.environment import store
from passbuild.environment.store import HOMELESS, Store
from passbuild.errors import OutputNotWritable, UsageError, WrongCommand
from passbuild.report import SCHEMA
from passbuild.settings import merge
from passbuild.settings.merge import Given
from passbuild.surroundings import Surroundings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from passbuild.environment.store import Kept
    from passbuild.wheel_store import KeptWheel


@click.group()
def cache() -> None:
    """Look at the build environments and wheels that are kept for reuse, or remove them.

    An environment that a build is using is never removed, and nothing in the place of --shared-wheels.
    """


@cache.command("dir")
@setting_option("cache-dir")
@setting_option("config-file")
def folder(**options: object) -> None:
    """Print the folder in which build environments and wheels are kept."""
    tell_result(str(_store(options).root))


@cache.command("list")
@setting_option("json")
@setting_option("cache-dir")
@setting_option("config-file")
def listing(**options: object) -> None:
    """List the kept build environments and the kept wheels, the most recently used first."""
    where = _store_or_none(options)
    if where is None:
        speaker = Speaker(Surroundings.here().environ)
        speaker.say(line(("warning: ", "bold yellow"), f"{HOMELESS}: there is no store, unless --cache-dir names one"))
    root = where.root if where is not None else Path(os.devnull)
    kept, wheels = store.listed(root), wheel_store.listed(root)
    if options["json"]:
        document = {"environments": _documents(kept), "wheels": _wheel_documents(wheels)}
        tell_result(json_text({"schema": SCHEMA, "root": str(root), **document}))
    else:
        lines = (*kept_lines(kept, time.time()), *wheel_lines(wheels, time.time()))
        tell_result(fitting("\n".join(lines), sys.stdout.encoding if sys.stdout else None))


@cache.command()
@setting_option("json")
@setting_option("store-max-age")
@setting_option("store-max-size")
@setting_option("cache-dir")
@setting_option("config-file")
def prune(**options: object) -> None:
    """Remove what is unfinished, environments that are too old, and what was used least, beyond the store's size."""
    _remove(options, everything=False)


@cache.command()
@setting_option("json")
@setting_option("cache-dir")
@setting_option("config-file")
def clear(**options: object) -> None:
    """Remove every kept build environment that is not in use, and every kept wheel."""
    _remove(options, everything=True)


def _remove(options: dict[str, object], *, everything: bool) -> None:
    where = _store(options)
    try:
        removed, wheels = wheel_store.pruned(where, everything=everything)
    except UsageError as error:
        refuse(error, sys.argv[1:], Surroundings.here())
    except OSError as error:
        problem = error.strerror or str(error)
        unwritable = OutputNotWritable(path=where.root, problem=problem, option="--cache-dir")
        refuse(unwritable, sys.argv[1:], Surroundings.here())
    if options["json"]:
        document = {"removed": _documents(removed), "wheels": _wheel_documents(wheels)}
        tell_result(json_text({"schema": SCHEMA, "root": str(where.root), **document}))
    else:
        folders = [*(str(item.folder) for item in removed), *(str(item.folder) for item in wheels)]
        tell_result("\n".join(folders) or "nothing to remove")


def _store(options: dict[str, object]) -> Store:
    found = _store_or_none(options)
    if found is None:
        problem = f"{HOMELESS}, and so there is no store: name one with --cache-dir"
        refuse(WrongCommand(problem=problem, command="passbuild cache"), sys.argv[1:], Surroundings.here())
    return found


def _store_or_none(options: dict[str, object]) -> Store | None:
    surroundings = Surroundings.here()
    config_file = options.get("config_file")
    given = Given(
        values={name: value for name, value in options.items() if name != "config_file"},
        spelled_as_options=True,
        config_file=surroundings.cwd / str(config_file) if config_file else None,
    )
    try:
        return Store.of(merge.of_user(surroundings, given), surroundings)
    except UsageError as error:
        refuse(error, sys.argv[1:], surroundings)


def _documents(kept: Sequence[Kept]) -> list[dict[str, object]]:
    now = time.time()
    return [
        {
            "key": item.key,
            "folder": str(item.folder),
            "size": item.size,
            "age": round(now - item.created),
            "unused": round(now - item.used),
            "python": item.facts.get("version", ""),
            "passed": item.facts.get("passed", []),
            "installed": item.facts.get("installed", []),
            "source": item.facts.get("source", ""),
        }
        for item in kept
    ]


def _wheel_documents(wheels: Sequence[KeptWheel]) -> list[dict[str, object]]:
    now = time.time()
    return [
        {
            "key": item.key,
            "folder": str(item.folder),
            "file": item.file,
            "size": item.size,
            "age": round(now - item.created),
            "unused": round(now - item.used),
            "facts": item.facts,
        }
        for item in wheels
    ]
