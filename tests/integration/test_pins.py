"""Wheels that know what they were built against: real installers take them beside that, and beside nothing else."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from passbuild import artifact
from tests.integration.bench import fingerprint
from tests.integration.test_sdist_requirements import found, sdist

if TYPE_CHECKING:
    from tests.integration.bench import Bench, Environment, Outcome

_SBOM = "sample-1.0.dist-info/sboms/passbuild.cdx.json"
_COPYING = """\
import recorder
from pathlib import Path
from recorder import *

def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = recorder.build_wheel(folder, config_settings, metadata_directory)
    wheel = Path(folder, name)
    wheel.write_bytes(b"in front of a zip may be anything" + wheel.read_bytes())
    Path("copy.whl").write_bytes(wheel.read_bytes())
    return name
"""
_WITHOUT_LIBRARY = """
import importlib.util, sys
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "cyclonedx" else find(name, *rest)
from passbuild.__main__ import start
start()
"""
CASES = {
    ("1.2+cpu", "exact"): ("engine==1.2", ["1.2+cpu"], ["1.0", "1.5"]),
    ("1.2+cpu", "patch"): ("engine>=1.2,<1.3", ["1.2+cpu"], ["1.0", "1.5"]),
    ("1.2+cpu", "minor"): ("engine>=1.2,<2", ["1.2+cpu", "1.5"], ["1.0", "2.0rc1", "2.0"]),
    ("2.6.0+cu124", "minor"): ("engine>=2.6.0,<3", ["2.6.0+cu124"], ["2.0", "3.0.dev20260101"]),
    ("2.0rc1", "exact"): ("engine==2.0rc1", ["2.0rc1"], ["2.0"]),
    ("3.0.dev20260101", "patch"): (
        "engine>=3.0.dev20260101,<3.1",
        ["3.0.dev20260101"],
        ["2.6.0+cu124", "2.0"],
    ),
}


def built(bench: Bench, engine: str, *options: object, **recorder: Any) -> Path:
    """Build the recording project against an engine, and return the wheel, after holding that it is sound."""
    run = bench.passbuild("wheel", bench.project(**recorder), *against(bench, engine), *options)
    assert run.code == 0, run.stderr
    return path_of(run)


def against(bench: Bench, engine: str) -> list[object]:
    """Return the options that pass an engine through."""
    return ["--host", bench.host(f"engine=={engine}", "fuel==1.0"), "--passthrough", "engine"]


def path_of(run: Outcome) -> Path:
    """Return the published wheel, after holding that it is sound."""
    path = Path(run.document["artifacts"][-1]["path"])
    artifact.checked_wheel(path, artifact.Identity())
    return path


def contents(wheel: Path) -> dict[str, bytes]:
    """Return the files of a wheel, in their order."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def requires(wheel: Path) -> list[str]:
    """Return what a wheel requires."""
    text = contents(wheel)["sample-1.0.dist-info/METADATA"].decode()
    return [line.removeprefix("Requires-Dist: ") for line in text.splitlines() if line.startswith("Requires-Dist: ")]


def install(bench: Bench, installer: str, target: Environment, *what: object) -> subprocess.CompletedProcess[str]:
    """Let a real installer install, from the wheelhouse alone."""
    pip = [sys.executable, "-m", "pip", "--python", str(target.python), "install"]
    uv = [sys.executable, "-m", "uv", "pip", "install", "--python", str(target.python)]
    command = [*(pip if installer == "pip" else uv), *map(str, what)]
    return subprocess.run(command, env=bench.environ, capture_output=True, text=True, check=False)


def _any_order(requirement: str) -> str:
    """Return a pattern for a requirement, whatever the order of its bounds."""
    lower, _, upper = requirement.removeprefix("engine").partition(",")
    return f"engine({re.escape(requirement.removeprefix('engine'))}|{re.escape(f'{upper},{lower}')})"


