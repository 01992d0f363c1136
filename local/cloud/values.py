"""Readers of one value of a manifest.

Each takes what YAML decoded and returns it typed, or raises ValueError with what the value must be, so that the
caller's sentence reads "<key> must be <that>".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any, TypeVar

from local.scheduler.cron import Cron

E = TypeVar("E", bound=StrEnum)
Number = int | float
CLOUD_NAME = re.compile(r"[a-z][a-z0-9-]{2,62}")


def boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a text")
    return value


def mapping(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("a mapping")
    return value


def names(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
        raise ValueError("a list of names")
    return tuple(value)


def providers(value: object) -> tuple[str, ...]:
    return ("all",) if value == "all" else names(value)


def seconds(value: object) -> float:
    return between(0.01, 31 * 86_400)(value)


def cron(value: object) -> str:
    try:
        Cron.parse(text(value))
    except ValueError as wrong:
        raise ValueError(f"a cron expression ({wrong})") from None
    return str(value)


def cloud_name(value: object) -> str:
    return matching(CLOUD_NAME, "a cloud name (lower case, digits, -; 3 to 63)")(value)


def matching(pattern: re.Pattern[str], meaning: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise ValueError(meaning)
        return value

    return read


def whole(low: int, high: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return value

    return read


def between(low: Number, high: Number) -> Callable[[object], float]:
    def read(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ValueError(f"a number from {low} to {high}")
        return float(value)

    return read


def one_of(choices: type[E]) -> Callable[[object], E]:
    def read(value: object) -> E:
        try:
            return choices(str(value))
        except ValueError:
            raise ValueError(_alternatives(choices)) from None

    return read


def _alternatives(choices: Iterable[str]) -> str:
    *first, last = [str(choice) for choice in choices]
    return f"{', '.join(first)} or {last}"
