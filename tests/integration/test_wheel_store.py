"""The store of wheels: what is kept, here and in a shared place, and that nothing unsound ever comes out of it."""

from __future__ import annotations

import functools
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fsspec
import pytest

from passbuild import wheel_store
from passbuild.environment.store import Store
from passbuild.errors import InvalidSettings, NotAStore
from passbuild.shared_place import Shared
from passbuild.wheel_store import Wheels
from tests import places
from tests.integration.bench import fingerprint
from tests.samples.records_what_it_sees.backend import tiny_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from passbuild.environment.store import Facts
    from passbuild.wheel_store import Found

KEY = "0123456789abcdef"
ROOT = Path(__file__).parents[2]
NAME = "sample-1.0-py3-none-any.whl"
FACTS: Facts = {"version": "3.11.7", "passed": ["engine 1.0", "fuel 1.0"]}
PATIENCE = 0.5
"""Seconds for places that never answer."""


class Machine:
    """A machine with a store, an output folder, and the warnings that its user reads."""

    def __init__(
        self, folder: Path, shared: object = None, *, writes: bool = False, size: int = 10**9, patience: float = 20
    ) -> None:
        self.folder = folder
        self.root = folder / "store"
        self.out = folder / "out"
        self.out.mkdir(parents=True, exist_ok=True)
        place = Shared(str(shared), "--shared-wheels", is_writable=writes, patience=patience) if shared else None
        self.wheels = Wheels(store=Store(root=self.root, max_age=3600, max_size=size), shared=place)
        self.warnings: list[str] = []

    def found(self, key: str = KEY) -> Found | None:
        """Ask for a wheel."""
        return wheel_store.found(self.wheels, key, self.out, self.warnings.append)

    def keep(self, wheel: Path, key: str = KEY) -> None:
        """Keep a wheel."""
        wheel_store.kept(self.wheels, key, wheel, FACTS, self.warnings.append)

    def entry(self, key: str = KEY) -> Path:
        """Where the entry of a key is."""
        return entry_in(self.root, key)

    def left_over(self) -> list[str]:
        """Return what lies in the output folder, hidden or not."""
        return sorted(path.name for path in self.out.iterdir())


def entry_in(place: Path, key: str = KEY) -> Path:
    """Return where a place has the entry of a key."""
    return place / "wheels" / key / "entry.json"


def wheel_in(place: Path, key: str = KEY) -> Path:
    """Return the one wheel that a place has under a key."""
    (found,) = (place / "wheels" / key).glob("*/*.whl")
    return found


def a_wheel(folder: Path, text: str = "first", name: str = "sample") -> Path:
    """Write a wheel."""
    folder.mkdir(parents=True, exist_ok=True)
    return tiny_wheel.write(folder, name, "1.0", {f"{name}.py": f"VALUE = {text!r}\n"})


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """Return a wheel that was built."""
    return a_wheel(tmp_path / "built")


@pytest.fixture
def team(tmp_path: Path) -> Path:
    """Return a folder that a team shares."""
    (tmp_path / "team").mkdir()
    return tmp_path / "team"


def test_a_kept_wheel_comes_back_as_it_was(tmp_path: Path, wheel: Path) -> None:
    """With what was written down of it, and where it comes from."""
    machine = Machine(tmp_path)

    nothing = machine.found()
    machine.keep(wheel)
    found = machine.found()

    assert nothing is None
    assert found is not None
    assert found.path == machine.out / NAME
    assert found.path.read_bytes() == wheel.read_bytes()
    assert (found.place, found.facts) == ("the store", FACTS)
    assert abs(time.time() - found.created) < 60
    assert machine.found("another key") is None
    assert machine.left_over() == [NAME]
    assert machine.warnings == []


def test_what_comes_out_is_the_users_own(tmp_path: Path, wheel: Path, team: Path) -> None:
    """A copy: whoever edits it in place edits neither the store nor the shared place, nor the wheel that was kept."""
    machine = Machine(tmp_path, team, writes=True)
    machine.keep(wheel)
    content = wheel.read_bytes()

    for _ in range(2):
        found = machine.found()
        assert found is not None
        assert found.path.stat().st_nlink == 1
        with found.path.open("r+b") as file:
            file.write(b"mine")

    assert wheel_in(machine.root).read_bytes() == wheel_in(team).read_bytes() == wheel.read_bytes() == content
    assert machine.warnings == []


