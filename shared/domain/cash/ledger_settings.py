"""How one ledger is mapped: products, tax, terms, and what still blocks automatic invoices (Q8, Q9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.cash.accounting import LedgerCompany
from shared.domain.values import dataclass


class Frequency(StrEnum):
    """How soon what changed in the ledger is to be seen here (Q13). real_time: by its notices where it sends some, else
    at every poll."""

    REAL_TIME = "real_time"
    HOURLY = "hourly"
    DAILY = "daily"


READ_EVERY = {Frequency.HOURLY: timedelta(hours=1), Frequency.DAILY: timedelta(days=1)}
"""A ledger whose notices are lost is read once a day in any case."""


@dataclass(frozen=True, slots=True)
class LedgerSettings:
    """One per ledger connection.

    items: the ledger's item by our product's id; default_item for products nobody mapped. fields: one of our fields (by
    its name in domain.cash.contract_type.FIELDS) for a custom field of the ledger's invoices, by its id there.
    creates_customers: one that is not mapped is made there with its first invoice; creates_always: every company, with
    the daily reading. sends_invoices: the ledger mails an invoice once it equals its quote. has_notices: it tells of
    changes by itself. read_until: everything that changed there before was read; read_at: when that was asked last.
    reviewed_at: when a person went through the customer mapping.
    """

    connection_id: str
    provider: str
    company: LedgerCompany
    items: Mapping[str, str] = field(default_factory=dict)
    default_item: str | None = None
    income_account_id: str | None = None
    term_id: str | None = None
    tax_code_id: str | None = None
    subsidiary_id: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    creates_customers: bool = False
    creates_always: bool = False
    sends_invoices: bool = False
    has_notices: bool = True
    frequency: Frequency = Frequency.REAL_TIME
    reviewed_at: datetime | None = None
    read_until: datetime | None = None
    read_at: datetime | None = None

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

    def due_for_reading(self, now: datetime) -> bool:
        """Whether a poll should ask the ledger what changed."""
        if self.read_at is None:
            return True
        if self.frequency is Frequency.REAL_TIME:
            return not self.has_notices
        return now - self.read_at >= READ_EVERY[self.frequency]
