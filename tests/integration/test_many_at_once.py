"""Many at once: the same project, output folder and store, while others remove what the store holds."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from tests import tally
from tests.integration import live
from tests.schema import valid

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

    from tests.integration.bench import Bench

_ROUNDS = 50 if tally.IS_SOAK else 2
_PATIENCE = 300
"""Seconds that a round may take."""
_BACKEND = """
import gzip, io, pathlib, tarfile
import tiny_wheel
import engine, tool

def build_wheel(folder, *rest):
    files = {f"sample/part{number}.py": f"VALUE = {number}\\n" * 1000 for number in range(20)}
    return tiny_wheel.write(pathlib.Path(folder), NAME, "1.0", files).name

def build_sdist(folder, *rest):
    stem = f"{NAME}-1.0"
    texts = {"PKG-INFO": tiny_wheel.metadata(NAME, "1.0")}
    for name in ("pyproject.toml", "backend/tiny_wheel.py", "backend/alike.py"):
        texts[name] = pathlib.Path(name).read_text()
    with open(pathlib.Path(folder, f"{stem}.tar.gz"), "wb") as file:
        with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed, tarfile.open(fileobj=packed, mode="w") as sdist:
            for name, text in texts.items():
                member = tarfile.TarInfo(f"{stem}/{name}")
                member.size = len(text.encode())
                sdist.addfile(member, io.BytesIO(text.encode()))
    return f"{stem}.tar.gz"
