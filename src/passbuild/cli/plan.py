"""``passbuild plan``."""

from __future__ import annotations

import click

from passbuild.cli.options import Command, setting_options


@click.command(
    cls=Command,
    examples=(
        ("passbuild plan", "what a build of the project here would do"),
        ("passbuild plan --host .venv torch-harmonics==0.8.0", "of a published sdist, with another host"),
        ("passbuild plan --explain numpy", "why numpy comes from where it comes from"),
    ),
)
@setting_options("outdir")
@click.option(
    "--explain",
    "names",
    multiple=True,
    metavar="NAME",
    help="Say of this package alone why it comes from where it comes from. Repeatable.",
)
def plan(source: str, *, names: tuple[str, ...], **options: object) -> None:
    """Show what would come from the host, what would be installed, what is refused, and why.

    It builds nothing. It also says where each setting came from.
    """
    from passbuild.cli import run

    run.plan(source, options, names)
