"""Settings for the builds of other people's projects: tables by package names, and uv's tables for the same."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.bench import Outcome
from tests.integration.test_sdist_requirements import sdist

if TYPE_CHECKING:
    from tests.integration.bench import Bench

_UV = """\
[tool.uv.extra-build-dependencies]
pump = ["tool==1.0", { requirement = "engine", match-runtime = true }]
other = [{ requirement = "nowhere", match-runtime = true }]
[tool.uv.extra-build-variables]
pump = { PUMP_MODE = "small" }
"""
_OURS = """\
[tool.passbuild.package.pump]
passthrough = ["engine"]
build-requires = ["tool==1.0"]
environment = { PUMP_MODE = "small" }
config-settings = { speed = "high" }
[tool.passbuild.package.other]
passthrough = ["nowhere"]
"""


def built(bench: Bench, cwd: Path, *options: object, source: str = "pump==1.0", **environ: str) -> Outcome:
    """Build a project that records its variable, while working in a folder."""
    links = bench.folder / "links"
    archive = sdist(links, "pump")
    _record_mode(archive)
    host = bench.host("engine==1.0", "fuel==1.0")
    return bench.passbuild("wheel", source, "-f", links, "--host", host, *options, cwd=cwd, environ=environ)


def told(outcome: Outcome) -> object:
    """Return what the project recorded: the variable and the config settings."""
    assert outcome.code == 0, outcome.stderr
    with zipfile.ZipFile(outcome.document["artifacts"][0]["path"]) as wheel:
        return json.loads(wheel.read("pump.py").decode().partition("TOLD = ")[2])


@pytest.mark.parametrize("below", ["", "deeper/still"])
def test_uvs_tables_of_the_project_one_works_in_count(bench: Bench, below: str) -> None:
    """A match-runtime entry passes through, other ones are installed, variables reach the hooks."""
    work = _work(bench, _UV)
    (work / below).mkdir(parents=True, exist_ok=True)

    outcome = built(bench, work / below)

    assert told(outcome) == ["small", {}]
    assert outcome.versions("passed") == {"engine": "1.0", "fuel": "1.0"}
    assert outcome.versions("installed") == {"tool": "1.0"}
    assert "extra-build-dependencies] pump[1]" in outcome.decision("engine")["origins"][0]


def test_uvs_own_file_counts_instead_of_its_table(bench: Bench) -> None:
    """As for uv: where there is a uv.toml, [tool.uv] is not looked at."""
    work = _work(bench, _UV)
    (work / "uv.toml").write_text(_UV.replace("tool.uv.", "").replace("small", "large"), encoding="utf-8")

    outcome = built(bench, work)

    assert told(outcome) == ["large", {}]
    assert outcome.decision("engine")["origins"] == ["uv.toml [extra-build-dependencies] pump[1]"]


def test_own_tables_of_the_project_one_works_in_count(bench: Bench) -> None:
    """[tool.passbuild.package.NAME] holds whatever a project could set for itself."""
    outcome = built(bench, _work(bench, _OURS))

    assert told(outcome) == ["small", {"speed": "high"}]
    assert outcome.names("passed") == ["engine", "fuel"]
    assert outcome.decision("engine")["origins"] == ["pyproject.toml [tool.passbuild.package.pump] passthrough[0]"]


def test_users_table_wins_over_that_of_the_project_one_works_in(bench: Bench) -> None:
    """The user's file, then variables, then options."""
    file = bench.folder / "config.toml"
    file.write_text('[package.Pump]\nenvironment = { PUMP_MODE = "mine" }\n', encoding="utf-8")
    work = _work(bench, _OURS)

    by_file = told(built(bench, work, "--config-file", file))
    by_variable = told(built(bench, work, "--config-file", file, PASSBUILD_ENVIRONMENT="PUMP_MODE=theirs OTHER='a b'"))
    by_option = told(built(bench, work, "-E", "PUMP_MODE=now", PASSBUILD_ENVIRONMENT="PUMP_MODE=theirs"))

    high = {"speed": "high"}
    assert [by_file, by_variable, by_option] == [["mine", high], ["theirs", high], ["now", high]]


