"""The commands beside `wheel`: what they make, and what they print where."""

from __future__ import annotations

import json
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.integration.bench import fingerprint, seen

if TYPE_CHECKING:
    from tests.integration.bench import Bench


def test_sdist_publishes_an_sdist(bench: Bench, installer: str) -> None:
    """The sdist hooks run, with what get_requires_for_build_sdist asks for and with the passed packages."""
    host = bench.host("engine==1.0", "fuel==1.0")
    project = bench.project(requires_sdist=["tool"], requires_wheel=["absent"], imports=["engine", "tool"])

    run = bench.passbuild("sdist", project, "--host", host, "--passthrough", "engine", "--installer", installer)

    assert run.code == 0, run.stderr
    (artifact,) = run.document["artifacts"]
    assert (artifact["kind"], artifact["name"], artifact["version"]) == ("sdist", "sample", "1.0")
    with tarfile.open(artifact["path"]) as sdist:
        member = sdist.extractfile("sample-1.0/seen.json")
        assert member is not None
        inside = json.load(member)
    assert inside["hook"] == "build_sdist"
    assert inside["modules"]["engine"]["file"] == str(host.site_packages / "engine" / "__init__.py")


def test_build_makes_the_wheel_from_the_sdist(bench: Bench, installer: str) -> None:
    """Both are published; the wheel's hooks ran in the unpacked sdist, not in the project's folder."""
    host = bench.host("engine==1.0", "fuel==1.0")
    project = bench.project(requires=["tool"], imports=["engine", "tool"])

    run = bench.passbuild("build", project, "--host", host, "--passthrough", "engine", "--installer", installer)

    assert run.code == 0, run.stderr
    assert [item["kind"] for item in run.document["artifacts"]] == ["sdist", "wheel"]
    assert sorted(bench.published()) == ["sample-1.0-py3-none-any.whl", "sample-1.0.tar.gz"]
    assert run.seen["cwd"] != str(project)
    assert Path(run.seen["cwd"]).name == "sample-1.0"
    assert run.seen["modules"]["engine"]["file"].startswith(str(host))


def test_build_makes_one_environment_where_both_hooks_need_the_same(bench: Bench) -> None:
    """The wheel is built in the sdist's environment unless its hook asks for more."""
    host = bench.host()
    same = bench.project(name="same", requires=["tool"])
    more = bench.project(name="more", requires=["tool"], requires_wheel=["fuel"], imports=["tool"])

    runs = [bench.passbuild("build", project, "--host", host) for project in (same, more)]

    made = [[step["name"] for step in run.document["steps"]].count("make the build environment") for run in runs]
    assert [run.code for run in runs] == [0, 0]
    assert made == [1, 2]


def test_a_wheel_that_disagrees_with_its_sdist_is_refused(bench: Bench) -> None:
    """`passbuild build`: the sdist says one version, the wheel made from it another."""
    host = bench.host()
    project = bench.project(version="1.0")
    (project / "backend" / "late.py").write_text(
        "from recorder import *\nimport recorder, json, pathlib\n"
        "def build_wheel(*arguments):\n"
        "    pathlib.Path('recorder.json').write_text(json.dumps({'version': '2.0'}))\n"
        "    return recorder.build_wheel(*arguments)\n",
        encoding="utf-8",
    )
    file = project / "pyproject.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('"recorder"', '"late"'), encoding="utf-8")

    run = bench.passbuild("build", project, "--host", host)

    assert run.code == 1
    assert run.error["code"] == "bad-artifact"
    assert "states the version 2.0, expected was 1.0" in run.error["message"]
    assert sorted(bench.published()) == ["sample-1.0.tar.gz"]


def test_metadata_prints_what_the_wheel_would_have(bench: Bench) -> None:
    """The backend has no hook for it: a wheel is built and thrown away, and METADATA is the only output."""
    host = bench.host("engine==1.0", "fuel==1.0")
    project = bench.project(imports=["engine"], requires_dist=["fuel>=1"])

    run = bench.passbuild("metadata", project, "--host", host, "--passthrough", "engine", json=False)

    assert run.code == 0, run.stderr
    assert run.stdout.splitlines() == [
        "Metadata-Version: 2.1",
        "Name: sample",
        "Version: 1.0",
        "Requires-Dist: fuel>=1",
    ]
    assert not (project / "dist").exists()


