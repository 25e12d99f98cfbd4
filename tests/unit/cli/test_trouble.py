"""An error fits on a screen, whatever other programs have to say."""

from __future__ import annotations

from passbuild.cli import trouble
from passbuild.errors import BackendFailed, Cause, Unresolvable


def _told(error: BackendFailed | Unresolvable) -> list[str]:
    return ["".join(part for part, _ in line) for line in trouble.lines(error, is_streamed=False)]


def test_a_line_that_nobody_reads_loses_its_middle() -> None:
    """In the message and in the excerpt; begin and end stay."""
    long = "error: begin" + "x" * 100_000 + "end"

    told = _told(BackendFailed(hook="build_wheel", problem="", cause=Cause(text=long, excerpt=(long,))))

    assert max(map(len, told)) < 700
    assert all("begin" in line and line.endswith("end") for line in told[:2])


def test_of_a_long_conclusion_begin_and_end_are_told() -> None:
    """A resolver's last line is what it concludes."""
    told = _told(Unresolvable(installer="uv", conclusion=[f"line {number}" for number in range(40)]))

    assert told[1] == "  line 0"
    assert "  line 39" in told
    assert any("more lines" in line for line in told)
    assert len(told) <= 25


def test_a_line_is_cut_after_it_was_redacted() -> None:
    """Else half of a URL would be left, of which nobody can say what it holds."""
    at = 300 - len("https://user:CANA")
    long = "x " * (at // 2) + "https://user:CANARY@host/simple " + "y" * 500

    told = _told(BackendFailed(hook="build_wheel", problem="", cause=Cause(text="", file="a.c", excerpt=(long,))))

    assert any("https://" in line for line in told)
    assert not any("CANA" in line for line in told)
