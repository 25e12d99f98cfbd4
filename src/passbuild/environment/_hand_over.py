"""Hand the source tree of an sdist over to passbuild instead of building it.

It runs in the *build environment's* Python, standard library only, Python 3.8 and later, and only while an installer
works on that environment. The installer does not isolate its builds then: for whatever hook of an sdist's backend, it
starts this Python in the sdist's source tree. `install` notices that, keeps a copy of the tree, and ends the process.

The data stands in ``_passbuild_hand_overs``, which passbuild writes beside this file:

``INBOX``
    the folder for the copies; each is called ``tree-…`` once it is whole
``START``
    the folder in which the installer was started; a Python there is the installer's own
"""

from __future__ import annotations

import os

from _passbuild_hand_overs import INBOX, START

_MARKS = ("PKG-INFO", "pyproject.toml", "setup.py")
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
    import shutil  # noqa: PLC0415 - every start of this Python would pay for them
    import tempfile  # noqa: PLC0415
    import traceback  # noqa: PLC0415

    try:
        folder = tempfile.mkdtemp(prefix=".", dir=INBOX)
        shutil.copytree(here, os.path.join(folder, os.path.basename(here)), symlinks=True)
        os.rename(folder, os.path.join(INBOX, "tree-" + os.path.basename(folder)[1:]))
    except BaseException:  # noqa: BLE001 - it must not go on into the backend, whatever happened
        traceback.print_exc()
    os._exit(_HANDED_OVER)
