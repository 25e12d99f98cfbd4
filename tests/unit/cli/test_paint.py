"""Colors where they are asked for or seen, plain text elsewhere, and no failure of the stream that tells."""

from __future__ import annotations

import io
import json

import pytest

from passbuild.cli.paint import json_text, line, painter
from passbuild.settings.model import Color

_LINE = line(("✓ ", "bold green"), "done")


class Stream(io.TextIOWrapper):
    """A stream of an encoding that says whether it is a terminal."""

    def __init__(self, *, is_terminal: bool, encoding: str = "utf-8") -> None:
        super().__init__(io.BytesIO(), encoding=encoding, newline="")
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self._is_terminal

    def written(self) -> str:
        """Return what was written to it."""
        self.flush()
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue().decode(self.encoding)


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what rich would look at."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.mark.parametrize(
    ("color", "is_terminal", "variables", "is_painted"),
    [
        (Color.AUTO, True, {}, True),
        (Color.AUTO, False, {}, False),
        (Color.AUTO, False, {"FORCE_COLOR": "1"}, True),
        (Color.AUTO, False, {"TTY_COMPATIBLE": "1"}, True),
        (Color.AUTO, True, {"TERM": "dumb"}, False),
        (Color.ALWAYS, False, {}, True),
        (Color.NEVER, True, {}, False),
        (Color.NEVER, True, {"FORCE_COLOR": "1"}, False),
    ],
)
def test_colors_are_for_those_who_see_them(
    monkeypatch: pytest.MonkeyPatch, *, color: Color, is_terminal: bool, variables: dict[str, str], is_painted: bool
) -> None:
    """The option first, then the variables, then whether it is a terminal."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    stream = Stream(is_terminal=is_terminal)

    painter(stream, color, variables).print(_LINE)

    assert ("\x1b[1;32m" in stream.written()) == is_painted
    assert stream.written().endswith("done\n")


def test_no_color_leaves_bold() -> None:
    """`NO_COLOR` speaks of colors alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_COLOR", "1")
        stream = Stream(is_terminal=True)
        painter(stream, Color.AUTO, {"NO_COLOR": "1"}).print(_LINE)

    assert "32" not in stream.written()


@pytest.mark.parametrize("is_terminal", [True, False])
def test_an_encoding_that_lacks_a_character_gets_another(*, is_terminal: bool) -> None:
    """ASCII has no check mark and no umlaut."""
    stream = Stream(is_terminal=is_terminal, encoding="ascii")

    painter(stream, Color.NEVER, {}).print(line("✓ gr\xfcn \udcff\r"))

    assert stream.written() == "+ gr\\xfcn \\udcff\n"


def test_a_reader_who_has_gone_is_told_no_more() -> None:
    """The build goes on."""

    class Gone(Stream):
        def write(self, text: str) -> int:
            raise BrokenPipeError(text)

    stream = Gone(is_terminal=False)
    printer = painter(stream, Color.AUTO, {})

    printer.print(_LINE)
    printer.print(_LINE)


def test_a_closed_stream_is_told_nothing() -> None:
    """`2>&-`: there is no standard error."""
    painter(None, Color.ALWAYS, {}).print(_LINE)


@pytest.mark.parametrize("told", ["\x1b[31mred\x1b[0m", "\x1b]0;title\x07red", "\u202ered\u2069", "\x1b[?25lred\x07"])
def test_what_others_print_cannot_change_the_terminal(told: str) -> None:
    """Colors, titles, hidden cursors and characters that turn the line around are left out."""
    stream = Stream(is_terminal=False)

    painter(stream, Color.NEVER, {}).write(told)

    assert stream.written() == "red\n"


def test_a_document_commands_nothing() -> None:
    """It may be shown by a terminal or a log; what it says is the same."""
    content = {"a": ["\x9b2J\x85\u202e\x7f\x1b", "##vso[task.setvariable variable=x]y", "é → ü"]}

    text = json_text(content)

    assert json.loads(text) == content
    assert "##" not in text
    assert not any(0x7F <= ord(sign) < 0xA0 or ord(sign) == 0x202E or ord(sign) == 0x1B for sign in text)
    assert "é → ü" in text
