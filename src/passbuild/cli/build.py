"""``passbuild build``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from passbuild import pipeline
from passbuild.cli.options import setting_options
from passbuild.cli.run import run

if TYPE_CHECKING:
    from pathlib import Path


@click.command(short_help="Build an sdist and a wheel from it.")
@setting_options()
def build(source: Path, **options: object) -> None:
    """Build an sdist of SOURCE, then a wheel from that sdist."""
    run("build", pipeline.sdist_and_wheel, source, options)
