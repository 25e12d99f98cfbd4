"""The wheels that were built before: find the one that a build would make, or keep the one that it made."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from passbuild import wheel_key, wheel_store
from passbuild.redaction import redacted
from passbuild.values import frozen
from passbuild.wheel_store import Wheels

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from packaging.requirements import Requirement

    from passbuild.environment.build_environment import BuildEnvironment
    from passbuild.settings.model import Setting, Settings
    from passbuild.surroundings import Surroundings
    from passbuild.wheel_key import Recipe
    from passbuild.wheel_store import Found

    Warn = Callable[[str], None]


@frozen
class Shelf:
    """Where the wheel of one recipe is kept."""

    wheels: Wheels
    key: str | None
    """None where something that the wheel is made of has no stable identity."""
    is_rebuilt: bool
    """Whether the wheel is built again in any case."""

    def found(self, folder: Path, again: Callable[[], BuildEnvironment], on_warning: Warn) -> Found | None:
        """Return a copy of the wheel in `folder`; None where there is none, or its hooks might want other things now.

        What they want in addition is believed as long as an environment would be reused; then `again` asks them.
        """
        if self.key is None or self.is_rebuilt:
            return None
        found = wheel_store.found(self.wheels, self.key, folder, on_warning)
        if found is None or not found.facts.get("dynamic"):
            return found
        is_young = time.time() - found.created < self.wheels.store.max_age
        return found if is_young or found.facts.get("installed") == _installed(again()) else None

    def keep(
        self,
        wheel: Path,
        recipe: Recipe,
        dynamic: Sequence[Setting[Requirement]],
        warnings: Sequence[str],
        on_warning: Warn,
    ) -> None:
        """Keep a wheel, with what its hooks wanted in addition and what was said of it."""
        if self.key is None:
            return
        environment = recipe.environment
        facts: dict[str, str | list[str]] = {
            "source": recipe.project.given,
            "version": recipe.host.version,
            "passed": [f"{item.distribution.name} {item.distribution.raw_version}" for item in environment.passed],
            "installed": _installed(environment),
            "dynamic": [redacted(str(item.value)) for item in dynamic],
            "warnings": [redacted(text) for text in warnings if text.isprintable()],
        }
        wheel_store.kept(self.wheels, self.key, wheel, facts, on_warning)


def of(recipe: Recipe, surroundings: Surroundings, on_warning: Warn) -> Shelf:
    """Return the shelf of the wheel that comes of `recipe`. Raises InvalidSettings for a shared place that is none."""
    settings: Settings = recipe.settings
    wheels = Wheels.of(settings, surroundings)
    wheel_store.check(wheels, on_warning)
    return Shelf(wheels=wheels, key=wheel_key.of(recipe), is_rebuilt=settings.rebuild.value)


def _installed(environment: BuildEnvironment) -> list[str]:
    return [f"{item.name} {item.version}" for item in environment.installed]
