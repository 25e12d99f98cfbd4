"""Of very much output the begin and the end are kept, and what is missing is said."""

from __future__ import annotations

from passbuild.output import Output


def test_little_is_kept_as_it_is() -> None:
    """With no word in between, also where the begin is full."""
    output = Output(most_lines=2)

    for text in "abcd":
        output.take(text)

    assert output.lines == ("a", "b", "c", "d")
    assert output.last(3) == ("b", "c", "d")


def test_of_many_lines_the_first_and_the_last_are_kept() -> None:
    """A line between them says how many those were that are missing."""
    output = Output(most_lines=2)

    for number in range(1000):
        output.take(str(number))

    assert output.lines == ("0", "1", "… 996 lines of output left out here: the log has all of them …", "998", "999")


def test_long_lines_count_by_their_length() -> None:
    """What does not fit into the begin is of the end, and so is all behind it; the last line stays in any case."""
    output = Output(most_characters=10)

    for text in ("a" * 9, "b" * 9, "c", "d" * 30):
        output.take(text)

    assert output.lines == ("a" * 9, "… 2 lines of output left out here: the log has all of them …", "d" * 30)


def test_what_was_kept_is_forgotten() -> None:
    """The next hook begins anew."""
    output = Output(most_lines=1)
    for text in "abcd":
        output.take(text)

    output.clear()
    output.take("e")

    assert output.lines == ("e",)
