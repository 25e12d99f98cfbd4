"""What a host's interpreter said of its environment, kept for the next run that names nothing to pass through.

Kept with the state of everything that the answer was read from: the interpreter, ``pyvenv.cfg``, the folders of
``sys.path`` (their time changes with every distribution that comes or goes) and the files in them that the start of an
interpreter reads. One changed state, variable or kernel, and the interpreter is asked again. Where packages pass
through it is always asked: then the answer depends on more files than are worth a look at each.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_FORMAT = 1
_PROBE = Path(__file__).with_name("_probe.py")
_RECENT = 2.0
"""Seconds within which a file may change once more and keep its time."""
_VARIABLES = ("HOME", "__PYVENV_LAUNCHER__")
_SHAPING = ("sitecustomize.py", "usercustomize.py")


class Answer(TypedDict):
    """What has to be known of an answer to keep it."""

    prefix: str
    path: list[str]


def recalled(folder: Path, executable: Path, environ: Mapping[str, str]) -> object:
    """Return what this interpreter answered when everything was as it is now; None where nothing is known."""
    try:
        document = json.loads(_file(folder, executable).read_text(encoding="utf-8"))
        is_same = document["about"] == _about(environ) and document["states"] == _states(document["states"])
        return document["reply"] if is_same else None
    except (OSError, ValueError, LookupError, TypeError):
        return None


def note(folder: Path, executable: Path, environ: Mapping[str, str], reply: Answer, asked: float) -> None:
    """Keep the answer to a question `asked` at that time, in a folder that is there.

    Not that of an environment which had only just changed then, or has changed since: its files may do so once more and
    keep their times.
    """
    if not folder.is_dir():
        return
    paths = [executable, Path(reply["prefix"], "pyvenv.cfg"), *map(Path, reply["path"])]
    for entry in reply["path"]:
        paths += _start_files(Path(entry))
    states = _states(map(str, paths))
    newest = max((state[0] for state in states.values() if state), default=0)
    if newest / 1e9 > asked - _RECENT:
        return
    document = {"about": _about(environ), "states": states, "reply": reply}
    file = _file(folder, executable)
    temporary = file.with_name(f"{file.name}.{os.getpid()}")
    with contextlib.suppress(OSError):  # next time it is asked again, and that is all
        temporary.write_text(json.dumps(document), encoding="utf-8")
        os.replace(temporary, file)


def _file(folder: Path, executable: Path) -> Path:
    return folder / f"{hashlib.sha256(os.fsencode(executable)).hexdigest()[:20]}.json"


def _about(environ: Mapping[str, str]) -> list[object]:
    """Return what shapes an answer beside files; values are digested, as nobody needs to read them."""
    names = sorted(name for name in environ if name.startswith("PYTHON") or name in _VARIABLES)
    variables = "\0".join(f"{name}={environ[name]}" for name in names)
    where = os.getcwd() if "PYTHONPATH" in environ else ""  # noqa: PTH109 - it may name folders relative to it
    digest = hashlib.sha256(f"{variables}\0{where}".encode(errors="surrogateescape")).hexdigest()
    system = list(os.uname()) if hasattr(os, "uname") else []
    return [_FORMAT, digest, system, _state(str(_PROBE))]


def _start_files(folder: Path) -> list[Path]:
    """Return the files of a folder that every start of an interpreter reads."""
    try:
        return [item for item in folder.iterdir() if item.suffix == ".pth" or item.name in _SHAPING]
    except OSError:  # not there, or a zip archive
        return []


def _states(paths: Iterable[str]) -> dict[str, list[int]]:
    """Return the states of files and folders, newest time first; empty for what is not there."""
    return {path: _state(path) for path in paths}


def _state(path: str) -> list[int]:
    try:
        state = os.stat(path)  # noqa: PTH116 - one call
    except OSError:
        return []
    return [max(state.st_mtime_ns, state.st_ctime_ns), state.st_mtime_ns, state.st_size, state.st_ino, state.st_dev]
