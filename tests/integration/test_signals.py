"""Whatever ends a build, nothing of it is left: no process, no temporary folder, no half a file."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests import tally
from tests.integration import live
from tests.integration.bench import fingerprint

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.bench import Bench

_GRACE = 5.0
"""Seconds that the processes of a build have to end when they are asked to."""
_FAMILY = """
def build_wheel(folder, *rest):
    pathlib.Path(folder, "half-1.0-py3-none-any.whl").write_bytes(b"PK half of a wheel")
    subprocess.Popen(SLEEP)
    subprocess.Popen(SLEEP, start_new_session=True)
    subprocess.Popen(["sh", "-c", "(setsid sleep 301 &) ; (sleep 302 &)"])
    subprocess.Popen(STUBBORN, stdout=subprocess.PIPE, start_new_session=True).stdout.readline()
    told("begun")
    time.sleep(300)
"""
_STARTING = 0.15
"""Seconds that the interpreter may take before the first line of passbuild runs."""
_SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


def _arguments(bench: Bench, project: Path) -> tuple[object, ...]:
    host = bench.host("engine==1.0", "fuel==1.0")
    return ("wheel", project, "--host", host, "--passthrough", "engine", "-o", bench.outdir)


@pytest.mark.parametrize("number", _SIGNALS, ids=[number.name for number in _SIGNALS])
def test_a_signal_ends_the_whole_tree(bench: Bench, number: signal.Signals) -> None:
    """Children, grandchildren that left the group and the session, and what ignores every signal."""
    project = live.project(bench, _FAMILY)
    before = fingerprint(project)

    with live.started(bench, *_arguments(bench, project)) as child:
        live.until((bench.folder / "begun").exists)
        family = live.running(bench.folder)
        child.send_signal(number)
        _, stderr = child.communicate(timeout=30)

    assert len(family) >= 7, family  # passbuild, its supervisor, the backend, and what that has started
    assert child.returncode == 128 + number
    assert stderr.count("error[cancelled]") == 1
    assert "Traceback" not in stderr
    assert live.running(bench.folder) == {}
    assert live.leftovers(bench) == []
    assert not bench.outdir.exists()
    assert {path for path in fingerprint(project) if "__pycache__" not in path} == set(before)


@pytest.mark.parametrize("is_ignored", [False, True], ids=["", "as a shell's background program"])
def test_python_programs_remove_their_own_temporary_files(bench: Bench, *, is_ignored: bool) -> None:
    """They are asked by SIGINT first, as SIGTERM ends Python without a word; also where passbuild itself ignores it."""
    project = live.project(
        bench,
        "def build_wheel(folder, *rest):\n"
        "    with tempfile.TemporaryDirectory(prefix='of-the-backend-'):\n"
        "        told('begun')\n"
        "        time.sleep(300)\n",
    )

    before = signal.signal(signal.SIGINT, signal.SIG_IGN) if is_ignored else None
    with live.started(bench, *_arguments(bench, project)) as child:
        if before is not None:
            signal.signal(signal.SIGINT, before)
        live.until((bench.folder / "begun").exists)
        held = live.leftovers(bench)
        child.send_signal(signal.SIGTERM)
        child.communicate(timeout=30)

    assert any(name.startswith("of-the-backend-") for name in held)
    assert live.leftovers(bench) == []


def test_a_second_signal_ends_at_once(bench: Bench) -> None:
    """Nothing waits for the grace of what ignores signals; what that leaves, the next run removes."""
    project = live.project(bench, _FAMILY)

    with live.started(bench, *_arguments(bench, project)) as child:
        live.until((bench.folder / "begun").exists)
        child.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        begin = time.monotonic()
        child.send_signal(signal.SIGTERM)
        _, stderr = child.communicate(timeout=30)
        took = time.monotonic() - begin

    assert child.returncode == 128 + signal.SIGTERM, stderr
    assert took < _GRACE / 2
    live.until(lambda: live.running(bench.folder) == {}, _GRACE / 2)
    _next_build_cleans_up(bench)


def test_what_outlives_sigkill_is_ended_and_removed(bench: Bench) -> None:
    """The kernel tells the supervisor; folders and half a wheel go when passbuild is started the next time."""
    project = live.project(bench, _FAMILY)

    with live.started(bench, *_arguments(bench, project)) as child:
        live.until((bench.folder / "begun").exists)
        child.kill()
        child.communicate(timeout=30)

    live.until(lambda: live.running(bench.folder) == {}, 2 * _GRACE)
    assert live.leftovers(bench) != []
    assert [path.name[:11] for path in bench.outdir.iterdir()] == [".passbuild-"]
    _next_build_cleans_up(bench)


def _next_build_cleans_up(bench: Bench) -> None:
    done = bench.passbuild("wheel", bench.project(name="next"), "--host", bench.host("engine==1.0", "fuel==1.0"))

    assert done.code == 0, done.stderr
    assert live.leftovers(bench) == []
    assert [path.name for path in bench.outdir.iterdir()] == ["sample-1.0-py3-none-any.whl"]


def test_what_another_process_uses_is_not_cleaned_up(bench: Bench) -> None:
    """A build goes on while another one starts, cleans up and ends."""
    waits = "def build_wheel(*rest):\n    told('begun')\n    while not (HERE / 'go').exists(): time.sleep(0.01)\n"
    project = live.project(bench, f"{waits}    return really_build_wheel(*rest)\n")

    with live.started(bench, *_arguments(bench, project)) as child:
        live.until((bench.folder / "begun").exists)
        other = bench.passbuild("wheel", bench.project(name="other"), "--host", bench.host(), outdir="other-out")
        (bench.folder / "go").touch()
        _, stderr = child.communicate(timeout=30)

    assert other.code == 0, other.stderr
    assert child.returncode == 0, stderr


def test_others_folders_of_that_name_are_let_alone(bench: Bench) -> None:
    """A link, a folder that others may write, one that was kept, and a log: none of them is a leftover."""
    precious = bench.folder / "precious"
    (precious / "sub").mkdir(parents=True)
    (bench.scratch / "passbuild-linked").symlink_to(precious)
    planted = bench.scratch / "passbuild-planted"
    planted.mkdir()
    planted.chmod(0o777)
    (planted / "lock").touch()
    (planted / "outside").write_bytes(os.fsencode(precious) + b"\0")
    kept = bench.scratch / "passbuild-kept"
    kept.mkdir(mode=0o700)
    (kept / "run").mkdir()

    done = bench.passbuild("wheel", bench.project(), "--host", bench.host())

    assert done.code == 0, done.stderr
    assert live.leftovers(bench) == ["passbuild-kept", "passbuild-linked", "passbuild-planted"]
    assert (precious / "sub").is_dir()
    for path in (kept / "run", kept, planted / "lock", planted / "outside", planted):
        path.rmdir() if path.is_dir() else path.unlink()
    (bench.scratch / "passbuild-linked").unlink()


def test_many_builds_end_with_the_one_that_started_them(bench: Bench) -> None:
    """SIGKILL of `passbuild wheel -j 2`: its builds end, and what they have started."""
    for name in ("pump", "valve"):
        body = f"def build_wheel(*rest):\n    subprocess.Popen(SLEEP)\n    told('begun-{name}')\n    time.sleep(300)\n"
        live.project(bench, body, name=name)
    host = bench.host("engine==1.0", "fuel==1.0")

    with live.started(bench, "wheel", "./pump", "./valve", "-j", "2", "--host", host, "-o", bench.outdir) as child:
        live.until(lambda: len(list(bench.folder.glob("begun-*"))) == 2)
        child.kill()
        child.communicate(timeout=30)

    live.until(lambda: live.running(bench.folder) == {}, 4 * _GRACE)
    _next_build_cleans_up(bench)


def test_a_backend_that_leaves_a_program_running_does_not_hold_the_build_up(bench: Bench) -> None:
    """What it left in its session ends with it; a daemon stays, and its open pipe is not waited for."""
    project = live.project(
        bench,
        "def build_wheel(*rest):\n"
        "    subprocess.Popen(SLEEP)\n"
        "    (HERE / 'daemon').write_text(str(subprocess.Popen(SLEEP, start_new_session=True).pid))\n"
        "    return really_build_wheel(*rest)\n",
    )

    done = bench.passbuild("wheel", project, "--host", bench.host())

    daemon = int((bench.folder / "daemon").read_text(encoding="utf-8"))
    left = live.running(bench.folder)
    os.kill(daemon, signal.SIGKILL)
    assert done.code == 0, done.stderr
    assert list(left) == [daemon]


@pytest.mark.parametrize("ending", ["os.kill(os.getpid(), signal.SIGSEGV)", "os._exit(3)"])
def test_a_backend_that_crashes_takes_its_children_along(bench: Bench, ending: str) -> None:
    """The error still says how it ended."""
    project = live.project(bench, f"def build_wheel(*rest):\n    subprocess.Popen(SLEEP)\n    {ending}\n")

    done = bench.passbuild("wheel", project, "--host", bench.host())

    assert done.code == 1
    assert ("SIGSEGV" if "SIGSEGV" in ending else "exit code 3") in done.error["message"]
    assert live.running(bench.folder) == {}


def test_a_hook_that_takes_too_long_is_ended(bench: Bench) -> None:
    """`--timeout`, with what it said last."""
    body = "    print('so far', flush=True)\n    subprocess.Popen(SLEEP, start_new_session=True)\n    time.sleep(300)\n"
    project = live.project(bench, f"def build_wheel(*rest):\n{body}")

    begin = time.monotonic()
    done = bench.passbuild("wheel", project, "--host", bench.host(), "--timeout", "2")

    assert (done.code, done.error["code"]) == (1, "timed-out")
    assert "build_wheel" in done.error["message"]
    assert "so far" in done.error["output"]
    assert time.monotonic() - begin < 2 + 2 * _GRACE
    assert live.running(bench.folder) == {}
    assert not bench.outdir.exists()


def test_signals_in_the_first_moments_are_told(bench: Bench) -> None:
    """Before there is anything to clean up: no traceback, one line, the shell's exit code."""
    program = (
        "import os, signal, sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name == 'click': os.kill(os.getpid(), signal.SIGTERM)\n"
        "sys.meta_path.insert(0, Finder())\n"
        "from passbuild.__main__ import start\n"
        "sys.argv = ['passbuild', 'wheel']\n"
        "start()\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], env=bench.environ, capture_output=True, text=True, check=False
    )

    assert done.returncode == 128 + signal.SIGTERM
    assert done.stderr == "error[cancelled]: cancelled by signal 15\n"


