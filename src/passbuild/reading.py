"""Read small files of others: a pipe or a device in the place of one has no end, and to open it may wait for ever."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_OPENED = ("/dev/fd/", "/dev/stdin", "/proc/self/fd/")
_MOST = 64 << 20
"""Bytes; no configuration and no metadata is that long."""


def content(file: Path, most: int = _MOST) -> bytes:
    """Return the bytes of a file. Raises OSError, also for what is no regular file, or longer than `most`.

    What lies in ``/dev`` was named by the user, and a shell's ``<(...)`` is such a pipe.
    """
    is_named = str(file).startswith(_OPENED)
    flags = os.O_RDONLY if is_named else os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)
    with open(os.open(file, flags), "rb") as stream:  # noqa: PTH123 - a descriptor
        state = os.fstat(stream.fileno())
        if not is_named and not stat.S_ISREG(state.st_mode) and not os.path.samestat(state, os.stat(os.devnull)):  # noqa: PTH116
            raise OSError(errno.EINVAL, "it is no regular file", str(file))
        read = stream.read(most + 1)
    if len(read) > most:
        raise OSError(errno.EFBIG, f"it is longer than {most >> 20} MB", str(file))
    return read


def text(file: Path, errors: str = "strict", encoding: str = "utf-8") -> str:
    """Return the text of a file, with Unix line ends. Raises OSError as `content` does, and UnicodeDecodeError."""
    return content(file).decode(encoding, errors).replace("\r\n", "\n").replace("\r", "\n")
