"""Make the CycloneDX document that says what a wheel was built against (PEP 770), with cyclonedx-python-lib.

The same facts give the same document: it has no serial number, and a time only where SOURCE_DATE_EPOCH says which.
"""

from __future__ import annotations

import importlib.util
import json
import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from passbuild.errors import ExtraMissing
from passbuild.redaction import stripped
from passbuild.values import frozen
from passbuild.version import __version__

if TYPE_CHECKING:
    from cyclonedx.model import ExternalReference
    from cyclonedx.model.component import Component
    from packaging.utils import NormalizedName
    from packaging.version import Version

    from passbuild.environment.contents import Installed
    from passbuild.host.model import DirectUrl
    from passbuild.plan.model import Passed

_EPOCH = re.compile(r"[0-9]{1,11}")
"""Seconds until the year 5138."""


@frozen
class Materials:
    """What a wheel was built from."""

    name: NormalizedName
    """Of the wheel."""
    version: Version
    passed: tuple[Passed, ...]
    installed: tuple[Installed, ...]
    """The build requirements in the build environment."""
    epoch: str
    """SOURCE_DATE_EPOCH; empty where it is not set."""


def check_available() -> None:
    """Raise ExtraMissing when the library is not installed."""
    if importlib.util.find_spec("cyclonedx") is None:
        raise ExtraMissing(option="--sbom", library="cyclonedx-python-lib", extra="sbom")


def document(materials: Materials) -> bytes:
    """Return the document, as JSON by version 1.6 of CycloneDX. Raises ExtraMissing."""
    check_available()
    from cyclonedx.model.bom import Bom, BomMetaData
    from cyclonedx.model.component import ComponentScope, ComponentType
    from cyclonedx.model.lifecycle import LifecyclePhase, PredefinedLifecycle
    from cyclonedx.model.tool import ToolRepository
    from cyclonedx.output.json import JsonV1Dot6

    wheel = _component("wheel", materials.name, str(materials.version))
    maker = _component("tool", "passbuild", __version__)
    maker.type = ComponentType.APPLICATION
    passed = {item.distribution.name: _passed(item) for item in materials.passed}
    tools = [
        _component("build", item.name, item.version, {"passbuild:origin": "build requirement"})
        for item in materials.installed
    ]
    for component in tools:
        component.scope = ComponentScope.EXCLUDED  # it is not needed at run time
    metadata = BomMetaData(component=wheel, tools=ToolRepository(components=[maker]))
    metadata.lifecycles = [PredefinedLifecycle(phase=LifecyclePhase.BUILD)]
    bom = Bom(metadata=metadata, components=[*passed.values(), *tools])
    named = [passed[item.distribution.name] for item in materials.passed if item.named]
    bom.register_dependency(wheel, [*named, *tools])
    for item in materials.passed:
        for needing in item.needed_by:
            if needing in passed:
                bom.register_dependency(passed[needing], [passed[item.distribution.name]])
    return _stable(JsonV1Dot6(bom).output_as_string(), materials.epoch)


def _passed(item: Passed) -> Component:
    distribution = item.distribution
    facts = {"passbuild:origin": "host", "passbuild:named": str(item.named).lower()}
    if distribution.editable:
        facts["passbuild:editable"] = "true"
    made = _component("host", distribution.name, distribution.raw_version, facts)
    reference = _reference(distribution.direct_url) if distribution.direct_url else None
    if reference is not None:
        made.external_references.add(reference)
    return made


def _component(part: str, name: str, version: str, facts: dict[str, str] | None = None) -> Component:
    """Return a component, called by the part that it plays: a project may be built with an older self."""
    from cyclonedx.model import Property
    from cyclonedx.model.component import Component, ComponentType
    from packageurl import PackageURL

    return Component(
        type=ComponentType.LIBRARY,
        name=name,
        version=version,
        bom_ref=f"{part}/{name}",
        purl=PackageURL(type="pypi", name=name, version=version or None),
        properties=[Property(name=key, value=value) for key, value in (facts or {}).items()],
    )


def _reference(direct_url: DirectUrl) -> ExternalReference | None:
    """Return where a distribution was installed from; None for a path, which means nothing elsewhere."""
    from cyclonedx.model import ExternalReference, ExternalReferenceType, XsUri

    url = _public(direct_url.url)
    if urlsplit(url).scheme in {"", "file"}:
        return None
    if direct_url.vcs:
        revision = direct_url.commit or direct_url.revision
        return ExternalReference(type=ExternalReferenceType.VCS, url=XsUri(f"{direct_url.vcs}+{url}@{revision}"))
    return ExternalReference(type=ExternalReferenceType.DISTRIBUTION, url=XsUri(url))


def _public(url: str) -> str:
    """Return a URL without what may be a credential: user and password, and the query, which may be a signature."""
    parts = urlsplit(stripped(url))
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query=""))


def _stable(text: str, epoch: str) -> bytes:
    """Take out of a document what the library draws or reads off a clock."""
    made = json.loads(text)
    del made["serialNumber"], made["metadata"]["timestamp"]
    if _EPOCH.fullmatch(epoch):
        made["metadata"]["timestamp"] = datetime.fromtimestamp(int(epoch), tz=timezone.utc).isoformat()
    return (json.dumps(made, indent=2, sort_keys=True) + "\n").encode()
