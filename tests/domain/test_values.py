"""A value declared cheaply behaves as one that the standard decorator made."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import re
from collections.abc import Callable
from dataclasses import FrozenInstanceError, field, fields, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

import pytest

from shared.domain.values import dataclass

T = TypeVar("T")
SHARED = Path(__file__).parents[2] / "shared"


@dataclass(frozen=True, slots=True)
class Offer:
    """A value with every kind of field."""

    number: str
    total: int
    secret: str = field(default="", repr=False)
    lines: list[str] = field(default_factory=list, compare=False)

    def doubled(self) -> Offer:
        return replace(self, total=2 * self.total)


@dataclasses.dataclass(frozen=True, slots=True)
class StandardOffer:
    number: str
    total: int
    secret: str = field(default="", repr=False)
    lines: list[str] = field(default_factory=list, compare=False)


@dataclass(frozen=True, slots=True)
class Nothing:
    """No field at all."""


@dataclass(frozen=True, slots=True)
class Box(Generic[T]):
    """A value that checks itself."""

    content: T

    def __post_init__(self) -> None:
        if self.content is None:
            raise ValueError("a box is never empty")


ARGUMENTS: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    (("a", 1), {}),
    (("a",), {"total": 1}),
    ((), {"total": 1, "number": "a", "secret": "s"}),
    (("a", 1, "s", ["x"]), {}),
]
WRONG_ARGUMENTS: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((), {}),
    (("a",), {}),
    (("a", 1), {"number": "b"}),
    (("a", 1), {"colour": "red"}),
    (("a", 1, "s", [], "more"), {}),
]


@pytest.mark.parametrize(("given", "named"), ARGUMENTS)
def test_it_takes_the_same_arguments_and_shows_the_same(given: tuple[Any, ...], named: dict[str, Any]) -> None:
    ours, standard = Offer(*given, **named), StandardOffer(*given, **named)
    assert dataclasses.asdict(ours) == dataclasses.asdict(standard)
    assert repr(ours) == repr(standard).removeprefix("Standard")


@pytest.mark.parametrize("shape", [Offer, StandardOffer])
@pytest.mark.parametrize(("given", "named"), WRONG_ARGUMENTS)
def test_it_refuses_the_same_arguments(shape: type[Any], given: tuple[Any, ...], named: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        shape(*given, **named)


def test_equal_values_are_equal_and_hash_alike() -> None:
    one, same, other = Offer("a", 1, lines=["x"]), Offer("a", 1), Offer("a", 2)
    standard: object = StandardOffer("a", 1)
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert one != standard
    assert Nothing() == Nothing()
    assert len({Nothing(), Nothing(), Box("x"), Box("x"), Box("y")}) == 3


@pytest.mark.parametrize(
    "change",
    [lambda one: setattr(one, "total", 2), lambda one: setattr(one, "new", 2), lambda one: delattr(one, "total")],
)
def test_it_does_not_change(change: Callable[[Offer], None]) -> None:
    with pytest.raises(FrozenInstanceError):
        change(Offer("a", 1))


def test_it_has_slots_alone() -> None:
    assert not hasattr(Offer("a", 1), "__dict__")


def test_each_has_its_own_default_list() -> None:
    assert Offer("a", 1).lines is not Offer("a", 1).lines


def test_it_is_replaced_copied_and_pickled() -> None:
    one = Offer("a", 1, "s", ["x"])
    assert one.doubled() == Offer("a", 2, "s", ["x"])
    for again in (copy.copy(one), copy.deepcopy(one), pickle.loads(pickle.dumps(one))):  # noqa: S301 - our own bytes
        assert again == one
        assert again.lines == ["x"]


def test_it_is_taken_apart_by_a_pattern() -> None:
    match Offer("a", 1):
        case Offer(number, total):
            assert (number, total) == ("a", 1)


def test_it_checks_itself() -> None:
    with pytest.raises(ValueError, match="never empty"):
        Box(None)


def test_its_fields_are_the_standard_ones() -> None:
    assert [one.name for one in fields(Offer)] == [one.name for one in fields(StandardOffer)]


def test_what_it_cannot_do_is_refused_when_it_is_declared() -> None:
    with pytest.raises(TypeError, match="standard one"):
        dataclass(frozen=False, slots=True)

    with pytest.raises(TypeError, match="every field is an argument"):

        @dataclass(frozen=True, slots=True)
        class Odd:
            made: int = field(init=False)


def test_every_frozen_value_of_the_product_is_declared_this_way() -> None:
    """The standard decorator costs every cold start half a millisecond a class. It is for what changes."""
    sources = {path: path.read_text() for path in SHARED.rglob("*.py")}
    standard = re.compile(r"^from dataclasses import .*\bdataclass\b", re.MULTILINE)
    frozen, others = (
        "@dataclass(frozen=True, slots=True)",
        re.compile(r"^@dataclass(?!\(frozen=True, slots=True\))", re.MULTILINE),
    )
    found = {
        path.name
        for path, source in sources.items()
        if standard.search(source) and frozen in source and not others.search(source)
    }
    assert found == {"log.py"}, "write: from shared.domain.values import dataclass"  # the log lies below the domain
