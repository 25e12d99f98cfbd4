"""A wheelhouse of published sdists for two Pythons: what can be built is there, what cannot is told, once and again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.bench import fingerprint
from tests.network.test_tools_find import OTHER, made
from tests.network.tools import output, passbuild

if TYPE_CHECKING:
    from tests.network.tools import Outcome

pytestmark = pytest.mark.network

NAMED = ("wrapt==1.17.0", "fast-histogram==0.14", "psutil==6.1.1", "six==1.16.0")
LISTED = "idna==3.10  # needs the next one\nflit-core==3.10.1\n\niniconfig==2.0.0\nattrs==0.0.1\n"
SETTINGS = """\
[package.fast-histogram]
passthrough = ["numpy"]
[package.psutil]
environment = { CC = "no-such-compiler" }
"""
BUILT = {
    "fast-histogram": "0.14",
    "flit-core": "3.10.1",
    "idna": "3.10",
    "iniconfig": "2.0.0",
    "six": "1.16.0",
    "wrapt": "1.17.0",
}
FAILED = [("attrs==0.0.1", "cannot-fetch"), ("psutil==6.1.1", "backend-failed")]
"""The one was never published, for the other there is no compiler."""
WORK = (
    "import fast_histogram, flit_core, idna, iniconfig, six, wrapt._wrappers; "
    "print(fast_histogram.histogram1d([1.0, 1.5, 3.0], 2, (0, 4)).tolist(), idna.encode('ü.de').decode())"
)


@pytest.fixture
def hosts(tmp_path: Path) -> tuple[Path, Path]:
    """Make two hosts with numpy, of two Pythons."""
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    pythons = [*pyenv.glob(f"versions/{OTHER}.*/bin/python"), OTHER]
    # One numpy: fast-histogram has one wheel for both Pythons, which cannot be built against two.
    return made(tmp_path / "one", "numpy==2.2.6"), made(tmp_path / "other", "numpy==2.2.6", pythons=pythons)


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_eight_sdists_of_which_two_fail_for_two_hosts(hosts: tuple[Path, Path], tmp_path: Path, installer: str) -> None:
    """Exit code 1; all other wheels are there and work in their hosts; the second run takes them from the store."""
    folder = tmp_path / "wheelhouse"

    first = _filled(hosts, tmp_path, installer)
    wheels = fingerprint(folder)
    second = _filled(hosts, tmp_path, installer)

    for outcome in (first, second):
        assert outcome.document["error"]["code"] == "wheels-failed"
        assert _failures(outcome) == sorted(2 * FAILED)
        assert _built(outcome) == sorted((*item, _version(host)) for item in BUILT.items() for host in hosts)
    assert not any(build["reused"] for build in first.document["builds"])
    assert all(build["reused"] for build in second.document["builds"] if build["ok"])
    assert _without_times(fingerprint(folder)) == _without_times(wheels)
    idna = [build for build in first.document["builds"] if build["source"].startswith("idna")]
    assert [build["installed"] for build in idna] == 2 * [[{"name": "flit-core", "version": "3.10.1"}]]
    for host in hosts:
        _install(host, folder)
        assert output(host / "bin/python", "-c", WORK) == "[2.0, 1.0] xn--tda.de"


def _filled(hosts: tuple[Path, Path], folder: Path, installer: str) -> Outcome:
    """Let passbuild fill the wheelhouse, with a store of its own."""
    (folder / "requirements.txt").write_text(LISTED, encoding="utf-8")
    (folder / "config.toml").write_text(SETTINGS, encoding="utf-8")
    logs = folder / "logs"
    logs.mkdir(exist_ok=True)
    return passbuild(
        *("wheel", *NAMED, "-r", folder / "requirements.txt", "--config-file", folder / "config.toml"),
        *("--host", hosts[0], "--host", hosts[1], "-j", "2", "-o", folder / "wheelhouse"),
        *("--installer", installer),
        environ={"PASSBUILD_CACHE_DIR": str(folder / "store"), "TMPDIR": str(logs), "PASSBUILD_REBUILD": "0"},
        code=1,
    )


def _failures(outcome: Outcome) -> list[tuple[str, str]]:
    failed = [build for build in outcome.document["builds"] if not build["ok"]]
    assert all(not build["artifacts"] for build in failed)
    return sorted((build["source"], build["error"]["code"]) for build in failed)


def _built(outcome: Outcome) -> list[tuple[str, str, str]]:
    """Return name, version and Python of each wheel, all of which are in the wheelhouse."""
    found = []
    for build in outcome.document["builds"]:
        for item in build["artifacts"]:
            assert Path(item["path"]).is_file()
            found.append((item["name"], item["version"], build["host"]["version"]))
    return sorted(found)


def _version(host: Path) -> str:
    return output(host / "bin/python", "-c", "import platform; print(platform.python_version())")


def _without_times(wheels: dict[str, str]) -> dict[str, str]:
    """Return names and hashes."""
    return {name: identity.rpartition(" ")[2] for name, identity in wheels.items()}


def _install(host: Path, wheelhouse: Path) -> None:
    uv = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", str(host / "bin/python")]
    options = ["--no-index", "--find-links", str(wheelhouse)]
    subprocess.run([*uv, *options, *(f"{name}=={version}" for name, version in BUILT.items())], check=True)
