"""``passbuild completion``: what makes a shell complete commands, options and their values."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from passbuild.cli.options import Command

_SHELLS = ("bash", "zsh", "fish")


@click.command(
    cls=Command,
    examples=(
        ('eval "$(passbuild completion bash)"', "in ~/.bashrc"),
        ('eval "$(passbuild completion zsh)"', "in ~/.zshrc, after compinit"),
        ("passbuild completion fish > ~/.config/fish/completions/passbuild.fish", "once"),
    ),
)
@click.argument("shell", type=click.Choice(_SHELLS))
def completion(shell: str) -> None:
    """Print what makes SHELL complete the commands, options and values of passbuild."""
    from passbuild.cli import main
    from passbuild.cli.run import tell_result

    made = get_completion_class(shell)
    assert made is not None  # click knows these three
    tell_result(made(main, {}, "passbuild", "_PASSBUILD_COMPLETE").source())
