"""Ask the host's interpreter to describe its environment, and decode the answer once."""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, TypedDict, cast

from packaging.requirements import InvalidRequirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from passbuild import process
from passbuild.errors import HostUnusable, SystemRefused
from passbuild.host import recall
from passbuild.host.model import Choice, DirectUrl, Distribution, Host
from passbuild.project import pep508

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from packaging.requirements import Requirement
    from packaging.utils import NormalizedName

_SCHEMA = 3
_MARK = "passbuild-probe:"
_OLDEST = (3, 8)
_LAST_LINES = 10
_MINOR = re.compile(r"[0-9]{1,3}\.[0-9]{1,3}")
_VERSION = re.compile(r"[0-9]{1,3}\.[0-9]{1,3}[0-9A-Za-z.+-]{0,40}")
_TEXTS = ("implementation", "soabi", "executable", "user_site")
_PATHS = ("prefix", "base_prefix", "scripts")
_PATIENCE = 120.0
"""Seconds that a host may take to answer; thousands of distributions on a network's disk take some."""


class _RawDistribution(TypedDict):
    name: str
    version: str
    location: str
    info: str
    requires: list[str]
    entries: list[str]
    outside: list[str]
    path_files: list[str]
    pkg_config: list[str]
    direct_url: dict[str, object] | None
    editable: bool
    size: int
    recorded: bool


class _Reply(recall.Answer):
    schema: int
    version: str
    implementation: str
    soabi: str
    base_prefix: str
    scripts: str
    markers: dict[str, str]
    installed: dict[str, str]
    providers: dict[str, list[str]]
    distributions: list[_RawDistribution]


def probed(
    choice: Choice, names: Iterable[NormalizedName], environ: Mapping[str, str], memory: recall.Memory | None = None
) -> Host:
    """Return the host behind `choice`, with everything that `names` reach fully read.

    Earlier answers, if there is a `memory` of them, serve where there are no names. Raises HostUnusable when the
    interpreter does not answer or is older than 3.8.
    """
    wanted = sorted(names)
    noted = None if wanted or memory is None else recall.recalled(memory, choice.executable, environ)
    reply = None if noted is None or _wrong(noted) else cast("_Reply", noted)
    if reply is None:
        asked = time.time()
        reply = _ask(choice, environ, names=wanted)
        if memory is not None and not wanted:
            recall.note(memory, choice.executable, environ, reply, asked)
    return Host(
        executable=choice.executable,
        reason=choice.reason,
        version=reply["version"],
        implementation=reply["implementation"],
        soabi=reply["soabi"],
        prefix=Path(reply["prefix"]),
        base_prefix=Path(reply["base_prefix"]),
        scripts=Path(reply["scripts"]),
        markers=reply["markers"],
        installed={canonicalize_name(name): version for name, version in sorted(reply["installed"].items())},
        distributions={canonicalize_name(raw["name"]): _distribution(raw) for raw in reply["distributions"]},
    )


def providers(host: Host, module: str, environ: Mapping[str, str]) -> tuple[NormalizedName, ...]:
    """Return the distributions of the host that provide a top-level module, by the host's own records."""
    choice = Choice(executable=host.executable, reason=host.reason)
    names = _ask(choice, environ, modules=[module])["providers"].get(module, [])
    return tuple(map(canonicalize_name, names))


def _ask(
    choice: Choice, environ: Mapping[str, str], *, names: Iterable[str] = (), modules: Iterable[str] = ()
) -> _Reply:
    question = json.dumps({"schema": _SCHEMA, "mark": _MARK, "names": list(names), "modules": list(modules)})
    # PYTHONPATH stays: what it shows is part of the host. PYTHONHOME would show another installation than the host's.
    # Byte code is not written: the host is only read.
    argv = [str(choice.executable), "-B", str(Path(__file__).with_name("_probe.py"))]
    environ = {name: value for name, value in environ.items() if name != "PYTHONHOME"}
    environ["PYTHONIOENCODING"] = "utf-8"
    try:
        finished = process.answer(argv, environ=environ, question=question, timeout=_PATIENCE)
    except TimeoutError as error:
        problem = f"did not describe its environment within {_PATIENCE:g} s"
        raise HostUnusable(executable=choice.executable, problem=problem) from error
    except OSError as error:
        if SystemRefused.of(error) is not None:
            raise  # no fault of the host
        raise HostUnusable(executable=choice.executable, problem=f"cannot be started: {error.strerror}") from error
    lines = [line for line in finished.stdout.splitlines() if line.startswith(_MARK)]
    if not lines:
        _refuse_old(choice, environ)
    if finished.returncode != 0 or not lines:
        raise HostUnusable(
            executable=choice.executable,
            problem=f"did not describe its environment (exit code {finished.returncode})",
            answer=finished.stderr.splitlines()[-_LAST_LINES:],
        )
    reply = _decoded(choice, lines[-1].removeprefix(_MARK))
    if tuple(int(part) for part in reply["markers"]["python_version"].split(".")) < _OLDEST:
        raise HostUnusable(
            executable=choice.executable,
            problem=f"is Python {reply['version']}; passbuild builds for Python 3.8 and later",
        )
    return reply


def _decoded(choice: Choice, text: str) -> _Reply:
    """Return an answer that is what the probe promises, whoever gave it. Raises HostUnusable."""
    try:
        document: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        problem = f"described its environment by what is no JSON: {error}"
        raise HostUnusable(executable=choice.executable, problem=problem) from error
    wrong = _wrong(document)
    if wrong:
        problem = f"described its environment as no Python does ({wrong})"
        raise HostUnusable(executable=choice.executable, problem=problem)
    return cast("_Reply", document)