def test_tables_count_for_a_folder_and_an_archive_of_that_name(bench: Bench) -> None:
    """Whatever way a project comes, its name decides."""
    work = _work(bench, _OURS)

    outcome = built(bench, work, source=str(bench.folder / "links" / "pump-1.0.tar.gz"))

    assert told(outcome) == ["small", {"speed": "high"}]


def test_tables_count_for_a_build_requirement_that_is_built_from_its_sdist(bench: Bench) -> None:
    """What is set for a package holds wherever it is built, and what is given for the project does not reach it."""
    links = bench.folder / "links"
    _record_mode(sdist(links, "pump"))
    project = bench.project(requires=["pump"], toml=_OURS.partition("[tool.passbuild.package.other]")[0])
    host = bench.host("engine==1.0", "fuel==1.0")

    outcome = bench.passbuild(
        *("wheel", ".", "-f", links, "--host", host, "--passthrough", "engine"),
        *("-E", "PUMP_MODE=of the project", "-C", "speed=low", "--keep"),
        cwd=project,
        environ={"PASSBUILD_CONFIG_SETTING": "speed=variable"},
    )

    (kept,) = outcome.document["kept"]
    (wheel,) = Path(kept).glob("wheels/pump-*.whl")
    assert told(_of(outcome, wheel)) == ["small", {"speed": "high"}]
    bench.remove_kept(outcome)


@pytest.mark.parametrize(
    ("toml", "place"),
    [
        ("[tool.passbuild.package.pump]\npasthrough = []\n", "[tool.passbuild.package.pump] pasthrough"),
        ("[tool.passbuild.package.other]\npin = 'close'\n", ""),
        ("[tool.passbuild.package.other]\npassthrough = 'a'\n", "[tool.passbuild.package.other] passthrough"),
        ("[tool.passbuild]\npackage = []\n", "[tool.passbuild.package]"),
        ("[tool.passbuild.package]\npump = 1\n", "[tool.passbuild.package.pump]"),
        ("[tool.uv.extra-build-dependencies]\npump = 'tool'\n", "[tool.uv.extra-build-dependencies] pump"),
        ("[tool.uv.extra-build-dependencies]\npump = [{}]\n", "[tool.uv.extra-build-dependencies] pump[0]"),
        ("[tool.uv.extra-build-variables]\npump = { A = 1 }\n", "[tool.uv.extra-build-variables] pump.A"),
        ("[tool.passbuild.package.pump]\nhost = '3.12'\n", "[tool.passbuild.package.pump] host"),
        ("[tool.passbuild.package.pump\n", "pyproject.toml"),
    ],
)
def test_mistakes_in_tables_are_told_with_their_place(bench: Bench, toml: str, place: str) -> None:
    """A table that cannot be read stops the build; one whose choices are wrong for another package does not."""
    outcome = built(bench, _work(bench, toml), "--passthrough", "engine")

    if not place:
        assert outcome.code == 0, outcome.stderr
        return
    assert outcome.error["code"] == "invalid-settings"
    assert next(item["place"] for item in outcome.error["problems"]).endswith(place)


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_index_options_reach_the_installer_beside_its_own_settings(bench: Bench, installer: str) -> None:
    """--find-links adds to what the installer looks at already; --no-index leaves both alone."""
    links = bench.folder / "links"
    sdist(links, "pump")
    project = bench.project(requires=["pump", "tool"])
    host = bench.host("engine==1.0", "fuel==1.0")
    options = ("--host", host, "--passthrough", "engine", "--installer", installer)

    outcome = bench.passbuild("wheel", project, *options, "-f", "links", "--no-index", "--offline")
    without = bench.passbuild("wheel", project, *options, "--no-index", "--offline")

    assert outcome.code == 0, outcome.stderr
    assert set(outcome.names("installed")) == {"pump", "tool"}
    assert without.error["code"] == "unresolvable"


