"""``passbuild sdist``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from passbuild.cli.options import setting_options

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@setting_options()
def sdist(source: Path, **options: object) -> None:
    """Build an sdist of SOURCE, a project folder."""
    from passbuild.cli.run import run

    run("sdist", source, options)
