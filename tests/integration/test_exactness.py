"""The build environment shows exactly what passes through: held for drawn hosts, against a model of its own.

A host is drawn: distributions of every layout and with every kind of file, some of them named. What the build
environment has to show follows from the drawing alone. One process of the build environment's interpreter answers what
it sees. `EXACTNESS_EXAMPLES=500` runs that many random examples in place of the few fixed ones, and
`EXACTNESS_PYTHON` names another interpreter for the host.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement

from passbuild import api
from tests.integration.bench import fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hypothesis.strategies import DrawFn
    from hypothesis.vendor.pretty import RepresentationPrinter

    from tests.integration.bench import Workshop

_SOAK = os.environ.get("EXACTNESS_EXAMPLES")
_PYTHON = os.environ.get("EXACTNESS_PYTHON", getattr(sys, "_base_executable", sys.executable))
_OWN_MODULES = {"_passbuild_redirect", "_passbuild_redirects", "_virtualenv"}
_OWN_FILES = {"CACHEDIR.TAG", "pyvenv.cfg", ".lock"}
_OWN_SITE = re.compile(
    r"(__pycache__/)?(_passbuild_redirects?|_virtualenv)\.[\w.-]+|_passbuild\.(pth|start)|_virtualenv\.pth"
)
_OWN_PROGRAMS = re.compile(r"python[\d.]*")
_PKGUTIL = "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n"
_WORDS = ("alpha", "beta", "Gamma", "alpha_beta", "_delta", "größe", "7zip", "with-hyphen", "x__mypyc")
_NAMES = ("alpha", "Beta", "gamma", "alpha.Beta", "Delta.2", "space", "zone-inner", "x", "alpha.libs")
_NAMESPACES = ("space", "space.inner", "space.inner.deep", "zone", "zone.inner")
_SHARED: tuple[str, ...] = ("common", "shared-data", "shared.d", "space-stubs")
_DATA = (
    "share/common",
    "share/man/man1",
    "include/common",
    "include/site/python3/common",
    "etc",
    "lib/cmake/common",
    "lib/pkgconfig",
    "lib64/common",
    "lib",
    "",
)
_VERSIONS = ("1.0", "2.13.0+cpu", "1.0rc1", "3.0.dev20260101", "2!1.0.post1", "1.00")

_QUESTION = """
import importlib, importlib.metadata, importlib.util, json, os, pkgutil, shutil, sys, sysconfig

asked = json.load(sys.stdin)
stdlib = sysconfig.get_path("stdlib")
path = [entry for entry in sys.path if entry not in (stdlib, os.path.join(stdlib, "lib-dynload"))]
path = [entry for entry in path if os.path.isdir(entry)]


def text(file):
    try:
        with open(file, "rb") as stream:
            return stream.read().decode("utf-8", "backslashreplace")
    except OSError as error:
        return {"error": type(error).__name__}


def tree(top, hidden=()):
    found = {}
    for folder, folders, files in os.walk(top, followlinks=True):
        folders[:] = [name for name in folders if os.path.join(folder, name) not in hidden]
        for file in files:
            place = os.path.join(folder, file)
            found[os.path.relpath(place, top)] = text(place)
    return found


def origin(name):
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError:
        return None
    return spec and (spec.origin or "namespace")


def listed(name):
    if not origin(name):
        return None
    return sorted(module.name for module in pkgutil.iter_modules(importlib.import_module(name).__path__))


def distribution(found):
    return {
        "name": found.metadata["Name"],
        "version": found.version,
        "requires": sorted(found.requires or []),
        "points": sorted([point.group, point.name, point.value] for point in found.entry_points),
        "files": None if found.files is None else {str(file): text(file.locate()) for file in found.files},
    }


