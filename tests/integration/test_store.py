"""The store of build environments: what is reused, what makes another one, and what happens when things go wrong."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from passbuild import forkserver
from tests import places
from tests.integration.test_sdist_requirements import sdist

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.integration.bench import Bench, Environment, Outcome


def store(bench: Bench) -> Path:
    """Return the store of this test alone."""
    return bench.folder / "store"


def kept(bench: Bench) -> list[Path]:
    """Return the environments in it."""
    return sorted((store(bench) / "environments").glob("[!.]*"))


def own_host(bench: Bench) -> Environment:
    """Return a host of this test's own."""
    return bench.own_host("engine==1.0", "fuel==1.0")


def build(
    bench: Bench,
    host: Environment,
    project: Path,
    *options: object,
    environ: Mapping[str, str] | None = None,
    command: str = "wheel",
) -> Outcome:
    """Build with the host's engine and this test's store."""
    arguments = ["--host", host, "--passthrough", "engine", "--cache-dir", store(bench), *options]
    return bench.passbuild(command, project, *arguments, environ=environ)


def reused(run: Outcome) -> bool:
    """Return whether a build succeeded in an environment that was there."""
    assert run.code == 0, run.stderr
    found: bool = run.document["environment"]["reused"]
    return found


def test_the_second_build_reuses_the_environment_of_the_first(bench: Bench, installer: str) -> None:
    """At the same path, with the same contents; nothing is installed."""
    host = own_host(bench)
    project = bench.project(requires=["tool", "plugin"], imports=["engine", "plugin", "tool"])

    first = build(bench, host, project, "--installer", installer)
    second = build(bench, host, project, "--installer", installer)

    assert not reused(first)
    assert reused(second)
    assert first.document["environment"]["folder"] == second.document["environment"]["folder"]
    assert first.versions("installed") == second.versions("installed") == {"tool": "2.0", "plugin": "1.0"}
    assert first.names("passed") == second.names("passed") == ["engine", "fuel"]
    assert second.document["installer"] == installer
    assert second.seen["modules"]["engine"]["file"].startswith(str(host.site_packages))
    assert second.document["warnings"] == []
    assert "reused with" in second.stderr


def test_other_projects_with_the_same_requirements_share_an_environment(bench: Bench) -> None:
    """What makes an environment is what it holds, not who asked for it."""
    host = own_host(bench)

    first = build(bench, host, bench.project(requires=["tool"], name="one"))
    second = build(bench, host, bench.project(requires=["tool"], name="two"))

    assert [reused(first), reused(second)] == [False, True]
    assert len(kept(bench)) == 1


