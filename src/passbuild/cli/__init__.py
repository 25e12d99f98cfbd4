"""The command line: click commands, one file each; the only code that prints."""

from __future__ import annotations

import signal
import sys

import click

from passbuild.cli.build import build
from passbuild.cli.cache import cache
from passbuild.cli.metadata import metadata
from passbuild.cli.plan import plan
from passbuild.cli.run import refuse
from passbuild.cli.sdist import sdist
from passbuild.cli.wheel import wheel
from passbuild.errors import WrongCommand
from passbuild.surroundings import Surroundings
from passbuild.version import __version__


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-V", "--version", message="passbuild %(version)s")
def main() -> None:
    """Isolated builds that take named packages from your own environment.

    A build runs in a fresh environment, as with `python -m build`; the packages that you name with --passthrough, or in
    pyproject.toml, come from the host: the environment that you work in.
    """


def start() -> None:
    """Run the command line; what it cannot parse is an error like the others, with a document under ``--json``."""
    try:
        main.main(standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "passbuild"
        refuse(WrongCommand(problem=error.format_message(), command=command), sys.argv[1:], Surroundings.here())
    except click.Abort:  # Ctrl-C before the command began
        sys.exit(128 + signal.SIGINT)


for _command in (wheel, sdist, build, plan, metadata, cache):
    main.add_command(_command)
