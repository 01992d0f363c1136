"""The part of SuiteQL that the product speaks; anything else is refused loudly.

SELECT [DISTINCT] column [AS name], TO_CHAR(column, 'format') AS name, ...
FROM table [WHERE conditions with = <> < <= > >= IN, IS [NOT] NULL, AND, OR and parentheses]
[ORDER BY column [ASC | DESC], ...]
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from local.netsuite.errors import ApiError, not_simulated
from local.netsuite.tables import Cell

FORMATS = {"YYYY-MM-DD HH24:MI:SS": "%Y-%m-%d %H:%M:%S", "YYYY-MM-DD": "%Y-%m-%d"}

Row = dict[str, Cell]
Test = Callable[[Row], bool]

_TOKEN = re.compile(r"\s*(?:('(?:[^']|'')*')|(\d+(?:\.\d+)?)|([A-Za-z_][A-Za-z0-9_.]*)|(<>|<=|>=|[=<>(),*]))")
_COMPARE: dict[str, Callable[[int], bool]] = {
    "=": lambda sign: sign == 0,
    "<>": lambda sign: sign != 0,
    "<": lambda sign: sign < 0,
    "<=": lambda sign: sign <= 0,
    ">": lambda sign: sign > 0,
    ">=": lambda sign: sign >= 0,
}


@dataclass(frozen=True, slots=True)
class Column:
    """name: in the table. label: in the answer. form: how a time is written, or None for as it comes."""

    name: str
    label: str
    form: str | None = None


@dataclass(frozen=True, slots=True)
class Select:
    """A query that was understood. order_by: columns, and whether descending."""

    columns: tuple[Column, ...]
    table: str
    test: Test
    used: frozenset[str]
    distinct: bool
    order_by: tuple[tuple[str, bool], ...]


def parsed(query: str, zone: ZoneInfo) -> Select:
    """zone: in which TO_DATE means its wall time. Raises: ApiError: 400 for what is wrong, 501 for what is unknown."""
    return _Parser(query, zone).select()


def answered(select: Select, rows: Sequence[Row], zone: ZoneInfo) -> list[dict[str, str]]:
    """The rows asked for, as text; a cell that is null is left out. Without an order they come in none."""
    found = [row for row in rows if select.test(row)]
    if select.order_by:
        for name, descending in reversed(select.order_by):
            found.sort(key=lambda row: _sortable(row[name]), reverse=descending)
    else:
        found = found[1::2] + found[::2]
    texts = [_texts(select.columns, row, zone) for row in found]
    if select.distinct:
        texts = [dict(pairs) for pairs in dict.fromkeys(tuple(text.items()) for text in texts)]
    return texts


def _texts(columns: Sequence[Column], row: Row, zone: ZoneInfo) -> dict[str, str]:
    return {column.label: _text(row[column.name], column, zone) for column in columns if row[column.name] is not None}


def _text(cell: Cell, column: Column, zone: ZoneInfo) -> str:
    if isinstance(cell, datetime):
        wall = cell.astimezone(zone)
        # Without TO_CHAR a date comes in the account's format, its time of day lost.
        return wall.strftime(column.form) if column.form else f"{wall.month}/{wall.day}/{wall.year}"
    return str(cell)


def _sortable(cell: Cell) -> tuple[int, float, str]:
    if isinstance(cell, datetime):
        return (1, cell.timestamp(), "")
    if isinstance(cell, int | Decimal):
        return (1, float(cell), "")
    return (0, 0.0, "") if cell is None else (2, 0.0, cell)


class _Parser:
    def __init__(self, query: str, zone: ZoneInfo) -> None:
        self._zone = zone
        self._tokens = _tokens(query)
        self._at = 0
        self._used: set[str] = set()

    def select(self) -> Select:
        self._expect("SELECT")
        distinct = self._accept("DISTINCT")
        columns = [self._column()]
        while self._accept(","):
            columns.append(self._column())
        self._expect("FROM")
        table = self._name()
        test: Test = self._or() if self._accept("WHERE") else _everything
        order_by = self._order() if self._accept("ORDER") else []
        if self._at < len(self._tokens):
            raise not_simulated(f"SuiteQL from {self._tokens[self._at]!r} on")
        return Select(tuple(columns), table, test, frozenset(self._used), distinct, tuple(order_by))

    def _column(self) -> Column:
        name = self._name()
        form = None
        if name == "to_char":
            self._expect("(")
            name = self._name()
            self._expect(",")
            form = self._format()
            self._expect(")")
        elif self._peek() == "(":
            raise not_simulated(f"the SuiteQL function {name}")
        self._used.add(name)
        label = self._name() if self._accept("AS") else name
        return Column(name, label, form)

    def _order(self) -> list[tuple[str, bool]]:
        self._expect("BY")
        order = []
        while True:
            name = self._name()
            self._used.add(name)
            descending = self._accept("DESC")
            if not descending:
                self._accept("ASC")
            order.append((name, descending))
            if not self._accept(","):
                return order

    def _or(self) -> Test:
        tests = [self._and()]
        while self._accept("OR"):
            tests.append(self._and())
        return lambda row: any(test(row) for test in tests)

    def _and(self) -> Test:
        tests = [self._condition()]
        while self._accept("AND"):
            tests.append(self._condition())
        return lambda row: all(test(row) for test in tests)

    def _condition(self) -> Test:
        if self._accept("("):
            test = self._or()
            self._expect(")")
            return test
        name = self._name()
        self._used.add(name)
        if self._accept("IS"):
            wanted = not self._accept("NOT")
            self._expect("NULL")
            return lambda row: (row[name] is None) is wanted
        if self._accept("IN"):
            return self._membership(name)
        operator = self._next()
        if operator not in _COMPARE:
            raise not_simulated(f"the SuiteQL operator {operator}")
        value, decide = self._literal(), _COMPARE[operator]
        return lambda row: row[name] is not None and decide(_sign(row[name], value))

    def _membership(self, name: str) -> Test:
        self._expect("(")
        values = [self._literal()]
        while self._accept(","):
            values.append(self._literal())
        self._expect(")")
        return lambda row: row[name] is not None and any(_sign(row[name], value) == 0 for value in values)

    def _literal(self) -> Cell:
        token = self._next()
        if token.startswith("'"):
            return _unquoted(token)
        if token[0].isdigit():
            return Decimal(token)
        if token.upper() == "TO_DATE":
            self._expect("(")
            text = _unquoted(self._next())
            self._expect(",")
            form = self._format()
            self._expect(")")
            try:
                return datetime.strptime(text, form).replace(tzinfo=self._zone)
            except ValueError:
                raise bad_query(f"literal {text!r} does not match its format") from None
        raise not_simulated(f"the SuiteQL value {token}")

    def _format(self) -> str:
        token = _unquoted(self._next())
        if token not in FORMATS:
            raise not_simulated(f"the SuiteQL date format {token}")
        return FORMATS[token]

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        if not token:
            raise bad_query("unexpected end of the query")
        self._at += 1
        return token

    def _name(self) -> str:
        token = self._next()
        if not (token[0].isalpha() or token[0] == "_"):
            raise not_simulated(f"SuiteQL with {token!r} where a name belongs")
        return token.lower()

    def _accept(self, word: str) -> bool:
        if self._peek().upper() != word:
            return False
        self._at += 1
        return True

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            raise bad_query(f"expected {word} before {self._peek()!r}")


def bad_query(why: str) -> ApiError:
    detail = f"Invalid search query. Detailed unprocessed description follows. Invalid or unsupported search: {why}."
    return ApiError(400, "INVALID_PARAMETER", detail, where="q", place="o:errorQueryParam")


def _everything(_: Row) -> bool:
    return True


def _sign(cell: Cell, value: Cell) -> int:
    """-1, 0 or 1. Wall times compare as the account's clocks show them, like the database's."""
    if isinstance(cell, datetime) and isinstance(value, datetime):
        wall = cell.astimezone(value.tzinfo).replace(tzinfo=None, microsecond=0)
        other = value.replace(tzinfo=None)
        return (wall > other) - (wall < other)
    if isinstance(cell, int | Decimal) and isinstance(value, int | Decimal):
        return (cell > value) - (cell < value)
    if isinstance(cell, str) and isinstance(value, str):
        return (cell > value) - (cell < value)
    raise bad_query(f"{value!r} cannot be compared with this column")


def _unquoted(token: str) -> str:
    if not token.startswith("'"):
        raise bad_query(f"expected a text before {token!r}")
    return token[1:-1].replace("''", "'")


def _tokens(query: str) -> list[str]:
    tokens, at = [], 0
    text = query.strip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise bad_query(f"unexpected character {text[at]!r}")
        tokens.append(match.group().strip())
        at = match.end()
    return tokens
