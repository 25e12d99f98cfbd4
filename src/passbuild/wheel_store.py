"""The wheel store: built wheels, kept under a key of everything that made them, here and in a place that is shared.

::

    root/                           the store of passbuild.environment.store
      locks/wheels                  locked while something is put in or taken out; whoever reads takes no lock
      wheels/KEY/
        entry.json                  written last: without it there is no wheel
        SHA256/NAME.whl             by what it holds, so that an entry never names another wheel than its own
        used                        its time is that of the last use; not in a shared place

A shared place has the same layout, so it can be filled with rsync. It has no locks: of two who put a wheel in under the
same key, the one that writes its entry last wins, and either entry has its wheel.

Nothing is believed that is not checked: each time a wheel is used it is copied, and the copy's SHA-256 compared with
the entry's. Whatever goes wrong here is a warning; a build can do without.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import time
from typing import TYPE_CHECKING, TypeAlias, TypedDict, cast

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from passbuild import locks
from passbuild.environment import store
from passbuild.environment.store import Kept, Store
from passbuild.errors import NotAStore
from passbuild.settings.model import SharedMode
from passbuild.shared_place import Folder, Shared, is_folder
from passbuild.values import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping
    from pathlib import Path

    from passbuild.environment.store import Facts
    from passbuild.settings.model import Settings
    from passbuild.shared_place import Place
    from passbuild.surroundings import Surroundings

FORMAT = 1
HERE = "the store"
_BLOCK = 1 << 20
_LONGEST = 1 << 20
"""Bytes that an entry may have."""
_FOLDER = "wheels"
_ENTRY = "entry.json"
_USED = "used"
_END_OF_TIME = 10**11
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+!-]{,199}\.whl")
_Told: TypeAlias = "Callable[[str], None]"
_GetOn: TypeAlias = "Callable[[], None]"


class _Document(TypedDict):
    format: int
    file: str
    sha256: str
    size: int
    created: float
    facts: Facts


class _Unsound(Exception):
    """What lies there is not what was put in, or was never sound."""


@frozen
class Wheels:
    """Where built wheels are kept."""

    store: Store
    shared: Shared | None = None
    """None where no place is shared."""

    @classmethod
    def of(cls, settings: Settings, surroundings: Surroundings) -> Wheels:
        """Return the wheel store that the settings describe; nothing is opened yet.

        With `--offline` a place is shared only where it is a folder.
        """
        kept, place = Store.of(settings, surroundings), settings.shared_wheels
        assert kept is not None  # without a store no wheel is looked for
        if place is None or (settings.offline.value and not is_folder(place.value)):
            return cls(store=kept)
        is_writable = settings.shared_wheels_mode.value is SharedMode.READ_WRITE
        return cls(store=kept, shared=Shared(place.value, place.origin, is_writable=is_writable))


@frozen
class Found:
    """A wheel of the store, copied and checked."""

    path: Path
    """The copy, which is the caller's."""
    sha256: str
    place: str
    """`the store`, or the shared place without credentials."""
    created: float
    """When it was built, in seconds since the epoch."""
    facts: Facts
    """What was written down when it was kept."""


@frozen
class KeptWheel:
    """One wheel, as `passbuild cache list` shows it."""

    key: str
    folder: Path
    file: str
    """Its name; empty for one that was not finished."""
    facts: Facts
    size: int
    """Bytes."""
    created: float
    used: float
    """Seconds since the epoch."""


def found(wheels: Wheels, key: str, folder: Path, on_warning: _Told) -> Found | None:
    """Copy the wheel with this key into `folder`, from here or else from the shared place; None where there is none.

    A wheel from the shared place is kept here as well. Raises InvalidSettings for a shared place that cannot be one.
    """
    return _found_here(wheels, key, folder, on_warning) or _found_shared(wheels, key, folder, on_warning)


