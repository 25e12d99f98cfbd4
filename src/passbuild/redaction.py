"""Take credentials out of what is shown."""

from __future__ import annotations

import re

_CREDENTIALS = re.compile(r"(?<=://)[^\s/?#]+@")


def redacted(text: str) -> str:
    """Return a text with the user's part of each URL in it replaced: ``https://***@host/simple``."""
    return _CREDENTIALS.sub("***@", text)
