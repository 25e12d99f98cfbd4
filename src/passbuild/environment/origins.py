"""Write and clean ``direct_url.json``, by which a distribution says where it was installed from (PEP 610)."""

from __future__ import annotations

import base64
import contextlib
import csv
import hashlib
import io
import json
import os
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from passbuild import scratch
from passbuild.redaction import stripped

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_FILE = "direct_url.json"


def record(info: Path, origin: Mapping[str, object] | None) -> None:
    """Write the file into the ``.dist-info`` folder `info`, or remove it where `origin` is None; and its RECORD line.

    Raises OSError.
    """
    file, listed = info / _FILE, info / "RECORD"
    place = PurePosixPath(info.name, _FILE).as_posix()
    rows = [row for row in csv.reader(io.StringIO(listed.read_text(encoding="utf-8"))) if row and row[0] != place]
    if origin is None:
        file.unlink(missing_ok=True)
    else:
        content = json.dumps(origin).encode()
        _replace(file, content)
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        rows.append([place, f"sha256={digest}", str(len(content))])
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    _replace(listed, text.getvalue().encode())


def clean(site_packages: Path) -> None:
    """Take what may be secret out of the URLs that an installer recorded. Raises OSError."""
    for file in sorted(site_packages.glob(f"*.dist-info/{_FILE}")):
        try:
            origin = json.loads(file.read_text(encoding="utf-8"))
            public = {**origin, "url": stripped(origin["url"])}
        except (ValueError, RecursionError, KeyError, TypeError):  # a wheel may bring a file of this name
            file.unlink()
            continue
        if public != origin:
            with contextlib.suppress(ValueError, csv.Error, FileNotFoundError):  # of a wheel likewise
                record(file.parent, public)
                continue
            file.unlink()


def _replace(file: Path, content: bytes) -> None:
    """Write a file by a rename: the one that is there may be linked to an installer's cache."""
    with scratch.beside(file) as temporary:
        temporary.write_bytes(content)
        os.replace(temporary, file)
