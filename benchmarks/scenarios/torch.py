"""The first build of a torch extension, and what other scenarios with torch share.

No frontend is ever let near a torch on an index: without a local wheel, only passbuild and the hooks alone run.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.version import Version

from benchmarks import tools
from benchmarks.entrants import Course, Entrant, entrant, removed
from benchmarks.floor import BuildSystem
from benchmarks.lab import ROOT, emptied, weight
from benchmarks.measure import race
from benchmarks.results import BYTES, Group, Row
from benchmarks.scenarios.scenario import Scenario, Skipped

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.lab import Lab

KEY = "c"
SECONDS = "first build"
DISK = "bytes of a first build"
OF_TORCH = "of all this, torch"
_WHO = "torch"
_LEFT_OVER = shutil.ignore_patterns("build", "dist", "*.egg-info", "*.so")


def measure(lab: Lab, rounds: int) -> tuple[Group, ...]:
    """Measure first builds against the torch host. Raises Skipped."""
    track = course(lab, KEY, _example)
    alone = entrant(track, tools.FLOOR, _WHO)
    ours = entrant(track, tools.PASSBUILD, _WHO)
    store = lab.store(_WHO)

    def first() -> None:
        _example(ours.source)
        removed(store)

    contestants = [alone.contestant(lambda: _renew(alone)), ours.contestant(first)]
    return race(SECONDS, contestants, rounds, note=_note(lab)), _disk(track)


def course(lab: Lab, name: str, write: Callable[[Path], Path]) -> Course:
    """Return the course of a project that is compiled against the torch host. Raises Skipped."""
    if lab.torch_host is None:
        raise Skipped("no host with torch was named (TEST_TORCH_HOST)")
    python = lab.torch_host.absolute() / "bin" / "python"
    source = write(lab.fresh(name, "requirements"))
    return Course(
        lab=lab,
        name=name,
        write=write,
        python=python,
        variables={"PATH": _without_nvcc(lab)},
        kept=_kept(lab, name, source, python),
    )


def renamed(course: Course, name: str, *, with_ccache: bool) -> Course:
    """Return a course with another name."""
    return replace(course, name=name, with_ccache=with_ccache)


def with_options(course: Course, options: tuple[str, ...]) -> Course:
    """Return a course with these options for uv."""
    return replace(course, options={tools.UV: options})


def options_of_uv(lab: Lab) -> tuple[str, ...]:
    """Return what keeps uv to the local wheel of the host's own torch; nothing where that cannot be made sure.

    A local version (`2.13.0+cpu`) is on no index, so a constraint to it leaves nothing to download.
    """
    version = torch_version(lab)
    if lab.torch_wheels is None or not Version(version).local:
        return ()
    if not list(lab.torch_wheels.glob(f"torch-{version}-*.whl")):
        return ()
    constraints = lab.work / "torch-constraints.txt"
    constraints.write_text(f"torch=={version}\n", encoding="utf-8")
    return ("--find-links", str(lab.torch_wheels.absolute()), "--build-constraints", str(constraints))


def torch_version(lab: Lab) -> str:
    """Return the version of the host's torch."""
    asked = "import importlib.metadata; print(importlib.metadata.version('torch'))"
    argv = [f"{lab.torch_host}/bin/python", "-B", "-c", asked]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


def _kept(lab: Lab, name: str, source: Path, python: Path) -> Path:
    """Make an environment with all that the project requires but torch, which it sees on the host."""
    folder = lab.work / "kept" / name
    lab.venv(folder)
    made = folder / "bin" / "python"
    lab.install(made, *(item for item in BuildSystem.of(source).requires if item != "torch"))
    asked = "import sysconfig; print(sysconfig.get_path('platlib'))"
    found = subprocess.run([python, "-B", "-c", asked], check=True, capture_output=True, text=True)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "host.pth").write_text(found.stdout, encoding="utf-8")
    return made


def _example(folder: Path) -> Path:
    emptied(folder)
    shutil.copytree(ROOT / "examples" / "torch-extension", folder, dirs_exist_ok=True, ignore=_LEFT_OVER)
    return folder


def _renew(item: Entrant) -> None:
    _example(item.source)


def _disk(track: Course) -> Group:
    """Build once with an empty installer cache and no store, and weigh what was written."""
    lab, who = track.lab, f"{_WHO}-weighed"
    removed(lab.work / "private" / who)
    ours = entrant(track, tools.PASSBUILD, who)
    environ = dict(ours.environ)
    argv = [str(lab.passbuild), "wheel", str(ours.source), "--host", str(track.python), "-o", str(ours.outdir)]
    finished = subprocess.run([*argv, "--keep", "--json"], env=environ, check=True, capture_output=True, text=True)
    cache = Path(environ["UV_CACHE_DIR"])
    made = [Path(environ["TMPDIR"]), lab.store(who)]
    downloaded, everything = weight(cache), weight(cache, *made)
    of_torch = sum(map(_of_torch, (cache, *made)))
    for path in json.loads(finished.stdout)["kept"]:
        removed(Path(path))
    rows = {
        "downloaded (the installer's cache, unpacked)": downloaded,
        "written besides (environment, logs)": everything - downloaded,
        OF_TORCH: of_torch,
    }
    return Group(name=DISK, unit=BYTES, rows=tuple(Row(name=name, samples=(value,)) for name, value in rows.items()))


def _of_torch(folder: Path) -> int:
    """Return the bytes of real files below a folder that lie in a folder of torch or of its metadata."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.lstat().st_size for path in files if _is_torchs(path.relative_to(folder)))


def _is_torchs(path: Path) -> bool:
    return any(part == "torch" or part.startswith("torch-") for part in path.parts)


def _without_nvcc(lab: Lab) -> str:
    """Return PATH less the folders with nvcc: torch stumbles over one beside a CPU build of itself."""
    folders = lab.environ(_WHO)["PATH"].split(os.pathsep)
    return os.pathsep.join(folder for folder in folders if not (Path(folder) / "nvcc").exists())


def _note(lab: Lab) -> str:
    return f"The host has torch {torch_version(lab)}."


SCENARIOS = (
    Scenario(
        key=KEY,
        title="First build of a torch extension",
        about=(
            "`examples/torch-extension` from clean sources against the torch of a host, with no stored environment and "
            "a warm installer cache. Other frontends would download torch, and are left out."
        ),
        rounds=5,
        measure=measure,
    ),
)
