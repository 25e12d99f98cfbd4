"""Ask the host's interpreter to describe its environment, and decode the answer once."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, TypedDict, cast

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from passbuild import process
from passbuild.errors import HostUnusable
from passbuild.host import recall
from passbuild.host.model import Choice, DirectUrl, Distribution, Host

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from packaging.utils import NormalizedName

_SCHEMA = 3
_MARK = "passbuild-probe:"
_OLDEST = (3, 8)
_LAST_LINES = 10


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
    reply = None if wanted or memory is None else recall.recalled(memory, choice.executable, environ)
    reply = cast("_Reply | None", reply)
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
        finished = process.answer(argv, environ=environ, question=question)
    except OSError as error:
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
    reply = cast("_Reply", json.loads(lines[-1].removeprefix(_MARK)))
    if tuple(int(part) for part in reply["markers"]["python_version"].split(".")) < _OLDEST:
        raise HostUnusable(
            executable=choice.executable,
            problem=f"is Python {reply['version']}; passbuild builds for Python 3.8 and later",
        )
    return reply


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
            yield Requirement(text)
        except InvalidRequirement:
            continue


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None
