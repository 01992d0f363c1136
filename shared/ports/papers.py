"""What is put on paper: quotes and generated contracts as PDF."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Protocol

from shared.domain.values import dataclass
from shared.ports.marks import reads

if TYPE_CHECKING:  # words of the annotations alone: a cold start would pay for every class behind them
    from shared.domain.cash.contract import Contract
    from shared.domain.cash.quote import Quote


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Who writes to whom. logo: PNG or JPEG bytes."""

    seller: str
    customer: str
    contact: str
    logo: bytes | None = None


class PdfWriter(Protocol):
    """The same input gives the same bytes, so that a document can be known by its digest."""

    @reads
    def quote(self, quote: Quote, head: Letterhead, written_on: date) -> bytes: ...

    @reads
    def contract(
        self, contract: Contract, quote: Quote | None, facts: Mapping[str, str], head: Letterhead, written_on: date
    ) -> bytes:
        """The contract's own text with its merge fields filled in, the quote's table, and a place for every signer."""
        ...
