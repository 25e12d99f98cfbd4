"""A wheel that was built before is taken from the store when everything that made it is the same, and only then."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.test_sdist_requirements import sdist
from tests.integration.test_sources import repository

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.bench import Bench, Environment, Outcome


def build(bench: Bench, host: Environment, *options: object, source: str = "pump==1.0", **environ: str) -> Outcome:
    """Build from what the test's folder `links` has."""
    fixed = ("-f", bench.folder / "links", "--host", host, "--passthrough", "engine")
    return bench.passbuild(
        "wheel", source, *fixed, *options, environ={"PASSBUILD_CACHE_DIR": str(bench.folder / "store"), **environ}
    )


def is_reused(outcome: Outcome) -> bool:
    """Whether the wheel of an outcome was built before."""
    assert outcome.code == 0, outcome.stderr
    steps = [step["name"] for step in outcome.document["steps"]]
    assert ("build the wheel" in steps) == (outcome.document["reused"] is None)
    return outcome.document["reused"] is not None


@pytest.mark.parametrize("source", ["pump==1.0", "pump", "archive"])
def test_second_build_of_the_same_is_answered_from_the_store(bench: Bench, source: str) -> None:
    """No hook runs, the wheel is the same to the byte, and what was built is said."""
    archive = sdist(bench.folder / "links", "pump")
    host = bench.host("engine==1.0", "fuel==1.0")
    text = str(archive) if source == "archive" else source

    first = build(bench, host, source=text)
    wheel = Path(first.document["artifacts"][0]["path"])
    content = wheel.read_bytes()
    wheel.unlink()
    second = build(bench, host, source=text)

    assert (is_reused(first), is_reused(second)) == (False, True)
    assert wheel.read_bytes() == content
    assert "ask the backend what else it needs" not in [step["name"] for step in second.document["steps"]]
    assert second.document["reused"]["place"] == "the store"
    assert "kept in the store" in second.stderr


def _another_source(bench: Bench, host: Environment) -> Outcome:
    shutil.unpack_archive(bench.folder / "links" / "pump-1.0.tar.gz", bench.folder)
    (bench.folder / "pump-1.0" / "more.txt").write_text("more", encoding="utf-8")
    shutil.make_archive(str(bench.folder / "links" / "pump-1.0"), "gztar", bench.folder, "pump-1.0")
    return build(bench, host)


def _another_engine(bench: Bench, host: Environment) -> Outcome:
    bench.workshop.run(host.python.parent / "python", "-c", "")
    shutil.rmtree(host.site_packages / "engine")
    shutil.rmtree(next(host.site_packages.glob("engine-*.dist-info")))
    bench.workshop.fill(host, ["engine==1.5"])
    return build(bench, host)


def _edited_engine(bench: Bench, host: Environment) -> Outcome:
    file = host.site_packages / "engine" / "part.py"
    file.write_text(file.read_text(encoding="utf-8").replace("1", "2"), encoding="utf-8")
    return build(bench, host)


_CHANGES: dict[str, Callable[[Bench, Environment], Outcome]] = {
    "its source": _another_source,
    "a passed package": _another_engine,
    "a file of a passed package": _edited_engine,
    "a config setting": lambda bench, host: build(bench, host, "-C", "speed=high"),
    "a variable for the hooks": lambda bench, host: build(bench, host, "-E", "PUMP_MODE=small"),
    "a variable around passbuild": lambda bench, host: build(bench, host, FORCE_PUMP="1"),
    "a build requirement": lambda bench, host: build(bench, host, "--build-requires", "tool==1.0"),
    "the pin": lambda bench, host: build(bench, host, "--pin", "exact"),
    "a document in it": lambda bench, host: build(bench, host, "--sbom"),
    "what passes through": lambda bench, host: build(bench, host, "--passthrough", "tool"),
    "--rebuild": lambda bench, host: build(bench, host, "--rebuild"),
    "--no-store": lambda bench, host: build(bench, host, "--no-store"),
}


@pytest.mark.parametrize("what", _CHANGES)
def test_nothing_is_reused_when_something_is_another(bench: Bench, what: str) -> None:
    """Whatever may shape a wheel is part of its key."""
    sdist(bench.folder / "links", "pump")
    host = bench.own_host("engine==1.0", "fuel==1.0", "tool==2.0")
    first = build(bench, host)
    same = build(bench, host)

    outcome = _CHANGES[what](bench, host)

    assert (is_reused(first), is_reused(same), is_reused(outcome)) == (False, True, False)


def test_compiler_that_a_variable_names_counts(bench: Bench) -> None:
    """A wrapper that was edited is another compiler."""
    sdist(bench.folder / "links", "pump")
    host = bench.host("engine==1.0", "fuel==1.0")
    compiler = bench.folder / "mycc"
    compiler.write_text("#!/bin/sh\nexec cc -O1\n", encoding="utf-8")
    compiler.chmod(0o755)
    first, same = build(bench, host, CC=str(compiler)), build(bench, host, CC=str(compiler))
    compiler.write_text("#!/bin/sh\nexec cc -O1 -g\n", encoding="utf-8")

    another = build(bench, host, CC=str(compiler))

    assert [is_reused(item) for item in (first, same, another)] == [False, True, False]


@pytest.mark.parametrize("variable", ["PWD", "GITHUB_RUN_ID", "SSH_TTY", "MAX_JOBS", "PASSBUILD_QUIET"])
def test_variables_that_say_where_one_works_do_not_count(bench: Bench, variable: str) -> None:
    """Another shell or another CI run does not make another wheel."""
    sdist(bench.folder / "links", "pump")
    host = bench.host("engine==1.0", "fuel==1.0")
    build(bench, host)

    assert is_reused(build(bench, host, **{variable: "1"}))


