"""How an API plugs into the simulator: see README.md beside this file."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from local.google.accounts import Account, Accounts
from local.google.clock import Now
from local.google.errors import Json
from local.google.quota import QuotaPolicy
from shared.providers.google.prices import DEFAULT_QUOTA_UNITS_PER_MINUTE

Publish = Callable[[str, bytes], None]
"""Puts bytes on a Pub/Sub topic ("projects/P/topics/T"). Raises PublishError when the topic cannot take them."""


class PublishError(Exception):
    """The topic is missing, or Pub/Sub does not answer."""


def repeatable(seed: float) -> random.Random:
    """Return randomness that is the same in every run."""
    return random.Random(seed)  # noqa: S311 - nothing here is secret, and runs must be repeatable


@dataclass(frozen=True, slots=True)
class Settings:
    """What the simulator is started with.

    Args:
        folder: the data folder: signing key, saved states, large raw mail.
        gmail_units_per_minute: Gmail's quota per user; the product is configured with the same figure.
        calendar_calls_per_minute: Calendar's quota per user.
        seed: of all randomness, so that a run can be repeated.
    """

    folder: Path
    gmail_units_per_minute: int = DEFAULT_QUOTA_UNITS_PER_MINUTE
    calendar_calls_per_minute: int = 600
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Context:
    """What a service is built from."""

    settings: Settings
    now: Now
    accounts: Accounts
    publish: Publish
    chance: random.Random


@dataclass(frozen=True, slots=True)
class Call:
    """One API call that was authenticated, is legal by the discovery document, and is paid for.

    Args:
        method: discovery id, for example "gmail.users.messages.get".
        account: whose token it carries.
        scopes: what that token may do.
        parameters: path and query parameters, decoded; every value in a list, in the order given.
        body: the JSON body, {} if there was none.
        at: the simulator's time.
    """

    method: str
    account: Account
    scopes: frozenset[str]
    parameters: Mapping[str, Sequence[str]]
    body: Json
    at: datetime

    def text(self, name: str, default: str = "") -> str:
        values = self.parameters.get(name)
        return values[0] if values else default

    def texts(self, name: str) -> list[str]:
        return list(self.parameters.get(name, ()))

    def number(self, name: str, default: int) -> int:
        values = self.parameters.get(name)
        return int(values[0]) if values else default

    def flag(self, name: str, *, default: bool = False) -> bool:
        values = self.parameters.get(name)
        return values[0] == "true" if values else default


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the human page."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


class Service(Protocol):
    """One API. The shell never calls it from two threads at a time, so it needs no locks of its own.

    name, version: of its discovery document, for example "gmail", "v1".
    quota: its prices and refusals.
    calls: discovery id -> handler, which returns the answer's JSON, or None for an empty answer, and raises ApiError.
        A call that the document knows and this mapping lacks is answered 501.
    controls: action -> handler of `POST /control/<name>/<action>`; takes and returns JSON, raises ControlError.
    """

    name: str
    version: str
    quota: QuotaPolicy
    calls: Mapping[str, Callable[[Call], Json | None]]
    controls: Mapping[str, Callable[[Json], Json | None]]

    def open_account(self, account: Account) -> None:
        """A person got an account: give them an empty mailbox, calendar ..."""

    def tick(self) -> None:
        """Do what is due by now. Called about ten times a second, and after every change of the clock."""

    def tables(self) -> Sequence[Table]:
        """What a person sees of it at `/`."""

    def dump(self) -> Json:
        """Its whole state as JSON, for `load`."""

    def load(self, state: Json) -> None:
        """Replace its state. Accounts are loaded before."""

    def reset(self) -> None:
        """Forget everything, accounts included."""