@pytest.mark.parametrize(("engine", "pin"), CASES)
def test_installers_take_the_wheel_beside_its_engine_and_no_other(
    bench: Bench, installer: str, engine: str, pin: str
) -> None:
    """Where the engine is right it stays as it is; where it has to stay and is wrong, nothing is installed."""
    line, right, wrong = CASES[engine, pin]
    wheel = built(bench, engine, "--pin", pin, requires_dist=["fuel"])
    assert requires(wheel) == ["fuel", line]

    for version in right:
        target = bench.own_host(f"engine=={version}", "fuel==1.0", folder=bench.folder / f"with {version}")
        done = install(bench, installer, target, wheel)
        assert done.returncode == 0, done.stderr
        assert (target.site_packages / f"engine-{version}.dist-info").is_dir()
        assert (target.site_packages / "sample-1.0.dist-info").is_dir()
    for version in wrong:
        target = bench.host(f"engine=={version}", "fuel==1.0")
        before = fingerprint(target.folder)
        refused = install(bench, installer, target, wheel, f"engine=={version}")
        assert refused.returncode != 0
        # uv wraps its lines, pip sorts the bounds and writes `engine<2 and >=1.2`.
        told = " ".join((refused.stdout + refused.stderr).split()).replace(" and ", ",")
        assert re.search(rf"sample\W+1\.0 depends on {_any_order(line)}(\W|$)", told), told
        assert fingerprint(target.folder) == before


def test_by_default_the_wheel_is_that_of_the_backend(bench: Bench) -> None:
    """To the byte; with `pin`, all but METADATA and RECORD is, in the same order."""
    project = bench.project()
    (project / "backend" / "copying.py").write_text(_COPYING, encoding="utf-8")
    toml = project / "pyproject.toml"
    toml.write_text(toml.read_text(encoding="utf-8").replace('"recorder"', '"copying"'), encoding="utf-8")
    options = against(bench, "1.0")

    plain = bench.passbuild("wheel", project, *options)
    assert plain.code == 0, plain.stderr
    assert path_of(plain).read_bytes() == (project / "copy.whl").read_bytes()

    pinned = bench.passbuild("wheel", project, *options, "--pin", "exact")
    assert pinned.code == 0, pinned.stderr
    before, after = contents(project / "copy.whl"), contents(path_of(pinned))
    assert list(after) == list(before)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"sample-1.0.dist-info/METADATA", "sample-1.0.dist-info/RECORD"}


def test_a_project_pins_in_its_own_settings(bench: Bench) -> None:
    """As `[tool.passbuild]` says; what passes through as part of the closure is not pinned."""
    wheel = built(bench, "1.5", toml='[tool.passbuild]\npin = "minor"\n')

    assert requires(wheel) == ["engine>=1.5,<2"]


def test_the_wheel_of_an_sdist_is_pinned_too(bench: Bench) -> None:
    """`passbuild build` leaves the sdist as it is."""
    run = bench.passbuild("build", bench.project(), *against(bench, "1.5"), "--pin", "exact", "--sbom")

    assert run.code == 0, run.stderr
    assert requires(path_of(run)) == ["engine==1.5"]
    assert _SBOM in contents(path_of(run))
    assert run.document["hints"] == {"build_tag": "1_engine1.5", "local_version": "engine1.5"}


def test_a_requirement_that_contradicts_is_refused(bench: Bench) -> None:
    """Exit 3; what the wheel requires and what was found is told, and nothing is published."""
    project = bench.project(requires_dist=["engine<1.5", "fuel"])

    run = bench.passbuild("wheel", project, *against(bench, "1.5"), "--pin", "minor")

    assert run.code == 3
    assert run.error["code"] == "pin-contradiction"
    assert "engine: the wheel requires engine<1.5 (Requires-Dist), but was built against 1.5 in " in run.stderr
    assert [item["name"] for item in run.error["problems"]] == ["engine"]
    assert run.document["artifacts"] == []
    assert not bench.outdir.exists()


