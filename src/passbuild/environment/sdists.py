"""Build requirements that exist only as sdists: take their source trees from the installer, and give it wheels.

An installer builds such a requirement in an isolation of its own, in which nothing passes through. So it is told not to
isolate, and every Python that it starts in a source tree hands that tree over (`_hand_over`). Whoever called us builds
the wheel with the same passthrough and puts it where the installer looks next time.
"""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name, parse_wheel_filename

from passbuild.environment import start_up
from passbuild.values import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from packaging.requirements import Requirement
    from packaging.utils import NormalizedName

    from passbuild.environment.venv import Venv


_BELOW = "below.txt"
"""Says where in the tree that was handed over the source tree lies, for one that is part of a repository."""


@frozen
class Inbox:
    """Where the installer's source trees arrive."""

    folder: Path

    def trees(self) -> tuple[Path, ...]:
        """Return the source trees that have arrived, whole ones only."""
        found = []
        for folder in sorted(self.folder.glob("tree-*")):
            (top,) = (item for item in folder.iterdir() if item.name != _BELOW)
            below = folder / _BELOW
            tree = top / below.read_text(encoding="utf-8") if below.exists() else top
            found.append(tree.resolve() if top.is_symlink() else tree)
        return tuple(found)


@frozen
class BuiltWheel:
    """The wheel of a build requirement that exists only as an sdist."""

    name: NormalizedName
    path: Path
    is_new: bool
    """Whether it was not there before: the installer could not yet have taken it."""


@contextlib.contextmanager
def handed_over(venv: Venv, scratch: Path, cwd: Path) -> Iterator[Inbox]:
    """Let the Pythons of `venv` hand source trees over below `scratch`; the installer starts in `cwd`."""
    folder = Path(tempfile.mkdtemp(prefix="inbox-", dir=scratch))
    values = {"INBOX": str(folder), "START": str(cwd.resolve())}
    written = start_up.write(venv, Path(__file__).with_name("_hand_over.py"), values)
    try:
        yield Inbox(folder=folder)
    finally:
        for file in written:
            file.unlink(missing_ok=True)


def from_wheels(requirements: Iterable[Requirement], wheels: Path) -> Iterator[str]:
    """Yield the lines of a requirements file; a URL of which a wheel was built gives way to that wheel's path."""
    built = {parse_wheel_filename(wheel.name)[0]: wheel for wheel in sorted(wheels.glob("*.whl"))}
    for item in requirements:
        wheel = built.get(canonicalize_name(item.name)) if item.url else None
        extras = f"[{','.join(sorted(item.extras))}]" if item.extras else ""
        yield f"{item.name}{extras} @ {wheel.as_uri()}" if wheel else str(item)
