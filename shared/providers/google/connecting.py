"""How a person connects their Google account: mail and calendar, each only where its boxes stayed ticked."""

from __future__ import annotations

from collections.abc import Mapping

from shared.domain.people import Role
from shared.ports.documents import Documents
from shared.ports.oauth import Authorization, Grant
from shared.providers.connecting import Client
from shared.providers.google.manifest import MANIFEST, Endpoints, refused_features
from shared.providers.google.notices import read_consent_answer
from shared.providers.google.oauth import GoogleAuthorization, OAuthClient
from shared.usecases.connect import Keep
from shared.usecases.mail.connect_mailbox import mailbox_keeper

MAY_CONNECT: frozenset[Role] | None = None


def authorization(client: Client) -> Authorization:
    return GoogleAuthorization(
        OAuthClient(client.client_id, client.client_secret, client.redirect_uri),
        clock=client.clock,
        chance=client.chance,
        endpoints=Endpoints.under(client.root_url) if client.root_url else MANIFEST.endpoints,
        wire=client.wire,
    )


def state_of(arguments: Mapping[str, str]) -> str:
    return read_consent_answer(arguments).state


def exchange(authorization: Authorization, arguments: Mapping[str, str], verifier: str) -> Grant:
    return authorization.exchange(code=read_consent_answer(arguments).code, verifier=verifier)


def keeper(documents: Documents) -> Keep:
    return mailbox_keeper(documents, refused_features)