def _wrong(reply: object) -> str:
    """Return what of an answer cannot be: the host's code has run before it was given. Empty for none."""
    if not isinstance(reply, dict):
        return "no JSON object"
    if not _is_table(reply.get("markers")) or not _MINOR.fullmatch(reply["markers"].get("python_version", "")):
        return "markers"
    if tuple(map(int, reply["markers"]["python_version"].split("."))) < _OLDEST:
        return "" if isinstance(reply.get("version"), str) else "version"  # it says no more
    wrong = [name for name in _TEXTS if not isinstance(reply.get(name), str)]
    wrong += [name for name in _PATHS if not isinstance(reply.get(name), str) or not _is_absolute(reply[name])]
    wrong += [name for name in ("installed",) if not _is_table(reply.get(name))]
    wrong += [] if isinstance(reply.get("customized"), bool) and _is_list(reply.get("path")) else ["path"]
    wrong += [] if _VERSION.fullmatch(str(reply.get("version"))) else ["version"]
    providing, described = reply.get("providers"), reply.get("distributions")
    wrong += [] if isinstance(providing, dict) and all(map(_is_list, providing.values())) else ["providers"]
    if wrong or not isinstance(described, list):
        return ", ".join(wrong) or "distributions"
    return next((f"distribution {number}: {text}" for number, text in enumerate(map(_odd, described)) if text), "")


def _odd(raw: object) -> str:
    """Return what of the description of a distribution cannot be; empty for nothing."""
    if not isinstance(raw, dict):
        return "no JSON object"
    wrong = [name for name in ("name", "version") if not isinstance(raw.get(name), str)]
    wrong += ["name"] if {"/", "\0"} & {*str(raw.get("name"))} else []
    wrong += [name for name in ("location", "info") if not isinstance(raw.get(name), str) or not _is_plain(raw[name])]
    wrong += [] if _is_list(raw.get("requires")) else ["requires"]
    wrong += [] if _is_list(raw.get("entries")) and all(map(_is_inside, raw["entries"])) else ["entries"]
    for name in ("outside", "path_files", "pkg_config"):
        wrong += [] if _is_list(raw.get(name)) and all(map(_is_plain, raw[name])) else [name]
    wrong += [name for name in ("editable", "recorded") if not isinstance(raw.get(name), bool)]
    wrong += [] if isinstance(raw.get("size"), int) else ["size"]
    url = raw.get("direct_url", "")
    wrong += [] if url is None or (isinstance(url, dict) and isinstance(url.get("url"), str)) else ["direct_url"]
    return ", ".join(wrong)


def _is_list(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_table(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())


def _is_plain(path: str) -> bool:
    """Whether a path is absolute, and leads where it says."""
    return _is_absolute(path) and ".." not in Path(path).parts


def _is_absolute(path: str) -> bool:
    return os.path.isabs(path) and "\0" not in path  # noqa: PTH117 - a text


def _is_inside(entry: str) -> bool:
    path = PurePosixPath(entry)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts and "\0" not in entry


def _refuse_old(choice: Choice, environ: Mapping[str, str]) -> None:
    """Raise HostUnusable when the interpreter is too old to read the probe."""
    asking = "import sys; sys.stdout.write('%d.%d' % sys.version_info[:2])"
    version = process.answer([str(choice.executable), "-B", "-c", asking], environ=environ, question="").stdout
    if re.fullmatch(r"\d+\.\d+", version) and tuple(map(int, version.split("."))) < _OLDEST:
        raise HostUnusable(
            executable=choice.executable, problem=f"is Python {version}; passbuild builds for Python 3.8 and later"
        )


def _distribution(raw: _RawDistribution) -> Distribution:
    return Distribution(
        name=canonicalize_name(raw["name"]),
        version=_version(raw["version"]),
        raw_version=raw["version"],
        location=Path(raw["location"]),
        info=Path(raw["info"]),
        requires=tuple(_requirements(raw["requires"])),
        entries=tuple(PurePosixPath(entry) for entry in raw["entries"]),
        outside=tuple(Path(path) for path in raw["outside"]),
        path_files=tuple(Path(path) for path in raw["path_files"]),
        pkg_config=tuple(Path(path) for path in raw["pkg_config"]),
        direct_url=_direct_url(raw["direct_url"]),
        editable=raw["editable"],
        size=raw["size"],
        recorded=raw["recorded"],
    )


def _direct_url(raw: Mapping[str, object] | None) -> DirectUrl | None:
    """Decode what the host's ``direct_url.json`` says; anybody may have written it, so every value is looked at."""
    if raw is None:
        return None
    vcs, archive = (
        value if isinstance(value, dict) else {} for value in (raw.get("vcs_info"), raw.get("archive_info"))
    )
    hashes = archive.get("hashes")
    return DirectUrl(
        url=str(raw["url"]),
        vcs=str(vcs.get("vcs") or ""),
        revision=str(vcs.get("requested_revision") or ""),
        commit=str(vcs.get("commit_id") or ""),
        subdirectory=str(raw.get("subdirectory") or ""),
        hashes={str(name): str(value) for name, value in hashes.items()} if isinstance(hashes, dict) else {},
    )


def _requirements(texts: Iterable[str]) -> Iterable[Requirement]:
    """Decode ``Requires-Dist``; what PEP 508 does not know (old metadata) is left out, as installers do."""
    for text in texts:
        try:
            yield pep508.decoded(text)
        except InvalidRequirement:
            continue


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None
