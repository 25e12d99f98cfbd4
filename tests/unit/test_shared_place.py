"""Shared places: which there are, and how long one waits for them."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from passbuild import shared_place
from passbuild.errors import InvalidSettings
from passbuild.shared_place import Folder, Remote, Shared, patiently

if TYPE_CHECKING:
    from collections.abc import Callable


def test_what_gets_on_is_waited_for_and_answers() -> None:
    """By its result, or by what it raises."""

    def fails(_: object) -> None:
        raise LookupError("as it was")

    assert patiently(lambda get_on: get_on() or 3, 60) == 3  # type: ignore[func-returns-value]  # None, and then 3
    with pytest.raises(LookupError, match="as it was"):
        patiently(fails, 60)


def test_what_does_not_get_on_is_given_up() -> None:
    """However it went on before."""
    never = threading.Event()

    def stops(get_on: Callable[[], None]) -> None:
        get_on()
        get_on()
        never.wait()

    with pytest.raises(TimeoutError, match="nothing came for 0 seconds"):
        patiently(stops, 0.1)
    never.set()


def test_a_place_that_failed_is_given_up_but_not_one_that_lacks_a_file() -> None:
    """`not found` is an answer."""

    def raising(error: OSError) -> None:
        with pytest.raises(type(error)):
            shared.do(lambda place, get_on: (_ for _ in ()).throw(error))  # noqa: ARG005 - neither is needed

    shared = Shared("/team", "PASSBUILD_SHARED_WHEELS", is_writable=False)
    raising(FileNotFoundError())
    after_none = shared.is_given_up
    raising(PermissionError())

    assert (after_none, shared.is_given_up) == (False, True)


def test_folders_are_ours_and_other_urls_are_those_of_fsspec() -> None:
    """With or without a scheme, and with several."""
    assert shared_place.place("/team wheels", "") == Folder(root=Path("/team wheels"))
    assert shared_place.place("/a#b?c%20", "") == Folder(root=Path("/a#b?c%20"))
    assert shared_place.place("file:///team%20wheels", "") == Folder(root=Path("/team wheels"))
    assert shared_place.place("file://localhost/team", "") == Folder(root=Path("/team"))
    for url in ("memory://team", "https://server/team", "simplecache::memory://team"):
        assert isinstance(shared_place.place(url, ""), Remote)


def test_a_place_is_shown_without_what_may_be_secret() -> None:
    """Credentials and queries of a URL, also where a library repeats them without its scheme."""
    shared = Shared("s3://me:s3cret@bucket/x?token=hidden", "", is_writable=False)

    assert shared.name == "s3://***@bucket/x"
    assert shared.redacted("no bucket me:s3cret@bucket for s3cret") == "no bucket ***@bucket for ***"
    assert Shared("sftp://me@host/x", "", is_writable=False).redacted("some me@host") == "some ***@host"
    assert Shared("/team?x", "", is_writable=False).name == "/team?x"


@pytest.mark.parametrize("url", ["strange://x", "file://server/x", "https://server/?x", "https://server/#x"])
def test_a_wrong_place_names_the_setting(url: str) -> None:
    """And what to write."""
    with pytest.raises(InvalidSettings) as caught:
        shared_place.place(url, "PASSBUILD_SHARED_WHEELS")

    assert caught.value.message.startswith("shared-wheels (PASSBUILD_SHARED_WHEELS): ")
    assert caught.value.hint
