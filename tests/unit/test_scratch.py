"""What is removed, and what is let alone when something cannot be."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from typing import TYPE_CHECKING

from passbuild import scratch

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_what_may_not_be_written_is_removed_as_well(tmp_path: Path) -> None:
    """Folders without the right to write, as caches of modules have them."""
    folder = tmp_path / "folder"
    (folder / "sub" / "deeper").mkdir(parents=True)
    (folder / "sub" / "deeper" / "file").touch()
    for place in (folder / "sub" / "deeper", folder / "sub"):
        place.chmod(0o500)

    scratch.removed(folder)

    assert not folder.exists()


def test_what_is_above_keeps_its_permissions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that cannot be removed is no reason to change the one that it lies in, which belongs to others."""
    shared = tmp_path / "shared"
    (shared / "folder" / "sub").mkdir(parents=True)
    beside = tmp_path / "shared" / "folder-beside"
    beside.mkdir()
    for place in (shared, beside):
        place.chmod(0o755)

    def busy(*_: object, **__: object) -> None:
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))

    with monkeypatch.context() as context:
        context.setattr(os, "rmdir", busy)
        scratch.removed(shared / "folder")

    assert (shared / "folder").exists()
    assert [stat.S_IMODE(place.stat().st_mode) for place in (shared, beside)] == [0o755, 0o755]
    shutil.rmtree(shared)


def test_a_link_is_removed_and_not_followed(tmp_path: Path) -> None:
    """What it leads to stays as it is."""
    precious = tmp_path / "precious"
    precious.mkdir(mode=0o755)
    (precious / "file").touch()
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link").symlink_to(precious)

    scratch.removed(folder)

    assert not folder.exists()
    assert (precious / "file").exists()
