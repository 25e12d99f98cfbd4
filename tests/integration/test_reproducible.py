"""`--verify-reproducible`: everything is built a second time elsewhere, and published only if it comes out the same."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.bench import fingerprint
from tests.schema import valid

if TYPE_CHECKING:
    from tests.integration.bench import Bench

_BACKEND = """
import io, os, pathlib, sys, tarfile, time, zipfile
import tiny_wheel

FOLDERS = {folders!r}

def noted(hook):
    with open(FOLDERS, "a") as file:
        file.write(f"{{hook}} {{os.getcwd()}}\\n")

def build_wheel(folder, *rest):
    noted("build_wheel")
    files = {{"sample.py": "VALUE = 1\\n"}}
    {body}
    path = tiny_wheel.write(pathlib.Path(folder), "sample", "1.0", files)
    {after}
    return path.name

def build_sdist(folder, *rest):
    noted("build_sdist")
    epoch = int(os.environ["SOURCE_DATE_EPOCH"])
    texts = {{"PKG-INFO": tiny_wheel.metadata("sample", "1.0")}}
    for name in ("pyproject.toml", "backend/tiny_wheel.py", "backend/twice.py"):
        texts[name] = pathlib.Path(name).read_text()
    with tarfile.open(pathlib.Path(folder, "sample-1.0.tar"), "w") as sdist:
        for name, text in texts.items():
            member = tarfile.TarInfo(f"sample-1.0/{{name}}")
            member.size, member.mtime = len(text.encode()), epoch
            sdist.addfile(member, io.BytesIO(text.encode()))
    import gzip
    content = pathlib.Path(folder, "sample-1.0.tar").read_bytes()
    with open(pathlib.Path(folder, "sample-1.0.tar.gz"), "wb") as file:
        with gzip.GzipFile("", "wb", fileobj=file, mtime={gzip_time}) as packed:
            packed.write(content)
    pathlib.Path(folder, "sample-1.0.tar").unlink()
    return "sample-1.0.tar.gz"
"""
_REDATED = """
    content = {name: zipfile.ZipFile(path).read(name) for name in zipfile.ZipFile(path).namelist()}
    with zipfile.ZipFile(path, "w") as wheel:
        for name, data in content.items():
            wheel.writestr(zipfile.ZipInfo(name, time.localtime()[:6]), data)
