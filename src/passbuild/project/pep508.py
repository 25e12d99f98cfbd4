"""Decode a requirement that somebody else wrote, and that an installer is going to read as one line of a file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement

if TYPE_CHECKING:
    from packaging.markers import Marker

_LONGEST = 10_000
"""Characters; what is longer is nested for the sake of it."""
_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""What ends a line, for one installer or another, and what commands a terminal."""
_VARIABLE = re.compile(r"\$\{\w+\}")
"""What installers take for a variable in a file, also one that holds credentials of an index; PEP 508 knows none."""


def decoded(text: str) -> Requirement:
    """Return a requirement. Raises InvalidRequirement, also for what is more than one to an installer."""
    if len(text) > _LONGEST:
        raise InvalidRequirement(f"it has {len(text)} characters")
    try:
        requirement = Requirement(text)
    except RecursionError:
        raise InvalidRequirement("it is nested too deeply") from None
    if requirement.marker is not None:
        check_marker(requirement.marker)
    written = str(requirement)
    if _BREAKS.search(written):
        raise InvalidRequirement("it holds a line break or another control character")
    if _VARIABLE.search(written):
        raise InvalidRequirement("it holds what an installer would take for a variable")
    return requirement


def check_marker(marker: Marker) -> None:
    """Raise InvalidRequirement for a marker that can be read and has no meaning, such as ``os_name ~= 'posix'``."""
    try:
        marker.evaluate({"extra": ""})
    except (UndefinedComparison, UndefinedEnvironmentName) as error:
        raise InvalidRequirement(f"its marker cannot be evaluated: {error}") from error
