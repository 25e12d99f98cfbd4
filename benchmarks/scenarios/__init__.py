"""What is measured, one module for each kind; `ALL` lists it in the order of the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.scenarios import footprint, parallel, phases, plans, pure, rebuild, start, torch

if TYPE_CHECKING:
    from benchmarks.scenarios.scenario import Scenario

ALL: tuple[Scenario, ...] = (
    *start.SCENARIOS,
    *pure.SCENARIOS,
    *phases.SCENARIOS,
    *torch.SCENARIOS,
    *rebuild.SCENARIOS,
    *plans.SCENARIOS,
    *parallel.SCENARIOS,
    *footprint.SCENARIOS,
)


def chosen(names: list[str]) -> list[Scenario]:
    """Return the scenarios that are named by key or by the first part of it; all where none is named."""
    unknown = [name for name in names if not any(_is_meant(name, item) for item in ALL)]
    if unknown:
        raise SystemExit(f"no such scenario: {', '.join(unknown)}; there are {', '.join(item.key for item in ALL)}")
    return [item for item in ALL if not names or any(_is_meant(name, item) for name in names)]


def _is_meant(name: str, scenario: Scenario) -> bool:
    return name in {scenario.key, scenario.key.split("-")[0]}
