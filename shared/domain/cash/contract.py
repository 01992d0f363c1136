"""Contracts: a lattice that only moves forward (Q4, I22)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from shared.domain.cash.quote import Instalment
from shared.domain.cash.signing import (
    EnvelopeState,
    EnvelopeStatus,
    Signer,
    SignerState,
    SignerStatus,
)


class ContractStatus(StrEnum):
    DRAFT = "draft"
    SENT = "sent"
    PARTIALLY_SIGNED = "partially_signed"
    FULLY_SIGNED = "fully_signed"
    ACTIVE = "active"
    EXPIRED = "expired"
    DECLINED = "declined"
    VOIDED = "voided"


FORWARD: dict[ContractStatus, frozenset[ContractStatus]] = {
    ContractStatus.DRAFT: frozenset(
        {
            ContractStatus.SENT,
            ContractStatus.PARTIALLY_SIGNED,
            ContractStatus.FULLY_SIGNED,
            ContractStatus.DECLINED,
            ContractStatus.VOIDED,
        }
    ),
    ContractStatus.SENT: frozenset(
        {
            ContractStatus.PARTIALLY_SIGNED,
            ContractStatus.FULLY_SIGNED,
            ContractStatus.DECLINED,
            ContractStatus.VOIDED,
        }
    ),
    ContractStatus.PARTIALLY_SIGNED: frozenset(
        {ContractStatus.FULLY_SIGNED, ContractStatus.DECLINED, ContractStatus.VOIDED}
    ),
    ContractStatus.FULLY_SIGNED: frozenset({ContractStatus.ACTIVE, ContractStatus.EXPIRED}),
    ContractStatus.ACTIVE: frozenset({ContractStatus.EXPIRED}),
    ContractStatus.EXPIRED: frozenset(),
    ContractStatus.DECLINED: frozenset(),
    ContractStatus.VOIDED: frozenset(),
}
"""Where a contract may go from where it is. What is not here is refused, counted and shown."""

SIGNED = frozenset({ContractStatus.FULLY_SIGNED, ContractStatus.ACTIVE, ContractStatus.EXPIRED})

SIGNER_RANK = {
    SignerStatus.CREATED: 0,
    SignerStatus.SENT: 1,
    SignerStatus.BOUNCED: 1,
    SignerStatus.VIEWED: 2,
    SignerStatus.SIGNED: 3,
    SignerStatus.DECLINED: 3,
}
"""A signer's state is only replaced by one of at least its rank; a bounce is mended by sending again."""


@dataclass(frozen=True, slots=True)
class Contract:
    """quote_id: whose totals are invoiced. sending: which attempt to send this is; a contract that was corrected and
    sent anew counts up. told_at: generated time of the newest notice believed, per final and non-final state. read_at:
    when the envelope was last read. refused_moves: how often a move backwards was asked for. by_hand: who marked it
    signed with an uploaded PDF."""

    contract_id: str
    number: str
    deal_id: str
    contract_type: str
    signers: tuple[Signer, ...]
    quote_id: str | None = None
    template_id: str | None = None
    status: ContractStatus = ContractStatus.DRAFT
    status_at: datetime | None = None
    sending: int = 1
    envelope_id: str | None = None
    signer_states: tuple[SignerState, ...] = ()
    told_at: datetime | None = None
    read_at: datetime | None = None
    schedule: tuple[Instalment, ...] = ()
    starts_on: date | None = None
    ends_on: date | None = None
    sent_at: datetime | None = None
    signed_at: datetime | None = None
    void_reason: str = ""
    document_blob: str | None = None
    certificate_blob: str | None = None
    refused_moves: int = 0
    by_hand: str | None = None

    @property
    def intent(self) -> str:
        """The key by which its sending is found again at the signing service."""
        return f"{self.contract_id}-{self.sending}"

    @property
    def signed(self) -> bool:
        return self.status in SIGNED


def status_of(state: EnvelopeState) -> ContractStatus:
    """What an envelope says of its contract."""
    direct = {
        EnvelopeStatus.CREATED: ContractStatus.DRAFT,
        EnvelopeStatus.COMPLETED: ContractStatus.FULLY_SIGNED,
        EnvelopeStatus.DECLINED: ContractStatus.DECLINED,
        EnvelopeStatus.VOIDED: ContractStatus.VOIDED,
    }
    if state.status in direct:
        return direct[state.status]
    some = any(signer.status is SignerStatus.SIGNED for signer in state.signers)
    return ContractStatus.PARTIALLY_SIGNED if some else ContractStatus.SENT


def apply_envelope(contract: Contract, state: EnvelopeState) -> Contract:
    """The contract after what its envelope says. A stale or repeated word moves nothing; one that would move it back
    is refused and counted."""
    if contract.envelope_id not in (None, state.envelope_id):
        return replace(contract, refused_moves=contract.refused_moves + 1)
    signers = _merged(contract.signer_states, state.signers)
    after = replace(contract, envelope_id=state.envelope_id, signer_states=signers)
    wanted = status_of(state)
    if wanted is contract.status or wanted is ContractStatus.DRAFT:
        return after
    if wanted not in FORWARD[contract.status]:
        backwards = contract.status in FORWARD.get(wanted, frozenset())
        late = backwards and not contract.signed
        return after if late else replace(after, refused_moves=contract.refused_moves + 1)
    return replace(
        after,
        status=wanted,
        status_at=state.changed_at,
        sent_at=contract.sent_at or state.changed_at,
        signed_at=(state.completed_at or state.changed_at) if wanted is ContractStatus.FULLY_SIGNED else None,
        void_reason=state.void_reason if wanted is ContractStatus.VOIDED else contract.void_reason,
    )


def _merged(before: tuple[SignerState, ...], told: tuple[SignerState, ...]) -> tuple[SignerState, ...]:
    """Signers by recipient, each as far as the furthest word about them."""
    merged = {signer.recipient_id: signer for signer in before}
    for signer in told:
        known = merged.get(signer.recipient_id)
        if known is None or SIGNER_RANK[signer.status] >= SIGNER_RANK[known.status]:
            merged[signer.recipient_id] = _with_times(signer, known)
    return tuple(sorted(merged.values(), key=lambda signer: (signer.order, signer.recipient_id)))


def _with_times(signer: SignerState, known: SignerState | None) -> SignerState:
    if known is None:
        return signer
    return replace(signer, viewed_at=signer.viewed_at or known.viewed_at, signed_at=signer.signed_at or known.signed_at)
