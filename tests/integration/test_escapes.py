"""A hook that cannot write the host tries to have somebody else do it: passbuild, the next build, another path."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import passbuild
from passbuild import forkserver
from tests.integration import live
from tests.integration.bench import fingerprint

if TYPE_CHECKING:
    from tests.integration.bench import Bench, Environment, Outcome

pytestmark = pytest.mark.skipif(not forkserver.is_available(), reason="only Linux can protect the host")

_HOOK = """
import glob, json, os, shutil, stat
SCRATCH = os.environ["TMPDIR"]
HOST = pathlib.Path({host!r})
VICTIM = pathlib.Path({victim!r})

def tried(act, *arguments):
    # What is refused is refused: the attack goes on with what is left of it.
    try:
        act(*arguments)
    except OSError:
        pass

def write(path, text):
    pathlib.Path(path).write_text(text)

{body}
"""


class Scene:
    """A project with a hostile backend, a host, and something precious in a home."""

    def __init__(self, bench: Bench, host: Environment | None = None) -> None:
        self.bench = bench
        self.host = host or bench.own_host("engine==1.0", "fuel==1.0")
        self.victim = bench.folder / "home" / ".ssh"
        self.victim.mkdir(parents=True)
        (self.victim / "id").write_text("mine", encoding="utf-8")
        self._before = fingerprint(self.host.folder), fingerprint(self.victim)

    def project(self, body: str, **options: object) -> Path:
        """Return a project whose hooks are these."""
        code = _HOOK.format(host=str(self.host.site_packages), victim=str(self.victim), body=body)
        return live.project(self.bench, code, **options)

    def build(self, project: Path, *options: object, mode: str = "on") -> Outcome:
        """Build it."""
        return self.bench.passbuild(
            "wheel",
            project,
            *("--host", self.host, "--protect-host", mode, *options),
            environ={"HOME": str(self.bench.folder / "home"), "XDG_CONFIG_HOME": ""},
        )

    def is_unharmed(self) -> bool:
        """Whether host and home are as they were."""
        return (fingerprint(self.host.folder), fingerprint(self.victim)) == self._before


@pytest.fixture
def scene(bench: Bench) -> Scene:
    """Return one."""
    return Scene(bench)


_AROUND_BUILD = "def build_wheel(*rest):\n{lines}\n    return really_build_wheel(*rest)\n"


def _hook(*lines: str) -> str:
    return _AROUND_BUILD.format(lines="\n".join(f"    {line}" for line in lines))


def test_notes_of_what_is_to_be_removed_are_not_for_hooks(scene: Scene) -> None:
    """What passbuild removes at its end, with rights that the hook has not."""
    lines = [
        "for notes in glob.glob(SCRATCH + '/passbuild-*') + glob.glob(SCRATCH + '/passbuild-*/work'):",
        "    for name in ('outside', 'lock'):",
        "        tried(write, notes + '/' + name, f'{VICTIM}\\0{HOST}\\0made {VICTIM}\\0')",
    ]

    run = scene.build(scene.project(_hook(*lines)))

    assert run.code == 0, run.stderr
    assert scene.is_unharmed()


@pytest.mark.parametrize("mode", ["on", "off"])
def test_a_leftover_that_a_hook_has_made_is_not_believed(scene: Scene, mode: str) -> None:
    """The next run takes it for one of a killed process, and removes what is called like something of ours."""
    lines = [
        "folder = pathlib.Path(SCRATCH, 'passbuild-zzzzzzzz')",
        "folder.mkdir(mode=0o700)",
        "(folder / 'lock').touch()",
        "(folder / 'outside').write_text(f'{VICTIM}\\0{HOST}\\0{HOST}/engine\\0made {VICTIM}\\0')",
    ]
    scene.build(scene.project(_hook(*lines)), mode=mode)

    again = scene.build(scene.bench.project(name="next"), mode=mode)

    assert again.code == 0, again.stderr
    assert scene.is_unharmed()
    assert live.leftovers(scene.bench) == []


@pytest.mark.parametrize("goal", ["HOST", "VICTIM"])
@pytest.mark.parametrize("moment", ["get_requires_for_build_wheel", "build_wheel"])
def test_a_link_in_the_place_of_the_temporary_folder_is_not_emptied(scene: Scene, goal: str, moment: str) -> None:
    """Neither the folder itself nor the one for programs can be moved away."""
    lines = [
        "for folder in glob.glob(SCRATCH + '/passbuild-*') + glob.glob(SCRATCH + '/passbuild-*/work'):",
        "    tried(os.rename, folder, folder + '-moved')",
        f"    tried(os.symlink, {goal}, folder)",
    ]
    hook = _hook(*lines) if moment == "build_wheel" else _hook(*lines).replace("build_wheel(*rest)", f"{moment}(*rest)")
    hook = hook.replace("return really_get_requires_for_build_wheel(*rest)", "return []")

    scene.build(scene.project(hook))

    assert scene.is_unharmed()


def test_a_log_that_is_a_link_is_not_followed(scene: Scene) -> None:
    """When a build fails, its log gets another name, and permissions of its own."""
    lines = [
        "for log in glob.glob(SCRATCH + '/passbuild-*/*.log'):",
        "    tried(os.unlink, log)",
        "    tried(os.symlink, HOST / 'engine' / '__init__.py', log)",
        "print('said before the end')",
        "raise SystemExit(3)",
    ]

    run = scene.build(scene.project(_hook(*lines)))

    assert run.code == 1
    assert scene.is_unharmed()
    log = Path(run.document["error"]["log"])
    assert not log.is_symlink()
    assert "said before the end" in log.read_text(encoding="utf-8")
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_project_that_becomes_a_link_to_the_host_makes_nothing_writable(scene: Scene) -> None:
    """The first hook moves the project's folder away; the second one would write the host as its project."""
    body = (
        "def get_requires_for_build_wheel(*rest):\n"
        "    project = os.getcwd()\n"
        "    os.rename(project, project + '-old')\n"
        "    os.symlink(HOST, project)\n"
        "    site = [path for path in sys.path if path.endswith('site-packages')][0]\n"
        "    tried(write, site + '/zz.pth', 'import os; open(' + repr(str(HOST / 'evil.py')) + ', \"w\")\\n')\n"
        "    return []\n"
    )

    run = scene.build(scene.project(body))

    assert run.code == 1
    assert run.document["error"]["code"] == "folder-moved"
    assert scene.is_unharmed()


