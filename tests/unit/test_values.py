"""Values are what frozen dataclasses with slots and keywords alone are, as far as passbuild uses them."""

from __future__ import annotations

import copy
import inspect
import pickle
from typing import Generic, TypeVar

import pytest

from passbuild.values import frozen, replace

T = TypeVar("T")


@frozen
class Wing:
    """A value with a default."""

    span: float
    name: str = "left"

    @property
    def half(self) -> float:
        """Half of the span."""
        return self.span / 2


@frozen
class Tail:
    """Another value of the same shape."""

    span: float
    name: str = "left"


@frozen
class Box(Generic[T]):
    """A generic value."""

    content: T


def test_fields_are_keywords_and_defaults_may_be_left_out() -> None:
    """Methods and docstrings stay."""
    wing = Wing(span=3.0)

    assert (wing.span, wing.name, wing.half) == (3.0, "left", 1.5)
    assert (Wing.__doc__, Wing.__qualname__) == ("A value with a default.", "Wing")
    assert repr(wing) == "Wing(span=3.0, name='left')"
    assert Box[int](content=1) == Box(content=1)


def test_wrong_arguments_are_refused() -> None:
    """As a function refuses them."""
    with pytest.raises(TypeError, match="needs span"):
        Wing()  # type: ignore[call-arg]  # that is what is tested
    with pytest.raises(TypeError, match="has no color"):
        Wing(span=1.0, color="red")  # type: ignore[call-arg]  # that is what is tested
    with pytest.raises(TypeError):
        Wing(1.0)  # type: ignore[call-arg]  # that is what is tested


def test_nothing_can_be_changed_or_added() -> None:
    """Not even what was not there."""
    wing = Wing(span=1.0)

    for name in ("span", "color"):
        with pytest.raises(AttributeError):
            setattr(wing, name, 2.0)
        with pytest.raises(AttributeError):
            delattr(wing, name)
    assert wing == Wing(span=1.0)


def test_values_compare_by_class_and_fields() -> None:
    """So they can be members of sets and keys."""
    assert Wing(span=1.0) == Wing(span=1.0, name="left")
    assert Wing(span=1.0) != Wing(span=2.0)
    other: object = Tail(span=1.0)
    assert Wing(span=1.0) != other
    assert len({Wing(span=1.0), Wing(span=1.0), Wing(span=2.0)}) == 2


def test_a_changed_copy_leaves_the_original() -> None:
    """`replace` knows the fields, as the one of dataclasses."""
    wing = Wing(span=1.0)

    assert replace(wing, name="right") == Wing(span=1.0, name="right")
    assert wing.name == "left"
    with pytest.raises(TypeError, match="has no color"):
        replace(wing, color="red")


def test_values_can_be_copied_and_pickled() -> None:
    """A report comes back from a pool of processes."""
    wing = Wing(span=1.0, name="right")

    assert [copy.copy(wing), copy.deepcopy(wing), pickle.loads(pickle.dumps(wing))] == [wing] * 3


def test_signatures_show_the_fields() -> None:
    """To `help()`, and in the documentation."""
    assert str(inspect.signature(Wing)) == "(*, span: 'float', name: 'str' = 'left')"
