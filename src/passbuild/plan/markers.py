"""Evaluate requirements against the host: its markers and its versions, by `packaging`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from packaging.requirements import Requirement

    from passbuild.host.model import Distribution


def is_active(requirement: Requirement, markers: Mapping[str, str], extras: Iterable[str] = ()) -> bool:
    """Return whether a requirement counts on a host with these markers, with any of these extras."""
    if requirement.marker is None:
        return True
    return any(requirement.marker.evaluate({**markers, "extra": extra}) for extra in ("", *extras))


def is_met(requirement: Requirement, distribution: Distribution) -> bool:
    """Return whether the host's copy meets a requirement.

    Pre-releases count. A URL requirement is met only by a copy that was installed from that URL.
    """
    if requirement.url is not None:
        return distribution.direct_url is not None and _same_url(requirement.url, distribution.direct_url)
    if distribution.version is None:
        return False
    return requirement.specifier.contains(distribution.version, prereleases=True)


def _same_url(wanted: str, recorded: str) -> bool:
    return wanted.partition("#")[0].rstrip("/") == recorded.partition("#")[0].rstrip("/")
