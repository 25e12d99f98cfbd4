"""What a host's interpreter said of its environment, kept for the next build that names nothing to pass through.

Kept with the state of everything that the answer was read from: the interpreter, ``pyvenv.cfg``, the folders of
``sys.path`` (their time changes with every distribution that comes or goes) and the ``.pth`` files in them. One changed
state, variable or kernel, and the interpreter is asked again.

Not kept is what depends on more than can be seen: the answer of a shim or wrapper, which may start another interpreter
next time, and of one with a ``sitecustomize``, which may look at anything. Where packages pass through, and for
``passbuild plan``, the host is always asked.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from passbuild import scratch
from passbuild.values import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_FORMAT = 1
_PROBE = Path(__file__).with_name("_probe.py")
_RECENT = 2.0
"""Seconds within which a file may change once more and keep its time."""
_VARIABLES = ("HOME", "__PYVENV_LAUNCHER__")


class Answer(TypedDict):
    """What has to be known of an answer to keep it."""

    executable: str
    prefix: str
    path: list[str]
    user_site: str
    customized: bool


@frozen
class Memory:
    """Where answers are kept, and for how long."""

    folder: Path
    """Without it nothing is kept."""
    max_age: float
    """Seconds after which a host is asked again; 0 asks it in any case."""


def recalled(memory: Memory, executable: Path, environ: Mapping[str, str]) -> object:
    """Return what this interpreter answered when everything was as it is now; None where nothing is known."""
    file = _file(memory, executable)
    try:
        if time.time() - file.stat().st_mtime >= memory.max_age:
            return None
        document = json.loads(file.read_text(encoding="utf-8"))
        is_same = document["about"] == _about(environ) and document["states"] == _states(document["states"])
        return document["reply"] if is_same else None
    except (OSError, ValueError, LookupError, TypeError):
        return None


def note(memory: Memory, executable: Path, environ: Mapping[str, str], reply: Answer, asked: float) -> None:
    """Keep the answer to a question `asked` at that time, where it will be of use.

    Not that of an environment which had only just changed then, or has changed since: its files may do so once more and
    keep their times.
    """
    is_itself = os.path.realpath(reply["executable"]) == os.path.realpath(executable)
    if not is_itself or reply["customized"] or not memory.folder.is_dir():
        return
    paths = [executable, Path(reply["prefix"], "pyvenv.cfg"), *map(Path, (*reply["path"], reply["user_site"]))]
    for entry in reply["path"]:
        paths += _path_files(Path(entry))
    states = _states(map(str, paths))
    newest = max((state[0] for state in states.values() if state), default=0)
    if newest / 1e9 > asked - _RECENT:
        return
    document = {"about": _about(environ), "states": states, "reply": reply}
    file = _file(memory, executable)
    with (
        contextlib.suppress(OSError),
        scratch.beside(file) as temporary,
    ):  # next time it is asked again, and that is all
        temporary.write_text(json.dumps(document), encoding="utf-8")
        os.replace(temporary, file)


def forget(memory: Memory) -> None:
    """Remove the answers that are too old, and what a killed process left of one."""
    for file in memory.folder.glob("*"):
        with contextlib.suppress(OSError):
            if time.time() - file.stat().st_mtime >= memory.max_age:
                file.unlink()


def _file(memory: Memory, executable: Path) -> Path:
    return memory.folder / f"{hashlib.sha256(os.fsencode(executable)).hexdigest()[:20]}.json"


def _about(environ: Mapping[str, str]) -> list[object]:
    """Return what shapes an answer beside files; values are digested, as nobody needs to read them."""
    names = sorted(name for name in environ if name.startswith("PYTHON") or name in _VARIABLES)
    variables = "\0".join(f"{name}={environ[name]}" for name in names)
    where = os.getcwd() if "PYTHONPATH" in environ else ""  # noqa: PTH109 - it may name folders relative to it
    digest = hashlib.sha256(f"{variables}\0{where}".encode(errors="surrogateescape")).hexdigest()
    system = list(os.uname()) if hasattr(os, "uname") else []
    return [_FORMAT, digest, system, _state(str(_PROBE))]


def _path_files(folder: Path) -> list[Path]:
    try:
        return [item for item in folder.iterdir() if item.suffix == ".pth"]
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
