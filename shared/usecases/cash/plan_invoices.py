"""A deal is won: write down which invoices are to be made, before anybody calls the ledger (I23, I32)."""

from __future__ import annotations

from datetime import UTC, datetime, time

from shared import log
from shared.domain.cash.billing import due_on
from shared.domain.cash.contract import Contract
from shared.domain.cash.deal import Deal, Pipeline, Step, chain_step
from shared.domain.cash.intent import IntentState, InvoiceIntent, intent_id, invoice_number
from shared.domain.cash.money import Money
from shared.domain.cash.quote import Instalment, Quote, instalments
from shared.domain.outbox import Promise, promise
from shared.errors import AlreadyExistsError, InputError
from shared.ports.documents import Create, Write
from shared.ports.tasks import Tasks
from shared.ports.time import Clock
from shared.records.cash import CashRecords
from shared.records.followups import Outbox
from shared.records.ledgers import ledgers
from shared.records.store import TenantStore
from shared.usecases.promises import keep_promise_tasks

INVOICED_AT = time(6)
"""UTC time of the day on which an instalment falls due."""


def plan_invoices(store: TenantStore, deal_id: str, *, tasks: Tasks, clock: Clock) -> int:
    """One intent per signed contract and instalment, each created if absent; returns how many are new.

    A deal that was won without a contract, before invoicing was switched on, or in a pipeline that does not invoice,
    gets a step that says so, and no invoice. Safe to repeat.
    Raises: NotFoundError.
    """
    records = CashRecords(store)
    deal = records.deals.get(deal_id).value
    pipeline = records.pipelines.get(deal.pipeline_id).value
    signed = [stored.value for stored in records.contracts_of_deal(deal_id) if stored.value.signed]
    refusal = _refusal(deal, pipeline)
    if refusal is None and not signed:
        refusal = "The deal was won without a signed contract, so nothing is invoiced."
    if refusal is not None:
        _refuse(records, deal_id, refusal, "deal.won", clock)
        return 0
    first = datetime.min.replace(tzinfo=UTC)
    in_order = sorted(signed, key=lambda contract: (contract.signed_at or first, contract.contract_id))
    return sum(_plan_contract(records, deal, contract, tasks=tasks, clock=clock) for contract in in_order)


def won_before_the_switch(store: TenantStore, pipeline_id: str) -> list[Deal]:
    """Deals that were won before automatic invoices were switched on, and have none: listed, never invoiced (I32).

    Raises: NotFoundError.
    """
    records = CashRecords(store)
    pipeline = records.pipelines.get(pipeline_id).value
    won = records.deals.where((("pipeline_id", "==", pipeline_id), ("stage", "==", pipeline.won_stage)))
    since = pipeline.invoices_since
    early = [kept.value for kept in won if kept.value.won_at and (since is None or kept.value.won_at < since)]
    return [deal for deal in early if not records.intents_of_deal(deal.deal_id)]


def _refusal(deal: Deal, pipeline: Pipeline) -> str | None:
    if deal.won_at is None:
        return "The deal is not won."
    if not pipeline.invoices_on_win or pipeline.invoices_since is None:
        return "Automatic invoices are switched off for this pipeline."
    if deal.won_at < pipeline.invoices_since:
        return "The deal was won before automatic invoices were switched on; invoice it by hand if it is to be."
    return None


def _refuse(records: CashRecords, deal_id: str, sentence: str, cause: str, clock: Clock) -> None:
    """A step on the deal, once; a repeat is the same one."""
    step = chain_step(deal_id, Step.INVOICE_STOPPED, clock.now(), cause=cause, sentence=sentence, new=(cause, sentence))
    try:
        records.store.commit([records.stepping_once(step)])
    except AlreadyExistsError:
        return
    log.event("invoices.not_planned", tenant=records.store.tenant, deal=deal_id)


def _plan_contract(records: CashRecords, deal: Deal, contract: Contract, *, tasks: Tasks, clock: Clock) -> int:
    """Every instalment of one contract. A contract without a quote cannot be invoiced by itself."""
    now = clock.now()
    try:
        quote, connection_id = _what_to_invoice(records, contract)
        amounts = instalments(quote)
        claim_quote(records, quote, contract)
    except InputError as refused:
        _refuse(records, deal.deal_id, str(refused), contract.contract_id, clock)
        return 0
    signed_at = contract.signed_at or now
    planned = 0
    for part, amount in zip(quote.schedule, amounts, strict=True):
        start_at = max(_start(part, signed_at), now)
        intent = contract_intent(records, deal, contract, quote, part, amount, connection_id, now, start_at)
        planned += add_intent(records, intent, tasks=tasks, now=now)
    return planned


