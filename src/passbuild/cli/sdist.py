"""``passbuild sdist``."""

from __future__ import annotations

import click

from passbuild.cli.options import setting_options


@click.command()
@setting_options()
def sdist(source: str, **options: object) -> None:
    """Build an sdist of SOURCE, a project folder."""
    from passbuild.cli.run import run

    run("sdist", source, options)
