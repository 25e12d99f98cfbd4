"""The commands of the README and of the documentation do what the pages say."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.network import pages
from tests.network.tools import WITHOUT_NVCC

ROOT = Path(__file__).parents[2]
_PAGES = sorted(
    path
    for path in (ROOT / "docs").rglob("*.md")
    if not {"_build", "decisions"} & set(path.relative_to(ROOT).parts)
    and "```console" in path.read_text(encoding="utf-8")
)
_HIDDEN = ("PASSBUILD_", "GITHUB_", "GITLAB_", "CONDA_", "VIRTUAL_ENV", "PYTHON", "XDG_", "LC_", "LANG")
_PYENV = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
_PYTHON_312 = next((str(python) for python in _PYENV.glob("versions/3.12.*/bin/python")), shutil.which("python3.12"))
_LIMIT = 900
"""Seconds for a page."""


@pytest.fixture(scope="session")
def caches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for what the installers download, for all pages."""
    return tmp_path_factory.mktemp("caches")


def _home(folder: Path, package: Path) -> Path:
    """Make a home whose shell finds passbuild, uv and the Python that runs this, and nothing of ours.

    passbuild lies in an environment of its own, which is the host where a page names none, and may be installed into.
    """
    home = folder / "home"
    programs, tool = home / ".programs", home / ".passbuild"
    programs.mkdir(parents=True)
    base = Path(getattr(sys, "_base_executable", sys.executable))
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", "--python", base, tool], check=True)
    wanted = [f"passbuild[uv,sbom,shared] @ {package.as_uri()}", "pip"]
    subprocess.run([*uv, "pip", "install", "--quiet", "--python", tool / "bin" / "python", *wanted], check=True)
    for name in ("passbuild", "uv"):
        (programs / name).symlink_to(tool / "bin" / name)
    (programs / "python3").symlink_to(base)
    if _PYTHON_312 is not None:
        (programs / "python3.12").symlink_to(_PYTHON_312)
    return home


def _with_torch(home: Path, host: Path) -> None:
    """Show the host with torch as `~/envs/ml`: a copy by links, whose scripts name that: the host is not written."""
    copy = home / "envs" / "ml"
    copy.parent.mkdir()
    subprocess.run(["cp", "--archive", "--link", host, copy], check=True)
    for script in (copy / "bin").iterdir():
        content = b"" if script.is_symlink() else script.read_bytes()
        if os.fsencode(host) in content:
            mode = script.stat().st_mode
            script.unlink()
            script.write_bytes(content.replace(os.fsencode(host), os.fsencode(copy)))
            script.chmod(mode)


