"""Describe the Python environment in which this script runs. It runs in the *host*, never in passbuild.

Standard library only, Python 3.8 and later. It opens files for reading and nothing else.

The request is one JSON object on standard input::

    {"schema": 3, "mark": "passbuild-probe:", "names": ["torch"], "modules": ["yaml"]}

``schema`` is the version of request and reply, and comes back in the reply.
``names`` are normalized names of distributions: they, and everything that their requirements can reach, are read fully.
``modules`` are top-level modules: the distributions that provide them are looked up.

The reply is one line on standard output that starts with ``mark`` and goes on with one JSON object::

    {
      "schema": 3,
      "version": "3.11.7", "implementation": "cpython", "soabi": "cpython-311-x86_64-linux-gnu",
      "prefix": "/venv", "base_prefix": "/usr", "scripts": "/venv/bin", "path": ["/usr/lib/python3.11", ...],
      "executable": "/venv/bin/python", "user_site": "/home/me/.local/lib/...", "customized": false,
      "markers": {"python_version": "3.11", ...},
      "installed": {"torch": "2.13.0+cpu", ...},
      "providers": {"yaml": ["pyyaml"]},
      "distributions": [
        {"name": "torch", "version": "2.13.0+cpu", "location": "/venv/lib/...", "info": "/venv/lib/...",
         "requires": ["filelock", ...], "entries": ["torch", "functorch"], "outside": ["/venv/bin/torchrun"],
         "path_files": [], "pkg_config": [], "direct_url": null,
         "editable": false, "size": 123, "recorded": true}
      ]
    }

``direct_url`` is the document of PEP 610. Paths are absolute; ``entries`` are relative to ``location`` and use ``/``.
``path`` is ``sys.path`` without the folder of this script. ``user_site`` may not be there. ``customized`` is whether a
``sitecustomize`` or ``usercustomize`` ran.
Lines before the reply are somebody else's (a ``sitecustomize`` that prints) and do not count.
"""

from __future__ import annotations

import csv
import email.message
import functools
import json
import os
import pathlib
import platform
import re
import site
import sys
import sysconfig
from importlib.machinery import EXTENSION_SUFFIXES

try:
    from importlib.metadata import PathDistribution
except ImportError:  # Python 3.7 and older; the reply says which
    PathDistribution = object  # type: ignore[assignment,misc]  # a class that knows all this for all later Pythons

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_SUFFIXES = (".dist-info", ".egg-info")
_NAMESPACE_INIT_SIZE = 4096
_MODULE_SUFFIXES = (".py", ".pyi", ".so", ".pyd", ".pyc")


def main() -> None:
    request = json.loads(sys.stdin.read())
    here = os.path.dirname(os.path.abspath(__file__))
    search_path = [os.path.abspath(entry) for entry in sys.path if os.path.abspath(entry) != here]
    reply = {
        "schema": request["schema"],
        "version": platform.python_version(),
        "implementation": sys.implementation.name,
        "soabi": soabi(),
        "prefix": sys.prefix,
        "base_prefix": sys.base_prefix,
        "scripts": sysconfig.get_path("scripts"),
        "path": search_path,
        "executable": sys.executable,
        "user_site": site.getusersitepackages(),
        "customized": "sitecustomize" in sys.modules or "usercustomize" in sys.modules,
        "markers": markers(),
    }
    if sys.version_info >= (3, 8):  # noqa: UP036 - the reply says which it is
        found = listed(search_path)
        reply["installed"] = {name: version for name, (version, _, _) in found.items()}
        reply["distributions"] = reached(found, request["names"])
        reply["providers"] = providers(found, request["modules"])
    sys.stdout.write("\n" + request["mark"] + json.dumps(reply) + "\n")


def soabi() -> str:
    """Return what names the ABI of extension modules; `sysconfig` knows it too, and takes longer to say it."""
    parts = (sys.implementation.cache_tag, getattr(sys, "abiflags", ""), getattr(sys.implementation, "_multiarch", ""))
    return "-".join(filter(None, parts))


def markers() -> dict[str, str]:
    """Return the marker environment of PEP 508."""
    info = sys.implementation.version
    implementation_version = "{}.{}.{}".format(*info[:3])
    if info.releaselevel != "final":
        implementation_version += info.releaselevel[0] + str(info.serial)
    return {
        "implementation_name": sys.implementation.name,
        "implementation_version": implementation_version,
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": platform.python_version(),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "sys_platform": sys.platform,
    }


