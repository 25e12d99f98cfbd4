"""Many wheels at once: in the order in which they need each other, for several hosts, going on when one fails."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.bench import Outcome
from tests.integration.test_sdist_requirements import sdist
from tests.schema import valid

if TYPE_CHECKING:
    from tests.integration.bench import Bench


_WAIT = """\
def wait():
    import subprocess
    Path("started").touch()
    subprocess.run(["sleep", "60"])
"""


_ABOVE = """\
def above():
    # The command lines of the processes above this one, up to the passbuild that builds it.
    import os
    told, process = "", os.getppid()
    while " wheel " not in told:
        told += Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\\0", b" ").decode()
        process = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    return told
"""
_LISTING = f"""\
{_ABOVE}
def wait():
    import os
    Path("listed").write_text("|".join((above(), os.environ["TOKEN"], os.environ["OTHER"])))
"""
_LISTED_TWICE = f"""\
{_ABOVE}
def listed():
    import os
    return repr([above(), dict(os.environ)])
"""
_ALONE = """\
def wait():
    import time
    Path("alone").mkdir()
    time.sleep(0.5)
    Path("alone").rmdir()
"""
_LISTED = """\
# what we build
pump == \\
  1.0  # pinned
-r more/others.txt
-f links
absent==1.0; python_version < '3'
"""


def build(bench: Bench, *arguments: object, json: bool = True, **environ: str) -> Outcome:
    """Build what the test's folder `links` has, into `out`."""
    links = bench.folder / "links"
    links.mkdir(exist_ok=True)
    argv = ["wheel", "-f", links, "--passthrough", "engine", "-o", bench.outdir, *arguments]
    finished = subprocess.run(
        [sys.executable, "-m", "passbuild", *map(str, argv), *(["--json"] if json else [])],
        cwd=bench.folder,
        env={**bench.environ, "PASSBUILD_CACHE_DIR": str(bench.folder / "store"), **environ},
        check=False,
        capture_output=True,
        encoding="utf-8",
    )
    return Outcome(code=finished.returncode, stdout=finished.stdout, stderr=finished.stderr)


def states(outcome: Outcome) -> list[str]:
    """Return what became of each wheel, in the order of their ends, without times and paths."""
    lines = [line.split() for line in outcome.stderr.splitlines()]
    return [f"{words[0]} {words[1]}" for words in lines if words and words[0] in {"built", "reused", "failed"}]


def test_a_line_that_cannot_be_split_is_told_with_its_place(bench: Bench) -> None:
    """A quote that is not closed; no traceback."""
    (bench.folder / "all.txt").write_text("--index-url 'https://index.invalid\n", encoding="utf-8")

    run = build(bench, "-r", "all.txt")

    assert run.code == 2
    assert run.error["code"] == "invalid-requirements"
    assert "all.txt" in run.error["message"]
    assert "No closing quotation" in run.error["message"]


@pytest.mark.parametrize("jobs", [1, 4])
def test_wheel_that_another_needs_is_built_first_and_is_the_one_that_is_used(bench: Bench, jobs: int) -> None:
    """The order is that of need, whatever the order of naming; no index has a say in which copy is used."""
    links = bench.folder / "links"
    sdist(links, "valve", requires=["pump"])
    sdist(links, "pump")
    host = bench.host("engine==1.0", "fuel==1.0")

    outcome = build(bench, "valve==1.0", "pump==1.0", "-j", jobs, "--host", host)

    assert outcome.code == 0, outcome.stderr
    assert states(outcome) == ["built pump==1.0", "built valve==1.0"]
    assert [item["artifacts"][0]["name"] for item in outcome.document["builds"]] == ["valve", "pump"]
    assert outcome.document["builds"][0]["installed"] == [{"name": "pump", "version": "1.0"}]
    assert outcome.document["builds"][0]["built_requirements"] == []
    (wanted,) = [item["wanted"] for item in outcome.document["builds"][0]["decisions"] if item["name"] == "pump"]
    assert (bench.outdir / "pump-1.0-py3-none-any.whl").as_uri() in wanted


