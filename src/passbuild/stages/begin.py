"""Begin a run: open or fetch the project, collect the settings, find and read the host."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from passbuild import forkserver, locks
from passbuild.environment import fetch, installers
from passbuild.environment.fetch import Errand
from passbuild.environment.store import HOMELESS, Store
from passbuild.errors import NotAStore
from passbuild.host import find, probe
from passbuild.project import read
from passbuild.settings import merge
from passbuild.values import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.utils import NormalizedName

    from passbuild.host.model import Host
    from passbuild.host.recall import Memory
    from passbuild.journal import Journal
    from passbuild.project.model import Project
    from passbuild.project.source import Source
    from passbuild.settings.merge import Given
    from passbuild.settings.model import Settings
    from passbuild.surroundings import Surroundings
    from passbuild.workspace import Workspace


@frozen
class Order:
    """What is to be done, as the caller gave it."""

    source: Source
    given: Given
    surroundings: Surroundings


@frozen
class Run:
    """What is settled before the first environment is made."""

    order: Order
    project: Project
    settings: Settings
    host: Host
    workspace: Workspace
    journal: Journal
    chain: tuple[str, ...]
    """The project, and the build requirements that are being built for it, each for the one before it."""
    others: contextlib.ExitStack
    """Is closed when other builds in the same source folder may go on."""
    owner: str = ""
    """The editable installation that keeps the environments; empty where anybody may reuse them."""


def begun(order: Order, work: Workspace, journal: Journal, *, asks: bool = False) -> Run:
    """Open the project, collect the settings, find and read the host, which `asks` always makes a question to it."""
    if not asks:  # there will be programs to start, and until then the server is ready
        work.stack.enter_context(forkserver.opened())
    project = _opened(order, work, journal)
    journal.project(project)
    settings = merge.collected(project, order.surroundings, order.given)
    journal.settings(settings)
    if not settings.no_store.value and Store.of(settings, order.surroundings) is None:
        journal.warning(f"{HOMELESS}: build environments are temporary ones, unless --cache-dir names a store")
    beside = order.surroundings.cwd if project.is_ours else project.folder
    choice = find.found(settings.host, beside, order.surroundings)
    with journal.step("read the host"):
        host = probe.probed(
            choice, names_of(settings), order.surroundings.environ, None if asks else memory_of(settings, order)
        )
    journal.host(host)
    others = work.stack.enter_context(contextlib.ExitStack())
    if not asks:
        _wait_for_others(settings, order, journal, others)
    return Run(
        order=order,
        project=project,
        settings=settings,
        host=host,
        workspace=work,
        journal=journal,
        chain=(project.name or project.folder.name,),
        others=others,
    )


_BUILT: set[tuple[int, str]] = set()
"""The source folders in which this process builds, each with the thread that does."""


def _wait_for_others(settings: Settings, order: Order, journal: Journal, stack: contextlib.ExitStack) -> None:
    """Wait until no other passbuild builds in the same source folder: backends share what they leave there.

    One that is called by a hook of the build it would have to wait for does not wait.
    """
    path, kept = order.source.path, store_of(settings, order)
    if path is None or not path.is_dir() or kept is None or not locks.IS_AVAILABLE:
        return
    real = os.path.realpath(path)
    ours = threading.get_ident(), real
    name = hashlib.sha256(os.fsencode(real)).hexdigest()[:20]
    try:
        kept.prepare()
        lock = locks.opened(kept.root / "locks" / f"{name}.source")
    except (OSError, NotAStore):  # nowhere to meet
        return
    stack.callback(lock.release)
    if ours in _BUILT:
        return
    try:
        if not lock.take(exclusive=True, wait=False):
            if lock.holder() in _ancestors():
                return
            with journal.step("wait for another build in this folder"):
                lock.take(exclusive=True)
        lock.sign()
    except OSError:  # a file system without locks, or a full one
        return
    _BUILT.add(ours)
    stack.callback(_BUILT.discard, ours)


def _ancestors() -> Iterator[int]:
    """Yield the processes that have started this one, as far as /proc tells."""
    process = os.getppid()
    while process > 0:
        yield process
        try:
            status = Path(f"/proc/{process}/stat").read_bytes()
        except OSError:
            return
        process = int(status[status.rindex(b")") + 2 :].split()[1])


def host_of(surroundings: Surroundings, given: Given) -> Host:
    """Return the host that would be chosen for what is fetched."""
    settings = merge.of_user(surroundings, given)
    return probe.probed(find.found(settings.host, surroundings.cwd, surroundings), (), surroundings.environ)


def _opened(order: Order, work: Workspace, journal: Journal) -> Project:
    """Open the project, which a host's installer may have to fetch first, by what the user has set for it."""
    source = order.source
    if source.path is not None:
        return read.refuse_other(read.opened(source.path, work.source), source.name)
    settings = merge.of_user(order.surroundings, order.given, source.name)
    journal.settings(settings)
    surroundings = order.surroundings
    choice = find.found(settings.host, surroundings.cwd, surroundings)
    host = probe.probed(choice, (), surroundings.environ, memory_of(settings, order))
    errand = Errand(
        source=source,
        host=host,
        installer=installers.chosen(settings, host, surroundings),
        scratch=work.new_folder("fetch"),
        surroundings=surroundings,
        on_line=work.on_line,
    )
    with journal.step("fetch the source"):
        tree = fetch.obtained(errand, store_of(settings, order))
    return read.refuse_other(read.read(source.text, tree, is_ours=True), source.name)


def store_of(settings: Settings, order: Order) -> Store | None:
    """Return where environments are kept; None where they are to be temporary, or could not be shared safely."""
    if settings.no_store.value or settings.keep.value or not locks.IS_AVAILABLE:
        return None
    return Store.of(settings, order.surroundings)


def memory_of(settings: Settings, order: Order) -> Memory | None:
    """Return where answers of hosts are kept; they are no environments, and `--no-store` has nothing against them."""
    if not locks.IS_AVAILABLE:
        return None
    kept = Store.of(settings, order.surroundings)
    return kept.memory() if kept is not None else None


def names_of(settings: Settings) -> list[NormalizedName]:
    """Return the names of what is to pass through."""
    return [canonicalize_name(item.value.name) for item in settings.passthrough]