def test_a_requirement_of_an_extra_or_of_another_system_does_not_contradict(bench: Bench) -> None:
    """It does not count where the wheel is built."""
    stated = ["engine<1.5; extra == 'old'", "engine<1.5; sys_platform == 'nowhere'", "engine>=1"]

    wheel = built(bench, "1.5", "--pin", "exact", requires_dist=stated)

    assert requires(wheel) == [*stated, "engine==1.5"]


def test_wheels_of_build_requirements_are_not_pinned(bench: Bench, installer: str) -> None:
    """They are built on the way, for this build alone: what is asked for is asked of the project's wheel."""
    sdist(bench.folder / "sdists", "needed", requires=["engine"])
    asks = {"requires": "import importlib.metadata as m; answer = m.requires('needed')"}
    project = bench.project(requires=["needed"], asks=asks)
    options = [*against(bench, "1.5"), "--installer", installer, "--pin", "exact", "--sbom"]

    run = bench.passbuild("wheel", project, *options, environ=found(bench, bench.folder / "sdists"))

    assert run.code == 0, run.stderr
    assert run.seen["answers"][""] == {"requires": None}
    assert [item["name"] for item in run.document["built_requirements"]] == ["needed"]
    assert requires(path_of(run)) == ["engine==1.5"]


def test_the_document_names_what_the_wheel_was_built_with(bench: Bench, installer: str) -> None:
    """It is valid, the same in every build, dated by SOURCE_DATE_EPOCH alone, and the wheel is installable with it."""
    project = bench.project(requires=["tool==1.0"])
    options = [*against(bench, "1.2+cpu"), "--sbom", "--installer", installer]

    first = bench.passbuild("wheel", project, *options)
    assert first.code == 0, first.stderr
    wheel = path_of(first)
    text = contents(wheel)[_SBOM].decode()

    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    document = json.loads(text)
    assert document["metadata"]["component"]["purl"] == "pkg:pypi/sample@1.0"
    purls = {item["bom-ref"]: item["purl"] for item in document["components"]}
    assert purls == {
        "host/engine": "pkg:pypi/engine@1.2%2Bcpu",
        "host/fuel": "pkg:pypi/fuel@1.0",
        "build/tool": "pkg:pypi/tool@1.0",
    }
    again = bench.passbuild("wheel", project, *options, "--no-store")
    assert contents(path_of(again))[_SBOM].decode() == text
    dated = bench.passbuild("wheel", project, *options, environ={"SOURCE_DATE_EPOCH": "1700000000"})
    assert json.loads(contents(path_of(dated))[_SBOM])["metadata"]["timestamp"] == "2023-11-14T22:13:20+00:00"
    assert requires(wheel) == []
    target = bench.own_host()
    done = install(bench, installer, target, wheel)
    assert done.returncode == 0, done.stderr
    assert (target.site_packages / _SBOM).is_file()


def test_without_the_library_nothing_is_built(bench: Bench) -> None:
    """What is missing is told before the backend has worked for an hour."""
    arguments = ["wheel", bench.project(), "--outdir", bench.outdir, *against(bench, "1.0"), "--sbom", "--json"]

    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT_LIBRARY, *map(str, arguments)],
        env=bench.environ,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    error = json.loads(done.stdout)["error"]
    assert (error["code"], error["hint"]) == ("extra-missing", "pip install 'passbuild[sbom]'")
    assert json.loads(done.stdout)["environment"] is None
    assert not bench.outdir.exists()


def test_the_report_hints_at_names_for_such_wheels(bench: Bench) -> None:
    """A plan tells them before the build; an sdist has none, nor has a wheel for which nothing passed through."""
    project = bench.project()
    options = against(bench, "1.2+cpu")
    wanted = {"build_tag": "1_engine1.2.cpu", "local_version": "engine1.2.cpu"}

    assert bench.passbuild("plan", project, *options).document["hints"] == wanted
    assert bench.passbuild("wheel", project, *options).document["hints"] == wanted
    assert bench.passbuild("sdist", project, *options).document["hints"] is None
    assert bench.passbuild("wheel", project, *options[:2]).document["hints"] is None
