"""Hooks cannot write the host, its neighbours and the user's configuration, and can write all else.

By each means that there is: mounts by root, mounts in a namespace of users, Landlock. Which one it is decides what the
system forbids, so here a filter of system calls (seccomp) forbids the others, as container runtimes do.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from passbuild import forkserver
from tests.integration import live
from tests.integration.bench import fingerprint
from tests.schema import valid

if TYPE_CHECKING:
    from tests.integration.bench import Bench

pytestmark = pytest.mark.skipif(not forkserver.is_available(), reason="only Linux has these means")

_FENCED = """
import ctypes, os, platform, struct, sys
forbidden = [int(number) for number in sys.argv[1].split(",") if number]
if forbidden:
    lines = [struct.pack("HBBI", 0x20, 0, 0, 0)]
    for index, number in enumerate(forbidden):
        lines.append(struct.pack("HBBI", 0x15, len(forbidden) - index, 0, number))
    lines += [struct.pack("HBBI", 0x06, 0, 0, 0x7FFF0000), struct.pack("HBBI", 0x06, 0, 0, 0x00050001)]
    code = ctypes.create_string_buffer(b"".join(lines))
    program = struct.pack("HxxxxxxQ", len(lines), ctypes.addressof(code))
    library = ctypes.CDLL(None, use_errno=True)
    library.prctl(38, 1, 0, 0, 0)
    assert library.prctl(22, 2, program, 0, 0) == 0, os.strerror(ctypes.get_errno())
