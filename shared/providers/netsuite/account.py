"""One NetSuite account id, and everything that is derived from it."""

from __future__ import annotations

import re

from shared.domain.values import dataclass
from shared.errors import InputError

_ACCOUNT_ID = re.compile(r"[A-Z0-9]+(_[A-Z0-9]+)?")


@dataclass(frozen=True, slots=True)
class Account:
    """An account. Either spelling of its id will do: "9876543_SB1" from the company page or "9876543-sb1" from an
    address; it is kept as NetSuite prints it and as realms have it.

    root_url: another server that plays NetSuite; None for the real one.
    Raises: InputError for what is no account id, so that nothing else ever becomes a host.
    """

    account_id: str
    root_url: str | None = None

    def __post_init__(self) -> None:
        account_id = self.account_id.strip().upper().replace("-", "_")
        if not _ACCOUNT_ID.fullmatch(account_id):
            raise InputError(
                "That is no NetSuite account id. It is at Setup > Company > Company Information, such as 9876543 or "
                "9876543_SB1."
            )
        object.__setattr__(self, "account_id", account_id)
        object.__setattr__(self, "root_url", self.root_url.rstrip("/") if self.root_url else None)

    @property
    def host(self) -> str:
        return f"{self.account_id.lower().replace('_', '-')}.suitetalk.api.netsuite.com"

    @property
    def rest_url(self) -> str:
        return f"{self.root_url or f'https://{self.host}'}/services/rest"

    @property
    def token_url(self) -> str:
        return f"{self.rest_url}/auth/oauth2/v1/token"

    @property
    def token_audience(self) -> str:
        """Whom an assertion is meant for: always NetSuite itself, also where another server plays it."""
        return f"https://{self.host}/services/rest/auth/oauth2/v1/token"

    @property
    def is_production(self) -> bool:
        """Sandboxes and release previews have a suffix: 9876543_SB1, 9876543_RP."""
        return "_" not in self.account_id
