"""QuickBooks' query language: one kind, conditions joined by AND, one order, pages of at most 1,000.

Source: developer.intuit.com, "Data queries".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from local.quickbooks.errors import Json, bad_query

DEFAULT_PAGE = 100
LARGEST_PAGE = 1000

_WORDS = re.compile(r"\s*('(?:[^'\\]|\\.)*'|<=|>=|=|<|>|\(|\)|,|\*|[A-Za-z_][\w.]*|-?\d+(?:\.\d+)?)")
_OPERATORS = frozenset({"=", "<", ">", "<=", ">=", "LIKE", "IN"})


@dataclass(frozen=True, slots=True)
class Condition:
    """path: dotted property. operator: one of "=", "<", ">", "<=", ">=", "LIKE", "IN". values: one, or many for IN."""

    path: str
    operator: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """A parsed question. start: from 1."""

    entity: str
    count: bool
    conditions: tuple[Condition, ...]
    order: tuple[str, bool] | None
    start: int
    limit: int


def parse(text: str) -> Statement:
    """Raises: VendorError 4001, also for OR, JOIN and everything else the language does not have."""
    words = _Words(text)
    words.expect("SELECT")
    count = words.accept("COUNT")
    if count:
        for word in ("(", "*", ")"):
            words.expect(word)
    else:
        words.expect("*")
    words.expect("FROM")
    entity = words.name()
    conditions: list[Condition] = []
    if words.accept("WHERE"):
        conditions.append(_condition(words))
        while words.accept("AND"):
            conditions.append(_condition(words))
    order = None
    if words.accept("ORDERBY") or (words.accept("ORDER") and words.expect("BY")):
        path = words.name()
        descending = words.accept("DESC")
        order = (path, descending or (words.accept("ASC") and False))
    start = words.number() if words.accept("STARTPOSITION") else 1
    limit = words.number() if words.accept("MAXRESULTS") else DEFAULT_PAGE
    words.end()
    if start < 1 or not 0 < limit <= LARGEST_PAGE:
        raise bad_query("STARTPOSITION begins with 1, MAXRESULTS ends with 1000")
    return Statement(entity, count, tuple(conditions), order, start, limit)


def run(statement: Statement, objects: Iterable[Json]) -> list[Json]:
    """The page of `objects` that the statement asks for. Kinds that can be inactive show only active ones unless asked
    about `Active`."""
    asks_active = any(condition.path == "Active" for condition in statement.conditions)
    found = [
        item
        for item in objects
        if (asks_active or item.get("Active", True) is True) and all(_holds(one, item) for one in statement.conditions)
    ]
    path, descending = statement.order or ("Id", False)
    found.sort(key=lambda item: _order(_at(item, path)), reverse=descending)
    return found[statement.start - 1 : statement.start - 1 + statement.limit]


class _Words:
    def __init__(self, text: str) -> None:
        self._left: list[str] = []
        at = 0
        while at < len(text.rstrip()):
            found = _WORDS.match(text, at)
            if not found:
                raise bad_query(f"QueryParserError: Encountered an unexpected character at position {at}")
            self._left.append(found[1])
            at = found.end()

    def accept(self, word: str) -> bool:
        if self._left and self._left[0].upper() == word:
            self._left.pop(0)
            return True
        return False

    def expect(self, word: str) -> bool:
        if not self.accept(word):
            raise bad_query(f"QueryParserError: expected {word} before {self._left[:1]}")
        return True

    def next(self) -> str:
        if not self._left:
            raise bad_query("QueryParserError: the statement ends too early")
        return self._left.pop(0)

    def name(self) -> str:
        word = self.next()
        if not word[0].isalpha():
            raise bad_query(f"QueryParserError: expected a name instead of {word}")
        return word

    def number(self) -> int:
        word = self.next()
        if not word.isdecimal():
            raise bad_query(f"QueryParserError: expected a number instead of {word}")
        return int(word)

    def value(self) -> str:
        word = self.next()
        if word.startswith("'"):
            return re.sub(r"\\(.)", r"\1", word[1:-1])
        if word.lower() in {"true", "false"} or word[0].isdigit() or word[0] == "-":
            return word.lower()
        raise bad_query(f"QueryParserError: {word} is no value; strings stand in single quotes")

    def end(self) -> None:
        if self._left:
            raise bad_query(f"QueryParserError: Encountered {self._left[0]} where the statement should end")


def _condition(words: _Words) -> Condition:
    path, operator = words.name(), words.next().upper()
    if operator not in _OPERATORS:
        raise bad_query(f"QueryParserError: unknown operator {operator}")
    if operator != "IN":
        return Condition(path, operator, (words.value(),))
    words.expect("(")
    values = [words.value()]
    while words.accept(","):
        values.append(words.value())
    words.expect(")")
    return Condition(path, operator, tuple(values))


def _at(item: Json, path: str) -> Any:
    """The property at a dotted path; a reference stands for its value."""
    value: Any = item
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value.get("value") if isinstance(value, dict) else value


def _holds(condition: Condition, item: Json) -> bool:
    actual = _at(item, condition.path)
    if actual is None:
        return False
    if condition.operator == "IN":
        return any(_compare(actual, value) == 0 for value in condition.values)
    wanted = condition.values[0]
    if condition.operator == "LIKE":
        pattern = "".join(".*" if part == "%" else re.escape(part) for part in re.split("(%)", wanted))
        return re.fullmatch(pattern, str(actual), re.IGNORECASE | re.DOTALL) is not None
    sign = _compare(actual, wanted)
    return {"=": sign == 0, "<": sign < 0, ">": sign > 0, "<=": sign <= 0, ">=": sign >= 0}[condition.operator]


def _compare(actual: Any, wanted: str) -> int:
    left: Any
    right: Any
    if isinstance(actual, bool):
        left, right = str(actual).lower(), wanted.lower()
    elif isinstance(actual, int | Decimal):
        left, right = Decimal(actual), _decimal(wanted)
    elif "T" in wanted and _moment(str(actual)) and _moment(wanted):
        left, right = _moment(str(actual)), _moment(wanted)
    else:
        left, right = str(actual).casefold(), wanted.casefold()
    return int(left > right) - int(left < right)


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise bad_query(f"{text} is no number") from None


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _order(value: Any) -> tuple[int, Decimal, str]:
    """Ids and amounts by size, the rest by letter; what is absent comes first."""
    if value is None:
        return (0, Decimal(0), "")
    if isinstance(value, int | Decimal) or str(value).isdecimal():
        return (1, Decimal(value), "")
    return (2, Decimal(0), str(value).casefold())
