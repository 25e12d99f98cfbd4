"""``passbuild build``."""

from __future__ import annotations

import click

from passbuild.cli.options import Command, setting_options


@click.command(
    cls=Command,
    examples=(
        ("passbuild build", "the project in the current folder: its sdist, and a wheel of that"),
        ("passbuild build ~/src/mylib -o release", "both go into the folder release"),
    ),
)
@setting_options()
def build(source: str, **options: object) -> None:
    """Build an sdist of SOURCE, then a wheel from that sdist."""
    from passbuild.cli.run import run

    run("build", source, options)
