"""``passbuild plan``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from passbuild import pipeline
from passbuild.cli.options import setting_options
from passbuild.cli.run import run

if TYPE_CHECKING:
    from pathlib import Path


@click.command(short_help="Say what a build would do.")
@setting_options("outdir")
def plan(source: Path, **options: object) -> None:
    """Say what would pass through, what would be installed, what is refused, and why; build nothing.

    It also says where each setting came from.
    """
    run("plan", pipeline.plan, source, options)
