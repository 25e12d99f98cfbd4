"""``passbuild metadata``."""

from __future__ import annotations

import click

from passbuild.cli.options import setting_options


@click.command()
@setting_options("outdir")
def metadata(source: str, **options: object) -> None:
    """Prepare the metadata (METADATA) that a wheel of SOURCE would have, and print it."""
    from passbuild.cli.run import run

    run("metadata", source, options)
