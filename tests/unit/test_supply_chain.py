"""What passbuild is made of and by: pyproject.toml, the page about it, the lock file and the workflows agree."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from packaging.utils import NormalizedName

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "dependencies.md"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
_PROJECT: Mapping[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
_EXTRAS: Mapping[str, list[str]] = _PROJECT["project"]["optional-dependencies"]
_OF_USERS = ("uv", "shared", "sbom")
_OF_DEVELOPERS = ("test", "docs", "check")
_PYTHONS = ("3.10.0", "3.10.20", "3.11.5", "3.12.0", "3.13.0", "3.14.0")
_SYSTEMS = {"linux": ("posix", "Linux"), "darwin": ("posix", "Darwin"), "win32": ("nt", "Windows")}
_UNDER = {
    "cyclonedx-python-lib": {"cyclonedx", "packageurl"},  # its names of packages are those of packageurl
    "build": set[str](),  # for those who build by passbuild's environments: docs/decisions/0005
    "uv": set[str](),  # a program
}
"""The modules of a dependency, where they are not called like it."""
_NOT_OURS = {"torch", "mpi4py", "_passbuild_on_paths", "_passbuild_hand_overs", "_passbuild_redirects"}
"""What is imported in other interpreters alone, by scripts that run there."""


class Pin(NamedTuple):
    """One version in the lock file."""

    requirement: Requirement
    hashes: list[str]
    wanted_by: set[str]

    @property
    def version(self) -> Version:
        """The version."""
        (only,) = self.requirement.specifier
        return Version(only.version)


def _names(texts: Iterable[str]) -> set[NormalizedName]:
    return {canonicalize_name(Requirement(text).name) for text in texts}


def _of_extra(extra: str) -> Iterator[Requirement]:
    """Yield what an extra requires, with what those require that it names in turn."""
    for requirement in map(Requirement, _EXTRAS[extra]):
        if requirement.name == "passbuild":
            for other in sorted(requirement.extras):
                yield from _of_extra(other)
        else:
            yield requirement


def _tools() -> list[Requirement]:
    """Return what is locked beside pyproject.toml."""
    lines = (ROOT / "requirements.in").read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if not line.startswith("#")]


def _pins() -> list[Pin]:
    pins: list[Pin] = []
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8").replace(" \\\n    --hash=", " --hash=")
    for line in text.splitlines():
        if not line.startswith((" ", "#")):
            requirement, *hashes = line.split(" --hash=")
            pins.append(Pin(Requirement(requirement), hashes, set()))
        elif line.startswith("    # "):
            name = line.removeprefix("    # ").strip().removeprefix("via").split()
            pins[-1].wanted_by.update(name[:1])
    return pins


def _section(title: str) -> str:
    text = PAGE.read_text(encoding="utf-8")
    return text.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_the_page_names_what_is_there_at_run_time() -> None:
    """Each dependency once, in the order of pyproject.toml, with who keeps it and what an attacker gains."""
    terms = re.findall(r"^`([\w.-]+)`\n: (.*?)(?=\n\n)", _section("At run time"), re.MULTILINE | re.DOTALL)

    listed = [canonicalize_name(Requirement(text).name) for text in _PROJECT["project"]["dependencies"]]
    assert [name for name, _ in terms] == listed
    assert [name for name, text in terms if "  Kept by " not in text or "\n  An attacker " not in text] == []


def test_the_page_names_what_extras_bring() -> None:
    """Each extra for users, with what it requires; no extra is forgotten."""
    rows = re.findall(r"^\| `([\w-]+)` \| `([\w-]+)` \| .+ \| .+ \|$", _section("Extras"), re.MULTILINE)

    assert sorted(rows) == sorted((extra, name) for extra in _OF_USERS for name in _names(_EXTRAS[extra]))
    assert set(_EXTRAS) == {*_OF_USERS, *_OF_DEVELOPERS}


def test_the_page_names_what_is_there_for_development() -> None:
    """What the extras of developers require, and the build backend with what it asks for."""
    rows = re.findall(r"^\| `([\w-]+)` \| .+ \|$", _section("For development"), re.MULTILINE)

    wanted = {canonicalize_name(item.name) for item in (*_of_extra("check"), *_tools())}
    assert rows == sorted(wanted)


def test_the_tree_is_that_of_the_lock_file() -> None:
    """What each of them needs, on any Python and system."""
    wanted_by: dict[str, set[str]] = {}
    for pin in _pins():
        wanted_by.setdefault(canonicalize_name(pin.requirement.name), set()).update(pin.wanted_by)
    waiting = sorted(_names(_PROJECT["project"]["dependencies"]))
    needed = {("passbuild", str(name)) for name in waiting}
    while waiting:
        parent = waiting.pop()
        children = {(str(parent), name) for name, parents in wanted_by.items() if parent in parents} - needed
        needed |= children
        waiting += sorted(canonicalize_name(name) for _, name in children)

    drawn, above = set(), ["passbuild"]
    tree = _section("At run time").split("```text\npassbuild\n")[1].split("```")[0]
    for line in tree.splitlines():
        match = re.match(r"((?:[│ ] {3})*)[├└]── ([\w-]+)", line)
        assert match is not None, line
        del above[len(match[1]) // 4 + 1 :]
        drawn.add((above[-1], match[2]))
        above.append(match[2])

    assert drawn == needed


def test_what_is_imported_is_required() -> None:
    """No module that another dependency happens to bring, and no dependency that nothing imports but on purpose."""
    imported = set()
    for file in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module is not None:
                imported.add(node.module.partition(".")[0])

    required = _names([*_PROJECT["project"]["dependencies"], *(text for name in _OF_USERS for text in _EXTRAS[name])])
    modules = set().union(*(_UNDER.get(name, {name.replace("-", "_")}) for name in required))
    assert imported - sys.stdlib_module_names - _NOT_OURS - {"passbuild"} == modules - sys.stdlib_module_names


@pytest.mark.parametrize("system", sorted(_SYSTEMS))
@pytest.mark.parametrize("python", _PYTHONS)
def test_the_lock_file_meets_the_project(python: str, system: str) -> None:
    """Each requirement, those of the build backend too, by exactly one version: `make lock` after a change."""
    os_name, platform = _SYSTEMS[system]
    place = {
        **cast("dict[str, str]", default_environment()),
        "python_version": python.rpartition(".")[0],
        "python_full_version": python,
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "os_name": os_name,
        "sys_platform": system,
        "platform_system": platform,
        "extra": "",
    }
    chosen: dict[str, list[Version]] = {}
    for pin in _pins():
        if pin.requirement.marker is None or pin.requirement.marker.evaluate(place):
            chosen.setdefault(canonicalize_name(pin.requirement.name), []).append(pin.version)

    texts = (*_PROJECT["project"]["dependencies"], *_PROJECT["build-system"]["requires"])
    unmet = [
        f"{item}: {chosen.get(canonicalize_name(item.name))}"
        for item in (*map(Requirement, texts), *_of_extra("check"), *_tools())
        if item.marker is None or item.marker.evaluate(place)
        if [item.specifier.contains(version) for version in chosen.get(canonicalize_name(item.name), [])] != [True]
    ]
    assert unmet == []
    assert {name: versions for name, versions in chosen.items() if len(versions) > 1} == {}


def test_the_lock_file_has_hashes_and_no_places() -> None:
    """Nothing but names, versions, markers and hashes; no index, no path, and passbuild itself is not in it."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")

    pins = _pins()

    assert len(pins) > 100
    assert [str(pin.requirement) for pin in pins if not pin.hashes] == []
    assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", digest) for pin in pins for digest in pin.hashes)
    assert [str(pin.requirement) for pin in pins if pin.requirement.url or pin.requirement.name == "passbuild"] == []
    options = [line for line in text.splitlines() if line.lstrip().startswith("-") and "--hash=" not in line]
    assert options == []
    assert "/" not in text
    assert "# via passbuild (pyproject.toml)" in text


