"""Places in which a team shares files: a folder, or with fsspec anything that has a URL (HTTP, S3, GCS…).

A place is not to be trusted to be there, to answer, or to be quick. What fails raises OSError; whoever waits does so
with `patiently`. What is read is checked by the caller: here nothing is known of its contents.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast
from urllib.parse import unquote, urlsplit

from passbuild import scratch
from passbuild.errors import InvalidSettings, Mistake
from passbuild.redaction import redacted, user_info
from passbuild.values import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

T = TypeVar("T")
_BLOCK = 1 << 20
_TRANSFER = 5 << 20
"""Bytes that fsspec moves at once: the least that S3 takes as a part of an upload."""
_OF_HTTP = {"aiohttp", "asyncio", "ssl"}
"""Modules of what is raised there: TimeoutError is one of asyncio's before Python 3.11."""
_NOT_FOUND = {404, 410}
_EXTRA = "pip install 'passbuild[shared]'"


class Place(Protocol):
    """Files under paths with slashes."""

    def blocks(self, path: str) -> Generator[bytes, None, None]:
        """Yield a file's contents. Raises FileNotFoundError where there is none, and OSError."""

    def put(self, path: str, blocks: Iterable[bytes]) -> None:
        """Write a file, over one that is there. Raises OSError."""


@frozen
class Folder:
    """A folder, which may be one of the network. It is never made here: what is not mounted is not there."""

    root: Path

    def blocks(self, path: str) -> Generator[bytes, None, None]:
        """Yield a file's contents. Raises FileNotFoundError where there is none, and OSError."""
        try:
            file = (self.root / path).open("rb")
        except FileNotFoundError:
            self._check()
            raise
        with file:
            while block := file.read(_BLOCK):
                yield block

    def put(self, path: str, blocks: Iterable[bytes]) -> None:
        """Write a file by one rename. Raises OSError."""
        self._check()
        final = self.root / path
        final.parent.mkdir(parents=True, exist_ok=True)
        with scratch.beside(final) as temporary:
            with temporary.open("xb") as file:
                for block in blocks:
                    file.write(block)
            os.replace(temporary, final)

    def _check(self) -> None:
        if not self.root.is_dir():
            raise NotADirectoryError(f"there is no folder {self.root}")


@frozen
class Remote:
    """What fsspec reaches under a URL."""

    system: Any
    """An `fsspec.AbstractFileSystem`; fsspec has no types."""
    root: str

    def blocks(self, path: str) -> Generator[bytes, None, None]:
        """Yield a file's contents. Raises FileNotFoundError where there is none, and OSError."""
        with _only_os_errors(), self.system.open(self._full(path), "rb", block_size=_TRANSFER) as file:
            while block := file.read(_BLOCK):
                yield block

    def put(self, path: str, blocks: Iterable[bytes]) -> None:
        """Write a file. Raises OSError."""
        with _only_os_errors():
            try:
                file = self.system.open(self._full(path), "wb", block_size=_TRANSFER)
            except FileNotFoundError:  # a file system with folders; for S3, making one may mean making the bucket
                self.system.makedirs(self._full(path).rpartition("/")[0], exist_ok=True)
                file = self.system.open(self._full(path), "wb", block_size=_TRANSFER)
            with file:
                for block in blocks:
                    file.write(block)

    def _full(self, path: str) -> str:
        return f"{self.root.rstrip('/')}/{path}"


@contextlib.contextmanager
def _only_os_errors(*others: type[Exception]) -> Iterator[None]:
    """Turn what the library behind a file system raises, which may be anything, into OSError; or let `others` pass."""
    try:
        yield
    except FileNotFoundError as error:
        cause = error.__cause__
        # Over HTTP fsspec says of whatever happens that there is no such file.
        is_of_http = type(cause).__module__.partition(".")[0] in _OF_HTTP or isinstance(cause, TimeoutError)
        if not is_of_http or getattr(cause, "status", None) in _NOT_FOUND:
            raise
        raise OSError(str(cause) or type(cause).__name__) from error
    except OSError:
        raise
    except others:
        raise
    except Exception as error:
        raise OSError(f"{type(error).__name__}: {error}") from error


