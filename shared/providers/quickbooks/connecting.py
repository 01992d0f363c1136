"""How an administrator or finance connects a QuickBooks company; each company is a connection of its own."""

from __future__ import annotations

from collections.abc import Mapping

from shared.domain.people import Role
from shared.errors import InputError
from shared.ports.documents import Documents
from shared.ports.oauth import Authorization, Grant
from shared.providers.connecting import Client
from shared.providers.quickbooks.manifest import MANIFEST, Endpoints
from shared.providers.quickbooks.oauth import OAuthClient, QuickBooksAuthorization, read_consent_answer
from shared.usecases.connect import Keep
from shared.usecases.connect_organization import organization_keeper

MAY_CONNECT: frozenset[Role] | None = frozenset({Role.ADMIN, Role.FINANCE})


def endpoints(client: Client) -> Endpoints:
    """Of real companies, of trial companies, or of another server."""
    if client.root_url:
        return Endpoints.under(client.root_url)
    return MANIFEST.sandbox if client.sandbox else MANIFEST.endpoints


def authorization(client: Client) -> QuickBooksAuthorization:
    return QuickBooksAuthorization(
        OAuthClient(client.client_id, client.client_secret, client.redirect_uri),
        clock=client.clock,
        on_call=client.on_call,
        endpoints=endpoints(client),
        wire=client.wire,
    )


def state_of(arguments: Mapping[str, str]) -> str:
    return read_consent_answer(arguments).state


def exchange(authorization: Authorization, arguments: Mapping[str, str], verifier: str) -> Grant:
    """The redirect also names the company, which the token answer does not repeat."""
    if not isinstance(authorization, QuickBooksAuthorization):
        raise InputError("This link belongs to another provider.")
    answer = read_consent_answer(arguments)
    return authorization.exchange(code=answer.code, verifier=verifier, account_id=answer.account_id)


def keeper(_documents: Documents) -> Keep:
    return organization_keeper(opens="ledger_open", by_account=True)
