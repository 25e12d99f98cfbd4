"""The decision table of the design, row by row, with both installers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.integration.bench import Bench


def test_a_required_package_that_fits_comes_from_the_host(bench: Bench, installer: str) -> None:
    """On the host, fits, required statically: the host's copy, at its true path, and nothing is installed."""
    host = bench.host("engine==1.5", "fuel==1.0")
    project = bench.project(requires=["engine>=1.2"], imports=["engine", "fuel"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "engine", "--installer", installer)

    assert run.code == 0, run.stderr
    assert run.document["installed"] == []
    assert run.versions("passed") == {"engine": "1.5", "fuel": "1.0"}
    assert run.decision("engine")["action"] == "pass"
    assert run.seen["modules"]["engine"] == {
        "version": "1.5",
        "file": str(host.site_packages / "engine" / "__init__.py"),
    }


def test_a_package_that_a_hook_requires_comes_from_the_host(bench: Bench, installer: str) -> None:
    """On the host, fits, required by get_requires_for_build_wheel: the host's copy, which that hook already imports."""
    host = bench.host("engine==1.5", "fuel==1.0")
    project = bench.project(requires_wheel=["engine>=1.2", "tool"], hook_imports=["engine"], imports=["engine", "tool"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "engine", "--installer", installer)

    assert run.code == 0, run.stderr
    assert run.versions("installed") == {"tool": "2.0"}
    assert run.decision("engine")["wanted"] == "engine>=1.2 (get_requires_for_build_wheel)"
    assert run.seen["modules"]["engine"]["file"] == str(host.site_packages / "engine" / "__init__.py")


def test_what_requires_a_passed_package_is_resolved_against_the_hosts_version(bench: Bench, installer: str) -> None:
    """On the host, required by another build requirement alone: the host's copy, and a release that goes with it."""
    host = bench.host("engine==1.5", "fuel==1.0")
    project = bench.project(requires=["plugin"], imports=["engine", "plugin"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "engine", "--installer", installer)

    assert run.code == 0, run.stderr
    assert run.versions("installed") == {"plugin": "1.0"}  # plugin 2.0 needs engine 2
    assert run.seen["modules"]["engine"]["file"] == str(host.site_packages / "engine" / "__init__.py")


def test_a_package_that_is_never_declared_comes_from_the_host(bench: Bench, installer: str) -> None:
    """On the host, declared by nobody: the host's copy all the same."""
    host = bench.host("engine==1.5", "fuel==1.0")
    project = bench.project(requires=["tool"], imports=["engine", "tool"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "engine", "--installer", installer)

    assert run.code == 0, run.stderr
    assert run.versions("installed") == {"tool": "2.0"}
    assert "does not declare it" in run.decision("engine")["reason"]
    assert run.seen["modules"]["engine"]["version"] == "1.5"


def test_a_version_that_does_not_fit_is_an_error(bench: Bench, installer: str) -> None:
    """On the host in another version than required: exit 3 with what was wanted, found, where, and what to type."""
    host = bench.host("engine==1.5", "fuel==1.0")
    project = bench.project(requires=["engine>=2"], imports=["engine"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "engine", "--installer", installer)

    assert run.code == 3
    assert run.error["code"] == "version-mismatch"
    assert "wanted engine>=2 (build-system.requires)" in run.stderr
    assert f"found 1.5 in {host.site_packages}" in run.stderr
    assert "--on-mismatch: install" in run.error["hint"]
    assert run.error["problems"][0]["name"] == "engine"
    assert not bench.outdir.exists()


def test_a_version_that_a_hook_does_not_allow_is_an_error(bench: Bench, installer: str) -> None:
    """What a hook requires in addition goes through the same table."""
    host = bench.host("engine==1.5", "fuel==1.0")
    project = bench.project(requires=["engine"], requires_wheel=["engine>=2"], imports=["engine"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "engine", "--installer", installer)

    assert run.code == 3
    assert run.error["code"] == "version-mismatch"
    assert "engine>=2 (get_requires_for_build_wheel)" in run.error["message"]


def test_on_mismatch_install_downloads_as_if_it_were_not_there(bench: Bench, installer: str) -> None:
    """--on-mismatch install: a fitting copy, and what it needs, are installed; nothing of the host shows."""
    host = bench.host("engine==1.5", "fuel==1.0")
    project = bench.project(requires=["engine>=2"], imports=["engine", "fuel"])
    options = ["--passthrough", "engine", "--on-mismatch", "install", "--installer", installer]

    run = bench.passbuild("wheel", project, "--host", host, *options)

    assert run.code == 0, run.stderr
    assert run.versions("installed") == {"engine": "2.0", "fuel": "2.0"}
    assert run.names("passed") == []
    assert run.decision("engine")["action"] == "install"
    assert run.seen["modules"]["engine"]["file"].startswith(run.seen["prefix"])


def test_on_mismatch_host_uses_the_hosts_copy_and_drops_the_specifier(bench: Bench, installer: str) -> None:
    """--on-mismatch host: the host's copy, and what was set aside is reported and warned about."""
    host = bench.host("engine==1.5", "fuel==1.0")
    project = bench.project(requires=["engine>=2"], imports=["engine"])
    options = ["--passthrough", "engine", "--on-mismatch", "host", "--installer", installer]

    run = bench.passbuild("wheel", project, "--host", host, *options)

    assert run.code == 0, run.stderr
    assert run.document["installed"] == []
    assert run.document["dropped"] == ["engine>=2 (build-system.requires)"]
    assert "engine>=2 (build-system.requires) is set aside" in run.stderr
    assert run.seen["modules"]["engine"]["version"] == "1.5"


def test_a_mismatch_that_nothing_requires_is_left_out(bench: Bench) -> None:
    """Named as a requirement that the host's version does not meet, declared by nobody, install: neither nor."""
    host = bench.host("engine==1.5", "fuel==1.0")
    project = bench.project(tries=["engine"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "engine>=2", "--on-mismatch", "install")

    assert run.code == 0, run.stderr
    assert run.decision("engine")["action"] == "skip"
    assert "neither passed through nor installed" in run.stderr
    assert run.seen["modules"] == {"engine": None}


def test_a_required_package_that_the_host_lacks_is_installed(bench: Bench, installer: str) -> None:
    """Not on the host, required: installed as usual, and said plainly."""
    host = bench.host()
    project = bench.project(requires=["engine<2"], imports=["engine"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "engine", "--installer", installer)

    assert run.code == 0, run.stderr
    assert run.versions("installed") == {"engine": "1.5", "fuel": "2.0"}
    assert f"not installed in {host.python}: installed as usual" in run.stderr
    assert run.seen["modules"]["engine"]["file"].startswith(run.seen["prefix"])


def test_on_missing_error_refuses_the_download(bench: Bench, installer: str) -> None:
    """Not on the host, required, --on-missing error: exit 3, what to type, and nothing is installed."""
    host = bench.host()
    project = bench.project(requires=["engine<2"], imports=["engine"])
    options = ["--passthrough", "engine", "--on-missing", "error", "--installer", installer]

    run = bench.passbuild("wheel", project, "--host", host, *options)

    assert run.code == 3
    assert run.error["code"] == "passthrough-missing"
    assert "engine<2 (build-system.requires)" in run.error["message"]
    assert str(host.python) in run.error["message"]
    assert "--on-missing install" in run.error["hint"]
    assert not bench.outdir.exists()


def test_a_missing_package_that_nothing_requires_is_a_warning(bench: Bench, installer: str) -> None:
    """Not on the host, declared by nobody: a warning, no download, and the build goes on."""
    host = bench.host()
    project = bench.project(requires=["tool"], imports=["tool"], tries=["engine"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "engine", "--installer", installer)

    assert run.code == 0, run.stderr
    assert run.names("installed") == ["tool"]
    assert any(text.startswith("engine was named to pass through (--passthrough)") for text in run.document["warnings"])
    assert run.seen["modules"]["engine"] is None


def test_a_missing_package_that_nothing_requires_is_an_error_where_asked_for(bench: Bench, installer: str) -> None:
    """Not on the host, declared by nobody, --on-missing error: exit 3."""
    host = bench.host()
    project = bench.project()
    options = ["--passthrough", "engine", "--on-missing", "error", "--installer", installer]

    run = bench.passbuild("wheel", project, "--host", host, *options)

    assert run.code == 3
    assert run.error["code"] == "passthrough-missing"
    assert run.error["problems"][0]["name"] == "engine"


def test_the_project_itself_is_never_passed_through(bench: Bench, installer: str) -> None:
    """A project that the host has installed does not see that copy in its own build; it is said."""
    host = bench.host("sample==9.0")
    toml = '[project]\nname = "sample"\nversion = "1.0"'
    project = bench.project(requires=["tool"], toml=toml, imports=["tool"], tries=["sample_of_host"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "Sample", "--installer", installer)

    assert run.code == 0, run.stderr
    assert run.names("passed") == []
    assert run.decision("sample")["action"] == "skip"
    assert "the project itself is never passed through" in run.stderr
    assert run.seen["modules"]["sample_of_host"] is None
    assert Path(run.document["artifacts"][0]["path"]).name == "sample-1.0-py3-none-any.whl"
