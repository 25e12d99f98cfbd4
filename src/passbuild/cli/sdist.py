"""``passbuild sdist``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from passbuild import pipeline
from passbuild.cli.options import setting_options
from passbuild.cli.run import run

if TYPE_CHECKING:
    from pathlib import Path


@click.command(short_help="Build an sdist.")
@setting_options()
def sdist(source: Path, **options: object) -> None:
    """Build an sdist of SOURCE, a project folder."""
    run("sdist", pipeline.sdist, source, options)