def _work(bench: Bench, toml: str) -> Path:
    folder = bench.folder / "work"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(toml, encoding="utf-8")
    return folder


def _record_mode(archive: Path) -> None:
    """Let the project of an archive record a variable and its config settings."""
    folder = archive.parent / "unpacked"
    shutil.unpack_archive(archive, folder)
    maker = folder / "pump-1.0" / "backend" / "maker.py"
    text = maker.read_text(encoding="utf-8")
    before = "repr([engine.__file__, engine.__version__, config_settings])"
    text = text.replace(before, "json.dumps([MODE, config_settings])")
    maker.write_text(f"import json, os\nMODE = os.environ.get('PUMP_MODE')\n{text}", encoding="utf-8")
    with tarfile.open(archive, "w:gz") as bundle:
        bundle.add(folder / "pump-1.0", "pump-1.0")
    shutil.rmtree(folder)


def _of(outcome: Outcome, wheel: Path) -> Outcome:
    """Return an outcome whose one artifact is this wheel."""
    document = {**outcome.document, "artifacts": [{**outcome.document["artifacts"][0], "path": str(wheel)}]}
    return replace(outcome, stdout=json.dumps(document))


@pytest.mark.parametrize("kind", ["pyproject.toml", "uv.toml"])
def test_uv_as_installer_leaves_to_us_what_is_ours(bench: Bench, kind: str) -> None:
    """Uv would look for a match-runtime package in what it installs, and fail; the rest of its settings counts."""
    links = bench.folder / "links"
    _record_mode(sdist(links, "pump"))
    house = json.dumps(str(bench.workshop.house.index))
    work = _work(bench, _UV + f"[tool.uv]\nfind-links = ['../links', {house}]\nno-index = true\n")
    if kind == "uv.toml":
        text = (work / "pyproject.toml").read_text(encoding="utf-8")
        head, _, tail = text.replace("tool.uv.", "").partition("[tool.uv]\n")
        (work / "uv.toml").write_text(tail + head, encoding="utf-8")
    host = bench.host("engine==1.0", "fuel==1.0")

    argv = ["wheel", "pump==1.0", "--host", str(host), "--installer", "uv", "--json", "-o", str(bench.outdir)]
    finished = subprocess.run(
        [sys.executable, "-m", "passbuild", *argv],
        cwd=work,
        env={name: value for name, value in bench.environ.items() if name not in {"UV_CONFIG_FILE", "PIP_FIND_LINKS"}},
        check=False,
        capture_output=True,
        encoding="utf-8",
    )

    outcome = Outcome(code=finished.returncode, stdout=finished.stdout, stderr=finished.stderr)
    assert told(outcome) == ["small", {}]
    assert outcome.versions("installed") == {"tool": "1.0"}


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_places_add_to_those_of_the_installers_own_configuration(bench: Bench, installer: str) -> None:
    """--find-links hides nothing of pip.conf and uv.toml."""
    links = bench.folder / "links"
    sdist(links, "pump")
    house = bench.workshop.house.index
    (bench.folder / "pip.conf").write_text(f"[global]\nno-index = true\nfind-links = {house}\n", encoding="utf-8")
    project = bench.project(requires=["pump", "tool"])
    host = bench.host("engine==1.0", "fuel==1.0")

    outcome = bench.passbuild(
        *("wheel", project, "--host", host, "--passthrough", "engine", "--installer", installer, "-f", links),
        environ={"PIP_CONFIG_FILE": str(bench.folder / "pip.conf"), "PIP_FIND_LINKS": "", "PIP_NO_INDEX": ""},
    )

    assert outcome.code == 0, outcome.stderr
    assert set(outcome.names("installed")) == {"pump", "tool"}
