"""What an organization and a mailbox's user have chosen (G9-G14, G35)."""

from __future__ import annotations

from enum import StrEnum

from shared.domain.people import Role
from shared.domain.values import dataclass

HeaderName = str
"""One of "from", "to", "cc", "bcc"."""


class Share(StrEnum):
    """How much of a mailbox's mail its holder shares with those who may see the contact (G14)."""

    FULL = "full"
    SUBJECT = "subject"
    METADATA = "metadata"


class Mode(StrEnum):
    AUTOMATIC = "automatic"
    BY_LABEL = "by_label"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class NeverLog:
    """Addresses (normalized, without +tag) and domains whose mail and meetings are never logged."""

    addresses: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Organization:
    """An organization's choices. `index_key` keys the hashes of addresses and Message-IDs (32 bytes).

    finance_roles: granted invoices and ledger figures by an administrator, besides finance itself (R2). logo_blob:
    where the logo on its quotes and contracts is kept.
    """

    tenant: str
    name: str
    index_key: bytes
    internal_domains: frozenset[str] = frozenset()
    group_addresses: frozenset[str] = frozenset()
    never_log: NeverLog = NeverLog()
    leave_out_internal: bool = True
    leave_out_bulk: bool = True
    leave_out_unknown_senders: bool = True
    log_all_mail: bool = False
    match_company_domains: bool = False
    incoming_headers: frozenset[HeaderName] = frozenset({"from", "to", "cc"})
    outgoing_headers: frozenset[HeaderName] = frozenset({"from", "to", "cc", "bcc"})
    finance_roles: frozenset[Role] = frozenset()
    logo_blob: str | None = None


@dataclass(frozen=True, slots=True)
class MailOptions:
    """A user's choices for their mailbox."""

    mode: Mode = Mode.AUTOMATIC
    share: Share = Share.FULL
    never_log: NeverLog = NeverLog()
    own_record: bool = False
    backfill_months: int = 6
