"""How ports say which of their methods change nothing outside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Method = TypeVar("Method", bound=Callable[..., Any])


def reads(method: Method) -> Method:
    """Mark a port method that changes nothing outside this process."""
    method.__dict__["reads"] = True
    return method
