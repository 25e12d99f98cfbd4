"""``passbuild install``."""

from __future__ import annotations

import click

from passbuild.cli.options import Command, setting_options


@click.command(
    cls=Command,
    examples=(
        (
            "passbuild install torch-harmonics==0.8.0 --check-import",
            "built against the active environment, and installed there",
        ),
        ("passbuild install -e .", "the project here, so that changes of its sources count"),
    ),
)
@setting_options("outdir", several=True)
@click.option("-e", "--editable", is_flag=True, help="Install the folders so that changes of their sources count.")
@click.option("--dry-run", is_flag=True, help="Build, and say what would be installed.")
@click.option("--check-import", is_flag=True, help="Import the modules of the wheel in the host, once it is installed.")
def install(sources: tuple[str, ...], *, editable: bool, dry_run: bool, check_import: bool, **options: object) -> None:
    """Build a wheel of each SOURCE, and install it into the host with what it requires.

    Without a SOURCE it is the current folder. What passed through is never replaced: where something requires another
    version of it, nothing is installed.
    """
    from passbuild.cli import run
    from passbuild.into_host import Wish

    run.install(sources or (".",), options, Wish(dry_run=dry_run, check_import=check_import), editable=editable)
