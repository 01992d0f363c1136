"""Send a contract for signature, once (Q3).

The contract says that it is being sent before the service is called. Whoever finds it so asks the service for our
intent first: a send whose answer was lost is found, not repeated. While a sending may still be under way nobody else
begins one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from shared import log
from shared.domain.cash.contract import Contract, ContractStatus
from shared.domain.cash.contract_type import Readiness
from shared.domain.cash.signing import EnvelopeRequest, EnvelopeState
from shared.domain.ids import digest
from shared.domain.people import User
from shared.domain.values import dataclass
from shared.errors import InputError, PermanentError, RateLimitedError
from shared.ports.cash import Signing
from shared.ports.tasks import Tasks
from shared.ports.time import Clock, Jitter
from shared.records.audit import Audit
from shared.records.cash import CashRecords
from shared.records.store import TenantStore, guarded
from shared.usecases.cash.move_contract import move_contract
from shared.usecases.cash.review_contract import review_contract
from shared.usecases.cash.write_quote import require_deal

UNDER_WAY_FOR = timedelta(minutes=2)
"""Longer than any call to the service may take: after that a claim is a trace of something that died."""

Render = Callable[[Contract], bytes]
"""The contract's document as a PDF, for one without a template."""


@dataclass(frozen=True, slots=True)
class Sending:
    """What sending needs besides the records. notify_url: where the service's notices go."""

    signing: Signing
    connection_id: str
    notify_url: str
    render: Render
    tasks: Tasks
    clock: Clock
    jitter: Jitter


def review_sending(store: TenantStore, contract_id: str, sending: Sending, *, user: User) -> Readiness:
    """What the contract still needs. Raises: NotFoundError; ForbiddenError; what the signing service raises for now."""
    records = CashRecords(store)
    contract = records.contracts.get(contract_id).value
    require_deal(records, contract.deal_id, user)
    return review_contract(store, contract, signing=sending.signing)


def send_contract(store: TenantStore, contract_id: str, sending: Sending, *, user: User) -> Contract:
    """Send it, or adopt the sending that happened. Safe to repeat; one that is sent is answered as it is.

    Raises: NotFoundError; ForbiddenError; InputError with everything that is missing, before anything is sent;
    RateLimitedError while another sending may be under way; ProviderUnavailableError where it is not known whether it
    was sent.
    """
    records = CashRecords(store)
    contract = records.contracts.get(contract_id).value
    require_deal(records, contract.deal_id, user)
    if contract.status is not ContractStatus.DRAFT:
        return contract
    readiness = review_contract(store, contract, signing=sending.signing)
    if readiness.problems:
        raise InputError(" ".join(readiness.problems))
    before = _claim(store, contract_id, sending, user.user_id)
    state = None
    if before.sent_at is not None:
        state = sending.signing.find_sent(_intent(store, before), before.sent_at)
    if state is None:
        state = _send(store, before, sending, readiness)
    return move_contract(
        store,
        contract_id,
        state,
        cause=user.user_id,
        told_at=None,
        read_at=None,
        tasks=sending.tasks,
        clock=sending.clock,
        jitter=sending.jitter,
    )


def _claim(store: TenantStore, contract_id: str, sending: Sending, actor: str) -> Contract:
    """Write that it is being sent; return it as it was, whose `sent_at` tells of an earlier attempt."""

    def attempt() -> Contract:
        contracts = CashRecords(store).contracts
        stored = contracts.get(contract_id)
        before, now = stored.value, sending.clock.now()
        if before.sending_at is not None and now < before.sending_at + UNDER_WAY_FOR:
            raise RateLimitedError(f"contract {contract_id} is being sent", resume_at=before.sending_at + UNDER_WAY_FOR)
        claimed = replace(before, sending_at=now, sent_at=before.sent_at or now, connection_id=sending.connection_id)
        store.commit(
            [
                contracts.updating(contract_id, claimed, stored.version),
                Audit(store).recording(actor, "contract.sent", contract_id, now),
            ]
        )
        return before

    return guarded(sending.jitter, f"contract {contract_id}", attempt)


def _intent(store: TenantStore, contract: Contract) -> str:
    """Two organizations may send from one account: what one of them sent is never found for the other."""
    return digest("sending", store.tenant, contract.intent)


def _send(store: TenantStore, contract: Contract, sending: Sending, readiness: Readiness) -> EnvelopeState:
    document = None if contract.template_id else sending.render(contract)
    request = EnvelopeRequest(
        intent=_intent(store, contract),
        tenant=store.tenant,
        contract_id=contract.contract_id,
        subject=f"Please sign {contract.number}",
        message="",
        signers=contract.signers,
        notify_url=sending.notify_url,
        template_id=contract.template_id,
        document=document,
        document_name=f"{contract.number}.pdf" if document else "",
        prefill=readiness.prefill,
    )
    try:
        state = sending.signing.send(request)
    except PermanentError:
        _release(store, contract.contract_id, sending)
        raise
    log.event("contract.sent", tenant=store.tenant, contract=contract.contract_id, envelope=state.envelope_id)
    return state


def _release(store: TenantStore, contract_id: str, sending: Sending) -> None:
    """The service refused, so nothing is under way: a person may mend it and send at once."""

    def attempt() -> None:
        contracts = CashRecords(store).contracts
        stored = contracts.get(contract_id)
        store.commit([contracts.updating(contract_id, replace(stored.value, sending_at=None), stored.version)])

    guarded(sending.jitter, f"contract {contract_id}", attempt)
