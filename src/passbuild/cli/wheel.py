"""``passbuild wheel``."""

from __future__ import annotations

import click

from passbuild.cli.options import setting_options


@click.command()
@setting_options()
def wheel(source: str, **options: object) -> None:
    """Build a wheel of SOURCE, a project folder or an sdist archive, against the host's packages that pass through."""
    from passbuild.cli.run import run

    run("wheel", source, options)
