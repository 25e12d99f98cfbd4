"""Put the scripts of a build environment on PATH, for what its Python starts.

It runs in the *build environment's* Python, standard library only, Python 3.8 and later, and only in an environment
that an editable installation keeps. Whatever rebuilds on import starts that Python (Meson's, say) from a program that
knows nothing of the environment; while passbuild runs the hooks, PATH has them anyway.
"""

from __future__ import annotations

import os

from _passbuild_on_paths import FOLDER


def install() -> None:
    """Put the folder of scripts first, once."""
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    if FOLDER not in folders:
        os.environ["PATH"] = os.pathsep.join((FOLDER, *folders))
