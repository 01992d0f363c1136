"""The control API of a simulated vendor: what people do there that no product could (local/<vendor>/README.md)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from local.run.http import Http
from local.run.waiting import NotSeenError


@dataclass(frozen=True, slots=True)
class Vendor:
    """root: of the simulator, which is also the page a person can watch."""

    http: Http
    root: str

    def do(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Raises: RefusedError with the simulator's sentence."""
        headers = {"Content-Type": "application/json"}
        content = json.dumps(body or {}).encode()
        return dict(self.http.json("POST", f"{self.root}/control/{path}", body=content, headers=headers) or {})

    def ask(self, path: str) -> dict[str, Any]:
        """Raises: RefusedError."""
        return dict(self.http.json("GET", f"{self.root}/control/{path}"))


def minor(amount: object) -> int:
    """Cents of an amount in whole units, as a vendor's JSON has it. Raises: NotSeenError for parts of a cent."""
    cents = Decimal(str(amount)) * 100
    if cents != cents.to_integral_value():
        raise NotSeenError(f"an amount in whole cents (it is {amount})")
    return int(cents)


def whole(minor_units: int) -> str:
    """As a bookkeeper types it: "12680.00"."""
    return f"{Decimal(minor_units) / 100:.2f}"
