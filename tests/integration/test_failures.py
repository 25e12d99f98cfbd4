"""What a person reads when a build fails: the advice, the end of the output, and where the whole of it is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.bench import fingerprint

if TYPE_CHECKING:
    from tests.integration.bench import Bench


def test_a_module_of_the_host_that_is_missing_is_advised_to_pass_through(bench: Bench, installer: str) -> None:
    """`No module named X`, X is on the host: name and version of its distribution, the host, and what to type."""
    host = bench.host("engine==1.0", "fuel==1.0")
    project = bench.project(requires=["tool"], imports=["engine"])

    run = bench.passbuild("wheel", project, "--host", host, "--installer", installer)

    assert run.code == 1
    assert run.error["code"] == "backend-failed"
    assert run.error["hint"] == f"engine 1.0 is installed in {host}; add `--passthrough engine`"
    assert "No module named 'engine'" in "\n".join(run.error["output"])


def test_the_advice_names_the_distribution_of_the_module(bench: Bench) -> None:
    """The module is called otherwise than its distribution: the host's own records tell which it is."""
    host = bench.host("misnamed==1.0")
    project = bench.project(imports=["other_module.part"])

    run = bench.passbuild("wheel", project, "--host", host)

    assert run.code == 1
    assert "add `--passthrough misnamed`" in run.error["hint"]


def test_the_advice_lists_every_distribution_that_has_the_module(bench: Bench) -> None:
    """A namespace is in several of them: which one is meant only the user knows."""
    host = bench.host("shared-one==1.0", "shared-two==1.0")
    project = bench.project(imports=["shared.one"])

    run = bench.passbuild("wheel", project, "--host", host)

    assert run.error["hint"] == (
        f"shared is a part of shared-one, shared-two in {host}; add `--passthrough NAME` for the one that is meant"
    )


def test_the_advice_is_given_for_the_first_hook_as_well(bench: Bench) -> None:
    """get_requires_for_build_wheel imports it already."""
    host = bench.host("engine==1.0", "fuel==1.0")
    project = bench.project(hook_imports=["engine"])

    run = bench.passbuild("wheel", project, "--host", host)

    assert run.code == 1
    assert "get_requires_for_build_wheel failed" in run.error["message"]
    assert "add `--passthrough engine`" in run.error["hint"]


def test_what_passing_through_would_not_cure_is_not_advised_to_pass(bench: Bench) -> None:
    """A module that the host lacks, one of the source tree, and one that a declared requirement does not have."""
    host = bench.host("engine==1.0", "fuel==1.0", "tool==1.0")
    absent = bench.project(name="absent", imports=["nowhere_to_be_found"])
    own = bench.project(name="own", imports=["engine"])
    (own / "src" / "engine").mkdir(parents=True)
    declared = bench.project(name="declared", requires=["tool"], imports=["tool.nothing_of_it"])

    runs = [bench.passbuild("wheel", project, "--host", host) for project in (absent, own, declared)]

    assert [run.code for run in runs] == [1, 1, 1]
    assert [run.error["hint"] for run in runs] == [
        (
            f"nothing in {host} has nowhere_to_be_found either: install what has it there and add "
            "`--passthrough NAME`, or have it installed for this build with `--build-requires NAME`"
        ),
        (
            "src/engine lies in the project, but a backend does not look there: begin setup.py with "
            "`import sys; sys.path.insert(0, 'src')`"
        ),
        "",
    ]


def test_the_end_of_the_output_is_shown_also_when_quiet(bench: Bench) -> None:
    """At -q nothing is said but the failure: the backend's last lines, the error, and the path of the whole log."""
    host = bench.host()
    project = bench.project(sample="writes_unsound_artifacts")

    run = bench.passbuild("wheel", project, "--host", host, "-C", "fault=half, then fails", "-qq", json=False)

    assert run.code == 1
    assert run.stdout == ""
    assert "RuntimeError: the disk went away" in run.stderr
    assert run.stderr.startswith("error[backend-failed]: unsound: build_wheel failed: ")
    (log,) = [line.removeprefix("the whole log: ") for line in run.stderr.splitlines() if "the whole log" in line]
    assert "the disk went away" in Path(log).read_text(encoding="utf-8")


@pytest.mark.parametrize("fault", ["half, then a silent exit", "half, then killed", "sys.exit"])
def test_a_log_that_is_named_is_there(bench: Bench, fault: str) -> None:
    """Also when the backend ended without a word."""
    host = bench.host()
    project = bench.project(sample="writes_unsound_artifacts")

    run = bench.passbuild("wheel", project, "--host", host, "-C", f"fault={fault}")

    assert run.code == 1
    assert run.error["log"] is None or Path(run.error["log"]).is_file()
    assert ("the whole log" in run.stderr) == (run.error["log"] is not None)


