"""The targets, and whether they are met: computed from the results, never by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks import projects, tools
from benchmarks.results import Ratio
from benchmarks.scenarios import parallel, plans, pure, rebuild, start, torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from benchmarks.results import Results, Row

_OVER_FLOOR = 0.12
_INTERPRETER = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A measured value beside its limit."""

    text: str
    is_met: bool
    is_whole: bool = True
    """Whether all was measured that the target is about."""

    @property
    def status(self) -> str:
        """Return the one word for it."""
        if not self.is_met:
            return "missed"
        return "met" if self.is_whole else "met as far as measured"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is aimed at."""

    key: str
    """By which reasons.toml names it."""
    what: str
    limit: str
    found: Callable[[Results], Finding | None]
    """None where it was not measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two rows of a group."""

    scenario: str
    group: str
    one: str
    other: str

    def rows(self, results: Results) -> tuple[Row, Row] | None:
        """Return both rows; None where one was not measured."""
        one = results.row(self.scenario, self.group, self.one)
        other = results.row(self.scenario, self.group, self.other)
        return (one, other) if one and other else None


def ratio_text(ratio: Ratio) -> str:
    """Return a ratio with its spread."""
    return f"{ratio.value:.2f} ({ratio.low:.2f}\N{EN DASH}{ratio.high:.2f})"


def _ratio(pairs: dict[str, Pair], limit: float, *, at_least: bool = False) -> Callable[[Results], Finding | None]:
    """Return what finds the worst of these ratios, by their labels."""

    def found(results: Results) -> Finding | None:
        rows = {label: pair.rows(results) for label, pair in pairs.items()}
        ratios = {label: Ratio.between(*both) for label, both in rows.items() if both}
        if not ratios:
            return None
        pick = min if at_least else max
        label = pick(ratios, key=lambda name: ratios[name].value)
        worst = ratios[label]
        missing = [name for name in pairs if name not in ratios]
        behind = f", {label}" if label else ""
        behind += f"; not measured: {', '.join(missing)}" if missing else ""
        is_met = worst.value >= limit if at_least else worst.value <= limit
        return Finding(text=ratio_text(worst) + behind, is_met=is_met, is_whole=not missing)

    return found


def _over_floor(results: Results) -> Finding | None:
    """Find the most that passbuild takes over the hooks alone, for a machine with this interpreter."""
    result = results.by_key.get(pure.WARM)
    over = dict(_over(results, ((pure.WARM, backend) for backend in projects.PURE)))
    if result is None or len(over) < len(projects.PURE):
        return None
    start_up = sorted(result.interpreter)[len(result.interpreter) // 2]
    worst = max(over, key=lambda name: over[name])
    limit = _OVER_FLOOR * start_up / _INTERPRETER
    text = f"{over[worst]:.3f} s, {worst}; the limit is {limit:.3f} s where `python -c pass` takes {start_up:.4f} s"
    return Finding(text=text, is_met=over[worst] <= limit)


def _first_torch(results: Results) -> Finding | None:
    over = dict(_over(results, [(torch.KEY, torch.SECONDS)]))
    if not over:
        return None
    return Finding(text=f"{over[torch.SECONDS]:.2f} s", is_met=over[torch.SECONDS] <= 1.0)


def _over(results: Results, groups: Iterable[tuple[str, str]]) -> Iterable[tuple[str, float]]:
    for key, group in groups:
        rows = Pair(scenario=key, group=group, one=tools.PASSBUILD, other=tools.FLOOR).rows(results)
        if rows:
            yield group, rows[0].median - rows[1].median


def _of_torch(results: Results) -> Finding | None:
    row = results.row(torch.KEY, torch.DISK, torch.OF_TORCH)
    return Finding(text=f"{row.median:.0f} bytes", is_met=not any(row.samples)) if row else None


def _middle_host(results: Results) -> Finding | None:
    row = results.row(plans.HOSTS, plans.PLAN, plans.MIDDLE)
    return Finding(text=f"{row.median:.3f} s", is_met=row.median <= 0.35) if row else None  # noqa: PLR2004


def _failures(results: Results) -> Finding | None:
    rows = [results.row(parallel.KEY, parallel.FAILURES, parallel.name(count)) for count in parallel.PROCESSES]
    if not all(rows):
        return None
    failed = sum(sum(row.samples) for row in rows if row)
    return Finding(text=f"{failed:.0f}", is_met=not failed)


def _built_twice(results: Results) -> Finding | None:
    needed = results.row(parallel.KEY, parallel.BUILT, parallel.NEEDED)
    rows = [results.row(parallel.KEY, parallel.BUILT, parallel.name(count)) for count in parallel.PROCESSES]
    if needed is None or not all(rows):
        return None
    most = max(max(row.samples) for row in rows if row)
    return Finding(text=f"at most {most:.0f} built where {needed.median:.0f} are needed", is_met=most <= needed.median)


def _warm(backend: str) -> dict[str, Pair]:
    return {"": Pair(scenario=pure.WARM, group=backend, one=tools.PASSBUILD, other=tools.UV)}


def _unchanged(one: str, other: str) -> dict[str, Pair]:
    return {
        key.removeprefix("d-"): Pair(scenario=key, group=rebuild.UNCHANGED, one=one, other=other)
        for key in rebuild.KEYS
    }


_NO_STORE = {
    backend: Pair(scenario=pure.WITHOUT_STORE, group=backend, one=tools.NO_STORE, other=tools.UV)
    for backend in projects.PURE
}
_HOSTS = Pair(scenario=plans.HOSTS, group=plans.PLAN, one=plans.MIDDLE, other=plans.SMALL)
_SCALING = Pair(scenario=parallel.KEY, group=parallel.THROUGHPUT, one=parallel.name(2), other=parallel.name(1))
_START = Pair(scenario=start.KEY, group=start.GROUP, one=start.VERSION, other=tools.INTERPRETER)

ALL: tuple[Target, ...] = (
    *(
        Target(
            key=f"a-{backend}",
            what=f"(a) `passbuild wheel` / `uv build --wheel`, {backend}",
            limit=f"≤ {limit:.2f}",
            found=_ratio(_warm(backend), limit),
        )
        for backend, limit in (("flit_core", 0.75), ("setuptools", 0.60), ("hatchling", 0.60))
    ),
    Target(
        key="a-floor",
        what="(a) over the hooks alone, any backend",
        limit="≤ 0.12 s where `python -c pass` takes 0.01 s",
        found=_over_floor,
    ),
    Target(
        key="b", what="(b) no store / `uv build --wheel`, any backend", limit="≤ 1.25", found=_ratio(_NO_STORE, 1.25)
    ),
    Target(key="c-seconds", what="(c) first torch build over the hooks alone", limit="≤ 1.0 s", found=_first_torch),
    Target(key="c-bytes", what="(c) torch downloaded or copied", limit="0 bytes", found=_of_torch),
    Target(
        key="d-floor",
        what="(d) unchanged rebuild / the hooks alone in a kept environment, any backend",
        limit="≤ 1.15",
        found=_ratio(_unchanged(tools.PASSBUILD, tools.FLOOR), 1.15),
    ),
    Target(
        key="d-uv",
        what="(d) unchanged rebuild: `uv build` / passbuild, any backend",
        limit="≥ 10",
        found=_ratio(_unchanged(tools.UV, tools.PASSBUILD), 10, at_least=True),
    ),
    Target(
        key="e-ratio",
        what="(e) `plan`, 500 distributions / 50 distributions",
        limit="≤ 1.5",
        found=_ratio({"": _HOSTS}, 1.5),
    ),
    Target(key="e-seconds", what="(e) `plan`, 500 distributions", limit="≤ 0.35 s", found=_middle_host),
    Target(
        key="g-throughput",
        what="(g) throughput with 2 processes / 1 process",
        limit="≥ 1.7 on 2 cores",
        found=_ratio({"": _SCALING}, 1.7, at_least=True),
    ),
    Target(key="g-failures", what="(g) failed builds", limit="0", found=_failures),
    Target(key="g-environments", what="(g) environments built twice", limit="none", found=_built_twice),
    Target(
        key="start",
        what="`passbuild --version` / `python -c pass`",
        limit="≤ 6",
        found=_ratio({"": _START}, 6),
    ),
)
