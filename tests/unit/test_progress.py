"""How far a step is, by the lines of ninja, make, pip and uv."""

from __future__ import annotations

import pytest

from passbuild.progress import Follower, Progress, is_only_progress


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["[12/86] Building CXX object a.o"], Progress(done=12, total=86)),
        (["[ 12%] Building CXX object a.o"], Progress(done=12, total=100)),
        (
            ["  Downloading torch-2.6.0.whl (10.0 MB)"],
            Progress(done=0, total=10_000_000, is_bytes=True, what="torch-2.6.0.whl"),
        ),
        (
            ["  Downloading torch-2.6.0.whl (10.0 MB)", "Progress 5 of 10"],
            Progress(done=5, total=10, is_bytes=True, what="torch-2.6.0.whl"),
        ),
        (["Downloading numpy (16.0MiB)"], Progress(done=0, total=16 * 2**20, is_bytes=True, what="numpy")),
        (
            ["Downloading numpy (16.0MiB)", "Downloading scipy (32.0MiB)", " Downloaded numpy"],
            Progress(done=16 * 2**20, total=48 * 2**20, is_bytes=True, what="scipy"),
        ),
    ],
)
def test_the_last_line_says_how_far_it_is(lines: list[str], expected: Progress) -> None:
    """Each program in its own words."""
    follower = Follower()

    *_, last = [follower.heard(line) for line in lines]

    assert last == expected


@pytest.mark.parametrize("line", ["", "[a/b] x", "[12/86]", "see [1/2] above", "Downloaded nothing", "Progress 1 of"])
def test_other_lines_say_nothing(line: str) -> None:
    """A number in a text is no progress."""
    assert Follower().heard(line) is None


def test_only_reports_to_programs_are_kept_out_of_the_log() -> None:
    """There are hundreds of them."""
    assert is_only_progress("Progress 5 of 10")
    assert not is_only_progress("[1/2] c++ -c a.cpp")
