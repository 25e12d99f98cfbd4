"""Look at a constraints file that a project brings: an installer reads more in it than constraints."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_ENCODING = re.compile(r"#.*coding[:=]\s*([-\w.]+)")
"""By which pip reads it as something else (PEP 263)."""


def problem(file: Path) -> str:
    """Return what is wrong with a file of somebody else: an option, or a variable; empty where nothing is.

    An option may name another index or another file, and a variable may hold what is secret.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        return f"cannot be read: {error}"
    if any((found := _ENCODING.search(line)) and found[1].lower() != "utf-8" for line in lines[:2]):
        return "is not in UTF-8"
    goes_on = False
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if text.startswith("-") and not (goes_on and text.startswith("--hash")):
            return f"line {number} is an option, which the file of a project cannot have"
        if "${" in text:
            return f"line {number} holds what an installer would take for a variable"
        goes_on = text.endswith("\\") and not text.startswith("#")
    return ""
