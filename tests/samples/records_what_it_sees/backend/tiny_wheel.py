"""Write wheels by hand. It runs in the tests and, as part of an in-tree backend, in any Python from 3.8 on."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def write(
    folder: Path,
    name: str,
    version: str,
    files: Mapping[str, str],
    *,
    requires: Sequence[str] = (),
    extras: Sequence[str] = (),
) -> Path:
    """Write a sound wheel into `folder`; `files` are texts by their paths in it. Return its path."""
    stem = f"{name.replace('-', '_').replace('.', '_')}-{version}"
    info = f"{stem}.dist-info"
    contents = {
        **files,
        f"{info}/METADATA": metadata(name, version, requires, extras),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tiny\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [f"{path},sha256={_hash(text)},{len(text.encode())}" for path, text in contents.items()]
    contents[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,", ""])
    target = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(str(target), "w") as wheel:
        for path, text in contents.items():
            member = zipfile.ZipInfo(path)
            member.external_attr = (0o755 if "/scripts/" in path else 0o644) << 16
            wheel.writestr(member, text)
    return target


def metadata(name: str, version: str, requires: Sequence[str] = (), extras: Sequence[str] = ()) -> str:
    """Return the text of METADATA."""
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Provides-Extra: {extra}" for extra in extras]
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    return "\n".join([*lines, ""])


def _hash(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
