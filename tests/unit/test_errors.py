"""The tree of errors keeps its promises."""

from __future__ import annotations

import re
import signal

from passbuild import errors
from passbuild.errors import PassbuildError


def every(root: type[PassbuildError]) -> list[type[PassbuildError]]:
    """Return a class and all below it."""
    return [root, *(below for child in root.__subclasses__() for below in every(child))]


def test_codes_are_kebab_case_and_unique_among_leaves() -> None:
    """A code names one way to fail."""
    leaves = [error for error in every(PassbuildError) if not error.__subclasses__()]

    codes = [error.code for error in leaves]

    assert len(leaves) > 10
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code) for code in codes)


def test_docstring_draws_every_class() -> None:
    """Whoever opens the module sees the whole tree, as it is."""
    drawn = re.findall(r"^    [│ ├└─]*([A-Z]\w+)", errors.__doc__ or "", flags=re.MULTILINE)

    assert sorted(drawn) == sorted(error.__name__ for error in every(PassbuildError))


def test_cancelled_follows_the_shell() -> None:
    """Ctrl-C is 130, SIGTERM 143."""
    assert errors.Cancelled(signal=signal.SIGINT).exit_code == 130
    assert errors.Cancelled(signal=signal.SIGTERM).exit_code == 143