print(json.dumps({
    "prefix": sys.prefix,
    "path": path,
    "top": sorted(module.name for module in pkgutil.iter_modules(path)),
    "modules": {name: origin(name) for name in asked["modules"]},
    "listed": {name: listed(name) for name in asked["packages"]},
    "distributions": [distribution(found) for found in importlib.metadata.distributions()],
    "trees": [tree(entry) for entry in path],
    "data": tree(sys.prefix, {*path, os.path.dirname(sys.executable)}),
    "programs": sorted(os.listdir(os.path.dirname(sys.executable))),
    "which": {name: shutil.which(name) for name in asked["programs"]},
}))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A requirement of a drawn distribution."""

    text: str
    """As its metadata spells it, without a marker."""
    target: str
    """The normalized name; of no distribution, where the host lacks it."""
    marker: str = ""
    extra: str = ""
    """The extra of the requiring distribution under which it counts."""
    asks: str = ""
    """The extra that it asks for."""
    is_never: bool = False

    def __str__(self) -> str:
        """Return the requirement as METADATA has it."""
        return f"{self.text}; {self.marker}" if self.marker else self.text


@dataclass(slots=True, kw_only=True)
class Drawn:
    """A drawn distribution."""

    name: str
    stem: str
    """Its name in its metadata folder's name."""
    version: str
    layout: str
    """`wheel`, `egg` (with installed-files.txt), `debian`, `debian-egg` or `named` (without any record)."""
    elsewhere: bool
    """It lies in another folder of the host's path than site-packages."""
    is_compiled: bool = False
    inside: dict[str, str] = field(default_factory=dict)
    """What lies on the path, without metadata; texts by relative path."""
    modules: dict[str, str] = field(default_factory=dict)
    """Relative paths by importable name; namespace packages are not among them."""
    namespaces: set[str] = field(default_factory=set)
    unimportable: set[str] = field(default_factory=set)
    lines: dict[str, str] = field(default_factory=dict)
    """The folder of the host to which a `.pth` file leads, by the module in it."""
    data: dict[str, str] = field(default_factory=dict)
    """What lies below the prefix; texts by relative path."""
    programs: dict[str, str] = field(default_factory=dict)
    points: list[tuple[str, str, str]] = field(default_factory=list)
    needs: list[Need] = field(default_factory=list)

    @property
    def key(self) -> str:
        """The normalized name."""
        return normalized(self.name)

    @property
    def is_recorded(self) -> bool:
        """Whether it has a record of its files."""
        return self.layout in {"wheel", "egg"}

    @property
    def info(self) -> str:
        """Its metadata folder, or file."""
        suffix = "dist-info" if self.layout in {"wheel", "debian"} else "egg-info"
        return f"{self.stem}-{self.version}.{suffix}"

    @property
    def scripts(self) -> set[str]:
        """The names of its console and GUI scripts."""
        return {name for group, name, _ in self.points if group in {"console_scripts", "gui_scripts"}}

    @property
    def recorded(self) -> list[str]:
        """Its files as RECORD names them, RECORD left out."""
        below = [] if self.elsewhere else [*self.data, *(f"bin/{name}" for name in (*self.programs, *self.scripts))]
        return sorted([*self.inside, *self.described, *(f"../../../{name}" for name in below)])

    @property
    def described(self) -> dict[str, str]:
        """The texts of its metadata, without the record, by path."""
        extras = sorted({need.extra for need in self.needs if need.extra})
        fields = [("Metadata-Version", "2.1"), ("Name", self.name), ("Version", self.version)]
        if self.info.endswith("dist-info"):
            fields += [("Requires-Dist", str(need)) for need in self.needs]
        fields += [("Provides-Extra", extra) for extra in extras]
        metadata = "".join(f"{key}: {value}\n" for key, value in fields)
        if self.layout == "named":
            return {self.info: metadata}
        texts = {"METADATA" if self.info.endswith("dist-info") else "PKG-INFO": metadata}
        if self.points:
            groups = sorted({group for group, _, _ in self.points})
            lines = {g: "".join(f"{n} = {v}\n" for group, n, v in self.points if group == g) for g in groups}
            texts["entry_points.txt"] = "\n".join(f"[{group}]\n{lines[group]}" for group in groups)
        if self.info.endswith("egg-info") and self.needs:
            plain = "".join(f"{need.text}\n" for need in self.needs if not need.marker)
            marked = "".join(f"[{_section(need)}]\n{need.text}\n" for need in self.needs if need.marker)
            texts["requires.txt"] = f"{plain}\n{marked}"
        if self.layout in {"debian", "debian-egg"}:
            tops = {name for name in self.modules if "." not in name} | self.unimportable
            texts["top_level.txt"] = "".join(f"{top}\n" for top in sorted(tops))
        return {f"{self.info}/{name}": text for name, text in texts.items()}

    @property
    def visible(self) -> dict[str, str]:
        """The texts of all its files on the path, by relative path."""
        texts = {**self.inside, **self.described}
        if self.layout == "wheel":
            rows = io.StringIO()
            names = [*self.recorded, f"{self.info}/RECORD"]
            csv.writer(rows, lineterminator="\n").writerows([name, "", ""] for name in names)
            texts[f"{self.info}/RECORD"] = rows.getvalue()
        if self.layout == "egg":
            texts[f"{self.info}/installed-files.txt"] = "".join(f"../{name}\n" for name in self.recorded)
        return texts


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A drawn host, and what of it is named."""

    distributions: dict[str, Drawn]
    named: dict[str, set[str]]
    """Normalized names with the extras asked for."""
    spelled: list[str]
    """The same as a user writes it."""
    in_source: bool
    """The host lies in the source tree."""

    def _repr_pretty_(self, printer: RepresentationPrinter, cycle: bool) -> None:  # noqa: FBT001 - Hypothesis calls it
        """Show what a counterexample needs: every file of every distribution."""
        assert not cycle
        shown = [f"named {self.spelled} in_source={self.in_source}"]
        for item in self.distributions.values():
            shown.append(f"{item.name} {item.version} {item.layout} elsewhere={item.elsewhere}")
            shown.append(f"  needs {list(map(str, item.needs))} points {item.points}")
            shown += [f"  {place}" for place in (item.recorded if item.is_recorded else item.visible)]
        printer.text("\n".join(shown))

    @property
    def passed(self) -> list[Drawn]:
        """What passes through: the least set that holds the named ones and what its members need."""
        reached = {(name, extra) for name, extras in self.named.items() for extra in ("", *extras)}
        while True:
            more = {
                (need.target, extra)
                for name, known in reached
                for need in self.distributions[name].needs
                if need.target in self.distributions and need.extra in {"", known} and not need.is_never
                for extra in ("", need.asks)
            }
            if more <= reached:
                return [self.distributions[name] for name in sorted({name for name, _ in reached})]
            reached |= more


class _Drawing:
    """Draws one host, so that no two distributions want the same file or module."""

    def __init__(self, draw: DrawFn) -> None:
        self.draw = draw
        self._claimed: set[str] = set(map(normalized, _NAMESPACES))
        self._styles = {name: draw(st.booleans()) for name in _NAMESPACES}

    def claims(self, name: str) -> bool:
        """Whether a name was free; it is taken from now on, in every spelling."""
        is_free = normalized(name) not in self._claimed
        self._claimed.add(normalized(name))
        return is_free

    def distribution(self, name: str) -> Drawn:
        """Draw a distribution."""
        draw = self.draw
        stem = draw(st.sampled_from([re.sub(r"[-_.]+", "_", name), re.sub("-", "_", name)]))
        item = Drawn(
            name=name,
            stem=stem,
            version=draw(st.sampled_from(_VERSIONS)),
            layout=draw(st.sampled_from([*["wheel"] * 6, "egg", "debian", "debian-egg", "named"])),
            elsewhere=draw(st.integers(0, 4)) == 4,
            is_compiled=draw(st.booleans()),
        )
        words = draw(st.lists(st.sampled_from(_WORDS), min_size=2, max_size=5, unique=True))
        for word in words if item.layout != "named" else [item.key.replace("-", "_")]:
            if item.is_recorded:
                self._part(item, word)
            else:
                self._module(item, "", word, ["single", "extension", "twin", "package", "stub"])
        if not item.is_recorded and not item.modules:
            item.layout = "wheel"  # whatever has the same name as an empty distribution without a record passes for its
        if item.is_compiled and item.layout == "wheel":
            _compile(item)
        return item

    def _part(self, item: Drawn, word: str) -> None:
        draw = self.draw
        kinds = ["module", "namespace", "libs", "stubs", "loose", "shared", "path"]
        kinds += ["points"] if item.elsewhere else ["data", "programs", "points"]
        for kind in draw(st.lists(st.sampled_from(kinds), min_size=2, max_size=4, unique=True)):
            if kind == "module":
                self._module(item, "", word)
            elif kind == "namespace":
                self._module(item, draw(st.sampled_from(_NAMESPACES)), word)
            elif kind == "path":
                self._path(item, word)
            elif kind == "shared":
                self._file(item, f"{draw(st.sampled_from(_SHARED))}/{word}.txt")
            elif kind == "libs":
                self._file(item, f"{word}.libs/lib{word}-1.so")
            elif kind == "stubs":
                self._file(item, f"{word}-stubs/__init__.pyi")
            elif kind == "loose":
                self._file(item, draw(st.sampled_from(["{}.txt", "a, {}.cfg", ".{}"])).format(word))
            else:
                self._outside(item, kind, word)

    def _file(self, item: Drawn, place: str) -> None:
        if self.claims(f"file {place}"):
            _add(item, place)

    def _module(self, item: Drawn, parent: str, word: str, kinds: Iterable[str] = ()) -> None:
        draw = self.draw
        name = f"{parent}.{word}" if parent else word
        if not self.claims(name):
            return
        for depth in range(1, parent.count(".") + 2) if parent else ():
            outer = ".".join(parent.split(".")[:depth])
            item.namespaces.add(outer)
            if self._styles[outer]:
                place = f"{outer.replace('.', '/')}/__init__.py"
                item.inside[place], item.modules[outer] = _PKGUTIL, place
        known = ["single", "sourceless", "extension", "foreign", "twin", "stub", "typed", "package", "package"]
        known += ["native"]
        kind = draw(st.sampled_from(list(kinds) or known))
        stem = name.replace(".", "/") if parent else word
        suffix = draw(st.sampled_from([".so", ".abi3.so", _extension_suffix()]))
        places = {
            "single": [f"{stem}.py"],
            "sourceless": [f"{stem}.pyc"],
            "extension": [f"{stem}{suffix}"],
            "foreign": [f"{stem}.cpython-36m-x86_64-linux-gnu.so", f"{stem}.pyd"],
            "twin": [f"{stem}{suffix}", f"{stem}.py"],
            "stub": [f"{stem}.py", f"{stem}.pyi"],
            "typed": [f"{stem}.pyi"],
            "package": [f"{stem}/__init__.py"],
            "native": [f"{stem}/__init__{suffix}"],
        }[kind]
        for place in places:
            _add(item, place)
        if kind in {"foreign", "typed"}:
            item.unimportable.add(name)
            return
        item.modules[name] = places[0]
        if kind == "package":
            self._inner(item, name, stem)

    def _inner(self, item: Drawn, name: str, stem: str) -> None:
        suffix = _extension_suffix()
        modules = {"part": "part.py", "fast": f"fast{suffix}", "sub": "sub/__init__.py", "sub.leaf": "sub/leaf.py"}
        others = ["py.typed", "include/a, b.h", "templates/page.txt", "sub/_c.pxd"]
        for inner in self.draw(st.lists(st.sampled_from(sorted(modules)), max_size=3, unique=True)):
            if inner == "sub.leaf":
                item.modules[f"{name}.sub"] = _add(item, f"{stem}/sub/__init__.py")
            item.modules[f"{name}.{inner}"] = _add(item, f"{stem}/{modules[inner]}")
        for other in self.draw(st.lists(st.sampled_from(others), max_size=2, unique=True)):
            _add(item, f"{stem}/{other}")

    def _path(self, item: Drawn, word: str) -> None:
        """Add a `.pth` file: with the name of a folder beside it, or with the path of a source tree."""
        module, folder = f"inside_{word}", f"{normalized(word).replace('-', '_')}_path"
        if not self.claims(module):
            return
        if self.draw(st.booleans()):
            item.inside[f"{word}.pth"] = f"# a remark\n{folder}\n"
            item.modules[f"{folder}.{module}"] = _add(item, f"{folder}/{module}.py")
            item.namespaces.add(folder)
            item.lines[module] = folder
        else:
            item.inside[f"{word}.pth"] = f"@SOURCES@/{folder}\n"
            item.lines[module] = f"@SOURCES@/{folder}"

    def _outside(self, item: Drawn, kind: str, word: str) -> None:
        draw = self.draw
        if kind == "data":
            folder = draw(st.sampled_from(_DATA))
            place = f"{folder}/{word}.dat" if folder else f"{word}.dat"
            if self.claims(f"data {place}"):
                item.data[place] = f"{place} of {item.name}\n"
        elif kind == "programs":
            name = draw(st.sampled_from(["{}-run", "{}.sh", "run_{}"])).format(word)
            starts = ["#!@HOST@/bin/python\n", "#!/bin/sh\n", "\x7fELF", "#!/usr/bin/env python3\n", ""]
            if self.claims(f"program {name}"):
                item.programs[name] = draw(st.sampled_from(starts)) + f"# {name} of {item.name}\n"
        else:
            group = draw(st.sampled_from(["console_scripts", "gui_scripts", "plugins", "more.plugins"]))
            name = draw(st.sampled_from(["{}-say", "Say.{}"])).format(word)
            value = draw(st.sampled_from(["some.module:App.run", "größe : App [fast]"]))
            if self.claims(f"program {name}"):
                item.points.append((group, name, value))

    def needs(self, item: Drawn, names: list[str]) -> None:
        """Draw what a distribution requires."""
        draw = self.draw
        if item.layout == "named":
            return
        for target in draw(st.lists(st.sampled_from([*names, "absent"]), max_size=2, unique=True)):
            if normalized(target) == item.key:
                continue
            asks = draw(st.sampled_from(["", "", "fast"]))
            text = _respelled(draw, target) + (f"[{asks}]" if asks else "") + draw(st.sampled_from(["", ">=0.1"]))
            known = {
                "plain": Need(text=text, target=normalized(target), asks=asks),
                "fast": Need(text=text, target=normalized(target), asks=asks, extra="fast", marker='extra == "fast"'),
                "true": Need(text=text, target=normalized(target), asks=asks, marker='python_version >= "3"'),
                "false": Need(
                    text=text, target=normalized(target), asks=asks, marker='sys_platform == "nowhere"', is_never=True
                ),
            }
            item.needs.append(known[draw(st.sampled_from(sorted(known)))])


@st.composite
def worlds(draw: DrawFn) -> World:
    """Draw a host and what of it is named."""
    drawing = _Drawing(draw)
    names = draw(st.lists(st.sampled_from(_NAMES), min_size=2, max_size=5, unique_by=normalized))
    distributions = {normalized(name): drawing.distribution(name) for name in names}
    for item in distributions.values():
        drawing.needs(item, names)
    named, spelled = {}, []
    least = draw(st.sampled_from([1, 1, 1, 1, 1, 0]))
    for name in draw(st.lists(st.sampled_from(names), min_size=least, max_size=3 * least, unique=True)):
        extras = draw(st.sampled_from([set(), set(), {"fast"}]))
        named[normalized(name)] = extras
        spelled.append(_respelled(draw, name) + ("[fast]" if extras else ""))
    return World(
        distributions=distributions, named=named, spelled=spelled, in_source=draw(st.sampled_from([False, False, True]))
    )


def normalized(name: str) -> str:
    """Return a name as it is compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Where examples take place, one after the other."""

    folder: Path
    empty: Path
    """A virtual environment with nothing in it, to be copied."""

    def built(self, world: World) -> Path:
        """Make the host that was drawn, and a project; return the host's folder."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.project.mkdir(parents=True)
        toml = '[build-system]\nrequires = []\nbuild-backend = "nothing"\nbackend-path = ["."]\n'
        (self.project / "pyproject.toml").write_text(toml, encoding="utf-8")
        (self.project / "nothing.py").touch()
        host = self.project / ".venv" if world.in_source else self.folder / "host"
        shutil.copytree(self.empty, host, symlinks=True)
        (self.site(host) / "zz_elsewhere.pth").write_text(f"{host}/elsewhere\n", encoding="utf-8")
        for item in world.distributions.values():
            for place, text in self.files(host, item).items():
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(text, encoding="utf-8", newline="")
            for name in () if item.elsewhere else (*item.programs, *item.scripts):
                (host / "bin" / name).chmod(0o755)
        return host

    def files(self, host: Path, item: Drawn) -> dict[Path, str]:
        """Return the texts of all files of a distribution."""
        location = self.location(host, item)
        texts = {location / place: filled(text, host) for place, text in item.visible.items()}
        texts |= {host / place: text for place, text in item.data.items()}
        if not item.elsewhere:
            texts |= {host / "bin" / name: filled(text, host) for name, text in item.programs.items()}
            texts |= {host / "bin" / name: f"#!{host}/bin/python\nraise SystemExit\n" for name in item.scripts}
        lines = {module: filled(folder, host) for module, folder in item.lines.items() if folder.startswith("@")}
        return texts | {Path(folder) / f"{module}.py": "" for module, folder in lines.items()}

    @property
    def project(self) -> Path:
        """The project for which build environments are made."""
        return self.folder / "project"

    def site(self, host: Path) -> Path:
        """Return a host's site-packages."""
        return host / "lib" / f"python{_python_version()}" / "site-packages"

    def location(self, host: Path, item: Drawn) -> Path:
        """Return the folder on the host's path in which a distribution lies."""
        return host / "elsewhere" if item.elsewhere else self.site(host)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory, workshop: Workshop) -> Iterator[Ground]:
    """Make an empty host, and give this process the variables that programs get elsewhere in these tests."""
    folder = tmp_path_factory.mktemp("exactness")
    workshop.run(_PYTHON, "-m", "venv", "--without-pip", folder / "empty")
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            patch.delenv(name)
        for name, value in workshop.environ.items():
            patch.setenv(name, value)
        yield Ground(folder=folder / "ground", empty=folder / "empty")


