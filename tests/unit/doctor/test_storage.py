"""How much room is too little, and what else makes a folder of no use."""

from __future__ import annotations

from pathlib import Path

import pytest

from passbuild.doctor import storage
from passbuild.doctor.model import State
from passbuild.doctor.storage import Room
from passbuild.values import replace

ROOM = Room(folder=Path("/place"), is_writable=True, free=10**9, files=1000, runs_programs=True)


def test_a_folder_with_room_is_fine() -> None:
    """One GB and a thousand files are enough; some file systems have no limit of files."""
    made = [storage.verdict("temporary files", room) for room in (ROOM, replace(ROOM, files=None))]

    assert [(item.state, item.fact) for item in made] == [(State.OK, "1.0 GB free for temporary files in /place")] * 2


@pytest.mark.parametrize(
    ("changes", "fact"),
    [
        ({"free": 10**9 - 1}, "1000 MB free for the store in /place"),
        ({"files": 999}, "only 999 more files for the store in /place"),
        ({"is_writable": False}, "/place, for the store, cannot be written"),
        ({"runs_programs": False}, "/place, for the store, lets no program run (noexec)"),
    ],
)
def test_what_a_folder_lacks_is_a_warning(changes: dict[str, object], fact: str) -> None:
    """With where to go instead."""
    found = storage.verdict("the store", replace(ROOM, **changes))

    assert (found.state, found.fact) == (State.WARNING, fact)
    assert "--cache-dir" in found.cure
    assert "TMPDIR" in storage.verdict("temporary files", replace(ROOM, **changes)).cure
    assert "--outdir" in storage.verdict("the output", replace(ROOM, **changes)).cure