def test_signals_at_any_moment_leave_nothing(bench: Bench) -> None:
    """Between the first import and the last line; the seed is fixed, and a build that was faster is a build."""
    draw = random.Random(7)
    project = bench.project(requires=["tool"], imports=["engine", "tool"])
    lost = []

    for number in range(300 if tally.IS_SOAK else 12):
        delay, sent = draw.uniform(0.02, 1.2), draw.choice(_SIGNALS)
        store = bench.folder / f"store-{number % 3}"  # at times with an environment to make, at times without
        with live.started(bench, *_arguments(bench, project), "--cache-dir", store) as child:
            time.sleep(delay)
            child.send_signal(sent)
            _, stderr = child.communicate(timeout=30)
        left = [*live.running(bench.folder).values(), *live.leftovers(bench)]
        left += [path.name for path in bench.outdir.glob("*") if path.name != "sample-1.0-py3-none-any.whl"]
        # In its first hundredths of a second a process has not yet learned what to do about signals.
        # And when all is said it ends as any program: Python has given the signals back.
        is_outside = child.returncode == -sent and (delay < _STARTING or "✓" in stderr)
        if left or (child.returncode not in {0, 128 + sent} and not is_outside) or "Traceback" in stderr:
            lost.append(f"{sent.name} after {delay:.3f} s: {child.returncode}, {left}, {stderr[-500:]}")
        shutil.rmtree(bench.outdir, ignore_errors=True)
        if number % 9 == 0:
            shutil.rmtree(store, ignore_errors=True)

    tally.count("signals at random moments", number + 1, lost)
    assert lost == []


