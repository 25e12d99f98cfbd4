"""The store: finished build environments, kept under a key of everything that made them.

::

    root/
      CACHEDIR.TAG
      interpreters/             what hosts said of themselves (passbuild.host.recall)
      locks/KEY.use             locked shared while an environment is in use, exclusive while it is made or removed
      locks/KEY.make            locked by the one who makes it; others wait for that one and not for those who use it
      unfinished/KEY            there while an environment is made or removed: what a killed process left is removed
      environments/KEY/
        env/                    made in place, as environments hold absolute paths
        holders.json            the editable installations that rebuild with it; it stays as long as there is one
        environment.json        written last: without it the environment is not finished

Whoever wants an environment takes its lock; the system lets go of it when the process ends, however that happens.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypedDict, TypeVar, cast

from passbuild import locks, scratch
from passbuild.errors import NotAStore
from passbuild.host import files, recall
from passbuild.host.recall import Memory
from passbuild.values import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from passbuild.locks import Lock
    from passbuild.settings.model import Settings
    from passbuild.surroundings import Surroundings

FORMAT = 1
_HOUR = 3600
_MEGABYTE = 10**6
_FEW_INODES = 10
_INTERPRETERS = "interpreters"
_UNFINISHED = "unfinished"
_RECORD = "environment.json"
_USED = "used"
_HOLDERS = "holders.json"
HOMELESS = "nobody knows the home of this user (HOME)"
"""Why there may be no store."""
_TAG = "CACHEDIR.TAG"
_BYTE_CODE = re.compile(r"[/\\]__pycache__(?:[/\\]|$)")
_TAG_TEXT = "Signature: 8a477f597d28d172789f06886806bc55\n# Build environments of passbuild; `passbuild cache clear`.\n"

Facts: TypeAlias = "Mapping[str, str | list[str]]"


class Sized(Protocol):
    """Something of a size that a store holds."""

    @property
    def key(self) -> str:
        """Its name."""

    @property
    def size(self) -> int:
        """Bytes."""

    @property
    def used(self) -> float:
        """When it was used last."""


T = TypeVar("T", bound=Sized)


class _Document(TypedDict):
    format: int
    created: float
    size: int
    facts: Facts
    states: dict[str, list[int]]


@frozen
class Store:
    """Where environments are kept, and for how long."""

    root: Path
    max_age: float
    """Seconds after which an environment is made anew."""
    max_size: int
    """Bytes beyond which the least recently used environments go."""
    refresh: bool = False
    """Whether every environment is made anew."""

    @classmethod
    def of(cls, settings: Settings, surroundings: Surroundings) -> Store | None:
        """Return the store that the settings describe; None where they name none, and nobody knows the user's home."""
        root = settings.cache_dir.value if settings.cache_dir else surroundings.cache
        if root is None:
            return None
        return cls(
            root=root,
            max_age=settings.store_max_age.value * _HOUR,
            max_size=settings.store_max_size.value * _MEGABYTE,
            refresh=settings.refresh.value,
        )

    def memory(self) -> Memory | None:
        """Return where answers of hosts are kept; None where the store cannot be made, or is not ours."""
        try:
            self.prepare()
        except (OSError, NotAStore):  # whoever needs an environment will hear of it
            return None
        return Memory(folder=self.root / _INTERPRETERS, max_age=0 if self.refresh else self.max_age)

    def prepare(self) -> None:
        """Make the store where there is none. Raises OSError, or NotAStore for a folder that holds something else."""
        self.root.mkdir(parents=True, exist_ok=True)
        tag = self.root / _TAG
        if not _is_ours(tag):
            if any(not item.name.startswith(".passbuild-") for item in self.root.iterdir()) and not _is_ours(tag):
                raise NotAStore(root=self.root)
            with scratch.beside(tag) as temporary:
                temporary.write_text(_TAG_TEXT, encoding="ascii")
                os.replace(temporary, tag)
        for folder in (self.root / name for name in ("environments", "locks", _INTERPRETERS, _UNFINISHED)):
            folder.mkdir(exist_ok=True)


@frozen
class Lease:
    """An environment of the store that is ours to use until it is released."""

    folder: Path
    facts: Facts
    """What was written down when it was made."""
    reused: bool
    lock: Lock

    def hold(self, info: Path) -> None:
        """Keep it as long as the host has the editable installation with this ``.dist-info``."""
        _write_holders(self.folder, {*_holders(self.folder), str(info)})

    def release(self) -> None:
        """Let others remove or remake it."""
        self.lock.release()


@frozen
class Kept:
    """One environment, as `passbuild cache list` shows it."""

    key: str
    folder: Path
    facts: Facts
    """Empty for one that was not finished."""
    size: int
    """Bytes, where a file that others share counts in full."""
    created: float
    used: float
    """Seconds since the epoch."""