@settings(
    deadline=None,
    max_examples=int(_SOAK or 40),
    derandomize=_SOAK is None,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(world=worlds())
def test_the_build_environment_shows_exactly_what_passes_through(ground: Ground, world: World) -> None:
    """Modules at their true paths, metadata, data, scripts, whole; nothing of the rest; and the host stays as it is."""
    host = ground.built(world)
    before = fingerprint(host)

    with api.build_environment(ground.project, host=host, passthrough=world.spelled, installer="uv") as environment:
        finished = subprocess.run(
            [environment.python_executable, "-I", "-c", _QUESTION],
            env={**os.environ, **environment.make_extra_environ()},
            input=json.dumps(questions(world)),
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    assert finished.stderr == ""
    told = json.loads(finished.stdout)
    expected = Expected(ground=ground, world=world, host=host, told=told)
    assert told["path"] == expected.path()
    assert sorted(set(told["top"]) - _OWN_MODULES) == expected.listed("")
    assert told["modules"] == expected.modules()
    assert told["listed"] == {name: expected.listed(name) for name in told["listed"]}
    assert {item["name"]: item for item in told["distributions"]} == expected.distributions()
    assert len(told["distributions"]) == len(world.passed)
    assert told["trees"][1:2] == expected.view()
    assert [name for name in told["trees"][0] if not _OWN_SITE.fullmatch(name)] == []
    assert told["data"] == expected.data()
    assert set(told["programs"]) == expected.programs()
    assert told["which"] == expected.which()
    assert fingerprint(host) == before


def questions(world: World) -> dict[str, list[str]]:
    """Return what there is to ask about."""
    items = world.distributions.values()
    modules = {name for item in items for name in (*item.modules, *item.lines, *item.unimportable, *item.namespaces)}
    packages = {name for item in items for name, place in item.modules.items() if place.endswith("/__init__.py")}
    return {
        "modules": sorted(modules | {place for place in _SHARED if "." not in place}),
        "packages": sorted(packages.union(*(item.namespaces for item in items))),
        "programs": sorted({name for item in items for name in (*item.programs, *item.scripts)}),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the build environment has to answer, by the drawing."""

    ground: Ground
    world: World
    host: Path
    told: Mapping[str, Any]

    @property
    def prefix(self) -> str:
        """The build environment's folder, as it says."""
        return str(self.told["prefix"])

    def path(self) -> list[str]:
        """Return the search path: the environment's own, one folder of the view, and what `.pth` files lead to."""
        own = f"{self.prefix}/lib/python{_python_version()}/site-packages"
        view = [self._view] if self.world.passed else []
        lines = {self._folder(item, folder) for item in self.world.passed for folder in item.lines.values()}
        return [own, *view, *(folder for folder in self.told["path"][2:] if folder in lines)]

    def modules(self) -> dict[str, str | None]:
        """Return where each module is found that any distribution has."""
        found: dict[str, str | None] = dict.fromkeys(self.told["modules"])
        for item in self.world.passed:
            found |= dict.fromkeys(item.namespaces, "namespace")
            found |= {place.split("/")[0]: "namespace" for place in item.inside if place.split("/")[0] in found}
        for item in self.world.passed:
            location = self._view if self.world.in_source else self.ground.location(self.host, item)
            found |= {name: f"{location}/{place}" for name, place in item.modules.items()}
            # The `__init__.py` of a pkgutil-style namespace belongs to all of its parts: the view's folder shows some.
            found |= {name: f"{self._view}/{item.modules[name]}" for name in item.namespaces & item.modules.keys()}
            found |= {name: f"{self._folder(item, folder)}/{name}.py" for name, folder in item.lines.items()}
        return found

    def listed(self, parent: str) -> list[str] | None:
        """Return what `pkgutil` lists in a package, None where there is no such package; or, for "", on the path."""
        passed = self.world.passed
        names = {name for item in passed for name in (*item.modules, *item.lines)}
        if parent and parent not in names.union(*(item.namespaces for item in passed)):
            return None
        return sorted(name.rpartition(".")[2] for name in names if name.rpartition(".")[0] == parent)

    def distributions(self) -> dict[str, dict[str, Any]]:
        """Return what `importlib.metadata` says of each distribution, by its name."""
        told = {item["name"]: item for item in self.told["distributions"]}
        return {item.name: self._distribution(item, told.get(item.name, {})) for item in self.world.passed}

    def _distribution(self, item: Drawn, told: Mapping[str, Any]) -> dict[str, Any]:
        requires = sorted(told.get("requires", []))
        assert set(map(_parsed, requires)) == {_parsed(str(need)) for need in item.needs}
        files = None
        if item.layout == "wheel":
            texts = {**self._visible(item), **{f"../../../{name}": text for name, text in item.data.items()}}
            files = {name: texts.get(name, "made anew") for name in (*item.recorded, f"{item.info}/RECORD")}
            told_files = told["files"] or {}
            anew = [name for name in files if name not in texts]
            files |= {name: told_files[name] for name in anew if _is_text(told_files, name)}
        return {
            "name": item.name,
            "version": item.version,
            "requires": requires,
            "points": sorted([group, name, value] for group, name, value in item.points),
            "files": files,
        }

    def view(self) -> list[dict[str, str]]:
        """Return the texts of all files in the view: that one tree, or none."""
        passed = self.world.passed
        texts = {name: text for item in passed for name, text in self._visible(item).items()}
        return [texts] if passed else []

    def data(self) -> dict[str, str]:
        """Return the texts of all other files below the prefix."""
        own = {name: text for name, text in self.told["data"].items() if name in _OWN_FILES}
        return own | {name: text for item in self.world.passed for name, text in item.data.items()}

    def programs(self) -> set[str]:
        """Return the names of all programs."""
        own = {name for name in self.told["programs"] if _OWN_PROGRAMS.fullmatch(name)}
        return own.union(*((*item.programs, *item.scripts) for item in self.world.passed))

    def which(self) -> dict[str, str | None]:
        """Return where each program is found that any distribution has."""
        passed = self.programs()
        return {name: f"{self.prefix}/bin/{name}" if name in passed else None for name in self.told["which"]}

    @property
    def _view(self) -> str:
        (folder,) = [folder for folder in self.told["path"][1:2] if PurePosixPath(folder).is_relative_to(self.prefix)]
        return str(folder)

    def _visible(self, item: Drawn) -> dict[str, str]:
        return {name: filled(text, self.host) for name, text in item.visible.items()}

    def _folder(self, item: Drawn, folder: str) -> str:
        if folder.startswith("@"):
            return filled(folder, self.host)
        return f"{self.ground.location(self.host, item)}/{folder}"


def filled(text: str, host: Path) -> str:
    """Return a drawn text with the paths that were not known yet."""
    return text.replace("@HOST@", str(host)).replace("@SOURCES@", f"{host}/sources")


def _add(item: Drawn, place: str) -> str:
    """Give a file of its own text to a distribution; return its place."""
    item.inside[place] = f"# {place} of {item.name}\n"
    return place


def _compile(item: Drawn) -> None:
    """Add byte code of the source files, as pip does."""
    tag = sys.implementation.cache_tag
    sources = [place for place in item.inside if place.endswith(".py")]
    for place in sources:
        compiled = PurePosixPath(place).parent / "__pycache__" / f"{PurePosixPath(place).stem}.{tag}.pyc"
        item.inside[str(compiled)] = "byte code of " + item.inside[place]


def _section(need: Need) -> str:
    return need.extra or (f":{need.marker}" if need.marker else "")


def _respelled(draw: DrawFn, name: str) -> str:
    """Return another spelling of a name."""
    spelled = re.sub(r"(?<=\w)[-_.]+(?=\w)", lambda _: draw(st.sampled_from(["-", "_", ".", "-_."])), name)
    return draw(st.sampled_from([spelled, spelled.upper(), name]))


def _parsed(requirement: str) -> str:
    return str(Requirement(requirement))


def _is_text(files: Mapping[str, Any], name: str) -> bool:
    return isinstance(files.get(name), str)


def _extension_suffix() -> str:
    return str(sysconfig.get_config_var("EXT_SUFFIX"))


def _python_version() -> str:
    return ".".join(map(str, sys.version_info[:2]))
