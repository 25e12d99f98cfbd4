"""Where something is missing that every program needs: a clear error with a code, soon, and nothing left over."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import places
from tests.integration import live
from tests.integration.bench import Outcome, fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.integration.bench import Bench

_SOON = 30.0
"""Seconds in which everything here has to end, most of which is what a busy machine takes."""
_SYSTEM_REFUSED = 2
_LINES = "import os, pathlib\nfrom recorder import *\nfrom recorder import build_wheel as really_build_wheel\n"


def build(bench: Bench, project: Path | str, *options: object, environ: Mapping[str, str] | None = None) -> Outcome:
    """Build a wheel with the host's engine, and hold that it ends soon, without a traceback."""
    begin = time.monotonic()
    arguments = ["--host", bench.host("engine==1.0", "fuel==1.0"), "--passthrough", "engine", *options]
    run = bench.passbuild("wheel", project, *arguments, environ=environ)
    assert time.monotonic() - begin < _SOON
    assert "Traceback" not in run.stderr
    assert run.code in range(4)
    return run


def backend(bench: Bench, code: str, **options: object) -> Path:
    """Return a project with this backend."""
    folder = bench.project(**options)  # type: ignore[arg-type]  # those of the sample
    (folder / "backend" / "other.py").write_text(_LINES + code, encoding="utf-8")
    file = folder / "pyproject.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('"recorder"', '"other"'), encoding="utf-8")
    return folder


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Let nobody write a folder, not even root; skip where nothing can be mounted."""
    mounted = subprocess.run(["mount", "--bind", folder, folder], check=False, capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"nothing can be mounted here: {mounted.stderr.strip()}")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


# Full disks.


@pytest.mark.parametrize("size", ["4k", "16k", "40k", "64k", "100k"])
def test_no_room_for_temporary_files(bench: Bench, installer: str, size: str) -> None:
    """Wherever on the way the disk is full: nothing is published, nothing stays on that disk."""
    project = bench.project(requires=["tool"], imports=["engine", "tool"])

    with places.small_disk(bench.folder / "small", size) as small:
        run = build(bench, project, "--no-store", "--installer", installer, environ={"TMPDIR": str(small)})
        left = [path.name for path in small.iterdir() if path.suffix != ".log"]

    if run.code:
        told = f"{run.error['message']} {run.error['output']}"
        assert run.error["code"] in {"system-refused", "unresolvable", "backend-failed"}
        assert "No space left on device" in told or "os error 28" in told
        assert bench.published() == {}
    assert size not in {"4k", "16k", "40k"} or run.error["code"] == "system-refused"
    assert left == []


@pytest.mark.parametrize("command", ["wheel", "sdist", "build"])
def test_no_room_in_the_output_folder(bench: Bench, command: str) -> None:
    """The backend cannot write to the end: its words, the advice, and an output folder as it was."""
    code = (
        "def build_wheel(folder, *rest):\n    pathlib.Path(folder, 'w').write_bytes(bytes(10**6))\n"
        "def build_sdist(folder, *rest):\n    pathlib.Path(folder, 's').write_bytes(bytes(10**6))\n"
    )
    project = backend(bench, code)

    with places.small_disk(bench.outdir, "100k"):
        (bench.outdir / "mine.txt").touch()
        run = bench.passbuild(command, project, "--host", bench.host())
        left = list(bench.published())

    assert run.code == 1
    assert run.error["code"] == "backend-failed"
    assert "No space left on device" in run.error["message"]
    assert f"{bench.outdir} has 0 MB left" in run.error["hint"]
    assert left == ["mine.txt"]


def test_no_room_for_what_passbuild_adds_to_a_wheel(bench: Bench) -> None:
    """The wheel fits once, and not a second time beside itself."""
    code = (
        "import tiny_wheel, engine\n"
        "def build_wheel(folder, *rest):\n"
        "    return tiny_wheel.write(pathlib.Path(folder), 'sample', '1.0', {'sample.py': '#' * 70000}).name\n"
    )

    with places.small_disk(bench.outdir, "100k"):
        run = build(bench, backend(bench, code), "--pin", "exact")
        left = list(bench.published())

    assert run.code == 2
    assert run.error["code"] == "output-not-writable"
    assert "No space left on device" in run.error["message"]
    assert left == []


@pytest.mark.parametrize("size", ["4k", "16k", "40k", "64k", "100k"])
def test_no_room_in_the_store(bench: Bench, installer: str, size: str) -> None:
    """A build can do without: a warning, a temporary environment, and nothing unfinished there."""
    project = bench.project(requires=["tool"], imports=["engine", "tool"])

    with places.small_disk(bench.folder / "small", size) as small:
        run = build(bench, project, "--cache-dir", small / "store", "--installer", installer)
        unfinished = [
            path for path in (small / "store").glob("environments/*") if not (path / "environment.json").exists()
        ]
        unfinished += [*(small / "store").glob("unfinished/*"), *(small / "store").glob("environments/.*")]

    assert run.code == 0, run.stderr
    assert run.document["environment"]["stored"] or any("cannot be used" in text for text in run.document["warnings"])
    assert run.document["environment"]["stored"] is False or size in {"64k", "100k"}
    assert unfinished == []


# What cannot be written.


def test_a_read_only_store_is_told_and_the_build_goes_on(bench: Bench) -> None:
    """With an environment in it that would fit: it cannot be locked, so it is not used."""
    project = bench.project(requires=["tool"], imports=["engine", "tool"])
    store = bench.folder / "store"
    first = build(bench, project, "--cache-dir", store)
    before = fingerprint(store)

    with read_only(store):
        run = build(bench, project, "--cache-dir", store)
        cleared = bench.passbuild("cache", "clear", "--cache-dir", store, outdir=None, json=False)

    assert first.code == 0, first.stderr
    assert run.code == 0, run.stderr
    assert run.document["environment"]["stored"] is False
    assert any("Read-only file system" in text for text in run.document["warnings"])
    assert cleared.code == 2
    assert "error[output-not-writable]" in cleared.stderr
    assert fingerprint(store) == before


def test_a_read_only_output_folder_is_told_before_anything_is_made(bench: Bench) -> None:
    """It costs no environment, and no build."""
    project = bench.project(requires=["tool"])
    bench.outdir.mkdir()

    with read_only(bench.outdir):
        run = build(bench, project)

    assert run.code == 2
    assert run.error["code"] == "output-not-writable"
    assert [step["name"] for step in run.document["steps"]] == ["read the host"]


def test_a_read_only_source_is_built_where_the_backend_can(bench: Bench) -> None:
    """Nothing is written there but what goes into `dist`, for which another place can be named."""
    project = bench.project(requires=["tool"], imports=["engine", "tool"])

    with read_only(project):
        run = build(bench, project)
        own = bench.passbuild("wheel", project, "--host", bench.host(), outdir=None)

    assert run.code == 0, run.stderr
    assert own.code == 2
    assert own.error["code"] == "output-not-writable"


def test_an_output_folder_that_becomes_read_only_meanwhile(bench: Bench) -> None:
    """There is no way to publish: an error, no half a wheel, and the next run removes what could not be."""
    bench.outdir.mkdir()
    mount = f"import subprocess\nOUT = {str(bench.outdir)!r}\n"
    code = mount + (
        "def build_wheel(folder, *rest):\n"
        "    name = really_build_wheel(folder, *rest)\n"
        "    for option in (['--bind', OUT, OUT], ['-o', 'remount,bind,ro', OUT]):\n"
        "        subprocess.run(['mount', *option], check=True)\n"
        "    return name\n"
    )
    with read_only(bench.outdir):  # skips where it cannot
        pass

    run = build(bench, backend(bench, code), "--no-passthrough", ":all:", "--protect-host", "off")
    subprocess.run(["umount", bench.outdir], check=True)
    left = [path.name for path in bench.outdir.iterdir()]
    build(bench, "nothing", "--no-index")

    assert run.code == 2
    assert run.error["code"] == "output-not-writable"
    assert "Read-only file system" in run.error["message"]
    assert [name for name in left if name.endswith(".whl")] == []
    assert bench.published() == {}


# Folders for temporary files.


def test_a_tmpdir_that_is_not_there_is_not_used(bench: Bench) -> None:
    """Python takes the next one that can be written, and so does passbuild."""
    project = bench.project(requires=["tool"], imports=["engine", "tool"])

    run = build(bench, project, environ={"TMPDIR": "/nowhere/at/all", "TEMP": str(bench.scratch)})

    assert run.code == 0, run.stderr


@pytest.mark.parametrize("is_named", [False, True])
def test_no_tmp(bench: Bench, *, is_named: bool) -> None:
    """Neither /tmp nor /var/tmp can be written: an error that names TMPDIR, which helps."""
    host = bench.host("engine==1.0", "fuel==1.0")
    project = bench.project(imports=["engine"])
    own = bench.folder
    steps = (
        f"mount --bind {own} {own} && mount --rbind /tmp /tmp && mount --bind /var/tmp /var/tmp"
        " && mount -o remount,bind,ro /tmp && mount -o remount,bind,ro /var/tmp && cd /proc"
    )
    command = f"{sys.executable} -m passbuild wheel {project} --host {host} --passthrough engine -o {bench.outdir}"
    may = subprocess.run(["unshare", "-m", "sh", "-c", steps], check=False, capture_output=True, text=True)
    if may.returncode != 0:
        pytest.skip(f"nothing can be mounted here: {may.stderr.strip()}")

    run = subprocess.run(
        ["unshare", "-m", "sh", "-c", f"{steps} && exec {command}"],
        env={
            **bench.environ,
            "TMPDIR": str(bench.scratch) if is_named else "/nowhere",
            "XDG_CACHE_HOME": str(bench.folder / "cache"),
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert "Traceback" not in run.stderr
    assert run.returncode == (0 if is_named else _SYSTEM_REFUSED), run.stderr
    assert bool(bench.published()) is is_named
    if not is_named:
        assert "error[system-refused]: there is no folder for temporary files that can be written" in run.stderr
        assert "hint: set TMPDIR" in run.stderr


# Limits of a process.


@pytest.mark.parametrize("limit", [64, 24, 14, 12, 8])
def test_few_open_files(bench: Bench, limit: int) -> None:
    """`ulimit -n 24` is enough; with fewer it is said that there are too few."""
    host = bench.host("engine==1.0", "fuel==1.0")
    project = bench.project(requires=["tool"], imports=["engine", "tool"])
    argv = [sys.executable, "-m", "passbuild", "wheel", project, "--host", host, "--passthrough", "engine"]

    run = subprocess.run(
        [*map(str, argv), "-o", str(bench.outdir), "--no-store"],
        env=bench.environ,
        cwd=bench.folder,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)),
    )

    assert "Traceback" not in run.stderr
    assert run.returncode == 0 or "oo many open files" in run.stderr
    assert run.returncode in ({0} if limit >= 24 else {_SYSTEM_REFUSED} if limit <= 12 else {0, 1, 2, 3})
    assert bool(bench.published()) is (run.returncode == 0)


def _deep(bench: Bench, length: int) -> str:
    """Move a project so far down that its path has this many characters; it takes steps to get there."""
    project, folder = bench.project(requires=["tool"], imports=["engine", "tool"]), str(bench.folder)
    before = Path.cwd()
    os.chdir(folder)
    try:
        while length - len(folder) > 202:
            Path("d" * 200).mkdir()
            os.chdir("d" * 200)
            folder += "/" + "d" * 200
        name = "p" * (length - len(folder) - 1)
        shutil.move(str(project), name)
    finally:
        os.chdir(before)
    return f"{folder}/{name}"


@pytest.mark.parametrize("length", [3800, 4050])
def test_a_long_path_is_built(bench: Bench, length: int) -> None:
    """Up to what the system allows."""
    source = _deep(bench, length)

    run = build(bench, source)

    assert len(source) == length
    assert run.code == 0, run.stderr
    assert run.seen["cwd"] == source


def test_a_path_that_is_too_long_is_told(bench: Bench) -> None:
    """With pyproject.toml behind it the path has more characters than the system allows."""
    source = _deep(bench, 4090)

    run = build(bench, source)

    assert run.code == 2
    assert run.error["code"] == "system-refused"
    assert "File name too long" in run.error["message"]
    assert "shorter" in run.error["hint"]


@pytest.mark.parametrize("option", ["--host", "--cache-dir", "--report", "--outdir"])
def test_a_value_that_is_too_long_for_a_path_is_told(bench: Bench, option: str) -> None:
    """A store is done without; the others are errors with a code."""
    host = () if option == "--host" else ("--host", bench.host("engine==1.0", "fuel==1.0"))
    options = [*host, "--passthrough", "engine", option, "x" * 5000]

    run = bench.passbuild("wheel", bench.project(imports=["engine"]), *options, outdir=None)

    assert run.code == (0 if option == "--cache-dir" else 2), run.stderr
    if run.code:
        assert run.error["code"] in {"system-refused", "output-not-writable", "host-not-found"}
        told = "there is no such file, folder or version" if option == "--host" else "name too long"
        assert told in run.error["message"]


def test_the_longest_name_of_a_file_gets_into_an_sdist_and_out_again(bench: Bench) -> None:
    """255 bytes, of which some are more than one to a character."""
    name = "ä" * 100 + "n" * 55
    project = bench.project()
    (project / name).write_text("here", encoding="utf-8")

    run = bench.passbuild("build", project, "--host", bench.host())

    assert run.code == 0, run.stderr
    assert len(name.encode()) == 255
    assert sorted(path.suffix for path in bench.outdir.iterdir()) == [".gz", ".whl"]


# Output.


def _most_memory(bench: Bench, project: Path) -> tuple[int, int]:
    """Build a wheel, and return the exit code and the most megabytes that passbuild, or a child of it, had at once."""
    host = bench.host("engine==1.0", "fuel==1.0")
    argv = [sys.executable, "-m", "passbuild", "wheel", project, "--host", host, "--passthrough", "engine"]
    with subprocess.Popen(
        [*map(str, argv), "--outdir", str(bench.outdir)],
        env=bench.environ,
        cwd=bench.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as child:
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    return child.returncode, usage.ru_maxrss // 1024


@pytest.mark.parametrize("is_failing", [False, True])
def test_very_much_output_costs_little_memory(bench: Bench, *, is_failing: bool) -> None:
    """80 MB of it: less than that is needed more than for none; where the build fails, all of it is in the log."""
    said = "    for number in range(800_000):\n        print(f'{number:0>99}')\n"
    end = "    raise SystemExit('error: no valve')\n" if is_failing else "    return really_build_wheel(*rest)\n"
    silent = backend(bench, f"def build_wheel(*rest):\n{end}", name="silent")
    loud = backend(bench, f"def build_wheel(*rest):\n{said}{end}", name="loud")

    (code, little), (same, much) = _most_memory(bench, silent), _most_memory(bench, loud)

    assert code == same == int(is_failing)
    assert much - little < 60
    logs = [file.stat().st_size for file in bench.scratch.glob("*.log")]
    assert bool(logs) is is_failing
    assert not is_failing or max(logs) > 80_000_000


# Programs that are not there.


@pytest.mark.parametrize("kind", ["source", "requirement"])
def test_without_git_a_repository_cannot_be_fetched(bench: Bench, installer: str, kind: str) -> None:
    """The installer's own words, and how to get git."""
    nothing = bench.folder / "nothing"
    nothing.mkdir()
    url = "git+https://127.0.0.1:9/sample.git"
    source = url if kind == "source" else bench.project(requires=[f"sample @ {url}"])

    run = build(bench, source, "--no-passthrough", ":all:", "--installer", installer, environ={"PATH": str(nothing)})

    assert run.code == 3
    assert run.error["code"] == ("cannot-fetch" if kind == "source" else "unresolvable")
    assert "install git" in run.error["hint"]


