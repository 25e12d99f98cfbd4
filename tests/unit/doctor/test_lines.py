"""What a person reads of a checkup, and what a program does."""

from __future__ import annotations

import pytest

from passbuild.cli.doctor import lines
from passbuild.doctor.model import Checkup, Finding, State, amount, fine, note, problem, skipped, warning

LONG = "a fact of many words " * 8


def checkup(*findings: Finding) -> Checkup:
    """Return a checkup without project and host."""
    return Checkup(source=".", project=None, settings=None, host=None, findings=findings)


def read(made: Checkup) -> list[str]:
    """Return the lines without their styles."""
    return ["".join(part for part, _ in text) for text in lines(made)]


def test_each_state_has_a_mark_and_the_cure_stands_beneath() -> None:
    """The last line counts, the worst first."""
    made = checkup(
        fine("host", "is there"),
        note("machine", "has cores"),
        warning("disk", "is full", "make room"),
        problem("CUDA", "is old", "do this\nor that"),
        skipped("MPI", "is not needed"),
    )

    told = read(made)

    assert told == [
        "✓ host          is there",
        "• machine       has cores",
        "! disk          is full",
        "                hint: make room",
        "✗ CUDA          is old",
        "                hint: do this",
        "                hint: or that",
        "- MPI           is not needed",
        "1 problem, 1 warning, 1 note, 1 ok, 1 skipped",
    ]


def test_long_texts_are_wrapped_at_80_columns() -> None:
    """Beneath where they begin; a path is never broken."""
    path = "/a/very/long/path" * 6

    told = read(checkup(warning("disk", LONG, LONG), fine("host", f"in {path}")))

    assert max(len(text) for text in told if path not in text) <= 80
    assert any(text.endswith(path) for text in told)
    assert all(text.startswith(" " * 16) for text in told[1:4])


def test_narrow_terminals_get_narrow_lines() -> None:
    """Down to where words no longer fit."""
    made = checkup(warning("disk", LONG, LONG))

    told = ["".join(part for part, _ in text) for text in lines(made, 60)]

    assert max(map(len, told)) <= 60
    assert len(told) > len(read(made))


def test_only_a_problem_makes_a_checkup_unsound() -> None:
    """A warning is none; the document says both."""
    warned, broken = checkup(warning("disk", "full")), checkup(warning("disk", "full"), problem("host", "gone", "look"))

    documents = [made.to_json() for made in (warned, broken)]

    assert [document["ok"] for document in documents] == [True, False]
    assert documents[1]["findings"] == [
        {"subject": "disk", "state": "warning", "fact": "full", "cure": ""},
        {"subject": "host", "state": "problem", "fact": "gone", "cure": "look"},
    ]
    assert documents[1]["counts"] == {"ok": 0, "note": 0, "warning": 1, "problem": 1, "skipped": 0}
    assert broken.count(State.PROBLEM) == 1


@pytest.mark.parametrize(("count", "text"), [(999, "999 B"), (1500, "2 kB"), (24_500_000_000, "24.5 GB")])
def test_amounts_are_in_si_units(count: int, text: str) -> None:
    """As disks and the store's setting count."""
    assert amount(count) == text
