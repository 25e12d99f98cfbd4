"""Help, completion and the manual: made from the commands and settings themselves, and readable where they are read."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from passbuild import errors
from passbuild.cli.explain import leaves
from passbuild.settings.keys import KEYS, Group

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.integration.bench import Bench

_COMMANDS = ("wheel", "sdist", "build", "install", "plan", "metadata", "doctor", "explain", "completion")
_MANUAL = Path(__file__).parents[2] / "docs" / "man" / "passbuild.1"


def _said(bench: Bench, *arguments: str, **variables: str) -> str:
    environ = {**bench.environ, "COLUMNS": "80", **variables}
    argv = [sys.executable, "-m", "passbuild", *arguments]
    return subprocess.run(argv, env=environ, cwd=bench.folder, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("command", _COMMANDS)
def test_help_fits_eighty_columns_and_has_examples(bench: Bench, command: str) -> None:
    """A person reads it in a terminal of the usual width, and copies a line."""
    told = _said(bench, command, "--help")

    assert [line for line in told.splitlines() if len(line) > 80] == []
    assert f"\nExamples:\n  {'eval' if command == 'completion' else 'passbuild ' + command}" in told.replace('"$(', "")


def test_options_stand_by_what_they_are_about(bench: Bench) -> None:
    """Forty options in one list are none that anybody reads."""
    told = _said(bench, "wheel", "--help")

    titles = re.findall(r"^(\S.*):$", told, re.MULTILINE)
    assert titles == ["Examples", "Options", *(group.value for group in Group)]
    for key in KEYS:
        assert (key.flags or (f"--{key.name}",))[-1] in told


def test_each_command_has_a_line_in_the_list(bench: Bench) -> None:
    """`passbuild --help` is short."""
    told = _said(bench, "--help")

    assert all(re.search(rf"^  {command} +\S", told, re.MULTILINE) for command in (*_COMMANDS, "cache"))
    assert len(told.splitlines()) <= 30


def test_bash_completes_commands_options_and_values(bench: Bench) -> None:
    """In a real shell."""
    script = """
        eval "$(passbuild completion bash)"
        complete_it() {
            COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
            _passbuild_completion passbuild
            echo "${COMPREPLY[@]}"
        }
        complete_it passbuild pl
        complete_it passbuild wheel --on-mis
        complete_it passbuild wheel --on-mismatch ""
    """
    scripts = Path(sys.executable).parent
    environ = {**bench.environ, "PATH": f"{scripts}:{bench.environ['PATH']}"}

    told = _shell(["bash", "--noprofile", "--norc", "-c", script], environ)

    assert told[0].split() == ["plan"]
    assert told[1].split() == ["--on-mismatch", "--on-missing"]
    assert told[2].split() == ["error", "install", "host"]


def _shell(argv: Sequence[str], environ: dict[str, str]) -> list[str]:
    done = subprocess.run(argv, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_can_read_their_completion(bench: Bench, shell: str) -> None:
    """By the shell's own parser."""
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"needs {shell}")
    file = bench.folder / f"passbuild.{shell}"
    file.write_text(_said(bench, "completion", shell), encoding="utf-8")

    done = subprocess.run([program, "-n", file], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert "_PASSBUILD_COMPLETE" in file.read_text(encoding="utf-8")


def test_the_manual_has_every_setting_and_groff_has_nothing_against_it() -> None:
    """It is made from the registry; `docs/generate.py --check` holds it to that."""
    text = _MANUAL.read_text(encoding="utf-8").replace("\\-", "-")
    groff = shutil.which("groff")

    assert [key.variable for key in KEYS if key.variable not in text] == []
    if groff is None:
        pytest.skip("needs groff")
    done = subprocess.run(
        [groff, "-man", "-ww", "-z", "-Tutf8", "-Kutf8", _MANUAL], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("error", list(leaves(errors.PassbuildError)), ids=lambda error: error.code)
def test_every_error_has_a_page(bench: Bench, error: type[errors.PassbuildError]) -> None:
    """What it looks like, why it happens, what to do; it states the exit code that the error has."""
    told = _said(bench, "explain", error.code)

    assert told.startswith(f"# {error.code}\n")
    code = "128" if error is errors.Cancelled else str(error.exit_code)
    assert re.search(rf"[Ee]xit code.* {code}\b", told)
    for part in ("## What it looks like", "## Why it happens", "## What to do"):
        assert part in told
    assert "<!--" not in told


def test_all_errors_are_listed(bench: Bench) -> None:
    """Without a code."""
    told = _said(bench, "explain")

    assert [line.split()[0] for line in told.splitlines()] == sorted(
        error.code for error in leaves(errors.PassbuildError)
    )


def test_a_mistyped_code_is_corrected(bench: Bench) -> None:
    """Exit 2."""
    done = subprocess.run(
        [sys.executable, "-m", "passbuild", "explain", "backend-faild"],
        env=bench.environ,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert "did you mean 'backend-failed'?" in done.stderr


def test_a_page_is_told_in_what_the_stream_can_write(bench: Bench) -> None:
    """A locale without Unicode gets other signs, and no traceback."""
    told = _said(bench, "explain", "backend-failed", PYTHONIOENCODING="ascii")

    assert told.startswith("# backend-failed\n")
    assert told.isascii()
