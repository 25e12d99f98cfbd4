"""``passbuild metadata``."""

from __future__ import annotations

import click

from passbuild.cli.options import Command, setting_options


@click.command(
    cls=Command,
    examples=(("passbuild metadata | grep ^Version", "the version that a wheel would have"),),
)
@setting_options("outdir")
def metadata(source: str, **options: object) -> None:
    """Prepare the metadata (METADATA) that a wheel of SOURCE would have, and print it."""
    from passbuild.cli.run import run

    run("metadata", source, options)
