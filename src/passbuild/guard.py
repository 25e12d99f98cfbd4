"""Run programs of others where the system keeps them from writing what is protected."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from passbuild import process, supervisor
from passbuild.errors import NotProtected
from passbuild.protection import Means, Outcome, Protector
from passbuild.values import frozen, replace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from passbuild.protection import Zone


@frozen
class Guard:
    """What is protected from a program, and how much that matters."""

    zone: Zone | None = None
    """None for nothing."""
    is_needed: bool = False
    """Whether no program runs without."""
    on_outcome: Callable[[Outcome], None] = lambda _: None
    """Is told what became of it, for each program."""

    def may_write(self, *folders: Path) -> Guard:
        """Return one by which these folders can be written as well."""
        if self.zone is None:
            return self
        more = tuple(folder.resolve() for folder in folders)
        return replace(self, zone=replace(self.zone, writable=(*self.zone.writable, *more)))


def stream(
    command: process.Command,
    guard: Guard,
    on_line: Callable[[str], None],
    meanwhile: Callable[[], None] = lambda: None,
) -> process.Finished:
    """Run a program as `process.stream` does, and guard what is protected. Raises NotProtected where it has to be."""
    protector = _protector(guard)
    try:
        return process.stream(replace(command, first=protector), on_line, meanwhile)
    except subprocess.SubprocessError as error:
        outcome = protector.outcome() if protector is not None else None
        if outcome is None or not guard.is_needed or outcome.means is not Means.NOTHING:
            raise
        raise NotProtected(problem=outcome.reason) from error
    finally:
        if protector is not None:
            guard.on_outcome(protector.outcome())


def _protector(guard: Guard) -> Protector | None:
    if guard.zone is None:
        return None
    if supervisor.is_available():
        return Protector(guard.zone, is_needed=guard.is_needed)
    reason = "passbuild knows no means for this system"
    if guard.is_needed:
        raise NotProtected(problem=reason)
    guard.on_outcome(Outcome(means=Means.NOTHING, reason=reason))
    return None