""".strip()
_NAMES = [f"name{number}" for number in range(50)]


def project(
    bench: Bench, body: str = "pass", *, after: str = "pass", gzip_time: str = "epoch", name: str = "p"
) -> Path:
    """Return a project whose backend notes its hooks, and does `body` before and `after` the wheel is written."""
    folder = bench.project(name=name)
    code = _BACKEND.format(folders=str(bench.folder / "folders.txt"), body=body, after=after, gzip_time=gzip_time)
    (folder / "backend" / "twice.py").write_text(code, encoding="utf-8")
    file = folder / "pyproject.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('"recorder"', '"twice"'), encoding="utf-8")
    return folder


def hooks(bench: Bench) -> list[tuple[str, str]]:
    """Return the hooks that built something, each with its folder."""
    lines = (bench.folder / "folders.txt").read_text(encoding="utf-8").splitlines()
    return [(hook, folder) for hook, _, folder in (line.partition(" ") for line in lines)]


@pytest.mark.parametrize(
    ("command", "files"),
    [
        ("wheel", ["sample-1.0-py3-none-any.whl"]),
        ("sdist", ["sample-1.0.tar.gz"]),
        ("build", ["sample-1.0-py3-none-any.whl", "sample-1.0.tar.gz"]),
    ],
)
def test_what_comes_out_the_same_is_published_and_said(bench: Bench, command: str, files: list[str]) -> None:
    """Each artifact is built twice, the second time from a copy at another path."""
    source = project(bench)

    run = bench.passbuild(command, source, "--host", bench.host(), "--verify-reproducible")

    assert run.code == 0, run.stderr
    assert run.document["reproducible"] is True
    assert sorted(bench.published()) == files
    assert run.stderr.count("built twice, in two folders: the same to the byte") == len(files)
    assert len(hooks(bench)) == 2 * len(files)
    assert len({folder for _, folder in hooks(bench)}) == 2 * len(files)
    assert hooks(bench)[0][1] == str(source)


def test_nothing_is_built_twice_unless_it_is_asked_for(bench: Bench) -> None:
    """And the report says that nobody looked."""
    run = bench.passbuild("wheel", project(bench), "--host", bench.host())

    assert run.document["reproducible"] is None
    assert len(hooks(bench)) == 1


_FAULTS = {
    "the time": ('files["sample.py"] = f"BUILT = {time.time()}\\n"', "pass", "sample.py: line 1 is 'BUILT = "),
    "the time of each member": ("pass", _REDATED, "the time of 4 members, sample.py the first, differs: 20"),
    "its path": ('files["sample.py"] = f"HERE = {os.getcwd()!r}\\n"', "pass", "(it names the folder it was built in)"),
    "in the order of hashes": (
        f'files["sample.py"] = " ".join(set({_NAMES!r})) + "\\n"',
        "pass",
        "sample.py: line 1 is 'name",
    ),
    "in the order of a folder": (
        f'files |= {{name + ".py": "" for name in set({_NAMES!r})}}',
        "pass",
        "the order of the members differs: name",
    ),
    "under another name": (
        "pass",
        'path = path.rename(path.with_name(f"sample-1.0-{time.time_ns()}-py3-none-any.whl"))',
        "its name: sample-1.0-1",
    ),
}


@pytest.mark.parametrize("fault", _FAULTS)
def test_what_comes_out_differently_is_named_and_not_published(bench: Bench, fault: str) -> None:
    """A backend that writes such a thing: what differs, in words, and the output folder as it was."""
    body, after, told = _FAULTS[fault]
    bench.outdir.mkdir()

    run = bench.passbuild("wheel", project(bench, body, after=after), "--host", bench.host(), "--verify-reproducible")

    assert run.code == 1
    assert run.error["code"] == "not-reproducible"
    assert told in run.error["message"]
    assert run.document["reproducible"] is False
    assert run.document["artifacts"] == []
    assert bench.published() == {}


def test_an_sdist_that_states_when_it_was_packed_is_not_reproducible(bench: Bench) -> None:
    """As gzip writes it into its header by default."""
    run = bench.passbuild("sdist", project(bench, gzip_time="None"), "--host", bench.host(), "--verify-reproducible")

    assert run.code == 1
    (difference,) = run.error["message"].splitlines()[1:]
    assert difference.startswith("the time in the header of the gzip file differs: 20")
    assert bench.published() == {}


def test_what_earlier_builds_left_does_not_count(bench: Bench) -> None:
    """A file that only the user's build folder has: the second build has no such folder, and tells."""
    source = project(bench, 'files |= {path.name: "" for path in sorted(pathlib.Path("build").glob("*"))}')
    (source / "build").mkdir()
    (source / "build" / "stale.py").touch()

    run = bench.passbuild("wheel", source, "--host", bench.host(), "--verify-reproducible")

    assert run.code == 1
    assert "stale.py is in the first one alone" in run.error["message"]


def test_the_copy_has_what_a_checkout_has(bench: Bench) -> None:
    """Of a repository what git tracks, also beside the project, with its tags; no virtual environment, no byte code."""
    body = (
        "import subprocess\n"
        '    said = subprocess.run(["git", "describe", "--tags"], check=True, capture_output=True, text=True).stdout\n'
        '    files |= {"version.txt": said, "beside.txt": pathlib.Path("../beside.txt").read_text()}\n'
        '    files["build.txt"] = pathlib.Path("build/kept.txt").read_text()\n'
        '    files["link.txt"] = pathlib.Path("link.txt").read_text()\n'
        f"    with open({str(bench.folder / 'there.txt')!r}, 'a') as file:\n"
        "        file.write(' '.join(sorted(os.listdir())) + '\\n')"
    )
    source = project(bench, body, name="repository/project")
    top = source.parent
    (top / "beside.txt").write_text("beside\n", encoding="utf-8")
    (bench.folder / "outside.txt").write_text("outside\n", encoding="utf-8")
    (source / "link.txt").symlink_to("../../outside.txt")
    (source / "build").mkdir()
    (source / "build" / "kept.txt").write_text("kept\n", encoding="utf-8")
    git = ["git", "-C", top, "-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"], ["tag", "-a", "v1.0", "-m", "one"]):
        bench.workshop.run(*git, *words)
    (top / "untracked.txt").touch()
    host = bench.own_host(folder=source / ".venv")
    (source / "__pycache__").mkdir()

    run = bench.passbuild("wheel", source, "--host", host, "--verify-reproducible")

    assert run.code == 0, run.stderr
    first, second = (bench.folder / "there.txt").read_text(encoding="utf-8").splitlines()
    assert {".venv", "__pycache__", "build"} <= set(first.split())
    assert set(first.split()) - set(second.split()) == {".venv", "__pycache__"}
    assert zipfile.ZipFile(next(bench.outdir.iterdir())).read("version.txt") == b"v1.0\n"