@pytest.mark.parametrize("compiler", ["cc", "g++", "x86_64-linux-gnu-gcc-12"])
def test_without_a_compiler_it_is_said_how_to_get_one(bench: Bench, compiler: str) -> None:
    """A backend that starts a compiler which is nowhere on PATH."""
    nothing = bench.folder / "nothing"
    nothing.mkdir()
    code = f"import subprocess\ndef build_wheel(*rest):\n    subprocess.run([{compiler!r}, '--version'], check=True)\n"

    run = build(bench, backend(bench, code), "--no-passthrough", ":all:", environ={"PATH": str(nothing)})

    assert run.code == 1
    assert run.error["code"] == "backend-failed"
    assert run.error["hint"].startswith(f"no compiler: {compiler}; install one")


def test_a_file_that_is_called_like_a_compiler_is_none(bench: Bench) -> None:
    """`success.txt` has two c as well."""
    code = "def build_wheel(*rest):\n    open('success.txt')\n"

    run = build(bench, backend(bench, code), "--no-passthrough", ":all:")

    assert run.code == 1
    assert run.error["hint"] == ""


# Networks.


@contextlib.contextmanager
def index(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """Yield the address of an index each of whose connections is left to `answer`."""
    is_over = threading.Event()
    with contextlib.ExitStack() as stack, socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)

        def listen() -> None:
            while not is_over.is_set():
                with contextlib.suppress(TimeoutError):
                    connection = stack.enter_context(listener.accept()[0])
                    connection.settimeout(_SOON)
                    thread = threading.Thread(target=_answered, args=[answer, connection])
                    thread.start()
                    stack.callback(thread.join)
                    stack.callback(_shut, connection)

        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/simple"
        finally:
            is_over.set()
            thread.join()


