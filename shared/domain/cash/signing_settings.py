"""What an organization chose for its signing service (Q2)."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime

from shared.domain.cash.signing import SigningAccount, SigningTemplate
from shared.domain.values import dataclass


@dataclass(frozen=True, slots=True)
class SigningSettings:
    """One per connection. accounts: those the person may use; account: the chosen one. keys: the account's Connect
    keys, sealed, all that are valid while they change. templates: as fetched at templates_at, without their fields.
    read_until: everything that changed at the service before was read."""

    connection_id: str
    provider: str
    accounts: tuple[SigningAccount, ...] = ()
    account: SigningAccount | None = None
    keys: tuple[bytes, ...] = field(default=(), repr=False)
    templates: tuple[SigningTemplate, ...] = ()
    templates_at: datetime | None = None
    read_until: datetime | None = None
