"""`passbuild install` builds, and lets the installer put that into the host; it replaces no passed package."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.bench import SAMPLES, fingerprint
from tests.integration.test_hosts import private_passbuild
from tests.integration.test_sdist_requirements import sdist
from tests.integration.test_sources import repository

if TYPE_CHECKING:
    from tests.integration.bench import Bench, Environment, Outcome

INSTALLERS = pytest.mark.parametrize("installer", ["uv", "pip"])
_EDITABLE = """\
[build-system]
requires = []
build-backend = "maker"
backend-path = ["backend"]
[project]
name = "pump"
version = "1.0"
"""
_EDITABLE_MAKER = """\
from pathlib import Path
import engine
import tiny_wheel

def build_editable(folder, config_settings=None, metadata_directory=None):
    return tiny_wheel.write(Path(folder), "pump", "1.0", {"pump.pth": str(Path("src").absolute())}).name
"""


def install(bench: Bench, host: Environment, source: Path | str, *options: object, **environ: str) -> Outcome:
    """Install with what the wheelhouse and the test's folder `links` have."""
    links = bench.folder / "links"
    links.mkdir(exist_ok=True)
    fixed = ("-f", links, "--host", host, "--passthrough", "engine")
    return bench.passbuild("install", source, *options, *fixed, environ=environ)


def telling(bench: Bench, beginning: str) -> Path:
    """Return the folder of a project whose module begins with this text, given as Python source."""
    shutil.unpack_archive(sdist(bench.folder / "links", "pump"), bench.folder)
    maker = bench.folder / "pump-1.0" / "backend" / "maker.py"
    text = maker.read_text(encoding="utf-8").replace('"TOLD = "', repr(beginning))
    maker.write_text(text, encoding="utf-8")
    return bench.folder / "pump-1.0"


def versions(host: Environment) -> dict[str, str]:
    """Return what an environment holds, by what its own Python says."""
    asking = "import importlib.metadata as m, json; print(json.dumps({d.name: d.version for d in m.distributions()}))"
    told = subprocess.run([host.python, "-c", asking], check=True, capture_output=True)
    found: dict[str, str] = json.loads(told.stdout)
    return found


def direct_url(host: Environment, name: str) -> dict[str, object] | None:
    """Return what an environment says of where a distribution came from."""
    (info,) = host.site_packages.glob(f"{name}-*.dist-info")
    file = info / "direct_url.json"
    recorded = [line.partition(",")[0] for line in (info / "RECORD").read_text(encoding="utf-8").splitlines()]
    assert (f"{info.name}/direct_url.json" in recorded) == file.exists()
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None


def passed_files(host: Environment) -> dict[str, str]:
    """Return the fingerprint of the engine and the fuel of a host."""
    found = fingerprint(host.site_packages)
    return {name: value for name, value in found.items() if name.startswith(("engine", "fuel"))}


def test_a_passed_package_from_outside_of_the_host_is_not_installed_again(bench: Bench) -> None:
    """An environment's own folder is all that uv looks at; pip sees what a path line or the system shows."""
    host = bench.own_host()
    other = bench.host("engine==1.0", "fuel==1.0")
    (host.site_packages / "other.pth").write_text(f"{other.site_packages}\n", encoding="utf-8")
    source = sdist(bench.folder / "links", "pump", requires=["engine"], needs=["engine"])

    run = install(bench, host, source)

    assert run.code == 0, run.stderr
    assert run.document["installation"]["installer"] == "pip"
    assert [change["name"] for change in run.document["installation"]["changes"]] == ["pump"]
    assert not (host.site_packages / "engine").exists()
    assert "uv does not see engine" in run.stderr


@INSTALLERS
def test_what_is_built_is_installed_with_what_it_requires(bench: Bench, installer: str) -> None:
    """The wheel and its own dependencies come into the host; what passed through stays as it is."""
    sdist(bench.folder / "links", "pump", needs=["tool", "engine"])
    host = bench.own_host("engine==1.2+cpu", "fuel==1.0")
    before = passed_files(host)

    outcome = install(bench, host, "pump==1.0", "--installer", installer, "--check-import")

    assert outcome.code == 0, outcome.stderr
    assert versions(host) == {"engine": "1.2+cpu", "fuel": "1.0", "pump": "1.0", "tool": "2.0"}
    assert passed_files(host) == before
    installation = outcome.document["installation"]
    assert [(item["name"], item["before"], item["after"]) for item in installation["changes"]] == [
        ("pump", "", "1.0"),
        ("tool", "", "2.0"),
    ]
    assert installation["imported"] == ["pump"]
    assert installation["installer"] == installer
    assert direct_url(host, "pump") is None, "it came from an index, and pip freeze has to say so"


