"""Lines with styles, painted on a terminal by rich and written as they are anywhere else, without importing rich."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Protocol, TextIO, TypeAlias

from passbuild.settings.model import Color

if TYPE_CHECKING:
    from collections.abc import Mapping

_WITHOUT_UNICODE = str.maketrans("•✓│", "*+|")
_CONTROLS = dict.fromkeys((7, 8, 11, 12, 13))
"""Control characters that would move the cursor or ring."""
_FORCING = ("FORCE_COLOR", "TTY_COMPATIBLE")
"""Variables by which rich can take what is no terminal for one."""

Line: TypeAlias = tuple[tuple[str, str], ...]
"""Parts of a line: text, and its style in rich's words, empty for none."""


def line(*parts: str | tuple[str, str]) -> Line:
    """Return a line of plain texts and of texts with a style."""
    return tuple((part, "") if isinstance(part, str) else part for part in parts)


def let_go(stream: TextIO | None) -> None:
    """Have nothing more to do with a stream that cannot be written: Python would complain once more when it ends."""
    if stream is not None:
        with contextlib.suppress(OSError, ValueError):  # it is no file, or closed
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class Painter(Protocol):
    """Prints lines to a stream."""

    def print(self, text: Line) -> None:
        """Print a line; when whoever read the stream has gone, fall silent: the build goes on."""


def painter(stream: TextIO | None, color: Color, environ: Mapping[str, str]) -> Painter:
    """Return what prints to a stream: with colors where they are asked for, or where it is a terminal."""
    if stream is None:
        return _Nobody()
    may_be_terminal = stream.isatty() or any(environ.get(name) for name in _FORCING)
    if color is Color.ALWAYS or (color is Color.AUTO and may_be_terminal):
        return _painted(stream, color)
    return _Plain(stream)


class _Nobody:
    def print(self, text: Line) -> None:
        """Print nothing: the stream is closed."""


class _Plain:
    def __init__(self, stream: TextIO) -> None:
        self.stream: TextIO | None = stream

    def print(self, text: Line) -> None:
        """Write the text of a line."""
        if self.stream is None:
            return
        written = "".join(part for part, _ in _fitting(text, self.stream)) + "\n"
        with contextlib.suppress(BrokenPipeError):
            self.stream.write(written)
            self.stream.flush()
            return
        self.stream = None


def _painted(stream: TextIO, color: Color) -> Painter:
    from rich.console import Console  # slow to import, and only a terminal needs it
    from rich.text import Text

    class Quiet(Console):
        def on_broken_pipe(self) -> None:
            """Print no more."""
            self.quiet = True

    console = Quiet(
        file=stream,
        force_terminal=True if color is Color.ALWAYS else None,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=True,
    )

    class Painted:
        def print(self, text: Line) -> None:
            """Print a line with its styles."""
            console.print(Text.assemble(*_fitting(text, stream)))

    return Painted()


def _fitting(text: Line, stream: TextIO) -> Line:
    """Return a line without control characters, in what the stream can write."""
    encoding = stream.encoding or "ascii"
    is_unicode = encoding.lower().startswith("utf")
    return tuple((_written(part.translate(_CONTROLS), encoding, is_unicode), style) for part, style in text)


def _written(text: str, encoding: str, is_unicode: bool) -> str:  # noqa: FBT001 - of this module alone
    if not is_unicode:
        text = text.translate(_WITHOUT_UNICODE)
    return text.encode(encoding, "backslashreplace").decode(encoding)