def _edited(**changes: object) -> Callable[[Path], None]:
    """Return what changes an entry."""

    def edit(place: Path) -> None:
        file = entry_in(place)
        document = json.loads(file.read_text(encoding="utf-8"))
        file.write_text(json.dumps({**document, **changes}), encoding="utf-8")

    return edit


def _flip(place: Path) -> None:
    content = bytearray(wheel_in(place).read_bytes())
    content[len(content) // 2] ^= 1
    wheel_in(place).write_bytes(content)


def _renamed(place: Path, name: str) -> None:
    """Name another file, and put the wheel where that name leads."""
    sha256 = json.loads(entry_in(place).read_text(encoding="utf-8"))["sha256"]
    target = entry_in(place).parent / sha256 / name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(wheel_in(place), target)
    _edited(file=name)(place)


_DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a flipped bit": (_flip, "another SHA-256"),
    "the end is missing": (lambda place: os.truncate(wheel_in(place), 100), "another size"),
    "it is longer": (lambda place: os.truncate(wheel_in(place), 10**6), "another size"),
    "another wheel": (lambda place: wheel_in(place).write_bytes(b"\0" * wheel_in(place).stat().st_size), "SHA-256"),
    "no wheel": (lambda place: wheel_in(place).unlink(), "is not there"),
    "a name that is no wheel's": (lambda place: _renamed(place, "sample.py"), "no sound file"),
    "a name with a folder": (lambda place: _renamed(place, f"../../{NAME}"), "no sound file"),
    "a name with a folder of Windows": (_edited(file=f"..\\{NAME}"), "no sound file"),
    "a name from the root": (lambda place: _renamed(place, f"{place}/{NAME}"), "no sound file"),
    "a hidden name": (lambda place: _renamed(place, f".{NAME}"), "no sound file"),
    "a name that is no text": (_edited(file=[NAME]), "no sound file"),
    "a digest with a folder": (_edited(sha256="../" * 20), "no sound sha256"),
    "no size": (_edited(size=None), "no sound size"),
    "no time": (_edited(created=float("inf")), "no sound created"),
    "facts for the terminal": (_edited(facts={"passed": ["\x1b]0;mine\x07"]}), "no sound facts"),
    "facts of another shape": (_edited(facts={"passed": {}}), "no sound facts"),
    "another format": (_edited(format=2), "another format"),
    "no document": (lambda place: entry_in(place).write_text("{"), "no JSON document"),
    "an empty one": (lambda place: entry_in(place).write_text(""), "no JSON document"),
    "a list": (lambda place: entry_in(place).write_text("[]"), "another format"),
    "too deep": (lambda place: entry_in(place).write_text("[" * 10**5), "no JSON document"),
    "too long": (lambda place: entry_in(place).write_text(" " * (1 << 20) + "{}"), "too long"),
}


@pytest.mark.parametrize("damage", _DAMAGES)
def test_a_damaged_wheel_is_removed_and_said(tmp_path: Path, wheel: Path, damage: str) -> None:
    """Nothing of it is used, and the next one is kept in its place."""
    machine = Machine(tmp_path)
    machine.keep(wheel)
    harm, reason = _DAMAGES[damage]
    harm(machine.root)

    first, second = machine.found(), machine.found()
    left = machine.left_over()
    machine.keep(wheel)
    third = machine.found()

    assert (first, second, left) == (None, None, [])
    (told,) = machine.warnings
    assert reason in told
    assert third is not None
    assert third.path.read_bytes() == wheel.read_bytes()


@pytest.mark.parametrize("damage", _DAMAGES)
def test_a_damaged_wheel_in_the_shared_place_is_not_used_and_left_there(
    tmp_path: Path, wheel: Path, team: Path, damage: str
) -> None:
    """Whoever put it there: nothing is written but into our own folders, and nothing of it is kept."""
    Machine(tmp_path / "a", team, writes=True).keep(wheel)
    machine = Machine(tmp_path / "b", team)
    harm, reason = _DAMAGES[damage]
    harm(team)
    before = fingerprint(tmp_path)

    found = machine.found()

    assert found is None
    (told,) = machine.warnings
    assert reason in told
    assert str(team) in told
    assert fingerprint(tmp_path) == before


