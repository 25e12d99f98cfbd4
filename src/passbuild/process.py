"""Start other programs: argument list, explicit environment, output kept, nothing left running."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from typing import TYPE_CHECKING

from passbuild.values import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

_GRACE = 5.0
"""Seconds between asking a process group to end and killing it."""


@frozen
class Finished:
    """A program that has ended."""

    returncode: int
    """Its exit code; negative is the signal that ended it."""
    stdout: str
    """What it wrote to standard output (and to standard error, when both were taken together)."""
    stderr: str = ""
    """What it wrote to standard error, when taken apart."""


def answer(argv: Sequence[str], *, environ: Mapping[str, str], question: str, cwd: Path | None = None) -> Finished:
    """Run a program with `question` on its standard input and return both outputs apart.

    Raises OSError when it cannot be started.
    """
    with _started(argv, environ=environ, cwd=cwd, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        stdout, stderr = child.communicate(question)
        return Finished(returncode=child.returncode, stdout=stdout, stderr=stderr)


def stream(
    argv: Sequence[str],
    *,
    environ: Mapping[str, str],
    on_line: Callable[[str], None],
    cwd: Path | None = None,
    meanwhile: Callable[[], None] = lambda: None,
) -> Finished:
    """Run a program, hand each line of its output to `on_line` as it comes, and return all of it.

    `meanwhile` is called once, while the program starts. Both outputs are taken together, in the order in which they
    were written. Raises OSError when it cannot be started.
    """
    lines: list[str] = []
    with _started(argv, environ=environ, cwd=cwd, stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT) as child:
        assert child.stdout is not None  # stdout=PIPE, for the type checker
        meanwhile()
        for line in child.stdout:
            text = line.rstrip("\n")
            lines.append(text)
            on_line(text)
        child.wait()
        return Finished(returncode=child.returncode, stdout="\n".join(lines))


@contextlib.contextmanager
def _started(
    argv: Sequence[str], *, environ: Mapping[str, str], cwd: Path | None, stdin: int, stderr: int
) -> Iterator[subprocess.Popen[str]]:
    """Start a program in a group of its own, and end the whole group when we leave for any reason but its end."""
    child = subprocess.Popen(
        list(argv),
        env=dict(environ),
        cwd=cwd,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=stderr,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    with child:
        try:
            yield child
        except BaseException:
            _end(child)
            raise


def _end(child: subprocess.Popen[str]) -> None:
    _signal_group(child, signal.SIGTERM)
    try:
        child.wait(_GRACE)
    except subprocess.TimeoutExpired:
        pass
    finally:
        if os.name == "posix":
            _signal_group(child, signal.SIGKILL)
        else:
            child.kill()


def _signal_group(child: subprocess.Popen[str], number: signal.Signals) -> None:
    if os.name != "posix":
        child.terminate()
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)
