"""Stand-ins: metadata-only copies of host distributions, so that the installer resolves against exactly them.

They lie in the build environment's site-packages only while the installer runs. A stand-in's RECORD lists its own files
alone: whatever the installer does with it, it cannot reach the host through it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from typing import TYPE_CHECKING

from passbuild.environment.contents import INSTALLER

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from passbuild.host.model import Distribution
    from passbuild.plan.model import Passed

_COPIED = ("entry_points.txt", "WHEEL", "direct_url.json", "top_level.txt")
_KINDS_OF_REFERENCE = ("vcs_info", "dir_info", "archive_info")
_WHEEL = "Wheel-Version: 1.0\nGenerator: passbuild\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def write(passed: Iterable[Passed], site_packages: Path) -> dict[Path, str]:
    """Write a stand-in for each passed distribution; return each folder with a digest of its contents.

    A closure member without a version by PEP 440 gets none: no installer could read it.
    """
    versioned = [item for item in passed if item.distribution.version is not None]
    return {folder: digest(folder) for folder in sorted(_written(item, site_packages) for item in versioned)}


def digest(folder: Path) -> str:
    """Return a digest of the files in a stand-in; empty when it is gone."""
    if not folder.is_dir():
        return ""
    state = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        state.update(str(file.relative_to(folder)).encode() + b"\0" + file.read_bytes() + b"\0")
    return state.hexdigest()


def remove(folders: Iterable[Path]) -> None:
    """Take the stand-ins out."""
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def folder_name(distribution: Distribution) -> str:
    """Return the name that the ``.dist-info`` of a distribution has."""
    return f"{distribution.name.replace('-', '_')}-{distribution.version}.dist-info"


def _written(item: Passed, site_packages: Path) -> Path:
    distribution = item.distribution
    folder = site_packages / folder_name(distribution)
    folder.mkdir()
    files = {"METADATA": _metadata(distribution, set(item.left_out)), "INSTALLER": f"{INSTALLER}\n", "WHEEL": _WHEEL}
    for name in _COPIED:
        source = distribution.info / name
        if source.is_file():
            text = source.read_text(encoding="utf-8", errors="surrogateescape")
            if name != "direct_url.json" or _is_reference(text):
                files[name] = text
    record = [f"{folder.name}/{name},," for name in sorted((*files, "RECORD"))]
    files["RECORD"] = "\n".join(record) + "\n"
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8", errors="surrogateescape", newline="\n")
    return folder


def _is_reference(text: str) -> bool:
    """Whether this is a document of PEP 610, without which an installer would refuse all of the environment."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return False
    if not isinstance(document, dict) or not isinstance(document.get("url"), str) or not document["url"].isprintable():
        return False
    kinds = [document[name] for name in _KINDS_OF_REFERENCE if name in document]
    return len(kinds) == 1 and isinstance(kinds[0], dict) and isinstance(document.get("subdirectory", ""), str)


def _metadata(distribution: Distribution, left_out: set[str]) -> str:
    """Return METADATA with the distribution's own requirements, less those that the host itself lacks.

    It is made anew from the decoded values: an ``.egg-info`` keeps its requirements elsewhere, and installers read only
    these fields.
    """
    fields = [("Metadata-Version", "2.1"), ("Name", distribution.name), ("Version", str(distribution.version))]
    fields += [("Requires-Dist", text) for text in map(str, distribution.requires) if text not in left_out]
    fields += [("Provides-Extra", extra) for extra in _extras(distribution)]
    return "".join(f"{name}: {value}\n" for name, value in fields)


def _extras(distribution: Distribution) -> list[str]:
    """Return the extras that the distribution's own metadata states."""
    for name in ("METADATA", "PKG-INFO"):
        file = distribution.info / name
        if file.is_file():
            from email.parser import HeaderParser

            headers = HeaderParser().parsestr(file.read_text(encoding="utf-8", errors="replace"))
            return [str(extra) for extra in headers.get_all("Provides-Extra", [])]
    return []