def test_who_builds_it_again_mends_the_shared_place(tmp_path: Path, wheel: Path, team: Path) -> None:
    """Where it may be written."""
    machine = Machine(tmp_path / "a", team, writes=True)
    machine.keep(wheel)
    _flip(team)
    shutil.rmtree(machine.root)

    damaged = machine.found()
    machine.keep(wheel)
    found = Machine(tmp_path / "b", team).found()

    assert damaged is None
    assert found is not None
    assert found.path.read_bytes() == wheel.read_bytes()


def test_a_wheel_of_the_shared_place_is_kept_here_as_well(tmp_path: Path, wheel: Path, team: Path) -> None:
    """The next build asks nobody; what was written down comes along."""
    Machine(tmp_path / "a", team, writes=True).keep(wheel)
    machine = Machine(tmp_path / "b", team)

    first = machine.found()
    shutil.rmtree(team)
    second = machine.found()

    assert first is not None
    assert second is not None
    assert (first.place, second.place) == (str(team), "the store")
    assert (first.sha256, first.created, first.facts) == (second.sha256, second.created, second.facts)
    assert machine.warnings == []


def test_a_shared_place_is_read_only_unless_it_is_said(tmp_path: Path, wheel: Path, team: Path) -> None:
    """Without read-write nothing is put there."""
    Machine(tmp_path, team).keep(wheel)

    assert list(team.iterdir()) == []


def test_a_team_can_read_what_one_of_it_has_put_there(tmp_path: Path, wheel: Path, team: Path) -> None:
    """By the user's own umask: not for one user alone, as temporary files are."""
    before = os.umask(0o027)
    try:
        Machine(tmp_path, team, writes=True).keep(wheel)
    finally:
        os.umask(before)

    modes = {stat.S_IMODE(path.stat().st_mode) for path in team.rglob("*")}
    assert modes == {0o750, 0o640}


def test_the_layouts_are_the_same(tmp_path: Path, wheel: Path, team: Path) -> None:
    """A shared place can be made by copying a store's wheels."""
    machine = Machine(tmp_path / "a")
    machine.keep(wheel)
    shutil.copytree(machine.root / "wheels", team / "wheels")

    found = Machine(tmp_path / "b", team).found()

    assert found is not None
    assert found.path.read_bytes() == wheel.read_bytes()


def test_the_newer_wheel_of_a_key_takes_the_place_of_the_older(tmp_path: Path, wheel: Path, team: Path) -> None:
    """`--rebuild`: here nothing of the older one stays, and the shared place answers with the newer one."""
    machine = Machine(tmp_path / "a", team, writes=True)
    machine.keep(wheel)
    newer = a_wheel(tmp_path / "again", "second")

    machine.keep(newer)
    here, there = machine.found(), Machine(tmp_path / "b", team).found()

    assert here is not None
    assert there is not None
    assert here.path.read_bytes() == there.path.read_bytes() == newer.read_bytes() != wheel.read_bytes()
    assert wheel_in(machine.root).read_bytes() == newer.read_bytes()  # the only one


def test_who_reads_while_a_place_is_written_reads_the_old_or_the_new(tmp_path: Path, wheel: Path, team: Path) -> None:
    """A file appears whole, by a rename: who has the old entry open reads it to its end, and finds its wheel."""
    machine = Machine(tmp_path / "a", team, writes=True)
    machine.keep(wheel)
    before = entry_in(team).read_bytes()
    old_wheel = wheel_in(team)

    with entry_in(team).open("rb") as file:
        machine.keep(a_wheel(tmp_path / "again", "second"))
        read = file.read()

    assert read == before
    assert old_wheel.read_bytes() == wheel.read_bytes()
    assert entry_in(team).read_bytes() != before