os.execv(sys.executable, [sys.executable, "-m", "passbuild", *sys.argv[2:]])
"""
_UNSHARE = {"x86_64": 272, "aarch64": 97}.get(os.uname().machine, 0) if hasattr(os, "uname") else 0
_LANDLOCK = 444
_FENCES = {
    "mounts": ((), ()),
    "mounts in a namespace of users": (("setpriv", "--bounding-set=-sys_admin"), ()),
    "landlock": ((), (_UNSHARE,)),
}
_MEANS = {"mounts": "mount-namespace", "mounts in a namespace of users": "mount-namespace", "landlock": "landlock"}
_BUSY = """
def attempts(paths):
    told = {}
    for name, path in paths.items():
        path = pathlib.Path(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("of the hook")
            told[name] = "written"
        except OSError as error:
            told[name] = type(error).__name__
    (HERE / "told" / "told.json").write_text(json.dumps(told))

def moves(folder):
    # Move and link files between folders, as build tools do.
    for place in (folder, pathlib.Path.cwd(), pathlib.Path(tempfile.gettempdir())):
        (place / "moves" / "deeper").mkdir(parents=True)
        (place / "moves" / "deeper" / "file").write_text("x")
        os.rename(place / "moves" / "deeper" / "file", place / "moves" / "file")
        os.link(place / "moves" / "file", place / "moves" / "deeper" / "link")
        os.rename(place / "moves", place / "moved")
        shutil.rmtree(place / "moved")

def build_wheel(*rest):
    attempts(json.loads((HERE / "paths.json").read_text()))
    moves(pathlib.Path(rest[0]))
    return really_build_wheel(*rest)
"""


def _run(
    bench: Bench, project: Path, host: object, *options: object, fence: str = "", forbidden: tuple[int, ...] = ()
) -> dict[str, Any]:
    """Build behind a fence, and return the report."""
    (bench.folder / "told").mkdir(exist_ok=True)
    before, more = _FENCES[fence] if fence else ((), forbidden)
    if before and shutil.which(before[0]) is None:
        pytest.skip(f"there is no {before[0]}")
    calls = ",".join(map(str, more))
    argv = [*before, sys.executable, "-c", _FENCED, calls, "wheel", project, "--host", host, "--json"]
    environ = {**bench.environ, "HOME": str(bench.folder / "home"), "XDG_CONFIG_HOME": ""}
    done = subprocess.run(
        [*map(str, argv), "-o", str(bench.outdir), "--passthrough", "engine", *map(str, options)],
        env=environ,
        cwd=bench.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    return {**valid(done.stdout), "stderr": done.stderr, "code": done.returncode}


def _told(bench: Bench) -> dict[str, str]:
    told: dict[str, str] = json.loads((bench.folder / "told" / "told.json").read_text(encoding="utf-8"))
    return told


def _home(bench: Bench) -> Path:
    home = bench.folder / "home"
    for name in (".ssh/id", ".config/pip/pip.conf", ".bashrc", ".netrc", ".cache/ccache/x", ".cargo/registry/y"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("mine", encoding="utf-8")
    return home


@pytest.mark.parametrize("fence", _FENCES)
def test_hooks_write_what_they_need_and_nothing_else(bench: Bench, fence: str) -> None:
    """The host and the configuration are as they were; the project, caches and temporary files can be written."""
    host = bench.own_host("engine==1.0", "fuel==1.0", "scripted==1.0")
    home = _home(bench)
    refused = {
        "a passed package": host.site_packages / "engine" / "more.py",
        "another package": host.site_packages / "scripted.py",
        "a new package": host.site_packages / "evil.pth",
        "a script": host.folder / "bin" / "python-config",
        "the key": home / ".ssh" / "id",
        "a new key": home / ".ssh" / "authorized_keys",
        "the configuration": home / ".config" / "pip" / "pip.conf",
        "a service": home / ".config" / "systemd" / "evil.service",
        "the start file": home / ".bashrc",
        "the password": home / ".netrc",
    }
    allowed = {
        "the project": bench.folder / "project" / "build" / "object.o",
        "a temporary file": bench.scratch / "of-the-hook" / "x",
        "a device": Path(os.devnull),
        "ccache": home / ".cache" / "ccache" / "x",
        "cargo": home / ".cargo" / "registry" / "y",
    }
    if fence != "landlock":  # in a parent of what it protects nothing can be made
        allowed["what was not there"] = home / ".npm" / "z"
        allowed["the system's temporary folder"] = Path("/tmp") / f"of-a-test-{os.getpid()}"
    project = live.project(bench, f"import json, shutil\n{_BUSY}", imports=["engine"])
    (bench.folder / "paths.json").write_text(
        json.dumps({name: str(path) for name, path in {**refused, **allowed}.items()}), encoding="utf-8"
    )
    before = fingerprint(host.folder), fingerprint(home / ".ssh"), fingerprint(home / ".config")
    need = "on" if fence == "landlock" else "auto"

    report = _run(bench, project, host, "--protect-host", need, fence=fence)

    assert report["code"] == 0, report["error"]
    told = _told(bench)
    Path("/tmp", f"of-a-test-{os.getpid()}").unlink(missing_ok=True)
    shutil.rmtree(bench.scratch / "of-the-hook", ignore_errors=True)
    assert report["protection"]["means"] == _MEANS[fence]
    assert {name for name in refused if told[name] == "written"} == set()
    assert {name: told[name] for name in allowed if told[name] != "written"} == {}
    assert (fingerprint(host.folder), fingerprint(home / ".ssh"), fingerprint(home / ".config")) == before


def test_a_host_in_the_project_is_protected_by_mounts(bench: Bench) -> None:
    """`.venv` beside pyproject.toml, where the build makes files all around it."""
    project = live.project(bench, f"import json, shutil\n{_BUSY}", imports=["engine"])
    host = bench.watch(bench.own_host("engine==1.0", "fuel==1.0", folder=project / ".venv"))
    paths = {"the host": host.site_packages / "engine" / "more.py", "the project": project / "build" / "x"}
    (bench.folder / "paths.json").write_text(json.dumps({name: str(path) for name, path in paths.items()}))

    report = _run(bench, project, host, fence="mounts")

    assert report["code"] == 0, report["error"]
    assert _told(bench) == {"the host": "OSError", "the project": "written"}


def test_a_project_in_the_host_can_be_written(bench: Bench) -> None:
    """`VENV/src/project`, where pip puts checkouts."""
    host = bench.own_host("engine==1.0", "fuel==1.0")
    project = live.project(bench, f"import json, shutil\n{_BUSY}", imports=["engine"])
    project = project.rename(host.folder / "project")
    paths = {"the host": host.folder / "pyvenv.cfg", "the project": project / "build" / "x"}
    (bench.folder / "paths.json").write_text(json.dumps({name: str(path) for name, path in paths.items()}))

    report = _run(bench, project, host, fence="mounts")

    assert report["code"] == 0, report["error"]
    assert _told(bench) == {"the host": "OSError", "the project": "written"}


def test_landlock_is_not_used_where_it_would_be_in_the_way(bench: Bench) -> None:
    """A host in the project's folder: `auto` says so and looks afterwards, `on` refuses before any hook runs."""
    project = live.project(bench, "told('imported')\n")
    host = bench.watch(bench.own_host("engine==1.0", "fuel==1.0", folder=project / ".venv"))

    auto = _run(bench, project, host, fence="landlock")
    (bench.folder / "imported").unlink()
    on = _run(bench, project, host, "--protect-host", "on", fence="landlock")

    assert (auto["code"], auto["protection"]["means"]) == (0, "nothing")
    assert f"a protected folder lies in {project}" in auto["protection"]["reason"]
    assert "the system cannot keep hooks from writing the host" in auto["stderr"]
    assert (on["code"], on["error"]["code"]) == (2, "not-protected")
    assert not (bench.folder / "imported").exists()
    assert on["artifacts"] == []


def test_without_any_means_a_write_is_detected(bench: Bench) -> None:
    """As container runtimes have it that forbid both."""
    host = bench.own_host("engine==1.0", "fuel==1.0")
    body = "def build_wheel(*rest):\n    import engine\n    pathlib.Path(engine.__file__).write_text('# mine')\n"
    project = live.project(bench, f"{body}    return really_build_wheel(*rest)\n")

    report = _run(bench, project, host, forbidden=(_UNSHARE, _LANDLOCK))

    assert report["protection"]["means"] == "nothing"
    assert report["protection"]["reason"].count("Operation not permitted") == 2
    assert report["error"]["code"] == "host-changed"


def test_off_is_off(bench: Bench) -> None:
    """The report has no protection then."""
    report = _run(bench, live.project(bench, ""), bench.host("engine==1.0", "fuel==1.0"), "--protect-host", "off")

    assert (report["code"], report["protection"]) == (0, None)


def test_what_a_hook_mounts_or_traces_ends_at_the_fence(bench: Bench) -> None:
    """Also as root nothing is mounted writable again."""
    host = bench.watch(bench.own_host("engine==1.0", "fuel==1.0"))
    body = (
        "def build_wheel(*rest):\n"
        f"    place = {str(host.folder)!r}\n"
        "    argv = [['mount', '-o', 'remount,rw', place], ['umount', place], ['umount', '-l', place],\n"
        "            ['mount', '--bind', '-o', 'rw', '/', '/mnt']]\n"
        "    codes = [subprocess.run(item, capture_output=True).returncode for item in argv]\n"
        "    (HERE / 'codes').write_text(repr(codes))\n"
        "    return really_build_wheel(*rest)\n"
    )

    report = _run(bench, live.project(bench, body), host, fence="mounts")

    assert report["code"] == 0, report["error"]
    assert "0" not in (bench.folder / "codes").read_text(encoding="utf-8").strip("[]").split(", ")


def test_an_editable_package_may_rebuild_itself_in_its_own_tree(bench: Bench) -> None:
    """Its source tree is no part of the host, wherever it lies."""
    host = bench.own_host("engine==1.0", "fuel==1.0")
    tree = host.folder / "src" / "engine"
    tree.parent.mkdir()
    shutil.move(host.site_packages / "engine", tree / "engine")
    (host.site_packages / "engine.pth").write_text(f"{tree}\n", encoding="utf-8")
    info = next(host.site_packages.glob("engine-1.0.dist-info"))
    origin = {"url": tree.as_uri(), "dir_info": {"editable": True}}
    (info / "direct_url.json").write_text(json.dumps(origin), encoding="utf-8")
    (info / "RECORD").write_text("engine.pth,,\nengine-1.0.dist-info/METADATA,,\n", encoding="utf-8")
    with (tree / "engine" / "__init__.py").open("a", encoding="utf-8") as module:
        module.write("\nimport pathlib\npathlib.Path(__file__).with_name('rebuilt').write_text('x')\n")

    report = _run(bench, bench.project(imports=["engine"]), host, fence="mounts")

    assert report["code"] == 0, report["error"]
    assert (tree / "engine" / "rebuilt").exists()


def test_hooks_cannot_write_what_other_builds_use(bench: Bench) -> None:
    """The store is theirs as far as their own environment goes."""
    host = bench.watch(bench.own_host("engine==1.0", "fuel==1.0"))
    store = bench.folder / "store"
    other = bench.project(requires=["tool"], name="other")
    _run(bench, other, host, "--cache-dir", store, fence="mounts")
    (before,) = (store / "environments").iterdir()
    project = live.project(bench, f"import json, shutil\n{_BUSY}")
    paths = {
        "another environment": before / "env" / "evil.pth",
        "its record": before / "environment.json",
        "a wheel": store / "wheels" / "x" / "evil.whl",
        "what hosts said": next((store / "interpreters").glob("*"), store / "interpreters" / "x"),
    }
    (bench.folder / "paths.json").write_text(json.dumps({name: str(path) for name, path in paths.items()}))

    report = _run(bench, project, host, "--cache-dir", store, fence="mounts")

    assert report["code"] == 0, report["error"]
    assert report["environment"]["folder"] != str(before)
    assert set(_told(bench).values()) == {"OSError"}


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_what_an_installer_builds_is_kept_from_the_host_as_well(bench: Bench, installer: str) -> None:
    """Where nothing passes through it builds a requirement's sdist itself, in an isolation of its own."""
    host = bench.watch(bench.own_host("engine==1.0"))
    home = _home(bench)
    folder = bench.folder / "links"
    evil = live.project(bench, f"import json, shutil\n{_BUSY}", name="evil")
    asked = {"name": "evil", "version": "1.0"}
    (evil / "recorder.json").write_text(json.dumps(asked), encoding="utf-8")
    built = bench.passbuild("sdist", evil, "--host", host, outdir=str(folder))
    paths = {"the host": host.site_packages / "x", "the key": home / ".ssh" / "id"}
    (bench.folder / "paths.json").write_text(json.dumps({name: str(path) for name, path in paths.items()}))
    project = bench.project(requires=["evil"], name="innocent")

    options = ["--installer", installer, "--find-links", folder, "--no-passthrough", ":all:", "--protect-host", "on"]
    report = _run(bench, project, host, *options, fence="mounts")

    assert built.code == 0, built.stderr
    assert report["code"] == 0, report["error"]
    assert _told(bench) == {"the host": "OSError", "the key": "OSError"}


def test_a_project_cannot_widen_what_its_hooks_may_write(bench: Bench) -> None:
    """By variables that it sets for them: which home and which caches count is the user's."""
    host = bench.watch(bench.own_host("engine==1.0", "fuel==1.0"))
    home = _home(bench)
    toml = f"[tool.passbuild.environment]\nHOME = '/nowhere'\nCARGO_HOME = '{home}/.ssh'\n"
    project = live.project(bench, f"import json, shutil\n{_BUSY}", toml=toml)
    paths = {"the key": home / ".ssh" / "id", "the configuration": home / ".config" / "pip" / "pip.conf"}
    (bench.folder / "paths.json").write_text(json.dumps({name: str(path) for name, path in paths.items()}))

    report = _run(bench, project, host, fence="mounts")

    assert report["code"] == 0, report["error"]
    assert set(_told(bench).values()) == {"OSError"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a host outside of home and temporary files")
def test_landlock_leaves_out_what_it_would_be_in_the_way_for(bench: Bench) -> None:
    """A home with keys, in which a first build may make `~/.cargo`: the host counts, and the report says the rest."""
    home = _home(bench)
    project = live.project(bench, f"import json, shutil\n{_BUSY}")
    place = Path(os.path.realpath(os.curdir)).anchor + f"opt/of-a-test-{os.getpid()}"
    host = bench.own_host("engine==1.0", "fuel==1.0", folder=Path(place, "host"))
    paths = {"the host": host.site_packages / "x", "the key": home / ".ssh" / "id", "new": home / ".npm" / "x"}
    (bench.folder / "paths.json").write_text(json.dumps({name: str(path) for name, path in paths.items()}))
    try:
        report = _run(bench, project, host, fence="landlock")
    finally:
        shutil.rmtree(place)

    assert report["code"] == 0, report["error"]
    assert report["protection"]["means"] == "landlock"
    assert str(home / ".ssh") in report["protection"]["reason"].partition("not covered: ")[2]
    assert _told(bench) == {"the host": "PermissionError", "the key": "written", "new": "written"}
