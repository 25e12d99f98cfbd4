"""Draw the picture of docs/benchmarks.md: bars for the seconds of a wheel, as an SVG of its own colours."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from benchmarks import tools
from benchmarks.page import seconds
from benchmarks.results import SECONDS
from benchmarks.scenarios import pure, rebuild

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.results import Group, Results

_WIDTH = 760
_LEFT = 170
_BARS = 480
_BAR = 14
_STEP = 20
_HEAD = 34
_STYLE = """\
.paper { fill: #ffffff; } .text { fill: #24292f; } .dim { fill: #57606a; }
.peer { fill: #9aa4b1; } .floor { fill: #c9d1d9; } .ours { fill: #1f6feb; }
@media (prefers-color-scheme: dark) {
  .paper { fill: #161b22; } .text { fill: #e6edf3; } .dim { fill: #9198a1; }
  .peer { fill: #6e7681; } .floor { fill: #3d444d; } .ours { fill: #58a6ff; }
}
text { font: 12px system-ui, sans-serif; } .title { font-weight: 600; font-size: 13px; }
"""


def drawn(results: Results) -> str:
    """Return the SVG: a panel of bars for each backend, and for each rebuild of what has not changed."""
    parts: list[str] = []
    top = 12
    for title, group in _panels(results):
        parts += _panel(title, group, top)
        top += _HEAD + _STEP * sum(bool(row.samples) for row in group.rows)
    height = top + 8
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" role="img">'
    paper = f'<rect class="paper" width="{_WIDTH}" height="{height}" rx="6"/>'
    title = "<title>Seconds for a wheel, by backend and frontend; shorter is faster</title>"
    return "\n".join([opening, title, f"<style>{_STYLE}</style>", paper, *parts, "</svg>"]) + "\n"


def _panels(results: Results) -> Iterator[tuple[str, Group]]:
    for key, before in ((pure.WARM, "warm"), *((key, "rebuild, nothing changed") for key in rebuild.KEYS)):
        result = results.by_key.get(key)
        for group in result.groups if result else ():
            if group.unit != SECONDS or not any(row.samples for row in group.rows):
                continue
            if key == pure.WARM:
                yield f"{group.name}: {before}", group
            elif group.name == rebuild.UNCHANGED:
                yield f"{key.removeprefix('d-')}: {before}", group


def _panel(title: str, group: Group, top: int) -> Iterator[str]:
    rows = [row for row in group.rows if row.samples]
    longest = max(row.median for row in rows)
    yield f'<text class="text title" x="16" y="{top + 16}">{escape(title)}</text>'
    for number, row in enumerate(rows):
        y = top + _HEAD - 8 + number * _STEP
        width = max(1.0, row.median / longest * _BARS)
        kind = {tools.PASSBUILD: "ours", tools.FLOOR: "floor"}.get(row.name, "peer")
        yield f'<text class="text" x="{_LEFT - 8}" y="{y + 11}" text-anchor="end">{escape(row.name)}</text>'
        yield f'<rect class="{kind}" x="{_LEFT}" y="{y}" width="{width:.1f}" height="{_BAR}" rx="2"/>'
        yield f'<text class="dim" x="{_LEFT + width + 6:.1f}" y="{y + 11}">{seconds(row.median)}</text>'
