"""Lines with styles, painted on a terminal by rich and written as they are anywhere else, without importing rich."""

from __future__ import annotations

import contextlib
import json
import os
import re
from typing import TYPE_CHECKING, Protocol, TextIO, TypeAlias

from passbuild.process import without_escapes
from passbuild.redaction import redacted
from passbuild.settings.model import Color

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

_WITHOUT_UNICODE = str.maketrans("•✓✗│├└─…", "*+x||`-.")
_KEPT = (0x09, 0x0A)
_CONTROLS = dict.fromkeys(
    number
    for begin, end in ((0, 0x20), (0x7F, 0xA0), (0x61C, 0x61D), (0x200E, 0x2010), (0x2028, 0x202F), (0x2066, 0x206A))
    for number in range(begin, end)
    if number not in _KEPT
)
"""Control characters, which would move the cursor, ring, or begin a command, and what turns around the text behind."""
_ESCAPED = {number: f"\\u{number:04x}" for number in _CONTROLS if number > 0x20}  # noqa: PLR2004 - json has the others
_COMMAND = re.compile(r"##(?=(?:vso)?\[)", re.IGNORECASE)
"""The begin of a command of Azure Pipelines, which is obeyed anywhere in a line."""
_FORCING = ("FORCE_COLOR", "TTY_COMPATIBLE")
"""Variables by which rich can take what is no terminal for one."""
_STEMS = " │├└─|`-"
"""What the branch of a tree begins with."""
_GOES_ON = str.maketrans("├└─`-", "│    ")
_NARROWEST = 20
_DUMB = {"dumb", "unknown"}

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
    """Prints lines to a stream; when whoever read the stream has gone, it falls silent: the build goes on."""

    @property
    def console(self) -> Console | None:
        """What paints; None where lines are written as they are."""

    def print(self, text: Line) -> None:
        """Print a line."""

    def write(self, text: str) -> None:
        """Write a line of another program as it is, and fast: there may be many."""


def painter(stream: TextIO | None, color: Color, environ: Mapping[str, str]) -> Painter:
    """Return what prints to a stream: with colors where they are asked for, or where it is a terminal."""
    if stream is None:
        return _Plain(None)
    may_be_terminal = stream.isatty() or any(environ.get(name) for name in _FORCING)
    if color is Color.ALWAYS or (color is Color.AUTO and may_be_terminal):
        return _Painted(stream, color)
    return _Plain(stream)


def can_be_animated(stream: TextIO | None, color: Color, environ: Mapping[str, str]) -> bool:
    """Whether lines of a stream can be written over: a terminal that can, of somebody who wants it."""
    if stream is None or not stream.isatty() or color is Color.NEVER:
        return False
    return environ.get("TERM", "").lower() not in _DUMB and environ.get("TTY_INTERACTIVE", "") != "0"


class _Plain:
    console = None

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream

    def print(self, text: Line) -> None:
        """Write the text of a line."""
        if self._stream is not None:
            self.write(redacted("".join(part for part, _ in text)))

    def write(self, text: str) -> None:
        """Write a line."""
        if self._stream is None:
            return
        try:
            self._stream.write(fitting(text, self._stream.encoding) + "\n")
            self._stream.flush()
        except BrokenPipeError:
            self._stream = None


class _Painted:
    def __init__(self, stream: TextIO, color: Color) -> None:
        from rich.console import Console  # slow to import, and only a terminal needs it

        class Quiet(Console):
            def on_broken_pipe(self) -> None:
                """Print no more."""
                self.quiet = True

        self._plain = _Plain(stream)
        self._encoding = stream.encoding
        self._is_terminal = stream.isatty()
        self.console: Console | None = Quiet(
            file=stream,
            force_terminal=True if color is Color.ALWAYS else None,
            highlight=False,
            markup=False,
            emoji=False,
            soft_wrap=True,
        )

    def print(self, text: Line) -> None:
        """Print a line with its styles; on a terminal that it does not fit, wrapped between words, below its begin."""
        from rich.text import Text

        assert self.console is not None  # for the type checker: the protocol allows none
        whole = Text.assemble(*((fitting(redacted(part), self._encoding), style) for part, style in text))
        if not self._is_terminal or whole.cell_len <= self.console.width:
            self.console.print(whole)
            return
        begin = whole.plain[: len(whole.plain) - len(whole.plain.lstrip(_STEMS))]
        below = begin.translate(_GOES_ON) + "  "
        parts = whole[len(begin) :].wrap(self.console, max(self.console.width - len(below), _NARROWEST))
        for index, part in enumerate(parts):
            part.rstrip()
            self.console.print(Text(below if index else begin, "dim") + part)

    def write(self, text: str) -> None:
        """Write a line."""
        self._plain.write(text)


def fitting(text: str, encoding: str | None) -> str:
    """Return a text without what commands a terminal or a log, in what a stream of this encoding can write."""
    encoding = encoding or "ascii"
    text = without_escapes(text).translate(_CONTROLS)
    if "##" in text:
        text = _COMMAND.sub("# #", text)
    if not encoding.lower().startswith("utf"):
        text = text.translate(_WITHOUT_UNICODE)
    return text.encode(encoding, "backslashreplace").decode(encoding)


def json_text(content: object) -> str:
    """Return a JSON document that commands neither a terminal nor a CI service: what could is escaped."""
    text = json.dumps(content, indent=2, ensure_ascii=False).translate(_ESCAPED)
    return text.replace("##", "#\\u0023")