def test_one_that_fails_does_not_keep_the_others_from_being_built(bench: Bench) -> None:
    """The exit code is 1, the others are there, those that needed it say so, and a second run takes up from there."""
    links = bench.folder / "links"
    sdist(links, "pump")
    broken = sdist(links, "broken", imports="absent")
    sdist(links, "needy", requires=["broken"])
    host = bench.host("engine==1.0", "fuel==1.0")
    sources = ("pump==1.0", "needy==1.0", "broken==1.0", "nowhere==1.0")

    first = build(bench, *sources, "-j", "2", "--host", host)
    broken.unlink()
    sdist(links, "broken")
    second = build(bench, *sources, "-j", "2", "--host", host)

    assert (first.code, second.code) == (1, 1)
    assert sorted(states(first)) == [
        *("built pump==1.0", "failed broken==1.0", "failed needy==1.0", "failed nowhere==1.0"),
    ]
    assert first.error["code"] == "wheels-failed"
    assert "it needs broken==1.0, which failed" in first.stderr
    assert "cannot-fetch: nowhere==1.0" in first.stderr
    assert "4 wheels: 1 built, 3 failed" in first.stderr
    assert sorted(states(second)) == [
        *("built broken==1.0", "built needy==1.0", "failed nowhere==1.0", "reused pump==1.0"),
    ]
    assert sorted(path.name.partition("-")[0] for path in bench.outdir.iterdir()) == ["broken", "needy", "pump"]
    assert len(list(bench.scratch.glob("*.log"))) == len({"broken", "nowhere", "nowhere again"})


def test_second_run_answers_from_the_store_also_for_what_needs_another(bench: Bench) -> None:
    """A wheel that was built with another of the run is reused as long as that one is the same."""
    links = bench.folder / "links"
    sdist(links, "valve", requires=["pump"])
    sdist(links, "pump")
    host = bench.host("engine==1.0", "fuel==1.0")

    build(bench, "valve==1.0", "pump==1.0", "--host", host)
    second = build(bench, "valve==1.0", "pump==1.0", "--host", host)
    another = build(bench, "valve==1.0", "pump==1.0", "--host", host, "-C", "speed=high")

    assert states(second) == ["reused pump==1.0", "reused valve==1.0"]
    assert states(another) == ["built pump==1.0", "built valve==1.0"]


def test_each_host_gets_a_wheel_of_its_own(bench: Bench) -> None:
    """A build per source and host; what passes through is each host's own."""
    shutil.unpack_archive(sdist(bench.folder / "links", "pump"), bench.folder)
    maker = bench.folder / "pump-1.0" / "backend" / "maker.py"
    text = maker.read_text(encoding="utf-8").replace("'pump', '1.0',", "'pump', '1.0+' + engine.__version__,")
    maker.write_text(text, encoding="utf-8")
    hosts = [bench.host("engine==1.0", "fuel==1.0"), bench.host("engine==1.5", "fuel==1.0")]
    (bench.folder / "pump-1.0" / "PKG-INFO").unlink()

    outcome = build(bench, "./pump-1.0", "--host", hosts[0], "--host", hosts[1])

    assert outcome.code == 0, outcome.stderr
    passed = [{item["name"]: item["version"] for item in build["passed"]} for build in outcome.document["builds"]]
    assert passed == [{"engine": "1.0", "fuel": "1.0"}, {"engine": "1.5", "fuel": "1.0"}]
    assert [build["host"]["prefix"] for build in outcome.document["builds"]] == [str(host) for host in hosts]
    paths = [Path(build["artifacts"][0]["path"]) for build in outcome.document["builds"]]
    assert [path.name.split("-")[1] for path in paths] == ["1.0+1.0", "1.0+1.5"]
    assert all(path.parent == bench.outdir and path.is_file() for path in paths)