def kept(wheels: Wheels, key: str, wheel: Path, facts: Facts, on_warning: _Told) -> None:
    """Keep a wheel under this key instead of one that is there, here and in a shared place that may be written.

    Raises InvalidSettings for a shared place that cannot be one.
    """
    try:
        document = _described(wheel, facts)
    except OSError as error:
        on_warning(f"the wheel is not kept: {_reason(error)}")
        return
    _keep_here(wheels, key, wheel, document, on_warning)
    shared = wheels.shared
    if shared is None or not shared.is_writable or shared.is_given_up:
        return
    try:
        shared.do(lambda place, get_on: _put(place, key, wheel, document, get_on))
    except OSError as error:
        on_warning(shared.redacted(f"the wheel is not put into {shared.name}: {_reason(error)}"))


def listed(root: Path) -> tuple[KeptWheel, ...]:
    """Return the wheels that are kept below the store's `root`, the most recently used first."""
    return tuple(store.by_use(_kept(root)))


def pruned(where: Store, *, everything: bool = False) -> tuple[tuple[Kept, ...], tuple[KeptWheel, ...]]:
    """Remove from a store what is unfinished or too old, and the least recently used beyond its size.

    Environments and wheels have the size together. A wheel does not grow old: its key says all that made it. With
    `everything` remove all of it but environments in use. A shared place is never touched. Raises NotAStore.
    """
    if not where.root.exists():
        return (), ()
    environments = store.pruned(where, everything=everything, beside=listed(where.root))
    return environments, _pruned(where, everything=everything)


def check(wheels: Wheels, on_warning: _Told) -> None:
    """Raise InvalidSettings for a shared place that cannot be one, before hours are spent on a wheel for it."""
    shared = wheels.shared
    if shared is None:
        return
    try:
        shared.do(lambda place, get_on: None)  # noqa: ARG005 - opening it is all
    except OSError as error:
        on_warning(shared.redacted(f"{shared.name} is not used for wheels: {_reason(error)}"))


def _found_here(wheels: Wheels, key: str, folder: Path, on_warning: _Told) -> Found | None:
    root = wheels.store.root
    if not store.is_store(root):
        return None
    part = folder / f".{key}.part"
    try:
        document = _copied_here(root, key, part)
        path = _named(part, folder, document)
    except FileNotFoundError:
        return None
    except (_Unsound, OSError) as error:
        on_warning(f"the wheel kept in {root / _FOLDER / key} is not used: {_reason(error)}")
        return None
    finally:
        _unlink(part)
    with contextlib.suppress(OSError):
        (root / _FOLDER / key / _USED).touch()
    return _answer(document, path, HERE)


def _copied_here(root: Path, key: str, part: Path) -> _Document:
    """Copy a wheel of the store; one that is not sound is removed. Raises as `_copied` does."""
    place = Folder(root=root)
    try:
        return _copied(place, key, part, lambda: None)
    except _Unsound:
        if not os.access(_lock(root).parent, os.W_OK):
            raise
    with locks.held(_lock(root)):  # another may have taken its place since its entry was read: not from now on
        try:
            return _copied(place, key, part, lambda: None)
        except _Unsound:
            _remove(root / _FOLDER / key)
            raise


def _found_shared(wheels: Wheels, key: str, folder: Path, on_warning: _Told) -> Found | None:
    shared = wheels.shared
    if shared is None or shared.is_given_up:
        return None
    part = folder / f".{key}.part"
    try:
        document = shared.do(lambda place, get_on: _copied(place, key, part, get_on))
        path = _named(part, folder, document)
    except FileNotFoundError:
        return None
    except _Unsound as error:
        on_warning(shared.redacted(f"the wheel {key} in {shared.name} is not used: {_reason(error)}"))
        return None
    except OSError as error:
        on_warning(shared.redacted(f"{shared.name} is not used for wheels: {_reason(error)}"))
        return None
    finally:
        _unlink(part)
    _keep_here(wheels, key, path, document, on_warning)
    return _answer(document, path, shared.name)


def _answer(document: _Document, path: Path, place: str) -> Found:
    return Found(
        path=path, sha256=document["sha256"], place=place, created=document["created"], facts=document["facts"]
    )


