"""Make a build environment from a plan: create, stand-ins, install, check, view; then it is sealed.

An environment is built once and never installed into again: what a hook requires in addition makes a new plan and a new
environment. It stays in the store, for the next build that wants the same. It satisfies `build.env.IsolatedEnv`.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from passbuild import process
from passbuild.environment import contents, identity, installation, origins, scripts, start_up, store, venv, view
from passbuild.environment.venv import Venv
from passbuild.errors import HostUnusable, PlanImpossible
from passbuild.host import files
from passbuild.values import frozen, replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from packaging.utils import NormalizedName

    from passbuild.environment.contents import Installed
    from passbuild.environment.installation import Site
    from passbuild.environment.installers import Installer
    from passbuild.environment.store import Facts, Lease, Store
    from passbuild.environment.view import View
    from passbuild.host.files import State
    from passbuild.host.model import Host
    from passbuild.plan.model import Passed, Plan

_HIDDEN = ("PYTHONPATH", "PYTHONHOME", "PYTHONPLATLIBDIR", "PYTHONSTARTUP", "__PYVENV_LAUNCHER__", "VIRTUAL_ENV_PROMPT")
_SYSTEMS = (Path("/"), Path("/usr"), Path("/usr/local"))
_SHORT = 8
_HIDDEN_PREFIX = "_PYPROJECT_HOOKS_"
_OURS = ("PASSBUILD_", "_PASSBUILD_")
"""How our own settings begin, of which some hold credentials."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildEnvironment:
    """A sealed build environment, in which hooks can run."""

    plan: Plan
    venv: Venv
    view: View | None
    """None where nothing passes through."""
    passed: tuple[Passed, ...]
    """What shows of the host: the plan's, less the closure members that the installer replaced."""
    replaced: tuple[Passed, ...]
    """Closure members that the resolution needed in another version."""
    installed: tuple[Installed, ...]
    """What the installer put into the environment."""
    installer: str
    """Its name; empty where nothing had to be installed."""
    lease: Lease | None
    """On the environment's place in the store; None for a temporary one."""
    host_files: Mapping[str, State] = field(repr=False)
    """What the files of the passed distributions looked like before the first hook."""
    passed_identity: str
    """A digest of what passes through, with the state of all its files."""
    setuptools_config: Path
    """A file that tells setuptools where to compile."""
    environ: Mapping[str, str] = field(repr=False)  # it holds what CI keeps secret
    """The environment variables around passbuild, with a PATH that does not show the host's scripts."""
    variables: Mapping[str, str] = field(repr=False)
    """Those of them that were set for the hooks alone."""

    @property
    def python_executable(self) -> str:
        """The interpreter of the environment (`build.env.IsolatedEnv`)."""
        return str(self.venv.python)

    def make_extra_environ(self) -> dict[str, str]:
        """Return the variables that hooks need on top of the surrounding ones (`build.env.IsolatedEnv`).

        What has to be out of the way is empty, which Python takes as not set.
        """
        path = os.pathsep.join(filter(None, (str(self.venv.scripts), self.environ.get("PATH", os.defpath))))
        hidden = {name: "" for name in self.environ if name in _HIDDEN or name.startswith(_OURS)}
        shown = {"PATH": path, "VIRTUAL_ENV": str(self.venv.folder), "PYTHONNOUSERSITE": "1"}
        if self.view is not None:
            prefixes = (str(self.view.folder), str(self.venv.folder), self.environ.get("CMAKE_PREFIX_PATH", ""))
            shown["_PASSBUILD_IMPORTS"] = str(self.view.imports)
            shown["CMAKE_PREFIX_PATH"] = os.pathsep.join(filter(None, prefixes))
            configs = list(map(str, self.view.pkg_config))
            configs += [str(self.venv.folder / place / "pkgconfig") for place in ("lib", "share", "lib64")]
            shown["PKG_CONFIG_PATH"] = os.pathsep.join(
                filter(None, (*configs, self.environ.get("PKG_CONFIG_PATH", "")))
            )
            if "DIST_EXTRA_CONFIG" not in self.environ:
                shown["DIST_EXTRA_CONFIG"] = str(self.setuptools_config)
        if any(item.distribution.editable for item in self.passed):
            shown["PYTHONDONTWRITEBYTECODE"] = "1"  # its modules lie where the finder's loader does not reach
        return {**self.variables, **hidden, **shown}

    def hook_environ(self) -> dict[str, str]:
        """Return the whole environment of a hook's process."""
        kept = {
            name: value
            for name, value in self.environ.items()
            if name not in _HIDDEN and not name.startswith((_HIDDEN_PREFIX, *_OURS))
        }
        return {**kept, **{name: value for name, value in self.make_extra_environ().items() if name in kept or value}}

    def meets(self, plan: Plan) -> bool:
        """Return whether a later plan asks for nothing that this environment does not have."""
        same_host = {item.distribution.name for item in plan.passed} == {
            item.distribution.name for item in self.plan.passed
        }
        found = {item.name: item for item in (*self.installed, *map(_as_installed, self.passed))}
        new = tuple(item for item in plan.install if item not in self.plan.install)
        return same_host and not any(item.extras or item.url for item in new) and not contents.unmet(new, found)

    def host_changes(self) -> tuple[str, ...]:
        """Return what has changed of the passed distributions' files since the environment was made."""
        return files.changes(self.host_files, files.states(item.distribution for item in self.plan.passed))

    def untouched(self, output: Iterable[str]) -> tuple[NormalizedName, ...]:
        """Return the named passed packages that the hooks did not use, as far as that can be seen.

        A package counts as used when a module of it was imported, or when the backend's output names a path of it
        (CMake and compilers do). Of an editable package too little can be seen to say anything.
        """
        if self.view is None:
            return ()
        named = [item.distribution for item in self.passed if item.named]
        visible = [item for item in named if not item.path_files and not view.is_stubs(item)]
        touched = view.imported(self.view, visible) | view.named(self.view, visible, output)
        return tuple(item.name for item in visible if item.name not in touched)