def test_wheels_of_one_name_do_not_take_each_others_place(bench: Bench) -> None:
    """Two hosts of one Python give wheels of one name: the first stays, and the second is told to have failed."""
    sdist(bench.folder / "links", "pump")
    hosts = [bench.host("engine==1.0", "fuel==1.0"), bench.host("engine==1.5", "fuel==1.0")]

    outcome = build(bench, "pump==1.0", "--host", hosts[0], "--host", hosts[1])

    (wheel,) = bench.outdir.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert "'1.0'" in archive.read("pump.py").decode()
    assert [line.split()[0] for line in outcome.stderr.splitlines()[:2]] == ["built", "failed"]
    assert [(item["error"] or {}).get("code") for item in outcome.document["builds"]] == [None, "output-not-writable"]
    assert "choose another place with --outdir" in outcome.stderr
    assert outcome.code == 1
    assert list(bench.outdir.iterdir()) == [wheel]


def test_wheel_of_one_name_for_several_hosts_is_one_wheel(bench: Bench) -> None:
    """Where nothing else passed through, whichever host it was built for serves all: builds may differ in times."""
    shutil.unpack_archive(sdist(bench.folder / "links", "pump", imports="time"), bench.folder)
    maker = bench.folder / "pump-1.0" / "backend" / "maker.py"
    text = maker.read_text(encoding="utf-8")
    text = text.replace("[time.__file__, time.__version__, config_settings]", "[time.time_ns()]")
    maker.write_text(text, encoding="utf-8")
    hosts = [bench.host(), bench.host("tool==1.0")]

    outcome = build(bench, "./pump-1.0", "--host", hosts[0], "--host", hosts[1])

    assert outcome.code == 0, outcome.stderr
    assert [line.split()[0] for line in outcome.stderr.splitlines()[:2]] == ["built", "built"]
    assert len({item["artifacts"][0]["path"] for item in outcome.document["builds"]}) == 1


def test_builds_in_one_folder_follow_one_another(bench: Bench) -> None:
    """Whatever a backend leaves in the folder while it builds for one host is not for that of another."""
    shutil.unpack_archive(sdist(bench.folder / "links", "pump"), bench.folder)
    maker = bench.folder / "pump-1.0" / "backend" / "maker.py"
    text = maker.read_text(encoding="utf-8").replace("    told =", "    wait()\n    told =")
    maker.write_text(f"{text}\n{_ALONE}", encoding="utf-8")
    hosts = [bench.host("engine==1.0", "fuel==1.0"), bench.host("engine==1.0", "fuel==1.0", "tool==1.0")]

    outcome = build(bench, "./pump-1.0", "--host", hosts[0], "--host", hosts[1], "-j", "2")

    assert outcome.code == 0, outcome.stderr


@pytest.mark.parametrize("wanted", ["pump>=2", "pump<2", "pump"])
def test_wheel_of_the_run_is_used_where_it_fits(bench: Bench, wanted: str) -> None:
    """Of several versions each project gets the best that it allows, and none that it does not."""
    links = bench.folder / "links"
    for version in ("1.0", "2.0"):
        sdist(links, "pump", version=version)
    sdist(links, "valve", requires=[wanted])
    host = bench.host("engine==1.0", "fuel==1.0")

    outcome = build(bench, "valve==1.0", "pump==1.0", "pump==2.0", "--host", host)

    assert outcome.code == 0, outcome.stderr
    installed = outcome.document["builds"][0]["installed"]
    assert installed == [{"name": "pump", "version": "1.0" if wanted == "pump<2" else "2.0"}]


def test_however_quiet_a_run_is_told_why_one_failed(bench: Bench) -> None:
    """Errors are what is left of the output."""
    sdist(bench.folder / "links", "broken", imports="absent")
    sdist(bench.folder / "links", "pump")
    host = bench.host("engine==1.0", "fuel==1.0")

    outcome = build(bench, "broken==1.0", "pump==1.0", "nowhere==1.0", "--host", host, "-qq", json=False)

    assert "the backend maker cannot be imported" in outcome.stderr
    assert not [line for line in outcome.stderr.splitlines() if line.startswith("built")]


