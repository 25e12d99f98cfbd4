"""``passbuild build``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from passbuild.cli.options import setting_options

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@setting_options()
def build(source: Path, **options: object) -> None:
    """Build an sdist of SOURCE, then a wheel from that sdist."""
    from passbuild.cli.run import run

    run("build", source, options)