def _workflow(file: Path) -> dict[Any, Any]:
    document: dict[Any, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return document


def _steps(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, job in _workflow(file)["jobs"].items():
        for step in job["steps"]:
            yield name, step


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_actions_are_pinned(file: Path) -> None:
    """By the hash of a commit, with the version behind it; the same action is the same in all workflows."""
    lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if "uses:" in line]
    everywhere = "\n".join(other.read_text(encoding="utf-8") for other in WORKFLOWS)

    assert lines != []
    for line in lines:
        match = re.fullmatch(r"(?:- )?uses: ([\w-]+/[\w-]+)@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)
        assert match is not None, line
        assert len(set(re.findall(rf"{re.escape(match[1])}@.*", everywhere))) == 1


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_workflows_may_do_little(file: Path) -> None:
    """They read the repository and keep no token; nothing that others write becomes part of a script."""
    workflow = _workflow(file)

    assert workflow["permissions"] in ({}, {"contents": "read"})
    assert "pull_request_target" not in workflow[True]  # YAML takes the key `on` for a truth
    for name, step in _steps(file):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False, name
        assert "${{" not in step.get("run", ""), name
        assert "secrets." not in str(step), name


def test_what_publishes_runs_none_of_our_code() -> None:
    """One job alone may publish: after the others, in its environment, of the very artifact that was built."""
    jobs = _workflow(ROOT / ".github" / "workflows" / "release.yml")["jobs"]
    privileged = [name for name, job in jobs.items() if "id-token" in job["permissions"]]

    publish = jobs["publish"]

    assert privileged == ["publish"]
    assert publish["environment"] == "pypi"
    assert set(publish["needs"]) == set(jobs) - {"publish"}
    assert [step.get("run") for step in publish["steps"]] == [None] * 3
    assert [step["uses"].split("@")[0] for step in publish["steps"]] == [
        "actions/download-artifact",
        "actions/attest-build-provenance",
        "pypa/gh-action-pypi-publish",
    ]
    assert publish["steps"][0]["with"]["artifact-ids"] == "${{ needs.build.outputs.artifact }}"