def test_logs_of_builds_that_succeed_do_not_pile_up(bench: Bench) -> None:
    """After a success nothing is left in the folder for temporary files."""
    host = bench.host()

    run = bench.passbuild("wheel", bench.project(requires=["tool"]), "--host", host)

    assert run.code == 0, run.stderr
    assert list(bench.scratch.iterdir()) == []


def test_a_backend_that_cannot_be_imported_is_told(bench: Bench) -> None:
    """Exit 1 with the backend's name and the traceback."""
    host = bench.host()
    project = bench.project()
    file = project / "pyproject.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('"recorder"', '"no_such_backend"'), encoding="utf-8")

    run = bench.passbuild("wheel", project, "--host", host)

    assert run.code == 1
    assert run.error["code"] == "backend-failed"
    assert "no_such_backend" in run.error["message"]


def test_a_hook_that_returns_no_requirement_is_told(bench: Bench) -> None:
    """What is no requirement by PEP 508 is the backend's failure."""
    host = bench.host()
    project = bench.project(requires_wheel=["not a requirement"])

    run = bench.passbuild("wheel", project, "--host", host)

    assert run.code == 1
    assert run.error["code"] == "backend-failed"
    assert "PEP 508" in run.error["message"]


def test_the_report_of_a_failure_has_what_was_known(bench: Bench) -> None:
    """Host, settings, plan, steps and the error with code, message, hint, output and exit code."""
    host = bench.host("engine==1.0", "fuel==1.0")
    project = bench.project(requires=["engine"], imports=["nowhere_to_be_found"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "engine")

    document = run.document
    assert (document["schema"], document["ok"], document["command"]) == (1, False, "wheel")
    assert document["host"]["prefix"] == str(host)
    assert run.names("passed") == ["engine", "fuel"]
    assert "build the wheel" in [step["name"] for step in document["steps"]]
    assert document["error"]["exit_code"] == 1


def test_text_of_outside_is_shown_as_it_is(bench: Bench) -> None:
    """Brackets and markup in a backend's output or a requirement reach the reader unchanged."""
    host = bench.host("engine==1.0", "fuel==1.0")
    project = bench.project(requires=["engine[fast]>=2"], imports=["engine"])

    run = bench.passbuild("wheel", project, "--host", host, "--passthrough", "engine", json=False)

    assert run.code == 3
    assert "engine[fast]>=2" in run.stderr


def test_nohup_outlives_the_terminal(bench: Bench) -> None:
    """Whoever has a signal ignored has a reason: it stays ignored, and the build goes on."""
    project = bench.project()
    (project / "backend" / "hangs_up.py").write_text(
        "import os, signal\n"
        "from recorder import *\n"
        "def get_requires_for_build_wheel(*rest):\n"
        "    process = os.getppid()\n"
        "    for _ in ('the supervisor', 'the server', 'passbuild'):\n"
        "        above = int(open(f'/proc/{process}/stat').read().rpartition(')')[2].split()[1])\n"
        "        os.kill(process, signal.SIGHUP)\n"
        "        process = above\n"
        "    return []\n",
        encoding="utf-8",
    )
    file = project / "pyproject.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('"recorder"', '"hangs_up"'), encoding="utf-8")
    argv = ["wheel", str(project), "--host", str(bench.host()), "-o", str(bench.outdir)]

    run = subprocess.run(
        ["nohup", sys.executable, "-m", "passbuild", *argv],
        env=bench.environ,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_build_and_leaves_nothing(bench: Bench, number: signal.Signals, code: int) -> None:
    """Ctrl-C while the backend runs: the exit code of the shell, no artifact, no environment, no process."""
    host = bench.host()
    project = bench.project()
    (project / "backend" / "sleeping.py").write_text(
        "import os, pathlib, time\n"
        "def build_wheel(folder, *rest):\n"
        f"    pathlib.Path({str(bench.folder)!r}, 'pid').write_text(str(os.getpid()))\n"
        "    time.sleep(60)\n",
        encoding="utf-8",
    )
    file = project / "pyproject.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('"recorder"', '"sleeping"'), encoding="utf-8")
    before = fingerprint(project)

    argv = [sys.executable, "-m", "passbuild", "wheel", str(project), "--host", str(host), "-o", str(bench.outdir)]
    with subprocess.Popen(argv, env=bench.environ, stderr=subprocess.PIPE, encoding="utf-8") as child:
        pid = bench.folder / "pid"
        deadline = time.monotonic() + 30
        while not (pid.exists() and pid.read_text(encoding="utf-8")) and time.monotonic() < deadline:
            time.sleep(0.05)
        child.send_signal(number)
        _, stderr = child.communicate(timeout=30)

    assert child.returncode == code, stderr
    assert f"error[cancelled]: cancelled by signal {number.value}" in stderr
    assert not bench.outdir.exists()
    assert {path for path in fingerprint(project) if "__pycache__" not in path} == set(before)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text(encoding="utf-8")), 0)