def test_credentials_of_a_source_are_in_no_command_line(bench: Bench, served: str) -> None:
    """A URL of a requirements file is handed on by a variable that no hook sees."""
    archives = [sdist(bench.folder / "made", name) for name in ("pump", "valve")]
    for archive in archives:
        shutil.unpack_archive(archive, bench.folder / "unpacked")
        folder = bench.folder / "unpacked" / archive.name.removesuffix(".tar.gz")
        maker = folder / "backend" / "maker.py"
        text = maker.read_text(encoding="utf-8").replace("    told =", "    told = listed() or")
        maker.write_text(f"{text}\n{_LISTED_TWICE}", encoding="utf-8")
        shutil.make_archive(str(bench.folder / "pages" / folder.name), "gztar", bench.folder / "unpacked", folder.name)
    url = served.replace("://", "://me:${WORD}@")
    (bench.folder / "all.txt").write_text(f"\ufeff{url}/pump-1.0.tar.gz\n{url}/valve-1.0.tar.gz\n", encoding="utf-8")
    host = bench.host("engine==1.0", "fuel==1.0")

    outcome = build(bench, "-r", "all.txt", "--host", host, "-j", "2", WORD="s3cr3t", UV_OFFLINE="0")

    assert outcome.code == 0, outcome.stderr
    assert "s3cr3t" not in outcome.stdout + outcome.stderr
    for path in bench.outdir.iterdir():
        with zipfile.ZipFile(path) as wheel:
            told = wheel.read(f"{path.name.partition('-')[0]}.py").decode()
        assert "handed over" in told
        assert "s3cr3t" not in told.replace("WORD': 's3cr3t", "")


def test_credentials_are_handed_on_where_nobody_lists_them(bench: Bench) -> None:
    """The builds of a run get indexes and variables by their environment; their command lines say neither."""
    for name in ("pump", "valve"):
        shutil.unpack_archive(sdist(bench.folder / "links", name), bench.folder)
        maker = bench.folder / f"{name}-1.0" / "backend" / "maker.py"
        text = maker.read_text(encoding="utf-8").replace("    told =", "    wait()\n    told =")
        maker.write_text(f"{text}\n{_LISTING}", encoding="utf-8")
    host = bench.host("engine==1.0", "fuel==1.0")
    secrets = ("-E", "TOKEN=s3cr3t word", "-E", "OTHER=o", "--extra-index-url", "http://me:s3cr3t@127.0.0.1:9/simple")

    outcome = build(bench, "./pump-1.0", "./valve-1.0", "--host", host, *secrets, PASSBUILD_ENVIRONMENT="OTHER=p")

    assert outcome.code == 0, outcome.stderr
    for name in ("pump", "valve"):
        listed, token, other = (bench.folder / f"{name}-1.0" / "listed").read_text(encoding="utf-8").split("|")
        assert "passbuild wheel" in listed
        assert "s3cr3t" not in listed
        assert (token, other) == ("s3cr3t word", "o")


def test_paths_are_the_result_and_what_became_of_each_is_told_beside(bench: Bench) -> None:
    """Standard output has one line for each wheel, in the order of naming."""
    for name in ("pump", "valve"):
        sdist(bench.folder / "links", name)
    host = bench.host("engine==1.0", "fuel==1.0")

    outcome = build(bench, "valve==1.0", "pump==1.0", "--host", host, "-j", "2", json=False)

    paths = [Path(line) for line in outcome.stdout.splitlines()]
    assert [path.name.partition("-")[0] for path in paths] == ["valve", "pump"]
    assert all(zipfile.is_zipfile(path) for path in paths)


def test_requirements_files_list_sources(bench: Bench) -> None:
    """Comments, continued lines, included files, markers, hashes, paths and places of indexes are understood."""
    links = bench.folder / "lists" / "links"
    links.mkdir(parents=True)
    sdist(links, "pump")
    archive = sdist(bench.folder / "lists", "valve")
    sdist(links, "motor")
    (bench.folder / "lists" / "all.txt").write_text(_LISTED, encoding="utf-8")
    (bench.folder / "lists" / "more").mkdir()
    (bench.folder / "lists" / "more" / "others.txt").write_text(
        "motor>=1 ; python_version > '3'\n../valve-1.0.tar.gz\n", encoding="utf-8"
    )
    host = bench.host("engine==1.0", "fuel==1.0")

    outcome = build(bench, "-r", bench.folder / "lists" / "all.txt", "--host", host)

    assert outcome.code == 0, outcome.stderr
    names = [item["artifacts"][0]["name"] for item in outcome.document["builds"]]
    assert names == ["pump", "motor", "valve"]
    assert outcome.document["builds"][2]["source"] == str(archive)


