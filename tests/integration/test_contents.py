"""All of a passed package, and nothing else: every kind of file that a distribution can hold, as the hooks see it.

What is asked of the hook's process is asked of its child processes too, however isolated; all have to answer the same.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from passbuild.surroundings import Surroundings
from tests.integration.bench import Environment
from tests.samples.records_what_it_sees.backend import tiny_wheel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.integration.bench import Bench, Outcome

_FLAGS = ("-I", "-E", "-s")
_BASE = Surroundings.here().base_python
_EXTENSION = str(sysconfig.get_config_var("EXT_SUFFIX"))
_ORIGINS = "import importlib.util as u; answer = [getattr(u.find_spec(name), 'origin', None) for name in {names!r}]"
_PKGUTIL = "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n"
_PKG_RESOURCES = (
    f"try:\n    __import__('pkg_resources').declare_namespace(__name__)\nexcept ImportError:\n    {_PKGUTIL}"
)
_NSPKG = (
    "import sys, types, os; p = os.path.join(sys._getframe(1).f_locals['sitedir'], *('parts',));"
    "importlib = __import__('importlib.util'); __import__('importlib.machinery');"
    "m = sys.modules.setdefault('parts', importlib.util.module_from_spec("
    "importlib.machinery.PathFinder.find_spec('parts', [os.path.dirname(p)])));"
    "mp = m.__dict__.setdefault('__path__', []); (p not in mp) and mp.append(p)\n"
)


def wheel(bench: Bench, name: str, files: Mapping[str, str], *, requires: Sequence[str] = ()) -> str:
    """Write a wheel of version 1.0 and return its path."""
    folder = bench.folder / "wheels"
    folder.mkdir(exist_ok=True)
    return str(tiny_wheel.write(folder, name, "1.0", files, requires=requires))


def host_with(bench: Bench, *wheels: str, folder: Path | None = None) -> Environment:
    """Return a watched host of the test's own with these wheels."""
    return bench.watch(bench.own_host(*wheels, folder=folder))


def built(
    bench: Bench,
    host: Environment | Path,
    passed: Sequence[str],
    *options: object,
    requires: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
    **recorder: Any,
) -> Outcome:
    """Build the recording project with these packages of the host."""
    project = bench.project(requires=requires, **recorder)
    named = [argument for name in passed for argument in ("--passthrough", name)]
    run = bench.passbuild("wheel", project, "--host", host, *named, *options, environ=environ)
    assert run.code == 0, run.stderr
    return run


