"""Advisory locks on files, shared or exclusive, which the system lets go of when their process ends (flock)."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from passbuild.values import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    IS_AVAILABLE = False
else:
    IS_AVAILABLE = True


@frozen
class Lock:
    """An open file that is locked, or may be."""

    descriptor: int

    def take(self, *, exclusive: bool, wait: bool = True) -> bool:
        """Take the lock, or change its kind; return whether it is ours. Without `wait`, at once or not at all."""
        kind = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
        try:
            fcntl.flock(self.descriptor, kind if wait else kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def let_go(self) -> None:
        """Let go of the lock, and keep the file open."""
        fcntl.flock(self.descriptor, fcntl.LOCK_UN)

    def is_at(self, file: Path) -> bool:
        """Whether the file that is locked is still the one at this path."""
        try:
            return os.path.samestat(os.fstat(self.descriptor), file.lstat())
        except OSError:
            return False

    def sign(self) -> None:
        """Write into the file who holds it."""
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, str(os.getpid()).encode("ascii"), 0)

    def holder(self) -> int:
        """Return the process that has signed; 0 for none."""
        text = os.pread(self.descriptor, 20, 0)
        return int(text) if text.isdigit() else 0

    def release(self) -> None:
        """Let go of the lock and close the file."""
        with contextlib.suppress(OSError):
            os.close(self.descriptor)


def opened(file: Path) -> Lock:
    """Open a lock file, which is made where it is not there. Raises OSError.

    No child process inherits it: a compiler left behind would hold the lock as well.
    """
    return Lock(descriptor=os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666))


def existing(file: Path) -> Lock:
    """Open a lock file that is there. Raises OSError."""
    return Lock(descriptor=os.open(file, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW))


@contextlib.contextmanager
def held(file: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold an exclusive lock, and yield whether it is ours; without `wait` it may not be."""
    lock = opened(file)
    try:
        yield lock.take(exclusive=True, wait=wait)
    finally:
        lock.release()
