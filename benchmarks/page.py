"""Write docs/benchmarks.md from results: nothing is measured here, and nothing is written by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import scenarios, targets, tools
from benchmarks.results import BYTES, COUNT, SECONDS, Ratio

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.results import Group, Result, Results, Row
    from benchmarks.scenarios.scenario import Scenario

PICTURE = "pictures/benchmarks.svg"
_FLOORS = (tools.FLOOR, tools.INTERPRETER)
_KILO = 1000
_INTRODUCTION = """\
# Benchmarks

This page is written by `make bench`, from runs of everything below on one machine.
No number in its tables is typed by hand.

- Each frontend has an environment of its own, with the newest version from the package index, and private caches.
- Contestants of a table take turns: one run each per round, each round beginning with another one.
  The runs before the first round that counts warm the caches.
- Times are those of whole processes, from start to exit.
  A time is the median of the rounds, with the quartiles behind it (the least and the greatest of fewer than four).
- A ratio is that of two medians; behind it are the quartiles of the ratios within each round.
- *The hooks alone* is the floor: two fresh processes in an environment that is ready.
  They are `get_requires_for_build_wheel` and `build_wheel`, called through pyproject_hooks from a running Python.
- Indexes, mirrors and link folders are those of the user's own configuration.
"""


def rendered(results: Results, reasons: Mapping[str, str]) -> str:
    """Return the page."""
    unknown = reasons.keys() - {target.key for target in targets.ALL}
    if unknown:
        raise SystemExit(f"reasons.toml speaks of targets that are none: {', '.join(sorted(unknown))}")
    picture = [f"![Seconds for a wheel, by backend and frontend]({PICTURE})", ""] if has_picture(results) else []
    lines = [_INTRODUCTION, *picture, *_targets(results, reasons)]
    for scenario in scenarios.ALL:
        lines += _scenario(scenario, results.by_key.get(scenario.key))
    return "\n".join(lines).rstrip() + "\n"


def has_picture(results: Results) -> bool:
    """Return whether there is anything to draw."""
    return any(result.groups for result in results.by_key.values())


def seconds(value: float) -> str:
    """Return seconds as they are printed, three digits of them."""
    if value < 1:
        return f"{value:.3f} s"
    return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"  # noqa: PLR2004


def _targets(results: Results, reasons: Mapping[str, str]) -> Iterator[str]:
    yield from ("## Targets", "", "| what | target | measured | |", "|---|---|---|---|")
    missed = []
    for target in targets.ALL:
        found = target.found(results)
        text, status = (found.text, found.status) if found else ("", "not measured")
        yield f"| {target.what} | {target.limit} | {text} | {status} |"
        if found and not found.is_met:
            missed.append(target)
    yield ""
    if missed:
        yield from ("Why those that are missed are missed:", "")
        yield from (f"- {target.what}: {reasons.get(target.key, 'not yet known.')}" for target in missed)
        yield ""


def _scenario(scenario: Scenario, result: Result | None) -> Iterator[str]:
    yield from (f"## {scenario.title}", "", scenario.about.replace(". ", ".\n"), "")
    if result is None:
        yield from ("Not measured yet.", "")
        return
    if result.skipped:
        yield from (f"Not measured in this run: {result.skipped}.", "")
        return
    yield from _circumstances(result)
    if not result.has_store and any(row.name == tools.NO_STORE for group in result.groups for row in group.rows):
        yield from (f"This passbuild keeps no environments: `{tools.NO_STORE}` is plain `passbuild wheel`.", "")
    for group in result.groups:
        yield from (f"### {scenario.title}: {group.name}", "")
        yield from ([group.note, ""] if group.note else [])
        yield from _table(group)
        yield ""


def _circumstances(result: Result) -> Iterator[str]:
    machine, start_up = result.machine, sorted(result.interpreter)[len(result.interpreter) // 2]
    versions = ", ".join(f"{name} {version}" for name, version in result.versions.items())
    yield (
        f"Measured on {result.started[:16].replace('T', ' ')} UTC, {result.rounds} rounds; "
        f"load {result.load[0]:.2f} before and {result.load[1]:.2f} after."
    )
    yield (
        f"{machine.cpu}, {machine.cores} cores, {size(machine.memory)} of memory; {machine.system}; {machine.python}, "
        f"which takes {start_up:.4f} s for `{tools.INTERPRETER}`."
    )
    yield from (f"{versions}.", "")


def _table(group: Group) -> Iterator[str]:
    floor = next((row for row in group.rows if row.name in _FLOORS and row.samples), None)
    if group.unit != SECONDS or floor is None:
        yield from ("| | |", "|---|---|")
        yield from (f"| {_called(row)} | {_value(row, group.unit)} |" for row in group.rows)
        return
    ours = next((row for row in group.rows if row.name in {tools.PASSBUILD, tools.NO_STORE} and row.samples), None)
    yield f"| | time | over the floor | / floor |{f' {ours.name} / it |' if ours else ''}"
    yield f"|---|---|---|---|{'---|' if ours else ''}"
    for row in group.rows:
        cells = [_called(row), _value(row, group.unit), *_beside_floor(row, floor)]
        cells += [_ratio(ours, row) if row is not floor else ""] if ours else []
        yield f"| {' | '.join(cells)} |"


def _beside_floor(row: Row, floor: Row) -> tuple[str, str]:
    if row is floor or not row.samples:
        return "", ""
    return seconds(row.median - floor.median), _ratio(row, floor)


def _ratio(one: Row, other: Row) -> str:
    if one is other or not other.samples:
        return ""
    return targets.ratio_text(Ratio.between(one, other))


def _called(row: Row) -> str:
    return f"**{row.name}**" if row.name.startswith(tools.PASSBUILD) else row.name


def _value(row: Row, unit: str) -> str:
    if not row.samples:
        return f"failed: {row.failure}".replace("|", "/")
    shown = {SECONDS: seconds, BYTES: size, COUNT: "{:.0f}".format}.get(unit, "{:.2f} a second".format)
    low, high = row.spread
    return shown(row.median) if low == high else f"{shown(row.median)} ({shown(low)}\N{EN DASH}{shown(high)})"


def size(value: float) -> str:
    """Return bytes as they are printed."""
    for name in ("bytes", "kB", "MB"):
        if value < _KILO:
            return f"{value:.0f} {name}" if name == "bytes" else f"{value:.1f} {name}"
        value /= _KILO
    return f"{value:.1f} GB"
