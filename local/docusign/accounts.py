"""Who is there: accounts, users, integration keys and templates, made by the control API or a seed file."""

from __future__ import annotations

import random
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.docusign.errors import ControlError, Json

_KINDS = re.compile(r"[a-z]+Tabs")


@dataclass(frozen=True, slots=True)
class Account:
    """site: where its API is ("na3"); a call that comes to another is refused. hmac_keys: Connect's, at most 100."""

    account_id: str
    name: str
    site: str
    hmac_keys: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class User:
    """accounts: ids, the default one first."""

    user_id: str
    name: str
    email: str
    accounts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Client:
    """An integration key. public_key: PEM, for the JWT grant; "" without."""

    client_id: str
    client_secret: str
    redirect_uris: tuple[str, ...]
    name: str = "Throughline"
    public_key: str = ""


@dataclass(frozen=True, slots=True)
class TemplateRole:
    """tabs: data label -> kind ("textTabs")."""

    name: str
    recipient_id: str
    order: int
    tabs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Template:
    """text: the lines of its document, in which {label} stands for a field."""

    template_id: str
    account_id: str
    name: str
    roles: tuple[TemplateRole, ...]
    text: tuple[str, ...]


class Directory:
    """Everything that is set up before an envelope is sent."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.accounts: dict[str, Account] = {}
        self.users: dict[str, User] = {}
        self.clients: dict[str, Client] = {}
        self.templates: dict[str, Template] = {}

    def guid(self) -> str:
        return str(uuid.UUID(int=self._chance.getrandbits(128), version=4))

    def seed(self, content: Json) -> None:
        """Add {"accounts": [...], "users": [...], "clients": [...], "templates": [...]}. Raises: ControlError."""
        makers = {
            "accounts": self.add_account,
            "users": self.add_user,
            "clients": self.add_client,
            "templates": self.add_template,
        }
        if unknown := set(content) - set(makers):
            raise ControlError(f"a seed has {', '.join(makers)}, not {', '.join(sorted(unknown))}")
        for kind, make in makers.items():
            for spec in content.get(kind, []):
                make(spec)

    def add_account(self, spec: Json) -> Account:
        """{"name", "account_id"?, "site"?, "hmac_keys"?}"""
        account = Account(
            str(spec.get("account_id") or self.guid()),
            _text(spec, "name"),
            str(spec.get("site", "na3")),
            [str(key) for key in spec.get("hmac_keys", [])],
        )
        self.accounts[account.account_id] = account
        return account

    def add_user(self, spec: Json) -> User:
        """{"name", "email", "accounts": [ids], "user_id"?}"""
        accounts = tuple(str(account_id) for account_id in spec.get("accounts", []))
        if not accounts or any(account_id not in self.accounts for account_id in accounts):
            raise ControlError("a user needs accounts that exist")
        user = User(str(spec.get("user_id") or self.guid()), _text(spec, "name"), _text(spec, "email"), accounts)
        self.users[user.user_id] = user
        return user

    def add_client(self, spec: Json) -> Client:
        """{"client_id", "client_secret", "redirect_uris": [...], "name"?, "public_key"?}"""
        try:
            client = Client(**{**spec, "redirect_uris": tuple(spec.get("redirect_uris", ()))})
        except TypeError as wrong:
            raise ControlError(f"a client needs client_id, client_secret and redirect_uris; {wrong}") from wrong
        self.clients[client.client_id] = client
        return client

    def add_template(self, spec: Json) -> Template:
        """{"account_id", "name", "roles": [{"name", "recipient_id"?, "order"?, "tabs"?: {label: kind}}],
        "text"?: [lines], "template_id"?}"""
        if _text(spec, "account_id") not in self.accounts:
            raise ControlError("a template needs an account that exists")
        roles = tuple(_role(number, row) for number, row in enumerate(spec.get("roles", []), start=1))
        if not roles:
            raise ControlError("a template needs roles")
        text = tuple(str(line) for line in spec.get("text", ["This agreement is made between the undersigned."]))
        template = Template(
            str(spec.get("template_id") or self.guid()), spec["account_id"], _text(spec, "name"), roles, text
        )
        self.templates[template.template_id] = template
        return template

    def user_by_email(self, email: str) -> User | None:
        return next((user for user in self.users.values() if user.email == email), None)

    def clear(self) -> None:
        """Forget all but the integration keys."""
        for memory in (self.accounts, self.users, self.templates):
            memory.clear()


def _role(number: int, row: Any) -> TemplateRole:
    if not isinstance(row, dict):
        raise ControlError("a role is an object")
    tabs = {str(label): str(kind) for label, kind in row.get("tabs", {}).items()}
    if wrong := [kind for kind in tabs.values() if not _KINDS.fullmatch(kind)]:
        raise ControlError(f"{wrong[0]} is no kind of tab; textTabs is one")
    return TemplateRole(_text(row, "name"), str(row.get("recipient_id", number)), int(row.get("order", number)), tabs)


def _text(spec: Json, name: str) -> str:
    value = spec.get(name)
    if not isinstance(value, str) or not value:
        raise ControlError(f"{name} is missing")
    return value
