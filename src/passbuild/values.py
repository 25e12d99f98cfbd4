"""Values: immutable objects with named fields, like frozen dataclasses with slots and keywords alone.

dataclasses writes and compiles six functions for each class, each time a program starts: docs/decisions/0009 has the
figures. Here all classes share the same few functions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable
    from inspect import Signature

    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_: bool) -> object:
        """Do nothing: it is meant for type checkers."""
        return lambda item: item


__all__ = ["Described", "dataclass_transform", "fields", "frozen", "replace"]

T = TypeVar("T")


class Described:
    """Shows the fields of a class as its signature, to `help()` and to the documentation; made when it is asked for."""

    def __get__(self, item: object, owner: type) -> Signature:
        """Return the signature of `owner`."""
        from inspect import Parameter, Signature

        nothing, kind = Parameter.empty, Parameter.KEYWORD_ONLY
        return Signature(
            [
                Parameter(name, kind, default=_default(owner, name, nothing), annotation=annotation)
                for name, annotation in fields(owner).items()
            ]
        )


def fields(cls: type) -> dict[str, str]:
    """Return the annotations of a class and of its bases, other than of class variables, in the order of writing."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        found |= vars(base).get("__annotations__", {})
    return {name: text for name, text in found.items() if not name.startswith("_") and "ClassVar" not in text}


def _default(cls: type, name: str, nothing: object) -> object:
    defaults = getattr(cls, "_defaults", None)
    return getattr(cls, name, nothing) if defaults is None else defaults.get(name, nothing)


class _Value:
    """What every value can do."""

    __slots__ = ()
    __signature__ = Described()
    _fields: tuple[str, ...] = ()
    _defaults: dict[str, object] = {}  # noqa: RUF012 - of each class, and never changed

    def __init__(self, **given: object) -> None:
        for name in self._fields:
            if name in given:
                object.__setattr__(self, name, given.pop(name))
            elif name in self._defaults:
                object.__setattr__(self, name, self._defaults[name])
            else:
                raise TypeError(f"{type(self).__name__} needs {name}")
        if given:
            raise TypeError(f"{type(self).__name__} has no {', '.join(given)}")

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} cannot be changed")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} cannot be changed")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self._fields)

    def __hash__(self) -> int:
        return hash(tuple(getattr(self, name) for name in self._fields))

    def __reduce__(self) -> tuple[object, ...]:
        return _remade, (type(self), {name: getattr(self, name) for name in self._fields})

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self._fields)})"


def _remade(cls: type[T], given: dict[str, object]) -> T:
    """Return what was copied or pickled."""
    return cls(**given)


@dataclass_transform(frozen_default=True, kw_only_default=True)
def frozen(cls: type[T]) -> type[T]:
    """Make a class of annotated fields a value; a field with a default, which is shared, may be left out."""
    names = tuple(cls.__annotations__)
    namespace = {name: item for name, item in vars(cls).items() if name not in {"__dict__", "__weakref__"}}
    defaults = {name: namespace.pop(name) for name in names if name in namespace}
    extra = {"__slots__": names, "__qualname__": cls.__qualname__, "_fields": names, "_defaults": defaults}
    bases = (base for base in cls.__bases__ if base is not object)
    return cast("type[T]", type(cls.__name__, (_Value, *bases), {**namespace, **extra}))


def replace(item: T, **changes: Any) -> T:
    """Return a value with some of its fields changed."""
    made = cast("Callable[..., T]", type(item))
    return made(**{**{name: getattr(item, name) for name in cast("_Value", item)._fields}, **changes})
