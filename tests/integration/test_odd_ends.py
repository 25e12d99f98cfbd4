"""Backends that answer oddly, outputs that cannot be written, and values that are empty or lead nowhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.schema import valid

if TYPE_CHECKING:
    from tests.integration.bench import Bench


def odd(bench: Bench, code: str) -> Path:
    """Write a project whose in-tree backend is `code`."""
    folder = bench.folder / "odd"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n[project]\nname = "odd"\n'
    )
    (folder / "backend.py").write_text(code)
    return folder


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("def build_wheel(*_): return None", "build_wheel failed: it returned None instead of the name"),
        ("def build_wheel(*_): return 3", "build_wheel failed: it returned 3 instead of the name"),
        ("def build_wheel(*_):\n import os; os._exit(0)", "build_wheel failed: the backend's process ended without an"),
        ("def build_wheel(*_):\n import os; os._exit(7)", "ended with exit code 7"),
        ("def build_wheel(*_):\n import os; os.kill(os.getpid(), 9)", "was ended by signal 9 (SIGKILL)"),
        ("def get_requires_for_build_wheel(*_): return [1]", "it returned [1] instead of a list of strings"),
        ("def get_requires_for_build_wheel(*_): return None", "it returned None instead of a list of strings"),
        ("def get_requires_for_build_wheel(*_): return 'numpy'", "it returned 'numpy' instead of a list of strings"),
        ("def get_requires_for_build_wheel(*_): return ['not ok!']", "no requirement by PEP 508"),
        ("x = 1", "has no attribute 'build_wheel'"),
        ("import nowhere_to_be_found", "cannot be imported"),
    ],
)
def test_odd_answer_of_a_hook_is_the_backends_failure(bench: Bench, code: str, told: str) -> None:
    """Exit 1 with the hook's name and what it did; never a traceback of passbuild."""
    project = odd(bench, code)

    run = bench.passbuild("wheel", project, "--host", bench.host(), "--report", "report.json")

    assert run.code == 1
    assert run.error["code"] == "backend-failed"
    assert told in run.error["message"]
    assert valid((bench.folder / "report.json").read_text()) == run.document
    assert "bug in passbuild" not in run.stderr


def test_report_follows_a_link_and_keeps_permissions(bench: Bench) -> None:
    """What the link leads to is replaced, not the link; a private file stays private."""
    target = bench.folder / "target.json"
    target.write_text("old")
    target.chmod(0o600)
    link = bench.folder / "link.json"
    link.symlink_to(target)

    run = bench.passbuild("plan", bench.project(), "--host", bench.host(), "--report", link)

    assert link.is_symlink()
    assert json.loads(target.read_text()) == run.document
    assert target.stat().st_mode & 0o777 == 0o600


def test_report_is_written_into_a_pipe(bench: Bench) -> None:
    """A named pipe is written to and stays one."""
    pipe = bench.folder / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE, text=True) as reader:
        run = bench.passbuild("plan", bench.project(), "--host", bench.host(), "--report", pipe)
        try:
            text, _ = reader.communicate(timeout=10)
        except subprocess.TimeoutExpired:  # nobody opened the pipe for writing
            reader.kill()
            text = ""

    assert pipe.is_fifo()
    assert json.loads(text) == run.document


def test_report_that_cannot_be_written_is_told_with_its_option(bench: Bench) -> None:
    """The hint names --report, not --outdir."""
    run = bench.passbuild("plan", bench.project(), "--host", bench.host(), "--report", "no/such/folder/report.json")

    assert run.code == 2
    assert run.error["code"] == "output-not-writable"
    assert "--report" in run.error["hint"]


def test_closed_standard_output_is_explained(bench: Bench) -> None:
    """`>&-`: the artifact is published, the path cannot be told, and no traceback follows."""
    project = bench.project()
    command = f"exec {sys.executable} -m passbuild wheel {project} --host {bench.host()} -o {bench.outdir} >&-"

    finished = subprocess.run(["sh", "-c", command], env=bench.environ, capture_output=True, text=True, check=False)

    assert finished.returncode == 2
    assert "standard output: is closed" in finished.stderr
    assert "Traceback" not in finished.stderr
    assert len(list(bench.outdir.iterdir())) == 1


def test_reader_that_goes_away_does_not_end_the_build(bench: Bench) -> None:
    """`-v 2>&1 | head -1`: the build goes on and its artifact is there."""
    project = bench.project()
    command = f"{sys.executable} -m passbuild wheel {project} --host {bench.host()} -o {bench.outdir} -v 2>&1 | head -1"

    finished = subprocess.run(["sh", "-c", command], env=bench.environ, capture_output=True, text=True, check=False)

    assert len(finished.stdout.splitlines()) == 1
    assert [path.suffix for path in bench.outdir.iterdir()] == [".whl"]


