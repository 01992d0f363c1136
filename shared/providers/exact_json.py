"""JSON whose numbers are exact: amounts are read as Decimal and written digit by digit, never through a float."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from shared.domain.json_text import read_json


def loads(text: bytes | str) -> Any:
    """Raises: ValueError for what is no JSON, NaN and Infinity included."""
    return read_json(text, parse_float=Decimal, parse_constant=_refuse)


def dumps(value: Any) -> str:
    """Decimals become JSON numbers with the digits they have: Decimal("22680.00") is written 22680.00."""
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"{value} is no JSON number")
        return f"{value:f}"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(str(name))}:{dumps(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(dumps(item) for item in value) + "]"
    if isinstance(value, float):
        raise TypeError("a float in a document about money")
    return json.dumps(value)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON number")
