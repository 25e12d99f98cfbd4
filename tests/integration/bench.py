"""What the tests work with: hosts that are watched, sample projects, and passbuild run as users run it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.schema import valid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.integration.wheelhouse import Wheelhouse

SAMPLES = Path(__file__).parents[1] / "samples"
_FROM_OUTSIDE = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SYSTEMROOT")
"""All that the tests take over of the machine's variables: a PIP_FIND_LINKS of it must not lead anywhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def document(self) -> dict[str, Any]:
        """The JSON report on standard output."""
        return valid(self.stdout)

    @property
    def error(self) -> dict[str, Any]:
        """The error in the report."""
        error: dict[str, Any] = self.document["error"]
        return error

    @property
    def seen(self) -> dict[str, Any]:
        """What the recording backend saw when it built the last artifact."""
        return seen(Path(self.document["artifacts"][-1]["path"]))

    def names(self, section: str) -> list[str]:
        """Return the names in a list of the report, such as `passed`."""
        return [str(item["name"]) for item in self.document[section]]

    def versions(self, section: str) -> dict[str, str]:
        """Return names and versions in a list of the report, such as `installed`."""
        return {str(item["name"]): str(item["version"]) for item in self.document[section]}

    def decision(self, name: str) -> dict[str, Any]:
        """Return the one decision on a name."""
        (found,) = [item for item in self.document["decisions"] if item["name"] == name]
        return dict(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A virtual environment of the tests."""

    folder: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    @property
    def site_packages(self) -> Path:
        """Where its distributions lie."""
        (found,) = self.folder.glob("lib/python*/site-packages")
        return found

    def __str__(self) -> str:
        """Return its folder, as `--host` takes it."""
        return str(self.folder)


@dataclass(slots=True, kw_only=True)
class Workshop:
    """What a test session shares: the wheelhouse, the hosts, and the variables that every program gets."""

    folder: Path
    house: Wheelhouse
    hosts: dict[tuple[str, ...], tuple[Environment, dict[str, str]]] = field(default_factory=dict)

    @property
    def environ(self) -> dict[str, str]:
        """An environment in which pip and uv find the wheelhouse and nothing else of this machine."""
        home = self.folder / "home"
        return {
            **{name: os.environ[name] for name in _FROM_OUTSIDE if name in os.environ},
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_CACHE_HOME": str(home / "cache"),
            "XDG_DATA_HOME": str(home / "data"),
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.house.index),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "UV_CONFIG_FILE": str(self.house.uv_toml),
            "UV_OFFLINE": "1",
            "UV_PYTHON_DOWNLOADS": "never",
        }

    def host(self, requirements: tuple[str, ...]) -> tuple[Environment, dict[str, str]]:
        """Return a host that holds `name==version` of each of these, and its fingerprint when it was made."""
        if requirements not in self.hosts:
            made = Environment(folder=self.folder / "hosts" / str(len(self.hosts)))
            self.make(made)
            self.fill(made, requirements)
            self.hosts[requirements] = made, fingerprint(made.folder)
        return self.hosts[requirements]

    def make(self, environment: Environment) -> None:
        """Make an empty virtual environment."""
        self.run(sys.executable, "-m", "virtualenv", "--no-seed", "--no-periodic-update", environment.folder)

    def fill(self, environment: Environment, requirements: Sequence[str]) -> None:
        """Install from the wheelhouse into an environment, as from an index, with nothing that is required."""
        if requirements:
            uv = [sys.executable, "-m", "uv", "pip", "install", "--python", environment.python]
            options = [
                "--find-links",
                self.house.elsewhere,
                "--no-deps",
                "--link-mode",
                "copy",
                "--prerelease",
                "allow",
            ]
            self.run(*uv, *options, *requirements)

    def run(self, *argv: object, **variables: object) -> None:
        """Run a program that has to succeed, with these variables in addition."""
        environ = {**self.environ, **{name: str(value) for name, value in variables.items()}}
        subprocess.run([str(item) for item in argv], env=environ, check=True, capture_output=True)


@dataclass(slots=True, kw_only=True)
class Bench:
    """What one test works with."""

    folder: Path
    """The test's own; its children are `outdir`, projects, and the folder for temporary files."""
    workshop: Workshop
    watched: list[tuple[Environment, dict[str, str]]] = field(default_factory=list)

    @property
    def outdir(self) -> Path:
        """Where `passbuild` puts artifacts."""
        return self.folder / "out"

    @property
    def scratch(self) -> Path:
        """The folder for temporary files (TMPDIR)."""
        return self.folder / "tmp"

    @property
    def environ(self) -> dict[str, str]:
        """The variables that programs get."""
        return {**self.workshop.environ, "TMPDIR": str(self.scratch)}

    def host(self, *requirements: str) -> Environment:
        """Return a shared host with these packages; at the end of the test it has to be as it was."""
        host, before = self.workshop.host(requirements)
        self.watched.append((host, before))
        return host

    def own_host(self, *requirements: str, folder: Path | None = None) -> Environment:
        """Return a host of this test's own, to be changed and then watched."""
        made = Environment(folder=folder or self.folder / "host")
        self.workshop.make(made)
        self.workshop.fill(made, requirements)
        return made

    def remove_kept(self, outcome: Outcome) -> None:
        """Remove what `--keep` left."""
        for path in outcome.document["kept"]:
            shutil.rmtree(path)
            with contextlib.suppress(OSError):  # what it lies in is empty then, unless there was more than one run
                Path(path).parent.rmdir()

    def watch(self, host: Environment) -> Environment:
        """Hold at the end of the test that an environment is as it is now."""
        self.watched.append((host, fingerprint(host.folder)))
        return host

    def project(
        self,
        *,
        requires: Sequence[str] = (),
        toml: str = "",
        sample: str = "records_what_it_sees",
        name: str = "project",
        **recorder: object,
    ) -> Path:
        """Copy a sample project, with these build requirements, more TOML behind, and orders for the recorder."""
        folder = self.folder / name
        shutil.copytree(SAMPLES / sample, folder, ignore=shutil.ignore_patterns("__pycache__"))
        file = folder / "pyproject.toml"
        text = file.read_text(encoding="utf-8").replace("requires = []", f"requires = {json.dumps(list(requires))}")
        file.write_text(f"{text}\n{toml}\n", encoding="utf-8")
        if recorder:
            (folder / "recorder.json").write_text(json.dumps(recorder), encoding="utf-8")
        return folder

    def passbuild(
        self,
        command: str,
        source: Path | str,
        *options: object,
        python: Path | str = sys.executable,
        outdir: Path | str | None = "out",
        cwd: Path | None = None,
        environ: Mapping[str, str] | None = None,
        json: bool = True,
    ) -> Outcome:
        """Run passbuild as users do, and return how it ended."""
        out = ["--outdir", str(self.folder / outdir)] if outdir and command in {"wheel", "sdist", "build"} else []
        shown = ["--json"] if json else []
        finished = subprocess.run(
            [str(python), "-m", "passbuild", command, str(source), *out, *shown, *map(str, options)],
            cwd=cwd or self.folder,
            env={**self.environ, **(environ or {})},
            check=False,
            capture_output=True,
            encoding="utf-8",
        )
        return Outcome(code=finished.returncode, stdout=finished.stdout, stderr=finished.stderr)

    def published(self) -> dict[str, str]:
        """Return the fingerprint of the output folder; empty when there is none."""
        return fingerprint(self.outdir)


def seen(artifact: Path) -> dict[str, Any]:
    """Return what the recording backend wrote into a wheel."""
    with zipfile.ZipFile(artifact) as wheel:
        (name,) = [name for name in wheel.namelist() if name.endswith("/seen.json")]
        document: dict[str, Any] = json.loads(wheel.read(name))
        return document


def fingerprint(folder: Path) -> dict[str, str]:
    """Return what identifies everything below a folder: kind, mode, size, time and content, by relative path."""
    return {str(path.relative_to(folder)): _identity(path) for path in sorted(folder.rglob("*"))}


def _identity(path: Path) -> str:
    if path.is_symlink():
        return f"link to {path.readlink()}"
    state = path.stat()
    mode = stat.S_IMODE(state.st_mode)
    if path.is_dir():
        return f"folder {mode:o}"
    content = path.read_bytes()
    return f"file {mode:o} {len(content)} {state.st_mtime_ns} {hashlib.sha256(content).hexdigest()}"
