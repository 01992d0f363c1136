"""JSON in which an amount is the number that was meant: Decimals in and out, never floats."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any


def encoded(value: Any) -> str:
    """JSON text; a Decimal becomes a plain number with all its digits. Raises: TypeError for a float."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, float):
        raise TypeError("amounts are Decimals; a float has lost digits already")
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(str(key))}: {encoded(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(encoded(item) for item in value) + "]"
    return json.dumps(value)


def decoded(text: bytes | str) -> Any:
    """Raises: ValueError."""
    return json.loads(text, parse_float=Decimal)
