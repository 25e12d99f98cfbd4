"""What the backend wrote is checked before anyone gets to see it, and a failed build leaves the output folder alone."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.bench import Bench

_WHEEL = "unsound-1.0-py3-none-any.whl"
_WHEEL_FAULTS = {
    "other project": "states the name other, expected was unsound",
    "other version": "states the version 2.0, expected was 1.0",
    "metadata of other version": "METADATA states the version 9.0, expected was 1.0",
    "no wheel name": "unsound.whl",
    "junk": "cannot be read as a zip archive",
    "cut short": "cannot be read as a zip archive",
    "two dist-infos": "2 .dist-info folders instead of one",
    "no dist-info": "0 .dist-info folders instead of one",
    "no RECORD": "it has no unsound-1.0.dist-info/RECORD",
    "wrong hash": "RECORD's hash of unsound.py does not hold",
    "unlisted file": "RECORD does not list unlisted.py",
    "missing file": "RECORD lists gone.py, which is not there",
    "other tags": "its WHEEL states the tags cp311-cp311-any, its file name py3-none-any",
    "no file": "of which there is no file",
    "folder": "of which there is no file",
    "outside": "of which there is no file",
    "link": "link",
}
_FAILURES = {
    "half, then fails": "the disk went away",
    "half, then killed": "signal 9",
    "half, then a silent exit": "exit code 7",
    "sys.exit": "the backend says goodbye",
}
_SDIST_FAULTS = {
    "two top folders": "2 top folders instead of one: other, unsound-1.0",
    "no PKG-INFO": "no PKG-INFO in its top folder",
    "PKG-INFO of other": "PKG-INFO states the name other, expected was unsound",
    "other project": "states the name other, expected was unsound",
    "junk": "cannot be read",
}


@pytest.mark.parametrize("fault", _WHEEL_FAULTS)
def test_an_unsound_wheel_is_not_published(bench: Bench, fault: str) -> None:
    """Exit 1, the finding is told, and the output folder, which was not there, is not there."""
    host = bench.host()
    project = bench.project(sample="writes_unsound_artifacts")

    run = bench.passbuild("wheel", project, "--host", host, "-C", f"fault={fault}")

    assert run.code == 1
    assert run.error["code"] == "bad-artifact"
    assert _WHEEL_FAULTS[fault] in run.error["message"]
    assert "build backend" in run.error["hint"]
    assert run.document["artifacts"] == []
    assert not bench.outdir.exists()


@pytest.mark.parametrize("fault", _FAILURES)
def test_a_backend_that_fails_halfway_publishes_nothing(bench: Bench, fault: str) -> None:
    """Exit 1, why is told, and the half wheel is gone."""
    host = bench.host()
    project = bench.project(sample="writes_unsound_artifacts")

    run = bench.passbuild("wheel", project, "--host", host, "-C", f"fault={fault}")

    assert run.code == 1
    assert run.error["code"] == "backend-failed"
    assert "build_wheel failed" in run.error["message"]
    assert _FAILURES[fault] in run.stderr
    assert not bench.outdir.exists()


@pytest.mark.parametrize("fault", _SDIST_FAULTS)
def test_an_unsound_sdist_is_not_published(bench: Bench, fault: str) -> None:
    """Likewise for an sdist; `passbuild build` builds no wheel from it."""
    host = bench.host()
    project = bench.project(sample="writes_unsound_artifacts")

    run = bench.passbuild("build", project, "--host", host, "-C", f"fault={fault}")

    assert run.code == 1
    assert run.error["code"] == "bad-artifact"
    assert _SDIST_FAULTS[fault] in run.error["message"]
    assert not bench.outdir.exists()


@pytest.mark.parametrize("fault", ["junk", "half, then fails", "wrong hash", "outside"])
def test_a_failed_build_leaves_what_is_in_the_output_folder(bench: Bench, fault: str) -> None:
    """An older artifact of the same name and files of others are as they were, to the byte."""
    host = bench.host()
    project = bench.project(sample="writes_unsound_artifacts")
    bench.outdir.mkdir()
    (bench.outdir / _WHEEL).write_bytes(b"an older one")
    (bench.outdir / "notes.txt").write_text("somebody else's", encoding="utf-8")
    before = bench.published()

    run = bench.passbuild("wheel", project, "--host", host, "-C", f"fault={fault}")

    assert run.code == 1
    assert bench.published() == before


def test_a_build_replaces_the_older_artifact_of_the_same_name_alone(bench: Bench) -> None:
    """Nothing else in the output folder changes, and nothing else that the backend wrote gets there."""
    host = bench.host()
    project = bench.project(sample="writes_unsound_artifacts")
    bench.outdir.mkdir()
    (bench.outdir / _WHEEL).write_bytes(b"an older one")
    (bench.outdir / "notes.txt").write_text("somebody else's", encoding="utf-8")
    before = bench.published()

    run = bench.passbuild("wheel", project, "--host", host)

    assert run.code == 0, run.stderr
    after = bench.published()
    assert zipfile.is_zipfile(bench.outdir / _WHEEL)
    assert after.keys() == before.keys()
    assert after["notes.txt"] == before["notes.txt"]


def test_an_output_folder_is_made_with_its_parents(bench: Bench) -> None:
    """`--outdir a/b/c` on success makes all of them; the artifact's size and hash are reported."""
    host = bench.host()
    project = bench.project(sample="writes_unsound_artifacts")
    outdir = bench.folder / "a" / "b" / "c"

    failed = bench.passbuild("wheel", project, "--host", host, "--outdir", outdir, "-C", "fault=junk")
    left = (bench.folder / "a").exists()
    run = bench.passbuild("wheel", project, "--host", host, "--outdir", outdir)

    assert failed.code == 1
    assert not left
    assert run.code == 0, run.stderr
    (artifact,) = run.document["artifacts"]
    assert artifact["path"] == str(outdir / _WHEEL)
    assert artifact["size"] == (outdir / _WHEEL).stat().st_size
    assert len(artifact["sha256"]) == 64


def test_an_output_folder_that_is_a_file_is_a_wrong_usage(bench: Bench) -> None:
    """Exit 2, and the file is left alone."""
    host = bench.host()
    project = bench.project(sample="writes_unsound_artifacts")
    bench.outdir.write_text("a file", encoding="utf-8")

    run = bench.passbuild("wheel", project, "--host", host)

    assert run.code == 2
    assert run.error["code"] == "output-not-writable"
    assert "--outdir" in run.error["hint"]
    assert bench.outdir.read_text(encoding="utf-8") == "a file"
