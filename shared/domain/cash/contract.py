"""Contracts: a lattice that only moves forward (Q4, I22).

Whatever order the words about an envelope come in, and however often, the contract ends in the same state: its status
is the furthest that any word named, and each signer is where the newest word has them. What is signed or ended stays.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from enum import StrEnum

from shared.domain.cash.quote import Instalment
from shared.domain.cash.signing import (
    EnvelopeState,
    EnvelopeStatus,
    Signer,
    SignerState,
    SignerStatus,
)
from shared.domain.values import dataclass


class ContractStatus(StrEnum):
    DRAFT = "draft"
    SENT = "sent"
    PARTIALLY_SIGNED = "partially_signed"
    FULLY_SIGNED = "fully_signed"
    ACTIVE = "active"
    EXPIRED = "expired"
    DECLINED = "declined"
    VOIDED = "voided"


_ENDS_WITHOUT = frozenset({ContractStatus.FULLY_SIGNED, ContractStatus.DECLINED, ContractStatus.VOIDED})

FORWARD: dict[ContractStatus, frozenset[ContractStatus]] = {
    ContractStatus.DRAFT: _ENDS_WITHOUT | {ContractStatus.SENT, ContractStatus.PARTIALLY_SIGNED},
    ContractStatus.SENT: _ENDS_WITHOUT | {ContractStatus.PARTIALLY_SIGNED},
    ContractStatus.PARTIALLY_SIGNED: _ENDS_WITHOUT,
    ContractStatus.FULLY_SIGNED: frozenset({ContractStatus.ACTIVE, ContractStatus.EXPIRED}),
    ContractStatus.ACTIVE: frozenset({ContractStatus.EXPIRED}),
    ContractStatus.EXPIRED: frozenset(),
    ContractStatus.DECLINED: frozenset(),
    ContractStatus.VOIDED: frozenset(),
}
"""Where a contract may go from where it is. What is not here is late, or refused, counted and shown."""

SIGNED = frozenset({ContractStatus.FULLY_SIGNED, ContractStatus.ACTIVE, ContractStatus.EXPIRED})
FAILED = frozenset({ContractStatus.DECLINED, ContractStatus.VOIDED})
UNDER_WAY = frozenset({ContractStatus.SENT, ContractStatus.PARTIALLY_SIGNED})

SIGNER_RANK = {
    SignerStatus.CREATED: 0,
    SignerStatus.SENT: 1,
    SignerStatus.BOUNCED: 2,
    SignerStatus.VIEWED: 3,
    SignerStatus.SIGNED: 4,
    SignerStatus.DECLINED: 5,
}
"""Decides between two words of one moment."""

_DECIDED = frozenset({SignerStatus.SIGNED, SignerStatus.DECLINED})


@dataclass(frozen=True, slots=True)
class Contract:
    """quote_id: whose totals are invoiced. connection_id: the signing account it goes through. sending_at: somebody
    began to send it and has not said how that went; sent_at: when that was first tried. told_at: generated time of the
    newest notice believed. read_at: when the envelope was last read. late_words: how often a word came after a later
    one; refused_moves: how often one contradicted an end or came from another envelope. by_hand: who marked it signed
    with an uploaded PDF. terms: text of a document that is generated here. renews, renewed_by: the contract it
    continues, and the deal that continues it. considered_at: when its signature was held against its deal."""

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
    late_words: int = 0
    by_hand: str | None = None
    connection_id: str | None = None
    sending_at: datetime | None = None
    terms: str = ""
    renews: str | None = None
    renewed_by: str | None = None
    considered_at: datetime | None = None

    @property
    def intent(self) -> str:
        """The key by which its sending is found again at the signing service."""
        return f"{self.contract_id}-{self.sending}"

    @property
    def signed(self) -> bool:
        return self.status in SIGNED

    @property
    def ended(self) -> bool:
        """Nothing its envelope says can move it any more."""
        return self.signed or self.status in FAILED

    def signer_now(self, recipient_id: str) -> SignerState | None:
        """Who has to sign as this recipient now; somebody else may have been asked before."""
        asked = [signer for signer in self.signer_states if signer.recipient_id == recipient_id]
        return max(asked, key=_newest) if asked else None

    @property
    def signers_now(self) -> tuple[SignerState, ...]:
        """One for each recipient, in signing order."""
        ids = {signer.recipient_id for signer in self.signer_states}
        found = [signer for id_ in ids if (signer := self.signer_now(id_))]
        return tuple(sorted(found, key=lambda signer: (signer.order, signer.recipient_id)))


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


def apply_envelope(contract: Contract, state: EnvelopeState, at: datetime) -> Contract:
    """The contract after what its envelope says. at: when that was so, as the notice or our reading says.

    A late or repeated word moves nothing back; it is counted. One that contradicts an end, or comes from another
    envelope, is refused and counted.
    """
    if contract.envelope_id not in (None, state.envelope_id):
        return replace(contract, refused_moves=contract.refused_moves + 1)
    signers = merged_signers([*contract.signer_states, *(_told(signer, at) for signer in state.signers)])
    after = replace(contract, envelope_id=state.envelope_id, signer_states=signers)
    wanted = status_of(state)
    if wanted is ContractStatus.DRAFT:
        return after
    if wanted is contract.status:
        earlier = min(filter(None, (contract.status_at, state.changed_at)))
        return replace(after, status_at=earlier)
    if wanted not in FORWARD[contract.status]:
        if contract.signed and wanted is ContractStatus.FULLY_SIGNED:
            return after
        if wanted in UNDER_WAY:
            return replace(after, late_words=contract.late_words + 1)
        return replace(after, refused_moves=contract.refused_moves + 1)
    return replace(
        after,
        status=wanted,
        status_at=state.changed_at,
        sent_at=contract.sent_at or state.changed_at,
        sending_at=None,
        signed_at=(state.completed_at or state.changed_at) if wanted is ContractStatus.FULLY_SIGNED else None,
        void_reason=state.void_reason if wanted is ContractStatus.VOIDED else contract.void_reason,
    )


def merged_signers(words: Iterable[SignerState]) -> tuple[SignerState, ...]:
    """What is known of each signer from all words about them, in any order.

    A signer is a recipient and an address: after a correction the recipient is somebody else, and who was asked before
    is kept as far as they came. The newest word counts, but nobody unsigns; when somebody first looked and signed, and
    when mail first came back, is taken from whichever word knows it.
    """
    merged: dict[tuple[str, str], SignerState] = {}
    for word in words:
        key = (word.recipient_id, word.email.casefold())
        known = merged.get(key)
        merged[key] = word if known is None else _joined(known, word)
    return tuple(sorted(merged.values(), key=lambda signer: (signer.order, signer.recipient_id, signer.email)))


def _told(signer: SignerState, at: datetime) -> SignerState:
    bounced_at = at if signer.status is SignerStatus.BOUNCED else None
    return replace(signer, told_at=signer.told_at or at, bounced_at=signer.bounced_at or bounced_at)


def _joined(one: SignerState, other: SignerState) -> SignerState:
    return replace(
        max(one, other, key=_newest),
        viewed_at=min(filter(None, (one.viewed_at, other.viewed_at)), default=None),
        signed_at=min(filter(None, (one.signed_at, other.signed_at)), default=None),
        bounced_at=min(filter(None, (one.bounced_at, other.bounced_at)), default=None),
        ip=max(one.ip, other.ip),
    )


_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def _newest(signer: SignerState) -> tuple[bool, datetime, int, str, str]:
    told_at = signer.told_at or _LONG_AGO
    return signer.status in _DECIDED, told_at, SIGNER_RANK[signer.status], signer.name, signer.reason
