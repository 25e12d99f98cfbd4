"""Take credentials out of what is shown."""

from __future__ import annotations

import re

_CREDENTIALS = re.compile(r"(?<=://)[^\s/?#]+@")
_QUERY = re.compile(r"(://[^\s?#]*)\?[^\s#]+")


def redacted(text: str) -> str:
    """Return a text with user, password and query of each URL in it replaced: ``https://***@host/simple?***``."""
    return _QUERY.sub(r"\1?***", _CREDENTIALS.sub("***@", text))
