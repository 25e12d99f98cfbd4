"""Ask programs what they are: find them, run them with a time limit, and read what they say."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from passbuild import process
from passbuild.errors import NotProtected
from passbuild.protection import Guard, Means, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from passbuild.protection import Zone

LIMIT = 60.0
"""Seconds that a program may take to say what it is."""
_COULD_NOT_START = 127
_DID_NOT_END = 124
_VERSION = re.compile(r"\d+(?:\.\d+)+")
_COMPLAINTS = re.compile(r"\b(?:fatal|error|cannot find|undefined reference)\b", re.IGNORECASE)


def located(name: str, environ: Mapping[str, str]) -> Path | None:
    """Return the program of this name along PATH."""
    found = shutil.which(name, path=environ.get("PATH", os.defpath))
    return Path(found) if found else None


def told(
    argv: Sequence[str | Path],
    environ: Mapping[str, str],
    *,
    question: str = "",
    cwd: Path | None = None,
    limit: float = LIMIT,
) -> process.Finished:
    """Run a program to its end; that it cannot be started, or does not end, is its answer then."""
    plain = {**environ, "LC_ALL": "C"}  # what it says is read, and shown, in English
    try:
        return process.answer(list(map(str, argv)), environ=plain, question=question, cwd=cwd, timeout=limit)
    except TimeoutError as error:
        return process.Finished(returncode=_DID_NOT_END, stdout="", stderr=str(error))
    except OSError as error:
        reason = f"cannot be started: {error.strerror or error}"
        return process.Finished(returncode=_COULD_NOT_START, stdout="", stderr=reason)


def tried(zone: Zone, environ: Mapping[str, str], *, is_needed: bool) -> Outcome:
    """Return what becomes of a zone that is to be protected for a program that does nothing."""
    outcomes = [Outcome(means=Means.NOTHING, reason="the process did not say")]
    guard = Guard(zone=zone, is_needed=is_needed, on_outcome=outcomes.append)
    command = process.Command(argv=[sys.executable, "-S", "-c", "pass"], environ=environ, timeout=LIMIT, guard=guard)
    with contextlib.suppress(OSError, NotProtected):  # then it did not say, or refused
        process.stream(command, lambda _: None)
    return outcomes[-1]


def first_line(finished: process.Finished) -> str:
    """Return the first line of what a program says, of either output."""
    lines = [line.strip() for line in (*finished.stdout.splitlines(), *finished.stderr.splitlines()) if line.strip()]
    return lines[0] if lines else f"exit code {finished.returncode}, without a word"


def complaint(finished: process.Finished) -> str:
    """Return the line in which a program says why it failed: the first with an error in it, else the last."""
    lines = [line.strip() for line in (*finished.stdout.splitlines(), *finished.stderr.splitlines()) if line.strip()]
    marked = [line for line in lines if _COMPLAINTS.search(line)]
    return next(iter(marked or lines[-1:]), f"exit code {finished.returncode}, without a word")


def version(text: str) -> str:
    """Return the first version number in a text; empty for none."""
    found = _VERSION.search(text)
    return found[0] if found else ""


def major(text: str) -> str:
    """Return the first part of a version."""
    return text.partition(".")[0]


def minor(text: str) -> str:
    """Return the first two parts of a version."""
    return ".".join(text.split(".")[:2])
