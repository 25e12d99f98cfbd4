"""What a person sees: a live view on a terminal, plain lines with the time elsewhere, groups in CI."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyte
import pytest

from tests.integration.live import leftovers, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.integration.bench import Bench

_PATIENCE = 60
"""Seconds until something that has to be seen counts as not there."""
_BACKEND = """
import os, pathlib, time

def _wait(name):
    pathlib.Path("asks").write_text(name)
    while not pathlib.Path(name).exists():
        time.sleep(0.02)

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    print("[1/3] Building CXX object valve.o", flush=True)
    print("[2/3] Building CXX object a_file_with_a_name_that_is_longer_than_sixty_columns_can_ever_show.o", flush=True)
    _wait("go")
    raise SystemExit("error: \\x1b[31mno valve\\x1b[0m")
"""


@dataclass(slots=True)
class Terminal:
    """A passbuild that runs on a terminal, and the screen of that."""

    process: subprocess.Popen[bytes]
    master: int
    screen: pyte.Screen
    stream: pyte.ByteStream
    written: bytes = b""

    def read(self, seconds: float = 0.1) -> bool:
        """Take in what was written, and return whether there may be more."""
        ready, _, _ = select.select([self.master], [], [], seconds)
        if not ready:
            return self.process.poll() is None
        try:
            data = os.read(self.master, 65536)
        except OSError:  # the other side is closed
            return False
        self.written += data
        self.stream.feed(data)
        return bool(data)

    def until(self, seen: Callable[[str], bool]) -> str:
        """Read until the screen shows something, and return the screen."""
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            text = self.text
            if seen(text):
                return text
            if not self.read():
                break
        raise AssertionError(f"not seen on:\n{self.text}")

    def end(self) -> str:
        """Read to the end, and return the screen."""
        deadline = time.monotonic() + _PATIENCE
        while self.read() and time.monotonic() < deadline:
            pass
        self.process.wait(_PATIENCE)
        return self.text

    @property
    def text(self) -> str:
        """The lines of the screen."""
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip()


@pytest.fixture
def project(bench: Bench) -> Path:
    """Make a project whose backend counts to two, waits, and fails."""
    folder = bench.project()
    (folder / "backend").mkdir(exist_ok=True)
    (folder / "backend" / "waits.py").write_text(_BACKEND, encoding="utf-8")
    (folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "waits"\nbackend-path = ["backend"]\n\n'
        '[project]\nname = "pump"\nversion = "1.0"\n',
        encoding="utf-8",
    )
    return folder


@pytest.fixture
def open_terminal(bench: Bench, project: Path) -> Iterator[Callable[..., Terminal]]:
    """Yield what starts `passbuild wheel` of the project on a terminal of so many columns."""
    opened: list[Terminal] = []

    def started(columns: int = 80, *options: str, **variables: str) -> Terminal:
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
        argv = [sys.executable, "-m", "passbuild", "wheel", ".", "--host", str(bench.host()), "-o", str(bench.outdir)]
        environ = {**bench.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", **variables}
        process = subprocess.Popen(
            [*argv, *options],
            cwd=project,
            env={name: value for name, value in environ.items() if value},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        screen = pyte.Screen(columns, 30)
        terminal = Terminal(process, master, screen, pyte.ByteStream(screen))
        opened.append(terminal)
        return terminal

    yield started
    for terminal in opened:
        if terminal.process.poll() is None:
            os.killpg(terminal.process.pid, signal.SIGKILL)
            terminal.process.wait()
        os.close(terminal.master)


def _go(project: Path) -> None:
    (project / "go").touch()


@pytest.mark.parametrize("columns", [60, 80, 140])
def test_a_terminal_shows_the_step_its_time_and_how_far_it_is(
    columns: int, project: Path, open_terminal: Callable[..., Terminal]
) -> None:
    """While it runs: the step, seconds, a bar with ninja's counter, the line; no line is wrapped."""
    terminal = open_terminal(columns)

    live = terminal.until(lambda text: "[2/3] Building" in text and "━" in text and "build the wheel" in text)
    _go(project)
    done = terminal.end()

    (head,) = [line for line in live.splitlines() if "build the wheel" in line]
    assert re.search(r"^\S build the wheel \d+\.\d s$", head)
    (bar,) = [line for line in live.splitlines() if "2/3" in line and "Building" not in line]
    assert "━" in bar
    assert "[2/3] Building CXX object" in live
    assert len([line for line in live.splitlines() if "a_file_with" in line]) == 1
    assert "2/3" not in done.partition("error[")[0]
    assert re.search(r"^✓ ask the backend what else it needs  \d+\.\d s$", done, re.MULTILINE)
    assert re.search(r"^✗ build the wheel  \d+\.\d s$", done, re.MULTILINE)
    assert terminal.process.returncode == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_at_once_on_a_terminal_that_is_stopped(
    number: signal.Signals, bench: Bench, open_terminal: Callable[..., Terminal]
) -> None:
    """As after Ctrl-S: nothing that is said gets out, and whoever waits for that waits for ever."""
    terminal = open_terminal()
    terminal.until(lambda text: "2/3" in text)
    os.write(terminal.master, b"\x13")
    while terminal.read(1) and select.select([terminal.master], [], [], 1)[0]:
        pass  # until nothing gets out: what paints is at it, and holds the lock of standard error

    terminal.process.send_signal(number)
    until(lambda: leftovers(bench) == [])
    with pytest.raises(subprocess.TimeoutExpired):
        terminal.process.wait(1.5)
    terminal.process.send_signal(number)
    code = terminal.process.wait(5)

    assert code == 128 + number


