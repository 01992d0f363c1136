"""Move a contract by what its envelope says, and promise what follows from it (Q4, Q5, I22)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from shared import log
from shared.domain.cash.contract import Contract, ContractStatus, apply_envelope
from shared.domain.cash.deal import ChainStep, Step, chain_step
from shared.domain.cash.signing import EnvelopeState, SignerState, SignerStatus
from shared.domain.outbox import Promise, promise
from shared.ports import Clock, Jitter, Tasks, Write
from shared.records.cash import CashRecords
from shared.records.followups import Outbox
from shared.records.mailboxes import Stored
from shared.records.store import TenantStore, guarded
from shared.usecases.promises import keep_promise_tasks

STATUS_STEPS = {
    ContractStatus.SENT: Step.CONTRACT_SENT,
    ContractStatus.FULLY_SIGNED: Step.CONTRACT_SIGNED,
    ContractStatus.DECLINED: Step.CONTRACT_DECLINED,
    ContractStatus.VOIDED: Step.CONTRACT_VOIDED,
}
SIGNER_STEPS = {
    SignerStatus.VIEWED: Step.CONTRACT_VIEWED,
    SignerStatus.SIGNED: Step.CONTRACT_SIGNED_BY,
    SignerStatus.BOUNCED: Step.CONTRACT_BOUNCED,
}
SENTENCES = {
    Step.CONTRACT_SENT: "Contract {number} was sent for signature.",
    Step.CONTRACT_SIGNED: "Contract {number} is signed by everyone.",
    Step.CONTRACT_DECLINED: "Contract {number} was declined: {reason}.",
    Step.CONTRACT_VOIDED: "Contract {number} was voided: {reason}.",
}


def move_contract(
    store: TenantStore,
    contract_id: str,
    state: EnvelopeState,
    *,
    cause: str,
    told_at: datetime | None,
    read_at: datetime | None,
    tasks: Tasks,
    clock: Clock,
    jitter: Jitter,
    also: tuple[Write, ...] = (),
) -> Contract:
    """The contract after `state`, with its chain steps and promises, in one commit with `also`.

    cause: the delivery or reconcile that told it. told_at: when the service made the notice; read_at: when we asked.
    A signed contract repeats its promises, under the same ids, so that a repeat finishes what a crash interrupted.
    Raises: NotFoundError.
    """

    def attempt() -> tuple[Contract, list[Promise]]:
        records = CashRecords(store)
        stored = records.contracts.get(contract_id)
        after = apply_envelope(stored.value, state)
        after = replace(
            after,
            told_at=max(filter(None, (stored.value.told_at, told_at)), default=None),
            read_at=max(filter(None, (stored.value.read_at, read_at)), default=None),
        )
        promises = _promises(store, stored, after, clock)
        writes: list[Write] = list(also)
        if after != stored.value:
            writes.append(records.contracts.updating(contract_id, after, stored.version))
            writes += [records.stepping(step) for step in _steps(stored.value, after, clock.now(), cause)]
            outbox = Outbox(store)
            writes += [outbox.creating(kept) for kept in promises if outbox.find(kept.promise_id) is None]
        if writes:
            store.commit(writes)
        if after.refused_moves > stored.value.refused_moves:
            log.event("contract.move_refused", severity="WARNING", tenant=store.tenant, contract=contract_id)
        return after, promises

    after, promises = guarded(jitter, f"contract {contract_id}", attempt)
    tasks.create(keep_promise_tasks(promises))
    return after


def _promises(store: TenantStore, stored: Stored[Contract], after: Contract, clock: Clock) -> list[Promise]:
    """What a signature leads to: the documents are kept, and the deal is won."""
    if after.status is not ContractStatus.FULLY_SIGNED or stored.value.signed:
        return []
    ids = {"tenant": store.tenant, "contract": after.contract_id}
    now = clock.now()
    follow_ups = [promise("deal_won", ids, now, after.contract_id)]
    if after.envelope_id is not None and after.document_blob is None:
        follow_ups.append(promise("contract_store", ids, now, after.contract_id))
    return follow_ups


def _steps(before: Contract, after: Contract, now: datetime, cause: str) -> list[ChainStep]:
    steps = []
    if after.status is not before.status and (step := STATUS_STEPS.get(after.status)):
        reason = after.void_reason or next((signer.reason for signer in after.signer_states if signer.reason), "")
        sentence = SENTENCES[step].format(number=after.number, reason=reason or "no reason was given")
        at = after.status_at or now
        steps.append(_step(after, step, at, cause, sentence, (after.status.value,)))
    known = {signer.recipient_id: signer for signer in before.signer_states}
    for signer in after.signer_states:
        earlier = known.get(signer.recipient_id)
        if (earlier is None or earlier.status is not signer.status) and (step := SIGNER_STEPS.get(signer.status)):
            at = signer.signed_at or signer.viewed_at or now
            what = (signer.recipient_id, signer.status.value)
            steps.append(_step(after, step, at, cause, _signer_sentence(after, signer), what))
    return steps


def _signer_sentence(contract: Contract, signer: SignerState) -> str:
    ours = {asked.recipient_id for asked in contract.signers if asked.ours}
    side = "our side" if signer.recipient_id in ours else "the customer's side"
    words = {
        SignerStatus.VIEWED: "opened",
        SignerStatus.SIGNED: "signed",
        SignerStatus.BOUNCED: "could not be reached about",
    }
    return f"{signer.name} ({side}) {words[signer.status]} contract {contract.number}."


def _step(contract: Contract, step: Step, at: datetime, cause: str, sentence: str, what: tuple[str, ...]) -> ChainStep:
    new: tuple[str | int, ...] = (contract.contract_id, contract.sending, *what)
    other = contract.envelope_id or ""
    return chain_step(contract.deal_id, step, at, cause=cause, other_id=other, sentence=sentence, new=new)