def test_hash_in_a_requirements_file_is_checked(bench: Bench) -> None:
    """An archive of another hash is not built."""
    sdist(bench.folder / "links", "pump")
    (bench.folder / "all.txt").write_text(f"pump==1.0 --hash=sha256:{'0' * 64}\n", encoding="utf-8")

    outcome = build(bench, "-r", "all.txt", "--host", bench.host("engine==1.0", "fuel==1.0"))

    assert outcome.code == 1
    assert outcome.document["builds"][0]["error"]["code"] == "cannot-fetch"


def test_requirements_file_that_cannot_be_read_is_told_with_all_its_mistakes(bench: Bench) -> None:
    """The line is named, and nothing is built."""
    (bench.folder / "all.txt").write_text("--no-binary :all:\n-r absent.txt\n-r all.txt\n", encoding="utf-8")

    outcome = build(bench, "-r", "all.txt", "--host", bench.host())

    assert (outcome.code, outcome.error["code"]) == (2, "invalid-requirements")
    assert [item["place"].rpartition("/")[2] for item in outcome.error["problems"]] == [
        *("all.txt, line 1", "absent.txt", "all.txt, line 3"),
    ]


def test_what_needs_each_other_is_built_all_the_same(bench: Bench) -> None:
    """A circle has no first: one of them takes what an index has."""
    links = bench.folder / "links"
    sdist(links, "pump", requires=["valve"])
    sdist(links, "valve", requires=["pump"])
    host = bench.host("engine==1.0", "fuel==1.0")

    outcome = build(bench, "pump==1.0", "valve==1.0", "--host", host)

    assert outcome.code == 1
    assert outcome.document["builds"][0]["error"]["code"] == "build-cycle"


def test_cancelled_run_leaves_nothing_running_and_nothing_half(bench: Bench) -> None:
    """The builds of a run end with it, and their hooks; no temporary folder stays."""
    for name in ("pump", "valve"):
        shutil.unpack_archive(sdist(bench.folder / "links", name), bench.folder)
        maker = bench.folder / f"{name}-1.0" / "backend" / "maker.py"
        text = maker.read_text(encoding="utf-8").replace("    told =", "    wait()\n    told =")
        maker.write_text(f"{text}\n{_WAIT}", encoding="utf-8")
    host = bench.host("engine==1.0", "fuel==1.0")
    argv = [
        "wheel",
        "./pump-1.0",
        "./valve-1.0",
        "-j",
        "2",
        "--host",
        str(host),
        "--passthrough",
        "engine",
        "-o",
        str(bench.outdir),
    ]

    with subprocess.Popen([sys.executable, "-m", "passbuild", *argv], cwd=bench.folder, env=bench.environ) as child:
        deadline = time.monotonic() + 60
        while len(list(bench.folder.glob("*/started"))) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        begun = len(list(bench.folder.glob("*/started")))
        child.send_signal(signal.SIGTERM)
        code = child.wait(40)

    assert begun == 2
    assert code == 128 + signal.SIGTERM
    assert not list(bench.outdir.glob("*"))
    assert not [path.name for path in bench.scratch.glob("passbuild-*") if path.is_dir()]
    assert not _running(str(bench.folder))


def _running(folder: str) -> list[str]:
    """Return the command lines of processes that work below a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                where, told = os.readlink(entry / "cwd"), (entry / "cmdline").read_bytes()  # noqa: PTH115 - a text
            except OSError:
                continue
            if where.startswith(folder):
                found.append(told.decode(errors="replace"))
    return found


def test_documents_of_many_builds_are_what_the_documentation_says(bench: Bench) -> None:
    """The document has one report for each build, and the error that counts for all."""
    sdist(bench.folder / "links", "pump")

    outcome = build(bench, "pump==1.0", "nowhere==1.0", "--host", bench.host("engine==1.0", "fuel==1.0"))

    document = valid(outcome.stdout)
    assert (document["command"], document["ok"], len(document["builds"])) == ("wheel", False, 2)
    assert [item["ok"] for item in document["builds"]] == [True, False]