def test_the_cursor_comes_back(open_terminal: Callable[..., Terminal]) -> None:
    """Also after Ctrl-C."""
    terminal = open_terminal()
    terminal.until(lambda text: "2/3" in text)

    terminal.process.send_signal(signal.SIGINT)
    done = terminal.end()

    assert terminal.process.returncode == 130
    assert "cancelled" in done
    assert terminal.written.rfind(b"\x1b[?25h") > terminal.written.rfind(b"\x1b[?25l")


def test_a_dumb_terminal_gets_no_escapes(project: Path, open_terminal: Callable[..., Terminal]) -> None:
    """`TERM=dumb` is what editors and some CI services say."""
    terminal = open_terminal(80, TERM="dumb")
    _go(project)

    text = terminal.end()

    assert b"\x1b" not in terminal.written
    assert "• build the wheel" in text


def test_no_color_has_no_colors(project: Path, open_terminal: Callable[..., Terminal]) -> None:
    """https://no-color.org: bold and the live view stay."""
    terminal = open_terminal(80, NO_COLOR="1")
    terminal.until(lambda text: "2/3" in text)
    _go(project)

    terminal.end()

    assert re.search(rb"\x1b\[(?:\d+;)*(?:3[0-7]|9[0-7]|38;)[;\dm]", terminal.written) is None


def test_a_locale_without_unicode_gets_other_signs(project: Path, open_terminal: Callable[..., Terminal]) -> None:
    """Nothing is written that the terminal cannot show."""
    terminal = open_terminal(80, LANG="C", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    terminal.until(lambda text: "2/3" in text)
    _go(project)

    text = terminal.end()

    assert terminal.written.isascii()
    assert "x build the wheel" in text


def test_without_a_terminal_each_line_has_its_time(bench: Bench, project: Path) -> None:
    """Seconds since the begin; the error stands for itself, without what it says to terminals."""
    _go(project)

    run = bench.passbuild("wheel", project, "--host", bench.host(), json=False)

    *told, error = [line for line in run.stderr.splitlines() if line.startswith(("[", "error["))]
    assert [re.sub(r"^\[ +\d+\.\d s\] ", "", line) for line in told] == [
        "• read the host",
        f"host: Python {sys.version.split()[0]} in {bench.host()} (--host)",
        "• make the build environment",
        "• ask the backend what else it needs",
        "• build the wheel",
    ]
    assert error == "error[backend-failed]: pump: build_wheel failed: error: no valve"
    assert "\x1b" not in run.stderr


def test_a_step_that_says_nothing_is_told_to_run(bench: Bench, project: Path) -> None:
    """CI services end jobs of which nothing is heard; told are the step, its time and the backend's last words."""
    argv = [sys.executable, "-m", "passbuild", "wheel", ".", "--host", str(bench.host()), "--heartbeat", "1"]
    with subprocess.Popen(
        [*argv, "-o", str(bench.outdir)], cwd=project, env=bench.environ, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        beats = []
        for line in process.stderr:
            if "still running" in line:
                beats.append(line)
                _go(project)

    assert re.search(r"build the wheel: still running, for \d+ s now; the last line was: \[2/3\] Building", beats[0])
    assert process.returncode == 1


def test_no_heart_beats_where_none_is_wanted(bench: Bench, project: Path) -> None:
    """`--heartbeat 0`, and `-q`."""
    _go(project)

    run = bench.passbuild("wheel", project, "--host", bench.host(), "-q", json=False)

    assert run.stderr.startswith("error[backend-failed]: ")


def test_a_ci_service_gets_groups_with_all_of_the_output(bench: Bench, project: Path) -> None:
    """Each step folds; the error is annotated at its place, and the job's summary has it."""
    _go(project)
    summary = bench.folder / "summary.md"
    service = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary), "GITHUB_WORKSPACE": str(project)}

    run = bench.passbuild("wheel", project, "--host", bench.host(), json=False, environ=service)

    lines = run.stderr.splitlines()
    begin, end = lines.index("::group::build the wheel"), len(lines) - 1 - lines[::-1].index("::endgroup::")
    assert "[1/3] Building CXX object valve.o" in lines[begin:end]
    assert lines.count("::endgroup::") == len([line for line in lines if line.startswith("::group::")])
    assert any(line.startswith("::error title=passbuild%3A backend-failed::pump: ") for line in lines[end:])
    assert "`backend-failed`" in summary.read_text(encoding="utf-8")


def test_other_services_are_chosen_by_option(bench: Bench, project: Path) -> None:
    """`--ci azure` where no variable says so; `--ci none` where one does."""
    _go(project)

    azure = bench.passbuild("wheel", project, "--host", bench.host(), "--ci", "azure", json=False)
    none = bench.passbuild(
        "wheel", project, "--host", bench.host(), "--ci", "none", json=False, environ={"GITHUB_ACTIONS": "true"}
    )

    assert "##[group]build the wheel" in azure.stderr.splitlines()
    assert "::group::" not in none.stderr
