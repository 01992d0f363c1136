"""A contract is signed by everyone: its deal is won, unless a person decided otherwise before (Q5)."""

from __future__ import annotations

from dataclasses import replace

from shared import log
from shared.domain.cash.contract import Contract
from shared.domain.cash.deal import Deal, Pipeline, Step, chain_step
from shared.domain.outbox import Promise, promise
from shared.ports.documents import Write
from shared.ports.tasks import Tasks
from shared.ports.time import Clock, Jitter
from shared.records.cash import CashRecords
from shared.records.followups import Outbox
from shared.records.store import TenantStore, guarded
from shared.records.todos import Todos
from shared.usecases.cash.tell import telling
from shared.usecases.promises import keep_promise_tasks


def win_deal(store: TenantStore, contract_id: str, *, tasks: Tasks, clock: Clock, jitter: Jitter) -> None:
    """Move the deal to its pipeline's won stage and promise its invoices. Safe to repeat: a signature is held against
    its deal once, so a deal that a person moves afterwards stays where they put it.

    A deal that is lost is not moved: its owner gets a task. One that was won by hand stays, a step says why; invoices
    are planned for it all the same.
    Raises: NotFoundError.
    """

    def attempt() -> Promise | None:
        records = CashRecords(store)
        stored = records.contracts.get(contract_id)
        contract, now = stored.value, clock.now()
        invoicing = promise("invoice_trigger", {"tenant": store.tenant, "deal": contract.deal_id}, now, contract_id)
        if not contract.signed or contract.considered_at is not None:
            promised = Outbox(store).find(invoicing.promise_id)
            return promised.value if promised else None
        deal = records.deals.get(contract.deal_id)
        pipeline = records.pipelines.get(deal.value.pipeline_id).value
        step, sentence = _outcome(deal.value, pipeline, contract)
        sentence += _difference(records, deal.value, contract)
        considered = replace(contract, considered_at=now)
        told = chain_step(contract.deal_id, step, now, cause=contract_id, sentence=sentence, new=(contract_id,))
        writes: list[Write] = [
            records.contracts.updating(contract_id, considered, stored.version),
            *telling(records, told),
            Outbox(store).creating(invoicing),
        ]
        if step is Step.DEAL_WON:
            moved = deal.value.in_stage(pipeline.won_stage, pipeline, now)
            writes.append(records.deals.updating(moved.deal_id, moved, deal.version))
        elif deal.value.stage == pipeline.lost_stage:
            new = ("deal-lost-but-signed", contract_id)
            writes.append(Todos(store).asking(deal.value.owner_id, contract.deal_id, sentence, now, new=new))
        store.commit(writes)
        log.event("deal.considered", tenant=store.tenant, deal=contract.deal_id, step=step.value)
        return invoicing

    invoicing = guarded(jitter, f"contract {contract_id}", attempt)
    if invoicing is not None:
        tasks.create(keep_promise_tasks([invoicing]))


def _outcome(deal: Deal, pipeline: Pipeline, contract: Contract) -> tuple[Step, str]:
    number = contract.number
    if deal.stage == pipeline.lost_stage:
        return Step.DEAL_NOT_MOVED, f"Contract {number} was signed, but the deal is lost; it was not moved."
    if deal.stage == pipeline.won_stage:
        return Step.DEAL_NOT_MOVED, f"Contract {number} was signed; the deal was won before."
    if not pipeline.moves_on_signature:
        return Step.DEAL_NOT_MOVED, f"Contract {number} was signed; moving deals is switched off for this pipeline."
    return Step.DEAL_WON, f"Contract {number} was signed by everyone, so the deal is won."


def _difference(records: CashRecords, deal: Deal, contract: Contract) -> str:
    """The invoice is the quote's; a deal that says something else is pointed out."""
    quote = records.quotes.find(contract.quote_id) if contract.quote_id else None
    if quote is None or quote.value.totals.total == deal.amount:
        return ""
    due = quote.value.totals.total
    return f" The deal says {deal.amount}, the quote {due}; the quote is what is invoiced."
