"""Move a contract by what its envelope says, and promise what follows from it (Q4, Q5, I22)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from shared import log
from shared.domain.cash.contract import FAILED, Contract, ContractStatus, apply_envelope
from shared.domain.cash.deal import ChainStep, Step, chain_step
from shared.domain.cash.signing import EnvelopeState, SignerState, SignerStatus
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

STATUS_STEPS = {
    ContractStatus.FULLY_SIGNED: Step.CONTRACT_SIGNED,
    ContractStatus.DECLINED: Step.CONTRACT_DECLINED,
    ContractStatus.VOIDED: Step.CONTRACT_VOIDED,
}
SIGNER_STEPS = {
    "viewed_at": Step.CONTRACT_VIEWED,
    "signed": Step.CONTRACT_SIGNED_BY,
    "bounced_at": Step.CONTRACT_BOUNCED,
}
SENTENCES = {
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
    """The contract after `state`, with its chain steps, tasks for its owner and promises, in one commit with `also`.

    cause: the delivery or reconcile that told it. told_at: when the service made the notice; read_at: when we asked.
    Raises: NotFoundError.
    """

    def attempt() -> tuple[Contract, list[Promise]]:
        records = CashRecords(store)
        stored = records.contracts.get(contract_id)
        before, now = stored.value, clock.now()
        after = apply_envelope(before, state, told_at or read_at or now)
        after = replace(
            after,
            told_at=max(filter(None, (before.told_at, told_at)), default=None),
            read_at=max(filter(None, (before.read_at, read_at)), default=None),
        )
        promises = follow_ups(store, before, after, now)
        writes: list[Write] = list(also)
        if after != before:
            writes.append(records.contracts.updating(contract_id, after, stored.version))
            writes += telling(records, *_steps(before, after, now, cause))
            writes += _told_owner(records, before, after, now)
            writes += [Outbox(store).creating(kept) for kept in promises]
        if writes:
            store.commit(writes)
        if after.refused_moves > before.refused_moves:
            log.event("contract.move_refused", severity="WARNING", tenant=store.tenant, contract=contract_id)
        if before.signed:
            promises = _unkept(store, after, now)
        return after, promises

    after, promises = guarded(jitter, f"contract {contract_id}", attempt)
    tasks.create(keep_promise_tasks(promises))
    return after


def follow_ups(store: TenantStore, before: Contract, after: Contract, now: datetime) -> list[Promise]:
    """What a signature leads to, promised in the commit that notes it: documents are kept, and the deal is won."""
    return _promises_of(store, after, now) if after.signed and not before.signed else []


def _unkept(store: TenantStore, contract: Contract, now: datetime) -> list[Promise]:
    """Promises a crash may have left without their tasks; a repeat queues them at once, before the sweep does."""
    promised = (Outbox(store).find(kept.promise_id) for kept in _promises_of(store, contract, now))
    return [found.value for found in promised if found]


def _promises_of(store: TenantStore, after: Contract, now: datetime) -> list[Promise]:
    ids = {"tenant": store.tenant, "contract": after.contract_id}
    promises = [promise("deal_won", ids, now, after.contract_id)]
    if after.envelope_id is not None and after.document_blob is None:
        promises.append(promise("contract_store", ids, now, after.contract_id))
    return promises


def _told_owner(records: CashRecords, before: Contract, after: Contract, now: datetime) -> list[Write]:
    """The deal's owner hears of every end, and of an address that has to be corrected."""
    deal = records.deals.find(after.deal_id)
    if deal is None:
        return []
    told: list[tuple[str, tuple[str | int, ...]]] = []
    if after.status is not before.status and after.status in FAILED:
        word = "was declined" if after.status is ContractStatus.DECLINED else "was voided"
        told.append((f"Contract {after.number} {word}; the deal stays where it is.", (after.status.value,)))
    if after.signed and not before.signed:
        told.append((f"Contract {after.number} is signed by everyone.", ("signed",)))
    for signer in _newly(before, after, "bounced_at"):
        sentence = f"Mail about contract {after.number} to {signer.name} came back; correct the address."
        told.append((sentence, ("bounced", signer.recipient_id, signer.email.casefold())))
    return [
        Todos(records.store).asking(
            deal.value.owner_id, after.deal_id, sentence, now, new=("contract", after.contract_id, *new)
        )
        for sentence, new in told
    ]