@INSTALLERS
@pytest.mark.parametrize("needs", ["engine>=1.5", "greedy"])
def test_requirement_that_would_replace_a_passed_package_changes_nothing(
    bench: Bench, installer: str, needs: str
) -> None:
    """A named package and a member of its closure are both kept, and the installer says whose fault it is."""
    sdist(bench.folder / "links", "pump", needs=[needs, "tool"])
    host = bench.watch(bench.own_host("engine==1.0", "fuel==1.0"))

    outcome = install(bench, host, "pump==1.0", "--installer", installer)

    assert (outcome.code, outcome.error["code"]) == (3, "cannot-install")
    assert needs.partition(">")[0] in outcome.error["message"]
    assert f"{host.folder} is as it was" in outcome.error["message"]
    assert ("fuel==1.0" if needs == "greedy" else "engine==1.0") in outcome.error["hint"]


@INSTALLERS
def test_same_version_of_another_build_is_put_in_its_place(bench: Bench, installer: str) -> None:
    """An installer would leave a wheel of the version that is there alone; what was built is what is wanted."""
    sdist(bench.folder / "links", "pump")
    host = bench.own_host("engine==1.0", "fuel==1.0")
    install(bench, host, "pump==1.0", "--installer", installer)
    (host.site_packages / "pump.py").write_text("TOLD = 'before'\n", encoding="utf-8")

    outcome = install(bench, host, "pump==1.0", "--installer", installer)

    assert outcome.code == 0, outcome.stderr
    assert "before" not in (host.site_packages / "pump.py").read_text(encoding="utf-8")
    assert outcome.document["installation"]["changes"] == []


@INSTALLERS
def test_dry_run_builds_and_changes_nothing(bench: Bench, installer: str) -> None:
    """What would be installed is said on standard output."""
    sdist(bench.folder / "links", "pump", needs=["tool"])
    host = bench.watch(bench.own_host("engine==1.0", "fuel==1.0"))
    argv = ("install", "pump==1.0", "-f", bench.folder / "links", "--host", host, "--passthrough", "engine")

    told = bench.passbuild(*argv, "--installer", installer, "--dry-run", json=False)
    outcome = bench.passbuild(*argv, "--installer", installer, "--dry-run")

    assert (told.code, outcome.code) == (0, 0), told.stderr
    for text in (told.stdout, "\n".join(outcome.document["installation"]["output"])):
        assert "pump" in text
        assert "tool" in text
    assert outcome.document["installation"]["changes"] == []


def test_several_sources_are_installed_at_once_or_not_at_all(bench: Bench) -> None:
    """When one of them cannot be built, none is installed."""
    sdist(bench.folder / "links", "pump")
    sdist(bench.folder / "links", "valve", needs=["pump"])
    sdist(bench.folder / "links", "broken", imports="absent")
    host = bench.own_host("engine==1.0", "fuel==1.0")

    failed = install(bench, host, "pump==1.0", "broken==1.0", "valve==1.0")
    after_failure = versions(host)
    outcome = install(bench, host, "valve==1.0", "pump==1.0")

    assert failed.error["code"] == "backend-failed"
    assert [item["ok"] for item in failed.document["builds"]] == [True, False]
    assert after_failure == {"engine": "1.0", "fuel": "1.0"}
    assert outcome.code == 0, outcome.stderr
    assert versions(host) == {"engine": "1.0", "fuel": "1.0", "pump": "1.0", "valve": "1.0"}
    assert [item["artifacts"][0]["name"] for item in outcome.document["builds"]] == ["valve", "pump"]


def test_import_that_is_tried_leaves_no_byte_code_in_the_host(bench: Bench) -> None:
    """The module imports what passed through, for the first time in that host."""
    project = telling(bench, "import engine.part; TOLD = ")
    host = bench.own_host("engine==1.0", "fuel==1.0")

    outcome = install(bench, host, project, "--check-import")

    assert outcome.code == 0, outcome.stderr
    assert not list(host.site_packages.glob("engine/__pycache__"))


