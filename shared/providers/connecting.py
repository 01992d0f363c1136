"""What each provider's folder says about connecting it: its module `connecting`, found by the folder's name.

Wiring asks for the module of a provider and knows no provider by name; a folder without one cannot be connected by
OAuth.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from shared.domain.people import Role
from shared.domain.values import dataclass
from shared.errors import InputError
from shared.ports.documents import Documents
from shared.ports.oauth import Authorization, Grant
from shared.ports.time import Chance, Clock
from shared.providers.call_record import OnCall
from shared.providers.wire import Wire
from shared.usecases.connect import Keep

CONNECT_COOKIE = "__Host-throughline-connect"
"""Binds a flow to the browser it began in. The prefix makes browsers refuse it from anywhere but this very host."""

_FOLDERS = Path(__file__).parent
_NAME = re.compile(r"[a-z][a-z0-9_]{1,30}")


@dataclass(frozen=True, slots=True)
class Client:
    """The OAuth client an organization registered at the vendor, and the world its calls go through.

    redirect_uri: exactly as registered. root_url: another server that speaks for the vendor; None for the vendor's own.
    sandbox: the vendor's environment for trials. private_key: PEM, where the organization chose to be acted for by key.
    """

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str
    root_url: str | None
    sandbox: bool
    clock: Clock
    chance: Chance
    wire: Wire
    on_call: OnCall
    private_key: bytes | None = field(default=None, repr=False)


class Connecting(Protocol):
    """The module `shared/providers/<vendor>/connecting.py`."""

    MAY_CONNECT: frozenset[Role] | None
    """Whose role may connect it; None for everybody's own account."""

    def authorization(self, client: Client) -> Authorization: ...

    def state_of(self, arguments: Mapping[str, str]) -> str:
        """The state the redirect brings back. Raises: InputError, also where the person or the vendor refused."""
        ...

    def exchange(self, authorization: Authorization, arguments: Mapping[str, str], verifier: str) -> Grant:
        """Trade what the redirect brought. Raises: InputError."""
        ...

    def keeper(self, documents: Documents, /) -> Keep: ...


def connecting(provider: str) -> Connecting:
    """Raises: InputError for a provider that is not there."""
    known = _NAME.fullmatch(provider) and (_FOLDERS / provider / "connecting.py").is_file()
    if not known:
        raise InputError("There is no such provider to connect.")
    return cast(Connecting, import_module(f"shared.providers.{provider}.connecting"))


@dataclass(frozen=True, slots=True)
class Connected:
    """Who was connected, as the provider's manifest names it. own: a person's own account, not the organization's."""

    name: str
    own: bool


def connected(provider: str) -> Connected:
    """Raises: InputError for a provider that is not there."""
    own = connecting(provider).MAY_CONNECT is None
    return Connected(import_module(f"shared.providers.{provider}.manifest").MANIFEST.name, own)