@pytest.mark.parametrize(
    ("variables", "options", "wanted"),
    [
        ({}, (), "1580601600"),
        ({"SOURCE_DATE_EPOCH": "1700000000"}, (), "1700000000"),
        ({}, ("-E", "SOURCE_DATE_EPOCH=1700000001"), "1700000001"),
    ],
)
def test_both_builds_state_the_same_time(
    bench: Bench, variables: dict[str, str], options: tuple[str, ...], wanted: str
) -> None:
    """The user's SOURCE_DATE_EPOCH, or else a fixed one."""
    source = project(bench, 'files["epoch.txt"] = os.environ["SOURCE_DATE_EPOCH"]')

    run = bench.passbuild("wheel", source, "--host", bench.host(), "--verify-reproducible", *options, environ=variables)

    assert run.code == 0, run.stderr
    assert zipfile.ZipFile(next(bench.outdir.iterdir())).read("epoch.txt").decode() == wanted


@pytest.mark.parametrize("options", [["--pin", "minor"], ["--sbom"], ["--pin", "exact", "--sbom"]])
def test_what_passbuild_adds_is_the_same_each_time(bench: Bench, options: list[str]) -> None:
    """Requirements, the SBOM and the RECORD that lists them."""
    host = bench.host("engine==1.0", "fuel==1.0")
    source = project(bench, "import engine")

    run = bench.passbuild("wheel", source, "--host", host, "--passthrough", "engine", "--verify-reproducible", *options)
    again = bench.passbuild(
        "wheel",
        source.rename(bench.folder / "elsewhere"),
        *("--host", host, "--passthrough", "engine", "-E", "SOURCE_DATE_EPOCH=1580601600", *options),
        outdir="again",
    )

    assert run.code == 0, run.stderr
    assert run.document["artifacts"][0]["sha256"] == again.document["artifacts"][0]["sha256"]
    wheel = zipfile.ZipFile(next(bench.outdir.iterdir()))
    assert ("sample-1.0.dist-info/sboms/passbuild.cdx.json" in wheel.namelist()) is ("--sbom" in options)
    assert (b"Requires-Dist: engine" in wheel.read("sample-1.0.dist-info/METADATA")) is ("--pin" in options)


@pytest.mark.parametrize("is_dated", [False, True])
def test_a_kept_wheel_is_built_again_and_compared(bench: Bench, *, is_dated: bool) -> None:
    """What comes from the store was built by an earlier run: it has to come out the same now."""
    body = 'files["sample.py"] = str(time.time())' if is_dated else "pass"
    source = project(bench, body)
    archive = bench.folder / "sample-1.0.tar.gz"
    with tarfile.open(archive, "w:gz") as sdist:
        sdist.add(source, "sample-1.0")
    options = ["--host", bench.host(), "--cache-dir", bench.folder / "store", "-E", "SOURCE_DATE_EPOCH=1700000000"]

    first = bench.passbuild("wheel", archive, *options, outdir="first")
    second = bench.passbuild("wheel", archive, *options, "--verify-reproducible")

    assert first.code == 0, first.stderr
    assert [hook for hook, _ in hooks(bench)] == ["build_wheel"] * 2
    assert second.document["reproducible"] is not is_dated
    assert second.code == int(is_dated), second.stderr
    assert bool(bench.published()) is not is_dated
    if not is_dated:
        assert second.document["reused"] is not None