def leased(store: Store, key: str, make: Callable[[Path], Facts], *, wait: bool) -> Lease | None:
    """Return a lease of the environment with this key, which `make` makes in the folder it is given if need be.

    None where one would have to be remade that others are using: it has aged, or was tampered with. None too where
    somebody else is making it, and we are not to `wait` for that. Whatever `make` raises leaves no environment behind.
    Raises OSError where the store cannot be used.
    """
    store.prepare()
    _sweep(store.root)
    folder = store.root / "environments" / key
    use = locks.opened(store.root / "locks" / f"{key}.use")
    try:
        if not use.take(exclusive=False, wait=wait):
            use.release()
            return None
        facts, reused = _usable(store, folder), True
        if facts is None:
            use.let_go()  # whoever makes it needs it exclusively
            facts, reused = _found_or_made(store, key, make, use, wait=wait)
        if facts is not None:
            (folder / _USED).touch()
            return Lease(folder=folder, facts=facts, reused=reused, lock=use)
    except BaseException:
        use.release()
        raise
    use.release()
    return None


def _found_or_made(
    store: Store, key: str, make: Callable[[Path], Facts], use: Lock, *, wait: bool
) -> tuple[Facts | None, bool]:
    """Wait for whoever makes this environment, or make it; return its facts, and whether somebody else made it."""
    folder = store.root / "environments" / key
    with locks.held(store.root / "locks" / f"{key}.make", wait=wait) as is_ours:
        if not is_ours:
            return None, False
        use.take(exclusive=False)
        facts = _usable(store, folder)
        if facts is not None:
            return facts, True
        is_finished = (folder / _RECORD).exists()
        if not use.take(exclusive=True, wait=not is_finished):
            return None, False
        with _unfinished(store.root, key):
            facts = _made(folder, make)
        use.take(exclusive=False)
        return facts, False


@contextlib.contextmanager
def _unfinished(root: Path, key: str) -> Iterator[None]:
    """Mark that an environment is made or removed, by whoever has its locks."""
    marker = root / _UNFINISHED / key
    marker.touch()
    try:
        yield
    finally:
        marker.unlink(missing_ok=True)


def _sweep(root: Path) -> None:
    """Remove what killed processes left of environments that they made or removed."""
    with contextlib.suppress(OSError):
        for marker in list((root / _UNFINISHED).iterdir()):
            with _locked(root, marker.name) as is_ours:
                if is_ours:
                    if not (root / "environments" / marker.name / _RECORD).exists():
                        _take_away(root / "environments" / marker.name)
                    scratch.removed(_doomed(root / "environments" / marker.name))
                    marker.unlink(missing_ok=True)


@contextlib.contextmanager
def _locked(root: Path, key: str) -> Iterator[bool]:
    """Lock an environment that nobody uses or makes, and yield whether that was so."""
    with contextlib.ExitStack() as stack:
        names = (f"{key}.make", f"{key}.use")
        yield all(stack.enter_context(locks.held(root / "locks" / name, wait=False)) for name in names)


def _doomed(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}")


def _take_away(folder: Path) -> bool:
    """Remove an environment that is locked: renamed first, as half of it must not be found under its key."""
    scratch.removed(_doomed(folder))
    try:
        os.replace(folder, _doomed(folder))
    except OSError:
        return False
    scratch.removed(_doomed(folder))
    return True


def _made(folder: Path, make: Callable[[Path], Facts]) -> Facts:
    """Make an environment in its place; the record comes last, by a rename."""
    holders = _holders(folder)
    scratch.removed(folder)
    folder.mkdir(parents=True)
    if holders:
        _write_holders(folder, holders)
    try:
        facts = make(folder)
        states = _states(folder)
        size = sum(state[1] for state in states.values() if len(state) > 1)
        document = {"format": FORMAT, "created": time.time(), "size": size, "facts": facts, "states": states}
        temporary = folder / f"{_RECORD}.tmp"
        temporary.write_text(json.dumps(document), encoding="utf-8", errors="surrogateescape")
        os.replace(temporary, folder / _RECORD)
    except BaseException:
        scratch.removed(folder)
        raise
    return facts


def _usable(store: Store, folder: Path) -> Facts | None:
    """Return the facts of an environment that is finished, young enough, and as it was made; else None."""
    document = _document(folder)
    if document is None or store.refresh or time.time() - document["created"] > store.max_age:
        return None
    if document["facts"].get("built"):  # what was built of an sdist depends on more than a key can name
        return None
    recorded = {path: tuple(state) for path, state in document["states"].items()}
    return document["facts"] if _is_untouched(recorded, _states(folder)) else None