@pytest.mark.parametrize("number", _SIGNALS, ids=[number.name for number in _SIGNALS])
def test_one_signal_to_many_builds_leaves_them_the_time_to_clean_up(bench: Bench, number: signal.Signals) -> None:
    """`-j`: the builds inside are asked once, and end their own programs, however stubborn these are."""
    names = ("one", "two")
    projects = [live.project(bench, _FAMILY.replace("begun", f"begun-{name}"), name=name) for name in names]
    host = bench.host("engine==1.0", "fuel==1.0")

    with live.started(bench, "wheel", *projects, "-j", "2", "--host", host, "-o", bench.outdir) as child:
        live.until(lambda: all((bench.folder / f"begun-{name}").exists() for name in names))
        child.send_signal(number)
        _, stderr = child.communicate(timeout=40)

    assert child.returncode == 128 + number, stderr
    assert live.running(bench.folder) == {}
    assert live.leftovers(bench) == []
    assert not bench.outdir.exists()


def test_what_sigkill_left_in_the_output_folder_goes_with_other_temporary_files_as_well(bench: Bench) -> None:
    """A job in a batch system, or in a container, has a folder for temporary files of its own each time."""
    project = live.project(bench, _FAMILY)
    with live.started(bench, *_arguments(bench, project), TMPDIR=str(_made(bench.folder / "other-tmp"))) as child:
        live.until((bench.folder / "begun").exists)
        child.kill()
        child.communicate(timeout=30)
    live.until(lambda: live.running(bench.folder) == {}, 2 * _GRACE)
    before = [path.name[:11] for path in bench.outdir.iterdir()]

    _next_build_cleans_up(bench)

    assert before == [".passbuild-"]


