"""Break a run of passbuild at any of the points where it changes something: files, folders, locks, processes.

Python tells an audit hook of each of them before it happens (PEP 578). The run counts them, and at the one that is
wanted it is killed, gets an error, or gets a signal.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.integration import live
from tests.integration.bench import fingerprint

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.bench import Bench, Environment

_PROGRAM = """
import errno, json, os, signal, sys

WANTED, HOW, TOLD = int(sys.argv[1]), sys.argv[2], sys.argv[3]
OURSELVES = os.getpid()
POINTS = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod",
          "os.utime", "shutil.rmtree", "shutil.copyfile", "shutil.move", "subprocess.Popen", "fcntl.flock",
          "tempfile.mkdtemp", "tempfile.mkstemp", "socket.sendmsg"}
seen, busy = [], False

def heard(event, arguments):
    global busy
    if busy or os.getpid() != OURSELVES:
        return
    if event == "open":
        path, mode, flags = arguments
        if isinstance(path, int) or not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) or path == os.devnull:
            return
    elif event not in POINTS:
        return
    seen.append([event, *map(repr, arguments[:2])])
    if len(seen) - 1 != WANTED:
        return
    busy = True
    with open(TOLD, "w") as file:
        json.dump(seen[-1], file)
    busy = False
    if HOW == "kill":
        os.kill(OURSELVES, signal.SIGKILL)
    elif HOW == "fail":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    else:
        os.kill(OURSELVES, getattr(signal, HOW))

def ended():
    global busy
    busy = True
    if WANTED < 0:
        with open(TOLD, "w") as file:
            json.dump(seen, file)

from passbuild.__main__ import start
import atexit
atexit.register(ended)
sys.argv = ["passbuild", *sys.argv[4:]]
sys.addaudithook(heard)
start()
"""
_REMOVALS = {"os.remove", "os.rmdir", "shutil.rmtree"}
"""Where these fail, what was to be removed is still there, and the next run removes it."""
WAYS = ("kill", "fail", "SIGTERM", "SIGINT")


class Scene:
    """A build that is broken again and again, each time from the same beginning."""

    def __init__(self, bench: Bench, project: Path, host: Environment, *more: str) -> None:
        self._bench = bench
        self._before = fingerprint(project)
        self._project = project
        self._host = host
        self._host_before = fingerprint(host.folder)
        self._more = more
        self._number = 0
        self.points = self._counted()
        self._wanted = self._published()
        assert self._wanted, "the build that nothing breaks publishes something"
        self._clear()

    def broken(self, point: int, way: str) -> str:
        """Break the build there, build again, and return what was lost; empty for nothing."""
        told = self._bench.folder / "told.json"
        told.unlink(missing_ok=True)
        done = self._run(point, way, told)
        what = json.loads(told.read_text(encoding="utf-8")) if told.exists() else ["not reached"]
        is_tidy = way != "kill" and not (way == "fail" and what[0] in _REMOVALS)
        lost = [*self._harm(done, is_tidy=is_tidy), *self._after(done.returncode)]
        self._clear()
        return f"{way} at {point} {what}: {'; '.join(lost)}" if lost else ""

    def _harm(self, done: subprocess.CompletedProcess[str], *, is_tidy: bool) -> list[str]:
        """Return what is wrong right after the run that was broken; `is_tidy` where it had the time to clean up."""
        lost = []
        published = {name: state for name, state in self._published().items() if not name.startswith(".passbuild-")}
        if published and published != self._wanted:
            lost.append(f"the output folder holds {sorted(published)}")
        if fingerprint(self._host.folder) != self._host_before:
            lost.append("the host was written")
        if is_tidy:
            if live.leftovers(self._bench):
                lost.append(f"temporary files: {live.leftovers(self._bench)}")
            if any(name.startswith(".passbuild-") for name in self._published()):
                lost.append("a folder of ours is in the output folder")
            if "Traceback" in done.stderr or done.returncode not in {0, 1, 2, 3, 130, 143}:
                lost.append(f"it ended with {done.returncode}: {done.stderr[-600:]}")
            if live.running(self._bench.folder):
                lost.append(f"still running: {live.running(self._bench.folder)}")
        return lost

    def _after(self, code: int) -> list[str]:
        """Return what is wrong after the next build."""
        done = self._run(-1, "fail", self._bench.folder / "counted.json")
        lost = []
        if done.returncode != 0:
            lost.append(f"the next build failed: {done.stderr[-600:]}")
        elif self._published() != self._wanted:
            lost.append(f"the next build left {sorted(self._published())}")
        if live.leftovers(self._bench):
            lost.append(f"after the next build there are {live.leftovers(self._bench)}")
        store = self._store
        unfinished = [path.name for path in store.glob("environments/*") if not (path / "environment.json").exists()]
        unfinished += [str(path) for path in (*store.glob("unfinished/*"), *store.glob(".*"), *store.glob("*/.*"))]
        if unfinished:
            lost.append(f"in the store, after {code}: {unfinished}")
        return lost

    @property
    def _store(self) -> Path:
        return self._bench.folder / f"store-{self._number}"

    def _run(self, point: int, way: str, told: Path) -> subprocess.CompletedProcess[str]:
        arguments = [self._project, "--host", self._host, "--passthrough", "engine", "-o", self._bench.outdir]
        argv = [sys.executable, "-c", _PROGRAM, point, way, told, "wheel", *arguments, "--cache-dir", self._store]
        return subprocess.run(
            [*map(str, argv), *self._more],
            env={**self._bench.environ, "SOURCE_DATE_EPOCH": "1700000000"},
            cwd=self._bench.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def _counted(self) -> int:
        told = self._bench.folder / "counted.json"
        done = self._run(-1, "fail", told)
        assert done.returncode == 0, done.stderr
        return len(json.loads(told.read_text(encoding="utf-8")))

    def _published(self) -> dict[str, str]:
        """Return what is published, by content: times differ."""
        found = fingerprint(self._bench.outdir) if self._bench.outdir.exists() else {}
        return {name: state.rpartition(" ")[2] for name, state in found.items()}

    def _clear(self) -> None:
        """Begin again, with another store."""
        self._number += 1
        for path in self._bench.outdir.iterdir() if self._bench.outdir.exists() else ():
            path.unlink() if path.is_file() else shutil.rmtree(path)
        if self._bench.outdir.exists():
            self._bench.outdir.rmdir()
        for path in self._bench.scratch.iterdir():
            path.unlink() if path.is_file() else shutil.rmtree(path)
