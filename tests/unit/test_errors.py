"""The tree of errors keeps its promises."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
import signal

import pytest

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


def test_wrong_facts_are_refused_where_an_error_is_raised() -> None:
    """Not where its message is printed."""
    with pytest.raises(TypeError, match="problem"):
        errors.HostUnusable(executable="x")  # type: ignore[call-arg, arg-type]  # that is what is tested
    with pytest.raises(TypeError, match="executble"):
        errors.HostUnusable(executable="x", problem="y", executble="z")  # type: ignore[call-arg, arg-type]  # likewise


def test_errors_show_copy_and_pickle_their_facts() -> None:
    """A log, and a pool of processes, keep what was wrong."""
    error = errors.WrongCommand(problem="no such option", command="passbuild")
    error.requirement = "engine"

    for same in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert repr(same) == "WrongCommand(problem='no such option', command='passbuild', requirement='engine')"
    assert pickle.loads(pickle.dumps(errors.Cancelled(signal=2))).exit_code == 130
    assert list(inspect.signature(errors.WrongCommand).parameters)[-2:] == ["problem", "command"]
