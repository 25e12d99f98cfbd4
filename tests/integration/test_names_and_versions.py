"""How names and versions compare, and which requirements count on a host."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.bench import Bench


@pytest.mark.parametrize("spelling", ["Odd_NAME", "odd.name", "odd--name"])
def test_names_compare_normalized(bench: Bench, installer: str, spelling: str) -> None:
    """The host, the project and the user may each spell a name in their own way."""
    host = bench.host("odd.Name==1.0")
    project = bench.project(requires=["ODD-name>=1"], imports=["odd_name"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", spelling, "--installer", installer)

    assert run.code == 0, run.stderr
    assert run.versions("passed") == {"odd-name": "1.0"}
    assert run.document["installed"] == []
    assert run.seen["modules"]["odd_name"]["file"].startswith(str(host.site_packages))


@pytest.mark.parametrize(
    ("version", "wanted"),
    [
        ("2.6.0+cu124", "engine==2.6.0"),
        ("2.6.0+cu124", "engine>=2,<3"),
        ("3.0.dev20260101", "engine>=2"),
        ("2.0rc1", "engine>=1.5,<2.1"),
        ("1.2+cpu", "engine==1.2"),
    ],
)
def test_local_and_pre_release_versions_fit(bench: Bench, installer: str, version: str, wanted: str) -> None:
    """A variant, a nightly or a release candidate of the host, on no index, meets what an ordinary release would."""
    host = bench.host(f"engine=={version}", "fuel==1.0")
    project = bench.project(requires=[wanted], imports=["engine"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "engine", "--installer", installer)

    assert run.code == 0, run.stderr
    assert run.document["installed"] == []
    assert run.seen["modules"]["engine"]["version"] == version


def test_a_requirement_whose_marker_is_false_on_the_host_does_not_count(bench: Bench, installer: str) -> None:
    """It neither refuses the host's version nor installs anything."""
    host = bench.host("engine==1.0", "fuel==1.0")
    requires = ["engine>=2; sys_platform == 'nowhere'", "absent; python_version < '3'"]
    project = bench.project(requires=requires, imports=["engine"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "engine", "--installer", installer)

    assert run.code == 0, run.stderr
    assert run.document["installed"] == []
    assert run.versions("passed") == {"engine": "1.0", "fuel": "1.0"}


def test_a_name_whose_marker_is_false_on_the_host_is_not_passed_through(bench: Bench) -> None:
    """`--passthrough 'engine; …'` names it for other hosts alone; here it is installed as usual."""
    host = bench.host("engine==1.0", "fuel==1.0")
    project = bench.project(requires=["engine"], imports=["engine"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "engine; sys_platform == 'nowhere'")

    assert run.code == 0, run.stderr
    assert run.names("passed") == []
    assert run.versions("installed") == {"engine": "2.0", "fuel": "2.0"}


@pytest.mark.parametrize(("named", "declared"), [("engine[fast]", "engine"), ("engine", "engine[fast]")])
def test_extras_belong_to_the_closure(bench: Bench, installer: str, named: str, declared: str) -> None:
    """What an extra needs comes from the host, whether the user or the project asks for the extra."""
    host = bench.host("engine==1.0", "fuel==1.0", "turbo==1.0")
    project = bench.project(requires=[declared], imports=["engine", "turbo"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", named, "--installer", installer)

    assert run.code == 0, run.stderr
    assert run.document["installed"] == []
    assert run.names("passed") == ["engine", "fuel", "turbo"]


def test_an_extra_that_nobody_asks_for_does_not_come_along(bench: Bench) -> None:
    """Without the extra, what it needs stays hidden, and so does what a false marker needs."""
    host = bench.host("engine==1.0", "fuel==1.0", "turbo==1.0")
    project = bench.project(requires=["engine"], imports=["engine"], tries=["turbo"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "engine")

    assert run.code == 0, run.stderr
    assert run.names("passed") == ["engine", "fuel"]
    assert run.document["warnings"] == []
    assert run.seen["modules"]["turbo"] is None


@pytest.mark.parametrize("asked", ["named", "declared"])
def test_what_an_extra_needs_and_the_host_lacks_is_told_truly(bench: Bench, installer: str, asked: str) -> None:
    """A member that is said to be left out is not installed, and one that is installed is not said to be left out."""
    host = bench.host("engine==1.0", "fuel==1.0")
    named, declared = ("engine[fast]", "engine") if asked == "named" else ("engine", "engine[fast]")
    project = bench.project(requires=[declared], imports=["engine"], tries=["turbo"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", named, "--installer", installer)

    assert run.code == 0, run.stderr
    is_left_out = any(text.startswith("turbo, needed by engine") for text in run.document["warnings"])
    assert is_left_out == ("turbo" not in run.names("installed"))
    assert is_left_out == (run.seen["modules"]["turbo"] is None)


def test_a_url_requirement_is_met_by_a_copy_from_that_url(bench: Bench, installer: str) -> None:
    """The host's direct_url.json says the same URL: its copy is used."""
    wheel = bench.workshop.house.find("engine==1.0")
    host = bench.host("fuel==1.0", wheel.as_uri())
    project = bench.project(requires=[f"engine @ {wheel.as_uri()}"], imports=["engine"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "engine", "--installer", installer)

    assert run.code == 0, run.stderr
    assert run.document["installed"] == []
    assert run.document["passed"][0]["direct_url"] == wheel.as_uri()
    assert run.seen["modules"]["engine"]["file"].startswith(str(host.site_packages))


@pytest.mark.parametrize("origin", ["index", "other url"])
def test_a_url_requirement_is_not_met_by_a_copy_from_elsewhere(bench: Bench, origin: str) -> None:
    """The same version from an index, or from another URL, is a mismatch; the message says where it is from."""
    house = bench.workshop.house
    other = house.find("engine==1.5").as_uri()
    host = bench.host("engine==1.0", "fuel==1.0") if origin == "index" else bench.host("fuel==1.0", other)
    wanted = f"engine @ {house.find('engine==1.0').as_uri()}"
    project = bench.project(requires=[wanted], imports=["engine"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "engine")

    assert run.code == 3
    assert run.error["code"] == "version-mismatch"
    assert wanted in run.error["message"]
    assert (f"installed from {other}" in run.error["message"]) == (origin == "other url")


@pytest.mark.parametrize("revision", ["", "@main", "@{commit}", "@other"])
def test_a_repository_requirement_is_met_by_a_copy_of_that_revision(
    bench: Bench, installer: str, revision: str
) -> None:
    """`engine @ git+URL@REV`: what the host installed from the repository counts when branch or commit is the same."""
    tree = bench.project(name="engine", toml='[project]\nname = "engine"\nversion = "1.0"\n')
    (tree / "recorder.json").write_text('{"name": "engine"}', encoding="utf-8")
    git = ["git", "-C", tree, "-c", "user.name=a", "-c", "user.email=a@b"]
    bench.workshop.run("git", "init", "-q", "-b", "main", tree)
    bench.workshop.run(*git, "add", ".")
    bench.workshop.run(*git, "commit", "-qm", "first")
    commit = (tree / ".git" / "refs" / "heads" / "main").read_text(encoding="utf-8").strip()
    url = f"git+{tree.as_uri()}"
    host = bench.watch(bench.own_host(f"engine @ {url}@main"))
    wanted = f"engine @ {url}{revision.format(commit=commit)}"
    project = bench.project(requires=[wanted], imports=["engine"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "engine", "--installer", installer)

    if revision in {"@main", "@{commit}"}:
        assert run.code == 0, run.stderr
        assert run.seen["modules"]["engine"]["file"].startswith(str(host.site_packages))
        assert run.document["passed"][0]["direct_url"] == f"{url}@main"
    else:
        assert run.code == 3
        assert run.error["problems"][0]["wanted"] == f"{wanted} (build-system.requires)"
        assert f"installed from {url}@main" in run.error["problems"][0]["found"]


def test_the_url_of_an_unnamed_requirement_is_installed_from(bench: Bench, installer: str) -> None:
    """A URL requirement that does not pass through goes to the installer as it is."""
    wheel = bench.workshop.house.find("engine==1.2+cpu")
    host = bench.host()
    project = bench.project(requires=[f"engine @ {wheel.as_uri()}"], imports=["engine"])

    run = bench.passbuild("wheel", project, "--host", host, "--installer", installer)

    assert run.code == 0, run.stderr
    assert run.versions("installed")["engine"] == "1.2+cpu"
