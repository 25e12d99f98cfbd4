"""The command line: click commands, one file each; the only code that prints.

A command's module is imported when it is called: `--version` and the list of commands need none of them.
"""

from __future__ import annotations

import contextlib
import importlib
import signal
import sys
from typing import TYPE_CHECKING, Any

import click

from passbuild.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from passbuild.errors import UsageError

_COMMANDS = {
    "wheel": "Build a wheel.",
    "sdist": "Build an sdist.",
    "build": "Build an sdist and a wheel from it.",
    "install": "Build, and install into the host.",
    "plan": "Show what a build would do, and why.",
    "metadata": "Print the metadata of the wheel.",
    "doctor": "Look at machine, host and toolchain, and say what to do.",
    "cache": "Look at the kept build environments, or remove them.",
    "explain": "Print the page of an error.",
    "completion": "Print what completes commands in a shell.",
}
"""The commands with their line in the list of commands; each is in the module of its name."""
_BUILDING = ("wheel", "sdist", "build", "install", "metadata")
"""Those that start programs of others."""


class _Commands(click.Group):
    """The commands, each imported when it is needed."""

    def make_context(self, *arguments: Any, **named: Any) -> click.Context:
        """Take the command line; nobody needs to read the help to its end."""
        with _heard_out():
            return super().make_context(*arguments, **named)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command, or tell its help likewise."""
        with _heard_out():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the list."""
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        if cmd_name in _BUILDING:
            from passbuild import forkserver

            forkserver.prepare()  # it takes as long as the imports that follow
        command: click.Command = getattr(importlib.import_module(f"passbuild.cli.{cmd_name}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))
        formatter.write_paragraph()
        formatter.write_text(
            "`passbuild COMMAND --help` says more; the settings can also stand in files and variables."
        )


@contextlib.contextmanager
def _heard_out() -> Iterator[None]:
    """End well where whoever read standard output has gone; click would end with 1."""
    try:
        yield
    except BrokenPipeError:
        from passbuild.cli.paint import let_go

        let_go(sys.stdout)
        raise click.exceptions.Exit(0) from None


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
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
        from passbuild.errors import WrongCommand

        command = error.ctx.command_path if error.ctx else "passbuild"
        _refuse(WrongCommand(problem=error.format_message(), command=command), sys.argv[1:])
    except click.Abort:  # Ctrl-C before the command began
        sys.exit(128 + signal.SIGINT)


def _refuse(error: UsageError, arguments: Sequence[str]) -> None:
    from passbuild.cli.run import refuse
    from passbuild.surroundings import Surroundings

    refuse(error, arguments, Surroundings.here())
