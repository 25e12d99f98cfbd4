"""The action, the pipelines of `examples/ci` and our own are what their services understand; what they run works."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from passbuild.version import __version__
from tests.network.tools import EXAMPLES

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.network

ROOT = EXAMPLES.parent
CI = EXAMPLES / "ci"
OURS = ROOT / ".github"
_HIDDEN = ("PASSBUILD_", "GITHUB_", "GITLAB_", "CONDA_", "VIRTUAL_ENV", "PYTHONPATH")
_SUM = "6.0 2.3.5"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a copy of the numpy example, which the pipelines are about."""
    left_over = shutil.ignore_patterns("build", "dist", "*.egg-info", "*.so")
    return Path(shutil.copytree(EXAMPLES / "numpy-extension", tmp_path / "project", ignore=left_over))


def _bash(script: str, cwd: Path, environ: Mapping[str, object]) -> str:
    """Run a script as a service does, and return what it prints."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_HIDDEN)}
    python = cwd.parent / "python"
    if not python.exists():
        python.mkdir()
        base = Path(getattr(sys, "_base_executable", sys.executable))
        for name in ("python", "python3"):
            (python / name).symlink_to(base)
    path = os.pathsep.join((str(python), kept["PATH"]))
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=cwd,
        env={**kept, "PATH": path, **{name: str(value) for name, value in environ.items()}},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    told = done.stdout.decode()  # as bytes, for a section of GitLab has a carriage return in it
    assert done.returncode == 0, told
    return told


def _document(file: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return document


@pytest.mark.parametrize(
    ("file", "schema"),
    [
        (ROOT / "action.yml", ["vendor.github-actions"]),
        (CI / "github.yml", ["vendor.github-workflows"]),
        (OURS / "workflows" / "ci.yml", ["vendor.github-workflows"]),
        (OURS / "workflows" / "release.yml", ["vendor.github-workflows"]),
        (OURS / "dependabot.yml", ["vendor.dependabot"]),
        (CI / "gitlab-ci.yml", ["vendor.gitlab-ci", "--data-transform", "gitlab-ci"]),
        (
            CI / "azure-pipelines.yml",
            ["vendor.azure-pipelines", "--data-transform", "azure-pipelines", "--regex-variant", "nonunicode"],
        ),
    ],
)
def test_each_file_is_valid_by_the_schema_of_its_service(file: Path, schema: list[str]) -> None:
    """As published by the schema store."""
    argv = [sys.executable, "-m", "uv", "tool", "run", "check-jsonschema", "--builtin-schema", *schema, str(file)]

    done = subprocess.run(argv, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_our_workflows_have_no_known_weakness() -> None:
    """As zizmor sees them: tokens that stay, rights that are not needed, scripts that others can write into."""
    argv = [sys.executable, "-m", "uv", "tool", "run", "zizmor==1.32.0", "--offline", "--no-progress", str(OURS)]

    done = subprocess.run(argv, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def _release(job: str) -> dict[str, str]:
    """Return the scripts of a job of the release, by the names of their steps."""
    steps = _document(OURS / "workflows" / "release.yml")["jobs"][job]["steps"]
    return {step["name"]: step["run"] for step in steps if "run" in step}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a clone of the repository."""
    folder = tmp_path / "checkout"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    return folder


def test_a_release_has_the_tag_of_its_version(checkout: Path) -> None:
    """`v` and what `passbuild --version` says; any other tag ends the release before anything is built."""
    script = _release("build")["The tag names the version"]

    told = _bash(script, checkout, {"TAG": f"v{__version__}"})

    assert told.strip() == f"the tag is v{__version__}, the version {__version__}"
    for other in (__version__, f"v{__version__}.post1", "v"):
        with pytest.raises(AssertionError, match=f"the tag is {other}, the version {__version__}"):
            _bash(script, checkout, {"TAG": other})


def test_a_release_is_built_checked_and_tried(checkout: Path, tmp_path: Path) -> None:
    """The scripts of its jobs, in the order in which they stand: passbuild builds itself by the lock file."""
    build, check = _release("build"), _release("check")
    other = tmp_path / "other"
    other.mkdir()

    _bash(build["Install passbuild, hashes required"], checkout, {})
    built = _bash(build["Build"], checkout, {"PASSBUILD_CACHE_DIR": tmp_path / "store"})
    shutil.copytree(checkout / "dist", other / "dist")
    checked = _bash(check["Check what is published"], other, {})
    _bash(check["Try the wheel on the sdist"], other, {"TAG": f"v{__version__}"})

    names = {f"passbuild-{__version__}.tar.gz", f"passbuild-{__version__}-py3-none-any.whl"}
    assert {path.name for path in (checkout / "dist").iterdir()} == names
    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (checkout / "dist").iterdir()}
    assert [f"{digests[name]}  {name}" in built for name in sorted(names)] == [True, True]
    assert checked.count("PASSED") == len(names)


