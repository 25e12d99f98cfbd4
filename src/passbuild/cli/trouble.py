"""An error as lines: what is wrong and where, the few lines that show it, what to do, and where there is more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from passbuild.cli.paint import line
from passbuild.errors import BackendFailed, Cancelled
from passbuild.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from passbuild.cli.paint import Line
    from passbuild.errors import PassbuildError

_MESSAGE_LINES = 9
_LAST_LINES = 8
_HINT_LINES = 4
_LONGEST = 600


def lines(error: PassbuildError, *, is_streamed: bool) -> Iterator[Line]:
    """Yield the lines; `is_streamed` says that the output of other programs was told as it came."""
    first, *rest = error.message.splitlines() or [""]
    yield line((f"error[{error.code}]: ", "bold red"), _cut(first))
    yield from (line(_margin(text) + _cut(text)) for text in _shortened(rest, _MESSAGE_LINES))
    if error.requirement:
        yield line(f"  while building the requirement {error.requirement} from its sdist")
    yield from _shown(error, is_streamed=is_streamed)
    for text in _shortened(error.hint.splitlines(), _HINT_LINES):
        yield line(("hint: ", "bold cyan"), _cut(text))
    if not isinstance(error, Cancelled):
        yield line(("more: ", "bold cyan"), f"passbuild explain {error.code}")
    if error.log is not None:
        yield line(f"the whole log: {error.log}")


def _shown(error: PassbuildError, *, is_streamed: bool) -> Iterator[Line]:
    """Yield the lines of another program that show the cause, or the end of what it printed where none does."""
    cause = error.cause if isinstance(error, BackendFailed) else None
    if isinstance(error, BackendFailed) and error.backend and cause is not None and not cause.file:
        return  # the frames are Python's own
    if cause is not None:
        yield from (line(("  │ " + _cut(text), "dim")) for text in cause.excerpt)
    elif not is_streamed:
        told = [text for text in error.output if text.strip()]
        yield from (line(("  │ " + _cut(text), "dim")) for text in told[-_LAST_LINES:])


def _margin(text: str) -> str:
    """Return what stands before a line of a message; CI services obey commands behind spaces as well."""
    return "  │ " if text.lstrip().startswith(("::", "##")) else "  "


def _cut(text: str) -> str:
    """Return a line without its middle where it is longer than anybody reads; the JSON report has it whole."""
    text = redacted(text)  # of half a URL nobody can say what it holds
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]} … {text[-_LONGEST // 2 :]}"


def _shortened(texts: Sequence[str], count: int) -> Sequence[str]:
    """Return at most so many lines, of the begin and of the end, where conclusions stand; the JSON report has all."""
    if len(texts) <= count:
        return texts
    begin, end = (count - 1) // 2, count - 1 - (count - 1) // 2
    return [*texts[:begin], f"… {len(texts) - begin - end} more lines; --json has them all …", *texts[-end:]]
