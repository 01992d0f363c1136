"""A deal is won: write down which invoices are to be made, before anybody calls the ledger (I23, I32)."""

from __future__ import annotations

from datetime import UTC, datetime, time

from shared import log
from shared.domain.cash.billing import due_on
from shared.domain.cash.contract import Contract
from shared.domain.cash.deal import Deal, Pipeline, Step, chain_step
from shared.domain.cash.intent import IntentState, InvoiceIntent, intent_id, invoice_number
from shared.domain.cash.quote import instalments
from shared.domain.outbox import Promise, promise
from shared.errors import AlreadyExistsError, InputError
from shared.ports import Clock, Tasks, Write
from shared.records.cash import CashRecords
from shared.records.followups import Outbox
from shared.records.ledgers import ledgers
from shared.records.store import TenantStore
from shared.usecases.promises import keep_promise_tasks


def plan_invoices(store: TenantStore, deal_id: str, *, tasks: Tasks, clock: Clock) -> int:
    """One intent per signed contract and instalment, each created if absent; returns how many are new.

    A deal that was won without a contract, before invoicing was switched on, or in a pipeline that does not invoice,
    gets a step that says so, and no invoice. Safe to repeat.
    Raises: NotFoundError.
    """
    records = CashRecords(store)
    deal = records.deals.get(deal_id).value
    pipeline = records.pipelines.get(deal.pipeline_id).value
    refusal = _refusal(deal, pipeline)
    signed = [stored.value for stored in records.contracts_of_deal(deal_id) if stored.value.signed]
    if refusal is None and not signed:
        refusal = "The deal was won without a signed contract, so nothing is invoiced."
    if refusal is not None:
        step = chain_step(
            deal_id, Step.INVOICE_STOPPED, clock.now(), cause="deal.won", sentence=refusal, new=(refusal,)
        )
        store.commit([records.stepping(step)])
        log.event("invoices.not_planned", tenant=store.tenant, deal=deal_id)
        return 0
    planned = 0
    for contract in signed:
        planned += _plan_contract(records, deal, contract, tasks=tasks, clock=clock)
    return planned


def _refusal(deal: Deal, pipeline: Pipeline) -> str | None:
    if deal.won_at is None:
        return "The deal is not won."
    if not pipeline.invoices_on_win or pipeline.invoices_since is None:
        return "Automatic invoices are switched off for this pipeline."
    if deal.won_at < pipeline.invoices_since:
        return "The deal was won before automatic invoices were switched on; invoice it by hand if it is to be."
    return None


def _plan_contract(records: CashRecords, deal: Deal, contract: Contract, *, tasks: Tasks, clock: Clock) -> int:
    """Every instalment of one contract. A contract without a quote cannot be invoiced by itself."""
    now = clock.now()
    connection_id = _ledger(records)
    quote = records.quotes.find(contract.quote_id) if contract.quote_id else None
    try:
        if quote is None:
            raise InputError(f"Contract {contract.number} has no quote, so there are no lines to invoice.")
        if connection_id is None:
            raise InputError("No ledger is connected, so no invoice can be made.")
        parts = instalments(quote.value)
    except InputError as refused:
        step = chain_step(
            deal.deal_id,
            Step.INVOICE_STOPPED,
            now,
            cause=contract.contract_id,
            sentence=str(refused),
            new=(str(refused),),
        )
        records.store.commit([records.stepping(step)])
        return 0
    planned = 0
    signed_on = (contract.signed_at or now).astimezone(UTC).date()
    for part, amount in zip(quote.value.schedule, parts, strict=True):
        id_ = intent_id(contract.contract_id, part.number)
        intent = InvoiceIntent(
            intent_id=id_,
            deal_id=deal.deal_id,
            contract_id=contract.contract_id,
            instalment=part.number,
            connection_id=connection_id,
            number=invoice_number(id_),
            expected=amount,
            state=IntentState.PLANNED,
            planned_at=now,
        )
        start = datetime.combine(due_on(part, signed_on), time(6), tzinfo=UTC)
        planned += _create(records, intent, max(start, now), tasks)
    return planned


def _create(records: CashRecords, intent: InvoiceIntent, start: datetime, tasks: Tasks) -> int:
    """The intent, its step and the promise to push it in one commit. One that is there is left as it is; its task is
    queued once more, in case it was lost."""
    pushing = push_promise(records.store.tenant, intent.intent_id, start)
    step = chain_step(
        intent.deal_id,
        Step.INVOICE_PLANNED,
        intent.planned_at,
        cause=intent.contract_id,
        other_id=intent.number,
        sentence=f"Invoice {intent.number} over {intent.expected} is planned for {start:%Y-%m-%d}.",
        new=(intent.intent_id,),
    )
    writes: list[Write] = [
        records.intents.creating(intent.intent_id, intent),
        Outbox(records.store).creating(pushing),
        records.stepping(step),
    ]
    try:
        records.store.commit(writes)
    except AlreadyExistsError:
        return 0
    tasks.create(keep_promise_tasks([pushing]))
    log.event("invoice.planned", tenant=records.store.tenant, intent=intent.intent_id)
    return 1


def push_promise(tenant: str, intent: str, start: datetime) -> Promise:
    return promise("invoice_push", {"tenant": tenant, "intent": intent}, start, intent)


def _ledger(records: CashRecords) -> str | None:
    """The organization's ledger; with several, the first by id that is mapped."""
    found = ledgers(records.store).where(())
    ready = [stored.value for stored in found if not stored.value.blocking()] or [stored.value for stored in found]
    return ready[0].connection_id if ready else None
