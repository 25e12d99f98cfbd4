"""Ask git about a checkout, so that nothing is run, fetched or written which its configuration names.

Whoever wrote a source tree may have written the configuration of its repository as well, and that names programs. No
question here is one for which git runs filters: nothing looks at the contents of the work tree.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from passbuild import process

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_SETTINGS = (
    "core.fsmonitor=",  # empty is off for every git; older ones take `false` for the name of a program
    f"core.hooksPath={os.devnull}",
    "core.untrackedCache=false",
    "protocol.allow=never",
    "safe.bareRepository=explicit",  # a folder of the source tree may look like a repository
    "submodule.recurse=false",
)
"""What counts more than anything that the repository says."""
_VARIABLES = {
    "GIT_ALLOW_PROTOCOL": "",  # of all that it knows; the repository could allow one of them by `protocol.file.allow`
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
}


def said(arguments: Sequence[str], folder: Path, environ: Mapping[str, str]) -> str:
    """Return what git says of the checkout that `folder` belongs to; empty where it has nothing to say, or is absent.

    A commit or another object that is not there is not fetched.
    """
    settings = [word for setting in _SETTINGS for word in ("-c", setting)]
    argv = ["git", "--no-pager", *settings, *arguments]
    try:
        finished = process.answer(argv, environ={**environ, **_VARIABLES}, question="", cwd=folder)
    except OSError:
        return ""
    return finished.stdout if finished.returncode == 0 else ""