def answers(
    bench: Bench,
    host: Environment | Path,
    passed: Sequence[str],
    asks: Mapping[str, str],
    *,
    requires: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return what these programs answer in the hook's process, after holding that its children answer the same."""
    run = built(bench, host, passed, requires=requires, environ=environ, asks=asks, children=_FLAGS)
    told: dict[str, dict[str, Any]] = run.seen["answers"]
    assert {flag: told[flag] for flag in _FLAGS} == dict.fromkeys(_FLAGS, told[""])
    return told[""]


def origins(*names: str) -> str:
    """Return a program that answers where modules are, None for those that are nowhere."""
    return _ORIGINS.format(names=list(names))


def test_a_namespace_is_split_over_passed_unpassed_and_installed(bench: Bench) -> None:
    """PEP 420: the passed part is the host's, the required one is installed, the unpassed one does not show."""
    host = bench.host("shared-one==1.0", "shared-two==1.0")
    asks = {
        "one": "import shared.one; answer = shared.one.__file__",
        "three": "import shared.three, sys; answer = shared.three.__file__.startswith(sys.prefix)",
        "parts": "import pkgutil, shared; answer = sorted(m.name for m in pkgutil.iter_modules(shared.__path__))",
        "two": "import importlib.util as u; answer = u.find_spec('shared.two') is None",
    }

    told = answers(bench, host, ["shared-one"], asks, requires=["shared-three"])

    one = str(host.site_packages / "shared" / "one" / "__init__.py")
    assert told == {"one": one, "three": True, "parts": ["one", "three"], "two": True}


@pytest.mark.parametrize("start", [_PKGUTIL, _PKG_RESOURCES], ids=["pkgutil", "pkg_resources"])
def test_a_namespace_of_the_older_styles_shows_the_passed_part(bench: Bench, start: str) -> None:
    """Each distribution brings the same `__init__.py`; one part passes, one does not, one is installed."""
    wheels = {
        name: wheel(bench, f"parts-{name}", {"parts/__init__.py": start, f"parts/{name}/__init__.py": ""})
        for name in ("one", "two", "three")
    }
    host = host_with(bench, wheels["one"], wheels["two"])
    asks = {
        "one": "import parts.one; answer = parts.one.__file__",
        "three": "import parts.three, sys; answer = parts.three.__file__.startswith(sys.prefix)",
        "two": "import importlib.util as u; answer = u.find_spec('parts.two') is None",
    }

    told = answers(bench, host, ["parts-one"], asks, requires=[f"parts-three @ {Path(wheels['three']).as_uri()}"])

    assert told == {
        "one": str(host.site_packages / "parts" / "one" / "__init__.py"),
        "three": True,
        "two": True,
    }


def test_a_namespace_of_nspkg_files_shows_the_passed_part(bench: Bench) -> None:
    """Old setuptools' `-nspkg.pth` has no `__init__.py`: its line runs in the build environment, for the view."""
    wheels = [
        wheel(bench, f"parts-{name}", {f"parts_{name}-nspkg.pth": _NSPKG, f"parts/{name}/__init__.py": ""})
        for name in ("one", "two")
    ]
    host = host_with(bench, *wheels)
    asks = {
        "one": "import parts.one; answer = parts.one.__file__",
        "two": "import importlib.util as u; answer = u.find_spec('parts.two') is None",
    }

    told = answers(bench, host, ["parts-one"], asks)

    assert told == {"one": str(host.site_packages / "parts" / "one" / "__init__.py"), "two": True}


def test_modules_of_every_name_have_the_hosts_path(bench: Bench) -> None:
    """Single files, extension modules, and names that are no identifiers (mypyc's): all at their true place."""
    files = {
        "single.py": "",
        f"tagged{_EXTENSION}": "",
        "stable.abi3.so": "",
        "plain.so": "",
        f"81d243bd2c585b0f4821__mypyc{_EXTENSION}": "",
        "7zip/__init__.py": "",
        "with-hyphen.py": "",
    }
    host = host_with(bench, wheel(bench, "many", files))
    names = [name.partition(".")[0].partition("/")[0] for name in files]

    told = answers(bench, host, ["many"], {"origins": origins(*names)})

    assert told == {"origins": [str(host.site_packages / name) for name in files]}


def test_a_libs_folder_is_beside_the_package(bench: Bench) -> None:
    """`$ORIGIN/../many.libs` leads to the same file from the module's place and along sys.path."""
    host = host_with(bench, wheel(bench, "many", {"many/__init__.py": "", "many.libs/libmany-1.so": "elf"}))
    along = "import os, sys; answer = [os.path.join(p, 'many.libs/libmany-1.so') for p in sys.path]"
    asks = {
        "beside": "import many, os; answer = os.listdir(os.path.join(os.path.dirname(many.__file__), '../many.libs'))",
        "along": f"{along}; answer = [os.path.realpath(path) for path in answer if os.path.exists(path)]",
    }

    told = answers(bench, host, ["many"], asks)

    assert told == {"beside": ["libmany-1.so"], "along": [str(host.site_packages / "many.libs" / "libmany-1.so")]}


def test_a_stub_package_is_found_along_the_path(bench: Bench) -> None:
    """Type stubs are read, not imported: they lie on sys.path, and nobody warns that they were not imported."""
    files = {"many-stubs/__init__.pyi": "def f() -> int: ...\n", "many-stubs/py.typed": "partial\n"}
    host = host_with(bench, wheel(bench, "types-many", files))
    along = "import os, sys; answer = [p for p in sys.path if os.path.isfile(p + '/many-stubs/__init__.pyi')]"

    run = built(bench, host, ["types-many"], asks={"along": along}, children=_FLAGS)

    assert [len(told["along"]) for told in run.seen["answers"].values()] == [1, 1, 1, 1]
    assert run.document["warnings"] == []


def test_pth_files_of_a_passed_package_act_and_those_of_others_do_not(bench: Bench) -> None:
    """A path line and an import line, in every process; a host package that is not passed starts nothing."""
    acting = {
        "acting.pth": "# a remark\nacting_folder\nimport sys; sys.acted = 'yes'\n",
        "acting_folder/inside_of_it.py": "",
    }
    other = {"other.pth": "import sys; sys.other_acted = 'yes'\nother_folder\n", "other_folder/inside_of_other.py": ""}
    host = host_with(bench, wheel(bench, "acting", acting), wheel(bench, "other", other))
    asks = {
        "acted": "import sys; answer = [getattr(sys, name, None) for name in ('acted', 'other_acted')]",
        "origins": origins("inside_of_it", "inside_of_other"),
    }

    told = answers(bench, host, ["acting"], asks)

    inside = str(host.site_packages / "acting_folder" / "inside_of_it.py")
    assert told == {"acted": ["yes", None], "origins": [inside, None]}


def test_data_files_are_below_the_prefix(bench: Bench) -> None:
    """What a package has in `share`, `include` and `lib` is below sys.prefix, where it would be when installed."""
    places = ["share/many/data.txt", "include/many/many.h", "lib/pkgconfig/many.pc", "etc/many.conf"]
    files = {"many.py": "", **{f"many-1.0.data/data/{place}": place for place in places}}
    host = host_with(bench, wheel(bench, "many", files))
    read = f"import pathlib, sys; answer = [(pathlib.Path(sys.prefix) / p).read_text() for p in {places!r}]"

    told = answers(bench, host, ["many"], {"read": read})

    assert told == {"read": places}


@pytest.mark.skipif(shutil.which("pkg-config") is None, reason="there is no pkg-config on this machine")
@pytest.mark.parametrize("place", ["many-1.0.data/data/lib/pkgconfig", "many-1.0.data/data/share/pkgconfig", "many/pc"])
def test_pkg_config_finds_the_passed_copy_before_another(bench: Bench, place: str) -> None:
    """Below the prefix or in the package itself: it comes before what the user's own PKG_CONFIG_PATH shows."""
    text = "Name: many\nDescription: many\nVersion: {version}\nCflags: -I/the/{version}\n"
    system = bench.folder / "system"
    system.mkdir()
    (system / "many.pc").write_text(text.format(version="system"), encoding="utf-8")
    (system / "only.pc").write_text(text.format(version="only"), encoding="utf-8")
    files = {"many/__init__.py": "", f"{place}/many.pc": text.format(version="passed")}
    host = host_with(bench, wheel(bench, "many", files))
    flags = (
        "import subprocess; answer = [subprocess.run(['pkg-config', '--cflags', n], stdout=subprocess.PIPE, check=True)"
        ".stdout.decode().strip() for n in ('many', 'only')]"
    )

    told = answers(bench, host, ["many"], {"flags": flags}, environ={"PKG_CONFIG_PATH": str(system)})

    assert told == {"flags": ["-I/the/passed", "-I/the/only"]}


def test_console_and_gui_scripts_run_in_the_build_environment(bench: Bench) -> None:
    """They are made anew: their Python is the build environment's, and `package:object.attribute` works."""
    code = "import sys\nclass App:\n    @staticmethod\n    def run():\n        print(sys.argv[0], sys.prefix)\n"
    points = "[console_scripts]\nmany-say = many:App.run\nmany.dotted = many : App.run [extra]\n"
    points += "[gui_scripts]\nmany-show = many:App.run\n"
    host = host_with(bench, wheel(bench, "many", {"many.py": code, "many-1.0.dist-info/entry_points.txt": points}))
    names = ["many-say", "many.dotted", "many-show"]

    run = built(bench, host, ["many"], programs=names)

    prefix = run.seen["prefix"]
    assert run.seen["programs"] == {name: f"{prefix}/bin/{name} {prefix}" for name in names}


def test_plain_scripts_run_in_the_build_environment_and_programs_from_their_place(bench: Bench) -> None:
    """A Python script loses the host's shebang; sh scripts and native programs see the path by which they are known."""
    files = {
        "many.py": "",
        "many-1.0.data/scripts/many-python": "#!python\nimport many, sys\nprint(many.__file__, sys.prefix)\n",
        "many-1.0.data/scripts/many-sh": '#!/bin/sh\necho "$0" "$@"\n',
    }
    host = bench.own_host(wheel(bench, "many", files))
    native = host.folder / "bin" / "many-native"
    shutil.copyfile("/bin/sh", native)
    native.chmod(0o755)
    record = host.site_packages / "many-1.0.dist-info" / "RECORD"
    record.write_text(record.read_text(encoding="utf-8") + "../../../bin/many-native,,\n", encoding="utf-8")
    bench.watch(host)
    real = "import subprocess; answer = subprocess.run(['many-native', '-c', 'readlink /proc/$$/exe'], "
    asks = {"real": f"{real}stdout=subprocess.PIPE, check=True).stdout.decode().strip()"}

    run = built(bench, host, ["many"], programs=["many-python", "many-sh"], asks=asks)

    assert run.seen["programs"] == {
        "many-python": f"{host.site_packages}/many.py {run.seen['prefix']}",
        "many-sh": f"{host.folder}/bin/many-sh",
    }
    assert run.seen["answers"][""] == {"real": str(native)}


def test_scripts_of_unpassed_packages_are_not_there(bench: Bench) -> None:
    """The host's folder of scripts is not on PATH, whatever lies in it."""
    script = {"scripts/{}-script": "#!python\nprint(1)\n"}
    wheels = [
        wheel(bench, n, {f"{n}.py": "", **{f"{n}-1.0.data/{k.format(n)}": v for k, v in script.items()}})
        for n in ("many", "other")
    ]
    host = host_with(bench, *wheels)
    which = "import shutil; answer = [shutil.which(n + '-script') is not None for n in ('many', 'other')]"

    told = answers(bench, host, ["many"], {"which": which})

    assert told == {"which": [True, False]}


def test_scripts_of_an_active_host_show_for_passed_packages_alone(bench: Bench) -> None:
    """An activated environment stands on PATH: the hooks see the rest of PATH, and of the host what is passed."""
    scripts = {"many-1.0.data/scripts/many-script": "#!/bin/sh\n", "many.py": ""}
    other = {"other-1.0.data/scripts/other-script": "#!/bin/sh\n", "other.py": ""}
    host = host_with(bench, wheel(bench, "many", scripts), wheel(bench, "other", other))
    tools = bench.folder / "tools"
    tools.mkdir()
    (tools / "tool-script").symlink_to(shutil.which("true") or "/bin/true")
    path = f"{host.folder / 'bin'}:{tools}:{bench.environ['PATH']}"
    which = "import shutil; answer = [shutil.which(n + '-script') is not None for n in ('many', 'other', 'tool')]"

    told = answers(bench, host, ["many"], {"which": which}, environ={"VIRTUAL_ENV": str(host), "PATH": path})

    assert told == {"which": [True, False, True]}


def test_entry_points_of_passed_packages_show_and_others_do_not(bench: Bench) -> None:
    """Plugins of passed packages act, those of other packages of the host do not."""
    wheels = [
        wheel(
            bench,
            n,
            {f"{n}.py": "def hook(): pass\n", f"{n}-1.0.dist-info/entry_points.txt": f"[hooks]\n{n} = {n}:hook\n"},
        )
        for n in ("many", "other")
    ]
    host = host_with(bench, *wheels)
    ask = (
        "import importlib.metadata as m\n"
        "points = [e for d in m.distributions() for e in d.entry_points if e.group == 'hooks']\n"
        "answer = [[e.name, e.load().__module__] for e in points]"
    )

    told = answers(bench, host, ["many"], {"hooks": ask})

    assert told == {"hooks": [["many", "many"]]}


def test_metadata_of_a_passed_package_is_whole(bench: Bench) -> None:
    """importlib.metadata knows version, requirements, entry points and files; every file that it names is there."""
    files = {
        "many/__init__.py": "",
        "many/data.txt": "",
        "many-1.0.dist-info/entry_points.txt": "[console_scripts]\nmany-say = many:say\n",
        "many-1.0.dist-info/licenses/LICENSE": "free\n",
        "many-1.0.data/scripts/many-sh": "#!/bin/sh\n",
        "many-1.0.data/data/share/many/data.txt": "",
        "many-1.0.data/headers/many.h": "",
    }
    host = host_with(bench, wheel(bench, "many", files, requires=["absent; extra == 'none'"]))
    begin = "import importlib.metadata as m; d = m.distribution('Many'); "
    asks = {
        "version": f"{begin} answer = [d.version, m.version('many'), d.metadata['Name']]",
        "requires": f"{begin} answer = d.requires",
        "points": f"{begin} answer = [e.name for e in d.entry_points]",
        "licence": f"{begin} answer = d.read_text('licenses/LICENSE')",
        "lost": f"{begin} answer = [str(f) for f in d.files if not f.locate().exists()]",
        "count": f"{begin} answer = len([f for f in d.files if '../bin/' in str(f) or '../share/' in str(f)])",
        "copies": f"{begin} answer = [d.metadata['Name'] for d in m.distributions()].count('many')",
    }

    told = answers(bench, host, ["many"], asks)

    assert told == {
        "version": ["1.0", "1.0", "many"],
        "requires": ["absent; extra == 'none'"],
        "points": ["many-say"],
        "licence": "free\n",
        "lost": [],
        "count": 3,
        "copies": 1,
    }


def test_resources_of_a_passed_package_can_be_read(bench: Bench) -> None:
    """importlib.resources and pkgutil read them, also from a namespace package."""
    files = {
        "many/__init__.py": "",
        "many/data.txt": "regular",
        "spread/part/__init__.py": "",
        "spread/part/data.txt": "ns",
    }
    host = host_with(bench, wheel(bench, "many", files))
    read = "import importlib.resources as r, sys; answer = [(r.files(p) / 'data.txt').read_text() for p in {!r}]"
    asks = {
        "resources": read.format(["many", "spread.part"]),
        "pkgutil": "import pkgutil; answer = pkgutil.get_data('many', 'data.txt').decode()",
    }

    told = answers(bench, host, ["many"], asks)

    assert told == {"resources": ["regular", "ns"], "pkgutil": "regular"}


@pytest.mark.parametrize("locale", ["C.UTF-8", "C", "POSIX"])
def test_a_host_in_a_folder_with_spaces_and_umlauts(bench: Bench, locale: str) -> None:
    """Modules, scripts, programs and .pth lines work there, whatever the locale."""
    files = {
        "many.py": "import sys\ndef say():\n    print(sys.prefix)\n",
        "many-1.0.dist-info/entry_points.txt": "[console_scripts]\nmany-say = many:say\n",
        "many-1.0.data/scripts/many-sh": '#!/bin/sh\necho "$0"\n',
        "many.pth": "many_folder\n",
        "many_folder/inside.py": "",
    }
    host = host_with(bench, wheel(bench, "many", files), folder=bench.folder / "mit Leerzeichen und Ümläuten")
    asks = {"origins": origins("many", "inside")}

    run = built(
        bench,
        host,
        ["many"],
        asks=asks,
        children=_FLAGS,
        programs=["many-say", "many-sh"],
        environ={"LC_ALL": locale},
    )

    found = [str(host.site_packages / name) for name in ("many.py", "many_folder/inside.py")]
    assert [told["origins"] for told in run.seen["answers"].values()] == [found] * 4
    assert run.seen["programs"] == {"many-say": run.seen["prefix"], "many-sh": str(host.folder / "bin" / "many-sh")}


def _with_a_bit_of_everything(bench: Bench) -> str:
    files = {
        "many.py": "import sys\ndef say():\n    print(sys.prefix)\n",
        "many-1.0.dist-info/entry_points.txt": "[console_scripts]\nmany-say = many:say\n",
        "many-1.0.data/scripts/many-sh": '#!/bin/sh\necho "$0"\n',
        "many-1.0.data/data/share/many/data.txt": "data",
    }
    return wheel(bench, "many", files)


_DATA = "import sys; answer = open(sys.prefix + '/share/many/data.txt').read()"
_LOST = "import importlib.metadata as m; answer = [str(f) for f in m.files('many') if not f.locate().exists()]"


def test_packages_of_the_user_site_pass_through(bench: Bench) -> None:
    """With their scripts and data; the rest of the user site stays out of sight."""
    user = Environment(folder=bench.folder / "user")
    install = [sys.executable, "-m", "uv", "pip", "install", "--python", _BASE, "--prefix", user.folder, "--no-deps"]
    wheels = [_with_a_bit_of_everything(bench), wheel(bench, "other", {"other.py": ""})]
    bench.workshop.run(*install, "--link-mode", "copy", *wheels)
    bench.watch(user)

    run = built(
        bench,
        _BASE,
        ["many"],
        environ={"PYTHONUSERBASE": str(user)},
        asks={"origins": origins("many", "other"), "data": _DATA, "lost": _LOST},
        children=_FLAGS,
        programs=["many-say", "many-sh"],
    )

    told = {"origins": [str(user.site_packages / "many.py"), None], "data": "data", "lost": []}
    assert run.seen["answers"] == dict.fromkeys(["", *_FLAGS], told)
    assert run.seen["programs"] == {"many-say": run.seen["prefix"], "many-sh": f"{user}/bin/many-sh"}


def test_packages_of_the_base_of_an_environment_bring_their_scripts_and_data(bench: Bench) -> None:
    """An environment that sees another's site-packages passes all of a package of that one."""
    base = host_with(bench, _with_a_bit_of_everything(bench), folder=bench.folder / "base")
    host = bench.own_host()
    (host.site_packages / "zz_base.pth").write_text(f"{base.site_packages}\n", encoding="utf-8")
    bench.watch(host)

    run = built(bench, host, ["many"], asks={"data": _DATA, "lost": _LOST}, programs=["many-say", "many-sh"])

    assert run.seen["answers"] == {"": {"data": "data", "lost": []}}
    assert run.seen["programs"] == {"many-say": run.seen["prefix"], "many-sh": f"{base}/bin/many-sh"}


def test_packages_that_only_pythonpath_shows_pass_through(bench: Bench) -> None:
    """What PYTHONPATH shows is part of the host; the hooks see the passed one and not its neighbour."""
    shown = bench.folder / "shown"
    install = [sys.executable, "-m", "uv", "pip", "install", "--target", shown, "--no-deps", "--link-mode", "copy"]
    bench.workshop.run(*install, wheel(bench, "many", {"many.py": ""}), wheel(bench, "other", {"other.py": ""}))
    host = bench.host()

    told = answers(bench, host, ["many"], {"origins": origins("many", "other")}, environ={"PYTHONPATH": str(shown)})

    assert told == {"origins": [str(shown / "many.py"), None]}


def test_the_first_of_two_copies_passes_through(bench: Bench) -> None:
    """Two versions on the host's sys.path: the one that its own imports get, with that one's metadata."""
    first = bench.own_host("engine==2.0", "fuel==1.0", folder=bench.folder / "first")
    host = bench.host("engine==1.0", "fuel==1.0")
    bench.watch(first)
    asks = {
        "file": "import engine; answer = [engine.__file__, engine.__version__]",
        "versions": (
            "import importlib.metadata as m\n"
            "answer = [d.version for d in m.distributions() if d.metadata['Name'] == 'engine']"
        ),
    }

    told = answers(bench, host, ["engine"], asks, environ={"PYTHONPATH": str(first.site_packages)})

    file = str(first.site_packages / "engine" / "__init__.py")
    assert told == {"file": [file, "2.0"], "versions": ["2.0"]}


def test_a_read_only_host_passes_its_packages(bench: Bench, installer: str) -> None:
    """Nothing of the host can be written to, and nothing has to be."""
    host = bench.own_host(_with_a_bit_of_everything(bench))
    subprocess.run(["chmod", "-R", "a-w", host.folder], check=True)
    bench.watch(host)

    run = built(
        bench,
        host,
        ["many"],
        "--installer",
        installer,
        requires=["tool"],
        imports=["many", "tool"],
        programs=["many-say", "many-sh"],
    )

    assert run.seen["modules"]["many"]["file"] == str(host.site_packages / "many.py")
    assert run.seen["programs"]["many-sh"] == f"{host}/bin/many-sh"


def test_packages_laid_out_as_debian_does_pass_through(bench: Bench) -> None:
    """`.egg-info` folders and files without any record of their files: top_level.txt or, last, the name says which."""
    host = bench.own_host()
    site = host.site_packages
    metadata = "Metadata-Version: 1.1\nName: {}\nVersion: 1.0\n"
    listed = site / "Listed-1.0.egg-info"
    listed.mkdir()
    (listed / "PKG-INFO").write_text(metadata.format("Listed"), encoding="utf-8")
    (listed / "top_level.txt").write_text("_listed_fast\nlisting\n", encoding="utf-8")
    (site / f"_listed_fast{_EXTENSION}").touch()
    (site / "listing").mkdir()
    (site / "Single_File-1.0.egg-info").write_text(metadata.format("Single-File"), encoding="utf-8")
    (site / "single_file.py").touch()
    modern = site / "modern-1.0.dist-info"
    modern.mkdir()
    (modern / "METADATA").write_text(metadata.format("modern"), encoding="utf-8")
    (site / "Modern").mkdir()
    files = ["listing/__init__.py", "Modern/__init__.py", "unlisted.py"]
    for file in files:
        (site / file).touch()
    bench.watch(host)
    asks = {
        "origins": origins("_listed_fast", "listing", "single_file", "Modern", "unlisted"),
        "versions": (
            "import importlib.metadata as m; answer = [m.version(n) for n in ('listed', 'Single-File', 'modern')]"
        ),
    }

    told = answers(bench, host, ["listed", "single-file", "modern"], asks)

    found = [f"_listed_fast{_EXTENSION}", "listing/__init__.py", "single_file.py", "Modern/__init__.py"]
    assert told == {"origins": [*(str(site / name) for name in found), None], "versions": ["1.0", "1.0", "1.0"]}


def test_a_package_of_which_no_file_is_known_is_warned_about(bench: Bench) -> None:
    """No record, no top_level.txt, no module of its name: only metadata passes, and the warning says what to do."""
    host = bench.own_host()
    info = host.site_packages / "pycairo-1.0.egg-info"
    info.write_text("Metadata-Version: 1.1\nName: pycairo\nVersion: 1.0\n", encoding="utf-8")
    (host.site_packages / "cairo").mkdir()
    bench.watch(host)

    run = built(bench, host, ["pycairo"], distributions=["pycairo"])

    assert run.seen["distributions"] == {"pycairo": "1.0"}
    (told,) = [text for text in run.document["warnings"] if "which files are its own" in text]
    assert told.startswith(f"pycairo: nothing on the host says which files are its own ({info} has neither RECORD")
    assert "reinstall it with pip or uv" in told


def test_pth_files_of_a_package_without_a_record_act(bench: Bench) -> None:
    """They are known by their names; those of others do not act."""
    host = bench.own_host()
    site = host.site_packages
    (site / "many-1.0.dist-info").mkdir()
    (site / "many-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: many\nVersion: 1.0\n")
    (site / "__editable__.many-1.0.pth").write_text(f"{bench.folder}/sources\n", encoding="utf-8")
    (site / "many_more.pth").write_text("import sys; sys.more_acted = True\n", encoding="utf-8")
    (bench.folder / "sources").mkdir()
    (bench.folder / "sources" / "many.py").touch()
    bench.watch(host)

    told = answers(
        bench,
        host,
        ["many"],
        {"origins": origins("many"), "acted": "import sys; answer = hasattr(sys, 'more_acted')"},
    )

    assert told == {"origins": [f"{bench.folder}/sources/many.py"], "acted": False}


def test_a_regular_package_that_several_distributions_share_shows_the_passed_parts(bench: Bench) -> None:
    """As older `nvidia-*` wheels do: each brings the same `__init__.py`, which is no namespace's."""
    wheels = {
        name: wheel(
            bench,
            f"parts-{name}",
            {"parts/__init__.py": "", f"parts/{name}/__init__.py": "", f"parts/{name}/include/{name}.h": name},
        )
        for name in ("one", "two", "three")
    }
    host = host_with(bench, wheels["one"], wheels["two"])
    asks = {
        "origins": "import importlib.util as u; answer = [getattr(u.find_spec(f'parts.{n}'), 'origin', None) for n in "
        "('one', 'two')]",
        "parts": "import os, parts; answer = sorted(n for n in os.listdir(parts.__path__[0]) if n[0] != '_')",
        "header": "import os, parts; answer = open(os.path.join(parts.__path__[0], 'one/include/one.h')).read()",
    }

    told = answers(bench, host, ["parts-one"], asks)

    one = str(host.site_packages / "parts" / "one" / "__init__.py")
    assert told == {"origins": [one, None], "parts": ["one"], "header": "one"}


def test_a_part_of_a_shared_regular_package_far_below_does_not_leak(bench: Bench) -> None:
    """Two distributions share a package and a package in it: the unpassed one's module there does not show."""
    common = {"shared/__init__.py": "", "shared/sub/__init__.py": ""}
    one = wheel(bench, "part-one", {**common, "shared/sub/one.py": ""})
    host = host_with(bench, one, wheel(bench, "part-two", {"shared/sub/two.py": ""}))

    told = answers(bench, host, ["part-one"], {"origins": origins("shared.sub.one", "shared.sub.two")})

    assert told == {"origins": [str(host.site_packages / "shared" / "sub" / "one.py"), None]}


def test_a_hand_added_file_in_a_package_passes_with_it(bench: Bench) -> None:
    """Nobody else claims it: the package is shown whole, from its true place."""
    host = bench.own_host(wheel(bench, "many", {"many/__init__.py": ""}))
    (host.site_packages / "many" / "added.py").touch()
    bench.watch(host)

    told = answers(bench, host, ["many"], {"origins": origins("many", "many.added")})

    assert told == {"origins": [str(host.site_packages / "many" / name) for name in ("__init__.py", "added.py")]}


def test_what_is_installed_comes_before_what_passes_through(bench: Bench) -> None:
    """A passed package that holds a module of a build requirement as well does not shadow it."""
    host = host_with(bench, wheel(bench, "many", {"tool/__init__.py": "", "many.py": ""}))
    asks = {"tool": "import sys, tool; answer = tool.__file__.startswith(sys.prefix)", "many": origins("many")}

    told = answers(bench, host, ["many"], asks, requires=["tool"])

    assert told == {"tool": True, "many": [str(host.site_packages / "many.py")]}
