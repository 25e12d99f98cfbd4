"""Find the passed packages at their true place on the host. It runs in the *build environment's* Python.

Standard library only, Python 3.8 and later. A ``.pth`` file beside it (a ``.start`` file from Python 3.15 on, PEP 829)
calls `install` when the interpreter starts, also under ``-I``, ``-E`` and ``-s`` and in every child process. `install`
puts the view on ``sys.path`` behind site-packages, and then does what the ``.pth`` files of passed packages say.

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
``VIEW``
    the view's folder
``LINES``
    the lines of the ``.pth`` files of passed packages, with absolute paths; editable ones lead to modules that this
    finder does not see

The variable ``_PASSBUILD_IMPORTS`` names the file to which each first import of a passed module adds its line.
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

from _passbuild_redirects import FOLDERS, LINES, READ_ONLY, VIEW

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
    """Put the view on the path and the hook in front of the others, once."""
    if finder_for in sys.path_hooks:
        return
    sys.path_hooks.insert(0, finder_for)
    sys.path.append(VIEW)
    if LINES:
        sys.dont_write_bytecode = True  # also under -E, where Python does not look at PYTHONDONTWRITEBYTECODE
    for line in LINES:
        _process(line, VIEW)


def _process(line: str, sitedir: str) -> None:  # noqa: ARG001 - see below
    """Do what a line of a ``.pth`` file says, as `site` does.

    Lines of ``-nspkg.pth`` files look for `sitedir` among the local variables of the frame that runs them.
    """
    if not line.startswith(("import ", "import\t")):
        if line not in sys.path and os.path.exists(line):
            sys.path.append(line)
        return
    try:
        exec(line)  # noqa: S102 - as `site` does; the user's own environment says it
    except Exception as error:  # noqa: BLE001 - one package's start-up must not end the interpreter
        sys.stderr.write(f"passbuild: a .pth line of the host failed: {line!r}: {error!r}\n")


_noted: set[str] = set()


def _note(fullname: str) -> None:
    if fullname in _noted:
        return
    _noted.add(fullname)
    try:
        with open(os.environ["_PASSBUILD_IMPORTS"], "a") as file:
            file.write(fullname + "\n")
    except (KeyError, OSError):  # not a hook, or one whose run is over: the note is for a warning alone
        pass
