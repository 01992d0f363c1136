"""Keep the signed document and its certificate in the tenant's own storage (Q5, Q6)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time

from shared.domain.cash.contract import FAILED, Contract, ContractStatus
from shared.domain.cash.deal import Step, chain_step
from shared.domain.cash.signing import SignerState, SignerStatus
from shared.domain.outbox import Promise
from shared.domain.people import User
from shared.domain.values import dataclass
from shared.errors import InputError
from shared.ports.blobs import Blobs
from shared.ports.cash import Signing
from shared.ports.documents import Write
from shared.ports.tasks import Tasks
from shared.ports.time import Clock, Jitter
from shared.records.audit import Audit
from shared.records.cash import CashRecords
from shared.records.followups import Outbox
from shared.records.store import TenantStore, guarded
from shared.usecases.cash.move_contract import follow_ups
from shared.usecases.cash.tell import telling
from shared.usecases.cash.write_quote import require_deal
from shared.usecases.promises import keep_promise_tasks

PDF = "application/pdf"
LARGEST = 25 * 1024 * 1024


def store_contract(
    store: TenantStore,
    contract_id: str,
    *,
    open_signing: Callable[[str], Signing],
    blobs: Blobs,
    clock: Clock,
    jitter: Jitter,
) -> None:
    """Fetch both, store them, then say so on the contract. Safe to repeat: the keys are the contract's.

    open_signing: the account behind a connection.
    """
    contract = CashRecords(store).contracts.get(contract_id).value
    if contract.envelope_id is None or contract.connection_id is None or contract.document_blob is not None:
        return
    signing = open_signing(contract.connection_id)
    document, certificate = _keys(store, contract_id)
    blobs.put(document, signing.signed_document(contract.envelope_id), PDF)
    blobs.put(certificate, signing.certificate(contract.envelope_id), PDF)

    def note() -> None:
        records = CashRecords(store)
        stored = records.contracts.get(contract_id)
        after = replace(stored.value, document_blob=document, certificate_blob=certificate)
        step = chain_step(
            after.deal_id,
            Step.CONTRACT_STORED,
            clock.now(),
            cause=contract_id,
            other_id=after.envelope_id or "",
            sentence=f"The signed contract {after.number} and its certificate are stored.",
            new=(contract_id,),
        )
        store.commit([records.contracts.updating(contract_id, after, stored.version), records.stepping(step)])

    guarded(jitter, f"contract {contract_id}", note)


@dataclass(frozen=True, slots=True)
class SignedByHand:
    """A signed PDF that a user brings. signed_by: names and addresses as the user typed them."""

    content: bytes
    signed_on: date
    signed_by: tuple[tuple[str, str], ...]
    user: User


def upload_signed(
    store: TenantStore,
    contract_id: str,
    upload: SignedByHand,
    *,
    blobs: Blobs,
    tasks: Tasks,
    clock: Clock,
    jitter: Jitter,
) -> Contract:
    """Mark a contract signed with an uploaded PDF: the same automation follows (Q6). Safe to repeat.

    Raises: NotFoundError; ForbiddenError; InputError for what is no PDF, a day in the future, nobody who signed, or a
    contract that is out for signature or came to another end.
    """
    now, actor = clock.now(), upload.user.user_id
    _require_upload(upload, now.astimezone(UTC).date())
    digest = hashlib.sha256(upload.content).hexdigest()
    document = f"{store.tenant}/contracts/{contract_id}/by-hand-{digest}.pdf"
    records = CashRecords(store)
    known = records.contracts.get(contract_id).value
    require_deal(records, known.deal_id, upload.user)
    _require_unsigned(known)
    if known.signed:
        return known
    blobs.put(document, upload.content, PDF)

    def attempt() -> tuple[Contract, list[Promise]]:
        stored = records.contracts.get(contract_id)
        _require_unsigned(stored.value)
        if stored.value.signed:
            return stored.value, []
        signed_at = datetime.combine(upload.signed_on, time(12), tzinfo=UTC)
        signed = replace(
            stored.value,
            status=ContractStatus.FULLY_SIGNED,
            status_at=now,
            signed_at=signed_at,
            signer_states=_signers(upload, signed_at),
            document_blob=document,
            by_hand=actor,
        )
        sentence = f"Contract {signed.number} was marked as signed by hand, with an uploaded PDF."
        step = chain_step(
            signed.deal_id,
            Step.CONTRACT_SIGNED,
            now,
            cause=actor,
            sentence=sentence,
            new=(contract_id, "by-hand"),
        )
        promises = follow_ups(store, stored.value, signed, now)
        writes: list[Write] = [
            records.contracts.updating(contract_id, signed, stored.version),
            *telling(records, step),
            *(Outbox(store).creating(kept) for kept in promises),
            Audit(store).recording(
                upload.user.user_id, "contract.signed_by_hand", contract_id, now, after={"sha256": digest}
            ),
        ]
        store.commit(writes)
        return signed, promises

    signed, promises = guarded(jitter, f"contract {contract_id}", attempt)
    tasks.create(keep_promise_tasks(promises))
    return signed


def _require_upload(upload: SignedByHand, today: date) -> None:
    if len(upload.content) > LARGEST:
        raise InputError("The file is larger than 25 MB.")
    if not upload.content.startswith(b"%PDF-") or b"%%EOF" not in upload.content[-2048:]:
        raise InputError("The file is not a PDF; export the signed contract as PDF and upload that.")
    if upload.signed_on > today:
        raise InputError("The signing date lies in the future.")
    if not upload.signed_by or any(not name.strip() for name, _ in upload.signed_by):
        raise InputError("Enter who signed the contract.")


def _require_unsigned(contract: Contract) -> None:
    if contract.status in FAILED:
        raise InputError(f"Contract {contract.number} was {contract.status}; it cannot be marked as signed.")
    if not contract.signed and (contract.envelope_id is not None or contract.sending_at is not None):
        raise InputError(f"Contract {contract.number} is out for signature; void that first, or wait for it.")


def _signers(upload: SignedByHand, signed_at: datetime) -> tuple[SignerState, ...]:
    return tuple(
        SignerState(
            recipient_id=str(number),
            name=name.strip(),
            email=email.strip(),
            status=SignerStatus.SIGNED,
            order=number,
            signed_at=signed_at,
            told_at=signed_at,
        )
        for number, (name, email) in enumerate(upload.signed_by, start=1)
    )


def _keys(store: TenantStore, contract_id: str) -> tuple[str, str]:
    base = f"{store.tenant}/contracts/{contract_id}"
    return f"{base}/signed.pdf", f"{base}/certificate.pdf"
