"""Take credentials out of what is shown, and what no text can hold."""

from __future__ import annotations

import re
from typing import TypeVar, cast

T = TypeVar("T")
_CREDENTIALS = re.compile(r"(?<=://)[^\s/]+@")
"""Some write ``?`` or ``#`` in a password as they are."""
_QUERY = re.compile(r"(://[^\s?#]*)\?[^\s#]+")


def redacted(text: str) -> str:
    """Return a text with user, password and query of each URL in it replaced: ``https://***@host/simple?***``."""
    if "://" not in text:
        return text
    return _QUERY.sub(r"\1?***", _CREDENTIALS.sub("***@", text))


def presentable(value: T) -> T:
    """Return a document of plain values with every text in it redacted, and names that are no Unicode spelled out."""
    if isinstance(value, str):
        return cast("T", redacted(value).encode("utf-8", "backslashreplace").decode("utf-8"))
    if isinstance(value, dict):
        return cast("T", {presentable(key): presentable(item) for key, item in value.items()})
    if isinstance(value, list):
        return cast("T", [presentable(item) for item in value])
    return value