def test_a_passed_package_that_is_not_used_is_warned_about_in_a_reused_environment_too(bench: Bench) -> None:
    """What hooks import is noted for each run by itself."""
    host = own_host(bench)

    build(bench, host, bench.project(imports=["engine"], name="one"))
    second = build(bench, host, bench.project(name="two"))

    assert reused(second)
    assert ["engine was passed through, but the build did not use it" in text for text in second.document["warnings"]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is different in the second build."""

    options: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    writes: str = ""
    """A file of the host, below site-packages."""


_CHANGES = {
    "another requirement": Change(options=("--build-requires", "odd.name")),
    "another installer": Change(options=("--installer", "pip")),
    "a constraint": Change(options=("--build-constraint", "{folder}/constraints.txt")),
    "a variable of the installer": Change(variables={"UV_INDEX_STRATEGY": "unsafe-best-match"}),
    "a configuration of the installer": Change(variables={"UV_CONFIG_FILE": "{folder}/uv.toml"}),
    "a flag for the compiler": Change(variables={"CFLAGS": "-O1"}),
    "the passed packages": Change(options=("--no-passthrough", "engine", "--passthrough", "fuel")),
    "a file of a passed package": Change(writes="engine/__init__.py"),
    "a file of a closure member": Change(writes="fuel/part.py"),
    "the files of a passed package": Change(writes="engine/more.py"),
    "the metadata of a passed package": Change(writes="engine-1.0.dist-info/REQUESTED"),
}


def _write(host: Environment, place: str, text: str) -> None:
    (host.site_packages / place).write_text(text, encoding="utf-8")


@pytest.mark.parametrize("change", _CHANGES)
def test_another_environment_is_made_after_a_change_of(bench: Bench, change: str) -> None:
    """Each of these makes another environment, and the first one is there for whoever wants it."""
    host, how = own_host(bench), _CHANGES[change]
    project = bench.project(requires=["tool"])
    (bench.folder / "constraints.txt").write_text("tool<2\n", encoding="utf-8")
    configuration = bench.workshop.house.uv_toml.read_text(encoding="utf-8")
    (bench.folder / "uv.toml").write_text(f"{configuration}# mine\n", encoding="utf-8")
    options = [option.format(folder=bench.folder) for option in how.options]
    environ = {name: value.format(folder=bench.folder) for name, value in how.variables.items()}

    first = build(bench, host, project, "--installer", "uv")
    if how.writes:
        _write(host, how.writes, "# mine\n")
    second = build(bench, host, project, "--installer", "uv", *options, environ=environ)

    assert [reused(first), reused(second)] == [False, False]
    assert len(kept(bench)) == 2


def test_what_pyproject_says_of_anything_but_uv_makes_no_other_environment(bench: Bench) -> None:
    """A new version of the project, built in its own folder; uv reads [tool.uv] there, which does count."""
    host = own_host(bench)
    project = bench.project(requires=["tool"])
    file = project / "pyproject.toml"
    options = ["--host", host, "--passthrough", "engine", "--cache-dir", store(bench), "--installer", "uv"]

    first = bench.passbuild("wheel", ".", *options, cwd=project)
    file.write_text(file.read_text(encoding="utf-8") + "[tool.mine]\nkey = 1\n", encoding="utf-8")
    second = bench.passbuild("wheel", ".", *options, cwd=project)
    file.write_text(file.read_text(encoding="utf-8") + "[tool.uv]\nresolution = 'lowest'\n", encoding="utf-8")
    third = bench.passbuild("wheel", ".", *options, cwd=project)

    assert [reused(first), reused(second), reused(third)] == [False, True, False]


def _file(bench: Bench, text: str) -> Path:
    file = bench.folder / "constraints.txt"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_changed_constraints_file_is_another_constraint(bench: Bench) -> None:
    """Its contents count, not its name."""
    host = own_host(bench)
    project = bench.project(requires=["tool"])

    first = build(bench, host, project, "--build-constraint", _file(bench, "tool<3\n"))
    second = build(bench, host, project, "--build-constraint", _file(bench, "tool<2\n"))

    assert first.versions("installed") == {"tool": "2.0"}
    assert second.versions("installed") == {"tool": "1.0"}


def test_an_editable_package_that_is_installed_anew_makes_another_environment(bench: Bench) -> None:
    """Its metadata and start-up files are what the host has of it."""
    host = own_host(bench)
    sources = bench.folder / "sources"
    (sources / "edible").mkdir(parents=True)
    (sources / "edible" / "__init__.py").write_text("", encoding="utf-8")
    (host.site_packages / "edible-1.0.dist-info").mkdir()
    _write(host, "edible-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: edible\nVersion: 1.0\n")
    _write(host, "edible-1.0.dist-info/RECORD", "edible.pth,,\nedible-1.0.dist-info/METADATA,,\n")
    _write(host, "edible.pth", f"{sources}\n")
    project = bench.project(imports=["edible"])

    first = build(bench, host, project, "--passthrough", "edible")
    second = build(bench, host, project, "--passthrough", "edible")
    shutil.copytree(sources, bench.folder / "moved")
    _write(host, "edible.pth", f"{bench.folder / 'moved'}\n")
    third = build(bench, host, project, "--passthrough", "edible")

    assert [reused(first), reused(second), reused(third)] == [False, True, False]
    assert third.seen["modules"]["edible"]["file"] == str(bench.folder / "moved" / "edible" / "__init__.py")


@pytest.mark.parametrize("kind", ["folder", "branch"])
def test_what_may_hold_something_else_tomorrow_is_not_kept(bench: Bench, kind: str) -> None:
    """A requirement in a folder or on a branch: the environment is a temporary one."""
    host = own_host(bench)
    tree = bench.project(name="tree", toml='[project]\nname = "sample"\nversion = "1.0"\n')
    bench.workshop.run("git", "init", "-q", "-b", "main", tree)
    git = ["git", "-C", tree, "-c", "user.name=a", "-c", "user.email=a@b"]
    bench.workshop.run(*git, "add", ".")
    bench.workshop.run(*git, "commit", "-qm", "first")
    url = tree.as_uri() if kind == "folder" else f"git+{tree.as_uri()}@main"

    run = build(bench, host, bench.project(requires=[f"sample @ {url}"]), "--no-passthrough", "engine")

    assert run.code == 0, run.stderr
    assert run.document["environment"]["stored"] is False
    assert not Path(run.document["environment"]["folder"]).exists()


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_files_that_variables_and_constraints_name_count_by_their_contents(bench: Bench, installer: str) -> None:
    """PIP_CONSTRAINT and UV_CONSTRAINT, and a file that a constraints file includes."""
    host = own_host(bench)
    project = bench.project(requires=["tool"])
    file = _file(bench, "tool<2\n")
    outer = bench.folder / "outer.txt"
    outer.write_text("-c constraints.txt\n", encoding="utf-8")
    environ = {f"{installer.upper()}_CONSTRAINT": str(file)}
    options = ["--installer", installer]

    first = build(bench, host, project, *options, environ=environ)
    second = build(bench, host, project, *options, "--build-constraint", outer)
    _file(bench, "tool<3\n")
    third = build(bench, host, project, *options, environ=environ)
    fourth = build(bench, host, project, *options, "--build-constraint", outer)

    found = [run.versions("installed")["tool"] for run in (first, second, third, fourth)]
    assert found == ["1.0", "1.0", "2.0", "2.0"]


def test_what_was_built_of_an_sdist_is_built_again(bench: Bench) -> None:
    """It depends on more than a key can name: its own settings, variables that it reads, the host that it saw."""
    host = own_host(bench)
    sdist(bench.folder / "sdists", "child")
    project = bench.project(requires=["child"], imports=["child"])
    environ = {"UV_FIND_LINKS": str(bench.folder / "sdists")}

    first = build(bench, host, project, "--installer", "uv", environ=environ)
    second = build(bench, host, project, "--installer", "uv", environ=environ)

    assert [reused(first), reused(second)] == [False, False]
    assert second.names("built_requirements") == ["child"]
    assert first.document["environment"]["folder"] == second.document["environment"]["folder"]


def test_byte_code_that_the_host_writes_makes_no_other_environment(bench: Bench) -> None:
    """Any program that imports a package for the first time compiles it."""
    host = own_host(bench)
    project = bench.project(requires=["tool"])

    first = build(bench, host, project)
    bench.workshop.run(host.python, "-c", "import engine, fuel")
    second = build(bench, host, project)

    assert (host.site_packages / "engine" / "__pycache__").is_dir()
    assert [reused(first), reused(second)] == [False, True]


def test_no_store_leaves_nothing_and_takes_nothing(bench: Bench) -> None:
    """`--no-store`: a temporary environment, gone afterwards."""
    host = own_host(bench)
    project = bench.project(requires=["tool"])
    build(bench, host, project)

    run = build(bench, host, project, "--no-store")

    assert not reused(run)
    assert run.document["environment"]["stored"] is False
    assert not Path(run.document["environment"]["folder"]).exists()
    assert len(kept(bench)) == 1


def test_refresh_makes_the_environment_anew(bench: Bench) -> None:
    """`--refresh`: the same place, made again; the next build reuses that."""
    host = own_host(bench)
    project = bench.project(requires=["tool"])
    build(bench, host, project)
    (marked,) = kept(bench)
    before = (marked / "environment.json").stat().st_mtime_ns

    run = build(bench, host, project, "--refresh")
    again = build(bench, host, project)

    assert [reused(run), reused(again)] == [False, True]
    assert (marked / "environment.json").stat().st_mtime_ns > before


def test_an_environment_that_is_too_old_is_made_anew(bench: Bench) -> None:
    """`setuptools>=61` does not stay at what it was a month ago."""
    host = own_host(bench)
    project = bench.project(requires=["tool"])
    build(bench, host, project)
    (folder,) = kept(bench)
    _age(folder, hours=25)

    second = build(bench, host, project)
    _age(folder, hours=25)
    third = build(bench, host, project, "--store-max-age", "30")

    assert [reused(second), reused(third)] == [False, True]


def _age(folder: Path, *, hours: float) -> None:
    file = folder / "environment.json"
    document = json.loads(file.read_text(encoding="utf-8"))
    document["created"] -= hours * 3600
    file.write_text(json.dumps(document), encoding="utf-8")


_TAMPERINGS = {
    "a file is written": "(site / 'tool' / 'part.py').write_text('VALUE = 2')",
    "a file is gone": "(site / 'tool' / 'part.py').unlink()",
    "a file is new": "(site / 'tool' / 'more.py').touch()",
    "permissions": "(site / 'tool' / 'part.py').chmod(0o777)",
    "a link leads elsewhere": "l = site.with_name('host-packages') / 'engine'; l.unlink(); l.symlink_to('/usr')",
    "the start-up file is gone": "next(site.glob('_passbuild*.pth')).unlink()",
}


@pytest.mark.parametrize("tampering", _TAMPERINGS)
def test_an_environment_that_was_tampered_with_is_made_anew(bench: Bench, tampering: str) -> None:
    """Whoever did it: a stored environment is as it was made, or it is not used."""
    host = own_host(bench)
    project = bench.project(requires=["tool"], imports=["tool", "engine"])
    first = build(bench, host, project)
    (folder,) = kept(bench)
    (site,) = folder.glob("env/lib/python*/site-packages")

    exec(_TAMPERINGS[tampering], {"site": site})
    second = build(bench, host, project)

    assert [reused(first), reused(second)] == [False, False]
    assert second.seen["modules"]["tool"]["version"] == "2.0"
    assert second.seen["modules"]["engine"]["file"] == str(host.site_packages / "engine" / "__init__.py")


@pytest.mark.parametrize("mode", ["auto", "off"])
def test_what_a_backend_installs_into_its_environment_does_not_reach_the_next_build(bench: Bench, mode: str) -> None:
    """A setup.py that calls pip: the next build gets a clean environment, another one where it could write this."""
    host = own_host(bench)
    project = bench.project(requires=["tool"])
    code = (
        "import subprocess, sys, tiny_wheel\nfrom pathlib import Path\n"
        "def build_wheel(folder, *rest):\n"
        f"    uv = [{sys.executable!r}, '-m', 'uv', 'pip', 'install', '--python', sys.executable, 'odd.name']\n"
        "    subprocess.run(uv, check=True)\n"
        "    return tiny_wheel.write(Path(folder), 'sample', '1.0', {'sample.py': ''}).name\n"
    )
    (project / "backend" / "hostile.py").write_text(code, encoding="utf-8")
    file = project / "pyproject.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('"recorder"', '"hostile"'), encoding="utf-8")

    first = build(bench, host, project, "--protect-host", mode)
    second = build(
        bench, host, bench.project(requires=["tool"], tries=["odd_name"], name="other"), "--protect-host", mode
    )

    is_protected = mode == "auto" and forkserver.is_available()
    assert [reused(first), reused(second)] == [False, is_protected]
    assert second.seen["modules"]["odd_name"] is None


@pytest.mark.parametrize("variable", ["UV_CACHE_DIR", "PIP_CACHE_DIR"])
def test_what_comes_into_an_installers_cache_makes_no_other_environment(bench: Bench, variable: str) -> None:
    """CI names a folder for it, and every installation writes there."""
    host = bench.host("engine==1.0", "fuel==1.0")
    project = bench.project(requires=["tool"])
    cache = bench.folder / "installers-cache"
    cache.mkdir()

    runs = []
    for number in range(2):
        runs.append(bench.passbuild("wheel", project, "--host", host, environ={variable: str(cache)}))
        (cache / f"file-{number}").touch()

    assert [run.document["environment"]["reused"] for run in runs] == [False, True]


def test_a_store_that_cannot_be_used_is_told_and_the_build_goes_on(bench: Bench) -> None:
    """Its place is a file, or on a file system that nobody may write."""
    host = own_host(bench)
    store(bench).write_text("not a folder", encoding="utf-8")

    run = build(bench, host, bench.project(requires=["tool"], imports=["tool", "engine"]))
    nowhere = build(bench, host, bench.project(requires=["tool"], name="other"), "--cache-dir", "/proc/passbuild")

    for done in (run, nowhere):
        assert done.code == 0, done.stderr
        assert done.document["environment"]["stored"] is False
        (told,) = [text for text in done.document["warnings"] if "cannot be used" in text]
        assert told.endswith("the build environment is a temporary one")


def test_a_full_disk_under_the_store_is_told_and_the_build_goes_on(bench: Bench, tmp_path: Path) -> None:
    """A file system of a megabyte: nothing is left there, and the build has a temporary environment."""
    with places.small_disk(tmp_path / "small", "40k") as small:
        run = build(bench, own_host(bench), bench.project(imports=["engine"]), "--cache-dir", small / "store")
        left = list((small / "store" / "environments").glob("*"))

    assert run.code == 0, run.stderr
    assert run.document["environment"]["stored"] is False
    assert left == []


def _interrupted(bench: Bench, host: Environment, project: Path, when: str) -> None:
    """Start a build, and kill it without warning once its environment is that far."""
    argv = [sys.executable, "-m", "passbuild", "wheel", project, "--host", host, "--passthrough", "engine"]
    argv += ["--cache-dir", store(bench), "-o", bench.outdir]
    child = subprocess.Popen(
        list(map(str, argv)), cwd=bench.folder, env=bench.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    patterns = {
        "begun": "environments/*",
        "created": "environments/*/env/bin/python",
        "stand-ins": "environments/*/env/lib/python*/site-packages/engine-1.0.dist-info",
        "installed": "environments/*/env/lib/python*/site-packages/tool",
        "viewed": "environments/*/env/lib/python*/host-packages",
        "recorded": "environments/*/environment.json",
    }
    end = time.monotonic() + 30
    while not list(store(bench).glob(patterns[when])) and time.monotonic() < end and child.poll() is None:
        time.sleep(0.0005)
    child.send_signal(signal.SIGKILL)
    child.wait()


@pytest.mark.parametrize("when", ["begun", "created", "stand-ins", "installed", "viewed", "recorded"])
def test_a_crash_while_an_environment_is_made_harms_no_later_build(bench: Bench, when: str) -> None:
    """Killed at any stage: what is not finished is made again, and holds what it should."""
    host = own_host(bench)
    bench.watch(host)
    project = bench.project(requires=["tool"], imports=["engine", "tool"], distributions=["engine", "tool"])

    _interrupted(bench, host, project, when)
    leftovers = list(bench.scratch.iterdir())  # of the killed one, and of the hook that it may have been starting
    run = build(bench, host, project)
    again = build(bench, host, project)

    assert run.code == 0, run.stderr
    assert run.seen["distributions"] == {"engine": "1.0", "tool": "2.0"}
    assert run.seen["modules"]["engine"]["file"] == str(host.site_packages / "engine" / "__init__.py")
    assert reused(again)
    assert len(kept(bench)) == 1
    for leftover in leftovers:
        shutil.rmtree(leftover, ignore_errors=True)


def test_eight_builds_at_once_make_one_environment(bench: Bench) -> None:
    """Seven wait for the one that makes it, and none waits for a build."""
    host = own_host(bench)
    bench.watch(host)
    projects = [bench.project(requires=["tool"], imports=["tool", "engine"], name=f"p{n}") for n in range(8)]
    argv = [sys.executable, "-m", "passbuild", "wheel", "--host", host, "--passthrough", "engine", "--json"]
    argv += ["--cache-dir", store(bench)]

    started = [
        subprocess.Popen(
            [*map(str, argv), str(project), "-o", str(project / "out")],
            env=bench.environ,
            stdout=subprocess.PIPE,
            text=True,
        )
        for project in projects
    ]
    documents = [json.loads(child.communicate()[0]) for child in started]

    assert [child.returncode for child in started] == [0] * 8
    assert sorted(document["environment"]["reused"] for document in documents) == [False] + [True] * 7
    assert len(kept(bench)) == 1
    assert {document["environment"]["stored"] for document in documents} == {True}


def test_an_environment_in_use_is_not_remade_under_a_running_build(bench: Bench) -> None:
    """It aged while another build uses it: the next build has a temporary one, and the first goes on."""
    host = own_host(bench)
    slow = bench.project(requires=["tool"], name="slow")
    gate = bench.folder / "gate"
    code = (
        "import time, tiny_wheel\nfrom pathlib import Path\n"
        "def build_wheel(folder, *rest):\n"
        f"    Path({str(gate)!r}).touch()\n"
        f"    while Path({str(gate)!r}).exists():\n        time.sleep(0.01)\n"
        "    import tool\n"
        "    return tiny_wheel.write(Path(folder), 'sample', '1.0', {'sample.py': ''}).name\n"
    )
    (slow / "backend" / "waits.py").write_text(code, encoding="utf-8")
    file = slow / "pyproject.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('"recorder"', '"waits"'), encoding="utf-8")
    argv = [sys.executable, "-m", "passbuild", "wheel", slow, "--host", host, "--passthrough", "engine"]
    argv += ["--cache-dir", store(bench), "-o", bench.outdir]
    running = subprocess.Popen(list(map(str, argv)), cwd=bench.folder, env=bench.environ, stdout=subprocess.DEVNULL)
    while not gate.exists():
        assert running.poll() is None
        time.sleep(0.01)

    second = build(bench, host, bench.project(requires=["tool"], name="second"), "--refresh")
    cleared = bench.passbuild("cache", "clear", "--cache-dir", store(bench), outdir=None, json=False)
    gate.unlink()

    assert running.wait() == 0
    assert second.code == 0, second.stderr
    assert second.document["environment"]["stored"] is False
    assert cleared.code == 0, cleared.stderr
    assert len(kept(bench)) == 1


def test_what_was_used_least_recently_goes_first(bench: Bench) -> None:
    """The store has a size; what goes beyond it is removed when another environment is made."""
    host = own_host(bench)
    for number, name in enumerate(["tool", "odd.name", "turbo"]):
        run = build(bench, host, bench.project(requires=[name], name=name))
        os.utime(Path(run.document["environment"]["folder"]).parent / "used", (number, number))
    before = kept(bench)

    run = build(bench, host, bench.project(requires=["tool==1.0"], name="last"), "--store-max-size", "0")

    assert len(before) == 3
    assert run.code == 0, run.stderr
    assert [str(folder / "env") for folder in kept(bench)] == [run.document["environment"]["folder"]]


def test_the_store_is_marked_as_a_cache(bench: Bench) -> None:
    """Backup programs leave out what lies beside a CACHEDIR.TAG."""
    build(bench, own_host(bench), bench.project())

    assert (store(bench) / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f06886806bc55")


def cache(bench: Bench, *arguments: object) -> Outcome:
    """Run `passbuild cache`."""
    command, *rest = arguments
    return bench.passbuild("cache", str(command), *rest, "--cache-dir", store(bench), outdir=None, json=False)


def test_cache_dir_and_list_tell_what_is_kept(bench: Bench) -> None:
    """Where it is; of each environment what it holds, its size, age and last use; with `--json` as a document."""
    host = own_host(bench)
    run = build(bench, host, bench.project(requires=["tool"]))

    where = cache(bench, "dir")
    text = cache(bench, "list")
    document = json.loads(cache(bench, "list", "--json").stdout)

    assert where.stdout == f"{store(bench)}\n"
    assert "engine 1.0" in text.stdout
    assert "tool 2.0" in text.stdout
    (item,) = document["environments"]
    assert item["folder"] == str(Path(run.document["environment"]["folder"]).parent)
    assert item["passed"] == ["engine 1.0", "fuel 1.0"]
    assert item["installed"] == ["tool 2.0"]
    assert item["size"] > 1000
    assert 0 <= item["age"] < 600
    assert 0 <= item["unused"] < 600


def test_cache_prune_removes_what_is_old_or_unfinished(bench: Bench) -> None:
    """What is young enough stays."""
    host = own_host(bench)
    build(bench, host, bench.project(requires=["tool"], name="one"))
    (old,) = kept(bench)
    _age(old, hours=25)
    build(bench, host, bench.project(requires=["odd.name"], name="two"), "--store-max-age", "1000")
    (store(bench) / "environments" / "unfinished").mkdir()

    pruned = cache(bench, "prune")

    assert pruned.code == 0, pruned.stderr
    assert len(kept(bench)) == 1
    assert not old.exists()


def test_cache_clear_removes_everything(bench: Bench) -> None:
    """And a store that is empty, or not there, is no error."""
    build(bench, own_host(bench), bench.project(requires=["tool"]))

    first = cache(bench, "clear")
    second = cache(bench, "clear")
    shutil.rmtree(store(bench))
    third = cache(bench, "clear")

    assert [first.code, second.code, third.code] == [0, 0, 0]
    assert kept(bench) == []


def test_cache_clear_touches_nothing_that_is_not_a_store(bench: Bench) -> None:
    """Without our CACHEDIR.TAG nothing is removed."""
    precious = store(bench) / "environments" / "precious"
    precious.mkdir(parents=True)

    run = cache(bench, "clear")

    assert run.code == 2
    assert precious.is_dir()
    assert "is no store of passbuild" in run.stderr


def test_a_folder_that_holds_something_else_is_no_store(bench: Bench) -> None:
    """`--cache-dir ~` would mark the home folder as a cache, which backups leave out."""
    store(bench).mkdir()
    (store(bench) / "precious").touch()

    run = build(bench, own_host(bench), bench.project())

    assert run.code == 2
    assert run.error["code"] == "not-a-store"
    assert sorted(path.name for path in store(bench).iterdir()) == ["precious"]


def test_a_record_that_cannot_be_read_is_no_record(bench: Bench) -> None:
    """Somebody wrote into it: the environment is made anew."""
    host = own_host(bench)
    project = bench.project(requires=["tool"])
    build(bench, host, project)
    (folder,) = kept(bench)

    for text in ("{", "[]", '{"format": 1}'):
        (folder / "environment.json").write_text(text, encoding="utf-8")
        assert cache(bench, "list").code == 0
        assert not reused(build(bench, host, project))
    assert reused(build(bench, host, project))


_REMEMBERED = pytest.mark.skipif(
    "sitecustomize" in sys.modules, reason="a sitecustomize, as Debian has one, may say something else each time"
)


def _starts(bench: Bench, host: Environment) -> Callable[[], int]:
    """Let the host's interpreter count its starts, outside of the host, and return what reads the count."""
    log = bench.folder / "starts.log"
    line = f"import os; open({str(log)!r}, 'a').write(str(os.getpid()) + '\\n')\n"
    (host.site_packages / "counts.pth").write_text(line, encoding="utf-8")
    return lambda: len(set(log.read_text(encoding="utf-8").split())) if log.exists() else 0


@_REMEMBERED
def test_a_host_that_gives_nothing_is_asked_once_and_again_after_a_change(bench: Bench) -> None:
    """Nobody named a package: what the interpreter said last time serves a build, with `--no-store` too."""
    host = bench.own_host("engine==1.0", "fuel==1.0")
    starts = _starts(bench, host)
    project = bench.project(requires=["tool"])

    def asked(command: str, *options: object) -> int:
        before = starts()
        run = bench.passbuild(command, project, "--host", host, "--cache-dir", store(bench), *options)
        assert run.code == 0, run.stderr
        assert run.document["host"]["prefix"] == str(host)
        return starts() - before

    asked("wheel")  # makes the environment, for which virtualenv asks as well
    time.sleep(2.1)  # what has only just changed is not remembered
    first = asked("wheel")
    again = [asked("wheel"), asked("sdist"), asked("plan"), asked("wheel")]
    named = asked("plan", "--passthrough", "engine")
    refreshed = [asked("wheel", "--refresh") > 0, asked("wheel")]
    bench.workshop.fill(host, ["fuel==2.0"])
    changed = asked("wheel")

    assert (first, again, named, refreshed, changed) == (1, [0, 0, 1, 0], 1, [True, 0], 1)


@_REMEMBERED
def test_cache_clear_forgets_what_hosts_said(bench: Bench) -> None:
    """All that a build left is gone."""
    host = bench.own_host("engine==1.0", "fuel==1.0")
    time.sleep(2.1)
    bench.passbuild("wheel", bench.project(), "--host", host, "--cache-dir", store(bench))
    known = list((store(bench) / "interpreters").iterdir())

    cache(bench, "clear")

    assert len(known) == 1
    assert not any((store(bench) / "interpreters").glob("*"))


@pytest.mark.parametrize("command", ["prune", "clear"])
def test_store_that_cannot_be_written_is_told_by_the_commands_that_would(bench: Bench, command: str) -> None:
    """What cannot be locked is not removed, and that is an error with a code."""
    host = bench.host("engine==1.0", "fuel==1.0")
    store = bench.folder / "store"
    options = ("--cache-dir", store)
    bench.passbuild("wheel", bench.project(requires=["tool"]), "--host", host, *options)
    shutil.rmtree(store / "locks")
    (store / "locks").write_text("", encoding="utf-8")

    aged = ("--store-max-age", "0") if command == "prune" else ()
    finished = bench.passbuild("cache", command, *options, *aged)

    assert finished.code == 2, finished.stderr
    assert "output-not-writable" in finished.stderr
    assert "Traceback" not in finished.stderr