def _answered(answer: Callable[[socket.socket], None], connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # whoever asked has gone away
        answer(connection)


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _silent(connection: socket.socket) -> None:
    """Take the question, and never answer."""
    while connection.recv(4096):
        pass


def _torn(wheel: bytes, *, hangs: bool) -> Callable[[socket.socket], None]:
    """Return what serves one page, and half of a wheel; then it closes the connection, or says nothing more."""

    def answer(connection: socket.socket) -> None:
        asked = b""
        while b"\r\n\r\n" not in asked:
            asked += connection.recv(4096) or b"\r\n\r\n"
        is_wheel = b".whl" in asked.split(b"\r\n")[0]
        page = (
            wheel if is_wheel else b'<!DOCTYPE html><a href="/tool-2.0-py3-none-any.whl">tool-2.0-py3-none-any.whl</a>'
        )
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {'binary/octet-stream' if is_wheel else 'text/html'}\r\n"
        head += f"Content-Length: {len(page)}\r\nConnection: close\r\n\r\n"
        body = b"" if asked.startswith(b"HEAD") else page[: len(page) // 2] if is_wheel else page
        connection.sendall(head.encode() + body)
        if is_wheel and hangs:
            _silent(connection)
        connection.close()

    return answer


def online(bench: Bench) -> dict[str, str]:
    """Return the variables with which the installers ask an index, and have nothing in their caches."""
    (bench.folder / "uv.toml").touch()
    return {
        "PIP_NO_INDEX": "0",
        "PIP_FIND_LINKS": "",
        "PIP_CACHE_DIR": str(bench.folder / "pip-cache"),
        "UV_OFFLINE": "0",
        "UV_CONFIG_FILE": str(bench.folder / "uv.toml"),
        "UV_CACHE_DIR": str(bench.folder / "uv-cache"),
    }


@pytest.mark.parametrize("kind", ["requirement", "source"])
def test_an_index_that_never_answers(bench: Bench, installer: str, kind: str) -> None:
    """`--timeout 3`: the installer is ended, with what it said last, whether it fetches a source or fills a build."""
    source = bench.project(requires=["tool"]) if kind == "requirement" else "tool==2.0"
    store = bench.folder / "store"

    with index(_silent) as url:
        options = ["--timeout", "3", "--index-url", url, "--installer", installer, "--cache-dir", store]
        run = build(bench, source, *options, environ=online(bench))

    assert run.code == 1
    assert run.error["code"] == "timed-out"
    assert run.error["message"] == f"{installer} did not end within 3 s, and was ended"
    assert list(store.glob("environments/*")) == []
    assert live.running(bench.folder) == {}


@pytest.mark.parametrize("hangs", [True, False])
def test_an_index_that_breaks_off_in_the_middle_of_a_wheel(bench: Bench, installer: str, *, hangs: bool) -> None:
    """Whether the line is dead or cut: the time is up, or the installer has tried often enough."""
    project = bench.project(requires=["tool==2.0"])
    wheel = bench.workshop.house.find("tool==2.0").read_bytes()
    store = bench.folder / "store"

    with index(_torn(wheel, hangs=hangs)) as url:
        options = ["--timeout", "3", "--index-url", url, "--installer", installer, "--cache-dir", store]
        run = build(bench, project, *options, environ=online(bench))

    assert run.error["code"] in ({"timed-out"} if hangs else {"timed-out", "unresolvable"})
    assert run.code == {"timed-out": 1, "unresolvable": 3}[run.error["code"]]
    assert bench.published() == {}
    assert list(store.glob("environments/*")) == []
    assert live.running(bench.folder) == {}


# Homes.


def _homeless(bench: Bench, kind: str, *arguments: object) -> Outcome:
    """Run passbuild as somebody of whom nobody knows the home."""
    before = ["unshare", "--user", "--map-user=54321", "env"] if kind == "no such user" else ["env"]
    argv = [*before, "HOME=" if kind == "HOME is empty" else "-uHOME", sys.executable, "-m", "passbuild"]
    environ = {name: value for name, value in bench.environ.items() if not name.startswith("XDG_")}
    run = subprocess.run(
        [*argv, *map(str, arguments)], env=environ, cwd=bench.folder, capture_output=True, text=True, check=False
    )
    if "unshare: " in run.stderr:
        pytest.skip(f"nobody can be somebody else here: {run.stderr.strip()}")
    assert "Traceback" not in run.stderr, run.stderr
    return Outcome(code=run.returncode, stdout=run.stdout, stderr=run.stderr)


@pytest.mark.parametrize("kind", ["HOME is empty", "no such user"])
def test_without_a_home_there_is_no_store(bench: Bench, installer: str, kind: str) -> None:
    """Environments are temporary ones, with a warning; nothing is written to a place that others could know."""
    host = bench.host("engine==1.0", "fuel==1.0")
    project = bench.project(requires=["tool"], imports=["engine", "tool"])
    places = [Path(name) for name in ("/.cache", "/.config", "/.local")]
    before = [fingerprint(place) for place in places]
    arguments = ("--host", host, "--passthrough", "engine", "--installer", installer, "-o", bench.outdir, "--json")

    run = _homeless(bench, kind, "wheel", project, *arguments)
    kept = _homeless(bench, kind, "wheel", project, *arguments, "--cache-dir", bench.folder / "store")

    assert run.code == kept.code == 0, run.stderr
    assert any("nobody knows the home of this user" in text for text in run.document["warnings"])
    assert [item.document["environment"]["stored"] for item in (run, kept)] == [False, True]
    assert [fingerprint(place) for place in places] == before
    assert sorted(path.name for path in bench.folder.iterdir()) == ["out", "project", "store", "tmp"]


@pytest.mark.parametrize("kind", ["HOME is empty", "no such user"])
def test_without_a_home_it_can_be_asked_what_is_kept(bench: Bench, kind: str) -> None:
    """Nothing is; only where it would be cannot be said."""
    listed, folder, cleared = (_homeless(bench, kind, "cache", word) for word in ("list", "dir", "clear"))

    assert listed.code == 0
    assert "warning: nobody knows the home of this user" in listed.stderr
    assert (folder.code, cleared.code) == (2, 2)
    assert "--cache-dir" in folder.stderr


@pytest.mark.parametrize("kind", ["HOME is empty", "no such user"])
def test_without_a_home_the_doctor_says_so(bench: Bench, kind: str) -> None:
    """As a warning about the store."""
    run = _homeless(bench, kind, "doctor", bench.project(), "--host", bench.host())

    assert run.code == 0, run.stdout
    assert "nobody knows the home of this user" in " ".join(run.stdout.split())
