"""The view: a folder beside the build environment's site-packages that shows exactly the passed distributions.

It holds their metadata folders and links to their packages, and stands on ``sys.path`` behind site-packages. Namespace
folders shared by several distributions are real folders with links inside, so only the passed parts show.
"""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from passbuild import reading
from passbuild.environment import start_up
from passbuild.values import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from passbuild.environment.venv import Venv
    from passbuild.host.model import Distribution


@frozen
class View:
    """What was written, and where."""

    folder: Path
    imports: Path
    """The file to which the hooks' Python notes which passed modules it imported."""
    scripts: Path
    """The folder of the build environment's scripts, those of the passed distributions among them."""
    pkg_config: tuple[Path, ...]
    """The folders with pkg-config files of the passed distributions, at the paths that the modules have."""


def write(distributions: Sequence[Distribution], venv: Venv, *, true_paths: bool) -> None:
    """Write the view of `distributions` beside site-packages and let `venv` start with it.

    With `true_paths` modules are found at the host's own paths; without, at the view's links (for a host that lies
    inside the source tree, whose paths some build tools refuse).
    """
    folder = _folder(venv)
    folder.mkdir()
    for distribution in distributions:
        _link(distribution.info, folder / distribution.info.name, folder)
        for entry in distribution.entries:
            _link(distribution.location / entry, folder / entry, folder)
        for file in distribution.path_files:  # for its metadata: the view is no site folder, nobody runs them there
            _link(file, folder / file.name, folder)
    lines = [line for item in distributions for file in item.path_files for line in _path_lines(file, item.location)]
    values = {
        "VIEW": str(folder),
        "FOLDERS": _redirects(distributions, folder, true_paths=true_paths),
        "READ_ONLY": _read_only(distributions, folder),
        "LINES": lines,
    }
    start_up.write(venv, Path(__file__).with_name("_redirect.py"), values)


def opened(distributions: Iterable[Distribution], venv: Venv, imports: Path, *, true_paths: bool) -> View:
    """Return the view that was written into `venv`; `imports` is the file that will name what this run imports."""
    folder = _folder(venv)
    configs = _pkg_config(distributions, folder, true_paths=true_paths)
    return View(folder=folder, imports=imports, scripts=venv.scripts, pkg_config=configs)


def _folder(venv: Venv) -> Path:
    """Return its place, at the depth of site-packages: what metadata calls ``../../../bin/x`` lies below the prefix."""
    return venv.site_packages.with_name("host-packages")


def imported(view: View, distributions: Iterable[Distribution]) -> set[str]:
    """Return the names of the distributions of which the hooks imported something."""
    try:
        modules = set(reading.text(view.imports, errors="replace").split())
    except OSError:
        return set()
    return {item.name for item in distributions if modules & set(_modules(item))}


def named(view: View, distributions: Iterable[Distribution], output: Iterable[str]) -> set[str]:
    """Return the names of the distributions that `output` names: by a path (view, host, script) or in Meson's words.

    It comes in parts, which may be long, of whole lines.
    """
    sought = {item.name: _signs(view, item) for item in distributions}
    found: set[str] = set()
    for part in output:
        found |= {name for name, signs in sought.items() if name not in found and _is_named(name, signs, part)}
        if len(found) == len(sought):
            break
    return found


def _signs(view: View, item: Distribution) -> list[str]:
    paths = [str(folder / path) for path in _shown(item) for folder in (view.folder, item.location)]
    return [*paths, *(str(view.scripts / path.name) for path in item.outside)]


def _is_named(name: str, signs: Iterable[str], text: str) -> bool:
    of_meson = rf"dependency {re.escape(name)} found: YES"  # by pkg-config
    return any(sign in text for sign in signs) or re.search(of_meson, text, re.IGNORECASE) is not None


def _shown(distribution: Distribution) -> set[PurePosixPath]:
    """Return its entries, and the folders that hold them below the top: an include path names those."""
    parents = {parent for entry in distribution.entries for parent in entry.parents if len(parent.parts) > 1}
    return parents | set(distribution.entries)


def is_stubs(distribution: Distribution) -> bool:
    """Whether a distribution holds nothing but type stubs, which are read and never imported."""
    return all(entry.parts[0].endswith("-stubs") or entry.suffix == ".pyi" for entry in distribution.entries)


def _redirects(distributions: Iterable[Distribution], folder: Path, *, true_paths: bool) -> dict[str, dict[str, str]]:
    redirects: dict[str, dict[str, str]] = {str(folder): {}}
    for distribution in distributions:
        for entry in distribution.entries:
            module = _module_name(entry)
            if module is not None:
                parent = str(folder / entry.parent)
                true_parent = str(distribution.location / entry.parent)
                redirects.setdefault(parent, {})[module] = true_parent if true_paths else parent
    return {parent: dict(sorted(names.items())) for parent, names in sorted(redirects.items())}


def _pkg_config(distributions: Iterable[Distribution], folder: Path, *, true_paths: bool) -> tuple[Path, ...]:
    return tuple(
        path if true_paths else folder / path.relative_to(item.location)
        for item in distributions
        for path in item.pkg_config
    )


def _modules(distribution: Distribution) -> Iterable[str]:
    for entry in distribution.entries:
        module = _module_name(entry)
        if module is not None:
            yield ".".join((*entry.parent.parts, module))


def _module_name(entry: PurePosixPath) -> str | None:
    """Return the module that an entry of a distribution is; None for a folder or file that cannot be imported."""
    name, _, suffix = entry.name.partition(".")
    importable = not suffix or suffix in {"py", "pyc"} or suffix.endswith(("so", "pyd"))
    return name if importable else None


def _read_only(distributions: Iterable[Distribution], folder: Path) -> tuple[str, ...]:
    return tuple(sorted({f"{place}{os.sep}" for place in (folder, *(item.location for item in distributions))}))


def _path_lines(file: Path, location: Path) -> Iterable[str]:
    """Return the lines of a distribution's ``.pth`` file, with paths made absolute."""
    try:
        told = reading.text(file, errors="surrogateescape")
    except OSError:  # a stale record
        return
    for line in told.splitlines():
        text = line.rstrip()
        if not text or text.startswith("#"):
            continue
        yield text if text.startswith(("import ", "import\t")) else os.path.normpath(location / text)


def _link(target: Path, link: Path, folder: Path) -> None:
    """Link to a file or folder of the host; what is not there (a stale record) or stands already is passed over.

    A folder that two distributions bring from two places, or one of them in part, becomes a real one with links to what
    both have. It lies below `folder`, the view.
    """
    if not os.path.exists(target):  # noqa: PTH110 - Path.exists raises for a name that is too long
        return
    if link.is_symlink() and link.is_dir() and target.is_dir() and not link.samefile(target):
        _open_up(link)
        for item in sorted(target.iterdir()):
            _link(item, link / item.name, folder)
        return
    if link.is_symlink() or link.exists():
        return
    for parent in reversed(link.parents):
        if parent.is_symlink() and parent.is_relative_to(folder):
            _open_up(parent)  # what is made in it would be made on the host
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(target, target_is_directory=target.is_dir())


def _open_up(link: Path) -> None:
    """Turn a link to a folder of the host into a folder with links to what is in it."""
    inside = sorted(link.resolve().iterdir())
    link.unlink()
    link.mkdir()
    for item in inside:
        (link / item.name).symlink_to(item, target_is_directory=item.is_dir())
