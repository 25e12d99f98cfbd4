"""``passbuild build``."""

from __future__ import annotations

import click

from passbuild.cli.options import setting_options


@click.command()
@setting_options()
def build(source: str, **options: object) -> None:
    """Build an sdist of SOURCE, then a wheel from that sdist."""
    from passbuild.cli.run import run

    run("build", source, options)