def test_the_action_builds_and_says_where_the_wheel_is(project: Path, tmp_path: Path) -> None:
    """The shell of its steps, in the order in which they stand, with what the workflow of the example gives them."""
    workflow = _document(CI / "github.yml")["jobs"]["wheel"]["steps"]
    given = next(step for step in workflow if "passbuild@" in step.get("uses", ""))["with"]
    steps = {step["name"]: step for step in _document(ROOT / "action.yml")["runs"]["steps"]}
    host = next(step for step in workflow if step.get("name") == "Make the host")["run"]
    test = next(step for step in workflow if step.get("name") == "Test")["run"]
    output, summary = tmp_path / "output", tmp_path / "summary.md"
    service = {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": project, "RUNNER_TEMP": tmp_path, "CI": "true"}
    inputs = {"COMMAND": "wheel", "SOURCE": ".", "ARGUMENTS": given["arguments"], "REPORT": given["report"]}
    settings = {"PASSBUILD_HOST": given["host"], "PASSBUILD_CACHE_DIR": tmp_path / "passbuild-store"}
    files = {"GITHUB_OUTPUT": output, "GITHUB_STEP_SUMMARY": summary}

    _bash(host.replace("${{ matrix.numpy }}", "2.3.5"), project, service)
    _bash(steps["Install passbuild"]["run"], project, {**service, "PYTHON": "python3", "ACTION": ROOT})
    told = _bash(steps["Build"]["run"], project, {**service, **inputs, **settings, **files})
    tested = _bash(test, project, service)

    (wheel,) = (project / "dist").glob("*.whl")
    assert output.read_text() == f"path<<END-OF-PATH\n{wheel}\nEND-OF-PATH\n"
    assert "::group::build the wheel" in told
    assert f"| `{wheel.name}` |" in summary.read_text()
    assert "numpy 2.3.5" in summary.read_text()
    assert (project / "report.json").is_file()
    assert tested.splitlines()[-1] == "6.0"


def test_the_pipeline_of_gitlab(project: Path, package: Path) -> None:
    """Its scripts with its variables; each step of the build is a section."""
    job = _document(CI / "gitlab-ci.yml")["wheel"]
    service = {"GITLAB_CI": "true", "CI": "true", "CI_PROJECT_DIR": project, "NUMPY": "2.3.5"}
    variables = {name: str(value).replace("$CI_PROJECT_DIR", str(project)) for name, value in job["variables"].items()}
    script = "\n".join((*job["before_script"], *job["script"]))

    told = _bash(script, project, {**service, **variables, "TOOL_PACKAGE": package})

    assert "section_start:" in told
    assert "[collapsed=true]\r\x1b[0Kbuild the wheel" in told
    assert told.splitlines()[-1] == "6.0"


def test_the_pipeline_of_azure(project: Path, package: Path) -> None:
    """Its steps; each step of the build is a group."""
    steps = [step["bash"] for step in _document(CI / "azure-pipelines.yml")["steps"] if "bash" in step]
    service = {"TF_BUILD": "True", "BUILD_SOURCESDIRECTORY": project, "TOOL_PACKAGE": package}

    told = [_bash(script, project, service) for script in steps][-1]

    assert "##[group]build the wheel\n" in told
    assert list((project / "dist").glob("array_ops-*.whl")) != []


def test_the_pipeline_in_plain_shell(project: Path, package: Path) -> None:
    """It ends with the path of a wheel that was tested in the host."""
    environ = {"TOOL_PACKAGE": package, "HOST_REQUIREMENTS": "numpy==2.3.5"}

    told = _bash(str(CI / "pipeline.sh"), project, environ)

    *_, total, wheel = told.splitlines()
    assert total == "6.0"
    assert Path(wheel).is_file()


@pytest.mark.parametrize(
    ("tool", "file", "options"),
    [("tox", "tox.ini", ["-e", "numpy23"]), ("nox", "noxfile.py", ["-s", "tests(numpy='2.3.*')"])],
)
def test_tox_and_nox_test_what_passbuild_installed(
    tool: str, file: str, options: list[str], project: Path, package: Path
) -> None:
    """The environment of the tests is the host."""
    shutil.copy(CI / file, project)
    argv = [sys.executable, "-m", "uv", "tool", "run", "--from", tool, "--python", sys.executable, tool, *options]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_HIDDEN)}

    environ = {**kept, "TOOL_PACKAGE": str(package), "TOX_OVERRIDE": "testenv.pass_env=PIP_*,UV_*"}
    done = subprocess.run(argv, cwd=project, env=environ, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "6.0 2.3." in done.stdout


def test_what_cibuildwheel_runs_is_done_by_passbuild(project: Path, tmp_path: Path, host: Path) -> None:
    """The command is the one of cibuildwheel 4.3.3; the configuration is valid by its schema."""
    settings = CI / "cibuildwheel"
    environ = {
        "PYTHONPATH": settings / "frontend",
        "BUILD_WITH": Path(sys.executable).with_name("passbuild"),
        "PASSBUILD_HOST": host,
        "PASSBUILD_ON_MISSING": "error",
    }

    _bash(f"python -m build {project} --wheel --outdir={tmp_path / 'built'} -v", project, environ)

    assert [path.name.split("-")[0] for path in (tmp_path / "built").iterdir()] == ["array_ops"]
    checked = subprocess.run(
        [
            *(sys.executable, "-m", "uv", "run", "--no-project", "--with", "cibuildwheel==4.3.3,jsonschema"),
            *("--python", sys.executable, "python", "-c", _VALIDATES, str(settings / "cibuildwheel.toml")),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
    assert checked.stdout.strip() == "valid"


_VALIDATES = """
import importlib.resources, json, sys
import jsonschema
try:
    import tomllib
except ImportError:
    import tomli as tomllib
resources = importlib.resources.files("cibuildwheel") / "resources" / "cibuildwheel.schema.json"
with open(sys.argv[1], "rb") as file:
    table = tomllib.load(file)["tool"]["cibuildwheel"]
jsonschema.validate(table, json.loads(resources.read_text()))
print("valid")
"""