def _copied(place: Place, key: str, part: Path, get_on: _GetOn) -> _Document:
    """Copy a wheel to `part` and check it; raises FileNotFoundError where there is no entry, _Unsound and OSError.

    Never a hard link: the copy is the user's, who may edit it.
    """
    entry = b""
    with contextlib.closing(place.blocks(_entry_path(key))) as blocks:
        for block in blocks:
            entry += block
            if len(entry) > _LONGEST:
                raise _Unsound(f"its {_ENTRY} is too long")
    get_on()
    document = _decoded(entry)
    size, digest = 0, hashlib.sha256()
    try:
        with contextlib.closing(place.blocks(_wheel_path(key, document))) as blocks, part.open("wb") as file:
            for block in blocks:
                size += len(block)
                if size > document["size"]:
                    break
                digest.update(block)
                file.write(block)
                get_on()
    except FileNotFoundError as error:
        raise _Unsound(f"{document['file']} is not there") from error
    if size != document["size"]:
        raise _Unsound(f"{document['file']} has another size than {_ENTRY} says")
    if digest.hexdigest() != document["sha256"]:
        raise _Unsound(f"{document['file']} has another SHA-256 than {_ENTRY} says")
    return document


def _named(part: Path, folder: Path, document: _Document) -> Path:
    """Give the copy its name. Not where it was copied: what was given up must not appear later."""
    final = folder / document["file"]
    os.replace(part, final)
    return final


def _decoded(entry: bytes) -> _Document:
    """Return an entry that is sound in all that we use of it, wherever it comes from; raises _Unsound."""
    try:
        document = json.loads(entry)
    except (ValueError, RecursionError) as error:
        raise _Unsound(f"its {_ENTRY} is no JSON document") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise _Unsound(f"its {_ENTRY} has another format")
    wrong = [name for name, is_sound in _CHECKS.items() if not is_sound(document.get(name))]
    if wrong:
        raise _Unsound(f"its {_ENTRY} has no sound {wrong[0]}")
    return cast("_Document", document)


def _is_wheel_name(value: object) -> bool:
    """Whether a value names a wheel, and no other folder."""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        return False
    try:
        parse_wheel_filename(value)
    except InvalidWheelFilename:
        return False
    return True


def _are_facts(value: object) -> bool:
    """Whether all of it can be shown: somebody else may have written it."""
    if not isinstance(value, dict):
        return False
    flat = (item for fact in value.values() for item in (fact if isinstance(fact, list) else [fact]))
    return all(isinstance(item, str) and item.isprintable() for item in (*value, *flat))


_CHECKS: Mapping[str, Callable[[object], bool]] = {
    "file": _is_wheel_name,
    "sha256": lambda value: isinstance(value, str) and _SHA256.fullmatch(value) is not None,
    "size": lambda value: type(value) is int and value >= 0,
    "created": lambda value: isinstance(value, int | float) and 0 <= value < _END_OF_TIME,
    "facts": _are_facts,
}


def _described(wheel: Path, facts: Facts) -> _Document:
    digest, size = hashlib.sha256(), 0
    for block in _read(wheel, lambda: None):
        size += len(block)
        digest.update(block)
    return {
        "format": FORMAT,
        "file": wheel.name,
        "sha256": digest.hexdigest(),
        "size": size,
        "created": time.time(),
        "facts": {
            _shown(name): _shown(fact) if isinstance(fact, str) else [_shown(item) for item in fact]
            for name, fact in facts.items()
        },
    }


