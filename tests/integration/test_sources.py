"""SOURCE may be a folder, an archive, a requirement or a URL: what is meant is found, fetched, checked and built."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.bench import seen
from tests.integration.test_sdist_requirements import sdist

if TYPE_CHECKING:
    from tests.integration.bench import Bench, Outcome

INSTALLERS = pytest.mark.parametrize("installer", ["uv", "pip"])
_GIT = ["git", "-c", "user.name=nobody", "-c", "user.email=nobody@example.org", "-c", "init.defaultBranch=main"]


def wheel(bench: Bench, source: str, installer: str, *options: object, **environ: str) -> Outcome:
    """Build a wheel against an engine of the host."""
    host = bench.host("engine==1.0", "fuel==1.0")
    options = ("--host", host, "--passthrough", "engine", "--installer", installer, *options)
    return bench.passbuild("wheel", source, *options, environ={"UV_OFFLINE": "0", **environ})


@INSTALLERS
@pytest.mark.parametrize("text", ["pump", "Pump==1.0", "pump>=1", "pump == 1.0"])
def test_requirement_is_fetched_from_where_the_installer_looks(bench: Bench, installer: str, text: str) -> None:
    """A requirement is fetched as an sdist, though there is a wheel of it, and built against the host."""
    sdist(bench.folder / "links", "pump")
    shutil.copy(bench.workshop.house.find("tool==1.0"), bench.folder / "links" / "pump-1.0-py3-none-any.whl")

    outcome = wheel(bench, text, installer, "--find-links", "links")

    assert outcome.code == 0, outcome.stderr
    assert outcome.versions("passed") == {"engine": "1.0", "fuel": "1.0"}
    assert [item["name"] for item in outcome.document["artifacts"]] == ["pump"]
    assert outcome.document["source"] == text


@INSTALLERS
def test_requirement_that_is_nowhere_is_told_with_the_installers_conclusion(bench: Bench, installer: str) -> None:
    """What cannot be fetched is an error that says so, by what the installer found."""
    sdist(bench.folder / "links", "pump")

    outcome = wheel(bench, "pump==2.0", installer, "-f", bench.folder / "links")

    assert outcome.code == 3
    assert outcome.error["code"] == "cannot-fetch"
    assert "pump==2.0" in outcome.error["message"]
    assert not bench.outdir.exists()


@INSTALLERS
def test_project_that_has_wheels_alone_cannot_be_fetched(bench: Bench, installer: str) -> None:
    """No wheel is taken for a source."""
    outcome = wheel(bench, "tool==1.0", installer)

    assert outcome.error["code"] == "cannot-fetch"


@INSTALLERS
@pytest.mark.parametrize("is_named", [False, True])
def test_url_with_the_right_hash_is_built_and_with_a_wrong_one_refused(
    bench: Bench, served: str, installer: str, *, is_named: bool
) -> None:
    """The hash behind a URL is checked, whichever installer fetches."""
    archive = sdist(bench.folder / "pages", "pump")
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    text = f"{'pump @ ' if is_named else ''}{served}/{archive.name}#sha256="

    right = wheel(bench, text + digest, installer)
    wrong = wheel(bench, text + "0" * 64, installer)

    assert right.code == 0, right.stderr
    assert wrong.error["code"] == "cannot-fetch"
    assert digest in wrong.error["message"].replace("\n", " ")


@INSTALLERS
def test_url_that_says_no_name_is_built(bench: Bench, served: str, installer: str) -> None:
    """An archive may be called as it likes."""
    archive = sdist(bench.folder / "pages", "pump")
    archive.rename(archive.with_name("v1.tar.gz"))

    outcome = wheel(bench, f"{served}/v1.tar.gz", installer)

    assert outcome.code == 0, outcome.stderr
    assert [item["name"] for item in outcome.document["artifacts"]] == ["pump"]


@INSTALLERS
@pytest.mark.parametrize("ref", ["", "@main", "@COMMIT"])
def test_repository_is_checked_out_and_a_folder_in_it_built(bench: Bench, installer: str, ref: str) -> None:
    """A URL of version control may name a branch or a commit, and a folder."""
    commit = repository(bench, below="parts/pump")

    outcome = wheel(
        bench,
        f"git+file://{bench.folder}/repository{ref.replace('COMMIT', commit)}#subdirectory=parts/pump",
        installer,
    )

    assert outcome.code == 0, outcome.stderr
    assert [item["name"] for item in outcome.document["artifacts"]] == ["pump"]


def test_file_url_is_a_path_whose_hash_is_checked(bench: Bench) -> None:
    """A file URL is the file itself; with another hash it is not what was meant."""
    archive = sdist(bench.folder / "an archive", "pump")
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()

    right = wheel(bench, f"{archive.as_uri()}#sha256={digest}", "uv")
    wrong = wheel(bench, f"{archive.as_uri()}#sha256={'0' * 64}", "uv")

    assert right.code == 0, right.stderr
    assert (wrong.code, wrong.error["code"]) == (2, "wrong-hash")
    assert digest in wrong.error["message"]


def test_existing_path_wins_over_a_requirement(bench: Bench) -> None:
    """A folder of the project's own name is the folder, not what an index has under that name."""
    bench.project()
    (bench.folder / "project").rename(bench.folder / "sample")

    outcome = bench.passbuild("wheel", "sample", "--host", bench.host())

    assert outcome.code == 0, outcome.stderr
    assert outcome.document["source"] == str(bench.folder / "sample")


