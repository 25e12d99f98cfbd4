"""Hand the source tree of an sdist over to passbuild instead of building it.

It runs in the *build environment's* Python, standard library only, Python 3.8 and later, and only while an installer
works on that environment. The installer does not isolate its builds then: for whatever hook of an sdist's backend, it
starts this Python in the sdist's source tree. `install` notices that, keeps a copy of the tree, and ends the process.

The data stands in ``_passbuild_hand_overs``, which passbuild writes beside this file:

``INBOX``
    the folder for the copies; each is called ``tree-…`` once it is whole
    (a folder of the user's own is linked to, as an installer builds it in its place; ``below.txt`` says where in a
    repository the source tree lies)
``START``
    the folder in which the installer was started; a Python there is the installer's own
"""

from __future__ import annotations

import os

from _passbuild_hand_overs import INBOX, START

_MARKS = ("PKG-INFO", "pyproject.toml", "setup.py")
_DEPTH = 6
"""How far above a source tree its repository is looked for."""
_HANDED_OVER = 97
"""The exit code; the installer takes it for a failure, which it is meant to."""


def install() -> None:
    """End the process with a copy of the source tree that it was started in; elsewhere do nothing."""
    try:
        here = os.getcwd()
    except OSError:  # the folder is gone: no source tree
        return
    if os.path.realpath(here) == START or not any(os.path.isfile(os.path.join(here, name)) for name in _MARKS):
        return
    import shutil  # every start of this Python would pay for them
    import tempfile
    import traceback

    try:
        folder = tempfile.mkdtemp(prefix=".", dir=INBOX)
        top = _repository(here)
        place = os.path.join(folder, os.path.basename(top))
        if _is_passing(here):
            shutil.copytree(top, place, symlinks=True)
        else:
            os.symlink(top, place)
        if top != here:
            with open(os.path.join(folder, "below.txt"), "w", encoding="utf-8") as file:
                file.write(os.path.relpath(here, top))
        os.rename(folder, os.path.join(INBOX, "tree-" + os.path.basename(folder)[1:]))
    except BaseException:  # noqa: BLE001 - it must not go on into the backend, whatever happened
        traceback.print_exc()
    os._exit(_HANDED_OVER)


def _repository(here: str) -> str:
    """Return the top of the checkout that a source tree is part of, else the source tree itself."""
    folder = here
    for _ in range(_DEPTH):
        if _is_checkout(os.path.join(folder, ".git")):
            return folder
        folder = os.path.dirname(folder)
    return here


def _is_checkout(mark: str) -> bool:
    """Whether a path is what git keeps beside the files: its folder, or a file that says where that is.

    Some tools put an empty file of that name into their caches, so that git looks no further.
    """
    if os.path.isdir(mark):
        return os.path.exists(os.path.join(mark, "HEAD"))
    try:
        with open(mark, "rb") as file:
            return file.read(7) == b"gitdir:"
    except OSError:
        return False


def _is_passing(here: str) -> bool:
    """Whether a source tree will be gone: it lies in the installer's temporary folder, or in a cache."""
    folder, scratch = os.path.realpath(here), os.path.realpath(os.path.dirname(INBOX))
    if folder.startswith(scratch + os.sep):
        return True
    while os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
        if os.path.exists(os.path.join(folder, "CACHEDIR.TAG")):
            return True
    return False
