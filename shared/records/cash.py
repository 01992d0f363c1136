"""Deals, quotes, contracts, intents, invoices, payments and the chain of a tenant."""

from __future__ import annotations

from typing import Generic, TypeVar

from shared.domain.cash.contract import Contract
from shared.domain.cash.deal import ChainStep, Deal, Pipeline
from shared.domain.cash.deal_money import DealStanding
from shared.domain.cash.intent import InvoiceIntent
from shared.domain.cash.mirror import InvoiceMirror, PaymentMirror
from shared.domain.cash.quote import Quote
from shared.errors import NotFoundError
from shared.ports.documents import ID, Conditions, Create, Merge, Query, Update, Version, Write
from shared.records.codec import Kind
from shared.records.store import TenantStore
from shared.records.stored import Stored, stored

T = TypeVar("T")


class Collection(Generic[T]):
    """One collection of one kind: read by id, created once, changed under its guard."""

    def __init__(self, store: TenantStore, name: str, kind: Kind[T]) -> None:
        self._store = store
        self._name = name
        self._kind = kind

    def path(self, id_: str) -> str:
        return f"{self._name}/{id_}"

    def find(self, id_: str) -> Stored[T] | None:
        return stored(self._kind, self._store.get(self.path(id_)))

    def get(self, id_: str) -> Stored[T]:
        """Raises: NotFoundError."""
        found = self.find(id_)
        if found is None:
            raise NotFoundError(f"{self.path(id_)} does not exist")
        return found

    def where(
        self, conditions: Conditions, *, order_by: tuple[str, ...] = (ID,), limit: int | None = None
    ) -> list[Stored[T]]:
        found = self._store.find(Query(self._name, where=conditions, order_by=order_by, limit=limit))
        return [Stored(self._kind.value(document.fields), document.version) for document in found]

    def count(self, conditions: Conditions) -> int:
        return self._store.count(Query(self._name, where=conditions))

    def creating(self, id_: str, value: T) -> Write:
        return Create(self.path(id_), self._kind.fields(value))

    def updating(self, id_: str, value: T, version: Version) -> Write:
        return Update(self.path(id_), self._kind.fields(value), version)


DEAL: Kind[Deal] = Kind(Deal)
PIPELINE: Kind[Pipeline] = Kind(Pipeline)
QUOTE: Kind[Quote] = Kind(Quote)
CONTRACT: Kind[Contract] = Kind(Contract)
INTENT: Kind[InvoiceIntent] = Kind(InvoiceIntent)
INVOICE: Kind[InvoiceMirror] = Kind(InvoiceMirror)
PAYMENT: Kind[PaymentMirror] = Kind(PaymentMirror)
STANDING: Kind[DealStanding] = Kind(DealStanding)
CHAIN_STEP: Kind[ChainStep] = Kind(ChainStep)


class CashRecords:
    """Every collection of quote to cash of one tenant."""

    def __init__(self, store: TenantStore) -> None:
        self.store = store
        self.deals = Collection(store, "opportunities", DEAL)
        self.pipelines = Collection(store, "pipelines", PIPELINE)
        self.quotes = Collection(store, "quotes", QUOTE)
        self.contracts = Collection(store, "contracts", CONTRACT)
        self.intents = Collection(store, "invoice_intents", INTENT)
        self.invoices = Collection(store, "invoices", INVOICE)
        self.payments = Collection(store, "payments", PAYMENT)
        self.standings = Collection(store, "deal_money", STANDING)

    def contract_of_envelope(self, envelope_id: str) -> Stored[Contract] | None:
        found = self.contracts.where((("envelope_id", "==", envelope_id),), limit=1)
        return found[0] if found else None

    def contracts_of_deal(self, deal_id: str) -> list[Stored[Contract]]:
        return self.contracts.where((("deal_id", "==", deal_id),))

    def intents_of_deal(self, deal_id: str) -> list[Stored[InvoiceIntent]]:
        return self.intents.where((("deal_id", "==", deal_id),))

    def invoices_of_deal(self, deal_id: str) -> list[Stored[InvoiceMirror]]:
        return self.invoices.where((("deal_id", "==", deal_id),))

    def payments_of_deal(self, deal_id: str) -> list[PaymentMirror]:
        return [kept.value for kept in self.payments.where((("deal_ids", "array_contains", deal_id),))]

    def stepping(self, step: ChainStep) -> Write:
        """Part of the commit it tells of; a repeat of that commit is the same step."""
        return Merge(f"opportunities/{step.deal_id}/chain/{step.step_id}", CHAIN_STEP.fields(step))

    def stepping_once(self, step: ChainStep) -> Write:
        """For a step that is a commit of its own: AlreadyExistsError where it was written before."""
        return Create(f"opportunities/{step.deal_id}/chain/{step.step_id}", CHAIN_STEP.fields(step))

    def has_step(self, step: ChainStep) -> bool:
        return self.store.get(f"opportunities/{step.deal_id}/chain/{step.step_id}") is not None

    def chain(self, deal_id: str) -> list[ChainStep]:
        """Oldest first; steps of one moment in the order they usually come."""
        query = Query(f"opportunities/{deal_id}/chain", order_by=("at", ID))
        steps = [CHAIN_STEP.value(document.fields) for document in self.store.find(query)]
        usual = list(type(steps[0].step)) if steps else []
        return sorted(steps, key=lambda step: (step.at, usual.index(step.step)))
