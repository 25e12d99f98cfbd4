"""Fetch a source that is neither a folder nor an archive here: an installer does it, by the user's own configuration.

Neither installer has a command for that which runs no code of the project. So each is told to build what is asked for,
in an empty environment whose Python hands the source tree over (`sdists`) instead of building it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from passbuild import process
from passbuild.environment import installers, sdists, venv
from passbuild.environment.installers import Task
from passbuild.errors import CannotFetch
from passbuild.redaction import redacted
from passbuild.values import frozen

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from passbuild.environment.installers import Installer
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


def fetched(errand: Errand) -> Path:
    """Return the source tree, below `scratch`. Raises CannotFetch with the installer's conclusion."""
    source, installer = errand.source, errand.installer
    scratch, surroundings = errand.scratch, errand.surroundings
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
    task.requirements.write_text(f"{source.line}\n", encoding="utf-8")
    environ = installers.environ_for(surroundings.environ)
    environ |= {"TMPDIR": str(scratch), **installer.variables(task, surroundings.environ)}
    with sdists.handed_over(place, scratch, surroundings.cwd) as inbox:
        finished = process.stream(installer.command(task), environ=environ, on_line=errand.on_line)
        trees = inbox.trees()
    if not trees:
        conclusion = [redacted(line) for line in installer.conclusion(finished.stdout.splitlines())]
        raise CannotFetch(source=source.text, installer=installer.name, conclusion=conclusion)
    return trees[0]