def test_module_that_cannot_be_imported_is_told_where_it_was_asked(bench: Bench) -> None:
    """--check-import fails with what Python said; without it nothing is imported."""
    project = telling(bench, "raise OSError(7)  # ")
    host = bench.own_host("engine==1.0", "fuel==1.0")

    silent = install(bench, host, project)
    outcome = install(bench, host, project, "--check-import")

    assert silent.code == 0, silent.stderr
    assert (outcome.code, outcome.error["code"]) == (1, "import-fails")
    assert [item["name"] for item in outcome.document["installation"]["changes"]] == []  # it was there already
    assert "OSError: 7" in outcome.error["message"]
    assert versions(host)["pump"] == "1.0"


@pytest.mark.parametrize("ending", ["import sys; sys.exit(0)", "import os; os._exit(0)"])
def test_module_that_ends_the_process_was_not_imported(bench: Bench, ending: str) -> None:
    """Exit code 0 is no proof."""
    project = telling(bench, f"{ending}  # ")

    outcome = install(bench, bench.own_host("engine==1.0", "fuel==1.0"), project, "--check-import")

    assert outcome.error["code"] == "import-fails"


def test_source_that_is_none_has_a_document_of_the_same_shape(bench: Bench) -> None:
    """Whoever reads the document of an installation finds `builds` in it."""
    outcome = install(bench, bench.host("engine==1.0", "fuel==1.0"), "./nowhere")

    assert (outcome.document["builds"], outcome.error["code"]) == ([], "source-not-found")


@INSTALLERS
def test_hooks_see_no_index(bench: Bench, installer: str) -> None:
    """The options of indexes are for the installer; a backend has no need to know a password."""
    shutil.unpack_archive(sdist(bench.folder / "links", "pump"), bench.folder)
    maker = bench.folder / "pump-1.0" / "backend" / "maker.py"
    text = maker.read_text(encoding="utf-8")
    text = text.replace("    told =", "    import os\n    told = repr(dict(os.environ)) or")
    maker.write_text(text, encoding="utf-8")
    host = bench.own_host("engine==1.0", "fuel==1.0")
    url = "http://me:s3cr3t@127.0.0.1:9/simple"

    outcome = install(
        bench, host, bench.folder / "pump-1.0", "--installer", installer, "--index-url", url, "--extra-index-url", url
    )

    assert outcome.code == 0, outcome.stderr
    assert "s3cr3t" not in (host.site_packages / "pump.py").read_text(encoding="utf-8")


@INSTALLERS
def test_host_says_where_a_project_came_from(bench: Bench, installer: str) -> None:
    """direct_url.json names the folder, the archive or the commit, and not the wheel that was built meanwhile."""
    archive = sdist(bench.folder / "links", "pump")
    commit = repository(bench, below="parts/pump")
    host = bench.own_host("engine==1.0", "fuel==1.0")
    folder = bench.folder / "repository" / "parts" / "pump"
    url = f"git+file://{bench.folder}/repository@main#subdirectory=parts/pump"

    found = []
    for source in (archive, folder, url):
        outcome = install(bench, host, source, "--installer", installer)
        assert outcome.code == 0, outcome.stderr
        found.append(direct_url(host, "pump"))

    assert found[0] is not None
    assert found[0]["url"] == archive.as_uri()
    assert found[1] == {"url": folder.as_uri(), "dir_info": {}}
    assert found[2] == {
        "url": f"file://{bench.folder}/repository",
        "vcs_info": {"vcs": "git", "commit_id": commit, "requested_revision": "main"},
        "subdirectory": "parts/pump",
    }


@INSTALLERS
def test_editable_installation_keeps_its_environment(bench: Bench, installer: str) -> None:
    """The environment is this installation's own: neither age nor size nor clearing takes it away before it is gone."""
    project = _editable(bench)
    host = bench.own_host("engine==1.0", "fuel==1.0")

    outcome = install(bench, host, project, "-e", "--installer", installer, "--check-import")
    first = _environment(outcome)
    bench.passbuild("cache", "clear", json=False)
    is_kept = first.exists()
    again = install(bench, host, project, "-e", "--installer", installer, PASSBUILD_STORE_MAX_AGE="0")

    assert outcome.code == 0, outcome.stderr
    assert outcome.document["installation"]["imported"] == ["pump"]
    assert direct_url(host, "pump") == {"url": project.as_uri(), "dir_info": {"editable": True}}
    assert is_kept
    assert again.code == 0, again.stderr
    assert _environment(again) == first
    (project / "src" / "pump.py").write_text("VALUE = 2\n", encoding="utf-8")
    told = subprocess.run([host.python, "-c", "import pump; print(pump.VALUE)"], check=True, capture_output=True)
    assert told.stdout == b"2\n"

    shutil.rmtree(next(host.site_packages.glob("pump-*.dist-info")))
    bench.passbuild("cache", "clear", json=False)
    assert not first.exists()


