"""The command line: click commands, one file each; the only code that prints."""

from __future__ import annotations

import click

from passbuild.cli.build import build
from passbuild.cli.metadata import metadata
from passbuild.cli.plan import plan
from passbuild.cli.sdist import sdist
from passbuild.cli.wheel import wheel
from passbuild.version import __version__


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-V", "--version", message="passbuild %(version)s")
def main() -> None:
    """Isolated builds that take named packages from your own environment.

    A build runs in a fresh environment, as with `python -m build`; the packages that you name with --passthrough, or in
    pyproject.toml, come from the host: the environment that you work in.
    """


for _command in (wheel, sdist, build, plan, metadata):
    main.add_command(_command)