_WORKER = """
import sys
from pathlib import Path
from passbuild import wheel_store
from passbuild.environment.store import Store
from passbuild.shared_place import Shared
folder, number, key = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
sys.path.insert(0, sys.argv[4])
from tests.samples.records_what_it_sees.backend import tiny_wheel
def told(text):
    sys.exit(text)
shared = Shared(str(folder / "team"), "", is_writable=True)
wheels = wheel_store.Wheels(store=Store(root=folder / "store", max_age=9, max_size=10**9), shared=shared)
out = folder / "out" / number
out.mkdir(parents=True)
content = str(number) * 200_000
wheel = tiny_wheel.write(out, "sample", "1.0", {"sample.py": "VALUE = " + content})
mine = wheel.read_bytes()
(out / "got").mkdir()
print("ready", flush=True)
sys.stdin.readline()
for round in range(20):
    wheel_store.kept(wheels, key, wheel, {}, told)
    found = wheel_store.found(wheels, key, out / "got", told)
    assert found is not None
    import zipfile
    with zipfile.ZipFile(found.path) as archive:
        text = archive.read("sample.py").decode()
    assert len(set(text.removeprefix("VALUE = "))) == 1, "mixed"
"""


def test_eight_processes_keep_and_get_the_same_wheel_at_once(tmp_path: Path, team: Path) -> None:
    """Each always finds one of the eight, whole; nobody is told anything, and what is left is one wheel."""
    children = [
        subprocess.Popen(
            [sys.executable, "-c", _WORKER, tmp_path, str(number), KEY, ROOT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(1, 9)
    ]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"

    for child in children:
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()
    ends = [(child.communicate()[1], child.returncode) for child in children]

    assert ends == [("", 0)] * 8
    assert len(list((tmp_path / "store" / "wheels").iterdir())) == 1
    assert wheel_in(tmp_path / "store").is_file()
    assert Machine(tmp_path / "b", team).found() is not None


_KILLED = """
import os, signal, sys
from pathlib import Path
from passbuild import shared_place, wheel_store
from passbuild.environment.store import Store
put = shared_place.Folder.put
def killed(self, path, blocks):
    def half():
        yield from blocks
        if path.endswith(sys.argv[3]):
            os.kill(os.getpid(), signal.SIGKILL)
    put(self, path, half())
shared_place.Folder.put = killed
wheels = wheel_store.Wheels(store=Store(root=Path(sys.argv[1]), max_age=9, max_size=10**9))
wheel_store.kept(wheels, sys.argv[4], Path(sys.argv[2]), {}, print)
"""


@pytest.mark.parametrize("when", [".whl", ".json"])
def test_a_crash_before_the_entry_is_there_leaves_no_wheel(tmp_path: Path, wheel: Path, when: str) -> None:
    """Killed without warning: there is none; it is shown as unfinished, and the next one is kept as ever."""
    machine = Machine(tmp_path)

    child = subprocess.run([sys.executable, "-c", _KILLED, machine.root, wheel, when, KEY], check=False)
    found = machine.found()
    (listed,) = wheel_store.listed(machine.root)
    machine.keep(wheel)
    again = machine.found()

    assert child.returncode == -signal.SIGKILL
    assert found is None
    assert (listed.file, listed.size, listed.facts) == ("", 0, {})
    assert again is not None
    assert [path.name for path in machine.entry().parent.rglob("*") if path.name.startswith(".")] == []
    assert machine.warnings == []


_KILLED_WHILE_REMOVING = """
import os, shutil, signal, sys
from pathlib import Path
from passbuild import wheel_store
from passbuild.environment.store import Store
def killed(path, **_):
    if os.path.exists(path):
        next(Path(path).rglob("*.whl")).unlink()
        os.kill(os.getpid(), signal.SIGKILL)
shutil.rmtree = killed
wheel_store.pruned(Store(root=Path(sys.argv[1]), max_age=9, max_size=10**9), everything=True)
"""


def test_a_crash_while_a_wheel_is_removed_leaves_no_half_of_it(tmp_path: Path, wheel: Path) -> None:
    """It is not found under its key any more, and the rest of it goes the next time."""
    machine = Machine(tmp_path)
    machine.keep(wheel)

    child = subprocess.run([sys.executable, "-c", _KILLED_WHILE_REMOVING, machine.root], check=False)
    found, listed = machine.found(), wheel_store.listed(machine.root)
    wheel_store.pruned(machine.wheels.store)

    assert child.returncode == -signal.SIGKILL
    assert (found, listed, machine.warnings) == (None, (), [])
    assert list((machine.root / "wheels").iterdir()) == []


def test_prune_removes_what_a_crash_left(tmp_path: Path, wheel: Path) -> None:
    """What is finished stays."""
    machine = Machine(tmp_path)
    machine.keep(wheel)
    subprocess.run([sys.executable, "-c", _KILLED, machine.root, wheel, ".json", "other"], check=False)
    (machine.root / "wheels" / ".half-removed").mkdir()

    environments, wheels = wheel_store.pruned(machine.wheels.store)

    assert environments == ()
    assert [item.key for item in wheels] == ["other"]
    assert [path.name for path in (machine.root / "wheels").iterdir()] == [KEY]


def test_a_store_that_cannot_be_written_is_told_and_the_build_goes_on(tmp_path: Path, wheel: Path, team: Path) -> None:
    """Its place is a file; the shared place serves all the same."""
    Machine(tmp_path / "a", team, writes=True).keep(wheel)
    machine = Machine(tmp_path / "b", team)
    machine.root.write_text("not a folder", encoding="utf-8")

    found = machine.found()
    machine.keep(wheel)

    assert found is not None
    assert found.path.read_bytes() == wheel.read_bytes()
    assert len(machine.warnings) == 2
    assert len(set(machine.warnings)) == 1
    assert "is not kept" in machine.warnings[0]
    assert str(machine.root) in machine.warnings[0]


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """Yield a file system of 100 kB."""
    with places.small_disk(tmp_path / "small", "100k") as folder:
        yield folder


def test_a_store_that_may_only_be_read_answers(small: Path, wheel: Path) -> None:
    """A cache that CI has mounted: what is there is used, a damaged one is not, and that it cannot be kept is said."""
    machine = Machine(small / "machine")
    machine.keep(wheel)
    machine.keep(wheel, "damaged")
    with wheel_in(machine.root, "damaged").open("r+b") as file:
        file.write(b"mine")
    machine.out = wheel.parent / "out"
    machine.out.mkdir()
    subprocess.run(["mount", "-o", "remount,ro", small], check=True)

    found, damaged = machine.found(), machine.found("damaged")
    machine.keep(wheel)

    assert found is not None
    assert damaged is None
    first, second = machine.warnings
    assert "another SHA-256" in first
    assert "is not kept" in second
    assert "Read-only file system" in second


@pytest.mark.parametrize("which", ["the store", "the shared place"])
def test_a_full_disk_is_told_and_leaves_no_half_of_a_wheel(small: Path, tmp_path: Path, which: str) -> None:
    """The older wheel of the same key stays."""
    shared = small if which == "the shared place" else None
    machine = Machine(tmp_path if shared else small / "machine", shared, writes=True)
    older, big = a_wheel(tmp_path / "older"), tmp_path / NAME
    big.write_bytes(os.urandom(200_000))
    machine.keep(older)

    machine.keep(big)
    found = Machine(tmp_path / "b", shared).found() if shared else machine.found()

    (told,) = machine.warnings
    assert "No space left on device" in told
    assert found is not None
    assert found.path.read_bytes() == older.read_bytes()
    assert wheel_in(shared or machine.root).read_bytes() == older.read_bytes()
    assert list((shared or machine.root).rglob(".*")) == []


@pytest.mark.parametrize("shared", ["{folder}/nowhere", "file://{folder}/nowhere"])
@pytest.mark.parametrize("first", ["asked", "written"])
def test_a_shared_folder_that_is_not_there_is_told_once_and_never_made(
    tmp_path: Path, wheel: Path, shared: str, first: str
) -> None:
    """What is not mounted must not grow below its mount point."""
    machine = Machine(tmp_path, shared.format(folder=tmp_path), writes=True)

    found = [machine.found(), machine.found("other")] if first == "asked" else []
    machine.keep(wheel)
    machine.keep(wheel)

    assert not any(found)
    (told,) = machine.warnings
    assert "there is no folder" in told
    assert ("is not used" in told) == (first == "asked")
    assert not (tmp_path / "nowhere").exists()
    assert machine.found() is not None


def test_a_file_url_names_a_folder(tmp_path: Path, wheel: Path) -> None:
    """With what is quoted in it."""
    place = tmp_path / "the team's"
    place.mkdir()
    Machine(tmp_path / "a", place.as_uri(), writes=True).keep(wheel)

    found = Machine(tmp_path / "b", place).found()

    assert "%20" in place.as_uri()
    assert found is not None


def test_a_shared_place_that_never_answers_is_given_up(tmp_path: Path, wheel: Path, team: Path) -> None:
    """As a folder of a server that is down: told once, and the wheel is kept here."""
    pipe = entry_in(team)
    pipe.parent.mkdir(parents=True)
    os.mkfifo(pipe)
    machine = Machine(tmp_path, team, writes=True, patience=PATIENCE)
    begin = time.monotonic()

    first, second = machine.found(), machine.found()
    machine.keep(wheel)
    seconds = time.monotonic() - begin
    with pipe.open("wb"):
        pass  # lets the thread that was given up end

    assert (first, second) == (None, None)
    (told,) = machine.warnings
    assert "nothing came for" in told
    assert seconds < 10
    assert machine.found() is not None
    assert machine.left_over() == [NAME]


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the standard library's name
        """Say nothing."""


@pytest.fixture
def serve() -> Iterator[Callable[[Any], str]]:
    """Serve with a handler of requests, on a port of its own; return the URL."""
    servers = []

    def start(handler: Any) -> str:
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_wheels_come_from_a_web_server(tmp_path: Path, wheel: Path, team: Path, serve: Callable[[Any], str]) -> None:
    """A folder that any server publishes is a shared place; into it nothing can be put, which is said."""
    Machine(tmp_path / "a", team, writes=True).keep(wheel)
    url = serve(functools.partial(_Quiet, directory=str(team)))
    machine = Machine(tmp_path / "b", f"{url}/")
    writer = Machine(tmp_path / "c", url, writes=True)

    found, nothing = machine.found(), machine.found("other")
    writer.keep(wheel, "other")

    assert found is not None
    assert found.path.read_bytes() == wheel.read_bytes()
    assert found.place == f"{url}/"
    assert nothing is None
    assert machine.warnings == []
    (told,) = writer.warnings
    assert "is not put into" in told
    assert writer.found("other") is not None


@pytest.mark.parametrize("damage", ["a flipped bit", "no wheel", "a name with a folder", "too long"])
def test_a_web_server_is_believed_no_more_than_a_folder(
    tmp_path: Path, wheel: Path, team: Path, serve: Callable[[Any], str], damage: str
) -> None:
    """Checked in the same way."""
    Machine(tmp_path / "a", team, writes=True).keep(wheel)
    harm, reason = _DAMAGES[damage]
    harm(team)
    machine = Machine(tmp_path / "b", serve(functools.partial(_Quiet, directory=str(team))))
    before = fingerprint(tmp_path)

    found = machine.found()

    assert found is None
    (told,) = machine.warnings
    assert reason in told
    assert fingerprint(tmp_path) == before


def _answering(code: int) -> type[BaseHTTPRequestHandler]:
    class Handler(_Quiet):
        def do_GET(self) -> None:
            self.send_error(code)

        do_HEAD = do_GET  # noqa: N815 - the standard library's name

    return Handler


class _Silent(_Quiet):
    def do_GET(self) -> None:
        time.sleep(4 * PATIENCE)
        self.close_connection = True

    do_HEAD = do_GET  # noqa: N815 - the standard library's name


_TROUBLES = {
    "nobody listens": (None, "Cannot connect"),
    "not for you": (_answering(401), "401"),
    "not now": (_answering(503), "503"),
    "no answer": (_Silent, "nothing came for"),
}


@pytest.mark.parametrize("trouble", _TROUBLES)
def test_a_server_in_trouble_is_told_once_without_credentials(
    tmp_path: Path, wheel: Path, serve: Callable[[Any], str], trouble: str
) -> None:
    """The build goes on with what is here."""
    handler, reason = _TROUBLES[trouble]
    url = serve(handler) if handler else "http://127.0.0.1:9"
    place = url.replace("://", "://me:s3cret@")
    patience = PATIENCE if handler is _Silent else 20
    machine = Machine(tmp_path, f"{place}/wheels", writes=True, patience=patience)

    found = [machine.found(), machine.found("other")]
    machine.keep(wheel)

    assert found == [None, None]
    (told,) = machine.warnings
    assert reason in told
    assert "http://***@127.0.0.1" in told
    assert "s3cret" not in told
    assert machine.found() is not None


def test_any_file_system_of_fsspec_can_be_written(tmp_path: Path, wheel: Path, team: Path) -> None:
    """Shown with its own one for folders: what it puts there is what our own finds."""
    Machine(tmp_path / "a", f"local://{team}", writes=True).keep(wheel)

    by_fsspec = Machine(tmp_path / "b", f"local://{team}").found()
    by_folder = Machine(tmp_path / "c", team).found()

    assert by_fsspec is not None
    assert by_folder is not None
    assert by_fsspec.path.read_bytes() == by_folder.path.read_bytes() == wheel.read_bytes()


def test_a_library_that_repeats_the_url_in_an_error_tells_no_credentials(tmp_path: Path, wheel: Path) -> None:
    """Whatever is raised behind a URL is a warning, in one line, without them."""

    class Leaky(fsspec.AbstractFileSystem):  # type: ignore[misc]  # fsspec has no types
        protocol = "leaky"

        def _open(self, path: str, *_: object, **__: object) -> None:
            raise RuntimeError(f"no answer\nfrom leaky://me:s3cret@host, for {path}, by s3cret")

    fsspec.register_implementation("leaky", Leaky, clobber=True)
    reader = Machine(tmp_path / "a", "leaky://me:s3cret@host")
    writer = Machine(tmp_path / "b", "leaky://me:s3cret@host", writes=True)

    found = reader.found()
    writer.keep(wheel)

    assert found is None
    for machine in (reader, writer):
        (told,) = machine.warnings
        assert "leaky://***@host" in told
        assert "RuntimeError: no answer from" in told
        assert "s3cret" not in told


_WRONG = {
    "s3://bucket/wheels": ("fsspec", "pip install 'passbuild[shared]'"),
    "s3://me:s3cret@bucket": ("s3fs", "pip install 'passbuild[shared]' s3fs"),
    "https://server/wheels": ("aiohttp", "pip install 'passbuild[shared]'"),
    "strange://me:s3cret@place": ("", "folders, https://, s3://"),
    "https://me:s3cret@server/?token=s3cret": ("", "leave out ?"),
    "file://server/wheels": ("", "file:///folder"),
}


@pytest.mark.parametrize("place", _WRONG)
def test_a_place_that_cannot_be_one_is_an_error_with_what_to_type(
    tmp_path: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """A wrong setting is no matter of the weather: it stops the build, before the build or after it."""
    module, advice = _WRONG[place]
    machine = Machine(tmp_path, place, writes=True)
    if module:
        monkeypatch.setitem(sys.modules, module, None)
        for name in [name for name in sys.modules if name.startswith(("fsspec.", "s3fs"))]:
            monkeypatch.delitem(sys.modules, name)

    def check() -> None:
        wheel_store.check(machine.wheels, machine.warnings.append)

    for act in (check, machine.found, lambda: machine.keep(wheel)):
        with pytest.raises(InvalidSettings) as caught:
            act()
        assert advice in caught.value.hint
        assert "shared-wheels (--shared-wheels): " in caught.value.message
        assert "s3cret" not in f"{caught.value.message} {caught.value.hint}"
    assert machine.warnings == []


def _environment(machine: Machine, name: str, size: int, used: float) -> Path:
    """Put a finished environment of a size into a store, without making one."""
    folder = machine.root / "environments" / name
    (folder / "env").mkdir(parents=True)
    document = {"format": 1, "created": time.time(), "size": size, "facts": {"version": "3"}, "states": {}}
    (folder / "environment.json").write_text(json.dumps(document), encoding="utf-8")
    (folder / "used").touch()
    os.utime(folder / "used", (used, used))
    return folder


def _use(machine: Machine, key: str, used: float) -> None:
    os.utime(machine.root / "wheels" / key / "used", (used, used))


def test_wheels_and_environments_share_the_size_by_their_last_use(tmp_path: Path, wheel: Path) -> None:
    """Those used least recently go; a wheel that was asked for counts as used."""
    size = wheel.stat().st_size
    machine = Machine(tmp_path)
    now = time.time()
    for number, key in enumerate(["first", "second", "third"]):
        machine.keep(wheel, key)
        _use(machine, key, now - 1000 + 100 * number)
    old = _environment(machine, "old", size, now - 950)  # between the first wheel and the second
    new = _environment(machine, "new", size, now - 10)
    machine.found("first")
    small = Store(root=machine.root, max_age=3600, max_size=3 * size)

    environments, wheels = wheel_store.pruned(small)

    assert [item.folder for item in environments] == [old]
    assert [item.key for item in wheels] == ["second"]
    assert new.is_dir()
    assert [item.key for item in wheel_store.listed(machine.root)] == ["first", "third"]


def test_keeping_a_wheel_makes_room(tmp_path: Path, wheel: Path) -> None:
    """Without `passbuild cache prune`."""
    size = wheel.stat().st_size
    machine = Machine(tmp_path, size=2 * size)
    for number, key in enumerate(["first", "second"]):
        machine.keep(wheel, key)
        _use(machine, key, number)

    machine.keep(wheel, "third")

    assert [item.key for item in wheel_store.listed(machine.root)] == ["third", "second"]


def test_a_folder_that_holds_something_else_is_no_store(tmp_path: Path, wheel: Path) -> None:
    """Without our CACHEDIR.TAG nothing is read, written or removed; after a build it is no error, as the wheel is."""
    other = Machine(tmp_path / "a")
    other.keep(wheel)
    machine = Machine(tmp_path / "b")
    shutil.copytree(other.root / "wheels", machine.root / "wheels")
    before = fingerprint(machine.root)

    found = machine.found()
    machine.keep(wheel, "other")
    with pytest.raises(NotAStore):
        wheel_store.pruned(machine.wheels.store, everything=True)

    assert found is None
    assert fingerprint(machine.root) == before
    (told,) = machine.warnings
    assert "is no store of passbuild" in told


def cache(machine: Machine, *arguments: str, shared: Path | None = None) -> str:
    """Return what `passbuild cache` prints."""
    argv = [sys.executable, "-m", "passbuild", "cache", *arguments, "--cache-dir", str(machine.root)]
    place = {"PASSBUILD_SHARED_WHEELS": str(shared), "PASSBUILD_SHARED_WHEELS_MODE": "read-write"} if shared else {}
    environ = {"HOME": str(machine.folder), "PATH": os.environ["PATH"], **place}
    finished = subprocess.run(argv, env=environ, check=True, capture_output=True, text=True)
    assert finished.stderr == ""
    return finished.stdout


def test_cache_list_tells_of_wheels(tmp_path: Path, wheel: Path) -> None:
    """Name, size, age, last use, and what it was built against; with `--json` as a document."""
    machine = Machine(tmp_path)
    machine.keep(wheel)
    _edited(created=time.time() - 7200)(machine.root)
    _use(machine, KEY, time.time() - 3600)

    text = cache(machine, "list")
    document = json.loads(cache(machine, "list", "--json"))

    (line,) = [line for line in text.splitlines() if NAME in line]
    size = wheel.stat().st_size
    assert line.split() == [
        *(str(size), "B", "2", "h", "1", "h"),
        *(KEY, f"{NAME}:", "engine", "1.0,", "fuel", "1.0"),
    ]
    (item,) = document["wheels"]
    assert 7200 <= item.pop("age") < 7800
    assert 3600 <= item.pop("unused") < 4200
    folder = str(machine.root / "wheels" / KEY)
    assert item == {"key": KEY, "folder": folder, "file": NAME, "size": size, "facts": FACTS}
    assert document["environments"] == []


def test_cache_prune_and_clear_remove_wheels_and_touch_no_shared_place(tmp_path: Path, wheel: Path, team: Path) -> None:
    """Pruned by the size of the store; cleared altogether; what others may need stays."""
    machine = Machine(tmp_path, team, writes=True)
    for number, key in enumerate(["first", "second"]):
        machine.keep(wheel, key)
        _use(machine, key, number + 1)
    a_megabyte = tmp_path / NAME
    a_megabyte.write_bytes(os.urandom(999_900))
    machine.keep(a_megabyte, "third")
    before = fingerprint(team)

    pruned = json.loads(cache(machine, "prune", "--json", "--store-max-size", "1", shared=team))
    left = [item.key for item in wheel_store.listed(machine.root)]
    cleared = cache(machine, "clear", shared=team)
    again = cache(machine, "clear", shared=team)

    assert [item["key"] for item in pruned["wheels"]] == ["second", "first"]
    assert pruned["removed"] == []
    assert left == ["third"]
    assert cleared == f"{machine.root / 'wheels' / 'third'}\n"
    assert again == "nothing to remove\n"
    assert list((machine.root / "wheels").iterdir()) == []
    assert fingerprint(team) == before
