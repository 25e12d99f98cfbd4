"""What passed through when a source tree was last built, for build folders whose tool would not notice a change."""

from __future__ import annotations

import contextlib
import hashlib
import os
from typing import TYPE_CHECKING

from passbuild import scratch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from passbuild.environment.build_environment import BuildEnvironment
    from passbuild.environment.store import Store

_DEPTH = 2
"""How far below the source tree a build folder is looked for."""


def stale(store: Store, source: Path, environment: BuildEnvironment) -> tuple[Path, ...]:
    """Return Meson's build folders in a source tree that was last built with other passed packages.

    Ninja compares times, and a header of another version may well be older than the object compiled before. setuptools
    is told to compile elsewhere, and scikit-build-core starts over by itself.
    """
    try:
        last = _file(store, source).read_text(encoding="ascii")
    except OSError:
        return ()
    if last == environment.passed_identity:
        return ()
    return tuple(sorted(folder.parent for folder in _folders(source, _DEPTH) if folder.name == "meson-info"))


def note(store: Store, source: Path, environment: BuildEnvironment) -> None:
    """Remember what passed through for a source tree that was built; where nothing did, there is nothing to compare."""
    if not environment.passed:
        return
    file = _file(store, source)
    with contextlib.suppress(OSError):  # a store that cannot be written was told already
        file.parent.mkdir(exist_ok=True)
        with scratch.beside(file) as temporary:
            temporary.write_text(environment.passed_identity, encoding="ascii")
            os.replace(temporary, file)


def _file(store: Store, source: Path) -> Path:
    name = hashlib.sha256(os.fsencode(source.resolve())).hexdigest()[:20]
    return store.root / "projects" / name


def _folders(folder: Path, depth: int) -> Iterator[Path]:
    with contextlib.suppress(OSError):
        for item in folder.iterdir():
            if item.is_dir() and not item.is_symlink():
                yield item
                if depth > 1:
                    yield from _folders(item, depth - 1)