def test_what_is_not_reproducible_is_not_kept_either(bench: Bench) -> None:
    """The next build does not find it."""
    source = project(bench, 'files["sample.py"] = str(time.time())')
    archive = bench.folder / "sample-1.0.tar.gz"
    with tarfile.open(archive, "w:gz") as sdist:
        sdist.add(source, "sample-1.0")
    options = ["--host", bench.host(), "--cache-dir", bench.folder / "store", "-E", "SOURCE_DATE_EPOCH=1700000000"]

    first = bench.passbuild("wheel", archive, *options, "--verify-reproducible")
    second = bench.passbuild("wheel", archive, *options)

    assert first.code == 1
    assert second.code == 0, second.stderr
    assert second.document["reused"] is None


def test_keep_keeps_both_for_a_closer_look(bench: Bench) -> None:
    """`--keep`: the first and the second one, in the folder that is named."""
    source = project(bench, 'files["sample.py"] = str(time.time())')

    run = bench.passbuild("wheel", source, "--host", bench.host(), "--verify-reproducible", "--keep")

    (kept,) = map(Path, run.document["kept"])
    wheels = sorted(path.relative_to(kept).as_posix() for path in kept.glob("*/*.whl"))
    contents = {(kept / name).read_bytes() for name in wheels}
    bench.remove_kept(run)
    for folder in bench.scratch.iterdir():
        folder.rmdir()
    assert "first-1 and again-1" in run.error["hint"]
    assert wheels == ["again-1/sample-1.0-py3-none-any.whl", "first-1/sample-1.0-py3-none-any.whl"]
    assert len(contents) == 2


def test_the_source_is_as_it_was(bench: Bench) -> None:
    """The copy is another one: what the second build writes does not come into the user's folder."""
    source = project(bench, 'pathlib.Path("written.txt").touch() if "elsewhere" in os.getcwd() else None')
    before = fingerprint(source)

    run = bench.passbuild("wheel", source, "--host", bench.host(), "--verify-reproducible")

    assert run.code == 0, run.stderr
    assert {name for name in fingerprint(source) if "__pycache__" not in name} == set(before)


def test_many_wheels_are_each_verified(bench: Bench) -> None:
    """`wheel A B -j 2 --verify-reproducible`: the one that is not reproducible fails alone."""
    good = project(bench, name="good")
    bad = project(bench, 'files["sample.py"] = str(time.time())', name="bad")
    argv = [sys.executable, "-m", "passbuild", "wheel", good, bad, "-j", "2", "--verify-reproducible", "--json"]

    finished = subprocess.run(
        [*map(str, argv), "--host", str(bench.host()), "-o", str(bench.outdir)],
        env=bench.environ,
        cwd=bench.folder,
        capture_output=True,
        text=True,
        check=False,
    )

    document = valid(finished.stdout)
    assert finished.returncode == 1
    assert [build["reproducible"] for build in document["builds"]] == [True, False]
    assert [(build["error"] or {}).get("code") for build in document["builds"]] == [None, "not-reproducible"]
    assert list(bench.published()) == ["sample-1.0-py3-none-any.whl"]


def test_it_can_be_a_setting_of_the_user_or_a_variable(bench: Bench) -> None:
    """In the user's file and in PASSBUILD_VERIFY_REPRODUCIBLE; a project cannot turn it on for whoever builds it."""
    config = bench.folder / "config.toml"
    config.write_text("verify-reproducible = true\n", encoding="utf-8")
    source = project(bench)

    by_file = bench.passbuild("plan", source, "--host", bench.host(), "--config-file", config)
    by_variable = bench.passbuild(
        "plan", source, "--host", bench.host(), environ={"PASSBUILD_VERIFY_REPRODUCIBLE": "1"}
    )
    file = source / "pyproject.toml"
    file.write_text(
        f"{file.read_text(encoding='utf-8')}\n[tool.passbuild]\nverify-reproducible = true\n", encoding="utf-8"
    )
    by_project = bench.passbuild("plan", source, "--host", bench.host())

    assert by_file.document["settings"]["verify-reproducible"]["value"] is True
    assert by_variable.document["settings"]["verify-reproducible"]["value"] is True
    assert by_project.error["code"] == "invalid-settings"
