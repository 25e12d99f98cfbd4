"""``passbuild plan``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from passbuild.cli.options import setting_options

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@setting_options("outdir")
def plan(source: Path, **options: object) -> None:
    """Say what would pass through, what would be installed, what is refused, and why; build nothing.

    It also says where each setting came from.
    """
    from passbuild.cli.run import run

    run("plan", source, options)
