"""What Intuit's authorization server remembers: clients, codes, families of tokens. No sockets; the clock is given.

A refresh token changes its value with every use. Whoever comes with a value that was used before is taken for a thief:
the whole family ends, the newest value included. That is how two refreshers at once lose a connection.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from local.google.clock import Now
from local.quickbooks.errors import ControlError, Json

ACCESS_S = 3600
IDLE_S = 8_640_000
HARD_S = 157_680_000
CODE_LIFETIME = timedelta(minutes=10)
SCOPE = "com.intuit.quickbooks.accounting"


class OAuthError(Exception):
    """An error of the token or revocation endpoint: status, `error`, `error_description`."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(error)
        self.status = status
        self.body = {"error": error, "error_description": description}


@dataclass(frozen=True, slots=True)
class Client:
    client_id: str
    client_secret: str
    redirect_uris: tuple[str, ...]
    name: str = "Throughline"


@dataclass(slots=True)
class _Code:
    client_id: str
    realm_id: str
    redirect_uri: str
    expires_at: datetime


@dataclass(slots=True)
class Family:
    """Everything that came from one consent. current: the only refresh token that works."""

    client_id: str
    realm_id: str
    begun_at: datetime
    current: str
    current_since: datetime
    used: list[str] = field(default_factory=list)
    access: dict[str, datetime] = field(default_factory=dict)
    revoked: bool = False


@dataclass(slots=True)
class Grants:
    """rotate_after_s: a refresh gives a new value once the current one is this old; 0 with every use, as here by
    default, 86,400 about as Intuit does."""

    now: Now
    new_token: Callable[[], str]
    clients: dict[str, Client] = field(default_factory=dict)
    families: list[Family] = field(default_factory=list)
    rotate_after_s: float = 0.0
    _codes: dict[str, _Code] = field(default_factory=dict)

    def register(self, spec: Json) -> Client:
        """Add or replace a client from {"client_id", "client_secret", "redirect_uris": [...], "name"?}."""
        try:
            client = Client(**{**spec, "redirect_uris": tuple(spec["redirect_uris"])})
        except (TypeError, KeyError) as wrong:
            raise ControlError("a client has client_id, client_secret, redirect_uris and maybe name") from wrong
        self.clients[client.client_id] = client
        return client

    def allow(self, client: Client, realm_id: str, redirect_uri: str) -> str:
        """A person chose a company and said yes; return the code."""
        code = self.new_token()
        self._codes[code] = _Code(client.client_id, realm_id, redirect_uri, self.now() + CODE_LIFETIME)
        return code

    def exchange(self, form: Json, client: Client, *, hard_end: bool) -> Json:
        code = self._codes.pop(str(form.get("code")), None)
        if code is None or code.client_id != client.client_id or code.expires_at < self.now():
            raise OAuthError(400, "invalid_grant", "Invalid authorization code")
        if form.get("redirect_uri") != code.redirect_uri:
            raise OAuthError(400, "invalid_grant", "Redirect URI does not match")
        return self._answer(self.begin(client, code.realm_id), hard_end=hard_end)

    def begin(self, client: Client, realm_id: str) -> Family:
        """A new consent: a family of tokens of its own."""
        now = self.now()
        family = Family(client.client_id, realm_id, now, self.new_token(), now)
        self.families.append(family)
        return family

    def refresh(self, form: Json, client: Client, *, hard_end: bool) -> Json:
        token = str(form.get("refresh_token"))
        family = self._family(token)
        if family is None or family.client_id != client.client_id or family.revoked or self._over(family):
            raise OAuthError(400, "invalid_grant", "Incorrect or invalid refresh token")
        if token != family.current:
            family.revoked = True
            raise OAuthError(400, "invalid_grant", "Incorrect or invalid refresh token")
        now = self.now()
        if (now - family.current_since).total_seconds() >= self.rotate_after_s:
            family.used.append(family.current)
            family.current, family.current_since = self.new_token(), now
        return self._answer(family, hard_end=hard_end)

    def revoke(self, token: str) -> None:
        family = self._family(token)
        if family is None or family.revoked:
            raise OAuthError(400, "invalid_request", "The token is not known")
        family.revoked = True

    def answer_of(self, family: Family) -> Json:
        """Tokens for whoever asks the control API, without the consent page."""
        return self._answer(family, hard_end=True)

    def end(self, realm_id: str) -> None:
        """The person disconnects the app in QuickBooks."""
        for family in self.families:
            if family.realm_id == realm_id:
                family.revoked = True

    def expire_access(self, realm_id: str) -> None:
        """Access tokens end at once, refresh tokens do not."""
        for family in self.families:
            if family.realm_id == realm_id:
                family.access.clear()

    def realm_of(self, access_token: str) -> str | None:
        """The company that a live access token opens."""
        for family in self.families:
            ends_at = family.access.get(access_token)
            if ends_at and ends_at > self.now() and not family.revoked:
                return family.realm_id
        return None

    def dump(self) -> Json:
        families = [
            {
                **asdict(family),
                "begun_at": family.begun_at.isoformat(),
                "current_since": family.current_since.isoformat(),
                "access": {token: ends_at.isoformat() for token, ends_at in family.access.items()},
            }
            for family in self.families
        ]
        return {"clients": [asdict(client) for client in self.clients.values()], "families": families}

    def load(self, state: Json) -> None:
        for client in state["clients"]:
            self.register(client)
        self.families = [
            Family(
                **{
                    **one,
                    "begun_at": datetime.fromisoformat(one["begun_at"]),
                    "current_since": datetime.fromisoformat(one["current_since"]),
                    "access": {token: datetime.fromisoformat(ends_at) for token, ends_at in one["access"].items()},
                }
            )
            for one in state["families"]
        ]

    def _family(self, token: str) -> Family | None:
        """By a refresh token, current or used, or by an access token."""
        for family in self.families:
            if token in {family.current, *family.used, *family.access}:
                return family
        return None

    def _over(self, family: Family) -> bool:
        now = self.now()
        idle = now - family.current_since > timedelta(seconds=IDLE_S)
        return idle or now - family.begun_at > timedelta(seconds=HARD_S)

    def _answer(self, family: Family, *, hard_end: bool) -> Json:
        access, now = self.new_token(), self.now()
        family.access = {token: ends_at for token, ends_at in family.access.items() if ends_at > now}
        family.access[access] = now + timedelta(seconds=ACCESS_S)
        left = HARD_S - int((now - family.begun_at).total_seconds())
        return {
            "token_type": "bearer",
            "access_token": access,
            "expires_in": ACCESS_S,
            "refresh_token": family.current,
            "x_refresh_token_expires_in": min(IDLE_S, left),
            **({"x_refresh_token_hard_expires_in": left} if hard_end else {}),
        }
