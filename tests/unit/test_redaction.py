"""What may be secret in a URL is not shown, however it is written; what is none stays."""

from __future__ import annotations

import time

import pytest

from passbuild.host.model import DirectUrl
from passbuild.redaction import redacted, stripped, user_info

_SHOWN = {
    "https://u:CAN/ARY@host/simple": "https://***@host/simple",
    "https://u:/CANARY@host/simple": "https://***@host/simple",
    "https://u://CANARY@host/simple": "https://***@host/simple",
    "https://u:8443/CANARY@host/simple": "https://***@host/simple",
    "https://u:CAN@AR/Y@host/simple": "https://***@host/simple",
    "https://u:CANARY#x@host/simple": "https://***@host/simple",
    "helper @ https://u:CAN/ARY@h/x.whl": "helper @ https://***@h/x.whl",
    "s3://AK:CAN/ARY@bucket/x": "s3://***@bucket/x",
    "UV_INDEX=priv=https://u:CAN/ARY@h/a,https://v:CA/NARY@h/b": "UV_INDEX=priv=https://***@h/a,https://***@h/b",
    "git+https://u:CAN/ARY@github.com/o/r": "git+https://***@github.com/o/r",
    "git+https://u:CANARY@github.com/o/r@v1": "git+https://***@github.com/o/r@v1",
    "http:u:CANARY@host/simple": "http:***@host/simple",
    "https:\\\\u:CANARY@host": "https:\\\\***@host",
    "https:///u:CANARY@host": "https://***@host",
    "invalid port: https://u:CANARY": "invalid port: https://***",
    "https://h/x?token=CAN@ARY": "https://h/x?***",
    "https://h:80?token=CAN@ARY": "https://***",
    "https://CAN?ARY@host/x": "https://***",
    "https://h/b#token=CANARY": "https://h/b#***",
    "https://h/b#sha256=ab&token=CANARY": "https://h/b#sha256=ab&***",
    "https://h/b;jsession=CANARY/x": "https://h/b;***/x",
}
_KEPT = [
    "https://host:8443/path@v1",
    "git+https://host:8443/group/x@v1",
    "git+https://h/o/r@tag",
    "https://h/x.whl#sha256=0a&subdirectory=a/b",
    "https://h/x#egg=pump",
    "file:///home/a:b/c@d",
    "(see http://localhost:8080/x, http://[::1]:80, https://host: and https://y/).",
    '{"a":"https://h","b":1}',
    "docker://image:tag",
    "make: *** [x:1] a@b",
]


@pytest.mark.parametrize("text", _SHOWN)
def test_what_may_be_secret_in_a_url_is_not_shown(text: str) -> None:
    """A password may hold whatever people write there; what was redacted once is not redacted further."""
    shown = redacted(text)

    assert shown == _SHOWN[text]
    assert redacted(shown) == shown
    assert "CANARY" not in stripped(text)


@pytest.mark.parametrize("text", _KEPT)
def test_what_is_no_secret_stays(text: str) -> None:
    """Ports, revisions, hashes, and whatever else has a colon and an at."""
    assert redacted(text) == text


def test_user_and_password_are_found_to_be_looked_for_elsewhere() -> None:
    """A library may repeat them without the URL."""
    assert user_info("s3://AK:CAN/ARY@bucket/x") == "AK:CAN/ARY"
    assert user_info("https://host:80/x") == ""


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("git:CANARY@h:r.git", "git+***@h:r.git@main"),
        ("git@h:r.git", "git+git@h:r.git@main"),
        ("https://h/r.git;jsession=CANARY", "git+https://h/r.git;***@main"),
        ("https://u:CAN/ARY@h.org/r.git", "git+https://***@h.org/r.git@main"),
    ],
)
def test_where_a_distribution_came_from_is_told_without_secrets(url: str, expected: str) -> None:
    """`direct_url` of the report, and the messages that name it."""
    assert str(DirectUrl(url=url, vcs="git", revision="main", hashes={})) == expected


@pytest.mark.parametrize("part", ["a", "://", "http:", "u:", ";a=", "@", "#", "&", "a.", "/@"])
def test_a_long_line_takes_no_long_time(part: str) -> None:
    """Whoever writes the line chooses what it repeats."""
    begun = time.process_time()

    redacted("https://u:p@" + part * 200_000)
    redacted("https://a:" + part * 200_000)
    redacted(part * 200_000)

    assert time.process_time() - begun < 2