@frozen
class _Draft:
    """An environment that is wanted, wherever it will be."""

    plan: Plan
    host: Host
    installer: Installer | None
    site: Site
    host_files: Mapping[str, State]
    passed_identity: str
    true_paths: bool
    """Whether passed modules are found at the host's own paths."""


def obtained(plan: Plan, host: Host, installer: Installer | None, site: Site, kept: Store | None) -> BuildEnvironment:
    """Return the environment that `plan` describes, from the store `kept` where there is one in it.

    `installer` may be None where the plan installs nothing. Raises Unresolvable, IncompleteInstall or HostUnusable.
    """
    inside = any(_is_inside(item.distribution.location, site.source) for item in plan.passed)
    host_files = files.states(item.distribution for item in plan.passed)
    draft = _Draft(
        plan=plan,
        host=host,
        installer=installer,
        site=site,
        host_files=host_files,
        passed_identity=identity.of_passed(plan, host_files),
        true_paths=not inside,
    )
    lease = _leased(draft, kept) if kept is not None else None
    if lease is not None:
        return _opened(draft, lease.facts, lease)
    return _opened(draft, _made(draft, site.scratch), None)


def _leased(draft: _Draft, kept: Store) -> Lease | None:
    """Return a lease of the draft's environment in the store; None where it has to be made elsewhere."""
    site = draft.site
    key = identity.key(
        draft.plan,
        draft.host,
        draft.installer,
        site.surroundings,
        draft.passed_identity,
        true_paths=draft.true_paths,
        owner=site.owner,
    )
    if key is None:
        return None
    ageless = replace(kept, max_age=math.inf)  # an editable installation has paths of it
    try:
        usable = ageless if site.owner else kept
        lease = store.leased(usable, key, lambda folder: _made(draft, folder), wait=not site.is_nested)
        if lease is not None and not lease.reused:
            store.pruned(kept)
    except (OSError, HostUnusable, PlanImpossible) as error:
        if not isinstance(error, OSError) and not store.is_full(kept):
            raise
        reason = (error.strerror or str(error)) if isinstance(error, OSError) else "its disk is full"
        site.on_warning(f"the store {kept.root} cannot be used ({reason}): the build environment is a temporary one")
        return None
    return lease