def test_another_host_with_the_same_packages_makes_the_same_wheel(bench: Bench) -> None:
    """Paths are no part of a key: that is how a team shares wheels."""
    sdist(bench.folder / "links", "pump")
    here = bench.host("engine==1.0", "fuel==1.0")
    there = bench.own_host("engine==1.0", "fuel==1.0", folder=bench.folder / "elsewhere")
    shared = ("--shared-wheels", bench.folder / "shared", "--shared-wheels-mode", "read-write")
    (bench.folder / "shared").mkdir()

    first = build(bench, here, *shared)
    second = build(bench, there, *shared, PASSBUILD_CACHE_DIR=str(bench.folder / "other store"))

    assert (is_reused(first), is_reused(second)) == (False, True)
    assert second.document["reused"]["place"] == str(bench.folder / "shared")


def test_rebuilt_wheel_takes_the_place_of_the_kept_one(bench: Bench) -> None:
    """--rebuild builds, and what it built is what is kept."""
    sdist(bench.folder / "links", "pump")
    host = bench.host("engine==1.0", "fuel==1.0")
    build(bench, host)
    (kept,) = (bench.folder / "store" / "wheels").glob("*/entry.json")
    before = kept.stat().st_mtime_ns

    build(bench, host, "--rebuild")

    assert kept.stat().st_mtime_ns > before


def test_wheel_of_a_folder_is_never_reused(bench: Bench) -> None:
    """Anything may change in a folder in which somebody works; neither wheel nor build takes another's wheel."""
    archive = sdist(bench.folder / "links", "pump")
    shutil.unpack_archive(archive, bench.folder)
    host = bench.host("engine==1.0", "fuel==1.0")
    folder = str(bench.folder / "pump-1.0")

    assert not is_reused(build(bench, host, source=folder))
    assert not is_reused(build(bench, host, source=folder))


def test_wheel_of_a_commit_is_reused_and_that_of_another_is_not(bench: Bench) -> None:
    """Of a repository the files count, and what its tags say."""
    commit = repository(bench, below="parts/pump")
    host = bench.host("engine==1.0", "fuel==1.0")
    (bench.folder / "links").mkdir(exist_ok=True)
    source = f"pump @ git+file://{bench.folder}/repository@{commit}#subdirectory=parts/pump"

    first, second = build(bench, host, source=source), build(bench, host, source=source)

    assert (is_reused(first), is_reused(second)) == (False, True)


@pytest.mark.parametrize("how", ["editable", "without RECORD"])
def test_passed_package_without_stable_identity_makes_nothing_reusable(bench: Bench, how: str) -> None:
    """An editable package is another one tomorrow, and without RECORD nothing says what it is."""
    sdist(bench.folder / "links", "pump")
    host = bench.own_host("engine==1.0", "fuel==1.0")
    (info,) = host.site_packages.glob("engine-*.dist-info")
    if how == "editable":
        text = '{"url": "file:///engine", "dir_info": {"editable": true}}'
        (info / "direct_url.json").write_text(text, encoding="utf-8")
    else:
        (info / "RECORD").unlink()

    first, second = build(bench, host), build(bench, host)

    assert (is_reused(first), is_reused(second)) == (False, False)


def test_what_a_hook_wants_in_addition_is_asked_again_when_the_wheel_has_aged(bench: Bench) -> None:
    """As long as an environment would be reused the wheel is; later only if the hook would get the same."""
    sdist(bench.folder / "links", "pump", dynamic=["tool"])
    host = bench.host("engine==1.0", "fuel==1.0")
    limit = bench.folder / "limit.txt"
    limit.write_text("tool<2\n", encoding="utf-8")
    build(bench, host, PIP_CONSTRAINT=str(limit), UV_CONSTRAINT=str(limit))

    young = build(bench, host)
    aged_with_another = build(bench, host, "--store-max-age", "0")
    aged_with_the_same = build(bench, host, "--store-max-age", "0")

    assert [is_reused(item) for item in (young, aged_with_another, aged_with_the_same)] == [True, False, True]
    assert [item.versions("installed") for item in (young, aged_with_the_same)] == [{"tool": "1.0"}, {"tool": "2.0"}]


def test_kept_wheel_says_again_what_was_to_be_warned_of(bench: Bench) -> None:
    """That a passed package was not used is as true of the copy."""
    sdist(bench.folder / "links", "pump", imports="fuel")
    host = bench.host("engine==1.0", "fuel==1.0")

    first, second = build(bench, host), build(bench, host)

    assert is_reused(second)
    assert any("engine was passed through, but the build did not use it" in text for text in first.document["warnings"])
    assert second.document["warnings"] == first.document["warnings"]


def test_damaged_wheel_of_the_store_is_built_again(bench: Bench) -> None:
    """A flipped byte is noticed, said, and mended by the build."""
    sdist(bench.folder / "links", "pump")
    host = bench.host("engine==1.0", "fuel==1.0")
    build(bench, host)
    (kept,) = (bench.folder / "store" / "wheels").glob("*/*/*.whl")
    content = bytearray(kept.read_bytes())
    content[50] ^= 1
    kept.chmod(0o644)
    kept.write_bytes(content)

    outcome = build(bench, host)
    after = build(bench, host)

    assert (is_reused(outcome), is_reused(after)) == (False, True)
    assert any("SHA-256" in text for text in outcome.document["warnings"])
    with zipfile.ZipFile(after.document["artifacts"][0]["path"]) as wheel:
        assert wheel.testzip() is None