def normalized(name: str) -> str:
    """Return a name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def listed(search_path: Iterable[str]) -> dict[str, tuple[str, str, str]]:
    """Return {normalized name: (version, location, info path)}; the first on the search path wins."""
    found: dict[str, tuple[str, str, str]] = {}
    for location in search_path:
        try:
            names = sorted(os.listdir(location))
        except OSError:
            continue
        for entry in names:
            if not entry.endswith(_SUFFIXES) or entry.startswith("~"):
                continue
            info = os.path.join(location, entry)
            if not _has_metadata(info):
                continue
            stem = re.sub(r"-py\d+(\.\d+)?$", "", entry.rsplit(".", 1)[0])
            name, _, version = stem.partition("-")
            if not version:
                version = _metadata(_Distribution(info))["Version"] or ""
            found.setdefault(normalized(name), (version, location, info))
    return found


def reached(found: dict[str, tuple[str, str, str]], names: Iterable[str]) -> list[dict[str, Any]]:
    """Return the distributions that `names` reach through requirements of any marker, fully read."""
    result: list[dict[str, Any]] = []
    waiting, seen = list(names), set()
    while waiting:
        name = waiting.pop()
        if name in seen or name not in found:
            continue
        seen.add(name)
        described = describe(name, *found[name])
        result.append(described)
        waiting += [normalized(_leading_name(requirement)) for requirement in described["requires"]]
    return sorted(result, key=lambda item: item["name"])


def describe(name: str, version: str, location: str, info: str) -> dict[str, Any]:
    """Return everything about one distribution."""
    distribution = _Distribution(info)
    direct_url = _json(distribution.read_text("direct_url.json") or "{}")
    directory = direct_url.get("dir_info")
    paths, size, recorded = _files(distribution, location, info)
    inside, outside, path_files = [], [], []
    for path in paths:
        if not path.startswith(location + os.sep):
            if os.path.islink(path) or not os.path.isdir(path):  # a folder there is nobody's own
                outside.append(path)
        elif path.endswith(".pth") and os.path.dirname(path) == location:
            path_files.append(path)
        else:
            inside.append(os.path.relpath(path, location).replace(os.sep, "/"))
    return {
        "name": name,
        "version": _metadata(distribution)["Version"] or version,
        "location": location,
        "info": info,
        "requires": _requirements(distribution),
        "entries": entries(inside, location) if recorded else _tops(inside),
        "outside": outside,
        "path_files": path_files,
        "pkg_config": sorted(
            {os.path.join(location, os.path.dirname(path)) for path in inside if path.endswith(".pc")}
        ),
        "direct_url": direct_url if isinstance(direct_url.get("url"), str) else None,
        "editable": bool(isinstance(directory, dict) and directory.get("editable")) or _is_development(info),
        "size": size,
        "recorded": recorded,
    }


def entries(paths: Iterable[str], location: str) -> list[str]:
    """Return the fewest files and folders that make up `paths` and nothing of other distributions.

    A regular package (with an ``__init__``) is one entry, unless another distribution has files in it too; a namespace
    package, of whichever of the three styles, is followed down to its parts; a folder whose name is no identifier
    (``numpy.libs``) cannot be a namespace and is one entry.
    """
    paths = list(paths)
    found = set()
    whole = {}
    for path in paths:
        parts = path.split("/")
        if parts[0].endswith(_SUFFIXES):
            continue
        for depth in range(1, len(parts)):
            folder = "/".join(parts[:depth])
            if folder not in whole:
                is_one = not parts[depth - 1].isidentifier() or _is_regular(os.path.join(location, folder))
                whole[folder] = is_one and not _is_shared(folder, paths, location)
            if whole[folder]:
                found.add(folder)
                break
        else:
            found.add(path)
    return sorted(found)


def providers(found: dict[str, tuple[str, str, str]], modules: Iterable[str]) -> dict[str, list[str]]:
    """Return {module: names of the distributions that provide it}, for those that any distribution provides."""
    result: dict[str, list[str]] = {}
    wanted = set(modules)
    if not wanted:
        return result
    for name, (_, location, info) in sorted(found.items()):
        distribution = _Distribution(info)
        stated = (distribution.read_text("top_level.txt") or "").split()
        paths = [os.path.relpath(path, location) for path in _files(distribution, location, info)[0]]
        tops = {path.split(os.sep)[0].split(".")[0] for path in paths}
        for module in wanted & (tops | set(stated)):
            result.setdefault(module, []).append(name)
    return result


class _Distribution(PathDistribution):
    """A distribution whose files are read whatever they hold: others than UTF-8 are wrong, and are there."""

    def __init__(self, info: str) -> None:
        super().__init__(pathlib.Path(info))
        self._folder = info

    def read_text(self, filename: str | os.PathLike[str]) -> str | None:
        """Return the text of a file of its metadata; None where there is none."""
        file = os.path.join(self._folder, filename) if filename else self._folder
        if not os.path.isfile(file):  # a pipe or a device has no end
            return None
        try:
            with open(file, encoding="utf-8", errors="replace") as stream:
                return stream.read().replace("\0", "")
        except OSError:
            return None


def _metadata(distribution: PathDistribution) -> Any:
    """Return the headers of METADATA or PKG-INFO; without a file, none."""
    try:
        return distribution.metadata
    except Exception:  # noqa: BLE001 - importlib.metadata has raised many things for files that are not there
        return email.message.Message()


def _requirements(distribution: PathDistribution) -> list[str]:
    """Return what a distribution requires; of an egg's sections that make no sense, nothing."""
    try:
        return [str(item) for item in distribution.requires or []]
    except Exception:  # noqa: BLE001 - what somebody wrote by hand may be anything
        return []


