"""What in a URL may be secret.

A URL is read as whoever wrote it may have meant it: in a password may stand ``/``, ``?``, ``#`` and ``@`` as they are.
Where that can be read in two ways, less is shown.
"""

from __future__ import annotations

import re

_URL = re.compile(r"(://|\bhttps?:(?!//)[/\\]*)((?:(?!https?:)[^\s/@:,=]*://)?(?:(?!://)\S)+)", re.IGNORECASE)
"""What stands behind the scheme, up to the next URL; ``http:`` alone is one that somebody has mistyped.

A password may begin with ``//``.
"""
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*\Z", re.IGNORECASE)
_LONGEST_SCHEME = 20
_VERSIONED = {"git", "hg", "svn", "bzr", "ssh"}
"""The schemes, and all with a plus, of which the path may end with ``@REVISION``."""
_AUTHORITY = re.compile(r"[^/\\]*")
_PLACE = re.compile(r"(?:\[[^\]]*\]|[^:/\\?#@\[\]]*)(:\d{0,5})?(?=[/\\?#]|[)\]}>\"',.;:]*\Z)")
"""A host, with or without a port."""
_CUT = re.compile(r"[^:/\\?#@\[\]\"',)}>]+:(?!\d{0,5}(?:[/\\?#)\]}>\"',.;:]|\Z))")
"""A name, and behind a colon what is no port."""
_QUERIED = re.compile(r"[^:?#]*(?::\d{0,5})?[?#]")
"""What begins with a host, and goes on with a query or a fragment."""
_HOST = re.compile(r"(?:\[[^\]]*\]|localhost|[\w-]+(?:\.[\w-]+)+)(?::\d+)?/|[\w-]+:\d+/")
"""What can be nothing but a host, and the begin of a path."""
_PARAMETER = re.compile(r";[^/;=]+=[^/;]*")
_KNOWN = re.compile(
    r"(?:(?:md5|sha\d+|sha3_\d+|blake2[bs])=[0-9a-zA-Z]*|egg=[\w.\[\],-]*|subdirectory=[\w./~%+-]*)[)\]}>\"',.;:]*"
)
"""What a fragment may say."""


def masked(text: str) -> str:
    """Return a text with what may be secret in each URL replaced: ``https://***@host/simple?***``."""
    return _URL.sub(lambda found: _rewritten(found, "***"), text)


def stripped(url: str) -> str:
    """Return a URL without what may be secret in it; the name of a user alone is that for the web."""
    if "://" not in url:
        return without_password(url, "")
    return _URL.sub(lambda found: _rewritten(found, ""), url)


def user_info(url: str) -> str:
    """Return user and password of a URL, as far as that can be said what they are; empty where there are none."""
    found = _URL.search(url)
    if found is None:
        return ""
    end = _end_of_user(found[2], _scheme(found))
    return (found[2].rpartition("@")[0] or found[2]) if end is None else found[2][:end].removesuffix("@")


def without_password(text: str, mask: str) -> str:
    """Return ``user:password@host:path`` without user and password; a user alone is no secret."""
    user, _, where = text.rpartition("@")
    return f"{mask}{where}" if ":" in user else text


def _scheme(found: re.Match[str]) -> str:
    if found[1] != "://":
        return found[1].rstrip("/\\:").lower()
    before = _SCHEME.search(found.string[max(0, found.start() - _LONGEST_SCHEME) : found.start()])
    return before[0].lower() if before else ""


def _rewritten(found: re.Match[str], mask: str) -> str:
    """Return what stands behind a scheme, with everything that may be secret in it replaced by `mask`."""
    rest, scheme = found[2], _scheme(found)
    end = _end_of_user(rest, scheme)
    if end is None:
        return f"{found[1]}***"
    user = rest[:end]
    if mask:
        user = f"{mask}@" if user else ""
    elif ":" in user or scheme.rpartition("+")[2] in {"http", "https"}:
        user = ""
    address, hash_sign, fragment = rest[end:].partition("#")
    path, question, query = address.partition("?")
    path = _PARAMETER.sub(f";{mask}" if mask else "", path)
    question = question if mask or not query else ""
    parts = fragment.split("&")
    kept = [part for part in parts if _KNOWN.fullmatch(part)]
    if fragment and len(kept) < len(parts):
        fragment = "&".join((*kept, *filter(None, [mask])))
    hash_sign = hash_sign if mask or fragment else ""
    return f"{found[1]}{user}{path}{question}{mask if query else ''}{hash_sign}{fragment}"


def _end_of_user(rest: str, scheme: str) -> int | None:
    """Return where user and password end behind a scheme, 0 where there are none; None where nobody can say."""
    head = _AUTHORITY.match(rest.lstrip("/\\") if scheme in {"http", "https"} else rest)
    assert head is not None  # it matches what is empty
    begin = len(rest) - len(head.string)
    first, last = rest.rfind("@", 0, begin + head.end()) + 1, rest.rfind("@") + 1
    if scheme.endswith("file"):
        return first
    is_versioned = "+" in scheme or scheme in _VERSIONED
    if first:
        return _end_behind(rest, first, last, is_versioned=is_versioned)
    if not last:
        is_cut = scheme.rpartition("+")[2] in {"http", "https"} and _CUT.match(head.string)
        return None if is_cut else 0
    place = _PLACE.match(head.string)
    is_asked = bool(re.search("[?#]", rest[:last]))
    if place is None or place[1] == ":":
        return None if is_asked else last
    may_be_port = is_asked or is_versioned or "/" not in rest[last:]
    return 0 if may_be_port or not place[1] else last


def _end_behind(rest: str, first: int, last: int, *, is_versioned: bool) -> int | None:
    """Return likewise where an ``@`` stands before the path: `first` is behind it, `last` behind the last of all."""
    if _QUERIED.match(rest, 0, first):
        return None
    if first == last or (is_versioned and (":" not in rest[:first] or _HOST.match(rest, first))):
        return first
    return None if re.search("[?#]", rest[first:last]) else last