def _shown(text: str) -> str:
    """Return a text with a sign in place of each one that cannot be printed."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)


def _read(wheel: Path, get_on: _GetOn) -> Generator[bytes, None, None]:
    with wheel.open("rb") as file:
        while block := file.read(_BLOCK):
            get_on()
            yield block


def _put(place: Place, key: str, wheel: Path, document: _Document, get_on: _GetOn) -> None:
    """Put the wheel in, then the entry that names it. Raises OSError."""
    place.put(_wheel_path(key, document), _read(wheel, get_on))
    place.put(_entry_path(key), [json.dumps(document).encode()])


def _keep_here(wheels: Wheels, key: str, wheel: Path, document: _Document, on_warning: _Told) -> None:
    root = wheels.store.root
    try:
        wheels.store.prepare()
        with locks.held(_lock(root)):
            (root / _FOLDER).mkdir(exist_ok=True)
            try:
                _put(Folder(root=root), key, wheel, document, lambda: None)
            finally:
                _tidy(root / _FOLDER / key)
            (root / _FOLDER / key / _USED).touch()
        pruned(wheels.store)
    except (OSError, NotAStore) as error:
        on_warning(f"the wheel is not kept in {root}: {_reason(error)}")


def _tidy(folder: Path) -> None:
    """Leave of a key's folder what its entry speaks of: other wheels, and files that were not finished, go."""
    try:
        document = _decoded((folder / _ENTRY).read_bytes())
    except (OSError, _Unsound):
        shutil.rmtree(folder, ignore_errors=True)
        return
    keeps = {folder / _ENTRY, folder / _USED, folder / document["sha256"]}
    wheel = folder / document["sha256"] / document["file"]
    for item in (*folder.iterdir(), *wheel.parent.iterdir()):
        if item not in keeps and item != wheel:
            _remove(item)


def _pruned(where: Store, *, everything: bool) -> tuple[KeptWheel, ...]:
    """Remove wheels as `pruned` says, environments having been seen to."""
    removed: list[KeptWheel] = []
    if not (where.root / _FOLDER).is_dir():
        return ()
    with locks.held(_lock(where.root)):
        for leftover in (where.root / _FOLDER).glob(".*"):
            shutil.rmtree(leftover, ignore_errors=True)
        total = 0
        items: list[KeptWheel | Kept] = [*listed(where.root), *store.listed(where.root)]
        for item in store.by_use(items):
            total += item.size
            if isinstance(item, KeptWheel) and (everything or not item.file or total > where.max_size):
                total -= item.size
                _remove(item.folder)
                removed.append(item)
    return tuple(item for item in removed if not item.folder.exists())


def _kept(root: Path) -> Iterator[KeptWheel]:
    for folder in (root / _FOLDER).glob("[!.]*"):
        try:
            made = folder.stat().st_mtime
            used = (folder / _USED).stat().st_mtime if (folder / _USED).exists() else made
        except OSError:  # somebody removed it just now
            continue
        try:
            document = _decoded((folder / _ENTRY).read_bytes())
        except (OSError, _Unsound):
            document = None
        yield KeptWheel(
            key=folder.name,
            folder=folder,
            file=document["file"] if document else "",
            facts=document["facts"] if document else {},
            size=document["size"] if document else 0,
            created=document["created"] if document else made,
            used=used,
        )


def _remove(path: Path) -> None:
    """Remove a file, or a folder: renamed first, as half of a wheel's folder must not be found under its key."""
    if not path.is_dir() or path.is_symlink():
        path.unlink(missing_ok=True)
        return
    doomed = path.with_name(f".{path.name}")
    shutil.rmtree(doomed, ignore_errors=True)
    with contextlib.suppress(OSError):
        os.replace(path, doomed)
        shutil.rmtree(doomed, ignore_errors=True)


def _unlink(file: Path) -> None:
    with contextlib.suppress(OSError):
        file.unlink(missing_ok=True)


def _lock(root: Path) -> Path:
    return root / "locks" / _FOLDER


def _entry_path(key: str) -> str:
    return f"{_FOLDER}/{key}/{_ENTRY}"


def _wheel_path(key: str, document: _Document) -> str:
    return f"{_FOLDER}/{key}/{document['sha256']}/{document['file']}"


def _reason(error: Exception) -> str:
    """Return what is wrong, in one line."""
    return " ".join(str(error).split()) or type(error).__name__
