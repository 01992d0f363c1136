"""What a deal shows of its invoices and payments, overdue included (Q11)."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from shared.domain.cash.deal_money import DealMoney, deal_money
from shared.domain.cash.intent import InvoiceIntent
from shared.domain.cash.mirror import InvoiceMirror, PaymentMirror
from shared.domain.people import Role, User
from shared.errors import ForbiddenError
from shared.ports.time import Clock
from shared.records.cash import CashRecords
from shared.records.ledgers import ledgers
from shared.records.store import TenantStore


@dataclass(frozen=True, slots=True)
class DealInvoices:
    """money: one for each currency, the deal's own first."""

    money: tuple[DealMoney, ...]
    invoices: tuple[InvoiceMirror, ...]
    payments: tuple[PaymentMirror, ...]
    intents: tuple[InvoiceIntent, ...]


def read_deal_money(store: TenantStore, deal_id: str, viewer: User, *, clock: Clock) -> DealInvoices:
    """Raises: NotFoundError; ForbiddenError for whoever sees neither the deal nor invoices."""
    records = CashRecords(store)
    deal = records.deals.get(deal_id).value
    if viewer.role is not Role.FINANCE and not viewer.viewer.may_see_records_of(deal.owner_id):
        raise ForbiddenError(f"user {viewer.user_id} may not see deal {deal_id}")
    invoices = [kept.value for kept in records.invoices_of_deal(deal_id)]
    payments = records.payments_of_deal(deal_id)
    zone = next((_zone(store, mirror) for mirror in invoices), ZoneInfo("UTC"))
    today = clock.now().astimezone(zone).date()
    currencies = dict.fromkeys([deal.amount.currency, *(mirror.invoice.total.currency for mirror in invoices)])
    seen = [mirror.invoice for mirror in invoices]
    paid = [mirror.payment for mirror in payments]
    return DealInvoices(
        money=tuple(deal_money(seen, paid, currency, today) for currency in currencies),
        invoices=tuple(invoices),
        payments=tuple(payments),
        intents=tuple(kept.value for kept in records.intents_of_deal(deal_id)),
    )


def _zone(store: TenantStore, mirror: InvoiceMirror) -> ZoneInfo:
    settings = ledgers(store).find(mirror.connection_id)
    return ZoneInfo(settings.value.company.time_zone if settings else "UTC")
