"""How one ledger is mapped: customers, products, tax, terms, and what still blocks automatic invoices (Q8, Q9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from shared.domain.cash.accounting import LedgerCompany


class MatchState(StrEnum):
    SUGGESTED = "suggested"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    OVERRIDDEN = "overridden"


DECIDED = frozenset({MatchState.ACCEPTED, MatchState.OVERRIDDEN})


@dataclass(frozen=True, slots=True)
class CustomerMatch:
    """Which customer there is which company or contact here. percent: similarity of the names, 0 to 100."""

    customer_id: str
    state: MatchState
    percent: int = 100


@dataclass(frozen=True, slots=True)
class LedgerSettings:
    """One per ledger connection. customers: by our company's or contact's id. items: by our product's id; default_item
    for products nobody mapped. sends_invoices: the ledger mails an invoice once it equals its quote."""

    connection_id: str
    provider: str
    company: LedgerCompany
    customers: Mapping[str, CustomerMatch] = field(default_factory=dict)
    items: Mapping[str, str] = field(default_factory=dict)
    default_item: str | None = None
    income_account_id: str | None = None
    term_id: str | None = None
    tax_code_id: str | None = None
    subsidiary_id: str | None = None
    sends_invoices: bool = False
    reviewed_at: datetime | None = None
    read_until: datetime | None = None

    def blocking(self) -> tuple[str, ...]:
        """What a person has to do before invoices can be made by themselves, in sentences."""
        found = []
        if not self.company.custom_numbers:
            found.append(
                f"Switch on custom transaction numbers in {self.company.name}: without them an invoice that was made "
                "while the connection broke could not be found again."
            )
        if self.default_item is None and not self.items:
            found.append("Map your products to items, or choose one item for all of them.")
        if self.reviewed_at is None:
            found.append("Review the customer mapping once.")
        return tuple(found)
