"""The closure: what the passed packages need at run time, by the host's own metadata and markers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from passbuild.plan.markers import is_active
from passbuild.values import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from packaging.requirements import Requirement
    from packaging.utils import NormalizedName

    from passbuild.host.model import Distribution, Host


@frozen
class Closure:
    """The result of following the requirements of the named packages."""

    members: Mapping[NormalizedName, tuple[NormalizedName, ...]]
    """Every reached distribution of the host that was not named, with the passed ones that need it; sorted."""
    missing: Mapping[NormalizedName, tuple[NormalizedName, ...]]
    """Every needed name that the host lacks, likewise."""
    stopped: Mapping[NormalizedName, tuple[NormalizedName, ...]]
    """Every needed name at which the walk was told to stop, likewise."""
    extras: Mapping[NormalizedName, AbstractSet[str]]
    """The extras with which each distribution was reached."""


def closure(
    host: Host, named: Mapping[NormalizedName, AbstractSet[str]], stop_at: AbstractSet[NormalizedName]
) -> Closure:
    """Follow the requirements of `named` (each with its extras) through the host.

    Names in `stop_at` are not followed: the project itself, and what is installed in isolation in any case.
    """
    needed_by: dict[NormalizedName, set[NormalizedName]] = {}
    asked: dict[NormalizedName, set[str]] = {}
    waiting = [(name, frozenset(extras)) for name, extras in sorted(named.items())]
    seen: set[tuple[NormalizedName, frozenset[str]]] = set()
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        asked.setdefault(name, set()).update(extras)
        for requirement in requirements(host.distributions[name], extras, host.markers):
            member = canonicalize_name(requirement.name)
            if member == name:  # `foo[all]` requiring `foo[x]` of itself: more extras, not another package
                waiting.append((name, frozenset(requirement.extras)))
                continue
            needed_by.setdefault(member, set()).add(name)
            if member in host.distributions and member not in stop_at:
                waiting.append((member, frozenset(requirement.extras)))
    by = {name: tuple(sorted(needed_by[name])) for name in sorted(needed_by) if name not in named}
    return Closure(
        members={name: by[name] for name in by if name in host.distributions and name not in stop_at},
        missing={name: by[name] for name in by if name not in host.distributions and name not in stop_at},
        stopped={name: by[name] for name in by if name in stop_at},
        extras=asked,
    )


def requirements(
    distribution: Distribution, extras: AbstractSet[str], markers: Mapping[str, str]
) -> tuple[Requirement, ...]:
    """Return what a distribution requires on this host, with these extras."""
    return tuple(item for item in distribution.requires if is_active(item, markers, extras))
