"""Go through a pipeline once by hand, before it may invoice by itself: what would be made of each deal, and what is
missing for it (Q9). The ledger is not written to; that the run was made, and what it came to, is in the audit log.
"""

from __future__ import annotations

from dataclasses import replace

from shared.domain.cash.accounting import RecordKind
from shared.domain.cash.billing import draft_of
from shared.domain.cash.deal import Deal
from shared.domain.cash.intent import IntentState, InvoiceIntent
from shared.domain.cash.ledger_settings import QUOTE_CURRENCY, LedgerSettings
from shared.domain.cash.money import Money
from shared.domain.cash.quote import Quote, QuoteStatus, instalments
from shared.domain.people import User
from shared.domain.values import dataclass
from shared.errors import InputError
from shared.ports.time import Clock, Jitter
from shared.records.audit import Audit
from shared.records.cash import CashRecords
from shared.records.ledgers import customer_matches, ledgers
from shared.records.store import TenantStore, guarded
from shared.usecases.cash.ensure_customer import NOT_MAPPED
from shared.usecases.cash.finance import require_ledger_setup, sees_figures
from shared.usecases.cash.review_contract import deal_facts

DEALS_AT_MOST = 200
NOT_MADE_YET = "made-with-the-invoice"
"""Stands for a customer that the ledger gets with its first invoice."""


@dataclass(frozen=True, slots=True)
class Would:
    """One instalment of a deal. amount: for those who see figures. missing: why nothing would be made; "" where it
    would."""

    deal_id: str
    deal: str
    quote: str
    instalment: int
    amount: Money | None
    missing: str


def run_by_hand(
    store: TenantStore, connection_id: str, pipeline_id: str, actor: User, *, clock: Clock, jitter: Jitter
) -> tuple[Would, ...]:
    """Every deal that is not lost and has a quote: the accepted one, else the newest. A run over no deal counts too.

    Raises: ForbiddenError, NotFoundError.
    """
    require_ledger_setup(actor)
    records = CashRecords(store)
    records.pipelines.get(pipeline_id)
    settings = ledgers(store).get(connection_id).value
    deals = [kept.value for kept in records.deals.where((("pipeline_id", "==", pipeline_id),), limit=DEALS_AT_MOST)]
    rows = [row for deal in deals if deal.lost_at is None for row in _of_deal(records, settings, deal, clock)]

    def attempt() -> None:
        stored, now = ledgers(store).get(connection_id), clock.now()
        told = {"instalments": str(len(rows)), "missing": str(sum(row.missing != "" for row in rows))}
        audit = Audit(store).recording(actor.user_id, "invoicing.run_by_hand", connection_id, now, after=told)
        store.commit([ledgers(store).updating(connection_id, replace(stored.value, run_at=now), stored.version), audit])

    guarded(jitter, f"ledger {connection_id}", attempt)
    figures = sees_figures(store, actor.viewer)
    return tuple(row if figures else replace(row, amount=None) for row in rows)


def _of_deal(records: CashRecords, settings: LedgerSettings, deal: Deal, clock: Clock) -> list[Would]:
    quotes = [kept.value for kept in records.quotes.where((("deal_id", "==", deal.deal_id),))]
    quotes.sort(key=lambda quote: (quote.status is QuoteStatus.ACCEPTED, quote.number))
    if not quotes:
        return []
    quote = quotes[-1]
    try:
        amounts = instalments(quote)
    except InputError as refused:
        return [Would(deal.deal_id, deal.name, quote.number, 1, None, str(refused))]
    return [_would(records, settings, deal, quote, number, amount, clock) for number, amount in enumerate(amounts, 1)]


def _would(
    records: CashRecords,
    settings: LedgerSettings,
    deal: Deal,
    quote: Quote,
    number: int,
    amount: Money,
    clock: Clock,
) -> Would:
    """By the very steps that make the invoice, short of the ledger."""
    key, now = deal.company_id or quote.contact_id, clock.now()
    intent = InvoiceIntent(
        intent_id="",
        deal_id=deal.deal_id,
        contract_id=None,
        instalment=number,
        connection_id=settings.connection_id,
        number="",
        expected=amount,
        state=IntentState.PLANNED,
        planned_at=now,
        start_at=now,
        customer_key=key,
    )
    try:
        if not settings.goes(RecordKind.INVOICE):
            raise InputError(f"Invoices do not go to {settings.company.name}; the mapping page says so.")
        facts = deal_facts(records.store, deal.deal_id, quote) if settings.rules_need_facts else {}
        settings = settings.for_sale({**facts, QUOTE_CURRENCY: quote.currency})
        customer_id = _customer(records.store, settings, key)
        draft_of(intent, quote, settings, customer_id=customer_id, issued_on=now.date(), email="")
    except InputError as refused:
        return Would(deal.deal_id, deal.name, quote.number, number, amount, str(refused))
    return Would(deal.deal_id, deal.name, quote.number, number, amount, "")


def _customer(store: TenantStore, settings: LedgerSettings, key: str) -> str:
    """Raises: InputError where nobody mapped it and nobody wants it made."""
    known = customer_matches(store, settings.connection_id).find(key)
    if known is not None and (mapped := known.value.mapped):
        return mapped
    wanted = settings.creates_customers and settings.goes(RecordKind.CUSTOMER)
    if wanted and (known is None or known.value.being_made):
        return NOT_MADE_YET
    raise InputError(NOT_MAPPED)
