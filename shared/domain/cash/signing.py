"""Signatures, in our words: what goes out to be signed and what is known of it (Q2-Q6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum

from shared.domain.values import dataclass


class EnvelopeStatus(StrEnum):
    """delivered: somebody opened it at the signing service; not that a mail arrived."""

    CREATED = "created"
    SENT = "sent"
    DELIVERED = "delivered"
    COMPLETED = "completed"
    DECLINED = "declined"
    VOIDED = "voided"


FINAL_ENVELOPES = frozenset({EnvelopeStatus.COMPLETED, EnvelopeStatus.DECLINED, EnvelopeStatus.VOIDED})


class SignerStatus(StrEnum):
    CREATED = "created"
    SENT = "sent"
    VIEWED = "viewed"
    SIGNED = "signed"
    DECLINED = "declined"
    BOUNCED = "bounced"


@dataclass(frozen=True, slots=True)
class Signer:
    """Who is asked to sign. role: the template's role text. order: 1 signs first. ours: one of our users, the
    countersigner. embedded: signs on our page; the service sends no mail."""

    recipient_id: str
    role: str
    name: str
    email: str
    order: int
    ours: bool = False
    embedded: bool = False


@dataclass(frozen=True, slots=True)
class EnvelopeRequest:
    """An envelope to be sent. intent: our key of this sending, by which it is found again. contract_id: travels with
    the envelope and comes back in its notices. template_id, or document (PDF bytes) with its name. prefill: role ->
    field label -> text. notify_url: where notices go."""

    intent: str
    tenant: str
    contract_id: str
    subject: str
    message: str
    signers: tuple[Signer, ...]
    notify_url: str
    template_id: str | None = None
    document: bytes | None = field(default=None, repr=False)
    document_name: str = ""
    prefill: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SignerState:
    """How far one signer is. recipient_id: the service's own, which a template may set otherwise than we asked; role is
    the one we gave, unless it is empty. Times are aware UTC; reason: why they declined. told_at: when this was so, as
    the service or our reading of it says. bounced_at: when mail to this address first came back."""

    recipient_id: str
    name: str
    email: str
    status: SignerStatus
    order: int = 1
    role: str = ""
    viewed_at: datetime | None = None
    signed_at: datetime | None = None
    reason: str = ""
    ip: str = ""
    told_at: datetime | None = None
    bounced_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class EnvelopeState:
    """An envelope as the service has it. changed_at: when its status last changed. tenant, contract_id: whose it is, as
    they travelled with it; two organizations may send from one account, and have records of the same ids."""

    envelope_id: str
    status: EnvelopeStatus
    changed_at: datetime
    signers: tuple[SignerState, ...] = ()
    contract_id: str | None = None
    tenant: str | None = None
    intent: str | None = None
    completed_at: datetime | None = None
    void_reason: str = ""


@dataclass(frozen=True, slots=True)
class SignatureEvent:
    """One verified notice. kind: the service's own event name. state: as far as the notice tells it; None where it
    carries too little to move anything and the envelope has to be read. attempt: 0 for the first delivery."""

    account: str
    envelope_id: str
    kind: str
    generated_at: datetime
    recipient_id: str | None = None
    state: EnvelopeState | None = None
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class SigningTemplate:
    """A template at the service. roles: in signing order. fields: data labels that can be filled in, by role."""

    template_id: str
    name: str
    roles: tuple[str, ...]
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SigningAccount:
    """An account the person may use. base_url: where its API is; never assumed. production: not a sandbox."""

    account_id: str
    name: str
    base_url: str
    is_default: bool
    production: bool
