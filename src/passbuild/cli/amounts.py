"""Sizes and times as a person reads them."""

from __future__ import annotations

_UNITS = ("B", "kB", "MB", "GB")


def size(count: float) -> str:
    """Return a number of bytes, in units of 1000."""
    for unit in _UNITS[:-1]:
        if count < 1000:  # noqa: PLR2004 - SI units
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} {_UNITS[-1]}"


def span(seconds: float) -> str:
    """Return a length of time in its largest unit."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"
