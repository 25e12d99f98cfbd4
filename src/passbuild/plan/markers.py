"""Evaluate requirements against the host: its markers and its versions, by `packaging`."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from packaging.requirements import Requirement

    from passbuild.host.model import DirectUrl, Distribution


def is_active(requirement: Requirement, markers: Mapping[str, str], extras: Iterable[str] = ()) -> bool:
    """Return whether a requirement counts on a host with these markers, with any of these extras."""
    if requirement.marker is None:
        return True
    try:
        return any(requirement.marker.evaluate({**markers, "extra": extra}) for extra in ("", *extras))
    except (UndefinedComparison, UndefinedEnvironmentName):  # it holds on no host
        return False


def is_met(requirement: Requirement, distribution: Distribution) -> bool:
    """Return whether the host's copy meets a requirement.

    Pre-releases count. A URL requirement is met only by a copy that was installed from that URL.
    """
    if requirement.url is not None:
        return distribution.direct_url is not None and _is_from(requirement.url, distribution.direct_url)
    if distribution.version is None:
        return False
    return requirement.specifier.contains(distribution.version, prereleases=True)


def _is_from(wanted: str, recorded: DirectUrl) -> bool:
    """Return whether a direct reference (PEP 440) names what ``direct_url.json`` recorded (PEP 610)."""
    address, _, fragment = wanted.partition("#")
    options = dict(parse_qsl(fragment))
    if options.pop("subdirectory", "") != recorded.subdirectory:
        return False
    if not recorded.vcs:
        hashes = recorded.hashes
        is_same_content = all(hashes.get(name) == value for name, value in options.items())
        return _bare(address) == _bare(recorded.url) and is_same_content
    repository, revision = _revision(address.removeprefix(f"{recorded.vcs}+"))
    return (
        address.startswith(f"{recorded.vcs}+")
        and _bare(repository) == _bare(recorded.url)
        and revision in {recorded.revision, recorded.commit}
    )


def _revision(address: str) -> tuple[str, str]:
    """Return the URL of a repository and the revision behind it, after the last ``@`` of the path."""
    parts = urlsplit(address)
    path, _, revision = parts.path.rpartition("@")
    return (urlunsplit(parts._replace(path=path)), revision) if path else (address, "")


def _bare(url: str) -> str:
    """Return a URL without user and password, which installers do not record."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], path=parts.path.rstrip("/"), fragment=""))
