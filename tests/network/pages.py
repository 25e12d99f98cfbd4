"""The commands of the documentation's pages: taken out of the Markdown, run in one shell for each page, and compared.

- A fence ``console`` holds commands (``$ ``, continued with ``> ``) and what they print; `...` stands for any lines,
  and lines may be left out at the end.
- ``<!-- exit: 3 -->`` before a fence: its last command ends with that code.
- ``<!-- not run: REASON -->`` before a fence: it is only shown.
- ``<!-- file: PATH -->`` before a fence: it is written to that file; ``~/`` before it means the home.
- ``<!-- before:``, lines of commands (continued with ``> ``), ``-->``: they are run, and not shown.
- ``<!-- needs: torch -->``: the shell has a host with torch at ``~/envs/ml``; ``<!-- needs: python3.12 -->``: that too.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_FENCE = re.compile(r"(?P<indent> *)```(?P<language>\w*)\s*$")
_MARK = re.compile(r"<!-- (?P<name>exit|not run|file|needs): (?P<value>.*?) *-->\s*$")
_BEFORE = re.compile(r"<!-- before:\n(?P<commands>.*?)-->", re.DOTALL)
_MARKS = re.compile(r"^(?:[•✓✗*+x] )")
_STAMP = re.compile(r"^\[ *[\d.]+ s\] ")
_TOOK = re.compile(r"  \d+(?:\.\d+)? s$|  \d+ min \d+ s$")
_HASH = re.compile(r"\b[0-9a-f]{8,}\b")
_LOG = re.compile(r"passbuild-\w+\.log")
_NUMBER = re.compile(r"\d[\w.+!-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command of a page."""

    text: str
    expected: tuple[str, ...]
    """What it prints by the page."""
    code: int
    line: int
    """Where it stands, from 1."""


@dataclass(slots=True, kw_only=True)
class Page:
    """What a page has people type."""

    path: Path
    needs: set[str] = field(default_factory=set)
    commands: list[Command] = field(default_factory=list)
    not_run: list[str] = field(default_factory=list)
    """The reasons why some of its commands are only shown."""


def read(path: Path) -> Page:
    """Read a page."""
    page = Page(path=path)
    text = _BEFORE.sub(_as_fence, path.read_text(encoding="utf-8"))
    marks: dict[str, str] = {}
    lines = text.splitlines()
    index = 0
    while index < len(lines):
        mark, fence = _MARK.match(lines[index].strip()), _FENCE.match(lines[index])
        index += 1
        if mark is not None:
            marks[mark["name"]] = mark["value"]
            if mark["name"] == "needs":
                page.needs.add(mark["value"])
        elif fence is not None:
            end = next(other for other in range(index, len(lines)) if lines[other].strip() == "```")
            body = [line.removeprefix(fence["indent"]) for line in lines[index:end]]
            _take(page, fence["language"], body, marks, index)
            index, marks = end + 1, {}
        elif lines[index - 1].strip():
            marks = {}
    return page


def script(page: Page, outputs: Path) -> str:
    """Return a script for bash that runs the commands, each with its output and exit code in files of `outputs`."""
    parts = []
    for number, command in enumerate(page.commands):
        parts += [
            f"{{\n{command.text}\n}} > {shlex.quote(str(outputs / f'{number}.txt'))} 2>&1",
            f"code=$?; echo $code > {shlex.quote(str(outputs / f'{number}.code'))}",
            f"[ $code = {command.code} ] || exit 1",
        ]
    return "\n".join(parts) + "\n"


def differences(expected: Sequence[str], told: Sequence[str], places: dict[str, str]) -> list[str]:
    """Return which expected lines were not told, in their order; sizes, times, versions and marks may differ."""
    forms = [_form(line, places) for line in told]
    position, missing, anywhere = 0, [], False
    for line in expected:
        if line.strip() == "...":
            anywhere = True
            continue
        form = _form(line, places)
        found = next((at for at in range(position, len(forms)) if forms[at] == form), None)
        if found is None or (found != position and not anywhere):
            missing.append(line)
            continue
        position, anywhere = found + 1, False
    return missing


def _form(line: str, places: dict[str, str]) -> str:
    """Return a line without what differs from run to run, as it is with a terminal and without."""
    for place, name in places.items():
        line = line.replace(place, name)
    line = _TOOK.sub("", _MARKS.sub("", _STAMP.sub("", line.rstrip())))
    return _NUMBER.sub("#", _HASH.sub("#", _LOG.sub("#", line))).strip()


def _as_fence(match: re.Match[str]) -> str:
    """Return hidden commands as the fence that they stand for, on as many lines."""
    lines = [line for line in match["commands"].splitlines() if line.strip()]
    shown = [line if line.startswith("> ") or line == ">" else f"$ {line}" for line in lines]
    return "\n".join(["```console", *shown, "```"])


def _take(page: Page, language: str, body: list[str], marks: dict[str, str], line: int) -> None:
    if "not run" in marks:
        page.not_run.append(marks["not run"])
    elif "file" in marks:
        text = "\n".join(body)
        path = f"~/{shlex.quote(marks['file'][2:])}" if marks["file"].startswith("~/") else shlex.quote(marks["file"])
        command = f"mkdir -p \"$(dirname {path})\"\ncat > {path} <<'END OF FILE'\n{text}\nEND OF FILE"
        page.commands.append(Command(text=command, expected=(), code=0, line=line))
    elif language == "console":
        _take_commands(page, body, int(marks.get("exit", "0")), line)


def _take_commands(page: Page, body: list[str], code: int, line: int) -> None:
    texts: list[tuple[list[str], list[str], int]] = []
    for offset, text in enumerate(body):
        if text.startswith("$ "):
            texts.append(([text[2:]], [], line + offset + 1))
        elif texts and not texts[-1][1] and (text.startswith("> ") or text == ">"):
            texts[-1][0].append(text[2:])
        elif texts:
            texts[-1][1].append(text)
        else:
            raise AssertionError(f"{page.path}:{line + offset + 1}: output before any command: {text}")
    for number, (command, expected, where) in enumerate(texts):
        last = number == len(texts) - 1
        page.commands.append(
            Command(text="\n".join(command), expected=tuple(expected), code=code if last else 0, line=where)
        )