def _rows_of(record: str) -> list[list[str]]:
    """Return the rows of a RECORD that name a file."""
    rows: list[list[str]] = []
    lines = csv.reader(record.splitlines())
    while True:
        try:
            row = next(lines)
        except StopIteration:
            return rows
        except csv.Error:  # a field that is too long
            continue
        if row and row[0]:
            rows.append(row)


def _files(distribution: PathDistribution, location: str, info: str) -> tuple[list[str], int, bool]:
    """Return (absolute paths, total size in bytes, whether a record says so).

    By RECORD, by ``installed-files.txt``, by what conda or dpkg recorded or, last, by what there is.
    """
    conda = _conda_files(distribution, info)
    record = distribution.read_text("RECORD")
    if record is not None:
        rows = _rows_of(record)
        paths = [os.path.normpath(os.path.join(location, row[0])) for row in rows]
        size = sum(int(row[-1]) for row in rows if re.match(r"[0-9]{1,18}$", row[-1]))
        return list(dict.fromkeys(paths + conda)), size, True
    installed = distribution.read_text("installed-files.txt")
    if installed is not None:
        lines = [line for line in installed.splitlines() if line]
        return [os.path.normpath(os.path.join(info, line)) for line in lines], 0, True
    paths = conda or _dpkg_files(info)
    guessed = _guessed(distribution, location, info)
    if not paths:
        return guessed, 0, False
    # Debian keeps `pkg_resources` in a package of its own; what top_level.txt states belongs together all the same.
    tops = {os.path.relpath(path, location).split(os.sep)[0] for path in paths}
    return paths + [path for path in guessed if os.path.relpath(path, location).split(os.sep)[0] not in tops], 0, True


def _conda_files(distribution: PathDistribution, info: str) -> list[str]:
    """Return the files of the conda package that brought a metadata folder; empty when none did.

    A RECORD does not know of headers and libraries that the package puts into the environment's prefix.
    """
    if (distribution.read_text("INSTALLER") or "conda").strip() != "conda":
        return []
    name = os.path.relpath(info, sys.prefix).replace(os.sep, "/")
    record = _records(os.path.join(sys.prefix, "conda-meta"), ".json").get(name)
    files = _json(_text(record)).get("files", []) if record else []
    paths = [str(path).replace("\0", "") for path in (files if isinstance(files, list) else []) if path]
    return [os.path.normpath(os.path.join(sys.prefix, *path.split("/"))) for path in paths]


def _dpkg_files(info: str) -> list[str]:
    """Return the files of the Debian package that brought a metadata folder; empty when none did."""
    if os.path.basename(os.path.dirname(info)) != "dist-packages":
        return []
    record = _records("/var/lib/dpkg/info", ".list").get(info)
    paths = _text(record).splitlines() if record else []
    return [path for path in paths if not os.path.isdir(path) or os.path.islink(path)]


@functools.lru_cache(maxsize=None)  # noqa: UP033 - functools.cache came with Python 3.9
def _records(folder: str, suffix: str) -> dict[str, str]:
    """Return {path of a metadata folder: record file} for every record of a package manager that names one."""
    found: dict[str, str] = {}
    try:
        files = sorted(entry for entry in os.listdir(folder) if entry.endswith(suffix))
    except OSError:
        return found
    for file in files:
        path = os.path.join(folder, file)
        text = _text(path)
        if any(kind in text for kind in _SUFFIXES):
            for info in re.findall(r'(?:^|")([^"\n]+\.(?:dist|egg)-info)(?=["/\n])', text, re.MULTILINE):
                found.setdefault(info, path)
    return found


def _text(file: str) -> str:
    try:
        with open(file, encoding="utf-8", errors="surrogateescape") as stream:
            return stream.read()
    except OSError:
        return ""


def _tops(paths: Iterable[str]) -> list[str]:
    """Return the top-level files and folders: without a record nobody knows which parts of a namespace are whose."""
    return sorted({path.split("/")[0] for path in paths})


