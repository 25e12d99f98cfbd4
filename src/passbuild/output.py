"""Keep what a program says, and of very much the begin and the end: there the first error stands, and the last word."""

from __future__ import annotations

from collections import deque

_MOST_LINES = 20_000
_MOST_CHARACTERS = 8_000_000
"""Of each part, whichever is reached first; a line can have a million characters."""


class Output:
    """Lines of a program's output."""

    def __init__(self, most_lines: int = _MOST_LINES, most_characters: int = _MOST_CHARACTERS) -> None:
        self._most_lines = most_lines
        self._most_characters = most_characters
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        self._begin: list[str] = []
        self._room = self._most_characters
        """Characters that the begin may still have; negative when it is over."""
        self._end: deque[str] = deque()
        self._size = 0
        """Characters of the end."""
        self._left_out = 0

    def take(self, line: str) -> None:
        """Take one more line."""
        if self._room >= 0:
            self._room -= len(line)
            if self._room >= 0 and len(self._begin) < self._most_lines:
                self._begin.append(line)
                return
            self._room = -1
        self._end.append(line)
        self._size += len(line)
        while len(self._end) > self._most_lines or (self._size > self._most_characters and len(self._end) > 1):
            self._size -= len(self._end.popleft())
            self._left_out += 1

    @property
    def lines(self) -> tuple[str, ...]:
        """What was kept; where something is missing, a line says how many lines those were."""
        count = self._left_out
        gap = (f"… {count} lines of output left out here: the log has all of them …",) if count else ()
        return (*self._begin, *gap, *self._end)

    def last(self, count: int) -> tuple[str, ...]:
        """Return so many of the last lines."""
        return self.lines[-count:]
