"""``passbuild explain``: the documentation's page of an error, in the terminal."""

from __future__ import annotations

import difflib
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from passbuild import errors
from passbuild.cli.options import Command
from passbuild.cli.paint import fitting

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLACES = (
    Path(__file__).parents[1] / "pages" / "errors",
    Path(__file__).parents[3] / "docs" / "reference" / "errors",
)
"""In an installed passbuild, and in a checkout that is installed editable."""
_COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)
_LINK = re.compile(r"\[([^]]+)\]\([^)]*\)")


def _codes(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the codes that a shell completes."""
    del context, parameter
    return sorted(error.code for error in leaves(errors.PassbuildError) if error.code.startswith(incomplete))


@click.command(
    cls=Command,
    examples=(
        ("passbuild explain", "all error codes"),
        ("passbuild explain version-mismatch", "what it means, why it happens, what to do"),
    ),
)
@click.argument("code", required=False, shell_complete=_codes)
def explain(code: str | None) -> None:
    """Print what an error means, why it happens, and what to do: CODE is what stands in error[CODE].

    Without a CODE it lists all of them.
    """
    from passbuild.cli.run import refuse, tell_result
    from passbuild.surroundings import Surroundings

    known = {error.code: error for error in leaves(errors.PassbuildError)}
    if code is None:
        width = max(map(len, known))
        tell_result("\n".join(f"{name:{width}}  {_meaning(known[name])}" for name in sorted(known)))
        return
    if code not in known:
        close = difflib.get_close_matches(code, known, n=1)
        problem = f"there is no error {code!r}" + (f"; did you mean {close[0]!r}?" if close else "")
        refuse(errors.WrongCommand(problem=problem, command="passbuild explain"), (), Surroundings.here())
    _show(page(code))


def leaves(error: type[errors.PassbuildError]) -> Iterator[type[errors.PassbuildError]]:
    """Yield the errors that can be raised."""
    children = error.__subclasses__()
    if not children:
        yield error
    for child in children:
        yield from leaves(child)


def page(code: str) -> str:
    """Return the page of an error, in Markdown."""
    file = next(place / f"{code}.md" for place in _PLACES if (place / f"{code}.md").is_file())
    return _COMMENT.sub("", file.read_text(encoding="utf-8"))


def _show(text: str) -> None:
    from passbuild.cli.run import tell_result

    if sys.stdout is None or not sys.stdout.isatty():
        tell_result(fitting(text.rstrip("\n"), sys.stdout.encoding if sys.stdout else None))
        return
    from rich.console import Console
    from rich.markdown import Markdown

    console = Console()
    # Links lead to files of the documentation, which a terminal does not have.
    console.print(Markdown(_LINK.sub(r"\1", text)), width=min(console.width, 80))


def _meaning(error: type[errors.PassbuildError]) -> str:
    return (error.__doc__ or "").splitlines()[0]
