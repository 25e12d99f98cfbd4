"""Read progress out of what other programs print: ninja's and make's counters, pip's and uv's downloads."""

from __future__ import annotations

import re

from passbuild.values import frozen

_NINJA = re.compile(r"\[(?P<done>\d+)/(?P<total>\d+)\] ")
_MAKE = re.compile(r"\[ *(?P<percent>\d+)%\] ")
_PIP = re.compile(r"Progress (?P<done>\d+) of (?P<total>\d+)$")
_PIP_BEGINS = re.compile(r"\s*Downloading (?P<name>\S+) \((?P<size>[\d.]+) ?(?P<unit>[kMG]?B|bytes)\)$")
_UV_BEGINS = re.compile(r"Downloading (?P<name>\S+) \((?P<size>[\d.]+)(?P<unit>[KMG]?i?B)\)$")
_UV_ENDS = re.compile(r" *Downloaded (?P<name>\S+)$")
_BYTES = {"bytes": 1, "B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


@frozen
class Progress:
    """How far something is."""

    done: int
    total: int
    is_bytes: bool = False
    what: str = ""
    """What is downloaded; empty where the line itself says what is done."""


def is_only_progress(line: str) -> bool:
    """Whether a line is a report to a program, of which there are hundreds, and nothing for a log."""
    return _PIP.match(line) is not None


class Follower:
    """Follows the output of one step: some programs say in one line what, and in others how far."""

    def __init__(self) -> None:
        self._what = ""
        self._sizes: dict[str, int] = {}
        self._ended: set[str] = set()

    def heard(self, line: str) -> Progress | None:
        """Return how far the step is by this line; None where it does not say."""
        counted = _NINJA.match(line)
        if counted is not None:
            return Progress(done=int(counted["done"]), total=int(counted["total"]))
        share = _MAKE.match(line)
        if share is not None:
            return Progress(done=int(share["percent"]), total=100)
        return self._downloaded(line)

    def _downloaded(self, line: str) -> Progress | None:
        report = _PIP.match(line)
        if report is not None:
            return Progress(done=int(report["done"]), total=int(report["total"]), is_bytes=True, what=self._what)
        begins = _UV_BEGINS.match(line)
        if begins is not None:
            self._sizes[begins["name"]] = _size(begins)
            return self._all()
        ends = _UV_ENDS.match(line)
        if ends is not None and ends["name"] in self._sizes:
            self._ended.add(ends["name"])
            return self._all()
        begins = _PIP_BEGINS.match(line)
        if begins is not None:
            self._what = begins["name"]
            return Progress(done=0, total=_size(begins), is_bytes=True, what=self._what)
        return None

    def _all(self) -> Progress:
        """Return how many bytes of what uv downloads at once have come, by the files that are complete."""
        waiting = [name for name in self._sizes if name not in self._ended]
        done = sum(self._sizes[name] for name in self._ended)
        return Progress(done=done, total=sum(self._sizes.values()), is_bytes=True, what=", ".join(waiting))


def _size(match: re.Match[str]) -> int:
    return int(float(match["size"]) * _BYTES.get(match["unit"], 1))
