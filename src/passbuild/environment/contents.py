"""List what an installer has put into an environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import Version

from passbuild.values import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from packaging.requirements import Requirement
    from packaging.utils import NormalizedName

INSTALLER = "passbuild"
"""What a stand-in's INSTALLER file says."""


@frozen
class Installed:
    """A distribution in the build environment."""

    name: NormalizedName
    version: str
    info: Path

    @property
    def is_stand_in(self) -> bool:
        """Whether it is metadata only, put there by passbuild."""
        try:
            return (self.info / "INSTALLER").read_text(encoding="utf-8").strip() == INSTALLER
        except OSError:
            return False


def listed(site_packages: Path) -> dict[NormalizedName, Installed]:
    """Return the distributions in a site-packages folder, sorted by name (installers write ``.dist-info`` alone)."""
    found = {}
    for info in sorted(site_packages.glob("*.dist-info")):
        name, _, version = info.name.removesuffix(".dist-info").partition("-")
        normalized = canonicalize_name(name)
        found[normalized] = Installed(name=normalized, version=version, info=info)
    return dict(sorted(found.items()))


def unmet(requirements: tuple[Requirement, ...], contents: Mapping[NormalizedName, Installed]) -> list[str]:
    """Return the requirements that the contents do not meet, as text."""
    return [str(item) for item in requirements if not is_met(item, contents)]


def is_met(requirement: Requirement, contents: Mapping[NormalizedName, Installed]) -> bool:
    """Return whether the contents meet a requirement (its marker is taken as true; a URL is met by its name)."""
    found = contents.get(canonicalize_name(requirement.name))
    if found is None:
        return False
    return requirement.url is not None or requirement.specifier.contains(Version(found.version), prereleases=True)
