"""Take credentials out of what is shown, and what no text can hold."""

from __future__ import annotations

from typing import TypeVar, cast

T = TypeVar("T")


def redacted(text: str) -> str:
    """Return a text with what may be secret in each URL replaced: ``https://***@host/simple?***``."""
    if "://" not in text and (":" not in text or "http" not in text.lower()):
        return text
    from passbuild import credentials  # its patterns take a while, and few builds need them

    return credentials.masked(text)


def stripped(url: str) -> str:
    """Return a URL without what may be secret in it; the name of a user alone is that for the web."""
    from passbuild import credentials

    return credentials.stripped(url)


def shown(url: str) -> str:
    """Return what is known to be a URL, or ``user@host:path`` as git writes it, with what may be secret replaced."""
    from passbuild import credentials

    return redacted(credentials.without_password(url, "***@") if "://" not in url else url)


def user_info(url: str) -> str:
    """Return user and password of a URL, as far as that can be said what they are; empty where there are none."""
    from passbuild import credentials

    return credentials.user_info(url)


def presentable(value: T) -> T:
    """Return a document of plain values with every text in it redacted, and names that are no Unicode spelled out."""
    if isinstance(value, str):
        return cast("T", redacted(value).encode("utf-8", "backslashreplace").decode("utf-8"))
    if isinstance(value, dict):
        return cast("T", {presentable(key): presentable(item) for key, item in value.items()})
    if isinstance(value, list):
        return cast("T", [presentable(item) for item in value])
    return value
