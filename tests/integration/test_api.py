"""passbuild from Python: the functions return the report, and the environment serves `build.ProjectBuilder`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import build
import pytest

import passbuild
from passbuild.errors import InvalidSettings, VersionMismatch
from tests.integration.bench import seen

if TYPE_CHECKING:
    from passbuild.journal import Event
    from tests.integration.bench import Bench


@pytest.fixture(autouse=True)
def _surroundings(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give this process the variables that programs get elsewhere in these tests."""
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH"):
        monkeypatch.delenv(name, raising=False)
    for name, value in bench.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("tempfile.tempdir", str(bench.scratch))


def test_build_wheel_returns_the_report(bench: Bench, installer: str) -> None:
    """Settings are keyword arguments named as on the command line; paths may be Path or str."""
    host = bench.host("engine==1.0", "fuel==1.0")
    project = bench.project(requires=["tool"], imports=["engine", "tool"])
    heard: list[Event] = []

    report = passbuild.build_wheel(
        project,
        tell=heard.append,
        host=host.folder,
        passthrough=["engine"],
        outdir=bench.outdir,
        installer=installer,
        config_settings={"key": "value"},
    )

    assert report.artifact.path == bench.outdir / "sample-1.0-py3-none-any.whl"
    assert report.to_json()["ok"] is True
    assert seen(report.artifact.path)["modules"]["engine"]["file"].startswith(str(host))
    assert seen(report.artifact.path)["config_settings"] == {"key": "value"}
    assert heard[-1].report.artifacts == report.artifacts


def test_errors_carry_the_report(bench: Bench) -> None:
    """A refusal is raised, with what was known when it was."""
    host = bench.host("engine==1.0", "fuel==1.0")
    project = bench.project(requires=["engine>=2"])

    with pytest.raises(VersionMismatch) as raised:
        passbuild.build_wheel(project, host=str(host), passthrough=["engine"])

    assert raised.value.report is not None
    assert raised.value.report.host is not None
    assert raised.value.report.host.prefix == host.folder
    assert not (project / "dist").exists()


def test_what_is_installed_is_told_by_a_summary(bench: Bench) -> None:
    """The summary has a report for each source and what was changed; an error has one, too."""
    project = bench.project(requires=["engine"])
    host = bench.own_host("engine==1.0", "fuel==1.0")

    done = passbuild.install(project, check_import=True, host=str(host), passthrough=["engine"])
    with pytest.raises(VersionMismatch) as raised:
        passbuild.install(project, host=str(host), passthrough=["engine>=2"])

    assert done.installation is not None
    assert [(item.name, item.after) for item in done.installation.changes] == [("sample", "1.0")]
    assert [report.artifact.name for report in done.builds] == ["sample"]
    assert raised.value.summary is not None
    assert raised.value.summary.to_json()["ok"] is False
    assert [report.error for report in raised.value.summary.builds] == [raised.value]


def test_an_unknown_argument_is_a_mistake_with_a_suggestion(bench: Bench) -> None:
    """The same messages as everywhere, spelled as arguments."""
    with pytest.raises(InvalidSettings) as raised:
        passbuild.make_plan(bench.project(), pass_through=["engine"])

    assert raised.value.message == "pass_through=: no such setting"
    assert raised.value.hint == "did you mean 'passthrough'?"


def test_the_other_functions_do_what_the_commands_do(bench: Bench) -> None:
    """build_sdist, build_sdist_and_wheel, make_plan, prepare_metadata."""
    host = str(bench.host())
    project = bench.project()

    sdist = passbuild.build_sdist(project, host=host, outdir=str(bench.outdir))
    both = passbuild.build_sdist_and_wheel(str(project), host=host, outdir=str(bench.outdir))
    planned = passbuild.make_plan(project, host=host)
    metadata = passbuild.prepare_metadata(project, host=host)

    assert [item.kind for item in sdist.artifacts] == ["sdist"]
    assert [item.kind for item in both.artifacts] == ["sdist", "wheel"]
    assert planned.artifacts == ()
    assert metadata.metadata is not None
    assert "Name: sample" in metadata.metadata


def test_the_environment_serves_a_project_builder(bench: Bench, installer: str) -> None:
    """`build.ProjectBuilder.from_isolated_env` runs hooks in it, with the passed package; a temporary one is gone."""
    host = bench.host("engine==1.0", "fuel==1.0")
    project = bench.project(requires=["tool"], requires_wheel=["plugin"], imports=["engine", "tool", "plugin"])
    opened = passbuild.build_environment(
        project, host=str(host), passthrough=["engine"], installer=installer, no_store=True
    )

    with opened as environment:
        builder = build.ProjectBuilder.from_isolated_env(environment, project)
        wheel = Path(builder.build("wheel", bench.outdir))
        python = Path(environment.python_executable)
        existed = python.exists()

    assert existed
    assert not python.exists()
    assert seen(wheel)["modules"]["engine"]["file"] == str(host.site_packages / "engine" / "__init__.py")
    assert seen(wheel)["modules"]["plugin"]["version"] == "1.0"


def test_the_environment_hides_what_leads_elsewhere(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under a foreign runner, too, PYTHONPATH leads nowhere and VIRTUAL_ENV is the build environment."""
    stray = bench.folder / "stray"
    stray.mkdir()
    (stray / "strayed.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(stray))
    project = bench.project(tries=["strayed"])

    with passbuild.build_environment(project, host=str(bench.host())) as environment:
        builder = build.ProjectBuilder.from_isolated_env(environment, project)
        wheel = Path(builder.build("wheel", bench.outdir))

    assert seen(wheel)["modules"] == {"strayed": None}
    assert seen(wheel)["environ"]["VIRTUAL_ENV"] == seen(wheel)["prefix"]
