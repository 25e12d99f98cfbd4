"""The document that says what a wheel was built against."""

from __future__ import annotations

import importlib.util
import json
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.utils import canonicalize_name
from packaging.version import Version

from passbuild import sbom
from passbuild.environment.contents import Installed
from passbuild.errors import ExtraMissing
from passbuild.host.model import DirectUrl
from passbuild.plan.model import Passed
from passbuild.sbom import Materials
from passbuild.values import replace
from tests.unit import fakes

ENGINE = fakes.distribution("engine", "2.6.0+cu124")
ORIGINS = {
    "archive": (
        DirectUrl(url="https://me:secret@example.org/engine.whl?signature=secret#sha256=0a", hashes={}),
        ("distribution", "https://example.org/engine.whl#sha256=0a"),
    ),
    "repository": (
        DirectUrl(url="https://secret@example.org/engine", vcs="git", revision="main", commit="0a1b", hashes={}),
        ("vcs", "git+https://example.org/engine@0a1b"),
    ),
    "repository over ssh": (
        DirectUrl(url="ssh://git@example.org:22/engine", vcs="git", commit="0a1b", hashes={}),
        ("vcs", "git+ssh://example.org:22/engine@0a1b"),
    ),
    "folder": (DirectUrl(url="file:///home/me/engine", hashes={}), None),
    "repository in a folder": (DirectUrl(url="file:///home/me/engine", vcs="git", commit="0a1b", hashes={}), None),
}


def materials(epoch: str = "", *, origin: DirectUrl | None = None, editable: bool = False) -> Materials:
    """Return the materials of a wheel built with a named package, what that needs, and a build requirement."""
    engine = replace(ENGINE, direct_url=origin, editable=editable)
    return Materials(
        name=canonicalize_name("sample"),
        version=Version("1.0"),
        passed=(
            Passed(distribution=engine, named=True, needed_by=()),
            Passed(distribution=fakes.distribution("fuel"), named=False, needed_by=(engine.name,)),
        ),
        installed=(
            Installed(name=canonicalize_name("sample"), version="1.0", info=fakes.SITE),
            Installed(name=canonicalize_name("tool"), version="2.0", info=fakes.SITE),
        ),
        epoch=epoch,
    )


def components(content: bytes) -> dict[str, Any]:
    """Return the components of a document by what they are called in it."""
    return {item["bom-ref"]: item for item in json.loads(content)["components"]}


@pytest.mark.parametrize("epoch", ["", "0", "1700000000"])
@pytest.mark.parametrize("origin", [None, *(origin for origin, _ in ORIGINS.values())])
def test_document_is_valid(epoch: str, origin: DirectUrl | None) -> None:
    """By CycloneDX's own schema, which allows no unknown key; a project may be built with its own last release."""
    content = sbom.document(materials(epoch, origin=origin)).decode()

    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(content) is None
    assert json.loads(content)["metadata"]["component"]["purl"] == "pkg:pypi/sample@1.0"


def test_document_of_a_wheel_that_was_built_with_nothing_is_valid() -> None:
    """Nothing passed through and nothing was installed."""
    content = sbom.document(replace(materials(), passed=(), installed=())).decode()

    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(content) is None
    assert "components" not in json.loads(content)


def test_document_names_what_passed_through_and_what_was_installed() -> None:
    """With the local label, what was named and what was not, and what is not there at run time."""
    document = json.loads(sbom.document(materials()))

    found = {
        item["bom-ref"]: (
            item["purl"],
            item["version"],
            item.get("scope"),
            {fact["name"].removeprefix("passbuild:"): fact["value"] for fact in item["properties"]},
        )
        for item in document["components"]
    }
    assert found == {
        "host/engine": (
            "pkg:pypi/engine@2.6.0%2Bcu124",
            "2.6.0+cu124",
            None,
            {"origin": "host", "named": "true"},
        ),
        "host/fuel": ("pkg:pypi/fuel@1.0", "1.0", None, {"origin": "host", "named": "false"}),
        "build/sample": ("pkg:pypi/sample@1.0", "1.0", "excluded", {"origin": "build requirement"}),
        "build/tool": ("pkg:pypi/tool@2.0", "2.0", "excluded", {"origin": "build requirement"}),
    }
    assert {item["ref"]: item["dependsOn"] for item in document["dependencies"] if "dependsOn" in item} == {
        "wheel/sample": ["build/sample", "build/tool", "host/engine"],
        "host/engine": ["host/fuel"],
    }
    assert document["metadata"]["lifecycles"] == [{"phase": "build"}]
    assert [item["name"] for item in document["metadata"]["tools"]["components"]] == ["passbuild"]


@pytest.mark.parametrize("name", ORIGINS)
def test_origin_of_a_passed_package_has_no_secret_and_no_path(name: str) -> None:
    """User, password and query may be secrets; a path of this machine says nothing elsewhere."""
    origin, wanted = ORIGINS[name]

    content = sbom.document(materials(origin=origin))

    found = components(content)["host/engine"].get("externalReferences", [])
    assert [(item["type"], item["url"]) for item in found] == ([wanted] if wanted else [])
    assert b"secret" not in content
    assert b"/home/me" not in content


def test_editable_package_is_told_as_such() -> None:
    """Its version says little of what was compiled against."""
    facts = components(sbom.document(materials(editable=True)))["host/engine"]["properties"]

    assert {"name": "passbuild:editable", "value": "true"} in facts


def test_document_is_the_same_each_time() -> None:
    """Nothing in it is drawn or read off a clock."""
    content = sbom.document(materials())

    assert sbom.document(materials()) == content
    assert json.loads(content).keys().isdisjoint({"serialNumber"})
    assert "timestamp" not in json.loads(content)["metadata"]


@pytest.mark.parametrize(
    ("epoch", "wanted"),
    [("0", "1970-01-01T00:00:00+00:00"), ("1700000000", "2023-11-14T22:13:20+00:00"), ("soon", None), ("-1", None)],
)
def test_time_is_that_of_source_date_epoch(epoch: str, wanted: str | None) -> None:
    """Seconds since 1970; what is no number is not set."""
    assert json.loads(sbom.document(materials(epoch)))["metadata"].get("timestamp") == wanted


def test_without_the_library_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra that brings the library is in the hint."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)

    with pytest.raises(ExtraMissing) as raised:
        sbom.check_available()

    assert raised.value.message == "--sbom needs cyclonedx-python-lib, which is not installed beside passbuild"
    assert raised.value.hint == "pip install 'passbuild[sbom]'"