def test_metadata_comes_from_the_hook_for_it(bench: Bench) -> None:
    """prepare_metadata_for_build_wheel is asked where the backend has it; no wheel is built then."""
    host = bench.host()
    project = bench.project()
    (project / "backend" / "preparing.py").write_text(
        "import pathlib, tiny_wheel\n"
        "def prepare_metadata_for_build_wheel(folder, config_settings=None):\n"
        "    info = pathlib.Path(folder, 'sample-1.0.dist-info')\n"
        "    info.mkdir()\n"
        "    (info / 'METADATA').write_text(tiny_wheel.metadata('sample', '1.0', ['prepared']))\n"
        "    return info.name\n"
        "def build_wheel(*arguments):\n"
        "    raise AssertionError('nobody asked for a wheel')\n",
        encoding="utf-8",
    )
    file = project / "pyproject.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('"recorder"', '"preparing"'), encoding="utf-8")

    run = bench.passbuild("metadata", project, "--host", host)

    assert run.code == 0, run.stderr
    assert "Requires-Dist: prepared" in run.document["metadata"]


def test_plan_says_what_would_happen_and_builds_nothing(bench: Bench) -> None:
    """For each name: what, why, wanted, found and named by whom; where each setting came from; no file is made."""
    host = bench.host("engine==1.0", "fuel==1.0", "tool==1.0")
    project = bench.project(requires=["engine>=1", "tool"], toml='[tool.passbuild]\npassthrough = ["engine"]')
    before = fingerprint(project)

    run = bench.passbuild("plan", project, "--host", host, "--on-missing", "error", json=False)

    assert run.code == 0, run.stderr
    lines = [line.strip() for line in run.stdout.splitlines()]
    words = [line.strip("│├└─ ") for line in lines]
    assert any(line.startswith("engine 1.0") for line in words)
    assert "wanted: engine>=1 (build-system.requires)" in words
    assert "named by: pyproject.toml [tool.passbuild] passthrough[0]" in words
    assert any(line.startswith("└─ fuel 1.0") for line in lines)
    assert lines[lines.index("installed into the build environment") + 1].startswith("tool  ")
    assert "on the host: 1.0" in lines
    assert "on-missing = error (--on-missing)" in lines
    assert "on-mismatch = error (default)" in lines
    assert "chosen by: --host" in lines
    assert fingerprint(project) == before


def test_plan_of_an_impossible_build_ends_with_3_and_still_tells_all(bench: Bench) -> None:
    """Every refusal at once: mismatches are reported together."""
    host = bench.host("engine==1.0", "fuel==1.0", "tool==1.0")
    project = bench.project(requires=["engine>=2", "tool>=2"])
    options = ["--host", host, "--passthrough", "engine", "--passthrough", "tool"]

    run = bench.passbuild("plan", project, *options, json=False)
    again = bench.passbuild("plan", project, *options)

    assert run.code == again.code == 3
    assert [problem["name"] for problem in again.error["problems"]] == ["engine", "tool"]
    assert ["✗", "engine"] in [line.split()[:2] for line in run.stdout.splitlines()]
    assert ["wanted:", "engine>=2"] in [line.split()[:2] for line in run.stdout.splitlines()]
    assert "error[version-mismatch]" in run.stderr


def test_standard_output_is_the_artifacts_path_alone(bench: Bench) -> None:
    """All else goes to standard error; -q silences it."""
    host = bench.host()
    project = bench.project()

    run = bench.passbuild("build", project, "--host", host, json=False)
    quiet = bench.passbuild("build", project, "--host", host, "-q", json=False)

    names = ["sample-1.0.tar.gz", "sample-1.0-py3-none-any.whl"]
    assert run.stdout.splitlines() == quiet.stdout.splitlines() == [str(bench.outdir / name) for name in names]
    assert f"host: Python {seen(bench.outdir / names[1])['version']} in {host}" in run.stderr
    assert "(--host)" in run.stderr
    assert quiet.stderr == ""


def test_verbose_shows_the_backends_output_as_it_comes(bench: Bench) -> None:
    """-v shows it, without -v a build that succeeds does not."""
    host = bench.host()
    project = bench.project()

    usual = bench.passbuild("wheel", project, "--host", host)
    verbose = bench.passbuild("wheel", project, "--host", host, "-v")

    assert "the recorder builds a wheel" not in usual.stderr
    assert "the recorder builds a wheel" in verbose.stderr


