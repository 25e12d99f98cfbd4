"""What comes along with a passed package, what does not, and who wins."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.bench import Environment
from tests.integration.test_contents import wheel

if TYPE_CHECKING:
    from tests.integration.bench import Bench


def test_closure_members_come_along(bench: Bench, installer: str) -> None:
    """What a passed package needs comes from the host as well, with the one who needs it; the rest stays hidden."""
    host = bench.host("engine==1.0", "fuel==1.0", "tool==1.0")
    project = bench.project(imports=["engine", "fuel"], tries=["tool"], distributions=["engine", "fuel", "tool"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "engine", "--installer", installer)

    assert run.code == 0, run.stderr
    fuel = next(item for item in run.document["passed"] if item["name"] == "fuel")
    assert (fuel["named"], fuel["needed_by"], fuel["location"]) == (False, ["engine"], str(host.site_packages))
    assert run.seen["modules"]["fuel"]["file"] == str(host.site_packages / "fuel" / "__init__.py")
    assert run.seen["modules"]["tool"] is None
    assert run.seen["distributions"] == {"engine": "1.0", "fuel": "1.0", "tool": None}


@pytest.mark.parametrize("who", ["build-system.requires", "get_requires_for_build_wheel"])
def test_a_declared_closure_member_that_nobody_named_is_installed(bench: Bench, installer: str, who: str) -> None:
    """The passed package needs it, but the project declares it: it comes from the index, not from the host."""
    host = bench.host("engine==1.0", "fuel==1.0")
    static, dynamic = (["fuel"], []) if who == "build-system.requires" else ([], ["fuel"])
    project = bench.project(requires=["engine", *static], requires_wheel=dynamic, imports=["engine", "fuel"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "engine", "--installer", installer)

    assert run.code == 0, run.stderr
    assert run.versions("installed") == {"fuel": "2.0"}
    assert run.names("passed") == ["engine"]
    assert run.decision("fuel")["wanted"] == f"fuel ({who})"
    assert run.seen["modules"]["fuel"]["file"].startswith(run.seen["prefix"])


def test_a_declared_closure_member_that_is_named_comes_from_the_host(bench: Bench, installer: str) -> None:
    """Named, it is a passthrough package like any other."""
    host = bench.host("engine==1.0", "fuel==1.0")
    project = bench.project(requires=["engine", "fuel"], imports=["engine", "fuel"])
    options = ["--passthrough", "engine", "--passthrough", "fuel", "--installer", installer]

    run = bench.passbuild("wheel", project, "--host", host, *options)

    assert run.code == 0, run.stderr
    assert run.document["installed"] == []
    assert {item["name"]: item["named"] for item in run.document["passed"]} == {"engine": True, "fuel": True}


def test_a_closure_member_needed_in_another_version_is_replaced(bench: Bench, installer: str) -> None:
    """Another build requirement needs it newer: that one is installed, wins over the host's, and is reported."""
    host = bench.host("engine==1.0", "fuel==1.0")
    project = bench.project(requires=["engine", "greedy"], imports=["engine", "fuel"], distributions=["fuel"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "engine", "--installer", installer)

    assert run.code == 0, run.stderr
    assert run.versions("installed") == {"fuel": "2.0", "greedy": "1.0"}
    assert run.versions("replaced") == {"fuel": "1.0"}
    assert run.names("passed") == ["engine"]
    assert "the host's fuel 1.0 does not fit" in run.stderr
    assert run.seen["modules"]["fuel"]["version"] == "2.0"
    assert run.seen["modules"]["fuel"]["file"].startswith(run.seen["prefix"])
    assert run.seen["distributions"] == {"fuel": "2.0"}


@pytest.mark.parametrize(("name", "missing"), [("engine", "fuel"), ("private", "absent")])
def test_a_missing_closure_member_is_a_warning_and_no_download(
    bench: Bench, installer: str, name: str, missing: str
) -> None:
    """The host lacks what a passed package needs, on the index (fuel) or nowhere (absent): a warning, no more."""
    host = bench.host(f"{name}==1.0")
    project = bench.project(imports=[name], tries=[missing])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", name, "--installer", installer)

    assert run.code == 0, run.stderr
    assert run.document["installed"] == []
    assert run.document["warnings"] == [f"{missing}, needed by {name}, is not on the host; it is left out"]
    assert run.seen["modules"][missing] is None


def test_a_missing_closure_member_is_installed_where_a_requirement_asks_for_it(bench: Bench, installer: str) -> None:
    """The host lacks it, but another build requirement needs it as well: it is installed for that one."""
    host = bench.host("engine==1.0")
    project = bench.project(requires=["greedy"], imports=["engine", "fuel"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "engine", "--installer", installer)

    assert run.code == 0, run.stderr
    assert run.versions("installed") == {"fuel": "2.0", "greedy": "1.0"}
    assert run.seen["modules"]["fuel"]["file"].startswith(run.seen["prefix"])


def test_a_closure_member_that_the_project_declares_may_be_missing_on_the_host(bench: Bench, installer: str) -> None:
    """No warning then: the project's own requirement brings it."""
    host = bench.host("engine==1.0")
    project = bench.project(requires=["fuel"], imports=["engine", "fuel"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "engine", "--installer", installer)

    assert run.code == 0, run.stderr
    assert run.document["warnings"] == []
    assert run.versions("installed") == {"fuel": "2.0"}


def test_a_cycle_in_the_closure_ends(bench: Bench, installer: str) -> None:
    """Two packages that need each other, and one that needs itself with an extra, all come along once."""
    wheels = [
        wheel(bench, "round", {"round_.py": ""}, requires=["about"]),
        wheel(bench, "about", {"about.py": ""}, requires=["round", "about[more]"]),
    ]
    host = bench.watch(bench.own_host(*wheels))
    project = bench.project(requires=["tool"], imports=["round_", "about"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "round", "--installer", installer)

    assert run.code == 0, run.stderr
    assert run.names("passed") == ["about", "round"]


def test_a_metapackage_brings_what_it_needs(bench: Bench, installer: str) -> None:
    """It has no module of its own: its requirements are what passes, and nobody says that it was not used."""
    host = bench.watch(bench.own_host(wheel(bench, "meta", {}, requires=["engine"]), "engine==1.0", "fuel==1.0"))
    project = bench.project(requires=["meta", "plugin"], imports=["engine", "fuel"], distributions=["meta"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "meta", "--installer", installer)

    assert run.code == 0, run.stderr
    assert run.names("passed") == ["engine", "fuel", "meta"]
    assert run.versions("installed") == {"plugin": "1.0"}
    assert run.seen["distributions"] == {"meta": "1.0"}
    assert run.document["warnings"] == []


def test_markers_in_the_closure_are_those_of_the_host(bench: Bench) -> None:
    """Passbuild runs on another Python than the host, whose version decides what a passed package needs."""
    other = next(path for path in sorted(Path.home().glob(".pyenv/versions/3.9*/bin/python")))
    host = Environment(folder=bench.folder / "host")
    bench.workshop.run(sys.executable, "-m", "uv", "venv", "--python", other, host.folder)
    needs = ["old; python_version < '3.10'", "new; python_version >= '3.10'"]
    wheels = [wheel(bench, "many", {"many.py": ""}, requires=needs)]
    wheels += [wheel(bench, name, {f"{name}.py": ""}) for name in ("old", "new")]
    bench.workshop.fill(host, wheels)
    bench.watch(host)
    project = bench.project(imports=["many", "old"], tries=["new"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "many")

    assert run.code == 0, run.stderr
    assert run.names("passed") == ["many", "old"]
    assert run.seen["modules"]["new"] is None


def test_of_a_shared_namespace_only_the_passed_part_shows(bench: Bench) -> None:
    """Two distributions share a folder: the hooks see the part of the passed one alone."""
    host = bench.host("shared-one==1.0", "shared-two==1.0")
    project = bench.project(imports=["shared.one"], tries=["shared.two"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "shared-one")

    assert run.code == 0, run.stderr
    assert run.seen["modules"]["shared.one"]["file"] == str(host.site_packages / "shared" / "one" / "__init__.py")
    assert run.seen["modules"]["shared.two"] is None
