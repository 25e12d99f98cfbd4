"""Programs are heard to their end and no further, with a supervisor above them and without one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from passbuild import forkserver, process

_KINDS = [True, False] if forkserver.is_available() else [False]


@pytest.fixture(params=_KINDS, ids=["supervised" if kind else "alone" for kind in _KINDS])
def _kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a supervisor, or a system that knows none."""
    monkeypatch.setattr(forkserver, "is_available", lambda: bool(request.param))


def _streamed(code: str, timeout: float | None = None) -> tuple[int, list[str]]:
    lines: list[str] = []
    command = process.Command(argv=[sys.executable, "-c", code], environ=os.environ, timeout=timeout)
    return process.stream(command, lines.append), lines


@pytest.mark.usefixtures("_kind")
@pytest.mark.parametrize(
    ("written", "lines"),
    [
        (b"one\ntwo\n", ["one", "two"]),
        (b"one\r\ntwo\rthree", ["one", "two", "three"]),
        (b"no end", ["no end"]),
        (b"\xff\xe4\n", ["\ufffd\ufffd"]),
        ("ä\u20ac\n".encode(), ["ä\u20ac"]),
        (b"\n\n", ["", ""]),
        (b"", []),
        (b"cut \xe2\x82", ["cut \ufffd"]),
    ],
)
def test_lines_are_those_that_were_written(written: bytes, lines: list[str]) -> None:
    """Whatever ends them, and whatever is no text."""
    code, heard = _streamed(f"import os; os.write(1, {written!r})")

    assert heard == lines
    assert code == 0


@pytest.mark.usefixtures("_kind")
def test_a_line_without_an_end_is_cut() -> None:
    """Three and a half million characters: none is lost, and none is copied again and again."""
    _, heard = _streamed("import sys; sys.stdout.write('x' * 3_500_000)")

    assert sum(map(len, heard)) == 3_500_000
    assert 3 <= len(heard) <= 4


@pytest.mark.usefixtures("_kind")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM, signal.SIGUSR2])
def test_the_signal_that_ended_a_program_is_its_exit_code(number: signal.Signals) -> None:
    """As `subprocess` has it."""
    code, _ = _streamed(f"import os; os.kill(os.getpid(), {int(number)})")

    assert code == -number


@pytest.mark.usefixtures("_kind")
@pytest.mark.parametrize("code", [0, 1, 255])
def test_an_exit_code_is_that_of_the_program(code: int) -> None:
    """And not that of what stands between."""
    done, _ = _streamed(f"raise SystemExit({code})")

    assert done == code


@pytest.mark.usefixtures("_kind")
def test_what_takes_too_long_is_ended(tmp_path: Path) -> None:
    """With what it has started, in bounded time."""
    code = (
        "import pathlib, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(child.pid))\n"
        "print('so far', flush=True)\n"
        "time.sleep(60)\n"
    )
    begin = time.monotonic()

    with pytest.raises(TimeoutError, match="within 1 s"):
        _streamed(code, timeout=1.0)

    assert time.monotonic() - begin < 8
    child = int((tmp_path / "pid").read_text(encoding="utf-8"))
    end = time.monotonic() + 5
    while _is_alive(child) and time.monotonic() < end:
        time.sleep(0.02)
    assert not _is_alive(child)


def _is_alive(process_id: int) -> bool:
    try:
        return Path(f"/proc/{process_id}/stat").read_bytes().rpartition(b")")[2].split()[0] != b"Z"
    except OSError:
        return False


@pytest.mark.usefixtures("_kind")
def test_an_open_pipe_is_not_waited_for() -> None:
    """A daemon has it: the program has ended, and what it wrote is all there."""
    code = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(20)'], start_new_session=True)\n"
        "print(child.pid)\n"
    )
    begin = time.monotonic()

    _, heard = _streamed(code)
    took = time.monotonic() - begin
    os.kill(int(heard[0]), signal.SIGKILL)

    assert took < 10


def test_a_question_may_be_longer_than_a_pipe_holds() -> None:
    """And the answer as well: neither waits for the other."""
    code = "import sys; text = sys.stdin.read(); sys.stderr.write('heard'); sys.stdout.write(text)"

    done = process.answer([sys.executable, "-c", code], environ=os.environ, question="ä" * 400_000)

    assert (done.stdout, done.stderr, done.returncode) == ("ä" * 400_000, "heard", 0)


def test_a_program_need_not_listen() -> None:
    """A question that nobody reads is no error."""
    done = process.answer([sys.executable, "-c", "print('no')"], environ=os.environ, question="x" * 1_000_000)

    assert (done.stdout, done.returncode) == ("no\n", 0)


@pytest.mark.usefixtures("_kind")
def test_a_program_that_is_not_there_is_an_os_error() -> None:
    """Raised where it is started, not seen as an exit code."""
    command = process.Command(argv=["/nowhere/to/be/found"], environ=os.environ)

    with pytest.raises(FileNotFoundError):
        process.stream(command, lambda _: None)


@pytest.mark.usefixtures("_kind")
def test_an_error_of_who_listens_ends_the_program(tmp_path: Path) -> None:
    """Whatever is raised while a program runs, it does not run on."""
    code = f"import os, pathlib, time; pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(os.getpid()))\n"

    def wrong(line: str) -> None:
        raise RuntimeError(line)

    argv = [sys.executable, "-c", f"{code}print('line', flush=True); time.sleep(60)"]
    with pytest.raises(RuntimeError, match="line"):
        process.stream(process.Command(argv=argv, environ=os.environ), wrong)

    assert not _is_alive(int((tmp_path / "pid").read_text(encoding="utf-8")))


@pytest.mark.skipif(not forkserver.is_available(), reason="there is no supervisor here")
def test_what_ignores_every_signal_is_killed() -> None:
    """Also when it left its session and is asked at once."""
    code = (
        "import signal, time\nfor n in (1, 2, 15): signal.signal(n, signal.SIG_IGN)\nprint(flush=True)\ntime.sleep(60)"
    )
    command = process.Command(argv=[sys.executable, "-c", code], environ=os.environ)
    begin = time.monotonic()

    def at_once(_: str) -> None:
        process.end_at_once()

    done = process.stream(command, at_once)

    assert time.monotonic() - begin < 4
    assert done == -signal.SIGKILL


@pytest.mark.skipif(not forkserver.is_available(), reason="there is no supervisor here")
def test_both_sides_speak_alike() -> None:
    """The server imports nothing of ours, and passbuild not what it has for the kernel: so these stand twice."""
    from passbuild import _supervisor

    names = ("END", "AT_ONCE", "LONGEST", "SIZE")
    assert [getattr(_supervisor, name) for name in names] == [getattr(forkserver, f"_{name}") for name in names]


def test_a_supervisor_holds_no_lock_of_ours(tmp_path: Path) -> None:
    """Another process gets a lock as soon as we let go of it, while the program still runs."""
    program = (
        "import os, sys, fcntl, subprocess, time\n"
        "from passbuild import process\n"
        "held = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)\n"
        "fcntl.flock(held, fcntl.LOCK_EX)\n"
        "def heard(line):\n"
        "    os.close(held)\n"
        "    other = os.open(sys.argv[1], os.O_RDWR)\n"
        "    fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)\n"
        "    print('ours', flush=True)\n"
        "argv = [sys.executable, '-c', 'import time; print(1, flush=True); time.sleep(0.5)']\n"
        "process.stream(process.Command(argv=argv, environ=os.environ), heard)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "lock"], capture_output=True, text=True, check=False
    )

    assert done.stdout == "ours\n", done.stderr