@pytest.mark.parametrize("has_project", [False, True])
def test_bare_word_that_could_be_either_is_an_error(bench: Bench, *, has_project: bool) -> None:
    """A folder that holds another project, or none, is not built for a project of its name, nor the other way round."""
    if has_project:
        bench.project(name="tool", toml='[project]\nname = "other"\nversion = "1.0"')
    else:
        (bench.folder / "tool").mkdir()

    outcome = bench.passbuild("wheel", "tool", "--host", bench.host())

    assert (outcome.code, outcome.error["code"]) == (2, "ambiguous-source")
    assert outcome.error["hint"] == "write ./tool for the folder, or tool==VERSION for what is on the index"


@pytest.mark.parametrize(
    ("text", "code", "part"),
    [
        ("pump[fast]", "unusable-source", "leave them out: pump"),
        ("pump; python_version > '3'", "unusable-source", "python_version"),
        ("https://example.org/pump-1.0-py3-none-any.whl", "unusable-source", "wheel already"),
        ("ftp://example.org/pump-1.0.tar.gz", "unusable-source", "ftp"),
        ("./nowhere", "source-not-found", "no such folder"),
        ("file://ARCHIVE#md5=abc", "unusable-source", "sha256"),
        ("file://ARCHIVE#subdirectory=part", "unusable-source", "unpack it"),
        ("valve @ file://ARCHIVE", "unusable-source", "it is pump, not valve"),
        ("nowhere/pump", "source-not-found", "no such folder"),
        ("pump-1.0.tar.gz", "source-not-found", "no such folder"),
        ("not a name", "source-not-found", "no such folder"),
        ("", "unusable-source", "empty"),
    ],
)
def test_what_cannot_be_built_is_refused_before_anything_is_fetched(
    bench: Bench, text: str, code: str, part: str
) -> None:
    """Extras, markers, wheels, other schemes and paths that lead nowhere have errors of their own."""
    archive = sdist(bench.folder / "made", "pump")

    outcome = bench.passbuild("wheel", text.replace("ARCHIVE", str(archive)), "--host", bench.host())

    assert (outcome.code, outcome.error["code"]) == (2, code)
    assert part in outcome.error["message"] + outcome.error["hint"]


def test_bare_word_in_another_spelling_is_the_folder_or_an_error(bench: Bench) -> None:
    """An index makes no difference between Sample and sample, so neither is guessed at."""
    bench.project(name="sample", toml='[project]\nname = "sample"\nversion = "1"')

    outcome = bench.passbuild("wheel", "Sample", "--host", bench.host())

    assert outcome.error["code"] == "ambiguous-source"
    assert outcome.error["hint"].startswith("write ./sample for the folder, or Sample==VERSION")


def test_output_folder_may_be_above(bench: Bench) -> None:
    """A path with dots is the folder that it leads to."""
    project = bench.project()

    outcome = bench.passbuild("wheel", ".", "-o", "../above", "--host", bench.host(), cwd=project, outdir=None)

    assert outcome.code == 0, outcome.stderr
    assert outcome.document["artifacts"][0]["path"] == str(bench.folder / "above" / "sample-1.0-py3-none-any.whl")


def test_fetched_project_is_no_sdist_to_be_made(bench: Bench) -> None:
    """An sdist of what was published as an sdist is not made again."""
    sdist(bench.folder / "links", "pump")

    outcome = bench.passbuild("sdist", "pump==1.0", "-f", bench.folder / "links", "--host", bench.host())

    assert outcome.error["code"] == "already-sdist"


def test_fetched_project_is_planned_and_its_metadata_prepared(bench: Bench) -> None:
    """Every command that reads a source takes what can be fetched."""
    sdist(bench.folder / "links", "pump", needs=["tool"])
    host = bench.host("engine==1.0", "fuel==1.0")
    options = ("-f", bench.folder / "links", "--host", host, "--passthrough", "engine")

    planned = bench.passbuild("plan", "pump==1.0", *options)
    metadata = bench.passbuild("metadata", "pump==1.0", *options)

    assert planned.decision("engine")["action"] == "pass"
    assert "Requires-Dist: tool" in metadata.document["metadata"]


