"""``passbuild metadata``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from passbuild.cli.options import setting_options

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@setting_options("outdir")
def metadata(source: Path, **options: object) -> None:
    """Prepare the metadata (METADATA) that a wheel of SOURCE would have, and print it."""
    from passbuild.cli.run import run

    run("metadata", source, options)