"""


def alike(bench: Bench, name: str) -> Path:
    """Return a project whose artifacts are the same each time, and whose backend writes nothing else."""
    folder = bench.project(requires=["tool"], name=name)
    code = f"NAME = {name!r}\n{_BACKEND}"
    (folder / "backend" / "alike.py").write_text(code, encoding="utf-8")
    file = folder / "pyproject.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('"recorder"', '"alike"'), encoding="utf-8")
    return folder


class Crowd:
    """Several runs of passbuild on one store."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._host = bench.host("engine==1.0", "fuel==1.0")
        self.store = bench.folder / "store"

    def builds(self, count: int, *arguments: object) -> list[dict[str, Any]]:
        """Start the same command that often, all at once, while others prune and clear; return the reports."""
        options = ["--host", self._host, "--passthrough", "engine", "-o", self._bench.outdir, "--json"]
        with self._removals():
            children = [self._started(*arguments, *options) for _ in range(count)]
            told = [child.communicate(timeout=_PATIENCE) for child in children]
        for child, (_, stderr) in zip(children, told, strict=True):
            assert "Traceback" not in stderr, stderr
            assert child.returncode == 0, stderr
        tally.count("builds beside others that empty the store", count, self.left())
        return [valid(stdout) for stdout, _ in told]

    @contextlib.contextmanager
    def _removals(self) -> Iterator[None]:
        """Prune and clear, over and over; hold that this works each time."""
        is_over = threading.Event()
        ends: list[tuple[int, str]] = []

        def repeat(command: str) -> None:
            while not is_over.is_set():
                child = self._started("cache", command)
                _, stderr = child.communicate(timeout=_PATIENCE)
                ends.append((child.returncode, stderr))

        threads = [threading.Thread(target=repeat, args=[command]) for command in ("prune", "clear")]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            is_over.set()
            for thread in threads:
                thread.join()
        assert len(ends) >= len(threads)
        assert [end for end in ends if end[0] != 0 or "Traceback" in end[1]] == []

    def _started(self, *arguments: object) -> subprocess.Popen[str]:
        argv = [sys.executable, "-m", "passbuild", *map(str, arguments), "--cache-dir", str(self.store)]
        return subprocess.Popen(
            argv,
            cwd=self._bench.folder,
            env=self._bench.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def left(self) -> list[str]:
        """Return what nobody should find: unfinished environments, files of ours, processes."""
        unfinished = [path for path in self.store.glob("environments/*") if not (path / "environment.json").exists()]
        unfinished += [*self.store.glob("unfinished/*"), *self.store.glob(".*"), *self.store.glob("*/.*")]
        unfinished += [path for path in self.store.glob("wheels/*") if not (path / "entry.json").exists()]
        running = live.running(self._bench.folder).values()
        return [*map(str, unfinished), *live.leftovers(self._bench), *running]


@pytest.mark.parametrize(
    ("command", "published"),
    [
        ("wheel", ["sample-1.0-py3-none-any.whl"]),
        ("build", ["sample-1.0-py3-none-any.whl", "sample-1.0.tar.gz"]),
    ],
)
def test_eight_builds_of_one_project_while_the_store_is_emptied(
    bench: Bench, command: str, published: list[str]
) -> None:
    """Each of them succeeds, with the same artifact; nothing is left but that."""
    crowd = Crowd(bench)
    source = alike(bench, "sample")

    for _ in range(_ROUNDS):
        reports = crowd.builds(8, command, source)

        assert len({tuple(item["sha256"] for item in report["artifacts"]) for report in reports}) == 1
        assert sorted(bench.published()) == published
        assert crowd.left() == []


def test_archives_whose_wheels_are_kept_while_the_store_is_emptied(bench: Bench) -> None:
    """Some find the wheel that another one has built, some build it: it is the same wheel."""
    crowd = Crowd(bench)
    made = bench.passbuild(
        "sdist", alike(bench, "sample"), "--host", bench.host("engine==1.0", "fuel==1.0"), "--passthrough", "engine"
    )
    archive = (bench.outdir / "sample-1.0.tar.gz").rename(bench.folder / "sample-1.0.tar.gz")

    for _ in range(_ROUNDS):
        reports = crowd.builds(8, "wheel", archive)

        assert made.code == 0, made.stderr
        assert len({report["artifacts"][0]["sha256"] for report in reports}) == 1
        assert list(bench.published()) == ["sample-1.0-py3-none-any.whl"]
        assert crowd.left() == []


def test_two_runs_of_many_wheels_while_the_store_is_emptied(bench: Bench) -> None:
    """`wheel A B C D -j 4`, twice, into the same folder."""
    crowd = Crowd(bench)
    sources = [alike(bench, name) for name in ("one", "two", "three", "four")]

    for _ in range(_ROUNDS):
        reports = crowd.builds(2, "wheel", *sources, "-j", "4")

        digests = [[build["artifacts"][0]["sha256"] for build in report["builds"]] for report in reports]
        assert digests[0] == digests[1]
        assert sorted(bench.published()) == [f"{name}-1.0-py3-none-any.whl" for name in ("four", "one", "three", "two")]
        assert crowd.left() == []


_ALONE = """
def build_wheel(*rest):
    os.mkdir("busy")
    time.sleep(0.05)
    os.rmdir("busy")
    return really_build_wheel(*rest)
"""


def test_builds_in_one_folder_follow_one_another(bench: Bench) -> None:
    """Backends share what they leave there: eight of setuptools at once made wheels without their modules."""
    crowd = Crowd(bench)
    source = live.project(bench, _ALONE)

    reports = crowd.builds(8, "wheel", source)

    assert [report["ok"] for report in reports] == [True] * 8


def test_a_link_to_a_folder_is_the_same_folder(bench: Bench) -> None:
    """Also for the builds of one passbuild."""
    crowd = Crowd(bench)
    source = live.project(bench, _ALONE)
    link = bench.folder / "link"
    link.symlink_to(source)

    (report,) = crowd.builds(1, "wheel", source, link, "-j", "2")

    assert report["ok"] is True


def test_a_build_inside_of_a_build_does_not_wait_for_that_one(bench: Bench) -> None:
    """A backend that calls passbuild for its own folder would wait for ever."""
    argv = [sys.executable, "-m", "passbuild", "wheel", ".", "-o", str(bench.folder / "inner")]
    body = (
        "def build_wheel(*rest):\n"
        "    if not (HERE / 'inner').exists():\n"
        f"        subprocess.run([*{argv!r}, '--host', {str(bench.host())!r}], check=True)\n"
        "    return really_build_wheel(*rest)\n"
    )
    source = live.project(bench, body)

    run = bench.passbuild("wheel", source, "--host", bench.host())

    assert run.code == 0, run.stderr
    assert [path.suffix for path in (bench.folder / "inner").iterdir()] == [".whl"]


def test_installations_of_the_same_folders_in_another_order_do_not_wait_for_each_other(bench: Bench) -> None:
    """Whoever has built in one folder lets go of it before going on to the next."""
    sources = [
        live.project(
            bench, "def build_wheel(*rest):\n    time.sleep(0.5)\n    return really_build_wheel(*rest)\n", name=name
        )
        for name in ("one", "two")
    ]
    for source in sources:
        (source / "recorder.json").write_text(json.dumps({"name": source.name, "version": "1.0"}), encoding="utf-8")
    hosts = [bench.own_host("engine==1.0", folder=bench.folder / f"host-{number}") for number in range(2)]

    argvs = [["install", *order, "--host", host] for order, host in zip((sources, sources[::-1]), hosts, strict=True)]
    with live.started(bench, *argvs[0]) as first, live.started(bench, *argvs[1]) as second:
        told = [child.communicate(timeout=60)[1] for child in (first, second)]

    assert [first.returncode, second.returncode] == [0, 0], told
