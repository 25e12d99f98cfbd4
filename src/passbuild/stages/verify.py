"""Build an artifact once more, from a copy of the source tree at another path, and compare the two."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING, Literal

from passbuild import artifact, comparison
from passbuild.errors import NotReproducible
from passbuild.project import copying
from passbuild.stages.begin import store_of
from passbuild.values import replace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from passbuild.artifact import Identity
    from passbuild.hooks import Kind
    from passbuild.stages.begin import Run

_APART = 2.0
"""Seconds between two builds, so that a time which one of them writes differs: in a zip archive it has such steps."""


def twin(run: Run, kind: Kind, outdir: Path) -> Run | None:
    """Return the same run in a copy of the source tree, before a hook has written there.

    None for an editable wheel: it leads to the source tree by its path, and is never the same elsewhere.
    """
    if kind == "editable":
        return None
    kept = store_of(run.settings, run.order)
    without = {outdir, run.workspace.folder, *((kept.root,) if kept is not None else ())}
    with run.journal.step("copy the source tree"):
        project = copying.copied(
            run.project, run.workspace.new_folder("elsewhere"), without, run.order.surroundings.environ
        )
    return replace(run, project=project)


def verified(run: Run, first: Path, other: Run, expected: Identity, make: Callable[[Path], Path]) -> None:
    """Let `make` build the artifact of `other` into a folder, and compare it with the `first` one.

    Raises NotReproducible.
    """
    form: Literal["wheel", "sdist"] = "wheel" if first.name.endswith(".whl") else "sdist"
    artifact.checked(first, form, expected)
    done = first.stat().st_mtime
    with run.journal.step(f"build the {form} once more, in another folder"):
        time.sleep(min(max(0.0, done + _APART - time.time()), _APART))
        second = make(run.workspace.new_folder("again"))
        artifact.checked(second, form, expected)
        found = comparison.differences(first, second, (run.project.folder, other.project.folder))
    run.journal.reproducible(is_so=not found)
    if found:
        if run.settings.keep.value:
            shutil.copy2(first, run.workspace.new_folder("first"))
        raise NotReproducible(artifact=first.name, differences=found, are_kept=run.settings.keep.value)
