"""Frozen dataclasses that cost little to declare.

The standard decorator writes the source of six methods for every class and compiles it: half a millisecond a class, on
Python 3.11 and 3.13 alike, and a function declares a hundred of them before it answers its first request. Here the
methods are closures over the fields instead, which takes a tenth of that. All else is the standard library's: fields,
slots, defaults, `replace`, `fields` and patterns; and type checkers see the standard decorator.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, cast

T = TypeVar("T")

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(*, frozen: bool, slots: bool) -> Callable[[type[T]], type[T]]:
        """As `@dataclasses.dataclass(frozen=True, slots=True)`. Others, and what only others need, are standard ones:
        `order`, keyword-only fields and those that are no argument."""
        if not (frozen and slots):
            raise TypeError("only frozen dataclasses with slots are made here; take the standard one")
        return _declared


def _declared(cls: type[T]) -> type[T]:
    if cls.__doc__ is None:
        cls.__doc__ = cls.__name__  # or the standard library spends as long again on writing a signature
    plain: Callable[[type[T]], Any] = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True)
    made = plain(cls)
    fields = dataclasses.fields(made)
    if not all(field.init and not field.kw_only for field in fields):
        raise TypeError(f"{cls.__qualname__}: every field is an argument, by position too")
    compared = _reader([field.name for field in fields if field.compare])
    methods: dict[str, Any] = {
        "__init__": _init(made, fields),
        "__repr__": _repr,
        "__eq__": _eq(compared),
        "__hash__": lambda self: hash(compared(self)),
        "__setattr__": _refuse_change,
        "__delattr__": _refuse_change,
        "__getstate__": _state,
        "__setstate__": _restore,
    }
    for name, method in methods.items():
        if name not in vars(made):
            setattr(made, name, method)
    return cast("type[T]", made)


def _init(cls: type[Any], fields: tuple[dataclasses.Field[Any], ...]) -> Callable[..., None]:
    """Sets the slots themselves, which `__setattr__` does not hinder."""
    names = [field.name for field in fields]
    setters = [getattr(cls, name).__set__ for name in names]
    rest = list(zip(fields, setters, strict=True))
    finish: Callable[[Any], None] | None = getattr(cls, "__post_init__", None)

    def init(self: Any, *given: Any, **named: Any) -> None:
        for setter, value in zip(setters, given, strict=False):
            setter(self, value)
        taken = 0
        for field, setter in rest[len(given) :]:
            if field.name in named:
                setter(self, named[field.name])
                taken += 1
            elif field.default is not dataclasses.MISSING:
                setter(self, field.default)
            elif field.default_factory is not dataclasses.MISSING:
                setter(self, field.default_factory())
            else:
                raise TypeError(f"{cls.__qualname__}() needs {field.name!r}")
        if len(given) > len(names) or taken < len(named):
            raise TypeError(f"{cls.__qualname__}() takes {', '.join(names)}, each once")
        if finish is not None:
            finish(self)

    return init


def _reader(names: list[str]) -> Callable[[Any], Any]:
    return attrgetter(*names) if names else lambda _: ()


def _eq(compared: Callable[[Any], Any]) -> Callable[[Any, object], Any]:
    def eq(self: Any, other: object) -> Any:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return compared(self) == compared(other)

    return eq


def _repr(self: Any) -> str:
    shown = (f"{field.name}={getattr(self, field.name)!r}" for field in dataclasses.fields(self) if field.repr)
    return f"{self.__class__.__qualname__}({', '.join(shown)})"


def _refuse_change(self: Any, name: str, *_: Any) -> NoReturn:
    raise dataclasses.FrozenInstanceError(f"{name!r} of a {self.__class__.__qualname__} does not change")


def _state(self: Any) -> list[Any]:
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _restore(self: Any, state: list[Any]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)
