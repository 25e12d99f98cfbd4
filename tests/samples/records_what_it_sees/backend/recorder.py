"""A build backend that writes down what its hooks see, into the artifact: ``seen.json``.

``recorder.json`` beside pyproject.toml says what to look at; every key may be left out:

``name``, ``version``          of the project
``imports``                    modules to import; a failure fails the hook
``tries``                      modules of which it is no failure that they cannot be imported
``distributions``              names to look up with ``importlib.metadata``
``requires_wheel``, ``requires_sdist``  what ``get_requires_for_build_*`` returns
``hook_imports``               modules that ``get_requires_for_build_*`` already imports
``children``                   flags, each given to a child process that imports the same modules
``asks``                       programs that set ``answer``; the hook runs them, and a child process for each flag
``programs``                   commands to run by their names alone
``requires_dist``              what METADATA requires
"""

from __future__ import annotations

import importlib
import importlib.metadata
import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import tiny_wheel

_CHILD = """
import importlib, json, sys
print(json.dumps({name: importlib.import_module(name).__file__ for name in sys.argv[1:]}))
"""

_ASKED = """
import json, sys
known = {}
exec(sys.argv[1], known)
print(json.dumps(known["answer"]))
"""


def get_requires_for_build_wheel(config_settings: object = None) -> list[str]:
    """Return what `requires_wheel` says."""
    return _requires("wheel")


def get_requires_for_build_sdist(config_settings: object = None) -> list[str]:
    """Return what `requires_sdist` says."""
    return _requires("sdist")


def build_wheel(wheel_directory: str, config_settings: object = None, metadata_directory: str | None = None) -> str:
    """Write a wheel with one module and ``seen.json``."""
    asked = _asked()
    sys.stdout.write("the recorder builds a wheel\n")
    name = asked["name"].replace("-", "_")
    files = {
        f"{name}/__init__.py": "",
        f"{name}/seen.json": json.dumps(_seen("build_wheel", config_settings), indent=1),
    }
    requires = asked.get("requires_dist", [])
    return str(tiny_wheel.write(Path(wheel_directory), asked["name"], asked["version"], files, requires=requires).name)


def build_sdist(sdist_directory: str, config_settings: object = None) -> str:
    """Write an sdist of the source tree, with ``seen.json``."""
    asked = _asked()
    stem = f"{asked['name'].replace('-', '_')}-{asked['version']}"
    texts = {
        "PKG-INFO": tiny_wheel.metadata(asked["name"], asked["version"]),
        "seen.json": json.dumps(_seen("build_sdist", config_settings), indent=1),
    }
    with tarfile.open(Path(sdist_directory) / f"{stem}.tar.gz", "w:gz") as sdist:
        for file in sorted(path for path in Path().rglob("*") if path.is_file()):
            if file.parts[0] not in {"dist", ".venv"} and "__pycache__" not in file.parts:
                sdist.add(str(file), f"{stem}/{file.as_posix()}")
        for path, text in texts.items():
            member = tarfile.TarInfo(f"{stem}/{path}")
            member.size = len(text.encode())
            sdist.addfile(member, io.BytesIO(text.encode()))
    return f"{stem}.tar.gz"


def _asked() -> dict[str, Any]:
    return {"name": "sample", "version": "1.0", **json.loads(Path("recorder.json").read_text(encoding="utf-8"))}


def _requires(kind: str) -> list[str]:
    asked = _asked()
    for module in asked.get("hook_imports", []):
        importlib.import_module(module)
    return list(asked.get("requires_" + kind, []))


def _seen(hook: str, config_settings: object) -> dict[str, Any]:
    asked = _asked()
    names = asked.get("imports", [])
    return {
        "hook": hook,
        "modules": {name: _module(name) for name in (*names, *asked.get("tries", []))},
        "distributions": {name: _version(name) for name in asked.get("distributions", [])},
        "children": {flag: _child(flag, names) for flag in asked.get("children", [])},
        "answers": {flag: _answers(flag) for flag in ("", *asked.get("children", []))},
        "programs": {name: _output([name]) for name in asked.get("programs", [])},
        "config_settings": config_settings,
        "environ": dict(os.environ),
        "path": sys.path,
        "prefix": sys.prefix,
        "executable": sys.executable,
        "version": ".".join(map(str, sys.version_info[:3])),
        "no_user_site": bool(sys.flags.no_user_site),
        "cwd": str(Path.cwd()),
        "imported": [name for name in names if importlib.import_module(name)],
    }


def _module(name: str) -> dict[str, Any] | None:
    try:
        module = importlib.import_module(name)
    except ImportError:
        return None
    return {"version": getattr(module, "__version__", None), "file": module.__file__}


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _child(flag: str, names: list[str]) -> dict[str, str]:
    return dict(json.loads(_output([sys.executable, flag, "-c", _CHILD, *names])))


def _answers(flag: str) -> dict[str, Any]:
    """Return what the programs of `asks` answer, here or in a child process with this flag."""
    return {
        name: _child_answer(flag, code) if flag else _answer(code) for name, code in _asked().get("asks", {}).items()
    }


def _answer(code: str) -> object:
    known: dict[str, Any] = {}
    exec(code, known)
    return json.loads(json.dumps(known["answer"]))


def _child_answer(flag: str, code: str) -> object:
    return json.loads(_output([sys.executable, flag, "-c", _ASKED, code]))


def _output(command: list[str]) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout.strip()