def test_only_a_folder_can_be_editable(bench: Bench) -> None:
    """What was fetched is gone after the run."""
    sdist(bench.folder / "links", "pump")

    outcome = install(bench, bench.host("engine==1.0", "fuel==1.0"), "pump==1.0", "--editable")

    assert (outcome.code, outcome.error["code"]) == (2, "not-editable")


def test_backend_without_editable_hook_is_told(bench: Bench) -> None:
    """PEP 660 is optional for backends."""
    archive = sdist(bench.folder / "links", "pump")
    shutil.unpack_archive(archive, bench.folder)

    outcome = install(bench, bench.host("engine==1.0", "fuel==1.0"), bench.folder / "pump-1.0", "-e")

    assert outcome.error["code"] == "backend-failed"
    assert "build_editable" in outcome.error["message"]


@INSTALLERS
def test_requirement_of_others_that_is_met_no_more_is_warned_of(bench: Bench, installer: str) -> None:
    """What the user asks for is done, and what it breaks is said; what was broken before is not."""
    sdist(bench.folder / "links", "engine", version="1.5", imports="fuel")
    host = bench.own_host("engine==2.0", "fuel==1.0", "picky==1.0", "plugin==2.0", "greedy==1.0")

    outcome = install(bench, host, "engine==1.5", "--passthrough", "fuel", "--installer", installer)

    assert outcome.code == 0, outcome.stderr
    warnings = [text.lower() for text in outcome.document["builds"][0]["warnings"]]
    assert len([text for text in warnings if "picky" in text and "1.5" in text]) == 1
    assert not [text for text in warnings if "greedy" in text]


def test_source_that_passed_through_for_another_is_refused(bench: Bench) -> None:
    """What was built against the copy that is there must not find another one in its place."""
    sdist(bench.folder / "links", "pump")
    sdist(bench.folder / "links", "engine", version="1.5", imports="fuel")
    host = bench.watch(bench.own_host("engine==1.0", "fuel==1.0"))

    outcome = install(bench, host, "pump==1.0", "engine==1.5", "--passthrough", "fuel")

    assert (outcome.code, outcome.error["code"]) == (2, "passed-is-installed")
    assert outcome.error["hint"] == "install engine first, and pump by a command of its own"


def test_sources_for_different_hosts_are_refused(bench: Bench) -> None:
    """There is one host to install into."""
    folders = []
    for name in ("pump", "valve"):
        archive = sdist(bench.folder / "links", name)
        shutil.unpack_archive(archive, bench.folder)
        folders.append(bench.folder / f"{name}-1.0")
        bench.watch(bench.own_host("engine==1.0", "fuel==1.0", folder=folders[-1] / ".venv"))

    outcome = bench.passbuild(
        "install", folders[0], folders[1], "--passthrough", "engine", python=private_passbuild(bench).python
    )

    assert (outcome.code, outcome.error["code"]) == (2, "hosts-differ"), outcome.stderr


def _editable(bench: Bench) -> Path:
    """Write a project whose backend makes an editable wheel."""
    folder = bench.folder / "pump"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "pump.py").write_text("VALUE = 1\n", encoding="utf-8")
    (folder / "pyproject.toml").write_text(_EDITABLE, encoding="utf-8")
    (folder / "backend").mkdir()
    (folder / "backend" / "maker.py").write_text(_EDITABLE_MAKER, encoding="utf-8")
    shutil.copy(SAMPLES / "records_what_it_sees" / "backend" / "tiny_wheel.py", folder / "backend")
    return folder


def _environment(outcome: Outcome) -> Path:
    assert outcome.code == 0, outcome.stderr
    return Path(outcome.document["builds"][0]["environment"]["folder"])
