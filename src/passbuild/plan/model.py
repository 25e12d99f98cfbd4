"""The plan as a value."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from passbuild.values import frozen

if TYPE_CHECKING:
    from pathlib import Path

    from packaging.requirements import Requirement
    from packaging.utils import NormalizedName

    from passbuild.errors import Problem
    from passbuild.host.model import Distribution


class Action(Enum):
    """What happens to one name."""

    PASS = "pass"  # noqa: S105 - no password
    """The host's copy is used."""
    INSTALL = "install"
    """A copy is installed into the build environment."""
    SKIP = "skip"
    """Nothing: the name does not concern this build."""
    REFUSE = "refuse"
    """The build does not start."""


@frozen
class Decision:
    """What happens to one named passthrough package or one build requirement."""

    name: NormalizedName
    action: Action
    reason: str
    """One sentence."""
    wanted: str = ""
    """The requirement that counts, as it was written; empty when nobody states one."""
    found: str = ""
    """The version on the host; empty when it is not there."""
    origins: tuple[str, ...] = ()
    """Where the name was named."""

    @property
    def facts(self) -> tuple[str, ...]:
        """What it rests on, one fact in each: wanted, found, and named by whom."""
        told = (("wanted", self.wanted), ("on the host", self.found), ("named by", ", ".join(self.origins)))
        return tuple(f"{what}: {text}" for what, text in told if text)


@frozen
class Passed:
    """A distribution of the host that passes through."""

    distribution: Distribution
    named: bool
    """Named by a user or the project; otherwise a member of the closure."""
    needed_by: tuple[NormalizedName, ...]
    """The passed distributions that need it at run time."""
    left_out: tuple[str, ...] = ()
    """Its requirements that the host lacks; its stand-in does not state them."""


@frozen
class Plan:
    """Everything that makes a build environment, decided."""

    decisions: tuple[Decision, ...]
    passed: tuple[Passed, ...]
    install: tuple[Requirement, ...]
    """What the installer is asked for: pins of the named passed packages, and everything else that is required."""
    constraints: tuple[Path, ...]
    dropped: tuple[str, ...]
    """Requirements that `--on-mismatch host` sets aside, as they were written."""
    mismatches: tuple[Problem, ...]
    missing: tuple[Problem, ...]
    warnings: tuple[str, ...]

    @property
    def pins(self) -> tuple[str, ...]:
        """The named passed packages as pinned requirements."""
        return tuple(f"{item.distribution.name}=={item.distribution.version}" for item in self.passed if item.named)
