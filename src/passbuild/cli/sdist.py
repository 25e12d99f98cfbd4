"""``passbuild sdist``."""

from __future__ import annotations

import click

from passbuild.cli.options import Command, setting_options


@click.command(
    cls=Command,
    examples=(("passbuild sdist", "the project in the current folder"),),
)
@setting_options()
def sdist(source: str, **options: object) -> None:
    """Build an sdist of SOURCE, a project folder."""
    from passbuild.cli.run import run

    run("sdist", source, options)
