"""``passbuild wheel``."""

from __future__ import annotations

import click

from passbuild.cli.options import Command, SettingOption, setting_options
from passbuild.settings.keys import Group


@click.command(
    cls=Command,
    examples=(
        ("passbuild wheel", "the project in the current folder"),
        ("passbuild wheel --passthrough torch", "against the torch of the active environment"),
        ("passbuild wheel h5py==3.16.0 -E HDF5_MPI=ON -E CC=mpicc", "a published sdist, with variables for its build"),
        ("passbuild wheel -r requirements.txt -j 4 -o wheelhouse", "a wheel of everything in a list"),
    ),
)
@setting_options("host", several=True)
@click.option(
    "-r",
    "--requirement",
    "files",
    multiple=True,
    metavar="FILE",
    help="Build a wheel of everything that this requirements file lists, too. Repeatable.",
)
@click.option("-j", "--jobs", type=click.IntRange(min=1), default=1, metavar="N", help="Build N wheels at once.")
@click.option(
    "-p",
    "--host",
    "--python",
    "hosts",
    cls=SettingOption,
    group=Group.HOST,
    multiple=True,
    metavar="PYTHON",
    help="The host: an interpreter, an environment folder, or a version such as 3.12. Several make a wheel for each.  "
    "[env var: PASSBUILD_HOST]",
)
def wheel(
    sources: tuple[str, ...], *, files: tuple[str, ...], jobs: int, hosts: tuple[str, ...], **options: object
) -> None:
    """Build a wheel of each SOURCE against the host's packages that pass through.

    SOURCE is a project folder, an sdist archive, a requirement such as 'h5py==3.16.0', or a URL; the current folder
    when there is none. Of several, those that fail do not keep the others from being built.
    """
    from passbuild.cli import run

    if len(sources) > 1 or len(hosts) > 1 or files:
        run.wheels(sources, files, hosts, jobs, options)
    else:
        run.run("wheel", sources[0] if sources else ".", {**options, "host": hosts[0] if hosts else None})