def _is_untouched(recorded: Mapping[str, files.State], found: Mapping[str, files.State]) -> bool:
    """Whether an environment holds what was recorded, and nothing new but byte code."""
    if any(found.get(path) != state for path, state in recorded.items()):
        return False
    return all(_BYTE_CODE.search(path) for path in found.keys() - recorded.keys())


def _states(folder: Path) -> dict[str, files.State]:
    start = len(str(folder)) + 1
    return {path[start:]: state for path, state in files.tree(folder / "env").items()}


def _document(folder: Path) -> _Document | None:
    try:
        document = json.loads((folder / _RECORD).read_text(encoding="utf-8", errors="surrogateescape"))
    except (OSError, ValueError):
        return None
    is_ours = isinstance(document, dict) and document.get("format") == FORMAT
    return cast("_Document", document) if is_ours and document.keys() == _Document.__annotations__.keys() else None


def is_held(folder: Path) -> bool:
    """Whether an editable installation that is still there rebuilds with the environment in `folder`."""
    return any(_is_editable(Path(info)) for info in _holders(folder))


def _holders(folder: Path) -> list[str]:
    try:
        holders = json.loads((folder / _HOLDERS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [item for item in holders if isinstance(item, str)] if isinstance(holders, list) else []


def _write_holders(folder: Path, infos: Iterable[str]) -> None:
    with scratch.beside(folder / _HOLDERS) as temporary:
        temporary.write_text(json.dumps(sorted(infos)), encoding="utf-8")
        os.replace(temporary, folder / _HOLDERS)


def _is_editable(info: Path) -> bool:
    try:
        return json.loads((info / "direct_url.json").read_text(encoding="utf-8"))["dir_info"]["editable"] is True
    except (OSError, ValueError, LookupError, TypeError):
        return False


def listed(root: Path) -> tuple[Kept, ...]:
    """Return what is kept below `root`, the most recently used first."""
    return tuple(by_use(_kept(root)))


def _kept(root: Path) -> Iterator[Kept]:
    folders = (root / "environments").iterdir() if (root / "environments").is_dir() else iter(())
    for folder in folders:
        if folder.name.startswith("."):  # on its way out
            continue
        try:
            made = folder.stat().st_mtime
            used = (folder / _USED).stat().st_mtime if (folder / _USED).exists() else made
        except OSError:  # somebody removed it just now
            continue
        document = _document(folder)
        yield Kept(
            key=folder.name,
            folder=folder,
            facts=document["facts"] if document else {},
            size=document["size"] if document else 0,
            created=document["created"] if document else made,
            used=used,
        )


def pruned(store: Store, *, everything: bool = False, beside: Sequence[Sized] = ()) -> tuple[Kept, ...]:
    """Remove what is unfinished, too old, or beyond the size that the store may have; return what was removed.

    What lies `beside` the environments has its part of the size, while it was used more recently. With `everything`
    remove all environments. Those in use stay. Raises NotAStore where no CACHEDIR.TAG is ours.
    """
    if not store.root.exists():
        return ()
    if not is_store(store.root):
        raise NotAStore(root=store.root)
    recall.forget(Memory(folder=store.root / _INTERPRETERS, max_age=0 if everything else store.max_age))
    removed = []
    total = 0
    for item in by_use([*listed(store.root), *beside]):
        total += item.size
        if not isinstance(item, Kept):
            total -= item.size if total > store.max_size else 0  # it does not fit either
            continue
        is_old = time.time() - item.created > store.max_age
        if (everything or not item.facts or is_old or total > store.max_size) and _removed(store, item):
            removed.append(item)
            total -= item.size
    return tuple(removed)


def by_use(items: Iterable[T]) -> list[T]:
    """Return what a store holds, the most recently used first."""
    return sorted(items, key=lambda item: (-item.used, item.key))


def is_store(root: Path) -> bool:
    """Whether a folder is a store of ours."""
    return _is_ours(root / _TAG)


def is_full(store: Store) -> bool:
    """Whether nothing more can be written there; programs that we start say so in many ways."""
    try:
        state = os.statvfs(store.root)
    except OSError:
        return False
    no_inodes = state.f_files > 0 and state.f_favail < _FEW_INODES
    return no_inodes or state.f_bavail * state.f_frsize < _MEGABYTE


def _is_ours(tag: Path) -> bool:
    try:
        return tag.read_text(encoding="ascii") == _TAG_TEXT
    except (OSError, ValueError):
        return False


def _removed(store: Store, item: Kept) -> bool:
    """Remove an environment that nobody uses or makes, and no editable installation needs."""
    if is_held(item.folder):
        return False
    with _locked(store.root, item.key) as is_ours:
        if not is_ours:
            return False
        try:
            with _unfinished(store.root, item.key):
                return _take_away(item.folder)
        except OSError:  # the store cannot be written
            return False