def _guessed(distribution: PathDistribution, location: str, info: str) -> list[str]:
    """Return the modules of a distribution without any record (Debian's): by top_level.txt, else by its own name."""
    stated = (distribution.read_text("top_level.txt") or "").split()
    name = normalized(os.path.basename(info).rsplit(".", 1)[0].partition("-")[0])
    paths = []
    for entry in sorted(os.listdir(location)):
        top = entry.partition(".")[0]
        path = os.path.join(location, entry)
        if not (top in stated if stated else normalized(top) == name):
            continue
        if entry == top and os.path.isdir(path):
            paths.append(os.path.join(path, "__init__.py"))
        elif entry.endswith(_MODULE_SUFFIXES) and os.path.isfile(path):
            paths.append(path)
    path_files = [entry for entry in sorted(os.listdir(location)) if _is_path_file_of(entry, name)]
    return paths + [os.path.join(location, entry) for entry in path_files if not _is_recorded([entry + ","], location)]


def _is_path_file_of(entry: str, name: str) -> bool:
    """Whether a file is the ``.pth`` of a distribution, by the names that build backends give them."""
    stem, suffix = os.path.splitext(entry)
    pattern = rf"(-editable-)?-?{re.escape(name)}(-\d.*)?(-nspkg)?"
    return suffix == ".pth" and re.fullmatch(pattern, normalized(stem)) is not None


def _is_development(info: str) -> bool:
    """Whether this is the ``.egg-info`` of a source tree (``setup.py develop``)."""
    location = os.path.dirname(info)
    sites = {os.path.abspath(sysconfig.get_path(kind)) for kind in ("purelib", "platlib")}
    if not info.endswith(".egg-info") or location in sites:
        return False
    return os.path.isfile(os.path.join(location, "setup.py")) or any(_links_to(location, site) for site in sys.path)


def _links_to(location: str, site: str) -> bool:
    """Whether a folder of the search path has an ``.egg-link`` to `location` (a ``src`` folder has no setup.py)."""
    try:
        links = [name for name in os.listdir(site) if name.endswith(".egg-link")]
        for name in links:
            with open(os.path.join(site, name), encoding="utf-8") as stream:
                if os.path.abspath(stream.readline().strip()) == location:
                    return True
    except (OSError, ValueError):
        pass
    return False


def _is_regular(folder: str) -> bool:
    """Whether a folder is a regular package: it has an ``__init__`` that does not make it a namespace."""
    source = os.path.join(folder, "__init__.py")
    if os.path.isfile(source):
        return not _makes_namespace(source)
    suffixes = (*_MODULE_SUFFIXES, *EXTENSION_SUFFIXES)
    return any(os.path.isfile(os.path.join(folder, "__init__" + suffix)) for suffix in suffixes)


def _is_shared(folder: str, paths: Iterable[str], location: str) -> bool:
    """Whether another distribution has files in a package's folder (older wheels of ``nvidia-*`` share one)."""
    own: dict[str, set[str]] = {}
    for path in paths:
        if path.startswith(folder + "/"):
            parts = path.split("/")
            for depth in range(folder.count("/") + 1, len(parts)):
                own.setdefault("/".join(parts[:depth]), set()).add(parts[depth])
    others = []
    for parent, names in own.items():
        try:
            found = set(os.listdir(os.path.join(location, parent))) - names - {"__pycache__"}
        except OSError:
            continue
        others += [f"{parent}/{name}" for name in found]
    return bool(others) and _is_recorded(others, location)


def _is_recorded(starts: Iterable[str], location: str) -> bool:
    """Whether any record in a folder has a row with one of these starts."""
    needles = ["\n" + start for start in starts]
    infos = [entry for entry in os.listdir(location) if entry.endswith(_SUFFIXES)]
    return any(any(needle in text for needle in needles) for text in (_rows(location, info) for info in infos))


def _rows(location: str, info: str) -> str:
    """Return the record of a distribution, each row behind a line break, as RECORD writes it."""
    installed = _text(os.path.join(location, info, "installed-files.txt")).splitlines()
    rows = [os.path.normpath(os.path.join(info, line)) + ",," for line in installed if line]
    return "\n" + _text(os.path.join(location, info, "RECORD")) + "\n" + "\n".join(rows)


def _makes_namespace(file: str) -> bool:
    """Whether an ``__init__.py`` is that of a pkgutil- or pkg_resources-style namespace package."""
    try:
        with open(file, "rb") as stream:
            start = stream.read(_NAMESPACE_INIT_SIZE)
    except OSError:
        return False
    return b"extend_path(" in start or b"declare_namespace(" in start


def _has_metadata(info: str) -> bool:
    if os.path.isfile(info):
        return info.endswith(".egg-info")
    return any(os.path.isfile(os.path.join(info, name)) for name in ("METADATA", "PKG-INFO"))


def _leading_name(requirement: str) -> str:
    match = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", requirement)
    return match.group(1) if match else ""


def _json(text: str | None) -> dict[str, Any]:
    try:
        document = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


if __name__ == "__main__":
    main()
