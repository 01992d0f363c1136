"""JSON that others wrote: read within bounds, or refused as what is no JSON.

The standard reader follows any nesting until the stack ends, and takes halves of characters that no store and no page
can write again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

DEEPEST = 64
"""Lists and objects within each other; nobody we hear from sends more than a dozen."""


def read_json(
    text: str | bytes,
    *,
    parse_float: Callable[[str], Any] | None = None,
    parse_constant: Callable[[str], Any] | None = None,
) -> Any:
    """Raises: ValueError for what is no JSON, is nested deeper than DEEPEST, or holds half of a character."""
    if isinstance(text, bytes):
        text = text.decode(json.detect_encoding(text))
    try:
        found = json.loads(text, parse_float=parse_float, parse_constant=parse_constant)
    except RecursionError:
        raise ValueError("JSON that is nested too deep") from None
    if text.count("[") + text.count("{") > DEEPEST:
        _check_depth(found)
    if "\\u" in text:
        _check_characters(found)
    return found


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(DEEPEST + 1):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return
    raise ValueError("JSON that is nested too deep")


def _check_characters(value: Any) -> None:
    """A lone surrogate, such as "\\ud800", is no text in any encoding."""
    level = [value]
    while level:
        for text in [text for text in level if isinstance(text, str)]:
            text.encode()  # a UnicodeEncodeError is a ValueError
        names = [name for outer in level if isinstance(outer, dict) for name in outer]
        level = [*names, *(inner for outer in level for inner in _inside(outer))]


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
