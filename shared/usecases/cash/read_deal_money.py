"""What a deal shows of its invoices and payments, overdue included (Q11, R2)."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from shared.domain.cash.deal_money import DealMoney, ShownStatus, deal_money, money_sentence, shown_status
from shared.domain.cash.intent import InvoiceIntent
from shared.domain.cash.mirror import InvoiceMirror, PaymentMirror
from shared.domain.people import User
from shared.domain.values import dataclass
from shared.errors import ForbiddenError
from shared.ports.documents import Conditions
from shared.ports.time import Clock
from shared.records.cash import CashRecords
from shared.records.ledgers import ledgers
from shared.records.store import TenantStore
from shared.usecases.cash.finance import may_see_deal, sees_figures


@dataclass(frozen=True, slots=True)
class ShownInvoice:
    """status: as a person reads it on this day."""

    mirror: InvoiceMirror
    status: ShownStatus


@dataclass(frozen=True, slots=True)
class DealInvoices:
    """sentence: where the money stands, without amounts; for people without finance there is nothing else.

    money: one for each currency, the deal's own first. unapplied: payments and refunds of the same customer that belong
    to no deal.
    """

    sentence: str
    money: tuple[DealMoney, ...] = ()
    invoices: tuple[ShownInvoice, ...] = ()
    payments: tuple[PaymentMirror, ...] = ()
    unapplied: tuple[PaymentMirror, ...] = ()
    intents: tuple[InvoiceIntent, ...] = ()


def read_deal_money(store: TenantStore, deal_id: str, viewer: User, *, clock: Clock) -> DealInvoices:
    """Raises: NotFoundError; ForbiddenError for whoever sees neither the deal nor invoices."""
    records = CashRecords(store)
    deal = records.deals.get(deal_id).value
    if not may_see_deal(deal, viewer.viewer):
        raise ForbiddenError(f"user {viewer.user_id} may not see deal {deal_id}")
    mirrors = [kept.value for kept in records.invoices_of_deal(deal_id)]
    days = {mirror.key: _today(store, mirror, clock) for mirror in mirrors}
    today = next(iter(days.values()), clock.now().date())
    seen = [mirror.invoice for mirror in mirrors]
    standing = records.standings.find(deal_id)
    sentence = money_sentence(seen, today, open_again=standing is not None and standing.value.open_again)
    if not sees_figures(store, viewer.viewer):
        return DealInvoices(sentence)
    payments = records.payments_of_deal(deal_id)
    paid = [mirror.payment for mirror in payments]
    currencies = dict.fromkeys([deal.amount.currency, *(invoice.total.currency for invoice in seen)])
    return DealInvoices(
        sentence=sentence,
        money=tuple(deal_money(seen, paid, currency, today) for currency in currencies),
        invoices=tuple(ShownInvoice(mirror, shown_status(mirror.invoice, days[mirror.key])) for mirror in mirrors),
        payments=tuple(payments),
        unapplied=tuple(_unapplied(records, mirrors)),
        intents=tuple(kept.value for kept in records.intents_of_deal(deal_id)),
    )


def _unapplied(records: CashRecords, mirrors: list[InvoiceMirror]) -> list[PaymentMirror]:
    """Of the customers that the deal's invoices are for: which deal such a payment is for, nobody knows yet."""
    found: list[PaymentMirror] = []
    for connection_id, customer_id in sorted({(mirror.connection_id, mirror.customer_id) for mirror in mirrors}):
        of_customer: Conditions = (
            ("connection_id", "==", connection_id),
            ("payment.customer_id", "==", customer_id),
        )
        found += [kept.value for kept in records.payments.where(of_customer) if not kept.value.deal_ids]
    return found


def _today(store: TenantStore, mirror: InvoiceMirror, clock: Clock) -> date:
    """The day it is in the ledger's time zone."""
    settings = ledgers(store).find(mirror.connection_id)
    zone = ZoneInfo(settings.value.company.time_zone if settings else "UTC")
    return clock.now().astimezone(zone).date()
