"""Build requirements that exist only as sdists and themselves need a passed package: built first, with the same."""

from __future__ import annotations

import io
import json
import sys
import tarfile
from typing import TYPE_CHECKING

import pytest

from tests.integration.bench import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.integration.bench import Bench, Outcome

_BACKEND = SAMPLES / "records_what_it_sees" / "backend"
_SYSTEM = '[build-system]\nrequires = {requires}\nbuild-backend = "maker"\nbackend-path = ["backend"]\n'
_MAKER = """\
from pathlib import Path
import {imports}
import tiny_wheel

def get_requires_for_build_wheel(config_settings=None):
    return {dynamic!r}

def build_wheel(folder, config_settings=None, metadata_directory=None):
    told = repr([{imports}.__file__, {imports}.__version__, config_settings])
    return tiny_wheel.write(Path(folder), {name!r}, {version!r}, {{"{module}.py": "TOLD = " + told}}, {more}).name
"""


def sdist(
    folder: Path,
    name: str,
    *,
    version: str = "1.0",
    requires: Sequence[str] = (),
    dynamic: Sequence[str] = (),
    imports: str = "engine",
    needs: Sequence[str] = (),
    toml: str = "",
) -> Path:
    """Write an sdist that cannot be built, and cannot even state its metadata, without the module that it imports."""
    folder.mkdir(exist_ok=True)
    maker = _MAKER.format(
        name=name,
        version=version,
        module=name,
        imports=imports,
        dynamic=list(dynamic),
        more=f"requires={list(needs)!r}",
    )
    texts = {
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        "pyproject.toml": _SYSTEM.format(requires=json.dumps(list(requires))) + toml,
        "backend/maker.py": maker,
        "backend/tiny_wheel.py": (_BACKEND / "tiny_wheel.py").read_text(encoding="utf-8"),
    }
    path = folder / f"{name}-{version}.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for place, text in texts.items():
            member = tarfile.TarInfo(f"{name}-{version}/{place}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return path


def found(bench: Bench, folder: Path) -> Mapping[str, str]:
    """Return the variables with which both installers find what lies in a folder, beside the wheelhouse."""
    return {"PIP_FIND_LINKS": f"{bench.workshop.house.index} {folder}", "UV_FIND_LINKS": str(folder)}


def built(
    bench: Bench,
    installer: str,
    *,
    requires: Sequence[str],
    options: Sequence[object] = (),
    code: int = 0,
    variables: Mapping[str, object] | None = None,
) -> Outcome:
    """Build the recording project with the host's engine."""
    host = bench.host("engine==1.0", "fuel==1.0")
    project = bench.project(requires=requires, asks={"child": "import child; answer = child.TOLD"})
    environ = {**found(bench, bench.folder / "sdists"), **(variables or {})}
    run = bench.passbuild(
        "wheel",
        project,
        *("--host", host, "--passthrough", "engine", "--installer", installer, *options),
        environ={name: str(value) for name, value in environ.items()},
    )
    assert run.code == code, run.stderr
    return run


def engine_of(bench: Bench) -> str:
    """Return where the host's engine lies."""
    return str(bench.host("engine==1.0", "fuel==1.0").site_packages / "engine" / "__init__.py")


def test_a_requirement_without_a_wheel_is_built_with_the_same_passthrough(bench: Bench, installer: str) -> None:
    """The sdist's backend imports the host's copy; settings of the project's own backend do not reach it."""
    sdist(bench.folder / "sdists", "child", requires=["engine", "tool"], needs=["fuel"])

    run = built(bench, installer, requires=["child"], options=["-C", "key=value"])

    assert run.seen["answers"][""]["child"] == [engine_of(bench), "1.0", {}]
    assert run.document["built_requirements"] == [{"name": "child", "version": "1.0", "passed": ["engine", "fuel"]}]
    assert run.versions("installed") == {"child": "1.0"}
    assert run.names("passed") == ["engine", "fuel"]
    assert [text for text in run.document["warnings"] if "did not use it" in text] == []


def test_a_requirement_of_a_requirement_without_a_wheel_is_built_first(bench: Bench, installer: str) -> None:
    """To any depth, also where a hook asks for the next one."""
    folder = bench.folder / "sdists"
    sdist(folder, "child", requires=["grandchild"])
    sdist(folder, "grandchild", dynamic=["offspring"])
    sdist(folder, "offspring", requires=["engine"])

    run = built(bench, installer, requires=["child"])

    assert run.names("built_requirements") == ["offspring", "grandchild", "child"]
    assert run.seen["answers"][""]["child"] == [engine_of(bench), "1.0", {}]


def test_a_requirement_that_a_hook_asks_for_is_built_as_well(bench: Bench, installer: str) -> None:
    """And what was built for the first environment is not built again for the second."""
    folder = bench.folder / "sdists"
    sdist(folder, "child")
    sdist(folder, "other")
    host = bench.host("engine==1.0", "fuel==1.0")
    project = bench.project(requires=["child"], requires_wheel=["other"], imports=["child", "other"])
    options = ["--host", host, "--passthrough", "engine", "--installer", installer]

    run = bench.passbuild("wheel", project, *options, environ=found(bench, folder))

    assert run.code == 0, run.stderr
    assert run.names("built_requirements") == ["child", "other"]
    assert run.versions("installed") == {"child": "1.0", "other": "1.0"}


def test_a_requirement_at_a_url_is_built_from_there(bench: Bench, installer: str) -> None:
    """`child @ file:///...tar.gz` is the sdist that is built, though the index has a child of another version."""
    sdist(bench.folder / "sdists", "child", version="2.0")
    path = sdist(bench.folder / "elsewhere", "child", version="1.5")

    run = built(bench, installer, requires=[f"child @ {path.as_uri()}"])

    assert run.versions("installed") == {"child": "1.5"}
    assert run.seen["answers"][""]["child"] == [engine_of(bench), "1.0", {}]


def test_a_wheel_that_was_built_before_with_another_copy_is_not_used(bench: Bench, installer: str) -> None:
    """Installers keep wheels that they built of sdists; those were compiled against whatever was there then."""
    folder = bench.folder / "sdists"
    sdist(folder, "child", requires=["engine"])
    cached = {"UV_CACHE_DIR": bench.folder / "uv-cache", "PIP_CACHE_DIR": bench.folder / "pip-cache"}
    other = bench.own_host(folder=bench.folder / "other")
    uv, pip = ["-m", "uv", "pip", "install", "--python"], ["-m", "pip", "--python"]
    before = {"uv": [*uv, other.python, "child"], "pip": [*pip, other.python, "install", "child"]}[installer]
    bench.workshop.run(sys.executable, *before, **found(bench, folder), **cached)
    wheels = [path for path in bench.folder.glob("*-cache/**/*") if path.name.startswith("child-1.0")]
    assert wheels, "the installer has cached no wheel: this test would show nothing"

    run = built(bench, installer, requires=["child"], variables=cached)

    assert run.seen["answers"][""]["child"] == [engine_of(bench), "1.0", {}]


def test_a_cycle_of_requirements_without_wheels_is_told(bench: Bench, installer: str) -> None:
    """Nothing can be built first: the error names everyone in the circle."""
    folder = bench.folder / "sdists"
    sdist(folder, "child", requires=["grandchild"])
    sdist(folder, "grandchild", requires=["child"])

    run = built(bench, installer, requires=["child"], code=3)

    assert run.error["code"] == "build-cycle"
    assert run.error["message"] == "child is needed to build itself: project needs child needs grandchild needs child"
    assert "--find-links" in run.error["hint"]
    assert bench.published() == {}


def test_the_failure_of_a_requirement_names_it(bench: Bench, installer: str) -> None:
    """Whose backend failed, for a requirement of a requirement too."""
    folder = bench.folder / "sdists"
    sdist(folder, "child", requires=["grandchild"])
    sdist(folder, "grandchild", imports="nowhere")

    run = built(bench, installer, requires=["child"], code=1)

    assert run.error["code"] == "backend-failed"
    assert run.error["requirement"] == "grandchild"
    assert "No module named 'nowhere'" in run.error["output"][-1]
    assert "while building the requirement grandchild from its sdist" in run.stderr


def test_a_requirement_that_needs_another_version_is_a_mismatch(bench: Bench, installer: str) -> None:
    """The host's copy does not fit what the sdist needs to be built: the error says whose requirement it is."""
    sdist(bench.folder / "sdists", "child", requires=["engine>=2"])

    run = built(bench, installer, requires=["child"], code=3)

    assert run.error["code"] == "version-mismatch"
    assert run.error["requirement"] == "child"
    assert run.error["problems"][0]["wanted"] == "engine>=2 (build-system.requires)"


def test_names_that_a_requirement_sets_for_itself_count(bench: Bench, installer: str) -> None:
    """Its own [tool.passbuild] names more of the host; the project itself does not see that."""
    toml = '[tool.passbuild]\npassthrough = ["private"]\n'
    sdist(bench.folder / "sdists", "child", imports="private", toml=toml)
    host = bench.host("engine==1.0", "fuel==1.0", "private==1.0")
    project = bench.project(requires=["child"], tries=["private"], imports=["child"])
    options = ["--host", host, "--passthrough", "engine", "--installer", installer]

    run = bench.passbuild("wheel", project, *options, environ=found(bench, bench.folder / "sdists"))

    assert run.code == 0, run.stderr
    assert run.document["built_requirements"][0]["passed"] == ["engine", "fuel", "private"]
    assert run.seen["modules"]["private"] is None
    assert run.names("passed") == ["engine", "fuel"]


def test_an_installer_that_is_told_to_build_everything_takes_what_was_built(bench: Bench, installer: str) -> None:
    """`no-binary` in the user's settings: the sdist is built once, and then its wheel is used all the same."""
    sdist(bench.folder / "sdists", "child")

    run = built(
        bench, installer, requires=["child"], variables={"PIP_NO_BINARY": "child", "UV_NO_BINARY_PACKAGE": "child"}
    )

    assert run.names("built_requirements")[0] == "child"
    assert run.versions("installed") == {"child": "1.0"}


def test_without_passthrough_the_installer_builds_sdists_itself(bench: Bench, installer: str) -> None:
    """As ever: with a downloaded copy, in the installer's own isolation."""
    sdist(bench.folder / "sdists", "child", requires=["engine==2.0"])
    project = bench.project(requires=["child"], asks={"child": "import child; answer = child.TOLD[1]"})
    options = ["--host", bench.host("engine==1.0", "fuel==1.0"), "--installer", installer]

    run = bench.passbuild("wheel", project, *options, environ=found(bench, bench.folder / "sdists"))

    assert run.code == 0, run.stderr
    assert run.document["built_requirements"] == []
    assert run.seen["answers"][""]["child"] == "2.0"


@pytest.mark.parametrize("kind", ["folder", "git"])
def test_a_requirement_in_a_source_tree_is_built_with_passthrough(bench: Bench, installer: str, kind: str) -> None:
    """An in-house library by its folder, in its place as installers do it, or by its repository."""
    path = sdist(bench.folder / "sdists", "child")
    with tarfile.open(path) as archive:
        archive.extractall(bench.folder / "trees")
    path.unlink()
    tree = bench.folder / "trees" / "child-1.0"
    git = ["git", "-C", tree, "-c", "user.name=a", "-c", "user.email=a@b"]
    if kind == "git":
        bench.workshop.run("git", "init", "-q", tree)
        bench.workshop.run(*git, "add", ".")
        bench.workshop.run(*git, "commit", "-qm", "first")
    url = f"git+{tree.as_uri()}" if kind == "git" else tree.as_uri()

    run = built(bench, installer, requires=[f"child @ {url}"])

    assert run.seen["answers"][""]["child"] == [engine_of(bench), "1.0", {}]


@pytest.mark.parametrize("kind", ["folder", "git"])
def test_a_requirement_below_the_top_of_its_tree_sees_what_is_beside_it(
    bench: Bench, installer: str, kind: str
) -> None:
    """`../common` of a folder, and the root of a repository for `#subdirectory=`."""
    path = sdist(bench.folder / "sdists", "child")
    tree = bench.folder / "repository"
    with tarfile.open(path) as archive:
        archive.extractall(tree)
    path.unlink()
    (tree / "common.txt").write_text("common", encoding="utf-8")
    maker = tree / "child-1.0" / "backend" / "maker.py"
    text = maker.read_text(encoding="utf-8").replace("config_settings])", "Path('../common.txt').read_text()])")
    maker.write_text(text, encoding="utf-8")
    git = ["git", "-C", tree, "-c", "user.name=a", "-c", "user.email=a@b"]
    bench.workshop.run("git", "init", "-q", tree)
    bench.workshop.run(*git, "add", ".")
    bench.workshop.run(*git, "commit", "-qm", "first")
    urls = {"folder": (tree / "child-1.0").as_uri(), "git": f"git+{tree.as_uri()}#subdirectory=child-1.0"}

    run = built(bench, installer, requires=[f"child @ {urls[kind]}"])

    assert run.seen["answers"][""]["child"] == [engine_of(bench), "1.0", "common"]


def test_trees_that_state_no_name_are_no_cycle(bench: Bench, installer: str) -> None:
    """setup.py-only archives, as of a forge, unpack into folders of the same name: what they hold tells them apart."""
    folder = bench.folder / "sdists"
    inner = _nameless(sdist(folder, "grandchild"))
    outer = _nameless(sdist(folder, "child", requires=[f"grandchild @ {inner.as_uri()}"]))

    run = built(bench, installer, requires=[f"child @ {outer.as_uri()}"])

    assert run.names("built_requirements") == ["grandchild", "child"]


def _nameless(path: Path) -> Path:
    """Take PKG-INFO out of an sdist, and call its top folder `src`."""
    tree = path.with_suffix("").with_suffix("").with_name(f"{path.name}-tree") / "src"
    with tarfile.open(path) as archive:
        archive.extractall(tree.parent)
    next(item for item in tree.parent.iterdir()).rename(tree)
    (tree / "PKG-INFO").unlink()
    made = path.with_name(f"{path.name.partition('-')[0]}.tar.gz")
    with tarfile.open(made, "w:gz") as archive:
        archive.add(tree, "src")
    return made