def _made(draft: _Draft, folder: Path) -> Facts:
    """Make the draft's environment in ``env`` below `folder`."""
    plan, host, installer = draft.plan, draft.host, draft.installer
    site = replace(draft.site, is_kept=folder != draft.site.scratch)
    place = venv.create(host, folder / "env", site.surroundings.environ)
    kept: tuple[Passed, ...] = plan.passed
    built: tuple[NormalizedName, ...] = ()
    if plan.install and installer is not None:
        kept, built = installation.done(plan, installer, place, site)
        if site.is_kept:
            origins.clean(place.site_packages)
    if site.owner:
        start_up.write(place, Path(__file__).with_name("_on_path.py"), {"FOLDER": str(place.scripts)})
    if kept:
        distributions = [item.distribution for item in kept]
        view.write(distributions, place, true_paths=draft.true_paths)
        scripts.write(distributions, host, place)
    if site.is_kept:  # so that byte code of what we have written is there as well
        process.answer([str(place.python), "-c", ""], environ=site.surroundings.environ, question="")
    return {
        "python": str(place.python),
        "site-packages": str(place.site_packages),
        "scripts": str(place.scripts),
        "host": str(host.prefix),
        "version": host.version,
        "installer": installer.name if installer and plan.install else "",
        "installed": [f"{item.name} {item.version}" for item in contents.listed(place.site_packages).values()],
        "built": list(built),
        "passed": [f"{item.distribution.name} {item.distribution.raw_version}" for item in kept],
    }


def _opened(draft: _Draft, facts: Facts, lease: Lease | None) -> BuildEnvironment:
    """Return an environment that was made, by the facts about it."""
    names = {text.partition(" ")[0] for text in facts["passed"]}
    kept = tuple(item for item in draft.plan.passed if item.distribution.name in names)
    python, site_packages, scripts_folder = (Path(str(facts[name])) for name in ("python", "site-packages", "scripts"))
    place = Venv(folder=python.parents[1], python=python, site_packages=site_packages, scripts=scripts_folder)
    distributions = [item.distribution for item in kept]
    imports = draft.site.scratch / "imports.txt"
    return BuildEnvironment(
        plan=draft.plan,
        venv=place,
        view=view.opened(distributions, place, imports, true_paths=draft.true_paths) if kept else None,
        passed=kept,
        replaced=tuple(item for item in draft.plan.passed if item.distribution.name not in names),
        installed=tuple(contents.listed(site_packages).values()),
        installer=str(facts["installer"]),
        lease=lease,
        host_files=draft.host_files,
        passed_identity=draft.passed_identity,
        setuptools_config=_setuptools_config(draft),
        environ=without_scripts(draft.host, {**draft.site.surroundings.environ, **draft.site.variables}),
        variables=draft.site.variables,
    )


def _setuptools_config(draft: _Draft) -> Path:
    """Write a configuration by which setuptools compiles into a folder of its own for these passed packages.

    It compares nothing but times, and a header of another version may well be older than the object compiled before.
    """
    file = draft.site.scratch / "setuptools.cfg"
    file.write_text(f"[build]\nbuild_base = build/passbuild-{draft.passed_identity[:_SHORT]}\n", encoding="utf-8")
    return file


def without_scripts(host: Host, environ: Mapping[str, str]) -> Mapping[str, str]:
    """Take the scripts of the host, and of an activated environment, off PATH: passed packages show theirs without it.

    ``/usr/bin``, ``/usr/local/bin`` and a conda environment's folder stay: they hold the system's compilers and tools.
    """
    hidden = {os.path.realpath(Path(environ["VIRTUAL_ENV"], "bin"))} if environ.get("VIRTUAL_ENV") else set()
    if host.prefix not in _SYSTEMS and not (host.prefix / "conda-meta").is_dir():
        hidden.add(os.path.realpath(host.scripts))
    kept = [folder for folder in environ.get("PATH", "").split(os.pathsep) if os.path.realpath(folder) not in hidden]
    return {**environ, "PATH": os.pathsep.join(kept)} if "PATH" in environ else environ


def _is_inside(location: Path, source: Path) -> bool:
    """Whether a path lies in the source tree by its name or by where its links lead: build tools look at either."""
    return location.is_relative_to(source) or location.resolve().is_relative_to(source.resolve())


def _as_installed(item: Passed) -> Installed:
    distribution = item.distribution
    return contents.Installed(name=distribution.name, version=str(distribution.version), info=distribution.info)
