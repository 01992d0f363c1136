"""What a person does with a contract that is out: remind, void, correct a signer, sign on our page (Q3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum

from shared.domain.cash.contract import UNDER_WAY, Contract, ContractStatus
from shared.domain.cash.deal import Step, chain_step
from shared.domain.cash.signing import EnvelopeState, EnvelopeStatus, SignerState, SignerStatus
from shared.domain.people import User
from shared.domain.values import dataclass
from shared.errors import InputError, NotFoundError
from shared.ports.cash import Signing
from shared.ports.documents import Write
from shared.ports.tasks import Tasks
from shared.ports.time import Clock, Jitter
from shared.records.audit import Audit
from shared.records.cash import CashRecords
from shared.records.store import TenantStore, guarded
from shared.usecases.cash.move_contract import move_contract
from shared.usecases.cash.reconcile_contracts import reconcile_task
from shared.usecases.cash.renew_contract import renew_contract
from shared.usecases.cash.tell import telling
from shared.usecases.cash.write_quote import require_deal


class ActionKind(StrEnum):
    REMIND = "remind"
    VOID = "void"
    CORRECT = "correct"
    SIGNING_LINK = "signing_link"
    RENEW = "renew"
    RECONCILE = "reconcile"


@dataclass(frozen=True, slots=True)
class Action:
    """What a person wants done. recipient_id, name, email: of whom to correct or to sign here. return_url: where an
    embedded signer comes back to."""

    kind: ActionKind
    reason: str = ""
    recipient_id: str = ""
    name: str = ""
    email: str = ""
    return_url: str = ""


@dataclass(frozen=True, slots=True)
class ActionResult:
    """The contract afterwards. link: for a signing link. deal_id: of a renewal."""

    contract: Contract
    link: str = ""
    deal_id: str = ""


def control_contract(
    store: TenantStore,
    contract_id: str,
    action: Action,
    *,
    user: User,
    signing: Callable[[], Signing],
    tasks: Tasks,
    clock: Clock,
    jitter: Jitter,
) -> ActionResult:
    """Carry out one action. signing: opened only for what needs it.

    Raises: NotFoundError; ForbiddenError; InputError; what the signing service raises for now.
    """
    link = deal_id = ""
    match action.kind:
        case ActionKind.REMIND:
            remind_signers(store, contract_id, user=user, signing=signing(), clock=clock, jitter=jitter)
        case ActionKind.VOID:
            void_contract(
                store, contract_id, action.reason, user=user, signing=signing, tasks=tasks, clock=clock, jitter=jitter
            )
        case ActionKind.CORRECT:
            correct_signer(
                store,
                contract_id,
                action.recipient_id,
                name=action.name,
                email=action.email,
                user=user,
                signing=signing(),
                clock=clock,
                jitter=jitter,
            )
        case ActionKind.SIGNING_LINK:
            link = signing_link(
                store, contract_id, action.recipient_id, user=user, signing=signing(), return_url=action.return_url
            )
        case ActionKind.RENEW:
            deal, _ = renew_contract(store, contract_id, user=user, clock=clock, jitter=jitter)
            deal_id = deal.deal_id
        case ActionKind.RECONCILE:
            _reconcile(store, contract_id, user, tasks, clock)
    return ActionResult(CashRecords(store).contracts.get(contract_id).value, link, deal_id)


def _reconcile(store: TenantStore, contract_id: str, user: User, tasks: Tasks, clock: Clock) -> None:
    """On demand what the schedule does daily; asked twice within a minute it is one task."""
    records = CashRecords(store)
    contract = records.contracts.get(contract_id).value
    require_deal(records, contract.deal_id, user)
    if contract.connection_id is None:
        raise InputError(f"Contract {contract.number} did not go through a signing service.")
    minute = clock.now().replace(second=0, microsecond=0).isoformat()
    tasks.create([reconcile_task(store.tenant, contract.connection_id, f"asked {minute}")])


def remind_signers(
    store: TenantStore, contract_id: str, *, user: User, signing: Signing, clock: Clock, jitter: Jitter
) -> Contract:
    """Mail whose turn it is once more. Raises: NotFoundError; ForbiddenError; InputError."""
    contract, envelope_id = _out(store, contract_id, user)
    signing.remind(envelope_id)
    sentence = f"Whose turn it is was reminded of contract {contract.number}."
    return _note(store, contract_id, Step.CONTRACT_REMINDED, sentence, user, clock, jitter)


def void_contract(
    store: TenantStore,
    contract_id: str,
    reason: str,
    *,
    user: User,
    signing: Callable[[], Signing],
    tasks: Tasks,
    clock: Clock,
    jitter: Jitter,
) -> Contract:
    """End it. The service is told first; a crash in between is mended by its notice or the reconcile. Safe to repeat.

    Raises: NotFoundError; ForbiddenError; InputError without a reason, or for one that came to another end.
    """
    said = " ".join(reason.split())
    if not said:
        raise InputError("Say why the contract is voided; the signers are told.")
    records = CashRecords(store)
    contract = records.contracts.get(contract_id).value
    require_deal(records, contract.deal_id, user)
    if contract.status is ContractStatus.VOIDED:
        return contract
    if contract.ended:
        raise InputError(f"Contract {contract.number} is {_word(contract)}; it cannot be voided any more.")
    if contract.envelope_id is None:
        return _void_draft(store, contract_id, said, user, clock, jitter)
    now = clock.now()
    store.commit([Audit(store).recording(user.user_id, "contract.void_asked", contract_id, now)])
    signing().void(contract.envelope_id, said)
    state = EnvelopeState(contract.envelope_id, EnvelopeStatus.VOIDED, now, contract_id=contract_id, void_reason=said)
    return move_contract(
        store,
        contract_id,
        state,
        cause=user.user_id,
        told_at=None,
        read_at=None,
        tasks=tasks,
        clock=clock,
        jitter=jitter,
    )


def correct_signer(
    store: TenantStore,
    contract_id: str,
    recipient_id: str,
    *,
    name: str,
    email: str,
    user: User,
    signing: Signing,
    clock: Clock,
    jitter: Jitter,
) -> Contract:
    """Put another person or address in the place of one who has not signed, who is then asked. Safe to repeat.

    recipient_id: as the contract's `signers_now` have it.
    Raises: NotFoundError; ForbiddenError; InputError.
    """
    name, email = name.strip(), email.strip()
    if not name or "@" not in email:
        raise InputError("A signer needs a name and an email address.")
    contract, envelope_id = _out(store, contract_id, user)
    asked = contract.signer_now(recipient_id)
    if asked is None:
        raise NotFoundError(f"contract {contract_id} has no recipient {recipient_id}")
    if asked.status is SignerStatus.SIGNED:
        raise InputError(f"{asked.name} has signed already and cannot be replaced.")
    signing.correct(envelope_id, recipient_id, name=name, email=email)
    sentence = f"{asked.name} was replaced by {name} as signer of contract {contract.number}."

    def corrected(known: Contract) -> Contract:
        told_at = max(
            clock.now(), (asked.told_at or clock.now()) + timedelta(microseconds=1)
        )  # newer than what it mends
        state = SignerState(
            recipient_id, name, email, SignerStatus.SENT, order=asked.order, role=asked.role, told_at=told_at
        )
        others = [
            signer
            for signer in known.signer_states
            if (signer.recipient_id, signer.email.casefold()) != (recipient_id, email.casefold())
        ]
        signers = tuple(
            replace(signer, name=name, email=email) if _is(signer.role, signer.recipient_id, asked) else signer
            for signer in known.signers
        )
        return replace(known, signers=signers, signer_states=(*others, state))

    return _note(store, contract_id, Step.CONTRACT_CORRECTED, sentence, user, clock, jitter, change=corrected)


def signing_link(
    store: TenantStore, contract_id: str, recipient_id: str, *, user: User, signing: Signing, return_url: str
) -> str:
    """Where an embedded signer signs now. Raises: NotFoundError; ForbiddenError; InputError while it is not their turn,
    or where they sign by mail."""
    contract, envelope_id = _out(store, contract_id, user)
    asked = contract.signer_now(recipient_id)
    if asked is None:
        raise NotFoundError(f"contract {contract_id} has no recipient {recipient_id}")
    return signing.signing_link(envelope_id, recipient_id, name=asked.name, email=asked.email, return_url=return_url)


def _out(store: TenantStore, contract_id: str, user: User) -> tuple[Contract, str]:
    """A contract that is out for signature, and its envelope."""
    records = CashRecords(store)
    contract = records.contracts.get(contract_id).value
    require_deal(records, contract.deal_id, user)
    if contract.status not in UNDER_WAY or contract.envelope_id is None:
        raise InputError(f"Contract {contract.number} is {_word(contract)}, not out for signature.")
    return contract, contract.envelope_id


def _word(contract: Contract) -> str:
    return contract.status.value.replace("_", " ")


def _is(role: str, recipient_id: str, asked: SignerState) -> bool:
    return role == asked.role if asked.role else recipient_id == asked.recipient_id


def _void_draft(
    store: TenantStore, contract_id: str, reason: str, user: User, clock: Clock, jitter: Jitter
) -> Contract:
    """One that never went out; while a sending may be under way it is not known whether it did."""

    def voided(known: Contract) -> Contract:
        if known.sending_at is not None or known.status is not ContractStatus.DRAFT:
            raise InputError(f"Contract {known.number} is being sent; try again in a few minutes.")
        now = clock.now()
        return replace(known, status=ContractStatus.VOIDED, status_at=now, void_reason=reason)

    number = CashRecords(store).contracts.get(contract_id).value.number
    sentence = f"Contract {number} was voided: {reason.rstrip('.')}."
    return _note(store, contract_id, Step.CONTRACT_VOIDED, sentence, user, clock, jitter, change=voided)


def _note(
    store: TenantStore,
    contract_id: str,
    step: Step,
    sentence: str,
    user: User,
    clock: Clock,
    jitter: Jitter,
    change: Callable[[Contract], Contract] = lambda known: known,
) -> Contract:
    """What a person did, on the chain and in the audit, with the change it made."""

    def attempt() -> Contract:
        records = CashRecords(store)
        stored = records.contracts.get(contract_id)
        after, now = change(stored.value), clock.now()
        told = chain_step(
            after.deal_id,
            step,
            now,
            cause=user.user_id,
            other_id=after.envelope_id or "",
            sentence=sentence,
            new=(contract_id, now.isoformat()),
        )
        writes: list[Write] = [
            records.contracts.updating(contract_id, after, stored.version),
            *telling(records, told),
            Audit(store).recording(user.user_id, step.value, contract_id, now),
        ]
        store.commit(writes)
        return after

    return guarded(jitter, f"contract {contract_id}", attempt)
