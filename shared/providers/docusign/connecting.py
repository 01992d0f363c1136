"""How an administrator connects the organization's DocuSign; which of its accounts is used is chosen afterwards."""

from __future__ import annotations

from collections.abc import Mapping

from shared.domain.people import Role
from shared.errors import InputError
from shared.ports.documents import Documents
from shared.ports.oauth import Authorization, Grant
from shared.providers.connecting import Client
from shared.providers.docusign.account_server import OAuthClient
from shared.providers.docusign.catalogue import problem_of
from shared.providers.docusign.jwt_grant import JwtGrant
from shared.providers.docusign.manifest import PRODUCTION, SANDBOX, Endpoints
from shared.providers.docusign.oauth import DocuSignAuthorization
from shared.providers.words import spoken
from shared.usecases.connect import START_AGAIN, Keep
from shared.usecases.connect_organization import organization_keeper

MAY_CONNECT: frozenset[Role] | None = frozenset({Role.ADMIN})


def endpoints(client: Client) -> Endpoints:
    """Of the environment the integration key belongs to."""
    if client.root_url:
        return Endpoints.under(client.root_url, production=not client.sandbox)
    return SANDBOX if client.sandbox else PRODUCTION


def authorization(client: Client) -> DocuSignAuthorization | JwtGrant:
    """By key where there is one: its tokens need no refresh token, and end with no password."""
    registered = OAuthClient(client.client_id, client.client_secret, client.redirect_uri)
    if client.private_key is not None:
        return JwtGrant(
            registered,
            client.private_key,
            clock=client.clock,
            chance=client.chance,
            on_call=client.on_call,
            endpoints=endpoints(client),
            wire=client.wire,
        )
    return DocuSignAuthorization(
        registered,
        clock=client.clock,
        chance=client.chance,
        on_call=client.on_call,
        endpoints=endpoints(client),
        wire=client.wire,
    )


def state_of(arguments: Mapping[str, str]) -> str:
    """Source: developers.docusign.com/platform/auth/authcode: the redirect carries code and state, or error."""
    error = arguments.get("error")
    if error is not None:
        problem = problem_of(error)
        raise InputError(f"{spoken(problem) if problem else 'DocuSign did not give access.'} {START_AGAIN}")
    state = arguments.get("state")
    if not state or not arguments.get("code"):
        raise InputError(f"This link is not complete. {START_AGAIN}")
    return state


def exchange(authorization: Authorization, arguments: Mapping[str, str], verifier: str) -> Grant:
    return authorization.exchange(code=arguments["code"], verifier=verifier)


def keeper(_documents: Documents) -> Keep:
    return organization_keeper(opens="signing_open")
