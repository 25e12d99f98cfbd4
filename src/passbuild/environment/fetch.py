"""Fetch a source that is neither a folder nor an archive here: an installer does it, by the user's own configuration.

Neither installer has a command for that which runs no code of the project. So each is told to build what is asked for,
in an empty environment whose Python hands the source tree over (`sdists`) instead of building it.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from typing import TYPE_CHECKING

from passbuild.environment import identity, installers, sdists, store, venv
from passbuild.environment.installers import Start, Task
from passbuild.errors import CannotFetch, NotAStore
from passbuild.redaction import redacted
from passbuild.values import frozen

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from passbuild.environment.installers import Installer
    from passbuild.environment.store import Facts, Store
    from passbuild.host.model import Host
    from passbuild.project.source import Source
    from passbuild.surroundings import Surroundings


@frozen
class Errand:
    """What is to be fetched, by whom, and to where."""

    source: Source
    host: Host
    """Whose Python the project is for: an installer chooses by it."""
    installer: Installer
    scratch: Path
    """A folder of ours that is gone after the run."""
    surroundings: Surroundings
    on_line: Callable[[str], None]


def obtained(errand: Errand, kept: Store | None) -> Path:
    """Return a source tree of our own, below `scratch`; from the store where the same was fetched before.

    Kept is only what the line of the source stands for tomorrow as well, and as long as an environment would be.
    Raises CannotFetch with the installer's conclusion.
    """
    lease = None
    if kept is not None and errand.source.is_fixed:
        with contextlib.suppress(OSError, NotAStore):  # whoever needs an environment will say it
            lease = store.leased(kept, _key(errand), lambda folder: _made(errand, folder), wait=True)
    if lease is None:
        return _fetched(errand, errand.scratch)
    try:
        shutil.copytree(lease.folder / "env", errand.scratch / "tree", symlinks=True)
    finally:
        lease.release()
    return errand.scratch / "tree" / str(lease.facts["tree"])


def _key(errand: Errand) -> str:
    values = [errand.source.line, identity.of_installer(errand.installer, errand.surroundings)]
    return identity.digested(json.dumps(values))[: identity.LENGTH]


def _made(errand: Errand, folder: Path) -> Facts:
    """Fetch into ``env`` below `folder`, as what the store keeps."""
    tree = _fetched(errand, errand.scratch)
    top = next(parent for parent in tree.parents if parent.name.startswith("tree-"))
    shutil.copytree(top, folder / "env", symlinks=True)
    return {"source": errand.source.text, "tree": str(tree.relative_to(top)), "version": errand.host.version}


def _fetched(errand: Errand, scratch: Path) -> Path:
    """Let the installer fetch, and return the tree that it handed over. Raises CannotFetch."""
    source, installer, surroundings = errand.source, errand.installer, errand.surroundings
    place = venv.create(errand.host, scratch / "env", surroundings.environ)
    wheels = scratch / "no-wheels"
    wheels.mkdir()
    task = Task(
        venv=place,
        requirements=scratch / "requirements.txt",
        constraints=(),
        wheels=wheels,
        no_binary=(source.name,) if source.name else (),
        without_dependencies=True,
    )
    task.requirements.write_text("".join(f"{line}\n" for line in (*installer.lines, source.line)), encoding="utf-8")
    variables = {"TMPDIR": str(scratch), **installer.variables(task, surroundings.environ)}
    with sdists.handed_over(place, scratch, surroundings.cwd) as inbox:
        start = Start(argv=installer.command(task), variables=variables, scratch=scratch)
        # Installers take user and password out of what they print of a URL, but not a token in its query.
        finished = installers.run(installer, start, surroundings, lambda line: errand.on_line(redacted(line)))
        trees = inbox.trees()
    if not trees:
        conclusion = [redacted(line) for line in installer.conclusion(finished.lines)]
        raise CannotFetch(source=source.text, installer=installer.name, conclusion=conclusion)
    return trees[0]
