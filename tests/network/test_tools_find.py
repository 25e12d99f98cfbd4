"""All of a passed package, as real build tools look for it: CMake, Meson, compilers, plugins, start-up files."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import virtualenv
from packaging.version import Version

from tests.integration.bench import fingerprint, seen
from tests.network.tools import SAMPLES, contents, output, passbuild
from tests.samples.records_what_it_sees.backend import tiny_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tests.network.tools import Outcome

pytestmark = pytest.mark.network

STOCK = (
    "babel==2.18.0",
    "cmake==3.31.10",
    "coverage>=7.13",
    "cython-cmake",
    "hatch-vcs",
    "mkl-include",
    "ninja==1.13.0",
    "pybind11",
    "pybind11-global",
    "setuptools-scm",
)
"""What the host of most tests holds; each test passes what it names, and all else has to stay out of sight."""
OLD = ("cmake==3.18.4.post1", "ninja==1.10.2.4", "setuptools==68.2.2", "pybind11")
"""Build tools that are older than what is required of them."""
OTHER = "3.12" if sys.version_info[:2] != (3, 12) else "3.11"
"""A Python that is not the one passbuild runs on."""
ENTRY_POINTS = """\
[cmake.module]
signs = signs.modules
[cmake.prefix]
signs = signs.prefix
[cmake.root]
of_the_root_group = signs.config
"""
SIGNS = {
    "signs/__init__.py": "",
    "signs/modules/__init__.py": "",
    "signs/modules/of_the_module_group.cmake": "set(of_the_module_group_FILE ${CMAKE_CURRENT_LIST_FILE})\n",
    "signs/prefix/__init__.py": "",
    "signs/prefix/lib/cmake/of_the_prefix_group/of_the_prefix_groupConfig.cmake": "",
    "signs/config/__init__.py": "",
    "signs/config/of_the_root_groupConfig.cmake": "",
    "signs-1.0.dist-info/entry_points.txt": ENTRY_POINTS,
}
"""A package that tells scikit-build-core where its CMake files are, in each of the three ways."""

SUM_UP = "import numpy, summed; print(summed.summed(numpy.array([1.0, 2.0, 3.5])))"
"""Computes with the module that Meson built."""


def made(folder: Path, *packages: object, pythons: Sequence[object] = (sys.executable,)) -> Path:
    """Make a host that holds these packages, with the first of these Pythons that there is."""
    wanted = [argument for python in pythons for argument in ("--python", str(python))]
    virtualenv.cli_run(["--no-seed", *wanted, str(folder)], setup_logging=False)
    uv = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", str(folder / "bin/python")]
    if packages:
        subprocess.run([*uv, *map(str, packages)], check=True)
    return folder


def site_packages(host: Path) -> Path:
    """Return the folder of a host in which its packages lie."""
    (found,) = host.glob("lib/python*/site-packages")
    return found


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Make the host of most tests, and a start-up module in it; afterwards it has to be as it was."""
    host = made(tmp_path_factory.mktemp("stocked") / "venv", *STOCK)
    (site_packages(host) / "sitecustomize.py").write_text("import sys; sys.customized = True\n", encoding="utf-8")
    before = fingerprint(host)
    yield host
    assert fingerprint(host) == before


