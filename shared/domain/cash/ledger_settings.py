"""How one ledger is mapped: products, tax, terms, and what still blocks automatic invoices (Q8, Q9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.cash.accounting import LedgerCompany, RecordKind
from shared.domain.values import dataclass


class Frequency(StrEnum):
    """How soon what changed in the ledger is to be seen here (Q13). real_time: by its notices where it sends some, else
    at every poll."""

    REAL_TIME = "real_time"
    HOURLY = "hourly"
    DAILY = "daily"


READ_EVERY = {Frequency.HOURLY: timedelta(hours=1), Frequency.DAILY: timedelta(days=1)}
"""A ledger whose notices are lost is read once a day in any case."""


class Direction(StrEnum):
    """Which way a kind of record goes. Our own invoices are read in any case: who made one must see what became of
    it."""

    BOTH = "both"
    TO_LEDGER = "to_ledger"
    FROM_LEDGER = "from_ledger"
    OFF = "off"


COMES = frozenset({Direction.BOTH, Direction.FROM_LEDGER})
GOES = frozenset({Direction.BOTH, Direction.TO_LEDGER})
ONLY_COMES = frozenset({RecordKind.PAYMENT, RecordKind.CREDIT_MEMO, RecordKind.REFUND})
"""Kinds that are only ever made in the ledger."""

QUOTE_CURRENCY = "quote.currency"
"""What a rule may look at beside the names of our fields."""


@dataclass(frozen=True, slots=True)
class SubsidiaryRule:
    """Who invoices where `field` (one of our fields, or QUOTE_CURRENCY) is `value`. currency: of that subsidiary's
    books; "" where the ledger does not tell it."""

    field: str
    value: str
    subsidiary_id: str
    currency: str = ""

    def fits(self, facts: Mapping[str, str]) -> bool:
        return facts.get(self.field, "").casefold() == self.value.casefold()


@dataclass(frozen=True, slots=True)
class CustomRecord:
    """A record type that the ledger's owner made: each invoice of ours has one such record, written before the invoice.
    fields: one of our fields for each field there."""

    record_type: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LedgerSettings:
    """One per ledger connection.

    items: the ledger's item by our product's id; default_item for products nobody mapped. fields: one of our fields (by
    its name in domain.cash.contract_type.FIELDS) for a custom field of the ledger's invoices, by its id there.
    creates_customers: one that is not mapped is made there with its first invoice; creates_always: every company, with
    the daily reading. sends_invoices: the ledger mails an invoice once it equals its quote. has_notices: it tells of
    changes by itself. read_until: everything that changed there before was read; read_at: when that was asked last.
    reviewed_at: when a person went through the customer mapping. run_at: when a person last ran it by hand.
    subsidiaries: the first rule that fits says who invoices, else subsidiary_id. directions: of kinds of record, those
    left out go both ways. records: of the owner's own types.
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
    run_at: datetime | None = None
    subsidiaries: tuple[SubsidiaryRule, ...] = ()
    directions: Mapping[str, Direction] = field(default_factory=dict)
    records: tuple[CustomRecord, ...] = ()
    read_until: datetime | None = None
    read_at: datetime | None = None

    def blocking(self) -> tuple[str, ...]:
        """What a person has to do before an invoice can be made, in sentences."""
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
        if self.company.has_accounts and self.income_account_id is None:
            found.append("Choose the income account.")
        return tuple(found)

    def comes(self, kind: RecordKind) -> bool:
        """Whether records of this kind that were made or changed in the ledger show here."""
        return self.directions.get(kind.value, Direction.BOTH) in COMES

    def goes(self, kind: RecordKind) -> bool:
        """Whether we make records of this kind in the ledger."""
        return self.directions.get(kind.value, Direction.BOTH) in GOES

    @property
    def rules_need_facts(self) -> bool:
        return any(rule.field != QUOTE_CURRENCY for rule in self.subsidiaries)

    def for_sale(self, facts: Mapping[str, str]) -> LedgerSettings:
        """As they are for one invoice: with the subsidiary its rules choose, and the currency of that one's books."""
        rule = next((rule for rule in self.subsidiaries if rule.fits(facts)), None)
        if rule is None:
            return self
        company = replace(self.company, currency=rule.currency or self.company.currency)
        return replace(self, subsidiary_id=rule.subsidiary_id, company=company)

    def due_for_reading(self, now: datetime) -> bool:
        """Whether a poll should ask the ledger what changed."""
        if self.read_at is None:
            return True
        if self.frequency is Frequency.REAL_TIME:
            return not self.has_notices
        return now - self.read_at >= READ_EVERY[self.frequency]