def _what_to_invoice(records: CashRecords, contract: Contract) -> tuple[Quote, str]:
    """The contract's quote, and the ledger. Raises: InputError."""
    quote = records.quotes.find(contract.quote_id) if contract.quote_id else None
    if quote is None:
        raise InputError(f"Contract {contract.number} has no quote, so there are no lines to invoice.")
    if not quote.value.lines:
        raise InputError(f"Quote {quote.value.number} has no lines, so there is nothing to invoice.")
    return quote.value, ledger_to_use(records)


def ledger_to_use(records: CashRecords) -> str:
    """The organization's ledger; with several, the first by id that is mapped. Raises: InputError."""
    found = [stored.value for stored in ledgers(records.store).where(())]
    ready = [settings for settings in found if not settings.blocking()] or found
    if not ready:
        raise InputError("No ledger is connected, so no invoice can be made.")
    return ready[0].connection_id


def _start(part: Instalment, signed_at: datetime) -> datetime:
    signed_on = signed_at.astimezone(UTC).date()
    day = due_on(part, signed_on)
    return signed_at if day <= signed_on else datetime.combine(day, INVOICED_AT, tzinfo=UTC)


def contract_intent(
    records: CashRecords,
    deal: Deal,
    contract: Contract,
    quote: Quote,
    part: Instalment,
    amount: Money,
    connection_id: str,
    now: datetime,
    start_at: datetime,
) -> InvoiceIntent:
    id_ = intent_id(records.store.tenant, contract.contract_id, part.number)
    return InvoiceIntent(
        intent_id=id_,
        deal_id=deal.deal_id,
        contract_id=contract.contract_id,
        instalment=part.number,
        connection_id=connection_id,
        number=invoice_number(id_),
        expected=amount,
        state=IntentState.PLANNED,
        planned_at=now,
        start_at=start_at,
        customer_key=deal.company_id or quote.contact_id,
    )


def claim_quote(records: CashRecords, quote: Quote, contract: Contract) -> None:
    """A quote is invoiced through one contract: whoever comes first holds it. Raises: InputError."""
    path = f"invoiced_quotes/{quote.quote_id}"
    try:
        records.store.commit([Create(path, {"v": 1, "contract_id": contract.contract_id})])
    except AlreadyExistsError:
        holder = records.store.get(path)
        if holder is None or holder.fields["contract_id"] != contract.contract_id:
            raise InputError(
                f"Quote {quote.number} is invoiced through another contract already; contract {contract.number} makes "
                "no second invoice of it."
            ) from None


def add_intent(records: CashRecords, intent: InvoiceIntent, *, tasks: Tasks, now: datetime) -> int:
    """The intent, its step and the promise to push it in one commit; returns 0 for one that is there already.

    One that starts later is only promised: the sweep of promises queues it when its time has come, however far off.
    """
    pushing = push_promise(records.store.tenant, intent.intent_id, intent.start_at)
    outbox = Outbox(records.store)
    writes: list[Write] = [
        records.intents.creating(intent.intent_id, intent),
        outbox.creating(pushing),
        *_planned_step(records, intent),
    ]
    created = 1
    try:
        records.store.commit(writes)
        log.event("invoice.planned", tenant=records.store.tenant, intent=intent.intent_id)
    except AlreadyExistsError:
        created = 0
    if intent.start_at <= now and (created or outbox.find(pushing.promise_id)):
        tasks.create(keep_promise_tasks([pushing]))
    return created


def _planned_step(records: CashRecords, intent: InvoiceIntent) -> list[Write]:
    if intent.deal_id is None:
        return []
    step = chain_step(
        intent.deal_id,
        Step.INVOICE_PLANNED,
        intent.planned_at,
        cause=intent.contract_id or intent.by_hand or "",
        other_id=intent.number,
        sentence=f"Invoice {intent.number} over {intent.expected} is planned for {intent.start_at:%Y-%m-%d}.",
        new=(intent.intent_id,),
    )
    return [records.stepping(step)]


def push_promise(tenant: str, intent: str, start_at: datetime, *again: str) -> Promise:
    """again: what makes another try a new one; a queue may remember the name of the first for a day."""
    return promise("invoice_push", {"tenant": tenant, "intent": intent}, start_at, intent, *again)
