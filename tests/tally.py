"""What the long tests count, for `make soak`: each puts a line into the file that TEST_SOAK_RESULTS names."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

IS_SOAK = bool(os.environ.get("TEST_SOAK"))
"""Whether there is time for everything."""


def count(what: str, number: int, lost: Sequence[str]) -> None:
    """Note how often something was done, and what was lost by it."""
    file = os.environ.get("TEST_SOAK_RESULTS")
    if file:
        with Path(file).open("a", encoding="utf-8") as lines:
            lines.write(json.dumps({"what": what, "count": number, "lost": list(lost)}) + "\n")
