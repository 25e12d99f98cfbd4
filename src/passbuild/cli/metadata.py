"""``passbuild metadata``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from passbuild import pipeline
from passbuild.cli.options import setting_options
from passbuild.cli.run import run

if TYPE_CHECKING:
    from pathlib import Path


@click.command(short_help="Print a wheel's metadata.")
@setting_options("outdir")
def metadata(source: Path, **options: object) -> None:
    """Prepare the metadata (METADATA) that a wheel of SOURCE would have, and print it."""
    run("metadata", pipeline.metadata, source, options)