def test_an_output_folder_that_others_use_is_not_cleaned_up(bench: Bench) -> None:
    """What another process builds there is locked by it."""
    project = live.project(
        bench,
        "def build_wheel(*rest):\n    told('begun')\n    while not (HERE / 'go').exists(): time.sleep(0.01)\n"
        "    return really_build_wheel(*rest)\n",
    )
    with live.started(bench, *_arguments(bench, project), TMPDIR=str(_made(bench.folder / "other-tmp"))) as child:
        live.until((bench.folder / "begun").exists)
        done = bench.passbuild("wheel", bench.project(name="next"), "--host", bench.host())
        (bench.folder / "go").touch()
        _, stderr = child.communicate(timeout=30)

    assert [done.code, child.returncode] == [0, 0], done.stderr + stderr


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_without_proc_time_is_kept_and_the_program_ends(bench: Bench) -> None:
    """In a bare chroot nobody can say what came of a program: what did not leave its group is ended all the same."""
    if shutil.which("unshare") is None or os.geteuid() != 0:
        pytest.skip("only root can be without /proc")
    body = (
        "def build_wheel(*rest):\n    subprocess.Popen(SLEEP)\n    subprocess.Popen(STUBBORN)\n"
        "    told('begun')\n    time.sleep(300)\n"
    )
    project = live.project(bench, body)
    argv = [sys.executable, "-m", "passbuild", *map(str, _arguments(bench, project)), "--timeout", "2"]
    begin = time.monotonic()

    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", 'umount -l /proc && exec "$@"', "sh", *argv],
        env=bench.environ,
        cwd=bench.folder,
        capture_output=True,
        text=True,
        check=False,
    )

    assert time.monotonic() - begin < 2 + 2 * _GRACE
    assert "error[timed-out]" in done.stderr
    live.until(lambda: live.running(bench.folder) == {}, _GRACE)
    assert live.leftovers(bench) == []


@pytest.mark.parametrize("name", ["ENOLCK", "EOPNOTSUPP"])
def test_temporary_files_may_lie_where_there_are_no_locks(bench: Bench, name: str) -> None:
    """Cluster file systems have none unless they are asked for: then nobody takes our folder for a leftover."""
    project = live.project(bench, "")
    code = (
        "import errno, fcntl, os, sys\n"
        "def flock(*_):\n"
        f"    raise OSError(errno.{name}, os.strerror(errno.{name}))\n"
        "fcntl.flock = flock\n"
        "from passbuild.__main__ import start\n"
        "start()\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, _arguments(bench, project)), "--no-store"],
        env=bench.environ,
        cwd=bench.folder,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert live.leftovers(bench) == []
    assert [path.name for path in bench.outdir.iterdir()] == ["sample-1.0-py3-none-any.whl"]
