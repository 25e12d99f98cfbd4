"""What a wheel requires of the passed packages that it was built against, and what to call it. Pure."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import Version

from passbuild.errors import Problem
from passbuild.plan.markers import is_active, is_met
from passbuild.settings.model import Pin
from passbuild.values import frozen

if sys.version_info >= (3, 11):
    from typing import assert_never
else:
    from typing_extensions import assert_never

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from packaging.requirements import Requirement

    from passbuild.host.model import Distribution
    from passbuild.plan.model import Passed


@frozen
class Hints:
    """What a user may put into a wheel's name or version, to tell it from one that was built against others."""

    build_tag: str
    """Of the wheel's file name (binary distribution format): `1_torch2.13.0.cpu`."""
    local_version: str
    """Behind the `+` of the version (PEP 440): `torch2.13.0.cpu`."""


def bounds(version: Version, pin: Pin) -> str:
    """Return the specifier that holds a wheel to a version; empty for no pin.

    The local label does not count. The next series begins behind the second part of the release for `patch`, behind the
    first for `minor`; missing parts are zeros. `<2.14` allows no pre-release of 2.14 either (PEP 440).
    """
    epoch = f"{version.epoch}!" if version.epoch else ""
    match pin:
        case Pin.NONE:
            return ""
        case Pin.EXACT:
            return f"=={version.public}"
        case Pin.PATCH:
            return f">={version.public},<{epoch}{version.major}.{version.minor + 1}"
        case Pin.MINOR:
            return f">={version.public},<{epoch}{version.major + 1}"
        case unreachable:
            assert_never(unreachable)


def pins(passed: Iterable[Passed], pin: Pin) -> tuple[str, ...]:
    """Return what a wheel has to require: one requirement for each named package, sorted."""
    if pin is Pin.NONE:
        return ()
    return tuple(f"{item.name}{bounds(_version(item), pin)}" for item in _named(passed))


def contradictions(
    stated: Sequence[Requirement], passed: Iterable[Passed], markers: Mapping[str, str]
) -> tuple[Problem, ...]:
    """Return where the requirements that a wheel states do not allow the named packages that it was built against.

    Those whose marker does not hold on the host, and those of an extra alone, allow everything.
    """
    return tuple(
        Problem(
            name=item.name,
            wanted=f"{requirement} (Requires-Dist)",
            found=f"{item.raw_version} in {item.location}",
            hint=f"change what the project requires of {item.name}, build against a version that it allows, "
            "or leave the wheel as it is with --pin none",
        )
        for item in _named(passed)
        for requirement in stated
        if canonicalize_name(requirement.name) == item.name
        and is_active(requirement, markers)
        and not is_met(requirement, item)
    )


def hints(passed: Iterable[Passed]) -> Hints | None:
    """Return what names the packages that a wheel was built against; None where no named package passes through."""
    words = [f"{item.name}{_version(item)}" for item in _named(passed)]
    if not words:
        return None
    # Made by its own rules, it is what it will be read as: `zero-007` is `zero.7`.
    label = Version("0+" + ".".join(re.sub(r"[^a-z0-9]+", ".", word.lower()) for word in words)).local
    assert label is not None
    return Hints(build_tag="1_" + "_".join(re.sub(r"[^A-Za-z0-9.]+", ".", word) for word in words), local_version=label)


def _named(passed: Iterable[Passed]) -> Iterator[Distribution]:
    yield from sorted((item.distribution for item in passed if item.named), key=lambda item: item.name)


def _version(distribution: Distribution) -> Version:
    assert distribution.version is not None  # a plan passes no named package without a version
    return distribution.version