# ---------------------------------------------------------------------------------------------------- the chain's steps


def _steps(before: Contract, after: Contract, now: datetime, cause: str) -> list[ChainStep]:
    """Made from what is known now and was not before, so that the chain is the same in whatever order it was told."""
    steps: list[ChainStep | None] = []
    if after.envelope_id is not None and before.envelope_id is None:
        sentence = f"Contract {after.number} was sent for signature."
        steps.append(_step(after, Step.CONTRACT_SENT, after.sent_at or now, cause, sentence, ("sent",)))
    if (after.status, after.status_at) != (before.status, before.status_at):
        steps.append(_status_step(after, now, cause))
    for fact, step in SIGNER_STEPS.items():
        steps += [_signer_step(after, signer, step, now, cause) for signer in _newly(before, after, fact)]
    return [step for step in steps if step is not None]


def _status_step(after: Contract, now: datetime, cause: str) -> ChainStep | None:
    step = STATUS_STEPS.get(after.status)
    if step is None:
        return None
    said = after.void_reason or next((signer.reason for signer in after.signer_states if signer.reason), "")
    reason = said.rstrip(".") or "no reason was given"
    sentence = SENTENCES[step].format(number=after.number, reason=reason)
    return _step(after, step, after.status_at or now, cause, sentence, (after.status.value,))


def _newly(before: Contract, after: Contract, fact: str) -> list[SignerState]:
    """Signers of whom a fact is known that was not known before, or is another now."""
    known = {(signer.recipient_id, signer.email.casefold()): _fact(signer, fact) for signer in before.signer_states}
    return [
        signer
        for signer in after.signer_states
        if (value := _fact(signer, fact)) and value != known.get((signer.recipient_id, signer.email.casefold()))
    ]


def _fact(signer: SignerState, fact: str) -> object:
    match fact:
        case "viewed_at":
            return signer.viewed_at
        case "bounced_at":
            return signer.bounced_at
        case _:
            return signer.status is SignerStatus.SIGNED


def _signer_step(contract: Contract, signer: SignerState, step: Step, now: datetime, cause: str) -> ChainStep:
    times = {
        Step.CONTRACT_VIEWED: signer.viewed_at,
        Step.CONTRACT_SIGNED_BY: signer.signed_at,
        Step.CONTRACT_BOUNCED: signer.bounced_at,
    }
    at = times[step] or now
    side = "our side" if _ours(contract, signer) else "the customer's side"
    place = f" from {signer.ip}" if signer.ip and step is Step.CONTRACT_SIGNED_BY else ""
    words = {
        Step.CONTRACT_VIEWED: f"{signer.name} ({side}) opened contract {contract.number}.",
        Step.CONTRACT_SIGNED_BY: f"{signer.name} ({side}) signed contract {contract.number}{place}.",
        Step.CONTRACT_BOUNCED: f"Mail about contract {contract.number} to {signer.name} ({side}) came back.",
    }
    what = (signer.recipient_id, signer.email.casefold(), step.value)
    return _step(contract, step, at, cause, words[step], what)


def _ours(contract: Contract, signer: SignerState) -> bool:
    """By the role, which travels with the envelope; a template numbers its recipients in its own way."""
    return any(
        asked.ours
        for asked in contract.signers
        if (asked.role == signer.role if signer.role else asked.recipient_id == signer.recipient_id)
    )


def _step(contract: Contract, step: Step, at: datetime, cause: str, sentence: str, what: tuple[str, ...]) -> ChainStep:
    new: tuple[str | int, ...] = (contract.contract_id, contract.sending, *what)
    other = contract.envelope_id or ""
    return chain_step(contract.deal_id, step, at, cause=cause, other_id=other, sentence=sentence, new=new)
