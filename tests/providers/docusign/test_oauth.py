"""Connecting: the two grants, the choice of an account, and how a connection ends."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from shared.errors import (
    AdminActionError,
    ConnectionRevokedError,
    InputError,
    ProviderUnavailableError,
    RateLimitedError,
)
from shared.ports.oauth import Authorization
from shared.providers.docusign.account_server import OAuthClient
from shared.providers.docusign.manifest import PRODUCTION, SANDBOX
from shared.providers.docusign.oauth import DocuSignAuthorization
from tests.fakes import START, FakeChance
from tests.local.docusign.world import ACCOUNT, CLIENT, SECOND_ACCOUNT, USER, VERIFIER, World, public_key

# -------------------------------------------------------------------------------------------------- the code grant


def test_a_person_connects_and_sends_with_the_account_they_chose(world: World) -> None:
    grant = world.connect()
    assert (grant.account, grant.account_id, grant.hosted_domain) == ("ola@acme.example", USER, None)
    assert grant.scopes == {"signature", "extended"}
    assert grant.expires_at == START + timedelta(hours=8)
    first, second = world.authorization().accounts(grant.access_token)
    assert (first.account_id, first.name, first.is_default, first.production) == (ACCOUNT, "Acme", True, False)
    assert (second.account_id, second.is_default) == (SECOND_ACCOUNT, False)
    assert (first.base_url, second.base_url) == (f"{world.url}/na3/restapi", f"{world.url}/eu/restapi")
    assert world.signing(lambda _: grant.access_token, first).send(world.request()).envelope_id


def test_the_page_is_asked_for_with_a_challenge_and_a_hint(world: World) -> None:
    url = urlsplit(world.authorization().url(state="s1", verifier=VERIFIER, login_hint="ola@acme.example"))
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert query["scope"] == "signature extended"
    assert (query["code_challenge_method"], query["login_hint"]) == ("S256", "ola@acme.example")
    assert VERIFIER not in url.query
    status, page = world.ask("GET", f"{url.path}?{url.query}")
    assert status == 200
    assert "Ola Sender" in page


def test_live_and_sandbox_are_two_servers() -> None:
    assert urlsplit(PRODUCTION.token).netloc == "account.docusign.com"
    assert urlsplit(SANDBOX.token).netloc == "account-d.docusign.com"
    assert (PRODUCTION.production, SANDBOX.production) == (True, False)


def test_who_declines_comes_back_without_a_code(world: World) -> None:
    url = world.authorization().url(state="s1", verifier=VERIFIER, login_hint=None)
    back = world.consent(url, "deny")
    assert back == {"error": "access_denied", "error_message": "The user did not consent.", "state": "s1"}


def test_a_code_works_once_for_two_minutes_and_with_its_verifier(world: World) -> None:
    authorization = world.authorization()
    url = authorization.url(state="s1", verifier=VERIFIER, login_hint=None)
    code = world.consent(url)["code"]
    authorization.exchange(code=code, verifier=VERIFIER)
    late, other = world.consent(url)["code"], world.consent(url)["code"]
    for bad, verifier in ((code, VERIFIER), (other, "w" * 43)):
        with pytest.raises(InputError, match="Connect your DocuSign account once more"):
            authorization.exchange(code=bad, verifier=verifier)
    world.clock.advance(121)
    with pytest.raises(InputError):
        authorization.exchange(code=late, verifier=VERIFIER)


def test_a_refresh_gives_a_new_token_and_thirty_more_days(world: World) -> None:
    grant = world.connect()
    assert grant.refresh_token
    world.clock.advance(timedelta(days=29).total_seconds())
    fresh = world.authorization().refresh(grant.refresh_token)
    assert fresh.refresh_token not in (None, grant.refresh_token)
    assert fresh.expires_at == world.clock.now() + timedelta(hours=8)
    world.clock.advance(timedelta(days=29).total_seconds())
    assert world.authorization().refresh(fresh.refresh_token or "").token
    with pytest.raises(ConnectionRevokedError):
        world.authorization().refresh(grant.refresh_token)


def test_a_consent_that_was_taken_back_ends_the_connection(world: World) -> None:
    grant = world.connect()
    world.control("revoke", {"user_id": USER})
    with pytest.raises(ConnectionRevokedError):
        world.authorization().refresh(grant.refresh_token or "")


def test_a_disconnected_grant_is_gone_and_disconnecting_again_is_fine(world: World) -> None:
    grant = world.connect()
    for _ in range(2):
        world.authorization().revoke(grant.refresh_token or "")
    with pytest.raises(ConnectionRevokedError):
        world.authorization().refresh(grant.refresh_token or "")
    world.control("faults", {"call": "oauth.revoke", "status": 404})
    world.authorization().revoke("a token of a server without revocation")
    world.control("faults", {"call": "oauth.revoke", "status": 503})
    with pytest.raises(ProviderUnavailableError):
        world.authorization().revoke("a token")


def test_a_wrong_secret_is_the_administrators_matter(world: World) -> None:
    wrong = OAuthClient(CLIENT.client_id, "wrong", CLIENT.redirect_uri)
    with pytest.raises(AdminActionError) as caught:
        world.authorization(wrong).refresh("refresh")
    assert caught.value.reason == "client_invalid"


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"status": 500}, ProviderUnavailableError),
        ({"status": 429, "headers": {"Retry-After": "60"}}, RateLimitedError),
        ({"status": 400, "body": {"error": "something_new"}}, ProviderUnavailableError),
        ({"status": 400, "body": "<html>"}, ProviderUnavailableError),
        ({"status": 200, "body": "<html>"}, ProviderUnavailableError),
        ({"status": 200, "body": {"expires_in": 28800}}, ProviderUnavailableError),
        ({"reply_lost": True}, ProviderUnavailableError),
    ],
)
def test_only_invalid_grant_says_that_a_grant_is_gone(
    world: World, fault: dict[str, object], error: type[Exception]
) -> None:
    grant = world.connect()
    world.control("faults", {"call": "oauth.token", **fault})
    with pytest.raises(error) as caught:
        world.authorization().refresh(grant.refresh_token or "")
    if isinstance(caught.value, RateLimitedError):
        assert caught.value.resume_at == START + timedelta(seconds=60)
    assert world.authorization().refresh(grant.refresh_token or "").token


def test_tokens_are_never_sent_to_an_address_less_safe_than_the_account_servers(world: World) -> None:
    body = {"sub": USER, "email": "ola@acme.example", "accounts": [{"account_id": "a", "base_uri": "ftp://x.example"}]}
    world.control("faults", {"call": "oauth.userinfo", "status": 200, "body": body})
    with pytest.raises(ProviderUnavailableError, match="must not go"):
        world.authorization().accounts(world.access_token())


def test_a_stale_token_learns_nothing_about_accounts(world: World) -> None:
    with pytest.raises(ProviderUnavailableError):
        world.authorization().accounts("stale")


def test_the_exchanges_are_written_down_without_secrets(world: World) -> None:
    grant = world.connect()
    world.authorization().refresh(grant.refresh_token or "")
    assert [(call.purpose, call.result) for call in world.calls] == [
        ("grant.exchanged", "ok"),
        ("account.read", "ok"),
        ("token.minted", "ok"),
    ]
    shown = repr(world.calls) + repr(grant) + repr(CLIENT)
    for secret in (grant.access_token, grant.refresh_token, CLIENT.client_secret):
        assert secret is not None
        assert secret not in shown


def test_no_answer_at_all_is_docusigns_trouble(world: World) -> None:
    nowhere = SANDBOX.under("http://127.0.0.1:9")
    authorization = DocuSignAuthorization(
        CLIENT, clock=world.clock, chance=FakeChance(), on_call=world.calls.append, endpoints=nowhere
    )
    with pytest.raises(ProviderUnavailableError):
        authorization.refresh("refresh")
    assert (world.calls[0].result, world.calls[0].status) == ("no_answer", 0)


# --------------------------------------------------------------------------------------------------- the JWT grant


def test_a_user_who_agreed_once_is_acted_for(world: World) -> None:
    world.add_client(public_key=public_key())
    way = world.jwt_grant()
    with pytest.raises(ConnectionRevokedError):
        way.refresh(USER)  # consent_required

    back = world.consent(way.url(state="s1", verifier=VERIFIER, login_hint=None))
    grant = way.exchange(code=back["code"], verifier=VERIFIER)
    assert (grant.account_id, grant.refresh_token) == (USER, USER)
    assert grant.scopes == {"signature", "impersonation"}

    world.clock.advance(timedelta(days=90).total_seconds())
    token = way.refresh(USER)
    assert (token.expires_at, token.refresh_token) == (world.clock.now() + timedelta(hours=1), None)
    assert [account.account_id for account in way.accounts(token.token)] == [ACCOUNT, SECOND_ACCOUNT]
    assert world.signing(lambda _: token.token).send(world.request()).envelope_id


def test_both_ways_are_one_to_the_product(world: World) -> None:
    ways: list[Authorization] = [world.authorization(), world.jwt_grant()]
    urls = [urlsplit(way.url(state="s1", verifier=VERIFIER, login_hint=None)) for way in ways]
    assert [parse_qs(url.query)["scope"] for url in urls] == [["signature extended"], ["signature impersonation"]]
    assert urls[0].path == urls[1].path


def test_who_takes_the_agreement_back_must_agree_again(world: World) -> None:
    world.add_client(public_key=public_key())
    way = world.jwt_grant()
    way.exchange(code=world.consent(way.url(state="s", verifier=VERIFIER, login_hint=None))["code"], verifier=VERIFIER)
    way.revoke(USER)
    assert way.refresh(USER).token  # we cannot take it back for them
    world.control("revoke", {"user_id": USER})
    with pytest.raises(ConnectionRevokedError):
        way.refresh(USER)


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(_pem(rsa.generate_private_key(65537, 2048)), id="not the key DocuSign has"),
        pytest.param(_pem(ec.generate_private_key(ec.SECP256R1())), id="not RSA"),
        pytest.param(b"not a key", id="not a key"),
    ],
)
def test_a_wrong_key_is_the_administrators_matter_and_is_not_quoted(world: World, key: bytes) -> None:
    world.add_client(public_key=public_key())
    with pytest.raises(AdminActionError) as caught:
        world.jwt_grant(key).refresh(USER)
    assert caught.value.reason == "jwt_key_unknown"
    assert "not a key" not in str(caught.value)


def test_an_unknown_integration_key_or_user_is_the_administrators_matter(world: World) -> None:
    with pytest.raises(AdminActionError) as no_key:
        world.jwt_grant().refresh(USER)  # the integration key has no RSA key
    world.add_client(public_key=public_key())
    with pytest.raises(AdminActionError) as unknown_user:
        world.jwt_grant().refresh("dddddddd-0000-4000-8000-000000000001")
    with pytest.raises(AdminActionError) as unknown_client:
        world.jwt_grant(client=OAuthClient("nobody", "hush", CLIENT.redirect_uri)).refresh(USER)
    reasons = [caught.value.reason for caught in (no_key, unknown_user, unknown_client)]
    assert reasons == ["jwt_key_unknown", "jwt_user_unknown", "integration_key_unknown"]