def _run(page: pages.Page, folder: Path, caches: Path, package: Path) -> tuple[Path, dict[str, str]]:
    """Run a page; return where its outputs are, and what of the machine stands for what on the page."""
    home, outputs = _home(folder, package), folder / "outputs"
    outputs.mkdir()
    no_gigabytes = folder / "constraints.txt"
    no_gigabytes.write_text("torch==2.13.0+cpu\n", encoding="utf-8")  # on no index: a mistake here shall not fetch CUDA
    (folder / "tmp").mkdir()
    if "torch" in page.needs:
        _with_torch(home, Path(os.environ["TEST_TORCH_HOST"]))
    checkout = home / "passbuild"
    subprocess.run(["git", "clone", "--quiet", ROOT, checkout], check=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_HIDDEN)}
    environ = {
        **kept,
        "HOME": str(home),
        "PATH": os.pathsep.join((str(home / ".programs"), WITHOUT_NVCC)),
        "TMPDIR": str(folder / "tmp"),
        "LANG": "C.UTF-8",
        "PIP_CACHE_DIR": str(caches / "pip"),
        "UV_CACHE_DIR": str(caches / "uv"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_CONSTRAINT": str(no_gigabytes),
        "UV_CONSTRAINT": str(no_gigabytes),
        "COLUMNS": "100",
    }
    subprocess.run(
        ["bash", "--noprofile", "--norc", "-c", pages.script(page, outputs)],
        cwd=checkout,
        env=environ,
        stdin=subprocess.DEVNULL,
        check=False,
        timeout=_LIMIT,
    )
    return outputs, {str(folder / "tmp"): "/tmp", str(home): "/home/you"}


@pytest.mark.network
@pytest.mark.parametrize("path", _PAGES, ids=[str(path.relative_to(ROOT / "docs")) for path in _PAGES])
def test_the_commands_of_a_page_do_what_it_says(path: Path, tmp_path: Path, caches: Path, package: Path) -> None:
    """Each ends with the code that the page states, and prints what the page shows."""
    page = pages.read(path)
    if "torch" in page.needs and not os.environ.get("TEST_TORCH_HOST"):
        pytest.skip("needs a host with torch: name it in TEST_TORCH_HOST")
    if "python3.12" in page.needs and _PYTHON_312 is None:
        pytest.skip("needs Python 3.12")

    outputs, places = _run(page, tmp_path, caches, package)

    for number, command in enumerate(page.commands):
        told = (outputs / f"{number}.txt").read_text(encoding="utf-8", errors="replace")
        where = f"{path.name}:{command.line}: {command.text}\n{told}"
        assert (outputs / f"{number}.code").read_text().strip() == str(command.code), where
        missing = pages.differences(command.expected, told.splitlines(), places)
        assert missing == [], f"{where}\nnot told: {missing}"
    shutil.rmtree(tmp_path / "home")


def test_what_is_only_shown_says_why() -> None:
    """A page's command is run, or the page says why it cannot be."""
    reasons = [reason for path in _PAGES for reason in pages.read(path).not_run]

    assert all(reason.strip() for reason in reasons)


def test_a_difference_is_seen() -> None:
    """What the comparison leaves out are numbers and marks, not words; the order counts."""
    told = ["[   0.1 s] • read the host", "host: Python 3.11.7 in /x/home/envs/ml (--host)", "✓ a-1.0.whl  2 kB"]
    places = {"/x/home": "/home/you"}

    assert pages.differences(["✓ read the host  0.0 s", "..."], told, places) == []
    assert pages.differences(["...", "✓ a-2.0.whl  3 kB"], told, places) == []
    assert pages.differences(["host: Python 3.12 in /home/you/envs/ml (--host)"], told, places) != []
    assert pages.differences(["...", "host: Python 3.12 in /home/you/envs/other (--host)"], told, places) != []
    assert pages.differences(["...", "✓ b-1.0.whl  2 kB"], told, places) != []


def test_a_page_is_read_with_its_marks(tmp_path: Path) -> None:
    """Commands with their outputs, exit codes, files, hidden commands, and what is not run."""
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- needs: torch -->\n# Page\n\n<!-- before:\necho hidden\n> twice\n-->\n\n"
        "```console\n$ echo a \\\n> b\na b\n```\n\n"
        "<!-- exit: 3 -->\n```console\n$ true\n$ exit 3\n```\n\n"
        "<!-- not run: a cluster -->\n```console\n$ srun x\n```\n\n"
        "<!-- file: a/b.toml -->\n```toml\nx = 1\n```\n\n```toml\ny = 2\n```\n\n"
        "<!-- file: ~/c d.toml -->\n```toml\nz = 3\n```\n",
        encoding="utf-8",
    )

    found = pages.read(page)

    assert found.needs == {"torch"}
    assert found.not_run == ["a cluster"]
    assert found.commands[0].text == "echo hidden\ntwice"
    assert [(item.text.splitlines()[0], item.expected, item.code) for item in found.commands] == [
        ("echo hidden", (), 0),
        ("echo a \\", ("a b",), 0),
        ("true", (), 0),
        ("exit 3", (), 3),
        ('mkdir -p "$(dirname a/b.toml)"', (), 0),
        ("mkdir -p \"$(dirname ~/'c d.toml')\"", (), 0),
    ]
