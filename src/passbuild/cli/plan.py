"""``passbuild plan``."""

from __future__ import annotations

import click

from passbuild.cli.options import setting_options


@click.command()
@setting_options("outdir")
def plan(source: str, **options: object) -> None:
    """Say what would pass through, what would be installed, what is refused, and why; build nothing.

    It also says where each setting came from.
    """
    from passbuild.cli.run import run

    run("plan", source, options)
