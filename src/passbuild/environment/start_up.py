"""Let the Pythons of an environment run a module of ours whenever they start."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from passbuild.environment.venv import Venv


def write(venv: Venv, source: Path, values: Mapping[str, object]) -> tuple[Path, ...]:
    """Copy a module that defines ``install`` into `venv`, to be called at every start; return the files written.

    ``_name.py`` becomes ``_passbuild_name``; it finds `values` in the module ``_passbuild_names``.
    """
    name = f"_passbuild{source.stem}"
    site = venv.site_packages
    text = "".join(f"{key} = {value!a}\n" for key, value in values.items())
    files = {
        # ASCII alone: older Pythons read .pth files by the locale. Paths stand in a module, which is always UTF-8.
        site / f"{name}.pth": f"import {name}; {name}.install()\n",
        site / f"{name}.start": f"{name}:install\n",  # PEP 829, from Python 3.15 on
        site / f"{name}s.py": f'"""Written by passbuild for one build environment."""\n\n{text}',
    }
    for file, content in files.items():
        file.write_text(content, encoding="utf-8")
    return (*files, shutil.copyfile(source, site / f"{name}.py"))