class Shared:
    """The place that the settings name, given up for the rest of the run as soon as it fails."""

    def __init__(self, where: str, origin: str, *, is_writable: bool, patience: float = 30.0) -> None:
        self._where = where
        self._origin = origin
        self._patience = patience
        self._place: Place | None = None
        self.is_writable = is_writable
        self.is_given_up = False

    @property
    def name(self) -> str:
        """The place without credentials, to be shown."""
        return _shown(self._where)

    def redacted(self, text: str) -> str:
        """Return a text without the credentials of the place, in whatever form a library repeats them."""
        return _without_credentials(text, self._where)

    def do(self, work: Callable[[Place, Callable[[], None]], T]) -> T:
        """Return what `work` returns for the place; it has to call its second argument as long as it gets on.

        Raises OSError, after which the place is given up, FileNotFoundError, which is an answer like others,
        InvalidSettings for a place that cannot be one, and whatever else `work` raises.
        """
        try:
            return patiently(lambda get_on: work(self._opened(), get_on), self._patience)
        except FileNotFoundError:
            raise
        except OSError:
            self.is_given_up = True
            raise

    def _opened(self) -> Place:
        if self._place is None:
            self._place = place(self._where, self._origin)
        return self._place


def is_folder(where: str) -> bool:
    """Whether a place is a folder: an absolute path, or a file URL."""
    return "://" not in where or (where.startswith("file://") and "::" not in where)


def place(where: str, origin: str) -> Place:
    """Return the place at an absolute path or URL. Raises InvalidSettings, naming `origin`, and OSError."""
    parts = urlsplit(where)
    if "://" not in where:
        return Folder(root=Path(where))
    if is_folder(where):
        if parts.netloc not in {"", "localhost"}:
            raise _wrong(where, origin, "a file URL has no host", "write file:///folder")
        return Folder(root=Path(unquote(parts.path)))
    if parts.scheme in {"http", "https"} and (parts.query or parts.fragment):
        raise _wrong(where, origin, "files are looked for below it, so it can have no query", "leave out ?… and #…")
    return _remote(where, origin)


def _remote(where: str, origin: str) -> Remote:
    try:
        from fsspec.core import url_to_fs
        from fsspec.registry import known_implementations
    except ImportError as error:
        raise _wrong(where, origin, "a URL needs fsspec, which is not installed", _EXTRA) from error
    scheme = where.partition("://")[0].rpartition("::")[2]
    known = known_implementations.get(scheme, {})
    try:
        with _only_os_errors(ImportError, ValueError):
            system, root = url_to_fs(where)
    except ImportError as error:
        package = str(known.get("class", "fsspec")).partition(".")[0]
        hint = _EXTRA if package == "fsspec" else f"{_EXTRA} {package}"
        raise _wrong(where, origin, f"fsspec lacks what {scheme} needs: {error}", hint) from error
    except ValueError as error:
        known_schemes = "folders, https://, s3://, gs:// and others that fsspec lists"
        raise _wrong(where, origin, f"fsspec cannot use it: {error}", f"there are {known_schemes}") from error
    return Remote(system=system, root=cast("str", root))


def _wrong(where: str, origin: str, problem: str, hint: str) -> InvalidSettings:
    mistake = Mistake(
        place=f"shared-wheels ({origin})", problem=_without_credentials(f"{_shown(where)}: {problem}", where), hint=hint
    )
    return InvalidSettings(mistakes=[mistake])


def _shown(where: str) -> str:
    """Return a place without what may be secret in its URL."""
    return redacted(where).removesuffix("#***").removesuffix("?***") if "://" in where else where


def _without_credentials(text: str, where: str) -> str:
    user = user_info(where)
    if user:
        password = user.partition(":")[2]
        text = text.replace(f"{user}@", "***@")
        text = text.replace(password, "***") if password else text
    return redacted(text)


def patiently(work: Callable[[Callable[[], None]], T], seconds: float) -> T:
    """Return what `work` returns, or raise what it raises; or TimeoutError when it does not get on for so long.

    It gets on whenever it calls its argument. What was given up may go on in its thread, which ends with the process:
    a network file system cannot be interrupted.
    """
    told: SimpleQueue[Callable[[], T] | None] = SimpleQueue()

    def run() -> None:
        try:
            result = work(lambda: told.put(None))
        except BaseException as error:  # noqa: BLE001 - it is raised in the thread that waits
            caught = error
            told.put(lambda: _raised(caught))
        else:
            told.put(lambda: result)

    Thread(target=run, daemon=True, name="shared place").start()
    while True:
        try:
            outcome = told.get(timeout=seconds)
        except Empty:
            raise TimeoutError(f"nothing came for {seconds:.0f} seconds") from None
        if outcome is not None:
            return outcome()


def _raised(error: BaseException) -> Any:
    raise error
