"""The scene that is looked at: machine, host and project as the hooks of a build would meet them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from passbuild.doctor.model import State
from passbuild.environment.build_environment import without_scripts
from passbuild.values import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from packaging.utils import NormalizedName

    from passbuild.doctor.inquiry import Compiling
    from passbuild.host.model import Host
    from passbuild.plan.model import Plan
    from passbuild.project.model import Project
    from passbuild.settings.model import Settings
    from passbuild.surroundings import Surroundings

_SUFFIXES = {
    ".c": "C",
    ".pyx": "C",
    ".cu": "CUDA",
    ".hip": "HIP",
    ".rs": "Rust",
    **dict.fromkeys((".cc", ".cpp", ".cxx"), "C++"),
    **dict.fromkeys((".f", ".f90", ".f95", ".for"), "Fortran"),
}
_NOT_SOURCES = {"build", "dist", "node_modules", "site-packages", "tests", "test", "third_party"}
_MOST_FILES = 20_000


@frozen
class Scene:
    """What the checks look at."""

    surroundings: Surroundings
    settings: Settings
    project: Project | None
    host: Host | None
    plan: Plan | None
    compiling: Compiling | None
    """How the host's extensions are compiled; None where it does not say."""
    languages: AbstractSet[str]
    """Those that the project has sources in, by the names of its files."""
    scratch: Path
    """A folder of ours that is gone afterwards."""

    @property
    def environ(self) -> Mapping[str, str]:
        """The variables that hooks get of the machine and of the settings, with the PATH that they get."""
        environ = {**self.surroundings.environ, **dict(item.value for item in self.settings.environment)}
        return without_scripts(self.host, environ) if self.host else environ

    @property
    def passed(self) -> AbstractSet[NormalizedName]:
        """The names of what passes through."""
        return {item.distribution.name for item in self.plan.passed} if self.plan else set()

    @property
    def required(self) -> AbstractSet[NormalizedName]:
        """The names of the static build requirements."""
        stated = self.project.build_system.requires if self.project else ()
        added = [item.value for item in self.settings.build_requires]
        return {canonicalize_name(item.name) for item in (*stated, *added)}

    def concerns(self, name: NormalizedName) -> bool:
        """Whether a package that is on the host has to do with the build; without a project, with any."""
        has = self.host is not None and name in self.host.installed
        return has and (self.project is None or name in self.passed or name in self.required)

    def severity(self, language: str) -> State:
        """Return how grave it is that nothing in this language can be compiled."""
        is_needed = self.project is None or language in self.languages
        return State.PROBLEM if is_needed else State.WARNING

    def new_folder(self, name: str) -> Path:
        """Make and return a folder of ours."""
        folder = self.scratch / name
        folder.mkdir(parents=True)
        return folder


def languages(folder: Path) -> AbstractSet[str]:
    """Return the languages of the files below a folder, as far as they are compiled; tests and builds aside."""
    found = set()
    count = 0
    for where, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if _is_of_project(Path(where, name))]
        found |= {_SUFFIXES[suffix] for suffix in map(_suffix, names) if suffix in _SUFFIXES}
        count += len(names)
        if count > _MOST_FILES:
            break
    return found


def _is_of_project(folder: Path) -> bool:
    is_hidden = folder.name.startswith((".", "_"))
    return not is_hidden and folder.name not in _NOT_SOURCES and not (folder / "pyvenv.cfg").exists()


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower()  # noqa: PTH122 - many names, and no paths