@pytest.mark.parametrize("value", ["0", "1"])
def test_json_variable_is_a_truth_value_also_when_settings_are_wrong(bench: Bench, value: str) -> None:
    """PASSBUILD_JSON=0 prints no document."""
    environ = {"PASSBUILD_JSON": value, "PASSBUILD_ON_MISSING": "maybe"}

    run = bench.passbuild("plan", bench.project(), "--host", bench.host(), json=False, environ=environ)

    assert run.code == 2
    assert bool(run.stdout) is (value == "1")


def test_constraints_file_that_is_not_there_is_a_wrong_setting(bench: Bench) -> None:
    """A plan finds it as well, before anything is made."""
    run = bench.passbuild("plan", bench.project(), "--host", bench.host(), "--build-constraint", "nowhere.txt")

    assert run.code == 2
    assert run.error["code"] == "invalid-settings"
    assert "nowhere.txt: there is no such file" in run.error["message"]


def test_impossible_output_folder_is_told_before_an_environment_is_made(bench: Bench) -> None:
    """A file in the way of the output folder costs nothing."""
    (bench.folder / "file").write_text("")

    run = bench.passbuild("wheel", bench.project(), "--host", bench.host(), outdir="file/dist")

    assert run.code == 2
    assert run.error["code"] == "output-not-writable"
    assert [step["name"] for step in run.document["steps"]] == ["read the host"]


def test_ascii_terminal_gets_ascii(bench: Bench) -> None:
    """No escapes in place of bullets."""
    environ = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}

    run = bench.passbuild("wheel", bench.project(), "--host", bench.host(), json=False, environ=environ)

    assert run.code == 0
    assert run.stderr.splitlines()[0].endswith(" s] * read the host")
    assert run.stderr.isascii()
    assert "\\u" not in run.stderr


def test_report_value_does_not_show_the_environment(bench: Bench) -> None:
    """Whoever logs the API's report does not log what CI keeps secret."""
    program = (
        "import passbuild, sys; "
        "report = passbuild.build_wheel(sys.argv[1], host=sys.argv[2], outdir=sys.argv[3]); "
        "assert report.environment; print('s3cr3t' in repr(report))"
    )
    argv = [sys.executable, "-c", program, str(bench.project()), str(bench.host()), str(bench.outdir)]

    environ = {**bench.environ, "TOKEN": "s3cr3t"}
    finished = subprocess.run(argv, env=environ, capture_output=True, text=True, check=True)

    assert finished.stdout.strip() == "False"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("command", ["plan", "wheel"])
def test_a_result_that_cannot_be_written_is_an_error(bench: Bench, command: str) -> None:
    """Standard output is a file on a full disk."""
    argv = [sys.executable, "-m", "passbuild", command, str(bench.project()), "--host", str(bench.host())]
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(argv, env=bench.environ, stdout=full, stderr=subprocess.PIPE, text=True, check=False)

    assert run.returncode == 2
    assert "error[output-not-writable]: standard output: No space left on device" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_what_is_told_beside_the_result_is_no_reason_to_fail(bench: Bench) -> None:
    """Standard error is a file on a full disk."""
    argv = [
        sys.executable,
        "-m",
        "passbuild",
        "wheel",
        str(bench.project()),
        "--host",
        str(bench.host()),
        "-o",
        str(bench.outdir),
    ]
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(argv, env=bench.environ, stdout=subprocess.PIPE, stderr=full, text=True, check=False)

    assert run.returncode == 0
    assert Path(run.stdout.strip()).is_file()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        (("plan", ".", "--passthrough", "nowhere", "--on-missing", "error"), 3, "error[passthrough-missing]"),
        (("wheel", "./nowhere", "--json"), 2, "error[source-not-found]"),
        (("cache", "dir"), 2, "error[output-not-writable]"),
        (("wheeel", "--json"), 2, "error[wrong-command]"),
    ],
)
def test_an_error_is_told_where_the_result_cannot_be_written(
    bench: Bench, options: tuple[str, ...], code: int, told: str
) -> None:
    """With its own exit code."""
    project = bench.project()
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(
            [sys.executable, "-m", "passbuild", *options],
            cwd=project,
            env={**bench.environ, "PASSBUILD_HOST": str(bench.host())},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert run.returncode == code, run.stderr
    assert told in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("command", ["plan", "wheel"])
def test_a_closed_output_is_an_error(bench: Bench, command: str) -> None:
    """`>&-`: there is nowhere to put the result."""
    line = f"{sys.executable} -m passbuild {command} {bench.project()} --host {bench.host()} >&-"
    run = subprocess.run(["sh", "-c", line], env=bench.environ, stderr=subprocess.PIPE, text=True, check=False)

    assert run.returncode == 2
    assert "error[output-not-writable]: standard output: is closed" in run.stderr