def test_what_a_hook_writes_into_its_environment_is_not_in_that_of_the_next_build(scene: Scene) -> None:
    """Modules, byte code of them that is not compared with its source, the record of what was installed."""
    lines = [
        "site = pathlib.Path([path for path in sys.path if path.endswith('site-packages')][0])",
        "kept = pathlib.Path(sys.prefix).parent",
        "tried(write, site / 'zz.pth', 'import builtins; builtins.POISONED = True\\n')",
        "import importlib, py_compile, tool",
        "(HERE / 'evil.py').write_text('POISONED = True')",
        "cached = importlib.util.cache_from_source(tool.__file__)",
        "unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH",
        "tried(lambda: py_compile.compile(HERE / 'evil.py', cached, invalidation_mode=unchecked))",
        "tried(write, kept / 'environment.json', '{}')",
        "tried(os.unlink, kept / 'used')",
        "tried(os.symlink, HOST / 'evil.py', kept / 'used')",
        "tried(write, kept / 'holders.json', '[]')",
    ]
    store = scene.bench.folder / "store"
    evil = scene.project(f"import importlib.util\n{_hook(*lines)}", requires=["tool"])
    looks = (
        "def build_wheel(*rest):\n"
        "    import builtins, tool\n"
        "    assert not hasattr(builtins, 'POISONED') and not hasattr(tool, 'POISONED')\n"
        "    return really_build_wheel(*rest)\n"
    )
    good = scene.project(looks, requires=["tool"], name="good")

    first = scene.build(evil, "--cache-dir", store)
    before = fingerprint(store / "environments")
    second = scene.build(good, "--cache-dir", store)

    assert [first.code, second.code] == [0, 0], first.stderr + second.stderr
    assert second.document["environment"]["reused"] is True
    after = fingerprint(store / "environments")
    assert {name for name in before | after if before.get(name) != after.get(name)} <= {
        name for name in before if name.endswith("/used")
    }
    assert scene.is_unharmed()


def test_passbuild_itself_is_read_only_for_hooks(scene: Scene) -> None:
    """Some of its modules are imported after a hook has run, with no protection above them."""
    module = Path(passbuild.__file__).parent / "diagnosis" / "evil.py"
    lines = [f"tried(write, {str(module)!r}, '')", f"(HERE / 'told').write_text(str(os.path.exists({str(module)!r})))"]

    run = scene.build(scene.project(_hook(*lines)))

    assert run.code == 0, run.stderr
    assert (scene.bench.folder / "told").read_text(encoding="utf-8") == "False"


