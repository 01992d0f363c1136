"""A contract is signed by everyone: its deal is won, unless a person decided otherwise before (Q5)."""

from __future__ import annotations

from shared import log
from shared.domain.cash.deal import Deal, Pipeline, Step, chain_step
from shared.domain.ids import short_id
from shared.domain.outbox import Promise, promise
from shared.ports import Clock, Jitter, Merge, Tasks, Write
from shared.records.cash import CashRecords
from shared.records.followups import Outbox
from shared.records.store import TenantStore, guarded
from shared.usecases.promises import keep_promise_tasks


def win_deal(store: TenantStore, contract_id: str, *, tasks: Tasks, clock: Clock, jitter: Jitter) -> None:
    """Move the deal to its pipeline's won stage and promise its invoices. Safe to repeat.

    A deal that is lost is not moved: its owner gets a task. One that was won by hand stays, a step says why; invoices
    are planned for it all the same.
    Raises: NotFoundError.
    """

    def attempt() -> Promise:
        records = CashRecords(store)
        contract = records.contracts.get(contract_id).value
        deal = records.deals.get(contract.deal_id)
        pipeline = records.pipelines.get(deal.value.pipeline_id).value
        now = clock.now()
        invoicing = promise("invoice_trigger", {"tenant": store.tenant, "deal": contract.deal_id}, now, contract_id)
        step, sentence = _outcome(deal.value, pipeline, contract.number)
        writes: list[Write] = []
        if step is Step.DEAL_WON and deal.value.won_at is None:
            moved = deal.value.in_stage(pipeline.won_stage, pipeline, now)
            writes.append(records.deals.updating(moved.deal_id, moved, deal.version))
        writes.append(
            records.stepping(
                chain_step(contract.deal_id, step, now, cause=contract_id, sentence=sentence, new=(contract_id,))
            )
        )
        if deal.value.stage == pipeline.lost_stage:
            writes.append(_owner_task(deal.value, sentence, contract_id))
        if Outbox(store).find(invoicing.promise_id) is None:
            writes.append(Outbox(store).creating(invoicing))
        store.commit(writes)
        log.event("deal.considered", tenant=store.tenant, deal=contract.deal_id, step=step.value)
        return invoicing

    invoicing = guarded(jitter, f"contract {contract_id}", attempt)
    tasks.create(keep_promise_tasks([invoicing]))


def _outcome(deal: Deal, pipeline: Pipeline, number: str) -> tuple[Step, str]:
    if deal.stage == pipeline.lost_stage:
        return Step.DEAL_NOT_MOVED, f"Contract {number} was signed, but the deal is lost; it was not moved."
    if deal.stage == pipeline.won_stage:
        return Step.DEAL_NOT_MOVED, f"Contract {number} was signed; the deal was won before."
    if not pipeline.moves_on_signature:
        return Step.DEAL_NOT_MOVED, f"Contract {number} was signed; moving deals is switched off for this pipeline."
    return Step.DEAL_WON, f"Contract {number} was signed by everyone, so the deal is won."


def _owner_task(deal: Deal, sentence: str, contract_id: str) -> Write:
    """A task for the deal's owner; made from the contract, so it is one however often this runs."""
    task_id = short_id("k", "deal-lost-but-signed", contract_id)
    return Merge(f"tasks/{task_id}", {"v": 1, "owner_id": deal.owner_id, "deal_id": deal.deal_id, "text": sentence})
