"""What the settings make of the wheel store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from passbuild.wheel_store import Wheels
from tests.unit.fakes import settings, surroundings

if TYPE_CHECKING:
    from pathlib import Path


def test_wheels_lie_in_the_store_of_the_environments(tmp_path: Path) -> None:
    """Which the settings may put elsewhere; without a setting nothing is shared."""
    ours = Wheels.of(settings(), surroundings(tmp_path))
    other = Wheels.of(settings(cache_dir="/other", store_max_size="3"), surroundings(tmp_path))

    assert (ours.store.root, ours.shared) == (tmp_path / "cache", None)
    assert str(other.store.root) == "/other"
    assert other.store.max_size == 3_000_000


@pytest.mark.parametrize(("mode", "is_writable"), [("read-only", False), ("read-write", True)])
def test_a_shared_place_is_written_as_the_settings_say(tmp_path: Path, mode: str, *, is_writable: bool) -> None:
    """Read-only and read-write."""
    given = settings(shared_wheels="https://me:s3cret@server/team", shared_wheels_mode=mode)

    shared = Wheels.of(given, surroundings(tmp_path)).shared

    assert shared is not None
    assert (shared.name, shared.is_writable) == ("https://***@server/team", is_writable)


@pytest.mark.parametrize(
    ("place", "is_asked"),
    [
        ("/team", True),
        ("file:///team", True),
        ("s3://team", False),
        ("https://server/team", False),
        ("simplecache::file:///team", False),
    ],
)
def test_offline_asks_no_server_for_wheels(tmp_path: Path, place: str, *, is_asked: bool) -> None:
    """`--offline`: a folder is looked into; what a URL leads to nobody knows."""
    online = Wheels.of(settings(shared_wheels=place), surroundings(tmp_path))
    offline = Wheels.of(settings(shared_wheels=place, offline=True), surroundings(tmp_path))

    assert online.shared is not None
    assert (offline.shared is not None) == is_asked