def test_an_output_folder_that_leads_out_of_the_project_is_refused(scene: Scene) -> None:
    """A link that came with the project would have a wheel put into the host; the user may name it, the project not."""
    project = scene.project("")
    (project / "dist").symlink_to(scene.host.site_packages)
    argv = ["wheel", str(project), "--host", str(scene.host)]

    run = subprocess.run(
        [sys.executable, "-m", "passbuild", *argv],
        env=scene.bench.environ,
        cwd=scene.bench.folder,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 2, run.stderr
    assert "output-not-writable" in run.stderr
    assert "--outdir" in run.stderr
    assert scene.is_unharmed()


def test_files_of_the_host_cannot_be_written_by_another_name(scene: Scene) -> None:
    """Uv links them into environments from its cache, which hooks may write."""
    file = scene.host.site_packages / "engine" / "__init__.py"
    cache = scene.bench.folder / "home" / ".cache" / "uv" / "archive-v0" / "entry"
    cache.mkdir(parents=True)
    os.link(file, cache / "__init__.py")
    lines = [f"tried(write, {str(cache / '__init__.py')!r}, 'EVIL = 1')"]

    run = scene.bench.passbuild(
        "wheel",
        scene.project(_hook(*lines)),
        *("--host", scene.host, "--protect-host", "on"),
        environ={"HOME": str(scene.bench.folder / "home"), "XDG_CACHE_HOME": ""},
    )

    assert run.code == 0, run.stderr
    assert "EVIL" not in file.read_text(encoding="utf-8")
    assert "EVIL" not in (cache / "__init__.py").read_text(encoding="utf-8")


def test_a_host_that_was_moved_away_is_noticed(bench: Bench) -> None:
    """Its own folder cannot be moved, the one above it can: then nobody trusts what is there now."""
    (bench.folder / "envs").mkdir()
    scene = Scene(bench, bench.own_host("engine==1.0", "fuel==1.0", folder=bench.folder / "envs" / "ml"))
    lines = [
        "envs = HOST.parents[3]",
        "os.rename(envs, str(envs) + '.old')",
        "shutil.copytree(str(envs) + '.old', envs, symlinks=True)",
    ]

    run = scene.build(scene.project(_hook(*lines)))

    assert run.code == 1
    assert run.document["error"]["code"] == "folder-moved"
    assert not bench.outdir.exists()


@pytest.mark.parametrize("where", ["the project", "the home"])
def test_a_host_around_the_build_is_protected_as_far_as_it_is_a_python(bench: Bench, where: str) -> None:
    """`python -m venv .`, or `python -m venv ~`: packages, scripts and configuration are, what is beside them not."""
    prefix = bench.folder / ("project" if where == "the project" else "home")
    packages = prefix / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    paths = [packages / "evil.py", prefix / "bin" / "evil", prefix / "pyvenv.cfg"]
    lines = [
        *(f"tried(write, {str(path)!r}, 'EVIL')" for path in paths),
        f"write({str(prefix / 'beside')!r}, '')",
    ]
    code = _HOOK.format(host=str(packages), victim="", body=_hook(*lines))
    project = live.project(bench, code)
    scene = Scene(bench, bench.own_host("engine==1.0", "fuel==1.0", folder=prefix))

    run = scene.build(project)

    assert run.code == 0, run.stderr
    assert (prefix / "beside").exists()
    assert [path.exists() and "EVIL" in path.read_text(encoding="utf-8") for path in paths] == [False] * 3


def test_passbuild_can_be_called_by_a_hook(scene: Scene) -> None:
    """For a part that is built apart: it gets the settings of nobody, and finds no lock or limit in its way."""
    inner = scene.bench.project(name="inner")
    argv = [sys.executable, "-m", "passbuild", "wheel", str(inner), "--host", str(scene.host)]
    argv += ["-o", str(scene.bench.folder / "inner-out"), "--passthrough", "engine"]
    lines = [f"subprocess.run({argv!r}, check=True)"]

    run = scene.build(scene.project(_hook(*lines)), "--passthrough", "engine")

    assert run.code == 0, run.stderr
    assert [path.suffix for path in (scene.bench.folder / "inner-out").iterdir()] == [".whl"]
    assert scene.is_unharmed()
