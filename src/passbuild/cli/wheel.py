"""``passbuild wheel``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from passbuild import pipeline
from passbuild.cli.options import setting_options
from passbuild.cli.run import run

if TYPE_CHECKING:
    from pathlib import Path


@click.command(short_help="Build a wheel.")
@setting_options()
def wheel(source: Path, **options: object) -> None:
    """Build a wheel of SOURCE, a project folder or an sdist archive, against the host's packages that pass through."""
    run("wheel", pipeline.wheel, source, options)
