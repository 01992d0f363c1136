"""Keep the signed document and its certificate in the tenant's own storage (Q5, Q6)."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, date, datetime, time

from shared.domain.cash.contract import SIGNED, Contract, ContractStatus
from shared.domain.cash.deal import Step, chain_step
from shared.domain.outbox import promise
from shared.errors import InputError
from shared.ports import Blobs, Clock, Jitter, Tasks, Write
from shared.ports.cash import Signing
from shared.records.audit import Audit
from shared.records.cash import CashRecords
from shared.records.followups import Outbox
from shared.records.store import TenantStore, guarded
from shared.usecases.promises import keep_promise_tasks

PDF = "application/pdf"


def store_contract(
    store: TenantStore, contract_id: str, *, signing: Signing, blobs: Blobs, clock: Clock, jitter: Jitter
) -> None:
    """Fetch both, store them, then say so on the contract. Safe to repeat: the keys are the contract's."""
    contract = CashRecords(store).contracts.get(contract_id).value
    if contract.envelope_id is None or contract.document_blob is not None:
        return
    document, certificate = _keys(store, contract_id)
    blobs.put(document, signing.signed_document(contract.envelope_id), PDF)
    blobs.put(certificate, signing.certificate(contract.envelope_id), PDF)
    _note(
        store, contract_id, document, certificate, "The signed contract and its certificate are stored.", clock, jitter
    )


def upload_signed(
    store: TenantStore,
    contract_id: str,
    content: bytes,
    *,
    signed_on: date,
    actor: str,
    blobs: Blobs,
    tasks: Tasks,
    clock: Clock,
    jitter: Jitter,
) -> None:
    """Mark a contract signed with an uploaded PDF: the same automation follows (Q6).

    Raises: InputError for what is no PDF, or a contract that came to another end.
    """
    if not content.startswith(b"%PDF-") or b"%%EOF" not in content[-2048:]:
        raise InputError("The file is not a PDF; export the signed contract as PDF and upload that.")
    document, _ = _keys(store, contract_id)
    blobs.put(document, content, PDF)
    now = clock.now()
    ids = {"tenant": store.tenant, "contract": contract_id}
    winning = promise("deal_won", ids, now, contract_id)

    def attempt() -> None:
        records = CashRecords(store)
        stored = records.contracts.get(contract_id)
        if stored.value.status in (ContractStatus.DECLINED, ContractStatus.VOIDED):
            raise InputError(
                f"Contract {stored.value.number} was {stored.value.status}; it cannot be marked as signed."
            )
        if stored.value.status in SIGNED:
            return
        signed = replace(
            stored.value,
            status=ContractStatus.FULLY_SIGNED,
            status_at=now,
            signed_at=datetime.combine(signed_on, time(12), tzinfo=UTC),
            document_blob=document,
            by_hand=actor,
        )
        digest = hashlib.sha256(content).hexdigest()
        sentence = f"Contract {signed.number} was marked as signed by hand, with an uploaded PDF."
        step = chain_step(
            signed.deal_id, Step.CONTRACT_SIGNED, now, cause=actor, sentence=sentence, new=(contract_id, "by-hand")
        )
        writes: list[Write] = [
            records.contracts.updating(contract_id, signed, stored.version),
            records.stepping(step),
            Outbox(store).creating(winning),
            Audit(store).recording(actor, "contract.signed_by_hand", contract_id, now, after={"sha256": digest}),
        ]
        store.commit(writes)

    guarded(jitter, f"contract {contract_id}", attempt)
    tasks.create(keep_promise_tasks([winning]))


def _keys(store: TenantStore, contract_id: str) -> tuple[str, str]:
    base = f"{store.tenant}/contracts/{contract_id}"
    return f"{base}/signed.pdf", f"{base}/certificate.pdf"


def _note(
    store: TenantStore, contract_id: str, document: str, certificate: str, sentence: str, clock: Clock, jitter: Jitter
) -> None:
    def attempt() -> Contract:
        records = CashRecords(store)
        stored = records.contracts.get(contract_id)
        after = replace(stored.value, document_blob=document, certificate_blob=certificate)
        step = chain_step(
            after.deal_id,
            Step.CONTRACT_STORED,
            clock.now(),
            cause=contract_id,
            other_id=after.envelope_id or "",
            sentence=sentence,
            new=(contract_id,),
        )
        store.commit([records.contracts.updating(contract_id, after, stored.version), records.stepping(step)])
        return after

    guarded(jitter, f"contract {contract_id}", attempt)
