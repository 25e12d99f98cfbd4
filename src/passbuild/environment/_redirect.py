"""Find the passed packages at their true place on the host. It runs in the *build environment's* Python.

Standard library only, Python 3.8 and later. A ``.pth`` file beside it (a ``.start`` file from Python 3.15 on, PEP 829)
calls `install` when the interpreter starts, also under ``-I``, ``-E`` and ``-s`` and in every child process.

The view is a folder of links on ``sys.path``. For its folders this module supplies a path entry finder that hands the
names of passed packages on to the host's folder, so that ``__file__`` and everything computed from it (include paths,
library paths) is the host's own path, the same in every build. Where several distributions share a folder (a namespace
package), the view has a real folder of links, and the same holds one level down. As a path entry finder it takes
exactly the place of the view on ``sys.path``: whatever stands earlier wins, as it would in an ordinary environment.

Modules below a passed folder are loaded by a loader that writes no byte code: the host is read, never written.

The data stands in ``_passbuild_redirects``, which passbuild writes beside this file:

``FOLDERS``
    ``{folder of the view: {module name: folder on the host that holds it}}``
``READ_ONLY``
    folders of the host below which no byte code is written
``ELSEWHERE``
    whether ``.pth`` files of passed packages (editable ones) lead to modules that this finder does not see
``IMPORTS``
    file to which each first import of a passed module adds its line
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import (
    BYTECODE_SUFFIXES,
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
    SourcelessFileLoader,
)

from _passbuild_redirects import ELSEWHERE, FOLDERS, IMPORTS, READ_ONLY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType


class ReadOnlySourceLoader(SourceFileLoader):
    """Load source, read its byte code where there is any, and write none."""

    def set_data(self, path: str, data: object, *, _mode: int = 0o666) -> None:
        """Write nothing."""


_LOADERS = (
    (ExtensionFileLoader, EXTENSION_SUFFIXES),
    (ReadOnlySourceLoader, SOURCE_SUFFIXES),
    (SourcelessFileLoader, BYTECODE_SUFFIXES),
)


class ViewFinder(FileFinder):
    """Find passed modules on the host, and anything else in the view's own folder."""

    def __init__(self, path: str) -> None:
        super().__init__(path, *_LOADERS)
        self._folders = FOLDERS[path]
        self._finders: dict[str, FileFinder] = {}

    def find_spec(self, fullname: str, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return the spec of a passed module with the host's path."""
        name = fullname.rpartition(".")[2]
        folder = self._folders.get(name)
        if folder is None:
            return super().find_spec(fullname, target)
        finder = self._finders.get(folder)
        if finder is None:
            finder = self._finders[folder] = FileFinder(folder, *_LOADERS)
        spec = finder.find_spec(fullname, target)
        if spec is not None:
            _note(fullname)
        return spec


def finder_for(path: str) -> FileFinder:
    """Return the finder of one entry of ``sys.path`` or of a package's ``__path__`` (a hook of ``sys.path_hooks``)."""
    if path in FOLDERS:
        return ViewFinder(path)
    if path.startswith(READ_ONLY) and os.path.isdir(path):
        return FileFinder(path, *_LOADERS)
    raise ImportError(path)


def install() -> None:
    """Put the hook in front of the others, once."""
    if ELSEWHERE:
        sys.dont_write_bytecode = True  # also under -E, where Python does not look at PYTHONDONTWRITEBYTECODE
    if finder_for not in sys.path_hooks:
        sys.path_hooks.insert(0, finder_for)
        for path in FOLDERS:
            sys.path_importer_cache.pop(path, None)


_noted: set[str] = set()


def _note(fullname: str) -> None:
    if fullname in _noted:
        return
    _noted.add(fullname)
    try:
        with open(IMPORTS, "a") as file:
            file.write(fullname + "\n")
    except OSError:  # a sealed or vanished environment: the note is for a warning alone
        pass
