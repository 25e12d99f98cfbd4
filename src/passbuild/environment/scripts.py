"""Scripts and data files of the passed distributions, put where the hooks look for them.

Written last, into the sealed environment. Console scripts are made anew for the build environment's Python (a host's
script would run the whole host); programs run from their real place; other files outside site-packages are linked at
the same place below the environment's prefix.
"""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from passbuild.environment.venv import Venv
    from passbuild.host.model import Distribution, Host

_ENTRY_POINT = re.compile(r"\s*(?P<module>[\w.]+)\s*(?::\s*(?P<object>[\w.]+))?\s*(?:\[.*\])?\s*")
_CONSOLE = """\
import sys

from {module} import {top}

if __name__ == "__main__":
    sys.exit({object}())
"""
_LONGEST = 255
"""Bytes of a file's name."""
_SHEBANG_LIMIT = 125
"""Linux reads 127 bytes of a first line on older kernels."""
_PYTHON_SHEBANG = re.compile(rb"#!.*python[\d.]*[^\n]*\n|#!/bin/sh\n'''exec' .*\n' '''\n")


def write(distributions: Sequence[Distribution], host: Host, venv: Venv) -> None:
    """Write the scripts and link the data files of `distributions` into `venv`; what is there already stays."""
    for distribution in distributions:
        scripts = _entry_points(distribution.info)
        for name, reference in scripts.items():
            _write_console_script(venv, name, reference)
        for path in distribution.outside:
            place = _place(path, distribution.location, host, venv)
            if place is None:
                continue
            if place.parent != venv.scripts:
                _link(path, place, venv.folder)
            elif path.name not in scripts:
                _write_program(path, venv)


def _place(path: Path, location: Path, host: Host, venv: Venv) -> Path | None:
    """Return where a file outside site-packages belongs in `venv`; None where that would lead elsewhere."""
    if path.parent == host.scripts:
        return venv.scripts / path.name
    if path.is_relative_to(host.prefix):
        return venv.folder / path.relative_to(host.prefix)
    # Of a user site or of an environment's base: as far from the modules as there, as its metadata counts the `../`.
    place = Path(os.path.normpath(venv.site_packages / os.path.relpath(path, location)))
    is_ours = place.is_relative_to(venv.folder) and not place.is_relative_to(venv.site_packages)
    return place if is_ours else None


def _entry_points(info: Path) -> Mapping[str, str]:
    """Return the console and GUI scripts that ``entry_points.txt`` states."""
    import configparser

    parser = configparser.RawConfigParser(delimiters=("=",), strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # names keep their case; documented use
    try:
        parser.read_string((info / "entry_points.txt").read_text(encoding="utf-8"))
    except (OSError, ValueError, configparser.Error):
        return {}
    groups = [group for group in ("console_scripts", "gui_scripts") if parser.has_section(group)]
    return {name: reference for group in groups for name, reference in parser.items(group)}


def _write_console_script(venv: Venv, name: str, reference: str) -> None:
    match = _ENTRY_POINT.fullmatch(reference)
    if match is None or match["object"] is None or not _is_file_name(name):
        return
    values = {"module": match["module"], "object": match["object"], "top": match["object"].partition(".")[0]}
    _write_executable(venv.scripts / name, _shebang(venv.python) + _CONSOLE.format(**values).encode())


def _is_file_name(name: str) -> bool:
    """Whether a script can be called by a name, which is what somebody wrote."""
    return 0 < len(os.fsencode(name)) <= _LONGEST and name not in {".", ".."} and not {"/", "\0"} & {*name}


def _write_program(path: Path, venv: Venv) -> None:
    """Make a program of the host callable: a Python script for our Python, anything else from its real place."""
    if not os.path.isfile(path):  # noqa: PTH113 - Path.is_file raises for long names
        return
    with path.open("rb") as file:
        start = file.read(512)
    shebang = _PYTHON_SHEBANG.match(start)
    if shebang is not None:
        body = path.read_bytes()[shebang.end() :]
        _write_executable(venv.scripts / path.name, _shebang(venv.python) + body)
    else:
        call = f'#!/bin/sh\nexec {shlex.quote(str(path))} "$@"\n'
        _write_executable(venv.scripts / path.name, call.encode())


def _shebang(python: Path) -> bytes:
    """Return the first line or lines that run a script with `python`, also from a long path or one with spaces."""
    if " " not in str(python) and len(str(python)) < _SHEBANG_LIMIT:
        return f"#!{python}\n".encode()
    return f"#!/bin/sh\n'''exec' {shlex.quote(str(python))} \"$0\" \"$@\"\n' '''\n".encode()


def _write_executable(path: Path, content: bytes) -> None:
    if path.exists():
        return
    path.write_bytes(content)
    path.chmod(0o755)


def _link(target: Path, link: Path, folder: Path) -> None:
    """Link to a file, unless that would be done on the host, behind a link below `folder`."""
    if os.path.lexists(link) or not os.path.exists(target):  # noqa: PTH110 - Path.exists raises for long names
        return
    if any(parent.is_symlink() for parent in link.parents if parent.is_relative_to(folder) and parent != folder):
        return
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(target)
