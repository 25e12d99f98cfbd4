"""Show how many builds go: a live table on a terminal, a line for each that has ended anywhere else."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import TYPE_CHECKING

from passbuild.cli.paint import can_be_animated, line
from passbuild.wheelhouse import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from rich.table import Table

    from passbuild.cli.console import Speaker
    from passbuild.cli.paint import Line
    from passbuild.settings.model import Settings
    from passbuild.wheelhouse import Item

    Tell = Callable[[Sequence[Item], Item | None], None]

_STYLES = {
    State.WAITING: "dim",
    State.RUNNING: "cyan",
    State.BUILT: "green",
    State.REUSED: "green",
    State.FAILED: "bold red",
}


@contextlib.contextmanager
def watched(speaker: Speaker, settings: Settings, environ: Mapping[str, str]) -> Iterator[Tell]:
    """Yield what is told of the builds."""
    speaker.obey(settings)
    is_told = settings.verbose.value - settings.quiet.value >= 0
    if not is_told or not can_be_animated(sys.stderr, settings.color.value, environ):

        def tell_ended(items: Sequence[Item], ended: Item | None) -> None:
            del items
            if ended is not None:
                _tell_ended(speaker, ended)

        yield tell_ended
        return
    from rich.console import Console
    from rich.live import Live

    done: list[Item] = []
    with Live(console=Console(stderr=True), auto_refresh=False, transient=True) as live:

        def tell(items: Sequence[Item], ended: Item | None) -> None:
            if ended is not None:
                done.append(ended)
            live.update(_table(items), refresh=True)

        yield tell
    for item in done:
        _tell_ended(speaker, item)


def _tell_ended(speaker: Speaker, item: Item) -> None:
    for text in _ended_lines(item):
        speaker.say(text, is_error=item.state is State.FAILED)


def _ended_lines(item: Item) -> Iterator[Line]:
    """Yield what is said of one that has ended: the wheel, or why there is none and what to do."""
    told = f"{item.state.value:7}"
    rest = f"  {item.wheel.name}" if item.wheel else ""
    yield line((told, _STYLES[item.state]), f" {item.label}", (f"  {item.seconds:.1f} s", "dim"), rest)
    if item.state is not State.FAILED:
        return
    yield line(f"        {item.problem}")
    error = (item.document or {}).get("error")
    if isinstance(error, dict):
        for text in str(error["hint"]).splitlines():
            yield line(("        hint: ", "bold cyan"), text)
        yield line(("        more: ", "bold cyan"), f"passbuild explain {error['code']}")
        if error["log"]:
            yield line(f"        the whole log: {error['log']}")


def _table(items: Sequence[Item]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=False)
    for item in items:
        seconds = time.monotonic() - item.begun if item.state is State.RUNNING else item.seconds
        told = item.problem if item.state is State.FAILED else "" if item.state.is_final else item.step
        elapsed = f"{seconds:.0f} s" if item.begun else ""
        state = Text(item.state.value, _STYLES[item.state])
        label = Text(item.label, overflow="ellipsis", no_wrap=True)
        table.add_row(state, label, Text(elapsed, "dim"), Text(told, overflow="ellipsis", no_wrap=True))
    return table
