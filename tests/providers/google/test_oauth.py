"""Connecting a Google account, and keeping and ending the connection."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from shared.errors import (
    AdminActionError,
    ConnectionRevokedError,
    InputError,
    ProviderUnavailableError,
    RateLimitedError,
)
from shared.ports.oauth import Authorization
from shared.providers.google.manifest import CALENDAR_READ, GMAIL_READ, Endpoints
from shared.providers.google.oauth import GoogleAuthorization, OAuthClient
from tests.fakes import START, FakeChance, FakeClock
from tests.providers.google.scripted import Reply, ScriptedServer

CLIENT = OAuthClient("throughline.apps.example", "hush", "https://crm.example/oauth_callback")
VERIFIER = "v" * 43
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
NOW = int(START.timestamp())
CLAIMS: dict[str, Any] = {
    "iss": "https://accounts.google.com",
    "aud": CLIENT.client_id,
    "sub": "1098765",
    "email": "kim@example.com",
    "email_verified": True,
    "hd": "example.com",
    "iat": NOW,
    "exp": NOW + 3600,
}


def id_token(key: rsa.RSAPrivateKey = KEY, kid: str = "k1", **changes: object) -> str:
    claims = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not None}
    return jwt.encode(claims, key, algorithm="RS256", headers={"kid": kid})


def tokens(**changes: object) -> Reply:
    return Reply(
        200,
        {
            "access_token": "access",
            "expires_in": 3599,
            "refresh_token": "refresh",
            "scope": f"openid https://www.googleapis.com/auth/userinfo.email {GMAIL_READ}",
            "token_type": "Bearer",
            "id_token": id_token(),
            **changes,
        },
    )


@pytest.fixture
def authorization(google: ScriptedServer) -> Authorization:
    google.always["/oauth2/v3/certs"] = Reply(
        200, {"keys": [RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True) | {"kid": "k1"}]}
    )
    endpoints = Endpoints.under(google.url)
    return GoogleAuthorization(CLIENT, clock=FakeClock(), chance=FakeChance(), endpoints=endpoints)


def refusal(status: int, code: str) -> Reply:
    return Reply(status, {"error": code, "error_description": "for kim@example.com"})


# --------------------------------------------------------------------------------------------------- to Google and back


def test_the_person_is_sent_to_google_with_everything_that_a_lasting_connection_needs() -> None:
    authorization = GoogleAuthorization(CLIENT, clock=FakeClock(), chance=FakeChance())
    url = urlsplit(authorization.url(state="s1", verifier=VERIFIER, login_hint="kim@example.com"))
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
    assert f"{url.scheme}://{url.netloc}{url.path}" == "https://accounts.google.com/o/oauth2/v2/auth"
    assert query == {
        "response_type": "code",
        "client_id": CLIENT.client_id,
        "redirect_uri": CLIENT.redirect_uri,
        "scope": f"openid email {GMAIL_READ} {CALENDAR_READ}",
        "access_type": "offline",
        "prompt": "consent",
        "include_granted_scopes": "true",
        "state": "s1",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "login_hint": "kim@example.com",
    }


def test_the_code_is_traded_for_a_grant_that_says_what_was_really_allowed(
    google: ScriptedServer, authorization: Authorization
) -> None:
    google.replies(tokens())
    grant = authorization.exchange(code="c1", verifier=VERIFIER)
    assert (grant.account, grant.account_id, grant.hosted_domain) == ("kim@example.com", "1098765", "example.com")
    assert grant.scopes == {"openid", "email", GMAIL_READ}  # the calendar's box was unticked
    assert (grant.access_token, grant.refresh_token) == ("access", "refresh")
    assert grant.expires_at == START + timedelta(seconds=3599)
    assert google.asked[0].form == {
        "grant_type": "authorization_code",
        "code": "c1",
        "client_id": CLIENT.client_id,
        "client_secret": "hush",
        "redirect_uri": CLIENT.redirect_uri,
        "code_verifier": VERIFIER,
    }


def test_a_consumer_account_has_no_organization_and_a_repeat_no_refresh_token(
    google: ScriptedServer, authorization: Authorization
) -> None:
    google.replies(tokens(id_token=id_token(hd=None), refresh_token=None))
    grant = authorization.exchange(code="c1", verifier=VERIFIER)
    assert grant.hosted_domain is None
    assert grant.refresh_token is None


def test_a_used_or_old_code_asks_the_person_to_start_again(
    google: ScriptedServer, authorization: Authorization
) -> None:
    google.replies(refusal(400, "invalid_grant"))
    with pytest.raises(InputError, match="Connect your Google account once more"):
        authorization.exchange(code="used", verifier=VERIFIER)


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("", id="missing"),
        pytest.param("a.b", id="not a token"),
        pytest.param(id_token(key=OTHER_KEY), id="signed by somebody else"),
        pytest.param(id_token(kid="k2"), id="signed with an unknown key"),
        pytest.param(jwt.encode(CLAIMS, "s" * 32, algorithm="HS256", headers={"kid": "k1"}), id="signed with a secret"),
        pytest.param(jwt.encode(CLAIMS, "", algorithm="none", headers={"kid": "k1"}), id="not signed"),
        pytest.param(id_token(aud="another.apps.example"), id="for another client"),
        pytest.param(id_token(aud=[CLIENT.client_id, "another"]), id="for several clients"),
        pytest.param(id_token(iss="https://accounts.example"), id="by another issuer"),
        pytest.param(id_token(exp=NOW - 600), id="expired"),
        pytest.param(id_token(iat=NOW + 600), id="of the future"),
        pytest.param(id_token(exp=None), id="without an end"),
        pytest.param(id_token(email_verified=False), id="address not verified"),
        pytest.param(id_token(email=None), id="without an address"),
    ],
)
def test_an_identity_that_is_not_proven_is_refused(
    google: ScriptedServer, authorization: Authorization, token: str
) -> None:
    google.replies(tokens(id_token=token))
    with pytest.raises(InputError):
        authorization.exchange(code="c1", verifier=VERIFIER)


def test_a_tampered_identity_is_refused(google: ScriptedServer, authorization: Authorization) -> None:
    header, _, signature = id_token().split(".")
    payload = id_token(email="boss@example.com").split(".")[1]
    google.replies(tokens(id_token=f"{header}.{payload}.{signature}"))
    with pytest.raises(InputError):
        authorization.exchange(code="c1", verifier=VERIFIER)


def test_unreadable_keys_are_googles_trouble(google: ScriptedServer, authorization: Authorization) -> None:
    google.always["/oauth2/v3/certs"] = Reply(503, {})
    google.replies(tokens())
    with pytest.raises(ProviderUnavailableError):
        authorization.exchange(code="c1", verifier=VERIFIER)


# ------------------------------------------------------------------------------------------------------------- refresh


def test_a_refresh_gives_an_access_token_and_its_end(google: ScriptedServer, authorization: Authorization) -> None:
    google.replies(Reply(200, {"access_token": "fresh", "expires_in": 3599, "scope": "openid"}))
    token = authorization.refresh("refresh")
    assert (token.token, token.refresh_token) == ("fresh", None)
    assert token.expires_at == START + timedelta(seconds=3599)
    assert google.asked[0].form["grant_type"] == "refresh_token"


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (refusal(400, "invalid_grant"), ConnectionRevokedError),
        (refusal(400, "admin_policy_enforced"), AdminActionError),
        (refusal(401, "deleted_client"), AdminActionError),
        (refusal(429, "rateLimitExceeded"), RateLimitedError),
        (refusal(500, "internal_failure"), ProviderUnavailableError),
        (Reply(hang_up=True), ProviderUnavailableError),
        (Reply(200, b"<html>"), ProviderUnavailableError),
        (Reply(200, {"expires_in": 3599}), ProviderUnavailableError),
    ],
)
def test_a_refused_refresh_says_who_must_act_and_never_names_anybody(
    google: ScriptedServer, authorization: Authorization, reply: Reply, error: type[Exception]
) -> None:
    google.replies(reply)
    with pytest.raises(error) as caught:
        authorization.refresh("refresh")
    assert "kim" not in str(caught.value)
    assert len(google.asked) == 1


# ------------------------------------------------------------------------------------------------------------- the end


@pytest.mark.parametrize("reply", [Reply(), refusal(400, "invalid_token")])
def test_a_grant_is_revoked_and_one_that_is_gone_is_revoked_too(
    google: ScriptedServer, authorization: Authorization, reply: Reply
) -> None:
    google.replies(reply)
    authorization.revoke("refresh")
    assert google.asked[0].form == {"token": "refresh"}


def test_a_revocation_that_failed_is_known_to_have_failed(google: ScriptedServer, authorization: Authorization) -> None:
    google.replies(Reply(503, {}), refusal(400, "invalid_request"))
    for _ in range(2):
        with pytest.raises(ProviderUnavailableError):
            authorization.revoke("refresh")


def test_secrets_do_not_show_when_values_are_printed(google: ScriptedServer, authorization: Authorization) -> None:
    google.replies(tokens())
    shown = repr(authorization.exchange(code="c1", verifier=VERIFIER)) + repr(CLIENT)
    assert "hush" not in shown
    assert "'access'" not in shown
    assert "'refresh'" not in shown
