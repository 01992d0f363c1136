"""Send a contract for signature, once (Q3).

The contract says that it is being sent before the service is called. Whoever finds it so asks the service for our
intent first: a send whose answer was lost is found, not repeated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from shared import log
from shared.domain.cash.contract import Contract, ContractStatus
from shared.domain.cash.signing import EnvelopeRequest, EnvelopeState, SigningTemplate
from shared.errors import InputError
from shared.ports import Clock, Jitter, Tasks
from shared.ports.cash import Signing
from shared.records.cash import CashRecords
from shared.records.store import TenantStore, guarded
from shared.usecases.cash.move_contract import move_contract

Prefill = Mapping[str, Mapping[str, str]]
"""Role -> field label -> text."""


def send_contract(
    store: TenantStore,
    contract_id: str,
    *,
    signing: Signing,
    prefill: Prefill,
    notify_url: str,
    document: bytes | None,
    tasks: Tasks,
    clock: Clock,
    jitter: Jitter,
) -> Contract:
    """Send it, or adopt the sending that happened. Safe to repeat.

    Raises: NotFoundError; InputError with what is missing, before anything is sent.
    """
    records = CashRecords(store)
    contract = records.contracts.get(contract_id).value
    if contract.status is not ContractStatus.DRAFT:
        return contract
    template = signing.template(contract.template_id) if contract.template_id else None
    require_complete(contract, template, prefill, has_document=document is not None)
    doubtful = _claim(store, contract_id, clock, jitter)
    found = signing.find_sent(contract.intent, doubtful.sent_at or clock.now()) if doubtful.sent_at else None
    state = found or _send(store, doubtful, signing, prefill, notify_url, document)
    return move_contract(
        store,
        contract_id,
        state,
        cause="contract.sent_by_user",
        told_at=None,
        read_at=None,
        tasks=tasks,
        clock=clock,
        jitter=jitter,
    )


def require_complete(
    contract: Contract, template: SigningTemplate | None, prefill: Prefill, *, has_document: bool
) -> None:
    """Everything that would stop it at the signing service, said before sending (Q2). Raises: InputError."""
    if template is None and not has_document:
        raise InputError(f"Contract {contract.number} has neither a template nor a document; choose one.")
    if not contract.signers:
        raise InputError(f"Contract {contract.number} has no signer; add at least one.")
    for signer in contract.signers:
        if "@" not in signer.email:
            raise InputError(f"{signer.name or 'A signer'} has no email address; add one to send the contract.")
        if not signer.name:
            raise InputError(f"The signer {signer.email} has no name; add one to send the contract.")
    roles = [signer.role for signer in contract.signers]
    if len(set(roles)) != len(roles):
        raise InputError("Two signers have the same role; each needs one of its own.")
    if template is None:
        return
    missing = [role for role in template.roles if role not in roles]
    if missing:
        raise InputError(f"The template {template.name} has the role '{missing[0]}', and nobody is mapped to it.")
    strange = [role for role in roles if role not in template.roles]
    if strange:
        raise InputError(f"The template {template.name} has no role '{strange[0]}' (any more); map the signer anew.")
    for role, fields in prefill.items():
        unknown = [label for label in fields if label not in template.fields.get(role, ())]
        if unknown:
            raise InputError(f"The template {template.name} has no field '{unknown[0]}' for {role} (any more).")


def _claim(store: TenantStore, contract_id: str, clock: Clock, jitter: Jitter) -> Contract:
    """Write that it is being sent; return the contract as it was, whose `sent_at` tells of an earlier attempt."""

    def attempt() -> Contract:
        contracts = CashRecords(store).contracts
        stored = contracts.get(contract_id)
        if stored.value.sent_at is None:
            claimed = replace(stored.value, sent_at=clock.now())
            store.commit([contracts.updating(contract_id, claimed, stored.version)])
        return stored.value

    return guarded(jitter, f"contract {contract_id}", attempt)


def _send(
    store: TenantStore,
    contract: Contract,
    signing: Signing,
    prefill: Prefill,
    notify_url: str,
    document: bytes | None,
) -> EnvelopeState:
    request = EnvelopeRequest(
        intent=contract.intent,
        tenant=store.tenant,
        contract_id=contract.contract_id,
        subject=f"Please sign {contract.number}",
        message="",
        signers=contract.signers,
        notify_url=notify_url,
        template_id=contract.template_id,
        document=document,
        document_name=f"{contract.number}.pdf" if document else "",
        prefill=prefill,
    )
    state = signing.send(request)
    log.event("contract.sent", tenant=store.tenant, contract=contract.contract_id, envelope=state.envelope_id)
    return state
