"""What is installed beside the passed packages, and what is refused because it cannot be had together."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.test_contents import wheel

if TYPE_CHECKING:
    from tests.integration.bench import Bench

_ENVIRONMENT = "make the build environment"


@pytest.mark.parametrize("version", ["1.2+cpu", "3.0.dev20260101"])
def test_a_version_on_no_index_takes_part_in_the_resolution(bench: Bench, installer: str, version: str) -> None:
    """A build requirement that needs the passed package resolves against a version that no index has."""
    host = bench.host(f"engine=={version}", "fuel==1.0")
    project = bench.project(requires=["plugin"], imports=["plugin", "engine"], distributions=["engine"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "engine", "--installer", installer)

    assert run.code == 0, run.stderr
    assert run.versions("installed") == {"plugin": "1.0"}
    assert run.seen["modules"]["engine"]["file"].startswith(str(host.site_packages))
    assert run.seen["distributions"] == {"engine": version}


def test_the_release_that_goes_with_the_hosts_version_is_chosen(bench: Bench, installer: str) -> None:
    """The newest release of a build requirement needs another version of the passed package: an older one is taken."""
    host = bench.host("engine==1.5", "fuel==1.0")
    project = bench.project(requires=["plugin"], imports=["plugin"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "engine", "--installer", installer)
    free = bench.passbuild("wheel", project, "--host", host, "--installer", installer)

    assert run.versions("installed") == {"plugin": "1.0"}
    assert free.versions("installed") == {"plugin": "2.0", "engine": "2.0", "fuel": "2.0"}


@pytest.mark.parametrize("version", ["1.5", "1.2+cpu"])
def test_a_conflict_ends_with_the_resolvers_own_conclusion(bench: Bench, installer: str, version: str) -> None:
    """No release of a build requirement goes with the host's version: exit 3, who wants what, and what to relax."""
    host = bench.host(f"engine=={version}", "fuel==1.0")
    project = bench.project(requires=["picky"], imports=["picky"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "engine", "--installer", installer)

    assert run.code == 3
    assert run.error["code"] == "unresolvable"
    assert run.error["message"].startswith(f"{installer} cannot install the build requirements:")
    assert "picky" in run.error["message"]
    assert f"engine=={version}" in run.error["message"]
    assert f"the versions from the host are fixed (engine=={version})" in run.error["hint"]
    assert len(run.error["message"].splitlines()) < 20
    assert Path(run.error["log"]).is_file()
    assert not bench.outdir.exists()


def test_what_is_on_no_index_cannot_be_installed(bench: Bench, installer: str) -> None:
    """Without passed packages the advice is to look at requires and at the index."""
    host = bench.host()
    project = bench.project(requires=["absent>=1"])

    run = bench.passbuild("wheel", project, "--host", host, "--installer", installer)

    assert run.code == 3
    assert run.error["code"] == "unresolvable"
    assert "absent" in run.error["message"]
    assert "[build-system] requires" in run.error["hint"]


def test_without_passthrough_a_build_is_as_ever(bench: Bench, installer: str) -> None:
    """Nothing named: what the project requires is installed, and nothing of the host shows."""
    host = bench.host("engine==1.0", "fuel==1.0", "tool==1.0")
    project = bench.project(requires=["tool<3"], requires_wheel=["fuel"], imports=["tool", "fuel"], tries=["engine"])

    run = bench.passbuild("wheel", project, "--host", host, "--installer", installer)

    assert run.code == 0, run.stderr
    assert run.names("passed") == []
    assert run.versions("installed") == {"fuel": "2.0", "tool": "2.0"}
    assert run.document["installer"] == installer
    assert run.seen["modules"]["tool"]["file"].startswith(run.seen["prefix"])
    assert run.seen["modules"]["engine"] is None
    assert not [entry for entry in run.seen["path"] if entry.startswith(str(host))]


def test_nothing_to_install_needs_no_installer(bench: Bench) -> None:
    """A project that requires nothing and passes nothing is built without pip or uv."""
    host = bench.host()
    project = bench.project()

    run = bench.passbuild("wheel", project, "--host", host)

    assert run.code == 0, run.stderr
    assert run.document["installer"] == ""
    assert run.document["installed"] == []


def test_a_hooks_requirement_that_contradicts_the_static_ones_is_refused(bench: Bench, installer: str) -> None:
    """The table and get_requires_for_build_wheel want different versions: exit 3, both named, nothing published."""
    host = bench.host()
    project = bench.project(requires=["tool<2"], requires_wheel=["tool>=2"])

    run = bench.passbuild("wheel", project, "--host", host, "--installer", installer)

    assert run.code == 3
    assert run.error["code"] == "hook-contradiction"
    assert "get_requires_for_build_wheel requires tool>=2" in run.error["message"]
    assert "[build-system] requires: tool<2" in run.error["message"]
    assert not bench.outdir.exists()


def test_a_hooks_requirement_that_is_on_no_index_contradicts_nothing(bench: Bench, installer: str) -> None:
    """It is unresolvable for itself; nobody is told to mend a contradiction that is none."""
    host = bench.host()
    project = bench.project(requires=["tool"], requires_wheel=["absent"])

    run = bench.passbuild("wheel", project, "--host", host, "--installer", installer)

    assert run.code == 3
    assert "absent" in run.error["message"]
    assert run.error["code"] == "unresolvable"


@pytest.mark.parametrize(("dynamic", "environments"), [([], 1), (["tool>=1"], 1), (["fuel"], 2)])
def test_a_new_environment_is_made_only_for_what_the_first_one_lacks(
    bench: Bench, dynamic: list[str], environments: int
) -> None:
    """What a hook requires and the environment already has costs nothing."""
    host = bench.host()
    project = bench.project(requires=["tool"], requires_wheel=dynamic, imports=["tool"])

    run = bench.passbuild("wheel", project, "--host", host)

    assert run.code == 0, run.stderr
    assert [step["name"] for step in run.document["steps"]].count(_ENVIRONMENT) == environments


def test_constraints_and_extra_requirements_reach_the_installer(bench: Bench, installer: str) -> None:
    """--build-constraint limits versions, --build-requires adds to what the project requires."""
    host = bench.host()
    constraints = bench.folder / "constraints.txt"
    constraints.write_text("tool<2\nfuel<2\n", encoding="utf-8")
    project = bench.project(requires=["tool"], imports=["tool", "fuel"])
    options = ["--build-constraint", str(constraints), "--build-requires", "fuel", "--installer", installer]

    run = bench.passbuild("wheel", project, "--host", host, *options)

    assert run.code == 0, run.stderr
    assert run.versions("installed") == {"fuel": "1.0", "tool": "1.0"}


def test_hashes_in_a_constraints_file_hold_for_what_is_installed(bench: Bench, installer: str) -> None:
    """The right hash installs, a wrong one is refused; the passed package needs none, as nothing of it is installed."""
    host = bench.host("engine==1.0", "fuel==1.0")
    tool = bench.workshop.house.find("tool==1.0")
    digest = hashlib.sha256(tool.read_bytes()).hexdigest()
    file = bench.folder / "constraints.txt"
    project = bench.project(requires=["tool==1.0"], imports=["tool", "engine"])
    options = ["--host", host, "--passthrough", "engine", "--installer", installer, "--build-constraint", file]

    file.write_text(f"tool==1.0 --hash=sha256:{digest}\n", encoding="utf-8")
    right = bench.passbuild("wheel", project, *options)
    file.write_text(f"tool==1.0 --hash=sha256:{'0' * 64}\n", encoding="utf-8")
    wrong = bench.passbuild("wheel", project, *options)

    assert right.code == 0, right.stderr
    assert right.versions("installed") == {"tool": "1.0"}
    assert wrong.code == 3
    assert "hash" in wrong.error["message"].lower()


def test_the_users_variables_for_the_installer_do_not_lead_elsewhere(bench: Bench, installer: str) -> None:
    """PIP_TARGET and its kin are for the user's own installs: the build environment gets its packages all the same."""
    host = bench.host()
    project = bench.project(requires=["tool"], imports=["tool"])
    elsewhere = bench.folder / "elsewhere"
    variables = {"PIP_TARGET": str(elsewhere), "UV_TARGET": str(elsewhere), "PIP_USER": "1"}

    run = bench.passbuild("wheel", project, "--host", host, "--installer", installer, environ=variables)

    assert run.code == 0, run.stderr
    assert run.versions("installed") == {"tool": "2.0"}
    assert not elsewhere.exists()


def test_a_url_that_a_hook_asks_for_is_installed_from_there(bench: Bench, installer: str) -> None:
    """The name is installed already, from the index: what the hook wants is another one."""
    tool = bench.workshop.house.find("tool==1.0")
    project = bench.project(requires=["tool"], requires_wheel=[f"tool @ {tool.as_uri()}"], imports=["tool"])

    run = bench.passbuild("wheel", project, "--host", bench.host(), "--installer", installer)

    assert run.code == 0, run.stderr
    assert run.seen["modules"]["tool"]["version"] == "1.0"


@pytest.mark.parametrize("variable", ["PIP_FORCE_REINSTALL", "PIP_IGNORE_INSTALLED"])
def test_an_installer_that_is_told_to_reinstall_is_refused_with_the_reason(bench: Bench, variable: str) -> None:
    """It would replace the stand-in of the passed package by a download, with its folder of licenses: it is noticed."""
    files = {"licensed.py": "", "licensed-1.0.dist-info/licenses/LICENSE": "free"}
    path = wheel(bench, "licensed", files)
    host = bench.watch(bench.own_host(path))
    project = bench.project(requires=["tool"], imports=["licensed"])
    options = ["--host", host, "--passthrough", "licensed", "--installer", "pip"]
    environ = {variable: "1", "PIP_FIND_LINKS": f"{bench.workshop.house.index} {Path(path).parent}"}

    run = bench.passbuild("wheel", project, *options, environ=environ)

    assert run.code == 3
    assert run.error["code"] == "incomplete-install"
    assert "it replaced licensed, which was to come from the host" in run.error["message"]


def test_constraints_of_uv_and_of_passbuild_hold_together(bench: Bench) -> None:
    """UV_CONSTRAINT counts beside `--build-constraint`, and beside the versions of what passes through."""
    files = {"one": "tool<2\n", "two": "odd.name<2\n"}
    for name, text in files.items():
        (bench.folder / f"{name}.txt").write_text(text, encoding="utf-8")
    host = bench.host("engine==1.0", "fuel==1.0")
    project = bench.project(requires=["tool", "odd.name"], imports=["engine"])
    options = ["--host", host, "--passthrough", "engine", "--installer", "uv", "--build-constraint", "two.txt"]

    run = bench.passbuild("wheel", project, *options, environ={"UV_CONSTRAINT": "one.txt"})

    assert run.code == 0, run.stderr
    assert run.versions("installed") == {"tool": "1.0", "odd-name": "1.0"}