def test_the_output_folder_is_dist_or_the_archives_folder_by_default(bench: Bench) -> None:
    """`dist` in the project, as with `python -m build`; of an archive the folder in which it lies."""
    host = bench.host()
    project = bench.project()

    sdist = bench.passbuild("sdist", project, "--host", host, outdir=None)
    archive = bench.folder / "downloads" / "sample-1.0.tar.gz"
    archive.parent.mkdir()
    (project / "dist" / archive.name).rename(archive)
    wheel = bench.passbuild("wheel", archive, "--host", host, outdir=None)

    assert sdist.document["artifacts"][0]["path"] == str(project / "dist" / archive.name)
    assert wheel.document["artifacts"][0]["path"] == str(archive.with_name("sample-1.0-py3-none-any.whl"))
    assert list((project / "dist").iterdir()) == []


def test_the_report_is_written_to_a_file_also_on_failure(bench: Bench) -> None:
    """--report FILE holds the same document as --json, and on failure the error."""
    host = bench.host("engine==1.0", "fuel==1.0")
    project = bench.project(requires=["engine>=2"])
    file = bench.folder / "report.json"
    options = ["--host", host, "--report", file]

    done = bench.passbuild("wheel", project, *options)
    first = json.loads(file.read_text(encoding="utf-8"))
    failed = bench.passbuild("wheel", project, *options, "--passthrough", "engine")
    second = json.loads(file.read_text(encoding="utf-8"))

    assert (done.code, failed.code) == (0, 3)
    assert first == done.document
    assert second == failed.document
    assert (first["schema"], first["ok"], second["ok"]) == (1, True, False)


def test_keep_leaves_the_build_environment_and_says_where(bench: Bench) -> None:
    """--keep: the folders are printed and there, and the environment's Python runs."""
    host = bench.host()
    project = bench.project(requires=["tool"])

    run = bench.passbuild("wheel", project, "--host", host, "--keep")
    (kept,) = run.document["kept"]
    pythons = [path for path in Path(kept).glob("*/env/bin/python") if path.exists()]
    bench.remove_kept(run)

    assert run.code == 0, run.stderr
    assert len(pythons) == 1
    assert kept in run.stderr


def test_config_settings_reach_the_hooks(bench: Bench) -> None:
    """-C repeats to a list, --config-json gives an object; both arrive in the hooks."""
    host = bench.host()
    project = bench.project()
    options = ["-C", "one=1", "-C", "many=a", "-C", "many=b", "-C", "bare"]

    run = bench.passbuild("wheel", project, "--host", host, *options)
    seen_first = run.seen["config_settings"]
    document = bench.passbuild("wheel", project, "--host", host, "--config-json", '{"key": ["x", "y"]}')

    assert seen_first == {"one": "1", "many": ["a", "b"], "bare": ""}
    assert document.seen["config_settings"] == {"key": ["x", "y"]}


def test_a_source_that_is_no_project_is_a_wrong_usage(bench: Bench) -> None:
    """A folder that is not there, one without pyproject.toml, a file that is no archive: exit 2 and what to give."""
    empty, file = bench.folder / "empty", bench.folder / "file.txt"
    empty.mkdir()
    file.touch()

    runs = [bench.passbuild("wheel", source) for source in (bench.folder / "nowhere", empty, file)]

    assert [run.code for run in runs] == [2, 2, 2]
    assert {run.error["code"] for run in runs} == {"source-not-found"}
    assert all("sdist archive" in run.error["hint"] for run in runs)


def test_a_wheel_holds_what_the_backend_wrote(bench: Bench) -> None:
    """The artifact is the backend's, byte for byte: passbuild checks it and changes nothing."""
    host = bench.host()
    project = bench.project()

    run = bench.passbuild("wheel", project, "--host", host)

    (artifact,) = run.document["artifacts"]
    with zipfile.ZipFile(artifact["path"]) as wheel:
        assert sorted(wheel.namelist()) == [
            "sample-1.0.dist-info/METADATA",
            "sample-1.0.dist-info/RECORD",
            "sample-1.0.dist-info/WHEEL",
            "sample/__init__.py",
            "sample/seen.json",
        ]