@pytest.fixture(scope="module")
def other_host(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a host of another Python than passbuild's."""
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    pythons = [*pyenv.glob(f"versions/{OTHER}.*/bin/python"), OTHER]
    try:
        return made(tmp_path_factory.mktemp("other") / "venv", "mkl-include", pythons=pythons)
    except RuntimeError:
        pytest.skip(f"there is no Python {OTHER} on this machine")


def sample(name: str, folder: Path, *, requires: Sequence[str] = ()) -> Path:
    """Copy a sample project; `requires` are the build requirements that it states instead of its own."""
    source = shutil.copytree(SAMPLES / name, folder / "source", ignore=shutil.ignore_patterns("build", "*.egg-info"))
    if requires:
        file = source / "pyproject.toml"
        stated = f"requires = {json.dumps(list(requires))}"
        text, count = re.subn(r"^requires = .*$", stated, file.read_text(), flags=re.MULTILINE)
        assert count == 1
        file.write_text(text)
    return source


def in_git(source: Path, tag: str) -> Path:
    """Put a project into a git repository, with everything committed and tagged."""
    git = ["git", "-c", "user.name=tests", "-c", "user.email=tests@example.org", "-c", "init.defaultBranch=main"]
    for words in (["init"], ["add", "."], ["commit", "-m", "all"], ["tag", tag]):
        subprocess.run([*git, *words], cwd=source, check=True, capture_output=True)
    return source


def passing(*names: str) -> list[str]:
    """Return the options that pass these packages through."""
    return [argument for name in names for argument in ("--passthrough", name)]


def told(
    folder: Path,
    host: Path,
    passed: Sequence[str],
    asks: Mapping[str, str],
    *,
    requires: Sequence[str] = (),
    environ: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Return what these programs answer in a hook, after holding that its children answer the same, also isolated."""
    ignore = shutil.ignore_patterns("__pycache__")
    project = shutil.copytree(SAMPLES / "records_what_it_sees", folder / "recorder", ignore=ignore)
    (project / "recorder.json").write_text(json.dumps({"asks": asks, "children": ["-I", "-s"]}), encoding="utf-8")
    file = project / "pyproject.toml"
    file.write_text(file.read_text().replace("requires = []", f"requires = {json.dumps(list(requires))}"))
    outcome = passbuild("wheel", project, "--host", host, *passing(*passed), "-o", folder / "out", environ=environ)
    answers: dict[str, dict[str, Any]] = seen(outcome.wheel)["answers"]
    assert answers["-I"] == answers["-s"] == answers[""]
    return answers[""]


def computed(outcome: Outcome, folder: Path, host: Path, program: str) -> str:
    """Install the wheel for a host, whose own files stay as they are, and return what a program prints with it."""
    python, shown = host / "bin/python", folder / "installed"
    uv = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--python", str(python)]
    subprocess.run([*uv, "--target", str(shown), str(outcome.wheel)], check=True)
    return output(python, "-B", "-c", program, shows=shown)


def includes(outcome: Outcome) -> set[str]:
    """Return the folders that compilers were told to include from, in the output of a build."""
    return {os.path.normpath(path) for path in re.findall(r" -(?:I|isystem) ?(\S+)", outcome.stderr)}


@pytest.mark.parametrize(
    ("passed", "place"),
    [("pybind11", r"/host-packages/pybind11/share/cmake/pybind11"), ("pybind11-global", r"/env/share/cmake/pybind11")],
    ids=["inside_the_package", "below_the_prefix"],
)
def test_plain_cmake_find_package_finds_a_config(passed: str, place: str, stocked: Path, tmp_path: Path) -> None:
    """CMake without any Python backend finds the config of the passed one, compiles with it, and the module works."""
    source = sample("setup_py_calls_cmake", tmp_path, requires=["setuptools>=68", "cmake>=3.26", "ninja"])

    outcome = passbuild("wheel", source, "--host", stocked, *passing(passed), "-v")

    assert re.search(rf"pybind11 3\S+ is at \S+{place}\n", outcome.stderr)
    assert outcome.names("passed") == {passed}
    assert {"cmake", "ninja", "setuptools"} == outcome.names("installed")
    assert computed(outcome, tmp_path, stocked, "import tripled; print(tripled.tripled(14))") == "42"


def test_scikit_build_core_finds_the_entry_points_module_prefix_and_root(tmp_path: Path) -> None:
    """`cmake.module`, `cmake.prefix` and `cmake.root` of a passed package lead to its files on the host."""
    wheel = tiny_wheel.write(tmp_path, "signs", "1.0", SIGNS)
    host = made(tmp_path / "host", wheel)
    source = sample("scikit_build_core_uses_entry_points", tmp_path)

    outcome = passbuild("wheel", source, "--host", host, *passing("signs"), "-v")

    signs = site_packages(host) / "signs"
    assert f"the module is at {signs}/modules/of_the_module_group.cmake\n" in outcome.stderr
    assert f"the prefix has {signs}/prefix/lib/cmake/of_the_prefix_group\n" in outcome.stderr
    assert f"the root has {signs}/config\n" in outcome.stderr
    assert passbuild("wheel", source, "--host", host, code=1).document["error"]["code"] == "backend-failed"


def test_scikit_build_core_includes_a_module_of_the_entry_point_module(stocked: Path, tmp_path: Path) -> None:
    """cython-cmake of the host and an isolated Cython compile an extension."""
    source = sample("scikit_build_core_includes_a_module", tmp_path)

    outcome = passbuild("wheel", source, "--host", stocked, *passing("cython-cmake"))

    assert "cython" in outcome.names("installed")
    assert "cython-cmake" not in outcome.names("installed")
    assert computed(outcome, tmp_path, stocked, "import squared; print(squared.squared(1.5))") == "2.25"


def test_what_meson_finds_by_pkg_config_counts_as_used(host: Path, tmp_path: Path) -> None:
    """A quiet build imports nothing of numpy and prints no path of it: nobody says that it was not used."""
    source = sample("meson_depends_on_numpy_and_pybind11", tmp_path)
    file = source / "pyproject.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('compile = ["-v"]', "compile = []"), encoding="utf-8")

    outcome = passbuild("wheel", source, "--host", host, *passing("numpy", "pybind11"))

    assert outcome.document["warnings"] == []


@pytest.mark.parametrize("method", ["pkg-config", "config-tool"])
def test_meson_dependency_finds_numpy_and_pybind11(method: str, host: Path, tmp_path: Path) -> None:
    """By pkg-config and by `numpy-config` and `pybind11-config`, the include paths are the host's own."""
    source = sample("meson_depends_on_numpy_and_pybind11", tmp_path)
    options = [*passing("numpy", "pybind11"), "-C", f"setup-args=-Dmethod={method}", "-v"]

    outcome = passbuild("wheel", source, "--host", host, *options)

    versions = {item["name"]: item["version"] for item in outcome.document["passed"]}
    kind = {"pkg-config": "pkgconfig", "config-tool": "config-tool"}[method]
    for name, folder in (("numpy", "numpy/_core/include"), ("pybind11", "pybind11/include")):
        assert f"{name} {versions[name]} found as {kind}\n" in outcome.stderr
        assert str(site_packages(host) / folder) in includes(outcome)
    assert computed(outcome, tmp_path, host, SUM_UP) == "6.5"


def test_meson_takes_numpy_of_a_venv_inside_the_source_tree(tmp_path: Path) -> None:
    """Meson refuses absolute include paths inside the source tree: those of `.venv` there are shown elsewhere."""
    source = sample("meson_depends_on_numpy_and_pybind11", tmp_path)
    host = made(source / ".venv", "numpy", "pybind11")
    before = fingerprint(host)

    outcome = passbuild("wheel", source, "--host", host, *passing("numpy", "pybind11"), "-v")

    assert fingerprint(host) == before
    assert outcome.names("passed") == {"numpy", "pybind11"}
    assert [path for path in includes(outcome) if path.endswith("/host-packages/numpy/_core/include")]
    assert not [path for path in includes(outcome) if path.startswith(str(source / ".venv"))]
    assert computed(outcome, tmp_path, host, SUM_UP) == "6.5"


def test_headers_below_the_prefix_are_found_by_a_c_extension(stocked: Path, tmp_path: Path) -> None:
    """mkl-include puts its headers beside site-packages: `-I{sys.prefix}/include` leads to them."""
    source = sample("c_extension_includes_from_the_prefix", tmp_path)

    outcome = passbuild("wheel", source, "--host", stocked, *passing("mkl-include"))

    (version,) = (item["version"] for item in outcome.document["passed"])
    assert outcome.names("installed") == {"setuptools"}
    program = "import year_of_mkl; print(year_of_mkl.YEAR, year_of_mkl.INTEGER)"
    assert computed(outcome, tmp_path, stocked, program) == f"{version.partition('.')[0]} 4"


def test_sysconfig_is_the_hosts_and_its_paths_are_the_build_environments(other_host: Path, tmp_path: Path) -> None:
    """Where to install is the build environment, what to compile with is the host's, of another Python too."""
    asks = {
        "variables": "import sysconfig; answer = sysconfig.get_config_vars()",
        "paths": "import sysconfig; answer = sysconfig.get_paths()",
        "prefix": "import sys; answer = [sys.prefix, sys.base_prefix]",
    }
    dump = "; import json; print(json.dumps(answer))"
    theirs = {name: json.loads(output(other_host / "bin/python", "-B", "-c", asks[name] + dump)) for name in asks}

    ours = told(tmp_path, other_host, ["mkl-include"], asks)

    prefix, base = ours["prefix"]
    assert base == theirs["prefix"][1]
    assert prefix != theirs["prefix"][0] == str(other_host)
    for kind in ("purelib", "platlib", "scripts", "data"):
        assert ours["paths"][kind].startswith(prefix)
    assert json.dumps(ours).replace(prefix, str(other_host)) == json.dumps(theirs)
    assert ours["variables"]["EXT_SUFFIX"].startswith(f".cpython-{OTHER.replace('.', '')}")


def test_an_extension_has_the_tag_of_a_host_with_another_python(other_host: Path, tmp_path: Path) -> None:
    """The wheel is for the host's Python, not for that of passbuild, and works there."""
    source = sample("c_extension_includes_from_the_prefix", tmp_path)

    outcome = passbuild("wheel", source, "--host", other_host, *passing("mkl-include"))

    tag = f"cp{OTHER.replace('.', '')}"
    assert f"-{tag}-{tag}-linux" in outcome.wheel.name
    assert computed(outcome, tmp_path, other_host, "import year_of_mkl; print(year_of_mkl.INTEGER)") == "4"


@pytest.mark.parametrize("passed", [True, False], ids=["passed", "unpassed"])
def test_setuptools_scm_gives_version_and_files_only_when(passed: bool, stocked: Path, tmp_path: Path) -> None:  # noqa: FBT001 - pytest's
    """Its entry points in setuptools act when it is passed; on the host alone they do not."""
    source = in_git(sample("setuptools_asks_git", tmp_path), "v2.5")

    outcome = passbuild("sdist", source, "--host", stocked, *passing(*["setuptools-scm"] * passed))

    assert outcome.document["artifacts"][0]["version"] == ("2.5" if passed else "0.0.0")
    assert ("known_to_git.txt" in sdist_files(outcome)) is passed
    assert "setuptools-scm" not in outcome.names("installed")


def sdist_files(outcome: Outcome) -> set[str]:
    """Return the names of the files in an sdist."""
    with tarfile.open(outcome.wheel) as archive:
        return {Path(name).name for name in archive.getnames()}


@pytest.mark.parametrize("passed", [True, False], ids=["passed", "unpassed"])
def test_a_command_of_a_setuptools_plugin_runs_only_when(passed: bool, stocked: Path, tmp_path: Path) -> None:  # noqa: FBT001 - pytest's
    """Babel's `distutils.commands` compile the message catalogs; unpassed, setuptools does not know the command."""
    source = sample("setup_py_compiles_catalogs", tmp_path)

    outcome = passbuild("wheel", source, "--host", stocked, *passing(*["babel"] * passed), code=0 if passed else 1)

    if passed:
        assert "translated/locale/de/LC_MESSAGES/messages.mo" in contents(outcome.wheel)
    else:
        assert "invalid command 'compile_catalog'" in "\n".join(outcome.document["error"]["output"])


@pytest.mark.parametrize("passed", [True, False], ids=["passed", "unpassed"])
def test_a_hatch_plugin_acts_only_when(passed: bool, stocked: Path, tmp_path: Path) -> None:  # noqa: FBT001 - pytest's
    """hatch-vcs of the host gives an isolated hatchling the version; unpassed, hatchling does not know the plugin."""
    source = in_git(sample("hatch_asks_git", tmp_path), "v2.5")

    outcome = passbuild("wheel", source, "--host", stocked, *passing(*["hatch-vcs"] * passed), code=0 if passed else 1)

    assert "hatchling" in outcome.names("installed")
    if passed:
        assert outcome.document["artifacts"][0]["version"] == "2.5"
        assert {"hatch-vcs", "setuptools-scm"} <= outcome.names("passed")
    else:
        assert "Unknown version source: vcs" in "\n".join(outcome.document["error"]["output"])


def test_pkg_resources_sees_what_is_passed_and_nothing_else(stocked: Path, tmp_path: Path) -> None:
    """An old setuptools, required: versions, entry points and resources of the passed babel, none of the others."""
    begin = "import warnings; warnings.simplefilter('ignore'); import pkg_resources as p; "
    points = f"{begin}points = p.iter_entry_points"
    asks = {
        "version": f"{begin}answer = p.get_distribution('Babel').version",
        "commands": f"{points}('distutils.commands', 'compile_catalog'); answer = [point.dist.key for point in points]",
        "loaded": f"{points}('babel.checkers', 'num_plurals'); answer = [point.load().__module__ for point in points]",
        "resource": f"{begin}answer = p.resource_filename('babel', 'global.dat')",
        "others": f"{begin}answer = sorted(set(p.working_set.by_key) - {{'babel', 'setuptools'}})",
        "plugins": f"{points}('setuptools.file_finders'); answer = [point.name for point in points]",
    }

    answers = told(tmp_path, stocked, ["babel"], asks, requires=["setuptools==68.2.2"])

    assert answers == {
        "version": "2.18.0",
        "commands": ["babel"],
        "loaded": ["babel.messages.checkers"],
        "resource": str(site_packages(stocked) / "babel" / "global.dat"),
        "others": [],
        "plugins": [],
    }


@pytest.mark.parametrize("passed", [True, False], ids=["passed", "unpassed"])
def test_coverage_starts_in_the_hooks_only_when(passed: bool, stocked: Path, tmp_path: Path) -> None:  # noqa: FBT001 - pytest's
    """Its `.pth` starts it where COVERAGE_PROCESS_START is set; a `sitecustomize` belongs to no package at all."""
    config = tmp_path / "coveragerc"
    config.write_text(f"[run]\ndata_file = {tmp_path}/data/file\nparallel = true\n", encoding="utf-8")
    asks = {
        "started": "import sys; answer = 'coverage' in sys.modules",
        "customized": "import sys; answer = hasattr(sys, 'customized')",
    }
    environ = {"COVERAGE_PROCESS_START": str(config)}

    answers = told(tmp_path, stocked, ["coverage"] * passed, asks, environ=environ)

    assert answers == {"started": passed, "customized": False}


def test_cmake_and_ninja_that_are_passed_and_not_declared_run(stocked: Path, tmp_path: Path) -> None:
    """`build_ext` calls them by their names and gets the host's, by way of the package and of a native program."""
    source = sample("setup_py_calls_cmake", tmp_path, requires=["setuptools>=68"])

    outcome = passbuild("wheel", source, "--host", stocked, *passing("cmake", "ninja", "pybind11"), "-v")

    assert f"cmake 3.31.10 is at {site_packages(stocked)}/cmake/data/bin/cmake\n" in outcome.stderr
    assert re.search(r"ninja 1\.13\.0\S* is at \S+/env/bin/ninja\n", outcome.stderr)
    assert outcome.names("installed") == {"setuptools"}
    assert computed(outcome, tmp_path, stocked, "import tripled; print(tripled.tripled(14))") == "42"


def test_a_native_program_runs_from_its_place_on_the_host(stocked: Path, tmp_path: Path) -> None:
    """The process that ninja is, is the host's file."""
    (tmp_path / "build.ninja").write_text(
        "rule who\n  command = readlink /proc/$$PPID/exe > $out\nbuild who: who\n",
        encoding="utf-8",
    )
    run = f"import subprocess; subprocess.run(['ninja', '-C', {str(tmp_path)!r}], check=True, stdout=subprocess.PIPE)"
    asks = {"who": f"{run}; answer = open({str(tmp_path / 'who')!r}).read()"}

    answers = told(tmp_path, stocked, ["ninja"], asks)

    assert answers == {"who": f"{stocked}/bin/ninja\n"}


def test_the_hosts_build_tools_do_not_decide_which_run(tmp_path: Path) -> None:
    """Old cmake, ninja and setuptools on the host are not passed: those that the project requires are installed."""
    host = made(tmp_path / "host", *OLD)
    run = "import subprocess; answer = subprocess.run([{!r}, '--version'], check=True, stdout=subprocess.PIPE)"
    asks = {tool: f"{run.format(tool)}.stdout.decode().split()" for tool in ("cmake", "ninja")}
    asks["setuptools"] = "import setuptools, sys; answer = [setuptools.__version__, sys.prefix in setuptools.__file__]"

    answers = told(tmp_path, host, ["pybind11"], asks, requires=["cmake>=3.26", "ninja>=1.11", "setuptools>=70"])

    ninja = answers["ninja"][0].partition(".git")[0]  # PyPI's is a patched one, and says so
    assert Version(answers["cmake"][2]) >= Version("3.26")
    assert Version(ninja) >= Version("1.11")
    assert Version(answers["setuptools"][0]) >= Version("70")
    assert answers["setuptools"][1]


def test_modules_with_an_origin_rpath_load_their_library_beside_them(tmp_path: Path) -> None:
    """`$ORIGIN` is the host's folder: of a single-file module with `.libs` beside it, and of one inside a package."""
    source = sample("extension_links_a_library_beside_it", tmp_path)
    bare = made(tmp_path / "bare")
    host = made(tmp_path / "host", passbuild("wheel", source, "--host", bare).wheel)
    before = fingerprint(host)
    mapped = "{line.split()[-1] for line in open('/proc/self/maps') if 'libbeside' in line}"
    loaded = f"answer = [m.VALUE, m.__file__, *{mapped}]"
    asks = {"single": f"import single as m; {loaded}", "inside": f"import inside.part as m; {loaded}"}

    answers = told(tmp_path, host, ["beside"], asks)

    site, suffix = site_packages(host), sysconfig.get_config_var("EXT_SUFFIX")
    library = str(site / "beside.libs" / "libbeside.so")
    assert answers == {
        "single": [42, str(site / f"single{suffix}"), library],
        "inside": [42, str(site / "inside" / f"part{suffix}"), library],
    }
    assert fingerprint(host) == before


def _by_a_link(folder: Path) -> Path:
    host = made(folder / "true", "numpy")
    (folder / "link").symlink_to(host)
    return folder / "link"


def _with_a_linked_package(folder: Path) -> Path:
    host = made(folder / "host", "numpy")
    store = folder / "store"
    store.mkdir()
    for name in ("numpy", "numpy.libs"):
        shutil.move(site_packages(host) / name, store / name)
        (site_packages(host) / name).symlink_to(store / name)
    return host


def _with_linked_files(folder: Path) -> Path:
    return made(folder / "host", "--link-mode=symlink", "numpy")


@pytest.mark.parametrize(
    "host_of", [_by_a_link, _with_a_linked_package, _with_linked_files], ids=lambda f: f.__name__[1:]
)
def test_numpy_of_a_host_with_links_is_compiled_against(host_of: Callable[[Path], Path], tmp_path: Path) -> None:
    """A host named by a link, a package that is a link, and files that all are links: headers and import work."""
    host = host_of(tmp_path)
    source = sample("cython_cimports_numpy", tmp_path)
    before = fingerprint(host)

    outcome = passbuild("wheel", source, "--host", host, *passing("numpy"), "-v")

    assert re.search(rf"-I{re.escape(str(host))}\S+/numpy/_core/include", outcome.stderr)
    assert "numpy" not in outcome.names("installed")
    program = "import numpy, total; print(total.total(numpy.array([1.0, 2.0, 3.5])))"
    assert computed(outcome, tmp_path, host, program) == "6.5"
    assert fingerprint(host) == before