def test_artifact_of_what_was_fetched_goes_into_the_current_folder(bench: Bench) -> None:
    """As with pip wheel: there is no project folder to put `dist` into."""
    sdist(bench.folder / "links", "pump")
    host = bench.host("engine==1.0", "fuel==1.0")

    outcome = bench.passbuild("wheel", "pump", "-f", "links", "--host", host, "--passthrough", "engine", outdir=None)

    assert outcome.document["artifacts"][0]["path"] == str(bench.folder / "pump-1.0-py3-none-any.whl")


def test_credentials_of_a_url_are_not_shown(bench: Bench) -> None:
    """Neither the report nor what is said repeats a password."""
    url = "http://user:s3cr3t@127.0.0.1:9/pump-1.0.tar.gz"

    outcome = wheel(bench, url, "uv", "--index-url", "http://user:s3cr3t@127.0.0.1:9/simple")

    assert outcome.error["code"] == "cannot-fetch"
    assert "s3cr3t" not in outcome.stdout + outcome.stderr
    assert outcome.document["source"] == "http://***@127.0.0.1:9/pump-1.0.tar.gz"


def repository(bench: Bench, *, below: str) -> str:
    """Make a git repository with a project in a folder of it; return its commit."""
    folder = bench.folder / "repository"
    archive = sdist(bench.folder / "made", "pump")
    shutil.unpack_archive(archive, bench.folder / "made")
    shutil.copytree(bench.folder / "made" / "pump-1.0", folder / below)
    environ = {"PATH": os.environ["PATH"], "HOME": str(bench.folder)}
    for command in (["init"], ["add", "."], ["commit", "-m", "first"]):
        subprocess.run([*_GIT, *command], cwd=folder, env=environ, check=True, capture_output=True)
    told = subprocess.run([*_GIT, "rev-parse", "HEAD"], cwd=folder, env=environ, check=True, capture_output=True)
    return told.stdout.decode().strip()


def test_project_sees_the_tree_that_was_fetched_and_nothing_of_the_folder_one_works_in(bench: Bench) -> None:
    """A pyproject.toml in the current folder is not taken for that of what is fetched."""
    sdist(bench.folder / "links", "pump")
    project = bench.project()
    host = bench.host("engine==1.0", "fuel==1.0")

    outcome = bench.passbuild(
        "wheel", "pump==1.0", "-f", bench.folder / "links", "--host", host, "--passthrough", "engine", cwd=project
    )

    assert outcome.code == 0, outcome.stderr
    with pytest.raises(ValueError, match="not enough values"):
        seen(Path(outcome.document["artifacts"][0]["path"]))  # what the recording project would have left


@INSTALLERS
def test_fetch_takes_the_source_alone(bench: Bench, served: str, installer: str) -> None:
    """Nothing else that lies in an installer's cache comes along, whatever that cache holds to keep git out."""
    archives = [sdist(bench.folder / "pages", name) for name in ("valve", "pump")]
    hashes = [hashlib.sha256(archive.read_bytes()).hexdigest() for archive in archives]
    store = {"PASSBUILD_CACHE_DIR": str(bench.folder / "store"), "UV_CACHE_DIR": str(bench.folder / "uv")}

    for archive, digest in zip(archives, hashes, strict=True):
        assert wheel(bench, f"{served}/{archive.name}#sha256={digest}", installer, **store).code == 0

    kept = [path.parent for path in (bench.folder / "store" / "environments").glob("*/environment.json")]
    infos = [list(folder.rglob("PKG-INFO")) for folder in kept]
    assert sorted(len(found) for found in infos if found) == [1, 1]


@INSTALLERS
def test_fixed_source_is_fetched_once(bench: Bench, installer: str) -> None:
    """One version is kept as it was fetched, and a build works in a copy of it; what may move is fetched again."""
    sdist(bench.folder / "links", "pump")
    store = {"PASSBUILD_CACHE_DIR": str(bench.folder / "store")}

    first = wheel(bench, "pump==1.0", installer, "-f", "links", "-v", "--rebuild", **store)
    second = wheel(bench, "pump==1.0", installer, "-f", "links", "-v", "--rebuild", **store)
    moving = wheel(bench, "pump", installer, "-f", "links", "-v", "--rebuild", **store)
    listed = bench.passbuild("cache", "list", environ=store, json=False)

    told = [outcome.stderr.partition("read the host")[0].count("pump") for outcome in (first, second, moving)]
    assert [count > 1 for count in told] == [True, False, True], told
    assert [outcome.code for outcome in (first, second, moving)] == [0, 0, 0]
    assert "pump==1.0" in listed.stdout
