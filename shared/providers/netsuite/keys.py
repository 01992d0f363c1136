"""The keys an administrator enters to connect NetSuite, sealed as one text, and the way in they open.

Nothing is exchanged: what was entered is what every token is asked for with, so it takes the place of a refresh token.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, field
from datetime import date, datetime

from shared.domain.values import dataclass
from shared.errors import InputError
from shared.ports.marks import reads
from shared.ports.oauth import AccessToken, Grant
from shared.ports.time import Chance, Clock
from shared.providers.call_record import OnCall
from shared.providers.netsuite.access import Access
from shared.providers.netsuite.account import Account
from shared.providers.netsuite.ledger import LedgerSettings
from shared.providers.netsuite.manifest import MANIFEST
from shared.providers.netsuite.oauth1 import SignedAccess, TokenCredentials
from shared.providers.netsuite.oauth2 import ClientCredentials, ClientCredentialsGrant
from shared.providers.wire import Wire

FIRST_WAY, LAST_WAY = (way.id for way in MANIFEST.ways)
COMPANY_FIELDS = ("company_name", "currency", "time_zone")
ABOUT_THE_KEYS = {"issued_on": "issued_on", "issued_by": "user", "issued_role": "role"}
"""What a person may add about the keys, which NetSuite does not tell, and what it is called where it is shown."""


@dataclass(frozen=True, slots=True)
class Keys:
    """way: which of the manifest's ways in. values: what was entered, by the manifest's names, and about the company
    what NetSuite does not tell."""

    way: str
    values: Mapping[str, str] = field(repr=False)

    @property
    def account_id(self) -> str:
        return self.values["account_id"]

    def sealed(self) -> str:
        """As one text, for the vault."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def opened(cls, text: str) -> Keys:
        content = json.loads(text)
        return cls(content["way"], content["values"])


def entered(form: Mapping[str, object]) -> Keys:
    """What a person typed. Raises: InputError naming what is missing."""
    way = next((way for way in MANIFEST.ways if way.id == form.get("way", FIRST_WAY)), None)
    if way is None:
        raise InputError(f"Choose one way to connect: {' or '.join(known.name for known in MANIFEST.ways)}.")
    wanted = {credential.name: credential.label for credential in way.credentials}
    wanted |= {name: name.replace("_", " ") for name in COMPANY_FIELDS}
    for name, label in wanted.items():
        value = form.get(name)
        if not isinstance(value, str) or not value.strip():
            raise InputError(f"Enter the {label}.")
    optional = ("subsidiary_id", "discount_item_id", *ABOUT_THE_KEYS)
    _require_day(form.get("issued_on"))
    values = {name: str(form[name]).strip() for name in (*wanted, *optional) if form.get(name)}
    values["account_id"] = Account(values["account_id"]).account_id
    return Keys(way.id, values)


def _require_day(issued_on: object) -> None:
    try:
        date.fromisoformat(str(issued_on or date.min))
    except ValueError as error:
        raise InputError("Enter the day on which the keys were issued as 2026-12-31.") from error


def grant_of(keys: Keys, now: datetime) -> Grant:
    """What connecting stores: the keys where others have a refresh token, and no access token yet."""
    return Grant(
        account=keys.values["company_name"],
        account_id=keys.account_id,
        hosted_domain=None,
        scopes=frozenset(),
        access_token="",
        expires_at=now,
        refresh_token=keys.sealed(),
    )


class KeysAuthorization:
    """`ports.Authorization` as far as keys have one: a token is asked for with the keys themselves."""

    def __init__(self, *, root_url: str | None, clock: Clock, chance: Chance, on_call: OnCall, wire: Wire) -> None:
        self._root_url = root_url
        self._clock = clock
        self._chance = chance
        self._on_call = on_call
        self._wire = wire

    @reads
    def url(self, *, state: str, verifier: str, login_hint: str | None) -> str:  # noqa: ARG002 - there is no page
        raise InputError("NetSuite is connected with keys; there is no page to be sent to.")

    def exchange(self, *, code: str, verifier: str) -> Grant:  # noqa: ARG002 - there is no code
        raise InputError("NetSuite is connected with keys; there is no code to trade.")

    def refresh(self, refresh_token: str) -> AccessToken:
        """refresh_token: the sealed keys. Raises: see `ClientCredentialsGrant.mint`."""
        keys = Keys.opened(refresh_token)
        values = keys.values
        credentials = ClientCredentials(
            client_id=values["client_id"],
            certificate_id=values["certificate_id"],
            private_key=values["private_key"].encode(),
        )
        return ClientCredentialsGrant(
            Account(keys.account_id, self._root_url),
            credentials,
            clock=self._clock,
            chance=self._chance,
            on_call=self._on_call,
            wire=self._wire,
        ).mint()

    def revoke(self, refresh_token: str) -> None:
        """Only the administrator can take the keys back, at NetSuite."""


class TokenAccess:
    """`Access` by an access token that is cached for all instances."""

    renewable = True

    def __init__(self, token: Callable[[bool], str]) -> None:
        """token: gives one; called with True, a newer one than was refused."""
        self._token = token
        self._refused = False

    def header(self, method: str, url: str) -> str:  # noqa: ARG002 - a bearer token is the same for all requests
        token, self._refused = self._token(self._refused), False
        return f"Bearer {token}"

    def renew(self) -> None:
        self._refused = True


def access_of(keys: Keys, token: Callable[[bool], str], *, clock: Clock, chance: Chance) -> Access:
    """token: for the way in that has access tokens."""
    if keys.way != LAST_WAY:
        return TokenAccess(token)
    values = keys.values
    credentials = TokenCredentials(
        consumer_key=values["consumer_key"],
        consumer_secret=values["consumer_secret"],
        token_id=values["token_id"],
        token_secret=values["token_secret"],
    )
    return SignedAccess(Account(keys.account_id), credentials, clock=clock, chance=chance)


def settings_of(keys: Keys) -> LedgerSettings:
    values = keys.values
    return LedgerSettings(
        company_name=values["company_name"],
        currency=values["currency"],
        time_zone=values["time_zone"],
        subsidiary_id=values.get("subsidiary_id"),
        discount_item_id=values.get("discount_item_id"),
        access={
            "way": keys.way,
            **{shown: values[name] for name, shown in ABOUT_THE_KEYS.items() if name in values},
        },
    )
