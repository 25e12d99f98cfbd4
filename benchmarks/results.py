"""What a run measured: plain values, their JSON, and the numbers that are computed from them.

Results → one Result per scenario → groups (one table each) → rows (one contestant each) → samples (one per round).
"""

from __future__ import annotations

import json
import statistics
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

SCHEMA = 1
SECONDS = "s"
BYTES = "bytes"
COUNT = "count"
PER_SECOND = "builds/s"
_ENOUGH_FOR_QUARTILES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One contestant of a group."""

    name: str
    samples: tuple[float, ...] = ()
    """One value per round, in the order of the rounds: the same place in two rows of a group is the same round."""
    failure: str = ""
    """Why there are no samples."""

    @property
    def median(self) -> float:
        """The median of the samples."""
        return statistics.median(self.samples)

    @property
    def spread(self) -> tuple[float, float]:
        """The quartiles of the samples; the least and the greatest where there are too few of them."""
        return spread(self.samples)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Contestants that ran in turns: one table."""

    name: str
    unit: str
    rows: tuple[Row, ...]
    note: str = ""
    """What a reader has to know about these rows."""

    def row(self, name: str) -> Row | None:
        """Return a row that has samples; None where it is missing or failed."""
        return next((row for row in self.rows if row.name == name and row.samples), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where a scenario ran."""

    cpu: str
    cores: int
    """Those that this process may use."""
    memory: int
    """In bytes."""
    system: str
    python: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one run of one scenario found."""

    key: str
    started: str
    """Date and time, UTC, in ISO 8601."""
    rounds: int
    machine: Machine
    load: tuple[float, float]
    """The number of running processes, averaged over a minute, before and after."""
    interpreter: tuple[float, ...]
    """Seconds that `python -c pass` took, just before."""
    versions: Mapping[str, str]
    has_store: bool
    """Whether this passbuild keeps build environments."""
    groups: tuple[Group, ...] = ()
    skipped: str = ""
    """Why nothing was measured."""

    def group(self, name: str) -> Group | None:
        """Return a group by its name."""
        return next((group for group in self.groups if group.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """All that is known, by the keys of the scenarios."""

    by_key: Mapping[str, Result] = field(default_factory=dict)

    def with_result(self, result: Result) -> Results:
        """Return these results with one of them replaced or added."""
        return Results(by_key={**self.by_key, result.key: result})

    def row(self, key: str, group: str, name: str) -> Row | None:
        """Return a row that has samples; None where there is none."""
        result = self.by_key.get(key)
        found = result.group(group) if result else None
        return found.row(name) if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """How one row compares with another."""

    value: float
    """The ratio of the medians."""
    low: float
    high: float
    """The spread of the ratios within each round."""

    @classmethod
    def between(cls, one: Row, other: Row) -> Ratio:
        """Return the ratio of `one` to `other`, rows of the same group."""
        low, high = spread([a / b for a, b in zip(one.samples, other.samples, strict=True)])
        return cls(value=one.median / other.median, low=low, high=high)


def spread(samples: Sequence[float]) -> tuple[float, float]:
    """Return the first and the third quartile; the least and the greatest of fewer than four samples."""
    if len(samples) < _ENOUGH_FOR_QUARTILES:
        return min(samples), max(samples)
    first, _, third = statistics.quantiles(samples, n=4, method="inclusive")
    return first, third


def load(file: Path) -> Results:
    """Read results; there are none where there is no file."""
    if not file.exists():
        return Results()
    document = json.loads(file.read_text(encoding="utf-8"))
    if document["schema"] != SCHEMA:
        raise SystemExit(
            f"{file} has schema {document['schema']}; this is for schema {SCHEMA}: remove it and run again"
        )
    return Results(by_key={raw["key"]: _result(raw) for raw in document["results"]})


def save(results: Results, file: Path) -> None:
    """Write results."""
    document = {"schema": SCHEMA, "results": [asdict(results.by_key[key]) for key in sorted(results.by_key)]}
    file.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _result(raw: dict[str, Any]) -> Result:
    before, after = raw["load"]
    changed = {
        "machine": Machine(**raw["machine"]),
        "load": (before, after),
        "interpreter": tuple(raw["interpreter"]),
        "groups": tuple(map(_group, raw["groups"])),
    }
    return Result(**{**raw, **changed})


def _group(raw: dict[str, Any]) -> Group:
    rows = tuple(Row(**{**row, "samples": tuple(row["samples"])}) for row in raw["rows"])
    return Group(**{**raw, "rows": rows})
